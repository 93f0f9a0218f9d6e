//! A prompt that the model's server cut without saying so, as Ollama does with what is too long for its context: its own
//! count of tokens tells.

use crate::model::Usage;

/// Characters for a token that hardly any text exceeds.
const CHARACTERS_FOR_TOKEN: u64 = 6;

/// A count has to be this many times too small before it is told of.
const TIMES_TOO_SMALL: u64 = 2;

/// A count far below an earlier one is of what was not cached.
const FALL: u64 = 2;

/// Where two counts are the same size that contexts have, this much more was said between them.
const GROWTH_AT_CONTEXT_CHARACTERS: u64 = 200;

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
        let earlier = self.most;
        if earlier.is_none_or(|(most, _)| tokens > most) {
            self.most = Some((tokens, characters));
        }
        let why = why_cut(tokens, characters, earlier)?;
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        Some(format!(
            "the model's server says that it read {tokens} tokens{why}: it seems to cut what is too long for its context, and \
             the model does not see all it was told; give it a longer one (Ollama: OLLAMA_CONTEXT_LENGTH=32768 ollama \
             serve)"
        ))
    }
}

/// Why a count tells that a prompt was cut, if it does. Given are the tokens of the prompt that had most of those before
/// it, and its characters.
fn why_cut(tokens: u64, characters: u64, earlier: Option<(u64, u64)>) -> Option<String> {
    if tokens == 0 || earlier.is_some_and(|(most, _)| most > tokens * FALL) {
        return None;
    }
    let fewest = characters / CHARACTERS_FOR_TOKEN;
    if tokens * TIMES_TOO_SMALL < fewest {
        let round = |count: u64| count / 100 * 100;
        let (characters, fewest) = (round(characters), round(fewest));
        return Some(format!(" of a prompt of about {characters} characters, which has more than {fewest}"));
    }
    let (most, then) = earlier?;
    let growth = characters.saturating_sub(then);
    let is_context = tokens == most && tokens.is_power_of_two() && tokens >= 1_024;
    let is_bounded = tokens <= most && tokens * 5 >= most * 4;
    let is_cut = (is_context && growth >= GROWTH_AT_CONTEXT_CHARACTERS) || (is_bounded && growth >= GROWTH_CHARACTERS);
    is_cut.then(|| format!(" and no more than before of a prompt that grew by {growth} characters"))
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
        check(&[(4_096, 18_000)], false);
        check(&[(4_096, 18_000), (4_096, 18_300)], true);
        check(&[(4_097, 18_000), (4_097, 18_300)], false);
        check(&[(4_096, 13_000), (4_266, 14_000), (4_436, 15_000)], false);
        check(&[(4_100, 13_000), (40, 14_000), (60, 24_000)], false);
        check(&[(4_000, 20_000), (3_800, 25_000)], true);
        check(&[(5_900, 20_000), (5_900, 25_000)], true);
        check(&[(5_900, 20_000), (5_900, 21_000)], false);
        check(&[(0, 20_000)], false);
        let mut counts = Counts::default();
        let usage = Usage { input_tokens: 1_000, ..Usage::default() };
        let sent = Sent { text: 20_000, tools: 0 };
        assert!(counts.heed(&usage, sent).is_some() && counts.heed(&usage, sent).is_none());
    }
}
