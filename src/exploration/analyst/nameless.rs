//! Rows that name nobody: what was sold to no known customer is missing from all that is told of customers.

use super::notebook::Notebook;
use super::profile::{self, Profile};
use super::subject::Subject;
use super::telling::{Candidate, Conclusion, Days, Matter, Statement, words};
use crate::finding::{Confidence, Severity};
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
        let remark = "rows that name nobody: there are hardly any; other faults of the data are not looked for";
        return Conclusion::remark(subject, remark);
    }
    let nameless = format!("{} IS NULL", entity.expression());
    let columns = [
        ("nameless_rows", format!("count(*) FILTER (WHERE {nameless})")),
        ("all_rows", "count(*)".to_owned()),
        ("nameless_value", subject.total(&nameless)),
        ("all_value", subject.total("")),
    ];
    let days = Days { first: profile.first_day, last: profile.last_day };
    let conditions = subject.is_plainly(true, profile).into_iter().chain([subject.during(days)]).collect::<Vec<_>>();
    let sql = subject.plain(&[], &columns, &conditions);
    let told = Statement::new(format!("nameless-{index}"), "How much names nobody?", sql, notebook);
    let share_of = |part: &str, whole: &str| format!("share({}, {})", told.cell(part), told.cell(whole));
    let entity = words(&entity.name);
    let candidate = Candidate::new(Matter::Nameless, &format!("without a {entity}"))
        .over([&told])
        .facts([share_of("nameless_value", "all_value"), share_of("nameless_rows", "all_rows")])
        .impact(told.cell("nameless_value"))
        .action(
            "owner of the data",
            &format!("find out which channel books without a {entity}, and make it ask for one"),
            "within a month",
            "whoever is not known can be neither won back nor priced by what they buy",
        )
        .falsified_by("a channel that is meant to be anonymous, such as cash sales")
        .rank(share, Confidence::High)
        .into_change(Severity::Medium);
    Conclusion { candidates: vec![candidate], looked_at: Vec::new() }
}
