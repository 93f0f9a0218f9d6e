//! Records events as tracing events with fields, for `--log-format json`. Levels match the text format: what `-v` shows
//! is INFO, what `-vv` adds is DEBUG.

use crate::agent::journal::Event;

pub(super) fn record(event: &Event) {
    match event {
        Event::Started(started) => {
            tracing::info!(
                run_id = started.run_id,
                focus = started.focus,
                as_of = %started.as_of,
                model = started.model,
                tables = started.tables,
                "started"
            );
            started.server.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        Event::Replied { turn, reply, elapsed_milliseconds, totals, model: _ } => tracing::info!(
            turn,
            reason = reply.text,
            calls = reply.tool_calls.len(),
            elapsed_milliseconds,
            input_tokens = totals.input_tokens,
            output_tokens = totals.output_tokens,
            cost_usd = totals.cost_usd.map(|cost| cost.to_string()),
            "replied"
        ),
        Event::HandedOver { from, to, questions } => {
            tracing::info!(from = from.model, ending = ?from.ending, to, ?questions, "handed over");
        }
        Event::Asked { turn, .. } => tracing::info!(turn, "waiting for the model"),
        Event::Looking { instrument, table, place, of, .. } => {
            tracing::info!(instrument, table, place, of, "an instrument looks");
        }
        Event::Queried(result) => tracing::info!(
            query = result.id,
            question = result.question,
            sql = result.sql,
            rows = result.table.rows.len(),
            more_rows = result.table.more_rows,
            elapsed_milliseconds = result.elapsed_milliseconds,
            "queried"
        ),
        Event::QueryFailed { id, sql, message } => tracing::info!(query = id, sql, reason = message, "query failed"),
        Event::Found(finding) => {
            tracing::info!(finding = finding.id, fingerprint = finding.fingerprint, title = finding.title, "found");
        }
        Event::Recorded(finding) => tracing::info!(finding = finding.id, sentence = finding.headline(), "finding"),
        Event::Remembered(known) => tracing::info!(memory = known.memory, standing = known.summary(), "remembered"),
        Event::Recalled(recalled) => tracing::info!(findings = recalled.known.len(), "recalled"),
        Event::Resumed { kept, .. } => tracing::info!(kept, "resumed"),
        Event::Remeasured(known) => tracing::info!(finding = known.finding, why = known.why, "measured again"),
        Event::Checked(finding) => tracing::info!(finding = finding.id, confidence = ?finding.confidence, "checked"),
        Event::Shuffled(shuffled) => tracing::info!(found = shuffled.found, of = shuffled.comparisons, "shuffled"),
        Event::Assumed(known) => tracing::info!(id = known.id, name = known.name, value = %known.value, "assumed"),
        Event::ClaimRefused { claim, reason } => tracing::info!(claim, reason, "claim refused"),
        Event::FindingRefused { problems, .. } => tracing::info!(problems = problems.join("; "), "finding sent back"),
        Event::LimitReached { limit, refused } => tracing::info!(%limit, refused, "limit reached"),
        Event::Compacted { queries } => tracing::info!(queries = queries.join(", "), "compacted"),
        Event::Warned { message } => tracing::warn!("{message}"),
        Event::Stopped(stopped) => tracing::info!(
            reason = ?stopped.reason,
            detail = stopped.detail,
            complete = stopped.complete,
            iterations = stopped.totals.iterations,
            queries = stopped.totals.queries,
            findings = stopped.totals.findings,
            elapsed_milliseconds = stopped.totals.elapsed_milliseconds,
            "stopped"
        ),
        Event::Briefed { .. }
        | Event::CompanionRan { .. }
        | Event::Stated(_)
        | Event::QueryStarted { .. }
        | Event::Masked { .. }
        | Event::Sent(_)
        | Event::Planned { .. } => {}
    }
    tracing::debug!(event = serde_json::to_string(event).ok(), "whole event");
}
