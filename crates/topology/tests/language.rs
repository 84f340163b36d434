//! Details of the language.

use std::time::Duration;

use switchover_topology::model::Kind;
use switchover_topology::{Position, to_json};

use crate::support::{codes, plain, read};

const SITE: &str = "site \"hq\" mode=\"hot-standby\"\n";

#[test]
fn both_spellings_of_a_scalar_mean_the_same() {
    let one = read(&format!(
        "{SITE}device \"d\" model=\"WP480\" year=2017 mac=\"9c-75-14-00-01-01\""
    ));
    let other = read(&format!(
        "{SITE}device \"d\" {{\n model \"WP480\"; year 2017\n mac \"9C7514000101\"\n}}"
    ));
    assert_eq!(plain(&one), "");
    assert_eq!(plain(&other), "");
    assert_eq!(to_json(&one.topology), to_json(&other.topology));
}

#[test]
fn a_list_may_be_written_in_parts() {
    let loaded = read(
        "site \"hq\" mode=\"hot-standby\" uses=\"blf\" {\n uses \"kite\" \"continuity\"\n uses \"hot-desking\"\n}",
    );
    assert_eq!(plain(&loaded), "");
    assert_eq!(loaded.topology.site.unwrap().uses.len(), 4);
}

#[test]
fn a_port_may_stand_beside_its_transport() {
    let node = |inner: &str| format!("{SITE}device \"d\" model=\"WP480\" {{ {inner}; }}");
    let loaded = read(&node("transport \"udp\" port=5060"));
    assert_eq!(plain(&loaded), "");
    assert_eq!(loaded.topology.devices[0].port.unwrap().value, 5060);
    assert_eq!(
        codes(&read(&node("transport \"udp\" port=5060; port 5061"))),
        ["SW002"]
    );
    assert_eq!(codes(&read(&node("year 2017 port=5060"))), ["SW002"]);
}

#[test]
fn durations_are_combined() {
    let loaded =
        read("site \"hq\" mode=\"hot-standby\" {\n objective switch=\"1h30m\" return=\"1d\"\n}");
    let objective = loaded.topology.site.unwrap().objective.unwrap();
    assert_eq!(objective.switch.unwrap().value, Duration::from_secs(5400));
    assert_eq!(
        objective.r#return.unwrap().value,
        Duration::from_secs(86400)
    );
    for bad in [
        "",
        "1",
        "m",
        "1m1h",
        "1m1m",
        "-1m",
        "1.5h",
        "99999999999999999999s",
        "5000000000s",
        "1h ",
        "１s",
    ] {
        let text = format!("site \"hq\" mode=\"hot-standby\" {{ objective switch=\"{bad}\"; }}");
        assert_eq!(codes(&read(&text)), ["SW003"], "{bad}");
    }
}

