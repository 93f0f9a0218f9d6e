//! Secrets as they may be printed. Where in doubt, too much is masked.

const MASK: &str = "***";

/// A secret: a connection string keeps all but its passwords, anything else is masked as a whole.
pub fn secret(text: &str) -> String {
    if text.contains("://") {
        return url(text);
    }
    if text.contains('=') {
        return key_values(text);
    }
    MASK.to_owned()
}

/// Text that may be a URL, without the password in it.
pub fn url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // A password may hold any character, so it ends at the last `@`, wherever that is.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let user = user.map(|user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}@"),
        None => format!("{user}@"),
    });
    format!("{scheme}://{}{}", user.unwrap_or_default(), parameters(rest))
}

/// A message that may quote URLs, without the passwords in them.
pub fn urls_within(text: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '\u{1b}');
    text.split_inclusive(is_edge)
        .map(|part| {
            let word = part.trim_end_matches(is_edge);
            let has_password = word.rsplit_once('@').is_some_and(|(user, _)| user.contains("://"));
            if has_password { format!("{}{}", url(word), &part[word.len()..]) } else { part.to_owned() }
        })
        .collect()
}

fn parameters(text: &str) -> String {
    let Some((address, query)) = text.split_once('?') else { return text.to_owned() };
    let masked = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    });
    format!("{address}?{}", masked.collect::<Vec<_>>().join("&"))
}

/// `host=... password=...`: a quoted password may hold blanks, so what follows a secret is masked to the end.
fn key_values(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.find("password") {
        Some(start) => format!("{}password={MASK}", &text[..start]),
        None => text.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "key", "token", "secret"].iter().any(|word| name.contains(word))
}
