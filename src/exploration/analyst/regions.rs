//! Regions: what part of each one's money belonged to those who are silent now, and how much hangs on a single one.

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, identifier, literal};
use super::telling::{Candidate, Conclusion, Days, Matter, Measured, Statement, Versus, plain, plural, words};
use super::{Question, churn, habits};
use crate::finding::Confidence;
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
/// Silent ones that an action names.
const NAMED_MAX: usize = 5;
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
    let view = View { subject, profile, index, notebook, list, silent, place };
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
    index: usize,
    notebook: &'a Notebook,
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

    /// The rows of the silent ones' list that belong to the region.
    fn members(&self, region: &str) -> Vec<usize> {
        let alias = self.place.alias();
        let rows = self.silent.map_or(0, Answer::rows);
        (0..rows).filter(|&row| self.silent.is_some_and(|list| list.text(row, &alias) == Some(region))).collect()
    }

    /// Who ordered and for how much, before and after the stops.
    fn measured(&self, before: Days, after: Days) -> Option<Measured> {
        let (before, after) = (self.subject.during(before), self.subject.during(after));
        let entity = self.subject.field(Role::Entity)?.expression();
        let active = |days: &str| format!("count(DISTINCT {entity}) FILTER (WHERE {days})");
        Some(Measured {
            columns: vec![
                ("active_before", active(&before)),
                ("active_after", active(&after)),
                ("orders_before", format!("count(*) FILTER (WHERE {before})")),
                ("orders_after", format!("count(*) FILTER (WHERE {after})")),
                ("value_before", self.subject.total(&before)),
                ("value_after", self.subject.total(&after)),
            ],
            conditions: self.subject.is_plainly(true, self.profile).into_iter().collect(),
        })
    }

    fn silence(&self, row: usize) -> Option<Candidate> {
        let list = self.list;
        let (region, entity) = (list.table.cell(row, 0)?, self.subject.field(Role::Entity)?);
        let entities = plural(&words(&entity.name));
        let total = list.number(row, "value_before")? + list.number(row, "others_value_before")?;
        let money_share = list.number(row, "silent_value")? / total.max(f64::EPSILON);
        let members = self.members(region);
        let silent = self.silent?;
        let stops = members.iter().filter_map(|&row| silent.text(row, "last_day")?.parse().ok()).collect::<Vec<_>>();
        let (before, after) = Days::around_stops(self.profile, &stops)?;
        let measured = self.measured(before, after)?;
        let versus = Versus::new(
            (&format!("quiet-{}-{row}", self.index), "How did it end there, beside the other places?"),
            self.subject,
            (self.place, region),
            None,
            &measured,
            self.notebook,
        );
        let who = members.iter().filter_map(|&row| silent.table.cell(row, 0)).collect::<Vec<_>>();
        let conditions = measured.conditions.iter().cloned();
        let conditions = conditions.chain([self.place.is(region), entity.is_among(who.iter().copied())]);
        let sql = self.subject.plain(&[self.place], &measured.columns, &conditions.collect::<Vec<_>>());
        let key = format!("quiet-{}-{row}-members", self.index);
        let stopped = Statement::new(key, "And for those who are silent?", sql, self.notebook);
        let named = who.iter().take(NAMED_MAX).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
        let candidate = Candidate::new(Matter::QuietRegion, region)
            .over(versus.statements())
            .over([&stopped])
            .facts([
                versus.change_of_share("orders_before", "orders_after"),
                versus.change("active_before", "active_after"),
                format!("change({}, {})", stopped.cell("orders_before"), stopped.cell("orders_after")),
                versus.change("value_before", "value_after"),
            ])
            .impact(stopped.cell("value_before"))
            .action(
                "regional sales manager",
                &format!("visit {} and its silent {entities}, beginning with {named}", plain(region)),
                "within two weeks",
                "several silences in one place point to a local cause: a competitor, a distributor, the sales team",
            )
            .falsified_by(
                "a transfer of accounts to another region, a local shutdown or season that the data do not reach back to",
            );
        let confidence =
            if list.number(row, "silent_entities")? >= 3.0 { Confidence::High } else { Confidence::Medium };
        let candidate = candidate.rank(money_share, confidence);
        Some(if confidence == Confidence::High { candidate.into_summary() } else { candidate })
    }

    fn concentration(&self, row: usize) -> Option<Candidate> {
        let (list, entity) = (self.list, self.subject.field(Role::Entity)?);
        let (region, largest) = (list.table.cell(row, 0)?, list.text(row, "largest")?);
        let days = self.subject.during(Days::latest_year(self.profile));
        let columns = [("value", self.subject.total(""))];
        let statement = |name: &str, keys: &[&Field], more: Vec<String>| {
            let conditions = more.into_iter().chain([days.clone()]).collect::<Vec<_>>();
            let sql = self.subject.plain(keys, &columns, &conditions);
            let key = format!("largest-{}-{row}-{name}", self.index);
            Statement::new(key, "What does the largest one bring, of the whole place?", sql, self.notebook)
        };
        let own = statement("own", &[self.place, entity], vec![self.place.is(region), entity.is(largest)]);
        let place = statement("place", &[self.place], vec![self.place.is(region)]);
        let all = statement("all", &[], Vec::new());
        let (largest, region_words) = (plain(largest), plain(region));
        let money_share =
            list.number(row, "largest_value")? / list.number(row, "total_value_last_year")?.max(f64::EPSILON);
        let candidate = Candidate::new(Matter::Concentration, region)
            .over([&own, &place, &all])
            .facts([
                format!("share({}, {})", own.cell("value"), place.cell("value")),
                format!("share({}, {})", place.cell("value"), all.cell("value")),
            ])
            .impact(own.cell("value"))
            .action(
                "regional sales manager",
                &format!("secure {largest}, the largest of {region_words}, by a contract, and build up the next two"),
                "within a quarter",
                "all of it hangs on one decision of one buyer",
            )
            .falsified_by("a buying group behind one account number");
        Some(candidate.rank(money_share * 0.1, Confidence::Medium))
    }
}
