//! Rows that name nobody: what was sold to no known customer is missing from all that is told of customers.

use super::notebook::Notebook;
use super::profile::{self, Profile};
use super::subject::Subject;
use super::writing::{Conclusion, Topic, Writer, plural, words};
use crate::finding::{Category, Confidence, Severity};
use crate::warehouse::catalog::Role;

/// Told of from this share of the rows and of the amount.
const SHARE_MIN: f64 = 0.05;

/// The finding that the first look gives.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    let Some((answer, entity)) = notebook.answer(&profile::key(index)).zip(subject.field(Role::Entity)) else {
        return Conclusion::default();
    };
    let sum = |column: &str| (0..answer.rows()).filter_map(|row| answer.number(row, column)).sum::<f64>();
    let share = sum("nameless_value") / sum("total_value").max(f64::EPSILON);
    if sum("nameless_events") < SHARE_MIN * sum("events") || share < SHARE_MIN {
        return Conclusion::default();
    }
    let (unit, value, entity) = (subject.unit(), subject.value_words(), words(&entity.name));
    let whole = |column: &str| format!("sum({}.{column})", answer.id);
    let topic = Topic {
        category: Category::DataQuality,
        segment: format!("total without a {entity}"),
        metric: format!("{value} without a {entity}"),
        unit: unit.clone(),
    };
    let writer = Writer::new(topic, profile)
        .cite(answer, 0..answer.rows())
        .figures([
            ("rows", whole("nameless_events")),
            ("all_rows", whole("events")),
            ("amount", whole("nameless_value")),
            ("all", whole("total_value")),
            ("share", format!("share({}, {})", whole("nameless_value"), whole("total_value"))),
        ])
        .text(
            format!("In total {{share}} of {value} names no {entity}"),
            &[
                format!("In total {{rows}} of {{all_rows}} rows up to {} name no {entity}.", profile.last_day),
                format!("Together they hold {{amount}} of the total of {{all}} {unit}."),
                format!("They are left out of all that is told of {}, and counted everywhere else.", plural(&entity)),
            ],
        )
        .impact("amount", &["returns are taken off"])
        .action(
            format!("Find out which channel books without a {entity}, and make it ask for one"),
            "whoever is not known can be neither won back nor priced by what they buy",
            "the owner of the data",
            "within a month",
        )
        .falsified_by("a channel that is meant to be anonymous, such as cash sales");
    let candidate = writer.rank(share, Confidence::High, false).into_change(Severity::Medium);
    Conclusion { candidates: vec![candidate], looked_at: Vec::new() }
}
