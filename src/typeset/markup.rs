//! Writes text as GitHub Flavored Markdown, in which no text from a model or a database can become markup.

/// Appends a line to the page.
pub(crate) fn push(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}

/// Appends a line, and an empty line after it.
pub(crate) fn block(page: &mut String, text: &str) {
    push(page, text);
    page.push('\n');
}

/// Escapes everything in one line of text that Markdown, or the HTML in it, could read as markup. Web addresses do not
/// become links, and `@` mentions nobody.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut only_digits = true;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let starts_item = only_digits && next.is_none_or(char::is_whitespace);
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("@<!-- -->"),
            ':' if next == Some('/') => escaped.push_str("&#58;"),
            '.' if previous.eq_ignore_ascii_case(&'w') => escaped.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                escaped.extend(['\\', character]);
            }
            '+' | '-' | '=' | '.' | ')' if starts_item => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
        previous = character;
        only_digits &= character.is_ascii_digit();
    }
    escaped
}

/// Returns a fence that is longer than any run of backticks in `code`.
pub(crate) fn fence(code: &str) -> String {
    let longest = code.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_shown_and_not_obeyed() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected);
        check("a | b", "a \\| b");
        check("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;");
        check("![x](http://evil)", "\\!\\[x\\](http&#58;//evil)");
        check("www.evil.example", "www&#46;evil.example");
        check("1. not a list", "1\\. not a list");
        check("- not a list", "\\- not a list");
        check("10.5 - 2", "10.5 - 2");
        check("me@example.com #12", "me@<!-- -->example.com \\#12");
    }

    #[test]
    fn a_fence_is_longer_than_any_within() {
        assert_eq!(fence("SELECT 1"), "```");
        assert_eq!(fence("SELECT '````'"), "`````");
    }
}
