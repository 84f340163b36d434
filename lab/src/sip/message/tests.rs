use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID, Via};
use ezk_sip_types::uri::SipUri;
use ezk_sip_types::{Method, Name, StatusCode};
use proptest::prelude::*;

use super::{Frame, Framer, Message, MessageError, TransactionKey};

const INVITE: &str = "INVITE sip:101@10.0.0.1:4000;transport=tcp SIP/2.0\r\n\
    Via: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKproxy\r\n\
    v: SIP/2.0/UDP 10.0.0.3:5061;branch=z9hG4bKcaller;rport\r\n\
    Record-Route: <sip:10.0.0.2;lr>\r\n\
    f: \"A. Caller\" <sip:200@pbx1>;tag=abc\r\n\
    To: <sip:101@pbx1>\r\n\
    i: one@10.0.0.3\r\n\
    CSeq: 7 INVITE\r\n\
    m: <sip:200@10.0.0.3:5061>\r\n\
    Subject: folded\r\n  over two lines\r\n\
    Content-Length: 4\r\n\r\nv=0\n";

fn parse(text: &str) -> Message {
    Message::from_datagram(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn framed(framer: &mut Framer) -> Vec<Result<Frame, MessageError>> {
    std::iter::from_fn(|| framer.next().transpose()).collect()
}

#[test]
fn a_request_is_read() {
    let message = parse(INVITE);
    assert_eq!(message.method(), Some(&Method::INVITE));
    assert_eq!(message.code(), None);
    assert_eq!(message.call_id(), Some("one@10.0.0.3"));
    assert_eq!(message.number(), Some(7));
    assert_eq!(message.tag(Name::FROM).as_deref(), Some("abc"));
    assert_eq!(message.tag(Name::TO), None);
    assert_eq!(message.contacts().len(), 1);
    assert_eq!(&message.body[..], b"v=0\n");
    assert_eq!(
        message.transaction(),
        Some(TransactionKey::new("z9hG4bKproxy", &Method::INVITE))
    );
}

#[test]
fn an_acknowledgement_belongs_to_its_invitation() {
    let ack = INVITE
        .replace("INVITE sip", "ACK sip")
        .replace("7 INVITE", "7 ACK");
    assert_eq!(parse(&ack).transaction(), parse(INVITE).transaction());
}

#[test]
fn an_answer_takes_over_what_it_must() {
    let answer = Message::answer(&parse(INVITE), StatusCode::OK, "mine");
    let text = String::from_utf8(answer.to_bytes().to_vec()).unwrap();
    assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
    let back = parse(&text);
    assert_eq!(back.code(), Some(200));
    assert_eq!(back.status(), "200 OK");
    assert_eq!(back.tag(Name::TO).as_deref(), Some("mine"));
    assert_eq!(back.tag(Name::FROM).as_deref(), Some("abc"));
    assert_eq!(back.transaction(), parse(INVITE).transaction());
    let vias: Vec<Via> = back.headers.get_named().unwrap();
    assert_eq!(vias.len(), 2, "{text}");
    assert_eq!(vias[1].sent_by.port, Some(5061));
    assert!(
        text.contains("Record-Route: <sip:10.0.0.2;lr>\r\n"),
        "{text}"
    );
    assert!(text.ends_with("Content-Length: 0\r\n\r\n"), "{text}");
}

#[test]
fn a_tag_that_is_there_stays() {
    let within = INVITE.replace("To: <sip:101@pbx1>", "To: <sip:101@pbx1>;tag=theirs");
    let answer = Message::answer(&parse(&within), StatusCode::OK, "mine");
    assert_eq!(answer.tag(Name::TO).as_deref(), Some("theirs"));
}

#[test]
fn what_is_written_is_read_back() {
    let uri: SipUri = "sip:101@pbx1.acme.example:443".parse().unwrap();
    let mut request = Message::request(Method::REGISTER, uri);
    let address: std::net::SocketAddr = "[::1]:4000".parse().unwrap();
    request
        .headers
        .insert_named(&Via::new("TLS", address, "z9hG4bKx"));
    request.headers.insert_named(&CallID::new("two"));
    request
        .headers
        .insert_named(&CSeq::new(3, Method::REGISTER));
    request.body = "body".into();
    let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
    assert!(
        text.starts_with("REGISTER sip:101@pbx1.acme.example:443 SIP/2.0\r\nVia: SIP/2.0/TLS [::1]:4000;branch=z9hG4bKx\r\n"),
        "{text}"
    );
    let back = parse(&text);
    assert_eq!(back.number(), Some(3));
    assert_eq!(&back.body[..], b"body");
}

#[test]
fn a_datagram_without_a_length_is_all_body() {
    let message = parse(&INVITE.replace("Content-Length: 4\r\n", ""));
    assert_eq!(&message.body[..], b"v=0\n");
}

#[test]
fn what_is_no_message_is_told() {
    let read =
        |text: &str| Message::from_datagram(&Bytes::copy_from_slice(text.as_bytes())).map(|_| ());
    assert_eq!(read("hello\r\n\r\n"), Err(MessageError::FirstLine));
    assert_eq!(read(""), Err(MessageError::NoEnd));
    assert_eq!(
        read("OPTIONS sip:a SIP/2.0\r\nVia: x"),
        Err(MessageError::NoEnd)
    );
    let longer = INVITE.replace("Length: 4", "Length: 5");
    assert_eq!(read(&longer), Err(MessageError::Length));
    let endless = INVITE.replace("Length: 4", "Length: 99999999");
    assert_eq!(read(&endless), Err(MessageError::TooLarge));
}

#[test]
fn a_stream_is_cut_into_messages_wherever_it_is_split() {
    let stream = format!("\r\n{INVITE}\r\n\r\n{INVITE}");
    for split in 0..stream.len() {
        let mut framer = Framer::default();
        framer.buffer.extend_from_slice(&stream.as_bytes()[..split]);
        let mut frames = framed(&mut framer);
        framer.buffer.extend_from_slice(&stream.as_bytes()[split..]);
        frames.extend(framed(&mut framer));
        let messages: Vec<_> = frames
            .iter()
            .filter_map(|frame| match frame {
                Ok(Frame::Message(message)) => Some(&message.body[..]),
                Ok(Frame::Ping | Frame::Pong) => None,
                Err(error) => panic!("split at {split}: {error}"),
            })
            .collect();
        assert_eq!(messages, [b"v=0\n", b"v=0\n"], "split at {split}");
        assert!(framer.buffer.is_empty());
    }
}

#[test]
fn line_ends_ask_and_answer() {
    let mut framer = Framer::default();
    framer.buffer.extend_from_slice(b"\r\n\r\n\r\n");
    let frames = framed(&mut framer);
    assert!(
        matches!(frames[..], [Ok(Frame::Ping), Ok(Frame::Pong)]),
        "{frames:?}"
    );
}

#[test]
fn a_stream_without_a_length_cannot_be_cut() {
    let mut framer = Framer::default();
    let text = INVITE.replace("Content-Length: 4\r\n", "");
    framer.buffer.extend_from_slice(text.as_bytes());
    assert_eq!(framer.next().unwrap_err(), MessageError::Length);
}

#[test]
fn a_head_that_never_ends_is_cut_off() {
    let mut framer = Framer::default();
    framer.buffer.extend_from_slice(&[b'a'; 65_536]);
    assert_eq!(framer.next().unwrap_err(), MessageError::TooLarge);
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(bytes: Vec<u8>) {
        let _ = Message::from_datagram(&bytes.clone().into());
        let mut framer = Framer::default();
        framer.buffer.extend_from_slice(&bytes);
        while let Ok(Some(_)) = framer.next() {}
    }

    #[test]
    fn nor_does_a_message_with_a_flaw(at in 0..INVITE.len(), byte: u8, cut in 0..INVITE.len()) {
        let mut bytes = INVITE.as_bytes().to_vec();
        bytes[at] = byte;
        bytes.truncate(cut.max(at));
        let mut framer = Framer::default();
        framer.buffer.extend_from_slice(&bytes);
        while let Ok(Some(_)) = framer.next() {}
        if let Ok(message) = Message::from_datagram(&bytes.into()) {
            let _ = (message.transaction(), message.contacts(), message.tag(Name::FROM), message.number());
            let answer = Message::answer(&message, StatusCode::OK, "tag");
            let _ = Message::from_datagram(&answer.to_bytes());
        }
    }
}
