//! The edges of SW108 to SW113, and what they say where no source speaks.

use switchover_topology::Severity;

use crate::showing::{codes, judged, shown};
use crate::sound::Sound;

const NONE: [&str; 0] = [];
const SYNC: &str = "sync from=\"pbx1\" to=\"pbx2\" every=\"2h\"\n";

/// Both PBXs on this WMS.
fn on(wms: &str) -> Sound {
    Sound::new().with("wms \"3.86\"", &format!("wms \"{wms}\""))
}

fn spoilt(old: &str, new: &str) -> Vec<String> {
    codes(&Sound::new().with(old, new).text())
}

/// With one piece of the second PBX replaced.
fn failover_with(old: &str, new: &str) -> Sound {
    let mut sound = Sound::new();
    let (main, failover) = sound
        .pbxs
        .split_once("pbx \"pbx2\"")
        .expect("there is a second PBX");
    assert!(failover.contains(old), "{old}");
    sound.pbxs = format!("{main}pbx \"pbx2\"{}", failover.replace(old, new));
    sound
}

#[test]
fn a_sound_site_raises_nothing() {
    assert_eq!(codes(&Sound::new().text()), NONE);
    for wms in ["5.00", "6.09"] {
        assert_eq!(codes(&on(wms).text()), NONE, "{wms}");
    }
}

#[test]
fn sw108_load_sharing_begins_with_5_0() {
    for (wms, raised) in [
        ("3.86", true),
        ("4.99.99999", true),
        ("5", false),
        ("5.0", false),
        ("5.00.1", false),
        ("6.01", false),
        ("10.0", false),
    ] {
        let sharing = on(wms).with("hot-standby", "load-sharing");
        let raises = codes(&sharing.text()).contains(&"SW108".to_owned());
        assert_eq!(raises, raised, "{wms}");
    }
    let one_old = failover_with("3.86", "5.0").with("hot-standby", "load-sharing");
    assert!(codes(&one_old.text()).contains(&"SW108".to_owned()));
}

#[test]
fn sw109_the_source_is_the_main_pbx() {
    let wrong = Sound::new().with(SYNC, "sync from=\"pbx2\" to=\"pbx1\" every=\"2h\"\n");
    insta::assert_snapshot!("sw109-direction", shown(&wrong.text()));
    assert_eq!(spoilt("to=\"pbx2\"", "to=\"pbx1\""), ["SW109"]);
    // An end that is not declared is reported as that.
    assert_eq!(spoilt("from=\"pbx1\"", "from=\"pbx9\""), ["SW005"]);
}

#[test]
fn sw109_what_is_on_the_destination_is_overwritten() {
    let group = |on: &str| {
        let nodes = format!(
            "user \"101\" name=\"A\" pbx=\"pbx1\"\ncall-group \"sales\" strategy=\"linear\" {on} {{ member \"101\"; }}\n"
        );
        codes(&Sound::new().and(&nodes).text())
    };
    assert_eq!(group("on=\"pbx2\""), ["SW109"]);
    assert_eq!(group("on=\"pbx1\""), NONE);
    assert_eq!(group(""), NONE);

    let trunk = |direction: &str, to: &str| {
        let nodes = format!(
            "trunk \"t\" direction=\"{direction}\" {{ provider \"203.0.113.1\"; register-to {to}; }}\n"
        );
        codes(&Sound::new().and(&nodes).text())
    };
    assert_eq!(trunk("outgoing", "\"pbx1\""), ["SW206"]);
    assert_eq!(trunk("outgoing", "\"pbx2\""), ["SW206", "SW109"]);
    assert_eq!(trunk("outgoing", "\"pbx1\" \"pbx2\""), ["SW206"]);
    // One cause, one finding: both PBXs are what an incoming one needs.
    assert_eq!(trunk("incoming", "\"pbx2\""), ["SW207"]);
}

#[test]
fn sw109_to_sw111_hold_on_every_edition() {
    for wms in ["4.01", "5.00", "6.01"] {
        let text = on(wms)
            .with(SYNC, "sync from=\"pbx2\" to=\"pbx1\" every=\"2h\"\n")
            .and("user \"101\" name=\"A\" pbx=\"pbx2\"\n")
            .text()
            .replacen("language=\"it\"", "language=\"de\"", 1);
        let (_, found) = judged(&text);
        let found = found.iter().filter(|found| found.code.starts_with("SW1"));
        let weights: Vec<_> = found
            .map(|found| (found.code.as_str(), found.severity))
            .collect();
        let expected = [
            ("SW110", Severity::Warning),
            ("SW111", Severity::Warning),
            ("SW109", Severity::Error),
        ];
        assert_eq!(weights, expected, "{wms}");
    }
}

#[test]
fn sw110_counts_declared_and_homed_users_of_the_failover_pbx() {
    let users = |pbx: &str| format!("user \"101\" name=\"A\" pbx=\"{pbx}\"\n");
    assert_eq!(codes(&Sound::new().and(&users("pbx1")).text()), NONE);
    insta::assert_snapshot!(
        "sw110-homed",
        shown(&Sound::new().and(&users("pbx2")).text())
    );
    let declared = |number: u32| {
        let users = format!("platform \"hardware\"\n    users {number}");
        codes(&failover_with("platform \"hardware\"", &users).text())
    };
    assert_eq!(declared(1), ["SW110"]);
    assert_eq!(declared(0), NONE);
}

#[test]
fn sw111_wants_the_same_locale_on_both_or_none_on_either() {
    let locale = "    locale language=\"it\" region=\"IT\"\n";
    let failover = |new: &str| failover_with(locale, new);
    insta::assert_snapshot!("sw111-missing", shown(&failover("").text()));
    insta::assert_snapshot!(
        "sw111-region",
        shown(&failover("    locale language=\"it\" region=\"CH\"\n").text())
    );
    // One finding though both differ.
    let both = failover("    locale language=\"de\" region=\"CH\"\n");
    assert_eq!(codes(&both.text()), ["SW111"]);
    assert_eq!(codes(&Sound::new().with(locale, "").text()), NONE);
}

#[test]
fn sw112_compares_versions_as_numbers() {
    for (wms, raised) in [("3.86.0", false), ("3.86.1", true)] {
        let expected: &[&str] = if raised { &["SW112"] } else { &[] };
        assert_eq!(codes(&failover_with("3.86", wms).text()), expected, "{wms}");
    }
    let newer = failover_with("3.86", "3.100");
    assert!(shown(&newer.text()).contains("update both to WMS 3.100"));
    assert!(!codes(&newer.text()).contains(&"SW101".to_owned()));
}

#[test]
fn sw113_allows_two_hours() {
    for (every, raised) in [
        ("1s", false),
        ("2h", false),
        ("120m", false),
        ("2h1s", true),
        ("1d", true),
    ] {
        let expected: &[&str] = if raised { &["SW113"] } else { &[] };
        assert_eq!(
            spoilt("every=\"2h\"", &format!("every=\"{every}\"")),
            expected,
            "{every}"
        );
    }
    insta::assert_snapshot!("sw113-none", shown(&Sound::new().with(SYNC, "").text()));
}

#[test]
fn sw113_holds_back_while_the_sync_is_ill_formed() {
    assert_eq!(spoilt("every=\"2h\"", "every=\"sometimes\""), ["SW003"]);
}
