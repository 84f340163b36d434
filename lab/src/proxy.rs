//! A proxy before a server of the lab, which records every request and can misbehave.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

use crate::forward::{WayIn, WayOut};
use crate::{Kea, Lab, LabError};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; of a body that is not text, what can be read of it.
    pub body: String,
}

impl Request {
    /// The `command` of a body as Kea takes it, or the `method` of one that is JSON-RPC.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let command = body.get("command").or_else(|| body.get("method"))?;
        command.as_str().map(str::to_owned)
    }
}

/// A way of misbehaving.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An answer with this status and a short HTML page.
    Status(u16),
    /// A 200 with this body.
    Body(String),
    /// Bytes that are not HTTP.
    NotHttp,
    /// No answer, ever.
    Hang,
    /// The connection is closed instead of answered; the server behind never sees the request.
    Close,
    /// The server behind gets and answers the request, and then the connection is closed without the answer.
    LoseAnswer,
    /// A redirect (307) to this URL.
    Redirect(String),
    /// Kea's refusal with this text: result 1.
    Reject(String),
}

/// A running proxy. What is not made to fail goes to the server behind it and comes back unchanged.
#[derive(Debug)]
pub struct Proxy {
    at: (Ipv4Addr, u16),
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _out: WayOut,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    requests: Mutex<Vec<Request>>,
    faults: Mutex<Vec<Planned>>,
}

/// The server behind a proxy.
#[derive(Debug)]
enum Upstream {
    /// One that speaks HTTP.
    Http(WayIn),
    /// A control socket of Kea's: takes and gives JSON without anything around it.
    Kea(PathBuf),
}

/// A fault that waits for its request.
#[derive(Debug)]
struct Planned {
    /// Of Kea or JSON-RPC; none for every request.
    command: Option<String>,
    fault: Fault,
    once: bool,
}

