//! `extends`, `param`, `remove`.

use std::fs;

use switchover_topology::{load, to_json};

use crate::support::{codes, folder, plain, read};

const SITE: &str = "site \"hq\" mode=\"hot-standby\"\n";

const BASE: &str = r#"param "octet" default=20
param "rack" description="what fails as a whole"
site "base" mode="hot-standby" {
    description "what all branches have"
    uses "blf" "kite"
}
pbx "pbx1" role="main" {
    hostname "pbx1.${rack}.example"
    address "10.${octet}.0.10"
    wms "3.86.30011"
    platform "vm" cores=2 threads=4
    failure-domain "${rack}"
    acknowledge "SW301" reason="known"
}
network "voice" {
    subnet "10.${octet}.30.0/24"
    vlan "1${octet}"
    dns "10.${octet}.0.53" "10.${octet}.0.54"
    dhcp "hq"
}
dhcp "hq" {
    server "dhcp1" address="10.${octet}.30.5" failure-domain="${rack}"
    server "dhcp2" address="10.${octet}.30.6" role="standby"
    lease "8h"
    option 160 "https://prov.example/"
}
dns "example" {
    record "a" "A" "10.0.0.1"
    record "a" "A" "10.0.0.2"
    record "b" "A" "10.0.0.3"
    server "ns" address="10.0.0.53" target="kea"
}
target "kea" plugin="kea" {
    endpoint "http://10.${octet}.30.5:8000/"
    subnets "${octet}"
    price "$${literal} $$ ${octet}"
    auth "bearer" token=(secret)"env:TOKEN_${rack}"
}
defaults "device" network="voice" model="WP480"
device "one" firmware="2.8.22"
device "two"
sync from="pbx1" to="pbx1" every="2h"
"#;

