//! Ends the run of a model that calls no tools. A reminder may help such a model; without a limit it would only cost.

use crate::model::{Reply, ReplyEnd};

/// The number of complete replies with text and without a call, since the last call, at which a run ends.
const SAID_MAX: u32 = 3;

/// The number of replies without a call, since the last call, at which a run ends. It includes empty, withheld and
/// truncated replies.
const TURNS_MAX: u32 = 5;

/// The error that ends such a run, with its remedy.
pub(super) const WHAT_TO_DO: &str = "the model called no tool in several turns in a row, and text outside a tool call is not recorded: \
    use a model that can call tools, or let its server pass tool calls on (vLLM needs --enable-auto-tool-choice and \
    --tool-call-parser, llama.cpp needs --jinja); `explore doctor` checks whether it does";

/// The replies without a call since the last call.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    turns: u32,
    said: u32,
}

impl Idleness {
    /// Counts a reply. Returns whether it ends the run.
    pub(super) fn heed(&mut self, reply: &Reply) -> bool {
        if !reply.tool_calls.is_empty() {
            *self = Self::default();
            return false;
        }
        let is_said = reply.text.as_deref().is_some_and(|text| !text.trim().is_empty());
        self.turns += 1;
        self.said += u32::from(is_said && reply.end == ReplyEnd::Complete);
        self.said >= SAID_MAX || self.turns >= TURNS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ToolCall;

    fn reply(text: &str, calls: usize) -> Reply {
        let call = ToolCall { id: "a".into(), name: "finish".into(), arguments: "{}".into() };
        let tool_calls = vec![call; calls];
        Reply { text: Some(text.into()), tool_calls, end: ReplyEnd::Complete, usage: None, carried: None }
    }

    fn check(replies: &[(&str, usize)], expected: bool) {
        let mut idleness = Idleness::default();
        let ends: Vec<bool> = replies.iter().map(|(text, calls)| idleness.heed(&reply(text, *calls))).collect();
        let (last, earlier) = ends.split_last().unwrap();
        assert!(*last == expected && !earlier.contains(&true), "{replies:?}: {ends:?}");
    }

    #[test]
    fn three_turns_of_talk_are_too_many_and_five_of_nothing() {
        check(&[("a", 0), ("b", 0), ("c", 0)], true);
        check(&[("a", 0), ("b", 0), ("c", 1), ("d", 0), ("e", 0)], false);
        check(&[("", 0), ("", 0), ("", 0), ("", 0)], false);
        check(&[("", 0), ("", 0), ("", 0), ("", 0), (" ", 0)], true);
        check(&[("a", 0), ("", 0), ("b", 0), ("", 0)], false);
    }
}
