//! A proposal as a topology.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;
use switchover_plugin_host::wit;
use switchover_topology::kdl_text;
use switchover_topology::value::spell_duration;

use super::Origin;
use super::document::{Document, Node};
use super::proposal::{Device, Network, Proposal, Zone};

/// What is written of a proposal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent<'a> {
    /// Everything, for a file: what stays as it is is described, and what is not known is marked.
    Whole,
    /// What of it is handed over, for a look at what that would change.
    Trial(&'a Cast),
}

/// Which parts of a proposal are handed over, by their positions.
#[derive(Debug, Clone, Default)]
pub(super) struct Cast {
    pub(super) networks: Vec<usize>,
    pub(super) devices: Vec<usize>,
    pub(super) zones: Vec<usize>,
}

/// Stands for a model that nobody knows yet, where only reservations are looked at.
const STAND_IN: &str = "WP480";

/// RFC 1122, section 3.2.1.3: this host, whatever its address is.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

pub(super) struct Writer<'a> {
    pub(super) origin: &'a Origin,
    pub(super) proposal: &'a Proposal,
    pub(super) commands: &'a [wit::CommandUse],
    pub(super) extent: Extent<'a>,
}

/// A service and what its networks have in common.
struct Service<'a> {
    name: String,
    lease: Option<u32>,
    options: &'a [(u8, Vec<String>)],
}

