//! The one listener: metrics, health, API, events, page. Read-only.
//!
//! In: `[http]`, requests. Out: answers.
//! Never: takes anything but GET and HEAD, listens beyond this machine without a token or client
//! certificates, lets idle or slow clients keep others out.

mod connections;
mod events;
mod guard;
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use events::Events;
pub use guard::Guard;

use super::api::{self, Api};
use super::metrics::Metrics;
use super::page;
use crate::time::Timestamp;

/// Where and for whom to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address.
    pub listen: SocketAddr,
    /// A file with a token that every request must bring.
    pub token_file: Option<PathBuf>,
    /// Certificate chain and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Who may have issued clients' certificates, PEM.
    pub client_ca: Option<PathBuf>,
}

/// The open listener, bound before privileges are dropped.
pub struct Server {
    listener: TcpListener,
    guard: Guard,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

/// What answers are made from.
pub struct Site {
    /// Records.
    pub api: Arc<Api>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The event stream.
    pub events: Arc<Events>,
}

/// How long a client may take over a request's head, and over TLS.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest a connection may live: also one that reads slowly, or an event stream.
const LIFETIME: Duration = Duration::from_secs(900);
/// A request's head may be so long.
const HEAD: usize = 8 * 1_024;

/// Whether the token and the certificates can be used.
///
/// # Errors
/// What is wrong, as it should be said to an administrator.
pub fn check(settings: &Settings) -> Result<(), String> {
    protection(settings).map(drop)
}

fn protection(settings: &Settings) -> Result<(Guard, Option<tokio_rustls::TlsAcceptor>), String> {
    let guard = Guard::new(settings)?;
    let tls = settings.tls.as_ref();
    let tls = tls.map(|(cert, key)| tls::acceptor(cert, key, settings.client_ca.as_deref())).transpose()?;
    Ok((guard, tls))
}

fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; stop what listens there (`ss -lntp` names it), or choose another port",
        io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address",
        io::ErrorKind::PermissionDenied => "; choose a port above 1023",
        _ => "",
    }
}

impl Server {
    /// Reads token and certificates, and binds.
    ///
    /// # Errors
    /// What is wrong, as it should be said to an administrator.
    pub fn bind(settings: &Settings) -> Result<Self, String> {
        let (guard, tls) = protection(settings)?;
        let failed = |error: io::Error| format!("[http] listen {}: {error}{}", settings.listen, cure(&error));
        let listener = TcpListener::bind(settings.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, guard, tls })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the future is dropped. Must run in a Tokio runtime on one thread.
    ///
    /// # Errors
    /// If the listener can't be taken over.
    pub async fn serve(self, site: Arc<Site>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let router = router(site, Arc::new(self.guard));
        connections::serve(listener, self.tls, router).await
    }
}

fn router(site: Arc<Site>, guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/api/v1/alerts", get(alerts))
        .route("/api/v1/calls", get(calls))
        .route("/api/v1/handsets", get(handsets))
        .route("/api/v1/posture", get(posture))
        .route("/api/v1/status", get(status))
        .route("/api/v1/events", get(events))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "no such page\n") })
        .with_state(site)
        .layer(middleware::from_fn(move |request, next| admit(Arc::clone(&guard), request, next)))
}

/// What holds for every request: who may ask, how, and what a browser may do with the answer.
async fn admit(guard: Arc<Guard>, request: Request, next: Next) -> Response {
    let mut response = if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "read-only: GET and HEAD\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    } else {
        match guard.refuses(request.headers()) {
            Some((status, why)) => {
                let mut response = plain(status, why);
                if status == StatusCode::UNAUTHORIZED {
                    for way in
                        ["Bearer", "Basic realm=\"Ringfence: the token is the password\", charset=\"UTF-8\""]
                    {
                        response
                            .headers_mut()
                            .append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
                    }
                }
                response
            }
            None => next.run(request).await,
        }
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

fn typed(kind: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, kind)], body.into()).into_response()
}

async fn index() -> Response {
    let page = page::page();
    let mut response = typed("text/html; charset=utf-8", page.html.as_str());
    if let Ok(policy) = HeaderValue::from_str(&page.policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    match site.metrics.text() {
        Ok(text) => typed("text/plain; version=0.0.4; charset=utf-8", text),
        Err(error) => {
            tracing::error!("the metrics contradict themselves: {error}");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics contradict themselves\n")
        }
    }
}

async fn healthy(State(site): State<Arc<Site>>) -> Response {
    alive(&site)
}

async fn ready(State(site): State<Arc<Site>>) -> Response {
    alive(&site)
}

/// Healthy and ready are the same here: the listener serves only once everything runs.
fn alive(site: &Site) -> Response {
    if site.api.board.vitals.alive.load(Ordering::Relaxed) > 0 {
        plain(StatusCode::OK, "ok\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "the sensor or the judge doesn't move\n")
    }
}

#[derive(Debug, Default, serde::Deserialize)]
struct Wish {
    open: Option<String>,
    since: Option<String>,
    limit: Option<String>,
}

impl Wish {
    fn read(&self) -> Result<api::Query, String> {
        let open = match self.open.as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1" | "") => true,
            Some(_) => return Err("open: true or false\n".to_owned()),
        };
        let limit = self.limit.as_deref().map(str::parse).transpose();
        let limit = limit.map_err(|_| "limit: a number\n".to_owned())?;
        let since = self.since.as_deref().map(|text| crate::time::since(text, super::now()));
        let since: Option<Timestamp> = match since {
            Some(None) => {
                return Err("since: 24h, 7d, or a time as 2026-11-26T08:00:00Z\n".to_owned());
            }
            Some(at) => at,
            None => None,
        };
        Ok(api::Query { open, since, limit })
    }
}

/// A list of records.
fn list(
    wish: Result<Query<Wish>, impl std::fmt::Display>,
    ask: impl FnOnce(&api::Query) -> Vec<String>,
) -> Response {
    let query = match wish {
        Ok(Query(wish)) => wish.read(),
        Err(wrong) => Err(format!("{wrong}\n")),
    };
    match query {
        Ok(query) => typed("application/json", format!("[{}]\n", ask(&query).join(",\n"))),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

type Wished = Result<Query<Wish>, axum::extract::rejection::QueryRejection>;

async fn alerts(State(site): State<Arc<Site>>, wish: Wished) -> Response {
    list(wish, |query| site.api.alerts(query))
}

async fn calls(State(site): State<Arc<Site>>, wish: Wished) -> Response {
    list(wish, |query| site.api.calls(query))
}

async fn handsets(State(site): State<Arc<Site>>, wish: Wished) -> Response {
    list(wish, |query| site.api.handsets(query))
}

async fn posture(State(site): State<Arc<Site>>, wish: Wished) -> Response {
    list(wish, |query| site.api.posture(query))
}

async fn status(State(site): State<Arc<Site>>) -> Response {
    typed("application/json", format!("{}\n", site.api.status()))
}

async fn events(State(site): State<Arc<Site>>, request: Request) -> Response {
    if request.method() == Method::HEAD {
        return typed("text/event-stream", Body::empty());
    }
    match site.events.subscribe() {
        Some(stream) => typed("text/event-stream", Body::new(stream)),
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "too many readers of the event stream\n"),
    }
}
