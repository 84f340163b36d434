//! A line to a server that is slow, or breaks.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::LabError;

/// A TCP address of this machine that leads to a server, with faults on demand.
#[derive(Debug)]
pub struct Line {
    address: SocketAddrV4,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server: SocketAddrV4,
    /// One way, in microseconds.
    delay: AtomicU64,
    /// What was sent to the server, in bytes, over all connections.
    sent: AtomicU64,
    /// What may still be sent before it breaks; negative where it does not.
    left: AtomicI64,
    over: AtomicBool,
}

impl Line {
    /// Opens a way to `server`.
    ///
    /// # Errors
    /// When no address can be listened at.
    pub fn to(server: SocketAddrV4) -> Result<Self, LabError> {
        let failed = |source| LabError::io("open a line", source);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let SocketAddr::V4(address) = listener.local_addr().map_err(failed)? else {
            return Err(failed(io::ErrorKind::AddrNotAvailable.into()));
        };
        let state = Arc::new(State {
            server,
            delay: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            left: AtomicI64::new(-1),
            over: AtomicBool::new(false),
        });
        let accepts = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepts.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                // Where the server is gone, the client finds out by being dropped.
                if let Ok(server) = TcpStream::connect(accepts.server) {
                    let _ = join(&client, &server, &accepts);
                }
            }
        });
        Ok(Self { address, state })
    }

    /// Where it begins.
    #[must_use]
    pub const fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// How long everything takes on its way from now on, each way.
    pub fn delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.state.delay.store(micros, Ordering::SeqCst);
    }

    /// Breaks the connection that sends so many bytes more, once. Later ones are whole.
    pub fn break_after(&self, bytes: u32) {
        self.state.left.store(bytes.into(), Ordering::SeqCst);
    }

    /// Whether it did not come to break yet.
    #[must_use]
    pub fn will_break(&self) -> bool {
        self.state.left.load(Ordering::SeqCst) >= 0
    }

    /// What was sent to the server so far, in bytes.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn join(client: &TcpStream, server: &TcpStream, state: &Arc<State>) -> io::Result<()> {
    for stream in [client, server] {
        stream.set_nodelay(true)?;
    }
    for (from, to, counted) in [(client, server, true), (server, client, false)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let state = Arc::clone(state);
        thread::spawn(move || carry(from, to, &state, counted));
    }
    Ok(())
}

/// Carries bytes one way until either end closes or the line breaks.
fn carry(mut from: TcpStream, to: TcpStream, state: &Arc<State>, counted: bool) {
    let (pieces, arrived) = mpsc::channel::<(Instant, Vec<u8>)>();
    let ends = [from.try_clone(), to.try_clone()];
    let writer = thread::spawn(move || {
        let mut to = to;
        for (due, piece) in arrived {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        // The other side learns that nothing more comes.
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut chunk = [0; 16 * 1024];
    let mut broken = false;
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let mut count = count;
        if counted {
            let left = state.left.load(Ordering::SeqCst);
            if left >= 0 {
                let rest = left - i64::try_from(count).unwrap_or(i64::MAX);
                state.left.store(rest.max(-1), Ordering::SeqCst);
                if rest < 0 {
                    broken = true;
                    count = usize::try_from(left).unwrap_or(0);
                }
            }
            state.sent.fetch_add(count as u64, Ordering::SeqCst);
        }
        let due = Instant::now() + Duration::from_micros(state.delay.load(Ordering::SeqCst));
        if pieces.send((due, chunk[..count].to_vec())).is_err() || broken {
            break;
        }
    }
    drop(pieces);
    let _ = writer.join();
    if broken {
        for end in ends.into_iter().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}
