//! The edges of SW101 to SW107, and where they hold back.

use crate::showing::{self, codes_of, shown_of};

fn codes(text: &str) -> Vec<String> {
    codes_of(&["SW10"], text)
}

fn shown(text: &str) -> String {
    shown_of(&["SW10"], text)
}

/// A site in hot standby with a WMS network around these nodes.
fn with_network(nodes: &str) -> String {
    format!(
        r#"
        site "acme" mode="hot-standby"
        wms-network {{
            member "pbx1" role="server"
            member "pbx2" role="client"
        }}
        {nodes}
        "#
    )
}

/// A PBX, `pbx1` or `pbx2`, with its own lines.
fn pbx(number: u8, role: &str, lines: &str) -> String {
    format!(
        r#"
        pbx "pbx{number}" role="{role}" {{
            hostname "pbx{number}.acme.example"
            address "10.20.0.{number}0"
            {lines}
        }}
        "#
    )
}

const HARDWARE: &str = "wms \"3.86\"\n platform \"hardware\"";

/// A pair whose main PBX has so many users and whose failover PBX runs on this platform.
fn pair(users: u32, platform: &str) -> String {
    let main = pbx(1, "main", &format!("{HARDWARE}\n users {users}"));
    let failover = pbx(2, "failover", &format!("wms \"3.86\"\n {platform}"));
    with_network(&(main + &failover))
}

/// A sound pair around these nodes.
fn around(nodes: &str) -> String {
    with_network(&(pbx(1, "main", HARDWARE) + &pbx(2, "failover", HARDWARE) + nodes))
}

fn homed(pbx: &str, extensions: std::ops::Range<u32>) -> String {
    extensions
        .map(|number| format!("user \"{number}\" name=\"U\" pbx=\"{pbx}\"\n"))
        .collect()
}

fn voice(lines: &str) -> String {
    format!(
        r#"
        network "voice" {{
            subnet "10.20.30.0/24"
            {lines}
        }}
        "#
    )
}

const PHONE: &str =
    "device \"phone\" model=\"WP480\" mac=\"9c:75:14:00:01:01\" network=\"voice\"\n";
const NONE: [&str; 0] = [];

#[test]
fn sw101_compares_versions_as_numbers() {
    for (wms, raised) in [
        ("3.86", false),
        ("3.85.9999", true),
        ("3.100", false),
        ("3.9", true),
        ("6.01", false),
    ] {
        let text = with_network(
            &(pbx(1, "main", HARDWARE)
                + &pbx(
                    2,
                    "failover",
                    &format!("wms \"{wms}\"\n platform \"hardware\""),
                )),
        );
        assert_eq!(codes(&text).contains(&"SW101".to_owned()), raised, "{wms}");
    }
}

