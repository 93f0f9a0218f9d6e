//! What comes back: return rates by batch and by product, against those of all others.
//!
//! A high rate of a small denominator is no sign. Returns come in lots, so lots are what chance deals in: with `e`
//! units expected back at the rate of the others, and lots of `l` units (weighted by size), the units that come back
//! have a variance of about `e * l`. A rate is told of from three such deviations. Among more than a hundred groups a
//! single large return is bound to stand out somewhere, so that the lines that come back are counted instead: at
//! least three, and five deviations above the lines expected.

use super::Question;
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, identifier, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, described};
use crate::finding::Confidence;
use crate::warehouse::catalog::Role;

/// Outliers listed at the most.
const LISTED_MAX: usize = 10;
/// Up to so many cases each get a finding; more become one summary and the largest few.
const CASES_MAX: usize = 3;
/// The largest cases told beside a summary.
const CASES_BESIDE_SUMMARY: usize = 2;
/// The rate of the others is taken to be at least this: a clean record may be luck.
const BASE_RATE_MIN: &str = "0.01";
/// What is sold at prices as far apart as this, from the tenth to the ninetieth in a hundred, is no good but an account
/// that fees and corrections are booked on; so is what came back more than it was sold.
const PRICE_SPREAD_MAX: u32 = 10;
/// Among more than a hundred groups, one return that makes more of what came back than this is an order taken back.
const LARGEST_SHARE_MAX: &str = "0.6";
/// From so many lines that came back on, lines are compared.
const LINES_MIN: f64 = 3.0;
/// Days after which a product's return is history; batches have their own time.
const PRODUCT_DAYS: u32 = 365;

/// A way to group what is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grouping {
    Batch,
    Product,
}

impl Grouping {
    fn field(self, subject: &Subject) -> Option<&Field> {
        match self {
            Self::Batch => subject.field(Role::Batch),
            Self::Product => subject.field(Role::Product),
        }
    }

    /// What its members are called.
    fn plural(self) -> &'static str {
        match self {
            Self::Batch => "batches",
            Self::Product => "products",
        }
    }

    fn key(self, index: usize) -> String {
        match self {
            Self::Batch => format!("returns-batch-{index}"),
            Self::Product => format!("returns-product-{index}"),
        }
    }
}

/// The questions: which batches and which products come back more than others.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    if !profile.has_returns {
        return Vec::new();
    }
    let groupings = [Grouping::Batch, Grouping::Product];
    let groupings = groupings.into_iter().filter_map(|grouping| Some((grouping, grouping.field(subject)?)));
    groupings
        .map(|(grouping, field)| Question {
            key: grouping.key(index),
            purpose: format!("Of which {} does far more come back than of the others?", grouping.plural()),
            sql: sql(subject, profile, grouping, field),
        })
        .collect()
}

/// What is constant within a batch and tells more of it: its product, its plant.
fn details(subject: &Subject, grouping: Grouping) -> Vec<&Field> {
    let places = ["plant", "factory", "site", "supplier", "vendor", "warehouse"];
    let is_place = |field: &&Field| places.iter().any(|place| field.name.to_lowercase().contains(place));
    match grouping {
        Grouping::Batch => {
            subject.field(Role::Product).into_iter().chain(subject.dimensions().filter(is_place).take(1)).collect()
        }
        Grouping::Product => subject.product_label().into_iter().collect(),
    }
}

