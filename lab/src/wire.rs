//! A way to a server that counts what it is asked, and can be cut at any question.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddrV4};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, mem};

use crate::forward::{WayIn, WayOut};
use crate::{Lab, LabError};

/// What a cut keeps from arriving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The question: the server sees nothing of it.
    Question,
    /// The answer: the server has begun to give it, and nothing of it comes through.
    Answer,
}

/// A TCP address of the lab that leads to a server. It knows no protocol: a question is what a client sends until the
/// server says something.
#[derive(Debug)]
pub struct Wire {
    shared: Arc<Shared>,
    socket: PathBuf,
    thread: Option<JoinHandle<()>>,
    _out: WayOut,
}

#[derive(Debug)]
struct Shared {
    way: WayIn,
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Questions so far.
    questions: usize,
    planned: Option<Planned>,
    is_down: bool,
    was_cut: bool,
    /// How many connections there were.
    joined: usize,
    /// Both ends of each connection that is open.
    open: BTreeMap<usize, [UnixStream; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct Planned {
    question: usize,
    cut: Cut,
    stays: bool,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    /// Nothing was asked that is not answered.
    Idle,
    Asked,
    /// The answer will not come through.
    Lost,
}

impl Wire {
    /// Listens at `at` for the server at `server`, both addresses of the lab.
    ///
    /// # Errors
    /// When `socat` is missing or something of the operating system fails.
    pub fn start(lab: &Lab, at: SocketAddrV4, server: SocketAddrV4) -> Result<Self, LabError> {
        let socket = lab.path().join(format!("wire-{}.sock", lab.number()));
        let listener =
            UnixListener::bind(&socket).map_err(|source| LabError::io("start the wire", source))?;
        let shared = Arc::new(Shared {
            way: WayIn::open(lab, (*server.ip(), server.port()))?,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if own.ended.load(Ordering::Acquire) {
                    return;
                }
                if let Ok(client) = client {
                    // A server that is not there, or a wire that is cut: the client finds out by being dropped.
                    let _ = own.join(client);
                }
            }
        });
        let out = WayOut::open(lab, (*at.ip(), at.port()), &socket)?;
        Ok(Self {
            shared,
            socket,
            thread: Some(thread),
            _out: out,
        })
    }

    /// How much was asked so far.
    #[must_use]
    pub fn questions(&self) -> usize {
        lock(&self.shared.state).questions
    }

    /// Cuts at a question, 1 for the next one: its connection breaks. Where it `stays`, all others break as well, and
    /// no new one comes about until it is mended.
    pub fn cut(&self, question: usize, cut: Cut, stays: bool) {
        let mut state = lock(&self.shared.state);
        let question = state.questions + question;
        state.planned = Some(Planned {
            question,
            cut,
            stays,
        });
    }

    /// Breaks all connections now, as a server that ends does.
    pub fn break_all(&self) {
        lock(&self.shared.state).break_all();
    }

    /// Lets everything through again. Gives whether it came to the cut.
    pub fn mend(&self) -> bool {
        let mut state = lock(&self.shared.state);
        state.planned = None;
        state.is_down = false;
        mem::take(&mut state.was_cut)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        lock(&self.shared.state).break_all();
        // Wakes the acceptor, which then sees that it has ended.
        let woken = UnixStream::connect(&self.socket).is_ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl State {
    fn break_all(&mut self) {
        for end in mem::take(&mut self.open).into_values().flatten() {
            // One that is closed already needs nothing.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn was_cut(&mut self, stays: bool) {
        self.was_cut = true;
        self.planned = None;
        if stays {
            self.is_down = true;
            self.break_all();
        }
    }
}

/// A connection, as long as either way of it is carried.
struct Open {
    shared: Arc<Shared>,
    number: usize,
    talk: Mutex<Talk>,
}

impl Open {
    fn new(shared: &Arc<Shared>, ends: [UnixStream; 2]) -> Self {
        let mut state = lock(&shared.state);
        state.joined += 1;
        let number = state.joined;
        state.open.insert(number, ends);
        Self {
            shared: Arc::clone(shared),
            number,
            talk: Mutex::new(Talk::Idle),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Both its ends go with it: a wire that lasts must not use up the descriptors.
        lock(&self.shared.state).open.remove(&self.number);
    }
}

impl Shared {
    fn join(self: &Arc<Self>, client: UnixStream) -> io::Result<()> {
        if lock(&self.state).is_down {
            return Ok(());
        }
        let server = UnixStream::connect(self.way.socket())?;
        let ends = [client.try_clone()?, server.try_clone()?];
        let (up, down) = ((client.try_clone()?, server.try_clone()?), (server, client));
        let open = Arc::new(Open::new(self, ends));
        let of = Arc::clone(&open);
        thread::spawn(move || carry(up.0, up.1, || of.shared.may_ask(&of.talk)));
        thread::spawn(move || {
            carry(down.0, down.1, || open.shared.may_answer(&open.talk));
            // A server that closes in place of an answer loses it just as well.
            open.shared.may_answer(&open.talk);
        });
        Ok(())
    }

    fn may_ask(&self, talk: &Mutex<Talk>) -> bool {
        let mut talk = lock(talk);
        if *talk != Talk::Idle {
            return true;
        }
        *talk = Talk::Asked;
        let mut state = lock(&self.state);
        state.questions += 1;
        let now = state.questions;
        match state.planned.filter(|planned| planned.question == now) {
            None => true,
            Some(planned) if planned.cut == Cut::Answer => {
                *talk = Talk::Lost;
                true
            }
            Some(planned) => {
                state.was_cut(planned.stays);
                false
            }
        }
    }

    fn may_answer(&self, talk: &Mutex<Talk>) -> bool {
        let before = mem::replace(&mut *lock(talk), Talk::Idle);
        if before != Talk::Lost {
            return true;
        }
        let mut state = lock(&self.state);
        let stays = state.planned.is_some_and(|planned| planned.stays);
        state.was_cut(stays);
        false
    }
}

/// Carries bytes one way until either end closes, or they may not pass.
fn carry(mut from: UnixStream, mut to: UnixStream, may_pass: impl Fn() -> bool) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if !may_pass() {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
        if to.write_all(&chunk[..count]).is_err() {
            return;
        }
    }
    // The other side learns that nothing more comes.
    let _ = to.shutdown(Shutdown::Write);
}

/// A test that failed while it held the lock leaves what it guards as it is.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
