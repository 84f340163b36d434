//! What a plugin may ask for: each request is held against its manifest's patterns before it is sent.
//!
//! The functions are pure and say no whenever a request could mean something else to whoever gets it than it means
//! here: nothing is normalised, what would need it is refused.

use std::collections::BTreeSet;
use std::fmt;

use miette::Diagnostic;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::printable;
use crate::manifest::is_method;
use crate::pattern::{self, PathFault};
use crate::wit::{
    DnsQuery, DnsUpdate, Effect, Header, HttpBody, HttpPattern, HttpRequest, Manifest, Pattern,
    ProbeKind, ReadRequest, Rrset,
};

/// A request that a plugin may not make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("plugin `{plugin}` {version} may not ask for `{request}`: {reason}")]
#[diagnostic(
    code(plugin::refused),
    help(
        "nothing was sent; `switchover plugin inspect {plugin}` lists what the plugin may ask for"
    )
)]
pub struct Refusal {
    /// Name of the plugin.
    pub plugin: String,
    /// Version of the plugin.
    pub version: String,
    /// What it asked for: method and path, or what is done to which file. Never a body.
    pub request: String,
    /// Why not.
    pub reason: Reason,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// None of the manifest's patterns of that kind fits.
    #[error("it matches none of the plugin's {0} patterns")]
    NoPattern(&'static str),
    /// The path could lead elsewhere.
    #[error("its path {0}")]
    Path(PathFault),
    /// The name of the zone is none.
    #[error("the zone's name {0}")]
    Zone(PathFault),
    /// The method is not upper-case letters.
    #[error("its method is not one")]
    Method,
    /// A header that could change what the request means.
    #[error("its header `{0}` is not one that a plugin may set")]
    Header(String),
    /// The body is not one clear JSON value.
    #[error("its body is not one clear JSON value: {0}")]
    Body(String),
    /// A name that is not in the zone which the request says it is about.
    #[error("`{0}` is no name in that zone")]
    Owner(String),
    /// An update of nothing, or one that contradicts itself.
    #[error("it names no RRset, or one twice")]
    Rrsets,
    /// The manifest does not name the command.
    #[error("the plugin's manifest does not name this command")]
    Command,
    /// Writing where nothing may be written.
    #[error("nothing is changed in this phase")]
    Changes,
}

/// Whether the plugin may read this.
///
/// # Errors
/// It may not.
pub fn read(manifest: &Manifest, request: &ReadRequest) -> Result<(), Refusal> {
    let result = match request {
        ReadRequest::Http(http) => {
            Http::parse(http).and_then(|http| http.fits(&[&manifest.reads], "read"))
        }
        ReadRequest::File(path) => file(&[&manifest.reads], path, "read"),
        ReadRequest::Folder(path) => folder(&manifest.reads, path),
        ReadRequest::Zone(name) => zone(&manifest.reads, name, "read"),
    };
    result.map_err(|reason| {
        let request = match request {
            ReadRequest::Http(http) => describe_http(http),
            ReadRequest::File(path) => format!("read {path}"),
            ReadRequest::Folder(path) => format!("list {path}"),
            ReadRequest::Zone(name) => format!("transfer {name}"),
        };
        refusal(manifest, &request, reason)
    })
}

/// Whether the plugin may have this done in a stage or commit step, or in an undo.
///
/// # Errors
/// It may not.
pub fn write(manifest: &Manifest, effect: &Effect) -> Result<(), Refusal> {
    let both = [manifest.writes.as_slice(), manifest.reads.as_slice()];
    let result = match effect {
        Effect::Http(http) => Http::parse(http).and_then(|http| http.fits(&both, "write or read")),
        Effect::Probe(probe) => probed(manifest, &probe.request),
        Effect::WriteFile(write) => file(&[&manifest.writes], &write.path, "write"),
        Effect::RemoveFile(path) => file(&[&manifest.writes], path, "write"),
        Effect::Run(run) => command(manifest, &run.name, run.file.as_deref()),
        Effect::DnsUpdate(update) => updated(manifest, update),
        Effect::DnsProbe(probe) => zone(&manifest.reads, &probe.zone, "read"),
        Effect::DnsQuery(query) => queried(manifest, query),
        Effect::SipOptions(_) => asked(manifest, ProbeKind::SipOptions),
        Effect::DhcpDiscover(_) => asked(manifest, ProbeKind::DhcpDiscover),
    };
    result.map_err(|reason| refusal(manifest, &describe(effect), reason))
}

/// Whether the plugin may have this done in a verify step, where nothing is changed any more: only requests that
/// read, probes, and commands that the target itself declares.
///
/// # Errors
/// It may not.
pub fn verify(manifest: &Manifest, effect: &Effect) -> Result<(), Refusal> {
    let result = match effect {
        Effect::Http(http) => {
            Http::parse(http).and_then(|http| http.fits(&[&manifest.reads], "read"))
        }
        Effect::Probe(probe) => probed(manifest, &probe.request),
        Effect::Run(run) => command(manifest, &run.name, run.file.as_deref()),
        Effect::DnsProbe(probe) => zone(&manifest.reads, &probe.zone, "read"),
        Effect::DnsQuery(query) => queried(manifest, query),
        Effect::SipOptions(_) => asked(manifest, ProbeKind::SipOptions),
        Effect::DhcpDiscover(_) => asked(manifest, ProbeKind::DhcpDiscover),
        Effect::WriteFile(_) | Effect::RemoveFile(_) | Effect::DnsUpdate(_) => Err(Reason::Changes),
    };
    result.map_err(|reason| refusal(manifest, &describe(effect), reason))
}

fn refusal(manifest: &Manifest, request: &str, reason: Reason) -> Refusal {
    Refusal {
        plugin: manifest.name.clone(),
        version: manifest.version.clone(),
        request: printable(request),
        reason,
    }
}

fn describe_http(request: &HttpRequest) -> String {
    format!("{} {}", request.method, request.path)
}

fn describe(effect: &Effect) -> String {
    match effect {
        Effect::Http(http) => describe_http(http),
        Effect::Probe(probe) => format!("probe {}", describe_http(&probe.request)),
        Effect::WriteFile(write) => format!("write {}", write.path),
        Effect::RemoveFile(path) => format!("remove {path}"),
        Effect::Run(run) => match &run.file {
            Some(file) => format!("run {} {file}", run.name),
            None => format!("run {}", run.name),
        },
        Effect::DnsUpdate(update) => format!("update {}", update.zone),
        Effect::DnsProbe(probe) => format!("probe {}", probe.zone),
        Effect::DnsQuery(query) => format!("ask for records of {}", query.zone),
        Effect::SipOptions(probe) => format!("send OPTIONS to port {}", probe.port),
        Effect::DhcpDiscover(discover) => format!("send DHCPDISCOVER to {}", discover.service),
    }
}

fn asked(manifest: &Manifest, kind: ProbeKind) -> Result<(), Reason> {
    if manifest.reads.contains(&Pattern::Probe(kind)) {
        Ok(())
    } else {
        Err(Reason::NoPattern("read"))
    }
}

/// A question stays in its zone.
fn queried(manifest: &Manifest, query: &DnsQuery) -> Result<(), Reason> {
    asked(manifest, ProbeKind::DnsQuery)?;
    pattern::zone_name(&query.zone).map_err(Reason::Zone)?;
    let outside = query.expect.iter().find(|rrset| !is_in(rrset, &query.zone));
    outside.map_or(Ok(()), |rrset| Err(Reason::Owner(printable(&rrset.owner))))
}

/// Whether an RRset is one of a zone's, whose name is one.
fn is_in(rrset: &Rrset, zone: &str) -> bool {
    let below = rrset.owner.strip_suffix(zone);
    below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        && pattern::zone_name(&rrset.owner).is_ok()
}

fn probed(manifest: &Manifest, request: &HttpRequest) -> Result<(), Reason> {
    Http::parse(request).and_then(|http| http.fits(&[&manifest.reads], "read"))
}

fn file(patterns: &[&[Pattern]], path: &str, kind: &'static str) -> Result<(), Reason> {
    pattern::file_path(path).map_err(Reason::Path)?;
    let fits = patterns
        .iter()
        .copied()
        .flatten()
        .any(|pattern| match pattern {
            Pattern::File(pattern) => pattern::glob(pattern, path, &['/']),
            _ => false,
        });
    if fits {
        Ok(())
    } else {
        Err(Reason::NoPattern(kind))
    }
}

fn folder(patterns: &[Pattern], path: &str) -> Result<(), Reason> {
    let path = pattern::folder_path(path).map_err(Reason::Path)?;
    let fits = patterns.iter().any(|pattern| match pattern {
        // The root is named, never matched by a wildcard.
        Pattern::Folder(pattern) => match pattern::folder_path(pattern) {
            Ok("") => path.is_empty(),
            Ok(pattern) => !path.is_empty() && pattern::glob(pattern, path, &['/']),
            Err(_) => false,
        },
        _ => false,
    });
    if fits {
        Ok(())
    } else {
        Err(Reason::NoPattern("read"))
    }
}

fn zone(patterns: &[Pattern], name: &str, kind: &'static str) -> Result<(), Reason> {
    pattern::zone_name(name).map_err(Reason::Zone)?;
    let fits = patterns.iter().any(|pattern| match pattern {
        Pattern::Zone(pattern) => pattern::glob(pattern, name, &[]),
        _ => false,
    });
    if fits {
        Ok(())
    } else {
        Err(Reason::NoPattern(kind))
    }
}

/// An update stays in its zone and says one thing of each RRset.
fn updated(manifest: &Manifest, update: &DnsUpdate) -> Result<(), Reason> {
    zone(&manifest.writes, &update.zone, "write")?;
    if update.replace.is_empty() {
        return Err(Reason::Rrsets);
    }
    for rrsets in [&update.require, &update.replace] {
        let mut seen = BTreeSet::new();
        for rrset in rrsets {
            if !is_in(rrset, &update.zone) {
                return Err(Reason::Owner(printable(&rrset.owner)));
            }
            if !seen.insert((&rrset.owner, &rrset.type_)) {
                return Err(Reason::Rrsets);
            }
        }
    }
    Ok(())
}

fn command(manifest: &Manifest, name: &str, path: Option<&str>) -> Result<(), Reason> {
    if !manifest.commands.iter().any(|command| command.name == name) {
        return Err(Reason::Command);
    }
    path.map_or(Ok(()), |path| {
        file(&[&manifest.writes, &manifest.reads], path, "write or read")
    })
}

/// An http request that means one thing.
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    /// The body if it is JSON.
    json: Option<Value>,
}

