//! A target's DNS server: how it is reached (`server` and `tsig` of the target, which no plugin gets to see), and which
//! zones may be read and changed there.

use std::collections::BTreeMap;
use std::net::IpAddr;

use switchover_effects::dns::{Address, DnsError, Key, Options, Server, Update};
use switchover_effects::placeholder::{Values, expand_text};
use switchover_effects::{Masker, Reporting, dns};
use switchover_plugin_host::wit;
use switchover_topology::model::{self, Setting, Target};
use switchover_topology::value::SecretSource;
use switchover_topology::{Spanned, Topology};

use crate::error::Cause;
use crate::plan::{DnsUpdate, Rrset};
use crate::secrets::{RunSecrets, tsig_name};
use crate::view;

/// Settings of a target that are the engine's where its plugin reaches DNS.
pub(crate) const SETTINGS: [&str; 2] = [SERVER, TSIG];

pub(crate) const SERVER: &str = "server";
pub(crate) const TSIG: &str = "tsig";

/// What signs where a key names no algorithm.
const DEFAULT_ALGORITHM: &str = "hmac-sha256";

/// Something about these settings is not as it should be.
#[derive(Debug)]
pub(crate) struct Objection<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) message: String,
}

/// What the settings object to, before anything is connected.
pub(crate) fn check(target: &Target) -> Vec<Objection<'_>> {
    let mut found = Vec::new();
    if let Some(setting) = target.settings.get(SERVER) {
        let problem = match setting.value.as_str() {
            None => Some("`server` must be one text, such as \"10.20.0.53:53\"".to_owned()),
            Some(text) => Address::parse(text).err().map(|error| error.to_string()),
        };
        found.extend(problem.map(|message| Objection { setting, message }));
    }
    if let Some(setting) = target.settings.get(TSIG) {
        let known = |key: &String| ["name", "algorithm", "secret"].contains(&key.as_str());
        let whole = setting
            .value
            .as_object()
            .is_some_and(|members| members.keys().all(known))
            && text(setting, "name").is_some()
            && setting.secrets.keys().eq(["/secret"]);
        if !whole {
            let message = "`tsig` is written `tsig \"NAME\" algorithm=\"hmac-sha256\" secret=(secret)\"env:NAME\"`";
            found.push(Objection {
                setting,
                message: message.to_owned(),
            });
        } else {
            let name = text(setting, "name").unwrap_or_default();
            let algorithm = text(setting, "algorithm").unwrap_or(DEFAULT_ALGORITHM);
            if let Err(error) = Key::check(name, algorithm) {
                // A name that every server takes.
                let known = Key::check("key", algorithm).is_ok();
                let words = match known {
                    true => "",
                    false => {
                        ": \"hmac-sha256\", \"hmac-sha384\", \"hmac-sha512\" and \"hmac-sha1\" are"
                    }
                };
                let message = format!("{error}{words}");
                found.push(Objection { setting, message });
            }
        }
    }
    found
}

fn text<'a>(setting: &'a Setting, member: &str) -> Option<&'a str> {
    setting
        .value
        .get(member)
        .and_then(serde_json::Value::as_str)
}

/// Where the secret of the target's key is, if it has one.
pub(crate) fn tsig_secret(target: &Target) -> Option<&Spanned<SecretSource>> {
    target.settings.get(TSIG)?.secrets.get("/secret")
}

/// The zones that name the target at one of their servers.
fn zones_of<'a>(topology: &'a Topology, target: &Target) -> impl Iterator<Item = &'a model::Dns> {
    topology
        .dns
        .iter()
        .filter(|zone| zone.servers.iter().any(|server| is_at(server, target)))
}

pub(crate) fn is_at(server: &model::Server, target: &Target) -> bool {
    let named = server.target.as_ref();
    named.is_some_and(|name| name.value == target.name.value)
}

/// The zones that a target serves, as its plugin may know them.
pub(crate) fn served_zones(topology: &Topology, target: &Target) -> Vec<wit::ServedZone> {
    let served = |zone: &model::Dns| {
        let servers = view::servers(&zone.servers, wit::ServerRole::Secondary);
        let others = servers.into_iter().filter(|server| {
            server.role == wit::ServerRole::Secondary
                && server.target.as_deref() != Some(target.name.value.as_str())
        });
        wit::ServedZone {
            name: zone_name(&zone.name),
            secondaries: others.map(|server| server.name).collect(),
        }
    };
    let mut zones: Vec<_> = zones_of(topology, target).map(served).collect();
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    zones.dedup_by(|a, b| a.name == b.name);
    zones
}

/// The DNS server of one target, and what the topology says of its zones.
#[derive(Debug)]
pub(crate) struct Dns {
    server: Server,
    key: Option<Key>,
    /// The zones that the target serves, by their names in lower case without the final dot: addresses of their servers.
    zones: BTreeMap<String, BTreeMap<String, IpAddr>>,
    reporting: Reporting,
}

