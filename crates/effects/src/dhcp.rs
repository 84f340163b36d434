//! DHCP: what a server would offer a device (RFC 2131), asked as the relay of its subnet asks.
//!
//! Only DHCPDISCOVER is ever sent. Whoever does not request what is offered leaves nothing behind: a server keeps an offer
//! for some seconds at most, and one of a reserved address needs no keeping at all.
//!
//! A relay is answered at port 67 (RFC 2131, section 4.1), which the system has to let this process bind.

mod error;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use dhcproto::v4::relay::{RelayAgentInformation, RelayInfo};
use dhcproto::v4::{DhcpOption, Message, MessageType, Opcode, OptionCode, borrowed};
use dhcproto::{Encodable as _, Encoder};
use tokio::net::UdpSocket;
use tokio::sync::{Mutex, MutexGuard};

pub use error::DhcpError;

use crate::trace::{Event, Reporting};

/// RFC 2131: servers and relays listen here.
pub const PORT: u16 = 67;

/// How long an offer may take. A server that looks first whether an address is in use takes a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest answer: what fits into an Ethernet frame without being cut.
const LARGEST: u16 = 1472;

/// The seconds for which the device is said to have asked: a server that shares its work with another one answers those
/// that nobody answers.
const WAITING: u16 = 30;

/// There is one port 67 at an address, and sites may be worked on side by side.
static PORT_IS_TAKEN: Mutex<()> = Mutex::const_new(());

/// What is asked for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discover {
    /// The device's hardware address.
    pub mac: [u8; 6],
    /// Any address of the subnet whose clients are spoken for (RFC 3527).
    pub link: Ipv4Addr,
    /// Codes of the options that it asks for.
    pub options: Vec<u8>,
}

/// What a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `yiaddr`.
    pub address: Ipv4Addr,
    /// Bytes of the options by their codes; of one that comes in parts, all of them (RFC 3396).
    pub options: BTreeMap<u8, Vec<u8>>,
}

/// The port of a relay, ready to ask one server.
#[derive(Debug)]
pub struct Relay {
    socket: UdpSocket,
    here: Ipv4Addr,
    server: SocketAddrV4,
    _port: MutexGuard<'static, ()>,
}

impl Relay {
    /// Takes port 67 of the address by which the server is reached. Nothing is sent.
    ///
    /// # Errors
    /// The server is on this machine, the port is in use, or the system does not give it to this process.
    pub async fn open(server: Ipv4Addr) -> Result<Self, DhcpError> {
        let port = PORT_IS_TAKEN.lock().await;
        let server = SocketAddrV4::new(server, PORT);
        let unreachable = |source| DhcpError::Unreachable { server, source };
        let route = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .and_then(|socket| {
                socket.connect(server)?;
                socket.local_addr()
            })
            .map_err(unreachable)?;
        let std::net::SocketAddr::V4(here) = route else {
            return Err(unreachable(io::ErrorKind::AddrNotAvailable.into()));
        };
        let here = *here.ip();
        // Whose address this is can be told by nobody who does not have it.
        let is_here = std::net::UdpSocket::bind((*server.ip(), 0)).is_ok();
        if is_here || here.is_loopback() {
            return Err(DhcpError::SameMachine {
                server: *server.ip(),
            });
        }
        let socket = UdpSocket::bind((here, PORT)).await;
        let socket = socket.map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => DhcpError::Privilege { here },
            io::ErrorKind::AddrInUse => DhcpError::InUse { here },
            _ => unreachable(source),
        })?;
        Ok(Self {
            socket,
            here,
            server,
            _port: port,
        })
    }

    /// What the server offers, once.
    ///
    /// # Errors
    /// It offers nothing in time, or its answer is none.
    pub async fn discover(
        &self,
        discover: &Discover,
        reporting: &Reporting,
    ) -> Result<Offer, DhcpError> {
        let started = Instant::now();
        let result = tokio::time::timeout(PATIENCE, self.exchange(discover)).await;
        let result = result.unwrap_or(Err(DhcpError::NoOffer {
            server: *self.server.ip(),
            link: discover.link,
            here: self.here,
        }));
        if reporting.listening() {
            let error = result.as_ref().err().map(ToString::to_string);
            reporting.tell(&Event::Asked {
                request: &format!(
                    "DHCPDISCOVER of {} in {} at {}",
                    shown(discover.mac),
                    discover.link,
                    self.server
                ),
                elapsed: started.elapsed(),
                error: error.as_deref(),
            });
        }
        result
    }

    async fn exchange(&self, discover: &Discover) -> Result<Offer, DhcpError> {
        let failed = |source| DhcpError::Unreachable {
            server: self.server,
            source,
        };
        let xid = fastrand::u32(..);
        let bytes = question(discover, self.here, xid);
        self.socket
            .send_to(&bytes, self.server)
            .await
            .map_err(failed)?;
        let mut buffer = [0; LARGEST as usize];
        loop {
            let (length, _) = match self.socket.recv_from(&mut buffer).await {
                // A server that is just being restarted: it may listen again in a moment.
                Err(source) if source.kind() == io::ErrorKind::ConnectionRefused => continue,
                received => received.map_err(failed)?,
            };
            if let Some(offer) = offer(&buffer[..length], xid) {
                return Ok(offer);
            }
        }
    }
}

