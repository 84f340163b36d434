//! SW4xx at the edges, and that one cause is told once.

use crate::showing::{codes, codes_of, shown};
use crate::sound::Sound;

const NONE: [&str; 0] = [];

fn after(old: &str, new: &str) -> Vec<String> {
    codes(&Sound::new().with(old, new).text())
}

/// The network in IPv6.
fn six() -> Sound {
    Sound::new()
        .with("10.20.30.0/24", "2001:db8:30::/64")
        .with("10.20.30.1\"", "2001:db8:30::1\"")
        .with(
            "\"10.20.30.100\" \"10.20.30.220\"",
            "\"2001:db8:30::100\" \"2001:db8:30::1ff\"",
        )
        .with("10.20.30.5", "2001:db8:30::5")
        .with("10.20.30.6", "2001:db8:30::6")
}

fn devices(number: u16) -> String {
    (1..=number)
        .map(|n| {
            let [a, b] = n.to_be_bytes();
            format!("device \"d{n}\" model=\"W04FXS\" mac=\"9c:75:14:01:{a:02x}:{b:02x}\" network=\"voice\"\n")
        })
        .collect()
}

#[test]
fn sw401_a_gateway_outside_is_told_once() {
    assert_eq!(
        after("gateway \"10.20.30.1\"", "gateway \"10.20.31.1\""),
        ["SW401"]
    );
    assert_eq!(
        after("gateway \"10.20.30.1\"", "gateway \"10.20.30.99\""),
        NONE
    );
    assert_eq!(
        after("gateway \"10.20.30.1\"", "gateway \"10.20.30.100\""),
        ["SW401"]
    );
    assert_eq!(
        after("gateway \"10.20.30.1\"", "gateway \"10.20.30.220\""),
        ["SW401"]
    );
    assert_eq!(
        after("gateway \"10.20.30.1\"", "gateway \"10.20.30.221\""),
        NONE
    );
    assert_eq!(after("gateway \"10.20.30.1\"", "gateway \"fe80::1\""), NONE);
}

#[test]
fn sw401_a_pool_is_told_at_the_end_that_is_outside() {
    insta::assert_snapshot!(
        "sw401-pool-end",
        shown(&Sound::new().with("10.20.30.220", "10.20.31.220").text())
    );
    let both = Sound::new().with(
        "\"10.20.30.100\" \"10.20.30.220\"",
        "\"10.20.29.1\" \"10.20.29.9\"",
    );
    assert_eq!(codes(&both.text()), ["SW401"]);
    // A pool of the other family.
    let six = Sound::new().with(
        "\"10.20.30.100\" \"10.20.30.220\"",
        "\"2001:db8::1\" \"2001:db8::9\"",
    );
    assert_eq!(codes(&six.text()), ["SW401"]);
}

#[test]
fn sw401_a_reservation_is_in_the_subnet_and_outside_the_pool() {
    for (address, raised) in [
        ("10.20.30.99", false),
        ("10.20.30.100", true),
        ("10.20.30.220", true),
        ("10.20.30.221", false),
        ("10.20.31.5", true),
        ("2001:db8::5", true),
    ] {
        let expected: &[&str] = if raised { &["SW401"] } else { &[] };
        let reserved = format!("network=\"voice\" address=\"{address}\"");
        assert_eq!(after("network=\"voice\"", &reserved), expected, "{address}");
    }
}

#[test]
fn sw401_a_wrong_subnet_is_one_cause() {
    let text = Sound::new().with("10.20.30.0/24", "10.20.40.0/24").with(
        "network=\"voice\"",
        "network=\"voice\" address=\"10.20.30.20\"",
    );
    let shown = shown(&text.text());
    assert_eq!(shown.matches("SW401]").count(), 1, "{shown}");
    assert!(
        shown.contains("none of the 4 addresses of network `voice` is in its subnet 10.20.40.0/24"),
        "{shown}"
    );
}

#[test]
fn sw401_servers_and_pbxs_keep_out_of_pools() {
    assert_eq!(
        after("address=\"10.20.30.6\"", "address=\"10.20.30.106\""),
        ["SW401"]
    );
    // One host with two roles is one cause.
    let text = Sound::new()
        .with("address=\"10.20.30.6\"", "address=\"10.20.30.106\"")
        .with("10.20.0.54", "10.20.30.106");
    assert_eq!(codes(&text.text()), ["SW401"]);
    assert_eq!(
        after("address \"10.20.0.20\"", "address \"10.20.30.120\""),
        ["SW401"]
    );
}

