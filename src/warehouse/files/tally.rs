//! Chooses the type of a column by the forms of all its values.

use super::Kind;
use super::form::Form;
use super::problem::Place;

/// The most characters of a value in a note.
const EXAMPLE_CHARACTERS_MAX: usize = 40;
/// The values above which a column of mostly numbers or dates gets a note on the others.
const VALUES_FOR_NOTE_MIN: u64 = 20;
/// The most of the values that are others, as one in so many.
const OTHERS_MAX: u64 = 20;

/// How often each form was seen in a column, and where it was seen first.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    counts: [u64; Form::COUNT],
    first: [Option<(Place, String)>; Form::COUNT],
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { counts: [0; Form::COUNT], first: [const { None }; Form::COUNT] }
    }

    pub(super) fn add(&mut self, form: Form, place: Place, text: &str) {
        let index = form as usize;
        self.counts[index] += 1;
        if self.first[index].is_none() {
            self.first[index] = Some((place, text.chars().take(EXAMPLE_CHARACTERS_MAX).collect()));
        }
    }

    /// Returns whether the column has no value at all.
    pub(super) fn is_empty(&self) -> bool {
        self.values() == 0 && self.count(&[Form::Missing]) == 0
    }

    fn count(&self, forms: &[Form]) -> u64 {
        forms.iter().map(|form| self.counts[*form as usize]).sum()
    }

    fn values(&self) -> u64 {
        self.counts.iter().sum::<u64>() - self.count(&[Form::Null, Form::Missing])
    }

    /// Returns the narrowest type that holds every value.
    pub(super) fn kind(&self) -> Kind {
        const EXACT: &[Form] = &[Form::Integer, Form::LongInteger, Form::Decimal];
        let values = self.values();
        let has = |form| self.counts[form as usize] > 0;
        let all = |forms: &[Form]| self.count(forms) == values;
        match () {
            () if values == 0 => Kind::Text,
            () if has(Form::Json) => Kind::Json,
            () if all(&[Form::Boolean]) => Kind::Boolean,
            () if all(&[Form::Integer]) => Kind::Bigint,
            () if all(EXACT) => Kind::Numeric,
            () if all(&[EXACT, &[Form::Scientific]].concat()) => Kind::Double,
            () if all(&[Form::Date]) => Kind::Date,
            () if all(&[Form::Date, Form::Timestamp]) => Kind::Timestamp,
            () if all(&[Form::TimestampZone]) => Kind::TimestampZone,
            () => Kind::Text,
        }
    }

    /// Returns what a reader should know about the choice of the type; `None` if there is nothing to say.
    pub(super) fn note(&self, column: &str) -> Option<String> {
        match self.kind() {
            Kind::Text => self.reason_for_text().map(|reason| format!("{column} is text: {reason}")),
            Kind::Json => None,
            kind => {
                let missing = self.count(&[Form::Missing]);
                let example = self.example(Form::Missing)?;
                Some(format!(
                    "{column} is {}: {missing} times a word such as {example} was read as no value",
                    kind.sql()
                ))
            }
        }
    }

    fn reason_for_text(&self) -> Option<String> {
        const NUMBERS: &[Form] = &[Form::Integer, Form::LongInteger, Form::Decimal, Form::Scientific];
        const TIMES: &[Form] = &[Form::Date, Form::Timestamp, Form::TimestampZone];
        let values = self.values();
        let explains = |form: Form, beside: &[Form]| {
            self.counts[form as usize] > 0 && self.count(&[form]) + self.count(beside) == values
        };
        let numbers = [NUMBERS, &[Form::LeadingZeros]].concat();
        let punctuated = [NUMBERS, &[Form::LeadingZeros, Form::Punctuated]].concat();
        if explains(Form::LeadingZeros, &numbers[..NUMBERS.len()]) {
            return Some(format!("it has leading zeros, such as {}", self.example(Form::LeadingZeros)?));
        }
        if explains(Form::Punctuated, &numbers) {
            let example = self.example(Form::Punctuated)?;
            return Some(format!("a comma or a separator in {example} can mean two things; write 1234.5 for a number"));
        }
        if explains(Form::Signed, &punctuated) {
            let example = self.example(Form::Signed)?;
            return Some(format!("it has signs beside numbers, such as {example}; write 1234.5 for a number"));
        }
        if explains(Form::OtherDate, TIMES) {
            let example = self.example(Form::OtherDate)?;
            return Some(format!("{example} is not in the form of 2024-12-31 or 2024-12-31 23:59, which dates need"));
        }
        if self.count(TIMES) == values && values > 0 {
            let without = self.example(Form::Timestamp).or_else(|| self.example(Form::Date))?;
            let with = self.example(Form::TimestampZone)?;
            return Some(format!("{with} has a time zone and {without} has none"));
        }
        self.exception(NUMBERS, "numbers").or_else(|| self.exception(TIMES, "dates"))
    }

    /// Returns the note on a column that would have a better type but for a few values.
    fn exception(&self, forms: &[Form], noun: &str) -> Option<String> {
        let (values, count) = (self.values(), self.count(forms));
        let others = values - count;
        if values < VALUES_FOR_NOTE_MIN || others * OTHERS_MAX > values {
            return None;
        }
        let is_other = |index: &usize| {
            *index != Form::Null as usize
                && *index != Form::Missing as usize
                && forms.iter().all(|form| *form as usize != *index)
        };
        let mut seen = (0..Form::COUNT).filter(is_other).filter_map(|index| self.first[index].as_ref());
        let (place, text) = seen.next()?;
        Some(format!("{count} of {values} values are {noun}, but not {text:?} ({place})"))
    }

    /// Returns the first value of a form, with its place.
    fn example(&self, form: Form) -> Option<String> {
        let (place, text) = self.first[form as usize].as_ref()?;
        Some(format!("{text:?} ({place})"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::form;
    use super::*;

    fn tally(values: &[&str]) -> Tally {
        let mut tally = Tally::new();
        for (value, line) in values.iter().zip(2..) {
            tally.add(form::of_text(value), Place::Line(line), value);
        }
        tally
    }

    fn check(values: &[&str], kind: Kind, note: &str) {
        let tally = tally(values);
        assert_eq!(tally.kind(), kind, "{values:?}");
        let found = tally.note("x").unwrap_or_default();
        assert!(found.contains(note) && found.is_empty() == note.is_empty(), "{values:?}: {found}");
    }

    #[test]
    fn the_type_is_the_narrowest_that_holds_every_value() {
        check(&["1", "", "-3"], Kind::Bigint, "");
        check(&["1", "9223372036854775808"], Kind::Numeric, "");
        check(&["1", "2.5"], Kind::Numeric, "");
        check(&["1", "2.5", "1e-7"], Kind::Double, "");
        check(&["true", "f"], Kind::Boolean, "");
        check(&["2024-01-01", ""], Kind::Date, "");
        check(&["2024-01-01", "2024-01-01 10:00"], Kind::Timestamp, "");
        check(&["2024-01-01T10:00Z"], Kind::TimestampZone, "");
        check(&["", ""], Kind::Text, "");
        check(&["1", "x"], Kind::Text, "");
        check(&["true", "1"], Kind::Text, "");
    }

    #[test]
    fn a_note_says_why_what_looks_like_a_number_or_a_date_is_text() {
        check(&["1", "NA", "NA"], Kind::Bigint, "2 times a word such as \"NA\" (line 3)");
        check(&["NA", "x"], Kind::Text, "");
        check(&["01067", "80331"], Kind::Text, "leading zeros, such as \"01067\" (line 2)");
        check(&["3", "1,5"], Kind::Text, "\"1,5\" (line 3)");
        check(&["$3", "$1,500.00"], Kind::Text, "signs");
        check(&["12/31/2024"], Kind::Text, "not in the form of 2024-12-31");
        check(&["2024-01-01T10:00Z", "2024-01-01"], Kind::Text, "time zone");
        let mut values = vec!["7"; 40];
        values.push("n.a.");
        check(&values, Kind::Text, "40 of 41 values are numbers, but not \"n.a.\" (line 42)");
    }
}
