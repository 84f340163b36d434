use super::*;
use crate::model::{model, models};

fn wms(text: &str) -> DottedVersion {
    text.parse().unwrap()
}

fn of(name: &str, version: &str) -> Option<Signalling> {
    signalling(model(name).unwrap(), &wms(version))
}

#[test]
fn editions_cover_what_they_name_and_nothing_else() {
    for (version, name) in [
        ("3.85.9999", None),
        ("3.86", Some("3.86")),
        ("3.86.30011", Some("3.86")),
        ("3.87", None),
        ("3.100", None),
        ("4.01", None),
        ("5.00.1", Some("5.0X/6.0X")),
        ("5.09.20220101", Some("5.0X/6.0X")),
        ("5.10", None),
        ("6.03", Some("5.0X/6.0X")),
        ("7.01", None),
    ] {
        assert_eq!(
            edition(&wms(version)).map(|edition| edition.name),
            name,
            "{version}"
        );
    }
}

#[test]
fn tables_name_models_of_the_catalogue() {
    for edition in editions() {
        for line in edition.table {
            assert!(!line.transports.is_empty());
            for name in line.models {
                assert!(
                    models().iter().any(|model| model.name == *name),
                    "{name} in {}",
                    edition.name
                );
            }
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
    assert_eq!(of("W24FXSR2", "4.01"), None);
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
