//! Requests to the collector, by the client that everything else here uses.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use tokio::runtime::{Builder, Runtime};

use super::delivery::Delivery;
use crate::http::tls;

/// An answer of a collector is a few bytes.
const LARGEST: usize = 1 << 20;

/// Called by the thread that sends spans, and by no other: it may block.
#[derive(Debug)]
pub(super) struct Sender {
    line: OnceLock<Line>,
    certificates: Vec<CertificateDer<'static>>,
    timeout: Duration,
    delivery: Arc<Delivery>,
}

/// Made with the first request, by the thread that sends it.
#[derive(Debug)]
struct Line {
    runtime: Runtime,
    client: Client,
}

impl Sender {
    pub(super) fn new(
        certificates: Vec<CertificateDer<'static>>,
        timeout: Duration,
        delivery: &Arc<Delivery>,
    ) -> Self {
        Self {
            line: OnceLock::new(),
            certificates,
            timeout,
            delivery: Arc::clone(delivery),
        }
    }

    fn line(&self) -> Result<&Line, HttpError> {
        if let Some(line) = self.line.get() {
            return Ok(line);
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls::trusting(self.certificates.clone())?)
            .user_agent(concat!("switchover/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .build()?;
        Ok(self.line.get_or_init(|| Line { runtime, client }))
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let Line { runtime, client } = self.line()?;
        runtime.block_on(async {
            let exchanged = tokio::time::timeout(self.timeout, exchange(client, request));
            exchanged
                .await
                .map_err(|_| format!("no answer within {} ms", self.timeout.as_millis()))?
        })
    }
}

async fn exchange(client: &Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    // The URL may hold credentials.
    let plain = reqwest::Error::without_url;
    let mut answer = client
        .execute(request.try_into().map_err(plain)?)
        .await
        .map_err(plain)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(plain)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(format!("an answer of more than {LARGEST} bytes").into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request);
        match &answer {
            Ok(answer) if !answer.status().is_success() => {
                self.delivery
                    .failed(format!("it answered {}", answer.status()));
            }
            Ok(_) => {}
            Err(error) => self.delivery.failed(innermost(error.as_ref())),
        }
        answer
    }
}

/// What began it: what is around it only says that nothing was sent.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