impl<'a> Http<'a> {
    fn parse(request: &'a HttpRequest) -> Result<Self, Reason> {
        if !is_method(&request.method) {
            return Err(Reason::Method);
        }
        let (path, query) = pattern::http_path(&request.path).map_err(Reason::Path)?;
        let is_json = matches!(request.body, HttpBody::Json(_));
        if let Some(header) = request
            .headers
            .iter()
            .find(|header| !is_harmless(header, is_json))
        {
            return Err(Reason::Header(printable(&header.name)));
        }
        let json = match &request.body {
            HttpBody::Json(text) => {
                let Clear(value) =
                    serde_json::from_str(text).map_err(|error| Reason::Body(error.to_string()))?;
                Some(value)
            }
            HttpBody::Empty | HttpBody::Bytes(_) => None,
        };
        Ok(Self {
            method: &request.method,
            path,
            query,
            json,
        })
    }

    fn fits(&self, patterns: &[&[Pattern]], kind: &'static str) -> Result<(), Reason> {
        let fits = patterns
            .iter()
            .copied()
            .flatten()
            .any(|pattern| match pattern {
                Pattern::Http(pattern) => self.matches(pattern),
                _ => false,
            });
        if fits {
            Ok(())
        } else {
            Err(Reason::NoPattern(kind))
        }
    }

