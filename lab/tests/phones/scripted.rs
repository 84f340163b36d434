//! Phones against a registrar that says what the test wants it to.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use sha2::{Digest as _, Sha256};
use switchover_lab::{Fleet, Registration, SipAccount, SipPhone, SipServer, SipTransport};

use super::{LONG, PASSWORD};

/// A request as it was received.
#[derive(Debug, Clone)]
struct Received(String);

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.0.lines().find_map(|line| line.strip_prefix(&*prefix))
    }

    /// A parameter of the `Authorization`.
    fn proof(&self, name: &str) -> Option<&str> {
        let proof = self.header("Authorization")?.strip_prefix("Digest ")?;
        let mut parameters = proof.split(',').filter_map(|it| it.trim().split_once('='));
        let (_, value) = parameters.find(|(found, _)| *found == name)?;
        Some(value.trim_matches('"'))
    }

    /// An answer with a status and further lines.
    fn answer(&self, status: &str, lines: &[&str]) -> String {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            text.push_str(&format!("{name}: {}\r\n", self.header(name).unwrap()));
        }
        text.push_str(&format!(
            "To: {};tag=server\r\n",
            self.header("To").unwrap()
        ));
        for line in lines {
            text.push_str(&format!("{line}\r\n"));
        }
        text + "Content-Length: 0\r\n\r\n"
    }

    fn accepted(&self) -> String {
        let contact = format!("Contact: {};expires=600", self.header("Contact").unwrap());
        self.answer("200 OK", &[&contact])
    }
}

/// A phone whose only server says to each message what it is told to; `None` is an answer that gets lost. Gives every
/// message, too.
fn phone_of<Said: IntoIterator<Item = String>>(
    mut script: impl FnMut(usize, &Received) -> Said + Send + 'static,
) -> (Fleet, Receiver<Received>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        for number in 0.. {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                return;
            };
            let request = Received(String::from_utf8(buffer[..length].to_vec()).unwrap());
            for said in script(number, &request) {
                socket.send_to(said.as_bytes(), from).unwrap();
            }
            // The test is over when nobody listens.
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    let account = SipAccount::new("101", PASSWORD);
    let server = SipServer::new("127.0.0.1", port);
    let mut phone = SipPhone::new(account, server, None, SipTransport::Udp);
    phone.time_scale = 0.1;
    let mut fleet = Fleet::new();
    fleet.add_here(&[phone]).unwrap();
    (fleet, told)
}

fn next(requests: &Receiver<Received>) -> Received {
    requests.recv_timeout(LONG).unwrap()
}

