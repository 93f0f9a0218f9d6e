//! The largest changes between the latest period and its comparable one: the same days a year before where the data
//! reach back so far, else the days just before. A part is told of for what it did beside the whole, not with it.

use super::Question;
use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, plain, words};
use crate::catalog::Role;
use crate::finding::{Category, Confidence};

/// The latest period at the most, in days: whole weeks.
const PERIOD_DAYS: i32 = 91;
/// Groupings compared at the most.
const DIMENSIONS_MAX: usize = 5;
/// Values of one grouping that are compared: the largest.
const MEMBERS_MAX: usize = 100;
/// Changes listed at the most.
const LISTED_MAX: usize = 8;
/// Changes told of at the most.
const CASES_MAX: usize = 2;
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
        (days >= 7 && usual >= EVENTS_MIN).then_some(Self { days, distance })
    }

    fn words(self) -> &'static str {
        if self.distance == 364 { "the same weeks a year before" } else { "the weeks just before" }
    }
}

fn dimensions(subject: &Subject) -> Vec<&Field> {
    let named = [Role::Region, Role::Product].into_iter().filter_map(|role| subject.field(role));
    named.chain(subject.dimensions()).take(DIMENSIONS_MAX).collect()
}

/// The question: what changed most, beside the whole.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    let Some(periods) = Periods::of(profile) else { return Vec::new() };
    vec![Question {
        key: format!("changes-{index}"),
        purpose: format!("What changed most in the latest {} days, against {}?", periods.days, periods.words()),
        sql: sql(subject, profile, periods),
    }]
}

fn sql(subject: &Subject, profile: &Profile, periods: Periods) -> String {
    let dimensions = dimensions(subject);
    let names = (0..dimensions.len()).map(|index| format!("dimension{index}")).collect::<Vec<_>>();
    let extra = names.iter().zip(&dimensions).map(|(name, field)| (name.as_str(), field.text())).collect::<Vec<_>>();
    let base = subject.base(&extra, &subject.is_return(&profile.return_kinds), Some(&profile.last_day.to_string()));
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    let Periods { days, distance } = periods;
    let mut parts = vec!["SELECT 'total' AS dimension, 'total' AS member, is_latest, value FROM periods".to_owned()];
    parts.extend(names.iter().zip(&dimensions).map(|(name, field)| {
        let shown = literal(&words(&field.name));
        format!("SELECT {shown}, {name}, is_latest, value FROM periods WHERE {name} IS NOT NULL")
    }));
    format!(
        "{base},
periods AS (
  SELECT base.*, day > {reference} - {days} AS is_latest FROM base
  WHERE day > {reference} - {days} OR (day > {reference} - {both} AND day <= {reference} - {distance})
),
parts AS (
  {parts}
),
sums AS (
  SELECT dimension, member, coalesce(sum(value) FILTER (WHERE is_latest), 0) AS latest,
    coalesce(sum(value) FILTER (WHERE NOT is_latest), 0) AS before,
    count(*) FILTER (WHERE is_latest) AS events_latest, count(*) FILTER (WHERE NOT is_latest) AS events_before
  FROM parts GROUP BY dimension, member
),
ranked AS (
  SELECT sums.*, whole.latest AS total_latest, whole.before AS total_before,
    whole.events_latest::numeric / nullif(whole.events_before, 0) AS growth_events,
    row_number() OVER (PARTITION BY sums.dimension ORDER BY sums.before + sums.latest DESC) AS place
  FROM sums JOIN sums AS whole ON whole.dimension = 'total'
  WHERE whole.before > 0
)
SELECT dimension, member, round(before, 2) AS value_before, round(latest, 2) AS value_latest,
  round(latest - before, 2) AS value_change, events_before, events_latest,
  round(latest - before * total_latest / total_before, 2) AS beside_the_whole_change,
  round(total_before, 2) AS total_before, round(total_latest, 2) AS total_latest
FROM ranked
WHERE dimension = 'total' OR (
  place <= {MEMBERS_MAX} AND before > 0 AND events_before + events_latest >= {EVENTS_MIN}
  AND abs(latest - before * total_latest / total_before) >= 0.01 * total_latest
  AND abs(latest / before - total_latest / total_before) >= 0.2
  AND abs(events_latest - events_before * growth_events) >= 4 * sqrt(events_latest + events_before * growth_events * growth_events))
ORDER BY dimension = 'total' DESC, abs(latest - before * total_latest / total_before) DESC, dimension, member
LIMIT {LISTED_MAX}",
        both = distance + days,
        parts = parts.join("\n  UNION ALL "),
    )
}