#[test]
fn sw401_subnets_overlap_whichever_is_wider_and_first() {
    let more = |subnet: &str, pool: &str| {
        let network = format!("network \"more\" {{\n    subnet \"{subnet}\"\n    {pool}\n}}\n");
        let devices = "device \"more\" model=\"W04FXS\" mac=\"9c:75:14:00:02:02\" network=\"more\" {\n    \
                       acknowledge \"SW106\" reason=\"-\"\n}\n";
        let text = Sound::new().and(&network).and(devices);
        shown(&text.text())
    };
    for (subnet, raised) in [
        ("10.20.30.0/24", true),
        ("10.20.30.128/25", true),
        ("10.20.0.0/16", true),
        ("10.20.29.0/24", false),
        ("10.20.31.0/24", false),
        ("0.0.0.0/0", true),
        ("::/0", false),
    ] {
        assert_eq!(more(subnet, "").contains("SW401]"), raised, "{subnet}");
    }
    let both = more("10.20.30.128/25", "pool \"10.20.30.200\" \"10.20.30.230\"");
    assert!(
        both.contains("and both give out 10.20.30.200 to 10.20.30.220"),
        "{both}"
    );
}

#[test]
fn sw401_holds_in_ipv6() {
    assert_eq!(shown(&six().text()), "");
    for (old, new) in [
        ("2001:db8:30::1ff", "2001:db8:31::1ff"),
        ("gateway \"2001:db8:30::1\"", "gateway \"2001:db8:30:1::1\""),
        ("gateway \"2001:db8:30::1\"", "gateway \"2001:db8:30::1a0\""),
        (
            "network=\"voice\"",
            "network=\"voice\" address=\"2001:db8:30::150\"",
        ),
        (
            "network=\"voice\"",
            "network=\"voice\" address=\"10.20.30.20\"",
        ),
    ] {
        assert_eq!(codes(&six().with(old, new).text()), ["SW401"], "{new}");
    }
}

#[test]
fn sw402_steps_with_the_pool() {
    let with = |number: u16, last: &str| {
        let mut sound = Sound::new().with("10.20.30.220", last);
        sound.devices = devices(number);
        sound.text()
    };
    assert_eq!(codes(&with(3, "10.20.30.102")), NONE);
    assert_eq!(codes(&with(4, "10.20.30.102")), ["SW402"]);
    assert!(shown(&with(4, "10.20.30.102")).contains("let the pool end at 10.20.30.103"));
    // What would not fit into the subnet is not proposed.
    assert!(shown(&with(200, "10.20.30.220")).contains("make room for 79 more"));
}

#[test]
fn sw402_counts_neither_reservations_nor_clients() {
    let mut sound = Sound::new().with("10.20.30.220", "10.20.30.101");
    sound.devices = devices(3).replacen(
        "network=\"voice\"",
        "network=\"voice\" address=\"10.20.30.20\"",
        1,
    ) + "device \"app\" model=\"Android\" network=\"voice\"\n";
    let codes = codes(&sound.text());
    assert!(!codes.contains(&"SW402".to_owned()), "{codes:?}");
}

#[test]
fn sw402_a_large_pool_in_ipv6_is_counted() {
    let all = six().with(
        "\"2001:db8:30::100\" \"2001:db8:30::1ff\"",
        "\"2001:db8:30::1000\" \"2001:db8:30:0:ffff::\"",
    );
    assert_eq!(codes(&all.text()), NONE);
    let one = six()
        .with("2001:db8:30::1ff", "2001:db8:30::100")
        .with("device \"doors\"", &(devices(1) + "device \"doors\""));
    assert_eq!(codes(&one.text()), ["SW402"]);
}

#[test]
fn sw402_without_a_pool_asks_whether_the_server_is_configured_from_here() {
    let no_pool = || Sound::new().with("    pool \"10.20.30.100\" \"10.20.30.220\"\n", "");
    assert_eq!(codes(&no_pool().text()), NONE);
    let configured = no_pool()
        .with(
            "address=\"10.20.30.5\"",
            "address=\"10.20.30.5\" target=\"files\"",
        )
        .and("target \"files\" plugin=\"dnsmasq\" { root \"out\"; }\n");
    insta::assert_snapshot!("sw402-no-pool", shown(&configured.text()));
}

