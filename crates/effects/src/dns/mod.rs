//! DNS: reading a zone by AXFR, changing it by UPDATE (RFC 2136), both signed by TSIG (RFC 8945) where there is a key.
//!
//! All of it over TCP: a zone does not fit into a datagram, and an update that is sent twice would not be one.

mod error;
mod exchange;
mod key;
mod message;
mod rrset;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

pub use error::DnsError;
pub use key::Key;
pub use rrset::{Rrset, Update};

use crate::trace::{Event, Reporting};
use exchange::Exchange;
use message::{Name, Request};

/// RFC 1035.
pub const DEFAULT_PORT: u16 = 53;

/// Limits of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// To resolve the name and connect. Default 5 s.
    pub connect_timeout: Duration,
    /// From the start of connecting to the last byte of the answer. Default 30 s.
    pub timeout: Duration,
    /// Size of all messages of an answer in bytes. Default 64 MiB.
    pub max_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Host and port of a server. [`fmt::Display`] writes `10.20.0.53:53`, `[2001:db8::53]:53` or `ns1.acme.example:53`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// An address with the usual port.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self {
            host: address.to_string(),
            port: DEFAULT_PORT,
        }
    }

    /// Reads an address or a host's name, with a port if it is not 53. An IPv6 address with a port stands in brackets.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, DnsError> {
        let wrong = || DnsError::Address {
            text: text.escape_debug().take(80).collect(),
        };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::of(address));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<Ipv6Addr>().map_err(|_| wrong())?;
                (host, port)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(wrong)?,
            None if port.is_empty() => DEFAULT_PORT,
            None => return Err(wrong()),
        };
        let usable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(usable) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

/// One DNS server. Every request has a connection of its own.
#[derive(Debug)]
pub struct Server {
    address: Address,
    key: Option<Key>,
    options: Options,
    reporting: Reporting,
}

impl Server {
    /// A server. Nothing is connected before the first request.
    #[must_use]
    pub fn new(
        address: Address,
        key: Option<Key>,
        options: Options,
        reporting: &Reporting,
    ) -> Self {
        Self {
            address,
            key,
            options,
            reporting: reporting.clone(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// All RRsets of a zone, sorted, without what the server itself keeps: SOA, and the DNSSEC records that it makes by
    /// signing.
    ///
    /// # Errors
    /// The server does not give the zone, or not all of it within the limits.
    pub async fn transfer(&self, zone: &str) -> Result<Vec<Rrset>, DnsError> {
        let request = Request::transfer(&Name::parse(zone)?)?;
        self.exchange(format!("AXFR {zone}"), request, Exchange::transfer)
            .await
    }

    /// The serial of a zone.
    ///
    /// # Errors
    /// The server does not answer, or does not serve the zone.
    pub async fn serial(&self, zone: &str) -> Result<u32, DnsError> {
        let request = Request::serial(&Name::parse(zone)?)?;
        self.exchange(format!("SOA {zone}"), request, Exchange::serial)
            .await
    }

    /// Whether the server answers questions for these RRsets with exactly their data; TTLs do not count.
    ///
    /// # Errors
    /// The server does not answer, or answers otherwise.
    pub async fn answers(&self, zone: &str, expected: &[Rrset]) -> Result<(), DnsError> {
        let name = Name::parse(zone)?;
        for rrset in expected {
            let request = Request::rrset(rrset, &name)?;
            let what = format!("{} {}", rrset.rtype, rrset.owner);
            let differs =
                async |exchange: &mut Exchange, request| exchange.answered(request, rrset).await;
            self.exchange(what, request, differs).await?;
        }
        Ok(())
    }

    /// Changes a zone, as a whole or not at all.
    ///
    /// # Errors
    /// The update cannot be sent, something that it requires does not hold, the server refuses it, or nobody knows
    /// because no answer came ([`DnsError::did_nothing`] tells).
    pub async fn update(&self, update: &Update) -> Result<(), DnsError> {
        let request = Request::update(update, self.key.is_some())?;
        self.exchange(format!("UPDATE {}", update.zone), request, Exchange::update)
            .await
    }

    /// Whether the zone is as the update would leave it.
    ///
    /// # Errors
    /// The zone cannot be read.
    pub async fn is_as_after(&self, update: &Update) -> Result<bool, DnsError> {
        let there = self.transfer(&update.zone).await?;
        Ok(update.replace.iter().all(|wanted| {
            let found = there
                .iter()
                .find(|rrset| rrset.owner == wanted.owner && rrset.rtype == wanted.rtype);
            match found {
                Some(found) => found.data == wanted.data && found.ttl == wanted.ttl,
                None => wanted.data.is_empty(),
            }
        }))
    }

    async fn exchange<T>(
        &self,
        what: String,
        request: Request,
        run: impl AsyncFnOnce(&mut Exchange, Request) -> Result<T, DnsError>,
    ) -> Result<T, DnsError> {
        let started = Instant::now();
        let mut exchange = Exchange::new(
            format!("{what} at {}", self.address),
            self.address.clone(),
            self.key.clone(),
            self.options.clone(),
        );
        let work = run(&mut exchange, request);
        let result = tokio::time::timeout(self.options.timeout, work).await;
        let result = result.unwrap_or_else(|_| Err(exchange.out_of_time()));
        if self.reporting.listening() {
            let error = result.as_ref().err().map(ToString::to_string);
            self.reporting.tell(&Event::Asked {
                request: &exchange.at,
                elapsed: started.elapsed(),
                error: error.as_deref(),
            });
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (text, shown) in [
            ("10.20.0.53", "10.20.0.53:53"),
            ("10.20.0.53:5353", "10.20.0.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]", "[2001:db8::53]:53"),
            ("[2001:db8::53]:54", "[2001:db8::53]:54"),
            ("ns1.acme.example", "ns1.acme.example:53"),
            ("ns1.acme.example:54", "ns1.acme.example:54"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "",
            ":53",
            "ns1:",
            "ns1:0",
            "ns1:65536",
            "ns1:x",
            "[::1",
            "[ns1]:53",
            "a b",
            "a/b",
            "a:1:2",
            "dns://a",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
