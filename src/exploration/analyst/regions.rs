//! Regions: what part of each one's money belonged to those who are silent now, and how much hangs on a single one.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, identifier, literal};
use super::writing::{Candidate, Conclusion, Topic, Writer, named, plain, plural, words};
use super::{Question, churn, habits};
use crate::finding::{Category, Confidence};
use crate::warehouse::catalog::Role;

/// Regions listed at the most.
const LISTED_MAX: usize = 60;
/// A region is told of when this share of its money is silent, and twice the share of the others is.
const SILENT_SHARE_MIN: f64 = 0.20;
/// Up to so many entities, one that is silent is a matter of the region.
const FEW_ENTITIES: f64 = 3.0;
/// One entity with this share of a region's money is too much, where there are enough entities to expect otherwise.
const TOP_SHARE_MIN: f64 = 0.50;
const TOP_ENTITIES_MIN: f64 = 8.0;
/// It has to have this share of all money as well.
const MATERIAL_SHARE_MIN: f64 = 0.01;
/// Regions told of at the most, of each kind.
const CASES_MAX: usize = 2;

/// What a place is: a region, or else a segment.
fn place(subject: &Subject) -> Option<&Field> {
    subject.field(Role::Region).or_else(|| subject.dimensions().find(|field| churn::is_segment(&field.name)))
}

/// The question: activity, silence and the largest one of each region. Who the silent ones are is churn's question,
/// asked here too where churn is not looked at.
pub(super) fn questions(subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
    let Some(place) = place(subject) else { return Vec::new() };
    vec![
        Question {
            key: format!("regions-{index}"),
            purpose: format!("What part of each {}'s money belonged to those who are silent now?", words(&place.name)),
            sql: sql(subject, profile, place),
        },
        Question {
            key: format!("churn-list-{index}"),
            purpose: "Who are the silent ones?".to_owned(),
            sql: churn::list_sql(subject, profile),
        },
    ]
}

fn sql(subject: &Subject, profile: &Profile, place: &Field) -> String {
    let base = subject.base(
        &[("place", place.text())],
        &subject.is_return(&profile.return_kinds),
        Some(&profile.last_day.to_string()),
    );
    let reference = format!("{}::date", literal(&profile.last_day.to_string()));
    format!(
        "{base}{habits},
places AS (
  SELECT entity, max(place) AS place, coalesce(sum(value) FILTER (WHERE day > {reference} - 365), 0) AS value_year
  FROM base GROUP BY entity
),
joined AS (
  SELECT places.place, places.value_year, states.entity, states.value_before, coalesce(states.is_silent, false) AS is_silent
  FROM places JOIN states ON states.entity = places.entity
  WHERE places.place IS NOT NULL AND states.value_before > 0
),
regions AS (
  SELECT place, count(*) AS entities, count(*) FILTER (WHERE is_silent) AS silent, sum(value_before) AS value_before,
    coalesce(sum(value_before) FILTER (WHERE is_silent), 0) AS silent_value, sum(value_year) AS value_year,
    max(value_year) AS largest_value, (array_agg(entity ORDER BY value_year DESC, entity))[1] AS largest
  FROM joined GROUP BY place
)
SELECT place AS {place}, entities AS all_entities, silent AS silent_entities, round(value_before, 2) AS value_before,
  round(silent_value, 2) AS silent_value, round(100 * silent_value / value_before, 1) AS silent_percent,
  round(value_year, 2) AS value_last_year, round(largest_value, 2) AS largest_value, largest,
  sum(entities) OVER () - entities AS others_entities, sum(silent) OVER () - silent AS others_silent,
  round(sum(value_before) OVER () - value_before, 2) AS others_value_before,
  round(sum(silent_value) OVER () - silent_value, 2) AS others_silent_value,
  round(sum(value_year) OVER (), 2) AS total_value_last_year
FROM regions
ORDER BY silent_value / value_before DESC, place
LIMIT {LISTED_MAX}",
        habits = habits::expressions(profile),
        place = identifier(&place.alias()),
    )
}