#[test]
fn a_root_on_another_host_is_judged_where_it_stands() {
    let read_root = |root: &str| {
        read(&format!(
            "{SITE}target \"t\" plugin=\"provisioning\" {{\n    root \"{root}\"\n}}\n"
        ))
    };
    for root in [
        "/srv/provisioning",
        "out",
        "ssh://deploy@prov.acme.example/srv/provisioning",
        "ssh://prov:2222/srv/a%20b/",
        "ssh://root@[2001:db8::1]/srv",
    ] {
        assert_eq!(codes(&read_root(root)), ["SW009"], "{root}");
    }
    for (root, told) in [
        ("sftp://prov/srv", "must be a folder, or `ssh://…`"),
        ("ssh://", "must be a folder, or `ssh://…`"),
        ("ssh://prov", "names no folder"),
        ("ssh://prov/", "names no folder"),
        ("ssh://prov/srv/../etc", "holds a `.` or `..` part"),
        ("ssh://prov/srv/%2e%2e/etc", "holds a `.` or `..` part"),
        ("ssh://prov//srv", "an empty part"),
        ("ssh://prov/a%0ab", "a control character"),
        ("ssh://prov/srv?x", "holds a `?` or `#`"),
        (
            "ssh://-oProxyCommand=touch%20x/srv",
            "would take for something else",
        ),
        ("ssh://-l@prov/srv", "would take for something else"),
        ("ssh://a%20-v@prov/srv", "would take for something else"),
        (
            "ssh://me:hunter2@prov/srv",
            "holds a password in clear text",
        ),
    ] {
        let loaded = read_root(root);
        let shown = plain(&loaded);
        assert!(shown.contains(told), "{root}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        let errors = loaded.diagnostics.iter();
        let errors: Vec<_> = errors.filter(|finding| finding.code != "SW009").collect();
        let [finding] = errors[..] else {
            panic!("{root}: {shown}");
        };
        let (position, _) = loaded.sources.range(finding.span.unwrap());
        // A password is not pointed at, lest it be shown.
        let column = if root.contains("hunter2") { 5 } else { 10 };
        assert_eq!((position.line, position.column), (3, column), "{root}");
    }
}

#[test]
fn a_default_keeps_its_place_and_yields_to_the_node() {
    let text = format!(
        "{SITE}defaults \"device\" network=\"a\"\ndefaults \"device\" model=\"WP480\"\nnetwork \"a\" subnet=\"10.0.0.0/24\"\n\
         network \"b\" subnet=\"10.0.1.0/24\"\ndevice \"x\"\ndevice \"y\" network=\"b\" model=\"WP600A\""
    );
    let loaded = read(&text);
    assert_eq!(plain(&loaded), "");
    let network = loaded
        .topology
        .devices
        .get("x")
        .unwrap()
        .network
        .clone()
        .unwrap();
    assert_eq!(
        loaded.sources.range(network.span).0,
        Position {
            line: 2,
            column: 27
        }
    );
    assert_eq!(
        loaded.topology.devices.get("y").unwrap().model.value,
        "WP600A"
    );
}

#[test]
fn a_refused_default_is_the_only_finding() {
    let nodes = "user \"101\" name=\"A\"\nuser \"102\" name=\"B\"";
    assert_eq!(
        codes(&read(&format!("{SITE}defaults \"user\" pbx=7\n{nodes}"))),
        ["SW003"]
    );
    assert_eq!(
        codes(&read(&format!("{SITE}defaults \"usr\" pbx=\"a\""))),
        ["SW003"]
    );
    assert_eq!(codes(&read(&format!("{SITE}{nodes}"))), ["SW003", "SW003"]);
}

#[test]
fn what_could_not_be_read_is_not_missed() {
    let user = "user \"101\" name=\"A\" pbx=\"pbx1\"";
    assert_eq!(
        codes(&read(&format!("{SITE}{user}\ninclude \"none.kdl\""))),
        ["SW006"]
    );
    let broken = read(&format!(
        "{SITE}{user}\npbx \"pbx1 role=\"main\"\ndevice \"d\" mac=1"
    ));
    assert!(codes(&broken).contains(&"SW001"));
    assert!(codes(&broken).contains(&"SW003"), "{}", plain(&broken));
    assert!(!codes(&broken).contains(&"SW005"));
    assert_eq!(broken.topology.incomplete.len(), 13);
}

#[test]
fn of_two_names_as_near_the_unused_one_is_meant() {
    let target = |name: &str| format!("target \"{name}\" plugin=\"kea\"\n");
    let server = |name: &str, target: &str, host: u8| {
        format!("    server \"{name}\" address=\"10.0.0.{host}\" target=\"{target}\"\n")
    };
    let first = server("dhcp1", "kea1", 5);
    let second = server("dhcp2", "kea2", 6);
    let rest = "network \"voice\" {\n    subnet \"10.0.0.0/24\"\n    dhcp \"dhcp\"\n}\n\
                device \"d\" model=\"WP480\" network=\"voice\"\n";
    for unused in ["ke1", "kea3"] {
        let targets = target(unused) + &target("kea2");
        let text = format!("{SITE}{rest}dhcp \"dhcp\" {{\n{first}{second}}}\n{targets}");
        let loaded = read(&text);
        assert_eq!(codes(&loaded), ["SW005"], "{}", plain(&loaded));
        assert_eq!(
            loaded.diagnostics[0].help.as_deref(),
            Some(format!("did you mean `{unused}`?").as_str())
        );
    }
}

#[test]
fn a_long_document_is_read_in_order() {
    let mut text = SITE.to_owned();
    for number in 0..4000 {
        text += &format!(
            "device \"device-{number}\" model=\"WP480\" firmware=\"2.8.22\" year=2017 description=\"é\"\n"
        );
    }
    assert!(
        text.len() > 256 * 1024,
        "long enough to be read by several threads"
    );
    let loaded = read(&text);
    assert_eq!(plain(&loaded), "");
    assert_eq!(loaded.topology.devices.len(), 4000);
    for (number, device) in loaded.topology.devices.iter().enumerate() {
        assert_eq!(device.name.value, format!("device-{number}"));
        let span = device.name.span;
        assert_eq!(
            text[span.start as usize..span.end as usize],
            format!("\"device-{number}\"")
        );
    }
}

#[test]
fn an_ill_formed_node_is_left_out_and_its_kind_is_incomplete() {
    let loaded = read(&format!(
        "{SITE}network \"voice\" subnet=\"nonsense\"\ndevice \"d\" model=\"WP480\" network=\"voice\""
    ));
    assert_eq!(codes(&loaded), ["SW003"]);
    assert!(loaded.topology.networks.is_empty());
    assert_eq!(
        loaded
            .topology
            .incomplete
            .iter()
            .copied()
            .collect::<Vec<_>>(),
        [Kind::Network]
    );
}

#[test]
fn a_mistyped_required_property_is_reported_once() {
    let loaded = read(&format!("{SITE}device \"d\" modle=\"WP480\""));
    assert_eq!(codes(&loaded), ["SW002"]);
}

#[test]
fn version_one_of_kdl_is_recognised() {
    for text in [
        "site \"hq\" require-tls=true",
        "site r\"hq\"",
        "site \"hq\" { require-tls false; }",
    ] {
        let text = plain(&read(text));
        assert!(text.contains("KDL 1"), "{text}");
    }
}

#[test]
fn nesting_has_an_end() {
    for text in [
        "a {".repeat(100_000),
        "}".repeat(100_000),
        format!("{}{}", "a {\n".repeat(65), "}\n".repeat(65)),
        "/*".repeat(100_000),
        format!("/*{}*/ a", "*/".repeat(100_000)),
        format!("a \"{}", "{".repeat(100_000)),
        format!("a 5\" {}", "b { ".repeat(400)),
        "{".repeat(100_000),
        "(".repeat(100_000),
        "/-".repeat(100_000),
    ] {
        let loaded = read(&text);
        assert!(
            codes(&loaded).contains(&"SW001"),
            "{:.40} {:?}",
            text,
            codes(&loaded)
        );
    }
}

#[test]
fn long_comments_and_odd_white_space_are_read() {
    let stars = "*".repeat(100_000);
    let text = format!(
        "\u{feff}/*{stars}*/ // {{\r\nsite \"hq\" /* {{ */ \\ // more\r\n  mode=\"hot-standby\" {{\r\n}}\u{85}/-\n\n device {{\n}}"
    );
    assert_eq!(plain(&read(&text)), "");
}

#[test]
fn columns_count_characters() {
    let loaded = read("site \"Zürich 🏔\" mode=\"nope\"");
    let span = loaded.diagnostics[0].span.unwrap();
    let (start, end) = loaded.sources.range(span);
    assert_eq!(
        (start, end),
        (
            Position {
                line: 1,
                column: 22
            },
            Position {
                line: 1,
                column: 28
            }
        )
    );
}

#[test]
fn everything_is_located() {
    let loaded = switchover_topology::load(&crate::support::fixture("whole.kdl"));
    let text = &loaded.sources.files().next().unwrap().text;
    let at = |path: &str| {
        let span = loaded
            .topology
            .locate(path)
            .unwrap_or_else(|| panic!("{path}"));
        &text[span.start as usize..span.end as usize]
    };
    assert_eq!(
        at("network/voice/pool"),
        "pool \"10.20.30.100\" \"10.20.30.220\""
    );
    assert_eq!(at("network/voice"), "\"voice\"");
    assert_eq!(at("network/voice/nonsense"), "\"voice\"");
    assert_eq!(at("network/voice/dns"), "\"10.20.0.53\" \"10.20.0.54\"");
    assert_eq!(at("dhcp/dhcp-hq/server/dhcp2/address"), "\"10.20.30.6\"");
    assert_eq!(at("sync/every"), "\"2h\"");
    assert_eq!(at("site/acme-hq/objective/switch"), "\"3m\"");
    assert_eq!(at("target/bind/server"), "\"10.20.0.53:53\"");
    assert_eq!(at("device/fax-gw/network"), "\"voice\"");
    assert_eq!(loaded.topology.locate("network/none"), None);
    assert_eq!(loaded.topology.locate("nonsense"), None);
}

#[test]
fn two_families_share_a_vlan() {
    let networks = "network \"four\" subnet=\"10.0.0.0/24\" vlan=130 {\n dns \"10.0.0.53\" \"2001:db8::53\"\n}\n\
                    network \"six\" subnet=\"2001:db8:30::/64\" vlan=130 gateway=\"2001:db8:30::1\" {\n \
                    pool \"2001:db8:30::100\" \"2001:db8:30::200\"\n}\n";
    let device = "device \"d\" model=\"WP480\" network=\"four\"";
    assert_eq!(plain(&read(&format!("{SITE}{networks}{device}"))), "");
    let apart = networks.replacen("vlan=130", "vlan=131", 1);
    assert_eq!(codes(&read(&format!("{SITE}{apart}{device}"))), ["SW009"]);
}

/// The message and the help of the one error about a node.
fn told(node: &str) -> String {
    let loaded = read(&format!("{SITE}{node}"));
    let errors: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|finding| finding.code != "SW009" && finding.code != "SW005")
        .collect();
    let [finding] = errors[..] else {
        panic!("{node}: {}", plain(&loaded));
    };
    format!(
        "{}\n    help: {}",
        finding.message,
        finding.help.as_deref().unwrap_or_default()
    )
}

