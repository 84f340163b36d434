//! Each code with a document that breaks it and one that just passes.

use switchover_topology::{Severity, load};

use crate::support::{codes, fixture, plain};

macro_rules! rule {
    ($($test:ident $code:literal;)*) => {$(
        #[test]
        fn $test() {
            let bad = load(&fixture(concat!($code, "-bad.kdl")));
            assert!(codes(&bad).contains(&$code), "{}", plain(&bad));
            insta::assert_snapshot!(concat!($code, "-bad"), plain(&bad));
            let good = load(&fixture(concat!($code, "-good.kdl")));
            assert!(!codes(&good).contains(&$code), "{}", plain(&good));
        }
    )*};
}

rule! {
    syntax_errors "SW001";
    unknown_names "SW002";
    bad_values "SW003";
    duplicates "SW004";
    unresolved_references "SW005";
    failed_includes "SW006";
    clear_text_secrets "SW008";
    unused_declarations "SW009";
}

#[test]
fn the_whole_example_has_no_findings() {
    let loaded = load(&fixture("whole.kdl"));
    assert_eq!(plain(&loaded), "");
    assert!(loaded.topology.incomplete.is_empty());
    assert_eq!(loaded.topology.devices.len(), 3);
    let fax = loaded.topology.devices.get("fax-gw").unwrap();
    assert_eq!(fax.network.as_ref().unwrap().value, "voice");
    assert_eq!(fax.acknowledge.len(), 1);
    let bind = loaded.topology.targets.get("bind").unwrap();
    let tsig = &bind.settings["tsig"];
    assert_eq!(tsig.value["name"], "switchover");
    assert_eq!(tsig.secrets["/secret"].value.to_string(), "env:TSIG_SECRET");
}

#[test]
fn a_secret_in_clear_text_is_shown_nowhere() {
    let loaded = load(&fixture("SW008-bad.kdl"));
    let mut everything = plain(&loaded);
    everything.extend(loaded.sources.files().map(|file| file.text.as_str()));
    everything += &format!("{:?}", loaded.topology);
    everything += &switchover_topology::to_json(&loaded.topology).to_string();
    everything += &switchover_topology::to_kdl(&loaded.topology);
    assert!(!everything.contains("hunter2"), "{everything}");
    let syntax = load(&fixture("SW001-bad.kdl"));
    assert!(
        !syntax
            .sources
            .files()
            .any(|file| file.text.contains("hunter2"))
    );
}

#[test]
fn only_what_is_unused_is_a_warning() {
    for found in load(&fixture("SW009-bad.kdl")).diagnostics {
        assert_eq!(
            found.severity == Severity::Warning,
            found.code == "SW009",
            "{found:?}"
        );
    }
}
