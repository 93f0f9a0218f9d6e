//! Instruments in the loop: their statements run like any query, and what they find is stated as facts.

use std::io;
use std::sync::Arc;

use super::robustness::Extent;
use super::tools::Look;
use super::{Ending, Exploration};
use crate::finding::results::QueryResult;
use crate::instruments::target::{Asked, Target};
use crate::instruments::{Answered, Conclusion, FALSE_MAX, Instrument, Step, controlled, profile};

/// Observations of a call that are stated as facts.
const STATED_MAX: usize = 6;
/// What does not differ that is stated, where nothing does.
const ALIKE_MAX: usize = 2;
/// Claims of one observation.
const CLAIMS_MAX: usize = 2;

/// The results of statements in their order; of one that gave none, why.
pub(super) type Results = Vec<Result<Arc<QueryResult>, String>>;

/// Profiles the rows, runs the statements of an instrument, and returns what they say. The error is that of `run`.
pub(super) async fn walked<Error>(
    instrument: Instrument,
    target: Target,
    mut run: impl AsyncFnMut(Vec<Step>) -> Result<Results, Error>,
) -> Result<Conclusion, Error> {
    let results = run(vec![profile::step(&target)]).await?;
    let [Ok(profile)] = results.as_slice() else {
        return Ok(Conclusion { unasked: problems(results), ..Conclusion::default() });
    };
    let profile = answered(profile);
    if profile::is_empty(profile) {
        return Ok(Conclusion { is_empty: true, ..Conclusion::default() });
    }
    let target = target.profiled(profile);
    let results = run(instrument.steps(&target)).await?;
    let read = results.iter().map(|result| result.as_deref().ok().map(answered)).collect::<Vec<_>>();
    let conclusion = instrument.conclude(&target, profile, &read);
    Ok(Conclusion { unasked: problems(results), ..conclusion })
}

fn answered(result: &QueryResult) -> Answered<'_> {
    Answered { id: &result.id, table: &result.table }
}

/// Returns why statements gave no result, each reason once in a row.
fn problems(results: Results) -> Vec<String> {
    let mut problems = results.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    problems.dedup();
    problems
}

impl Exploration<'_> {
    /// Asks an instrument. Returns the answer for the model, and an ending if the database is lost.
    pub(super) async fn look(&mut self, instrument: Instrument, look: &Look) -> io::Result<(String, Option<Ending>)> {
        let Look { table, measure, by, condition, days, until } = look;
        let catalog = &self.setup.toolbox.catalog;
        let asked = Asked {
            table,
            measure: measure.as_deref(),
            by,
            condition: condition.as_deref(),
            days: *days,
            until: *until,
        };
        let target = match Target::of(catalog, &asked, self.setup.as_of) {
            Ok(target) => target,
            Err(problem) => return Ok((format!("{}: {problem}", instrument.name()), None)),
        };
        let asked = (self.setup.robustness == Extent::All).then(|| target.clone());
        let (conclusion, ending) = self.concluded(instrument, target).await?;
        self.looks.extend(asked.map(|target| (instrument, target, conclusion.clone())));
        if ending.is_some() {
            return Ok((String::new(), ending));
        }
        // A player that chooses by itself reads what was seen as it is.
        if self.setup.model.is_program() {
            return Ok((serde_json::to_string(&conclusion)?, None));
        }
        self.stated(conclusion).await
    }

    /// Lets an instrument look, and counts what it compares. Returns an ending if the database is lost.
    async fn concluded(&mut self, instrument: Instrument, target: Target) -> io::Result<(Conclusion, Option<Ending>)> {
        let mut ending = None;
        let run = async |steps| {
            let (outcomes, ended) = self.run_steps(steps).await?;
            ending = ended.or(ending.take());
            let result =
                |id: String| self.results.get(&id).map(Arc::clone).ok_or_else(|| "it has no result".to_owned());
            Ok(outcomes.into_iter().map(|outcome| outcome.and_then(result)).collect())
        };
        let conclusion = walked::<io::Error>(instrument, target, run).await?;
        if ending.is_some() {
            return Ok((Conclusion::default(), ending));
        }
        self.compared += conclusion.tested as u64;
        self.observed.extend(conclusion.observations.iter().cloned());
        Ok((conclusion, None))
    }

    /// States what is more than chance. Returns the answer for the model.
    async fn stated(&mut self, conclusion: Conclusion) -> io::Result<(String, Option<Ending>)> {
        let Conclusion { observations, alike, tested, mut lines, unasked, is_empty } = conclusion;
        let kept = controlled(observations.iter().collect(), tested, FALSE_MAX * self.setup.level);
        let first = match () {
            () if is_empty => Some("there is no row to look at".to_owned()),
            () if kept.is_empty() && tested > 0 => {
                Some(format!("nothing beyond chance among {tested} comparison{}", if tested == 1 { "" } else { "s" }))
            }
            () => None,
        };
        // That nothing differs can be a finding too.
        let even = alike.iter().filter(|_| kept.is_empty()).take(ALIKE_MAX);
        let even = even.filter_map(|one| one.claims.first().cloned()).collect::<Vec<_>>();
        let unasked = unasked.iter().map(|problem| format!("not looked at: {problem}"));
        lines.splice(0..0, unasked.chain(first).collect::<Vec<_>>());
        let mut claims = even;
        for observation in kept.into_iter().take(STATED_MAX) {
            let (outcomes, ending) = self.run_steps(observation.statements.clone()).await?;
            if ending.is_some() {
                return Ok((String::new(), ending));
            }
            let ids = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|_| "q0".to_owned()));
            claims.extend(observation.claims_over(&ids.collect::<Vec<_>>()).into_iter().take(CLAIMS_MAX));
            lines.extend(observation.origin());
        }
        let facts = self.facts_of(&claims).await?;
        Ok((format!("{}{facts}", lines.join("\n")), None))
    }
}
