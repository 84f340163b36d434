//! What was done to a site stays written down, and nobody changes it unnoticed.

use serde_json::{Value, json};

use crate::environment::assert_no_secret;
use crate::plan_and_apply::{GOOD, site};
use crate::schemas::{assert_describes_all, schema};

fn log(test: &crate::environment::TestEnvironment) -> Value {
    let output = test.run(["audit", "--format", "json"]);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

/// Who the system says that runs this, as a record begins.
fn user() -> String {
    let output = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap();
    let name = String::from_utf8(output.stdout).unwrap();
    format!("{}@", name.trim())
}

#[test]
fn an_apply_and_a_failed_one_are_recorded() {
    let mut test = site();
    // Anybody can set these.
    for name in ["USER", "LOGNAME"] {
        test.set(name, "nobody-of-this-name");
    }
    assert_eq!(log(&test)["records"], json!([]));
    assert!(
        !test.work().join(".switchover").exists(),
        "looking creates nothing"
    );

    let kept = test.run(["plan", "--out", "plan.json", "--format", "json"]);
    let plan: Value = serde_json::from_str(&kept.stdout).unwrap();
    assert_eq!(test.run(["apply", "plan.json", "--yes"]).code, Some(0));
    assert_eq!(test.run(["apply", "--yes"]).stdout, "no changes\n");
    let trail = log(&test);
    assert_describes_all(
        &schema("audit.schema.json"),
        &trail,
        &[],
        &["plugins", "targets"],
    );
    let records = trail["records"].as_array().unwrap();
    // One when it began, one at its end; the empty plan did nothing.
    assert_eq!(records.len(), 2, "{trail:#}");
    assert!(
        records[0]["who"].as_str().unwrap().starts_with(&user()),
        "{trail:#}"
    );
    let begun = &records[0]["happening"]["begun"];
    assert_eq!(begun["operation"], "apply");
    assert_eq!(begun["plan"], plan["digest"]);
    assert_eq!(begun["topology"], plan["topology"]["sha256"]);
    assert_eq!(begun["plugins"].as_object().unwrap().len(), 2);
    let ended = &records[1]["happening"]["ended"];
    assert_eq!(
        (&ended["result"], &ended["generation"]),
        (&json!("applied"), &json!(1))
    );
    assert!(!ended["steps"].as_array().unwrap().is_empty(), "{trail:#}");

    // The kept plan is stale now; that it was tried is recorded, too.
    assert_eq!(test.run(["apply", "plan.json", "--yes"]).code, Some(9));
    let trail = log(&test);
    let last = &trail["records"][3]["happening"]["ended"];
    assert_eq!(
        (&last["result"], &last["begun"]),
        (&json!("refused"), &json!(3))
    );
    assert!(
        last["error"].as_str().unwrap().contains("generation"),
        "{trail:#}"
    );

    let shown = test.run(["audit", "--verify"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("apply of acme-hq begun"), "{shown}");
    let state = test.work().join(".switchover");
    assert_no_secret(&["s3cr3t-of-reception"], &[&shown.everything()], &state);
}

#[test]
fn whoever_changes_the_log_is_noticed() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    test.write(
        "switchover.kdl",
        &GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09"),
    );
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    assert_eq!(log(&test)["broken"], Value::Null);

    // The last apply shall never have been.
    let path = test.work().join(".switchover/audit");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(&path, lines[..lines.len() - 2].concat()).unwrap();
    let verified = test.run(["audit", "--verify"]);
    assert_eq!(verified.code, Some(1), "{verified}");
    assert!(
        verified.stderr.contains("switchover::audit::broken"),
        "{verified}"
    );
    assert!(
        verified.stderr.contains("the last ones were removed"),
        "{verified}"
    );
    assert_eq!(test.run(["audit"]).code, Some(0));
    assert!(log(&test)["broken"].is_string());
}
