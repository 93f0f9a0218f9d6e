//! Facts about the groups of a column: place, largest, range, how many, alike, each change.

use rust_decimal::Decimal;

use super::column::{Column, Group, Reach, decimals_of};
use super::compare::{Axis, difference};
use super::condition::Condition;
use super::period::Period;
use super::quantity::{Quantity, Scale, shown};
use super::sentence::{P_MAX, end, list, mean, probability, proportion, quoted, sentence, signed_percent, size, what};
use super::values::{part_of, relative};
use super::{Draft, Fact, Form, Stop, Test, refused, select, value as named};
use crate::analysis::chance;
use crate::finding::CellReference;
use crate::finding::claim::{Comparison, Operand, Span};
use crate::finding::wording::parts::having_words;
use crate::finding::workbook::Workbook;
use crate::typeset::text::group_digits;

/// Groups that a sentence names.
const NAMED_MAX: usize = 5;
/// Groups lie close together if the largest is at most so many percent above the smallest.
const ALIKE_MAX: Decimal = Decimal::from_parts(10, 0, 0, false, 2);

/// The groups along one key, the other keys fixed.
struct Groups<'w> {
    column: Column<'w>,
    /// The output that shows the key.
    key: usize,
    /// What the key is called.
    key_name: String,
    /// The value of the key and the number, in the order of the engine's own query.
    values: Vec<(Option<String>, Quantity)>,
    /// How many groups have no number.
    missing: usize,
    /// The groups that the claim leaves out.
    except: Vec<String>,
    /// What a HAVING of the statement asks of the groups, as the end of a phrase.
    only: String,
    /// The periods that the data cover in part.
    partial: Vec<Period>,
    /// The rows of the result whose groups these are.
    rows: Vec<usize>,
}

impl<'w> Groups<'w> {
    /// Returns the groups among which a cell is one.
    fn around(operand: &Operand, book: &'w Workbook) -> Result<(Self, Option<String>), Stop> {
        let Some(reference) = select::cell_of(operand, book)? else {
            return refused("it takes one cell, as in rank(q3[Hardware].days)".to_owned());
        };
        let (column, row) = select::cell(&reference, book)?;
        let (group, _) = column.cell(row)?;
        let time = column.time_of(&group);
        let identifying = column.identifying(&group, time)?;
        let is_other = |output: usize| Some(output) != time && identifying.is_none_or(|key| key == output);
        let mut others = group.keys.iter().filter(|(output, _)| is_other(*output));
        let key = match (others.next(), others.next(), time) {
            (Some((output, _)), None, _) => *output,
            (None, None, Some(time)) => time,
            (None, None, None) => return refused(format!("{reference} has no other groups: group by a key")),
            _ => {
                return refused(format!(
                    "{reference} has several keys besides the period: group by one of them, with the others as conditions"
                ));
            }
        };
        let is_fixed = |output: usize| output != key && (identifying.is_none() || Some(output) == time);
        let fixed = group.keys.iter().filter(|(output, _)| is_fixed(*output)).cloned().collect::<Vec<_>>();
        let own = group.keys.iter().find(|(output, _)| *output == key).and_then(|(_, value)| value.clone());
        Ok((Self::of(column, key, &fixed, vec![row])?, own))
    }

