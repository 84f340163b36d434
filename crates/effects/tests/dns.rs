//! A DNS server that answers as it is told to, over TCP on the loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::message::Message;
use domain::base::message_builder::{AnswerBuilder, MessageBuilder};
use domain::base::name::Name;
use domain::base::rdata::UnknownRecordData;
use domain::base::record::Ttl;
use domain::rdata::tsig::Time48;
use domain::tsig::{self, Algorithm, KeyName, ServerSequence};
use switchover_effects::dns::{Address, DnsError, Key, Options, Rrset, Server, Update};
use switchover_effects::secrets::Secret;
use switchover_effects::{Masker, Reporting};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::recorder::Recorder;

const SECRET: &str = "c3dpdGNob3Zlci1zZWNyZXQtZm9yLXRlc3Rz";
const ZONE: &str = "acme.example";

/// What the server does with one request.
#[derive(Debug, Clone)]
enum Does {
    /// These messages, each the records of an answer; signed where true.
    Answers(Vec<(Vec<Record>, bool)>),
    /// This code, signed or not.
    Code(Rcode, bool),
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// Nothing, until the client goes away.
    Hangs,
    /// Its clock is wrong by so many seconds.
    Clock(i64),
}

/// Owner, type, data.
type Record = (&'static str, Rtype, Vec<u8>);

fn soa(serial: u32) -> Record {
    let mut data = b"\x03ns1\x04acme\x07example\x00\x01h\x00".to_vec();
    for number in [serial, 3600, 600, 86400, 60] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    (ZONE, Rtype::SOA, data)
}

fn a(owner: &'static str, last: u8) -> Record {
    (owner, Rtype::A, vec![10, 0, 0, last])
}

fn tsig_key(secret: &[u8]) -> Arc<tsig::Key> {
    let name: KeyName = "switchover".parse().unwrap();
    Arc::new(tsig::Key::new(Algorithm::Sha256, secret, name, None, None).unwrap())
}

fn respond(request: &Message<Vec<u8>>, records: &[Record], rcode: Rcode) -> AnswerBuilder<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec()
        .start_answer(request, rcode)
        .unwrap();
    for (owner, rtype, data) in records {
        let owner: Name<Vec<u8>> = owner.parse().unwrap();
        let data = UnknownRecordData::from_octets(*rtype, data.clone()).unwrap();
        builder
            .push((owner, Class::IN, Ttl::from_secs(60), data))
            .unwrap();
    }
    builder
}

/// Serves one connection for each of these, in order.
async fn serve(does: Vec<Does>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for one in does {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut bytes = vec![0; usize::from(length)];
            stream.read_exact(&mut bytes).await.unwrap();
            for part in answer(bytes, one) {
                let Some(part) = part else {
                    let _ = stream.read_u8().await;
                    break;
                };
                stream.write_all(&part).await.unwrap();
            }
        }
    });
    address
}

/// Parts to send; none for one that does not come.
fn answer(bytes: Vec<u8>, does: Does) -> Vec<Option<Vec<u8>>> {
    let framed = |message: Vec<u8>| {
        let mut framed = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(message);
        Some(framed)
    };
    let mut request = Message::from_octets(bytes).unwrap();
    let skew = match does {
        Does::Clock(skew) => skew,
        _ => 0,
    };
    let now = Time48::from_u64(seconds_now().checked_add_signed(skew).unwrap());
    let key = tsig_key(b"switchover-secret-for-tests");
    let sequence = ServerSequence::request(&key, &mut request, now);
    let mut sequence = match sequence {
        Ok(sequence) => sequence.unwrap(),
        Err(error) => {
            let refusal = error
                .build_message(&request, MessageBuilder::new_vec())
                .unwrap();
            return vec![framed(refusal.finish())];
        }
    };
    let mut message = |records: &[Record], rcode, signed| {
        let mut builder = respond(&request, records, rcode).additional();
        if signed {
            sequence.answer(&mut builder, now).unwrap();
        }
        builder.finish()
    };
    match does {
        Does::Answers(parts) => parts
            .iter()
            .map(|(records, signed)| framed(message(records, Rcode::NOERROR, *signed)))
            .collect(),
        Does::Code(rcode, signed) => vec![framed(message(&[], rcode, signed))],
        Does::Bytes(bytes) => vec![Some(bytes)],
        Does::Hangs => vec![None],
        Does::Clock(_) => vec![framed(message(&[soa(1)], Rcode::NOERROR, true))],
    }
}

