//! What is sold below cost, or for far less contribution than usual.
//!
//! A product is compared with the median of the products. An entity is compared with what its own purchases usually
//! bring, product by product, so that a poor mix is not held against it.

use super::Question;
use super::churn::entity_alias;
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, described, plain, plural, words};
use crate::finding::{Category, Confidence};
use crate::warehouse::catalog::Role;

/// Listed at the most, of each grouping.
const LISTED_MAX: usize = 8;
/// Up to so many cases of a grouping each get a finding; more become one summary.
const CASES_MAX: usize = 2;
/// Lines that a rate needs.
const LINES_MIN: u32 = 5;
/// Members that a grouping needs before one can be unusual.
const MEMBERS_MIN: u32 = 8;
/// Far below the usual rate: percentage points, and standard deviations of all.
const POINTS_MIN: u32 = 5;
const DEVIATIONS_MIN: u32 = 5;

/// The contribution and what it is of: what was sold is known in money.
fn contribution(subject: &Subject) -> Option<&Field> {
    subject.field(Role::Margin).filter(|field| subject.has_money() && !field.is_rate())
}

/// The question: what brings far less than usual.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    let question = contribution(subject).map(|field| Question {
        key: format!("contribution-{index}"),
        purpose: "What was sold below cost, or far below the usual contribution, in the last year?".to_owned(),
        sql: sql(subject, profile, field),
    });
    question.into_iter().collect()
}

fn sql(subject: &Subject, profile: &Profile, contribution: &Field) -> String {
    let text = |role: Role, otherwise: &str| subject.field(role).map_or_else(|| otherwise.to_owned(), Field::text);
    let extra = [
        ("contribution", contribution.number()),
        ("product", text(Role::Product, "'all'")),
        ("name", text(Role::EntityName, "NULL::text")),
    ];
    let base = subject.base(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    let product = subject.field(Role::Product).map_or_else(String::new, |field| {
        format!(
            "\n  UNION ALL SELECT {}, product, NULL, count(*), sum(value), sum(contribution), sum(value) * usual.rate
  FROM lines CROSS JOIN usual GROUP BY product, usual.rate",
            literal(&words(&field.name))
        )
    });
    format!(
        "{base},
lines AS (
  SELECT entity, product, name, value, contribution FROM base
  WHERE NOT is_return AND day > {reference}::date - 365 AND value IS NOT NULL AND contribution IS NOT NULL
    AND product IS NOT NULL
),
rates AS (
  SELECT product, sum(contribution) / sum(value) AS rate FROM lines GROUP BY product HAVING sum(value) > 0
),
usual AS (SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY rate))::numeric AS rate FROM rates),
parts AS (
  SELECT {entity} AS dimension, entity AS member, max(name) AS name, count(*) AS lines, sum(value) AS value,
    sum(contribution) AS contribution, sum(value * rate) AS expected
  FROM lines JOIN rates ON rates.product = lines.product GROUP BY entity{product}
),
compared AS (
  SELECT parts.*, 100 * contribution / value AS percent, 100 * expected / value AS usual FROM parts WHERE value > 0
),
spread AS (
  SELECT dimension, count(*) AS members,
    1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(percent - usual)) AS deviation
  FROM compared GROUP BY dimension
),
low AS (
  SELECT compared.*, count(*) OVER same AS all_low, sum(value) OVER same AS all_value,
    sum(expected - contribution) OVER same AS all_shortfall,
    row_number() OVER (PARTITION BY compared.dimension ORDER BY expected - contribution DESC, member) AS place
  FROM compared JOIN spread ON spread.dimension = compared.dimension
  WHERE lines >= {LINES_MIN} AND expected > contribution
    AND (contribution < 0 OR (members >= {MEMBERS_MIN} AND usual - percent > greatest({POINTS_MIN}, {DEVIATIONS_MIN} * deviation)))
  WINDOW same AS (PARTITION BY compared.dimension)
)
SELECT dimension, member, name, lines AS sale_lines, round(value, 2) AS sales_value,
  round(contribution, 2) AS contribution, round(percent, 1) AS contribution_percent, round(usual, 1) AS usual_percent,
  round(expected - contribution, 2) AS shortfall, all_low, round(all_value, 2) AS all_sales_value,
  round(all_shortfall, 2) AS all_shortfall, round((SELECT sum(value) FROM lines), 2) AS total_sales_value
FROM low WHERE place <= {LISTED_MAX}
ORDER BY dimension, shortfall DESC, member",
        reference = literal(&profile.last_day.to_string()),
        entity = literal(&entity_word(subject)),
    )
}

fn entity_word(subject: &Subject) -> String {
    subject.field(Role::Entity).map_or_else(|| "entity".to_owned(), |field| words(&field.name))
}

