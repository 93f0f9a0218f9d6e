//! A statement asked once more about later days: the dates that bound its rows move by the time that has passed.
//!
//! A date bounds rows where it is compared with something: `ordered_at >= DATE '2026-10-01'`, `'2026-10-01' <= day`, or
//! `BETWEEN`. A statement that groups by whole periods (`date_trunc`, `to_char`) keeps whole periods: what begins moves by
//! whole ones, and what ends moves by days, because a period that is covered in part is left out where facts are told. So
//! does one whose dates all begin months: October against October of the year before becomes November against November.
//!
//! Where one window ends as the next begins, the rows before are what the later ones are measured by, and they stay: had they
//! moved, a fall that lasts would be over as soon as both windows are after it.
//!
//! The text is a new statement. It must pass [`super::validate`] like any other before it runs, and whether it is about the
//! same matter is decided where its facts are evaluated.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::Select;
use super::lexer::{self, Kind, Token};
use super::piece::edited;

/// The characters of a date.
const DATE_CHARACTERS: usize = 10;

/// By how much dates move, from one day that was taken for today to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    from: Date,
    to: Date,
    /// The periods that stay whole.
    period: Period,
    /// Whether ends move by whole periods too.
    is_whole: bool,
}

/// A period by which rows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Period {
    Day,
    Week,
    /// So many months.
    Months(i8),
}

/// A statement about later days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) sql: String,
    pub(crate) by: Move,
    /// How many dates bound its rows.
    pub(crate) bounds: usize,
}

/// A date that bounds rows.
struct Bound {
    token: usize,
    date: Date,
    is_begin: bool,
}

impl Select {
    /// Returns the statement as it was asked on the day `from`, asked on the day `to`.
    pub(crate) fn moved(&self, from: Date, to: Date) -> Option<Moved> {
        let tokens = lexer::tokens(&self.text).ok()?;
        let bounds = bounds(&tokens);
        let by = Move::of(&tokens, &bounds, from, to);
        let split = split(&bounds);
        let stays =
            |bound: &&Bound| split.is_some_and(|split| bound.date < split || !bound.is_begin && bound.date == split);
        let instead = |bound: &Bound| {
            let Token { text, start, end, .. } = &tokens[bound.token];
            let date = if bound.is_begin { by.begin(bound.date)? } else { by.end(bound.date)? };
            Some((*start..*end, format!("'{date}{}'", &text[DATE_CHARACTERS..])))
        };
        let edits = bounds.iter().filter(|bound| !stays(bound)).map(instead).collect::<Option<Vec<_>>>()?;
        Some(Moved { sql: edited(&self.text, edits), by, bounds: bounds.len() })
    }
}

impl Move {
    fn of(tokens: &[Token<'_>], bounds: &[Bound], from: Date, to: Date) -> Self {
        let grouped = (0..tokens.len()).filter_map(|index| grouped_by(tokens, index)).max();
        let begins = bounds.iter().filter(|bound| bound.is_begin).map(|bound| bound.date).collect::<BTreeSet<_>>();
        let is_split = bounds.iter().any(|bound| !bound.is_begin && begins.contains(&bound.date));
        let are_months = bounds.len() > 1 && bounds.iter().all(|bound| bound.date.day() == 1);
        match grouped {
            Some(period) => Self { from, to, period, is_whole: is_split },
            None if are_months => Self { from, to, period: Period::Months(1), is_whole: true },
            None => Self { from, to, period: Period::Day, is_whole: true },
        }
    }

    /// Returns where something begins then.
    pub(crate) fn begin(self, date: Date) -> Option<Date> {
        date.checked_add(self.whole()).ok()
    }

    fn end(self, date: Date) -> Option<Date> {
        let by = if self.is_whole { self.whole() } else { (self.to - self.from).get_days().days() };
        date.checked_add(by).ok()
    }

    /// Returns a key that is the beginning of a period, such as `2026-10-01`, as it is then; another text as it is.
    pub(crate) fn key(self, text: &str) -> String {
        let moved = |date: &str| Some(self.begin(date.parse::<Date>().ok()?)?.to_string());
        match (text.get(..DATE_CHARACTERS), text.len()) {
            (Some(date), _) => moved(date).map(|date| format!("{date}{}", &text[DATE_CHARACTERS..])),
            (None, 7) => moved(&format!("{text}-01")).map(|date| date[..7].to_owned()),
            (None, _) => None,
        }
        .unwrap_or_else(|| text.to_owned())
    }

    /// Returns the whole periods that have passed.
    fn whole(self) -> Span {
        let days = |from: Date, to: Date| (to - from).get_days();
        let monday = |day: Date| day.checked_sub(day.weekday().to_monday_zero_offset().days()).unwrap_or(day);
        let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month()) - 1;
        match self.period {
            Period::Day => days(self.from, self.to).days(),
            Period::Week => days(monday(self.from), monday(self.to)).days(),
            Period::Months(every) => {
                let every = i32::from(every);
                let passed = months(self.to).div_euclid(every) - months(self.from).div_euclid(every);
                (passed * every).months()
            }
        }
    }
}

