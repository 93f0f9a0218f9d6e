//! Detects prompts that the model's server truncated silently, by the server's own token counts. Ollama does so with
//! prompts that exceed its context.

use crate::model::Usage;

/// Characters per token; hardly any text has more.
const CHARACTERS_FOR_TOKEN: u64 = 6;

/// The factor by which a count must be too small before it is reported.
const TIMES_TOO_SMALL: u64 = 2;

/// A count smaller than an earlier one by this factor covers only the tokens that were not cached.
const FALL: u64 = 2;

/// The growth of a prompt from which two equal counts indicate truncation, if the count is a typical context size.
const GROWTH_AT_CONTEXT_CHARACTERS: u64 = 200;

/// The growth of a prompt from which its token count must rise.
const GROWTH_CHARACTERS: u64 = 4_000;

/// The size of a prompt in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) text: u64,
    /// The size of the tools as JSON. It counts half, because servers render tools more briefly.
    pub(super) tools: u64,
}

/// The token counts that the server has reported so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    is_told: bool,
    /// The largest token count so far, and the characters of its prompt.
    most: Option<(u64, u64)>,
}

impl Counts {
    /// Records a count. Returns a warning the first time that a count indicates truncation.
    pub(super) fn heed(&mut self, usage: &Usage, sent: Sent) -> Option<String> {
        // Some servers count cached tokens separately.
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
            "the model's server says that it read {tokens} tokens{why}: it seems to truncate prompts that exceed its \
             context, and the model does not see all of them; give it a longer context (Ollama: \
             OLLAMA_CONTEXT_LENGTH=32768 ollama serve)"
        ))
    }
}

/// Returns why a count indicates truncation, or `None` if it does not. `earlier` holds the largest earlier token count
/// and the characters of its prompt.
fn why_cut(tokens: u64, characters: u64, earlier: Option<(u64, u64)>) -> Option<String> {
    if tokens == 0 || earlier.is_some_and(|(most, _)| most > tokens * FALL) {
        return None;
    }
    let fewest = characters / CHARACTERS_FOR_TOKEN;
    if tokens * TIMES_TOO_SMALL < fewest {
        let round = |count: u64| count / 100 * 100;
        let (characters, fewest) = (round(characters), round(fewest));
        return Some(format!(" of a prompt of about {characters} characters, which has more than {fewest} tokens"));
    }
    let (most, then) = earlier?;
    let growth = characters.saturating_sub(then);
    let is_context = tokens == most && tokens.is_power_of_two() && tokens >= 1_024;
    let is_bounded = tokens <= most && tokens * 5 >= most * 4;
    let is_cut = (is_context && growth >= GROWTH_AT_CONTEXT_CHARACTERS) || (is_bounded && growth >= GROWTH_CHARACTERS);
    is_cut.then(|| format!(", no more than before, although the prompt grew by {growth} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether the last prompt causes a warning, and that no earlier one does. A prompt is the tokens counted
    /// and the characters sent.
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
