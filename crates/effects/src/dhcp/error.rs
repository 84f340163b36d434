use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use miette::Diagnostic;

/// A DHCP server cannot be asked, or offers nothing.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum DhcpError {
    /// Its answer would go to itself.
    #[error(
        "the DHCP server {server} is on this machine, and answers a relay at the port on which it listens itself"
    )]
    #[diagnostic(
        code("effects::dhcp::same_machine"),
        help("run this from another machine, or take `\"dhcp\"` out of the target's `probe`")
    )]
    SameMachine {
        /// Its address.
        server: Ipv4Addr,
    },
    /// Ports below 1024 are not everybody's.
    #[error(
        "the system does not give this process port 67 of {here}, at which a relay is answered"
    )]
    #[diagnostic(
        code("effects::dhcp::privilege"),
        help(
            "give the program the right to it (`setcap cap_net_bind_service=ep` on the file, or run as root), or take \
             `\"dhcp\"` out of the target's `probe`"
        )
    )]
    Privilege {
        /// Our address.
        here: Ipv4Addr,
    },
    /// A server or a relay runs here.
    #[error("port 67 of {here}, at which a relay is answered, is in use")]
    #[diagnostic(
        code("effects::dhcp::in_use"),
        help(
            "a DHCP server or relay runs on this machine: run this from another one, or take `\"dhcp\"` out of the \
             target's `probe`"
        )
    )]
    InUse {
        /// Our address.
        here: Ipv4Addr,
    },
    /// The network.
    #[error("cannot reach the DHCP server {server}")]
    #[diagnostic(code("effects::dhcp::unreachable"))]
    Unreachable {
        /// Where it was looked for.
        server: SocketAddrV4,
        /// Why.
        source: io::Error,
    },
    /// Silence.
    #[error("the DHCP server {server} offers nothing to a device in the subnet of {link}")]
    #[diagnostic(
        code("effects::dhcp::no_offer"),
        help(
            "is it running, may UDP port 67 pass between it and {here} both ways, and does it heed the link selection \
             of a relay (RFC 3527)? Its log says what it makes of a DHCPDISCOVER"
        )
    )]
    NoOffer {
        /// Its address.
        server: Ipv4Addr,
        /// An address of the subnet.
        link: Ipv4Addr,
        /// Our address.
        here: Ipv4Addr,
    },
}
