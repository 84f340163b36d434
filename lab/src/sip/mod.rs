//! Simulated SIP phones: registered on both servers, and calling.
//!
//! Messages, addresses and digests are the work of the crates `ezk-sip-types` and `ezk-sip-auth`; what is here is what a
//! *phone* does with them: [`transaction`] what is sent again, [`session`] one connection, [`link`] one server, [`switch`]
//! the choice between two, [`agent`] a phone, [`swarm`] a thread full of them, [`fleet`] what a test sees.

mod agent;
mod calls;
mod fleet;
mod link;
mod message;
mod sdp;
mod session;
mod settings;
mod state;
mod swarm;
mod switch;
mod transaction;
mod transport;

pub use fleet::{Fleet, FleetError, Silence, Summary};
pub use settings::{
    Keepalive, Role, SecondsWindow, SipAccount, SipPhone, SipServer, SipTransport, Windows,
};
pub use state::{PhoneState, Registration, SipChange, SipEvent};
pub use swarm::{SipOrder, run_phones};
