//! Runs the tool calls of one turn: queries concurrently, then findings, then `finish`.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::journal::{Event, StopReason};
use super::tools::{Call, ExecuteSql, Failure, Ran, notes};
use super::{Ending, Exploration, milliseconds};
use crate::finding::record;
use crate::finding::results::QueryResult;
use crate::finding::workbook::Sheet;
use crate::instruments::Step;
use crate::model::{Reply, ReplyEnd, ToolCall};
use crate::warehouse::lineage;
use crate::warehouse::sql::Select;

/// The number of calls of a model that run in one turn. Further calls are answered with an error.
const CALLS_MAX: usize = 16;

/// The answer to a call, or the query that will produce it.
enum Answer {
    Text(String),
    /// A result, which a compaction may shorten.
    Result {
        query: String,
        text: String,
    },
    /// A query that has not been sent yet.
    Query(Box<Query>),
}

/// A validated query that is ready to be sent.
struct Query {
    id: String,
    sql: String,
    question: String,
    select: Select,
}

impl Exploration<'_> {
    /// Runs the calls of a reply and adds the answers to the conversation. Returns `Some` if the run ends.
    pub(super) async fn act(&mut self, reply: Reply, last: bool) -> io::Result<Option<Ending>> {
        if let Some(nudge) = nudge(&reply) {
            self.conversation.tell(nudge.to_owned());
        }
        let calls = reply.tool_calls.iter().map(|call| (call, Call::parse(call))).collect::<Vec<_>>();
        let mut answers = Vec::with_capacity(calls.len());
        let calls_max = if self.setup.model.is_program() { usize::MAX } else { CALLS_MAX };
        for (index, (_, parsed)) in calls.iter().enumerate() {
            answers.push(if index < calls_max {
                self.begin_call(parsed, last).await?
            } else {
                Some(Answer::Text(format!("tool: only {CALLS_MAX} calls are run in one turn; call it again")))
            });
        }
        if let Some(ending) = self.run_queries(&mut answers).await? {
            return Ok(Some(ending));
        }
        if let Some(ending) = self.run_instruments(&calls, &mut answers).await? {
            return Ok(Some(ending));
        }
        self.state_claims(&calls, &mut answers).await?;
        let refused = self.record_findings(&calls, &mut answers).await?;
        let ending = self.finish(&calls, &mut answers, refused, last).await?;
        for ((call, _), answer) in calls.iter().zip(answers) {
            self.answer(call, answer);
        }
        Ok(ending)
    }

    /// Answers the calls that need no query, and plans the queries of the others. Returns `None` for calls that run
    /// later in the turn.
    async fn begin_call(&mut self, call: &Result<Call, String>, last: bool) -> io::Result<Option<Answer>> {
        let look = |what: &str| Answer::Text(format!("limit: {what} is over; record what is proven, then call finish"));
        Ok(match call {
            Err(problem) => Some(Answer::Text(problem.clone())),
            Ok(Call::ExecuteSql(_) | Call::DescribeTable(_) | Call::FindValues(_) | Call::Look(..)) if last => {
                Some(look("looking"))
            }
            Ok(Call::State(_) | Call::Assume(_) | Call::Propose(_) | Call::Finish(_) | Call::Look(..)) => None,
            Ok(Call::PastFindings(arguments)) => Some(Answer::Text(self.past_findings(arguments))),
            Ok(Call::DescribeTable(arguments)) => Some(Answer::Text(self.setup.toolbox.describe_table(arguments))),
            Ok(Call::ExecuteSql(arguments)) => Some(self.plan_query(arguments).await?),
            Ok(Call::FindValues(arguments)) => Some(match self.setup.toolbox.find_values_sql(arguments) {
                Ok(sql) => {
                    let question = format!("which columns contain {:?}", arguments.text);
                    self.plan_query(&ExecuteSql { sql, question }).await?
                }
                Err(problem) => Answer::Text(problem),
            }),
        })
    }

    /// Plans a query. Returns an answer instead if the result is known, the query is refused, or no queries are left.
    async fn plan_query(&mut self, arguments: &ExecuteSql) -> io::Result<Answer> {
        if let Some(result) = self.results.get(arguments.sql.trim()) {
            return Ok(self.show_again(&Arc::clone(result), ""));
        }
        let select = match self.setup.toolbox.executor.validate(&arguments.sql).await {
            Ok(select) => select,
            Err(refusal) => {
                let message = refusal.to_string();
                let sql = arguments.sql.clone();
                self.observer.observe(Event::QueryFailed { id: None, sql, message: message.clone() })?;
                return Ok(Answer::Text(message));
            }
        };
        if let Some(objection) = notes::bare_user(&select, &self.setup.toolbox.catalog) {
            let (sql, message) = (arguments.sql.clone(), objection.clone());
            self.observer.observe(Event::QueryFailed { id: None, sql, message })?;
            return Ok(Answer::Text(objection));
        }
        let fingerprint = select.fingerprint();
        if let Some(id) = self.answered.get(&fingerprint) {
            return Ok(match self.results.get(id) {
                Some(result) => {
                    self.show_again(&Arc::clone(result), " (the same query ran before; this is its result)")
                }
                None => Answer::Text(format!("repeated: this is the query of {id}; see there")),
            });
        }
        if !self.setup.budget.allows_query(self.queries_sent) {
            let refused = Some(arguments.sql.clone());
            self.observer.observe(Event::LimitReached { limit: StopReason::QueryLimit, refused })?;
            return Ok(Answer::Text("limit: no queries are left; record what is proven, then call finish".to_owned()));
        }
        self.queries_sent += 1;
        let id = format!("q{}", self.queries_sent);
        self.answered.insert(fingerprint, id.clone());
        let (sql, question) = (arguments.sql.clone(), arguments.question.clone());
        let tables = Some(select.relations().iter().map(|(schema, name)| format!("{schema}.{name}")).collect());
        let begun = Event::QueryStarted { id: id.clone(), sql: sql.clone(), question: question.clone(), tables };
        self.observer.observe(begun)?;
        Ok(Answer::Query(Box::new(Query { id, sql, question, select })))
    }

    /// Sends the planned queries, and adds to their answers what can be stated of the results. Returns `Some` if the
    /// database is lost.
    async fn run_queries(&mut self, answers: &mut [Option<Answer>]) -> io::Result<Option<Ending>> {
        let (kept, ending) = self.send_queries(answers).await?;
        if ending.is_none() && !self.setup.model.is_program() {
            self.count_comparisons(&kept);
            self.add_offers(&kept, answers).await?;
        }
        Ok(ending)
    }

    /// Sends the planned queries concurrently and keeps their results. Returns the ids of the results, and an ending if the
    /// database is lost.
    async fn send_queries(&mut self, answers: &mut [Option<Answer>]) -> io::Result<(Vec<String>, Option<Ending>)> {
        let (toolbox, time_left) = (self.setup.toolbox, self.time_left_to_look());
        let run = async |query: &Query| {
            let started = Instant::now();
            (toolbox.run(&query.select, time_left).await, milliseconds(started.elapsed()))
        };
        let mut planned =
            answers.iter_mut().filter(|answer| matches!(answer, Some(Answer::Query(_)))).collect::<Vec<_>>();
        let running = planned.iter().filter_map(|answer| match answer {
            Some(Answer::Query(query)) => Some(run(query)),
            _ => None,
        });
        let outcomes = join_all(running.collect::<Vec<_>>()).await;
        let (mut ending, mut kept) = (None, Vec::new());
        for (answer, (outcome, elapsed_milliseconds)) in planned.iter_mut().zip(outcomes) {
            let Some(Answer::Query(query)) = answer.take() else { continue };
            match outcome {
                Ok(ran) => {
                    kept.push(query.id.clone());
                    **answer = Some(self.keep(*query, ran, elapsed_milliseconds)?);
                }
                Err(Failure::Told(message)) => {
                    let advice = notes::on_error(&query.sql, &message).unwrap_or_default();
                    let message = format!("{message}{advice}");
                    self.answered.retain(|_, id| *id != query.id);
                    **answer = Some(Answer::Text(message.clone()));
                    self.observer.observe(Event::QueryFailed { id: Some(query.id), sql: query.sql, message })?;
                }
                Err(Failure::Fatal(error)) => {
                    let (sql, message) = (query.sql, error.to_string());
                    self.observer.observe(Event::QueryFailed { id: Some(query.id), sql, message })?;
                    ending = ending.or_else(|| Some(Ending::failed(StopReason::DatabaseLost, &error)));
                }
            }
        }
        Ok((kept, ending))
    }

    /// Runs the instruments that the turn calls, one after another. Returns `Some` if the database is lost.
    async fn run_instruments(
        &mut self,
        calls: &[(&ToolCall, Result<Call, String>)],
        answers: &mut [Option<Answer>],
    ) -> io::Result<Option<Ending>> {
        let of = calls.iter().filter(|(_, parsed)| matches!(parsed, Ok(Call::Look(..)))).count();
        let mut place = 0;
        for ((_, parsed), answer) in calls.iter().zip(answers) {
            if let (Ok(Call::Look(instrument, look)), None) = (parsed, &answer) {
                place += 1;
                let (table, by) = (look.table.clone(), look.by.clone());
                let instrument_name = instrument.name().to_owned();
                self.observer.observe(Event::Looking { instrument: instrument_name, table, by, place, of })?;
                let (text, ending) = self.look(*instrument, look).await?;
                if ending.is_some() {
                    return Ok(ending);
                }
                *answer = Some(Answer::Text(text));
            }
        }
        Ok(None)
    }

    /// Runs the statements of an instrument like queries of the model. Returns the ids of their results, or why there is
    /// none, and an ending if the database is lost.
    pub(super) async fn run_steps(
        &mut self,
        steps: Vec<Step>,
    ) -> io::Result<(Vec<Result<String, String>>, Option<Ending>)> {
        let mut answers = Vec::new();
        for Step { sql, question } in steps {
            answers.push(Some(self.plan_query(&ExecuteSql { sql, question }).await?));
        }
        let (_, ending) = self.send_queries(&mut answers).await?;
        let outcome = |answer| match answer {
            Some(Answer::Result { query, .. }) => Ok(query),
            Some(Answer::Text(problem)) => Err(problem),
            Some(Answer::Query(_)) | None => Err("it was not run".to_owned()),
        };
        Ok((answers.into_iter().map(outcome).collect(), ending))
    }

    /// Adds to the answers with new results what can be stated of them.
    async fn add_offers(&mut self, kept: &[String], answers: &mut [Option<Answer>]) -> io::Result<()> {
        for answer in answers.iter_mut().flatten() {
            if let Answer::Result { query, text } = answer
                && kept.contains(query)
            {
                text.push_str(&self.offers(query).await?);
            }
        }
        Ok(())
    }

    /// Keeps the assumptions of the turn, and words the claims of its `state` calls.
    async fn state_claims(
        &mut self,
        calls: &[(&ToolCall, Result<Call, String>)],
        answers: &mut [Option<Answer>],
    ) -> io::Result<()> {
        // An assumption comes first, so that claims of the same turn can name it.
        for ((_, parsed), answer) in calls.iter().zip(answers.iter_mut()) {
            if let (Ok(Call::Assume(arguments)), None) = (parsed, &answer) {
                *answer = Some(Answer::Text(self.assume(arguments)?));
            }
        }
        for ((_, parsed), answer) in calls.iter().zip(answers) {
            if let (Ok(Call::State(arguments)), None) = (parsed, &answer) {
                *answer = Some(Answer::Text(self.state(arguments).await?));
            }
        }
        Ok(())
    }

    fn keep(&mut self, query: Query, ran: Ran, elapsed_milliseconds: u64) -> io::Result<Answer> {
        let Query { id, question, select, .. } = query;
        if let Some(plan) = ran.plan {
            self.observer.observe(Event::Planned { id: id.clone(), plan })?;
        }
        let result = Arc::new(QueryResult::new(id, question, &select, ran.table, elapsed_milliseconds));
        self.observer.observe(Event::Queried((*result).clone()))?;
        self.results.push(Arc::clone(&result));
        let lineage = lineage::of(&select, &self.setup.toolbox.catalog);
        let note = notes::on_result(&result, &lineage, &self.setup.toolbox.catalog);
        self.book.push(Sheet::new(Arc::clone(&result), lineage));
        let note = note.map(|note| format!("\n{note}")).unwrap_or_default();
        Ok(self.show(&result, "", &note))
    }

    fn show(&self, result: &QueryResult, head: &str, tail: &str) -> Answer {
        let table = result.table.render(self.setup.toolbox.bounds);
        Answer::Result { query: result.id.clone(), text: format!("{}{head}\n{table}{tail}", result.id) }
    }

    /// Shows a result once more, with the facts that were stated of it.
    fn show_again(&self, result: &QueryResult, head: &str) -> Answer {
        self.show(result, head, &self.stated_of(&result.id))
    }

    /// Checks and records the findings of a turn. Returns whether any was refused.
    async fn record_findings(
        &mut self,
        calls: &[(&ToolCall, Result<Call, String>)],
        answers: &mut [Option<Answer>],
    ) -> io::Result<bool> {
        let mut refused = false;
        for ((call, parsed), answer) in calls.iter().zip(answers) {
            match parsed {
                Ok(Call::Propose(proposal)) if answer.is_none() => {
                    let (text, accepted) = self.propose(proposal, &call.arguments).await?;
                    refused |= !accepted;
                    *answer = Some(Answer::Text(text));
                }
                Err(problem) if Call::tool(&call.name) == "record_finding" => {
                    refused = true;
                    let (arguments, problems) = (call.arguments.clone(), vec![problem.clone()]);
                    self.observer.observe(Event::FindingRefused { arguments, problems })?;
                }
                _ => {}
            }
        }
        Ok(refused)
    }

    /// Returns the end of the run if the model calls `finish` and there is no objection.
    async fn finish(
        &mut self,
        calls: &[(&ToolCall, Result<Call, String>)],
        answers: &mut [Option<Answer>],
        refused: bool,
        last: bool,
    ) -> io::Result<Option<Ending>> {
        let call = calls.iter().position(|(_, parsed)| matches!(parsed, Ok(Call::Finish(_))));
        let Some((index, Ok(Call::Finish(arguments)))) = call.map(|index| (index, &calls[index].1)) else {
            return Ok(None);
        };
        let (answered, problems) = self.answers(&arguments.answers).await?;
        if !last && let Some(objection) = self.objection(refused, &problems) {
            answers[index] = Some(Answer::Text(objection));
            return Ok(None);
        }
        let looked_at = arguments.looked_at.iter().filter(|line| !record::states_figures(line)).cloned().collect();
        Ok(Some(Ending { reason: StopReason::Finished, detail: None, looked_at, answers: answered }))
    }

    /// Returns the objection to finishing now. Except for a refused finding, a run objects at most once.
    fn objection(&mut self, refused: bool, problems: &[String]) -> Option<String> {
        if refused {
            return Some(
                "not finished: a finding of this turn was refused; repair it, or call finish again".to_owned(),
            );
        }
        if std::mem::replace(&mut self.finish_refused, true) {
            return None;
        }
        if self.results.iter().next().is_none() && self.setup.given.is_empty() {
            return Some("not finished: no query has given a result yet; look first, or call finish again".to_owned());
        }
        if !problems.is_empty() {
            return Some(format!("not finished:\n- {}\nrepair it, or call finish again", problems.join("\n- ")));
        }
        None
    }

    fn answer(&mut self, call: &ToolCall, answer: Option<Answer>) {
        let id = call.id.clone();
        match answer {
            Some(Answer::Result { query, text }) => self.conversation.push_result(id, query, text),
            Some(Answer::Text(text)) => self.conversation.push(crate::model::Message::Tool { call_id: id, text }),
            Some(Answer::Query(_)) | None => {
                let text = "finished".to_owned();
                self.conversation.push(crate::model::Message::Tool { call_id: id, text });
            }
        }
    }
}

/// Returns a reminder for a reply without a call, or `None` if the reply has one.
fn nudge(reply: &Reply) -> Option<&'static str> {
    match (reply.end, reply.tool_calls.is_empty(), reply.text.as_deref().map(str::trim)) {
        (ReplyEnd::Filtered, true, _) => Some("Your reply was withheld by the provider. Go on with another question."),
        (ReplyEnd::CutOff, true, _) => Some("Your reply was cut off at its length limit. Be brief, and call one tool."),
        (_, false, _) => None,
        (ReplyEnd::Complete, true, None | Some("")) => {
            Some("Your reply was empty. Call a tool: execute_sql to look, record_finding to record, finish to end.")
        }
        (ReplyEnd::Complete, true, Some(_)) => Some(
            "Nothing of this is recorded, because it calls no tool. Call record_finding for a finding (its JSON alone is \
             not a call), execute_sql to look further, or finish to end.",
        ),
    }
}
