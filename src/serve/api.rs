//! The addresses of the service, and their documentation, which is made of the same routes.

pub(super) mod explorations;
pub(super) mod extract;
pub(super) mod findings;
mod health;
mod keys;
pub(super) mod monitors;
mod once;
mod schema;
mod sql;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use aide::openapi::{Info, MediaType, OpenApi, SecurityScheme};
use aide::transform::{TransformOpenApi, TransformResponse};
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;

use self::extract::Listing;
use super::access::SECURITY_SCHEME;
use super::problem::Problem;
use super::{Service, frame, page};
use crate::exploration::memory::listed::InFull;

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The documentation, rendered once.
#[derive(Debug, Clone)]
pub(super) struct Documentation(pub(super) Arc<OpenApi>);

/// Returns everything that the service answers.
pub(super) fn router(service: Service) -> Router {
    let mut api = OpenApi::default();
    let documented = operations().finish_api_with(&mut api, described);
    let documentation = Documentation(Arc::new(api));
    documented
        .layer(middleware::from_fn_with_state(service.clone(), once::once))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi))
        .merge(page::router())
        .fallback(nothing_here)
        .layer(Extension(documentation))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(frame::frame))
        .with_state(service)
}

/// Returns the operations of the API.
fn operations() -> ApiRouter<Service> {
    explorations().merge(findings()).merge(database()).merge(access())
}

fn explorations() -> ApiRouter<Service> {
    ApiRouter::new()
        .api_route(
            "/v1/explorations",
            post_with(explorations::start, |o| {
                o.id("startExploration")
                    .summary("Start an exploration")
                    .response::<202, Json<explorations::Exploration>>()
            })
            .merge(get_with(explorations::list, |o| {
                o.id("listExplorations").summary("List explorations, the latest first")
            })),
        )
        .api_route(
            "/v1/explorations/{id}",
            get_with(explorations::show, |o| {
                o.id("getExploration").response::<200, Json<explorations::Exploration>>().summary("Show an exploration")
            }),
        )
        .api_route(
            "/v1/explorations/{id}/events",
            get_with(explorations::events, |o| {
                o.id("streamExploration")
                    .response_with::<200, (), _>(|response| text(response, &["text/event-stream", "application/jsonl"]))
                    .summary("Follow an exploration")
                    .description(explorations::EVENTS)
            }),
        )
        .api_route(
            "/v1/explorations/{id}/cancel",
            post_with(explorations::cancel, |o| {
                o.id("cancelExploration")
                    .summary("Cancel an exploration")
                    .description("What was found by then is reported. An exploration that is over stays as it is.")
            }),
        )
        .api_route(
            "/v1/explorations/{id}/resume",
            post_with(explorations::resume, |o| {
                o.id("resumeExploration")
                    .summary("Go on with an exploration that ended early")
                    .response::<202, Json<explorations::Exploration>>()
            }),
        )
        .api_route(
            "/v1/explorations/{id}/report",
            get_with(explorations::report, |o| {
                o.id("getReport")
                    .response_with::<200, (), _>(|response| {
                        text(response, &["application/json", "text/markdown", "text/html"])
                    })
                    .summary("Show the report")
                    .description(explorations::REPORT)
            }),
        )
        .api_route(
            "/v1/explorations/{id}/journal",
            get_with(explorations::journal, |o| {
                o.id("getJournal")
                    .response_with::<200, (), _>(|response| text(response, &["application/jsonl"]))
                    .summary("Get the journal, as lines of JSON")
            }),
        )
}

