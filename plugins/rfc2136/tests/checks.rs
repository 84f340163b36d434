use switchover_plugin_rfc2136::Rfc2136;
use switchover_sdk::{
    DnsRecord, Plugin, RecordData, Role, ServedZone, ServerRef, ServerRole, Target, View, Zone,
};

use crate::harness::{ZONE, a, other, record, target, view};

fn codes(view: &View, target: &Target) -> Vec<String> {
    let findings = Rfc2136::check(view, target);
    for finding in &findings {
        assert!(
            finding.help.is_some() || finding.code == "UPDATE003",
            "{finding:?}"
        );
    }
    findings
        .into_iter()
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect()
}

fn cname(owner: &str, name: &str) -> DnsRecord {
    record(owner, RecordData::Cname(name.into()))
}

#[test]
fn a_zone_as_it_should_be_has_no_findings() {
    let records = vec![
        a("pbx1.acme.example", "10.20.0.10"),
        a("pbx1.acme.example", "10.20.0.11"),
        cname("www.acme.example", "pbx1.acme.example"),
        other("acme.example", "MX", &["10 mail"]),
        other("sub.acme.example", "NS", &["ns.sub"]),
        a("*.acme.example", "10.20.0.12"),
    ];
    assert_eq!(codes(&view(records), &target()), [""; 0]);
}

#[test]
fn records_that_cannot_be() {
    for (records, code) in [
        (vec![a("pbx1.acme.org", "10.20.0.10")], "UPDATE004"),
        (vec![a("a b.acme.example", "10.20.0.10")], "UPDATE004"),
        (vec![a("xacme.example", "10.20.0.10")], "UPDATE004"),
        (vec![a("a.sub.acme.example", "10.20.0.10")], "UPDATE005"),
        (vec![other("acme.example", "SOA", &["x"])], "UPDATE006"),
        (vec![other("acme.example", "NS", &["ns1"])], "UPDATE006"),
        (vec![a("a.acme.example", "10.20.0.256")], "UPDATE007"),
        (
            vec![record(
                "a.acme.example",
                RecordData::Aaaa("10.20.0.1".into()),
            )],
            "UPDATE007",
        ),
        (
            vec![other("a.acme.example", "HINFO", &["a", "b"])],
            "UPDATE007",
        ),
        (vec![cname("a.acme.example", "b..c")], "UPDATE007"),
        (
            vec![
                cname("a.acme.example", "b"),
                a("a.acme.example", "10.0.0.1"),
            ],
            "UPDATE008",
        ),
        (
            vec![cname("a.acme.example", "b"), cname("a.acme.example", "c")],
            "UPDATE008",
        ),
    ] {
        let mut target = target();
        target.zones.push(ServedZone {
            name: "sub.acme.example".into(),
            secondaries: vec![],
        });
        assert_eq!(
            codes(&view(records), &target),
            [format!("{code} dns/{ZONE}")]
        );
    }
}

#[test]
fn only_the_primary_of_a_zone_is_updated() {
    let mut view = view(vec![]);
    view.zones[0].servers[0].role = ServerRole::Secondary;
    assert_eq!(codes(&view, &target()), ["UPDATE002 target/dns"]);
}

#[test]
fn other_roles_are_not_this_plugins() {
    let mut view = view(vec![]);
    let place = || ServerRef {
        service: "dhcp-hq".into(),
        server: "dhcp1".into(),
    };
    view.roles.extend([
        Role::Pbx("pbx1".into()),
        Role::DhcpServer(place()),
        Role::Provisioning("prov".into()),
    ]);
    assert_eq!(codes(&view, &target()), ["UPDATE001 target/dns"; 3]);
}

#[test]
fn a_zone_needs_a_name_that_is_one() {
    let mut view = view(vec![a("pbx1.acme.example", "10.20.0.10")]);
    let name = "acme example";
    view.zones = vec![Zone {
        name: name.into(),
        ..view.zones[0].clone()
    }];
    view.roles = vec![Role::DnsServer(ServerRef {
        service: name.into(),
        server: "ns1".into(),
    })];
    assert_eq!(codes(&view, &target()), [format!("UPDATE003 dns/{name}")]);
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(&Rfc2136::describe(), env!("CARGO_MANIFEST_DIR"));
}
