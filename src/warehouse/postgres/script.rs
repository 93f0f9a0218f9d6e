//! Splits a SQL script into statements. It recognizes strings, quoted names, dollar quotes and comments, but no other
//! syntax.

/// One statement of a script, with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::warehouse) struct Part<'a> {
    /// The line on which it begins, counted from 1.
    pub(in crate::warehouse) line: usize,
    /// The text without the semicolon.
    pub(in crate::warehouse) text: &'a str,
}

/// Returns the statements of `script` in order. Leaves out those that contain only comments and white space.
pub(in crate::warehouse) fn parts(script: &str) -> Vec<Part<'_>> {
    let bytes = script.as_bytes();
    let mut parts = Vec::new();
    let (mut line, mut counted) = (1, 0);
    let mut start = None;
    let mut place = 0;
    while place < bytes.len() {
        let next = after_token(script, place);
        let token = &bytes[place..next];
        let blank = bytes[place].is_ascii_whitespace() || token.starts_with(b"--") || token.starts_with(b"/*");
        match (start, blank, token) {
            (Some(begin), _, b";") => {
                parts.push(Part { line, text: script[begin..place].trim_end() });
                start = None;
            }
            (None, false, token) if token != b";" => {
                line += script[counted..place].matches('\n').count();
                counted = place;
                start = Some(place);
            }
            _ => {}
        }
        place = next;
    }
    if let Some(begin) = start {
        parts.push(Part { line, text: script[begin..].trim_end() });
    }
    parts
}

/// Returns the end of the string, name, comment or single character that begins at `place`.
fn after_token(script: &str, place: usize) -> usize {
    let rest = &script[place..];
    let end = |pattern: &str| rest[pattern.len()..].find(pattern).map_or(rest.len(), |found| found + 2 * pattern.len());
    let length = match rest.as_bytes() {
        [b'e' | b'E', b'\'', ..] if !follows_word(script, place) => after_escapes(rest),
        [b'\'', ..] => end("'"),
        [b'"', ..] => end("\""),
        [b'-', b'-', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => after_comment(rest),
        [b'$', ..] if !follows_word(script, place) => dollar_quote(rest).map_or(1, end),
        _ => rest.chars().next().map_or(1, char::len_utf8),
    };
    place + length
}

fn follows_word(script: &str, place: usize) -> bool {
    script[..place].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
}

/// Returns the length of `E'...'`, in which a backslash escapes the next character.
fn after_escapes(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(2);
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of a comment, which may contain nested comments.
fn after_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut place = 0;
    while place < text.len() {
        match text.as_bytes()[place..] {
            [b'/', b'*', ..] => (depth, place) = (depth + 1, place + 2),
            [b'*', b'/', ..] if depth == 1 => return place + 2,
            [b'*', b'/', ..] => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
    }
    text.len()
}

/// Returns the delimiter `$$` or `$tag$` at the start of `text`.
fn dollar_quote(text: &str) -> Option<&str> {
    let length = text[1..].find('$')? + 2;
    let tag = &text[1..length - 1];
    let is_tag = !tag.starts_with(|first: char| first.is_ascii_digit())
        && tag.chars().all(|character| character.is_alphanumeric() || character == '_');
    is_tag.then(|| &text[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expected: &[(usize, &str)]) {
        let parts = parts(script);
        assert_eq!(parts.iter().map(|part| (part.line, part.text)).collect::<Vec<_>>(), expected, "{script}");
    }

    #[test]
    fn a_script_is_split_at_semicolons_outside_of_quotes_and_comments() {
        check("SELECT 1;\n\nSELECT 2", &[(1, "SELECT 1"), (3, "SELECT 2")]);
        check("-- a; b\n/* c; /* d */ ; */ SELECT ';', \"a;b\", 'it''s;' ;;", &[(2, "SELECT ';', \"a;b\", 'it''s;'")]);
        check("DO $x$ a; $$ b; $x$; SELECT $1;", &[(1, "DO $x$ a; $$ b; $x$"), (1, "SELECT $1")]);
        check(r"SELECT E'\';', 'é;\'; SELECT 3", &[(1, r"SELECT E'\';', 'é;\'"), (1, "SELECT 3")]);
        check("SELECT 1 -- the; end", &[(1, "SELECT 1 -- the; end")]);
        check("  \n ; -- nothing\n", &[]);
        check("SELECT 'never closed; x", &[(1, "SELECT 'never closed; x")]);
    }
}
