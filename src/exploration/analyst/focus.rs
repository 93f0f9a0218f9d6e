//! What the focus asks for, by its words.

use std::collections::BTreeSet;

use crate::agent::journal::Question;
use crate::instruments::Instrument;

/// Letters of a word's beginning that have to agree: `rejections` speaks of `rejected`.
const STEM_MIN: usize = 5;
/// Words that say nothing of what is looked for.
const EMPTY: &str = "about above across after against all also analyse analysis analyze any area areas because before \
    behind being between business could data dataset does each else every exploration explore far find findings first \
    from have highlight identify increase increasing into investigate large largest latest like look looking main many \
    more most much others over particular period perhaps potential propose provide same share should since some than \
    that their them there these they this those through time trends understand what where whether which while whole \
    with within would";

/// The words of the focus and of its questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Focus {
    pub(super) name: String,
    words: BTreeSet<String>,
    /// Whether the words are somebody's own rather than those of a built-in area.
    pub(super) is_own: bool,
}

impl Focus {
    pub(super) fn new(name: &str, text: &str, questions: &[Question]) -> Self {
        let is_own = crate::agent::prompt::Library::default().focus(name).is_err();
        let questions = questions.iter().map(|question| question.text.as_str());
        let texts = if is_own { vec![name, text] } else { vec![name] };
        let words = texts.into_iter().chain(questions.filter(|_| is_own)).flat_map(words).collect();
        Self { name: name.to_owned(), words, is_own }
    }

    /// The instruments that it asks for; all of them unless it is a built-in area of something narrower.
    pub(super) fn asks_for(&self, instrument: Instrument) -> bool {
        match self.name.as_str() {
            _ if self.is_own => true,
            "customer_churn" => instrument == Instrument::Silent,
            "data_quality" => matches!(instrument, Instrument::Profile | Instrument::Trend),
            "growth" => matches!(
                instrument,
                Instrument::Trend
                    | Instrument::Change
                    | Instrument::Silent
                    | Instrument::Concentration
                    | Instrument::Retention
            ),
            _ => true,
        }
    }

    /// Whether it asks for whom rows are about, and for nothing else that comes back.
    pub(super) fn is_of_entities(&self) -> bool {
        !self.is_own && self.name == "customer_churn"
    }

    /// Whether it asks for what has this name: most of the words are its own.
    pub(super) fn names(&self, name: &str) -> bool {
        is_mostly(&self.words, name)
    }

    /// How many of its words a text speaks of.
    pub(super) fn matches(&self, text: &str) -> usize {
        matching(&self.words, text)
    }
}

/// How many words of a question a text speaks of.
pub(super) fn overlap(question: &str, text: &str) -> usize {
    matching(&words(question).collect(), text)
}

/// How many words of a question say what is looked for.
pub(super) fn telling(question: &str) -> usize {
    words(question).collect::<BTreeSet<_>>().len()
}

/// Whether most words of a name are among those of the focus.
fn is_mostly(wanted: &BTreeSet<String>, name: &str) -> bool {
    let all = words(name).collect::<BTreeSet<_>>();
    let spoken = all.iter().filter(|word| wanted.iter().any(|other| is_alike(other, word))).count();
    2 * spoken > all.len()
}

fn matching(wanted: &BTreeSet<String>, text: &str) -> usize {
    let spoken = words(text).collect::<BTreeSet<_>>();
    wanted.iter().filter(|word| spoken.iter().any(|other| is_alike(word, other))).count()
}

/// The telling words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let text = text.to_lowercase();
    let parts = text.split(|character: char| !character.is_alphanumeric());
    let parts = parts.filter(|word| word.chars().count() > 2 && !EMPTY.split_whitespace().any(|empty| empty == *word));
    parts.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// Whether two words have the same stem, as far as their beginnings tell.
fn is_alike(one: &str, other: &str) -> bool {
    let common = one.chars().zip(other.chars()).take_while(|(left, right)| left == right).count();
    let shorter = one.chars().count().min(other.chars().count());
    common >= STEM_MIN.min(shorter) && common + 2 >= shorter
}
