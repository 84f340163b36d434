use std::sync::Arc;

use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use url::Url;

use super::{HttpError, Options};

/// Shorter than any server keeps a connection open: a request must not be sent into one that is just being closed,
/// since nobody could tell then whether it was carried out.
const IDLE: std::time::Duration = std::time::Duration::from_secs(2);

/// A client for one endpoint: straight there, no redirects, nothing sent twice.
pub(super) fn client(base: &Url, options: &Options) -> Result<Client, HttpError> {
    let config = if base.scheme() == "https" {
        let extra = extra_roots(base, options)?;
        trusting(extra)
    } else {
        trusting_nobody()
    };
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| HttpError::Client {
        endpoint: base.to_string(),
        source,
    };
    Client::builder()
        .tls_backend_preconfigured(config.map_err(|error| unusable(error.into()))?)
        .user_agent(&options.user_agent)
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(IDLE)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()
        .map_err(|error| unusable(error.into()))
}

/// The certificates of the options.
fn extra_roots(base: &Url, options: &Options) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let roots = CertificateDer::pem_slice_iter(&options.extra_roots).collect::<Result<Vec<_>, _>>();
    match roots {
        Ok(roots) if !roots.is_empty() || options.extra_roots.is_empty() => Ok(roots),
        Ok(_) | Err(_) => Err(HttpError::Roots {
            endpoint: base.to_string(),
        }),
    }
}

/// With the certificates of the system (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded) and these. Loading them takes
/// milliseconds.
pub(crate) fn trusting(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// For plain HTTP. The client wants a configuration; this one costs nothing and would accept no server.
fn trusting_nobody() -> Result<ClientConfig, rustls::Error> {
    Ok(
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    )
}