    /// Returns the groups of a column.
    fn along(span: &Span, book: &'w Workbook) -> Result<Self, Stop> {
        let (column, rows) = select::span(&span.of, book)?;
        let groups = column.groups()?;
        let Some(first) = groups.first() else { return refused(format!("{} has no groups", span.of)) };
        let table = &column.sheet.result.table;
        let varies = |output: &usize| {
            let mut cells = rows.iter().map(|row| table.cell(*row, *output));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let mut outputs = first.keys.iter().map(|(output, _)| *output).collect::<Vec<_>>();
        if let Some(key) = column.identifying(first, column.time_of(first))? {
            outputs.retain(|output| *output == key || Some(*output) == column.time_of(first));
        }
        let varying = outputs.iter().copied().filter(varies).collect::<Vec<_>>();
        let key = match (varying.as_slice(), outputs.as_slice()) {
            ([only], _) | ([], [only]) => *only,
            ([], []) => return refused(format!("{} is one number, not several groups: group by a key", span.of)),
            _ => {
                return refused(format!(
                    "the rows of {} differ in several keys: fix the others, as in {}[2024-01-01].{}",
                    span.of.query, span.of.query, span.of.column
                ));
            }
        };
        let row = rows.first().copied().unwrap_or(0);
        let fixed = outputs.iter().filter(|output| **output != key);
        let fixed = fixed.map(|output| (*output, table.cell(row, *output).map(str::to_owned))).collect::<Vec<_>>();
        let mut groups = Self::of(column, key, &fixed, rows)?;
        groups.leave_out(&span.except)?;
        Ok(groups)
    }

    fn of(column: Column<'w>, key: usize, fixed: &[(usize, Option<String>)], rows: Vec<usize>) -> Result<Self, Stop> {
        let table = &column.sheet.result.table;
        let decimals = (0..table.rows.len()).filter_map(|row| table.cell(row, column.index)).map(decimals_of).max();
        let mut values = Vec::new();
        let mut missing = 0;
        for group in column.groups()?.iter().filter(|group| fixed.iter().all(|held| group.keys.contains(held))) {
            match group.value {
                Some(_) => values.push((value_of(group, key), column.quantity(group, decimals.unwrap_or(0))?)),
                None => missing += 1,
            }
        }
        let mut groups = Self { column, key, key_name: "its key".to_owned(), values, missing, except: Vec::new(), rows, only: String::new(), partial: Vec::new() };
        if let Some(name) = groups.column.key_name(key) {
            groups.key_name = name;
        }
        groups.having()?;
        groups.whole_periods()?;
        Ok(groups)
    }

    /// Keeps the groups that a HAVING of the statement leaves, if the result has all of them.
    fn having(&mut self) -> Result<(), Stop> {
        let sheet = self.column.sheet;
        let block = &self.column.branch.block;
        let table = &sheet.result.table;
        if block.having.is_empty() || sheet.lineage.is_limited || table.more_rows || block.is_cut() {
            return Ok(());
        }
        let shown = (0..table.rows.len()).map(|row| table.cell(row, self.key)).collect::<Vec<_>>();
        self.values.retain(|(value, _)| shown.contains(&value.as_deref()));
        self.only = format!(" and {}", having_words(block, &self.column.book.catalog));
        Ok(())
    }

    /// Leaves out periods that the data cover in part, if the key is one of time.
    fn whole_periods(&mut self) -> Result<(), Stop> {
        let Some((time, unit)) = self.column.moment_of(self.key) else { return Ok(()) };
        self.key_name = format!("{} of {}", unit.name(), time.name);
        let Some(Reach { data, .. }) = self.column.reach(&time)? else { return Ok(()) };
        let partial = |quantity: &Quantity| {
            let conditions = quantity.parts.iter().flat_map(|part| &part.conditions);
            let period = conditions.filter_map(Condition::as_period).find(|(known, _)| **known == time)?.1;
            let is_covered = period.and(data).is_some_and(|seen| seen.is_nearly(period));
            (!(period.unit().is_some() && is_covered)).then_some(period)
        };
        self.partial = self.values.iter().filter_map(|(_, quantity)| partial(quantity)).collect();
        self.values.retain(|(_, quantity)| partial(quantity).is_none());
        Ok(())
    }

    fn leave_out(&mut self, except: &[String]) -> Result<(), Stop> {
        for name in except {
            let is_it = |value: &Option<String>| value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(name));
            if !self.values.iter().any(|(value, _)| is_it(value)) {
                let known = self.values.iter().filter_map(|(value, _)| value.as_deref());
                return refused(format!("there is no group {name}: {}", crate::typeset::spelling::advice(name, known)));
            }
            self.values.retain(|(value, _)| !is_it(value));
            self.except.push(name.clone());
        }
        Ok(())
    }