fn sql(subject: &Subject, profile: &Profile, grouping: Grouping, field: &Field) -> String {
    let details = details(subject, grouping);
    let names = (0..details.len()).map(|index| format!("detail{index}")).collect::<Vec<_>>();
    let mut extra = vec![("member", field.text())];
    extra.extend(names.iter().zip(&details).map(|(name, field)| (name.as_str(), field.text())));
    let base =
        subject.base_of_all(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    let since = match grouping {
        Grouping::Batch => String::new(),
        Grouping::Product => format!(" AND day > {}::date - {PRODUCT_DAYS}", literal(&profile.last_day.to_string())),
    };
    let constants = names.iter().map(|name| match grouping {
        Grouping::Batch => format!(", CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}"),
        Grouping::Product => format!(", max(btrim({name})) AS {name}"),
    });
    let shown = names.iter().zip(&details).map(|(name, field)| format!("{name} AS {}, ", identifier(&field.alias())));
    format!(
        "{base},
groups AS (
  SELECT member{constants},
    coalesce(sum(quantity) FILTER (WHERE NOT is_return), 0) AS sold,
    coalesce(sum(quantity) FILTER (WHERE is_return), 0) AS returned,
    max(quantity) FILTER (WHERE is_return) AS largest_return, count(*) FILTER (WHERE is_return) AS return_lines, count(*) FILTER (WHERE NOT is_return) AS sale_lines,
    coalesce(abs(sum(value) FILTER (WHERE is_return)), 0) AS returned_value,
    percentile_cont(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY abs(value) / nullif(quantity, 0)) AS prices
  FROM base WHERE member IS NOT NULL{since}
  GROUP BY member
),
goods AS (
  SELECT * FROM groups
  WHERE returned <= sold AND coalesce(prices[2] <= {PRICE_SPREAD_MAX} * prices[1], true)
),
whole AS (
  SELECT sum(sold) AS sold, sum(returned) AS returned, count(*) AS groups, sum(return_lines) AS return_lines,
    sum(sale_lines) AS sale_lines,
    (SELECT sum(quantity * quantity) / nullif(sum(quantity), 0) FROM base WHERE is_return AND member IS NOT NULL{since}) AS lot,
    (SELECT sum(value) FROM base WHERE NOT is_return AND member IS NOT NULL{since}) AS sold_value
  FROM goods
),
rates AS (
  SELECT goods.*, whole.groups, whole.lot, whole.sold_value, whole.sold - goods.sold AS others_sold,
    whole.returned - goods.returned AS others_returned,
    greatest({BASE_RATE_MIN}, (whole.returned - goods.returned) / nullif(whole.sold - goods.sold, 0)) AS base_rate,
    greatest({BASE_RATE_MIN},
      (whole.return_lines - goods.return_lines) / nullif(whole.sale_lines - goods.sale_lines, 0)) AS line_rate
  FROM goods CROSS JOIN whole
)
SELECT member AS {member}, {shown}round(sold, 2) AS units_sold, round(returned, 2) AS units_returned, sale_lines,
  return_lines, round(100 * returned / sold, 1) AS return_percent, round(others_sold, 2) AS others_sold,
  round(others_returned, 2) AS others_returned, round(returned_value, 2) AS returned_value,
  round(sold_value, 2) AS total_sales_value, groups AS all_groups, count(*) OVER () AS all_outliers,
  round(sum(sold) OVER (), 2) AS all_units_sold, round(sum(returned) OVER (), 2) AS all_units_returned,
  round(sum(returned_value) OVER (), 2) AS all_returned_value
FROM rates
WHERE sold > 0 AND return_lines >= CASE WHEN groups > 100 THEN 3 ELSE 1 END AND returned >= 2 * base_rate * sold
  AND (groups <= 100 OR largest_return <= {LARGEST_SHARE_MAX} * returned)
  AND CASE WHEN groups > 100
    THEN return_lines - line_rate * sale_lines > 5 * sqrt(line_rate * sale_lines)
    ELSE returned - base_rate * sold > 3 * sqrt(base_rate * sold * lot) END
ORDER BY returned_value DESC, member
LIMIT {LISTED_MAX}",
        constants = constants.collect::<String>(),
        shown = shown.collect::<String>(),
        member = identifier(&field.alias()),
    )
}

/// The findings that the answers give. What a batch explains is not told again of its product.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    if subject.field(Role::Batch).or(subject.field(Role::Product)).is_none() {
        return Conclusion::remark(subject, "returns: there is no product or batch column");
    }
    if !profile.has_returns {
        return Conclusion::remark(
            subject,
            "returns: nothing in it is a return: no event type and no negative amount says so",
        );
    }
    let batches = notebook.answer(&Grouping::Batch.key(index));
    let products = notebook.answer(&Grouping::Product.key(index));
    let mut candidates = Vec::new();
    for (grouping, list) in [(Grouping::Batch, batches), (Grouping::Product, products)] {
        let Some(list) = list else { continue };
        if grouping == Grouping::Product && !candidates.is_empty() {
            continue;
        }
        let view = View { subject, profile, index, notebook, list, grouping };
        let cases = if list.rows() > CASES_MAX { CASES_BESIDE_SUMMARY } else { list.rows() };
        if list.rows() > CASES_MAX {
            candidates.extend(view.summary());
        }
        candidates.extend((0..cases).filter_map(|row| view.case(row)));
    }
    let is_unanswered = |grouping: Grouping, list: Option<&Answer>| grouping.field(subject).is_some() && list.is_none();
    if is_unanswered(Grouping::Batch, batches) || is_unanswered(Grouping::Product, products) {
        let looked_at = vec![format!("{}: returns: a query on them gave no result", subject.table)];
        return Conclusion { candidates, looked_at };
    }
    if candidates.is_empty() {
        return Conclusion::remark(subject, "returns: no batch or product comes back more than chance explains");
    }
    Conclusion { candidates, looked_at: Vec::new() }
}

/// An answer, and what it is about.
struct View<'a> {
    subject: &'a Subject,
    profile: &'a Profile,
    index: usize,
    notebook: &'a Notebook,
    list: &'a Answer,
    grouping: Grouping,
}

