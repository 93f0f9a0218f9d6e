//! Who stopped: entities that are silent for far longer than their own usual interval.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Subject, identifier, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, described, named, plural, words};
use super::{Question, habits};
use crate::finding::{Category, Confidence, Severity};
use crate::warehouse::catalog::Role;

/// Silent entities listed at the most.
const LISTED_MAX: usize = 40;
/// Up to so many cases each get a finding; more become one summary and the largest few.
const CASES_MAX: usize = 3;
/// With fewer orders, one of many entities may be silent by chance.
const ORDERS_MIN: f64 = 8.0;
/// The largest cases told beside a summary.
const CASES_BESIDE_SUMMARY: usize = 2;

/// The questions: who is silent, and what that is of the whole.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    vec![
        Question {
            key: format!("churn-list-{index}"),
            purpose: format!("Who in {} is silent for far longer than their own usual interval?", subject.table),
            sql: list_sql(subject, profile),
        },
        Question {
            key: format!("churn-total-{index}"),
            purpose: "How many regular ones are there in total, and what share of the money fell silent?".to_owned(),
            sql: total_sql(subject, profile),
        },
    ]
}

/// What names and places an entity, as columns of `base`, their names in results, and the select list over `base`.
fn details(subject: &Subject) -> Vec<(String, String, String)> {
    let named = [Role::EntityName, Role::Region].into_iter().filter_map(|role| subject.field(role));
    let named = named.chain(subject.dimensions().filter(|field| is_segment(&field.name)).take(1));
    let named = named.enumerate();
    named.map(|(index, field)| (format!("detail{index}"), field.text(), field.alias())).collect()
}

/// Whether a dimension groups entities rather than goods.
pub(super) fn is_segment(name: &str) -> bool {
    let name = name.to_lowercase();
    ["segment", "tier", "class", "channel", "industry", "customer_type", "account_type"]
        .iter()
        .any(|word| name.contains(word))
}

pub(super) fn list_sql(subject: &Subject, profile: &Profile) -> String {
    let details = details(subject);
    let extra = details.iter().map(|(name, text, _)| (name.as_str(), text.clone())).collect::<Vec<_>>();
    let base = subject.base(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    let habits = habits::expressions(profile);
    let labels = details.iter().map(|(name, _, _)| format!("max({name}) AS {name}")).collect::<Vec<_>>();
    let labels = if labels.is_empty() { String::new() } else { format!(", {}", labels.join(", ")) };
    let shown = details.iter().map(|(name, _, alias)| format!("labels.{name} AS {}, ", identifier(alias)));
    let shown = shown.collect::<Vec<_>>().concat();
    format!(
        "{base}{habits},\nlabels AS MATERIALIZED (SELECT entity{labels} FROM base GROUP BY entity)\n\
         SELECT states.entity AS {entity}, {shown}orders, first_day, last_day, usual_gap AS usual_gap_days,\n  \
         longest_gap AS longest_gap_days, days_silent, {reference} AS data_end, value_before, active_months,\n  \
         round(value_before / active_months, 2) AS value_per_month\n\
         FROM states JOIN labels ON labels.entity = states.entity\nWHERE is_silent\n\
         ORDER BY value_before DESC, states.entity\nLIMIT {LISTED_MAX}",
        entity = identifier(&entity_alias(subject)),
        reference = format_args!("{}::date", literal(&profile.last_day.to_string())),
    )
}

fn total_sql(subject: &Subject, profile: &Profile) -> String {
    let base = subject.base(&[], &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    format!(
        "{base}{habits}\n\
         SELECT count(*) AS all_entities, count(*) FILTER (WHERE orders >= 3) AS regular_entities,\n  \
         count(*) FILTER (WHERE is_silent) AS silent_entities,\n  \
         coalesce(round(sum(value_before) FILTER (WHERE is_silent), 2), 0) AS silent_value_before,\n  \
         (SELECT round(sum(value), 2) FROM base WHERE day > {reference} - 365) AS total_value_last_year\n\
         FROM states",
        habits = habits::expressions(profile),
        reference = format_args!("{}::date", literal(&profile.last_day.to_string())),
    )
}

/// What results call the entity.
pub(super) fn entity_alias(subject: &Subject) -> String {
    subject.field(Role::Entity).map_or_else(|| "entity".to_owned(), super::subject::Field::alias)
}

/// The findings that the answers give.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    let list = notebook.answer(&format!("churn-list-{index}"));
    let total = notebook.answer(&format!("churn-total-{index}"));
    let (Some(list), Some(total)) = (list, total) else {
        return Conclusion::remark(subject, "churn: the queries on intervals gave no result");
    };
    if total.number(0, "regular_entities").unwrap_or(0.0) < 1.0 {
        return Conclusion::remark(subject, "churn: nobody came back often enough to have an interval of their own");
    }
    if list.rows() == 0 {
        return Conclusion::remark(subject, "churn: nobody is silent for far longer than their own usual interval");
    }
    let view = View { subject, profile, list, total };
    let mut candidates = Vec::new();
    let cases = if list.rows() > CASES_MAX { CASES_BESIDE_SUMMARY } else { list.rows() };
    if list.rows() > CASES_MAX {
        candidates.extend(view.summary());
    }
    candidates.extend((0..cases).filter_map(|row| view.case(row)));
    Conclusion { candidates, looked_at: Vec::new() }
}

/// The answers, and what they are about.
struct View<'a> {
    subject: &'a Subject,
    profile: &'a Profile,
    list: &'a Answer,
    total: &'a Answer,
}

