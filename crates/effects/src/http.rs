//! HTTP requests to one endpoint: never elsewhere, bounded in time and size.

mod error;
mod path;
mod signature;
pub(crate) mod tls;

use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use reqwest::{Client, Method};
use tokio::sync::OnceCell;
use url::Url;

pub use error::HttpError;
pub use signature::Application;

use crate::secrets::Secret;
use crate::trace::{Event, Reporting};

/// Headers that a request may not bring: what concerns the connection, who is asking and whom, the size and coding
/// of bodies (a compressed answer could not be searched for secrets), and what makes one method look like another.
const REFUSED_HEADERS: [&str; 23] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-app-id",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Methods that may be sent.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Methods of requests that may be sent twice.
const IDEMPOTENT: [&str; 5] = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];

/// How often a request is sent again: a server may ask to come back at once.
const LATER: u32 = 5;

/// Who is asking.
#[derive(Debug, Clone)]
pub enum Auth {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic {
        /// Without a colon.
        user: String,
        /// Any text.
        password: Secret,
    },
    /// Each request is signed, as a WMS takes it from another server.
    Signed(Application),
}

/// Credentials as requests present them.
#[derive(Debug)]
enum Credentials {
    /// The same `Authorization` header in each.
    Header(Secret),
    Signed(Application),
}

/// Limits of an endpoint.
#[derive(Debug, Clone)]
pub struct Options {
    /// To resolve the name, connect and agree on TLS. Default 5 s.
    pub connect_timeout: Duration,
    /// From the start of connecting to the last byte of the answer. Default 30 s.
    pub timeout: Duration,
    /// Size of an answer's body in bytes. Default 64 MiB.
    pub max_body: usize,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Certificates in PEM that are trusted beside those of the system; empty for none.
    pub extra_roots: Vec<u8>,
    /// How long a request waits in all, where the server asks to come back later. Default 60 s.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_body: 64 * 1024 * 1024,
            user_agent: concat!("switchover/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: Vec::new(),
            patience: Duration::from_secs(60),
        }
    }
}

/// A request, below an endpoint.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Below the endpoint's own path: `/` first, with the query string if any, percent-encoded where need be.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// Such as `application/json`; a `content-type` in `headers` wins.
    pub content_type: Option<String>,
    /// JSON pointer at which the server explains an error, such as `/0/text`.
    pub reason: Option<String>,
}

/// An answer with a status of 200 to 299.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 200 to 299.
    pub status: u16,
    /// Names in lower case and values; a value that is not text is left out.
    pub headers: Vec<(String, String)>,
    /// As it was sent, secrets and all.
    pub body: Vec<u8>,
}

/// One HTTP server, or a part of one below a path.
///
/// Nothing is connected, and no certificate is loaded, before the first request. Connections are direct: proxies are
/// not taken from the environment, since what is configured here are servers of the same house, and a variable set
/// for something else would send their credentials through a stranger.
#[derive(Debug)]
pub struct Endpoint {
    base: Url,
    credentials: Option<Credentials>,
    options: Options,
    reporting: Reporting,
    client: OnceCell<Client>,
}