#[test]
fn sw403_wants_an_objective_and_a_zone_of_the_pair() {
    let with = |site: &str, zone: &str| {
        let mut sound = Sound::new();
        sound.site = format!("site \"acme\" mode=\"hot-standby\" {{ {site} }}\n");
        let zone = format!("dns \"{zone}\" {{\n    ttl \"1h\"");
        let mut codes = codes(&sound.with("dns \"acme.example\" {", &zone).text());
        // That the PBXs have no names in the other zone is another rule's.
        codes.retain(|code| code != "SW412");
        codes
    };
    assert_eq!(with("objective switch=\"3m\"", "acme.example"), ["SW403"]);
    assert_eq!(with("objective switch=\"1h\"", "acme.example"), NONE);
    assert_eq!(with("objective return=\"6m\"", "acme.example"), NONE);
    assert_eq!(with("", "acme.example"), NONE);
    // Names of something else may be kept for as long as one likes.
    assert_eq!(with("objective switch=\"3m\"", "other.example"), NONE);
}

#[test]
fn sw404_tells_an_alias_of_a_pbx_once() {
    let records = |records: &str| {
        let dns = format!("ns2\" address=\"10.20.0.54\" failure-domain=\"rack-b\"\n    {records}");
        after(
            "ns2\" address=\"10.20.0.54\" failure-domain=\"rack-b\"",
            &dns,
        )
    };
    assert_eq!(records("record \"pbx1\" \"CNAME\" \"srv7\""), ["SW404"]);
    assert_eq!(
        records("record \"PBX1.acme.example.\" \"CNAME\" \"srv7\""),
        ["SW404"]
    );
    let declared = "record \"pbx1\" \"CNAME\" \"srv7\"\n    record \"_sip._udp\" \"SRV\" \"10\" \"100\" \"5060\" \"pbx1\"";
    assert_eq!(records(declared), ["SW404"]);
    let other = "record \"sbc\" \"CNAME\" \"srv7\"\n    record \"_sip._udp\" \"SRV\" \"10\" \"100\" \"5060\" \"sbc\"";
    assert_eq!(records(other), ["SW404"]);
    assert_eq!(
        records("record \"_sip._udp\" \"SRV\" \"0\" \"0\" \"0\" \".\""),
        NONE
    );
    assert_eq!(records("record \"www\" \"CNAME\" \"pbx1\""), NONE);
}

#[test]
fn sw405_leaves_the_main_pbx_alone_to_sw105() {
    // The zone keeps its own two servers in each.
    let dns = |servers: &str| {
        let text = Sound::new().with("    dns \"10.20.0.53\" \"10.20.0.54\"\n", servers);
        codes_of(&["SW105", "SW405"], &text.text())
    };
    assert_eq!(dns("    dns \"10.20.0.10\"\n"), ["SW105"]);
    assert_eq!(dns("    dns \"10.20.0.20\"\n"), ["SW405"]);
    assert_eq!(dns("    dns \"10.20.0.53\"\n"), ["SW405"]);
    assert_eq!(dns(""), ["SW405"]);
    assert_eq!(dns("    dns \"10.20.0.10\" \"10.20.0.20\"\n"), ["SW405"]);
    assert_eq!(dns("    dns \"10.20.0.10\" \"10.20.0.53\"\n"), NONE);
}

#[test]
fn sw405_asks_zones_for_two_servers_too() {
    let second = "    server \"ns2\" address=\"10.20.0.54\" failure-domain=\"rack-b\"\n";
    let alone = || Sound::new().with(second, "");
    insta::assert_snapshot!(
        "sw405-zone",
        shown(
            &alone()
                .with(
                    "ns1\" address=\"10.20.0.53\" failure-domain=\"rack-a\"",
                    "ns1\" address=\"10.20.0.53\" failure-domain=\"rack-c\""
                )
                .text()
        )
    );
    // The network's only server is the zone's only one: told once.
    let both = alone()
        .with("dns \"10.20.0.53\" \"10.20.0.54\"", "dns \"10.20.0.53\"")
        .with(
            "failure-domain=\"rack-a\"\n}\n",
            "failure-domain=\"rack-c\"\n}\n",
        );
    assert_eq!(codes(&both.text()), ["SW405"]);
}

