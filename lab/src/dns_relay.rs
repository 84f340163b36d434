//! A relay before a DNS server, which counts what is asked over TCP and misbehaves at updates.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::forward::{WayIn, WayOut};
use crate::nameserver::{PORT, edit};
use crate::{Lab, LabError};

/// What happens to updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateFault {
    /// The connection is closed; the server never sees the update.
    Close,
    /// The server carries the update out, and the connection is closed in the middle of its answer.
    CutAnswer,
    /// Right before it, somebody else changes the zone: zone, and lines as for [`crate::NameServer::edit`].
    Race(String, Vec<String>),
}

/// A running relay. It has the server's port at an address of its own.
#[derive(Debug)]
pub struct DnsRelay {
    shared: Arc<Shared>,
    socket: PathBuf,
    thread: Option<JoinHandle<()>>,
    _out: WayOut,
}

#[derive(Debug)]
struct Shared {
    lab: Lab,
    server: Ipv4Addr,
    way: WayIn,
    ended: AtomicBool,
    /// Opcodes of the messages so far.
    seen: Mutex<Vec<u8>>,
    fault: Mutex<Option<UpdateFault>>,
}

/// RFC 2136.
const UPDATE: u8 = 5;

impl DnsRelay {
    /// Listens at `at` for the server at `server`.
    ///
    /// # Errors
    /// When `socat` is missing or something of the operating system fails.
    pub fn start(lab: &Lab, at: Ipv4Addr, server: Ipv4Addr) -> Result<Self, LabError> {
        let socket = lab.path().join(format!("dns-relay-{}.sock", lab.number()));
        let listener = UnixListener::bind(&socket)
            .map_err(|source| LabError::io("start the relay", source))?;
        let shared = Arc::new(Shared {
            lab: lab.clone(),
            server,
            way: WayIn::open(lab, (server, PORT))?,
            ended: AtomicBool::new(false),
            seen: Mutex::default(),
            fault: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if own.ended.load(Ordering::Acquire) {
                    return;
                }
                if let Ok(client) = client {
                    let shared = Arc::clone(&own);
                    // A client that goes away is what some tests are about.
                    thread::spawn(move || drop(shared.serve(client)));
                }
            }
        });
        let out = WayOut::open(lab, (at, PORT), &socket)?;
        Ok(Self {
            shared,
            socket,
            thread: Some(thread),
            _out: out,
        })
    }

    /// Misbehaves at the next update.
    pub fn fail_update(&self, fault: UpdateFault) {
        *lock(&self.shared.fault) = Some(fault);
    }

    /// How many updates were sent so far.
    #[must_use]
    pub fn updates(&self) -> usize {
        lock(&self.shared.seen)
            .iter()
            .filter(|opcode| **opcode == UPDATE)
            .count()
    }

    /// How many messages were sent so far.
    #[must_use]
    pub fn messages(&self) -> usize {
        lock(&self.shared.seen).len()
    }
}

impl Drop for DnsRelay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes the acceptor, which then sees that it has ended.
        let woken = UnixStream::connect(&self.socket).is_ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// One connection carries one message: that is how the program under test asks.
    fn serve(&self, mut client: UnixStream) -> io::Result<()> {
        let message = read_message(&mut client)?;
        let opcode = message.get(4).map_or(0, |byte| byte >> 3 & 15);
        lock(&self.seen).push(opcode);
        let fault = match opcode {
            UPDATE => lock(&self.fault).take(),
            _ => None,
        };
        match &fault {
            Some(UpdateFault::Close) => return Ok(()),
            Some(UpdateFault::Race(zone, lines)) => {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                edit(&self.lab, self.server, zone, &lines).map_err(io::Error::other)?;
            }
            Some(UpdateFault::CutAnswer) | None => {}
        }
        let mut server = UnixStream::connect(self.way.socket())?;
        server.write_all(&message)?;
        if fault == Some(UpdateFault::CutAnswer) {
            let answer = read_message(&mut server)?;
            return client.write_all(&answer[..answer.len() / 2]);
        }
        // A transfer has many messages; the client ends the connection when it has enough.
        let mut copied = server.try_clone()?;
        let answers = client.try_clone()?;
        thread::spawn(move || {
            let _ = io::copy(&mut copied, &mut &answers);
            let _ = answers.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut client, &mut server);
        server.shutdown(Shutdown::Both)
    }
}

/// A message with its length before it.
fn read_message(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    from.read_exact(&mut length)?;
    let mut message = vec![0; 2 + usize::from(u16::from_be_bytes(length))];
    message[..2].copy_from_slice(&length);
    from.read_exact(&mut message[2..])?;
    Ok(message)
}

/// A test that failed while it held the lock leaves what it guards as it is.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
