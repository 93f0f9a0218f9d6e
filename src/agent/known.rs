//! Findings of earlier runs in the loop: before a model looks, each that is open is measured again, about the days that
//! have come since; and a model can ask what is known.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::Event;
use super::{Ending, Exploration};
use crate::finding::basis::{Asked, Basis, Names};
use crate::finding::fact::Fact;
use crate::finding::matter::Matter;
use crate::instruments::Step;
use crate::typeset::text::line;
use crate::warehouse::sql::Select;

/// The part of a run's queries and time that measuring again may take.
const SHARE: u32 = 5;
/// Queries for a run without a limit on them.
const QUERIES: u32 = 200;
/// Findings that one answer lists.
const LISTED_MAX: usize = 60;
/// Characters of a headline in the list.
const HEADLINE_CHARACTERS: usize = 300;

/// A finding of earlier runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Such as `M12`.
    pub id: String,
    /// What leads, as it was told last.
    pub lead: Fact,
    /// What it rests on.
    pub basis: Basis,
    /// The fact of the basis that leads.
    pub fact: String,
    /// The last day of its data when the statements of the basis were asked.
    pub last_day: Date,
    /// Whether it is measured again.
    pub is_open: bool,
    /// How it stands, in words: `ongoing since 2026-11-02`, `dismissed: known to the team`.
    pub standing: String,
}

/// What came of measuring a finding again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remeasured {
    /// Such as `M12`.
    pub finding: String,
    /// Its lead as it is now; `None` if it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Fact>,
    /// Why it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The arguments of `past_findings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PastFindings {
    /// A word of what is looked for, such as a table, a column or a value; all when left out.
    #[serde(default, alias = "text", alias = "query", alias = "search")]
    pub about: Option<String>,
}

