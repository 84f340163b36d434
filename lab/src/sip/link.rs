//! One phone and one of its servers: a connection, kept and made again for as long as the phone is on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ezk_sip_auth::{DigestAuthenticator, DigestCredentials, DigestUser};
use ezk_sip_types::host::{Host, HostPort};
use ezk_sip_types::uri::SipUri;
use fastrand::Rng;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::rustls::ClientConfig;

use super::session::{End, Session};
use super::settings::{Keepalive, Role, SipAccount, SipPhone, SipServer, SipTransport};
use super::state::SipChange;
use super::switch::Moment;
use super::transaction::Timers;
use super::transport::Connection;

/// What a link tells its phone.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// Registered, which it was not before; the server came back at that moment, if it was away.
    Registered { expires: u32, back: Moment },
    /// Registered no longer; the server went at that moment.
    Lost { why: String, gone: Moment },
    /// Not registered, and the server went or answered no.
    Told(SipChange),
    /// The phone was told to leave, and has left this server.
    Left,
}

/// What a phone asks of a link.
#[derive(Debug)]
pub(crate) enum LinkOrder {
    /// Call somebody.
    Call(String),
    /// End every call.
    HangUp,
    /// Take the registration back, and end.
    Leave,
}

/// One phone's relation to one of its servers.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) role: Role,
    pub(crate) account: SipAccount,
    pub(crate) server: SipServer,
    pub(crate) pace: Pace,
    pub(crate) events: UnboundedSender<(Role, LinkEvent)>,
    pub(crate) orders: UnboundedReceiver<LinkOrder>,
    pub(crate) identity: Identity,
    /// Whether the server has the registration, as far as is known.
    pub(crate) registered: bool,
    /// When the server last was seen to be away.
    pub(crate) away: Option<Instant>,
    transport: SipTransport,
    tls: Option<Arc<ClientConfig>>,
    /// This side's port of the connection before.
    port: Option<u16>,
    told: Option<SipChange>,
    failures: u32,
    pub(crate) random: Rng,
}

/// What stays the same for all registrations of a link (RFC 3261, 10.2), and counts on.
pub(crate) struct Identity {
    pub(crate) call_id: String,
    pub(crate) tag: String,
    pub(crate) number: u32,
    pub(crate) expires: u32,
    pub(crate) authenticator: DigestAuthenticator,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("call_id", &self.call_id)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// All times of a link, scaled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) timers: Timers,
    pub(crate) scale: f64,
    /// What is sent to find out whether the server is there.
    pub(crate) keepalive: Keepalive,
    /// The shortest and the longest pause between two of them.
    pub(crate) pause: (Duration, Duration),
    /// How long the answer may take.
    pub(crate) answer: Duration,
    /// How long one try to register may take while the server is away, and the longest pause between two.
    pub(crate) probe: Duration,
}

impl Pace {
    pub(crate) fn of(phone: &SipPhone) -> Self {
        let scale = phone.scale();
        let timers = Timers::scaled(scale);
        let keepalive = match (phone.keepalive, phone.transport) {
            (Keepalive::Usual, SipTransport::Udp) => Keepalive::Options,
            (Keepalive::Usual, SipTransport::Tcp | SipTransport::Tls) => Keepalive::Crlf,
            (chosen, _) => chosen,
        };
        // RFC 5626, 4.4.1 and 4.4.2, and no longer than the window lets the phone notice and choose its moment in it.
        let (shortest, longest): (f64, f64) = match (phone.keepalive_seconds, phone.transport) {
            (Some(seconds), _) => {
                let seconds = f64::from(seconds.max(1));
                (seconds * 0.8, seconds)
            }
            (None, SipTransport::Udp) => (24.0, 29.0),
            (None, SipTransport::Tcp | SipTransport::Tls) => (95.0, 120.0),
        };
        let window = phone.windows.to_failover;
        let (min, max) = (f64::from(window.min), f64::from(window.max.max(window.min)));
        let answer = (max / 3.0).clamp(1.0, 10.0);
        let bound = (max * 0.8 - answer)
            .min(((max - min) * 0.8).max(max * 0.1))
            .max(1.0);
        let bounded = longest.min(bound).max(1.0);
        let shortest = (shortest * (bounded / longest)).min(bounded);
        let longest = bounded;
        let back = f64::from(phone.windows.to_main.max);
        let seconds = |seconds: f64| Duration::from_secs_f64(seconds * scale);
        Self {
            timers,
            scale,
            keepalive,
            pause: (seconds(shortest), seconds(longest)),
            answer: seconds(answer),
            probe: seconds((back / 4.0).clamp(1.0, 30.0)),
        }
    }

