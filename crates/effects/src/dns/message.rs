//! Messages as they go over the wire: building requests, reading answers.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::message::Message;
use domain::base::message_builder::{
    AdditionalBuilder, HashCompressor, MessageBuilder, PushError, StreamTarget,
};
use domain::base::name::ParsedName;
use domain::base::rdata::UnknownRecordData;
use domain::base::record::Ttl;
use domain::base::scan::IterScanner;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{ParsedRecord, name};
use domain::rdata::ZoneRecordData;

use super::{DnsError, Rrset, Update};

/// Room for the TSIG record: two names and a signature of SHA-512.
const SIGNATURE: usize = 600;

/// The longest message there is.
const LONGEST: usize = u16::MAX as usize;

/// An absolute domain name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name(name::Name<Vec<u8>>);

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self, DnsError> {
        let wrong = || DnsError::Name {
            text: text.escape_debug().take(120).collect(),
        };
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong());
        }
        name::Name::from_str(text).map(Self).map_err(|_| wrong())
    }
}

type Target = HashCompressor<StreamTarget<Vec<u8>>>;

/// A request that waits to be signed.
pub(super) struct Request {
    pub(super) builder: AdditionalBuilder<Target>,
    pub(super) zone: Name,
}

/// Nothing but a message that gets too long can go wrong while building.
fn too_long(_: PushError) -> DnsError {
    DnsError::TooLong { limit: LONGEST }
}

impl Request {
    fn begin() -> Result<MessageBuilder<Target>, DnsError> {
        let too_long = |_| DnsError::TooLong { limit: LONGEST };
        let target = StreamTarget::new_vec();
        let mut builder =
            MessageBuilder::from_target(HashCompressor::new(target)).map_err(too_long)?;
        builder.header_mut().set_random_id();
        Ok(builder)
    }

    fn question(zone: &Name, rtype: Rtype) -> Result<Self, DnsError> {
        let mut question = Self::begin()?.question();
        question.push((&zone.0, rtype)).map_err(too_long)?;
        Ok(Self {
            builder: question.additional(),
            zone: zone.clone(),
        })
    }

    pub(super) fn transfer(zone: &Name) -> Result<Self, DnsError> {
        Self::question(zone, Rtype::AXFR)
    }

    pub(super) fn serial(zone: &Name) -> Result<Self, DnsError> {
        Self::question(zone, Rtype::SOA)
    }

    /// The question whose answer is this RRset.
    pub(super) fn rrset(rrset: &Rrset, zone: &Name) -> Result<Self, DnsError> {
        let (owner, rtype) = key(rrset, zone)?;
        let question = Self::question(&Name(owner), rtype)?;
        Ok(Self {
            zone: zone.clone(),
            ..question
        })
    }

    pub(super) fn update(update: &Update, signed: bool) -> Result<Self, DnsError> {
        let zone = Name::parse(&update.zone)?;
        let mut builder = Self::begin()?;
        builder.header_mut().set_opcode(Opcode::UPDATE);
        let mut zone_section = builder.question();
        zone_section.push((&zone.0, Rtype::SOA)).map_err(too_long)?;

        let mut required = zone_section.answer();
        for rrset in &update.require {
            let (owner, rtype) = key(rrset, &zone)?;
            if rrset.data.is_empty() {
                let none = (&owner, Class::NONE, Ttl::ZERO, nothing(rtype)?);
                required.push(none).map_err(too_long)?;
            }
            for data in data(rrset, rtype)? {
                required
                    .push((&owner, Class::IN, Ttl::ZERO, data))
                    .map_err(too_long)?;
            }
        }

        // What goes is gone before what comes: an owner may become an alias, and one that was an alias something else.
        let mut changed = required.authority();
        for rrset in &update.replace {
            let (owner, rtype) = key(rrset, &zone)?;
            let any = (&owner, Class::ANY, Ttl::ZERO, nothing(rtype)?);
            changed.push(any).map_err(too_long)?;
        }
        for rrset in &update.replace {
            let (owner, rtype) = key(rrset, &zone)?;
            for data in data(rrset, rtype)? {
                changed
                    .push((&owner, Class::IN, Ttl::from_secs(rrset.ttl), data))
                    .map_err(too_long)?;
            }
        }
        let builder = changed.additional();
        let room = if signed { SIGNATURE } else { 0 };
        if builder.as_slice().len() + room > LONGEST {
            return Err(DnsError::TooLong { limit: LONGEST });
        }
        Ok(Self { builder, zone })
    }

    /// The bytes to send, their length first.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.builder.finish().into_target().into_target()
    }
}

