//! What two sites must not both have (SW6xx).

use std::path::Path;

use switchover_rules::{Claims, Clash, Located, clashes, judge};
use switchover_topology::{Loaded, load_text};

use crate::showing::TODAY;

const NONE: [&str; 0] = [];

/// A site with a PBX, a network, a user and a device; `device` is what stands in that.
struct Site {
    name: &'static str,
    octet: u8,
    mac: u8,
    extension: u16,
    subnet: &'static str,
    members: &'static str,
    device: &'static str,
}

const ROME: Site = Site {
    name: "rome",
    octet: 1,
    mac: 1,
    extension: 101,
    subnet: "10.1.30.0/24",
    members: "",
    device: "",
};

impl Site {
    fn load(&self) -> Loaded {
        let Self {
            name,
            octet,
            mac,
            extension,
            subnet,
            members,
            device,
        } = self;
        let text = format!(
            r#"site "{name}" mode="hot-standby"
pbx "pbx1" role="main" hostname="PBX1.{name}.example." address="10.{octet}.0.10" wms="3.86" platform="hardware"
wms-network {{
    member "pbx1" role="server"
    {members}
}}
network "voice" subnet="{subnet}"
user "{extension}" name="Reception" pbx="pbx1"
device "phone" model="WP480" mac="9c:75:14:00:01:{mac:02x}" network="voice" {{
    {device}
}}
"#
        );
        load_text("switchover.kdl", text, Path::new("."))
    }
}

/// Site, the other site, code, and whether it is accepted, of all findings.
fn found(sites: &[Loaded]) -> Vec<String> {
    let claims: Vec<Claims> = sites
        .iter()
        .map(|site| Claims::of(&site.topology))
        .collect();
    let clashes = clashes(&claims);
    let located: Vec<Located> = sites
        .iter()
        .map(|site| Located::of(&site.topology, &clashes, TODAY))
        .collect();
    let told = |clash: &Clash| {
        let ours = clash.ours(&located[clash.site]).expect("a place");
        let theirs = clash.theirs(&located[clash.other]).expect("a place");
        let found = clash.finding(&ours, &theirs, "other", theirs.span);
        let accepted = if found.acknowledged.is_some() {
            " accepted"
        } else {
            ""
        };
        format!("{}-{} {}{accepted}", clash.site, clash.other, found.code)
    };
    let mut found: Vec<String> = clashes.iter().map(told).collect();
    found.sort();
    found
}

fn oslo() -> Site {
    Site {
        name: "oslo",
        octet: 2,
        mac: 2,
        extension: 201,
        subnet: "10.2.30.0/24",
        ..ROME
    }
}

const JOINED: &str = "member \"oslo\" role=\"client\" hostname=\"pbx1.oslo.example\"";

#[test]
fn sites_with_nothing_in_common_are_apart() {
    assert_eq!(found(&[ROME.load(), oslo().load()]), NONE);
    let joined = Site {
        members: JOINED,
        ..ROME
    };
    assert_eq!(found(&[joined.load(), oslo().load()]), NONE);
}

#[test]
fn a_mac_is_at_one_site_joined_or_not() {
    let copy = Site { mac: 1, ..oslo() };
    assert_eq!(
        found(&[ROME.load(), copy.load()]),
        ["0-1 SW601", "1-0 SW601"]
    );
    // Of three, each is told of one other.
    assert_eq!(
        found(&[ROME.load(), copy.load(), copy.load()]),
        ["0-1 SW601", "1-0 SW601", "2-0 SW601"]
    );
}

#[test]
fn other_things_count_within_a_wms_network_only() {
    let copy = Site {
        octet: 1,
        extension: 101,
        subnet: "10.1.0.0/16",
        ..oslo()
    };
    assert_eq!(found(&[ROME.load(), copy.load()]), NONE);
    let joined = Site {
        members: JOINED,
        ..ROME
    };
    let expected = [
        "0-1 SW602",
        "0-1 SW603",
        "0-1 SW604",
        "1-0 SW602",
        "1-0 SW603",
        "1-0 SW604",
    ];
    assert_eq!(found(&[joined.load(), copy.load()]), expected);
    assert_eq!(found(&[copy.load(), joined.load()]), expected);
}

#[test]
fn a_third_site_joins_two() {
    let same_extension = Site {
        extension: 101,
        ..oslo()
    };
    assert_eq!(found(&[ROME.load(), same_extension.load()]), NONE);
    let hub = Site {
        name: "hub",
        octet: 3,
        mac: 3,
        extension: 301,
        subnet: "10.3.30.0/24",
        members: "member \"oslo\" role=\"client\" hostname=\"pbx1.oslo.example\"\n\
                  member \"rome\" role=\"client\" hostname=\"pbx1.rome.example\"",
        device: "",
    };
    assert_eq!(
        found(&[ROME.load(), same_extension.load(), hub.load()]),
        ["0-1 SW604", "1-0 SW604"]
    );
}

#[test]
fn accepted_at_either_site_it_is_accepted_at_both() {
    let accepting = Site {
        device: "acknowledge \"SW601\" reason=\"it travels\"",
        ..ROME
    };
    let copy = Site { mac: 1, ..oslo() };
    assert_eq!(
        found(&[accepting.load(), copy.load()]),
        ["0-1 SW601 accepted", "1-0 SW601 accepted"]
    );
    // By itself, the site cannot tell whether that has effect.
    let alone = accepting.load();
    let judged = judge(&alone.topology, alone.diagnostics, TODAY);
    assert!(
        judged.iter().all(|found| found.code != "SW007"),
        "{judged:?}"
    );
}

#[test]
fn twice_at_one_site_is_not_told_here() {
    let mut twice = ROME.load();
    twice.topology = load_text(
        "a.kdl",
        "device \"a\" model=\"WP480\" mac=\"9c:75:14:00:01:01\"\n\
         device \"b\" model=\"WP480\" mac=\"9c:75:14:00:01:01\"\n"
            .to_owned(),
        Path::new("."),
    )
    .topology;
    assert_eq!(found(&[twice]), NONE);
}
