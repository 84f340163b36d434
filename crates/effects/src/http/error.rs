use std::error::Error;
use std::io;
use std::time::Duration;

use miette::Diagnostic;
use reqwest::header::HeaderValue;
use rustls::CertificateError;
use serde_json::Value;
use url::Url;

use super::Exchange;
use crate::trace::Reporting;

/// How much of an error's body is shown.
const EXCERPT_CHARS: usize = 300;

/// How much of it is looked at: redacting a large body to show a line of it would be a waste.
const EXCERPT_BYTES: usize = 16 * 1024;

/// A request that may not be sent, or has no answer that counts. Every text is redacted.
///
/// `at` is the method and the URL, such as `POST http://10.20.30.5:8000/`.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum HttpError {
    /// The endpoint's URL.
    #[error("the endpoint {endpoint} {problem}")]
    #[diagnostic(
        code("effects::http::endpoint"),
        help(
            "an endpoint is like `https://host:port/path`; credentials belong into the target's `auth`"
        )
    )]
    Endpoint {
        /// Without credentials, query and fragment.
        endpoint: String,
        /// A phrase such as `holds credentials`.
        problem: &'static str,
    },
    /// The credentials cannot be put into a header.
    #[error("the credentials for {endpoint} do not fit into a header")]
    #[diagnostic(
        code("effects::http::credentials"),
        help(
            "a token or a user's name holds a line break, a control character or, in a name, a colon"
        )
    )]
    Credentials {
        /// The endpoint.
        endpoint: String,
    },
    /// Not one of the methods that may be sent.
    #[error("the method `{method}` may not be sent")]
    #[diagnostic(
        code("effects::http::method"),
        help("one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS")
    )]
    Method {
        /// As given.
        method: String,
    },
    /// A path that could mean a place outside of the endpoint.
    #[error("the path `{path}` {problem}")]
    #[diagnostic(
        code("effects::http::path"),
        help("a path starts with one `/`, is percent-encoded, and stays below its endpoint")
    )]
    Path {
        /// As given.
        path: String,
        /// A phrase such as `holds a backslash`.
        problem: &'static str,
    },
    /// A header that a request may not bring, or that is none.
    #[error("the header `{name}` {problem}")]
    #[diagnostic(
        code("effects::http::header"),
        help("connection, host, length, coding and authorization are set by the sender")
    )]
    Header {
        /// As given.
        name: String,
        /// A phrase such as `holds a control character`.
        problem: &'static str,
    },
    /// TLS or the client could not be set up.
    #[error("cannot prepare connections to {endpoint}")]
    #[diagnostic(
        code("effects::http::client"),
        help(
            "https needs the system's certificates (Debian: the package ca-certificates), or SSL_CERT_FILE naming \
             a file of them"
        )
    )]
    Client {
        /// The endpoint.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What should be trusted beside the system's certificates holds none.
    #[error("the certificates to trust for {endpoint} are not in PEM")]
    #[diagnostic(
        code("effects::http::roots"),
        help(
            "the target's `ca` names a file with one or more certificates, each between `-----BEGIN CERTIFICATE-----` \
             and `-----END CERTIFICATE-----`"
        )
    )]
    Roots {
        /// The endpoint.
        endpoint: String,
    },
    /// No such name.
    #[error("{at}: the host's name cannot be resolved")]
    #[diagnostic(
        code("effects::http::dns"),
        help("check the endpoint's host name, and that this machine's DNS knows it")
    )]
    Dns {
        /// Method and URL.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody listens.
    #[error("{at}: connection refused")]
    #[diagnostic(
        code("effects::http::refused"),
        help(
            "the machine is there, but nothing listens at this port: is the server running, and is the port right?"
        )
    )]
    Refused {
        /// Method and URL.
        at: String,
    },
    /// No way there.
    #[error("{at}: cannot connect")]
    #[diagnostic(
        code("effects::http::unreachable"),
        help("check routes and firewalls between here and the endpoint")
    )]
    Unreachable {
        /// Method and URL.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No connection in time.
    #[error("{at}: no connection within {} s", limit.as_secs_f32())]
    #[diagnostic(
        code("effects::http::connect-timeout"),
        help("the machine is off or a firewall drops what is sent to it: check address and port")
    )]
    ConnectTimeout {
        /// Method and URL.
        at: String,
        /// The time it had.
        limit: Duration,
    },
    /// TLS could not be agreed on.
    #[error("{at}: no trusted TLS connection")]
    #[diagnostic(code("effects::http::tls"), help("{advice}"))]
    Tls {
        /// Method and URL.
        at: String,
        /// What to do about it.
        advice: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer, or only a part of it, in time.
    #[error("{at}: {} within {} s", if *begun { "the answer did not end" } else { "no answer" }, limit.as_secs_f32())]
    #[diagnostic(
        code("effects::http::timeout"),
        help(
            "the server took the request and did not answer in time: look at its log before trying again. Nobody knows \
             whether a change was carried out; a request that only reads changes nothing"
        )
    )]
    Timeout {
        /// Method and URL.
        at: String,
        /// The time it had.
        limit: Duration,
        /// Whether its head had come.
        begun: bool,
    },
    /// The connection ended before the answer did.
    #[error("{at}: the server closed the connection {} its answer", if *begun { "in the middle of" } else { "before" })]
    #[diagnostic(
        code("effects::http::closed"),
        help(
            "look at the server's log: it may have crashed. Nobody knows whether a change was carried out; a request that \
             only reads changes nothing"
        )
    )]
    Closed {
        /// Method and URL.
        at: String,
        /// Whether the head of the answer had come.
        begun: bool,
    },
    /// What came is not HTTP.
    #[error("{at}: the answer is not HTTP")]
    #[diagnostic(
        code("effects::http::garbage"),
        help("another protocol answers at this port; does it want https instead of http?")
    )]
    Garbage {
        /// Method and URL.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The request broke off for a reason that has no variant of its own.
    #[error("{at}: the request broke off")]
    #[diagnostic(
        code("effects::http::broken"),
        help("look at the server's log before trying again")
    )]
    Broken {
        /// Method and URL.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// More than the limit.
    #[error("{at}: the answer is larger than {limit} bytes")]
    #[diagnostic(
        code("effects::http::too-large"),
        help("nothing that is configured here needs so much; is it the right server?")
    )]
    TooLarge {
        /// Method and URL.
        at: String,
        /// In bytes.
        limit: usize,
    },
    /// A compressed answer, which nobody asked for.
    #[error("{at}: the answer is coded as `{coding}`, which was not asked for")]
    #[diagnostic(
        code("effects::http::encoded"),
        help(
            "a compressed answer cannot be searched for secrets: turn compression off for this client"
        )
    )]
    Encoded {
        /// Method and URL.
        at: String,
        /// The `Content-Encoding` header.
        coding: String,
    },
    /// A redirect within the endpoint's host.
    #[error("{at}: the server answers with status {status} and points to {to}")]
    #[diagnostic(
        code("effects::http::redirect"),
        help(
            "redirects are not followed: a changed request is not the one that was planned; write the endpoint as \
             the server wants it (http or https, the path, a final slash)"
        )
    )]
    Redirect {
        /// Method and URL.
        at: String,
        /// 300 to 399.
        status: u16,
        /// Where to.
        to: String,
    },
    /// A redirect to another host.
    #[error("{at}: the server answers with status {status} and points to another host, {to}")]
    #[diagnostic(
        code("effects::http::redirect-elsewhere"),
        help(
            "redirects are not followed, least of all to a host that nobody named: if it is right, make it the \
             target's endpoint"
        )
    )]
    RedirectElsewhere {
        /// Method and URL.
        at: String,
        /// 300 to 399.
        status: u16,
        /// Where to.
        to: String,
    },
    /// Status 401 or 403.
    #[error(
        "{at}: the server refuses these credentials with status {status}{}",
        because(reason)
    )]
    #[diagnostic(
        code("effects::http::unauthorized"),
        help("check the target's `auth` and the rights that its user or token has on the server")
    )]
    Unauthorized {
        /// Method and URL.
        at: String,
        /// 401 or 403.
        status: u16,
        /// What the server says to it.
        reason: Option<String>,
    },
    /// Status 429 or 503, and when to come back. It was waited for as far as that may be done.
    #[error(
        "{at}: the server takes no more requests now (status {status}) and asks to come back in {} s{}",
        wait.as_secs(),
        because(reason)
    )]
    #[diagnostic(
        code("effects::http::busy"),
        help(
            "try again after that time: requests that may be sent twice wait for at most a minute, others not at all"
        )
    )]
    Busy {
        /// Method and URL.
        at: String,
        /// 429 or 503.
        status: u16,
        /// As the server asks.
        wait: Duration,
        /// What the server says to it.
        reason: Option<String>,
    },
    /// Any other status that is not 200 to 299.
    #[error("{at}: the server answers with status {status}{}", because(reason))]
    #[diagnostic(code("effects::http::status"), help("{}", status_help(*status)))]
    Status {
        /// Method and URL.
        at: String,
        /// As sent.
        status: u16,
        /// What the server says to it.
        reason: Option<String>,
    },
}

