//! One secure port for several servers: `door ADDRESS:PORT --sip … --sips … --web …`.
//!
//! The vendor's telephones speak SIP over TCP and over TLS at port 443, where the API of their PBX is as well. What a
//! client says first tells what it is: no TLS is SIP over TCP; TLS whose first message offers HTTP (ALPN) is for the web server;
//! any other TLS is SIP, and passed on as it is. Without `--sip` and `--sips` it is a web server's way to TLS.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::Acceptor;

/// One port for SIP over TCP, SIP over TLS and a web server over HTTPS.
#[derive(Parser)]
struct Arguments {
    /// Where clients come
    listen: SocketAddr,
    /// Where SIP is spoken over TCP
    #[arg(long)]
    sip: Option<SocketAddr>,
    /// Where SIP is spoken over TLS
    #[arg(long)]
    sips: Option<SocketAddr>,
    /// Where HTTP is served, without TLS
    #[arg(long)]
    web: SocketAddr,
    /// The certificate that clients of HTTPS are shown (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("the door stays closed: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let certificate = CertificateDer::from_pem_file(&arguments.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&arguments.key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![HTTP.to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        let arguments = Arc::new(arguments);
        loop {
            let (client, _) = listener.accept().await?;
            let (arguments, tls) = (Arc::clone(&arguments), tls.clone());
            tokio::spawn(async move {
                // A side that breaks off ends the connection of the other, which is all there is to say.
                let _ = serve(client, &arguments, &tls).await;
            });
        }
    })
}

const HTTP: &[u8] = b"http/1.1";

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 22;

/// Who a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Sip,
    Sips,
    Web,
}

async fn serve(mut client: TcpStream, to: &Arguments, tls: &TlsAcceptor) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut said = Vec::new();
    let wanted = loop {
        if client.read_buf(&mut said).await? == 0 {
            return Ok(());
        }
        if let Some(wanted) = wanted(&said) {
            break wanted;
        }
    };
    let place = match wanted {
        Wanted::Sip => to.sip,
        Wanted::Sips => to.sips,
        Wanted::Web => None,
    };
    if let Some(place) = place {
        let mut server = connect(place).await?;
        server.write_all(&said).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    } else if wanted != Wanted::Sip {
        let (reader, writer) = client.into_split();
        let whole = tokio::io::join(io::Cursor::new(said).chain(reader), writer);
        let mut client = tls.accept(whole).await?;
        copy_bidirectional(&mut client, &mut connect(to.web).await?).await?;
    }
    Ok(())
}

async fn connect(place: SocketAddr) -> io::Result<TcpStream> {
    let server = TcpStream::connect(place).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

/// Whom a client wants that has said this; none where it has not said enough.
fn wanted(said: &[u8]) -> Option<Wanted> {
    if said.first() != Some(&HANDSHAKE) {
        return Some(Wanted::Sip);
    }
    let mut acceptor = Acceptor::default();
    let mut unread = said;
    while !unread.is_empty() {
        // Whatever is wrong with it, the SIP server has its own answer to that.
        if acceptor.read_tls(&mut unread).is_err() {
            return Some(Wanted::Sips);
        }
        let Ok(accepted) = acceptor.accept() else {
            return Some(Wanted::Sips);
        };
        if let Some(accepted) = accepted {
            let offered = accepted.client_hello().alpn();
            let http = offered.is_some_and(|mut names| names.any(|name| name == HTTP));
            return Some(if http { Wanted::Web } else { Wanted::Sips });
        }
    }
    None
}
