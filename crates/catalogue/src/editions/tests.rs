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
fn times_read_as_printed() {
    assert_eq!(SecondsRange { min: 60, max: 105 }.to_string(), "60–105 s");
    assert_eq!(SecondsRange { min: 30, max: 30 }.to_string(), "30 s");
}