fn because(reason: &Option<String>) -> String {
    reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

fn status_help(status: u16) -> &'static str {
    match status {
        404 | 410 => "nothing is at this path: check the endpoint's path and the server's version",
        405 | 501 => {
            "the server does not know this method here: check the endpoint's path and the server's version"
        }
        409 | 412 => "something else changed the same at the same time: plan again",
        429 => "the server wants fewer requests: try again later",
        500..=599 => "the fault is the server's own: look at its log",
        _ => "the server understood the request and refuses it for the reason given",
    }
}

/// The error for a whole answer that refuses the request.
pub(super) fn refusal(
    at: &str,
    status: u16,
    pointer: Option<&str>,
    body: &[u8],
    reporting: &Reporting,
) -> HttpError {
    let at = at.to_owned();
    let reason = explained(pointer, body)
        .or_else(|| excerpt(body))
        .map(|reason| {
            let text = reporting.redact(&reason);
            let mut text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            text.retain(|c| !c.is_control());
            if let Some((end, _)) = text.char_indices().nth(EXCERPT_CHARS) {
                text.truncate(end);
                text.push('…');
            }
            text
        });
    match status {
        401 | 403 => HttpError::Unauthorized { at, status, reason },
        _ => HttpError::Status { at, status, reason },
    }
}

