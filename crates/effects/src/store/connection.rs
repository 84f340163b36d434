//! How an object store is reached: with the same trust in certificates as every other server, and what the
//! environment says of proxies.

use std::error::Error;

use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, HttpResponseBody, HttpService,
};
use reqwest::redirect::Policy;

use crate::http::{Options, tls};

/// More than any of what is kept.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector;

#[derive(Debug)]
struct Service {
    client: reqwest::Client,
    /// Whether credentials may go over an open line.
    plain: bool,
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "`http://` is refused: set AWS_ALLOW_HTTP=true where the network in between is your own"
    )]
    Plain,
    #[error("the answer is larger than {MAX_BODY} bytes")]
    Large,
}

impl HttpConnector for Connector {
    fn connect(&self, client: &ClientOptions) -> object_store::Result<HttpClient> {
        let unusable = |source: Box<dyn Error + Send + Sync>| object_store::Error::Generic {
            store: "S3",
            source,
        };
        let options = Options::default();
        let config = tls::trusting(Vec::new()).map_err(|error| unusable(error.into()))?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never());
        let built = builder.build().map_err(|error| unusable(error.into()))?;
        let allow = client.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Service {
            client: built,
            plain: allow.as_deref() == Some("true"),
        }))
    }
}

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        if !self.plain && parts.uri.scheme_str() != Some("https") {
            return Err(HttpError::new(HttpErrorKind::Unknown, Refused::Plain));
        }
        let body = body.collect().await?.to_bytes();
        let sending = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        let mut answer = sending.send().await.map_err(failed)?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.headers_mut() = answer.headers().clone();
        let mut received = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            received.extend_from_slice(&chunk);
            if received.len() > MAX_BODY {
                return Err(HttpError::new(HttpErrorKind::Decode, Refused::Large));
            }
        }
        let (parts, ()) = head.into_parts();
        Ok(HttpResponse::from_parts(
            parts,
            HttpResponseBody::from(received),
        ))
    }
}

/// Everything that is not known to have happened before the request was sent may have had an effect.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}
