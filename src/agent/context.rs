//! The conversation that the model sees, and how it is shortened when it grows too long.

use crate::finding::results::{QueryResult, Results};
use crate::model::Message;

/// The length beyond which older results are shortened, without waiting for the model to reject the request: about
/// 100,000 tokens.
const CHARACTERS_MAX: u64 = 400_000;

/// The messages of a run, as the model sees them.
#[derive(Debug)]
pub(super) struct Conversation {
    messages: Vec<Message>,
    /// The number of messages that the journal already contains.
    seen: usize,
    /// The results that are shown in full, the oldest first: the message's index and the result's id.
    in_full: Vec<(usize, String)>,
    /// The number of newest results that the next compaction leaves in full.
    kept: usize,
}

impl Conversation {
    pub(super) fn new(first: String) -> Self {
        Self { messages: vec![Message::User { text: first }], seen: 0, in_full: Vec::new(), kept: 4 }
    }

    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(super) fn push(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Adds a user message.
    pub(super) fn tell(&mut self, text: String) {
        self.push(Message::User { text });
    }

    /// Answers a call with a result, which a compaction may shorten.
    pub(super) fn push_result(&mut self, call_id: String, query: String, text: String) {
        self.in_full.push((self.messages.len(), query));
        self.push(Message::Tool { call_id, text });
    }

    /// Replaces the answers of the newest turn by a notice. Returns the ids of the results among them, or `None` if
    /// there was nothing left to replace.
    pub(super) fn withhold_newest(&mut self) -> Option<Vec<String>> {
        const WITHHELD: &str = "withheld: the provider's content filter refused what stood here; ask for it in another way, \
                                such as counts and codes instead of texts";
        let newest = self.messages.iter().rposition(|message| matches!(message, Message::Assistant { .. }))?;
        let mut changed = false;
        for message in &mut self.messages[newest..] {
            if let Message::Tool { text, .. } = message
                && text != WITHHELD
            {
                WITHHELD.clone_into(text);
                changed = true;
            }
        }
        let withheld = self.in_full.extract_if(.., |(index, _)| *index > newest).map(|(_, query)| query).collect();
        changed.then_some(withheld)
    }

    /// Drops the oldest turn, unless it is also the newest. Returns whether a turn was dropped.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let is_turn = |message: &Message| matches!(message, Message::Assistant { .. });
        let mut turns =
            self.messages.iter().enumerate().filter(|(_, message)| is_turn(message)).map(|(index, _)| index);
        let (Some(oldest), Some(next)) = (turns.next(), turns.next()) else { return false };
        self.messages.drain(oldest..next);
        let dropped = next - oldest;
        self.seen = self.seen.saturating_sub(dropped);
        self.in_full.retain(|(index, _)| *index >= next || *index < oldest);
        self.in_full.iter_mut().filter(|(index, _)| *index >= next).for_each(|(index, _)| *index -= dropped);
        true
    }

    /// Returns the messages since the last call, for the journal. The model's own messages are left out, because the
    /// journal contains its replies already.
    pub(super) fn take_unseen(&mut self) -> Vec<Message> {
        let unseen = self.messages[self.seen..].iter();
        let unseen = unseen.filter(|message| !matches!(message, Message::Assistant { .. })).cloned().collect();
        self.seen = self.messages.len();
        unseen
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.characters() > CHARACTERS_MAX
    }

    /// Returns the length of all messages in bytes.
    pub(super) fn characters(&self) -> u64 {
        let of = |message: &Message| match message {
            Message::User { text } | Message::Tool { text, .. } => text.len(),
            Message::Assistant { text, tool_calls, .. } => {
                text.as_ref().map_or(0, String::len) + tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>()
            }
        };
        self.messages.iter().map(of).sum::<usize>() as u64
    }

    /// Returns the length of all messages in characters.
    pub(super) fn text_length(&self) -> u64 {
        let length = |text: &str| text.chars().count();
        let of = |message: &Message| match message {
            Message::User { text } | Message::Tool { text, .. } => length(text),
            Message::Assistant { text, tool_calls, .. } => {
                let calls = tool_calls.iter().map(|call| length(&call.arguments)).sum::<usize>();
                text.as_deref().map_or(0, length) + calls
            }
        };
        self.messages.iter().map(of).sum::<usize>() as u64
    }

    /// Shortens all but the newest results to one line each, and keeps fewer of them each time. Returns the ids of the
    /// shortened results.
    pub(super) fn compact(&mut self, results: &Results) -> Vec<String> {
        let mut shortened = Vec::new();
        while shortened.is_empty() && !self.in_full.is_empty() {
            let count = self.in_full.len().saturating_sub(self.kept);
            for (index, query) in self.in_full.drain(..count) {
                if let (Some(Message::Tool { text, .. }), Some(result)) =
                    (self.messages.get_mut(index), results.get(&query))
                {
                    *text = one_line(result);
                    shortened.push(query);
                }
            }
            self.kept /= 2;
        }
        shortened
    }
}

/// Returns a result in one line, which says how to see it again.
pub(super) fn one_line(result: &QueryResult) -> String {
    let columns = result.table.columns.iter().map(|column| column.name.as_str()).take(30).collect::<Vec<_>>();
    format!(
        "{id}: {rows} rows of {columns}, which answered: {question} (shortened; execute_sql with sql \"{id}\" shows it again)",
        id = result.id,
        rows = result.table.rows.len(),
        columns = columns.join(", "),
        question = result.question,
    )
}
