use sha2::{Digest, Sha256};
use switchover_bundled_plugins::{all, get};
use switchover_plugin_host::{Host, HostConfig, Source};

#[test]
fn the_bundle_is_sorted_and_its_digests_are_true() {
    let names: Vec<_> = all().iter().map(|bundled| bundled.name).collect();
    assert!(names.is_sorted());
    for name in [
        "dnsmasq",
        "isc-dhcpd",
        "kamailio",
        "kea",
        "provisioning",
        "rfc2136",
        "wildix",
    ] {
        let bundled = get(name).unwrap_or_else(|| panic!("{name} is not bundled"));
        assert_eq!(bundled.sha256, *Sha256::digest(bundled.component));
    }
    assert!(get("nothing").is_none());
}

#[test]
fn every_bundled_plugin_loads_from_bytes_and_from_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let config = HostConfig {
            cache: Some(cache.path().join("plugins")),
            ..HostConfig::default()
        };
        let host = Host::new(config).unwrap();
        for bundled in all() {
            let source = Source::embedded(bundled.component, bundled.sha256);
            let plugin = host
                .load(bundled.name, &source)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(plugin.name(), bundled.name);
            plugin.start().unwrap();
        }
    }
}

#[test]
fn no_path_of_the_building_machine_is_in_a_component() {
    let root = env!("CARGO_MANIFEST_DIR")
        .strip_suffix("crates/bundled-plugins")
        .unwrap();
    let mut secrets = vec![
        root.to_owned(),
        "/.cargo/registry".to_owned(),
        "/.rustup/".to_owned(),
        "/usr/lib/rustlib".to_owned(),
    ];
    secrets.extend(
        std::env::var("HOME")
            .ok()
            .filter(|home| home.len() > 1)
            .map(|home| format!("{home}/")),
    );
    for bundled in all() {
        for secret in &secrets {
            let found = bundled
                .component
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", bundled.name);
        }
    }
}
