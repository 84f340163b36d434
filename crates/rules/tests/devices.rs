//! The edges of SW2xx, and where they hold back.

use switchover_catalogue::{editions, models, signalling};
use switchover_topology::Severity;

use crate::showing::{codes, codes_of, judged, shown, shown_of};
use crate::sound::Sound;

const NONE: [&str; 0] = [];
const WMS: &str = "wms \"3.86\"";

/// A site on this WMS with this device in place of its own. The note on telephones and the warning on clear text are
/// accepted.
fn with_device(wms: &str, lines: &str) -> Sound {
    let mut sound = Sound::new().with(WMS, &format!("wms \"{wms}\""));
    sound.devices = format!(
        "device \"it\" {lines} network=\"voice\" {{ acknowledge \"SW205\" reason=\"lab\"; }}\n"
    );
    sound.with(
        "mode=\"hot-standby\"\n",
        "mode=\"hot-standby\" {\n    acknowledge \"SW312\" reason=\"told\"\n}\n",
    )
}

/// What counts, of SW2xx.
fn found(wms: &str, lines: &str) -> Vec<String> {
    let mut codes = codes_of(&["SW2"], &with_device(wms, lines).text());
    codes.retain(|code| !code.starts_with('('));
    codes
}

fn model(name: &str) -> String {
    format!("model=\"{name}\" mac=\"9c:75:14:00:00:01\"")
}

/// The site of [`with_device`] with an objective.
fn with_objective(wms: &str, objective: &str, lines: &str) -> Sound {
    with_device(wms, lines).with(
        "mode=\"hot-standby\" {\n",
        &format!("mode=\"hot-standby\" {{\n    objective {objective}\n"),
    )
}

fn late(wms: &str, objective: &str, lines: &str) -> Vec<String> {
    let mut codes = codes_of(&["SW2"], &with_objective(wms, objective, lines).text());
    codes.retain(|code| !code.starts_with('('));
    codes
}

#[test]
fn sw201_is_about_what_the_guide_lists() {
    for name in ["W-AIR", "W04BRI", "W01GSM", "iOS", "ios client"] {
        assert_eq!(found("3.86.30011", &model(name)), ["SW201"], "{name}");
        for wms in ["3.87", "4.01"] {
            let (_, found) = judged(&with_device(wms, &model(name)).text());
            let found = found.iter().find(|found| found.code == "SW201").unwrap();
            assert_eq!(found.severity, Severity::Error, "{name} on {wms}");
        }
        // What is not known there is not allowed there.
        for wms in ["5.00", "6.01", "7.08"] {
            assert_eq!(found(wms, &model(name)), ["SW201"], "{name} on {wms}");
            let (_, found) = judged(&with_device(wms, &model(name)).text());
            let found = found.iter().find(|found| found.code == "SW201").unwrap();
            assert_eq!(found.severity, Severity::Warning);
            assert!(
                found
                    .message
                    .ends_with("(stated for WMS 3.86, not repeated for WMS 5.0X/6.0X)")
            );
        }
    }
    assert_eq!(found("3.86", &model("W01BRI")), NONE);
}

#[test]
fn sw201_and_sw214_ask_for_the_year_of_the_w01fxs() {
    let made = |year: &str| found("3.86", &format!("{} {year}", model("W01FXS")));
    assert_eq!(made("year=2014"), ["SW201"]);
    assert_eq!(made("year=2015"), NONE);
    assert_eq!(made(""), ["SW214"]);
    assert_eq!(found("5.01", &model("W01FXS")), ["SW214"]);
    insta::assert_snapshot!(
        "sw201-year",
        shown_of(
            &["SW2"],
            &with_device("3.86", &format!("{} year=2014", model("W01FXS"))).text()
        )
    );
}

