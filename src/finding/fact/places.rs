//! Facts about groups: place, largest, range, how many, alike, each change.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::compare::{Axis, Difference, difference};
use super::condition::Condition;
use super::groups::Groups;
use super::period::Period;
use super::quantity::{Quantity, Scale, shown};
use super::sentence::{P_MAX, end, list, mean, probability, proportion, sentence, signed_percent, size, what};
use super::values::{bounds, level_among, part_of, relative};
use super::{Draft, Fact, Form, Stop, Test, refused, value as named};
use crate::analysis::chance;
use crate::finding::claim::{Comparison, Operand, Span};
use crate::finding::workbook::Workbook;
use crate::typeset::text;

/// Groups that a sentence names.
const NAMED_MAX: usize = 5;

/// Groups of which each is compared with each.
const PAIRED_MAX: usize = 20;

/// Groups lie close together if the largest is at most so many percent above the smallest.
const ALIKE_MAX: Decimal = Decimal::from_parts(10, 0, 0, false, 2);

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
    let next = next.map(|(word, (value, other))| {
        format!("; {word} is {}{} with {}", groups.name(value.as_deref(), other), groups.equal_to(other), other.text())
    });
    let words = format!(
        "of {}{}, {name} {place} {}: {}{}{}",
        groups.count(),
        groups.left_out(),
        groups.what(),
        one.text(),
        next.unwrap_or_default(),
        groups.thin()
    );
    let values = vec![
        named("value", one.read(), one.text()),
        named("place", Decimal::from(above + 1), ordinal(above + 1)),
        named("groups", Decimal::from(count), count.to_string()),
    ];
    let phrase = format!("the {} of {name} ({})", groups.what(), one.text());
    let draft =
        Draft { form: Form::Rank, sentence: sentence(&words), phrase, values, quantities: vec![one], test: None };
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