    /// Returns the conditions that only say which group a number is of: those that another group does not have.
    fn told(&self) -> Vec<Condition> {
        let mut told: Vec<Condition> = Vec::new();
        for (_, quantity) in &self.values {
            for (index, part) in quantity.parts.iter().enumerate() {
                for condition in &part.conditions {
                    let in_all = self.values.iter().all(|(_, other)| {
                        other.parts.get(index).is_some_and(|part| part.conditions.iter().any(|known| known.id == condition.id))
                    });
                    if !in_all && !told.iter().any(|known| known.id == condition.id) {
                        told.push(condition.clone());
                    }
                }
            }
        }
        told
    }

    fn what(&self) -> String {
        let told = self.told();
        self.values.first().map(|(_, quantity)| what(quantity, &told)).unwrap_or_default()
    }

    /// Returns the groups as a sentence counts them: `7 values of category`.
    fn count(&self) -> String {
        let count = self.values.len();
        let plural = if count == 1 { "value" } else { "values" };
        format!("{} {plural} of {} that have rows{}", group_digits(&count.to_string()), self.key_name, self.only)
    }

    /// Returns which groups are not among those counted.
    fn left_out(&self) -> String {
        let mut words = String::new();
        if !self.except.is_empty() {
            let names = self.except.iter().map(|name| quoted(Some(name))).collect::<Vec<_>>();
            words = format!(", without {}", list(&names));
        }
        if self.missing > 0 {
            let have = if self.missing == 1 { "has" } else { "have" };
            words = format!("{words}; {} more {have} no value", self.missing);
        }
        match self.partial.as_slice() {
            [] => {}
            [only] => words = format!("{words}, without {}, which the data cover in part", only.words()),
            [first, .., last] => {
                words = format!("{words}, without {} and {}, which the data cover in part", first.words(), last.words());
            }
        }
        words
    }

    /// Returns a group as a sentence names it: by its period, or by its value.
    fn name(&self, value: Option<&str>, quantity: &Quantity) -> String {
        let told = self.told();
        let conditions = quantity.parts.iter().flat_map(|part| &part.conditions);
        let mut own = Vec::<&Condition>::new();
        for condition in conditions.filter(|condition| told.iter().any(|known| known.id == condition.id)) {
            if !own.iter().any(|known| known.id == condition.id) {
                own.push(condition);
            }
        }
        if own.len() > 1 {
            return own.iter().map(|condition| condition.words.as_str()).collect::<Vec<_>>().join(" and ");
        }
        match own.first() {
            Some(condition) => match (condition.as_period(), condition.as_key()) {
                (Some((_, period)), _) => period.words(),
                (None, Some(_)) if is_plain(&condition.words) => quoted(value),
                _ => condition.words.clone(),
            },
            None => quoted(value),
        }
    }

    /// Returns how many other groups have the same number.
    fn equal_to(&self, quantity: &Quantity) -> String {
        match self.values.iter().filter(|(_, other)| other.value == quantity.value).count() {
            0 | 1 => String::new(),
            2 => " and one more".to_owned(),
            count => format!(" and {} more", count - 1),
        }
    }

    fn sorted(&self) -> Vec<&(Option<String>, Quantity)> {
        let mut sorted = self.values.iter().collect::<Vec<_>>();
        sorted.sort_by(|(key, one), (other_key, other)| other.value.cmp(&one.value).then_with(|| key.cmp(other_key)));
        sorted
    }

    /// Returns the cells of the result that show these groups.
    fn cells(&self) -> Vec<CellReference> {
        let id = &self.column.sheet.result.id;
        self.rows.iter().map(|row| CellReference { query: id.clone(), row: *row, column: self.column.index }).collect()
    }

    fn need(&self, least: usize) -> Result<(), Stop> {
        if self.values.len() < least {
            return refused(format!("there are {}, and {least} are needed", self.count()));
        }
        Ok(())
    }
}

/// Whether the words are no more than a name and its value.
fn is_plain(words: &str) -> bool {
    !words.starts_with('(')
}

fn value_of(group: &Group, key: usize) -> Option<String> {
    group.keys.iter().find(|(output, _)| *output == key).and_then(|(_, value)| value.clone())
}

