//! SW6xx: what two sites must not both have. Nothing of it is seen in one topology: whoever reads several keeps the
//! [`Claims`] of each, asks for the [`clashes`] of all, and looks up again only the sites that have any.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::Date;
use switchover_catalogue::{Document, Source};
use switchover_topology::model::Kind;
use switchover_topology::value::MacAddr;
use switchover_topology::{Diagnostic, Related, Severity, Span, Topology};

use crate::acknowledge::accepted;
use crate::finding::Finding;
use crate::registry::{Check, Rule};

const ACROSS: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Error,
    summary: "",
    sources: &[],
    wms: "any",
    explanation: "",
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::WmsNetwork],
    check: Check::Sites,
};

const fn practice(section: &'static str) -> Source {
    Source {
        document: Document::Practice,
        section,
    }
}

pub(crate) const SW601: Rule = Rule {
    code: "SW601",
    name: "mac-at-two-sites",
    summary: "devices of two sites have the same MAC address",
    sources: &[practice("a hardware address is that of one device")],
    explanation: include_str!("../explanations/SW601.md"),
    looks_at: &[Kind::Device],
    ..ACROSS
};

pub(crate) const SW602: Rule = Rule {
    code: "SW602",
    name: "pbx-address-at-two-sites",
    summary: "PBXs of two sites in one WMS network have the same address",
    sources: &[practice(
        "PBXs of one WMS network reach each other by address",
    )],
    explanation: include_str!("../explanations/SW602.md"),
    ..ACROSS
};

pub(crate) const SW603: Rule = Rule {
    code: "SW603",
    name: "subnet-at-two-sites",
    summary: "subnets of two sites in one WMS network overlap",
    sources: &[practice(
        "networks that reach each other have addresses of their own",
    )],
    explanation: include_str!("../explanations/SW603.md"),
    looks_at: &[Kind::Pbx, Kind::WmsNetwork, Kind::Network],
    ..ACROSS
};

pub(crate) const SW604: Rule = Rule {
    code: "SW604",
    name: "extension-at-two-sites",
    summary: "users of two sites in one WMS network have the same extension",
    sources: &[practice(
        "an extension of a WMS network is that of one user",
    )],
    explanation: include_str!("../explanations/SW604.md"),
    looks_at: &[Kind::Pbx, Kind::WmsNetwork, Kind::User],
    ..ACROSS
};

/// Something that belongs to one site.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Claimed {
    Mac(MacAddr),
    Address(IpAddr),
    Subnet(IpNet),
    Extension(String),
}

/// What a site has that no other may have, without the places: small enough to be kept of every site.
#[derive(Debug, Default)]
pub struct Claims {
    claimed: Vec<Claimed>,
    /// Host names of its own PBXs.
    hosts: Vec<String>,
    /// Those of other sites' PBXs that are in its WMS network.
    remote: Vec<String>,
}

/// What a site shares with another one that must not have it as well.
#[derive(Debug)]
pub struct Clash {
    rule: &'static Rule,
    ours: Claimed,
    theirs: Claimed,
    /// The site that it is a finding of.
    pub site: usize,
    /// The other one.
    pub other: usize,
}

/// Where a site has something, and why that is accepted, if it is.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The value.
    pub span: Span,
    name: String,
    accepted: Option<String>,
}

impl Claims {
    /// What a topology claims.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let own: HashSet<&str> = topology.pbxs.iter().map(|pbx| pbx.name.as_str()).collect();
        let hosts = topology.pbxs.iter().map(|pbx| plain(&pbx.hostname.value));
        let members = topology
            .wms_network
            .iter()
            .flat_map(|network| &network.members);
        let remote = members
            .filter(|member| !own.contains(member.name.as_str()))
            .filter_map(|member| Some(plain(&member.hostname.as_ref()?.value)));
        Self {
            claimed: places(topology).map(|(claimed, ..)| claimed).collect(),
            hosts: hosts.collect(),
            remote: remote.collect(),
        }
    }
}