/// Returns the largest groups, and their part of the whole; all groups if there are no more.
pub(super) fn top(most: usize, span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    if most > NAMED_MAX * 2 {
        return refused(format!("it names at most {}", NAMED_MAX * 2));
    }
    if most >= groups.values.len() {
        return Ok(all(&groups));
    }
    let sorted = groups.sorted();
    let (largest, others) = sorted.split_at(most);
    if let (Some((_, last)), Some((_, next))) = (largest.last(), others.first())
        && last.value == next.value
    {
        return refused(format!("the {} and the next one are equal: take more or fewer", ordinal(most)));
    }
    let names = list(&named_with_numbers(&groups, largest));
    let is_additive = groups.values.iter().all(|(_, one)| one.is_additive() && !one.value.is_sign_negative());
    let add = |some: &[&(Option<String>, Quantity)]| some.iter().map(|(_, one)| one.value).sum::<Decimal>();
    let (part, whole) = (add(largest), add(&sorted));
    let share = part_of(part, whole).filter(|_| is_additive && groups.except.is_empty());
    let places = largest.first().map_or(0, |(_, one)| one.places());
    let together =
        share.as_ref().map(|share| format!("; together {} of {}, {share}", shown(part, places), shown(whole, places)));
    let heading = if most == 1 { "the highest".to_owned() } else { format!("the {most} highest") };
    let verb = if most == 1 { "is" } else { "are" };
    let words = format!(
        "of {}{}, {heading} in {} {verb} {names}{}{}",
        groups.count(),
        groups.left_out(),
        groups.what(),
        together.unwrap_or_default(),
        groups.thin()
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

/// Returns groups, each with its number.
fn named_with_numbers(groups: &Groups<'_>, some: &[&(Option<String>, Quantity)]) -> Vec<String> {
    some.iter().map(|(value, one)| format!("{} ({})", groups.name(value.as_deref(), one), one.text())).collect()
}

/// Returns all groups with their numbers, the largest first.
fn all(groups: &Groups<'_>) -> Fact {
    let sorted = groups.sorted();
    let names = list(&named_with_numbers(groups, &sorted));
    let (what, count) = (groups.what(), groups.count());
    let words =
        format!("the {what} of {count}{}, from the highest to the lowest: {names}{}", groups.left_out(), groups.thin());
    let values = vec![named("groups", Decimal::from(sorted.len()), sorted.len().to_string())];
    let phrase = format!("the {what}: {names}");
    let quantities = sorted.iter().map(|(_, one)| one).collect();
    let draft = Draft { form: Form::Top, sentence: sentence(&words), phrase, values, quantities, test: None };
    Fact { cells: groups.cells(), ..draft.fact() }
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
            "the {} ranges from {} ({}{}) to {} ({}{}) over {}{}{}",
            groups.what(),
            low.text(),
            groups.name(low_key.as_deref(), low),
            groups.equal_to(low),
            high.text(),
            groups.name(high_key.as_deref(), high),
            groups.equal_to(high),
            groups.count(),
            groups.left_out(),
            groups.thin()
        )
    };
    let values = vec![
        named("from", low.read(), low.text()),
        named("to", high.read(), high.text()),
        named("groups", Decimal::from(sorted.len()), sorted.len().to_string()),
    ];
    let phrase = format!("the {}, from {} to {}", groups.what(), low.text(), high.text());
    let draft = Draft {
        form: Form::Range,
        sentence: sentence(&words),
        phrase,
        values,
        quantities: vec![high, low],
        test: None,
    };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

/// Returns how many groups compare so with a bound.
pub(super) fn count(span: &Span, comparison: Comparison, bound: Decimal, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    let (meeting, others): (Vec<_>, Vec<_>) =
        groups.sorted().into_iter().partition(|(_, one)| comparison.holds(one.value, bound));
    let names = |some: &[&(Option<String>, Quantity)]| {
        some.iter().take(NAMED_MAX).map(|(value, one)| groups.name(value.as_deref(), one)).collect::<Vec<_>>()
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
        let shown_ones = names(&meeting);
        let more = meeting.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            format!(": {} and {more} more", shown_ones.join(", "))
        } else {
            format!(": {}", list(&shown_ones))
        }
    };
    let words = format!(
        "{how_many} {} {} {sign} {bound_text}{named_ones} (a bound of this analysis){}{}",
        article(&groups.what()),
        groups.what(),
        groups.left_out(),
        groups.thin()
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
    if quantities().any(Quantity::is_repeated) {
        return None;
    }
    let (name, p) = if let Some(shares) = quantities().map(proportion).collect::<Option<Vec<_>>>() {
        ("several proportions", chance::several_proportions(&shares)?)
    } else {
        let means = quantities().map(mean).collect::<Option<Vec<_>>>()?;
        ("Welch", chance::several_means(&means)?.max(chance::means::one_way(&means)?))
    };
    Some(Test { name: name.to_owned(), p, comparisons: 1 })
}

/// Returns by how much two groups differ at the most: the farthest end of the intervals of all pairs, at 95% for all of them
/// together (Bonferroni). `None` where the rows of a group are not known, or of many groups.
fn difference_at_most(groups: &Groups<'_>, places: u32) -> Option<String> {
    let quantities = groups.values.iter().map(|(_, quantity)| quantity).take(PAIRED_MAX + 1).collect::<Vec<_>>();
    if quantities.len() > PAIRED_MAX {
        return None;
    }
    let pairs = (0..quantities.len()).flat_map(|one| (0..one).map(move |other| (one, other))).collect::<Vec<_>>();
    let level = level_among(pairs.len() as u64);
    let farthest = |(one, other): &(usize, usize)| {
        let (low, high) = bounds(quantities[*one], quantities[*other], level)?;
        Some(low.abs().max(high.abs()))
    };
    let ends = pairs.iter().map(farthest).collect::<Option<Vec<_>>>()?;
    let most = Decimal::try_from(ends.into_iter().reduce(f64::max)?).ok()?;
    let unit = if quantities[0].share().is_some() { " points" } else { "" };
    Some(format!("{}{unit}", shown(most, places)))
}

/// Returns that all groups lie close together, or do not differ by more than chance.
pub(super) fn alike(span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let groups = Groups::along(span, book)?;
    groups.need(2)?;
    let sorted = groups.sorted();
    let (Some((high_key, high)), Some((low_key, low))) = (sorted.first(), sorted.last()) else {
        return refused("there are no groups".to_owned());
    };
    let ends = format!(
        "from {} ({}) to {} ({})",
        low.text(),
        groups.name(low_key.as_deref(), low),
        high.text(),
        groups.name(high_key.as_deref(), high)
    );
    let values = vec![named("from", low.read(), low.text()), named("to", high.read(), high.text())];
    let test = one_test(&groups);
    let spread = (low.value > Decimal::ZERO).then(|| (high.value - low.value).checked_div(low.value)).flatten();
    let spread = spread.filter(|spread| *spread <= ALIKE_MAX);
    if let (None, Some(test)) = (spread, test.clone().filter(|test| test.p > P_MAX)) {
        let most = difference_at_most(&groups, high.places().max(low.places()));
        let words = format!(
            "the {} does not differ by more than chance between {}{} ({}): {ends}{}",
            groups.what(),
            groups.count(),
            groups.left_out(),
            probability(test.p),
            most.map_or_else(String::new, |most| format!("; no two differ by more than {most} (95%)"))
        );
        let phrase =
            format!("the {}, which does not differ by more than chance between {}", groups.what(), groups.count());
        let quantities = vec![high, low];
        let draft =
            Draft { form: Form::Alike, sentence: sentence(&words), phrase, values, quantities, test: Some(test) };
        return Ok(Fact { cells: groups.cells(), ..draft.fact() });
    }
    let Some(spread) = spread else {
        let tested =
            test.map_or_else(String::new, |test| format!(", and more than by chance ({})", probability(test.p)));
        return refused(format!(
            "they differ: the {} reaches {ends}{tested}; range, rank or gap says so",
            groups.what()
        ));
    };
    let words = format!(
        "the {} is alike for {}{}: {ends}, the highest {} above the lowest",
        groups.what(),
        groups.count(),
        groups.left_out(),
        signed_percent(spread).trim_start_matches('+')
    );
    let phrase = format!("the {}, alike for {}", groups.what(), groups.count());
    let draft = Draft {
        form: Form::Alike,
        sentence: sentence(&words),
        phrase,
        values,
        quantities: vec![high, low],
        test: None,
    };
    Ok(Fact { cells: groups.cells(), ..draft.fact() })
}

/// Returns two numbers with their difference, the earlier one first. Refuses periods that cannot be compared as they are,
/// and a number that contains the other.
fn ordered<'q>(
    one: &'q Quantity,
    other: &'q Quantity,
    groups: &Groups<'_>,
) -> Result<(&'q Quantity, &'q Quantity, Difference), Stop> {
    let found = difference(one, other)?;
    let Axis::Time(first, second) = found.axis()? else {
        if found.left.is_empty() || found.right.is_empty() {
            return refused("one column contains the other: compare parts that exclude each other".to_owned());
        }
        return Ok((one, other, found));
    };
    let time = found.left.first().and_then(Condition::as_period).map(|(time, _)| time.clone());
    let reach = time.map(|time| groups.column.reach(&time)).transpose()?.flatten();
    let is_covered =
        |period: Period| reach.is_none_or(|reach| period.and(reach.data).is_some_and(|seen| seen.is_nearly(period)));
    let is_alike = first.unit().is_some() && first.unit() == second.unit() || first.days() == second.days();
    if one.depends_on_length() && !(is_alike && is_covered(first) && is_covered(second)) {
        return refused(format!(
            "{} and {} are of different length, or the data cover one in part: compare averages, or each by change(a, b)",
            first.words(),
            second.words()
        ));
    }
    if first.first <= second.first { Ok((one, other, found)) } else { Ok((other, one, difference(other, one)?)) }
}

