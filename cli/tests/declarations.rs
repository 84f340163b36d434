//! What a target declares to its plugin, judged before any server is asked and any secret is read.

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::TestEnvironment;

/// A site whose DHCP, DNS and provisioning are written by three plugins, with a place for lines in each target.
fn site(dnsmasq: &str, files: &str, zone: &str) -> String {
    format!(
        r#"site "acme" mode="hot-standby"
pbx "pbx1" role="main" hostname="pbx1.acme.example" address="10.20.0.10" wms="3.86.30011" {{
    platform "hardware"
    locale language="it" region="IT"
}}
pbx "pbx2" role="failover" hostname="pbx2.acme.example" address="10.20.1.10" wms="3.86.30011" {{
    platform "hardware"
    locale language="it" region="IT"
}}
wms-network {{
    member "pbx1" role="server"
    member "pbx2" role="client"
}}
sync from="pbx1" to="pbx2" every="2h"
network "voice" subnet="10.20.30.0/24" dhcp="hq" provisioning="phones" {{
    pool "10.20.30.100" "10.20.30.220"
    dns "10.20.0.53" "10.20.0.54"
    ntp "10.20.0.1"
}}
dhcp "hq" {{
    server "dhcp1" address="10.20.30.5" target="dnsmasq"
}}
dns "acme.example" {{
    server "ns1" address="10.20.0.53" role="primary" target="zone"
}}
provisioning "phones" url="http://prov.acme.example/" target="files"
user "101" name="Reception" pbx="pbx1"
device "reception" model="WP480" mac="9c:75:14:00:01:01" user="101" year=2017 network="voice"
target "dnsmasq" {dnsmasq}
target "files" {files}
target "zone" {zone}
"#
    )
}

const DNSMASQ: &str = r#"plugin="dnsmasq" root="out/dnsmasq""#;
const FILES: &str = r#"plugin="provisioning" root="out/files""#;
const ZONE: &str =
    r#"plugin="rfc2136" server="10.20.0.53" { tsig "key" secret=(secret)"env:TSIG" }"#;

/// What is found about targets: code, line counted from the first target, the text at fault, message and help.
fn found(topology: &str, command: &[&str]) -> Vec<(String, String, String, String)> {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", topology);
    let output = test.run(command);
    let report: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", output.stdout, output.stderr));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let lines: Vec<&str> = topology.lines().collect();
    report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            let line = lines[number(&finding["line"]) - 1];
            let start = number(&finding["column"]) - 1;
            let mut end = number(&finding["end_column"]) - 1;
            if finding["line"] != finding["end_line"] {
                end = line.chars().count();
            }
            let at: String = line.chars().skip(start).take(end - start).collect();
            (
                text(&finding["code"]),
                at,
                text(&finding["message"]),
                text(&finding["help"]),
            )
        })
        .collect()
}

#[test]
fn a_declaration_that_holds_has_no_finding() {
    let errors = found(
        &site(DNSMASQ, FILES, ZONE),
        &["validate", "--format", "json"],
    );
    assert_eq!(errors, []);
}