    pub(crate) fn seconds(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds * self.scale)
    }
}

impl Link {
    pub(crate) fn new(
        phone: &SipPhone,
        role: Role,
        server: SipServer,
        tls: Option<Arc<ClientConfig>>,
        events: UnboundedSender<(Role, LinkEvent)>,
        orders: UnboundedReceiver<LinkOrder>,
    ) -> Self {
        let mut random = Rng::new();
        let account = phone.account.clone();
        Self {
            role,
            server,
            pace: Pace::of(phone),
            events,
            orders,
            identity: Identity {
                call_id: token(&mut random),
                tag: token(&mut random),
                number: 0,
                expires: phone.expires,
                authenticator: authenticator(&account),
            },
            registered: false,
            away: None,
            transport: phone.transport,
            tls,
            port: None,
            told: None,
            failures: 0,
            account,
            random,
        }
    }

    /// Keeps the phone registered until it is told to leave.
    pub(crate) async fn run(mut self) {
        loop {
            let left = match self.connect().await {
                Ok(connection) => {
                    let began = Instant::now();
                    let end = Session::new(&mut self, connection).run().await;
                    self.ended(end, began)
                }
                Err(why) => {
                    self.away = Some(Instant::now());
                    self.failed(why);
                    false
                }
            };
            if left || self.pause().await {
                // The phone may be gone already, which is as well.
                let _ = self.events.send((self.role, LinkEvent::Left));
                return;
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, String> {
        let (tls, before) = (self.tls.as_ref(), self.port);
        let patience = self.pace.probe;
        let connection =
            Connection::open(&self.server, self.transport, tls, before, patience).await;
        let connection = connection.map_err(|error| error.to_string())?;
        self.port = Some(connection.local().port());
        Ok(connection)
    }

    /// Tells what has ended; gives whether the link is to end with it.
    fn ended(&mut self, end: End, began: Instant) -> bool {
        match end {
            End::Left => return true,
            End::Gone { why, gone } => {
                self.away = Some(Instant::now());
                if self.registered {
                    // The first try after a loss is made at once, unless the server closes whatever is opened.
                    self.failures = u32::from(began.elapsed() < self.pace.seconds(1.0));
                    self.lost(why, gone);
                } else {
                    self.failed(why);
                }
            }
            End::Refused { status } => {
                self.away = Some(Instant::now());
                self.failures = self.failures.max(1);
                if self.registered {
                    self.lost(status.clone(), Moment::exactly(Instant::now()));
                }
                self.tell(SipChange::Refused {
                    server: self.role,
                    status,
                });
                self.failures += 1;
            }
        }
        false
    }

    pub(crate) fn is_registered(&mut self, expires: u32) {
        let now = Instant::now();
        self.failures = 0;
        if self.registered {
            return;
        }
        self.registered = true;
        self.told = None;
        let back = Moment {
            earliest: self.away.take().unwrap_or(now),
            latest: now,
        };
        self.send(LinkEvent::Registered { expires, back });
    }

    fn lost(&mut self, why: String, gone: Moment) {
        self.registered = false;
        self.send(LinkEvent::Lost { why, gone });
    }

    fn failed(&mut self, why: String) {
        self.failures += 1;
        self.tell(SipChange::Failed {
            server: self.role,
            why,
        });
    }

    /// Tells what has not been told before.
    fn tell(&mut self, change: SipChange) {
        if self.told.as_ref() != Some(&change) {
            self.told = Some(change.clone());
            self.send(LinkEvent::Told(change));
        }
    }

    pub(crate) fn send(&self, event: LinkEvent) {
        // Without the phone nobody wants to know.
        let _ = self.events.send((self.role, event));
    }

    /// Waits before the next try, longer with each that failed. Gives whether the link is to end.
    async fn pause(&mut self) -> bool {
        if self.failures == 0 {
            return false;
        }
        let doubled = self
            .pace
            .seconds(1.0)
            .mul_f64(2_f64.powi(self.failures.min(10) as i32 - 1));
        let pause = doubled
            .min(self.pace.probe)
            .mul_f64(0.5 + self.random.f64() / 2.0);
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = sleep_until(until) => return false,
                order = self.orders.recv() => match order {
                    None | Some(LinkOrder::Leave) => return true,
                    Some(LinkOrder::HangUp) => {}
                    Some(LinkOrder::Call(peer)) => self.cannot_call(peer),
                },
            }
        }
    }

    pub(crate) fn cannot_call(&self, peer: String) {
        let why = format!("not registered on the {} server", self.role);
        self.send(LinkEvent::Told(SipChange::CallFailed { peer, why }));
    }

    /// The address of somebody at this server.
    pub(crate) fn address_of(&self, user: &str) -> SipUri {
        self.home().user(user.into())
    }

    /// The server as requests name it: with its port where that is not the transport's own.
    pub(crate) fn home(&self) -> SipUri {
        if let Some(domain) = &self.account.domain {
            return SipUri::new(host(domain, None));
        }
        let usual = if self.transport == SipTransport::Tls {
            5061
        } else {
            5060
        };
        let port = (self.server.port != usual).then_some(self.server.port);
        SipUri::new(host(&self.server.host, port))
    }
}

/// Proves who the account is, to whoever asks.
pub(crate) fn authenticator(account: &SipAccount) -> DigestAuthenticator {
    let name = account.auth_name.as_ref().unwrap_or(&account.user);
    let mut credentials = DigestCredentials::new();
    credentials.set_default(DigestUser::new(name.as_str(), account.password.as_str()));
    DigestAuthenticator::new(credentials)
}

fn host(text: &str, port: Option<u16>) -> HostPort {
    let host = match text.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => Host::Name(text.into()),
    };
    HostPort { host, port }
}