/// The changes from one column to another.
pub(super) struct Changes<'w> {
    pub(super) before: Groups<'w>,
    after: Groups<'w>,
    /// The groups with both numbers, from the smallest change.
    pub(super) steps: Vec<(Option<String>, Quantity, Quantity)>,
    left: Vec<Condition>,
    right: Vec<Condition>,
    told: Vec<Condition>,
}

impl Changes<'_> {
    pub(super) fn what(&self) -> String {
        self.steps.first().map(|(_, one, _)| what(one, &self.told)).unwrap_or_default()
    }

    /// Returns from what to what the numbers change, such as `January 2024 to February 2024`.
    pub(super) fn sides(&self) -> String {
        format!("{} to {}", end(&self.left), end(&self.right))
    }
}

/// Returns the changes from one column to another, of the groups with both numbers.
pub(super) fn changes<'w>(from: &Span, to: &Span, book: &'w Workbook) -> Result<Changes<'w>, Stop> {
    let (before, after) = (Groups::along(from, book)?, Groups::along(to, book)?);
    if before.key != after.key {
        return refused("the two columns have different groups: take two columns of one result".to_owned());
    }
    let values_after = after.by_value();
    let mut steps = Vec::new();
    let mut sides = None;
    for (value, one) in &before.values {
        let is_left_out = to.except.iter().any(|name| value.as_deref() == Some(name.as_str()));
        let Some(other) = values_after.get(value).filter(|_| !is_left_out) else { continue };
        let (one, other, found) = ordered(one, other, &before)?;
        sides.get_or_insert((found.left.clone(), found.right.clone(), found.all()));
        steps.push((value.clone(), one.clone(), other.clone()));
    }
    let Some((left, right, told)) = sides.filter(|_| steps.len() >= 2) else {
        return refused("it needs two groups with both numbers".to_owned());
    };
    let is_period = |side: &[Condition]| side.iter().any(|condition| condition.as_period().is_some());
    if !is_period(&left) || !is_period(&right) {
        return refused(format!(
            "the two columns are no before and after: they are {} and {}; compare two cells of a row with gap",
            end(&left),
            end(&right)
        ));
    }
    steps.sort_by_key(|(_, one, other)| other.value - one.value);
    let told = told.into_iter().chain(before.told.iter().cloned()).collect();
    Ok(Changes { before, after, steps, left, right, told })
}