#[test]
fn what_was_meant_is_proposed() {
    let network = |inner: &str| format!("network \"v\" subnet=\"10.0.0.0/24\" {{\n {inner}\n}}");
    let dns = |inner: &str| format!("dns \"a.example\" {{\n {inner}\n}}");
    let nodes = [
        "site2 mode=\"x\"".to_owned(),
        "sync from=\"a\" to=\"b\" every=2".to_owned(),
        dns("ttl 60"),
        dns("ttl \"60\""),
        dns("ttl \"3 minutes\""),
        dns("ttl \"1.5h\""),
        dns("ttl \"1 h 30 m\""),
        "dhcp \"d\" {\n lease 8\n}".to_owned(),
        "dhcp \"d\" lease=\"2 weeks\"".to_owned(),
        network("vlan \"130\""),
        network("gateway \"10.0.0.1 \""),
        network("gateway \"\u{a0}10.0.0.1\""),
        network("gateway \"10.0.0\u{200b}.1\""),
        "provisioning \"p\" url=\"https://x.example \"".to_owned(),
        "device \" d\" model=\"WP480\"".to_owned(),
        "device \"d\" model=\"WP480\" firmware=3.100".to_owned(),
        "user 101 name=\"a\" pbx=\"pbx1\"".to_owned(),
        "user 0101 name=\"a\" pbx=\"pbx1\"".to_owned(),
        "target \"t\" plugin=\"kea\" endpoint=\"http://kea:hunter2@x \"".to_owned(),
        // Arguments with names.
        network("pool first=\"10.0.0.1\" last=\"10.0.0.9\""),
        network("pool \"10.0.0.1\" to=\"10.0.0.9\""),
        network("pool {\n from \"10.0.0.1\"\n to \"10.0.0.9\"\n }"),
        "network \"v\" {\n subnet address=\"10.0.0.0/24\"\n}".to_owned(),
        network("dns primary=\"10.0.0.1\" secondary=\"10.0.0.2\""),
        network("dns {\n primary \"10.0.0.1\"\n secondary \"10.0.0.2\"\n }"),
        network("vlan id=130"),
        dns("record name=\"prov\" type=\"A\" value=\"10.0.0.1\""),
        "dhcp \"d\" {\n option number=66 value=\"x\"\n}".to_owned(),
        "wms-network {\n member name=\"pbx1\" role=\"server\"\n}".to_owned(),
        "target \"t\" plugin=\"kea\" {\n auth type=\"bearer\" token=(secret)\"env:X\"\n}".to_owned(),
        "device name=\"d\" model=\"WP480\"".to_owned(),
        "pbx \"p\" role=\"main\" hostname=\"h\" address=\"10.0.0.1\" wms=\"3.86\" {\n platform type=\"vm\"\n}".to_owned(),
        "pbx \"p\" role=\"main\" hostname=\"h\" address=\"10.0.0.1\" wms=\"3.86\"".to_owned(),
        "pbx \"p\" hostname=\"h\" address=\"10.0.0.1\" wms=\"3.86\" platform=\"vm\"".to_owned(),
        "call-group \"g\"".to_owned(),
    ];
    let mut shown = String::new();
    for node in nodes {
        shown += &format!("{node}\n    {}\n", told(&node));
    }
    insta::assert_snapshot!("proposed", shown);
    let site = plain(&read("site \"muellers\""));
    assert!(
        site.contains("`site` `muellers` has no `mode`: `hot-standby` or `load-sharing`"),
        "{site}"
    );
}

