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

/// The results of an instrument's statements, in their order; `None` for one that gave none.
type Results = Vec<Option<Arc<QueryResult>>>;

impl Exploration<'_> {
    /// Asks an instrument. Returns the answer for the model, and an ending if the database is lost.
    pub(super) async fn look(&mut self, instrument: Instrument, look: &Look) -> io::Result<(String, Option<Ending>)> {
        let Look { table, measure, by, condition } = look;
        let catalog = &self.setup.toolbox.catalog;
        let asked = Asked { table, measure: measure.as_deref(), by, condition: condition.as_deref() };
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

    /// Profiles the rows, runs the statements of an instrument, and returns what they say.
    async fn concluded(&mut self, instrument: Instrument, target: Target) -> io::Result<(Conclusion, Option<Ending>)> {
        let (profile, problems, ending) = self.results_of(vec![profile::step(&target)]).await?;
        let [Some(profile)] = profile.as_slice() else {
            return Ok((Conclusion { unasked: problems, ..Conclusion::default() }, ending));
        };
        let profile = Answered { id: &profile.id, table: &profile.table };
        if profile::is_empty(profile) {
            return Ok((Conclusion { is_empty: true, ..Conclusion::default() }, ending));
        }
        let target = target.profiled(profile);
        let (results, problems, ending) = self.results_of(instrument.steps(&target)).await?;
        if ending.is_some() {
            return Ok((Conclusion::default(), ending));
        }
        let answered =
            results.iter().map(|result| result.as_ref().map(|one| Answered { id: &one.id, table: &one.table }));
        let mut conclusion = instrument.conclude(&target, profile, &answered.collect::<Vec<_>>());
        conclusion.unasked = problems;
        self.compared += conclusion.tested as u64;
        self.observed.extend(conclusion.observations.iter().cloned());
        Ok((conclusion, None))
    }

    /// Runs statements. Returns their results in their order, what was wrong with those that gave none, and an ending if the
    /// database is lost.
    async fn results_of(&mut self, steps: Vec<Step>) -> io::Result<(Results, Vec<String>, Option<Ending>)> {
        let (outcomes, ending) = self.run_steps(steps).await?;
        let result = |outcome: &Result<String, String>| self.results.get(outcome.as_ref().ok()?).map(Arc::clone);
        let results = outcomes.iter().map(result).collect();
        let mut problems = outcomes.into_iter().filter_map(Result::err).collect::<Vec<_>>();
        problems.dedup();
        Ok((results, problems, ending))
    }

    /// States what is more than chance. Returns the answer for the model.
    async fn stated(&mut self, conclusion: Conclusion) -> io::Result<(String, Option<Ending>)> {
        let Conclusion { observations, alike, tested, mut lines, unasked, is_empty } = conclusion;
        let kept = controlled(observations.iter().collect(), tested, FALSE_MAX);
        let first = match () {
            () if is_empty => Some("there is no row to look at".to_owned()),
            () if kept.is_empty() && tested > 0 => Some(format!("nothing beyond chance among {tested} comparisons")),
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
        }
        let facts = self.facts_of(&claims).await?;
        Ok((format!("{}{facts}", lines.join("\n")), None))
    }
}