#[test]
fn sw202_compares_firmware_as_numbers() {
    for wms in ["3.86.30011", "4.01", "5.00", "7.08"] {
        for (firmware, raised) in [
            ("2.8.21", true),
            ("2.8.21.9999", true),
            ("2.8.22", false),
            ("2.8.22.0", false),
            ("2.10.0", false),
            ("2.9", false),
            ("1.99", true),
        ] {
            let lines = format!("{} firmware=\"{firmware}\"", model("WP600ACG"));
            let expected: &[&str] = if raised { &["SW202"] } else { &[] };
            assert_eq!(found(wms, &lines), expected, "{firmware} on {wms}");
        }
    }
    assert_eq!(found("3.86", &model("WP600A")), NONE);
    assert_eq!(
        found(
            "3.86",
            &format!("{} firmware=\"1.0\" year=2017", model("WP480"))
        ),
        NONE
    );
}

#[test]
fn sw203_clients_wait_for_a_wms_and_a_version_of_their_own() {
    let client =
        |wms: &str, name: &str, version: &str| found(wms, &format!("model=\"{name}\" {version}"));
    for name in [
        "Collaboration",
        "Collaboration web phone",
        "Collaboration native app",
        "Collaboration Chrome extension",
        "Android",
    ] {
        assert_eq!(client("3.86", name, ""), ["SW203"], "{name}");
        assert_eq!(client("4.01", name, ""), ["SW203"], "{name}");
        assert_eq!(client("5.00", name, ""), NONE, "{name}");
    }
    for (name, version, raised) in [
        ("Collaboration native app", "2.1.4", true),
        ("Collaboration native app", "2.1.5", false),
        ("Collaboration app", "2.1.10", false),
        ("Collaboration Chrome extension", "1.6.6", true),
        ("Collaboration extension", "1.6.7", false),
        ("Collaboration", "1.0", false),
    ] {
        let expected: &[&str] = if raised { &["SW203"] } else { &[] };
        assert_eq!(
            client("6.01", name, &format!("firmware=\"{version}\"")),
            expected,
            "{name} {version}"
        );
    }
    insta::assert_snapshot!(
        "sw203-version",
        shown_of(
            &["SW2"],
            &with_device("5.00", "model=\"Collaboration app\" firmware=\"2.1.4\"").text()
        )
    );
}

#[test]
fn sw204_knows_what_the_table_has() {
    for (wms, name, lines, raised) in [
        ("3.86", "W02FXSR2", "transport=\"udp\" port=5060", false),
        ("3.86", "W02FXSR2", "transport=\"tcp\"", true),
        ("3.86", "W02FXSR2", "port=5061", true),
        ("3.86", "W02FXSR2", "port=443", true),
        ("3.86", "W04FXS", "transport=\"tls\" port=443", false),
        // The asterisk: another secure port may have been chosen.
        ("3.86", "W04FXS", "port=5443", false),
        ("3.86", "W04FXS", "port=5060", true),
        ("3.86", "W04FXS", "transport=\"udp\"", true),
        ("3.86", "W02PRI", "transport=\"tls\"", true),
        ("5.00", "W02PRI", "transport=\"tls\"", false),
        ("5.00", "W02PRI", "transport=\"tcp\"", false),
        ("5.00", "W02PRI", "transport=\"udp\"", true),
        ("3.88", "W02PRI", "transport=\"tls\"", true),
        ("4.02.1", "W02PRI", "transport=\"tls\"", false),
        ("4.02.1", "W02FXSR2", "transport=\"tcp\"", true),
        ("7.08", "W02FXSR2", "transport=\"tcp\"", true),
        ("4.02.1", "START", "transport=\"udp\"", true),
        // Nothing is documented.
        ("3.86", "START", "transport=\"udp\" port=5060", false),
    ] {
        let lines = format!("{} {lines}", model(name));
        let expected: &[&str] = if raised { &["SW204"] } else { &[] };
        assert_eq!(found(wms, &lines), expected, "{lines} on {wms}");
    }
    let both = format!("{} transport=\"tls\" port=443", model("W02FXSR2"));
    assert_eq!(found("3.86", &both), ["SW204", "SW204"]);
}

