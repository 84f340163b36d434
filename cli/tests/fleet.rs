//! Many sites in one run.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::{TestEnvironment, assert_no_secret};
use crate::plan_and_apply::GOOD;
use crate::schemas::{assert_fits, schema};

const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");
const SECRET: &str = "s3cr3t-of-reception";

/// A folder for each site, with a topology and the folders that it writes to.
pub(crate) fn fleet(names: &[&str]) -> TestEnvironment {
    let mut test = TestEnvironment::new();
    test.set("RECEPTION_SIP", SECRET);
    for name in names {
        add(&test, name);
    }
    test
}

fn add(test: &TestEnvironment, name: &str) {
    let topology = GOOD.replace("\"acme-hq\"", &format!("\"acme-{name}\""));
    assert_ne!(topology, GOOD);
    test.write(&format!("sites/{name}/switchover.kdl"), &topology);
    for folder in ["dnsmasq.d", "provisioning"] {
        std::fs::create_dir(test.work().join("sites").join(name).join(folder)).unwrap();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Files and results of all sites.
fn results(document: &Value) -> Vec<(&str, &str, u64)> {
    let sites = document["sites"].as_array().unwrap().iter();
    sites
        .map(|site| {
            (
                site["file"].as_str().unwrap(),
                site["result"].as_str().unwrap(),
                site["exit_code"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// Times are not the same every time.
fn timeless(text: &str) -> String {
    let mut timeless = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let shown: Vec<&str> = words
            .iter()
            .enumerate()
            .map(|(at, word)| {
                let is_time = words.get(at + 1) == Some(&"s") && word.parse::<f64>().is_ok();
                if is_time { "0.0" } else { word }
            })
            .collect();
        timeless += &shown.join(" ");
        timeless.push('\n');
    }
    timeless
}

#[test]
fn each_site_is_planned_whatever_becomes_of_the_others() {
    let test = fleet(&["berlin", "rome"]);
    test.write("sites/oslo/switchover.kdl", TEN_MISTAKES);
    let planned = test.run(["plan", "sites", "--full"]);
    assert_eq!(planned.code, Some(3), "{planned}");
    for site in ["acme-berlin", "acme-rome"] {
        assert!(
            planned.stdout.contains(&format!("── {site} ──\n")),
            "{planned}"
        );
    }
    assert!(planned.stderr.contains("SW101"), "{planned}");
    let table = planned.stdout.rfind("site ").unwrap();
    assert_snapshot!(timeless(&planned.stdout[table..]));
    let detailed = test.run(["plan", "sites/berlin", "sites/rome", "--detailed-exitcode"]);
    assert_eq!(detailed.code, Some(4), "{detailed}");
}

#[test]
fn all_are_applied_and_then_as_wanted() {
    let test = fleet(&["berlin", "rome"]);
    // Where a folder should be is a file: this one cannot be applied.
    add(&test, "oslo");
    let folder = test.work().join("sites/oslo/dnsmasq.d");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();

    let applied = test.run(["apply", "sites", "--yes", "--format", "json"]);
    let document = json(&applied.stdout);
    assert_fits(&schema("fleet.schema.json"), &document);
    assert_eq!(applied.code, Some(1), "{applied}");
    assert_eq!(
        results(&document),
        [
            ("sites/berlin/switchover.kdl", "applied", 0),
            ("sites/oslo/switchover.kdl", "failed", 1),
            ("sites/rome/switchover.kdl", "applied", 0),
        ]
    );
    assert_eq!(document["sites"][0]["report"]["generation"], 1);
    assert!(
        document["sites"][1]["error"]["help"].is_string(),
        "{document:#}"
    );
    assert_no_secret(
        &[SECRET],
        &[&applied.everything()],
        &test.work().join("sites/berlin/.switchover"),
    );

    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let repaired = test.run(["apply", "sites", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    let table = repaired.stdout.rfind("site ").unwrap();
    assert_snapshot!(timeless(&repaired.stdout[table..]));

    let provisioned = test.work().join("sites/rome/provisioning");
    let path = std::fs::read_dir(&provisioned).unwrap().next().unwrap();
    let path = path.unwrap().path();
    {
        let kept = std::fs::read(&path).unwrap();
        std::fs::write(&path, "changed by hand\n").unwrap();
        let drift = test.run(["drift", "sites", "--format", "json"]);
        assert_eq!(drift.code, Some(5), "{drift}");
        let drift = json(&drift.stdout);
        assert_fits(&schema("fleet.schema.json"), &drift);
        assert_eq!(drift["summary"]["drifted"], 1, "{drift:#}");
        let codes: Vec<u64> = results(&drift).iter().map(|(_, _, code)| *code).collect();
        assert_eq!(codes, [0, 0, 5]);
        std::fs::write(&path, kept).unwrap();
    }

    let again = json(&test.run(["plan", "sites", "--format", "json"]).stdout);
    assert_fits(&schema("fleet.schema.json"), &again);
    assert_eq!(again["summary"]["results"], json(r#"{"unchanged":3}"#));
    assert_fits(&schema("plan.schema.json"), &again["sites"][0]["report"]);
}

#[test]
fn findings_of_all_sites_are_in_one_report() {
    let test = fleet(&["berlin"]);
    for name in ["oslo", "turin"] {
        let text = TEN_MISTAKES.replace("\"acme", &format!("\"{name}"));
        test.write(&format!("sites/{name}/switchover.kdl"), &text);
    }
    let document = test.run(["validate", "sites", "--format", "json"]);
    assert_eq!(document.code, Some(3));
    let document = json(&document.stdout);
    assert_fits(&schema("fleet.schema.json"), &document);
    let found = &document["sites"][1]["report"];
    assert_fits(&schema("findings.schema.json"), found);
    let expected = 2 * found["diagnostics"].as_array().unwrap().len();

    let sarif = test.run(["validate", "sites/oslo", "sites/turin", "--format", "sarif"]);
    assert_eq!(sarif.code, Some(3));
    let sarif = json(&sarif.stdout);
    let found = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(found.len(), expected);
    let files: BTreeSet<&str> = found
        .iter()
        .map(|finding| {
            let place = &finding["locations"][0]["physicalLocation"];
            place["artifactLocation"]["uri"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        files,
        ["sites/oslo/switchover.kdl", "sites/turin/switchover.kdl"].into()
    );
    assert_eq!(test.run(["validate", "sites", "--exit-zero"]).code, Some(0));
}

#[test]
fn sites_that_are_not_apart_are_refused() {
    let test = fleet(&["berlin", "rome"]);
    add(&test, "same-name");
    test.write(
        "sites/same-name/switchover.kdl",
        &GOOD.replace("acme-hq", "acme-rome"),
    );
    add(&test, "same-state");
    let shared = GOOD.replace(
        "site \"acme-hq\" mode=\"hot-standby\" {",
        "site \"acme-other\" mode=\"hot-standby\" {\n    state \"../berlin/x/../.switchover\"",
    );
    test.write("sites/same-state/switchover.kdl", &shared);
    let applied = test.run(["apply", "sites", "--yes", "--format", "json"]);
    assert_eq!(applied.code, Some(1), "{applied}");
    let document = json(&applied.stdout);
    let results: Vec<&str> = results(&document)
        .iter()
        .map(|(_, result, _)| *result)
        .collect();
    assert_eq!(results, ["applied", "applied", "failed", "failed"]);
    let code = |at: usize| document["sites"][at]["error"]["code"].as_str().unwrap();
    assert_eq!(code(2), "switchover::sites::same_name");
    assert_eq!(code(3), "switchover::sites::same_state");
    assert!(!test.work().join("sites/same-name/.switchover").exists());
}

#[test]
fn what_is_a_site_and_what_is_not() {
    let test = fleet(&["berlin"]);
    std::fs::create_dir(test.work().join(".git")).unwrap();
    test.write(".gitignore", "/sites/ignored/\n");
    for folder in ["sites/ignored", "sites/.hidden", "sites/berlin/.switchover"] {
        test.write(&format!("{folder}/switchover.kdl"), "nonsense\n");
    }
    test.write("sites/base.kdl", "nonsense\n");
    let found = json(&test.run(["validate", ".", "--format", "json"]).stdout);
    assert_eq!(
        results(&found),
        [("sites/berlin/switchover.kdl", "passed", 0)]
    );
    // Named twice, it is one site.
    let twice = test.run([
        "validate",
        "sites",
        "sites/berlin/switchover.kdl",
        "--format",
        "json",
    ]);
    assert_eq!(results(&json(&twice.stdout)).len(), 1);

    std::fs::create_dir(test.work().join("empty")).unwrap();
    assert_snapshot!(test.run(["plan", "empty"]));
    test.write("plan.json", "{}");
    assert_snapshot!(test.run(["plan", "sites", "--out", "plan.json"]));
    assert_eq!(test.run(["plan", "-", "sites"]).code, Some(2));
    assert_eq!(test.run(["plan", "sites", "--shard", "4/3"]).code, Some(2));
    assert_eq!(
        test.run(["apply", "sites", "--yes", "--digest", &"0".repeat(64)])
            .code,
        Some(2)
    );
    // One that is not there does not keep the others from being planned.
    let missing = test.run(["plan", "sites", "missing.kdl", "--format", "json"]);
    assert_eq!(missing.code, Some(1));
    let missing = json(&missing.stdout);
    let missing: Vec<&str> = results(&missing)
        .iter()
        .map(|(_, result, _)| *result)
        .collect();
    assert_eq!(missing, ["failed", "changes"]);
}

#[test]
fn shards_share_a_fleet_and_keep_their_sites() {
    let test = TestEnvironment::new();
    for number in 0..20 {
        let name = format!("sites/{number:02}/switchover.kdl");
        test.write(
            &name,
            &format!("site \"acme-{number}\" mode=\"hot-standby\"\n"),
        );
    }
    let shard = |top: &str, shard: &str| -> BTreeSet<String> {
        let arguments = ["validate", top, "--shard", shard, "--format", "json"];
        let document = json(&test.run(arguments).stdout);
        let files = results(&document);
        files.iter().map(|(file, ..)| (*file).to_owned()).collect()
    };
    let parts = ["1/3", "2/3", "3/3"].map(|part| shard("sites", part));
    assert!(parts.iter().all(|part| !part.is_empty()), "{parts:?}");
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), 20);
    assert_eq!(parts.iter().flatten().collect::<BTreeSet<_>>().len(), 20);
    let here = shard("./sites/", "1/3");
    assert_eq!(here.len(), parts[0].len());
    test.write(
        "sites/20/switchover.kdl",
        "site \"acme-20\" mode=\"hot-standby\"\n",
    );
    let more = ["1/3", "2/3", "3/3"].map(|part| shard("sites", part));
    for (before, after) in parts.iter().zip(&more) {
        assert!(before.is_subset(after), "{before:?}\n{after:?}");
    }
}

#[test]
fn a_log_of_json_tells_all_and_no_secret() {
    let test = fleet(&["berlin", "rome"]);
    test.write("sites/oslo/switchover.kdl", TEN_MISTAKES);
    let applied = test.run(["apply", "sites", "--yes", "-vv", "--log-format", "json"]);
    assert_eq!(applied.code, Some(3), "{applied}");
    assert_no_secret(
        &[SECRET],
        &[&applied.stderr],
        &test.work().join("sites/berlin/.switchover"),
    );
    let lines: Vec<Value> = applied.stderr.lines().map(json).collect();
    let schema = schema("log.schema.json");
    for line in &lines {
        assert!(schema.is_valid(line), "{line}");
    }
    let of = |event: &str, site: &str| {
        lines
            .iter()
            .filter(|line| line["event"] == event && line["site"] == site)
            .count()
    };
    for site in ["sites/berlin/switchover.kdl", "sites/rome/switchover.kdl"] {
        // Once planned, once applied.
        assert_eq!((of("site-begun", site), of("site-ended", site)), (2, 2));
        assert_eq!(of("generation", site), 1);
        assert!(of("file-written", site) > 1 && of("secret", site) > 0);
    }
    assert!(of("finding", "sites/oslo/switchover.kdl") > 5);
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"ended".into(), &3.into())
    );

    // One site alone, and an error.
    let alone = test.run(["plan", "missing.kdl", "--log-format", "json"]);
    let lines: Vec<Value> = alone.stderr.lines().map(json).collect();
    assert!(lines.iter().all(|line| schema.is_valid(line)), "{alone}");
    assert_eq!(lines[0]["code"], "switchover::topology::not_found");
    assert_eq!(lines.len(), 2);
    let quiet = test.run([
        "plan",
        "sites/berlin/switchover.kdl",
        "-q",
        "--log-format",
        "json",
    ]);
    assert_eq!(
        (quiet.code, quiet.stderr.as_str()),
        (Some(0), ""),
        "{quiet}"
    );
}

/// Sites over one base that has two mistakes; each site has one of its own besides.
fn over_a_base(sites: usize) -> TestEnvironment {
    let test = TestEnvironment::new();
    let base = include_str!("../../examples/fleet/base.kdl")
        .replace("vlan 130", "vlan 5000")
        .replace("every=\"2h\"", "every=\"4h\"");
    test.write("base.kdl", &base);
    for number in 1..=sites {
        let text = format!(
            "extends \"base.kdl\" octet={number} city=\"c{number}\"\n\
             user \"101\" name=\"R\"\n\
             device \"reception\" mac=\"9c:75:14:47:01:{number:02x}\" user=\"10{number}\"\n"
        );
        test.write(&format!("site-{number:02}.kdl"), &text);
    }
    test
}

fn of_sites<'a>(command: &[&'a str], sites: &'a [String]) -> Vec<&'a str> {
    let sites = sites.iter().map(String::as_str);
    command.iter().copied().chain(sites).collect()
}

#[test]
fn a_mistake_in_a_base_is_told_once() {
    let mut test = over_a_base(9);
    let sites: Vec<String> = (1..=9)
        .map(|number| format!("site-{number:02}.kdl"))
        .collect();
    let shown = test.run(of_sites(&["validate"], &sites));
    assert_eq!(shown.code, Some(3));
    assert_eq!(shown.stderr, "", "{shown}");
    let table = shown.stdout.rfind("site ").unwrap();
    assert_snapshot!(&shown.stdout[..table]);
    // The same where they are beside what was asked for.
    let planned = test.run(of_sites(&["plan"], &sites));
    assert_eq!(
        planned.stderr.matches("SW003 bad-value").count(),
        1,
        "{planned}"
    );
    assert!(
        planned.stderr.contains("at 9 sites: acme-c1, "),
        "{planned}"
    );
    let applied = test.run(of_sites(&["apply", "--yes"], &sites));
    assert_eq!(
        applied.stderr.matches("SW003 bad-value").count(),
        1,
        "{applied}"
    );
    let comment = test.run(of_sites(&["validate", "--format", "markdown"], &sites));
    assert_eq!(
        comment.stdout.matches("SW003 bad-value").count(),
        1,
        "{comment}"
    );
    assert!(
        comment.stdout.contains("### Findings in 9 sites\n"),
        "{comment}"
    );

    // Programs are told what each site has, and so is who asks for each.
    let each = test.run(of_sites(&["validate", "--all"], &sites));
    assert_eq!(each.stdout.matches("SW003 bad-value").count(), 9, "{each}");
    assert!(each.stdout.contains("── acme-c9 ──\n"), "{each}");
    test.set("LC_ALL", "C");
    let plain = test
        .run(of_sites(&["validate", "--all"], &sites))
        .everything();
    assert!(
        plain.is_ascii() && plain.contains("-- acme-c9 --\n"),
        "{plain}"
    );
    let sarif = json(
        &test
            .run(of_sites(&["validate", "--format", "sarif"], &sites))
            .stdout,
    );
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of_base = results.iter().filter(|found| found["ruleId"] == "SW003");
    assert_eq!(of_base.count(), 9);
    let found = json(
        &test
            .run(of_sites(&["validate", "--format", "json"], &sites))
            .stdout,
    );
    for site in found["sites"].as_array().unwrap() {
        assert!(
            site["report"]["summary"]["errors"].as_u64() > Some(0),
            "{site}"
        );
    }
}

#[test]
fn a_summary_has_no_changes() {
    let test = fleet(&["berlin", "rome"]);
    let shown = test.run(["plan", "sites", "--summary"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_snapshot!(timeless(&shown.stdout));
    let one = test.run(["plan", "sites/berlin/switchover.kdl", "--summary"]);
    assert_snapshot!(one.stdout);
    // What names a plan that is kept, and what must be known of it, is told all the same.
    let kept = test.run(["plan", "sites", "--summary", "--out", "plans"]);
    assert_eq!(kept.stdout.matches("sha256:").count(), 2, "{kept}");
    let partial = test.run(["plan", "sites", "--summary", "--target", "services"]);
    assert!(
        partial
            .stdout
            .contains("so nothing can be removed\npartial: left out"),
        "{partial}"
    );
    assert!(
        partial
            .stdout
            .contains("same changes as at acme-berlin, at 1 more site: acme-rome"),
        "{partial}"
    );
    let comment = test.run(["plan", "sites", "--summary", "--format", "markdown"]);
    assert!(comment.stdout.contains("| acme-berlin |"), "{comment}");
    assert!(!comment.stdout.contains("<details>"), "{comment}");
    for refused in [["--format", "json"], ["--full", "-q"]] {
        let output = test.run(["plan", "sites", "--summary"].iter().chain(&refused));
        assert_eq!(output.code, Some(2), "{output}");
    }
}

/// Codes of the findings of every site that are not accepted, by file.
fn codes_by_file(document: &Value) -> Vec<(&str, Vec<&str>)> {
    let sites = document["sites"].as_array().unwrap().iter();
    sites
        .map(|site| {
            let found = site["report"]["diagnostics"].as_array().unwrap().iter();
            let open = found.filter(|found| found["acknowledged"].is_null());
            let codes = open.map(|found| found["code"].as_str().unwrap());
            (site["file"].as_str().unwrap(), codes.collect())
        })
        .collect()
}

#[test]
fn a_copied_site_fails_with_what_was_not_changed() {
    let test = fleet(&["berlin", "rome"]);
    let shown = test.run(["validate", "sites"]);
    assert_eq!(shown.code, Some(3), "{shown}");
    let table = shown.stdout.rfind("site ").unwrap();
    assert_snapshot!(&shown.stdout[..table]);

    let document = test.run(["validate", "sites", "--format", "json"]);
    assert_eq!(document.code, Some(3));
    let document = json(&document.stdout);
    assert_fits(&schema("fleet.schema.json"), &document);
    let codes = codes_by_file(&document);
    assert_eq!(codes.len(), 2);
    for (file, codes) in codes {
        assert!(
            !codes.is_empty() && codes.iter().all(|code| *code == "SW601"),
            "{file} {codes:?}"
        );
    }
    let found = &document["sites"][0]["report"]["diagnostics"]
        .as_array()
        .unwrap();
    let clash = found.iter().find(|found| found["code"] == "SW601").unwrap();
    assert_eq!(clash["file"], "sites/berlin/switchover.kdl");
    assert_eq!(clash["related"][0]["file"], "sites/rome/switchover.kdl");
    assert_eq!(clash["related"][0]["line"], clash["line"]);

    // In every other format, too; and for who wants to know nothing of it.
    for format in ["sarif", "github", "junit", "markdown"] {
        let output = test.run(["validate", "sites", "--format", format]);
        assert_eq!(output.code, Some(3), "{output}");
        assert!(output.stdout.contains("SW601"), "{output}");
        assert!(
            output.stdout.contains("sites/rome/switchover.kdl"),
            "{output}"
        );
    }
    assert_eq!(
        test.run(["validate", "sites", "--skip", "SW6"]).code,
        Some(0)
    );
    assert_eq!(
        test.run(["validate", "sites", "--only", "SW6"]).code,
        Some(3)
    );
    // One site by itself has nothing in common with others.
    assert_eq!(
        test.run(["validate", "sites/rome/switchover.kdl"]).code,
        Some(0)
    );
}

#[test]
fn what_two_sites_have_in_common_is_accepted_at_either() {
    let test = fleet(&["berlin", "rome"]);
    let text = std::fs::read_to_string(test.work().join("sites/rome/switchover.kdl")).unwrap();
    let accepting = format!(
        "{text}\ndefaults \"device\" {{\n    acknowledge \"SW601\" reason=\"both are test sites\"\n}}\n"
    );
    test.write("sites/rome/switchover.kdl", &accepting);
    let shown = test.run(["validate", "sites"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(
        shown.stdout.contains("SW601 ×4 accepted at 2 sites"),
        "{shown}"
    );
    let alone = test.run(["validate", "sites/rome/switchover.kdl"]);
    assert!(!alone.stdout.contains("SW007"), "{alone}");
}

#[test]
fn sites_of_one_wms_network_share_no_address_and_no_extension() {
    let test = fleet(&["berlin", "rome"]);
    let text = std::fs::read_to_string(test.work().join("sites/rome/switchover.kdl")).unwrap();
    let rome = text
        .replace("9c:75:14:00:01", "9c:75:14:00:02")
        .replace("pbx1.acme.example", "pbx1.rome.example");
    assert_ne!(rome, text);
    test.write("sites/rome/switchover.kdl", &rome);
    let apart = test.run(["validate", "sites"]);
    assert_eq!(apart.code, Some(0), "{apart}");
    let berlin = test.work().join("sites/berlin/switchover.kdl");
    let joined = std::fs::read_to_string(&berlin).unwrap().replace(
        "wms-network {",
        "wms-network {\n    member \"rome\" role=\"client\" hostname=\"PBX1.rome.example\"",
    );
    test.write("sites/berlin/switchover.kdl", &joined);
    let document = json(
        &test
            .run(["validate", "sites", "--format", "json", "--only", "SW6"])
            .stdout,
    );
    for (file, codes) in codes_by_file(&document) {
        let distinct: BTreeSet<&str> = codes.into_iter().collect();
        assert_eq!(distinct, ["SW602", "SW603", "SW604"].into(), "{file}");
    }
}

/// Sites over one base that give it numbers of their own; telephones come after.
fn alike(sites: &[u8]) -> (TestEnvironment, Vec<String>) {
    let test = TestEnvironment::new();
    test.write("base.kdl", include_str!("../../examples/fleet/base.kdl"));
    let named = sites.iter().map(|number| {
        let file = format!("site-{number}.kdl");
        test.write(
            &file,
            &format!(
                "extends \"base.kdl\" octet={number} city=\"c{number}\"\nuser \"101\" name=\"R\"\n"
            ),
        );
        for folder in ["dnsmasq", "provisioning"] {
            std::fs::create_dir_all(test.work().join(format!("out/c{number}/{folder}"))).unwrap();
        }
        file
    });
    let named = named.collect();
    (test, named)
}

#[test]
fn what_changes_alike_at_many_sites_is_shown_once() {
    let (test, sites) = alike(&[101, 102, 103, 104]);
    for site in [103, 104] {
        let device =
            format!("device \"reception\" mac=\"9c:75:14:47:01:{site:02x}\" user=\"101\"\n");
        let file = format!("site-{site}.kdl");
        let text = std::fs::read_to_string(test.work().join(&file)).unwrap();
        test.write(&file, &(text + &device));
    }
    let shown = test.run(of_sites(&["plan"], &sites));
    assert_eq!(shown.code, Some(0), "{shown}");
    for told in [
        "\n  the same as at acme-c103, but for `city` and `octet`\n",
        "\nsame changes as at acme-c101, but for `city` and `octet`, at 1 more site:\n  acme-c102\n",
        "── acme-c104 ──\n",
        "9c7514470168.cfg",
    ] {
        assert!(shown.stdout.contains(told), "{told}\n{shown}");
    }
    assert!(!shown.stdout.contains("── acme-c102"), "{shown}");

    let comment = test
        .run(of_sites(&["plan", "--format", "markdown"], &sites))
        .stdout;
    assert!(comment.contains("at 1 more site: acme-c102"), "{comment}");
    assert!(!comment.contains("### Plan for acme-c102"), "{comment}");
    assert!(comment.contains("### Plan for acme-c103"), "{comment}");

    // Who asks for everything sees everything, and every plan that is kept.
    for arguments in [&["plan", "--full"][..], &["plan", "--out", "plans"]] {
        let each = test.run(of_sites(arguments, &sites)).stdout;
        assert_eq!(each.matches("── acme-c").count(), 4, "{each}");
        assert!(!each.contains("same"), "{each}");
    }
}
