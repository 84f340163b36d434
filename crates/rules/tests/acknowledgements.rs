//! What an acknowledgement covers, and what it does not.

use switchover_rules::acknowledge;
use switchover_topology::{Diagnostic, Severity, load_text};

use crate::showing::{TODAY, codes_of, shown_of};

/// The document and the requirements.
const FAMILIES: &[&str] = &["SW0", "SW1"];

fn codes(text: &str) -> Vec<String> {
    codes_of(FAMILIES, text)
}

fn shown(text: &str) -> String {
    shown_of(FAMILIES, text)
}

/// A network without DHCP (SW106) whose only DNS server is the main PBX (SW105), with these lines in it.
fn voice(lines: &str) -> String {
    format!(
        r#"
        site "acme" mode="hot-standby"
        pbx "pbx1" role="main" hostname="pbx1.acme.example" address="10.20.0.10" wms="3.86" platform="hardware"
        pbx "pbx2" role="failover" hostname="pbx2.acme.example" address="10.20.0.20" wms="3.86" platform="hardware"
        wms-network {{
            member "pbx1" role="server"
            member "pbx2" role="client"
        }}
        sync from="pbx1" to="pbx2" every="2h"
        network "voice" {{
            subnet "10.20.30.0/24"
            dns "10.20.0.10"
            {lines}
        }}
        device "phone" model="WP480" mac="9c:75:14:00:01:01" network="voice"
        "#
    )
}

#[test]
fn a_finding_inside_the_node_is_accepted_and_others_are_not() {
    assert_eq!(codes(&voice("")), ["SW106", "SW105"]);
    insta::assert_snapshot!(shown(&voice(
        "acknowledge \"SW105\" reason=\"until the new resolver is there\""
    )));
}

#[test]
fn the_node_itself_is_inside() {
    assert_eq!(
        codes(&voice("acknowledge \"SW106\" reason=\"lab\"")),
        ["(SW106)", "SW105"]
    );
}

#[test]
fn the_last_day_counts_and_the_day_after_brings_the_finding_back() {
    assert_eq!(
        codes(&voice(
            "acknowledge \"SW105\" reason=\"lab\" until=\"2026-06-01\""
        )),
        ["SW106", "(SW105)"]
    );
    assert_eq!(
        codes(&voice(
            "acknowledge \"SW105\" reason=\"lab\" until=\"2026-05-31\""
        )),
        ["SW106", "SW105", "SW007"]
    );
}

