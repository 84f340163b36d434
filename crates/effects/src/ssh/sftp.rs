//! A client of SFTP version 3 over any pair of streams.
//!
//! Every function sends its request before it returns and gives what awaits the answer, so that many requests are on
//! the way at once; the server carries them out in the order in which they were sent.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::wire::{Attributes, Packet, Reader};

/// Every server takes and gives as much of a file at once.
pub(crate) const CHUNK: usize = 32 * 1024;

/// No answer to anything asked here is larger.
const MAX_PACKET: u32 = 1024 * 1024;

const VERSION: u32 = 3;

mod kind {
    pub(super) const INIT: u8 = 1;
    pub(super) const VERSION: u8 = 2;
    pub(super) const OPEN: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const READ: u8 = 5;
    pub(super) const WRITE: u8 = 6;
    pub(super) const LSTAT: u8 = 7;
    pub(super) const FSTAT: u8 = 8;
    pub(super) const FSETSTAT: u8 = 10;
    pub(super) const SETSTAT: u8 = 9;
    pub(super) const OPENDIR: u8 = 11;
    pub(super) const READDIR: u8 = 12;
    pub(super) const REMOVE: u8 = 13;
    pub(super) const MKDIR: u8 = 14;
    pub(super) const RMDIR: u8 = 15;
    pub(super) const REALPATH: u8 = 16;
    pub(super) const STAT: u8 = 17;
    pub(super) const RENAME: u8 = 18;
    pub(super) const EXTENDED: u8 = 200;

    pub(super) const STATUS: u8 = 101;
    pub(super) const HANDLE: u8 = 102;
    pub(super) const DATA: u8 = 103;
    pub(super) const NAME: u8 = 104;
    pub(super) const ATTRS: u8 = 105;
    pub(super) const EXTENDED_REPLY: u8 = 201;
}

const READ: u32 = 1;
const WRITE_NEW: u32 = 0x02 | 0x08 | 0x20;

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const HARDLINK: &str = "hardlink@openssh.com";
const FSYNC: &str = "fsync@openssh.com";
const STATVFS: &str = "statvfs@openssh.com";

/// Why a request has no success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SftpError {
    #[error("no such file")]
    NotFound,
    #[error("permission denied")]
    Denied,
    /// Whatever else: full, read-only, exists already. The protocol has one code for all of it.
    #[error("{0}")]
    Failure(String),
    #[error("it does not support this")]
    Unsupported,
    #[error("the connection ended")]
    Lost,
    #[error("nothing came for a long time")]
    Silent,
    #[error("{0}")]
    Protocol(&'static str),
}

/// An open file or folder.
#[derive(Debug, Clone)]
pub(crate) struct Handle(Vec<u8>);

/// Space of a file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    /// What this user may still fill, in bytes.
    pub(crate) available: u64,
    /// Nothing more can be made, however small.
    pub(crate) no_names: bool,
    pub(crate) read_only: bool,
}

/// What comes back, once it does. The request is on its way already.
pub(crate) type Answer<T> = BoxFuture<'static, Result<T, SftpError>>;

#[derive(Debug)]
struct Waiting {
    answers: HashMap<u32, oneshot::Sender<Vec<u8>>>,
    next: u32,
    last_heard: Instant,
    /// Nothing more will come, and why.
    over: Option<SftpError>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    patience: Duration,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever waits is told, and so is everyone who asks from now on.
    fn end(&self, why: SftpError) {
        let mut waiting = self.lock();
        waiting.over.get_or_insert(why);
        waiting.answers.clear();
    }

    fn why(&self) -> SftpError {
        self.lock().over.clone().unwrap_or(SftpError::Lost)
    }
}

/// A connection to an SFTP server.
#[derive(Debug)]
pub(crate) struct Sftp {
    outbox: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Shared>,
    extensions: HashSet<String>,
}

