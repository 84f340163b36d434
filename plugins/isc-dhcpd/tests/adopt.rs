//! What the two files hold, as parts of a topology, and held against what would be wanted then.

use insta::assert_debug_snapshot;
use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_testing::{adoption, handed_over};

use crate::harness::{after, answers, changes, desired, with_main};
use crate::topology::{plain_target, view};

#[test]
fn statements_as_people_write_them() {
    let main = "\
option domain-name-servers 10.20.0.53;
default-lease-time 600;
option phone-url code 161 = text;
key \"k\" { secret \"c2VjcmV0\"; }
class \"printers\" { match if substring(hardware, 1, 3) = 00:11:22; }
shared-network \"floor\" {
    option ntp-servers 10.20.30.1;
    subnet 10.20.30.0 netmask 255.255.255.0 {
        option routers 10.20.30.1;
        pool { range 10.20.30.100 10.20.30.220; deny unknown-clients; }
        next-server 10.20.30.9;
        host inside { hardware ethernet 9c:75:14:00:01:01; fixed-address 10.20.30.11; }
    }
}
subnet 10.20.40.0 netmask 255.255.255.0 { pool { range 10.20.40.10 10.20.40.20; range 10.20.40.30; } }
group {
    filename \"x\";
    host a { hardware ethernet 9c:75:14:00:01:02; fixed-address 10.20.30.12; filename \"secret\"; }
    host b { hardware token-ring 1:2:3:4:5:6; }
}
failover peer \"pair\" { primary; address 10.20.30.5; port 647; peer address 10.20.30.6; peer port 647; mclt 3600; split 128; }
include \"/etc/dhcp/switchover.conf\";
";
    let own =
        "subnet 10.20.50.0 netmask 255.255.255.0 { default-lease-time 60; max-lease-time 60; }\n";
    let adoption = adoption::<IscDhcpd>(&plain_target(), &with_main(Some(own), Some(main)));
    assert!(!format!("{adoption:?}").contains("secret"), "{adoption:?}");
    assert_debug_snapshot!(adoption);
}

/// What this plugin writes without telephones is what it finds again, all of it.
#[test]
fn what_was_applied_is_found_again() {
    let mut view = view();
    for network in &mut view.networks {
        network.phone_options.clear();
    }
    let text = after(None, &changes(None, &desired(&view), &[]));
    let again = handed_over::<IscDhcpd>(&plain_target(), &answers(Some(&text)));
    let wanted: Vec<String> = switchover_testing::by_address(&desired(&view))
        .into_keys()
        .collect();
    assert_eq!(again, wanted, "{text}");
}

/// What a network and its devices cannot say is seen as a change, so that it is not handed over.
#[test]
fn what_a_topology_cannot_say_would_be_a_change() {
    let subnet = |inside: &str| format!("subnet 10.0.0.0 netmask 255.255.255.0 {{ {inside} }}\n");
    let whole = "default-lease-time 60; max-lease-time 60;";
    let host = |inside: &str| {
        format!(
            "{}host a {{ hardware ethernet 9c:75:14:00:00:01; {inside} }}\n",
            subnet(whole)
        )
    };
    for (text, expected) in [
        (subnet(whole), vec!["subnet/10.0.0.0/24"]),
        (
            subnet("default-lease-time 60;"),
            vec!["!subnet/10.0.0.0/24"],
        ),
        (
            subnet(&format!("{whole} range 10.0.0.5; range 10.0.0.7;")),
            vec![],
        ),
        (
            subnet(&format!(
                "{whole} pool {{ range 10.0.0.5; deny unknown-clients; }}"
            )),
            vec!["!subnet/10.0.0.0/24"],
        ),
        (
            host("fixed-address 10.0.0.9; option host-name \"a\";"),
            vec!["host/9c:75:14:00:00:01", "subnet/10.0.0.0/24"],
        ),
        (
            host("fixed-address 10.0.0.9;"),
            vec!["!host/9c:75:14:00:00:01", "subnet/10.0.0.0/24"],
        ),
        (
            host("fixed-address 10.0.0.9; filename \"x\";"),
            vec!["subnet/10.0.0.0/24"],
        ),
    ] {
        let held = handed_over::<IscDhcpd>(&plain_target(), &answers(Some(&text)));
        assert_eq!(held, expected, "{text}");
    }
}