fn question(discover: &Discover, here: Ipv4Addr, xid: u32) -> Vec<u8> {
    let nowhere = Ipv4Addr::UNSPECIFIED;
    let mut message = Message::new_with_id(xid, nowhere, nowhere, nowhere, here, &discover.mac);
    message.set_hops(1).set_secs(WAITING);
    let mut relay = RelayAgentInformation::default();
    relay.insert(RelayInfo::LinkSelection(discover.link));
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(MessageType::Discover));
    options.insert(DhcpOption::MaxMessageSize(LARGEST));
    let asked = discover.options.iter().copied().map(OptionCode::from);
    options.insert(DhcpOption::ParameterRequestList(asked.collect()));
    options.insert(DhcpOption::RelayAgentInformation(relay));
    let mut bytes = Vec::new();
    // What is written here is of fixed size but for a list of at most 255 codes.
    let encoded = message.encode(&mut Encoder::new(&mut bytes));
    debug_assert!(encoded.is_ok(), "{encoded:?}");
    bytes
}

/// An offer that answers this question; none where it is something else.
fn offer(bytes: &[u8], xid: u32) -> Option<Offer> {
    let message = borrowed::Message::new(bytes).ok()?;
    if message.opcode() != Opcode::BootReply || message.xid() != xid {
        return None;
    }
    let mut options: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for option in message.opts() {
        options
            .entry(option.code().into())
            .or_default()
            .extend_from_slice(option.data());
    }
    let is_offer = options.get(&u8::from(OptionCode::MessageType))
        == Some(&vec![u8::from(MessageType::Offer)]);
    is_offer.then(|| Offer {
        address: message.yiaddr(),
        options,
    })
}

/// A hardware address as people write it.
fn shown(mac: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [0x9c, 0x75, 0x14, 0, 0, 1];

    fn asked() -> Vec<u8> {
        let discover = Discover {
            mac: MAC,
            link: Ipv4Addr::new(10, 20, 30, 1),
            options: vec![6, 66, 120],
        };
        question(&discover, Ipv4Addr::new(10, 9, 9, 9), 7)
    }

    /// The reply of a server to [`asked`], with these options behind the message type.
    fn reply(options: &[u8]) -> Vec<u8> {
        let mut bytes = asked();
        bytes.truncate(240);
        bytes[0] = 2;
        bytes[16..20].copy_from_slice(&[10, 20, 30, 11]);
        bytes.extend_from_slice(&[53, 1, 2]);
        bytes.extend_from_slice(options);
        bytes.push(255);
        bytes
    }

    #[test]
    fn a_relay_speaks_for_the_device_in_its_subnet() {
        let bytes = asked();
        let message = borrowed::Message::new(&bytes).unwrap();
        assert_eq!(message.opcode(), Opcode::BootRequest);
        assert_eq!(message.giaddr(), Ipv4Addr::new(10, 9, 9, 9));
        assert_eq!((message.chaddr(), message.hops()), (MAC.as_slice(), 1));
        let found = |code: u8| {
            let found = message
                .opts()
                .find(|option| u8::from(option.code()) == code);
            found.map(|option| option.data().to_vec())
        };
        assert_eq!(found(53), Some(vec![1]));
        assert_eq!(found(55), Some(vec![6, 66, 120]));
        assert_eq!(found(82), Some(vec![5, 4, 10, 20, 30, 1]));
    }

    #[test]
    fn an_offer_is_read() {
        let text = [[66, 4].as_slice(), b"http", &[6, 4, 10, 0, 0, 1]].concat();
        let offer = offer(&reply(&text), 7).unwrap();
        assert_eq!(offer.address, Ipv4Addr::new(10, 20, 30, 11));
        assert_eq!(offer.options[&66], b"http");
        assert_eq!(offer.options[&6], [10, 0, 0, 1]);
    }

    #[test]
    fn what_is_no_offer_of_this_question_is_passed_over() {
        let good = reply(&[]);
        assert!(offer(&good, 7).is_some());
        assert!(offer(&good, 8).is_none(), "another question");
        assert!(offer(&asked(), 7).is_none(), "a question");
        let mut nak = good.clone();
        nak[242] = 6;
        assert!(offer(&nak, 7).is_none(), "a refusal");
        for length in 0..good.len() {
            // Nothing foreign panics.
            let _ = offer(&good[..length], 7);
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            let _ = offer(&bytes, 7);
        }
    }
}
