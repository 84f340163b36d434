//! That every device is registered on both PBXs at the same time, which is how failover works.

use std::collections::BTreeMap;
use std::net::IpAddr;

use switchover_catalogue::Statement;
use switchover_topology::model::{Device, FailoverBy, Kind, Mode, Network, Pbx};
use switchover_topology::{Severity, Topology};

use super::fleet::Fleet;
use super::{FEATURES, LIMITATIONS, guide_386, guide_later};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::{SINCE_3_86, counted, main_first, stated};

pub(crate) const SW211: Rule = Rule {
    code: "SW211",
    name: "failover-by-phone-failover-conf",
    severity: Severity::Error,
    summary: "a device is to fail over by `phone_failover.conf`, which is not supported",
    sources: &[guide_386(LIMITATIONS), guide_later(LIMITATIONS)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW211.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(by_configuration_file),
};

pub(crate) const SW212: Rule = Rule {
    code: "SW212",
    name: "failover-by-secondary-dns",
    severity: Severity::Error,
    summary: "a device is to fail over by a secondary DNS configuration, which is not supported",
    sources: &[guide_386(LIMITATIONS), guide_later(LIMITATIONS)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW212.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(by_dns),
};

pub(crate) const SW213: Rule = Rule {
    code: "SW213",
    name: "registered-on-one-pbx-only",
    severity: Severity::Error,
    summary: "devices would be registered on one PBX only",
    sources: &[guide_386(FEATURES), guide_later(FEATURES)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW213.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx, Kind::Network, Kind::Device],
    check: Check::Topology(one_pbx_only),
};

fn by_configuration_file(fleet: &Fleet<'_>) -> Vec<Finding> {
    by(
        fleet,
        &SW211,
        FailoverBy::PhoneFailoverConf,
        Statement::PhoneFailoverConfUnsupported,
        "`/rw2/etc/phone_failover.conf`",
    )
}

fn by_dns(fleet: &Fleet<'_>) -> Vec<Finding> {
    by(
        fleet,
        &SW212,
        FailoverBy::SecondaryDns,
        Statement::SecondaryDnsUnsupported,
        "a secondary DNS configuration",
    )
}

fn by(
    fleet: &Fleet<'_>,
    rule: &Rule,
    means: FailoverBy,
    said: Statement,
    what: &str,
) -> Vec<Finding> {
    let Some(said) = stated(fleet.topology, said) else {
        return Vec::new();
    };
    fleet
        .iter()
        .filter_map(|(device, _)| {
            let declared = device.failover_by.as_ref().filter(|by| by.value == means)?;
            let message = format!(
                "`{}` is to fail over by {what}, which is not supported",
                device.name.value
            );
            let finding = Finding::new(rule, device.span, declared.span, message)
                .label("not supported")
                .help("leave `failover-by` out: devices register on both PBXs at the same time");
            Some(finding.related(said.wms.span, "the version that says so"))
        })
        .collect()
}

fn one_pbx_only(topology: &Topology) -> Vec<Finding> {
    let said = stated(topology, Statement::DevicesRegisterOnBoth)
        .filter(|_| !topology.incomplete.contains(&Kind::Pbx));
    let Some(first) = topology.devices.first().filter(|_| said.is_some()) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = alone(topology, first).into_iter().collect();
    findings.extend(same_hostname(topology, first));
    findings.extend(one_family(topology));
    findings
}

/// In hot standby a missing PBX is reported as such.
fn alone(topology: &Topology, first: &Device) -> Option<Finding> {
    let site = topology
        .site
        .as_ref()
        .filter(|site| site.mode.value != Mode::HotStandby)?;
    let [pbx] = &topology.pbxs[..] else {
        return None;
    };
    let name = &pbx.name.value;
    let message = format!(
        "{} would be registered on `{name}` only: no other PBX is declared",
        counted(topology.devices.len() as u64, "device")
    );
    Some(
        Finding::new(&SW213, pbx.span, pbx.name.span, message)
            .label("the only PBX")
            .related(site.mode.span, "the mode needs another one")
            .related(first.name.span, "the first device")
            .help("declare the other PBX"),
    )
}

/// Devices are given the host names of the PBXs: two that are the same are one registration.
fn same_hostname(topology: &Topology, first: &Device) -> Vec<Finding> {
    let mut seen: BTreeMap<String, &Pbx> = BTreeMap::new();
    let mut findings = Vec::new();
    for pbx in main_first(topology) {
        let hostname = pbx
            .hostname
            .value
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let Some(other) = seen.get(&hostname) else {
            seen.insert(hostname, pbx);
            continue;
        };
        let (name, taken) = (&pbx.name.value, &other.name.value);
        let message = format!(
            "{} would be registered on one PBX only: `{name}` has the host name of `{taken}`",
            counted(topology.devices.len() as u64, "device")
        );
        findings.push(
            Finding::new(&SW213, pbx.span, pbx.hostname.span, message)
                .label("one name, one registration")
                .related(other.hostname.span, format!("the host name of `{taken}`"))
                .related(first.name.span, "the first device")
                .help(format!("give `{name}` a host name of its own")),
        );
    }
    findings
}

/// A network of one address family reaches no PBX that has an address of the other only.
fn one_family(topology: &Topology) -> Vec<Finding> {
    let mut inhabited: BTreeMap<&str, (&Device, u64)> = BTreeMap::new();
    for device in &topology.devices {
        if let Some(network) = &device.network {
            inhabited.entry(&network.value).or_insert((device, 0)).1 += 1;
        }
    }
    topology
        .networks
        .iter()
        .filter_map(|network| {
            let (first, number) = inhabited.get(network.name.value.as_str())?;
            unreached(topology, network, first, *number)
        })
        .collect()
}

fn unreached(
    topology: &Topology,
    network: &Network,
    first: &Device,
    number: u64,
) -> Option<Finding> {
    let subnet = network.subnet.value;
    let reaches = |address: &IpAddr| address.is_ipv4() == subnet.addr().is_ipv4();
    let (reached, not): (Vec<&Pbx>, Vec<&Pbx>) =
        main_first(topology).partition(|pbx| reaches(&pbx.address.value));
    let ([only], Some(other)) = (&reached[..], not.first()) else {
        return None;
    };
    let (family, wanted) = match subnet.addr() {
        IpAddr::V4(_) => ("IPv6", "IPv4"),
        IpAddr::V6(_) => ("IPv4", "IPv6"),
    };
    let (name, only, there) = (&other.name.value, &only.name.value, &network.name.value);
    let message = format!(
        "{} in network `{there}` would be registered on `{only}` only: `{name}` has an {family} address",
        counted(number, "device")
    );
    Some(
        Finding::new(&SW213, network.span, network.subnet.span, message)
            .label(format!("reaches {wanted} addresses"))
            .related(other.address.span, format!("the address of `{name}`"))
            .related(first.name.span, "the first device of the network")
            .help(format!(
                "give `{name}` an {wanted} address; where something translates between the two, acknowledge SW213 in \
                 network `{there}`"
            )),
    )
}
