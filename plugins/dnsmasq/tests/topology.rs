//! A small topology as this plugin sees it.

use serde_json::{Value, json};
use switchover_sdk::{
    DhcpService, DnsRecord, Naptr, Network, OptionValue, OtherRecord, Pool, RecordData, Role,
    ServerRef, ServerRole, Srv, Target, View, Zone,
};

pub(crate) use switchover_testing::{addresses, device, network, option, server, serves, text};

pub(crate) fn record(owner: &str, data: RecordData) -> DnsRecord {
    DnsRecord {
        owner: owner.into(),
        ttl_seconds: 60,
        data,
    }
}

pub(crate) fn other(rtype: &str, rdata: &[&str]) -> RecordData {
    RecordData::Other(OtherRecord {
        type_: rtype.into(),
        rdata: addresses(rdata),
    })
}

pub(crate) fn srv(priority: u16, target: &str) -> RecordData {
    RecordData::Srv(Srv {
        priority,
        weight: 100,
        port: 443,
        target: target.into(),
    })
}

fn naptr(service: &str, regexp: &str, replacement: &str) -> RecordData {
    RecordData::Naptr(Naptr {
        order: 10,
        preference: 50,
        flags: "s".into(),
        service: service.into(),
        regexp: regexp.into(),
        replacement: replacement.into(),
    })
}

/// One record of every type.
fn zone() -> Zone {
    let name = "acme.example";
    let records = vec![
        record(name, naptr("SIPS+D2T", "", "_sips._tcp.acme.example")),
        record(name, naptr("E2U+sip", "!^.*$!sip:a,b@acme.example!", "")),
        record(
            name,
            RecordData::Txt(addresses(&["v=x, \"q\" \\ #", "second"])),
        ),
        record(name, other("MX", &["5", "mail.acme.example."])),
        record(name, other("CAA", &["0 issue \"ca.example\""])),
        record("_sips._tcp.acme.example", srv(10, "pbx1.acme.example")),
        record("_sips._tcp.acme.example", srv(20, "pbx2.acme.example")),
        record("pbx1.acme.example", RecordData::A("10.20.0.10".into())),
        record("pbx1.acme.example", RecordData::Aaaa("2001:db8::10".into())),
        record("pbx2.acme.example", RecordData::A("10.20.1.10".into())),
        record(
            "www.acme.example",
            RecordData::Cname("pbx1.acme.example".into()),
        ),
        record(
            "5.30.20.10.in-addr.arpa",
            other("PTR", &["dhcp1.acme.example."]),
        ),
    ];
    Zone {
        name: name.into(),
        servers: vec![server("ns1", "10.20.30.5", ServerRole::Primary)],
        ttl_seconds: 60,
        records,
    }
}

/// One network with a pool, options for everybody and for telephones, three devices, two of them reserved, and a zone.
pub(crate) fn view() -> View {
    let mut view = View::empty("acme-hq");
    view.roles = vec![
        serves("dhcp1"),
        Role::DnsServer(ServerRef {
            service: "acme.example".into(),
            server: "ns1".into(),
        }),
    ];
    view.zones = vec![zone()];
    view.dhcp = vec![DhcpService {
        name: "dhcp-hq".into(),
        servers: vec![
            server("dhcp1", "10.20.30.5", ServerRole::Primary),
            server("dhcp2", "10.20.30.5", ServerRole::Standby),
        ],
        lease_seconds: 28_800,
    }];
    view.networks = vec![Network {
        pool: Some(Pool {
            first: "10.20.30.100".into(),
            last: "10.20.30.220".into(),
        }),
        options: vec![
            option(3, OptionValue::Addresses(addresses(&["10.20.30.1"]))),
            option(
                6,
                OptionValue::Addresses(addresses(&["10.20.0.53", "10.20.0.54"])),
            ),
            option(15, text("acme.example")),
            option(42, OptionValue::Addresses(addresses(&["10.20.0.1"]))),
        ],
        phone_options: vec![
            option(66, text("https://prov.acme.example/")),
            option(
                120,
                OptionValue::SipAddresses(addresses(&["10.20.0.10", "10.20.1.10"])),
            ),
            option(132, OptionValue::Uint16(130)),
            option(160, text("a,b \"c\" \\ #1")),
            option(43, OptionValue::Hex("0104ff".into())),
        ],
        phone_ouis: vec!["00:11:22".into(), "9c:75:14".into()],
        ..network("voice", "10.20.30.0/24")
    }];
    view.devices = vec![
        device("reception", "9c:75:14:00:01:01", Some("10.20.30.11")),
        device("sales", "9c:75:14:00:01:02", None),
        device("Fax Gateway", "9c:75:14:00:02:01", Some("10.20.30.12")),
    ];
    view
}

pub(crate) fn target(settings: &Value) -> Target {
    Target::new("dnsmasq", settings)
}

pub(crate) fn plain_target() -> Target {
    target(&json!({}))
}
