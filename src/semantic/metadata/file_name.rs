//! Converts between a table's name and the name of its metadata file.
//!
//! A dot separates schema and table. A dot within a name, and any character that a file system or a shell may treat
//! specially, is encoded as `%` and two hexadecimal digits per byte.

/// Returns the file's name without `.json`.
pub(super) fn encode(schema: Option<&str>, table: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", encode_part(schema), encode_part(table)),
        None => encode_part(table),
    }
}

/// Returns the schema, if the file's name has one, and the table.
pub(super) fn decode(stem: &str) -> (Option<String>, String) {
    match stem.split_once('.') {
        Some((schema, table)) => (Some(decode_part(schema)), decode_part(table)),
        None => (None, decode_part(stem)),
    }
}

fn encode_part(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_alphanumeric() || matches!(character, '_' | '-' | ' ' | '$' | '(' | ')' | '+' | '=' | '@') {
            text.push(character);
        } else {
            let mut bytes = [0; 4];
            text.extend(character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    text
}

fn decode_part(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        if let Some(byte) = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
