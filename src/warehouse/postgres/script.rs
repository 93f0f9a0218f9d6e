//! Splits a SQL script into statements. It recognizes strings, quoted names, dollar quotes, comments, and the data of
//! COPY, but no other syntax.

use std::ops::Range;

/// One statement of a script, with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::warehouse) struct Part<'a> {
    /// The line on which it begins, counted from 1.
    pub(in crate::warehouse) line: usize,
    /// The text without the semicolon.
    pub(in crate::warehouse) text: &'a str,
    /// The data of `COPY ... FROM STDIN`, which follow the statement up to a line `\\.`.
    pub(in crate::warehouse) data: Option<&'a str>,
    /// The line on which the data begin.
    pub(in crate::warehouse) data_line: usize,
}

impl Part<'_> {
    /// Returns whether the statement is a COPY without options, whose data have one row a line.
    pub(in crate::warehouse) fn is_plain_copy(&self) -> bool {
        copy_options(self.text).is_some_and(|options| options.trim().is_empty())
    }
}

/// Returns the statements of `script` in order. Leaves out those that contain only comments and white space.
pub(in crate::warehouse) fn parts(script: &str) -> Vec<Part<'_>> {
    let bytes = script.as_bytes();
    let mut parts = Vec::new();
    let (mut line, mut counted) = (1, 0);
    let mut start = None;
    let mut place = 0;
    while place < bytes.len() {
        let mut next = after_token(script, place);
        let token = &bytes[place..next];
        let blank = bytes[place].is_ascii_whitespace() || token.starts_with(b"--") || token.starts_with(b"/*");
        match (start, blank, token) {
            (Some(begin), _, b";") => {
                let text = script[begin..place].trim_end();
                let found = copy_data(text, script, next);
                let newlines = |data: &Range<usize>| script[counted..data.start].matches('\n').count();
                let data_line = found.as_ref().map_or(0, |(data, _)| line + newlines(data));
                next = found.as_ref().map_or(next, |(_, after)| *after);
                parts.push(Part { line, text, data: found.map(|(data, _)| &script[data]), data_line });
                start = None;
            }
            // A dump guards itself against commands of psql in its data, by two such commands.
            (None, false, b"\\") if is_guard(&script[place..]) => {
                next = script[place..].find('\n').map_or(bytes.len(), |end| place + end);
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
        parts.push(Part { line, text: script[begin..].trim_end(), data: None, data_line: 0 });
    }
    parts
}

fn is_guard(text: &str) -> bool {
    text.starts_with("\\restrict ") || text.starts_with("\\unrestrict ")
}

/// Returns what follows STDIN in `COPY ... FROM STDIN`; `None` if the statement is another.
fn copy_options(text: &str) -> Option<&str> {
    let first = text.get(..4).filter(|first| first.eq_ignore_ascii_case("copy"))?;
    let lower = text[first.len()..].to_ascii_lowercase();
    let words = lower.split_whitespace().collect::<Vec<_>>();
    let follows =
        |pair: &[&str]| pair[0] == "from" && pair[1].trim_end_matches(|c: char| !c.is_alphanumeric()) == "stdin";
    let is_copy = lower.starts_with(char::is_whitespace) && words.windows(2).any(follows);
    let end = lower.rfind("stdin").filter(|_| is_copy)? + first.len() + "stdin".len();
    Some(&text[end..])
}

/// Returns the range of the data after a COPY whose semicolon is before `next`, and where the script goes on.
fn copy_data(text: &str, script: &str, next: usize) -> Option<(Range<usize>, usize)> {
    copy_options(text)?;
    let start = script[next..].find('\n').map_or(script.len(), |end| next + end + 1);
    let mut place = start;
    for line in script[start..].split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']) == "\\." {
            return Some((start..place, place + line.len()));
        }
        place += line.len();
    }
    Some((start..place, place))
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
    fn the_data_of_a_copy_follow_it_up_to_a_backslash_and_a_dot() {
        let script = "\\restrict abc\n-- Data;\n\nCOPY public.t (a, b) FROM stdin;\n1\tit's; a\n2\t\\\\.\n\\.\n\nSELECT 1;\n\
                      copy u from STDIN WITH (FORMAT csv);\n\"x\n;\"\n\\.\n\\unrestrict abc\nCOPY v FROM stdin;\n\\.\n";
        let found = parts(script);
        let found = found.iter().map(|part| (part.line, part.text, part.data, part.data_line, part.is_plain_copy()));
        let expected = [
            (4, "COPY public.t (a, b) FROM stdin", Some("1\tit's; a\n2\t\\\\.\n"), 5, true),
            (9, "SELECT 1", None, 0, false),
            (10, "copy u from STDIN WITH (FORMAT csv)", Some("\"x\n;\"\n"), 11, false),
            (15, "COPY v FROM stdin", Some(""), 16, true),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(parts("COPY (SELECT 1) TO STDOUT; SELECT 2").len(), 2);
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
