//! The site's own `dhcpd.conf`: read, shown, held against what is wanted, never written.

use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{Effect, Plugin};

use crate::harness::{by_address, changes, desired, with_main};
use crate::topology::{pair, plain_target};

const MAIN: &str = "\
authoritative;
ldap-password \"not to be shown\";
key omapi { algorithm hmac-md5; secret c2VjcmV0; }
subnet 192.0.2.0 netmask 255.255.255.0 { range 192.0.2.10 192.0.2.20; }
include \"/etc/dhcp/switchover.conf\";
";

#[test]
fn its_statements_are_seen_without_what_may_be_secret() {
    let resources = IscDhcpd::current(&plain_target(), &with_main(None, Some(MAIN))).unwrap();
    let found = by_address(&resources);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        [
            "statement/dhcpd.conf/authoritative",
            "statement/dhcpd.conf/include \"/etc/dhcp/switchover.conf\"",
            "statement/dhcpd.conf/key omapi",
            "statement/dhcpd.conf/ldap-password \"…\"",
            "statement/dhcpd.conf/subnet 192.0.2.0 netmask 255.255.255.0",
        ]
    );
    let told = format!("{found:?}");
    assert!(
        !told.contains("not to be") && !told.contains("c2Vj"),
        "{told}"
    );
}

#[test]
fn it_has_to_include_the_plugins_own() {
    for (main, included) in [
        ("include \"/etc/dhcp/switchover.conf\";", true),
        ("group { include \"switchover.conf\"; }", true),
        ("# include \"/etc/dhcp/switchover.conf\";", false),
        ("include \"/etc/dhcp/other-switchover.conf\";", false),
        ("", false),
    ] {
        let read = IscDhcpd::current(&plain_target(), &with_main(None, Some(main)));
        match read {
            Ok(_) => assert!(included, "{main}"),
            Err(failure) => {
                assert_eq!((failure.code.as_str(), included), ("not-included", false));
                let help = failure.help.unwrap();
                assert!(
                    help.contains("include \"/etc/dhcp/switchover.conf\";"),
                    "{help}"
                );
            }
        }
    }
}

#[test]
fn what_it_declares_is_not_declared_again() {
    let wanted = desired(&pair("dhcp1"));
    for (declaration, message) in [
        (
            "subnet 10.20.30.0 netmask 255.255.255.0 { }",
            "subnet `10.20.30.0/24` is declared in `dhcpd.conf` already",
        ),
        (
            "shared-network x { subnet 10.20.30.0 netmask 255.255.255.0 { } }",
            "subnet `10.20.30.0/24` is declared in `dhcpd.conf` already",
        ),
        (
            "host Reception { hardware ethernet 00:00:00:00:00:01; }",
            "host `reception` is declared in `dhcpd.conf` already",
        ),
        (
            "failover peer \"dhcp-hq\" { primary; address 10.0.0.1; peer address 10.0.0.2; }",
            "failover peer `dhcp-hq` is declared in `dhcpd.conf` already",
        ),
    ] {
        let main = format!("{MAIN}{declaration}\n");
        let answers = with_main(None, Some(&main));
        let failure = IscDhcpd::procedure(&plain_target(), &answers, &changes(None, &wanted, &[]))
            .unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("declared-elsewhere", message)
        );
    }
    let answers = with_main(None, Some(MAIN));
    let procedure =
        IscDhcpd::procedure(&plain_target(), &answers, &changes(None, &wanted, &[])).unwrap();
    let written = procedure
        .commit
        .iter()
        .filter_map(|step| match &step.effect {
            Effect::WriteFile(write) => Some(write.path.as_str()),
            _ => None,
        });
    assert_eq!(written.collect::<Vec<_>>(), ["switchover.conf"]);
}
