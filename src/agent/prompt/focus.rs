//! A focus area: a Markdown file whose text and questions say what to explore, with settings of its own before them.

use std::path::{Path, PathBuf};

use crate::agent::journal::Question;
use crate::typeset::text::line;

/// Questions of a focus area.
pub const QUESTIONS_MAX: usize = 12;
/// Characters of a question.
const QUESTION_CHARACTERS_MAX: usize = 1_000;
/// The line before and after the front matter.
const FENCE: &str = "+++";

/// The focus area of a run that names none.
pub const DEFAULT_FOCUS: &str = "broad";

/// The focus areas that are compiled in.
pub(super) const AREAS: [(&str, &str); 8] = [
    ("broad", include_str!("../../../prompts/focus/broad.md")),
    ("customer_churn", include_str!("../../../prompts/focus/customer_churn.md")),
    ("data_quality", include_str!("../../../prompts/focus/data_quality.md")),
    ("growth", include_str!("../../../prompts/focus/growth.md")),
    ("margin_analysis", include_str!("../../../prompts/focus/margin_analysis.md")),
    ("operations", include_str!("../../../prompts/focus/operations.md")),
    ("product_performance", include_str!("../../../prompts/focus/product_performance.md")),
    ("regional_analysis", include_str!("../../../prompts/focus/regional_analysis.md")),
];

/// A focus area as its file has it.
#[derive(Debug, Clone)]
pub struct Area {
    /// The file; `None` if the area is compiled in or a text of the user's.
    path: Option<PathBuf>,
    /// The TOML between the two fences at the top of the file.
    front: Option<Front>,
    /// What follows.
    text: String,
    aims: Aims,
}

/// What the front matter of a focus area tells the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aims {
    /// The questions; without any, those of the text hold.
    pub questions: Vec<String>,
    /// The names of the measures that matter.
    pub measures: Vec<String>,
}

/// The front matter of a file, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// The lines between the fences. They begin on the second line of the file.
    pub toml: String,
    /// Whether the second fence is there.
    pub is_closed: bool,
}

/// A focus area, as `explore focus list` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Focus<'a> {
    /// The file's name without `.md`.
    pub name: &'a str,
    /// The first line of the text after its heading.
    pub summary: &'a str,
    /// The whole file without its front matter, including its heading.
    pub text: &'a str,
    /// The file; `None` if the area is compiled in or a text of the user's.
    pub path: Option<&'a Path>,
    pub front: Option<&'a Front>,
    aims: &'a Aims,
}

impl Area {
    /// Returns the area of a text without front matter.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { path: None, front: None, text: text.into(), aims: Aims::default() }
    }

    /// Returns the area of a file. What stands between two fences at its top is no part of the text, so that no model
    /// sees it.
    pub fn of_file(path: PathBuf, content: &str) -> Self {
        let (front, text) = parted(content);
        Self { path: Some(path), front, text: text.to_owned(), aims: Aims::default() }
    }

    /// Takes over what the front matter tells the model.
    pub fn aim(&mut self, aims: Aims) {
        self.aims = aims;
    }

    pub(super) fn focus<'a>(&'a self, name: &'a str) -> Focus<'a> {
        let Self { path, front, text, aims } = self;
        Focus { name, summary: summary(text), text, path: path.as_deref(), front: front.as_ref(), aims }
    }
}

