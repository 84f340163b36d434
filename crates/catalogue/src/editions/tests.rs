use super::*;
use crate::model::{model, models};

fn wms(text: &str) -> DottedVersion {
    text.parse().unwrap()
}

fn of(name: &str, version: &str) -> Option<Signalling> {
    signalling(model(name).unwrap(), &wms(version))
}

#[test]
fn an_edition_is_in_force_until_the_next_one() {
    for (version, name) in [
        ("3.85.9999", None),
        ("3.86", Some("3.86")),
        ("3.86.30011", Some("3.86")),
        ("3.87", Some("3.86")),
        ("3.100", Some("3.86")),
        ("4.99.99999", Some("3.86")),
        ("5.0", Some("5.0X/6.0X")),
        ("5.10", Some("5.0X/6.0X")),
        ("6.03", Some("5.0X/6.0X")),
        ("7.08", Some("5.0X/6.0X")),
    ] {
        assert_eq!(
            edition(&wms(version)).map(|edition| edition.name),
            name,
            "{version}"
        );
    }
}

#[test]
fn the_newest_edition_is_outrun_past_the_releases_that_it_names() {
    for (version, outrun) in [
        ("3.87", false),
        ("5.10", false),
        ("6.09.99999", false),
        ("6.10", true),
        ("7.08", true),
    ] {
        let newest = edition_outrun_by(&wms(version)).map(|edition| edition.newest);
        assert_eq!(newest, outrun.then_some("6.0X"), "{version}");
    }
}

#[test]
fn a_dated_fact_goes_before_the_edition_in_force() {
    let transports = |name: &str, version: &str| of(name, version).map(|known| known.transports);
    for (name, before, after) in [
        (
            "W0XPRI",
            Some(vec![Transport::Tcp]),
            vec![Transport::Tcp, Transport::Tls],
        ),
        (
            "W01/02BRI",
            Some(vec![Transport::Tcp]),
            vec![Transport::Tcp, Transport::Tls],
        ),
        ("START", None, vec![Transport::Tls]),
        ("WP480R3", None, vec![Transport::Tls]),
        ("WP480R2", Some(vec![Transport::Tcp]), vec![Transport::Tcp]),
    ] {
        assert_eq!(transports(name, "3.88.41912.34"), before, "{name}");
        for version in ["4.0", "4.02.1"] {
            assert_eq!(transports(name, version), Some(after.clone()), "{name}");
        }
    }
    // The times of a line stay those of the edition in force, if it has one.
    assert_eq!(of("W0XPRI", "4.02.1").unwrap().switch, seconds(10, 10));
    assert_eq!(of("START", "4.02.1").unwrap().switch, None);
    assert_eq!(of("START", "4.02.1").unwrap().port, 443);
    assert_eq!(of("Vision", "4.02.1"), None);
}