fn nothing(rtype: Rtype) -> Result<UnknownRecordData<Vec<u8>>, DnsError> {
    UnknownRecordData::from_octets(rtype, Vec::new())
        .map_err(|_| DnsError::TooLong { limit: LONGEST })
}

/// Owner and type of an RRset that may be changed.
fn key(rrset: &Rrset, zone: &Name) -> Result<(name::Name<Vec<u8>>, Rtype), DnsError> {
    let owner = Name::parse(&rrset.owner)?.0;
    if !owner.ends_with(&zone.0) {
        return Err(DnsError::Outside {
            owner: rrset.owner.clone(),
            zone: zone.0.to_string(),
        });
    }
    let rtype = Rtype::from_str(&rrset.rtype).ok().filter(|rtype| {
        // 128 to 255 are questions, never data (RFC 6895, section 3.1).
        let data = !matches!(rtype.to_int(), 0 | 41 | 128..=255);
        data && !is_servers_own(*rtype)
    });
    let rtype = rtype.ok_or_else(|| DnsError::Type {
        rtype: rrset.rtype.escape_debug().take(40).collect(),
    })?;
    Ok((owner, rtype))
}

/// What a server makes and keeps by itself.
fn is_servers_own(rtype: Rtype) -> bool {
    // What BIND notes about its signing has a type for private use.
    const BIND_SIGNING: Rtype = Rtype::from_int(65534);
    matches!(
        rtype,
        Rtype::SOA
            | Rtype::RRSIG
            | Rtype::NSEC
            | Rtype::NSEC3
            | Rtype::NSEC3PARAM
            | Rtype::DNSKEY
            | Rtype::CDS
            | Rtype::CDNSKEY
            | Rtype::ZONEMD
            | BIND_SIGNING
    )
}

type Data = ZoneRecordData<Vec<u8>, name::Name<Vec<u8>>>;

/// The fields of data in presentation form, without the quotes around them; escapes stay.
fn tokens(text: &str) -> Result<Vec<String>, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it is not one line of text");
    }
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(' ');
    while let Some(first) = rest.chars().next() {
        let quoted = first == '"';
        let body = if quoted { &rest[1..] } else { rest };
        let mut escaped = false;
        let end = body.find(|c: char| {
            let ends = !escaped && if quoted { c == '"' } else { c == ' ' };
            escaped = !escaped && c == '\\';
            ends
        });
        let (token, behind) = match end {
            Some(end) => (&body[..end], &body[end + usize::from(quoted)..]),
            None if quoted => return Err("a quote is not closed"),
            None => (body, ""),
        };
        if quoted && !behind.is_empty() && !behind.starts_with(' ') {
            return Err("something follows a quote directly");
        }
        tokens.push(token.to_owned());
        rest = behind.trim_start_matches(' ');
    }
    if tokens.is_empty() {
        return Err("it is empty");
    }
    Ok(tokens)
}

/// The data of an RRset from its presentation form.
fn data(rrset: &Rrset, rtype: Rtype) -> Result<Vec<Data>, DnsError> {
    let one = |text: &String| {
        let wrong = |problem: String| DnsError::Data {
            owner: rrset.owner.clone(),
            rtype: rrset.rtype.clone(),
            data: text.escape_debug().take(120).collect(),
            problem,
        };
        let tokens = tokens(text).map_err(|problem| wrong(problem.to_owned()))?;
        let is_generic = tokens.first().is_some_and(|token| token == "\\#");
        let mut scanner = IterScanner::<_, Vec<u8>>::new(tokens);
        let data = if is_generic {
            UnknownRecordData::scan(rtype, &mut scanner).map(ZoneRecordData::Unknown)
        } else {
            ZoneRecordData::scan(rtype, &mut scanner)
        };
        let data = data.map_err(|error| wrong(error.to_string()))?;
        if scanner.is_exhausted() {
            Ok(data)
        } else {
            Err(wrong("something follows the data".to_owned()))
        }
    };
    rrset.data.iter().map(one).collect()
}

/// One message of an answer, its signature checked and removed.
pub(super) type Answer = Message<Vec<u8>>;

/// A message that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Garbled(pub(super) &'static str);

impl From<domain::base::wire::ParseError> for Garbled {
    fn from(_: domain::base::wire::ParseError) -> Self {
        Self("a record is damaged")
    }
}

/// The records of a zone while they arrive.
#[derive(Default)]
pub(super) struct Collected {
    begun: bool,
    ended: bool,
    rrsets: BTreeMap<(String, String), Rrset>,
}