/// The findings that the answers give.
pub(super) fn conclude(subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
    let Some(place) = place(subject) else {
        return Conclusion::remark(subject, "regions: there is no region or segment column");
    };
    let Some(list) = notebook.answer(&format!("regions-{index}")) else {
        return Conclusion::remark(subject, "regions: the query on regions gave no result");
    };
    let silent = notebook.answer(&format!("churn-list-{index}"));
    let view = View { subject, profile, list, silent, place };
    let is_silent = |row: &usize| {
        let count = |column: &str| list.number(*row, column).unwrap_or(0.0);
        // One silence among many is that one's, not the region's.
        let is_common = count("silent_entities") >= 2.0 || count("all_entities") <= FEW_ENTITIES;
        let share = view.silent_share(*row);
        is_common && share.is_some_and(|(own, others)| own >= SILENT_SHARE_MIN && own >= 2.0 * others)
    };
    let is_top_heavy = |row: &usize| {
        let share = list.number(*row, "largest_value").zip(list.number(*row, "value_last_year"));
        let entities = list.number(*row, "all_entities").unwrap_or(0.0);
        let is_material = list
            .number(*row, "largest_value")
            .zip(list.number(*row, "total_value_last_year"))
            .is_some_and(|(largest, all)| largest >= MATERIAL_SHARE_MIN * all);
        is_material
            && entities >= TOP_ENTITIES_MIN
            && share.is_some_and(|(largest, all)| all > 0.0 && largest / all >= TOP_SHARE_MIN)
    };
    let rows = || 0..list.rows();
    let mut candidates =
        rows().filter(is_silent).take(CASES_MAX).filter_map(|row| view.silence(row)).collect::<Vec<_>>();
    let mut top_heavy = rows().filter(is_top_heavy).collect::<Vec<_>>();
    let largest = |row: usize| list.number(row, "largest_value").unwrap_or(0.0);
    top_heavy.sort_by(|&left, &right| largest(right).total_cmp(&largest(left)));
    candidates.extend(top_heavy.into_iter().take(CASES_MAX).filter_map(|row| view.concentration(row)));
    if candidates.is_empty() {
        let remark =
            format!("regions: no {} has more silence than others, or hangs on a single one", words(&place.name));
        return Conclusion::remark(subject, &remark);
    }
    Conclusion { candidates, looked_at: Vec::new() }
}

/// The answers, and what they are about.
struct View<'a> {
    subject: &'a Subject,
    profile: &'a Profile,
    list: &'a Answer,
    silent: Option<&'a Answer>,
    place: &'a Field,
}

