//! The series or the groups behind a fact, as a chart draws them: its numbers are those of the sentence.

use std::sync::Arc;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::column::{Column, decimals_of};
use super::compare::{Axis, Difference, difference};
use super::condition::Condition;
use super::groups::Groups;
use super::period::{Period, Unit};
use super::places::changes;
use super::quantity::{Part, Quantity};
use super::sentence::{end, what};
use super::series::{Series, series, series_around};
use super::time::{first_cell, period_of};
use super::values::{combined, quantity, share_of};
use super::{Fact, Form, Stop, Value, loosened, refused, select};
use crate::finding::claim::{Claim, Comparison, Operand, Peer, Reference, Sign, Span};
use crate::finding::picture::{Level, Mark, Picture, Point, Shape};
use crate::finding::workbook::Workbook;
use crate::warehouse::lineage::expression::Expression;

/// Periods of a series.
const PERIODS: std::ops::RangeInclusive<usize> = 3..=400;
/// Groups that are kept; cited ones further down replace the last of them.
const GROUPS_MAX: usize = 12;
/// Groups of changes that a sentence names.
const NAMED_MAX: usize = 5;

/// Returns what a chart of a fact is drawn of; `None` if its form has none, or the groups cannot be had.
///
/// # Errors
///
/// Returns the queries that must be run first.
pub fn picture(fact: &Fact, book: &Workbook) -> Result<Option<Picture>, Stop> {
    let Ok(claim) = Claim::parse(&fact.claim) else { return Ok(None) };
    match scene(&claim, fact, book) {
        Ok(scene) => Ok(scene.picture().and_then(|picture| told(picture, fact))),
        Err(Stop::Refused(_)) => Ok(None),
        Err(needs @ Stop::Needs(_)) => Err(needs),
    }
}

/// The points around a fact.
struct Scene {
    shape: Shape,
    measure: String,
    axis: String,
    points: Vec<Point>,
    levels: Vec<Level>,
}

/// Returns the points around the number of a fact, as suits its form.
fn scene(claim: &Claim, fact: &Fact, book: &Workbook) -> Result<Scene, Stop> {
    match claim {
        Claim::Value(operand) => around(operand, book),
        Claim::Rank(operand) => {
            let (groups, own) = Groups::around(operand, book)?;
            Scene::of_groups(&groups, |value, _| *value == own).with_all(&groups)
        }
        Claim::Top(most, span) => {
            let groups = Groups::along(span, book)?;
            let largest = groups.sorted().into_iter().take(*most).map(|(value, _)| value.clone()).collect::<Vec<_>>();
            Scene::of_groups(&groups, |value, _| largest.contains(value)).with_all(&groups)
        }
        Claim::Range(span) => extremes(&Groups::along(span, book)?, Shape::Bars),
        Claim::Alike(span) => extremes(&Groups::along(span, book)?, Shape::Dots),
        Claim::Count(span, comparison, bound) => counted(&Groups::along(span, book)?, *comparison, *bound, fact),
        Claim::EachChange(from, to) => steps(from, to, book),
        Claim::Trend(span) => {
            let series = series(span, book)?;
            let last = series.points.len().saturating_sub(1);
            Ok(Scene::of_series(&series, |index, _| index == 0 || index == last))
        }
        Claim::Since(span) => since(&series(span, book)?, fact),
        Claim::Outlier(operand) => {
            let scene = around(operand, book)?;
            Ok(scene.with_level("median of the others", fact.value("median")))
        }
        Claim::Change(from, to) => compared(from, &Peer::Operand(to.clone()), fact, book),
        Claim::Gap(left, peer) => compared(left, peer, fact, book),
        Claim::Share(part, whole) => shares(part, whole, book),
        Claim::Differ(left, right) => interval(left, right, fact, book),
        Claim::Per(..) => refused("a pace stands alone".to_owned()),
    }
}

fn point(label: String, quantity: &Quantity, cited: bool) -> Point {
    let (value, text) = (quantity.read().normalize(), quantity.text());
    Point { label, value, text, cited, before: None, low: None, high: None }
}