impl View<'_> {
    /// What was sold and what came back, in units, lines and money.
    fn measured(&self) -> Option<Measured> {
        let (sold, returned) =
            (self.subject.is_plainly(true, self.profile)?, self.subject.is_plainly(false, self.profile)?);
        let units = self.subject.units();
        let units = |condition: &str| format!("coalesce(sum({units}) FILTER (WHERE {condition}), 0)");
        let days = match self.grouping {
            Grouping::Batch => Days { first: self.profile.first_day, last: self.profile.last_day },
            Grouping::Product => Days::latest_year(self.profile),
        };
        Some(Measured {
            columns: vec![
                ("part_returned", format!("count(*) FILTER (WHERE {returned})::numeric / count(*)")),
                ("units_returned", units(&returned)),
                ("units_sold", units(&sold)),
                ("return_lines", format!("count(*) FILTER (WHERE {returned})")),
                ("value_returned", self.subject.total(&returned)),
            ],
            conditions: vec![self.subject.during(days)],
        })
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, field) = (self.list, self.grouping.field(self.subject)?);
        let member = list.table.cell(row, 0)?;
        let columns = details(self.subject, self.grouping).into_iter().map(Field::alias).collect::<Vec<_>>();
        let what = described(list, row, member, &columns.iter().map(String::as_str).collect::<Vec<_>>());
        let share = list.number(row, "returned_value")? / list.number(row, "total_sales_value")?.max(f64::EPSILON);
        let confidence = if list.number(row, "return_lines")? >= 5.0 { Confidence::High } else { Confidence::Medium };
        // Of a few lines the units say more.
        let has_lines = list.number(row, "return_lines")? >= LINES_MIN;
        let groups = list.count(row, "all_groups")?;
        let versus = Versus::new(
            (&format!("{}-{row}", self.grouping.key(self.index)), "What came back of it, beside all others?"),
            self.subject,
            (field, member),
            has_lines.then_some(groups),
            &self.measured()?,
            self.notebook,
        );
        let lines = has_lines.then(|| versus.gap("part_returned"));
        let candidate = Candidate::new(Matter::Returns, member)
            .over(versus.statements())
            .over(versus.others().filter(|_| has_lines))
            .facts(lines)
            .facts([versus.share("units_returned"), versus.share("units_sold"), versus.own("return_lines")])
            .impact(versus.own("value_returned"))
            .action(
                "quality assurance",
                &format!("hold what is left of {what}, and test a retained sample"),
                "within three days",
                "every further delivery of faulty goods comes back too, and does harm before it does",
            )
            .action(
                "customer service",
                &format!("ask those who returned {member} for the reason, and those who kept theirs whether it works"),
                "within a week",
                "the reason tells a fault of the goods from a wrong delivery",
            )
            .falsified_by(
                "a return for a commercial reason, such as a wrong delivery or an order taken back, and sound test \
                 results",
            );
        Some(candidate.rank(share, confidence))
    }

    fn summary(&self) -> Option<Candidate> {
        let (list, field) = (self.list, self.grouping.field(self.subject)?);
        let members = (0..list.rows()).filter_map(|row| list.table.cell(row, 0)).collect::<Vec<_>>();
        let Measured { columns, conditions } = self.measured()?;
        let statement = |name: &str, keys: &[&Field], condition: Option<String>| {
            let conditions = conditions.iter().cloned().chain(condition).collect::<Vec<_>>();
            let sql = self.subject.plain(keys, &columns, &conditions);
            let key = format!("{}-{name}", self.grouping.key(self.index));
            Statement::new(key, "What came back of the outliers, beside all?", sql, self.notebook)
        };
        let outliers = field.is_among(members.iter().copied());
        let each = statement("each", &[field], Some(outliers.clone()));
        let (outliers, all) = (statement("outliers", &[], Some(outliers)), statement("all", &[], None));
        let kind = self.grouping.plural();
        let share = list.number(0, "all_returned_value")? / list.number(0, "total_sales_value")?.max(f64::EPSILON);
        let candidate = Candidate::new(Matter::Returns, &format!("{kind} with outlying returns"))
            .over([&outliers, &all, &each])
            .facts([
                format!("gap({}, {})", outliers.cell("part_returned"), all.cell("part_returned")),
                format!("range({})", each.column("part_returned")),
                outliers.cell("units_returned"),
                outliers.cell("return_lines"),
            ])
            .impact(outliers.cell("value_returned"))
            .action(
                "head of quality",
                &format!("hold what is left of these {kind}, and look for what they share: supplier, plant, carrier"),
                "within a week",
                "a shared cause is worth more than any single one of them",
            )
            .falsified_by("returns for commercial reasons, and sound test results");
        Some(candidate.rank(share, Confidence::High).into_summary())
    }
}
