//! `/v1/sql`: one SELECT under the rules for a model's queries; `/v1/query-log`.

use std::time::Instant;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{Body, Listing, NumberedPaging, Params};
use crate::serve::Service;
use crate::serve::access::{Admin, By, Sql};
use crate::serve::frame::RequestId;
use crate::serve::problem::{Kind, Problem};
use crate::serve::store::{LoggedQuery, Verdict};
use crate::warehouse::sql::{Refusal, Select};
use crate::warehouse::table::{csv, json};

pub(super) const RUN: &str = "The statement is validated, bounded and rolled back, as a model's. The answer has `columns`, \
    `rows` and `more_rows`, or is CSV with `Accept: text/csv`. A statement that is refused is a problem `sql-refused` with \
    its `rule`.";

/// A statement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    /// The SELECT.
    #[schemars(length(min = 1))]
    sql: String,
}

pub(super) async fn run(
    State(service): State<Service>,
    Extension(RequestId(request)): Extension<RequestId>,
    by: By<Sql>,
    headers: HeaderMap,
    Body(Statement { sql }): Body<Statement>,
) -> Result<Response, Problem> {
    let ready = service.ready()?;
    let (opened, started) = (ready.opened(), Instant::now());
    let validated = validated(&service, &sql).await;
    let answered = match &validated {
        Ok(select) => {
            let run = opened.executor.run(select, opened.executor.limits.timeout).await;
            run.map_err(|error| Problem::new(Kind::SqlFailed, opened.executor.masked_text(&error.to_string())))
        }
        Err(refusal) => Err(refused(refusal)),
    };
    let verdict = match (&validated, &answered) {
        (Err(_), _) => Verdict::Refused,
        (Ok(_), Err(_)) => Verdict::Failed,
        (Ok(_), Ok(_)) => Verdict::Ran,
    };
    let logged = LoggedQuery {
        id: 0,
        at: Timestamp::now(),
        caller: by.caller.name,
        request,
        sql,
        verdict,
        rule: validated.err().map(|refusal| refusal.code.to_owned()),
        rows: answered.as_ref().ok().and_then(|table| i64::try_from(table.rows.len()).ok()),
        milliseconds: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
    };
    ready.store.log_query(&logged).await?;
    let table = answered?;
    let wants_csv = headers.get(header::ACCEPT).is_some_and(|accepted| accepted.as_bytes().starts_with(b"text/csv"));
    let (kind, text) = if wants_csv {
        ("text/csv; charset=utf-8", csv::render(&table).map_err(unwritten)?)
    } else {
        ("application/json", json::render(&table).map_err(unwritten)?)
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

pub(super) async fn check(
    State(service): State<Service>,
    _: By<Sql>,
    Body(Statement { sql }): Body<Statement>,
) -> Result<StatusCode, Problem> {
    validated(&service, &sql).await.map(|_| StatusCode::NO_CONTENT).map_err(|refusal| refused(&refusal))
}

pub(super) async fn log(
    State(service): State<Service>,
    _: By<Admin>,
    Params(paging): Params<NumberedPaging>,
) -> Result<Json<Listing<LoggedQuery>>, Problem> {
    let (limit, before) = (paging.checked()?, paging.cursor.map(i64::from));
    let data = service.ready()?.store.queries(before, limit).await?;
    let next_cursor = data.last().filter(|_| data.len() == limit).map(|last| last.id.to_string());
    Ok(Json(Listing { data, next_cursor }))
}

async fn validated(service: &Service, sql: &str) -> Result<Select, Refusal> {
    match service.ready() {
        Ok(ready) => ready.opened().executor.validate(sql).await,
        Err(problem) => Err(Refusal { code: "starting", message: problem.detail().to_owned(), position: None }),
    }
}

fn refused(refusal: &Refusal) -> Problem {
    Problem::new(Kind::SqlRefused, refusal.message.as_str()).by_rule(refusal.code)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "rows could not be written");
    Problem::new(Kind::Internal, "the rows cannot be written; the log says why")
}