impl Scene {
    /// Returns the periods of a series. `is_cited` is asked of each index and period.
    fn of_series(series: &Series<'_>, is_cited: impl Fn(usize, Period) -> bool) -> Self {
        let table = &series.column.sheet.result.table;
        let cells = (0..table.rows.len()).filter_map(|row| table.cell(row, series.column.index));
        let decimals = cells.map(decimals_of).max().unwrap_or(0);
        let of = |(index, (period, known)): (usize, &(Period, Quantity))| {
            let known = Quantity { decimals: known.decimals.max(decimals), ..known.clone() };
            point(period.words(), &known, is_cited(index, *period))
        };
        Self {
            shape: Shape::Series,
            measure: series.what(),
            axis: format!("{} of {}", series.unit.name(), series.time.name),
            points: series.points.iter().enumerate().map(of).collect(),
            levels: Vec::new(),
        }
    }

    /// Returns groups from the largest; those of a key of time in their order, as a series if none is missing between them.
    fn of_groups(groups: &Groups<'_>, is_cited: impl Fn(&Option<String>, &Quantity) -> bool) -> Self {
        let mut known = groups.sorted();
        let mut shape = Shape::Bars;
        if let Some((time, unit)) = groups.column.moment_of(groups.key) {
            known.sort_by_key(|(_, quantity)| period_of(quantity, &time).map(|period| period.first));
            let periods = known.iter().filter_map(|(_, quantity)| period_of(quantity, &time)).collect::<Vec<_>>();
            if is_gapless(&periods, unit) && PERIODS.contains(&known.len()) {
                shape = Shape::Series;
            }
        }
        let of = |(value, quantity): &&(Option<String>, Quantity)| {
            point(groups.label(value.as_deref(), quantity), quantity, is_cited(value, quantity))
        };
        Self {
            shape,
            measure: groups.what(),
            axis: groups.key_name.clone(),
            points: known.iter().map(of).collect(),
            levels: Vec::new(),
        }
    }

    /// Adds a number of the fact as a line over all points.
    fn with_level(mut self, name: &str, value: Option<&Value>) -> Self {
        self.levels.extend(value.map(|known| Level {
            name: name.to_owned(),
            value: known.value,
            text: known.text.clone(),
            from: 0,
            to: self.points.len(),
        }));
        self
    }

    /// Adds the number of everything as a line: what adds up has the average of its groups.
    fn with_all(self, groups: &Groups<'_>) -> Result<Self, Stop> {
        let Some((_, first)) = groups.values.first().filter(|_| self.shape != Shape::Series) else { return Ok(self) };
        let (name, known) = if first.is_additive() {
            let sum = groups.values.iter().map(|(_, known)| known.value).sum::<Decimal>();
            let Some(value) = sum.checked_div(Decimal::from(groups.values.len())) else { return Ok(self) };
            (format!("average of {}", groups.count()), Quantity { value, ..first.clone() })
        } else if first.depends_on_length() || !groups.only.is_empty() {
            return Ok(self);
        } else {
            let holds = groups.fixed.iter().map(|(output, value)| (*output, value.clone(), true)).collect::<Vec<_>>();
            match groups.column.over(&holds, first.decimals) {
                Ok(all) => ("all of them together".to_owned(), all),
                Err(Stop::Refused(_)) => return Ok(self),
                Err(needs @ Stop::Needs(_)) => return Err(needs),
            }
        };
        let level = Value { name: String::new(), value: known.read().normalize(), text: known.text() };
        Ok(self.with_level(&name, Some(&level)))
    }

    /// Returns the picture, if there is something to compare.
    fn picture(self) -> Option<Picture> {
        let Self { shape, measure, axis, points, levels } = self;
        let points_total = points.len();
        let is_enough = match shape {
            Shape::Series => PERIODS.contains(&points_total),
            Shape::Bars | Shape::Dots | Shape::Steps => points_total >= 2,
            Shape::Interval => points_total == 1,
        };
        let points = if shape == Shape::Series { points } else { fewer(points) };
        let companions = Vec::new();
        is_enough.then_some(Picture { shape, measure, axis, points, points_total, levels, companions })
    }
}

/// Returns whether periods of one unit follow each other without a gap.
fn is_gapless(periods: &[Period], unit: Unit) -> bool {
    let follows = |pair: &[Period]| unit.beginning(pair[0].end) == Some(pair[1]);
    !periods.is_empty() && periods.windows(2).all(follows)
}