/// Returns the dates that something is compared with.
fn bounds(tokens: &[Token<'_>]) -> Vec<Bound> {
    let bound = |index: usize| {
        let token = &tokens[index];
        let date =
            (token.kind == Kind::Text).then(|| token.text.get(..DATE_CHARACTERS)?.parse::<Date>().ok()).flatten()?;
        let rest = &token.text[DATE_CHARACTERS..];
        let is_moment = rest.is_empty() || rest.starts_with([' ', 'T']);
        Some(Bound { token: index, date, is_begin: is_begin(tokens, index)? }).filter(|_| is_moment)
    };
    (0..tokens.len()).filter_map(bound).collect()
}

/// Returns the date at which one window ends, or has ended the day before, and another begins. `None` of more than two windows
/// in a row, which move together.
fn split(bounds: &[Bound]) -> Option<Date> {
    let ends = || bounds.iter().filter(|bound| !bound.is_begin).map(|bound| bound.date);
    let begins = bounds.iter().filter(|bound| bound.is_begin).map(|bound| bound.date);
    let meets = |begin: &Date| ends().any(|end| end == *begin || end.tomorrow().is_ok_and(|next| next == *begin));
    let seams = begins.filter(meets).collect::<BTreeSet<_>>();
    seams.first().copied().filter(|_| seams.len() == 1)
}

/// Returns whether rows begin at the date of a token; `None` if nothing is compared with it.
fn is_begin(tokens: &[Token<'_>], index: usize) -> Option<bool> {
    let is_type = |token: &Token<'_>| {
        ["date", "timestamp", "timestamptz", "cast", "zone", "time", "with", "without"]
            .iter()
            .any(|word| token.is_word(word))
            || token.is_symbol("(")
    };
    let before = tokens[..index].iter().rposition(|token| !is_type(token))?;
    let token = &tokens[before];
    match (token.kind, &*token.text) {
        (Kind::Operator, ">=" | ">") | (Kind::Word, "between") => return Some(true),
        (Kind::Operator, "<" | "<=" | "=") => return Some(false),
        (Kind::Word, "and") if ends_between(tokens, before) => return Some(false),
        _ => {}
    }
    let casts =
        |token: &Token<'_>| is_type(token) || token.is_symbol(")") || token.is_symbol("::") || token.is_word("as");
    let after = tokens[index + 1..].iter().find(|token| !casts(token))?;
    match (after.kind, &*after.text) {
        (Kind::Operator, "<=" | "<") => Some(true),
        (Kind::Operator, ">" | ">=" | "=") => Some(false),
        _ => None,
    }
}

/// Returns whether the AND at an index is the one of a BETWEEN.
fn ends_between(tokens: &[Token<'_>], index: usize) -> bool {
    let words = tokens[..index].iter().rev().filter(|token| token.is_word("and") || token.is_word("between"));
    words.take(1).any(|token| token.is_word("between"))
}

/// Returns the period by which a call groups that begins at a token.
fn grouped_by(tokens: &[Token<'_>], index: usize) -> Option<Period> {
    let is_call = tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    let texts = || tokens.iter().skip(index + 2).take(12).filter(|token| token.kind == Kind::Text);
    if is_call && tokens[index].is_word("date_trunc") {
        return named(&texts().next()?.text.to_lowercase());
    }
    if is_call && tokens[index].is_word("to_char") {
        return formatted(&texts().next()?.text.to_lowercase());
    }
    None
}

fn named(unit: &str) -> Option<Period> {
    Some(match unit {
        "day" => Period::Day,
        "week" => Period::Week,
        "month" => Period::Months(1),
        "quarter" => Period::Months(3),
        "year" => Period::Months(12),
        _ => return None,
    })
}

fn formatted(pattern: &str) -> Option<Period> {
    let has = |part: &str| pattern.contains(part);
    match () {
        () if has("dd") => Some(Period::Day),
        () if has("iw") || has("ww") => Some(Period::Week),
        () if has("mm") || has("mon") => Some(Period::Months(1)),
        () if has("q") => Some(Period::Months(3)),
        () if has("yy") => Some(Period::Months(12)),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(text: &str) -> Select {
        let (masks, tokens) = (Vec::new(), Vec::new());
        Select { text: text.to_owned(), relations: [].into(), range: None, made_bytes: 0, masks, tokens }
    }

    fn moved(text: &str, from: &str, to: &str) -> String {
        select(text).moved(from.parse().unwrap(), to.parse().unwrap()).unwrap().sql
    }

    #[test]
    fn windows_of_days_move_by_days() {
        assert_eq!(
            moved(
                "SELECT count(*) FILTER (WHERE d >= DATE '2026-10-03' AND d < '2026-10-31'::date) FROM t WHERE '2026-01-02' <= d",
                "2026-11-01",
                "2026-11-04"
            ),
            "SELECT count(*) FILTER (WHERE d >= DATE '2026-10-06' AND d < '2026-11-03'::date) FROM t WHERE '2026-01-05' <= d"
        );
    }

    #[test]
    fn whole_months_stay_whole_months() {
        let text = "SELECT count(*) FROM t WHERE d BETWEEN '2026-10-01' AND '2026-11-01'";
        assert_eq!(moved(text, "2026-11-05", "2026-11-30"), text);
        assert_eq!(
            moved(text, "2026-11-05", "2026-12-01"),
            "SELECT count(*) FROM t WHERE d BETWEEN '2026-11-01' AND '2026-12-01'"
        );
    }

    #[test]
    fn what_later_rows_are_measured_by_stays() {
        let adjacent = "SELECT count(*) FILTER (WHERE d >= '2026-10-01' AND d < '2026-10-15'),
            count(*) FILTER (WHERE d >= '2026-10-15' AND d < '2026-10-29') FROM t";
        let later =
            adjacent.replace("d >= '2026-10-15' AND d < '2026-10-29'", "d >= '2026-10-20' AND d < '2026-11-03'");
        assert_eq!(moved(adjacent, "2026-10-28", "2026-11-02"), later);
        let between = "SELECT count(*) FILTER (WHERE d BETWEEN '2026-10-01' AND '2026-10-31'),
            count(*) FILTER (WHERE d BETWEEN '2026-11-01' AND '2026-11-30') FROM t";
        let later = between.replace("'2026-11-01' AND '2026-11-30'", "'2026-11-03' AND '2026-12-02'");
        assert_eq!(moved(between, "2026-11-30", "2026-12-02"), later);
        let apart = "SELECT count(*) FILTER (WHERE d >= '2025-10-01' AND d < '2025-10-15'),
            count(*) FILTER (WHERE d >= '2026-09-30' AND d < '2026-10-14') FROM t";
        assert!(moved(apart, "2026-10-13", "2026-10-14").contains("d >= '2025-10-02' AND d < '2025-10-16'"));
    }

    #[test]
    fn of_grouped_periods_the_end_moves_by_days() {
        let text = "SELECT date_trunc('month', d) FROM t WHERE d >= '2026-01-01' AND d < '2026-11-29 00:00' GROUP BY 1";
        assert_eq!(
            moved(text, "2026-11-28", "2026-12-02"),
            "SELECT date_trunc('month', d) FROM t WHERE d >= '2026-02-01' AND d < '2026-12-03 00:00' GROUP BY 1"
        );
    }

    #[test]
    fn keys_move_like_what_begins() {
        let select = select("SELECT date_trunc('month', d) FROM t");
        let by = select.moved("2026-11-28".parse().unwrap(), "2026-12-02".parse().unwrap()).unwrap().by;
        assert_eq!(by.key("2026-10-01 00:00:00+00"), "2026-11-01 00:00:00+00");
        assert_eq!(by.key("2026-10"), "2026-11");
        assert_eq!(by.key("Hardware"), "Hardware");
    }
}
