//! The null twin of a run: the instruments look once more, at data of which each column is in an order of its own. What they
//! find there is chance.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::agent::Exploration;
use crate::agent::instruments::{Results, walked};
use crate::finding::results::QueryResult;
use crate::finding::robustness::FALSE_MAX;
use crate::instruments::target::{Measure, Target};
use crate::instruments::{Conclusion, Instrument, Observation, Step, controlled};

/// The seed of the shuffled orders. It is fixed, so that a run gives the same twice.
const SEED: u32 = 20_251;
/// Rows of a table above which it is not shuffled.
const ROWS_MAX: u64 = 200_000;

/// What instruments found in shuffled data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shuffled {
    /// How often an instrument looked at a table.
    pub looks: usize,
    /// The comparisons that were made.
    pub comparisons: usize,
    /// Those that seem more than chance, at the level of the run.
    pub found: usize,
    /// Those that seem more than chance in the data as they are.
    pub found_as_they_are: usize,
    /// The tables that were not shuffled, with the reason.
    pub left_out: BTreeMap<String, String>,
}

impl Shuffled {
    /// Returns what a reader is told.
    pub fn sentence(&self) -> String {
        let left_out = self.left_out.iter().map(|(table, why)| format!("; {table} was not shuffled: {why}"));
        format!(
            "On shuffled data the same {} looks found {} of {} comparisons to be more than chance; on the data as they are, \
             {}{}.",
            self.looks,
            self.found,
            self.comparisons,
            self.found_as_they_are,
            left_out.collect::<String>()
        )
    }
}

/// What was compared, and what may be more than chance.
#[derive(Default)]
struct Compared {
    tested: usize,
    observations: Vec<Observation>,
}

impl Compared {
    fn add(&mut self, target: &Target, conclusion: Conclusion) {
        self.tested += conclusion.tested;
        let is_chance = |one: &Observation| is_decided_by_chance(target, one);
        self.observations.extend(conclusion.observations.into_iter().filter(is_chance));
    }

    fn found(&self) -> usize {
        controlled(self.observations.iter().collect(), self.tested, FALSE_MAX).len()
    }
}

/// Returns whether chance decides a comparison over shuffled columns: of whom or what it is, and how it moves, but not how
/// many rows there are of each, nor how many in all.
fn is_decided_by_chance(target: &Target, one: &Observation) -> bool {
    let is_total = |measure: &Measure| measure.name() == one.measure && measure.is_total();
    match one.instrument {
        Instrument::Compare => !one.is_of_rows(),
        Instrument::Trend | Instrument::Change => !(one.segment.is_empty() && target.measures.iter().any(is_total)),
        Instrument::Relate | Instrument::Silent => true,
        Instrument::Profile
        | Instrument::Backlog
        | Instrument::Concentration
        | Instrument::Retention
        | Instrument::Funnel
        | Instrument::Season => false,
    }
}

impl Exploration<'_> {
    /// Lets the instruments look at shuffled data, as often as they looked at the data as they are.
    pub(in crate::agent) async fn look_at_shuffled(&self) -> Shuffled {
        let mut shuffled = Shuffled::default();
        let (mut as_they_are, mut compared) = (Compared::default(), Compared::default());
        for (instrument, target, seen) in
            self.looks.iter().filter(|(instrument, ..)| *instrument != Instrument::Profile)
        {
            let run = async |steps| self.results_of(steps).await;
            let conclusion = match target.rows_estimate {
                Some(rows) if rows > ROWS_MAX => Err(format!("it has more than {ROWS_MAX} rows")),
                _ => walked(*instrument, target.shuffled(SEED), run).await,
            };
            match conclusion {
                Ok(conclusion) => {
                    shuffled.looks += 1;
                    compared.add(target, conclusion);
                    as_they_are.add(target, seen.clone());
                }
                Err(why) => {
                    shuffled.left_out.entry(target.table.clone()).or_insert(why);
                }
            }
        }
        (shuffled.comparisons, shuffled.found) = (compared.tested, compared.found());
        Shuffled { found_as_they_are: as_they_are.found(), ..shuffled }
    }

    /// Runs statements that nothing is told of. The error says why one gave no result.
    async fn results_of(&self, steps: Vec<Step>) -> Result<Results, String> {
        let (executor, time_left) = (&self.setup.toolbox.executor, self.time_left_to_look());
        let asked = steps.into_iter().map(async |Step { question, sql }| {
            let (select, table) = executor.answer(&sql, time_left).await?;
            Ok(Ok(Arc::new(QueryResult::new("q0".to_owned(), question, &select, table, 0))))
        });
        join_all(asked).await.into_iter().collect()
    }
}
