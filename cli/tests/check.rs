//! Everything that is kept of a site is read, and what of it is damaged is named with its way out.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::environment::{Output, TestEnvironment, files_below};
use crate::plan_and_apply::{GOOD, site};
use crate::schemas::{assert_describes_all, assert_fits, schema};

const STATE: &str = ".switchover";

/// A site with three generations.
fn three() -> TestEnvironment {
    let test = site();
    for mac in ["02", "03", "04"] {
        let mac = format!("9c:75:14:00:01:{mac}");
        test.write("switchover.kdl", &GOOD.replace("9c:75:14:00:01:02", &mac));
        let applied = test.run(["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}");
    }
    test
}

fn kept(test: &TestEnvironment, name: &str) -> PathBuf {
    test.work().join(STATE).join(name)
}

fn checked(test: &TestEnvironment) -> (Output, Value) {
    let output = test.run(["generations", "check", "--format", "json"]);
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_fits(&schema("generations-check.schema.json"), &document);
    (output, document)
}

fn generation(test: &TestEnvironment, number: u64) -> Value {
    let number = number.to_string();
    let shown = test.run(["generations", "show", &number, "--format", "json"]);
    serde_json::from_str(&shown.stdout).unwrap()
}

/// The content that a target of a generation had.
fn content(test: &TestEnvironment, number: u64) -> PathBuf {
    let shown = generation(test, number);
    let targets = shown["generation"]["targets"].as_object().unwrap();
    let name = targets.values().find_map(|of| of["contents"].as_str());
    kept(test, "blobs").join(name.unwrap())
}

#[test]
fn what_is_whole_passes() {
    let test = three();
    let whole = test.run(["generations", "check"]);
    assert_eq!(whole.code, Some(0), "{whole}");
    assert_eq!(whole.stderr, "", "{whole}");
    let contents = files_below(&kept(&test, "blobs")).len();
    let says = format!(
        "3 generations, {contents} contents and 6 records of the audit log read: nothing is damaged\n"
    );
    assert_eq!(whole.stdout, says, "{whole}");
    let (_, document) = checked(&test);
    assert_eq!(document["damage"], json!([]));
    assert_eq!(document["contents"], contents);
    assert_eq!(document["unneeded"], 0);

    let nothing = site().run(["generations", "check"]);
    assert_eq!(nothing.code, Some(0), "{nothing}");
    assert!(nothing.stdout.starts_with("0 generations, "), "{nothing}");
}

/// Each byte of everything that is kept counts: whichever file changes is named.
#[test]
fn whatever_is_changed_or_gone_is_named() {
    let test = three();
    let mut files = files_below(&kept(&test, "generations"));
    files.extend(files_below(&kept(&test, "blobs")));
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        let whole = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for damaged in [Some(changed), Some(Vec::new()), None] {
            // A generation that is gone is none that can be missed: the numbers go on without it.
            if damaged.is_none() && name.ends_with(".json") {
                continue;
            }
            match &damaged {
                Some(bytes) => fs::write(&file, bytes).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let (output, document) = checked(&test);
            assert_eq!(output.code, Some(1), "{name}: {output}");
            let places = document["damage"].as_array().unwrap().iter();
            let places: Vec<&str> = places.filter_map(|of| of["place"].as_str()).collect();
            assert!(
                places.iter().any(|place| place.ends_with(name)),
                "{name}: {document:#}"
            );
        }
        fs::write(&file, whole).unwrap();
    }
    assert_eq!(checked(&test).0.code, Some(0));
}

#[test]
fn a_damage_is_told_with_who_needs_it_and_what_to_do() {
    let test = three();
    let content = content(&test, 2);
    fs::remove_file(&content).unwrap();
    let damaged = test.run(["generations", "check"]);
    assert_eq!(damaged.code, Some(1), "{damaged}");
    assert!(damaged.stdout.ends_with(": 1 damage\n"), "{damaged}");
    for says in ["switchover::state::blob", "it is gone", "from a backup"] {
        assert!(damaged.stderr.contains(says), "{damaged}");
    }
    // Each is told of by itself.
    let shown = generation(&test, 1);
    let sources = shown["generation"]["sources"].as_str().unwrap();
    fs::write(kept(&test, "blobs").join(sources), "{}").unwrap();
    let (_, document) = checked(&test);
    assert_eq!(document["damage"].as_array().unwrap().len(), 2);
    let schema = schema("generations-check.schema.json");
    assert_describes_all(&schema, &document, &[], &[]);
    for number in [1, 2] {
        let mut all = document["damage"].as_array().unwrap().iter();
        assert!(
            all.any(|of| of["generations"] == json!([number])),
            "{document:#}"
        );
    }
    let markdown = test.run(["generations", "check", "--format", "markdown"]);
    assert_eq!(markdown.code, Some(1), "{markdown}");
    assert!(
        markdown.stdout.contains("**\n\n- failed to read "),
        "{markdown}"
    );
}

/// A generation that was put in the place of another one is whole in itself, and not the one that the next was made after.
#[test]
fn a_generation_in_the_place_of_another_is_found() {
    let test = three();
    let (first, other) = (kept(&test, "generations/000001.json"), three());
    fs::copy(kept(&other, "generations/000001.json"), &first).unwrap();
    let (output, document) = checked(&test);
    assert_eq!(output.code, Some(1), "{output}");
    let told = document["damage"][0]["error"]["message"].as_str().unwrap();
    assert!(told.contains("not made after generation 1"), "{told}");
    assert_eq!(document["damage"][0]["generations"], json!([2]));
}

#[test]
fn everything_beside_generations_is_read_too() {
    let test = three();
    for (name, code) in [
        ("lease.json", "switchover::state::lease"),
        ("audit", "switchover::"),
    ] {
        let path = kept(&test, name);
        let whole = fs::read(&path).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        fs::write(&path, text.replacen("\"", "'", 3)).unwrap();
        let damaged = test.run(["generations", "check"]);
        assert_eq!(damaged.code, Some(1), "{name}: {damaged}");
        assert!(damaged.stderr.contains(code), "{name}: {damaged}");
        fs::write(&path, whole).unwrap();
    }
    let (_, document) = checked(&test);
    assert_eq!(document["damage"], json!([]), "{document:#}");
}

/// What is no longer needed is no damage, and `gc` removes it.
#[test]
fn what_nobody_needs_is_counted() {
    let test = three();
    fs::remove_file(kept(&test, "generations/000001.json")).unwrap();
    let (output, document) = checked(&test);
    assert_eq!(output.code, Some(0), "{output}");
    assert_ne!(document["unneeded"], 0);
    assert_eq!(test.run(["gc"]).code, Some(0));
    assert_eq!(checked(&test).1["unneeded"], 0);
}