/// Host names as they are compared.
fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Everything that a topology claims: what, the node, the value, and how the node is called.
fn places(topology: &Topology) -> impl Iterator<Item = (Claimed, Span, Span, &str)> {
    let macs = topology.devices.iter().filter_map(|device| {
        let mac = device.mac.as_ref()?;
        let name = device.name.as_str();
        Some((Claimed::Mac(mac.value), device.span, mac.span, name))
    });
    let addresses = topology.pbxs.iter().map(|pbx| {
        let address = &pbx.address;
        (
            Claimed::Address(address.value),
            pbx.span,
            address.span,
            pbx.name.as_str(),
        )
    });
    let subnets = topology.networks.iter().map(|network| {
        let subnet = &network.subnet;
        let claimed = Claimed::Subnet(subnet.value.trunc());
        (claimed, network.span, subnet.span, network.name.as_str())
    });
    let extensions = topology.users.iter().map(|user| {
        let claimed = Claimed::Extension(user.extension.to_string());
        (
            claimed,
            user.span,
            user.name.span,
            user.display_name.as_str(),
        )
    });
    macs.chain(addresses).chain(subnets).chain(extensions)
}

/// What sites must not both have, each clash once for every site that has a part in it.
#[must_use]
pub fn clashes(sites: &[Claims]) -> Vec<Clash> {
    let networks = wms_networks(sites);
    // By what is claimed, and of what counts within a WMS network only by that.
    let mut owners: BTreeMap<(Option<usize>, &Claimed), Vec<usize>> = BTreeMap::new();
    let mut subnets: BTreeMap<usize, Vec<(IpNet, usize)>> = BTreeMap::new();
    for (site, claims) in sites.iter().enumerate() {
        for claimed in &claims.claimed {
            let network = match claimed {
                Claimed::Mac(_) => None,
                Claimed::Subnet(subnet) => {
                    subnets
                        .entry(networks[site])
                        .or_default()
                        .push((*subnet, site));
                    continue;
                }
                Claimed::Address(_) | Claimed::Extension(_) => Some(networks[site]),
            };
            let owners = owners.entry((network, claimed)).or_default();
            // Twice in one topology is SW004.
            if owners.last() != Some(&site) {
                owners.push(site);
            }
        }
    }
    let mut found = Vec::new();
    for ((_, claimed), owners) in owners {
        let [first, second, ..] = owners.as_slice() else {
            continue;
        };
        for &site in &owners {
            let other = if site == *first { *second } else { *first };
            found.push(Clash {
                rule: rule_of(claimed),
                ours: claimed.clone(),
                theirs: claimed.clone(),
                site,
                other,
            });
        }
    }
    for (_, subnets) in subnets {
        overlaps(subnets, &mut found);
    }
    found
}

fn rule_of(claimed: &Claimed) -> &'static Rule {
    match claimed {
        Claimed::Mac(_) => &SW601,
        Claimed::Address(_) => &SW602,
        Claimed::Subnet(_) => &SW603,
        Claimed::Extension(_) => &SW604,
    }
}

/// Of subnets that overlap one lies in the other: in ascending order, those around one come before it.
fn overlaps(mut subnets: Vec<(IpNet, usize)>, found: &mut Vec<Clash>) {
    subnets.sort_by_key(|(subnet, site)| (subnet.network(), subnet.prefix_len(), *site));
    let mut around: Vec<(IpNet, usize)> = Vec::new();
    let mut told = HashSet::new();
    for (subnet, site) in subnets {
        while around
            .last()
            .is_some_and(|(outer, _)| !outer.contains(&subnet))
        {
            around.pop();
        }
        let outer = around
            .iter()
            .rev()
            .find(|(_, other)| *other != site)
            .copied();
        if let Some((outer, other)) = outer {
            let mut tell = |site, ours, other, theirs| {
                if told.insert((site, ours)) {
                    found.push(Clash {
                        rule: &SW603,
                        ours: Claimed::Subnet(ours),
                        theirs: Claimed::Subnet(theirs),
                        site,
                        other,
                    });
                }
            };
            tell(site, subnet, other, outer);
            tell(other, outer, site, subnet);
        }
        // More than two deep, the outermost and the nearest say enough.
        if around.len() < 64 {
            around.push((subnet, site));
        }
    }
}

