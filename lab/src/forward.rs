//! Ways between this process and the network of a lab, by `socat` and sockets in the lab's folder.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::process::{Server, program};
use crate::{Lab, LabError};

/// A socket file that leads to a TCP address inside a lab.
#[derive(Debug)]
pub(crate) struct WayIn {
    socket: PathBuf,
    _socat: Server,
}

impl WayIn {
    pub(crate) fn open(lab: &Lab, to: (Ipv4Addr, u16)) -> Result<Self, LabError> {
        let (socket, log) = names(lab, "in");
        let listen = format!("UNIX-LISTEN:{},fork", socket.display());
        let connect = format!("TCP:{}:{}", to.0, to.1);
        let mut socat = start(lab, &listen, &connect, &log)?;
        socat.wait_until(|| UnixStream::connect(&socket).is_ok())?;
        Ok(Self {
            socket,
            _socat: socat,
        })
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// A TCP address inside a lab that leads to a socket file of this process.
#[derive(Debug)]
pub(crate) struct WayOut {
    _socat: Server,
}

impl WayOut {
    pub(crate) fn open(lab: &Lab, at: (Ipv4Addr, u16), socket: &Path) -> Result<Self, LabError> {
        let (_, log) = names(lab, "out");
        let listen = format!("TCP-LISTEN:{},bind={},reuseaddr,fork", at.1, at.0);
        let connect = format!("UNIX-CONNECT:{}", socket.display());
        let mut socat = start(lab, &listen, &connect, &log)?;
        socat.wait_until(|| lab.listens(at.0, at.1))?;
        Ok(Self { _socat: socat })
    }
}

fn names(lab: &Lab, kind: &str) -> (PathBuf, PathBuf) {
    let number = lab.number();
    (
        lab.path().join(format!("{kind}-{number}.sock")),
        lab.path().join(format!("socat-{number}.log")),
    )
}

fn start(lab: &Lab, listen: &str, connect: &str, log: &Path) -> Result<Server, LabError> {
    let mut command = lab.command(program("socat")?);
    command.args([listen, connect]);
    Server::start("socat", command, log)
}

/// A port of this machine's loopback that leads to a TCP address inside a lab, for clients that run in the test itself.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
    _way: WayIn,
}

impl Lab {
    /// Opens a free port on `127.0.0.1`, outside the lab, that leads to an address inside it.
    ///
    /// # Errors
    /// When `socat` is missing or no port can be opened.
    pub fn forward(&self, address: Ipv4Addr, port: u16) -> Result<Forward, LabError> {
        let failed = |source| LabError::io("open a port on the loopback", source);
        let way = WayIn::open(self, (address, port))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ended = Arc::new(AtomicBool::new(false));
        let (told, socket) = (Arc::clone(&ended), way.socket().to_owned());
        let acceptor = thread::spawn(move || {
            for client in listener.incoming() {
                if told.load(Ordering::Acquire) {
                    return;
                }
                if let (Ok(client), Ok(server)) = (client, UnixStream::connect(&socket)) {
                    thread::spawn(move || join(&client, &server));
                }
            }
        });
        Ok(Forward {
            address,
            ended,
            acceptor: Some(acceptor),
            _way: way,
        })
    }
}

impl Forward {
    /// The address outside the lab.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the acceptor, which then sees that it has ended.
        let woken = TcpStream::connect(self.address).is_ok();
        if let (true, Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
    }
}

/// Copies both ways until both sides are done. A side that breaks off ends the copy, which is all that can be done about it.
fn join(client: &TcpStream, server: &UnixStream) {
    let (mut asked, mut answered) = (client, server);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut from, mut to) = (client, server);
            let _ = io::copy(&mut from, &mut to);
            let _ = server.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut answered, &mut asked);
        let _ = client.shutdown(Shutdown::Write);
    });
}