impl View<'_> {
    fn topic(&self, segment: String) -> Topic {
        Topic {
            category: Category::Churn,
            segment,
            metric: format!("{} at risk", self.subject.value_words()),
            unit: format!("{} per month", self.subject.unit()),
        }
    }

    /// `order` or `event`.
    fn event(&self) -> &'static str {
        if self.subject.is_summed() { "order" } else { "event" }
    }

    /// Who no longer causes costs is no loss.
    fn judged(&self, candidate: Candidate) -> Candidate {
        if self.subject.is_outlay() { candidate.into_change(Severity::Low) } else { candidate }
    }

    /// Who it is: `CUST004 (GHI Service Center, North)`, or `Customer 16029` where the name is but a number.
    fn described(&self, row: usize) -> Option<String> {
        let value = self.list.table.cell(row, 0)?;
        let details = details(self.subject);
        let columns = details.iter().map(|(_, _, alias)| alias.as_str()).collect::<Vec<_>>();
        let kind = words(&self.subject.field(Role::Entity)?.name);
        Some(described(self.list, row, &kind, value, &columns))
    }

    fn confidence(&self, row: usize) -> Option<Confidence> {
        let orders = self.list.number(row, "orders")?;
        let margin = self.list.number(row, "days_silent")? / self.list.number(row, "longest_gap_days")?;
        Some(match () {
            () if orders < ORDERS_MIN && self.profile.entities > habits::FEW_ENTITIES => Confidence::Low,
            () if orders >= ORDERS_MIN && margin >= 2.0 => Confidence::High,
            () => Confidence::Medium,
        })
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (subject, list) = (self.subject, self.list);
        let entity = named(&words(&subject.field(Role::Entity)?.name), list.table.cell(row, 0)?);
        let who = self.described(row)?;
        let (first, last) = (list.text(row, "first_day")?, list.text(row, "last_day")?);
        let (event, unit) = (self.event(), subject.unit());
        let data_end = self.profile.last_day;
        let share =
            list.number(row, "value_before")? / self.total.number(0, "total_value_last_year")?.max(f64::EPSILON);
        let sentences = [
            format!(
                "{entity} had {{orders}} {event} days from {first} to {last}, usually {{usual}} days apart and \
                 never more than {{longest}}."
            ),
            format!(
                "Since {last} there was none: {entity} was silent for {{silent}} days when the data end, on \
                 {data_end}."
            ),
            format!(
                "In its last {{months}} active months {entity} brought {{before}} {unit}, which is {{monthly}} \
                 {unit} per month."
            ),
            "In total {regular} are regular enough to judge; silent by the same measure, in total: {all_silent}."
                .to_owned(),
        ];
        let writer = Writer::new(self.topic(entity.clone()), self.profile)
            .cite(list, [row])
            .cite(self.total, [0])
            .cells(
                list,
                row,
                [
                    ("orders", "orders"),
                    ("usual", "usual_gap_days"),
                    ("longest", "longest_gap_days"),
                    ("silent", "days_silent"),
                    ("months", "active_months"),
                    ("before", "value_before"),
                    ("monthly", "value_per_month"),
                ],
            )
            .cells(self.total, 0, [("regular", "regular_entities"), ("all_silent", "silent_entities")])
            .text(
                format!("{who} is silent for {{silent}} days, against a usual interval of {{usual}} days"),
                &sentences,
            )
            .impact(
                "monthly",
                &["it would have gone on at the monthly rate of its last active months; the \
                 usual interval is the median of its own"],
            )
            .action(
                format!("Call {who}, ask why the {event}s stopped, and agree on the next one"),
                "the silence is out of its own character, and the sooner it is asked the likelier it comes back",
                "the account manager",
                "within a week",
            )
            .action(
                format!("Check open complaints, credit holds and deliveries of {entity}"),
                "a cause on our own side can be removed at once",
                "customer service",
                "within two weeks",
            )
            .falsified_by(
                "an order under another account, a credit hold, a closed site, or a planned stop \
                 known to the account manager",
            );
        Some(self.judged(writer.rank(share, self.confidence(row)?, false)))
    }

    fn summary(&self) -> Option<Candidate> {
        let (subject, list, total) = (self.subject, self.list, self.total);
        let entities = plural(&words(&subject.field(Role::Entity)?.name));
        let (unit, data_end) = (subject.unit(), self.profile.last_day);
        let share =
            total.number(0, "silent_value_before")? / total.number(0, "total_value_last_year")?.max(f64::EPSILON);
        let sentences = [
            format!(
                "Of {{regular}} {entities} in total who are regular enough to judge, {{silent}} are silent on \
                 {data_end}: \
                 for several of their own usual intervals, and for longer than ever before."
            ),
            format!(
                "In total they brought {{before}} {unit} in the year up to their last orders; the total of all in \
                 the last year is {{all}} {unit}."
            ),
            "Slow and seasonal ones are not counted: each is measured against its own longest interval.".to_owned(),
            format!("The evidence lists {{listed}} of the {entities} in total, the most valuable first."),
        ];
        let topic = Topic {
            unit: format!("{unit} in the year up to their last orders"),
            ..self.topic(format!("total of silent {entities}"))
        };
        let writer = Writer::new(topic, self.profile)
            .cite(total, [0])
            .cite(list, 0..list.rows())
            .cells(
                total,
                0,
                [
                    ("regular", "regular_entities"),
                    ("silent", "silent_entities"),
                    ("before", "silent_value_before"),
                    ("all", "total_value_last_year"),
                ],
            )
            .figures([("listed", format!("count({}.orders)", list.id))])
            .text(
                format!("In total {{silent}} regular {entities} fell silent, who brought {{before}} {unit} in the year before"),
                &sentences,
            )
            .impact("before", &["what they brought in the year up to their last orders is what is at risk"])
            .action(
                format!("Call the listed {entities} in the order of the list, and note the reason of each"),
                "the list is ordered by the money at risk; common reasons show a cause that one decision can remove",
                "the head of sales",
                "within two weeks",
            )
            .falsified_by(
                "a change of account numbers, a missing part of the data load, or a common pause such as a shutdown",
            );
        Some(self.judged(writer.rank(share, Confidence::High, true)))
    }
}