impl Dns {
    /// None where the target declares no server.
    pub(crate) fn new(
        topology: &Topology,
        target: &Target,
        secrets: &RunSecrets,
    ) -> Result<Option<Self>, DnsError> {
        let Some(address) = target
            .settings
            .get(SERVER)
            .and_then(|setting| setting.value.as_str())
        else {
            return Ok(None);
        };
        let secret = secrets.store().get(&tsig_name(target));
        let key = match target.settings.get(TSIG).zip(secret) {
            Some((setting, secret)) => {
                let name = text(setting, "name").unwrap_or_default();
                let algorithm = text(setting, "algorithm").unwrap_or(DEFAULT_ALGORITHM);
                Some(Key::new(name, algorithm, secret)?)
            }
            None => None,
        };
        let zones = zones_of(topology, target).map(|zone| {
            let servers = zone
                .servers
                .iter()
                .map(|server| (server.name.value.clone(), server.address.value));
            (zone_name(&zone.name), servers.collect())
        });
        Ok(Some(Self {
            server: Server::new(
                Address::parse(address)?,
                key.clone(),
                Options::default(),
                secrets.reporting(),
            ),
            key,
            zones: zones.collect(),
            reporting: secrets.reporting().clone(),
        }))
    }

    /// The addresses of the servers of a zone that the target serves. Others are none of its plugin's business.
    fn zone(&self, name: &str) -> Result<&BTreeMap<String, IpAddr>, Cause> {
        self.zones.get(name).ok_or_else(|| Cause::Zone {
            zone: name.escape_debug().take(120).collect(),
        })
    }

    /// A zone as a plugin sees it: secrets are references. The caller has held it against the manifest.
    pub(crate) async fn transfer(
        &self,
        zone: &str,
        masker: &Masker,
    ) -> Result<Vec<wit::Rrset>, Cause> {
        self.zone(zone)?;
        let text =
            |text: String| String::from_utf8_lossy(&masker.mask(text.as_bytes())).into_owned();
        let seen = |rrset: dns::Rrset| wit::Rrset {
            owner: text(rrset.owner),
            type_: rrset.rtype,
            ttl_seconds: rrset.ttl,
            rdata: rrset.data.into_iter().map(text).collect(),
        };
        let rrsets = self.server.transfer(zone).await?;
        Ok(rrsets.into_iter().map(seen).collect())
    }

    /// Sends an update. One that takes another back is also done where everything already is as it would leave it:
    /// nobody can tell whether a server that fell silent had carried the other one out.
    pub(crate) async fn update(
        &self,
        update: &DnsUpdate,
        values: &impl Values,
        takes_back: bool,
    ) -> Result<(), Cause> {
        self.zone(&update.zone)?;
        let update = Update {
            zone: update.zone.clone(),
            require: expanded(&update.require, values)?,
            replace: expanded(&update.replace, values)?,
        };
        match self.server.update(&update).await {
            Err(error @ DnsError::Moved { .. }) if takes_back => {
                if self.server.is_as_after(&update).await? {
                    Ok(())
                } else {
                    Err(error.into())
                }
            }
            result => Ok(result?),
        }
    }

    /// Asks another server of a zone, without a key first: anybody may ask, as a rule, and a key that a secondary does not
    /// know is refused. Where it answers only those with a key, it has the primary's if it has any.
    async fn ask_another<T>(
        &self,
        address: IpAddr,
        ask: impl AsyncFn(Server) -> Result<T, DnsError>,
    ) -> Result<T, DnsError> {
        let server = |key: Option<Key>| {
            let options = Options::default();
            Server::new(Address::of(address), key, options, &self.reporting)
        };
        match (ask(server(None)).await, &self.key) {
            (Err(DnsError::Denied { .. }), Some(key)) => ask(server(Some(key.clone()))).await,
            (found, _) => found,
        }
    }

    /// The address of a server of a zone that the target serves.
    fn server(&self, zone: &str, server: &str) -> Result<IpAddr, Cause> {
        let address = self.zone(zone)?.get(server);
        address.copied().ok_or_else(|| Cause::NoServer {
            zone: zone.to_owned(),
            server: server.escape_debug().take(120).collect(),
        })
    }

    /// Whether a server of the zone, or the target's own, answers with these RRsets.
    pub(crate) async fn answers(
        &self,
        zone: &str,
        server: Option<&str>,
        expect: &[Rrset],
        values: &impl Values,
    ) -> Result<(), Cause> {
        self.zone(zone)?;
        let expect = expanded(expect, values)?;
        let Some(server) = server else {
            return Ok(self.server.answers(zone, &expect).await?);
        };
        let address = self.server(zone, server)?;
        let ask = async |server: Server| server.answers(zone, &expect).await;
        Ok(self.ask_another(address, ask).await?)
    }

    /// Whether a server of the zone has what the target has.
    pub(crate) async fn caught_up(&self, zone: &str, server: &str) -> Result<(), Cause> {
        let address = self.server(zone, server)?;
        let wanted = self.server.serial(zone).await?;
        let ask = async |server: Server| server.serial(zone).await;
        let found = self.ask_another(address, ask).await?;
        // RFC 1982: serials go round.
        if found.wrapping_sub(wanted) < 1 << 31 {
            Ok(())
        } else {
            Err(Cause::Behind {
                server: server.to_owned(),
                zone: zone.to_owned(),
                found,
                wanted,
            })
        }
    }
}

/// RRsets with the values of their placeholders.
pub(crate) fn expanded(rrsets: &[Rrset], values: &impl Values) -> Result<Vec<dns::Rrset>, Cause> {
    let one = |rrset: &Rrset| {
        let data = rrset.data.iter().map(|text| expand_text(text, values));
        Ok(dns::Rrset {
            owner: rrset.owner.clone(),
            rtype: rrset.rtype.clone(),
            ttl: rrset.ttl,
            data: data.collect::<Result<_, _>>()?,
        })
    };
    rrsets.iter().map(one).collect()
}

pub(crate) fn zone_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
