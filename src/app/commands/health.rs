//! `explore health`: asks a service whether it can do its work, for checks of containers that have no other program.

use std::time::Duration;

use reqwest::Url;

use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(url: Option<&Url>, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let url = match url {
        Some(url) => url.join("/readyz").map_err(Failure::usage)?,
        None => Url::parse(&format!("http://{}/readyz", config.serve.listen)).map_err(Failure::usage)?,
    };
    let failed = |problem: String| Failure::new(Kind::Unexpected, anyhow::Error::msg(problem));
    let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(anyhow::Error::from)?;
    let answer = client.get(url.clone()).send().await;
    let answer = answer.map_err(|error| failed(format!("no answer from {url}: {}", error.without_url())))?;
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    if !status.is_success() {
        let detail = serde_json::from_str::<serde_json::Value>(&text).ok();
        let detail = detail.and_then(|problem| problem["detail"].as_str().map(str::to_owned));
        return Err(failed(detail.unwrap_or_else(|| format!("{url} answers {status}"))));
    }
    output.data(&format!("{}\n", text.trim()))?;
    Ok(ExitStatus::Done)
}
