//! One phone: two links, and the choice between them.

use std::sync::Arc;

use fastrand::Rng;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::rustls::ClientConfig;

use super::link::{Link, LinkEvent, LinkOrder};
use super::settings::{Role, SipPhone};
use super::state::{SipChange, SipEvent, seconds_since_1970};
use super::switch::Switch;

/// What a phone is asked to do.
#[derive(Debug)]
pub(crate) enum PhoneOrder {
    /// Call this extension through the server in use.
    Call(String),
    /// End every call.
    HangUp,
    /// Take the registrations back and be off.
    Leave,
}

/// Is a phone until it is told to leave, or until nobody gives orders any more.
pub(crate) async fn live(
    phone: SipPhone,
    tls: Option<Arc<ClientConfig>>,
    events: UnboundedSender<SipEvent>,
    orders: UnboundedReceiver<PhoneOrder>,
) {
    let (told, tells) = unbounded_channel();
    let links = [Role::Main, Role::Failover]
        .into_iter()
        .filter_map(|role| {
            let server = phone.server(role)?.clone();
            let (orders, ordered) = unbounded_channel();
            let link = Link::new(&phone, role, server, tls.clone(), told.clone(), ordered);
            Some((role, orders, tokio::spawn(link.run())))
        })
        .collect::<Vec<_>>();
    let switch = Switch::new(
        phone.windows,
        phone.failover.is_some(),
        phone.scale(),
        Rng::new(),
        Instant::now(),
    );
    let mut agent = Agent {
        name: phone.name,
        switch,
        events,
        links: links
            .iter()
            .map(|(role, orders, _)| (*role, orders.clone()))
            .collect(),
    };
    agent.run(tells, orders).await;
    for (_, _, task) in links {
        task.abort();
    }
}

struct Agent {
    name: String,
    switch: Switch,
    events: UnboundedSender<SipEvent>,
    links: Vec<(Role, UnboundedSender<LinkOrder>)>,
}

impl Agent {
    async fn run(
        &mut self,
        mut tells: UnboundedReceiver<(Role, LinkEvent)>,
        mut orders: UnboundedReceiver<PhoneOrder>,
    ) {
        let mut left = 0;
        loop {
            let deadline = self.switch.deadline();
            let timer = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                told = tells.recv() => match told {
                    Some((_, LinkEvent::Left)) => {
                        left += 1;
                        if left == self.links.len() {
                            self.tell(SipChange::Left);
                            return;
                        }
                    }
                    Some((role, event)) => self.take(role, event),
                    None => return,
                },
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                () = timer => {
                    if let Some(server) = self.switch.due(Instant::now()) {
                        self.tell(SipChange::Active { server });
                    }
                }
            }
        }
    }

    fn take(&mut self, role: Role, event: LinkEvent) {
        let before = self.switch.active();
        match event {
            LinkEvent::Registered { expires, back } => {
                self.switch.registered(role, back);
                self.tell(SipChange::Registered {
                    server: role,
                    expires,
                });
            }
            LinkEvent::Lost { why, gone } => {
                self.switch.lost(role, gone, Instant::now());
                self.tell(SipChange::Lost { server: role, why });
            }
            LinkEvent::Told(change) => self.tell(change),
            LinkEvent::Left => {}
        }
        if let Some(server) = self.switch.active().filter(|now| Some(*now) != before) {
            self.tell(SipChange::Active { server });
        }
    }

    fn obey(&mut self, order: PhoneOrder) {
        match order {
            PhoneOrder::Call(peer) => {
                let active = self.switch.active();
                let link = self.links.iter().find(|(role, _)| Some(*role) == active);
                let Some((_, link)) = link else {
                    let why = "no server in use".to_owned();
                    return self.tell(SipChange::CallFailed { peer, why });
                };
                // A link lives as long as its phone.
                let _ = link.send(LinkOrder::Call(peer));
            }
            PhoneOrder::HangUp => self.for_all(|| LinkOrder::HangUp),
            PhoneOrder::Leave => self.for_all(|| LinkOrder::Leave),
        }
    }

    fn for_all(&self, order: impl Fn() -> LinkOrder) {
        for (_, link) in &self.links {
            let _ = link.send(order());
        }
    }

    fn tell(&self, change: SipChange) {
        // Without a listener nobody wants to know.
        let _ = self.events.send(SipEvent {
            phone: self.name.clone(),
            at: seconds_since_1970(),
            change,
        });
    }
}
