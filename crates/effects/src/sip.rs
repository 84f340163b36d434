//! SIP: whether a server is in service, asked with OPTIONS (RFC 3261, section 11).

mod error;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ezk_sip_types::Name;
use ezk_sip_types::header::typed::Via;
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::parse::Parse as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

pub use error::SipError;

use crate::http::tls;
use crate::trace::{Event, Reporting};

/// How long an answer may take: as long as a telephone waits before it takes a server for gone, RFC 3261's 64 × T1, is
/// too long to stand before; whoever asks asks again.
const PATIENCE: Duration = Duration::from_secs(4);

/// RFC 3261, section 17.1.2.2: over UDP a request is sent again after this time, then after twice as long.
const T1: Duration = Duration::from_millis(500);

/// The head of an answer is shorter.
const LARGEST: usize = 65_535;

/// Over what SIP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
    /// A connection whose certificate is checked.
    Tls,
}

impl Transport {
    /// As a `Via` names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

/// A SIP server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it is.
    pub address: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// The host's name, which stands in the request and in its certificate.
    pub host: String,
    /// Certificates in PEM that are trusted beside those of the system; empty for none.
    pub extra_roots: Vec<u8>,
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} over {}", self.address, self.transport.name())
    }
}

/// One request on its way.
struct Question {
    branch: String,
    text: String,
}

impl Server {
    /// Asks once. An answer is any final response: the server is there and answers requests. One that says that it is not
    /// in service (408, or 500 and above) is an error.
    ///
    /// # Errors
    /// The server does not answer in time, or says that it is not in service.
    pub async fn options(&self, reporting: &Reporting) -> Result<u16, SipError> {
        let started = Instant::now();
        let result = tokio::time::timeout(PATIENCE, self.exchange()).await;
        let result = result.unwrap_or(Err(SipError::Silent {
            server: self.to_string(),
            seconds: PATIENCE.as_secs(),
        }));
        let result = result.and_then(|status| match status {
            408 | 500.. => Err(SipError::Status {
                server: self.to_string(),
                status,
            }),
            _ => Ok(status),
        });
        if reporting.listening() {
            let error = result.as_ref().err().map(ToString::to_string);
            reporting.tell(&Event::Asked {
                request: &format!("OPTIONS at {self}"),
                elapsed: started.elapsed(),
                error: error.as_deref(),
            });
        }
        result
    }

    async fn exchange(&self) -> Result<u16, SipError> {
        let unreachable = |source| SipError::Unreachable {
            server: self.to_string(),
            source,
        };
        match self.transport {
            Transport::Udp => {
                let any: IpAddr = match self.address {
                    SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
                };
                let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
                socket.connect(self.address).await.map_err(unreachable)?;
                let here = socket.local_addr().map_err(unreachable)?;
                self.over_datagrams(&socket, here).await
            }
            Transport::Tcp | Transport::Tls => {
                let stream = TcpStream::connect(self.address)
                    .await
                    .map_err(unreachable)?;
                let here = stream.local_addr().map_err(unreachable)?;
                if self.transport == Transport::Tcp {
                    return self.over_stream(stream, here).await;
                }
                let (connector, name) = self.trust()?;
                let stream = connector.connect(name, stream).await.map_err(unreachable)?;
                self.over_stream(stream, here).await
            }
        }
    }