/// The findings that the answers give.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    let Some(periods) = Periods::of(profile) else {
        return Conclusion::remark(subject, "changes: too few rows, or too short a time, to compare two periods");
    };
    let Some(list) = notebook.answer(&format!("changes-{index}")) else {
        return Conclusion::remark(subject, "changes: the query on periods gave no result");
    };
    let view = View { subject, profile, list, periods };
    let mut candidates = Vec::new();
    let whole = |row: usize| list.text(row, "dimension") == Some("total");
    for row in 0..list.rows() {
        if candidates.len() == CASES_MAX {
            break;
        }
        let percent = list.number(row, "value_change").zip(list.number(row, "value_before"));
        let is_large = percent.is_some_and(|(change, before)| 100.0 * (change / before).abs() >= WHOLE_PERCENT_MIN);
        if !whole(row) || is_large {
            candidates.extend(view.case(row, whole(row)));
        }
    }
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
}

impl View<'_> {
    fn case(&self, row: usize, is_whole: bool) -> Option<Candidate> {
        let (list, unit, value) = (self.list, self.subject.unit(), self.subject.value_words());
        let member = plain(list.text(row, "member")?);
        let dimension = list.text(row, "dimension")?;
        let change = list.number(row, "value_change")?;
        let (rose, category) = if change >= 0.0 { ("rose", Category::Growth) } else { ("fell", Category::Decline) };
        let whole_rose =
            if list.number(row, "total_latest")? >= list.number(row, "total_before")? { "rose" } else { "fell" };
        let share = change.abs() / list.number(row, "total_before")?.max(f64::EPSILON) / 4.0;
        let before = self.periods.words();
        let who = if is_whole { "In total,".to_owned() } else { format!("The {dimension} {member}:") };
        let mut sentences = vec![format!(
            "{who} {value} {rose} from {{before}} to {{latest}} {unit} in the latest weeks up to {}, against \
             {before}, a change of {{percent}}.",
            self.profile.last_day
        )];
        if !is_whole {
            sentences.push(format!("Overall it {whole_rose} by {{total_percent}} in the same time."));
        }
        let topic = Topic {
            category,
            segment: member.clone(),
            metric: format!("change of {value}"),
            unit: format!("{unit} against {before}"),
        };
        let percent = |before: &str, latest: &str| {
            format!("percent_change({}, {})", list.cell(row, before), list.cell(row, latest))
        };
        let mut writer = Writer::new(topic, self.profile)
            .cite(list, [row])
            .cells(list, row, [("before", "value_before"), ("latest", "value_latest"), ("change", "value_change")])
            .figures([("percent", percent("value_before", "value_latest"))]);
        if !is_whole {
            writer = writer.figures([("total_percent", percent("total_before", "total_latest"))]);
        }
        let (action, why) = if change < 0.0 {
            (
                "Ask what was lost, by customer, and whether it can be won back",
                "a fall beside the whole has a cause of its own",
            )
        } else {
            (
                "Ask what drove it, and whether stock and terms keep up",
                "growth beside the whole shows where more can be sold",
            )
        };
        let title = if is_whole {
            format!("In total, {value} {rose} by {{percent}} against {before}")
        } else {
            format!("{member}: {value} {rose} by {{percent}} against {before}")
        };
        let writer = writer
            .text(title, &sentences)
            .impact("change", &["nothing but the period changed: no regrouping, no late bookings"])
            .action(action.to_owned(), why, "the product or regional manager", "within two weeks")
            .falsified_by(
                "a regrouping of accounts or articles, late bookings, or a one-off project in either \
                 period",
            );
        Some(writer.rank(share, Confidence::Medium, false))
    }
}
