//! Serving the API over HTTP.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio_rustls::TlsAcceptor;

use super::api::{self, Call};
use super::auth::{Keys, Signed};
use super::behind::Behind;
use super::body::Payload;
use super::fault::{Faults, WmsFault};
use super::reply::Reply;
use super::state::State;

/// A request as it came, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WmsRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body as text.
    pub body: String,
    /// The status of the answer; 0 where none was given.
    pub status: u16,
}

/// What the server and its handle share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) keys: Mutex<Keys>,
    pub(super) faults: Mutex<Faults>,
    pub(super) requests: Mutex<Vec<WmsRequest>>,
    pub(super) latency: Mutex<Duration>,
    pub(super) behind: OnceLock<Arc<dyn Behind>>,
}

/// A test that failed while it held the lock leaves what it guards as it is.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn accept(listener: UnixListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // An error of `accept` means that no socket is left; clients then see a connection that is never answered.
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(stream, shared).await,
                // A client that refuses the certificate is one that went away.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(Arc::clone(&shared), request));
    // A client that went away, and an answer cut off, end a connection like any other.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Payload>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let method = parts.method.as_str();
    let latency = *lock(&shared.latency);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let fault = lock(&shared.faults).meet(method, parts.uri.path());
    let logged = |status| {
        lock(&shared.requests).push(WmsRequest {
            method: method.to_owned(),
            path: parts.uri.to_string(),
            body: String::from_utf8_lossy(&body).into_owned(),
            status,
        });
    };
    let reply = match &fault {
        Some(WmsFault::TimeOut) => {
            logged(0);
            match std::future::pending::<Infallible>().await {}
        }
        Some(WmsFault::Status(status)) => Reply::error(*status, "internal error"),
        Some(WmsFault::Expired) => Reply::error(401, "the token has expired"),
        Some(WmsFault::TooMany(_)) => Reply::error(429, "too many requests"),
        Some(WmsFault::Answer(text)) => Reply {
            status: 200,
            body: serde_json::from_str(text).unwrap_or_default(),
        },
        Some(WmsFault::Truncated) | None => shared.reply(&parts, &body),
    };
    logged(reply.status);
    let text = reply.body.to_string();
    let cut = fault == Some(WmsFault::Truncated);
    let payload = if cut {
        Payload::cut(text)
    } else {
        Payload::whole(text)
    };
    let mut response = Response::new(payload);
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if let Some(WmsFault::TooMany(seconds)) = fault {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

impl Shared {
    fn reply(&self, parts: &hyper::http::request::Parts, body: &[u8]) -> Reply {
        let query = parameters(parts.uri.query().unwrap_or_default());
        let signed = Signed {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: &query,
            headers: &parts.headers,
            body,
        };
        let mut state = lock(&self.state);
        // Requests can be signed since WMS 5.
        let signatures = major(&state.version) >= 5;
        if let Err(reason) = lock(&self.keys).admit(&signed, signatures) {
            return Reply::error(401, reason);
        }
        let json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        if !body.is_empty() && !json {
            return Reply::error(415, "a body must be application/json");
        }
        let call = Call {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query,
            body,
        };
        let (reads, behind) = (call.method == "GET", self.behind.get());
        if reads && call.path.to_lowercase().contains("registrations") {
            state.ask_who_is_registered(behind);
        }
        let reply = api::answer(&mut state, call);
        if !reads {
            state.changed(behind);
        }
        reply
    }
}

pub(super) fn major(version: &str) -> u32 {
    let first = version.split('.').next().unwrap_or_default();
    first.parse().unwrap_or(0)
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}
