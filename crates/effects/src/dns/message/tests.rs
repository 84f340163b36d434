use proptest::prelude::*;

use super::*;

fn rrset(owner: &str, rtype: &str, data: &[&str]) -> Rrset {
    Rrset {
        owner: owner.to_owned(),
        rtype: rtype.to_owned(),
        ttl: 60,
        data: data.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn update(require: &[Rrset], replace: &[Rrset]) -> Update {
    Update {
        zone: "acme.example".to_owned(),
        require: require.to_vec(),
        replace: replace.to_vec(),
    }
}

/// An update, sent and read back as if a server repeated its records in a transfer.
fn there_and_back(rrsets: &[Rrset]) -> Vec<Rrset> {
    let zone = Name::parse("acme.example").unwrap();
    let request = Request::update(&update(&[], rrsets), true).unwrap();
    let bytes = request.bytes();
    let message = Message::from_octets(bytes[2..].to_vec()).unwrap();
    let mut collected = Collected {
        begun: true,
        ..Collected::default()
    };
    for record in message.authority().unwrap() {
        let record: ParsedRecord<'_, Vec<u8>> = record.unwrap();
        if record.class() == Class::IN {
            collected.add(&record).unwrap();
        }
    }
    assert!(zone.0.to_string() == "acme.example");
    collected.finish()
}

/// What the contract says of the presentation form, type by type.
#[test]
fn data_comes_back_in_the_form_of_the_contract() {
    for (rtype, written, read) in [
        ("A", "10.20.0.10", "10.20.0.10"),
        ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("CNAME", "pbx1.acme.example.", "pbx1.acme.example."),
        ("NS", "NS1.acme.example.", "NS1.acme.example."),
        ("PTR", "pbx1.acme.example.", "pbx1.acme.example."),
        ("MX", "10 mail.acme.example.", "10 mail.acme.example."),
        (
            "SRV",
            "10 100 443 PBX1.acme.example.",
            "10 100 443 PBX1.acme.example.",
        ),
        ("SRV", "0 0 0 .", "0 0 0 ."),
        (
            "NAPTR",
            "10 50 s SIPS+D2T \"\" _sips._tcp.acme.example.",
            "10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example.",
        ),
        (
            "NAPTR",
            r#"100 10 "u" "E2U+sip" "!^.*$!sip:\"x\"@acme.example!" ."#,
            r#"100 10 "u" "E2U+sip" "!^.*$!sip:\"x\"@acme.example!" ."#,
        ),
        ("TXT", r#""v=spf1 -all" plain"#, r#""v=spf1 -all" "plain""#),
        (
            "TXT",
            r#""a;b \\ \"q\" \195\164 \000""#,
            r#""a;b \\ \"q\" \195\164 \000""#,
        ),
        ("CAA", "0 issue \"ca.example\"", "0 issue \"ca.example\""),
        ("TYPE65280", "\\# 3 0A0b 0C", "\\# 3 0a 0b 0c"),
    ] {
        let found = there_and_back(&[rrset("x.acme.example", rtype, &[written])]);
        assert_eq!(
            found,
            [rrset("x.acme.example", rtype, &[read])],
            "{rtype} {written}"
        );
    }
}

#[test]
fn what_is_no_data_is_not_sent() {
    for (rtype, text) in [
        ("A", "10.20.0.256"),
        ("A", "10.20.0.1 10.20.0.2"),
        ("A", ""),
        ("A", "10.20.0.1\n. 0 IN A 10.20.0.2"),
        ("A", "10.20.0.1 ; comment"),
        ("TXT", "\"open"),
        ("SRV", "10 100 pbx1.acme.example."),
        ("SRV", "10 100 65536 pbx1.acme.example."),
        ("CNAME", "a..b."),
    ] {
        let result = Request::update(
            &update(&[], &[rrset("x.acme.example", rtype, &[text])]),
            true,
        );
        assert!(
            matches!(result, Err(DnsError::Data { .. })),
            "{rtype} {text:?}"
        );
    }
    for rtype in [
        "SOA",
        "RRSIG",
        "NSEC3PARAM",
        "ANY",
        "AXFR",
        "TSIG",
        "OPT",
        "TYPE0",
        "NOSUCH",
        "",
    ] {
        let result = Request::update(&update(&[], &[rrset("x.acme.example", rtype, &[])]), true);
        assert!(matches!(result, Err(DnsError::Type { .. })), "{rtype}");
    }
    for owner in [
        "acme.example.org",
        "xacme.example",
        "example",
        "x\\.acme.example",
    ] {
        let result = Request::update(&update(&[], &[rrset(owner, "A", &[])]), true);
        assert!(matches!(result, Err(DnsError::Outside { .. })), "{owner}");
    }
}

#[test]
fn an_update_says_what_goes_what_comes_and_what_has_to_be_there() {
    let request = Request::update(
        &update(
            &[
                rrset("a.acme.example", "A", &["10.0.0.1", "10.0.0.2"]),
                rrset("b.acme.example", "CNAME", &[]),
            ],
            &[
                rrset("a.acme.example", "A", &[]),
                rrset("b.acme.example", "CNAME", &["a.acme.example."]),
            ],
        ),
        false,
    )
    .unwrap();
    let bytes = request.bytes();
    assert_eq!(
        usize::from(u16::from_be_bytes([bytes[0], bytes[1]])),
        bytes.len() - 2
    );
    let message = Message::from_octets(bytes[2..].to_vec()).unwrap();
    assert_eq!(message.header().opcode(), Opcode::UPDATE);
    let shown = |section: domain::base::message::RecordSection<'_, Vec<u8>>| -> Vec<String> {
        let line = |record: ParsedRecord<'_, Vec<u8>>| {
            let (owner, class, rtype) = (record.owner(), record.class(), record.rtype());
            format!(
                "{owner} {} {} {rtype} {}",
                record.ttl().as_secs(),
                class.to_int(),
                record.rdlen()
            )
        };
        section.map(|record| line(record.unwrap())).collect()
    };
    assert_eq!(
        shown(message.answer().unwrap()),
        [
            "a.acme.example 0 1 A 4",
            "a.acme.example 0 1 A 4",
            "b.acme.example 0 254 CNAME 0"
        ]
    );
    assert_eq!(
        shown(message.authority().unwrap()),
        [
            "a.acme.example 0 255 A 0",
            "b.acme.example 0 255 CNAME 0",
            "b.acme.example 60 1 CNAME 2"
        ]
    );
}

#[test]
fn an_update_that_fits_into_no_message_is_not_begun() {
    let long = format!("\"{}\"", "x".repeat(250));
    let texts: Vec<String> = (0..400).map(|n| format!("{long} \"{n}\"")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let result = Request::update(
        &update(&[], &[rrset("x.acme.example", "TXT", &texts)]),
        true,
    );
    assert!(matches!(result, Err(DnsError::TooLong { .. })));
}

proptest! {
    #[test]
    fn foreign_bytes_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 12..400)) {
        let zone = Name::parse("acme.example").unwrap();
        if let Ok(message) = Message::from_octets(bytes) {
            let _ = serial(&message, &zone);
            let _ = Collected { begun: true, ..Collected::default() }.take(&message, &zone);
        }
    }

    /// Whatever a server says the data of a record is.
    #[test]
    fn foreign_data_is_shown_or_an_error(rtype in 1_u16..300, data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut builder = Request::begin().unwrap().answer();
        let unknown = UnknownRecordData::from_octets(Rtype::from_int(rtype), data).unwrap();
        builder.push((Name::parse("x.acme.example").unwrap().0, Class::IN, Ttl::ZERO, unknown)).unwrap();
        let bytes = builder.finish().into_target().into_target();
        let message = Message::from_octets(bytes[2..].to_vec()).unwrap();
        let zone = Name::parse("acme.example").unwrap();
        let mut collected = Collected { begun: true, ..Collected::default() };
        if collected.take(&message, &zone).is_ok() {
            for rrset in collected.finish() {
                for data in rrset.data {
                    prop_assert!(!data.chars().any(char::is_control), "{data:?}");
                }
            }
        }
    }

    #[test]
    fn foreign_text_is_an_error_and_no_panic(rtype in "[A-Z]{1,5}|TYPE[0-9]{1,5}", text in "\\PC{0,80}", owner in "\\PC{0,40}") {
        let _ = Request::update(&update(&[], &[rrset("x.acme.example", &rtype, &[&text])]), true);
        let _ = Request::update(&update(&[rrset(&owner, "A", &[])], &[]), true);
    }

    /// Any character string comes back as it was.
    #[test]
    fn texts_survive(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text: String = bytes.iter().map(|byte| format!("\\{byte:03}")).collect();
        let first = there_and_back(&[rrset("x.acme.example", "TXT", &[&format!("\"{text}\"")])]);
        let again = there_and_back(&first);
        prop_assert_eq!(first, again);
    }
}
