//! Parses the errors of providers, which come in many shapes. All of their text is untrusted.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use crate::model::lenient;

/// The longest quotation of a provider's text in our messages, in characters.
const QUOTE_CHARACTERS_MAX: usize = 300;

/// An error that a provider reported, parsed from its body.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem {
    /// The provider's message, uncut.
    pub(crate) message: String,
    /// The `code`, `type` and `param` of all levels, and the path to the refused field.
    codes: Vec<String>,
    /// The wait that a field requests; see [`Problem::asked_delay`].
    retry_after: Option<Duration>,
    /// The model's output, if the provider (Groq) could not parse it as a call.
    generation: Option<String>,
    /// Whether the body has an `error` field, and was not only parsed as an error.
    is_error: bool,
}

impl Problem {
    /// Parses the body of a refusal: JSON, a web page, plain text, or nothing.
    pub(super) fn read(body: &str) -> Self {
        let json = lenient::whole(body).ok();
        json.as_ref().and_then(Self::of).unwrap_or_else(|| Self::saying(&readable(body)))
    }

    fn saying(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }

    /// Finds an error in JSON: `{"error": {"message"}}`, `{"error": "text"}`, `{"message"}` or `{"detail"}`, also in a
    /// list. Returns `None` if there is none.
    pub(super) fn of(body: &Value) -> Option<Self> {
        match body {
            Value::String(message) => Some(Self::saying(message)),
            Value::Array(items) => items.iter().find_map(Self::of),
            Value::Object(fields) => {
                let inner =
                    ["error", "errors", "detail"].iter().filter_map(|name| fields.get(*name)).find_map(Self::of);
                let mut problem = match (inner, ["message", "msg"].iter().find_map(|name| fields.get(*name)?.as_str()))
                {
                    (Some(inner), _) => inner,
                    (None, Some(message)) => Self::saying(message),
                    (None, None) => return None,
                };
                problem.codes.extend(["code", "type", "param"].iter().filter_map(|name| match fields.get(*name)? {
                    Value::String(code) => Some(code.clone()),
                    Value::Number(code) => Some(code.to_string()),
                    _ => None,
                }));
                // Pydantic's `loc` is the path of the field.
                let path = fields.get("loc").and_then(Value::as_array).into_iter().flatten();
                problem.codes.extend(path.filter_map(Value::as_str).map(str::to_owned));
                // Azure puts the reason into an inner error.
                let inner = body.pointer("/innererror/code").and_then(Value::as_str);
                problem.codes.extend(inner.map(str::to_owned));
                problem.is_error |= fields.get("error").is_some_and(|error| !error.is_null());
                let generation = fields.get("failed_generation").and_then(Value::as_str);
                problem.generation = problem.generation.take().or_else(|| generation.map(str::to_owned));
                problem.retry_after = problem.retry_after.or_else(|| asked_wait(fields));
                // OpenRouter's message is "Provider returned error"; the provider's own error is in the metadata.
                if let Some(raw) = body.pointer("/metadata/raw").and_then(Value::as_str) {
                    problem.message = format!("{}: {}", problem.message, Self::read(raw).message);
                }
                Some(problem)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    /// Returns the provider's message, uncut: to be searched, not shown.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the body had an `error` field, and was not only parsed as an error.
    pub(super) fn is_error(&self) -> bool {
        self.is_error
    }

    /// Returns whether the provider could not parse the model's output as a call; a retry may succeed.
    pub(super) fn is_failed_call(&self) -> bool {
        self.has_code("tool_use_failed") || self.message.to_lowercase().contains("failed to call a function")
    }

    /// Returns the output that the provider could not parse.
    pub(super) fn generation(&self) -> Option<&str> {
        self.generation.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// Returns whether the server can call tools only with other options or another model.
    pub(super) fn wants_other_tools(&self) -> bool {
        let message = self.message.to_lowercase();
        message.contains("tool") && ["support", "enable", "--jinja"].iter().any(|word| message.contains(word))
    }

    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }

    /// Returns the wait that the error requests, in a field of its own (Gemini) or in its message.
    pub(super) fn asked_delay(&self) -> Option<Duration> {
        self.retry_after.or_else(|| wait_in_words(&self.message))
    }

    /// Returns whether a content filter refused the conversation, which no retry changes.
    pub(super) fn is_content_filter(&self) -> bool {
        const CODES: [&str; 7] = [
            "content_filter",
            "content_policy_violation",
            "contentFilter",
            "data_inspection_failed",
            "DataInspectionFailed",
            "invalid_prompt",
            "ResponsibleAIPolicyViolation",
        ];
        /// Phrases of Azure, OpenAI, Bedrock, DashScope, DeepSeek, Kimi and OpenRouter.
        const WORDS: [&str; 9] = [
            "content management policy",
            "content filter",
            "content policy",
            "content exists risk",
            "considered high risk",
            "inappropriate content",
            "flagged as potentially violating",
            "input was flagged",
            "blocked by guardrail",
        ];
        let message = self.message.to_lowercase();
        CODES.iter().any(|code| self.has_code(code)) || WORDS.iter().any(|words| message.contains(words))
    }

    /// Returns whether one of the error's codes equals `code`.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|own| own == code)
    }

    /// Returns the HTTP status that corresponds to an error inside a successful reply.
    pub(super) fn status(&self) -> Option<u16> {
        self.codes.iter().find_map(|code| match code.as_str() {
            "server_error" => Some(500),
            "rate_limit_exceeded" => Some(429),
            number => number.parse().ok().filter(|status| (400..600).contains(status)),
        })
    }

    /// Returns whether the account's credit is used up: a 429 that does not pass with time.
    pub(super) fn is_quota(&self) -> bool {
        const CODES: [&str; 3] = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];
        CODES.iter().any(|code| self.has_code(code))
    }

    /// Returns whether the conversation exceeds the model's context length or its limit for one request.
    pub(super) fn is_context_length(&self, status: u16) -> bool {
        const CODES: [&str; 3] = ["context_length_exceeded", "exceed_context_size_error", "request_too_large"];
        /// Phrases of OpenAI, Azure, vLLM, llama.cpp, LM Studio, Ollama, Anthropic, Gemini, Groq, xAI, Mistral, Kimi
        /// and OpenRouter.
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
            // "Too many tokens, please wait" is a rate limit; a request that exceeds the whole limit never succeeds.
            429 => message.contains("request too large"),
            _ => WORDS.iter().any(|words| message.contains(words)),
        }
    }
}

