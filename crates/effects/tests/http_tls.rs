use std::sync::Arc;

use miette::Diagnostic as _;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use switchover_effects::Reporting;
use switchover_effects::http::{Endpoint, HttpError, Options, Request};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::server::{answer, answering, read_request};

/// A server for one TLS connection whose certificate is for `host`; its URL and its certificate in PEM.
async fn serving(host: &str) -> (Url, Vec<u8>) {
    let certified = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    )
    .parse()
    .unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Fails where the client refuses the certificate.
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            read_request(&mut stream).await;
            stream
                .write_all(answer("200 OK", "", "over TLS").as_bytes())
                .await
                .unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, certified.cert.pem().into_bytes())
}

async fn get(url: Url, extra_roots: Vec<u8>) -> Result<Vec<u8>, HttpError> {
    let options = Options {
        extra_roots,
        ..Options::default()
    };
    let endpoint = Endpoint::new(url, None, options, &Reporting::default()).unwrap();
    let request = Request {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        ..Request::default()
    };
    endpoint.send(&request).await.map(|response| response.body)
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted() {
    let (url, certificate) = serving("localhost").await;
    assert_eq!(get(url, certificate).await.unwrap(), b"over TLS");
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let (url, _) = serving("localhost").await;
    let advice = |error: &HttpError| error.help().unwrap().to_string();
    // A root so that the test needs none of the system's; it is not the server's.
    let (_, other) = serving("localhost").await;
    let error = get(url, other).await.unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    assert!(advice(&error).contains("the target's `ca`"), "{error:?}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (url, certificate) = serving("elsewhere.example").await;
    let error = get(url, certificate).await.unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    let advice = error.help().unwrap().to_string();
    assert!(advice.contains("for other names"), "{advice}");
}

#[tokio::test]
async fn a_server_without_tls_is_no_tls_connection() {
    let (_, certificate) = serving("localhost").await;
    for sent in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let (mut url, _request) = answering_at_once(sent).await;
        url.set_scheme("https").unwrap();
        let error = get(url, certificate.clone()).await.unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn roots_that_are_no_certificates_are_an_error() {
    let (url, _request) = answering("").await;
    let url = url.as_str().replace("http:", "https:").parse().unwrap();
    for bad in [
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        "none",
    ] {
        let url: Url = Url::clone(&url);
        let error = get(url, bad.into()).await.unwrap_err();
        assert!(matches!(error, HttpError::Roots { .. }), "{error:?}");
    }
}

/// Sends without waiting for a request: a TLS client's first words are none.
async fn answering_at_once(sent: &'static str) -> (Url, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(sent.as_bytes()).await;
        let _ = stream.shutdown().await;
    });
    (url, task)
}