/// Returns the change from one column to another, for each group.
pub(super) fn each_change(from: &Span, to: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let found = changes(from, to, book)?;
    let (what, sides) = (found.what(), found.sides());
    let Changes { before, after, steps: changes, .. } = found;
    let is_left_out = |value: &Option<String>| to.except.iter().any(|name| value.as_deref() == Some(name.as_str()));
    let (values_before, values_after) = (before.by_value(), after.by_value());
    let is_in = |value: &Option<String>, known: &HashMap<_, _>| is_left_out(value) || known.contains_key(value);
    let alone = before.values.iter().filter(|(value, _)| !is_in(value, &values_after)).count()
        + after.values.iter().filter(|(value, _)| !is_in(value, &values_before)).count();
    let alone = match alone {
        0 => String::new(),
        count => format!(" ({} only one of the two)", text::count(count, "more has", "more have")),
    };
    let step = |(value, one, other): &(Option<String>, Quantity, Quantity)| {
        let name = before.name(value.as_deref(), one);
        let percent = relative(one, other).map(|share| format!(", {}", signed_percent(share))).unwrap_or_default();
        let sign = if other.value < one.value { "-" } else { "+" };
        format!("{name}: {} to {} ({sign}{}{percent})", one.text(), other.text(), size(one, other))
    };
    let rose = changes.iter().filter(|(_, one, other)| other.value > one.value).count();
    let fell = changes.iter().filter(|(_, one, other)| other.value < one.value).count();
    let same = changes.len() - rose - fell;
    let counts = [(rose, "rises"), (fell, "falls"), (same, "is unchanged")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{word} in {count}"));
    let steps = if changes.len() <= NAMED_MAX {
        changes.iter().rev().map(step).collect::<Vec<_>>().join("; ")
    } else {
        let (least, most) = (changes.first().map(step), changes.last().map(step));
        format!("from {} up to {}", least.unwrap_or_default(), most.unwrap_or_default())
    };
    let words = format!(
        "from {sides} the {what} {} of {} values of {}{}{alone}: {steps}",
        list(&counts.collect::<Vec<_>>()),
        changes.len(),
        before.key_name,
        before.left_out(),
    );
    let count = |name: &str, count: usize| named(name, Decimal::from(count), count.to_string());
    let values = vec![count("rises", rose), count("falls", fell), count("unchanged", same)];
    let phrase = format!("the {what} from {sides}");
    let quantities = changes.iter().flat_map(|(_, one, other)| [one, other]).collect::<Vec<_>>();
    let draft = Draft { form: Form::EachChange, sentence: sentence(&words), phrase, values, quantities, test: None };
    let cells = before.cells().into_iter().chain(after.cells()).collect();
    Ok(Fact { cells, ..draft.fact() })
}