#[test]
fn each_mistake_in_a_target_is_found_at_its_own_place() {
    let mut table = String::new();
    for (dnsmasq, files, zone) in [
        (r#"plugin="dnsmask" root="out""#, FILES, ZONE),
        (r#"plugin="" root="out""#, FILES, ZONE),
        (r#"plugin="dnsmasq" rot="out""#, FILES, ZONE),
        (r#"plugin="dnsmasq" folder="out""#, FILES, ZONE),
        (r#"plugin="dnsmasq""#, FILES, ZONE),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" { url "http://x/" }"#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" { autj "bearer" }"#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" secret-mod="0640""#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" secret-mode="rw-""#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" register-seconds="300""#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" register-seconds=3"#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" endpoint="http://10.20.0.9/""#,
            ZONE,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" { families "X=unknown" }"#,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { command "relod" "true" }"#,
            FILES,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { probe "dhpc" }"#,
            FILES,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { probe "dns" "sip" }"#,
            FILES,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { local-ttl "no" }"#,
            FILES,
            ZONE,
        ),
        (r#"plugin="dnsmasq" root="out" { file #true }"#, FILES, ZONE),
        (
            r#"plugin="dnsmasq" root="out" { file "../etc/passwd" }"#,
            FILES,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { file (secret)"env:NAME" }"#,
            FILES,
            ZONE,
        ),
        (
            r#"plugin="dnsmasq" root="out" { templates "t" }"#,
            FILES,
            ZONE,
        ),
        (DNSMASQ, FILES, r#"plugin="rfc2136" servr="10.20.0.53""#),
        (
            DNSMASQ,
            FILES,
            r#"plugin="rfc2136" server="10.20.0.53" root="x""#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="rfc2136" server="10.20.0.53" await-secondaries=1"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="rfc2136" server="10.20.0.53" { command "reload" "true" }"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="kea" endpoint="http://10.20.0.9/" { auth "beerer" token=(secret)"env:T" }"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="kea" endpoint="http://10.20.0.9/" { auth "beerer" token=(secret)"env:T"; contrl "agent" }"#,
        ),
        (DNSMASQ, FILES, r#"plugin="kea" { control "agnet" }"#),
        (
            DNSMASQ,
            FILES,
            r#"plugin="kea" endpoint="http://10.20.0.9/" ca="nope.pem""#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="kea" endpoint="http://10.20.0.9/" ha-port=1e3"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="kea" endpoint="http://10.20.0.9/" { autj "basic" user="kea" password=(secret)"env:X" }"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="rfc2136" server="10.20.0.53" { tsig "key" algorithm="hmac-sha25" secret=(secret)"env:T" }"#,
        ),
        (
            DNSMASQ,
            FILES,
            r#"plugin="rfc2136" server="10.20.0.53" { tsig "a key" secret=(secret)"env:T" }"#,
        ),
        (
            DNSMASQ,
            r#"plugin="provisioning" root="out" templates="nowhere""#,
            ZONE,
        ),
        (
            r#"plugin="kamailio" root="out" endpoint="http://10.20.0.9:5065/" tls-key="-----BEGIN PRIVATE KEY-----MIIE""#,
            FILES,
            ZONE,
        ),
    ] {
        let wrong = [(dnsmasq, DNSMASQ), (files, FILES), (zone, ZONE)];
        let wrong = wrong
            .iter()
            .find(|(written, good)| written != good)
            .unwrap();
        table.push_str(&format!("target {}\n", wrong.0));
        let errors = found(
            &site(dnsmasq, files, zone),
            &["validate", "--format", "json"],
        );
        // Records of the zone and its servers are about something else.
        let errors = errors
            .into_iter()
            .filter(|(code, ..)| code.starts_with("SW00"));
        for (code, at, message, help) in errors {
            table.push_str(&format!("  {code} at {at}: {message}\n      {help}\n"));
        }
    }
    assert_snapshot!(table);
}

/// The secret is missing, and the servers do not exist: neither is looked at.
#[test]
fn plan_tells_the_same_before_it_reads_a_secret() {
    let test = TestEnvironment::new();
    let zone = ZONE
        .replace("env:TSIG", "env:NOT_SET")
        .replace("server=", "servr=");
    test.write("switchover.kdl", &site(DNSMASQ, FILES, &zone));
    assert_snapshot!(test.run(["plan"]));
}

#[test]
fn what_only_a_plugin_knows_is_found_offline() {
    let topology = site(DNSMASQ, FILES, ZONE).replace(r#"target="files""#, r#"target="dnsmasq""#);
    let errors = found(&topology, &["validate", "--format", "json"]);
    let codes: Vec<&str> = errors.iter().map(|(code, ..)| code.as_str()).collect();
    assert!(codes.contains(&"DNSMASQ001"), "{errors:?}");
    let without = found(&topology, &["validate", "--format", "json", "--no-plugins"]);
    assert!(
        without.iter().all(|(code, ..)| code != "DNSMASQ001"),
        "{without:?}"
    );
}

/// A template of the site's own that cannot be used is the topology's fault, not the plugin's.
#[test]
fn a_template_that_fails_is_a_finding_at_its_folder() {
    let test = TestEnvironment::new();
    let files = r#"plugin="provisioning" root="out/files" templates="own""#;
    test.write("switchover.kdl", &site(DNSMASQ, files, ZONE));
    test.write("own/akuvox.cfg.j2", "{{ no_such_value }}\n");
    let output = test.run(["validate", "--format", "json", "--only", "SW003"]);
    assert_snapshot!(output);
}

/// `plan` needs no second command to be told what `validate` finds, and can fail for it.
#[test]
fn plan_has_the_findings_of_validate() {
    let test = TestEnvironment::new();
    let topology = site(DNSMASQ, FILES, ZONE);
    let topology = topology.replace(
        r#"server "ns1" address="10.20.0.53" role="primary" target="zone""#,
        r#"server "ns1" address="10.20.0.53" role="primary""#,
    );
    let topology = topology
        .lines()
        .filter(|line| !line.starts_with("target \"zone\""));
    test.write("switchover.kdl", &topology.collect::<Vec<_>>().join("\n"));
    let codes = |output: &str| -> Vec<String> {
        let report: Value = serde_json::from_str(output).unwrap();
        let found = report["diagnostics"].as_array().unwrap();
        found
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let validated = test.run(["validate", "--format", "json"]);
    let planned = test.run(["plan", "--format", "json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let found = codes(&validated.stdout);
    assert!(
        found.contains(&"PROV004".to_owned()) && found.contains(&"SW205".to_owned()),
        "{found:?}"
    );
    assert_eq!(found, codes(&planned.stdout));

    let told = test.run(["plan"]);
    assert!(
        told.stderr.contains("SW205") && !told.stderr.contains("PROV004"),
        "{told}"
    );
    assert!(test.run(["-v", "plan"]).stderr.contains("PROV004"));
    let denied = test.run(["plan", "--deny-warnings"]);
    assert_eq!((denied.code, &denied.stdout), (Some(3), &told.stdout));
    let denied = test.run(["plan", "--deny-warnings", "--detailed-exitcode"]);
    assert_eq!(
        denied.code,
        Some(3),
        "findings outrank pending changes: {denied}"
    );
}

/// One that does nothing would hide a later finding; one of a code that does not exist never had an effect.
#[test]
fn an_acknowledgement_of_a_plugins_code_that_does_nothing_is_found() {
    let accept = |code: &str| {
        let line = format!(
            "url=\"http://prov.acme.example/\" target=\"files\" {{ acknowledge \"{code}\" reason=\"why\"; }}"
        );
        site(DNSMASQ, FILES, ZONE)
            .replace(r#"url="http://prov.acme.example/" target="files""#, &line)
    };
    let mut table = String::new();
    for code in [
        "PROV004",
        "PROV003",
        "PROV033",
        "prov003",
        "KEA001",
        "KEA012",
        "WILDIX101",
        "FOO001",
    ] {
        let test = TestEnvironment::new();
        test.write("switchover.kdl", &accept(code));
        let idle = |arguments: &[&str]| -> Vec<String> {
            let report: Value = serde_json::from_str(&test.run(arguments).stdout).unwrap();
            let found = report["diagnostics"].as_array().unwrap().iter();
            found
                .filter(|finding| finding["code"] == "SW007")
                .map(|finding| {
                    format!(
                        "{}; {}",
                        finding["message"].as_str().unwrap(),
                        finding["help"].as_str().unwrap()
                    )
                })
                .collect()
        };
        table += &format!(
            "{code}: {}\n",
            idle(&["validate", "--format", "json"]).join(" | ")
        );
        // Where no plugin has looked, nothing can be told.
        assert_eq!(
            idle(&["validate", "--format", "json", "--no-plugins"]),
            [""; 0]
        );
    }
    assert_snapshot!(table);
}
