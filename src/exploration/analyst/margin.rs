//! What is lost between gross and net: who is given far more off than their peers, and whether the whole erodes.

use super::Question;
use super::churn::{entity_alias, is_segment};
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Subject, identifier, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, described, plural, words};
use crate::finding::Confidence;
use crate::warehouse::catalog::Role;

/// Outliers listed at the most.
const LISTED_MAX: usize = 12;
/// Up to so many cases each get a finding; more become one summary and the largest few.
const CASES_MAX: usize = 3;
/// The largest cases told beside a summary.
const CASES_BESIDE_SUMMARY: usize = 2;
/// A segment with fewer entities than this is no company of peers: all of them are taken instead.
const PEERS_MIN: usize = 8;
/// A discount counts as an outlier from so many percentage points above its peers, whatever the spread.
const EXCESS_POINTS_MIN: &str = "3";
/// Lines a period needs before a change of the whole is spoken of.
const PERIOD_EVENTS_MIN: f64 = 30.0;
/// The quarter in which it must have.
const QUARTER_DAYS: i32 = 91;
/// Percentage points by which the whole must have eroded.
const EROSION_POINTS_MIN: f64 = 1.0;

/// Gross and net amounts as expressions over the subject's FROM clause, or what is lacking.
fn amounts(subject: &Subject) -> Result<(String, String), &'static str> {
    let gross = subject.field(Role::GrossMeasure).map(super::subject::Field::number);
    let net = subject.fields(Role::NetMeasure).last().map(super::subject::Field::number);
    let discounts = subject.fields(Role::Discount).iter().filter(|field| !field.is_rate());
    let discounts = discounts.map(|field| format!("coalesce({}, 0)", field.number())).collect::<Vec<_>>();
    let given = (!discounts.is_empty()).then(|| format!("({})", discounts.join(" + ")));
    match (gross, net, given) {
        (Some(gross), Some(net), _) => Ok((gross, net)),
        (Some(gross), None, Some(given)) => Ok((gross.clone(), format!("({gross} - {given})"))),
        (None, Some(net), Some(given)) => Ok((format!("({net} + {given})"), net)),
        (Some(_), None, None) => Err("margin: there is a gross column, but neither a net nor a discount column"),
        (None, _, None) => Err("margin: there is no discount or gross column"),
        (None, None, Some(_)) => Err("margin: there is a discount column, but neither a gross nor a net one"),
    }
}

/// The questions: who is given more off than their peers, and what the whole is.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    let Ok((gross, net)) = amounts(subject) else { return Vec::new() };
    vec![
        Question {
            key: format!("margin-list-{index}"),
            purpose: "Who is given far more off gross than their peers, in the last year?".to_owned(),
            sql: list_sql(subject, profile, &gross, &net),
        },
        Question {
            key: format!("margin-total-{index}"),
            purpose: "What part of gross is given away in total, and how has that changed?".to_owned(),
            sql: total_sql(subject, profile, &gross, &net),
        },
    ]
}

fn segment(subject: &Subject) -> Option<&super::subject::Field> {
    subject.dimensions().find(|field| is_segment(&field.name))
}

fn base(subject: &Subject, profile: &Profile, gross: &str, net: &str) -> String {
    let name = subject.field(Role::EntityName).map_or_else(|| "NULL::text".to_owned(), super::subject::Field::text);
    let segment = segment(subject).map_or_else(|| "'all'".to_owned(), super::subject::Field::text);
    let extra = [("gross", gross.to_owned()), ("net", net.to_owned()), ("name", name), ("segment", segment)];
    subject.base(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()))
}

