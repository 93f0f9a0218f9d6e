//! Hands a run from one model to the next: what the one leaves open, and only that, the other is asked.
//!
//! The next model gets a conversation of its own, because it would pay for the other's, and because what a provider wants
//! carried is of no use to another model. Results, facts and findings stay as they are, under their ids.

use std::io;
use std::time::Duration;

use super::journal::{Answered, Event, ModelPart, PartEnd, Question, StopReason};
use super::prompt::fenced;
use super::{Counts, Ending, Exploration, Idleness, Priced, context, facts};
use crate::agent::context::Conversation;
use crate::typeset::text::line;

/// Characters of the facts, the results and the findings that the next model is told of, each.
const KNOWN_CHARACTERS_MAX: usize = 8_000;
/// Characters of one line of them.
const LINE_CHARACTERS_MAX: usize = 400;

impl Exploration<'_> {
    /// Hands over to the next model if the run can go on and questions are open. Returns whether it did.
    pub(super) fn hand_over(&mut self, ending: &Ending) -> io::Result<bool> {
        let open = open(&self.answers);
        let is_over = ending.reason == StopReason::DatabaseLost || self.reached(&self.setup.budget).is_some();
        let Some((next, rest)) = self.setup.successors.split_first().filter(|_| !is_over && !open.is_empty()) else {
            return Ok(false);
        };
        let why = self.end_part(ending.reason);
        let Some(from) = self.parts.last().cloned() else { return Ok(false) };
        let to = next.model.name().to_owned();
        if why == PartEnd::Failed {
            let detail = ending.detail.as_deref().unwrap_or("it gave no answer");
            let message = format!("{} failed, and its questions went to {to}: {detail}", from.model);
            self.observer.observe(Event::Warned { message })?;
        }
        let questions = open.iter().map(|question| question.number).collect();
        self.observer.observe(Event::HandedOver { from: Box::new(from), to, questions })?;
        (self.setup.model, self.setup.price, self.setup.successors) = (next.model, next.price, rest);
        self.begin_part(open);
        self.conversation = Conversation::new(without(&self.setup.briefing.first, &self.answers));
        self.conversation.tell(self.inheritance());
        Ok(true)
    }

    /// Begins the part of the model that is asked now.
    pub(super) fn begin_part(&mut self, open: Vec<Question>) {
        let Priced { model, price } = self.setup.player();
        self.parts.push(ModelPart::new(model.name(), &open, price));
        self.open = open;
        let done = self.parts.len();
        self.share = self.setup.budget.share(done, done + self.setup.successors.len());
        (self.warned_of, self.finish_refused, self.share_used) = (Vec::new(), false, None);
        (self.idleness, self.counts) = (Idleness::default(), Counts::default());
    }

    /// Ends the part of the model that was asked last.
    fn end_part(&mut self, reason: StopReason) -> PartEnd {
        let end = match reason {
            StopReason::ModelFailed => PartEnd::Failed,
            _ if self.share_used.is_some() => PartEnd::ShareUsed,
            StopReason::Finished => PartEnd::Finished,
            StopReason::IterationLimit
            | StopReason::QueryLimit
            | StopReason::TokenLimit
            | StopReason::CostLimit
            | StopReason::DayCostLimit
            | StopReason::MonthCostLimit
            | StopReason::TimeLimit
            | StopReason::Interrupted
            | StopReason::DatabaseLost
            | StopReason::Unfinished => PartEnd::RunEnded,
        };
        if let Some(part) = self.parts.last_mut() {
            part.ending = Some(end);
        }
        end
    }

    /// Returns the parts of all models of a run that ends for `reason`; none if there is only one model.
    pub(super) fn end_parts(&mut self, reason: StopReason) -> Vec<ModelPart> {
        self.end_part(reason);
        let why = if open(&self.answers).is_empty() { PartEnd::NothingOpen } else { PartEnd::NotReached };
        let unasked = self.setup.successors.iter().map(|next| ModelPart::unasked(next.model.name(), why));
        self.parts.extend(unasked);
        if self.parts.len() > 1 { std::mem::take(&mut self.parts) } else { Vec::new() }
    }

    /// Keeps what a model answers. An answer without a fact takes the place of no answer with one.
    pub(super) fn keep_answers(&mut self, given: Vec<Answered>) {
        for answer in given {
            let is_said = answer.not_answerable.is_some() || answer.reading.is_some();
            let own = self.answers.iter_mut().find(|own| own.question == answer.question);
            if let Some(own) = own.filter(|own| !answer.facts.is_empty() || (is_said && own.facts.is_empty())) {
                *own = answer;
            }
        }
    }

    /// Returns the time that a reply may take. The last turn of the last model may use all that is left of the run.
    pub(super) fn patience(&self, last: bool) -> Duration {
        match (last, self.share.time_max) {
            (false, _) => self.time_left_to_look(),
            (true, Some(time)) if self.share_used.is_some() => {
                time.saturating_sub(self.started.elapsed()).max(self.share.last_turn_time())
            }
            (true, _) => Duration::MAX,
        }
    }

    /// Returns what a model is told that goes on where others ended.
    fn inheritance(&self) -> String {
        let asked = self.open.iter().map(|question| {
            let own = self.answers.iter().find(|own| own.question == question.number);
            let why = own.and_then(|own| own.not_answerable.as_deref());
            let why = why.map(|why| format!(" (said before: not answerable, {})", line(why, LINE_CHARACTERS_MAX)));
            format!("{}. {}{}", question.number, question.text, why.unwrap_or_default())
        });
        let asked = asked.collect::<Vec<_>>().join("\n");
        let results = self.results.iter().map(|result| context::one_line(result)).collect::<Vec<_>>();
        let facts = self.book.facts().iter().map(facts::line).collect::<Vec<_>>();
        let findings = self.findings.iter().map(|finding| format!("{}: {}", finding.id, finding.headline()));
        let findings = findings.collect::<Vec<_>>();
        let known = [("Results", results), ("Facts", facts), ("Findings that are recorded", findings)];
        let known = known.into_iter().map(|(title, lines)| newest(title, &lines)).collect::<String>();
        let left = self.setup.budget.left(&self.totals(), &self.spent, self.started.elapsed()).describe();
        format!(
            "Another model looked before you and has ended. Only these questions are yours, under their numbers:\n{asked}\n\n\
             What is known already. Name facts and results by their ids; do not ask or record the same again.\n\
             <data kind=\"what is known\">\n{}</data>\n\nLeft of the limits: {left}.",
            fenced(&known)
        )
    }
}