impl View<'_> {
    /// The silent share of a region's money, and that of all others.
    fn silent_share(&self, row: usize) -> Option<(f64, f64)> {
        let share = |part: &str, whole: &str| {
            let whole = self.list.number(row, whole)?;
            Some(if whole > 0.0 { self.list.number(row, part)? / whole } else { 0.0 })
        };
        Some((share("silent_value", "value_before")?, share("others_silent_value", "others_value_before")?))
    }

    fn share(&self, row: usize, part: &str, whole: &str) -> String {
        format!("share({}, {})", self.list.cell(row, part), self.list.cell(row, whole))
    }

    /// The rows of the silent ones' list that belong to the region.
    fn members(&self, region: &str) -> Vec<usize> {
        let alias = self.place.alias();
        let rows = self.silent.map_or(0, Answer::rows);
        (0..rows).filter(|&row| self.silent.is_some_and(|list| list.text(row, &alias) == Some(region))).collect()
    }

    fn silence(&self, row: usize) -> Option<Candidate> {
        let (list, unit, value) = (self.list, self.subject.unit(), self.subject.value_words());
        let name = list.table.cell(row, 0)?;
        let region = plain(name);
        let entities = plural(&words(&self.subject.field(Role::Entity)?.name));
        let total = list.number(row, "value_before")? + list.number(row, "others_value_before")?;
        let money_share = list.number(row, "silent_value")? / total.max(f64::EPSILON);
        let members = self.members(name);
        let mut sentences = vec![
            format!(
                "Among the others, {{others_silent}} of {{others_entities}} {entities} are silent, with \
                 {{others_share}} of their {value}."
            ),
            format!(
                "In {region}, {{silent}} of {{entities}} {entities} are silent for far longer than their own \
                 usual interval, counted to {}.",
                self.profile.last_day
            ),
            format!(
                "In the year up to their last orders they brought {{silent_value}} of the {{value}} {unit} of \
                 {region}, which is {{share}}."
            ),
        ];
        let names =
            members.iter().take(5).filter_map(|&row| self.silent?.table.cell(row, 0)).map(plain).collect::<Vec<_>>();
        let who = if names.is_empty() { entities.clone() } else { names.join(", ") };
        if !names.is_empty() && names.len() < members.len() {
            sentences.push("The evidence lists them.".to_owned());
        }
        let topic = Topic {
            category: Category::Churn,
            segment: region.clone(),
            metric: format!("{value} of silent {entities}"),
            unit: format!("{unit} in the year up to their last orders"),
        };
        let mut writer = Writer::new(topic, self.profile).cite(list, [row]);
        if let Some(silent) = self.silent.filter(|_| !members.is_empty()) {
            writer = writer.cite(silent, members);
        }
        let writer = writer
            .cells(
                list,
                row,
                [
                    ("entities", "all_entities"),
                    ("silent", "silent_entities"),
                    ("value", "value_before"),
                    ("silent_value", "silent_value"),
                    ("others_entities", "others_entities"),
                    ("others_silent", "others_silent"),
                ],
            )
            .figures([
                ("share", self.share(row, "silent_value", "value_before")),
                ("others_share", self.share(row, "others_silent_value", "others_value_before")),
            ])
            .text(
                format!(
                    "{region}: {{silent}} of {{entities}} {entities} are silent, who brought {{share}} of \
                 its {value}"
                ),
                &sentences,
            )
            .impact("silent_value", &["what they brought in the year up to their last orders is what is at risk"])
            .action(
                format!("Visit {region}: {who}"),
                "several silences in one place point to a local cause: a competitor, a distributor, the sales team",
                "the regional sales manager",
                "within two weeks",
            )
            .falsified_by(
                "a transfer of accounts to another region, a local shutdown or season that the data \
                 do not reach back to",
            );
        let confidence =
            if list.number(row, "silent_entities")? >= 3.0 { Confidence::High } else { Confidence::Medium };
        Some(writer.rank(money_share, confidence, confidence == Confidence::High))
    }

    fn concentration(&self, row: usize) -> Option<Candidate> {
        let (list, unit, value) = (self.list, self.subject.unit(), self.subject.value_words());
        let region = plain(list.table.cell(row, 0)?);
        let entity = words(&self.subject.field(Role::Entity)?.name);
        let largest = named(&entity, list.text(row, "largest")?);
        let entities = plural(&entity);
        let money_share =
            list.number(row, "largest_value")? / list.number(row, "total_value_last_year")?.max(f64::EPSILON);
        let topic = Topic {
            category: Category::Concentration,
            segment: region.clone(),
            metric: format!("{value} of the largest {entity}"),
            unit: format!("{unit} in the last year"),
        };
        let writer = Writer::new(topic, self.profile)
            .cite(list, [row])
            .cells(
                list,
                row,
                [("entities", "all_entities"), ("value", "value_last_year"), ("largest", "largest_value")],
            )
            .figures([("share", self.share(row, "largest_value", "value_last_year"))])
            .text(
                format!("{region}: one of {{entities}} {entities}, {largest}, brings {{share}} of its {value}"),
                &[
                    format!(
                        "{region} brought {{value}} {unit} from {{entities}} {entities} in the year up to {}.",
                        self.profile.last_day
                    ),
                    format!(
                        "The largest of {region}, {largest}, brought {{largest}} {unit} of that, which is {{share}}."
                    ),
                ],
            )
            .impact("largest", &["all of it hangs on one decision of one buyer"])
            .action(
                format!("Secure {largest}, the largest of {region}, by a contract, and build up the next two"),
                "the region falls with it",
                "the regional sales manager",
                "within a quarter",
            )
            .falsified_by("a buying group behind one account number");
        Some(writer.rank(money_share * 0.1, Confidence::Medium, false))
    }
}