/// Returns the first points. Cited ones further down replace the last of them.
fn fewer(points: Vec<Point>) -> Vec<Point> {
    let cited_below = points.iter().skip(GROUPS_MAX).filter(|point| point.cited).count().min(GROUPS_MAX / 2);
    let above = GROUPS_MAX - cited_below;
    let kept = |(index, point): (usize, Point)| (index < above || point.cited).then_some(point);
    points.into_iter().enumerate().filter_map(kept).take(GROUPS_MAX).collect()
}

/// Returns the picture with the numbers of cited points as the sentence shows them; `None` if it states another number.
fn told(mut picture: Picture, fact: &Fact) -> Option<Picture> {
    let states_them = match fact.form {
        Form::Value
        | Form::Change
        | Form::Gap
        | Form::Share
        | Form::Rank
        | Form::Range
        | Form::Alike
        | Form::Outlier
        | Form::Trend => true,
        Form::EachChange | Form::Top | Form::Count | Form::Since | Form::Per | Form::Differ | Form::Expected => false,
    };
    for point in picture.points.iter_mut().filter(|point| point.cited && states_them) {
        let known = fact.values.iter().find(|known| known.value == point.value)?;
        point.text.clone_from(&known.text);
    }
    let is_of_it = !picture.levels.is_empty() || picture.points.iter().any(|point| point.cited);
    is_of_it.then_some(picture)
}

/// Returns what stands around one cell: the other groups, or the other periods.
fn around(operand: &Operand, book: &Workbook) -> Result<Scene, Stop> {
    let (groups, own) = Groups::around(operand, book)?;
    Ok(Scene::of_groups(&groups, |value, _| *value == own))
}

/// Returns groups, with the smallest and the largest cited.
fn extremes(groups: &Groups<'_>, shape: Shape) -> Result<Scene, Stop> {
    let sorted = groups.sorted();
    let ends = sorted.first().zip(sorted.last()).map(|((high, _), (low, _))| [high.clone(), low.clone()]);
    let mut scene = Scene::of_groups(groups, |value, _| ends.iter().flatten().any(|end| end == value));
    if scene.shape == Shape::Bars {
        scene.shape = shape;
    }
    scene.with_all(groups)
}

/// Returns groups with the bound with which they were compared.
fn counted(groups: &Groups<'_>, comparison: Comparison, bound: Decimal, fact: &Fact) -> Result<Scene, Stop> {
    let Some((_, first)) = groups.values.first() else { return refused("there are no groups".to_owned()) };
    let bound_read = Quantity { value: bound, ..first.clone() }.read().normalize();
    let scene = Scene::of_groups(groups, |_, known| comparison.holds(known.value, bound));
    let level = fact.value("bound").map(|known| Value { value: bound_read, ..known.clone() });
    Ok(scene.with_level("bound of this analysis", level.as_ref()))
}

/// Returns for each group the step from one number to another.
fn steps(from: &Span, to: &Span, book: &Workbook) -> Result<Scene, Stop> {
    let found = changes(from, to, book)?;
    let count = found.steps.len();
    let is_named = |index: usize| count <= NAMED_MAX || index == 0 || index + 1 == count;
    let of = |(index, (value, one, other)): (usize, &(Option<String>, Quantity, Quantity))| {
        let label = found.before.label(value.as_deref(), one);
        let before = Some(Mark { value: one.read().normalize(), text: one.text() });
        Point { before, ..point(label, other, is_named(index)) }
    };
    let mut points = found.steps.iter().enumerate().map(of).collect::<Vec<_>>();
    points.reverse();
    let measure = format!("{}, from {}", found.what(), found.sides());
    Ok(Scene { shape: Shape::Steps, measure, axis: found.before.key_name.clone(), points, levels: Vec::new() })
}

/// Returns a series with the levels before and since its change.
fn since(series: &Series<'_>, fact: &Fact) -> Result<Scene, Stop> {
    let count = series.points.len();
    let levels = fact.value("before").zip(fact.value("after"));
    let Some(found) = crate::analysis::chance::change_point(&series.numbers()) else {
        return refused("it has too few periods".to_owned());
    };
    let Some((before, after)) = levels else {
        // Nothing changed: the whole series is what the fact is about.
        return Ok(Scene::of_series(series, |index, _| index == 0 || index + 1 == count));
    };
    let mut scene = Scene::of_series(series, |index, _| index == found.at);
    scene = scene.with_level("median before", Some(before)).with_level("median since", Some(after));
    for level in &mut scene.levels {
        if level.name == "median before" { level.to = found.at } else { level.from = found.at }
    }
    Ok(scene)
}