impl Collected {
    /// Takes the records of one message. True once the zone is complete.
    pub(super) fn take(&mut self, message: &Answer, zone: &Name) -> Result<bool, Garbled> {
        for record in message.answer()? {
            let record: ParsedRecord<'_, Vec<u8>> = record?;
            if self.ended {
                return Err(Garbled("records follow the end of the zone"));
            }
            if record.class() != Class::IN {
                return Err(Garbled("a record is not of class IN"));
            }
            if record.rtype() == Rtype::SOA {
                if record.owner() != zone.0 {
                    return Err(Garbled("it holds the SOA of another zone"));
                }
                self.ended = self.begun;
                self.begun = true;
                continue;
            }
            if !self.begun {
                return Err(Garbled("it does not begin with the zone's SOA"));
            }
            if !record.owner().ends_with(&zone.0) {
                return Err(Garbled("a record is not in the zone"));
            }
            if !is_servers_own(record.rtype()) {
                self.add(&record)?;
            }
        }
        Ok(self.ended)
    }

    fn add(&mut self, record: &ParsedRecord<'_, Vec<u8>>) -> Result<(), Garbled> {
        let parsed = record
            .to_record::<ZoneRecordData<_, ParsedName<_>>>()?
            .ok_or(Garbled("a record is of no type for zones"))?;
        let data = parsed
            .data()
            .display_zonefile(DisplayKind::Simple)
            .to_string();
        let mut owner = parsed.owner().to_string();
        owner.make_ascii_lowercase();
        let key = (owner, parsed.rtype().to_string());
        let rrset = self
            .rrsets
            .entry(key)
            .or_insert_with_key(|(owner, rtype)| Rrset {
                owner: owner.clone(),
                rtype: rtype.clone(),
                ttl: parsed.ttl().as_secs(),
                data: Vec::new(),
            });
        rrset.data.push(data);
        Ok(())
    }

    /// All RRsets, sorted, their data too.
    pub(super) fn finish(self) -> Vec<Rrset> {
        let sorted = |mut rrset: Rrset| {
            rrset.data.sort_unstable();
            rrset.data.dedup();
            rrset
        };
        self.rrsets.into_values().map(sorted).collect()
    }
}

/// The serial in the answer to a question for the SOA.
pub(super) fn serial(message: &Answer, zone: &Name) -> Result<Option<u32>, Garbled> {
    for record in message.answer()? {
        let record: ParsedRecord<'_, Vec<u8>> = record?;
        if record.rtype() == Rtype::SOA && record.owner() == zone.0 {
            let soa = record.to_record::<domain::rdata::Soa<ParsedName<_>>>()?;
            return Ok(soa.map(|soa| soa.data().serial().into_int()));
        }
    }
    Ok(None)
}

/// What an answer should hold.
pub(super) struct Wanted {
    owner: name::Name<Vec<u8>>,
    rtype: Rtype,
    data: Vec<Data>,
}

impl Wanted {
    /// Whether this is the same data, in whatever order.
    pub(super) fn is(&self, found: &[FoundData<'_>]) -> bool {
        self.data.len() == found.len()
            && self
                .data
                .iter()
                .all(|wanted| found.iter().any(|found| wanted == found))
    }
}

/// Data in an answer; names in it may point to elsewhere in the message.
pub(super) type FoundData<'a> = ZoneRecordData<&'a [u8], ParsedName<&'a [u8]>>;

/// An RRset as the server compares it.
pub(super) fn wanted(rrset: &Rrset, zone: &Name) -> Result<Wanted, DnsError> {
    let (owner, rtype) = key(rrset, zone)?;
    Ok(Wanted {
        data: data(rrset, rtype)?,
        owner,
        rtype,
    })
}

/// What an answer holds of an RRset.
pub(super) fn found<'a>(
    message: &'a Answer,
    wanted: &Wanted,
) -> Result<Vec<FoundData<'a>>, Garbled> {
    let mut found = Vec::new();
    for record in message.answer()? {
        let record: ParsedRecord<'_, Vec<u8>> = record?;
        if record.rtype() == wanted.rtype && record.owner() == wanted.owner {
            let record = record
                .to_record::<FoundData<'_>>()?
                .ok_or(Garbled("a record is of no type for zones"))?;
            found.push(record.into_data());
        }
    }
    Ok(found)
}

/// For people.
pub(super) fn shown(found: &[FoundData<'_>]) -> String {
    if found.is_empty() {
        return "nothing of that kind".to_owned();
    }
    let each = found
        .iter()
        .map(|data| data.display_zonefile(DisplayKind::Simple).to_string());
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
