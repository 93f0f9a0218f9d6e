//! What is sold below cost, or for far less contribution than usual.
//!
//! A product is compared with the median of the products. An entity is compared with what its own purchases usually
//! bring, product by product, so that a poor mix is not held against it.

use super::Question;
use super::churn::entity_alias;
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, described, plural, words};
use crate::finding::Confidence;
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
  SELECT compared.*, members, count(*) OVER same AS all_low, sum(value) OVER same AS all_value,
    sum(expected - contribution) OVER same AS all_shortfall,
    row_number() OVER (PARTITION BY compared.dimension ORDER BY expected - contribution DESC, member) AS place
  FROM compared JOIN spread ON spread.dimension = compared.dimension
  WHERE lines >= {LINES_MIN} AND expected > contribution
    AND (contribution < 0 OR (members >= {MEMBERS_MIN} AND usual - percent > greatest({POINTS_MIN}, {DEVIATIONS_MIN} * deviation)))
  WINDOW same AS (PARTITION BY compared.dimension)
)
SELECT dimension, member, name, lines AS sale_lines, round(value, 2) AS sales_value,
  round(contribution, 2) AS contribution, round(percent, 1) AS contribution_percent, round(usual, 1) AS usual_percent,
  round(expected - contribution, 2) AS shortfall, members AS all_members, all_low, round(all_value, 2) AS all_sales_value,
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
    let view = View { subject, profile, index, notebook, list };
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
    index: usize,
    notebook: &'a Notebook,
    list: &'a Answer,
}

impl View<'_> {
    fn share(&self, row: usize, part: &str) -> Option<f64> {
        Some(self.list.number(row, part)? / self.list.number(row, "total_sales_value")?.max(f64::EPSILON))
    }

    /// The column that the row's member is a value of.
    fn field(&self, dimension: &str) -> Option<&Field> {
        let role = if dimension == entity_word(self.subject) { Role::Entity } else { Role::Product };
        self.subject.field(role)
    }

    /// What a line brings and what it is sold for, in the last year.
    fn measured(&self) -> Option<Measured> {
        let (contribution, value) = (contribution(self.subject)?.expression(), self.subject.plain_value()?);
        let sales = self.subject.is_plainly(true, self.profile);
        let days = self.subject.during(Days::latest_year(self.profile));
        // A line of nothing has no rate.
        let conditions = sales.into_iter().chain([days, format!("{value} > 0")]);
        Some(Measured {
            columns: vec![
                ("rate", format!("avg({contribution} / ({value})::numeric)")),
                ("contribution", format!("sum({contribution})")),
                ("value", self.subject.total("")),
            ],
            conditions: conditions.collect(),
        })
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, dimension) = (self.list, self.list.text(row, "dimension")?);
        let (field, member) = (self.field(dimension)?, list.text(row, "member")?);
        let who = described(list, row, member, &["name"]);
        let groups = list.count(row, "all_members")?;
        let versus = Versus::new(
            (&format!("contribution-{}-{row}", self.index), "What does it bring, beside all others?"),
            self.subject,
            (field, member),
            Some(groups),
            &self.measured()?,
            self.notebook,
        );
        let candidate = Candidate::new(Matter::Contribution, member)
            .over(versus.statements())
            .over(versus.others())
            .facts([versus.gap("rate"), versus.own("contribution"), versus.share("value")])
            .action(
                "product controlling",
                &format!("recalculate the price and the cost of {who}, and correct whichever is wrong"),
                "within two weeks",
                "what is sold far below the usual contribution costs more the better it sells",
            )
            .falsified_by("a cost that is booked wrongly, or a price that is low on purpose to sell something else");
        Some(candidate.rank(self.share(row, "shortfall")?, Confidence::Medium))
    }

    fn summary(&self, dimension: &str, rows: &[usize]) -> Option<Candidate> {
        let (field, first) = (self.field(dimension)?, *rows.first()?);
        let members = rows.iter().filter_map(|&row| self.list.text(row, "member")).collect::<Vec<_>>();
        let Measured { columns, conditions } = self.measured()?;
        let statement = |name: &str, keys: &[&Field], condition: Option<String>| {
            let conditions = conditions.iter().cloned().chain(condition).collect::<Vec<_>>();
            let sql = self.subject.plain(keys, &columns, &conditions);
            let key = format!("contribution-{}-{dimension}-{name}", self.index);
            Statement::new(key, "What do they bring, beside all?", sql, self.notebook)
        };
        let low = field.is_among(members.iter().copied());
        let each = statement("each", &[field], Some(low.clone()));
        let (low, all) = (statement("low", &[], Some(low)), statement("all", &[], None));
        let kind = plural(dimension);
        let candidate = Candidate::new(Matter::Contribution, &format!("{kind} of low contribution"))
            .over([&low, &all, &each])
            .facts([
                format!("gap({}, {})", low.cell("rate"), all.cell("rate")),
                low.cell("contribution"),
                low.cell("value"),
                format!("range({})", each.column("rate")),
            ])
            .action(
                "product controlling",
                &format!("recalculate prices and costs of these {kind}"),
                "within a month",
                "what is sold far below the usual contribution costs more the better it sells",
            )
            .falsified_by("costs that are booked wrongly, or prices that are low on purpose to sell something else");
        Some(candidate.rank(self.share(first, "all_shortfall")?, Confidence::Medium).into_summary())
    }
}