/// Returns what stands around two numbers that are compared.
fn compared(left: &Operand, peer: &Peer, fact: &Fact, book: &Workbook) -> Result<Scene, Stop> {
    let right = match peer {
        Peer::Operand(right) => right,
        Peer::Rest | Peer::All => {
            let name = if *peer == Peer::Rest { "all others" } else { "all of them together" };
            let (groups, own) = Groups::around(left, book)?;
            let scene = Scene::of_groups(&groups, |value, _| *value == own);
            return Ok(scene.with_level(name, fact.value("from")));
        }
    };
    let found = difference(&quantity(left, book)?, &quantity(right, book)?)?;
    let Some(reference) = first_cell(left, book) else { return refused("it names no cell".to_owned()) };
    match found.axis()? {
        Axis::Time(first, second) => match periods(&reference, (first, second), &found, book) {
            Err(Stop::Refused(_)) => levels(left, [first, second], &found, fact, book),
            found => found,
        },
        Axis::Key | Axis::Condition => groups(left, right, &found, book),
    }
}

/// Returns the series in which two periods lie. If the cells are of rows that a condition holds in their period, the engine
/// asks for the series.
fn periods(
    reference: &Reference,
    (first, second): (Period, Period),
    found: &Difference,
    book: &Workbook,
) -> Result<Scene, Stop> {
    let (column, row) = select::cell(reference, book)?;
    let (group, _) = column.cell(row)?;
    let span = Span { of: reference.clone(), except: Vec::new() };
    // A day may stand for the month that it begins.
    let is_cited = |period: Period| period.first == first.first || period.first == second.first;
    let both = |series: &Series<'_>| {
        let cited = series.points.iter().filter(|(period, _)| is_cited(*period)).count();
        if cited == 2 { Ok(Scene::of_series(series, |_, period| is_cited(period))) } else { refused(String::new()) }
    };
    if let Some(time) = column.time_of(&group) {
        let Some((named, _)) = column.moment_of(time) else { return refused("it has no periods".to_owned()) };
        return both(&series_around(&span, &group, time, &named, &column)?);
    }
    let unit = first.unit().filter(|unit| second.unit() == Some(*unit));
    let (Some(unit), [held]) = (unit, found.left.as_slice()) else {
        return refused("the two are no periods of one length".to_owned());
    };
    let (sheet, time) = loosened::along(&column, held, loosened::Axis::Time(unit))?;
    let column = Column { sheet: &sheet, branch: 0, ..column };
    let groups = column.groups()?;
    let of_cell = groups.iter().find(|other| group.keys.iter().all(|key| other.keys.contains(key)));
    let (Some(group), Some((named, _))) = (of_cell, column.moment_of(time)) else {
        return refused("it has no periods".to_owned());
    };
    both(&series_around(&span, group, time, &named, &column)?)
}

/// Returns the unit by which days make up a series that shows two stretches of them.
fn unit_for(days: i64) -> Unit {
    match days {
        150.. => Unit::Month,
        35.. => Unit::Week,
        _ => Unit::Day,
    }
}

