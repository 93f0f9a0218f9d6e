//! Groups and rows that are not alike: periods that need not have equally many days, sums over rows without a value.

use super::super::condition::{self, Ground};
use super::super::sayable::is_of_table;
use crate::finding::wording::parts::DatePart;
use crate::warehouse::lineage::doubts::{self, Doubt};
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};
use crate::warehouse::lineage::measure::{Key, Measure};

/// Returns the column of a sum that may be missing, and the condition that it is not.
pub(super) fn may_miss(plain: &Measure, ground: Ground<'_>) -> Option<(String, String)> {
    let name = doubts::missing_argument(plain, ground.catalog).filter(|_| plain.aggregate.function == "sum")?;
    let known = Expression::postfix(plain.aggregate.arguments.first()?.clone(), "IS NOT NULL");
    Some((name, ground.base.print(&known).ok()?))
}

/// Periods of what a query of the statement makes: nobody knows where its data begin and end.
pub(super) fn coverage(plain: &Measure, ground: Ground<'_>) -> Option<Doubt> {
    let grows = matches!(plain.aggregate.function.as_str(), "count" | "sum");
    let moments = if grows { condition::moments(plain, ground) } else { Vec::new() };
    let moment = moments.into_iter().find(|moment| !is_of_table(moment, plain))?;
    let name = ground.named(moment).ok()?.name;
    let sentence = format!(
        "From which day to which the data reach by {name} is not known, as a query of the statement makes it: the first and \
         the last period may be covered in part."
    );
    Some(Doubt { id: "coverage", sentence })
}

/// Groups that are made of parts of dates need not have equally many days.
pub(super) fn uneven_periods(measure: &Measure, ground: Ground<'_>) -> Option<Doubt> {
    let grows = matches!(measure.aggregate.function.as_str(), "count" | "sum");
    let is_uneven = |key: &&Key| {
        if is_time_of_day(&key.key) {
            return false;
        }
        let mut moment = false;
        key.key.visit(&mut |part| {
            moment |= matches!(part, Expression::Column(_)) && ground.is_moment(part);
        });
        let is_whole =
            matches!(key.key, Expression::Column(_) | Expression::Operation { operator: Operator::Postfix(_), .. });
        let is_told = is_whole || condition::truncated(&key.key, key.steps(), ground).is_some();
        moment && !is_told && !is_of_whole_weeks(&key.key, measure, ground)
    };
    let key = measure.keys.iter().filter(|_| grows).find(|key| key.pinned.is_none() && is_uneven(key))?;
    let name = ground.named(&key.key).ok()?.name;
    let sentence =
        format!("Groups by {name} need not have equally many days: where the data begin or end, one is not whole.");
    Some(Doubt { id: "uneven_periods", sentence })
}

/// Returns whether a key is a day of the week, and conditions hold its moment to whole weeks: each day is there as often.
fn is_of_whole_weeks(key: &Expression, measure: &Measure, ground: Ground<'_>) -> bool {
    let Some(part) = DatePart::of(key).filter(|part| part.is_weekday()) else { return false };
    let (Ok(moment), Ok(conditions)) =
        (ground.moment(part.of), condition::of_conditions(measure.rows.conditions.iter(), ground))
    else {
        return false;
    };
    let mut periods = conditions.iter().filter_map(condition::Condition::as_period);
    periods.any(|(time, period)| *time == moment && !period.is_open() && period.days() % 7 == 0)
}

/// Returns whether a key is a time of day, which each day has.
fn is_time_of_day(key: &Expression) -> bool {
    match key {
        Expression::Cast { value, .. } => is_time_of_day(value),
        Expression::Call { function, arguments } if matches!(function.as_str(), "extract" | "date_part") => {
            matches!(arguments.first(), Some(Expression::Literal(Literal::Text(field))) if field.starts_with("hour") || field.starts_with("minute"))
        }
        _ => false,
    }
}