/// Two Kea servers with these roles.
fn kea(first: &str, second: &str) -> Sound {
    Sound::new()
        .with(
            "address=\"10.20.30.5\"",
            &format!("address=\"10.20.30.5\" target=\"kea1\" {first}"),
        )
        .with(
            "address=\"10.20.30.6\"",
            &format!("address=\"10.20.30.6\" target=\"kea2\" {second}"),
        )
        .and("target \"kea1\" plugin=\"kea\" { endpoint \"http://10.20.30.5:8000/\"; }\n")
        .and("target \"kea2\" plugin=\"kea\" { endpoint \"http://10.20.30.6:8000/\"; }\n")
}

#[test]
fn sw406_wants_one_of_each() {
    for (first, second, raised) in [
        ("", "", false),
        ("role=\"primary\"", "role=\"standby\"", false),
        ("role=\"standby\"", "role=\"primary\"", false),
        ("", "role=\"primary\"", false),
        ("role=\"primary\"", "role=\"primary\"", true),
        ("role=\"standby\"", "role=\"standby\"", true),
        ("role=\"standby\"", "", true),
    ] {
        let expected: &[&str] = if raised { &["SW406"] } else { &[] };
        assert_eq!(
            codes(&kea(first, second).text()),
            expected,
            "{first} {second}"
        );
    }
    insta::assert_snapshot!(
        "sw406-standbys",
        shown(&kea("role=\"standby\"", "role=\"standby\"").text())
    );
}

#[test]
fn sw406_wants_two_servers_in_one_network() {
    insta::assert_snapshot!(
        "sw406-elsewhere",
        shown(
            &kea("", "")
                .with("address=\"10.20.30.6\"", "address=\"10.20.40.6\"")
                .text()
        )
    );
    let one = kea("", "").with("http://10.20.30.6:8000/", "http://10.20.30.5:8000/");
    insta::assert_snapshot!("sw406-one-server", shown(&one.text()));
    let mut same_target = kea("", "").with("target=\"kea2\"", "target=\"kea1\"");
    same_target.more = same_target.more.lines().take(1).collect::<String>() + "\n";
    assert_eq!(codes(&same_target.text()), ["SW406"]);
    // Another server's pair is another plugin's affair.
    let other =
        kea("role=\"primary\"", "role=\"primary\"").with("plugin=\"kea\"", "plugin=\"dnsmasq\"");
    assert!(!codes(&other.text()).contains(&"SW406".to_owned()));
}

#[test]
fn sw407_asks_for_time_where_there_are_devices() {
    assert_eq!(after("    ntp \"10.20.0.1\"\n", ""), ["SW407"]);
    let mut empty = Sound::new().with("    ntp \"10.20.0.1\"\n", "");
    empty.devices.clear();
    assert!(!codes(&empty.text()).contains(&"SW407".to_owned()));
}

#[test]
fn sw408_takes_the_slowest_device_of_the_service() {
    let lease = |lease: &str, more: &str| {
        let text = Sound::new()
            .with(
                "dhcp \"hq\" {",
                &format!("dhcp \"hq\" {{\n    lease \"{lease}\""),
            )
            .and(more);
        codes(&text.text())
    };
    let slow = "device \"pri\" model=\"W02PRI\" mac=\"9c:75:14:00:03:01\" network=\"voice\"\n\
                device \"bri\" model=\"W02BRI\" mac=\"9c:75:14:00:03:02\" network=\"voice\"\n";
    let raised = |codes: Vec<String>| codes.contains(&"SW408".to_owned());
    assert!(!raised(lease("30s", "")));
    assert!(raised(lease("29s", "")));
    assert!(raised(lease("59s", slow)));
    assert!(!raised(lease("60s", slow)));
    // Nothing is documented for such a model: nothing is concluded.
    let mut unknown = Sound::new().with("dhcp \"hq\" {", "dhcp \"hq\" {\n    lease \"1s\"");
    unknown.devices =
        "device \"gsm\" model=\"W01GSM\" mac=\"9c:75:14:00:03:03\" network=\"voice\"\n".to_owned();
    assert!(!raised(codes(&unknown.text())));
}

#[test]
fn sw410_both_pbxs() {
    let mut sound = Sound::new();
    sound.pbxs = sound.pbxs.replace("rack-b", "rack-a");
    insta::assert_snapshot!("sw410-pbxs", shown(&sound.text()));
}

