//! The largest changes between the latest period and its comparable one: the same days a year before where the data
//! reach back so far, else the days just before. A part is told of for what it did beside the whole, not with it.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, earlier, words};
use super::{Part, Question};
use crate::finding::{Confidence, Severity};
use crate::warehouse::catalog::Role;

/// The latest period at the most, in days: whole weeks.
const PERIOD_DAYS: i32 = 91;
/// The shortest period: weeks enough to know how much one differs from the next.
const DAYS_MIN: i32 = 28;
/// Groupings compared at the most.
const DIMENSIONS_MAX: usize = 5;
/// Values of one grouping that are compared: the largest.
const MEMBERS_MAX: usize = 100;
/// Changes listed at the most.
const LISTED_MAX: usize = 20;
/// Changes told of at the most, one of each grouping.
const CASES_MAX: usize = 3;
/// The whole is told of from so many standard deviations of its own weeks; a part, being one of many, from more.
const DEVIATIONS_WHOLE_MIN: f64 = 3.0;
const DEVIATIONS_PART_MIN: u32 = 4;
/// What a part is off has to be this share of the whole.
const SHARE_MIN: &str = "0.003";
/// The whole is told of from this change on, in percent.
const WHOLE_PERCENT_MIN: f64 = 10.0;
/// Events a period needs.
const EVENTS_MIN: u64 = 30;

/// The two periods, as days before the last one: lengths and the distance between them.
#[derive(Debug, Clone, Copy)]
struct Periods {
    days: i32,
    distance: i32,
}

impl Periods {
    fn of(profile: &Profile) -> Option<Self> {
        let days = PERIOD_DAYS.min(profile.days() / 2 / 7 * 7);
        // 364 days are whole weeks: the same weekdays are compared.
        let distance = if profile.days() >= 364 + days { 364 } else { days };
        let needed = u64::try_from(days).ok()?;
        let usual = profile.events * needed / u64::try_from(profile.days().max(1)).ok()?;
        (days >= DAYS_MIN && usual >= EVENTS_MIN).then_some(Self { days, distance })
    }

    fn words(self) -> &'static str {
        if self.distance == 364 { "the same weeks a year before" } else { "the weeks just before" }
    }
}

/// The groupings compared; what changed with the whole is told of in them all alike.
fn dimensions(subject: &Subject, part: Part) -> Vec<&Field> {
    match part {
        Part::Products => subject.field(Role::Product).into_iter().collect(),
        Part::Regions => subject.field(Role::Region).into_iter().collect(),
        Part::All => {
            let named = [Role::Region, Role::Product].into_iter().filter_map(|role| subject.field(role));
            named.chain(subject.dimensions()).take(DIMENSIONS_MAX).collect()
        }
    }
}

/// The question: what changed most, beside the whole.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize, part: Part) -> Vec<Question> {
    let Some(periods) = Periods::of(profile) else { return Vec::new() };
    vec![Question {
        key: format!("changes-{index}"),
        purpose: format!("What changed most in the latest {} days, against {}?", periods.days, periods.words()),
        sql: sql(subject, profile, periods, part),
    }]
}