fn seconds_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn client(address: SocketAddr, secret: &str, algorithm: &str, recorder: &Arc<Recorder>) -> Server {
    let secret = Secret::new(secret.to_owned());
    let key = Key::new("switchover", algorithm, &secret).unwrap();
    let options = Options {
        timeout: Duration::from_millis(300),
        max_bytes: 4096,
        ..Options::default()
    };
    let reporting = Reporting::new(Masker::default(), Some(recorder.clone()));
    Server::new(
        Address::parse(&address.to_string()).unwrap(),
        Some(key),
        options,
        &reporting,
    )
}

async fn with(does: Does) -> Server {
    client(
        serve(vec![does]).await,
        SECRET,
        "hmac-sha256",
        &Arc::default(),
    )
}

fn update() -> Update {
    let rrset = |data: &[&str]| Rrset {
        owner: "a.acme.example".to_owned(),
        rtype: "A".to_owned(),
        ttl: 60,
        data: data.iter().map(|&text| text.to_owned()).collect(),
    };
    Update {
        zone: ZONE.to_owned(),
        require: vec![rrset(&[])],
        replace: vec![rrset(&["10.0.0.1"])],
    }
}

#[tokio::test]
async fn a_transfer_of_many_messages_is_one_zone() {
    let parts = vec![
        (vec![soa(7), a("B.acme.example", 2)], true),
        (vec![a("a.acme.example", 1)], true),
        (
            vec![a("b.acme.example", 1), (ZONE, Rtype::RRSIG, vec![0; 40])],
            true,
        ),
        (vec![soa(7)], true),
    ];
    let recorder = Arc::new(Recorder::default());
    let address = serve(vec![Does::Answers(parts)]).await;
    let server = client(address, SECRET, "hmac-sha256", &recorder);
    let zone = server.transfer(ZONE).await.unwrap();
    let shown: Vec<String> = zone
        .iter()
        .map(|rrset| format!("{} {:?}", rrset.owner, rrset.data))
        .collect();
    assert_eq!(
        shown,
        [
            "a.acme.example [\"10.0.0.1\"]",
            "b.acme.example [\"10.0.0.1\", \"10.0.0.2\"]"
        ]
    );
    let told = recorder.lines();
    assert!(
        told[0].starts_with(&format!("AXFR acme.example at {address} in ")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_transfer_that_is_not_whole_and_signed_is_none() {
    let whole = vec![soa(7), a("a.acme.example", 1), soa(7)];
    let many: Vec<(Vec<Record>, bool)> = std::iter::once((vec![soa(7)], true))
        .chain((0..100).map(|_| (vec![a("a.acme.example", 1); 10], true)))
        .collect();
    let cases = [
        (Does::Answers(vec![(whole.clone(), false)]), "Unsigned"),
        (
            Does::Answers(vec![(vec![soa(7)], true), (vec![soa(7)], false)]),
            "NotTrusted",
        ),
        (
            Does::Answers(vec![(vec![soa(7), a("a.acme.example", 1)], true)]),
            "Closed",
        ),
        (
            Does::Answers(vec![(vec![a("a.acme.example", 1)], true)]),
            "Garbled",
        ),
        (
            Does::Answers(vec![(vec![soa(7), a("a.other.example", 1)], true)]),
            "Garbled",
        ),
        (
            Does::Answers(vec![(vec![soa(7), (ZONE, Rtype::A, vec![1])], true)]),
            "Garbled",
        ),
        (Does::Answers(many), "TooLarge"),
        (Does::Answers(vec![]), "Closed"),
        (Does::Bytes(vec![0, 3, 1, 2, 3]), "Garbled"),
        (
            Does::Bytes(b"\x00\x0c\xff\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec()),
            "Garbled",
        ),
        (Does::Bytes(vec![0, 200, 1]), "Closed"),
        (
            Does::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            "TooLarge",
        ),
        (Does::Hangs, "Timeout"),
    ];
    for (does, expected) in cases {
        let error = with(does.clone()).await.transfer(ZONE).await.unwrap_err();
        assert!(
            format!("{error:?}").starts_with(expected),
            "{does:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_code_is_an_error_that_says_what_to_do() {
    for (rcode, variant) in [
        (Rcode::NXRRSET, "Moved"),
        (Rcode::YXRRSET, "Moved"),
        (Rcode::YXDOMAIN, "Moved"),
        (Rcode::REFUSED, "Denied"),
        (Rcode::NOTAUTH, "NotAuthoritative"),
        (Rcode::NOTZONE, "NotInZone"),
        (Rcode::NOTIMP, "NotImplemented"),
        (Rcode::SERVFAIL, "ServerFailed"),
        (Rcode::FORMERR, "Code"),
    ] {
        for signed in [true, false] {
            let error = with(Does::Code(rcode, signed))
                .await
                .update(&update())
                .await
                .unwrap_err();
            assert!(format!("{error:?}").starts_with(variant), "{error:?}");
            assert!(error.did_nothing(), "{error:?}");
            assert!(miette::Diagnostic::help(&error).is_some(), "{error:?}");
        }
    }
    // An update that seems to have been done, but nobody vouches for it.
    let error = with(Does::Code(Rcode::NOERROR, false))
        .await
        .update(&update())
        .await
        .unwrap_err();
    assert!(
        matches!(error, DnsError::Unsigned { .. }) && !error.did_nothing(),
        "{error:?}"
    );
    for (does, sent) in [(Does::Hangs, true), (Does::Answers(vec![]), true)] {
        let error = with(does).await.update(&update()).await.unwrap_err();
        assert_eq!(!error.did_nothing(), sent, "{error:?}");
    }
}

#[tokio::test]
async fn keys_and_clocks_that_do_not_fit_are_told_apart() {
    let recorder = Arc::default();
    let ask = async |does, secret: &str, algorithm: &str| {
        let address = serve(vec![does]).await;
        client(address, secret, algorithm, &recorder)
            .serial(ZONE)
            .await
            .unwrap_err()
    };
    let fine = || Does::Code(Rcode::NOERROR, true);
    let error = ask(fine(), "d3Jvbmc=", "hmac-sha256").await;
    // This server says NOTAUTH and leaves it at that, as PowerDNS does; BIND and Knot say BADSIG.
    assert!(
        matches!(error, DnsError::NotAuthoritative { .. }),
        "{error:?}"
    );
    let error = ask(fine(), SECRET, "hmac-sha512").await;
    assert!(matches!(error, DnsError::UnknownKey { .. }), "{error:?}");
    for (skew, said) in [(-1000, "this one is ahead"), (1000, "this one is behind")] {
        let error = ask(Does::Clock(skew), SECRET, "hmac-sha256").await;
        assert!(matches!(error, DnsError::BadTime { .. }), "{error:?}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let error = ask(fine(), SECRET, "hmac-sha256").await;
    assert!(matches!(error, DnsError::NoZone { .. }), "{error:?}");
}

#[tokio::test]
async fn what_an_update_would_leave_is_compared_with_what_is_there() {
    for (records, expected) in [
        (vec![soa(7), a("a.acme.example", 1), soa(7)], true),
        (vec![soa(7), a("a.acme.example", 2), soa(7)], false),
        (
            vec![
                soa(7),
                a("a.acme.example", 1),
                a("a.acme.example", 2),
                soa(7),
            ],
            false,
        ),
        (vec![soa(7), soa(7)], false),
    ] {
        let server = with(Does::Answers(vec![(records, true)])).await;
        assert_eq!(server.is_as_after(&update()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_answer_is_the_expected_data_in_whatever_order_and_nothing_else() {
    let expected = Rrset {
        owner: "a.acme.example".to_owned(),
        rtype: "A".to_owned(),
        ttl: 1,
        data: vec!["10.0.0.1".to_owned(), "10.0.0.2".to_owned()],
    };
    let answers = async |records: Vec<Record>| {
        let server = with(Does::Answers(vec![(records, true)])).await;
        server.answers(ZONE, std::slice::from_ref(&expected)).await
    };
    let [one, two, three] = [1, 2, 3].map(|last| a("a.acme.example", last));
    let other = a("b.acme.example", 2);
    for records in [
        vec![one.clone(), two.clone()],
        vec![two.clone(), one.clone()],
        vec![two.clone(), other.clone(), one.clone()],
    ] {
        answers(records).await.unwrap();
    }
    for (records, told) in [
        (vec![], "nothing of that kind"),
        (vec![one.clone()], "10.0.0.1"),
        (vec![one.clone(), other], "10.0.0.1"),
        (vec![one.clone(), three.clone()], "10.0.0.1, 10.0.0.3"),
        (vec![one, two, three], "10.0.0.1, 10.0.0.2, 10.0.0.3"),
    ] {
        match answers(records).await.unwrap_err() {
            DnsError::Differs {
                found, expected, ..
            } => {
                assert_eq!(
                    (found.as_str(), expected.as_str()),
                    (told, "10.0.0.1, 10.0.0.2")
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address, SECRET, "hmac-sha256", &Arc::default())
        .update(&update())
        .await
        .unwrap_err();
    assert!(
        matches!(error, DnsError::Refused { .. }) && error.did_nothing(),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_update_that_is_accepted_is_done() {
    let address = serve(vec![Does::Code(Rcode::NOERROR, true)]).await;
    client(address, SECRET, "hmac-sha256", &Arc::default())
        .update(&update())
        .await
        .unwrap();
}