impl Sftp {
    /// Says hello and waits for the server's. A server from which nothing at all comes for as long as `patience` is
    /// given up.
    pub(crate) async fn start<W, R>(
        mut writer: W,
        mut reader: R,
        patience: Duration,
    ) -> Result<Self, SftpError>
    where
        W: AsyncWrite + Unpin + Send + 'static,
        R: AsyncRead + Unpin + Send + 'static,
    {
        // The version stands where other packets have their number.
        let hello = Packet::new(kind::INIT).finish(VERSION);
        writer
            .write_all(&hello)
            .await
            .map_err(|_| SftpError::Lost)?;
        writer.flush().await.map_err(|_| SftpError::Lost)?;
        let packet = receive(&mut reader).await?;
        let mut answer = Reader(&packet);
        if answer.byte()? != kind::VERSION || answer.number()? < VERSION {
            return Err(SftpError::Protocol("it does not speak SFTP version 3"));
        }
        let mut extensions = HashSet::new();
        while !answer.is_empty() {
            extensions.insert(answer.text()?);
            answer.bytes()?;
        }

        let shared = Arc::new(Shared {
            waiting: Mutex::new(Waiting {
                answers: HashMap::new(),
                next: 0,
                last_heard: Instant::now(),
                over: None,
            }),
            patience,
        });
        let (outbox, mut inbox) = mpsc::unbounded_channel::<Vec<u8>>();
        let ends = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Some(mut packets) = inbox.recv().await {
                // One write for all that waits: small packets would each be sealed and sent by themselves.
                while packets.len() < CHUNK
                    && let Ok(more) = inbox.try_recv()
                {
                    packets.extend_from_slice(&more);
                }
                let sent = writer.write_all(&packets).await;
                if sent.is_err() || writer.flush().await.is_err() {
                    return ends.end(SftpError::Lost);
                }
            }
        });
        let hears = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let heard = receive(&mut reader).await.and_then(|packet| {
                    let mut head = Reader(&packet);
                    head.byte()?;
                    Ok((head.number()?, packet))
                });
                match heard {
                    Ok((id, packet)) => {
                        let mut waiting = hears.lock();
                        waiting.last_heard = Instant::now();
                        if let Some(answer) = waiting.answers.remove(&id) {
                            // Nobody may wait for it any more.
                            let _ = answer.send(packet);
                        }
                    }
                    Err(error) => return hears.end(error),
                }
            }
        });
        Ok(Self {
            outbox,
            shared,
            extensions,
        })
    }

    /// Whether it replaces one file by another at once.
    pub(crate) fn can_replace(&self) -> bool {
        self.extensions.contains(POSIX_RENAME)
    }

    fn send(&self, packet: Packet) -> Answer<Vec<u8>> {
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut waiting = self.shared.lock();
            waiting.next = waiting.next.wrapping_add(1);
            let id = waiting.next;
            if waiting.answers.is_empty() {
                waiting.last_heard = Instant::now();
            }
            if waiting.over.is_none() {
                waiting.answers.insert(id, sender);
            }
            id
        };
        // Where it cannot be sent, the connection is over, and the answer's sender is gone with it.
        let _ = self.outbox.send(packet.finish(id));
        let shared = Arc::clone(&self.shared);
        async move {
            let mut receiver = receiver;
            loop {
                let until = shared.lock().last_heard + shared.patience;
                match tokio::time::timeout_at(until, &mut receiver).await {
                    Ok(Ok(packet)) => return Ok(packet),
                    Ok(Err(_)) => return Err(shared.why()),
                    // Answers to others came meanwhile: it is at work.
                    Err(_) if shared.lock().last_heard + shared.patience > until => {}
                    Err(_) => shared.end(SftpError::Silent),
                }
            }
        }
        .boxed()
    }

    /// A request that is answered by success or failure alone.
    fn act(&self, packet: Packet) -> Answer<()> {
        let answer = self.send(packet);
        async move { status(&answer.await?) }.boxed()
    }

    /// The same for one that not every server knows.
    fn extended(&self, name: &str, body: impl FnOnce(Packet) -> Packet) -> Answer<()> {
        if self.extensions.contains(name) {
            self.act(body(Packet::new(kind::EXTENDED).bytes(name)))
        } else {
            std::future::ready(Err(SftpError::Unsupported)).boxed()
        }
    }

    /// The path with every link resolved.
    pub(crate) fn realpath(&self, path: &str) -> Answer<String> {
        let answer = self.send(Packet::new(kind::REALPATH).bytes(path));
        async move {
            let packet = answer.await?;
            let mut names = expect(&packet, kind::NAME)?;
            if names.number()? == 0 {
                return Err(SftpError::Protocol("it gives no path"));
            }
            std::str::from_utf8(names.bytes()?)
                .map(str::to_owned)
                .map_err(|_| SftpError::Protocol("it gives a path that is not UTF-8"))
        }
        .boxed()
    }

    /// What is at a path, links followed.
    pub(crate) fn stat(&self, path: &str) -> Answer<Attributes> {
        attributes(self.send(Packet::new(kind::STAT).bytes(path)))
    }

    /// What is at a path, be it a link.
    pub(crate) fn lstat(&self, path: &str) -> Answer<Attributes> {
        attributes(self.send(Packet::new(kind::LSTAT).bytes(path)))
    }

    pub(crate) fn fstat(&self, handle: &Handle) -> Answer<Attributes> {
        attributes(self.send(Packet::new(kind::FSTAT).bytes(&handle.0)))
    }

    /// Opens to read. It follows a link, so look before; a pipe would hang the server.
    pub(crate) fn open(&self, path: &str) -> Answer<Handle> {
        handle(
            self.send(
                Packet::new(kind::OPEN)
                    .bytes(path)
                    .number(READ)
                    .attributes(Attributes::default()),
            ),
        )
    }

    /// Creates a file where nothing is, not even a link.
    pub(crate) fn create(&self, path: &str, mode: u32) -> Answer<Handle> {
        handle(
            self.send(
                Packet::new(kind::OPEN)
                    .bytes(path)
                    .number(WRITE_NEW)
                    .attributes(of_mode(mode)),
            ),
        )
    }

    pub(crate) fn close(&self, handle: &Handle) -> Answer<()> {
        self.act(Packet::new(kind::CLOSE).bytes(&handle.0))
    }

    /// At most [`CHUNK`] bytes; none at the end of the file.
    pub(crate) fn read(&self, handle: &Handle, offset: u64) -> Answer<Vec<u8>> {
        let answer = self.send(
            Packet::new(kind::READ)
                .bytes(&handle.0)
                .long(offset)
                .number(u32::try_from(CHUNK).unwrap_or(u32::MAX)),
        );
        async move {
            let packet = answer.await?;
            if at_end(&packet) {
                return Ok(Vec::new());
            }
            Ok(expect(&packet, kind::DATA)?.bytes()?.to_vec())
        }
        .boxed()
    }

    /// At most [`CHUNK`] bytes.
    pub(crate) fn write(&self, handle: &Handle, offset: u64, bytes: &[u8]) -> Answer<()> {
        self.act(
            Packet::new(kind::WRITE)
                .bytes(&handle.0)
                .long(offset)
                .bytes(bytes),
        )
    }

    /// Changes owner or permissions: give one of them at a time, for a change of owner takes permissions away.
    pub(crate) fn set(&self, handle: &Handle, attributes: Attributes) -> Answer<()> {
        self.act(
            Packet::new(kind::FSETSTAT)
                .bytes(&handle.0)
                .attributes(attributes),
        )
    }

    /// The same for a folder, whatever the server's mask was when it was made.
    pub(crate) fn set_mode(&self, path: &str, mode: u32) -> Answer<()> {
        self.act(
            Packet::new(kind::SETSTAT)
                .bytes(path)
                .attributes(of_mode(mode)),
        )
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self, handle: &Handle) -> Answer<()> {
        self.extended(FSYNC, |packet| packet.bytes(&handle.0))
    }

    /// Names in a folder, with what they are. Names that are not UTF-8 are left out, since nothing could name them.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<(String, Attributes)>, SftpError> {
        let opened = self.send(Packet::new(kind::OPENDIR).bytes(path));
        let handle = handle(opened).await?;
        let listed = self.entries(&handle).await;
        let closed = self.close(&handle).await;
        let names = listed?;
        closed?;
        Ok(names)
    }

    async fn entries(&self, handle: &Handle) -> Result<Vec<(String, Attributes)>, SftpError> {
        let mut names = Vec::new();
        loop {
            let answer = self.send(Packet::new(kind::READDIR).bytes(&handle.0));
            let packet = answer.await?;
            if at_end(&packet) {
                return Ok(names);
            }
            let mut entries = expect(&packet, kind::NAME)?;
            for _ in 0..entries.number()? {
                let name = entries.bytes()?;
                // The line that `ls -l` would print.
                entries.bytes()?;
                let attributes = entries.attributes()?;
                if let Ok(name) = std::str::from_utf8(name)
                    && !matches!(name, "." | "..")
                {
                    names.push((name.to_owned(), attributes));
                }
            }
        }
    }

    /// Opens a folder so that it can be made durable.
    pub(crate) async fn sync_folder(&self, path: &str) -> Result<(), SftpError> {
        if !self.extensions.contains(FSYNC) {
            return Ok(());
        }
        // Not every server opens a folder like a file.
        let Ok(handle) = self.open(path).await else {
            return Ok(());
        };
        let synced = self.sync(&handle);
        let closed = self.close(&handle);
        let synced = synced.await;
        closed.await?;
        match synced {
            Err(error @ (SftpError::Lost | SftpError::Silent)) => Err(error),
            // File systems without such a thing say so.
            _ => Ok(()),
        }
    }

    pub(crate) fn make_folder(&self, path: &str, mode: u32) -> Answer<()> {
        self.act(
            Packet::new(kind::MKDIR)
                .bytes(path)
                .attributes(of_mode(mode)),
        )
    }

    pub(crate) fn remove_folder(&self, path: &str) -> Answer<()> {
        self.act(Packet::new(kind::RMDIR).bytes(path))
    }

    pub(crate) fn remove(&self, path: &str) -> Answer<()> {
        self.act(Packet::new(kind::REMOVE).bytes(path))
    }

    /// Moves a file to where nothing is; fails where something is.
    pub(crate) fn move_in(&self, from: &str, to: &str) -> Answer<()> {
        self.act(Packet::new(kind::RENAME).bytes(from).bytes(to))
    }

    /// Moves a file over whatever is there, at once.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Answer<()> {
        self.extended(POSIX_RENAME, |packet| packet.bytes(from).bytes(to))
    }

    /// A second name for a file.
    pub(crate) fn link(&self, from: &str, to: &str) -> Answer<()> {
        self.extended(HARDLINK, |packet| packet.bytes(from).bytes(to))
    }

    /// Space of the file system that holds a path.
    pub(crate) async fn space(&self, path: &str) -> Result<Space, SftpError> {
        if !self.extensions.contains(STATVFS) {
            return Err(SftpError::Unsupported);
        }
        let answer = self.send(Packet::new(kind::EXTENDED).bytes(STATVFS).bytes(path));
        let packet = answer.await?;
        let mut numbers = expect(&packet, kind::EXTENDED_REPLY)?;
        let mut next = || numbers.long();
        let (_block, fragment, _blocks, _free, available) =
            (next()?, next()?, next()?, next()?, next()?);
        let (files, _files_free, names, _id, flags) = (next()?, next()?, next()?, next()?, next()?);
        Ok(Space {
            available: fragment.saturating_mul(available),
            // File systems that do not count them say that there are none at all.
            no_names: files > 0 && names == 0,
            read_only: flags & 1 != 0,
        })
    }
}

