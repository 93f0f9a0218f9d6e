//! Masks secrets for display. In case of doubt it masks too much.

const MASK: &str = "***";

/// Masks a secret. Of a connection string only the passwords are masked, of any other text everything.
pub fn secret(text: &str) -> String {
    if text.contains("://") {
        return url(text);
    }
    if text.contains('=') {
        return key_values(text);
    }
    MASK.to_owned()
}

/// Masks the password in a text that may be a URL.
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

/// Masks the passwords in all URLs that a message quotes.
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

/// Masks `host=... password=...`. A quoted password may contain spaces, so everything after `password` is masked.
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