#[test]
fn sw410_the_main_pbx_and_its_names() {
    let mut sound = Sound::new();
    sound.dns = sound.dns.replace("rack-b", "rack-a");
    // The network asks the same servers: told once.
    insta::assert_snapshot!("sw410-names", shown(&sound.text()));
    // Together elsewhere is another thing than together with the main PBX.
    sound.dns = sound.dns.replace("rack-a", "rack-b");
    assert_eq!(codes(&sound.text()), NONE);
    // Of the two that the network asks, one is the DHCP server in the main PBX's rack.
    let asked = Sound::new().with(
        "dns \"10.20.0.53\" \"10.20.0.54\"",
        "dns \"10.20.0.53\" \"10.20.30.5\"",
    );
    insta::assert_snapshot!("sw410-asked", shown(&asked.text()));
}

#[test]
fn sw410_every_lease() {
    let mut sound = Sound::new();
    sound.dhcp = sound.dhcp.replace("rack-a", "rack-b");
    insta::assert_snapshot!("sw410-leases", shown(&sound.text()));
    let alone = Sound::new().with(
        "    server \"dhcp2\" address=\"10.20.30.6\" failure-domain=\"rack-b\"\n",
        "",
    );
    insta::assert_snapshot!("sw410-only-server", shown(&alone.text()));
    // Software needs no lease.
    let mut clients = alone;
    clients.devices = "device \"app\" model=\"Android\" network=\"voice\"\n".to_owned();
    assert!(!codes(&clients.text()).contains(&"SW410".to_owned()));
}

#[test]
fn sw411_leaves_sw410_silent() {
    let mut sound = Sound::new();
    sound.pbxs = sound.pbxs.replace("    failure-domain \"rack-b\"\n", "");
    assert_eq!(codes(&sound.text()), ["SW411"]);
    let mut all = Sound::new();
    for part in [&mut all.pbxs, &mut all.dhcp, &mut all.dns] {
        for word in [
            "    failure-domain \"rack-a\"\n",
            "    failure-domain \"rack-b\"\n",
        ] {
            *part = part.replace(word, "");
        }
        for word in [" failure-domain=\"rack-a\"", " failure-domain=\"rack-b\""] {
            *part = part.replace(word, "");
        }
    }
    assert_eq!(codes(&all.text()), ["SW411"; 6]);
}

#[test]
fn sw401_knows_addresses_that_no_host_can_have() {
    let found = |sound: Sound| codes_of(&["SW4"], &sound.text());
    let network = |old: &str, new: &str| found(Sound::new().with(old, new));
    for address in ["10.20.30.0", "10.20.30.255"] {
        assert_eq!(
            network("gateway \"10.20.30.1\"", &format!("gateway \"{address}\"")),
            ["SW401"]
        );
        let device = format!("network=\"voice\" address=\"{address}\"");
        assert_eq!(
            network("network=\"voice\"", &device),
            ["SW401"],
            "{address}"
        );
    }
    assert_eq!(network("\"10.20.30.220\"", "\"10.20.30.255\""), ["SW401"]);
    assert_eq!(network("\"10.20.30.220\"", "\"10.20.30.254\""), NONE);
    // In a wider subnet these are addresses like any other.
    let wide = |sound: Sound| sound.with("10.20.30.0/24", "10.20.28.0/22");
    let inner = wide(Sound::new()).with("gateway \"10.20.30.1\"", "gateway \"10.20.30.255\"");
    assert_eq!(found(inner), NONE);
    // Two hosts share a subnet without either (RFC 3021).
    let pair = "network \"link\" {\n    subnet \"10.9.0.0/31\"\n    gateway \"10.9.0.0\"\n}\n";
    assert_eq!(found(Sound::new().and(pair)), NONE);
}

#[test]
fn sw401_keeps_what_devices_ask_out_of_the_pool() {
    let found = |old: &str, new: &str| codes_of(&["SW4"], &Sound::new().with(old, new).text());
    assert_eq!(
        found("ntp \"10.20.0.1\"", "ntp \"10.20.30.150\""),
        ["SW401"]
    );
    assert_eq!(found("\"10.20.0.54\"\n", "\"10.20.30.150\"\n"), ["SW401"]);
}

