//! SW5xx at the edges: each cause once, at the most specific place.

use crate::showing::codes_of;
use crate::sound::Sound;

const NONE: [&str; 0] = [];
const TARGETS: &str = "target \"w1\" plugin=\"wildix\" { endpoint \"https://10.20.0.10\"; }\n\
                       target \"w2\" plugin=\"wildix\" { endpoint \"https://10.20.0.20\"; }\n\
                       target \"d\" plugin=\"dnsmasq\" { root \"out/d\"; }\n\
                       target \"f\" plugin=\"provisioning\" { root \"out/f\"; }\n";
const PBX_TARGETS: [&str; 2] = ["    target \"w1\"\n", "    target \"w2\"\n"];

/// The sound site with a target for every part of it.
fn written() -> Sound {
    let [main, failover] = PBX_TARGETS;
    let (a, b) = (
        "    failure-domain \"rack-a\"\n",
        "    failure-domain \"rack-b\"\n",
    );
    Sound::new()
        .with(a, &format!("{a}{main}"))
        .with(b, &format!("{b}{failover}"))
        .with(
            "address=\"10.20.30.5\"",
            "address=\"10.20.30.5\" target=\"d\"",
        )
        .with(
            "address=\"10.20.0.53\"",
            "address=\"10.20.0.53\" target=\"d\"",
        )
        .with(
            "    dhcp \"hq\"\n",
            "    dhcp \"hq\"\n    provisioning \"files\"\n",
        )
        .and("provisioning \"files\" { url \"http://10.20.30.80/\"; target \"f\"; }\n")
        .and(TARGETS)
}

/// The same, whose PBXs are configured by hand.
fn without_pbx_targets() -> Sound {
    let by_hand = "    acknowledge \"SW504\" reason=\"by hand\"\n";
    let sound = written();
    let sound = PBX_TARGETS
        .iter()
        .fold(sound, |sound, target| sound.with(target, by_hand));
    sound
        .with(
            "target \"w1\" plugin=\"wildix\" { endpoint \"https://10.20.0.10\"; }\n",
            "",
        )
        .with(
            "target \"w2\" plugin=\"wildix\" { endpoint \"https://10.20.0.20\"; }\n",
            "",
        )
}

fn found(sound: &Sound) -> Vec<String> {
    codes_of(&["SW5"], &sound.text())
}

/// What counts.
fn counting(sound: &Sound) -> Vec<String> {
    let mut codes = found(sound);
    codes.retain(|code| !code.starts_with('('));
    codes
}

#[test]
fn what_every_part_of_has_a_target_raises_nothing() {
    assert_eq!(found(&written()), NONE);
    assert_eq!(counting(&without_pbx_targets()), NONE);
}

#[test]
fn a_site_without_any_target_is_one_note() {
    assert_eq!(found(&Sound::new()), ["SW505"]);
    // A device without network is not about targets.
    let lost = Sound::new().with(" network=\"voice\"", "");
    assert_eq!(found(&lost), ["SW505", "SW501"]);
    // One that was left out may have been the target of everything.
    let ill_formed = Sound::new().and("target \"t\"\n");
    assert!(!found(&ill_formed).contains(&"SW505".to_owned()));
}

#[test]
fn sw501_is_about_what_has_a_plug() {
    let device = |device: &str| {
        let mut sound = written();
        sound.devices = format!("device \"it\" {device}\n");
        found(&sound)
    };
    for hardware in [
        "model=\"WP480\"",
        "model=\"W-AIR\"",
        "model=\"W04FXS\"",
        "model=\"WP48O\"",
    ] {
        assert_eq!(
            device(&format!("{hardware} mac=\"9c:75:14:00:00:01\"")),
            ["SW501"],
            "{hardware}"
        );
    }
    assert_eq!(device("model=\"Android\""), NONE);
    assert_eq!(device("model=\"nothing\""), NONE);
    // By default, or reported as not declared: it has one.
    let mut sound = written().and("defaults \"device\" network=\"voice\"\n");
    sound.devices = sound.devices.replace(" network=\"voice\"", "");
    assert_eq!(found(&sound), NONE);
    assert_eq!(
        found(&written().with("network=\"voice\"", "network=\"vioce\"")),
        NONE
    );
}

