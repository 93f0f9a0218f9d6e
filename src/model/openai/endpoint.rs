//! The address that requests go to, and the key that they are sent with.

use async_openai::config::Config;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::InvalidOptions;

/// The shortest key that is masked. A shorter one is a placeholder such as `none` or `ollama`, and masking it would
/// only garble messages.
const SECRET_LENGTH_MIN: usize = 8;

/// An endpoint: the parts of its base URL, and the key. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base: String,
    query: Vec<(String, String)>,
    key: SecretString,
    headers: HeaderMap,
}

impl Endpoint {
    pub(super) fn new(base_url: &str, key: Option<SecretString>) -> Result<Self, InvalidOptions> {
        let mut url = parse(base_url)?;
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        url.set_fragment(None);
        let key = key.map(|key| SecretString::from(key.expose_secret().trim())).unwrap_or_default();
        let mut headers = HeaderMap::new();
        if !key.expose_secret().is_empty() {
            let (name, value) = key_header(is_azure(&url, &query), &key)?;
            headers.insert(name, value);
        }
        Ok(Self { base: without_operation(url.as_str()).to_owned(), query, key, headers })
    }

    /// Returns the base URL without query and credentials, to be shown.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn has_key(&self) -> bool {
        !self.headers.is_empty()
    }

    /// Masks the key in a text, because some servers repeat it in errors.
    pub(super) fn redact(&self, text: &str) -> String {
        let key = self.key.expose_secret();
        if key.len() < SECRET_LENGTH_MIN { text.to_owned() } else { text.replace(key, "***") }
    }
}

impl Endpoint {
    /// Masks the key in a response body, because journals and reports quote it and are passed on. Placeholders, which
    /// are words, stay.
    pub(super) fn without_key(&self, body: Vec<u8>) -> Vec<u8> {
        let key = self.key.expose_secret();
        // Some servers repeat the key without its common prefix.
        let bare = key.strip_prefix("sk-").unwrap_or(key);
        let is_secret = bare.len() >= SECRET_LENGTH_MIN && key.chars().any(|c| c.is_ascii_digit());
        if !is_secret || !body.windows(bare.len()).any(|part| part == bare.as_bytes()) {
            return body;
        }
        String::from_utf8_lossy(&body).replace(key, "***").replace(bare, "***").into_bytes()
    }
}

fn parse(base_url: &str) -> Result<Url, InvalidOptions> {
    let invalid = |what: &str| {
        InvalidOptions(format!("the model's base URL {what}: write it like {} or http://localhost:11434/v1", {
            super::OPENAI_BASE_URL
        }))
    };
    let url = Url::parse(base_url.trim()).map_err(|error| invalid(&format!("does not parse ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("begins with neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("contains credentials, which belong in OPENAI_API_KEY"));
    }
    Ok(url)
}

/// Removes the path of an operation, because users paste whole addresses.
fn without_operation(base: &str) -> &str {
    let base = base.trim_end_matches('/');
    ["/chat/completions", "/responses"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base)
}

fn is_azure(url: &Url, query: &[(String, String)]) -> bool {
    url.host_str().is_some_and(|host| host.ends_with(".azure.com"))
        || query.iter().any(|(name, _)| name == "api-version")
}

fn key_header(is_azure: bool, key: &SecretString) -> Result<(HeaderName, HeaderValue), InvalidOptions> {
    let key = key.expose_secret();
    let (name, text) = if is_azure {
        (HeaderName::from_static("api-key"), key.to_owned())
    } else {
        (AUTHORIZATION, format!("Bearer {key}"))
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        InvalidOptions(
            "the model's API key contains invalid characters: check OPENAI_API_KEY for quotes or line breaks".into(),
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}
