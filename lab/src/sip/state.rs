//! What a phone does, told as events, and what is known of it after them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::settings::{Role, Windows};

/// Something that happened to a phone: one line of JSON where it crosses a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SipEvent {
    /// The name of the phone.
    pub phone: String,
    /// When, in seconds since 1970.
    pub at: f64,
    /// What.
    #[serde(flatten)]
    pub change: SipChange,
}

/// What happened to a phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum SipChange {
    /// A server has taken its registration, which it had not before.
    Registered {
        /// The server.
        server: Role,
        /// For how many seconds.
        expires: u32,
    },
    /// It was registered and no longer is.
    Lost {
        /// The server.
        server: Role,
        /// Why, for people.
        why: String,
    },
    /// It is not registered and the last try failed. Told once for a row of tries that fail alike.
    Failed {
        /// The server.
        server: Role,
        /// Why, for people.
        why: String,
    },
    /// The server answered and does not take the registration: a wrong password, say.
    Refused {
        /// The server.
        server: Role,
        /// The server's answer: `403 Forbidden`.
        status: String,
    },
    /// It uses this server from now on.
    Active {
        /// The server.
        server: Role,
    },
    /// A call is up.
    CallUp {
        /// Through which server.
        server: Role,
        /// The other's address.
        peer: String,
        /// Whether the other called.
        incoming: bool,
    },
    /// A call that was up is over.
    CallOver {
        /// Through which server.
        server: Role,
        /// The other's address.
        peer: String,
        /// Why, for people.
        why: String,
    },
    /// A call did not come about.
    CallFailed {
        /// Who was called.
        peer: String,
        /// The answer, or what else went wrong.
        why: String,
    },
    /// It has taken its registrations back and is off.
    Left,
}

/// A registration on one server.
#[derive(Debug, Clone, PartialEq)]
pub enum Registration {
    /// No try has ended yet.
    Trying,
    /// Registered since.
    Registered(SystemTime),
    /// Not registered since, and why.
    Away(SystemTime, String),
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trying => f.write_str("trying"),
            Self::Registered(_) => f.write_str("registered"),
            Self::Away(_, why) => write!(f, "away ({why})"),
        }
    }
}

/// What is known of a phone.
#[derive(Debug, Clone, PartialEq)]
pub struct PhoneState {
    /// On the main server.
    pub main: Registration,
    /// On the failover.
    pub failover: Registration,
    /// The server in use, and since when.
    pub active: Option<(Role, SystemTime)>,
    /// How long it last took from noticing that its server was gone to using the other.
    pub switched: Option<Duration>,
    /// The peers of the calls that are up, each with its server.
    pub calls: Vec<(Role, String)>,
    /// Calls that came up since the beginning.
    pub calls_up: usize,
    /// The last call that did not come about.
    pub call_failed: Option<String>,
    /// Whether it is off.
    pub left: bool,
    /// What it was told of its times.
    pub windows: Windows,
    /// What they are multiplied with.
    pub time_scale: f64,
}

impl PhoneState {
    pub(crate) fn new(windows: Windows, time_scale: f64) -> Self {
        Self {
            main: Registration::Trying,
            failover: Registration::Trying,
            active: None,
            switched: None,
            calls: Vec::new(),
            calls_up: 0,
            call_failed: None,
            left: false,
            windows,
            time_scale,
        }
    }

    /// Whether it is registered there.
    #[must_use]
    pub fn is_registered(&self, role: Role) -> bool {
        let registration = match role {
            Role::Main => &self.main,
            Role::Failover => &self.failover,
        };
        matches!(registration, Registration::Registered(_))
    }

    /// Whether it uses this server and is registered there.
    #[must_use]
    pub fn is_served_by(&self, role: Role) -> bool {
        self.active.is_some_and(|(active, _)| active == role) && self.is_registered(role)
    }

    pub(crate) fn take(&mut self, event: SipEvent) {
        let at = UNIX_EPOCH + Duration::try_from_secs_f64(event.at).unwrap_or_default();
        match event.change {
            SipChange::Registered { server, .. } => {
                *self.registration(server) = Registration::Registered(at);
            }
            SipChange::Lost { server, why }
            | SipChange::Failed { server, why }
            | SipChange::Refused {
                server,
                status: why,
            } => {
                let registration = self.registration(server);
                // Away since the first failure, for the reason of the last.
                let since = match registration {
                    Registration::Away(since, _) => *since,
                    Registration::Trying | Registration::Registered(_) => at,
                };
                *registration = Registration::Away(since, why);
            }
            SipChange::Active { server } => {
                if let (Some((before, _)), Role::Failover) = (self.active, server)
                    && let Registration::Away(since, _) = self.registration(before)
                {
                    self.switched = at.duration_since(*since).ok();
                }
                self.active = Some((server, at));
            }
            SipChange::CallUp { server, peer, .. } => {
                self.calls.push((server, peer));
                self.calls_up += 1;
            }
            SipChange::CallOver { server, peer, .. } => {
                let over = (server, peer);
                if let Some(place) = self.calls.iter().position(|call| *call == over) {
                    self.calls.remove(place);
                }
            }
            SipChange::CallFailed { peer, why } => {
                self.call_failed = Some(format!("{peer}: {why}"));
            }
            SipChange::Left => {
                let gone = Registration::Away(at, "left".to_owned());
                (self.main, self.failover) = (gone.clone(), gone);
                self.active = None;
                self.left = true;
            }
        }
    }

    fn registration(&mut self, role: Role) -> &mut Registration {
        match role {
            Role::Main => &mut self.main,
            Role::Failover => &mut self.failover,
        }
    }
}

pub(crate) fn seconds_since_1970() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
