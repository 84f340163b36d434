//! What a phone is told: its account, its servers and how long it takes to change over.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A phone of a [`Fleet`](crate::Fleet).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SipPhone {
    /// What tells it from the others of its fleet: its extension, say, or its hardware address.
    pub name: String,
    /// Who registers.
    pub account: SipAccount,
    /// The server that is used as long as it is there.
    pub main: SipServer,
    /// The server that takes over. The phone is registered on both at once.
    pub failover: Option<SipServer>,
    /// How both are reached.
    pub transport: SipTransport,
    /// The file with the certificates that sign the servers', for TLS (PEM).
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// For how many seconds a registration is asked for. It is refreshed when four fifths of what was granted are over.
    #[serde(default = "default_expires")]
    pub expires: u32,
    /// How the phone finds out that a server is silent.
    #[serde(default)]
    pub keepalive: Keepalive,
    /// The longest pause between two keepalives, in place of the standard's: 120 s on streams, 29 s over UDP.
    #[serde(default)]
    pub keepalive_seconds: Option<u32>,
    /// How long the phone takes to change over.
    #[serde(default)]
    pub windows: Windows,
    /// What all of the phone's own times are multiplied with: `0.05` makes a minute three seconds. What it asks of servers
    /// (`expires`) is not changed.
    #[serde(default = "default_time_scale")]
    pub time_scale: f64,
}

/// A user of the servers.
#[derive(Clone, Serialize, Deserialize)]
pub struct SipAccount {
    /// The extension: the user part of its address.
    pub user: String,
    /// The name for authentication, where it is another one.
    #[serde(default)]
    pub auth_name: Option<String>,
    /// The password.
    pub password: String,
    /// The name shown to others.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The host part of its address. Without one it is each server's name.
    #[serde(default)]
    pub domain: Option<String>,
}

impl fmt::Debug for SipAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipAccount")
            .field("user", &self.user)
            .field("auth_name", &self.auth_name)
            .field("display_name", &self.display_name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// A server's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipServer {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How SIP is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SipTransport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream, encrypted; the server shows a certificate for its name.
    Tls,
}

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The one that is used as long as it is there.
    Main,
    /// The one that takes over.
    Failover,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Main => "main",
            Self::Failover => "failover",
        })
    }
}

/// What a phone sends to find out whether a server is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keepalive {
    /// `Crlf` on streams, `Options` over UDP.
    #[default]
    Usual,
    /// Line ends (RFC 5626, 4.4.1). A server answers them on streams only: over UDP they keep a way through NAT open and tell
    /// nothing.
    Crlf,
    /// `OPTIONS` requests; every answer will do.
    Options,
    /// Nothing: the phone notices when it registers again, or when a connection breaks.
    None,
}

/// The times in which a phone changes over, counted from when the main server goes or is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// From the loss of the main server to the use of the failover.
    pub to_failover: SecondsWindow,
    /// From the return of the main server to its use.
    pub to_main: SecondsWindow,
}

/// From so many seconds to so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondsWindow {
    /// The earliest.
    pub min: u32,
    /// The latest.
    pub max: u32,
}

impl SecondsWindow {
    /// A window.
    #[must_use]
    pub const fn new(min: u32, max: u32) -> Self {
        Self { min, max }
    }
}

impl Default for Windows {
    /// What most models take.
    fn default() -> Self {
        Self {
            to_failover: SecondsWindow::new(60, 105),
            to_main: SecondsWindow::new(60, 105),
        }
    }
}

impl SipPhone {
    /// A phone with the usual times.
    #[must_use]
    pub fn new(
        account: SipAccount,
        main: SipServer,
        failover: Option<SipServer>,
        transport: SipTransport,
    ) -> Self {
        Self {
            name: account.user.clone(),
            account,
            main,
            failover,
            transport,
            authority: None,
            expires: default_expires(),
            keepalive: Keepalive::default(),
            keepalive_seconds: None,
            windows: Windows::default(),
            time_scale: default_time_scale(),
        }
    }

    /// The time scale, held to what clocks can count.
    pub(crate) fn scale(&self) -> f64 {
        if self.time_scale.is_nan() {
            return 1.0;
        }
        self.time_scale.clamp(0.001, 1000.0)
    }

    /// The server in a role.
    #[must_use]
    pub fn server(&self, role: Role) -> Option<&SipServer> {
        match role {
            Role::Main => Some(&self.main),
            Role::Failover => self.failover.as_ref(),
        }
    }
}

impl SipAccount {
    /// An account whose name for authentication is its extension.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            auth_name: None,
            password: password.into(),
            display_name: None,
            domain: None,
        }
    }
}

impl SipServer {
    /// A server's place.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

/// What the vendor's PBX grants its own trunks.
fn default_expires() -> u32 {
    180
}

fn default_time_scale() -> f64 {
    1.0
}
