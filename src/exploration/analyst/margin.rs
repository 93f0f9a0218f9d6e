//! What is lost between gross and net: who is given far more off than their peers, and whether the whole erodes.

use super::Question;
use super::churn::{entity_alias, is_segment};
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Subject, identifier, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, described, named, plural, words};
use crate::finding::{Category, Confidence};
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
  SELECT rates.*, whole.peers AS everybody,
    CASE WHEN segments.peers >= {PEERS_MIN} THEN segments.peers ELSE whole.peers END - 1 AS peers,
    (CASE WHEN segments.peers >= {PEERS_MIN} THEN segments.median ELSE whole.median END)::numeric AS usual
  FROM rates JOIN segments ON segments.segment = rates.segment CROSS JOIN whole
),
spread AS (
  SELECT 1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(percent - usual)) AS deviation FROM compared
)
SELECT entity AS {entity}, {name}{segment}invoices, round(gross_value, 2) AS gross_value,
  round(discounts, 2) AS discounts, round(percent, 1) AS discount_percent, round(usual, 1) AS usual_percent, peers,
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
        "{base}\nSELECT {year},\n  {latest},\n  {before}\nFROM base WHERE NOT is_return",
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
    let view = View { subject, profile, list, total };
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
    list: &'a Answer,
    total: &'a Answer,
}

impl View<'_> {
    fn topic(&self, segment: String) -> Topic {
        Topic {
            category: Category::Margin,
            segment,
            metric: "discount beyond the peers' median".to_owned(),
            unit: format!("{} in the last year", self.subject.unit()),
        }
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, unit) = (self.list, self.subject.unit());
        let kind = words(&self.subject.field(Role::Entity)?.name);
        let entity = named(&kind, list.table.cell(row, 0)?);
        let name = self.subject.field(Role::EntityName).map(super::subject::Field::alias);
        let who =
            described(list, row, &kind, list.table.cell(row, 0)?, &name.iter().map(String::as_str).collect::<Vec<_>>());
        let share = list.number(row, "excess_discount")? / self.total.number(0, "gross_year")?.max(f64::EPSILON);
        let confidence = if list.number(row, "invoices")? >= 6.0 { Confidence::High } else { Confidence::Medium };
        let sentences = [
            format!("The median of the {{peers}} others that {entity} is compared with is {{usual}} off gross."),
            format!(
                "{entity} was given {{discounts}} {unit} off a gross of {{gross}} {unit}, which is {{rate}}, on \
                 {{invoices}} invoices up to {}.",
                self.profile.last_day
            ),
            format!("What {entity} was given beyond that median is worth {{excess}} {unit}."),
            "In total {all_rate} of gross was given away in the same time.".to_owned(),
        ];
        let writer = Writer::new(self.topic(entity.clone()), self.profile)
            .cite(list, [row])
            .cite(self.total, [0])
            .cells(
                list,
                row,
                [
                    ("peers", "peers"),
                    ("usual", "usual_percent"),
                    ("discounts", "discounts"),
                    ("gross", "gross_value"),
                    ("invoices", "invoices"),
                    ("excess", "excess_discount"),
                ],
            )
            .figures([
                ("rate", format!("share({}, {})", list.cell(row, "discounts"), list.cell(row, "gross_value"))),
                ("all_rate", self.rate("year")),
            ])
            .text(
                format!("{who} is given {{rate}} off gross, against a median of {{usual}} among its peers"),
                &sentences,
            )
            .impact("excess", &["the terms of its peers could be agreed, and it would buy as much at those"])
            .action(
                format!("Compare the terms agreed with {who} with those invoiced, discount by discount"),
                "a discount that nobody agreed can be stopped at once",
                "sales controlling",
                "within two weeks",
            )
            .action(
                format!("If they were agreed, ask what {entity} gives in return, and set terms at the next renewal"),
                "terms far above those of peers need a reason such as volume, and spread when others hear of them",
                "the account manager",
                "before the next renewal",
            )
            .falsified_by(
                "a contract with these terms that is paid for by volume or exclusivity, or a discount \
                 booked for somebody else",
            );
        Some(writer.rank(share, confidence, false))
    }

    fn rate(&self, period: &str) -> String {
        let cell = |column: &str| self.total.cell(0, &format!("{column}_{period}"));
        format!("share({}, {})", cell("discounts"), cell("gross"))
    }

    fn summary(&self) -> Option<Candidate> {
        let (list, unit) = (self.list, self.subject.unit());
        let entities = plural(&words(&self.subject.field(Role::Entity)?.name));
        let share = list.number(0, "all_excess_discount")? / self.total.number(0, "gross_year")?.max(f64::EPSILON);
        let sentences = [
            "In total {all_rate} of gross is given away.".to_owned(),
            format!(
                "In total {{count}} {entities} are far above the median of their peers; what they were \
                 given beyond it is worth {{excess}} {unit} in total."
            ),
            "Peers are those of the same segment, where it has enough of them: better terms of a whole segment \
             are not counted."
                .to_owned(),
        ];
        let writer = Writer::new(self.topic(format!("total of {entities} with outlying discounts")), self.profile)
            .cite(list, 0..list.rows())
            .cite(self.total, [0])
            .figures([
                ("all_rate", self.rate("year")),
                ("count", list.cell(0, "all_outliers")),
                ("excess", list.cell(0, "all_excess_discount")),
            ])
            .text(
                format!(
                    "In total {{count}} {entities} are given far more off gross than their peers: \
                 {{excess}} {unit} in the last year"
                ),
                &sentences,
            )
            .impact("excess", &["the terms of their peers could be agreed, and they would buy as much at those"])
            .action(
                "Compare agreed with invoiced terms for the accounts listed, from the top".to_owned(),
                "several outliers at once point to a missing approval step rather than to single favours",
                "the head of sales controlling",
                "within a month",
            )
            .falsified_by("contracts with these terms that are paid for by volume or exclusivity");
        Some(writer.rank(share, Confidence::High, true))
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
        let unit = self.subject.unit();
        let topic = Topic { unit: format!("{unit} in the last quarter"), ..self.topic("total".to_owned()) };
        let excess =
            format!("({} - {}) * {} / 100", self.rate("latest"), self.rate("before"), total.cell(0, "gross_latest"));
        let writer = Writer::new(Topic { metric: "additional discount".to_owned(), ..topic }, self.profile)
            .cite(total, [0])
            .figures([("latest", self.rate("latest")), ("before", self.rate("before")), ("excess", excess)])
            .text(
                "In total discounts take {latest} of gross, against {before} a year before".to_owned(),
                &["Overall {before} of gross was given away in the same quarter of the year before, and \
                     {latest} in the last one, by the total of all invoices."
                    .to_owned()],
            )
            .impact(
                "excess",
                &["at the rate of the year before the gross of the last quarter would have been \
                 the same"],
            )
            .action(
                "Split the change into prices, terms and mix of customers, and correct the terms".to_owned(),
                "only terms can be corrected by decision",
                "sales controlling",
                "within a month",
            )
            .falsified_by(
                "a change of the price list that moved discount into list price, or of how discounts \
                 are booked",
            );
        Some(writer.rank((latest - before) / 100.0, Confidence::High, false))
    }
}