/// A word that no other has.
pub(crate) fn token(random: &mut Rng) -> String {
    format!("{:016x}", random.u64(..))
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::sip::settings::{
        Keepalive, SecondsWindow, SipAccount, SipPhone, SipServer, SipTransport, Windows,
    };

    fn pace(transport: SipTransport, to_failover: SecondsWindow) -> Pace {
        let server = SipServer::new("pbx1", 5060);
        let mut phone = SipPhone::new(SipAccount::new("101", "x"), server, None, transport);
        phone.windows = Windows {
            to_failover,
            to_main: SecondsWindow::new(10, 60),
        };
        Pace::of(&phone)
    }

    #[test]
    fn a_wide_window_leaves_the_pauses_of_the_standard() {
        let udp = pace(SipTransport::Udp, SecondsWindow::new(60, 300));
        assert_eq!((udp.pause.0.as_secs(), udp.pause.1.as_secs()), (24, 29));
        assert_eq!(udp.keepalive, Keepalive::Options);
        let tls = pace(SipTransport::Tls, SecondsWindow::new(60, 300));
        assert_eq!((tls.pause.0.as_secs(), tls.pause.1.as_secs()), (95, 120));
        assert_eq!(tls.keepalive, Keepalive::Crlf);
    }

    #[test]
    fn a_narrow_window_is_noticed_in() {
        // Every window of the published table.
        for (min, max) in [(60, 105), (30, 60), (40, 45), (30, 30), (10, 10), (10, 60)] {
            for transport in [SipTransport::Udp, SipTransport::Tcp] {
                let pace = pace(transport, SecondsWindow::new(min, max));
                let noticed = pace.pause.1 + pace.answer;
                assert!(
                    noticed.as_secs_f64() < f64::from(max),
                    "{min}-{max}: {noticed:?}"
                );
                assert!(pace.pause.0 <= pace.pause.1);
            }
        }
    }
}