#[test]
fn sw205_goes_by_what_is_declared_or_else_by_the_table() {
    let clear = |wms: &str, lines: &str| {
        codes_of(&["SW205"], &with_device(wms, lines).text()) == ["(SW205)"]
    };
    for (wms, name, lines, raised) in [
        ("3.86", "WP480", "year=2017", true),
        ("3.86", "W04FXS", "", false),
        ("3.86", "W04FXS", "transport=\"udp\"", true),
        // Reported as a contradiction instead.
        ("3.86", "WP480", "year=2017 transport=\"tls\"", false),
        ("5.00", "W02PRI", "", true),
        ("5.00", "W02PRI", "transport=\"tls\"", false),
        ("5.00", "START", "", false),
        ("3.86", "START", "", false),
        ("4.01", "WP480", "", true),
        ("4.01", "WP480", "transport=\"tcp\"", true),
    ] {
        let lines = format!("{} {lines}", model(name));
        assert_eq!(clear(wms, &lines), raised, "{lines} on {wms}");
    }
}

#[test]
fn sw205_is_an_error_where_the_site_requires_tls() {
    for (required, severity) in [("true", Severity::Error), ("false", Severity::Warning)] {
        let text = Sound::new()
            .with(
                "mode=\"hot-standby\"",
                &format!("mode=\"hot-standby\" require-tls=#{required}"),
            )
            .with("model=\"W04FXS\"", "model=\"W02FXSR2\"")
            .text();
        let (_, found) = judged(&text);
        let weights: Vec<_> = found
            .iter()
            .map(|found| (found.code.as_str(), found.severity))
            .collect();
        assert_eq!(weights, [("SW205", severity)]);
    }
    let text = Sound::new()
        .with(
            "mode=\"hot-standby\"",
            "mode=\"hot-standby\" require-tls=#true",
        )
        .with("model=\"W04FXS\"", "model=\"W02FXSR2\"")
        .text();
    insta::assert_snapshot!("sw205-required", shown(&text));
}

#[test]
fn sw206_and_sw207_hold_on_every_edition() {
    let trunk = |wms: &str, lines: &str| {
        let nodes = format!("trunk \"t\" provider=\"203.0.113.1\" {lines}\n");
        codes(
            &Sound::new()
                .with(WMS, &format!("wms \"{wms}\""))
                .and(&nodes)
                .text(),
        )
    };
    assert_eq!(trunk("3.86", "direction=\"outgoing\""), ["SW206"]);
    assert_eq!(trunk("5.00", "direction=\"outgoing\""), ["SW206"]);
    assert_eq!(trunk("3.86", "direction=\"incoming\""), ["SW207"]);
    assert_eq!(
        trunk("3.86", "direction=\"incoming\" { register-to \"pbx2\"; }"),
        ["SW207"]
    );
    assert_eq!(
        trunk(
            "3.86",
            "direction=\"incoming\" { register-to \"pbx2\" \"pbx1\"; }"
        ),
        NONE
    );
    assert_eq!(
        trunk("6.01", "direction=\"incoming\" { register-to \"pbx2\"; }"),
        ["SW207"]
    );
    // A slip of the pen may be the missing one.
    assert_eq!(
        trunk(
            "3.86",
            "direction=\"incoming\" { register-to \"pbx2\" \"pbx3\"; }"
        ),
        ["SW005"]
    );
}

#[test]
fn sw208_names_the_nearest() {
    insta::assert_snapshot!(
        "sw208-near",
        shown_of(&["SW2"], &with_device("3.86", &model("WP48O")).text())
    );
    insta::assert_snapshot!(
        "sw208-far",
        shown_of(
            &["SW2"],
            &with_device("3.86", &model("Polycom VVX 450")).text()
        )
    );
    for name in ["W04FX0", "wp 480-r2"] {
        assert!(
            !found("3.86", &model(name)).contains(&"SW208".to_owned()),
            "{name}"
        );
    }
}