#[test]
fn a_pair_of_two_versions_has_what_both_have() {
    let on = |name: &str, versions: [&str; 2]| {
        let versions = versions.map(wms);
        signalling_on_all(model(name).unwrap(), &versions, None)
    };
    let pri = on("W0XPRI", ["5.01", "3.88"]).unwrap();
    assert_eq!(pri.transports, [Transport::Tcp]);
    let telephone = on("WP490R2", ["3.88", "5.01"]).unwrap();
    assert_eq!(telephone.switch, seconds(30, 60));
    let without_revision = on("WP490", ["3.86", "5.01"]).unwrap();
    assert_eq!(without_revision.switch, seconds(30, 145));
    // Known on one of them only: it speaks as documented there, and how long it takes is not known.
    for versions in [["3.86", "5.01"], ["5.01", "3.86"]] {
        let start = on("START", versions).unwrap();
        assert_eq!(start.transports, [Transport::Tls]);
        assert_eq!((start.switch, start.r#return), (None, None));
    }
    assert_eq!(
        on("WP600A", ["5.01", "3.86"]).unwrap().switch,
        None,
        "a dash"
    );
    assert_eq!(on("START", ["3.86", "3.88"]), None);
}

#[test]
fn tables_name_models_of_the_catalogue() {
    for edition in editions() {
        let dated = edition.dated.iter().flat_map(|dated| dated.models);
        for name in edition
            .table
            .iter()
            .flat_map(|line| line.models)
            .chain(dated)
        {
            assert!(
                models().iter().any(|model| model.name == *name),
                "{name} in {}",
                edition.name
            );
        }
        for line in edition.table {
            assert!(!line.transports.is_empty());
            for range in [line.switch, line.r#return].into_iter().flatten() {
                assert!(range.min <= range.max);
            }
        }
    }
}

#[test]
fn the_analogue_adapter_is_udp_in_both_editions() {
    for version in ["3.86.30011", "6.01"] {
        let signalling = of("W02FXSR2", version).unwrap();
        assert_eq!(signalling.transports, [Transport::Udp]);
        assert_eq!(signalling.port, 5060);
        assert_eq!(signalling.switch, seconds(30, 60));
        assert_eq!(signalling.r#return, seconds(10, 30));
    }
}

#[test]
fn a_dash_is_unknown_and_an_absent_line_is_none() {
    let signalling = of("WP600A", "3.86").unwrap();
    assert_eq!(
        (signalling.transports.as_slice(), signalling.port),
        ([Transport::Tls].as_slice(), 443)
    );
    assert_eq!((signalling.switch, signalling.r#return), (None, None));
    assert_eq!(of("WP600A", "5.01").unwrap().switch, seconds(60, 180));
    assert_eq!(of("START", "3.86"), None);
    assert_eq!(of("W-AIR", "6.01"), None);
    assert_eq!(of("W24FXSR2", "4.01"), of("W24FXSR2", "3.86"));
    assert_eq!(of("W24FXSR2", "3.85"), None);
}

#[test]
fn a_name_without_revision_covers_all_that_it_may_mean() {
    let old = of("WP480", "3.86").unwrap();
    assert_eq!(
        (old.switch, old.r#return),
        (seconds(30, 105), seconds(10, 105))
    );
    assert_eq!(old.transports, [Transport::Tcp]);
    let new = of("WP480", "5.01").unwrap();
    assert_eq!(
        (new.switch, new.r#return),
        (seconds(30, 145), seconds(10, 105))
    );
    assert_eq!(new.transports, [Transport::Tcp, Transport::Tls]);
    assert_eq!(of("WP480R3", "5.01").unwrap().switch, seconds(95, 145));
}

#[test]
fn the_year_tells_generations_apart_where_the_table_does() {
    let made = |name: &str, version: &str, year| {
        let signalling = signalling_made_in(model(name).unwrap(), &wms(version), year).unwrap();
        (signalling.switch, signalling.r#return)
    };
    let old = (seconds(60, 105), seconds(60, 105));
    let new = (seconds(30, 60), seconds(10, 60));
    assert_eq!(made("WP480", "3.86", Some(2014)), old);
    assert_eq!(made("WP480", "3.86", Some(2015)), new);
    assert_eq!(
        made("WP480", "3.86", None),
        (seconds(30, 105), seconds(10, 105))
    );
    // The later edition speaks of revisions, which a year does not tell.
    assert_eq!(
        made("WP480", "5.01", Some(2017)),
        made("WP480", "5.01", None)
    );
    assert_eq!(made("WP480R2", "3.86", None), new);
}

#[test]
fn the_asterisk_leaves_room_for_another_secure_port() {
    let port = |name: &str| of(name, "3.86").unwrap().documented_port;
    for (name, number, allowed) in [
        ("WP600A", 443, true),
        ("WP600A", 5443, true),
        ("WP600A", 5060, false),
        ("W02FXSR2", 5060, true),
        ("W02FXSR2", 443, false),
    ] {
        assert_eq!(port(name).allows(number), allowed, "{name} {number}");
    }
}

#[test]
fn times_read_as_printed() {
    assert_eq!(SecondsRange { min: 60, max: 105 }.to_string(), "60–105 s");
    assert_eq!(SecondsRange { min: 30, max: 30 }.to_string(), "30 s");
}
