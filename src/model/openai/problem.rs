//! What a provider says went wrong, whichever of the many shapes it says it in. All of it is text from outside.

use serde_json::Value;

/// How much of a provider's words a message of ours quotes, in characters.
const QUOTE_CHARACTERS_MAX: usize = 300;

/// An error as a provider words it.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem {
    /// What it says, in full.
    message: String,
    /// Its `code`, `type` and `param`, those that there are.
    codes: Vec<String>,
}

impl Problem {
    /// Reads the body of a refusal: JSON, a web page, plain text, or nothing.
    pub(super) fn read(body: &str) -> Self {
        let json = serde_json::from_str(body).ok();
        json.as_ref().and_then(Self::of).unwrap_or_else(|| Self { message: readable(body), codes: Vec::new() })
    }

    /// Finds an error in JSON: `{"error": {"message"}}`, `{"error": "text"}`, `{"message"}`, `{"detail"}`, in a list or not.
    pub(super) fn of(body: &Value) -> Option<Self> {
        match body {
            Value::String(message) => Some(Self { message: message.clone(), codes: Vec::new() }),
            Value::Array(items) => items.iter().find_map(Self::of),
            Value::Object(fields) => {
                let inner =
                    ["error", "errors", "detail"].iter().filter_map(|name| fields.get(*name)).find_map(Self::of);
                let mut problem = match (inner, ["message", "msg"].iter().find_map(|name| fields.get(*name)?.as_str()))
                {
                    (Some(inner), _) => inner,
                    (None, Some(message)) => Self { message: message.to_owned(), codes: Vec::new() },
                    (None, None) => return None,
                };
                problem.codes.extend(["code", "type", "param"].iter().filter_map(|name| match fields.get(*name)? {
                    Value::String(code) => Some(code.clone()),
                    Value::Number(code) => Some(code.to_string()),
                    _ => None,
                }));
                // OpenRouter says "Provider returned error", and keeps the provider's words apart.
                if let Some(raw) = body.pointer("/metadata/raw").and_then(Value::as_str) {
                    problem.message = format!("{}: {}", problem.message, Self::read(raw).message);
                }
                Some(problem)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    /// What it says, in full: to be searched, not shown.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether its `code`, `type` or `param` is this one.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|own| own == code)
    }

    /// The HTTP status that an error inside a successful reply stands for.
    pub(super) fn status(&self) -> Option<u16> {
        self.codes.iter().find_map(|code| match code.as_str() {
            "server_error" => Some(500),
            "rate_limit_exceeded" => Some(429),
            number => number.parse().ok().filter(|status| (400..600).contains(status)),
        })
    }

    /// Whether the money is used up: a 429 that no waiting heals.
    pub(super) fn is_quota(&self) -> bool {
        const CODES: [&str; 3] = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];
        CODES.iter().any(|code| self.has_code(code))
    }

    /// Whether the conversation is too long for the model, or for what it takes at a time.
    pub(super) fn is_context_length(&self, status: u16) -> bool {
        const CODES: [&str; 3] = ["context_length_exceeded", "exceed_context_size_error", "request_too_large"];
        /// Among the providers' words; those of OpenAI, Azure, vLLM, llama.cpp, LM Studio, Ollama, Anthropic, Gemini,
        /// Groq, xAI, Mistral, Kimi, OpenRouter.
        const WORDS: [&str; 19] = [
            "maximum context",
            "context length",
            "context window",
            "context size",
            "context limit",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "too many tokens",
            "too many input tokens",
            "too large for model",
            "maximum prompt length",
            "maximum allowed input length",
            "maximum number of tokens",
            "maximum input length",
            "model token limit",
            "reduce the length of",
            "tokens to keep from the initial prompt",
            "request too large",
        ];
        if CODES.iter().any(|code| self.has_code(code)) {
            return true;
        }
        let message = self.message.to_lowercase();
        match status {
            401..=404 => false,
            413 => true,
            // "Too many tokens, please wait" is about the rate; a request that is over the whole limit is not.
            429 => message.contains("request too large"),
            _ => WORDS.iter().any(|words| message.contains(words)),
        }
    }
}

/// Text from outside, fit for a message of ours: on one line, without control characters, cut.
pub(super) fn quote(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE_CHARACTERS_MAX) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None => line,
    }
}

/// Whether a body is a web page, as proxies and misdirected requests bring.
pub(super) fn is_web_page(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// The title of a web page, other text as it is.
pub(super) fn readable(body: &str) -> String {
    if !is_web_page(body) {
        return if body.trim().is_empty() { "no explanation".into() } else { body.into() };
    }
    let title = body.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or_else(|| "a web page".into(), |(title, _)| title.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        assert_eq!(quote(Problem::read(body).message()), expected, "{body}");
    }

    #[test]
    fn an_error_is_read_in_whichever_shape_it_comes() {
        check(r#"{"error": {"message": "no such model", "code": null}}"#, "no such model");
        check(r#"{"error": "model 'x' not found"}"#, "model 'x' not found");
        check(r#"{"object": "error", "message": "bad", "code": 404}"#, "bad");
        check(r#"{"detail": "Not Found"}"#, "Not Found");
        check(r#"{"detail": [{"loc": ["body"], "msg": "field required"}]}"#, "field required");
        check(r#"[{"error": {"code": 400, "message": "invalid argument"}}]"#, "invalid argument");
        check(
            r#"{"error": {"message": "Provider returned error", "metadata": {"raw": "{\"error\": \"overloaded\"}"}}}"#,
            "Provider returned error: overloaded",
        );
        check("upstream\nconnect\terror", "upstream connect error");
        check("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway");
        check("<!doctype html><body>", "a web page");
        check("", "no explanation");
        check(r#"{"surprise": 1}"#, r#"{"surprise": 1}"#);
    }

    #[test]
    fn a_quote_is_one_line_without_control_characters_and_bounded() {
        assert_eq!(quote("a\u{1b}[31m\r\n b\0"), "a [31m b");
        assert_eq!(quote(&"é".repeat(1000)).chars().count(), 303);
    }
}