/// Returns a share or an average over time, with its numbers over two stretches of days as lines. Of what grows with the days
/// the numbers of months are no parts of those of a stretch.
fn levels(
    operand: &Operand,
    stretches: [Period; 2],
    found: &Difference,
    fact: &Fact,
    book: &Workbook,
) -> Result<Scene, Stop> {
    let known = quantity(operand, book)?;
    let [held] = found.left.as_slice() else { return refused("they differ in more than the period".to_owned()) };
    let Some((time, _)) = held.as_period().filter(|_| !known.depends_on_length()) else {
        return refused("it grows with the days".to_owned());
    };
    let first = stretches.iter().map(|stretch| stretch.first).min();
    let end = stretches.iter().map(|stretch| stretch.end).max();
    let (Some(first), Some(end)) = (first, end) else { return refused("it has no days".to_owned()) };
    if stretches.iter().any(|stretch| stretch.is_open()) {
        return refused("one of them has no end".to_owned());
    }
    let unit = unit_for(Period { first, end }.days());
    let values = over_time(operand, held, unit, book)?;
    let periods = values.keys().copied().collect::<Vec<_>>();
    if !is_gapless(&periods, unit) {
        return refused("some periods have no value".to_owned());
    }
    let points = values.iter().map(|(period, known)| point(period.words(), known, false)).collect::<Vec<_>>();
    let (measure, axis) = (what(&known, &found.all()), format!("{} of {}", unit.name(), time.name));
    let mut scene = Scene { shape: Shape::Series, measure, axis, points, levels: Vec::new() };
    // The sentence tells the earlier one first.
    let [one, other] = stretches;
    let stretches = if one.first <= other.first { [one, other] } else { [other, one] };
    for (stretch, name) in stretches.into_iter().zip(["from", "to"]) {
        let is_within = |period: &Period| period.and(stretch).is_some_and(|both| both.days() * 2 >= period.days());
        let from = periods.iter().position(is_within);
        let to = periods.iter().rposition(is_within).map(|last| last + 1);
        let (Some(from), Some(to)) = (from, to) else { return refused("a stretch has no period".to_owned()) };
        scene = scene.with_level(&stretch.words(), fact.value(name));
        if let Some(level) = scene.levels.last_mut() {
            (level.from, level.to) = (from, to);
        }
    }
    Ok(scene)
}

/// Returns a cell, or the share of one cell in another, by period instead of the period that a condition holds it in.
fn over_time(
    operand: &Operand,
    held: &Condition,
    unit: Unit,
    book: &Workbook,
) -> Result<BTreeMap<Period, Quantity>, Stop> {
    if let Operand::Share(part, whole) = operand {
        let Peer::Operand(whole) = &**whole else { return refused("a share of all of a result".to_owned()) };
        // Both are asked for at once.
        let (parts, wholes) = (over_time(part, held, unit, book), over_time(whole, held, unit, book));
        let (parts, wholes) = match (parts, wholes) {
            (Err(Stop::Needs(mut texts)), Err(Stop::Needs(others))) => {
                texts.extend(others);
                return Err(Stop::Needs(texts));
            }
            (parts, wholes) => (parts?, wholes?),
        };
        let Some(like) = parts.values().next() else { return refused("no period has a part".to_owned()) };
        let shares = wholes.iter().map(|(period, whole)| {
            let part = parts.get(period).cloned().unwrap_or_else(|| nothing(like, whole));
            let share = combined(Sign::Over, &part, whole)?;
            Ok((*period, Quantity { decimals: 3, ..share }))
        });
        return shares.collect();
    }
    let Some(reference) = select::cell_of(operand, book)? else { return refused("it is no cell".to_owned()) };
    let (column, row) = select::cell(&reference, book)?;
    let (cell, known) = column.cell(row)?;
    let (sheet, output) = loosened::along(&column, held, loosened::Axis::Time(unit))?;
    let column = Column { sheet: &sheet, branch: 0, ..column };
    let groups = column.groups()?;
    let Some((time, _)) = column.moment_of(output) else { return refused("it has no periods".to_owned()) };
    let reach = column.reach(&time)?.map(|reach| reach.data);
    let mut values = BTreeMap::new();
    for group in groups.iter().filter(|group| group.value.is_some()) {
        if !cell.keys.iter().all(|key| group.keys.contains(key)) {
            continue;
        }
        let quantity = column.quantity(group, known.decimals)?;
        let period = period_of(&quantity, &time);
        let is_whole =
            |period: &Period| reach.is_none_or(|data| period.and(data).is_some_and(|seen| seen.is_nearly(*period)));
        values.extend(period.filter(is_whole).map(|period| (period, quantity)));
    }
    Ok(values)
}

/// Returns a count or sum without rows like another one, over the period of the whole.
fn nothing(like: &Quantity, whole: &Quantity) -> Quantity {
    let periods = || whole.conditions().filter(|condition| condition.as_period().is_some()).cloned();
    let parts = like.parts.iter().map(|part| {
        let own = part.conditions.iter().filter(|condition| condition.as_period().is_none()).cloned();
        Part { value: Some(Decimal::ZERO), rows: 0, conditions: own.chain(periods()).collect(), ..part.clone() }
    });
    Quantity { value: Decimal::ZERO, parts: parts.collect(), ..like.clone() }
}