impl Endpoint {
    /// A server by the URL that every path is put behind.
    ///
    /// # Errors
    /// Where the URL is not plain `http` or `https` with a host and at most a path, or the credentials do not fit
    /// into a header.
    pub fn new(
        base: Url,
        auth: Option<Auth>,
        options: Options,
        reporting: &Reporting,
    ) -> Result<Self, HttpError> {
        let base = path::check_base(base)?;
        let mut reporting = reporting.clone();
        let (credentials, derived) = match auth {
            None => (None, Vec::new()),
            Some(Auth::Bearer(token)) => {
                let header = Secret::new(format!("Bearer {}", token.expose()));
                (Some(Credentials::Header(header)), vec![token])
            }
            Some(Auth::Basic { user, password }) => {
                let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
                // A colon in it would begin the password.
                let header = match user.contains(':') {
                    true => None,
                    false => Some(Secret::new(format!("Basic {encoded}"))),
                };
                let header = header.ok_or_else(|| HttpError::Credentials {
                    endpoint: base.to_string(),
                })?;
                let derived = vec![Secret::new(encoded), password];
                (Some(Credentials::Header(header)), derived)
            }
            Some(Auth::Signed(application)) => {
                let secret = application.secret.clone();
                (Some(Credentials::Signed(application)), vec![secret])
            }
        };
        let fits = |text: &str| HeaderValue::from_str(text).is_ok();
        if !credentials
            .as_ref()
            .is_none_or(|credentials| match credentials {
                Credentials::Header(header) => fits(header.expose()),
                Credentials::Signed(application) => fits(&application.id),
            })
        {
            return Err(HttpError::Credentials {
                endpoint: base.to_string(),
            });
        }
        reporting = reporting.with_masker(reporting.masker().with_derived(derived));
        Ok(Self {
            base,
            credentials,
            options,
            reporting,
            client: OnceCell::new(),
        })
    }

    /// The URL that every path is put behind; its path does not end in `/`, unless it is the root.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The whole URL of a path below this endpoint, as a plan shows it.
    ///
    /// # Errors
    /// Where the path could lead out of the endpoint.
    pub fn url(&self, path: &str) -> Result<Url, HttpError> {
        path::join(&self.base, path).map_err(|problem| HttpError::Path {
            path: self.reporting.redact(&path.escape_debug().to_string()),
            problem,
        })
    }

    /// Whether this request could be sent at all: its method, path and headers.
    ///
    /// # Errors
    /// The error that [`Endpoint::send`] would give before connecting.
    pub fn check(&self, request: &Request) -> Result<(), HttpError> {
        self.prepare(request).map(|_| ())
    }

    fn prepare(&self, request: &Request) -> Result<(Method, Url, HeaderMap), HttpError> {
        let method = METHODS
            .into_iter()
            .find(|method| method.as_str() == request.method)
            .ok_or_else(|| HttpError::Method {
                method: request.method.escape_debug().take(40).collect(),
            })?;
        let url = self.url(&request.path)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let refused = |problem| HttpError::Header {
                name: name.escape_debug().take(80).collect(),
                problem,
            };
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused("is not a header's name"))?;
            if REFUSED_HEADERS.contains(&name.as_str()) {
                return Err(refused("is not a request's to set"));
            }
            let mut value =
                HeaderValue::from_str(value).map_err(|_| refused("holds a control character"))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        if let Some(content_type) = &request.content_type
            && !headers.contains_key(CONTENT_TYPE)
        {
            let value = HeaderValue::from_str(content_type).map_err(|_| HttpError::Header {
                name: CONTENT_TYPE.to_string(),
                problem: "holds a control character",
            })?;
            headers.insert(CONTENT_TYPE, value);
        }
        let presented =
            match &self.credentials {
                None => Some(()),
                Some(Credentials::Header(header)) => HeaderValue::from_str(header.expose())
                    .ok()
                    .map(|mut value| {
                        value.set_sensitive(true);
                        headers.insert(AUTHORIZATION, value);
                    }),
                Some(Credentials::Signed(application)) => {
                    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                    let now = now.map_or(0, |since| since.as_secs());
                    application
                        .token(&method, &url, &request.body, now)
                        .and_then(|token| application.present(&token, &mut headers))
                }
            };
        presented.ok_or_else(|| HttpError::Credentials {
            endpoint: self.base.to_string(),
        })?;
        Ok((method, url, headers))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// Where the server says when to come back (429 or 503 with `Retry-After`), a request with an idempotent method
    /// (RFC 9110, section 9.2.2) is sent again then, as far as [`Options::patience`] reaches.
    ///
    /// # Errors
    /// Where the request may not be sent, no whole answer comes within the limits, or its status is not 200 to 299.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut patience = self.options.patience;
        for _ in 0..LATER {
            match self.send_once(request).await {
                Err(HttpError::Busy { wait, .. })
                    if IDEMPOTENT.contains(&request.method.as_str()) && wait <= patience =>
                {
                    patience -= wait;
                    tokio::time::sleep(wait).await;
                }
                result => return result,
            }
        }
        self.send_once(request).await
    }

    async fn send_once(&self, request: &Request) -> Result<Response, HttpError> {
        let (method, url, headers) = self.prepare(request)?;
        let started = Instant::now();
        let shown = self.reporting.redact(url.as_str());
        let at = format!("{method} {shown}");
        let mut exchange = Exchange {
            at: &at,
            status: None,
            is_tls: self.base.scheme() == "https",
            options: &self.options,
            reporting: &self.reporting,
        };
        let work = async {
            let client = self
                .client
                .get_or_try_init(|| async { tls::client(&self.base, &self.options) })
                .await?;
            let sending = client
                .request(method.clone(), url)
                .headers(headers)
                .body(request.body.clone());
            exchange
                .run(sending, request.reason.as_deref(), &self.base)
                .await
        };
        let result = tokio::time::timeout(self.options.timeout, work).await;
        let result = result.unwrap_or_else(|_| Err(exchange.out_of_time()));
        if self.reporting.listening() {
            let error = result.as_ref().err().map(ToString::to_string);
            self.reporting.tell(&Event::Http {
                method: method.as_str(),
                url: &shown,
                status: exchange.status,
                elapsed: started.elapsed(),
                error: error.as_deref(),
            });
        }
        result
    }
}

