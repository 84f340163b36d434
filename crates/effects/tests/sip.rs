//! A SIP server that answers OPTIONS as it is told to, on the loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use switchover_effects::Reporting;
use switchover_effects::sip::{Server, SipError, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// An answer with this status to a request, which holds the headers that every answer takes over.
fn answer(request: &str, status: &str) -> String {
    let header = |name: &str| {
        let mut lines = request.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    let headers = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
        .map(header)
        .join("\r\n");
    format!("SIP/2.0 {status}\r\n{headers}\r\nContent-Length: 0\r\n\r\n")
}

fn server(address: SocketAddr, transport: Transport) -> Server {
    Server {
        address,
        transport,
        host: "pbx1.acme.example".to_owned(),
        extra_roots: Vec::new(),
    }
}

/// Answers the request that comes after so many others with each of these, one after the other.
async fn over_udp(unanswered: usize, statuses: &'static [&'static str]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        let mut request = (0, address);
        for _ in 0..=unanswered {
            request = socket.recv_from(&mut buffer).await.unwrap();
        }
        let (length, from) = request;
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        assert!(
            text.starts_with("OPTIONS sip:pbx1.acme.example SIP/2.0\r\n"),
            "{text}"
        );
        socket.send_to(b"no answer at all", from).await.unwrap();
        for status in statuses {
            let answer = answer(text, status);
            socket.send_to(answer.as_bytes(), from).await.unwrap();
        }
    });
    address
}

async fn over_tcp(statuses: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            request.push(char::from(stream.read_u8().await.unwrap()));
        }
        for status in statuses {
            for byte in answer(&request, status).as_bytes() {
                // In as many parts as there can be.
                stream.write_all(&[*byte]).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    });
    address
}

#[tokio::test]
async fn whoever_answers_is_in_service() {
    let reporting = Reporting::default();
    for statuses in [
        &["100 Trying", "200 OK"][..],
        &["404 Not Found"],
        &["483 Too Many Hops"],
    ] {
        let expected: u16 = statuses.last().unwrap()[..3].parse().unwrap();
        let udp = server(over_udp(0, statuses).await, Transport::Udp);
        assert_eq!(udp.options(&reporting).await.unwrap(), expected);
        let tcp = server(over_tcp(statuses).await, Transport::Tcp);
        assert_eq!(tcp.options(&reporting).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again() {
    let reporting = Reporting::default();
    let address = over_udp(1, &["200 OK"]).await;
    assert_eq!(
        server(address, Transport::Udp)
            .options(&reporting)
            .await
            .unwrap(),
        200
    );
}

#[tokio::test]
async fn whoever_says_so_is_not() {
    let reporting = Reporting::default();
    for status in [
        &["503 Service Unavailable"][..],
        &["408 Request Timeout"],
        &["600 Busy"],
    ] {
        let server = server(over_udp(0, status).await, Transport::Udp);
        let error = server.options(&reporting).await.unwrap_err();
        assert!(matches!(error, SipError::Status { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let reporting = Reporting::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for transport in [Transport::Tcp, Transport::Udp] {
        let error = server(address, transport)
            .options(&reporting)
            .await
            .unwrap_err();
        assert!(matches!(error, SipError::Unreachable { .. }), "{error:?}");
    }
    let closes = over_tcp(&["100 Trying"]).await;
    let error = server(closes, Transport::Tcp)
        .options(&reporting)
        .await
        .unwrap_err();
    assert!(matches!(error, SipError::Closed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let reporting = Reporting::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let key = rcgen::generate_simple_self_signed(["pbx1.acme.example".to_owned()]).unwrap();
        let config = rustls_server(&key);
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        let _ = acceptor.accept(stream).await;
    });
    let error = server(address, Transport::Tls)
        .options(&reporting)
        .await
        .unwrap_err();
    assert!(matches!(error, SipError::Unreachable { .. }), "{error:?}");
}

fn rustls_server(key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let secret = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret.unwrap())
        .unwrap();
    config.into()
}
