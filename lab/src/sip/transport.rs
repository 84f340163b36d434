//! A phone's way to one server: a socket, or a stream with or without TLS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::message::{Frame, Framer, Message, MessageError};
use super::settings::{SipServer, SipTransport};

/// Why there is no way to a server, or no more.
#[derive(Debug, Error)]
pub(crate) enum TransportError {
    /// The name has no address.
    #[error("{host} has no address: {source}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The operating system says why.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server's name can be in no certificate.
    #[error("{0} is no name that a certificate can hold")]
    Name(String),
    /// Nothing answered in time.
    #[error("no connection in time")]
    Silent,
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// What came is not SIP.
    #[error("the server sent what is not SIP: {0}")]
    NotSip(#[from] MessageError),
}

/// Why the certificates given cannot be used.
#[derive(Debug, Error)]
pub(crate) enum AuthorityError {
    /// TLS was asked for, and nobody to trust was named.
    #[error("TLS needs the certificates to trust")]
    None,
    /// The file cannot be read, or holds none.
    #[error("failed to read certificates from {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What TLS needs of a phone: whom it trusts. One is shared by every phone with the same file.
pub(crate) fn trusting(file: &Path) -> Result<Arc<ClientConfig>, AuthorityError> {
    let unreadable = |reason: String| AuthorityError::Unreadable {
        path: file.display().to_string(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it holds no certificate".to_owned()));
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A way to one server.
#[derive(Debug)]
pub(crate) struct Connection {
    link: Link,
    local: SocketAddr,
    transport: SipTransport,
}

#[derive(Debug)]
enum Link {
    Datagrams(UdpSocket),
    Plain(TcpStream, Framer),
    Encrypted(Box<TlsStream<TcpStream>>, Framer),
}

impl Connection {
    /// Opens the way to a server, for at most `patience`. Over UDP this reaches nobody yet, and keeps the port of `before`, so
    /// that the server sees the same contact again.
    pub(crate) async fn open(
        server: &SipServer,
        transport: SipTransport,
        tls: Option<&Arc<ClientConfig>>,
        before: Option<u16>,
        patience: Duration,
    ) -> Result<Self, TransportError> {
        match timeout(patience, Self::connect(server, transport, tls, before)).await {
            Ok(connected) => connected,
            Err(_) => Err(TransportError::Silent),
        }
    }

    async fn connect(
        server: &SipServer,
        transport: SipTransport,
        tls: Option<&Arc<ClientConfig>>,
        before: Option<u16>,
    ) -> Result<Self, TransportError> {
        let address = resolve(server).await?;
        if transport == SipTransport::Udp {
            let any: IpAddr = if address.is_ipv4() {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                Ipv6Addr::UNSPECIFIED.into()
            };
            let socket = match UdpSocket::bind((any, before.unwrap_or(0))).await {
                // Somebody else has the port by now.
                Err(_) if before.is_some() => UdpSocket::bind((any, 0)).await?,
                bound => bound?,
            };
            // A connected socket is told when nobody listens at the server's port.
            socket.connect(address).await?;
            return Ok(Self {
                local: socket.local_addr()?,
                link: Link::Datagrams(socket),
                transport,
            });
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let link = match (transport, tls) {
            (SipTransport::Tls, Some(config)) => {
                let name = ServerName::try_from(server.host.clone())
                    .map_err(|_| TransportError::Name(server.host.clone()))?;
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name, stream).await?;
                Link::Encrypted(Box::new(stream), Framer::default())
            }
            (SipTransport::Tls, None) => {
                return Err(io::Error::other("TLS without certificates to trust").into());
            }
            (SipTransport::Tcp | SipTransport::Udp, _) => Link::Plain(stream, Framer::default()),
        };
        Ok(Self {
            link,
            local,
            transport,
        })
    }

    /// This side's address, as the server sees it where nothing translates.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether what is sent arrives, or the connection breaks.
    pub(crate) fn is_reliable(&self) -> bool {
        self.transport != SipTransport::Udp
    }

    /// The transport as `Via` names it.
    pub(crate) fn via(&self) -> &'static str {
        match self.transport {
            SipTransport::Udp => "UDP",
            SipTransport::Tcp => "TCP",
            SipTransport::Tls => "TLS",
        }
    }

    /// The transport as addresses name it; UDP is what they mean without one.
    pub(crate) fn parameter(&self) -> Option<&'static str> {
        match self.transport {
            SipTransport::Udp => None,
            SipTransport::Tcp => Some("tcp"),
            SipTransport::Tls => Some("tls"),
        }
    }

    /// Sends, for at most `patience`: a server that takes nothing more is as good as gone.
    pub(crate) async fn send(
        &mut self,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<(), TransportError> {
        let sending = async {
            match &mut self.link {
                Link::Datagrams(socket) => socket.send(bytes).await.map(drop),
                Link::Plain(stream, _) => stream.write_all(bytes).await,
                Link::Encrypted(stream, _) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
            }
        };
        match timeout(patience, sending).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(TransportError::Silent),
        }
    }

    /// Waits for what the server sends. It may be dropped while it waits and loses nothing.
    ///
    /// A datagram that is no SIP is passed over; on a stream it ends the connection, since nobody knows where the next
    /// message begins.
    pub(crate) async fn receive(&mut self) -> Result<Frame, TransportError> {
        match &mut self.link {
            Link::Datagrams(socket) => loop {
                socket.readable().await?;
                if let Some(frame) = datagram(socket)? {
                    return Ok(frame);
                }
            },
            Link::Plain(stream, framer) => loop {
                if let Some(frame) = framer.next()? {
                    return Ok(frame);
                }
                framer.buffer.reserve(ROOM);
                if stream.read_buf(&mut framer.buffer).await? == 0 {
                    return Err(TransportError::Closed);
                }
            },
            Link::Encrypted(stream, framer) => loop {
                if let Some(frame) = framer.next()? {
                    return Ok(frame);
                }
                framer.buffer.reserve(ROOM);
                if stream.read_buf(&mut framer.buffer).await? == 0 {
                    return Err(TransportError::Closed);
                }
            },
        }
    }
}

/// What most messages fit into.
const ROOM: usize = 2048;

/// One datagram. The buffer for the largest lives on the stack, so that a thousand waiting phones hold none.
fn datagram(socket: &UdpSocket) -> io::Result<Option<Frame>> {
    let mut buffer = [0; 65_535];
    let length = match socket.try_recv(&mut buffer) {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = Bytes::copy_from_slice(&buffer[..length]);
    if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        return Ok(Some(Frame::Pong));
    }
    Ok(Message::from_datagram(&bytes)
        .ok()
        .map(|message| Frame::Message(Box::new(message))))
}

async fn resolve(server: &SipServer) -> Result<SocketAddr, TransportError> {
    let lookup = |source| TransportError::Lookup {
        host: server.host.clone(),
        source,
    };
    let mut addresses = lookup_host((server.host.as_str(), server.port))
        .await
        .map_err(lookup)?;
    addresses
        .next()
        .ok_or_else(|| lookup(io::Error::from(io::ErrorKind::NotFound)))
}