#[test]
fn sw209_ends_where_the_table_ends() {
    for (wms, name, objective, raised) in [
        ("3.86", "WP400", "switch=\"105s\" return=\"105s\"", 0),
        ("3.86", "WP400", "switch=\"104s\" return=\"105s\"", 1),
        ("3.86", "WP400", "switch=\"105s\" return=\"104s\"", 1),
        ("3.86", "WP400", "switch=\"104s\" return=\"104s\"", 2),
        ("3.86", "WP400", "switch=\"105s\"", 0),
        ("3.86", "WP400", "return=\"104s\"", 1),
        ("3.86", "W04FXO", "switch=\"30s\" return=\"300s\"", 0),
        ("3.86", "W04FXO", "switch=\"29s\" return=\"299s\"", 2),
        ("5.00", "WP480R3", "switch=\"145s\" return=\"105s\"", 0),
        ("5.00", "WP480R3", "switch=\"144s\" return=\"105s\"", 1),
    ] {
        let expected = vec!["SW209"; raised];
        assert_eq!(
            late(wms, objective, &model(name)),
            expected,
            "{name}, {objective} on {wms}"
        );
    }
}

#[test]
fn sw209_the_year_narrows_the_range() {
    let lines = |year: &str| format!("{} {year}", model("WP490"));
    assert_eq!(late("3.86", "switch=\"60s\"", &lines("year=2015")), NONE);
    assert_eq!(
        late("3.86", "switch=\"60s\"", &lines("year=2014")),
        ["SW209"]
    );
    insta::assert_snapshot!(
        "sw209-without-year",
        shown_of(
            &["SW2"],
            &with_objective("3.86", "switch=\"60s\"", &lines("")).text()
        )
    );
    insta::assert_snapshot!(
        "sw209-old",
        shown_of(
            &["SW2"],
            &with_objective("3.86", "switch=\"60s\"", &lines("year=2014")).text()
        )
    );
}

#[test]
fn sw209_the_slower_of_two_versions_counts() {
    let sound = with_objective("3.86", "switch=\"144s\"", &model("WP490"));
    let (main, failover) = sound.pbxs.split_once("pbx \"pbx2\"").unwrap();
    let pbxs = format!("{main}pbx \"pbx2\"{}", failover.replace("3.86", "5.01"));
    let mixed = Sound { pbxs, ..sound };
    let text = shown(&mixed.text());
    assert!(text.contains("`it` takes 30–145 s to switch"), "{text}");
}

#[test]
fn sw210_wants_a_time_for_each_objective() {
    let objective = "switch=\"5m\" return=\"5m\"";
    assert_eq!(late("3.86.30011", objective, &model("WP600A")), ["SW210"]);
    assert_eq!(late("5.00", objective, &model("WP600A")), NONE);
    assert_eq!(late("3.86", objective, &model("START")), ["SW210"]);
    // A model that a later edition brought has no times on an earlier one.
    for name in ["START", "Vision", "WP490R3"] {
        assert_eq!(late("4.01", objective, &model(name)), ["SW210"], "{name}");
    }
    assert_eq!(late("4.01", objective, &model("W04FXS")), NONE);
    // What goes down anyway is told once.
    assert_eq!(late("3.86", objective, &model("W-AIR")), ["SW201"]);
    assert_eq!(late("3.86", objective, "model=\"Android\""), ["SW203"]);
    assert_eq!(late("3.86", objective, &model("nothing")), ["SW208"]);
    assert_eq!(late("6.01", objective, &model("W-AIR")), ["SW201"]);
}