/// What the server says where the request expects it.
fn explained(pointer: Option<&str>, body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    match json.pointer(pointer?)? {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The beginning of a body that is text.
fn excerpt(body: &[u8]) -> Option<String> {
    let head = &body[..body.len().min(EXCERPT_BYTES)];
    let text = String::from_utf8_lossy(head);
    (!text.trim().is_empty() && !head.contains(&0)).then(|| text.into_owned())
}

impl Exchange<'_> {
    /// The request could not be sent, or no head of an answer came.
    pub(super) fn failed(&self, error: &reqwest::Error) -> HttpError {
        let at = self.at.to_owned();
        if error.is_dns() {
            return HttpError::Dns {
                at,
                source: self.cause(error),
            };
        }
        if error.is_connect() {
            return self.not_connected(error);
        }
        self.cut_off(error)
    }

    fn not_connected(&self, error: &reqwest::Error) -> HttpError {
        let at = self.at.to_owned();
        if error.is_timeout() {
            return HttpError::ConnectTimeout {
                at,
                limit: self.options.connect_timeout,
            };
        }
        let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => HttpError::Refused { at },
            Some(
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::PermissionDenied,
            ) => HttpError::Unreachable {
                at,
                source: self.cause(error),
            },
            // A name was found and a connection made: what is left is the handshake.
            Some(_) if self.is_tls => HttpError::Tls {
                at,
                advice: advice(error),
                source: self.cause(error),
            },
            _ => HttpError::Unreachable {
                at,
                source: self.cause(error),
            },
        }
    }

    /// The connection stood, but the answer did not come to its end.
    pub(super) fn cut_off(&self, error: &reqwest::Error) -> HttpError {
        let at = self.at.to_owned();
        let begun = self.status.is_some();
        let protocol = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        if protocol.is_some_and(hyper::Error::is_parse) {
            return HttpError::Garbage {
                at,
                source: self.cause(error),
            };
        }
        let io = causes(error)
            .find_map(|cause| cause.downcast_ref::<io::Error>())
            .map(io::Error::kind);
        let closed = protocol.is_some_and(|error| {
            error.is_incomplete_message()
                || error.is_closed()
                || error.is_canceled()
                || error.is_body_write_aborted()
        }) || matches!(
            io,
            Some(
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        );
        if closed {
            HttpError::Closed { at, begun }
        } else {
            HttpError::Broken {
                at,
                source: self.cause(error),
            }
        }
    }

    /// The whole time was used up.
    pub(super) fn out_of_time(&self) -> HttpError {
        HttpError::Timeout {
            at: self.at.to_owned(),
            limit: self.options.timeout,
            begun: self.status.is_some(),
        }
    }

    /// The error for a status of 300 to 399.
    pub(super) fn redirected(&self, location: Option<&HeaderValue>, base: &Url) -> HttpError {
        let at = self.at.to_owned();
        let status = self.status.unwrap_or_default();
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let target = location
            .as_deref()
            .and_then(|location| base.join(location).ok());
        let elsewhere = target
            .as_ref()
            .is_some_and(|target| target.host() != base.host());
        let to = target
            .map(String::from)
            .or(location)
            .unwrap_or_else(|| "nowhere".to_owned());
        let to: String = self
            .reporting
            .redact(&to)
            .chars()
            .filter(|c| !c.is_control())
            .take(EXCERPT_CHARS)
            .collect();
        if elsewhere {
            HttpError::RedirectElsewhere { at, status, to }
        } else {
            HttpError::Redirect { at, status, to }
        }
    }

    /// The innermost cause as text: the layers above it repeat the URL or say nothing.
    fn cause(&self, error: &reqwest::Error) -> Box<dyn Error + Send + Sync> {
        let innermost = causes(error)
            .last()
            .map(ToString::to_string)
            .unwrap_or_default();
        self.reporting.redact(&innermost).into()
    }
}

/// What to do about a handshake that failed.
fn advice(error: &reqwest::Error) -> &'static str {
    let fault = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(fault)) = fault else {
        return "is it an https port?";
    };
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate is out of date: renew it there, or set this machine's clock"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: is this machine's clock right, and the server's?"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for other names: write the endpoint with one of them, or is it another server?"
        }
        CertificateError::UnknownIssuer => {
            "nobody whom this machine trusts has signed the server's certificate: if it is the right server, put its \
             authority's certificate, or its own where it signed itself, into a PEM file and name that as the target's \
             `ca`"
        }
        _ => {
            "the server's certificate is not to be trusted: look at it, and at the target's `ca` if there is one"
        }
    }
}

/// All causes, outermost first. An [`io::Error`] hides the error it was made of from `source`.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn inner<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        let error: &'a (dyn Error + 'static) = *error;
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error as &(dyn Error + 'static)), inner)
}