#[test]
fn sw409_is_about_options_with_another_meaning() {
    let option = |code: &str| {
        let service = format!(
            "provisioning \"files\" {{\n    url \"http://10.20.30.80/\"\n    dhcp-option {code}\n}}\n"
        );
        let sound = Sound::new().with(
            "    dhcp \"hq\"\n",
            "    dhcp \"hq\"\n    provisioning \"files\"\n",
        );
        codes_of(&["SW409"], &sound.and(&service).text())
    };
    for code in [
        "1", "3", "6", "12", "15", "42", "51", "53", "55", "61", "82", "119", "120", "121", "150",
    ] {
        assert_eq!(option(code), ["SW409"], "{code}");
    }
    for code in ["43", "66", "67", "128", "132", "159", "160", "224"] {
        assert_eq!(option(code), NONE, "{code}");
    }
}

#[test]
fn values_that_no_device_can_have_are_refused() {
    let refused = |old: &str, new: &str| codes_of(&["SW003"], &Sound::new().with(old, new).text());
    for mac in [
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01",
        "33-33-00-00-00-01",
    ] {
        assert_eq!(refused("9c:75:14:00:02:01", mac), ["SW003"], "{mac}");
    }
    assert_eq!(
        refused("9c:75:14:00:02:01", "02:00:00:00:00:01"),
        NONE,
        "local, and one device's"
    );
    for address in ["255.255.255.255", "224.0.0.1", "ff02::1"] {
        assert_eq!(
            refused("address \"10.20.0.20\"", &format!("address \"{address}\"")),
            ["SW003"],
            "{address}"
        );
    }
    let url = |url: &str| {
        let service = format!("provisioning \"files\" {{\n    url \"{url}\"\n}}\n");
        codes_of(&["SW003"], &Sound::new().and(&service).text())
    };
    for blank in [
        "http://10.0.0.1/ ",
        " http://10.0.0.1/",
        "http://10.0.0.1/a b",
        "http://10.0.0.1/\\t",
    ] {
        assert_eq!(url(blank), ["SW003"], "{blank:?}");
    }
    assert_eq!(url("http://10.0.0.1/a%20b"), NONE);
}

#[test]
fn sw412_is_about_names_outside_every_zone() {
    for (host, raised) in [
        ("pbx2.acme.example", false),
        ("pbx2.site.acme.example.", false),
        ("PBX2.ACME.example", false),
        ("pbx2.acne.example", true),
        ("pbx2.elsewhere.test", true),
        ("pbx2acme.example", true),
    ] {
        let text = Sound::new()
            .with(
                "hostname \"pbx2.acme.example\"",
                &format!("hostname \"{host}\""),
            )
            .text();
        assert_eq!(codes(&text).contains(&"SW412".to_owned()), raised, "{host}");
    }
    // A domain that is nothing like a zone has servers of its own.
    for (domain, raised) in [("acne.example", true), ("other.test", false)] {
        let text = Sound::new()
            .with("domain \"acme.example\"", &format!("domain \"{domain}\""))
            .text();
        assert_eq!(
            codes(&text).contains(&"SW412".to_owned()),
            raised,
            "{domain}"
        );
    }
}

#[test]
fn sw413_is_about_records_that_cannot_be_meant() {
    for (records, raised) in [
        ("record \"prov\" \"A\" \"10.20.0.80\"", false),
        ("record \"prov.acme.example.\" \"A\" \"10.20.0.80\"", false),
        ("record \"Prov.Acme.example\" \"A\" \"10.20.0.80\"", true),
        ("record \"acme.example\" \"TXT\" \"x\"", true),
        ("record \"notacme.example\" \"A\" \"10.20.0.80\"", false),
        ("record \"pbx1\" \"A\" \"10.20.0.10\"", false),
        ("record \"pbx1\" \"A\" \"10.20.0.99\"", true),
        ("record \"pbx1\" \"AAAA\" \"2001:db8::1\"", false),
        (
            "record \"a\" \"A\" \"10.20.0.80\"\n    record \"a\" \"CNAME\" \"b\"",
            true,
        ),
        (
            "record \"a\" \"A\" \"10.20.0.80\"\n    record \"a\" \"TXT\" \"b\"",
            false,
        ),
    ] {
        let text = Sound::new()
            .with(
                "dns \"acme.example\" {",
                &format!("dns \"acme.example\" {{\n    {records}"),
            )
            .text();
        assert_eq!(
            codes(&text).contains(&"SW413".to_owned()),
            raised,
            "{records}"
        );
    }
}
