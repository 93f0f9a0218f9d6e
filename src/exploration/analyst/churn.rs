//! Who stopped: entities that are silent for far longer than their own usual interval.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Subject, identifier, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, described, plural, words};
use super::{Question, habits};
use crate::finding::{Confidence, Severity};
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
    let view = View { subject, profile, index, notebook, list, total };
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
    index: usize,
    notebook: &'a Notebook,
    list: &'a Answer,
    total: &'a Answer,
}

impl View<'_> {
    /// `order` or `event`.
    fn event(&self) -> &'static str {
        if self.subject.is_summed() { "order" } else { "event" }
    }

    /// Who no longer causes costs is no loss.
    fn judged(&self, candidate: Candidate) -> Candidate {
        if self.subject.is_outlay() { candidate.into_change(Severity::Low) } else { candidate }
    }

    /// Who it is: `CUST004 (GHI Service Center, North)`.
    fn described(&self, row: usize) -> Option<String> {
        let details = details(self.subject);
        let columns = details.iter().map(|(_, _, alias)| alias.as_str()).collect::<Vec<_>>();
        Some(described(self.list, row, self.list.table.cell(row, 0)?, &columns))
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

    /// The part of all money in a year that the silent ones brought.
    fn money_share(&self, silent: Option<f64>) -> Option<f64> {
        Some(silent? / self.total.number(0, "total_value_last_year")?.max(f64::EPSILON))
    }

    /// Orders and amounts in days before and after a stop.
    fn measured(&self, before: Days, after: Days) -> Measured {
        let (before, after) = (self.subject.during(before), self.subject.during(after));
        let date = self.subject.field(Role::Date).map_or("", super::subject::Field::expression);
        Measured {
            columns: vec![
                ("orders_before", format!("count(*) FILTER (WHERE {before})")),
                ("orders_after", format!("count(*) FILTER (WHERE {after})")),
                ("last_order", format!("max({date})")),
                ("value_before", self.subject.total(&before)),
            ],
            conditions: self.subject.is_plainly(true, self.profile).into_iter().collect(),
        }
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let entity = self.subject.field(Role::Entity)?;
        let member = self.list.table.cell(row, 0)?;
        let (before, after) = Days::around_stop(self.profile, self.list.text(row, "last_day")?.parse().ok()?);
        let versus = Versus::new(
            (&format!("silence-{}-{row}", self.index), "How did the orders end, beside those of all others?"),
            self.subject,
            (entity, member),
            None,
            &self.measured(before, after),
            self.notebook,
        );
        let (who, event) = (self.described(row)?, self.event());
        let share = versus.change_of_share("orders_before", "orders_after");
        let count = versus.change("orders_before", "orders_after");
        // One of many has a share too small to be told.
        let is_one_of_few = self.profile.entities <= habits::FEW_ENTITIES;
        let (first, second) = if is_one_of_few { (share, count) } else { (count, share) };
        let money_share = self.money_share(self.list.number(row, "value_before"))?;
        let candidate = Candidate::new(Matter::Silence, member)
            .over(versus.statements())
            .facts([first, second, versus.own("last_order"), versus.share("value_before")])
            .impact(versus.own("value_before"))
            .action(
                "account manager",
                &format!("call {who}, ask why the {event}s stopped, and agree on the next one"),
                "within a week",
                "the silence is out of its own character, and the sooner it is asked the likelier it comes back",
            )
            .action(
                "customer service",
                &format!("check open complaints, credit holds and deliveries of {member}"),
                "within two weeks",
                "a cause on our own side can be removed at once",
            )
            .falsified_by(
                "an order under another account, a credit hold, a closed site, or a planned stop known to the account \
                 manager",
            )
            .rank(money_share, self.confidence(row)?);
        Some(self.judged(candidate))
    }

    fn summary(&self) -> Option<Candidate> {
        let entity = self.subject.field(Role::Entity)?;
        let members = (0..self.list.rows()).filter_map(|row| self.list.table.cell(row, 0)).collect::<Vec<_>>();
        let stops = (0..self.list.rows()).filter_map(|row| self.list.text(row, "last_day")?.parse().ok());
        let (before, after) = Days::around_stops(self.profile, &stops.collect::<Vec<_>>())?;
        let Measured { columns, conditions } = self.measured(before, after);
        let silent = conditions.iter().cloned().chain([entity.is_among(members.iter().copied())]);
        let silent = silent.collect::<Vec<_>>();
        let statement = |name: &str, conditions: &[String]| {
            let sql = self.subject.plain(&[], &columns, conditions);
            let key = format!("silence-{}-{name}", self.index);
            Statement::new(key, "What did the silent ones bring, beside all?", sql, self.notebook)
        };
        let (silent, all) = (statement("silent", &silent), statement("all", &conditions));
        let share_of = |column: &str| format!("share({}, {})", silent.cell(column), all.cell(column));
        let change_of_share = format!("change({}, {})", share_of("orders_before"), share_of("orders_after"));
        let entities = plural(&words(&entity.name));
        let candidate = Candidate::new(Matter::Silence, &format!("silent {entities}"))
            .over([&silent, &all])
            .facts([change_of_share, share_of("value_before")])
            .impact(silent.cell("value_before"))
            .action(
                "head of sales",
                &format!(
                    "have each of these {entities} called, those who brought the most first, and note the reasons"
                ),
                "within two weeks",
                "common reasons show a cause that one decision can remove",
            )
            .falsified_by(
                "a change of account numbers, a missing part of the data load, or a common pause such as a shutdown",
            )
            .rank(self.money_share(self.total.number(0, "silent_value_before"))?, Confidence::High)
            .into_summary();
        Some(self.judged(candidate))
    }
}