/// Returns the questions that no fact answers, or that were said not to be answerable.
pub(super) fn open(answers: &[Answered]) -> Vec<Question> {
    let is_open = |own: &&Answered| own.facts.is_empty() || own.not_answerable.is_some();
    let question = |own: &Answered| Question { number: own.question, text: own.text.clone() };
    answers.iter().filter(is_open).map(question).collect()
}

/// Returns the first message without the questions that are answered.
fn without(first: &str, answers: &[Answered]) -> String {
    let open = open(answers);
    let is_answered = |own: &&Answered| !open.iter().any(|question| question.number == own.question);
    let answered = answers.iter().filter(is_answered);
    answered.fold(first.to_owned(), |text, own| text.replace(&own.text, "(answered already)"))
}

/// Returns the newest lines that there is room for, under a title; an empty text if there are none.
fn newest(title: &str, lines: &[String]) -> String {
    let mut room = KNOWN_CHARACTERS_MAX;
    let mut kept = Vec::new();
    for text in lines.iter().rev() {
        let text = line(text, LINE_CHARACTERS_MAX);
        let Some(left) = room.checked_sub(text.chars().count()) else { break };
        room = left;
        kept.push(text);
    }
    kept.reverse();
    let more = lines.len() - kept.len();
    let more = if more > 0 { format!(" (the newest; {more} earlier ones are left out)") } else { String::new() };
    if lines.is_empty() { String::new() } else { format!("{title}{more}:\n{}\n", kept.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_within_its_room_the_newest_first() {
        assert_eq!(newest("Facts", &[]), "");
        assert_eq!(newest("Facts", &["f1 a".to_owned(), "f2 b".to_owned()]), "Facts:\nf1 a\nf2 b\n");
        let many = (1..=100).map(|number| format!("f{number} {}", "a".repeat(300))).collect::<Vec<_>>();
        let text = newest("Facts", &many);
        assert!(text.starts_with("Facts (the newest; 74 earlier ones are left out):\nf75 "), "{text}");
    }

    #[test]
    fn answered_questions_are_taken_out_of_the_first_message() {
        let answered = |question, text: &str, why: Option<&str>| Answered {
            question,
            text: text.to_owned(),
            facts: Vec::new(),
            reading: None,
            not_answerable: why.map(str::to_owned),
        };
        let answers = [answered(1, "Who left?", None), answered(2, "Since when?", Some("no dates"))];
        assert_eq!(open(&answers).len(), 2);
        assert_eq!(
            without("Who left?\n1. Who left?\n2. Since when?", &answers),
            "Who left?\n1. Who left?\n2. Since when?"
        );
    }
}
