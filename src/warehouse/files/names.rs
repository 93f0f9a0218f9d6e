//! Names of tables and columns out of the names of files and headers, which may hold anything.

use std::collections::HashSet;

use crate::typeset::text::stripped;
use crate::warehouse::sql::is_bare;

/// The bytes of a name in PostgreSQL. It cuts a longer one off, and two may be the same then.
const NAME_BYTES_MAX: usize = 63;

/// Returns the name of a file's table: an identifier that needs no quotes.
pub(super) fn table(stem: &str) -> String {
    let mut name = String::new();
    for character in stem.to_lowercase().chars() {
        if character.is_alphanumeric() {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_');
    let name = match name.chars().next() {
        None => "file".to_owned(),
        Some(first) if first.is_numeric() => format!("t_{name}"),
        Some(_) => name.to_owned(),
    };
    let name = shortened(&name, NAME_BYTES_MAX - "_file".len());
    // Letters beyond ASCII need no quotes in PostgreSQL; what is left is a key word.
    if is_bare(name) || !name.is_ascii() { name.to_owned() } else { format!("{name}_file") }
}

/// Returns the names of the columns, each of them once, with notes on those that differ from the header's.
pub(super) fn columns(header: &[String]) -> (Vec<String>, Vec<String>) {
    let mut taken = HashSet::new();
    let (mut names, mut notes) = (Vec::new(), Vec::new());
    let given = header.iter().map(|name| plain(name)).collect::<Vec<_>>();
    let all = given.iter().map(|name| name.to_lowercase()).collect::<HashSet<_>>();
    for (index, given) in given.iter().enumerate() {
        let number = index + 1;
        let wished = if given.is_empty() { format!("column_{number}") } else { given.clone() };
        let mut name = wished.clone();
        let mut count = 1;
        // Names that differ only in their case are told apart too, because an unquoted name does not say which is meant.
        while taken.contains(&name.to_lowercase()) || (count > 1 && all.contains(&name.to_lowercase())) {
            count += 1;
            let end = format!("_{count}");
            name = format!("{}{end}", shortened(&wished, NAME_BYTES_MAX - end.len()));
        }
        if given.is_empty() {
            notes.push(format!("column {number} has no name and is called {name}"));
        } else if name != *given {
            notes.push(format!("column {number} is called {name}, because there is a {given} before it"));
        }
        taken.insert(name.to_lowercase());
        names.push(name);
    }
    (names, notes)
}

/// Returns a header's name on one line, without characters that cannot be seen, and not too long.
fn plain(name: &str) -> String {
    let (visible, _) = stripped(name, NAME_BYTES_MAX);
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&words, NAME_BYTES_MAX).trim_end().to_owned()
}

fn shortened(name: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_files_name_as_an_identifier() {
        let cases = [
            ("sales", "sales"),
            ("Sales Q1 (final)", "sales_q1_final"),
            ("2024-orders", "t_2024_orders"),
            ("order", "order_file"),
            ("a\"; DROP TABLE b; --", "a_drop_table_b"),
            ("\u{1b}[31m", "t_31m"),
            ("...", "file"),
            ("Größe", "größe"),
        ];
        for (stem, expected) in cases {
            assert_eq!(table(stem), expected, "{stem:?}");
        }
        assert!(table(&"é".repeat(100)).len() <= NAME_BYTES_MAX);
    }

    #[test]
    fn columns_have_the_headers_names_each_of_them_once() {
        let header = ["id", "", "Amount", "amount", "amount_2", " a\u{1b}[2J\nb\u{202e} ", "say \"hi\"", ""];
        let (names, notes) = columns(&header.map(str::to_owned));
        assert_eq!(names[..5], ["id", "column_2", "Amount", "amount_3", "amount_2"]);
        assert!(!names[5].chars().any(char::is_control) && names[5].starts_with('a'), "{}", names[5]);
        assert_eq!(names[6..], ["say \"hi\"", "column_8"]);
        assert_eq!(notes.len(), 3, "{notes:?}");
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart() {
        let long = "é".repeat(60);
        let (names, _) = columns(&[long.clone() + "a", long.clone() + "b", long]);
        assert!(names.iter().all(|name| name.len() <= NAME_BYTES_MAX));
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3);
    }
}
