//! The mode `aggregate`: a result leaves only if its figures are of enough entities, which the engine counts itself.
//!
//! Rows of fewer are left out. If those that are left out are of too few together, the smallest others go as well: what
//! remains of a known total would be them. A statement whose figures differ from earlier ones by the figures of too few is
//! refused.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::Executor;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage;
use crate::warehouse::privacy::population::Population;
use crate::warehouse::sql::{self, Select};
use crate::warehouse::table::Table;
use crate::warehouse::{Error, Limits};

/// The most statements of a run that a new one is compared with.
const COMPARED_MAX: usize = 60;
/// The most groups of which the entities are counted.
const GROUPS_MAX: usize = 100_000;

/// What is known of the statements of a run.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// The tables and what they mean; until it is set, nothing is guarded, as nothing is shown yet.
    catalog: OnceLock<Arc<Catalog>>,
    seen: tokio::sync::Mutex<Vec<Population>>,
}

impl Executor {
    /// Lets only aggregates over enough entities pass from now on, if that is the privacy mode.
    pub fn guard(&self, catalog: &Arc<Catalog>) {
        if self.is_aggregate() {
            let _ = self.guard.catalog.set(Arc::clone(catalog));
        }
    }

    /// Runs a SELECT in the mode `aggregate`; `None` if it need not be guarded.
    pub(super) async fn run_guarded(&self, select: &Select, limits: &Limits) -> Option<Result<Table, Error>> {
        let catalog = self.guard.catalog.get().filter(|_| !select.relations().is_empty())?;
        let entities_min = self.rules.privacy.entities_min.0;
        Some(self.aggregate(select, catalog, entities_min, limits).await.map_err(|problem| match problem {
            Problem::Refused(reason) => Error::Statement {
                message: format!(
                    "aggregate: only figures of at least {entities_min} entities are shown, and of this statement that \
                     cannot be told: {reason}"
                ),
            },
            Problem::Failed(error) => error,
        }))
    }

    async fn aggregate(
        &self,
        select: &Select,
        catalog: &Catalog,
        entities_min: u32,
        limits: &Limits,
    ) -> Result<Table, Problem> {
        let query = lineage::normal_form(select, catalog);
        let population = Population::of(&query, catalog).map_err(Problem::Refused)?;
        // One statement after another, so that two of one turn are compared as well.
        let mut seen = self.guard.seen.lock().await;
        let known = seen.contains(&population);
        if !known {
            self.compare(&population, &seen, entities_min, limits).await?;
        }
        let counts = Limits { rows_max: GROUPS_MAX, ..*limits };
        let counted = self.own(&population.counts(), &counts).await?;
        let table = self.run_masked(select, limits).await?;
        if !known {
            seen.push(population.clone());
        }
        Ok(without_few(table, &population, &counted, u64::from(entities_min)))
    }

    /// Refuses a statement whose figures differ from those of an earlier one by the figures of too few.
    async fn compare(
        &self,
        population: &Population,
        seen: &[Population],
        entities_min: u32,
        limits: &Limits,
    ) -> Result<(), Problem> {
        let statements = seen.iter().map(|known| population.differences(known, entities_min)).collect::<Vec<_>>();
        let statements = statements.into_iter().filter(|of_one| !of_one.is_empty()).collect::<Vec<_>>();
        if statements.len() > COMPARED_MAX {
            return Err(refused("it differs from too many earlier ones to compare it with each; use one of them"));
        }
        for statement in statements.iter().flatten() {
            let counted = self.own(statement, limits).await?;
            if counted.cell(0, 0) != Some("0") {
                return Err(refused(
                    "less what an earlier one tells, it would tell of fewer; use the conditions of the earlier one, or others \
                     that more entities meet",
                ));
            }
        }
        Ok(())
    }

    /// Runs a statement of the engine's own, whose result is shown to nobody.
    async fn own(&self, text: &str, limits: &Limits) -> Result<Table, Problem> {
        let own = Arc::clone(&self.known().own);
        let select = sql::validate(text, &own).map_err(|refusal| Problem::Refused(refusal.to_string()))?;
        self.run_masked(&select, limits).await.map_err(Problem::Failed)
    }
}

enum Problem {
    Refused(String),
    Failed(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn refused(reason: &str) -> Problem {
    Problem::Refused(reason.to_owned())
}

/// Returns the result without the rows of too few entities.
fn without_few(mut table: Table, population: &Population, counted: &Table, entities_min: u64) -> Table {
    let labels = population.labels().collect::<Vec<_>>();
    let mut entities = BTreeMap::<Vec<Option<String>>, u64>::new();
    for row in &counted.rows {
        let (count, label) = row.split_last().map_or((None, &[][..]), |(count, label)| (count.as_ref(), label));
        let count = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        // Of groups that look the same the smallest decides.
        entities.entry(label.to_vec()).and_modify(|known| *known = count.min(*known)).or_insert(count);
    }
    let of_row = |row: &Vec<Option<String>>| {
        let label = labels.iter().map(|place| row.get(*place).cloned().flatten()).collect::<Vec<_>>();
        entities.get(&label).copied().unwrap_or(0)
    };
    let mut few = table.rows.iter().map(|row| of_row(row) < entities_min).collect::<Vec<_>>();
    let mut left_out = entities.values().filter(|count| **count < entities_min).sum::<u64>();
    let is_any = entities.values().any(|count| *count < entities_min);
    let mut others = (0..few.len()).filter(|place| !few[*place]).collect::<Vec<_>>();
    others.sort_by_key(|place| of_row(&table.rows[*place]));
    for place in others {
        if !is_any || left_out >= entities_min {
            break;
        }
        left_out += of_row(&table.rows[place]);
        few[place] = true;
    }
    let before = table.rows.len();
    let mut few = few.into_iter();
    table.rows.retain(|_| !few.next().unwrap_or(true));
    table.suppressed = (before - table.rows.len()) as u64;
    table.more_rows |= table.suppressed > 0;
    table
}
