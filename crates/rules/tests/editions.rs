//! Which edition of the guide is in force for a WMS version, seen from every rule: the weight of its finding there.

use std::fs;
use std::path::Path;

use switchover_rules::all;
use switchover_topology::Severity;

use crate::showing::{codes_of, judged, judged_whole};
use crate::sound::Sound;

/// Both editions, from end to end, and past the newest.
const VERSIONS: [&str; 7] = [
    "3.86.30011",
    "3.87.1200",
    "3.88.41912.34",
    "4.02.1",
    "5.01",
    "6.07",
    "7.08",
];

/// A topology that breaks the rule, with its PBXs on this version.
fn breaking(code: &str, wms: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{code}-bad.kdl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{code}: {error}"));
    let lines = text
        .lines()
        .map(|line| match line.trim().strip_prefix("wms \"") {
            // What breaks this rule is itself a version.
            Some("3.85.9999\"") => line.to_owned(),
            Some(written) if written.ends_with("12\"") && code == "SW112" => {
                format!("    wms \"{wms}.1\"")
            }
            Some(_) => format!("    wms \"{wms}\""),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// The heaviest finding of the rule.
fn weight(code: &str, text: &str) -> &'static str {
    let (_, found) = judged_whole(text);
    let of_rule = found.iter().filter(|found| found.code == code);
    match of_rule.map(|found| found.severity).min() {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Note) => "note",
        None => "–",
    }
}

fn row(table: &mut String, title: &str, cells: impl Iterator<Item = String>) {
    *table += &format!("{title:34}");
    for cell in cells {
        *table += &format!(" {cell:>13}");
    }
    table.push('\n');
}

#[test]
fn every_rule_on_every_edition() {
    let mut table = String::new();
    row(&mut table, "", VERSIONS.map(str::to_owned).into_iter());
    for rule in all() {
        // The document itself, and services that no edition speaks of, are the same on all versions.
        // Neither is what two sites must not both have, which one topology does not show.
        if rule.code.starts_with("SW0") || rule.code.starts_with("SW6") {
            continue;
        }
        let title = format!("{} {}", rule.code, rule.name);
        let title: String = title.chars().take(34).collect();
        let cells = VERSIONS.map(|wms| weight(rule.code, &breaking(rule.code, wms)).to_owned());
        row(&mut table, &title, cells.into_iter());
    }
    insta::assert_snapshot!(table);
}

fn site_with(wms: [&str; 2], device: &str) -> String {
    let mut sound = Sound::new().with(
        "mode=\"hot-standby\"\n",
        "mode=\"hot-standby\" { objective switch=\"10m\" return=\"10m\"; }\n",
    );
    let Some((main, failover)) = sound.pbxs.split_once("pbx \"pbx2\"") else {
        panic!("no second PBX");
    };
    sound.pbxs = format!(
        "{}pbx \"pbx2\"{}",
        main.replace("3.86", wms[0]),
        failover.replace("3.86", wms[1])
    );
    sound.devices = format!("device \"it\" mac=\"9c:75:14:00:00:01\" network=\"voice\" {device}\n");
    sound.text()
}

#[test]
fn every_kind_of_device_on_every_edition() {
    let devices = [
        "model=\"W-AIR\"",
        "model=\"iOS\"",
        "model=\"Android\"",
        "model=\"Collaboration app\"",
        "model=\"W0XPRI\"",
        "model=\"W0XPRI\" transport=\"tls\"",
        "model=\"W02FXSR2\" port=5061",
        "model=\"WP600A\" firmware=\"2.8.21\"",
        "model=\"WP480\" year=2017",
        "model=\"WP480\" year=2017 transport=\"tls\"",
        "model=\"WP490R3\"",
        "model=\"START\"",
        "model=\"START\" transport=\"tcp\"",
        "model=\"Vision\"",
    ];
    let mut table = String::new();
    row(&mut table, "", VERSIONS.map(str::to_owned).into_iter());
    for device in devices {
        let cells = VERSIONS.map(|wms| {
            let (_, mut found) = judged(&site_with([wms, wms], device));
            found.retain(|found| found.code.starts_with("SW2"));
            let cell = found.iter().map(|found| {
                let mark = match found.severity {
                    Severity::Error => "!",
                    Severity::Warning | Severity::Note => "",
                };
                format!("{}{mark}", found.code.trim_start_matches("SW"))
            });
            match cell.collect::<Vec<_>>().join(" ") {
                none if none.is_empty() => "–".to_owned(),
                some => some,
            }
        });
        let title = device.replace("model=", "").replace('"', "");
        row(&mut table, &title, cells.into_iter());
    }
    insta::assert_snapshot!(table);
}

/// Both PBXs serve every device: what one of the versions does not have is found, whichever PBX runs it.
#[test]
fn a_device_is_judged_by_the_versions_of_both_pbxs() {
    let of = |wms, device: &str| codes_of(&["SW2"], &site_with(wms, device));
    for wms in [["4.02.1", "3.88"], ["3.88", "4.02.1"]] {
        assert_eq!(of(wms, "model=\"W0XPRI\" transport=\"tls\""), ["SW204"]);
        assert_eq!(of(wms, "model=\"START\""), ["SW210"]);
    }
    for wms in [["5.01", "4.02.1"], ["4.02.1", "5.01"]] {
        assert_eq!(of(wms, "model=\"Android\""), ["SW203"]);
        assert_eq!(of(wms, "model=\"WP600A\""), ["SW210"]);
        // The edition in force for one of them states it.
        let (_, found) = judged(&site_with(wms, "model=\"W-AIR\""));
        let found = found.iter().find(|found| found.code == "SW201").unwrap();
        assert!(!found.message.contains("not repeated"), "{}", found.message);
        assert_eq!(found.severity, Severity::Error);
    }
}

#[test]
fn the_newest_guide_is_one_note_for_the_site() {
    let newer = |wms| codes_of(&["SW114"], &site_with(wms, "model=\"START\""));
    assert_eq!(newer(["7.08", "7.01"]), ["SW114"]);
    assert_eq!(newer(["6.07", "7.01"]), ["SW114"]);
    assert_eq!(newer(["6.07", "5.10"]), [""; 0]);
    let accepted = site_with(["7.08", "7.08"], "model=\"START\"").replace(
        "objective switch",
        "acknowledge \"SW114\" reason=\"rehearsed on 2026-05-02\"; objective switch",
    );
    assert_eq!(codes_of(&["SW114", "SW007"], &accepted), ["(SW114)"]);
}