impl Exploration<'_> {
    /// Measures the open findings of earlier runs again, within a part of the budget. Returns an ending if the database is
    /// lost.
    pub(super) async fn remeasure(&mut self) -> io::Result<Option<Ending>> {
        let queries_max = self.setup.budget.queries_max.map_or(QUERIES, |max| max / SHARE);
        let time_max = self.setup.budget.time_max.map_or(Duration::MAX, |max| max / SHARE);
        for known in self.setup.known.iter().filter(|known| known.is_open) {
            let is_spent = self.queries_sent >= queries_max || self.started.elapsed() >= time_max;
            let measured = if is_spent {
                Err(format!("a {SHARE}th of the run's queries or time was used on the findings before it"))
            } else {
                match self.measured(known).await? {
                    (measured, None) => measured,
                    (_, Some(ending)) => return Ok(Some(ending)),
                }
            };
            let (fact, why) = match measured {
                Ok(fact) => (Some(fact), None),
                Err(why) => (None, Some(why)),
            };
            let remeasured = Remeasured { finding: known.id.clone(), fact, why };
            self.remeasured.push(remeasured.clone());
            self.observer.observe(Event::Remeasured(Box::new(remeasured)))?;
        }
        Ok(None)
    }

    /// Measures one finding again. The error says why that cannot be; the ending is of a lost database.
    async fn measured(&mut self, known: &Known) -> io::Result<(Result<Fact, String>, Option<Ending>)> {
        let asked = match self.asked(known).await {
            Ok(asked) => asked,
            Err(why) => return Ok((Err(why), None)),
        };
        let step =
            |one: &Asked| Step { sql: one.sql.clone(), question: format!("{} again: {}", known.id, one.question) };
        let (outcomes, ending) = self.run_steps(asked.iter().map(step).collect()).await?;
        if ending.is_some() {
            return Ok((Err(String::new()), ending));
        }
        let mut names = Names::default();
        for (one, outcome) in asked.iter().zip(outcomes) {
            match outcome {
                Ok(id) => names.insert(&one.id, id),
                Err(why) => return Ok((Err(why), None)),
            }
        }
        for assumption in &known.basis.assumptions {
            if let Ok(made) = self.book.assume(&assumption.given()) {
                names.insert(&assumption.id, made.id);
            }
        }
        let mut lead = Err("nothing is known of its claim".to_owned());
        for claimed in &known.basis.claims {
            let claim = known.basis.readdressed(&claimed.claim, &asked, &names, &self.book);
            let stated = match claim {
                Ok(claim) => self.stated_quietly(&claim).await?,
                Err(why) => Err(why),
            };
            if let Ok(fact) = &stated {
                names.insert(&claimed.fact, fact.id.clone());
            }
            if claimed.fact == known.fact {
                lead = stated;
            }
        }
        Ok((lead.and_then(|fact| same_matter(&known.lead, fact)), None))
    }

    /// Returns the statements of a finding as they are asked now.
    async fn asked(&self, known: &Known) -> Result<Vec<Asked>, String> {
        let mut selects = Vec::new();
        for statement in &known.basis.statements {
            let select = self.setup.toolbox.executor.validate(&statement.sql).await;
            let select = select.map_err(|refusal| format!("its statement is refused now: {refusal}"))?;
            if self.setup.toolbox.executor.names_unknown(&select) {
                return Err("its statement names a token of personal data that this run has not seen".to_owned());
            }
            selects.push(select);
        }
        let last_day = last_day(&selects, self.setup.newest, self.setup.as_of);
        let moved = known.basis.statements.iter().zip(&selects);
        let moved = moved.map(|(statement, select)| statement.moved(select, known.last_day, last_day));
        let asked = moved.collect::<Option<Vec<_>>>().ok_or("the dates of its statement cannot be moved so far")?;
        let bounds = asked.iter().map(|one| one.bounds).sum::<usize>();
        if known.lead.period.is_some() && bounds == 0 && !is_by_period(&known.lead) && known.last_day != last_day {
            return Err("its period is in no date of its statement that can be moved".to_owned());
        }
        Ok(asked)
    }

    /// Returns what is known of earlier runs, a line each, for the model.
    pub(super) fn past_findings(&self, arguments: &PastFindings) -> String {
        let about = arguments.about.as_deref().map(str::to_lowercase).unwrap_or_default();
        let shown = |known: &Known| {
            let now = self.remeasured.iter().find(|one| one.finding == known.id);
            let now = match now.map(|one| (&one.fact, &one.why)) {
                Some((Some(fact), _)) => format!("; now: {}", line(&fact.sentence, HEADLINE_CHARACTERS)),
                Some((None, Some(why))) => format!("; not measured again: {}", line(why, HEADLINE_CHARACTERS)),
                _ => String::new(),
            };
            format!("{} ({}): {}{now}", known.id, known.standing, line(&known.lead.sentence, HEADLINE_CHARACTERS))
        };
        let lines = self.setup.known.iter().map(shown);
        let lines = lines.filter(|line| line.to_lowercase().contains(&about)).collect::<Vec<_>>();
        if lines.is_empty() {
            return "no earlier finding is about that".to_owned();
        }
        let mut text = lines.iter().take(LISTED_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
        if lines.len() > LISTED_MAX {
            let _ = write!(text, "\nand {} more; ask with a word of what you look for", lines.len() - LISTED_MAX);
        }
        text
    }

    /// Tells the model that there are earlier findings.
    pub(super) fn tell_of_known(&mut self) {
        if self.setup.known.is_empty() || self.setup.model.is_program() {
            return;
        }
        let count = self.setup.known.len();
        self.conversation.tell(format!(
            "{count} finding{} of earlier runs {} known and measured again by the program: past_findings lists them. Do not \
             record one of them again unless it changed in a way that its line does not say; look for what is not known.",
            if count == 1 { "" } else { "s" },
            if count == 1 { "is" } else { "are" },
        ));
    }
}

/// Returns the last day of the data that statements read: a day without rows is none that their dates may move to.
pub fn last_day(selects: &[Select], newest: &BTreeMap<String, Date>, as_of: Date) -> Date {
    let tables = selects.iter().flat_map(Select::relations);
    let days = tables.filter_map(|(schema, name)| newest.get(&format!("{schema}.{name}")));
    days.max().map_or(as_of, |day| (*day).min(as_of))
}

/// Returns whether a fact is over periods that its rows are grouped by, which go on by themselves.
fn is_by_period(lead: &Fact) -> bool {
    use crate::finding::fact::Form;
    matches!(lead.form, Form::Trend | Form::Since | Form::Outlier)
}

/// Returns a fact if it is about the same as the lead was.
fn same_matter(lead: &Fact, fact: Fact) -> Result<Fact, String> {
    if Matter::of(lead).is_same(&Matter::of(&fact)) {
        return Ok(fact);
    }
    Err("its statement means something else now: a definition, the metadata or a table changed".to_owned())
}