fn list_sql(subject: &Subject, profile: &Profile, gross: &str, net: &str) -> String {
    let base = base(subject, profile, gross, net);
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let name = subject.field(Role::EntityName).map(|field| format!("name AS {}, ", identifier(&field.alias())));
    let segment = segment(subject).map(|field| format!("segment AS {}, ", identifier(&field.alias())));
    format!(
        "{base},
rates AS (
  SELECT entity, max(name) AS name, max(segment) AS segment, count(*) AS invoices, sum(gross) AS gross_value,
    sum(gross - net) AS discounts, 100 * sum(gross - net) / sum(gross) AS percent
  FROM base WHERE NOT is_return AND day > {reference} - 365
  GROUP BY entity HAVING sum(gross) > 0
),
segments AS (
  SELECT segment, count(*) AS peers, percentile_cont(0.5) WITHIN GROUP (ORDER BY percent) AS median
  FROM rates GROUP BY segment
),
whole AS (
  SELECT count(*) AS peers, percentile_cont(0.5) WITHIN GROUP (ORDER BY percent) AS median FROM rates
),
compared AS (
  SELECT rates.*, whole.peers AS everybody, coalesce(segments.peers >= {PEERS_MIN}, false) AS is_of_segment,
    CASE WHEN segments.peers >= {PEERS_MIN} THEN segments.peers ELSE whole.peers END - 1 AS peers,
    (CASE WHEN segments.peers >= {PEERS_MIN} THEN segments.median ELSE whole.median END)::numeric AS usual
  FROM rates JOIN segments ON segments.segment = rates.segment CROSS JOIN whole
),
spread AS (
  SELECT 1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(percent - usual)) AS deviation FROM compared
)
SELECT entity AS {entity}, {name}{segment}invoices, round(gross_value, 2) AS gross_value,
  round(discounts, 2) AS discounts, round(percent, 1) AS discount_percent, round(usual, 1) AS usual_percent, peers, is_of_segment,
  round(discounts - usual / 100 * gross_value, 2) AS excess_discount,
  count(*) OVER () AS all_outliers, round(sum(discounts - usual / 100 * gross_value) OVER (), 2) AS all_excess_discount
FROM compared CROSS JOIN spread
WHERE invoices >= 2
  AND percent - usual > greatest({EXCESS_POINTS_MIN}, CASE WHEN everybody < 20 THEN 3 ELSE 5 END * deviation)
ORDER BY excess_discount DESC, entity
LIMIT {LISTED_MAX}",
        entity = identifier(&entity_alias(subject)),
        name = name.unwrap_or_default(),
        segment = segment.unwrap_or_default(),
    )
}

/// The last quarter against the same days a year before.
fn total_sql(subject: &Subject, profile: &Profile, gross: &str, net: &str) -> String {
    let base = base(subject, profile, gross, net);
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let sums = |name: &str, condition: &str| {
        format!(
            "count(*) FILTER (WHERE {condition}) AS invoices_{name}, \
             coalesce(round(sum(gross) FILTER (WHERE {condition}), 2), 0) AS gross_{name}, \
             coalesce(round(sum(gross - net) FILTER (WHERE {condition}), 2), 0) AS discounts_{name}"
        )
    };
    format!(
        "{base}\nSELECT {year},\n  {latest},\n  {before},\n  count(*) FILTER (WHERE gross <= 0) AS invoices_of_nothing\nFROM base WHERE NOT is_return",
        year = sums("year", &format!("day > {reference} - 365")),
        latest = sums("latest", &format!("day > {reference} - 91")),
        before = sums("before", &format!("day > {reference} - 456 AND day <= {reference} - 365")),
    )
}

