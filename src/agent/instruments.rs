//! Instruments in the loop: their statements run like any query, and what they find is stated as facts.

use std::io;
use std::sync::Arc;

use super::tools::Compare;
use super::{Ending, Exploration};
use crate::instruments::target::Target;
use crate::instruments::{Answered, compare};

impl Exploration<'_> {
    /// Compares groups. Returns the answer for the model, and an ending if the database is lost.
    pub(super) async fn compare(&mut self, arguments: &Compare) -> io::Result<(String, Option<Ending>)> {
        let Compare { table, measure, by, condition } = arguments;
        let catalog = &self.setup.toolbox.catalog;
        let target = match Target::of(catalog, table, measure.as_deref(), by, condition.as_deref()) {
            Ok(target) => target,
            Err(problem) => return Ok((format!("compare: {problem}"), None)),
        };
        let (outcomes, ending) = self.run_steps(compare::steps(&target)).await?;
        if ending.is_some() {
            return Ok((String::new(), ending));
        }
        let results = outcomes.iter().map(|outcome| self.results.get(outcome.as_ref().ok()?).map(Arc::clone));
        let results = results.collect::<Vec<_>>();
        let answered = results.iter().map(|result| {
            let result = result.as_ref()?;
            Some(Answered { id: &result.id, table: &result.table })
        });
        let conclusion = compare::conclude(&target, &answered.collect::<Vec<_>>());
        let problems = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        let mut lines = problems.map(|problem| format!("not compared: {problem}")).collect::<Vec<_>>();
        if conclusion.lines.is_empty() && lines.is_empty() {
            lines.push("nothing could be compared: no column has two groups with enough rows".to_owned());
        }
        lines.extend(conclusion.lines);
        let facts = self.facts_of(&conclusion.claims).await?;
        Ok((format!("{}{facts}", lines.join("\n")), None))
    }
}