fn findings() -> ApiRouter<Service> {
    ApiRouter::new()
        .api_route(
            "/v1/findings",
            get_with(findings::list, |o| o.id("listFindings").summary("List the findings that are remembered")),
        )
        .api_route(
            "/v1/findings/{id}",
            get_with(findings::show, |o| o.id("getFinding").response::<200, Json<InFull>>().summary("Show a finding, with all that it rests on")),
        )
        .api_route(
            "/v1/findings/{id}/feedback",
            post_with(findings::feedback, |o| {
                o.id("giveFeedback").response::<200, Json<InFull>>().summary("Accept, dismiss, snooze, resolve or comment on a finding").description(
                    "With If-Match, only if the finding is still the one with this ETag. What was said stays in its history.",
                )
            }),
        )
        .api_route(
            "/v1/monitors",
            get_with(monitors::list, |o| {
                o.id("listMonitors").response::<200, Json<Listing<monitors::Watched>>>().summary("List the monitors")
            }),
        )
        .api_route(
            "/v1/monitors/{id}",
            get_with(monitors::day, |o| {
                o.id("getMonitor")
                    .response_with::<200, (), _>(|response| {
                        text(response, &["application/json", "text/markdown", "text/html"])
                    })
                    .summary("Show a judged day of a monitor")
                    .description(monitors::DAY)
            }),
        )
}

fn access() -> ApiRouter<Service> {
    ApiRouter::new()
        .api_route(
            "/v1/keys",
            get_with(keys::list, |o| o.id("listKeys").summary("List the keys")).merge(post_with(keys::create, |o| {
                o.id("createKey")
                    .summary("Make a key")
                    .description("The answer has the key itself, which is stored nowhere.")
                    .response::<201, Json<keys::Created>>()
            })),
        )
        .api_route(
            "/v1/keys/{id}",
            delete_with(keys::revoke, |o| o.id("revokeKey").response::<204, ()>().summary("Revoke a key")),
        )
        .api_route(
            "/v1/whoami",
            get_with(keys::whoami, |o| o.id("whoAmI").summary("Show who calls, and what they may do")),
        )
}

fn database() -> ApiRouter<Service> {
    ApiRouter::new()
        .api_route(
            "/v1/sql",
            post_with(sql::run, |o| {
                o.id("runSql")
                    .response_with::<200, (), _>(|response| text(response, &["application/json", "text/csv"]))
                    .summary("Run a SELECT")
                    .description(sql::RUN)
            }),
        )
        .api_route(
            "/v1/sql/check",
            post_with(sql::check, |o| {
                o.id("checkSql")
                    .response::<204, ()>()
                    .summary("Check whether a SELECT would be refused, without running it")
            }),
        )
        .api_route(
            "/v1/query-log",
            get_with(sql::log, |o| o.id("listQueries").summary("List the statements of callers, the latest first")),
        )
        .api_route(
            "/v1/schema/tables",
            get_with(schema::list, |o| {
                o.id("listTables")
                    .response::<200, Json<Listing<schema::Overview>>>()
                    .summary("List the tables that are explored")
            }),
        )
        .api_route(
            "/v1/schema/tables/{id}",
            get_with(schema::show, |o| {
                o.id("getTable")
                    .response::<200, Json<schema::Described>>()
                    .summary("Show a table by its name, such as public.orders")
            }),
        )
        .api_route(
            "/v1/schema/refresh",
            post_with(schema::refresh, |o| o.id("refreshSchema").summary("Read the tables of the database anew")),
        )
}

/// Says in which types an answer comes.
fn text<'t>(mut response: TransformResponse<'t, ()>, types: &[&str]) -> TransformResponse<'t, ()> {
    let types = types.iter().map(|kind| ((*kind).to_owned(), MediaType::default()));
    response.inner().content = types.collect();
    response
}

fn described(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let mut api = api
        .security_scheme(
            SECURITY_SCHEME,
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: None,
                description: Some("A key of `explore key create`, with the scopes that an operation names.".to_owned()),
                extensions: [].into(),
            },
        )
        .default_response::<Problem>();
    api.inner_mut().info = Info {
        title: "explore".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: Some("Explorations of a database, and the findings that are remembered of them.".to_owned()),
        ..Info::default()
    };
    api
}

async fn openapi(Extension(Documentation(api)): Extension<Documentation>) -> Response {
    Json(&*api).into_response()
}

async fn nothing_here(State(_): State<Service>) -> Problem {
    Problem::not_found("no page and no operation has this address; /docs lists them")
}