#[test]
fn sw211_and_sw212_hold_on_every_edition() {
    for (by, code) in [("phone-failover-conf", "SW211"), ("secondary-dns", "SW212")] {
        let lines = format!("{} failover-by=\"{by}\"", model("W04FXS"));
        assert_eq!(found("3.86", &lines), [code]);
        for wms in ["4.01", "5.00", "6.01"] {
            assert_eq!(found(wms, &lines), [code], "{wms}");
        }
    }
    assert_eq!(
        found(
            "3.86",
            &format!("{} failover-by=\"registration\"", model("W04FXS"))
        ),
        NONE
    );
}

#[test]
fn sw213_one_name_is_one_registration() {
    let same = |hostname: &str| Sound::new().with("pbx2.acme.example", hostname);
    assert_eq!(
        codes_of(&["SW2"], &same("PBX1.Acme.example").text()),
        ["SW213"]
    );
    // Without devices nobody would register.
    let empty = Sound {
        devices: String::new(),
        ..same("pbx1.acme.example")
    };
    assert_eq!(codes_of(&["SW2"], &empty.text()), NONE);
    let later = same("pbx1.acme.example").with(WMS, "wms \"5.00\"");
    assert_eq!(codes_of(&["SW2"], &later.text()), ["SW213"]);
}

#[test]
fn sw213_a_network_reaches_addresses_of_its_family() {
    let failover = Sound::new().with("address \"10.20.0.20\"", "address \"2001:db8::20\"");
    insta::assert_snapshot!("sw213-family", shown_of(&["SW2"], &failover.text()));
    let nobody_there = failover.with(" network=\"voice\"", "");
    assert_eq!(codes_of(&["SW2"], &nobody_there.text()), NONE);
}

#[test]
fn sw213_one_pbx_alone_where_no_other_rule_says_so() {
    let mut sound = Sound::new();
    sound
        .pbxs
        .truncate(sound.pbxs.find("pbx \"pbx2\"").unwrap());
    assert_eq!(codes_of(&["SW107", "SW2"], &sound.text()), ["SW107"]);
    let sharing = sound.with("hot-standby", "load-sharing");
    assert_eq!(codes_of(&["SW107", "SW2"], &sharing.text()), ["SW213"]);
}

#[test]
fn sw214_asks_where_the_answer_depends_on_the_year() {
    assert_eq!(found("3.86.30011", &model("WP480")), ["SW214"]);
    assert_eq!(
        found("3.86.30011", &format!("{} year=2016", model("WP480"))),
        NONE
    );
    assert_eq!(found("3.86", &model("WP490")), NONE);
    assert_eq!(found("5.00", &model("WP480")), NONE);
}

#[test]
fn no_rule_contradicts_the_catalogue() {
    // Each model as the table has it, on the first release of each edition: no contradiction, no unknown model.
    for edition in editions() {
        let wms = edition.from.to_string();
        for known in models() {
            let Some(table) = signalling(known, &wms.parse().unwrap()) else {
                continue;
            };
            for transport in &table.transports {
                let lines = format!(
                    "{} transport=\"{transport}\" port={}",
                    model(known.name),
                    table.port
                );
                let found = found(&wms, &lines);
                let wrong = ["SW201", "SW202", "SW203", "SW204", "SW208"];
                assert!(
                    found.iter().all(|code| !wrong.contains(&code.as_str())),
                    "{lines} on {wms}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn a_device_of_every_model_is_judged_without_the_others() {
    // Ten thousand of the same raise as many findings, each at its own place.
    let devices: String = (0..10_000_u32)
        .map(|n| format!("device \"d{n}\" model=\"W02FXSR2\"\n"))
        .collect();
    let mut sound = Sound::new();
    sound.devices = devices;
    let (_, found) = judged(&sound.text());
    let places: std::collections::BTreeSet<_> = found
        .iter()
        .filter(|found| found.code == "SW205")
        .filter_map(|found| found.span)
        .collect();
    assert_eq!(places.len(), 10_000);
}
