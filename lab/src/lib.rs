//! Real servers and simulated phones for tests and for the demo.
//!
//! A [`Lab`] is a network of its own inside this machine: one network namespace for the servers and one for each
//! [`Phone`], joined by a bridge. Kea, dnsmasq and a web server run in it at the addresses a topology names
//! (`10.20.30.5:8000`, say), so many labs run side by side and none touches the machine's own network. Everything a
//! lab starts is tied to this process: drop the lab, panic, or kill the process with `SIGKILL`, and the kernel ends the
//! servers and takes the namespaces and links with them.
//!
//! Root is not needed where the kernel lets a user create namespaces.
//!
//! This crate must never be a dependency of what ships: only of tests and of its own `demo` program. It knows nothing of
//! topologies or plugins; it deals in addresses, configurations and bytes.
//!
//! Read [`Lab`] first, then [`Kea`], [`Dnsmasq`], [`NameServer`], [`Sshd`], [`WebServer`], [`Phone`]; [`Proxy`] records
//! what is sent to a server and misbehaves on demand, [`Line`] is slow or breaks, [`Wire`] breaks at the question that is wanted; [`Wms`] stands in for the API of a
//! PBX that cannot be had, [`Kamailio`] is one that can, and [`Pbx`] is both joined; a [`Fleet`] is phones that register and call.

#![forbid(unsafe_code)]

mod bind;
mod bucket;
mod device_file;
mod dns_relay;
mod dnsmasq;
mod door;
mod forward;
mod isc_dhcpd;
mod kamailio;
mod kea;
mod knot;
mod lab;
mod line;
mod nameserver;
mod namespace;
mod object_server;
mod packet;
mod pbx;
mod phone;
mod powerdns;
mod process;
mod provider;
mod proxy;
mod sip;
mod sshd;
mod web;
mod wire;
mod wms;

pub use bucket::{Bucket, Fate};
pub use device_file::{DeviceFileError, DeviceSettings, akuvox_settings};
pub use dns_relay::{DnsRelay, UpdateFault};
pub use dnsmasq::Dnsmasq;
pub use forward::Forward;
pub use isc_dhcpd::IscDhcpd;
pub use kamailio::{Kamailio, RegistrarSettings};
pub use kea::{Kea, KeaSettings};
pub use lab::{Lab, LabError};
pub use line::Line;
pub use nameserver::{DnsKey, DnsZone, NameServer};
pub use object_server::ObjectServer;
pub use pbx::{Pbx, PbxSettings};
pub use phone::{Lease, Phone};
pub use process::{Server, own_program};
pub use provider::Provider;
pub use proxy::{Fault, Proxy, Request};
pub use sip::{
    Fleet, FleetError, Keepalive, PhoneState, Registration, Role, SecondsWindow, Silence,
    SipAccount, SipChange, SipEvent, SipOrder, SipPhone, SipServer, SipTransport, Summary, Windows,
    run_phones,
};
pub use sshd::{Offer, Sshd};
pub use web::WebServer;
pub use wire::{Cut, Wire};
pub use wms::{
    Matching, S2sKey, Synchronisation, Wms, WmsCertificate, WmsFault, WmsRequest, WmsSettings,
    canonical_request,
};
