use serde_json::json;

use super::*;
use crate::plan::{
    Action, Change, Content, Line, Owned, PluginRef, Procedure, Reason, TargetPlan, TopologyRef,
    Undo, Wave,
};

fn plan(resources: usize) -> Plan {
    let change = |at: usize| Change {
        address: format!("thing/{at}"),
        kind: "thing".to_owned(),
        action: Action::Create,
        reason: Reason::Wanted,
        before: None,
        after: Some(Content::Object(
            json!({ "name": format!("ü-{at}"), "value": at }),
        )),
        before_line: None,
        after_line: Some(Line {
            columns: vec![format!("thing ü-{at}"), at.to_string()],
            more: Vec::new(),
        }),
    };
    let owned = |at: usize| {
        let owned = Owned {
            sha256: "00".repeat(32),
            adopted: false,
            secret: false,
        };
        (format!("thing/{at}"), owned)
    };
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        site: "acme".to_owned(),
        created: jiff::Timestamp::UNIX_EPOCH,
        expires: jiff::Timestamp::MAX,
        topology: TopologyRef {
            path: "switchover.kdl".to_owned(),
            sha256: "11".repeat(32),
        },
        generation: Some(7),
        left_out: Vec::new(),
        large: Vec::new(),
        rejected: None,
        rolled_back_to: None,
        targets: vec![TargetPlan {
            name: "a".to_owned(),
            plugin: PluginRef {
                name: "kea".to_owned(),
                version: "0.1.0".to_owned(),
                sha256: "22".repeat(32),
            },
            wave: Wave::Dhcp,
            observed: "33".repeat(32),
            changes: (0..resources).map(change).collect(),
            unchanged: 0,
            foreign: Vec::new(),
            known_drift: Vec::new(),
            resources: (0..resources).map(owned).collect(),
            undo: Undo::Native,
            procedure: Procedure::default(),
        }],
    }
}

#[test]
fn what_is_written_is_read() {
    let file = PlanFile::of(&plan(3)).unwrap();
    let (read, digest) = PlanFile::read(file.text.as_bytes()).unwrap();
    assert_eq!((read, digest), (plan(3), file.digest.clone()));
    let line = format!("  \"digest\": \"{}\",", file.digest);
    assert_eq!(file.text.lines().nth(2), Some(line.as_str()));
    assert_eq!(file.digest.to_string().parse(), Ok(file.digest));
}

#[test]
fn a_plan_whose_plugins_say_nothing_has_no_lines() {
    let mut silent = plan(2);
    for change in &mut silent.targets[0].changes {
        change.after_line = None;
    }
    let file = PlanFile::of(&silent).unwrap();
    assert!(!file.text.contains("_line"), "{}", file.text);
    assert_eq!(PlanFile::read(file.text.as_bytes()).unwrap().0, silent);
}

/// Everything that can happen to one byte: another value by any single bit, gone, doubled.
fn assert_refused_at(text: &[u8], at: usize) {
    for bit in 0..8 {
        let mut changed = text.to_vec();
        changed[at] ^= 1 << bit;
        assert!(PlanFile::read(&changed).is_err(), "bit {bit} of byte {at}");
    }
    let mut shorter = text.to_vec();
    shorter.remove(at);
    assert!(PlanFile::read(&shorter).is_err(), "without byte {at}");
    let mut longer = text.to_vec();
    longer.insert(at, text[at]);
    assert!(PlanFile::read(&longer).is_err(), "byte {at} twice");
    assert!(PlanFile::read(&text[..at]).is_err(), "cut at byte {at}");
}

#[test]
fn a_small_plan_is_refused_with_any_byte_changed() {
    let file = PlanFile::of(&plan(1)).unwrap();
    for at in 0..file.text.len() {
        assert_refused_at(file.text.as_bytes(), at);
    }
    let longer = [file.text.as_bytes(), b" "].concat();
    assert!(PlanFile::read(&longer).is_err());
}

#[test]
fn a_big_plan_is_refused_with_a_byte_changed_anywhere() {
    let file = PlanFile::of(&plan(2_000)).unwrap();
    let length = file.text.len();
    assert!(length > 500_000, "{length}");
    for at in (0..length).step_by(length / 23).chain([length - 1]) {
        assert_refused_at(file.text.as_bytes(), at);
    }
}

#[test]
fn why_it_is_refused_is_told() {
    let text = PlanFile::of(&plan(1)).unwrap().text;
    let told = |text: &str| PlanFile::read(text.as_bytes()).unwrap_err().to_string();

    let edited = told(&text.replace("acme", "acne"));
    assert!(
        edited.starts_with(
            "failed to read the plan: it changed since it was written: it names itself sha256:"
        ),
        "{edited}"
    );
    let laid_out_anew: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        told(&laid_out_anew.to_string()),
        "failed to read the plan: it changed since it was written"
    );
    let digits = text.find("sha256:").unwrap() + "sha256:".len();
    let other_case = format!("{}{}", &text[..digits], text[digits..].to_uppercase());
    assert!(
        told(&other_case).contains("it changed since"),
        "{other_case}"
    );
    assert_eq!(
        told("{\"format_version\": \"1.0\", \"site\": \"acme\"}"),
        "failed to read the plan: format 1.0 is not known to this version"
    );
    assert_eq!(
        told("{}"),
        "failed to read the plan: it is damaged or not a plan"
    );
    assert_eq!(
        told(""),
        "failed to read the plan: it is damaged or not a plan"
    );

    // Whoever makes the digest fit has made a plan of their own, which still has to be one.
    let head = head();
    let rest = "\",\n  \"surprise\": 1\n}\n";
    let digest = PlanDigest::of(head.as_bytes(), rest.as_bytes());
    let own = format!("{head}{}{rest}", digest.0);
    assert_eq!(
        told(&own),
        "failed to read the plan: it is damaged or not a plan"
    );
}

#[test]
fn a_damaged_beginning_is_still_no_topology() {
    let text = PlanFile::of(&plan(1)).unwrap().text;
    let beginning = &text.as_bytes()[..200];
    for at in 0..beginning.len() {
        let mut changed = beginning.to_vec();
        changed[at] = b'#';
        assert!(looks_like_a_plan(&changed), "byte {at}");
    }
    assert!(!looks_like_a_plan(
        b"// a pair\nsite \"acme\" mode=\"failover\"\n"
    ));
    assert!(!looks_like_a_plan(b""));
}

#[test]
fn what_is_no_digest() {
    for text in [
        "",
        "sha256:",
        "00",
        &format!("sha512:{}", "0".repeat(64)),
        &format!("sha256:{}g", "0".repeat(63)),
    ] {
        assert_eq!(text.parse::<PlanDigest>(), Err(NoDigest), "{text:?}");
    }
    let upper = format!("sha256:{}", "AB".repeat(32));
    assert_eq!(
        upper.parse::<PlanDigest>().unwrap().to_string(),
        upper.to_lowercase().replace("SHA256", "sha256")
    );
}
