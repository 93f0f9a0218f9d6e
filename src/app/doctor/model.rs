//! Checks the model's endpoint: it is reachable, accepts the key, supports the API, and the model calls tools.

use std::time::Duration;

use tokio::time::timeout;

use super::{CHECK_TIMEOUT, Check};
use crate::app::error::Kind;
use crate::model::openai::{Api, Client, Options, TIMEOUT_DEFAULT};
use crate::model::price::Price;
use crate::model::{Error, Message, Model, Reply, Request, ToolCall, ToolSpec};

/// The tool that the model is asked to call.
const TOOL: &str = "ready";

/// The time that the client gets beyond its own time limit.
const GRACE: Duration = Duration::from_secs(2);

/// Returns the check for runs without a model.
pub fn check_offline() -> Check {
    Check::ok("model", "the built-in analyst: no endpoint, no key, no cost")
}

/// Checks the model with two small turns. If they fail, tries the same without the reasoning effort and over the other
/// API.
pub async fn check(options: &Options, price: Option<Price>) -> Vec<Check> {
    let model = &options.model;
    let check = match ask(options).await {
        Ok(()) => {
            let effort = options
                .reasoning_effort
                .map_or_else(String::new, |effort| format!(", reasoning effort {} accepted", name(effort)));
            Check::ok(
                "model",
                format!(
                    "{model} answers over the {} API, calls tools and accepts their results{effort}",
                    name(options.api)
                ),
            )
        }
        Err(Fault { told, advice }) => Check::failed("model", Kind::Model, told, remedy(options, advice).await),
    };
    vec![check, check_price(model, price)]
}

/// A problem with the model and its remedy.
struct Fault {
    told: String,
    advice: String,
}

impl From<Error> for Fault {
    /// Splits the client's message, which ends with a remedy.
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match text.rsplit_once("): ") {
            Some((told, advice)) if matches!(error, Error::Failed(_)) => {
                Self { told: format!("{told})"), advice: advice.to_owned() }
            }
            _ => Self { told: text, advice: "see above".to_owned() },
        }
    }
}

/// Returns the time limit of one answer: that of a run if the user set one, otherwise the limit of a check.
fn patience(options: &Options) -> Duration {
    if options.timeout == TIMEOUT_DEFAULT { CHECK_TIMEOUT } else { options.timeout }
}

/// Returns a remedy for a model that failed: a change of options that was found to work, otherwise `advice`.
async fn remedy(options: &Options, advice: String) -> String {
    let other = if options.api == Api::Chat { Api::Responses } else { Api::Chat };
    let without_effort = Options { reasoning_effort: None, ..options.clone() };
    let effort = options.reasoning_effort.map(|_| (without_effort, "without --reasoning-effort".to_owned()));
    let api = (Options { api: other, ..options.clone() }, format!("with --api {}", name(other)));
    let search = async {
        for (changed, how) in effort.into_iter().chain([api]) {
            if ask(&changed).await.is_ok() {
                return Some(format!("it works {how}"));
            }
        }
        None
    };
    let found = timeout(CHECK_TIMEOUT, search).await.ok().flatten();
    found.unwrap_or_else(|| format!("{advice}; or use --offline"))
}

fn check_price(model: &str, price: Option<Price>) -> Check {
    match price {
        Some(price) => Check::ok(
            "price",
            format!("{} and {} US dollars per million tokens sent and received", price.input, price.output),
        ),
        None => Check::warning(
            "price",
            format!("the price of {model} is unknown, so runs report no cost and --max-cost cannot be enforced"),
            format!("set input and output of [prices.{model:?}] in explore.toml"),
        ),
    }
}

/// Plays two turns with a tool's result between them, as every run does.
async fn ask(options: &Options) -> Result<(), Fault> {
    let patience = patience(options);
    let options = Options { retries_max: 0, timeout: patience, ..options.clone() };
    let client = Client::new(options)
        .map_err(|error| Fault { told: error.to_string(), advice: "check --base-url and OPENAI_API_KEY".to_owned() })?;
    let mut messages = vec![Message::User { text: format!("Call the tool `{TOOL}` now.") }];
    let parameters = serde_json::json!({
        "type": "object",
        "properties": { "ready": { "type": "boolean", "description": "true" } },
        "required": ["ready"],
        "additionalProperties": false,
    });
    let description = "Says that you can call tools.".to_owned();
    let tools = [ToolSpec { name: TOOL.to_owned(), description, parameters }];
    let system = "You are asked whether you can call tools. Call the one that there is.";
    let reply = turn(&client, Request { system, messages: &messages, tools: &tools }, patience).await?;
    if !reply.tool_calls.iter().any(|call| call.name == TOOL) {
        return Err(Fault {
            told: "it answers, but does not call the tool that it is asked to call; a run needs a model that does"
                .into(),
            advice: "use a model that can call tools, or let its server pass its calls on (vLLM needs \
                     --enable-auto-tool-choice and --tool-call-parser, llama.cpp --jinja)"
                .into(),
        });
    }
    let result = |call: &ToolCall| Message::Tool {
        call_id: call.id.clone(),
        text: format!("noted; now call `{TOOL}` once more"),
    };
    let results = reply.tool_calls.iter().map(result).collect::<Vec<_>>();
    messages.push(Message::Assistant { text: reply.text, tool_calls: reply.tool_calls, carried: reply.carried });
    messages.extend(results);
    turn(&client, Request { system, messages: &messages, tools: &tools }, patience).await.map(|_| ()).map_err(|fault| {
        let told = format!("it calls the tool, but fails when it receives the tool's result: {}", fault.told);
        Fault { told, ..fault }
    })
}

async fn turn(client: &Client, request: Request<'_>, patience: Duration) -> Result<Reply, Fault> {
    // The client's own time limit ends first and has the better message.
    let reply = timeout(patience + GRACE, client.reply(request)).await;
    let late = |_| Fault {
        told: format!("no answer within {} s", patience.as_secs()),
        advice: "check that the server answers at all, use a faster model, or give it longer with --model-timeout"
            .into(),
    };
    Ok(reply.map_err(late)??)
}

/// Returns the name of a value in options and files.
fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