#[test]
fn sw102_without_any_wms_network_points_at_the_failover_pbx() {
    let text = format!(
        "site \"acme\" mode=\"hot-standby\"\n{}{}",
        pbx(1, "main", HARDWARE),
        pbx(2, "failover", HARDWARE)
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn sw102_holds_back_where_the_wms_network_is_ill_formed() {
    let text = format!(
        "site \"acme\" mode=\"hot-standby\"\n wms-network {{ member \"pbx1\" role=\"boss\" }}\n{}{}",
        pbx(1, "main", HARDWARE),
        pbx(2, "failover", HARDWARE)
    );
    let codes = showing::codes(&text);
    assert!(codes.contains(&"SW003".to_owned()), "{codes:?}");
    assert!(!codes.contains(&"SW102".to_owned()), "{codes:?}");
}

#[test]
fn sw103_ends_at_1000_users_of_both() {
    assert_eq!(codes(&pair(1000, "platform \"hardware\"")), NONE);
    assert_eq!(codes(&pair(1001, "platform \"hardware\"")), ["SW103"]);
    assert_eq!(codes(&pair(1_000_000, "platform \"hardware\"")), ["SW103"]);
}

#[test]
fn sw103_counts_the_larger_of_declared_and_homed_users_for_each_pbx() {
    let nodes = |declared: u32, own: u32| {
        let main = pbx(1, "main", &format!("{HARDWARE}\n users {declared}"));
        let failover = pbx(2, "failover", HARDWARE);
        with_network(
            &(main + &failover + &homed("pbx1", 100..110) + &homed("pbx2", 200..200 + own)),
        )
    };
    // 990 declared beside 10 homed on the main PBX are 990; 10 homed on the other make 1000.
    assert_eq!(codes(&nodes(990, 10)), NONE);
    assert_eq!(codes(&nodes(990, 11)), ["SW103"]);
    // 5 declared beside 10 homed are 10.
    assert!(
        shown(&nodes(5, 995)).contains("must carry 1005 users (10 of `pbx1` and 995 of its own)")
    );
}

#[test]
fn sw104_steps_by_500_users_a_core() {
    for (users, platform, raised) in [
        (500, "platform \"vm\" cores=1", false),
        (501, "platform \"vm\" cores=1", true),
        (1000, "platform \"vm\" threads=4", false),
        (1001, "platform \"vm\" threads=4", true),
        // An odd thread makes no core.
        (501, "platform \"vm\" threads=3", true),
        // Both must suffice.
        (1000, "platform \"vm\" cores=2 threads=4", false),
        (1000, "platform \"vm\" cores=2 threads=2", true),
        (1000, "platform \"vm\" cores=1 threads=4", true),
        // More than hardware carries is a matter of cores.
        (1500, "platform \"vm\" cores=3 threads=6", false),
        (1, "platform \"vm\"", true),
        (0, "platform \"vm\"", false),
    ] {
        let expected: &[&str] = if raised { &["SW104"] } else { &[] };
        assert_eq!(
            codes(&pair(users, platform)),
            expected,
            "{users} users, {platform}"
        );
    }
}

#[test]
fn sw104_points_at_what_limits() {
    insta::assert_snapshot!(
        "sw104-threads",
        shown(&pair(1000, "platform \"vm\" cores=2 threads=3"))
    );
    insta::assert_snapshot!("sw104-unknown-size", shown(&pair(501, "platform \"vm\"")));
}

#[test]
fn capacity_holds_back_while_users_or_pbxs_are_left_out() {
    let one_user_ill_formed =
        pair(1001, "platform \"hardware\"") + "user \"abc\" name=\"A\" pbx=\"pbx1\"\n";
    assert!(!codes(&one_user_ill_formed).contains(&"SW103".to_owned()));
    let main_ill_formed = with_network(
        &(pbx(1, "main", "wms \"x\"\n platform \"hardware\"")
            + &pbx(2, "failover", &format!("{HARDWARE}\n users 1001"))),
    );
    let codes = codes(&main_ill_formed);
    assert!(
        codes
            .iter()
            .all(|code| !["SW103", "SW107"].contains(&code.as_str())),
        "{codes:?}"
    );
}

#[test]
fn sw105_wants_a_second_server_that_is_another_one() {
    let nodes = |dns: &str, devices: &str| {
        let dhcp = "dhcp \"hq\" { server \"dhcp1\" address=\"10.20.30.5\"; }\n";
        around(&(voice(&format!("dns {dns}\n dhcp \"hq\"")) + dhcp + devices))
    };
    assert_eq!(codes(&nodes("\"10.20.0.10\"", PHONE)), ["SW105"]);
    assert_eq!(codes(&nodes("\"10.20.0.10\" \"10.20.0.20\"", PHONE)), NONE);
    assert_eq!(codes(&nodes("\"10.20.0.53\"", PHONE)), NONE);
    assert_eq!(codes(&nodes("\"10.20.0.53\" \"10.20.0.10\"", PHONE)), NONE);
    // No device: nothing there would lose its names.
    assert!(!codes(&nodes("\"10.20.0.10\"", "")).contains(&"SW105".to_owned()));
}

#[test]
fn sw106_looks_at_networks_with_telephones_or_gateways_only() {
    let client = "device \"app\" model=\"Android\" network=\"voice\"\n";
    assert!(!codes(&around(&(voice("") + client))).contains(&"SW106".to_owned()));
    assert_eq!(codes(&around(&(voice("") + PHONE))), ["SW106"]);
}

#[test]
fn sw106_wants_a_server_in_the_network_that_is_no_pbx() {
    let nodes = |servers: &str| {
        around(&(voice("dhcp \"hq\"") + PHONE + &format!("dhcp \"hq\" {{ {servers} }}\n")))
    };
    assert_eq!(codes(&nodes("server \"a\" address=\"10.20.30.5\"")), NONE);
    assert_eq!(
        codes(&nodes(
            "server \"a\" address=\"10.20.30.5\"; server \"b\" address=\"10.20.0.5\""
        )),
        NONE
    );
    insta::assert_snapshot!(
        "sw106-elsewhere",
        shown(&nodes("server \"a\" address=\"10.20.0.5\""))
    );
    insta::assert_snapshot!(
        "sw106-pbx",
        shown(&nodes(
            "server \"a\" address=\"10.20.30.5\"; server \"b\" address=\"10.20.0.20\""
        ))
    );
}

#[test]
fn sw106_says_once_that_a_server_of_two_networks_is_a_pbx() {
    let nodes = r#"
        network "a" { subnet "10.20.0.0/25"; dhcp "hq"; }
        network "b" { subnet "10.20.0.128/25"; dhcp "hq"; }
        dhcp "hq" {
            server "x" address="10.20.0.20"
            server "y" address="10.20.0.140"
        }
        device "p" model="WP480" mac="9c:75:14:00:01:01" network="a"
        device "q" model="WP480" mac="9c:75:14:00:01:02" network="b"
    "#;
    assert_eq!(codes(&around(nodes)), ["SW106"]);
}

#[test]
fn sw106_holds_back_where_the_dhcp_node_is_ill_formed() {
    let nodes =
        voice("dhcp \"hq\"") + PHONE + "dhcp \"hq\" { server \"a\" address=\"10.20.30\"; }\n";
    let codes = showing::codes(&around(&nodes));
    assert!(
        codes.contains(&"SW003".to_owned()) && !codes.contains(&"SW106".to_owned()),
        "{codes:?}"
    );
}

#[test]
fn sw107_wants_one_of_each() {
    let site = "site \"acme\" mode=\"hot-standby\"\n";
    insta::assert_snapshot!("sw107-none", shown(site));
    insta::assert_snapshot!(
        "sw107-main-alone",
        shown(&format!("{site}{}", pbx(1, "main", HARDWARE)))
    );
    insta::assert_snapshot!("sw107-three", shown(&around(&pbx(3, "failover", HARDWARE))));
}

#[test]
fn sw107_is_about_hot_standby() {
    let text = format!(
        "site \"acme\" mode=\"load-sharing\"\n{}",
        pbx(1, "main", HARDWARE)
    );
    assert!(!codes(&text).contains(&"SW107".to_owned()));
}