/// A number for the WMS network of each site. Two sites are in one where the `wms-network` of either has a member whose host
/// name is that of a PBX of the other; and so are those that a third site joins.
fn wms_networks(sites: &[Claims]) -> Vec<usize> {
    let mut with_host: HashMap<&str, Vec<usize>> = HashMap::new();
    for (site, claims) in sites.iter().enumerate() {
        for host in &claims.hosts {
            with_host.entry(host).or_default().push(site);
        }
    }
    let mut network: Vec<usize> = (0..sites.len()).collect();
    fn root(network: &mut [usize], mut site: usize) -> usize {
        while network[site] != site {
            network[site] = network[network[site]];
            site = network[site];
        }
        site
    }
    for (site, claims) in sites.iter().enumerate() {
        for host in &claims.remote {
            for &other in with_host.get(host.as_str()).into_iter().flatten() {
                let (a, b) = (root(&mut network, site), root(&mut network, other));
                network[a.max(b)] = a.min(b);
            }
        }
    }
    (0..sites.len())
        .map(|site| root(&mut network, site))
        .collect()
}

impl Clash {
    /// Where the site has its part; none where the topology has changed since.
    #[must_use]
    pub fn ours(&self, claims: &Located) -> Option<Claim> {
        claims.0.get(&self.ours).cloned()
    }

    /// Where the other site has its part.
    #[must_use]
    pub fn theirs(&self, claims: &Located) -> Option<Claim> {
        claims.0.get(&self.theirs).cloned()
    }

    /// The finding. `related` is where the other site's part is, among the files that the finding is shown with. Accepted at
    /// either site, it is accepted at both.
    #[must_use]
    pub fn finding(&self, ours: &Claim, theirs: &Claim, site: &str, related: Span) -> Diagnostic {
        let (name, other) = (&ours.name, &theirs.name);
        let (message, help) = match &self.ours {
            Claimed::Mac(mac) => (
                format!(
                    "`{name}` has the MAC address `{mac}`, and so has `{other}` at site `{site}`"
                ),
                "remove the device at the site where it is not, or correct its address",
            ),
            Claimed::Address(address) => (
                format!(
                    "`{name}` has the address `{address}`, and so has `{other}` at site `{site}` in the same WMS network"
                ),
                "give each PBX of a WMS network an address of its own",
            ),
            Claimed::Subnet(subnet) => (
                format!(
                    "`{name}` is `{subnet}`, which overlaps `{other}` at site `{site}` in the same WMS network"
                ),
                "give one of the two networks other addresses",
            ),
            Claimed::Extension(extension) => (
                format!(
                    "`{name}` has the extension `{extension}`, and so has `{other}` at site `{site}` in the same WMS network"
                ),
                "give one of the two users another extension",
            ),
        };
        let mut found = Finding::new(self.rule, ours.span, ours.span, message)
            .help(help)
            .diagnostic;
        found.related.push(Related {
            message: format!("`{other}` at site `{site}`"),
            span: related,
        });
        found.acknowledged = ours.accepted.clone().or_else(|| theirs.accepted.clone());
        found
    }
}

/// What a topology claims, with the places.
#[derive(Debug)]
pub struct Located(HashMap<Claimed, Claim>);

impl Located {
    /// Finds the places of what these clashes are about.
    #[must_use]
    pub fn of<'a>(
        topology: &Topology,
        clashes: impl IntoIterator<Item = &'a Clash>,
        today: Date,
    ) -> Self {
        let wanted: HashSet<&Claimed> = clashes
            .into_iter()
            .flat_map(|clash| [&clash.ours, &clash.theirs])
            .collect();
        let found: Vec<_> = places(topology)
            .filter(|(claimed, ..)| wanted.contains(claimed))
            .collect();
        let asked = found
            .iter()
            .map(|(claimed, node, span, _)| (rule_of(claimed), *node, *span));
        let reasons = accepted(topology, asked, today);
        let mut located = HashMap::new();
        for ((claimed, _, span, name), accepted) in found.into_iter().zip(reasons) {
            located.entry(claimed).or_insert_with(|| Claim {
                span,
                name: name.to_owned(),
                accepted,
            });
        }
        Self(located)
    }
}