/// Returns the place of a group among all groups.
pub(super) fn rank(operand: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let (groups, own) = Groups::around(operand, book)?;
    groups.need(2)?;
    let Some((_, one)) = groups.values.iter().find(|(value, _)| *value == own) else {
        return refused("the group has no number, or is a period that the data cover in part".to_owned());
    };
    let above = groups.values.iter().filter(|(_, other)| other.value > one.value).count();
    let below = groups.values.iter().filter(|(_, other)| other.value < one.value).count();
    let ties = groups.values.len() - above - below - 1;
    let count = groups.values.len();
    let name = groups.name(own.as_deref(), one);
    let tied = match ties {
        0 => String::new(),
        1 => " (with one other that is equal)".to_owned(),
        ties => format!(" (with {ties} others that are equal)"),
    };
    let place = if count == ties + 1 {
        "has the same as all others".to_owned()
    } else if above == 0 {
        format!("has the highest{tied}")
    } else if below == 0 {
        format!("has the lowest{tied}")
    } else if above < count / 2 {
        format!("has the {} highest{tied}", ordinal(above + 1))
    } else {
        format!("has the {} lowest{tied}", ordinal(below + 1))
    };
    let sorted = groups.sorted();
    let next = if above == 0 {
        sorted.iter().find(|(_, other)| other.value < one.value).map(|next| ("next", next))
    } else {
        sorted.first().map(|first| ("the highest", first))
    };
    let next = next.map(|(word, (value, other))| format!("; {word} is {}{} with {}", groups.name(value.as_deref(), other), groups.equal_to(other), other.text()));
    let words = format!(
        "of {}{}, {name} {place} {}: {}{}",
        groups.count(),
        groups.left_out(),
        groups.what(),
        one.text(),
        next.unwrap_or_default()
    );
    let values = vec![
        named("value", one.read(), one.text()),
        named("place", Decimal::from(above + 1), ordinal(above + 1)),
        named("groups", Decimal::from(count), count.to_string()),
    ];
    let phrase = format!("the {} of {name} ({})", groups.what(), one.text());
    let draft = Draft { form: Form::Rank, sentence: sentence(&words), phrase, values, quantities: vec![one], test: None };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

fn ordinal(place: usize) -> String {
    match place {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        place => {
            let end = match (place % 10, place % 100) {
                (1, last) if last != 11 => "st",
                (2, last) if last != 12 => "nd",
                (3, last) if last != 13 => "rd",
                _ => "th",
            };
            format!("{place}{end}")
        }
    }
}

/// Returns the largest groups, and their part of the whole.
pub(super) fn top(most: usize, span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(most + 1)?;
    if most > NAMED_MAX * 2 {
        return refused(format!("it names at most {}", NAMED_MAX * 2));
    }
    let sorted = groups.sorted();
    let (largest, others) = sorted.split_at(most);
    if let (Some((_, last)), Some((_, next))) = (largest.last(), others.first())
        && last.value == next.value
    {
        return refused(format!("the {} and the next one are equal: take more or fewer", ordinal(most)));
    }
    let names = largest.iter().map(|(value, one)| format!("{} ({})", groups.name(value.as_deref(), one), one.text()));
    let names = list(&names.collect::<Vec<_>>());
    let is_additive = groups.values.iter().all(|(_, one)| one.is_additive() && !one.value.is_sign_negative());
    let add = |some: &[&(Option<String>, Quantity)]| some.iter().map(|(_, one)| one.value).sum::<Decimal>();
    let (part, whole) = (add(largest), add(&sorted));
    let share = part_of(part, whole).filter(|_| is_additive && groups.except.is_empty());
    let places = largest.first().map_or(0, |(_, one)| one.places());
    let together = share.as_ref().map(|share| format!("; together {} of {}, {share}", shown(part, places), shown(whole, places)));
    let heading = if most == 1 { "the highest".to_owned() } else { format!("the {most} highest") };
    let verb = if most == 1 { "is" } else { "are" };
    let words = format!(
        "of {}{}, {heading} in {} {verb} {names}{}",
        groups.count(),
        groups.left_out(),
        groups.what(),
        together.unwrap_or_default()
    );
    let mut values = vec![named("groups", Decimal::from(sorted.len()), sorted.len().to_string())];
    if let Some(share) = share {
        values.push(named("part", part, shown(part, places)));
        values.push(named("whole", whole, shown(whole, places)));
        values.push(named("percent", part * Decimal::ONE_HUNDRED / whole, share));
    }
    let phrase = format!("{heading} in {}: {names}", groups.what());
    let quantities = largest.iter().map(|(_, one)| one).collect();
    let draft = Draft { form: Form::Top, sentence: sentence(&words), phrase, values, quantities, test: None };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

/// Returns the smallest and the largest number of the groups.
pub(super) fn range(span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    let sorted = groups.sorted();
    let (Some((high_key, high)), Some((low_key, low))) = (sorted.first(), sorted.last()) else {
        return refused("there are no groups".to_owned());
    };
    let words = if high.value == low.value {
        format!("the {} is {} for each of {}{}", groups.what(), high.text(), groups.count(), groups.left_out())
    } else {
        format!(
            "the {} ranges from {} ({}{}) to {} ({}{}) over {}{}",
            groups.what(),
            low.text(),
            groups.name(low_key.as_deref(), low),
            groups.equal_to(low),
            high.text(),
            groups.name(high_key.as_deref(), high),
            groups.equal_to(high),
            groups.count(),
            groups.left_out()
        )
    };
    let values = vec![
        named("from", low.read(), low.text()),
        named("to", high.read(), high.text()),
        named("groups", Decimal::from(sorted.len()), sorted.len().to_string()),
    ];
    let phrase = format!("the {}, from {} to {}", groups.what(), low.text(), high.text());
    let draft = Draft { form: Form::Range, sentence: sentence(&words), phrase, values, quantities: vec![high, low], test: None };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

/// Returns how many groups compare so with a bound.
pub(super) fn count(span: &Span, comparison: Comparison, bound: Decimal, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    let (meeting, others): (Vec<_>, Vec<_>) =
        groups.sorted().into_iter().partition(|(_, one)| comparison.holds(one.value, bound));
    let names = |some: &[&(Option<String>, Quantity)]| {
        some.iter().map(|(value, one)| groups.name(value.as_deref(), one)).collect::<Vec<_>>()
    };
    let how_many = match (meeting.len(), others.len()) {
        (0, _) => format!("none of {} has", groups.count()),
        (_, 0) => format!("all {} have", groups.count()),
        (some, few) if few <= 2 && some > few => {
            format!("all but {} of {} have", list(&names(&others)), groups.count())
        }
        (1, _) => format!("1 of {} has", groups.count()),
        (some, _) => format!("{some} of {} have", groups.count()),
    };
    let scale = groups.values.first().map_or(Scale::Plain, |(_, one)| one.scale());
    let bound_text = match scale {
        Scale::Plain => shown(bound, bound.scale()),
        Scale::Percent => format!("{}%", bound.normalize()),
        Scale::Share => format!("{}%", (bound * Decimal::ONE_HUNDRED).normalize()),
    };
    let sign = match comparison {
        Comparison::Above => "above",
        Comparison::AtLeast => "of at least",
        Comparison::Below => "below",
        Comparison::AtMost => "of at most",
        Comparison::Equal => "of exactly",
    };
    let named_ones = if meeting.len() > others.len() && others.len() <= 2 || meeting.is_empty() {
        String::new()
    } else {
        let shown_ones = names(&meeting).into_iter().take(NAMED_MAX).collect::<Vec<_>>();
        let more = meeting.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            format!(": {} and {more} more", shown_ones.join(", "))
        } else {
            format!(": {}", list(&shown_ones))
        }
    };
    let words = format!(
        "{how_many} {} {} {sign} {bound_text}{named_ones} (a bound of this analysis){}",
        article(&groups.what()),
        groups.what(),
        groups.left_out()
    );
    let values = vec![
        named("part", Decimal::from(meeting.len()), meeting.len().to_string()),
        named("whole", Decimal::from(groups.values.len()), groups.values.len().to_string()),
        named("bound", bound, bound_text),
    ];
    let phrase = format!("{} of {} with {} {sign} the bound", meeting.len(), groups.count(), groups.what());
    let quantities = groups.values.first().map(|(_, one)| one).into_iter().collect();
    let draft = Draft { form: Form::Count, sentence: sentence(&words), phrase, values, quantities, test: None };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

fn article(words: &str) -> &'static str {
    if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// Returns how well chance explains that the groups differ, in one test.
fn one_test(groups: &Groups<'_>) -> Option<Test> {
    let quantities = || groups.values.iter().map(|(_, quantity)| quantity);
    let is_repeated = |quantity: &Quantity| quantity.doubts().iter().any(|doubt| matches!(doubt.id, "multiplied" | "united"));
    if quantities().any(is_repeated) {
        return None;
    }
    let (name, p) = if let Some(shares) = quantities().map(proportion).collect::<Option<Vec<_>>>() {
        ("several proportions", chance::several_proportions(&shares)?)
    } else {
        let means = quantities().map(mean).collect::<Option<Vec<_>>>()?;
        ("Welch", chance::several_means(&means)?)
    };
    Some(Test { name: name.to_owned(), p, comparisons: 1 })
}

/// Returns that all groups lie close together, or do not differ by more than chance.
pub(super) fn alike(span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    let sorted = groups.sorted();
    let (Some((high_key, high)), Some((low_key, low))) = (sorted.first(), sorted.last()) else {
        return refused("there are no groups".to_owned());
    };
    let test = one_test(&groups);
    let spread = (low.value > Decimal::ZERO).then(|| (high.value - low.value).checked_div(low.value)).flatten();
    let spread = spread.filter(|spread| *spread <= ALIKE_MAX);
    if let (None, Some(test)) = (spread, test.clone().filter(|test| test.p > P_MAX)) {
        let words = format!(
            "the {} does not differ by more than chance between {}{} ({}): from {} ({}) to {} ({})",
            groups.what(),
            groups.count(),
            groups.left_out(),
            probability(test.p),
            low.text(),
            groups.name(low_key.as_deref(), low),
            high.text(),
            groups.name(high_key.as_deref(), high)
        );
        let values = vec![named("from", low.read(), low.text()), named("to", high.read(), high.text())];
        let phrase = format!("the {}, which does not differ by more than chance between {}", groups.what(), groups.count());
        let quantities = vec![high, low];
        let draft = Draft { form: Form::Alike, sentence: sentence(&words), phrase, values, quantities, test: Some(test) };
        return Ok(Fact { cells: groups.cells(), ..draft.fact() });
    }
    let Some(spread) = spread else {
        let tested = test.map_or_else(String::new, |test| format!(", and more than by chance ({})", probability(test.p)));
        return refused(format!(
            "they differ: the {} reaches from {} ({}) to {} ({}){tested}; range, rank or gap says so",
            groups.what(),
            low.text(),
            groups.name(low_key.as_deref(), low),
            high.text(),
            groups.name(high_key.as_deref(), high)
        ));
    };
    let words = format!(
        "the {} is alike for {}{}: from {} ({}) to {} ({}), the highest {} above the lowest",
        groups.what(),
        groups.count(),
        groups.left_out(),
        low.text(),
        groups.name(low_key.as_deref(), low),
        high.text(),
        groups.name(high_key.as_deref(), high),
        signed_percent(spread).trim_start_matches('+')
    );
    let values = vec![named("from", low.read(), low.text()), named("to", high.read(), high.text())];
    let phrase = format!("the {}, alike for {}", groups.what(), groups.count());
    let draft = Draft { form: Form::Alike, sentence: sentence(&words), phrase, values, quantities: vec![high, low], test: None };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

/// Returns the change from one column to another, for each group.
pub(super) fn each_change(from: &Span, to: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let (before, after) = (Groups::along(from, book)?, Groups::along(to, book)?);
    if before.key_name != after.key_name || before.key != after.key {
        return refused("the two columns have different groups: take two columns of one result".to_owned());
    }
    let mut changes = Vec::new();
    let mut sides = None;
    for (value, one) in &before.values {
        let is_left_out = to.except.iter().any(|name| value.as_deref() == Some(name.as_str()));
        let Some((_, other)) = after.values.iter().find(|(other, _)| other == value).filter(|_| !is_left_out) else { continue };
        let found = difference(one, other)?;
        let (one, other, found) = match found.axis()? {
            Axis::Time(first, second) => {
                let time = found.left.first().and_then(Condition::as_period).map(|(time, _)| time.clone());
                let reach = time.map(|time| before.column.reach(&time)).transpose()?.flatten();
                let is_covered = |period: Period| {
                    reach.is_none_or(|reach| period.and(reach.data).is_some_and(|seen| seen.is_nearly(period)))
                };
                let is_of_length = one.parts.iter().any(|part| matches!(part.function.as_str(), "count" | "sum"));
                if is_of_length && one.share().is_none() && !(is_covered(first) && is_covered(second)) {
                    return refused("the data cover one of the periods in part only: compare each by change(a, b)".to_owned());
                }
                let is_alike = first.unit().is_some() && first.unit() == second.unit() || first.days() == second.days();
                if one.is_additive() && !is_alike {
                    return refused(format!(
                        "{} and {} are of different length: compare averages, or each by change(a, b)",
                        first.words(),
                        second.words()
                    ));
                }
                if first.first > second.first { (other, one, difference(other, one)?) } else { (one, other, found) }
            }
            Axis::Key | Axis::Condition if found.left.is_empty() || found.right.is_empty() => {
                return refused("one column contains the other: compare parts that exclude each other".to_owned());
            }
            Axis::Key | Axis::Condition => (one, other, found),
        };
        sides.get_or_insert((found.left.clone(), found.right.clone(), found.all()));
        changes.push((value, one, other));
    }
    let Some((left, right, told)) = sides.filter(|_| changes.len() >= 2) else {
        return refused("it needs two groups with both numbers".to_owned());
    };
    changes.sort_by_key(|(_, one, other)| other.value - one.value);
    let step = |(value, one, other): &(&Option<String>, &Quantity, &Quantity)| {
        let name = before.name(value.as_deref(), one);
        let percent = relative(one, other).map(|share| format!(", {}", signed_percent(share))).unwrap_or_default();
        let sign = if other.value < one.value { "-" } else { "+" };
        format!("{name} {} to {} ({sign}{}{percent})", one.text(), other.text(), size(one, other))
    };
    let rose = changes.iter().filter(|(_, one, other)| other.value > one.value).count();
    let fell = changes.iter().filter(|(_, one, other)| other.value < one.value).count();
    let same = changes.len() - rose - fell;
    let counts = [(rose, "rises"), (fell, "falls"), (same, "is unchanged")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{word} in {count}"));
    let all_told = told.into_iter().chain(before.told()).collect::<Vec<_>>();
    let what = changes.first().map(|(_, one, _)| what(one, &all_told)).unwrap_or_default();
    let steps = if changes.len() <= NAMED_MAX {
        changes.iter().rev().map(step).collect::<Vec<_>>().join("; ")
    } else {
        let (least, most) = (changes.first().map(step), changes.last().map(step));
        format!("from {} up to {}", least.unwrap_or_default(), most.unwrap_or_default())
    };
    let words = format!(
        "from {} to {} the {what} {} of {} values of {}{}: {steps}",
        end(&left),
        end(&right),
        list(&counts.collect::<Vec<_>>()),
        changes.len(),
        before.key_name,
        before.left_out(),
    );
    let count = |name: &str, count: usize| named(name, Decimal::from(count), count.to_string());
    let values = vec![count("rises", rose), count("falls", fell), count("unchanged", same)];
    let phrase = format!("the {what} from {} to {}", end(&left), end(&right));
    let quantities = changes.iter().flat_map(|(_, one, other)| [*one, *other]).collect::<Vec<_>>();
    let draft = Draft { form: Form::EachChange, sentence: sentence(&words), phrase, values, quantities, test: None };
    let cells = before.cells().into_iter().chain(after.cells()).collect();
    Ok(Fact { cells, ..draft.fact() })
}