/// The findings that the answers give.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    if let Err(lacking) = amounts(subject) {
        return Conclusion::remark(subject, lacking);
    }
    let list = notebook.answer(&format!("margin-list-{index}"));
    let total = notebook.answer(&format!("margin-total-{index}"));
    let (Some(list), Some(total)) = (list, total) else {
        return Conclusion::remark(subject, "margin: the queries on discounts gave no result");
    };
    let view = View { subject, profile, index, notebook, list, total };
    let mut conclusion = Conclusion::default();
    if list.rows() == 0 {
        conclusion = Conclusion::remark(subject, "margin: nobody is given far more off than their peers");
    }
    let cases = if list.rows() > CASES_MAX { CASES_BESIDE_SUMMARY } else { list.rows() };
    if list.rows() > CASES_MAX {
        conclusion.candidates.extend(view.summary());
    }
    conclusion.candidates.extend((0..cases).filter_map(|row| view.case(row)));
    if let Some(candidate) = view.erosion() {
        conclusion.candidates.push(candidate);
    } else {
        let remark =
            "margin: gross-to-net as a whole shows no erosion against the year before, or has too short a history";
        conclusion.looked_at.push(format!("{}: {remark}", subject.table));
    }
    conclusion
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
    /// What is given off gross: on the average invoice, and in all. `None` without the amounts.
    fn measured(&self, days: Days, more: Option<String>) -> Option<Measured> {
        let (gross, given) = plain_amounts(self.subject)?;
        let sales = self.subject.is_plainly(true, self.profile);
        // An invoice of nothing has no rate.
        let has_worthless = self.total.number(0, "invoices_of_nothing").is_none_or(|count| count > 0.0);
        let has_worth = has_worthless.then(|| format!("{gross} > 0"));
        let conditions = sales.into_iter().chain(more).chain([self.subject.during(days)]).chain(has_worth);
        Some(Measured {
            columns: vec![
                ("discount_rate", format!("avg(({given}) / ({gross})::numeric)")),
                ("discounts", format!("sum({given})")),
                ("gross", format!("sum({gross})")),
            ],
            conditions: conditions.collect(),
        })
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, entity) = (self.list, self.subject.field(Role::Entity)?);
        let member = list.table.cell(row, 0)?;
        let name = self.subject.field(Role::EntityName).map(super::subject::Field::alias);
        let who = described(list, row, member, &name.iter().map(String::as_str).collect::<Vec<_>>());
        let share = list.number(row, "excess_discount")? / self.total.number(0, "gross_year")?.max(f64::EPSILON);
        let confidence = if list.number(row, "invoices")? >= 6.0 { Confidence::High } else { Confidence::Medium };
        let is_of_segment = matches!(list.text(row, "is_of_segment"), Some("t" | "true"));
        let peers = segment(self.subject).filter(|_| is_of_segment);
        let peers = peers.and_then(|segment| Some(segment.is(list.text(row, &segment.alias())?)));
        let groups = if is_of_segment {
            self.profile.entities.min(list.count(row, "peers")? + 1)
        } else {
            self.profile.entities
        };
        let versus = Versus::new(
            (&format!("discount-{}-{row}", self.index), "What is given off gross, beside the peers?"),
            self.subject,
            (entity, member),
            Some(groups),
            &self.measured(Days::latest_year(self.profile), peers)?,
            self.notebook,
        );
        let candidate = Candidate::new(Matter::Discount, member)
            .over(versus.statements())
            .over(versus.others())
            .facts([versus.gap("discount_rate"), versus.share("discounts"), versus.share("gross")])
            .impact(versus.own("discounts"))
            .action(
                "sales controlling",
                &format!("compare the terms agreed with {who} with those invoiced, discount by discount"),
                "within two weeks",
                "a discount that nobody agreed can be stopped at once",
            )
            .action(
                "account manager",
                &format!("if they were agreed, ask what {member} gives in return, and set terms anew"),
                "before the next renewal",
                "terms far above those of peers need a reason such as volume, and spread when others hear of them",
            )
            .falsified_by(
                "a contract with these terms that is paid for by volume or exclusivity, or a discount booked for \
                 somebody else",
            );
        Some(candidate.rank(share, confidence))
    }

    fn summary(&self) -> Option<Candidate> {
        let (list, entity) = (self.list, self.subject.field(Role::Entity)?);
        let members = (0..list.rows()).filter_map(|row| list.table.cell(row, 0)).collect::<Vec<_>>();
        let days = Days::latest_year(self.profile);
        let statement = |name: &str, keys: &[&super::subject::Field], more: Option<String>| {
            let Measured { columns, conditions } = self.measured(days, more)?;
            let sql = self.subject.plain(keys, &columns, &conditions);
            let key = format!("discount-{}-{name}", self.index);
            Some(Statement::new(key, "What is given off gross to the outliers, beside all?", sql, self.notebook))
        };
        let is_outlier = entity.is_among(members.iter().copied());
        let each = statement("each", &[entity], Some(is_outlier.clone()))?;
        let outliers = statement("outliers", &[], Some(is_outlier))?;
        let all = statement("all", &[], None)?;
        let share_of = |column: &str| format!("share({}, {})", outliers.cell(column), all.cell(column));
        let entities = plural(&words(&entity.name));
        let share = list.number(0, "all_excess_discount")? / self.total.number(0, "gross_year")?.max(f64::EPSILON);
        let candidate = Candidate::new(Matter::Discount, &format!("{entities} with outlying discounts"))
            .over([&outliers, &all, &each])
            .facts([
                format!("gap({}, {})", outliers.cell("discount_rate"), all.cell("discount_rate")),
                share_of("discounts"),
                share_of("gross"),
                format!("range({})", each.column("discount_rate")),
            ])
            .impact(outliers.cell("discounts"))
            .action(
                "head of sales controlling",
                "compare agreed with invoiced terms for these accounts, the largest first",
                "within a month",
                "several outliers at once point to a missing approval step rather than to single favours",
            )
            .falsified_by("contracts with these terms that are paid for by volume or exclusivity");
        Some(candidate.rank(share, Confidence::High).into_summary())
    }

    /// The whole in the last quarter against the same quarter a year before.
    fn erosion(&self) -> Option<Candidate> {
        let total = self.total;
        let enough = |period: &str| total.number(0, period).is_some_and(|events| events >= PERIOD_EVENTS_MIN);
        if !enough("invoices_latest") || !enough("invoices_before") {
            return None;
        }
        let percent = |period: &str| {
            Some(
                100.0 * total.number(0, &format!("discounts_{period}"))?
                    / total.number(0, &format!("gross_{period}"))?,
            )
        };
        let (latest, before) = (percent("latest")?, percent("before")?);
        if latest - before < EROSION_POINTS_MIN {
            return None;
        }
        let days = Days::up_to(self.profile.last_day, QUARTER_DAYS);
        let statement = |name: &str, days: Days| {
            let Measured { columns, conditions } = self.measured(days, None)?;
            let sql = self.subject.plain(&[], &columns, &conditions);
            let key = format!("erosion-{}-{name}", self.index);
            Some(Statement::new(key, "What is given off gross in the quarter?", sql, self.notebook))
        };
        let year_ago = super::telling::earlier(days.last, 365);
        let (before_told, latest_told) =
            (statement("before", Days::up_to(year_ago, QUARTER_DAYS))?, statement("latest", days)?);
        let change = |column: &str| format!("change({}, {})", before_told.cell(column), latest_told.cell(column));
        let candidate = Candidate::new(Matter::Erosion, "total")
            .over([&before_told, &latest_told])
            .facts([change("discount_rate"), change("discounts"), change("gross")])
            .action(
                "sales controlling",
                "split the change into prices, terms and mix of customers, and correct the terms",
                "within a month",
                "only terms can be corrected by decision",
            )
            .falsified_by(
                "a change of the price list that moved discount into list price, or of how discounts are booked",
            );
        Some(candidate.rank((latest - before) / 100.0, Confidence::High))
    }
}

/// Gross and what is given off it, as statements without casts write them.
fn plain_amounts(subject: &Subject) -> Option<(String, String)> {
    let gross = subject.field(Role::GrossMeasure).map(super::subject::Field::expression);
    let net = subject.fields(Role::NetMeasure).last().map(super::subject::Field::expression);
    let discounts = subject.fields(Role::Discount).iter().filter(|field| !field.is_rate());
    let discounts = discounts.map(super::subject::Field::expression).collect::<Vec<_>>().join(" + ");
    match (gross, net) {
        (Some(gross), Some(net)) => Some((gross.to_owned(), format!("{gross} - {net}"))),
        (Some(gross), None) => Some((gross.to_owned(), discounts)),
        (None, Some(net)) => Some((format!("{net} + {discounts}"), discounts)),
        (None, None) => None,
    }
}