#[test]
fn a_document_says_its_differences_from_a_base() {
    let folder = folder(&[
        ("base.kdl", BASE),
        (
            "main.kdl",
            r#"extends "base.kdl" octet=21 rack="north"
site "branch" mode="load-sharing" {
    uses "hot-desking"
}
pbx "pbx1" wms="3.87" {
    platform "hardware"
}
dhcp "hq" {
    server "dhcp2" role="primary"
    server "dhcp3" address="10.21.30.7"
    option 160 "https://other.example/"
}
dns "example" {
    record "a" "A" "10.0.0.9"
}
target "kea" {
    subnets 4
}
defaults "device" model="WP600A"
device "two" firmware="2.8.30"
device "three"
remove "device" "one"
remove "sync"
"#,
        ),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    assert_eq!(plain(&loaded), "");
    insta::assert_json_snapshot!("extended", to_json(&loaded.topology));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let folder = folder(&[
        (
            "base.kdl",
            r#"param "octet" default=20
param "octet" default=21
param "rack"
param "no name" default="x"
param "half" default=1.5
network "voice" subnet="10.${octet}.30.0/24" vlan="${octet}" gateway="10.${oktet}.30.1" {
    description "${ and ${} and ${octet"
    domain "${rack}.example"
}
network "guests" subnet="10.0.0.0/24"
network "guests" subnet="10.0.1.0/24"
device "a" model="WP480" network="${octet}"
remove "device" "a"
"#,
        ),
        (
            "main.kdl",
            r#"extends "base.kdl" "other.kdl" octet=300 octect=21 {
    octet 21
}
extends "again.kdl"
network "guests" vlan=5
remove "network" "voise"
remove "sync"
remove "sync" "x"
remove "network"
remove "netwrok" "voice"
remove
include "part.kdl"
"#,
        ),
        (
            "part.kdl",
            "site \"hq\" mode=\"hot-standby\"\nparam \"x\" default=1\nextends \"base.kdl\"",
        ),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    insta::assert_snapshot!("extends-mistakes", plain(&loaded));
}

#[test]
fn a_wrong_argument_is_shown_beside_the_string_that_holds_it() {
    let folder = folder(&[
        (
            "base.kdl",
            "param \"octet\" default=20\nnetwork \"voice\" subnet=\"10.${octet}.30.0/24\" vlan=\"${octet}\"\ndevice \"a\" model=\"WP480\" network=\"voice\" user=\"${octet}\"",
        ),
        (
            "main.kdl",
            &format!("extends \"base.kdl\" octet=\"300\"\n{SITE}"),
        ),
        (
            "good.kdl",
            &format!(
                "extends \"base.kdl\"\n{SITE}user \"20\" name=\"A\" pbx=\"b\"\npbx \"b\" role=\"main\" hostname=\"b\" address=\"10.0.0.1\" wms=\"3.86\" platform=\"vm\""
            ),
        ),
        (
            "absent.kdl",
            &format!("extends \"base.kdl\" octet=\"21\"\n{SITE}"),
        ),
    ]);
    insta::assert_snapshot!(
        "extends-argument",
        plain(&load(&folder.path().join("main.kdl")))
    );
    insta::assert_snapshot!(
        "extends-reference",
        plain(&load(&folder.path().join("absent.kdl")))
    );
    let good = load(&folder.path().join("good.kdl"));
    assert_eq!(plain(&good), "");
    assert_eq!(good.topology.networks[0].vlan.as_ref().unwrap().value, 20);
}

#[test]
fn circles_and_what_is_outside_are_refused() {
    let outside = folder(&[("base.kdl", "")]);
    let up = format!(
        "../{}/base.kdl",
        outside.path().file_name().unwrap().to_string_lossy()
    );
    for (main, base) in [
        ("extends \"main.kdl\"", ""),
        ("extends \"base.kdl\"", "extends \"main.kdl\""),
        ("extends \"base.kdl\"", "include \"main.kdl\""),
        ("extends \"none.kdl\"", ""),
        ("extends \"*.kdl\"", ""),
        (&format!("extends \"{up}\""), ""),
        ("extends \".\"", ""),
        ("extends", ""),
    ] {
        let folder = folder(&[("main.kdl", main), ("base.kdl", base), ("more.kdl", "")]);
        let loaded = load(&folder.path().join("main.kdl"));
        let code = if main == "extends" { "SW003" } else { "SW006" };
        assert_eq!(codes(&loaded), [code], "{main} {base}: {}", plain(&loaded));
    }
}

#[test]
fn bases_have_bases() {
    let folder = folder(&[
        (
            "sites/main.kdl",
            "extends \"../company.kdl\" floor=3\nremove \"device\" \"a\"",
        ),
        (
            "company.kdl",
            &format!(
                "extends \"bases/world.kdl\" vlan=\"10${{floor}}\"\nparam \"floor\"\n{SITE}device \"b\" model=\"W\"\ndevice \"a\" model=\"W\""
            ),
        ),
        (
            "bases/world.kdl",
            "param \"vlan\"\ninclude \"net-${vlan}.kdl\"\ndevice \"b\" network=\"voice\"",
        ),
        (
            "bases/net-103.kdl",
            "network \"voice\" vlan=\"${vlan}\" subnet=\"10.0.0.0/24\"",
        ),
    ]);
    // The topology's folder is the root: nothing above it is read.
    let above = load(&folder.path().join("sites/main.kdl"));
    assert_eq!(codes(&above), ["SW006"], "{}", plain(&above));
    fs::rename(
        folder.path().join("sites/main.kdl"),
        folder.path().join("main.kdl"),
    )
    .unwrap();
    let text = fs::read_to_string(folder.path().join("main.kdl")).unwrap();
    fs::write(
        folder.path().join("main.kdl"),
        text.replace("../company", "company"),
    )
    .unwrap();
    let loaded = load(&folder.path().join("main.kdl"));
    assert_eq!(plain(&loaded), "");
    assert_eq!(loaded.topology.devices.len(), 1);
    assert_eq!(
        loaded.topology.networks[0].vlan.as_ref().unwrap().value,
        103
    );
}

#[test]
fn values_that_double_at_every_level_end() {
    let level = |next: &str| {
        format!(
            "extends \"{next}\" x=\"${{x}}${{x}}${{x}}${{x}}\"\nparam \"x\" default=\"0123456789\"\n"
        )
    };
    let mut files: Vec<(String, String)> = (0..30)
        .map(|number| {
            (
                format!("{number}.kdl"),
                level(&format!("{}.kdl", number + 1)),
            )
        })
        .collect();
    files.push((
        "30.kdl".to_owned(),
        format!("param \"x\"\n{SITE}device \"d\" model=\"${{x}}\""),
    ));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let folder = folder(&files);
    let loaded = load(&folder.path().join("0.kdl"));
    assert!(
        plain(&loaded).contains("longer than 64 KiB"),
        "{:.4000}",
        plain(&loaded)
    );
}

#[test]
fn long_chains_end() {
    let files: Vec<(String, String)> = (0..40)
        .map(|number| {
            (
                format!("{number}.kdl"),
                format!("extends \"{}.kdl\"", number + 1),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let folder = folder(&files);
    let loaded = load(&folder.path().join("0.kdl"));
    assert_eq!(codes(&loaded), ["SW006"]);
    assert!(
        plain(&loaded).contains("more than 32 files"),
        "{}",
        plain(&loaded)
    );
}

#[test]
fn a_secret_given_to_a_parameter_is_shown_nowhere() {
    let folder = folder(&[
        (
            "base.kdl",
            "param \"word\"\nuser \"101\" name=\"A\" pbx=\"p\" sip-password=(secret)\"${word}\"\nuser \"102\" name=\"B\" pbx=\"p\" sip-password=\"${word}\"",
        ),
        (
            "main.kdl",
            &format!("extends \"base.kdl\" word=\"hunter2\"\n{SITE}"),
        ),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    let found = codes(&loaded);
    assert_eq!(
        found.iter().filter(|code| **code == "SW008").count(),
        2,
        "{}",
        plain(&loaded)
    );
    let mut everything = plain(&loaded);
    everything.extend(loaded.sources.files().map(|file| file.text.as_str()));
    everything += &format!("{:?}", loaded.topology);
    assert!(!everything.contains("hunter2"), "{everything}");
}

#[test]
fn a_literal_dollar_brace_survives_being_shown() {
    let text =
        format!("{SITE}device \"d\" model=\"WP480\" description=\"$${{secret:A}} $$$ $${{\"");
    let loaded = read(&text);
    assert_eq!(plain(&loaded), "");
    let description = loaded.topology.devices[0]
        .description
        .clone()
        .unwrap()
        .value;
    assert_eq!(description, "${secret:A} $$$ ${");
    let again = read(&switchover_topology::to_kdl(&loaded.topology));
    assert_eq!(to_json(&again.topology), to_json(&loaded.topology));
}
