//! A bucket in memory that answers as S3 does, or does not answer: what its clients make of that can be tried.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use percent_encoding::percent_decode_str;

use crate::ObjectServer;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is carried out and answered.
    Answered,
    /// It is carried out, and the connection ends before the answer.
    AnswerLost,
    /// The connection ends before it is carried out.
    Lost,
    /// It is not carried out, for somebody else is writing the same: 409.
    Conflict,
    /// It is carried out and answered whatever its conditions say, as by a server that does not know them.
    Unconditional,
}

type Judge = Box<dyn FnMut(&str, &str) -> Fate + Send>;

/// A bucket `state`; it is there for as long as the process.
#[derive(Clone)]
pub struct Bucket {
    address: SocketAddrV4,
    held: Arc<Mutex<Held>>,
}

struct Held {
    objects: BTreeMap<String, (u64, Vec<u8>)>,
    /// How often something was written.
    writes: u64,
    judge: Judge,
}

impl Bucket {
    /// Starts its server on loopback.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let SocketAddr::V4(address) = listener.local_addr()? else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let held = Arc::new(Mutex::new(Held {
            objects: BTreeMap::new(),
            writes: 0,
            judge: Box::new(|_, _| Fate::Answered),
        }));
        let shared = Arc::clone(&held);
        thread::Builder::new().spawn(move || {
            for client in listener.incoming().flatten() {
                let held = Arc::clone(&shared);
                // A client that went away has no answer to wait for.
                thread::spawn(move || drop(answer(client, &held)));
            }
        })?;
        Ok(Self { address, held })
    }

    /// What a program needs in its environment to use it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 5] {
        ObjectServer::environment_at(self.address)
    }

    /// From now on, says of each request by its method and key what becomes of it. The key of a list is its prefix.
    pub fn judge(&self, judge: impl FnMut(&str, &str) -> Fate + Send + 'static) {
        locked(&self.held).judge = Box::new(judge);
    }

    /// From now on, everything is answered.
    pub fn answer_all(&self) {
        self.judge(|_, _| Fate::Answered);
    }

    /// The keys of everything that is there, ascending.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        locked(&self.held).objects.keys().cloned().collect()
    }

    /// Removes an object behind everybody's back.
    pub fn lose(&self, key: &str) {
        locked(&self.held).objects.remove(key);
    }
}

fn locked(held: &Mutex<Held>) -> std::sync::MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Asked {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Reads a request, and answers it.
fn answer(mut client: TcpStream, held: &Mutex<Held>) -> io::Result<()> {
    let Some(asked) = read(&mut client)? else {
        return Ok(());
    };
    let mut held = locked(held);
    let listed = asked.query.get("prefix");
    let fate = (held.judge)(&asked.method, listed.unwrap_or(&asked.key));
    if fate == Fate::Lost {
        return Ok(());
    }
    let (status, headers, body) = match fate {
        Fate::Conflict => (
            "409 Conflict",
            String::new(),
            coded("ConditionalRequestConflict"),
        ),
        _ => held.carry_out(&asked, fate == Fate::Unconditional),
    };
    drop(held);
    if fate == Fate::AnswerLost {
        return Ok(());
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    );
    client.write_all(head.as_bytes())?;
    client.write_all(&body)
}

fn read(client: &mut TcpStream) -> io::Result<Option<Asked>> {
    let mut text = Vec::new();
    let mut buffer = [0; 65536];
    let head = loop {
        if let Some(at) = text.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            length => text.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    };
    let mut body = text.split_off(head + 4);
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|of| of.parse().ok());
    while body.len() < length.unwrap_or(0) {
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            length => body.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    }
    let key = path.strip_prefix("/state").unwrap_or(path);
    Ok(Some(Asked {
        method,
        key: decoded(key.trim_start_matches('/')),
        query: pairs.collect(),
        headers,
        body,
    }))
}

impl Held {
    fn carry_out(&mut self, asked: &Asked, unconditional: bool) -> (&'static str, String, Vec<u8>) {
        let none = || ("404 Not Found", String::new(), coded("NoSuchKey"));
        let there = self.objects.get(&asked.key);
        match asked.method.as_str() {
            "PUT" => {
                let tag = there.map(|(version, _)| tag(*version));
                let creates = asked.headers.contains_key("if-none-match");
                let replaces = asked.headers.get("if-match");
                let is_met = !(creates && tag.is_some())
                    && replaces.is_none_or(|of| Some(of) == tag.as_ref());
                if !is_met && !unconditional {
                    let code = coded("PreconditionFailed");
                    return ("412 Precondition Failed", String::new(), code);
                }
                self.writes += 1;
                let entry = (self.writes, asked.body.clone());
                self.objects.insert(asked.key.clone(), entry);
                let headers = format!("etag: {}\r\n", self::tag(self.writes));
                ("200 OK", headers, Vec::new())
            }
            "DELETE" => {
                self.objects.remove(&asked.key);
                ("204 No Content", String::new(), Vec::new())
            }
            "POST" => {
                // Several are deleted at once.
                let text = String::from_utf8_lossy(&asked.body).into_owned();
                let mut deleted = String::new();
                for part in text.split("<Key>").skip(1) {
                    let key = part.split("</Key>").next().unwrap_or_default();
                    self.objects.remove(key);
                    deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
                }
                let body = format!("<DeleteResult>{deleted}</DeleteResult>");
                ("200 OK", String::new(), body.into_bytes())
            }
            _ if asked.query.contains_key("list-type") => {
                ("200 OK", String::new(), self.list(asked).into_bytes())
            }
            _ => match there {
                Some((version, body)) => {
                    let headers = format!(
                        "etag: {}\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
                        tag(*version)
                    );
                    ("200 OK", headers, body.clone())
                }
                None => none(),
            },
        }
    }

    fn list(&self, asked: &Asked) -> String {
        let prefix = asked.query.get("prefix").map_or("", String::as_str);
        let mut folders = BTreeSet::new();
        let mut text = String::new();
        for (key, (version, body)) in &self.objects {
            let Some(rest) = key.strip_prefix(prefix) else {
                continue;
            };
            match rest.split_once('/') {
                Some((folder, _)) if asked.query.contains_key("delimiter") => {
                    folders.insert(format!("{prefix}{folder}/"));
                }
                _ => {
                    let (size, tag) = (body.len(), tag(*version).replace('"', ""));
                    text += &format!(
                        "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                         <ETag>{tag}</ETag><Size>{size}</Size></Contents>"
                    );
                }
            }
        }
        for folder in folders {
            text += &format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>");
        }
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>")
    }
}

fn tag(version: u64) -> String {
    format!("\"{version:032x}\"")
}

fn coded(code: &str) -> Vec<u8> {
    format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>").into_bytes()
}
