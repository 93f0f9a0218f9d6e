//! Notes on a query or its result, where it does not say what its writer most likely meant.

use crate::finding::results::QueryResult;
use crate::typeset::text::line;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::{Lineage, doubts};
use crate::warehouse::sql::Select;

/// Characters of a note that quotes values of the data.
const NOTE_CHARACTERS_MAX: usize = 200;

/// Returns the objection to a bare `user`, which is the role of the session, where a table of the statement has a column
/// of that name.
pub(crate) fn bare_user(select: &Select, catalog: &Catalog) -> Option<String> {
    let has_column = |(schema, name): &(String, String)| {
        catalog.table(Some(schema), name).is_some_and(|table| table.column("user").is_some())
    };
    let is_there = select.relations().iter().any(has_column) && has_bare_word(select.text(), "user");
    is_there.then(|| {
        "user: without quotes this is the role of the session, not the column; write \"user\" in double quotes"
            .to_owned()
    })
}

/// Returns whether a word stands in a statement outside of quotes, and not behind a dot.
fn has_bare_word(text: &str, word: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), one) if open == one => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, _) if !before.is_alphanumeric() && !matches!(before, '_' | '.' | '"') => {
                let rest = &text[index..];
                let is_word = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
                let ends = rest[word.len().min(rest.len())..].chars().next();
                if is_word && !ends.is_some_and(|next| next.is_alphanumeric() || matches!(next, '_' | '.' | '(')) {
                    return true;
                }
            }
            _ => {}
        }
        before = character;
    }
    false
}

/// Returns what a writer should know of a result that has nothing or only zeros: fractions that were cut off, a value that
/// is written in other letters.
pub(crate) fn on_result(result: &QueryResult, lineage: &Lineage, catalog: &Catalog) -> Option<String> {
    let [branch] = lineage.branches.as_slice() else { return None };
    let cells = |index: usize| result.table.rows.iter().filter_map(move |row| row.get(index)?.as_deref());
    let is_zero = |index: &usize| cells(*index).all(|cell| matches!(cell, "0" | "0.0" | "0.00"));
    let of_column = |index: usize| {
        let name = &result.table.columns.get(index)?.name;
        let doubts = doubts::of_meaning(&branch.columns[index], catalog);
        doubts.iter().find_map(|doubt| match doubt.id {
            "integer_division" if cells(index).next().is_some() => Some(format!(
                "[note] {name} is 0 everywhere because whole numbers are divided by whole numbers; write 1.0 * a / b"
            )),
            "other_case" => Some(format!("[note] {name}: {}", line(&doubt.sentence, NOTE_CHARACTERS_MAX))),
            _ => None,
        })
    };
    (0..branch.columns.len()).filter(is_zero).find_map(of_column)
}

/// Returns advice on an error of the database: a text in double quotes is a name to it.
pub(crate) fn on_error(sql: &str, message: &str) -> Option<String> {
    let name = message.split("column \"").nth(1)?.split('"').next()?;
    let is_quoted = sql.contains(&format!("\"{name}\"")) && message.contains("does not exist");
    is_quoted.then(|| format!("; if {name} is a text and no column, write it in single quotes: '{name}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_told_from_a_quoted_one() {
        for bare in ["SELECT user FROM t", "select count(*), USER from t", "SELECT (user) FROM t"] {
            assert!(has_bare_word(bare, "user"), "{bare}");
        }
        for other in ["SELECT \"user\" FROM t", "SELECT t.user FROM t", "SELECT 'user' FROM t", "SELECT user_id FROM t"]
        {
            assert!(!has_bare_word(other, "user"), "{other}");
        }
    }

    #[test]
    fn a_text_in_double_quotes_is_explained() {
        let message = "database: column \"1 - Critical\" does not exist (SQLSTATE 42703)";
        let sql = "SELECT * FROM t WHERE priority = \"1 - Critical\"";
        assert!(on_error(sql, message).is_some_and(|advice| advice.ends_with("'1 - Critical'")));
        assert_eq!(on_error("SELECT amount FROM t", "column \"amount\" does not exist"), None);
    }
}