/// The findings that the answer gives. Whose discounts explain it is not told again.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    if contribution(subject).is_none() {
        return Conclusion::remark(subject, "contribution: there is no column of it beside an amount of money");
    }
    let Some(list) = notebook.answer(&format!("contribution-{index}")) else {
        return Conclusion::remark(subject, "contribution: the query on it gave no result");
    };
    let discounts = notebook.answer(&format!("margin-list-{index}"));
    let entity = entity_alias(subject);
    let is_discounted = |row: usize| {
        let member = list.text(row, "member");
        discounts.is_some_and(|answer| (0..answer.rows()).any(|other| answer.text(other, &entity) == member))
    };
    let view = View { subject, profile, list };
    let mut candidates = Vec::new();
    let dimensions = (0..list.rows()).filter_map(|row| list.text(row, "dimension"));
    for dimension in dimensions.collect::<std::collections::BTreeSet<_>>() {
        let rows =
            (0..list.rows()).filter(|&row| list.text(row, "dimension") == Some(dimension) && !is_discounted(row));
        let rows = rows.collect::<Vec<_>>();
        if rows.len() > CASES_MAX {
            candidates.extend(view.summary(dimension, &rows));
        } else {
            candidates.extend(rows.into_iter().filter_map(|row| view.case(row)));
        }
    }
    if candidates.is_empty() {
        return Conclusion::remark(subject, "contribution: nothing is sold far below the usual rate beyond discounts");
    }
    Conclusion { candidates, looked_at: Vec::new() }
}

/// The answer, and what it is about.
struct View<'a> {
    subject: &'a Subject,
    profile: &'a Profile,
    list: &'a Answer,
}

impl View<'_> {
    fn topic(&self, segment: String) -> Topic {
        Topic {
            category: Category::Margin,
            segment,
            metric: "contribution short of the usual".to_owned(),
            unit: format!("{} in the last year", self.subject.unit()),
        }
    }

    fn share(&self, row: usize, part: &str) -> Option<f64> {
        Some(self.list.number(row, part)? / self.list.number(row, "total_sales_value")?.max(f64::EPSILON))
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, unit) = (self.list, self.subject.unit());
        let member = plain(list.text(row, "member")?);
        let who = described(list, row, list.text(row, "dimension")?, list.text(row, "member")?, &["name"]);
        let usual = if list.text(row, "dimension") == Some(entity_word(self.subject).as_str()) {
            "the same products usually bring {usual} of all sales of them"
        } else {
            "the median product brings {usual}"
        };
        let below = if list.number(row, "contribution")? < 0.0 { ", below cost" } else { "" };
        let writer = Writer::new(self.topic(member.clone()), self.profile)
            .cite(list, [row])
            .cells(
                list,
                row,
                [
                    ("lines", "sale_lines"),
                    ("value", "sales_value"),
                    ("contribution", "contribution"),
                    ("percent", "contribution_percent"),
                    ("usual", "usual_percent"),
                    ("shortfall", "shortfall"),
                ],
            )
            .text(
                format!("{who} brings a contribution of {{percent}}{below}, against a usual {{usual}}"),
                &[
                    format!(
                        "{member} was sold {{value}} {unit} on {{lines}} lines up to {}, at a contribution of \
                         {{contribution}}, which is {{percent}}.",
                        self.profile.last_day
                    ),
                    format!("For comparison, {usual}; {member} is short of that by {{shortfall}}."),
                ],
            )
            .impact("shortfall", &["at the usual contribution as much would have been sold"])
            .action(
                format!("Recalculate the price and the cost of {who}, and correct whichever is wrong"),
                "what is sold far below the usual contribution costs more the better it sells",
                "product controlling",
                "within two weeks",
            )
            .falsified_by("a cost that is booked wrongly, or a price that is low on purpose to sell something else");
        Some(writer.rank(self.share(row, "shortfall")?, Confidence::Medium, false))
    }

    fn summary(&self, dimension: &str, rows: &[usize]) -> Option<Candidate> {
        let (list, unit, first) = (self.list, self.subject.unit(), *rows.first()?);
        let members = plural(dimension);
        let names = rows.iter().take(3).filter_map(|&row| list.text(row, "member")).map(plain).collect::<Vec<_>>();
        let writer = Writer::new(self.topic(format!("total of {members} of low contribution")), self.profile)
            .cite(list, rows.iter().copied())
            .cells(
                list,
                first,
                [("count", "all_low"), ("value", "all_sales_value"), ("shortfall", "all_shortfall")],
            )
            .text(
                format!("In total {{count}} {members} bring far less contribution than usual: {{shortfall}} {unit} short"),
                &[format!(
                    "In total {{count}} {members} with sales of {{value}} {unit} up to {} are below cost, or further \
                     below the usual rate than chance explains; together they are short of it by {{shortfall}} in total.",
                    self.profile.last_day
                )],
            )
            .impact("shortfall", &["at the usual contribution as much would have been sold"])
            .action(
                format!("Recalculate prices and costs of the {members} listed, beginning with {}", names.join(", ")),
                "what is sold far below the usual contribution costs more the better it sells",
                "product controlling",
                "within a month",
            )
            .falsified_by("costs that are booked wrongly, or prices that are low on purpose to sell something else");
        Some(writer.rank(self.share(first, "all_shortfall")?, Confidence::Medium, true))
    }
}