    fn trust(&self) -> Result<(tokio_rustls::TlsConnector, ServerName<'static>), SipError> {
        let unusable = |problem: &dyn fmt::Display| SipError::Tls {
            server: self.to_string(),
            problem: problem.to_string(),
        };
        let roots = CertificateDer::pem_slice_iter(&self.extra_roots)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(&error))?;
        let mut config = tls::trusting(roots).map_err(|error| unusable(&error))?;
        config.alpn_protocols.clear();
        let name = ServerName::try_from(self.host.clone()).map_err(|error| unusable(&error))?;
        Ok((Arc::new(config).into(), name))
    }

    async fn over_datagrams(&self, socket: &UdpSocket, here: SocketAddr) -> Result<u16, SipError> {
        let question = self.question(here);
        let unreachable = |source| SipError::Unreachable {
            server: self.to_string(),
            source,
        };
        let mut buffer = vec![0; LARGEST];
        let mut pause = T1;
        loop {
            socket
                .send(question.text.as_bytes())
                .await
                .map_err(unreachable)?;
            let until = tokio::time::sleep(pause);
            tokio::pin!(until);
            loop {
                let received = tokio::select! {
                    received = socket.recv(&mut buffer) => received,
                    () = &mut until => break,
                };
                let length = received.map_err(unreachable)?;
                if let Some(status) = question.final_status(&buffer[..length]) {
                    return Ok(status);
                }
            }
            pause *= 2;
        }
    }

    async fn over_stream(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        here: SocketAddr,
    ) -> Result<u16, SipError> {
        const END: &[u8] = b"\r\n\r\n";
        let unreachable = |source| SipError::Unreachable {
            server: self.to_string(),
            source,
        };
        let question = self.question(here);
        stream
            .write_all(question.text.as_bytes())
            .await
            .map_err(unreachable)?;
        let mut buffer = Vec::new();
        loop {
            let read = stream.read_buf(&mut buffer).await.map_err(unreachable)?;
            if read == 0 || buffer.len() > LARGEST {
                return Err(SipError::Closed {
                    server: self.to_string(),
                });
            }
            // Heads are looked at one after the other; a body between them, which no answer to OPTIONS needs, is passed
            // over as a head that answers nothing.
            while let Some(end) = memchr::memmem::find(&buffer, END) {
                let head: Vec<u8> = buffer.drain(..end + END.len()).collect();
                if let Some(status) = question.final_status(&head) {
                    return Ok(status);
                }
            }
        }
    }

    fn question(&self, here: SocketAddr) -> Question {
        let random = || format!("{:016x}", fastrand::u64(..));
        let branch = format!("z9hG4bK{}", random());
        let transport = self.transport.name();
        let Self { host, .. } = self;
        let text = format!(
            "OPTIONS sip:{host} SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {here};branch={branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:switchover@{ip}>;tag={tag}\r\n\
             To: <sip:{host}>\r\n\
             Call-ID: {call}\r\n\
             CSeq: 1 OPTIONS\r\n\
             Accept: application/sdp\r\n\
             User-Agent: {agent}\r\n\
             Content-Length: 0\r\n\r\n",
            ip = bracketed(here.ip()),
            tag = random(),
            call = random(),
            agent = concat!("switchover/", env!("CARGO_PKG_VERSION")),
        );
        Question { branch, text }
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

impl Question {
    /// The status of an answer to this that is a final one; none where it is something else.
    fn final_status(&self, bytes: &[u8]) -> Option<u16> {
        let bytes = Bytes::copy_from_slice(bytes);
        let mut status = None;
        let mut headers = ezk_sip_types::Headers::new();
        for line in PullParser::new(&bytes, 0) {
            let line = std::str::from_utf8(line.ok()?).ok()?;
            if status.is_none() {
                let (_, first) = MessageLine::parse(&bytes)(line).ok()?;
                let MessageLine::Response(first) = first else {
                    return None;
                };
                status = Some(first.code.into_u16());
            } else if let Ok((_, Line { name, value })) = Line::parse(&bytes, line) {
                headers.insert(name, value);
            }
        }
        let via: Via = headers.get(Name::VIA).ok()?;
        let branch = via.params.get_val("branch")?;
        status.filter(|status| *status >= 200 && branch.as_str() == self.branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        let server = Server {
            address: "10.20.0.10:5060".parse().unwrap(),
            transport: Transport::Udp,
            host: "pbx1.acme.example".to_owned(),
            extra_roots: Vec::new(),
        };
        server.question("10.9.9.9:40000".parse().unwrap())
    }

    fn answer(status: &str, branch: &str) -> String {
        format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 10.9.9.9:40000;rport=40000;branch={branch}\r\n\
             CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn the_final_answer_to_the_question_counts() {
        let question = question();
        let status =
            |status: &str| question.final_status(answer(status, &question.branch).as_bytes());
        assert_eq!(status("200 OK"), Some(200));
        assert_eq!(status("404 Not Found"), Some(404));
        assert_eq!(status("100 Trying"), None);
        assert_eq!(
            question.final_status(answer("200 OK", "z9hG4bKother").as_bytes()),
            None
        );
        assert_eq!(
            question.final_status(question.text.as_bytes()),
            None,
            "a request"
        );
    }

    #[test]
    fn foreign_bytes_are_no_answer() {
        let question = question();
        let good = answer("200 OK", &question.branch).into_bytes();
        for length in 0..good.len() {
            let _ = question.final_status(&good[..length]);
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x80;
            let _ = question.final_status(&bytes);
        }
        assert_eq!(question.final_status(b"\xff\xfe\r\n\r\n"), None);
    }
}