/// Why a connection ends without an answer.
#[derive(Debug, Error)]
enum Broken {
    #[error("closed on purpose")]
    OnPurpose,
    #[error("the server behind: {0}")]
    Behind(#[from] hyper::Error),
    #[error("the server behind: {0}")]
    Io(#[from] std::io::Error),
    #[error("an answer of the proxy: {0}")]
    Answer(#[from] hyper::http::Error),
}

impl Proxy {
    /// Listens at `at` for the server at `upstream`, both addresses of the lab.
    ///
    /// # Errors
    /// When `socat` is missing or something of the operating system fails.
    pub fn start(
        lab: &Lab,
        at: (Ipv4Addr, u16),
        upstream: (Ipv4Addr, u16),
    ) -> Result<Self, LabError> {
        Self::before(lab, at, Upstream::Http(WayIn::open(lab, upstream)?))
    }

    /// Listens at `at` for Kea's DHCP server itself, past its control agent: what the HTTP control socket inside the
    /// server is from Kea 2.7.2 on. It asks for no password.
    ///
    /// # Errors
    /// As for [`Proxy::start`].
    pub fn start_direct(lab: &Lab, at: (Ipv4Addr, u16), kea: &Kea) -> Result<Self, LabError> {
        Self::before(lab, at, Upstream::Kea(kea.socket()))
    }

    fn before(lab: &Lab, at: (Ipv4Addr, u16), upstream: Upstream) -> Result<Self, LabError> {
        let failed = |source| LabError::io("start the proxy", source);
        let shared = Arc::new(Shared {
            upstream,
            requests: Mutex::default(),
            faults: Mutex::default(),
        });
        let socket = lab.path().join(format!("proxy-{}.sock", lab.number()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(failed)?;
        let listener = {
            let _context = runtime.enter();
            UnixListener::bind(&socket).map_err(failed)?
        };
        let (end, ended) = oneshot::channel();
        let told = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, told) => {}
                    _ = ended => {}
                }
            });
        });
        let out = WayOut::open(lab, at, &socket)?;
        Ok(Self {
            at,
            shared,
            end: Some(end),
            thread: Some(thread),
            _out: out,
        })
    }

    /// The proxy's URL inside the lab.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}:{}/", self.at.0, self.at.1)
    }

    /// Answers every request with this fault from now on.
    pub fn fail(&self, fault: Fault) {
        self.plan(None, fault, false);
    }

    /// Answers requests for one command of Kea with this fault from now on.
    pub fn fail_command(&self, command: &str, fault: Fault) {
        self.plan(Some(command.to_owned()), fault, false);
    }

    /// Answers the next request for one command of Kea with this fault.
    pub fn fail_command_once(&self, command: &str, fault: Fault) {
        self.plan(Some(command.to_owned()), fault, true);
    }

    fn plan(&self, command: Option<String>, fault: Fault, once: bool) {
        lock(&self.shared.faults).push(Planned {
            command,
            fault,
            once,
        });
    }

    /// Ends all faults.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The requests so far, in the order they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The commands of Kea asked for so far, in order.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.requests()
            .iter()
            .filter_map(Request::command)
            .collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let (Some(end), Some(thread)) = (self.end.take(), self.thread.take()) {
            let _ = end.send(());
            let _ = thread.join();
        }
    }
}

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    // An error of `accept` means that no socket is left; clients then see a connection that is never answered.
    while let Ok((mut stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            if shared.speaks_no_http() {
                // A client that went away is what some tests are about.
                let _ = stream
                    .write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
                    .await;
                return;
            }
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let seen = Request {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let fault = shared.fault_for(&seen);
    lock(&shared.requests).push(seen);
    let page = |status: u16| Response::builder().status(status);
    match fault {
        Some(Fault::Status(status)) => Ok(page(status)
            .header(header::CONTENT_TYPE, "text/html")
            .body(Full::from(format!(
            "<html><body><h1>{status}</h1></body></html>"
        )))?),
        Some(Fault::Body(text)) => Ok(page(200)
            .header(header::CONTENT_TYPE, "application/json")
            .body(text.into())?),
        Some(Fault::Redirect(url)) => Ok(page(307)
            .header(header::LOCATION, url)
            .body(Full::default())?),
        Some(Fault::Reject(text)) => {
            let refusal = json!([{ "result": 1, "text": text }]).to_string();
            Ok(page(200)
                .header(header::CONTENT_TYPE, "application/json")
                .body(refusal.into())?)
        }
        Some(Fault::Hang) => match std::future::pending::<Infallible>().await {},
        Some(Fault::NotHttp | Fault::Close) => Err(Broken::OnPurpose),
        Some(Fault::LoseAnswer) => {
            shared
                .upstream
                .pass_on(hyper::Request::from_parts(parts, Full::from(body)))
                .await?;
            Err(Broken::OnPurpose)
        }
        None => {
            shared
                .upstream
                .pass_on(hyper::Request::from_parts(parts, Full::from(body)))
                .await
        }
    }
}

impl Upstream {
    async fn pass_on(
        &self,
        request: hyper::Request<Full<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, Broken> {
        match self {
            Self::Http(way) => pass_on(way.socket(), request).await,
            Self::Kea(socket) => ask(socket, request).await,
        }
    }
}

/// The request's body to a control socket, and its answer.
async fn ask(
    socket: &Path,
    request: hyper::Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let mut stream = UnixStream::connect(socket).await?;
    let Ok(body) = request.into_body().collect().await;
    stream.write_all(&body.to_bytes()).await?;
    let mut answer = Vec::new();
    // Kea keeps the connection; the answer ends where its JSON does.
    while serde_json::from_slice::<Value>(&answer).is_err() {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(Broken::Io(std::io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .body(answer.into())?)
}

async fn pass_on(
    to: &Path,
    mut request: hyper::Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let stream = UnixStream::connect(to).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    // The body is whole now, whatever way it came.
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    let (mut parts, body) = sender.send_request(request).await?.into_parts();
    parts.headers.remove(header::TRANSFER_ENCODING);
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(parts, Full::from(body)))
}

impl Shared {
    fn speaks_no_http(&self) -> bool {
        lock(&self.faults)
            .iter()
            .any(|planned| planned.command.is_none() && matches!(planned.fault, Fault::NotHttp))
    }

    /// The fault set last that fits.
    fn fault_for(&self, request: &Request) -> Option<Fault> {
        let asked = request.command();
        let mut faults = lock(&self.faults);
        let fits = |planned: &Planned| planned.command.is_none() || planned.command == asked;
        let at = faults.iter().rposition(fits)?;
        let fault = faults[at].fault.clone();
        if faults[at].once {
            faults.remove(at);
        }
        Some(fault)
    }
}

/// A test that failed while it held the lock leaves the lists as they are.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