/// Why the phone is not registered, once that says what is expected.
fn away(fleet: &Fleet, expected: &str) {
    fleet
        .wait_for_phone(
            "101",
            LONG,
            |phone| matches!(&phone.main, Registration::Away(_, why) if why == expected),
        )
        .unwrap();
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn a_challenge_with_sha_256_is_answered() {
    let (fleet, requests) = phone_of(|_, request| {
        if request.header("Authorization").is_some() {
            return Some(request.accepted());
        }
        let challenge =
            r#"WWW-Authenticate: Digest realm="pbx", nonce="abc", algorithm=SHA-256, qop="auth""#;
        Some(request.answer("401 Unauthorized", &[challenge]))
    });
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
    let (first, second) = (next(&requests), next(&requests));
    assert_eq!(first.header("Call-ID"), second.header("Call-ID"));
    assert_eq!(first.header("CSeq"), Some("1 REGISTER"));
    assert_eq!(second.header("CSeq"), Some("2 REGISTER"));
    let proof = |name| second.proof(name).unwrap();
    let who = sha256(&format!("101:pbx:{PASSWORD}"));
    let what = sha256(&format!("REGISTER:{}", proof("uri")));
    let together = format!("{who}:abc:{}:{}:auth:{what}", proof("nc"), proof("cnonce"));
    assert_eq!(proof("response"), sha256(&together));
    assert!(
        second
            .0
            .starts_with(&format!("REGISTER {} SIP/2.0\r\n", proof("uri")))
    );
}

#[test]
fn a_registrar_that_always_asks_again_is_believed_after_the_third_time() {
    let (fleet, requests) = phone_of(|number, request| {
        let challenge = format!(r#"WWW-Authenticate: Digest realm="pbx", nonce="n{number}""#);
        Some(request.answer("401 Unauthorized", &[&challenge]))
    });
    away(&fleet, "401 Unauthorized");
    let nonces: Vec<_> = (0..3)
        .map(|_| next(&requests).proof("nonce").map(str::to_owned))
        .collect();
    assert_eq!(nonces, [None, Some("n0".to_owned()), Some("n1".to_owned())]);
}

#[test]
fn a_registration_that_is_too_brief_is_made_longer() {
    let (fleet, requests) = phone_of(|_, request| {
        if request.header("Expires") == Some("600") {
            return Some(request.accepted());
        }
        Some(request.answer("423 Interval Too Brief", &["Min-Expires: 600"]))
    });
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
    assert_eq!(next(&requests).header("Expires"), Some("180"));
    assert_eq!(next(&requests).header("Expires"), Some("600"));
}

#[test]
fn what_gets_lost_is_sent_again_byte_for_byte() {
    let (fleet, requests) = phone_of(|number, request| (number >= 2).then(|| request.accepted()));
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
    let first = next(&requests).0;
    assert_eq!(first, next(&requests).0);
    assert_eq!(first, next(&requests).0);
}

#[test]
fn an_answer_without_the_contact_is_no_registration() {
    let (fleet, _requests) = phone_of(|_, request| {
        let other = "Contact: <sip:101@192.0.2.1:5060>;expires=60";
        Some(request.answer("200 OK", &[other]))
    });
    away(&fleet, "200 OK without this phone's contact");
    assert_eq!(fleet.summary().registered_main, 0);
}

#[test]
fn answers_that_say_no_are_told_and_tried_again() {
    let (fleet, requests) = phone_of(|number, request| {
        Some(match number {
            0 => request.answer("503 Service Unavailable", &[]),
            1 => request.answer("403 Forbidden", &[]),
            _ => request.accepted(),
        })
    });
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
    let ports: Vec<_> = (0..3)
        .map(|_| next(&requests).header("Contact").map(str::to_owned))
        .collect();
    assert_eq!(ports[0], ports[1], "the same contact all the time");
    assert_eq!(ports[1], ports[2]);
}

#[test]
fn a_server_that_talks_nonsense_is_as_good_as_silent() {
    let (fleet, _requests) = phone_of(|_, _| Some("\u{0}nonsense\r\n\r\n".to_owned()));
    away(&fleet, "no answer to REGISTER");
}

#[test]
fn a_server_that_stops_answering_is_noticed_by_options() {
    let (fleet, requests) = phone_of(|_, request| {
        let register = request.0.starts_with("REGISTER");
        let unanswered = !register || request.header("CSeq") == Some("2 REGISTER");
        (!unanswered).then(|| request.accepted())
    });
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
    away(&fleet, "no answer to OPTIONS");
    assert!(next(&requests).0.starts_with("REGISTER"));
    assert!(next(&requests).0.starts_with("OPTIONS sip:127.0.0.1:"));
    // One try without an answer, and then one with it.
    fleet.wait(LONG, |now| now.on_main == 1).unwrap();
}

/// A request of a caller for the phone, within its one call.
fn of_a_caller(method: &str, number: u8, target: &str, to: &str) -> String {
    [
        &format!("{method} {target} SIP/2.0"),
        &format!("Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-{method}"),
        "Max-Forwards: 70",
        "From: <sip:caller@127.0.0.1>;tag=caller",
        &format!("To: {to}"),
        "Call-ID: the-call",
        &format!("CSeq: {number} {method}"),
        "Contact: <sip:caller@127.0.0.1:5060>",
        "Content-Length: 0",
        "",
        "",
    ]
    .join("\r\n")
}

#[test]
fn a_call_was_up_though_its_end_overtook_the_acknowledgement() {
    let mut contact = String::new();
    let (fleet, _requests) = phone_of(move |number, message| {
        if number == 0 {
            contact = message.header("Contact").unwrap().to_owned();
            let target = contact.trim_matches(['<', '>']);
            let invite = of_a_caller("INVITE", 1, target, "<sip:101@127.0.0.1>");
            return vec![message.accepted(), invite];
        }
        if message.0.starts_with("SIP/2.0 200") && message.header("CSeq") == Some("1 INVITE") {
            let target = contact.trim_matches(['<', '>']);
            return vec![of_a_caller("BYE", 2, target, message.header("To").unwrap())];
        }
        Vec::new()
    });
    fleet
        .wait_for_phone("101", LONG, |phone| phone.calls_up == 1)
        .unwrap();
}