#[test]
fn a_message_says_what_to_change() {
    let network = |inner: &str| format!("network \"v\" subnet=\"10.0.0.0/24\" {{\n {inner}\n}}");
    let site = |inner: &str| format!("call-group \"g\" strategy=\"linear\" {{\n {inner}\n}}");
    let platform = |inner: &str| {
        format!(
            "pbx \"p\" role=\"main\" hostname=\"h\" address=\"10.0.0.1\" wms=\"3.86\" {{\n platform {inner}\n}}"
        )
    };
    let target = |inner: &str| format!("target \"t\" plugin=\"kea\" {{\n {inner}\n}}");
    let member = |inner: &str| format!("wms-network {{\n member {inner}\n}}");
    let user = |inner: &str| format!("user \"1\" name=\"a\" pbx=\"p\" {inner}");
    let nodes = [
        // Numbers in quotes.
        platform("\"vm\" cores=\"2\""),
        platform("\"vm\" {\n cores \"2\"\n }"),
        platform("\"vm\" cores=\"5000\""),
        "dhcp \"d\" {\n option \"66\" \"x\"\n}".to_owned(),
        // Empty texts.
        site("acknowledge \"SW106\" reason=\"\""),
        site("acknowledge \"SW106\" reason=\" \""),
        target("known-drift \"subnet/v\" reason=\"\""),
        platform("\"vm\" cpu=\"\""),
        network("gateway \"\""),
        "device \"\" model=\"WP480\"".to_owned(),
        // A value without its name.
        site("acknowledge \"SW106\" \"relay on 10.0.0.1\""),
        site("acknowledge \"SW106\" \"relay\" until=\"2027-03-31\""),
        member("\"p\" \"server\""),
        // A text without quotes.
        site("acknowledge \"SW106\" reason=nur ein DNS-Server"),
        site("acknowledge \"SW106\" reason=nur 2 Server until=\"2027-03-31\""),
        user("description=hunter2 is here"),
        // Sources of secrets.
        user("sip-password=\"env:SIP_390\""),
        user("sip-password=\"file:secrets/390\""),
        user("sip-password=\"vault:hunter2\""),
        user("sip-password=\"env:hunter2 \""),
        // Both ends in one.
        network("pool \"10.0.0.100-10.0.0.199\""),
        network("pool \"10.0.0.100 - 10.0.0.199\""),
        network("pool \"10.0.0.100/10.0.0.199\""),
        network("pool \"10.0.0.100-199\""),
        network("pool \"10.0.0.64/26\""),
        network("pool \"10.0.0.100\" - \"10.0.0.199\""),
        network("pool \"10.0.0.100\""),
        // What is missing, and what is too much.
        target("command \"reload\""),
        target("root \"a\" \"x\""),
        target("endpoint \"http://a\" \"http://me:hunter2@b\""),
        "dhcp \"d\" {\n option 67 \"a\" \"b\"\n}".to_owned(),
        // Words of others.
        "trunk \"t\" direction=\"in\"".to_owned(),
        "pbx \"p\" role=\"backup\"".to_owned(),
        "pbx \"p\" role=\"Primary\"".to_owned(),
        platform("\"virtual\""),
        platform("\"Hyper-V\""),
        member("\"p\" role=\"master\""),
        "dhcp \"d\" {\n server \"s\" address=\"10.0.0.2\" role=\"backup\"\n}".to_owned(),
        "dns \"a.example\" {\n server \"s\" address=\"10.0.0.2\" role=\"backup\"\n}".to_owned(),
    ];
    let mut shown = String::new();
    for node in nodes {
        let loaded = read(&format!("{SITE}{node}"));
        let told: Vec<String> = loaded
            .diagnostics
            .iter()
            .filter(|finding| finding.code != "SW009" && finding.code != "SW005")
            .map(|finding| {
                let help = finding.help.as_deref().unwrap_or_default();
                format!(
                    "    {} {}\n    help: {help}\n",
                    finding.code, finding.message
                )
            })
            .collect();
        assert!(!told.concat().contains("hunter2"), "{told:?}");
        shown += &format!("{node}\n{}", told.concat());
    }
    insta::assert_snapshot!("messages", shown);
    for mode in ["hotstandby", "active-passive", "Hot Standby"] {
        let told = plain(&read(&format!("site \"hq\" mode=\"{mode}\"")));
        assert!(told.contains("did you mean `hot-standby`?"), "{told}");
    }
}

#[test]
fn of_two_names_as_near_both_are_named() {
    let network = |name: &str| format!("network \"{name}\" subnet=\"10.0.{name}.0/24\"\n");
    let networks = network("voice1").replace("10.0.voice1", "10.0.1")
        + &network("voice2").replace("10.0.voice2", "10.0.2");
    let device = |name: &str, network: &str| {
        format!("device \"{name}\" model=\"WP480\" network=\"{network}\"\n")
    };
    let devices = device("a", "voice1") + &device("b", "voice2") + &device("c", "voice");
    for text in [device("c", "voice"), devices] {
        let loaded = read(&format!("{SITE}{networks}{text}"));
        assert_eq!(codes(&loaded), ["SW005"], "{}", plain(&loaded));
        assert_eq!(
            loaded.diagnostics[0].help.as_deref(),
            Some("did you mean `voice1` or `voice2`?")
        );
    }
}

#[test]
fn what_stands_around_a_description_is_its_own() {
    let loaded =
        read("site \"hq\" mode=\"hot-standby\" {\n description \" as the server has it \"\n}");
    assert_eq!(plain(&loaded), "");
}