fn sql(subject: &Subject, profile: &Profile, periods: Periods, part: Part) -> String {
    let dimensions = dimensions(subject, part);
    let names = (0..dimensions.len()).map(|index| format!("dimension{index}")).collect::<Vec<_>>();
    let extra = names.iter().zip(&dimensions).map(|(name, field)| (name.as_str(), field.text())).collect::<Vec<_>>();
    let label = (
        "label",
        subject.product_label().map_or_else(|| "NULL::text".to_owned(), |field| format!("btrim({})", field.text())),
    );
    let extra = extra.into_iter().chain([label]).collect::<Vec<_>>();
    let base =
        subject.base_of_all(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let Periods { days, distance } = periods;
    let mut parts = vec![
        "SELECT 'total' AS dimension, 'total' AS member, NULL AS label, is_latest, week, value FROM periods".to_owned(),
    ];
    parts.extend(names.iter().zip(&dimensions).map(|(name, field)| {
        let shown = literal(&words(&field.name));
        let label = if Some(*field) == subject.field(Role::Product) { "label" } else { "NULL" };
        format!("SELECT {shown}, {name}, {label}, is_latest, week, value FROM periods WHERE {name} IS NOT NULL")
    }));
    format!(
        "{base},
periods AS (
  SELECT base.*, day > {reference} - {days} AS is_latest,
    ({reference} - day - CASE WHEN day > {reference} - {days} THEN 0 ELSE {distance} END) / 7 AS week
  FROM base
  WHERE day > {reference} - {days} OR (day > {reference} - {both} AND day <= {reference} - {distance})
),
parts AS (
  {parts}
),
{sums},
{ranked}
SELECT dimension, member, label, round(before, 2) AS value_before, round(latest, 2) AS value_latest,
  round(latest - before, 2) AS value_change, events_before, events_latest, round(unusual, 1) AS deviations,
  round(total_before, 2) AS total_before, round(total_latest, 2) AS total_latest,
  (SELECT count(DISTINCT entity) FROM periods WHERE NOT is_latest) AS all_entities_before,
  (SELECT count(DISTINCT entity) FROM periods WHERE is_latest) AS all_entities_latest
FROM unusual
WHERE dimension = 'total' OR (
  place <= {MEMBERS_MAX} AND before > 0 AND events_before + events_latest >= {EVENTS_MIN}
  AND abs(latest - expected) >= {SHARE_MIN} * total_latest AND abs(latest - expected) >= 0.2 * before
  AND abs(events_latest - events_before * growth_events) >= 4 * sqrt(events_latest + events_before * growth_events * growth_events)
  AND abs(unusual) >= {DEVIATIONS_PART_MIN})
ORDER BY dimension = 'total' DESC, abs(unusual) DESC, dimension, member
LIMIT {LISTED_MAX}",
        both = distance + days,
        parts = parts.join("\n  UNION ALL "),
        sums = SUMS,
        ranked = ranked(days / 7),
    )
}

/// The sums of both periods, and the squares of their weeks: how much a week differs from the next.
const SUMS: &str = "weeks AS (
  SELECT dimension, member, max(label) AS label, is_latest, week, sum(value) AS value, count(*) AS events
  FROM parts GROUP BY dimension, member, is_latest, week
),
sums AS (
  SELECT dimension, member, max(label) AS label, coalesce(sum(value) FILTER (WHERE is_latest), 0) AS latest,
    coalesce(sum(value) FILTER (WHERE NOT is_latest), 0) AS before,
    coalesce(sum(value * value) FILTER (WHERE is_latest), 0) AS squares_latest,
    coalesce(sum(value * value) FILTER (WHERE NOT is_latest), 0) AS squares_before,
    coalesce(sum(events) FILTER (WHERE is_latest), 0) AS events_latest,
    coalesce(sum(events) FILTER (WHERE NOT is_latest), 0) AS events_before
  FROM weeks GROUP BY dimension, member
)";

/// What each member was to be if it had gone with the whole, and how many standard deviations of its own weeks it is
/// off: a single large order makes a week stand out, not the period.
fn ranked(weeks: i32) -> String {
    let deviation = |squares: &str, sum: &str| format!("greatest({squares} - {sum} * {sum} / {weeks}, 0)");
    format!(
        "ranked AS (
  SELECT sums.*, whole.latest AS total_latest, whole.before AS total_before,
    CASE WHEN sums.dimension = 'total' THEN 1 ELSE whole.latest / whole.before END AS growth,
    whole.events_latest::numeric / nullif(whole.events_before, 0) AS growth_events,
    row_number() OVER (PARTITION BY sums.dimension ORDER BY sums.before + sums.latest DESC) AS place
  FROM sums JOIN sums AS whole ON whole.dimension = 'total'
  WHERE whole.before > 0
),
unusual AS (
  SELECT ranked.*, before * growth AS expected,
    (latest - before * growth) / nullif(sqrt({weeks}.0 / {others} * ({latest} + growth * growth * {before})), 0) AS unusual
  FROM ranked
)",
        others = weeks - 1,
        latest = deviation("squares_latest", "latest"),
        before = deviation("squares_before", "before"),
    )
}