    fn matches(&self, pattern: &HttpPattern) -> bool {
        let Ok((path, query)) = pattern::http_path(&pattern.path) else {
            return false;
        };
        let query_fits = match (query, self.query) {
            (None, None) => true,
            (Some(pattern), Some(query)) => pattern::glob(pattern, query, &['/', '&']),
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.method == pattern.method
            && query_fits
            && pattern::glob(path, self.path, &['/'])
            && pattern.body.iter().all(|one| {
                let found = self
                    .json
                    .as_ref()
                    .and_then(|json| json.pointer(&one.pointer));
                found.is_some_and(|found| {
                    one.one_of.iter().any(|text| {
                        serde_json::from_str::<Value>(text).is_ok_and(|value| value == *found)
                    })
                })
            })
    }
}

/// Headers that say what a plugin wants or has. Others could name another host or method, end the request early, or
/// stand in for credentials, which are the engine's.
fn is_harmless(header: &Header, is_json: bool) -> bool {
    const ALLOWED: [&str; 6] = [
        "accept",
        "accept-language",
        "if-match",
        "if-none-match",
        "prefer",
        "x-requested-with",
    ];
    let clear = header
        .value
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let name = header.name.to_ascii_lowercase();
    let allowed = match name.as_str() {
        // A server that reads the body as something else would not see what was checked.
        "content-type" if is_json => is_json_type(&header.value),
        "content-type" => true,
        name => ALLOWED.contains(&name),
    };
    clear && allowed
}

fn is_json_type(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let (kind, parameters) = value.split_once(';').unwrap_or((&value, ""));
    let kind = kind.trim();
    let subtype = kind.strip_prefix("application/").unwrap_or_default();
    let json = subtype == "json"
        || subtype
            .strip_suffix("+json")
            .is_some_and(|prefix| !prefix.is_empty());
    json && matches!(parameters.trim(), "" | "charset=utf-8")
}

/// A JSON value in which no object has a key twice and no key holds a reference: parsers differ in which of two equal
/// keys they believe, and a reference could become a second one.
struct Clear(Value);

impl<'de> Deserialize<'de> for Clear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClearVisitor)
    }
}

struct ClearVisitor;

impl<'de> Visitor<'de> for ClearVisitor {
    type Value = Clear;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Clear, E> {
        Ok(Clear(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Clear, E> {
        Ok(Clear(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Clear, E> {
        Ok(Clear(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Clear, E> {
        Ok(Clear(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Clear, E> {
        Number::from_f64(value)
            .map(|number| Clear(Value::Number(number)))
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Clear, E> {
        Ok(Clear(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Clear, A::Error> {
        let mut out = Vec::new();
        while let Some(Clear(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(Clear(Value::Array(out)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Clear, A::Error> {
        let mut out = Map::new();
        while let Some((key, Clear(value))) = entries.next_entry::<String, Clear>()? {
            if key.contains("${") {
                return Err(A::Error::custom("a key holds a reference"));
            }
            if out.insert(key, value).is_some() {
                return Err(A::Error::custom("an object has a key twice"));
            }
        }
        Ok(Clear(Value::Object(out)))
    }
}