impl Writer<'_> {
    pub(super) fn document(&self) -> Document {
        let proposal = self.proposal;
        let networks: Vec<(usize, &Network)> = proposal.networks.iter().enumerate().collect();
        let networks = networks
            .into_iter()
            .filter(|(at, _)| self.writes(*at, |cast| &cast.networks));
        let networks: Vec<_> = networks.collect();
        let services = self.services(&networks);
        let mut nodes = vec![self.site()];
        nodes.extend(
            networks
                .iter()
                .map(|(_, network)| self.network(network, &services)),
        );
        nodes.extend(services.iter().map(|service| self.service(service)));
        let zones = proposal.zones.iter().enumerate();
        let zones = zones.filter(|(at, _)| self.writes(*at, |cast| &cast.zones));
        nodes.extend(zones.map(|(_, zone)| self.zone(zone)));
        nodes.extend(self.devices());
        nodes.push(self.target());
        let heading = match self.extent {
            Extent::Trial(_) => Vec::new(),
            Extent::Whole => vec![
                format!("Imported from {}.", self.origin.shown),
                "What is marked FILL IN is not known there; `switchover validate` says what else is missing."
                    .to_owned(),
            ],
        };
        Document { heading, nodes }
    }

    fn writes(&self, at: usize, of: impl Fn(&Cast) -> &Vec<usize>) -> bool {
        match self.extent {
            Extent::Whole => true,
            Extent::Trial(cast) => of(cast).contains(&at),
        }
    }

    fn site(&self) -> Node {
        let site = Node::of("site", [self.origin.site.as_deref().unwrap_or("imported")])
            .property("mode", "hot-standby");
        let site = match (self.extent, &self.origin.site) {
            (Extent::Whole, None) => site.fill_in("the name of the site"),
            _ => site,
        };
        match self.extent {
            Extent::Trial(_) => site,
            Extent::Whole => site.fill_in(
                "the PBX pair, which this server does not know: `pbx` twice, `wms-network`, `sync`; users, trunks",
            ),
        }
    }

    /// One for each set of networks that share a lease time and the options that a network has no property for.
    fn services<'b>(&self, networks: &[(usize, &'b Network)]) -> Vec<Service<'b>> {
        let mut services: Vec<Service<'b>> = Vec::new();
        for (_, network) in networks
            .iter()
            .filter(|(_, network)| network.stays.is_none())
        {
            if find(&services, network).is_none() {
                services.push(Service {
                    name: numbered(services.len()),
                    lease: network.lease,
                    options: &network.options,
                });
            }
        }
        // One to begin with: a network that is described only is a line away from being handed over.
        if services.is_empty() && !networks.is_empty() {
            services.push(Service {
                name: numbered(0),
                lease: None,
                options: &[],
            });
        }
        services
    }

    fn network(&self, network: &Network, services: &[Service<'_>]) -> Node {
        let texts = |name: &'static str, values: &[IpAddr]| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let node = Node::of(name, values.iter().map(String::as_str));
            (!values.is_empty()).then_some(node)
        };
        let pool = network.pool.map(|(first, last)| [first, last]);
        let gateway = network.gateway.map(|gateway| [gateway]);
        let domain = network.domain.as_deref();
        let node = Node::of("network", [network.name.as_str()])
            .child(Node::of("subnet", [network.subnet.to_string().as_str()]))
            .children(gateway.and_then(|gateway| texts("gateway", &gateway)))
            .children(pool.and_then(|pool| texts("pool", &pool)))
            .children(texts("dns", &network.dns))
            .children(texts("ntp", &network.ntp))
            .children(domain.map(|domain| Node::of("domain", [domain])));
        match &network.stays {
            None => {
                let service = find(services, network).unwrap_or(numbered(0));
                node.child(Node::of("dhcp", [service.as_str()]))
            }
            Some(why) => {
                let node = node.note(format!(
                    "Described only, without `dhcp`: {why}. The server keeps what it has for it."
                ));
                let lease = network
                    .lease
                    .map(|lease| format!("lease {}", kdl_text(&seconds(lease))));
                let options = network
                    .options
                    .iter()
                    .map(|(code, values)| option(*code, values));
                let more: Vec<String> = lease.into_iter().chain(options).collect();
                match more.is_empty() {
                    true => node,
                    false => node.note(format!("It has there, too: {}", more.join("; "))),
                }
            }
        }
    }

    fn service(&self, service: &Service<'_>) -> Node {
        let itself = &self.proposal.itself;
        let name = itself.name.as_deref().unwrap_or(&self.origin.target);
        let mut servers = vec![self.server(name, Some(&self.origin.target), itself.role)];
        for (at, partner) in self.proposal.partners.iter().enumerate() {
            let made_up = format!("{}-{}", self.origin.target, at + 2);
            let name = partner.name.as_deref().unwrap_or(&made_up);
            let node = Node::of("server", [name]);
            let node = match partner.address {
                Some(address) => node.property("address", &address.to_string()),
                None => node
                    .property("address", &UNKNOWN.to_string())
                    .fill_in(format!("the address of `{name}`")),
            };
            servers.push(with_role(node, partner.role));
        }
        let lease = service.lease.map(seconds);
        Node::of("dhcp", [service.name.as_str()])
            .children(servers)
            .children(lease.map(|lease| Node::of("lease", [lease.as_str()])))
            .children(
                service
                    .options
                    .iter()
                    .map(|(code, values)| Node::new(option(*code, values))),
            )
    }

    /// The server that was read.
    fn server(&self, name: &str, target: Option<&str>, role: Option<wit::ServerRole>) -> Node {
        let node = Node::of("server", [name]);
        let node = match self
            .origin
            .address
            .or(self.proposal.itself.address)
            .or(self.origin.host)
        {
            Some(address) => node.property("address", &address.to_string()),
            None => {
                let node = node.property("address", &UNKNOWN.to_string());
                match self.extent {
                    Extent::Trial(_) => node,
                    Extent::Whole => node.fill_in(format!(
                        "the address of `{name}` (or import with `--address`)"
                    )),
                }
            }
        };
        let node = with_role(node, role);
        match target {
            Some(target) => node.property("target", target),
            None => node,
        }
    }

    fn zone(&self, zone: &Zone) -> Node {
        let target = zone.stays.is_none().then_some(self.origin.target.as_str());
        let name = self
            .proposal
            .itself
            .name
            .as_deref()
            .unwrap_or(&self.origin.target);
        let ttl = zone.ttl.map(seconds);
        let records = zone.records.iter().map(|(name, rtype, values)| {
            let words = [name.as_str(), rtype.as_str()];
            Node::of(
                "record",
                words.into_iter().chain(values.iter().map(String::as_str)),
            )
        });
        let node = Node::of("dns", [zone.name.as_str()])
            .child(self.server(name, target, None))
            .children(ttl.map(|ttl| Node::of("ttl", [ttl.as_str()])))
            .children(records);
        match &zone.stays {
            None => node,
            Some(why) => node.note(format!(
                "Described only, its server without `target`: {why}. The server keeps what it has for it."
            )),
        }
    }

    fn devices(&self) -> Vec<Node> {
        let devices = self.proposal.devices.iter().enumerate();
        let devices = devices.filter(|(at, _)| self.writes(*at, |cast| &cast.devices));
        if matches!(self.extent, Extent::Trial(_)) {
            let whole = |(_, device): (usize, &Device)| {
                let model = device.model.unwrap_or(STAND_IN);
                self.device(device, model)
                    .child(Node::of("transport", ["tcp"]))
                    .child(Node::new("port 443"))
            };
            return devices.map(whole).collect();
        }
        let (known, unknown): (Vec<_>, Vec<_>) = devices
            .map(|(_, device)| device)
            .partition(|device| device.model.is_some());
        let mut nodes: Vec<Node> = Vec::with_capacity(known.len() + unknown.len());
        nodes.extend(
            known
                .iter()
                .map(|device| self.device(device, device.model.unwrap_or_default())),
        );
        let count = match unknown.len() {
            1 => "the model of 1 device".to_owned(),
            count => format!("the models of {count} devices"),
        };
        nodes.extend(unknown.iter().enumerate().map(|(at, device)| {
            let node = self.device(device, "").out();
            match at {
                0 => node.fill_in(format!("{count}; then remove the `/-` before each")),
                _ => node,
            }
        }));
        nodes
    }

    fn device(&self, device: &Device, model: &str) -> Node {
        let node = Node::of("device", [device.name.as_str()])
            .property("model", model)
            .property("mac", &device.mac);
        let address = device.address.map(|address| address.to_string());
        // Where nobody is handed over, an address is no reservation.
        let stays = device
            .stays
            .as_ref()
            .filter(|_| self.proposal.is_reserved(device));
        let node = match (stays, address) {
            (None, Some(address)) => node.property("address", &address),
            (Some(why), Some(address)) => node.note(format!(
                "Without its address {address}: {why}. The server keeps what it has for it."
            )),
            (Some(why), None) => node.note(format!("Described only: {why}.")),
            (None, None) => node,
        };
        let network = device.network.and_then(|at| self.proposal.networks.get(at));
        match network {
            Some(network) => node.property("network", &network.name),
            None => node,
        }
    }

    fn target(&self) -> Node {
        let origin = self.origin;
        let settings = self.proposal.settings.iter().map(|(key, value)| {
            let value = match value {
                Value::String(text) => kdl_text(text),
                Value::Bool(flag) => format!("#{flag}"),
                other => other.to_string(),
            };
            Node::new(format!("{key} {value}"))
        });
        let commands = self.commands.iter().map(|command| {
            let (name, summary) = (kdl_text(&command.name), &command.summary);
            Node::default().fill_in(format!("`command {name} \"PROGRAM\" …`: {summary}"))
        });
        let commands: Vec<Node> = match self.extent {
            Extent::Trial(_) => Vec::new(),
            Extent::Whole => commands.collect(),
        };
        Node::of("target", [origin.target.as_str()])
            .property("plugin", &origin.plugin)
            .children(origin.lines.iter().map(Node::new))
            .children(settings)
            .children(commands)
    }
}

fn find(services: &[Service<'_>], network: &Network) -> Option<String> {
    let same = |service: &&Service<'_>| {
        service.lease == network.lease && service.options == network.options.as_slice()
    };
    services
        .iter()
        .find(same)
        .map(|service| service.name.clone())
}

fn numbered(before: usize) -> String {
    match before {
        0 => "dhcp".to_owned(),
        before => format!("dhcp-{}", before + 1),
    }
}

fn option(code: u8, values: &[String]) -> String {
    values.iter().fold(format!("option {code}"), |text, value| {
        format!("{text} {}", kdl_text(value))
    })
}

fn seconds(seconds: u32) -> String {
    spell_duration(std::time::Duration::from_secs(seconds.into()))
}

fn with_role(node: Node, role: Option<wit::ServerRole>) -> Node {
    match role {
        Some(wit::ServerRole::Primary) => node.property("role", "primary"),
        Some(wit::ServerRole::Standby) => node.property("role", "standby"),
        Some(wit::ServerRole::Secondary) => node.property("role", "secondary"),
        None => node,
    }
}
