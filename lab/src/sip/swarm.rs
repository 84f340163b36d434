//! Many phones in one process, and one thread.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::rustls::ClientConfig;

use super::agent::{PhoneOrder, live};
use super::settings::{Role, SipPhone, SipTransport};
use super::state::{SipChange, SipEvent, seconds_since_1970};
use super::transport::{AuthorityError, trusting};

/// What the phones of a process are asked: one line of JSON where it crosses into it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum SipOrder {
    /// Switch a phone on.
    SwitchOn {
        /// Its settings.
        phone: Box<SipPhone>,
    },
    /// Let a phone call an extension through the server it uses.
    Call {
        /// The phone.
        phone: String,
        /// The extension.
        to: String,
    },
    /// Let a phone end its calls.
    HangUp {
        /// The phone.
        phone: String,
    },
    /// Let a phone take its registrations back and be off.
    Leave {
        /// The phone.
        phone: String,
    },
}

/// Runs phones on this thread until nobody can give orders any more; then all are off at once, as if unplugged.
///
/// # Errors
/// When the runtime cannot be made.
pub fn run_phones(
    mut orders: UnboundedReceiver<SipOrder>,
    events: UnboundedSender<SipEvent>,
) -> io::Result<()> {
    allow_many_sockets();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // They look up names, of which there are few.
        .max_blocking_threads(4)
        .build()?;
    runtime.block_on(async move {
        let mut swarm = Swarm {
            phones: HashMap::new(),
            trust: HashMap::new(),
            events,
        };
        while let Some(order) = orders.recv().await {
            let switched_on = matches!(order, SipOrder::SwitchOn { .. });
            swarm.obey(order);
            if switched_on {
                tokio::time::sleep(BETWEEN_PHONES).await;
            }
        }
    });
    // A name that is still looked up is waited for by nobody.
    runtime.shutdown_background();
    Ok(())
}

/// The pause between switching on two phones: what a server's queue of datagrams can follow. No two phones of an office begin
/// within the same microsecond either.
const BETWEEN_PHONES: Duration = Duration::from_millis(1);

struct Swarm {
    phones: HashMap<String, UnboundedSender<PhoneOrder>>,
    trust: HashMap<PathBuf, Arc<ClientConfig>>,
    events: UnboundedSender<SipEvent>,
}

impl Swarm {
    fn obey(&mut self, order: SipOrder) {
        match order {
            SipOrder::SwitchOn { phone } => self.switch_on(*phone),
            SipOrder::Call { phone, to } => self.tell(&phone, PhoneOrder::Call(to)),
            SipOrder::HangUp { phone } => self.tell(&phone, PhoneOrder::HangUp),
            SipOrder::Leave { phone } => self.tell(&phone, PhoneOrder::Leave),
        }
    }

    fn switch_on(&mut self, phone: SipPhone) {
        let tls = match self.trusted_by(&phone) {
            Ok(tls) => tls,
            Err(error) => {
                let (server, why) = (Role::Main, error.to_string());
                // Without a listener nobody wants to know.
                let _ = self.events.send(SipEvent {
                    phone: phone.name,
                    at: seconds_since_1970(),
                    change: SipChange::Failed { server, why },
                });
                return;
            }
        };
        let (orders, ordered) = unbounded_channel();
        // A phone of the same name that was on before gets no more orders, and is off.
        self.phones.insert(phone.name.clone(), orders);
        tokio::spawn(live(phone, tls, self.events.clone(), ordered));
    }

    fn trusted_by(
        &mut self,
        phone: &SipPhone,
    ) -> Result<Option<Arc<ClientConfig>>, AuthorityError> {
        let Some(file) = &phone.authority else {
            return match phone.transport {
                SipTransport::Tls => Err(AuthorityError::None),
                SipTransport::Udp | SipTransport::Tcp => Ok(None),
            };
        };
        if let Some(known) = self.trust.get(file) {
            return Ok(Some(Arc::clone(known)));
        }
        let config = trusting(file)?;
        self.trust.insert(file.clone(), Arc::clone(&config));
        Ok(Some(config))
    }

    fn tell(&self, phone: &str, order: PhoneOrder) {
        if let Some(orders) = self.phones.get(phone) {
            // A phone that has left does nothing more.
            let _ = orders.send(order);
        }
    }
}

/// Each phone has a socket for each server; the usual limit is meant for less.
fn allow_many_sockets() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is not allowed the phones that find no socket say so.
    let _ = setrlimit(Resource::Nofile, limit);
}