#[test]
fn one_without_effect_says_why() {
    let text = voice(
        r#"
            acknowledge "SW104" reason="no such finding here"
            acknowledge "SW003" reason="never possible"
            acknowledge "SW007" reason="nor this"
            acknowledge "SW177" reason="a slip of the finger"
            acknowledge "SW666" reason="no rule at all"
            acknowledge "KEA001" reason="a plugin's, not ours to judge"
        "#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn one_in_another_node_has_no_effect() {
    let text = voice("")
        + "trunk \"t\" direction=\"incoming\" provider=\"203.0.113.10\" { register-to \"pbx1\" \"pbx2\"; acknowledge \"SW105\" reason=\"elsewhere\"; }\n";
    assert_eq!(codes(&text), ["SW106", "SW105", "SW007"]);
}

#[test]
fn one_is_not_called_idle_while_its_rule_cannot_see_everything() {
    let text = voice("acknowledge \"SW104\" reason=\"planned\"")
        + "user \"abc\" name=\"A\" pbx=\"pbx1\"\n";
    let codes = codes(&text);
    assert!(
        codes.contains(&"SW003".to_owned()) && !codes.contains(&"SW007".to_owned()),
        "{codes:?}"
    );
}

#[test]
fn findings_of_plugins_are_accepted_likewise() {
    let text = voice("acknowledge \"KEA001\" reason=\"the old server stays\"");
    let loaded = load_text("switchover.kdl", text, std::path::Path::new("."));
    let finding = |code: &str| Diagnostic {
        code: code.to_owned(),
        name: "from-a-plugin".to_owned(),
        severity: Severity::Warning,
        message: "something only a plugin knows".to_owned(),
        help: None,
        span: Some(loaded.topology.networks[0].subnet.span),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    };
    let judged = acknowledge(
        &loaded.topology,
        vec![finding("KEA001"), finding("KEA002")],
        TODAY,
    );
    let reasons: Vec<_> = judged
        .iter()
        .map(|found| found.acknowledged.as_deref())
        .collect();
    assert_eq!(reasons, [Some("the old server stays"), None]);
}

#[test]
fn one_in_defaults_counts_for_every_node_of_the_kind() {
    let defaults = |until: &str| {
        voice("")
            + &format!(
                "defaults \"network\" {{\n    acknowledge \"SW105\" reason=\"lab\"{until}\n}}\n\
                 network \"second\" {{\n    subnet \"10.20.31.0/24\"\n    dns \"10.20.0.10\"\n    dhcp \"d\"\n}}\n\
                 dhcp \"d\" {{\n    server \"dhcp1\" address=\"10.20.31.5\"\n}}\n\
                 device \"other\" model=\"WP480\" mac=\"9c:75:14:00:01:02\" network=\"second\"\n"
            )
    };
    assert_eq!(codes(&defaults("")), ["SW106", "(SW105)", "(SW105)"]);
    // Expired, it is reported once, where it is written.
    assert_eq!(
        codes(&defaults(" until=\"2026-05-31\"")),
        ["SW106", "SW105", "SW007", "SW105"]
    );
}

#[test]
fn one_in_defaults_stands_beside_that_of_a_node() {
    let text = voice("acknowledge \"SW106\" reason=\"lab\"")
        + "defaults \"network\" {\n    acknowledge \"SW105\" reason=\"lab\"\n}\n";
    assert_eq!(codes(&text), ["(SW106)", "(SW105)"]);
}

#[test]
fn known_drift_ends_with_its_last_day() {
    let target = |until: &str| {
        format!(
            "{}\ntarget \"files\" plugin=\"provisioning\" {{\n    root \"files\"\n    \
             known-drift \"file/a.cfg\" reason=\"a test\" until=\"{until}\"\n}}\n\
             provisioning \"prov\" url=\"https://prov.acme.example/\" target=\"files\"\n",
            voice("provisioning \"prov\"")
        )
    };
    let expired = |until: &str| {
        let codes = codes(&target(until));
        codes.iter().filter(|code| *code == "SW007").count()
    };
    let yesterday = TODAY.yesterday().unwrap();
    assert_eq!(expired(&TODAY.to_string()), 0);
    assert_eq!(expired(&yesterday.to_string()), 1);
    assert!(
        shown(&target(&yesterday.to_string())).contains("known drift of `file/a.cfg` expired on")
    );
}

/// The text with an acknowledgement of the code in every node.
fn accepted_everywhere(text: &str, code: &str) -> String {
    let acknowledge = format!("acknowledge \"{code}\" reason=\"lab\"");
    let lines = text.lines().map(|line| {
        let begins_node = !line.is_empty() && !line.starts_with([' ', '}', '/']);
        match line {
            _ if !begins_node => line.to_owned(),
            line if line.ends_with('{') => format!("{line}\n    {acknowledge}"),
            line if line.ends_with('}') => line.to_owned(),
            line => format!("{line} {{ {acknowledge}; }}"),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Below the oldest WMS with failover no edition is in force, and without a failover PBX there is no pair: rules that
/// then raise nothing did not judge, and an acknowledgement of theirs may be needed again tomorrow.
#[test]
fn one_is_not_called_idle_where_its_rule_could_not_judge() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut held_back = 0;
    for rule in switchover_rules::all() {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{}-bad.kdl", rule.code)))
        else {
            continue;
        };
        let text = accepted_everywhere(&text, rule.code);
        let old = text
            .replace("wms \"3.86.30011\"", "wms \"3.85\"")
            .replace("wms \"5.00\"", "wms \"3.85\"");
        let alone = text.replace("role=\"failover\"", "role=\"main\"");
        for spoilt in [old, alone] {
            let (_, found) = crate::showing::judged_whole(&spoilt);
            let raised = found.iter().any(|found| found.code == rule.code);
            let idle: Vec<&str> = found
                .iter()
                .filter(|found| found.code == "SW007")
                .map(|found| found.message.as_str())
                .filter(|message| message.contains(&format!("acknowledges {}, but", rule.code)))
                .collect();
            if !raised && rule.code != "SW007" && rule.code != "SW101" && rule.code != "SW107" {
                held_back += 1;
                assert!(idle.is_empty(), "{}: {idle:?}\n{spoilt}", rule.code);
            }
        }
    }
    assert!(held_back > 15, "{held_back}");
}

#[test]
fn one_is_not_called_idle_where_another_rule_told_the_cause() {
    let idle = |text: &str| codes_of(&["SW007"], text);
    let device = |lines: &str| {
        let device = format!("device \"other\" {lines}\n");
        voice("") + &device
    };
    for lines in [
        // The model is not known, the reference leads nowhere, a value is wrong.
        "model=\"WP48O\" mac=\"9c:75:14:00:01:02\" network=\"voice\" { acknowledge \"SW205\" reason=\"lab\"; }",
        "model=\"W04FXS\" mac=\"9c:75:14:00:01:02\" network=\"vioce\" { acknowledge \"SW502\" reason=\"lab\"; }",
        "model=\"W04FXS\" mac=\"9c:75:14:00:01:02\" { acknowledge \"SW502\" reason=\"lab\"; }",
    ] {
        assert_eq!(idle(&device(lines)), [""; 0], "{lines}");
    }
    let judged = "model=\"W04FXS\" mac=\"9c:75:14:00:01:02\" network=\"voice\" { acknowledge \"SW205\" reason=\"lab\"; }";
    assert_eq!(idle(&device(judged)), ["SW007"]);
    // Of one device that is not understood nothing follows for another.
    let beside = device(judged)
        + "device \"third\" model=\"WP48O\" mac=\"9c:75:14:00:01:03\" network=\"voice\"\n";
    assert_eq!(idle(&beside), ["SW007"]);
    // No target at all, and no failure domain.
    assert_eq!(
        idle(&voice("acknowledge \"SW503\" reason=\"lab\"")),
        [""; 0]
    );
    assert_eq!(
        idle(&voice("acknowledge \"SW410\" reason=\"lab\"")),
        [""; 0]
    );
}

#[test]
fn a_slip_in_a_code_leads_to_the_nearest() {
    for (written, meant) in [
        ("SW321", "SW312"),
        ("sw240", "SW204"),
        ("SW20", "SW201"),
        ("WS205", "SW205"),
    ] {
        let near = switchover_rules::nearest_by_code(written);
        assert_eq!(
            near.first().map(|(_, rule)| rule.code),
            Some(meant),
            "{written}"
        );
    }
    assert!(switchover_rules::nearest_by_code("PROV003").is_empty());
}