fn of_mode(mode: u32) -> Attributes {
    Attributes {
        mode: Some(mode),
        ..Attributes::default()
    }
}

async fn receive(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, SftpError> {
    let length = reader.read_u32().await.map_err(|_| SftpError::Lost)?;
    if length > MAX_PACKET {
        return Err(SftpError::Protocol(
            "what it sends is not SFTP: does the login print something?",
        ));
    }
    let mut packet = vec![0; usize::try_from(length).unwrap_or_default()];
    let whole = reader.read_exact(&mut packet).await;
    whole.map_err(|_| SftpError::Lost)?;
    Ok(packet)
}

/// What is behind the kind and the number of an answer, where it is of the wanted kind.
fn expect(packet: &[u8], wanted: u8) -> Result<Reader<'_>, SftpError> {
    let mut reader = Reader(packet);
    let kind = reader.byte()?;
    reader.number()?;
    if kind == wanted {
        return Ok(reader);
    }
    status(packet)?;
    Err(SftpError::Protocol("it answers what was not asked"))
}

fn status(packet: &[u8]) -> Result<(), SftpError> {
    let mut reader = Reader(packet);
    let kind = reader.byte()?;
    reader.number()?;
    if kind != kind::STATUS {
        return Err(SftpError::Protocol("it answers what was not asked"));
    }
    match reader.number()? {
        0 => Ok(()),
        2 => Err(SftpError::NotFound),
        3 => Err(SftpError::Denied),
        8 => Err(SftpError::Unsupported),
        // Old servers send no text.
        code => Err(SftpError::Failure(
            reader
                .text()
                .ok()
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| format!("code {code}")),
        )),
    }
}

fn at_end(packet: &[u8]) -> bool {
    matches!(packet, [kind::STATUS, _, _, _, _, 0, 0, 0, 1, ..])
}

fn attributes(answer: Answer<Vec<u8>>) -> Answer<Attributes> {
    async move {
        let packet = answer.await?;
        expect(&packet, kind::ATTRS)?.attributes()
    }
    .boxed()
}

fn handle(answer: Answer<Vec<u8>>) -> Answer<Handle> {
    async move {
        let packet = answer.await?;
        Ok(Handle(expect(&packet, kind::HANDLE)?.bytes()?.to_vec()))
    }
    .boxed()
}

#[cfg(test)]
mod tests;