#[test]
fn sw502_is_a_device_that_its_network_does_not_explain() {
    let device = |sound: Sound, model: &str| counting(&sound.with("W04FXS", model));
    let no_leases = || {
        without_pbx_targets().with(
            "address=\"10.20.30.5\" target=\"d\"",
            "address=\"10.20.30.5\"",
        )
    };
    assert_eq!(device(no_leases(), "W-AIR"), ["SW503", "SW502"]);
    assert_eq!(device(no_leases(), "W04FXS"), ["SW503"]);
    assert_eq!(
        device(without_pbx_targets(), "W-AIR"),
        NONE,
        "it has a lease"
    );
    // A PBX that is configured from here knows its devices.
    let by_pbx = written().with(
        "address=\"10.20.30.5\" target=\"d\"",
        "address=\"10.20.30.5\"",
    );
    assert_eq!(device(by_pbx, "W-AIR"), ["SW503"]);
}

#[test]
fn sw503_is_one_finding_for_each_thing_that_is_missing() {
    let no_leases = |sound: Sound| {
        sound.with(
            "address=\"10.20.30.5\" target=\"d\"",
            "address=\"10.20.30.5\"",
        )
    };
    let no_files = |sound: Sound| sound.with("target \"f\";", "");
    assert_eq!(found(&no_leases(written())), ["SW503"]);
    assert_eq!(found(&no_files(written())), ["SW503"]);
    assert_eq!(found(&no_files(no_leases(written()))), ["SW503", "SW503"]);
    // However many networks rely on it, and devices are in them.
    let second = "network \"second\" {\n    subnet \"10.20.40.0/24\"\n    pool \"10.20.40.100\" \"10.20.40.200\"\n    \
                  dhcp \"hq\"\n    provisioning \"files\"\n}\n\
                  device \"b\" model=\"WP480\" mac=\"9c:75:14:00:02:02\" network=\"second\"\n\
                  device \"c\" model=\"WP480\" mac=\"9c:75:14:00:02:03\" network=\"second\"\n";
    assert_eq!(found(&no_leases(written()).and(second)), ["SW503"]);
    // Named by nothing.
    assert_eq!(
        found(&written().with("    provisioning \"files\"\n", "")),
        ["SW503"]
    );
    let unnamed = written().with("    dhcp \"hq\"\n", "");
    assert_eq!(
        codes_of(&["SW106", "SW5"], &unnamed.text()),
        ["SW106"],
        "told once"
    );
    let pool = "network \"data\" {\n    subnet \"10.20.50.0/24\"\n    pool \"10.20.50.100\" \"10.20.50.200\"\n}\n";
    assert_eq!(found(&written().and(pool)), ["SW503"]);
    let empty = "network \"servers\" {\n    subnet \"10.20.50.0/24\"\n}\n";
    assert_eq!(found(&written().and(empty)), NONE);
    // Neither is told of a service that is not declared.
    assert_eq!(
        found(&written().with("    dhcp \"hq\"\n", "    dhcp \"qh\"\n")),
        NONE
    );
}

#[test]
fn sw504_and_sw506_are_told_at_each_of_them() {
    let [main, failover] = PBX_TARGETS;
    assert_eq!(found(&written().with(main, "")), ["SW504"]);
    assert_eq!(
        found(&written().with(main, "").with(failover, "")),
        ["SW504", "SW504"]
    );
    let zone = written().with(
        "address=\"10.20.0.53\" target=\"d\"",
        "address=\"10.20.0.53\"",
    );
    assert_eq!(found(&zone), ["SW506"]);
}