impl Focus<'_> {
    /// Returns the questions of the area: those of its front matter; or else its lines that end in a question mark, each
    /// question of a line by itself; or else its whole text.
    pub fn questions(&self) -> Vec<Question> {
        let mut texts = self.aims.questions.iter().map(|text| line(text, QUESTION_CHARACTERS_MAX)).collect();
        if self.aims.questions.is_empty() {
            texts = self.questions_of_text();
        }
        let numbered = texts.into_iter().filter(|text| !text.is_empty()).zip(1..);
        numbered.map(|(text, number)| Question { number, text }).take(QUESTIONS_MAX).collect()
    }

    fn questions_of_text(&self) -> Vec<String> {
        let own = |line: &&str| line.ends_with('?') && !line.starts_with('#');
        let lines = self.text.lines().map(|line| line.trim().trim_start_matches(['-', '*']).trim_start());
        let each =
            |text: &str| text.split_inclusive("? ").map(|one| line(one, QUESTION_CHARACTERS_MAX)).collect::<Vec<_>>();
        let mut texts = lines.filter(own).flat_map(each).collect::<Vec<_>>();
        if texts.is_empty() {
            let body = self.text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
            texts.push(line(&body, QUESTION_CHARACTERS_MAX));
        }
        texts
    }

    /// Returns what the model is told of the area: the text without its heading, and the measures that matter.
    pub fn told(&self) -> String {
        let body = self.text.split_once('\n').filter(|(line, _)| line.starts_with('#'));
        let body = body.map_or(self.text, |(_, body)| body).trim();
        if self.aims.measures.is_empty() {
            return body.to_owned();
        }
        let measures = self.aims.measures.join(", ");
        format!("{body}\n\nThe measures that matter here: {measures}.").trim_start().to_owned()
    }
}

/// Parts a file into its front matter and its text. Only a fence on the first line begins front matter.
fn parted(content: &str) -> (Option<Front>, &str) {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut lines = content.split_inclusive('\n');
    let is_fence = |line: &str| line.trim_end() == FENCE;
    let Some(first) = lines.next().filter(|line| is_fence(line)) else { return (None, content) };
    let rest = &content[first.len()..];
    let mut end = 0;
    for line in lines {
        if is_fence(line) {
            let front = Front { toml: rest[..end].to_owned(), is_closed: true };
            return (Some(front), rest[end + line.len()..].trim_start());
        }
        end += line.len();
    }
    (Some(Front { toml: rest.to_owned(), is_closed: false }), "")
}

fn summary(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fence_on_the_first_line_begins_front_matter() {
        let check = |content: &str, front: Option<(&str, bool)>, text: &str| {
            let (found, rest) = parted(content);
            let found = found.as_ref().map(|front| (front.toml.as_str(), front.is_closed));
            assert_eq!((found, rest), (front, text), "{content:?}");
        };
        check("# A\nWhat?\n", None, "# A\nWhat?\n");
        check("# A\n+++\nWhat?\n+++\n", None, "# A\n+++\nWhat?\n+++\n");
        check("++++\na\n", None, "++++\na\n");
        check("+++\na = 1\n+++\n\n# A\n+++\n", Some(("a = 1\n", true)), "# A\n+++\n");
        check("\u{feff}+++ \r\na = 1\r\n+++\r\n# A", Some(("a = 1\r\n", true)), "# A");
        check("+++\n+++", Some(("", true)), "");
        check("+++\na = 1\n# A", Some(("a = 1\n# A", false)), "");
        check("", None, "");
    }

    #[test]
    fn each_area_has_a_summary_questions_and_no_front_matter() {
        for (name, content) in AREAS {
            let area = Area::of_file(PathBuf::new(), content);
            let focus = area.focus(name);
            assert!(focus.front.is_none() && focus.text.starts_with("# ") && !focus.summary.ends_with('?'), "{name}");
            let questions = focus.questions();
            assert!((2..=3).contains(&questions.len()), "{name}: {questions:?}");
            assert!(questions.iter().all(|question| question.text.ends_with('?')), "{name}: {questions:?}");
        }
    }

    #[test]
    fn questions_of_the_front_matter_take_the_place_of_those_in_the_text() {
        let mut area = Area::plain("# A\nWhy?\n");
        let texts = |area: &Area| area.focus("a").questions().into_iter().map(|one| one.text).collect::<Vec<_>>();
        assert_eq!(texts(&area), ["Why?"]);
        area.aim(Aims { questions: vec!["Say when".to_owned()], measures: vec!["sales".to_owned()] });
        assert_eq!(texts(&area), ["Say when"]);
        assert_eq!(area.focus("a").told(), "Why?\n\nThe measures that matter here: sales.");
    }
}