/// One request on its way.
struct Exchange<'a> {
    at: &'a str,
    /// Known once the head of the answer is there.
    status: Option<u16>,
    is_tls: bool,
    options: &'a Options,
    reporting: &'a Reporting,
}

impl Exchange<'_> {
    async fn run(
        &mut self,
        sending: reqwest::RequestBuilder,
        reason: Option<&str>,
        base: &Url,
    ) -> Result<Response, HttpError> {
        let mut answer = sending.send().await.map_err(|error| self.failed(&error))?;
        let status = answer.status();
        self.status = Some(status.as_u16());
        if status.is_redirection() {
            return Err(self.redirected(answer.headers().get(LOCATION), base));
        }
        if let Some(coding) = answer.headers().get(CONTENT_ENCODING)
            && coding.as_bytes() != b"identity"
        {
            let coding = String::from_utf8_lossy(coding.as_bytes())
                .chars()
                .take(40)
                .collect();
            return Err(HttpError::Encoded {
                at: self.at.to_owned(),
                coding,
            });
        }
        let too_large = || HttpError::TooLarge {
            at: self.at.to_owned(),
            limit: self.options.max_body,
        };
        if answer
            .content_length()
            .is_some_and(|length| length > self.options.max_body as u64)
        {
            return Err(too_large());
        }
        let later = retry_after(answer.headers().get(RETRY_AFTER));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.cut_off(&error))? {
            if body.len() + chunk.len() > self.options.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let refusal = error::refusal(self.at, status.as_u16(), reason, &body, self.reporting);
            return Err(match (refusal, later) {
                (HttpError::Status { at, status, reason }, Some(wait))
                    if matches!(status, 429 | 503) =>
                {
                    HttpError::Busy {
                        at,
                        status,
                        wait,
                        reason,
                    }
                }
                (refusal, _) => refusal,
            });
        }
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        Ok(Response {
            status: status.as_u16(),
            headers,
            body,
        })
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3). A date in the past is now.
fn retry_after(header: Option<&HeaderValue>) -> Option<Duration> {
    let text = header?.to_str().ok()?.trim();
    let seconds = text.parse().map(Duration::from_secs).ok();
    seconds.or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        Some(
            date.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO),
        )
    })
}
