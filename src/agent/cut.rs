//! A prompt that the model's server cut without saying so, as Ollama does with what is too long for its context: its own
//! count of tokens tells.

use crate::model::Usage;

/// More characters for a token than any text has.
const CHARACTERS_FOR_TOKEN_MAX: u64 = 7;

/// The same where the count is a size that contexts have, which by chance it hardly ever is.
const CHARACTERS_FOR_TOKEN_OF_CONTEXT_MAX: u64 = 3;

/// A conversation that grew by this many characters has more tokens than it had.
const GROWTH_CHARACTERS: u64 = 4_000;

/// What was sent, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) text: u64,
    /// The tools as JSON, which servers write in fewer words.
    pub(super) tools: u64,
}

/// What the server counted so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    is_told: bool,
    /// The tokens of the prompt that had most, and its characters.
    most: Option<(u64, u64)>,
}

impl Counts {
    /// Takes note of a count; the warning that it gives rise to, the first time.
    pub(super) fn heed(&mut self, usage: &Usage, sent: Sent) -> Option<String> {
        // Some count what they had cached apart.
        let tokens = if usage.cached_tokens > usage.input_tokens {
            usage.input_tokens + usage.cached_tokens
        } else {
            usage.input_tokens
        };
        let characters = sent.text + sent.tools / 2;
        let is_context = tokens.is_power_of_two() && tokens >= 1_024;
        let is_constant =
            self.most.is_some_and(|(most, then)| tokens <= most && characters >= then + GROWTH_CHARACTERS);
        let is_cut = tokens > 0
            && (characters > tokens * CHARACTERS_FOR_TOKEN_MAX
                || (is_context && characters > tokens * CHARACTERS_FOR_TOKEN_OF_CONTEXT_MAX)
                || is_constant);
        if self.most.is_none_or(|(most, _)| tokens > most) {
            self.most = Some((tokens, characters));
        }
        if !is_cut || std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        Some(format!(
            "the model's server read {tokens} tokens of a prompt of about {}: it seems to cut what is too long for its \
             context, and the model does not see all it was told; give it a longer one (Ollama: \
             OLLAMA_CONTEXT_LENGTH=32768 ollama serve)",
            characters / 4
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prompts, as tokens counted and characters sent; whether the last of them, and no other, gives a warning.
    fn check(prompts: &[(u64, u64)], expected: bool) {
        let mut counts = Counts::default();
        let heed = |(tokens, text): &(u64, u64)| {
            let usage = Usage { input_tokens: *tokens, ..Usage::default() };
            counts.heed(&usage, Sent { text: *text, tools: 0 }).is_some()
        };
        let told: Vec<bool> = prompts.iter().map(heed).collect();
        let (last, earlier) = told.split_last().unwrap();
        assert!(*last == expected && !earlier.contains(&true), "{prompts:?}: {told:?}");
    }

    #[test]
    fn a_count_far_below_what_was_sent_is_told_once() {
        check(&[(5_000, 20_000), (6_000, 24_000)], false);
        check(&[(1_000, 20_000)], true);
        check(&[(4_096, 18_000)], true);
        check(&[(4_097, 18_000)], false);
        check(&[(5_900, 20_000), (5_900, 25_000)], true);
        check(&[(5_900, 20_000), (5_900, 21_000)], false);
        check(&[(0, 20_000)], false);
        let mut counts = Counts::default();
        let usage = Usage { input_tokens: 1_000, ..Usage::default() };
        let sent = Sent { text: 20_000, tools: 0 };
        assert!(counts.heed(&usage, sent).is_some() && counts.heed(&usage, sent).is_none());
    }
}