/// Returns the groups among which two are. If the cells are of rows that a condition holds at one group, the engine asks for
/// the groups.
fn groups(left: &Operand, right: &Operand, found: &Difference, book: &Workbook) -> Result<Scene, Stop> {
    if let (Operand::Cell(one), Operand::Cell(other)) = (left, right)
        && one.query == other.query
        && one.column == other.column
    {
        let ((groups, own), (_, peer)) = (Groups::around(left, book)?, Groups::around(right, book)?);
        return Scene::of_groups(&groups, |value, _| *value == own || *value == peer).with_all(&groups);
    }
    let Some(reference) = first_cell(left, book) else { return refused("it names no cell".to_owned()) };
    let (column, row) = select::cell(&reference, book)?;
    let (group, _) = column.cell(row)?;
    let ([one], [other]) = (found.left.as_slice(), found.right.as_slice()) else {
        return refused("the two are no values of one key".to_owned());
    };
    let (sheet, key) = loosened::along(&column, one, loosened::Axis::Key)?;
    let column = Column { sheet: &sheet, branch: 0, ..column };
    let groups = Groups::of(column, column.groups()?, key, &group.keys, vec![row])?;
    let is_cited = |known: &Quantity| {
        let has = |held: &Condition| known.conditions().any(|condition| condition.id == held.id);
        has(one) || has(other)
    };
    Scene::of_groups(&groups, |_, known| is_cited(known)).with_all(&groups)
}

/// Returns the share that each group has of the whole.
fn shares(part: &Operand, whole: &Peer, book: &Workbook) -> Result<Scene, Stop> {
    let (groups, own) = Groups::around(part, book)?;
    let wholes = match whole {
        Peer::All => None,
        Peer::Operand(whole) => Some(Groups::around(whole, book)?.0),
        Peer::Rest => return refused("a share is of a whole".to_owned()),
    };
    let of_all = share_of(part, whole, book)?;
    let Some((_, whole, _)) = of_all.share() else { return refused("it is no share".to_owned()) };
    let everything = Quantity {
        formula: Arc::new(Expression::Measure(0)),
        parts: Arc::from([whole.clone()]),
        value: whole.value.unwrap_or_default(),
        ..of_all.clone()
    };
    let mut values = Vec::new();
    for (value, known) in &groups.values {
        let whole = match &wholes {
            None => Some(&everything),
            Some(wholes) => wholes.values.iter().find(|(other, _)| other == value).map(|(_, whole)| whole),
        };
        let shared = whole.and_then(|whole| combined(Sign::Over, known, whole).ok());
        let shared = shared.filter(|shared| shared.share().is_some()).map(|shared| Quantity { decimals: 3, ..shared });
        values.extend(shared.map(|shared| (value.clone(), shared)));
    }
    let measure = what(&of_all, &groups.told);
    let groups = Groups { values, ..groups };
    let scene = Scene { measure, ..Scene::of_groups(&groups, |value, _| *value == own) };
    let count = Decimal::from(groups.values.len());
    match (&wholes, Decimal::ONE_HUNDRED.checked_div(count)) {
        (None, Some(equal)) => {
            let text = super::sentence::percent(Decimal::ONE / count);
            let level = Value { name: String::new(), value: equal, text };
            Ok(scene.with_level("an equal share", Some(&level)))
        }
        _ => Ok(scene),
    }
}

/// Returns a difference with its interval.
fn interval(left: &Operand, right: &Operand, fact: &Fact, book: &Workbook) -> Result<Scene, Stop> {
    let one = quantity(left, book)?;
    let found = difference(&one, &quantity(right, book)?)?;
    let mark = |name: &str| fact.value(name).map(|known| Mark { value: known.value, text: known.text.clone() });
    let (Some(difference), Some(low), Some(high)) = (fact.value("difference"), mark("low"), mark("high")) else {
        return refused("it has no interval".to_owned());
    };
    let point = Point {
        label: "difference".to_owned(),
        value: difference.value,
        text: difference.text.clone(),
        cited: true,
        before: None,
        low: Some(low),
        high: Some(high),
    };
    let sides = format!("{} less {}", end(&found.left), end(&found.right));
    let measure = format!("difference in the {}: {sides}", what(&one, &found.all()));
    Ok(Scene { shape: Shape::Interval, measure, axis: String::new(), points: vec![point], levels: Vec::new() })
}