/// Returns the wait in Gemini's `details[].retryDelay`, or in a `retry_after` in seconds.
fn asked_wait(fields: &serde_json::Map<String, Value>) -> Option<Duration> {
    let details = fields.get("details").and_then(Value::as_array).into_iter().flatten();
    let told = details.filter_map(|detail| detail.get("retryDelay")?.as_str()).find_map(length_of_time);
    let seconds = || ["retry_after", "retry_after_seconds"].iter().find_map(|name| fields.get(*name)?.as_f64());
    told.or_else(|| Duration::try_from_secs_f64(seconds()?).ok())
}

/// Parses a wait in a message: "Please retry in 4.2s", "Please try again in 1m26.4s", "try again in 20 seconds".
fn wait_in_words(message: &str) -> Option<Duration> {
    let message = message.to_lowercase();
    let told = ["retry in ", "again in ", "retry after ", "again after "]
        .iter()
        .find_map(|words| message.split_once(words))?
        .1;
    let mut words = told.split_whitespace();
    let first = words.next()?.trim_end_matches(['.', ',', ')']);
    match words.next().map(|word| word.trim_end_matches(['.', ',', ')'])) {
        Some("second" | "seconds") => length_of_time(&format!("{first}s")),
        Some("minute" | "minutes") => length_of_time(&format!("{first}m")),
        Some(_) | None => length_of_time(first),
    }
}

fn length_of_time(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// Makes untrusted text fit for our messages: on one line, without control characters, and cut to the limit.
pub(super) fn quote(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE_CHARACTERS_MAX) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None => line,
    }
}

/// Returns whether a body is a web page, which proxies and wrong addresses answer with.
pub(super) fn is_web_page(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// Returns the title of a web page; other text unchanged.
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
    fn a_wait_is_read_from_a_field_or_from_the_words() {
        let check = |body: &str, milliseconds: Option<u64>| {
            assert_eq!(Problem::read(body).asked_delay(), milliseconds.map(Duration::from_millis), "{body}");
        };
        check(
            r#"[{"error": {"code": 429, "message": "Quota. Please retry in 4.2s.", "details": [{"@type": "x"}, {"retryDelay": "4s"}]}}]"#,
            Some(4_000),
        );
        check(r#"{"error": {"message": "Rate limit reached. Please try again in 1m2.5s. Visit us."}}"#, Some(62_500));
        check(r#"{"error": {"message": "Please try again in 350ms"}}"#, Some(350));
        check(r#"{"error": {"message": "try again in 20 seconds."}}"#, Some(20_000));
        check(r#"{"error": {"message": "slow down", "retry_after": 1.5}}"#, Some(1_500));
        check(r#"{"error": {"message": "try again in a while"}}"#, None);
    }

    #[test]
    fn a_quote_is_one_line_without_control_characters_and_bounded() {
        assert_eq!(quote("a\u{1b}[31m\r\n b\0"), "a [31m b");
        assert_eq!(quote(&"é".repeat(1000)).chars().count(), 303);
    }
}