/// The findings that the answers give.
pub(super) fn conclude(
    subject: &Subject,
    profile: &Profile,
    index: usize,
    notebook: &Notebook,
    part: Part,
) -> Conclusion {
    let Some(periods) = Periods::of(profile) else {
        return Conclusion::remark(subject, "changes: too few rows, or too short a time, to compare two periods");
    };
    let Some(list) = notebook.answer(&format!("changes-{index}")) else {
        return Conclusion::remark(subject, "changes: the query on periods gave no result");
    };
    let view = View { subject, profile, index, notebook, list, periods, part };
    let candidates = view.told().into_iter().filter_map(|row| view.case(row)).collect::<Vec<_>>();
    if candidates.is_empty() {
        return Conclusion::remark(
            subject,
            "changes: no part of it went another way than the whole by more than chance explains",
        );
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
    periods: Periods,
    part: Part,
}

impl View<'_> {
    /// The rows to tell of: the whole where it changed by more than its weeks do, and of each grouping the most unusual
    /// rise and fall, unless it is the same money as one told already.
    fn told(&self) -> Vec<usize> {
        let list = self.list;
        let mut told = Vec::<usize>::new();
        for row in 0..list.rows() {
            let (Some(change), Some(before)) = (list.number(row, "value_change"), list.number(row, "value_before"))
            else {
                continue;
            };
            let deviations = list.number(row, "deviations").unwrap_or(0.0).abs();
            let is_told = if self.is_whole(row) {
                self.part == Part::All
                    && 100.0 * (change / before).abs() >= WHOLE_PERCENT_MIN
                    && deviations >= DEVIATIONS_WHOLE_MIN
            } else {
                let is_same = |other: usize| {
                    let told = list.number(other, "value_change").unwrap_or(0.0);
                    let is_same_way = (told < 0.0) == (change < 0.0);
                    let is_same_grouping = list.text(other, "dimension") == list.text(row, "dimension");
                    (is_same_way && is_same_grouping) || (change / told - 1.0).abs() < 0.1
                };
                !told.iter().any(|&other| !self.is_whole(other) && is_same(other))
            };
            if is_told && told.len() < CASES_MAX {
                told.push(row);
            }
        }
        told
    }

    fn is_whole(&self, row: usize) -> bool {
        self.list.text(row, "dimension") == Some("total")
    }

    /// The amount, the rows and who stands behind them, in both periods.
    fn measured(&self) -> Option<Measured> {
        let Periods { days, distance } = self.periods;
        let latest = Days::up_to(self.profile.last_day, days);
        let before = Days::up_to(earlier(latest.last, distance), days);
        let entity = self.subject.field(Role::Entity)?.expression();
        let (before, latest) = (self.subject.during(before), self.subject.during(latest));
        let active = |days: &str| format!("count(DISTINCT {entity}) FILTER (WHERE {days})");
        Some(Measured {
            columns: vec![
                ("value_before", self.subject.total(&before)),
                ("value_latest", self.subject.total(&latest)),
                ("active_before", active(&before)),
                ("active_latest", active(&latest)),
            ],
            conditions: Vec::new(),
        })
    }

    fn case(&self, row: usize) -> Option<Candidate> {
        let list = self.list;
        let (is_whole, member) = (self.is_whole(row), list.text(row, "member")?);
        let change = list.number(row, "value_change")?;
        let candidate = Candidate::new(Matter::Change, member);
        let candidate =
            if is_whole { self.of_whole(candidate, row)? } else { self.beside_whole(candidate, row, member)? };
        let (action, why) = advice(change);
        let candidate = candidate
            .action("product or regional manager", action, "within two weeks", why)
            .falsified_by("a regrouping of accounts or articles, late bookings, or a one-off project in either period");
        let share = change.abs() / list.number(row, "total_before")?.max(f64::EPSILON) / 4.0;
        let candidate = candidate.rank(share, Confidence::Medium);
        Some(candidate.into_change(if change < 0.0 {
            Severity::High
        } else if is_whole && self.follows_entities(row) {
            Severity::Low
        } else {
            Severity::Medium
        }))
    }

    /// The whole, who stood behind it, and what each of them did.
    fn of_whole(&self, candidate: Candidate, row: usize) -> Option<Candidate> {
        let Measured { columns, conditions } = self.measured()?;
        let sql = self.subject.plain(&[], &columns, &conditions);
        let key = format!("changed-{}-{row}", self.index);
        let told = Statement::new(key, "How did the whole change?", sql, self.notebook);
        let each = |period: &str| {
            format!("{} / {}", told.cell(&format!("value_{period}")), told.cell(&format!("active_{period}")))
        };
        let change = |column: &str| {
            format!("change({}, {})", told.cell(&format!("{column}_before")), told.cell(&format!("{column}_latest")))
        };
        let impact = format!("{} - {}", told.cell("value_latest"), told.cell("value_before"));
        Some(candidate.over([&told]).impact(impact).facts([
            change("value"),
            change("active"),
            format!("change({}, {})", each("before"), each("latest")),
        ]))
    }

    /// A part, beside what it is a part of.
    fn beside_whole(&self, candidate: Candidate, row: usize, member: &str) -> Option<Candidate> {
        let dimension = self.list.text(row, "dimension")?;
        let fields = dimensions(self.subject, self.part);
        let field = fields.into_iter().find(|field| words(&field.name) == dimension)?;
        let versus = Versus::new(
            (&format!("changed-{}-{row}", self.index), "How did it change, beside all?"),
            self.subject,
            (field, member),
            None,
            &self.measured()?,
            self.notebook,
        );
        let impact = format!("{} - {}", versus.own("value_latest"), versus.own("value_before"));
        Some(candidate.over(versus.statements()).impact(impact).facts([
            versus.change("value_before", "value_latest"),
            versus.change_of_share("value_before", "value_latest"),
            versus.change("active_before", "active_latest"),
        ]))
    }

    /// The change in percent of the amount of each entity.
    fn change_by_entity(&self, row: usize) -> Option<f64> {
        let each = |value: &str, entities: &str| {
            Some(self.list.number(row, value)? / self.list.number(row, entities)?.max(f64::EPSILON))
        };
        let before = each("value_before", "all_entities_before")?;
        Some(100.0 * (each("value_latest", "all_entities_latest")? / before.max(f64::EPSILON) - 1.0))
    }

    /// Whether most of a change is that there are more or fewer entities.
    fn follows_entities(&self, row: usize) -> bool {
        let change = self.list.number(row, "value_latest").zip(self.list.number(row, "value_before"));
        let percent = change.map_or(0.0, |(latest, before)| 100.0 * (latest / before.max(f64::EPSILON) - 1.0));
        self.change_by_entity(row).is_some_and(|each| each.abs() < 0.5 * percent.abs())
    }
}

/// What to do about a change, and why.
fn advice(change: f64) -> (&'static str, &'static str) {
    if change < 0.0 {
        (
            "ask what was lost, by customer, and whether it can be won back",
            "a fall beside the whole has a cause of its own",
        )
    } else {
        (
            "ask what drove it, and whether stock and terms keep up",
            "growth beside the whole shows where more can be sold",
        )
    }
}
