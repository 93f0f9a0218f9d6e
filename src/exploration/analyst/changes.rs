//! The largest changes between the latest period and its comparable one: the same days a year before where the data
//! reach back so far, else the days just before. A part is told of for what it did beside the whole, not with it.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, described, plain, plural, words};
use super::{Part, Question};
use crate::finding::{Category, Confidence, Severity};
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
    let view = View { subject, profile, list, periods, part };
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

    fn case(&self, row: usize) -> Option<Candidate> {
        let (list, unit, value) = (self.list, self.subject.unit(), self.subject.value_words());
        let is_whole = self.is_whole(row);
        let member = plain(list.text(row, "member")?);
        let change = list.number(row, "value_change")?;
        let (rose, category) = if change >= 0.0 { ("rose", Category::Growth) } else { ("fell", Category::Decline) };
        let before = self.periods.words();
        let what = described(list, row, list.text(row, "dimension")?, &member, &["label"]);
        let who = if is_whole { "In total,".to_owned() } else { format!("{what}:") };
        let currency = self.subject.currency().map(|currency| format!(" {currency}")).unwrap_or_default();
        let topic = Topic {
            category,
            segment: member.clone(),
            metric: format!("change of {value}"),
            unit: format!("{unit} against {before}"),
        };
        let writer = Writer::new(topic, self.profile)
            .cite(list, [row])
            .cells(list, row, [("before", "value_before"), ("latest", "value_latest"), ("change", "value_change")])
            .figures([("percent", self.percent(row, "value_before", "value_latest"))]);
        let first = format!(
            "{who} {value} {rose} from {{before}} to {{latest}}{currency} in the latest weeks up to {}, against {before}, \
             a change of {{percent}}.",
            self.profile.last_day
        );
        let (writer, second) = if is_whole { self.by_entity(writer, row)? } else { self.beside(writer, row)? };
        let (action, why) = advice(change);
        let writer = writer
            .text(format!("{who} {value} {rose} by {{percent}} against {before}"), &[first, second])
            .impact("change", &["nothing but the period changed: no regrouping, no late bookings"])
            .action(action.to_owned(), why, "the product or regional manager", "within two weeks")
            .falsified_by(
                "a regrouping of accounts or articles, late bookings, or a one-off project in either \
                 period",
            );
        let share = change.abs() / list.number(row, "total_before")?.max(f64::EPSILON) / 4.0;
        let candidate = writer.rank(share, Confidence::Medium, false);
        Some(candidate.into_change(if change < 0.0 {
            Severity::High
        } else if is_whole && self.follows_entities(row) {
            Severity::Low
        } else {
            Severity::Medium
        }))
    }

    fn percent(&self, row: usize, before: &str, latest: &str) -> String {
        format!("percent_change({}, {})", self.list.cell(row, before), self.list.cell(row, latest))
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

    /// How many there were of those who made the whole, and what each did.
    fn by_entity(&self, writer: Writer, row: usize) -> Option<(Writer, String)> {
        let entity = words(&self.subject.field(Role::Entity)?.name);
        let each = self.change_by_entity(row)?;
        let writer = writer.cells(
            self.list,
            row,
            [("entities_before", "all_entities_before"), ("entities_latest", "all_entities_latest")],
        );
        let counts = format!(
            "In total {{entities_latest}} {} stand behind it, against {{entities_before}} {before}",
            plural(&entity),
            before = self.periods.words()
        );
        if each.abs() < 0.1 {
            return Some((writer, format!("{counts}.")));
        }
        let cell = |column: &str| self.list.cell(row, column);
        let writer = writer.figures([(
            "each",
            format!(
                "percent_change({} / {}, {} / {})",
                cell("value_before"),
                cell("all_entities_before"),
                cell("value_latest"),
                cell("all_entities_latest")
            ),
        )]);
        let rose = if each > 0.0 { "rose" } else { "fell" };
        Some((writer, format!("{counts}; of the average {entity} it {rose} by {{each}}.")))
    }

    /// What the whole did in the same time.
    fn beside(&self, writer: Writer, row: usize) -> Option<(Writer, String)> {
        let (before, latest) = (self.list.number(row, "total_before")?, self.list.number(row, "total_latest")?);
        if (latest - before).abs() < 0.001 * before {
            return Some((writer, "Overall it stayed as it was in the same time.".to_owned()));
        }
        let rose = if latest > before { "rose" } else { "fell" };
        let writer = writer.figures([("total_percent", self.percent(row, "total_before", "total_latest"))]);
        Some((writer, format!("Overall it {rose} by {{total_percent}} in the same time.")))
    }
}

/// What to do about a change, and why.
fn advice(change: f64) -> (&'static str, &'static str) {
    if change < 0.0 {
        (
            "Ask what was lost, by customer, and whether it can be won back",
            "a fall beside the whole has a cause of its own",
        )
    } else {
        (
            "Ask what drove it, and whether stock and terms keep up",
            "growth beside the whole shows where more can be sold",
        )
    }
}
