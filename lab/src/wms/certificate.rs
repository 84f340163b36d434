//! Certificates with which a stand-in speaks HTTPS.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::LabError;

/// A certificate for some hosts, and its key.
#[derive(Debug, Clone)]
pub struct WmsCertificate {
    config: Arc<ServerConfig>,
    trusted: String,
}

/// How many were made.
static AUTHORITIES: AtomicU32 = AtomicU32::new(1);

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LabError {
    LabError::io("make a certificate", io::Error::other(error))
}

impl WmsCertificate {
    /// Signed by an authority that is made for it. `hosts` are names or addresses.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn signed(hosts: &[&str]) -> Result<Self, LabError> {
        Self::from_authority(&certificate_of(hosts)?)
    }

    /// The same, out of date since 2020.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn expired(hosts: &[&str]) -> Result<Self, LabError> {
        let mut parameters = certificate_of(hosts)?;
        parameters.not_before = date_time_ymd(2019, 1, 1);
        parameters.not_after = date_time_ymd(2020, 1, 1);
        Self::from_authority(&parameters)
    }

    /// Signed by nobody else, as a PBX has it that nobody gave another one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn self_signed(hosts: &[&str]) -> Result<Self, LabError> {
        let key = KeyPair::generate().map_err(failed)?;
        let made = certificate_of(hosts)?.self_signed(&key).map_err(failed)?;
        let trusted = made.pem();
        Self::new(&made, &key, trusted)
    }

    fn from_authority(parameters: &CertificateParams) -> Result<Self, LabError> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two of one name could be taken for each other.
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("authority {number} of the lab");
        authority.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(failed)?;
        let authority = CertifiedIssuer::self_signed(authority, key).map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let made = parameters.signed_by(&key, &authority).map_err(failed)?;
        Self::new(&made, &key, authority.pem())
    }

    fn new(made: &rcgen::Certificate, key: &KeyPair, trusted: String) -> Result<Self, LabError> {
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(failed)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .map_err(failed)?;
        Ok(Self {
            config: Arc::new(config),
            trusted,
        })
    }

    /// What a client has to trust to trust it, in PEM.
    #[must_use]
    pub fn trusted(&self) -> &str {
        &self.trusted
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

fn certificate_of(hosts: &[&str]) -> Result<CertificateParams, LabError> {
    CertificateParams::new(
        hosts
            .iter()
            .map(|host| (*host).to_owned())
            .collect::<Vec<_>>(),
    )
    .map_err(failed)
}
