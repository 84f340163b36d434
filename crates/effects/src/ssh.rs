//! A host reached through the user's own OpenSSH: its configuration, its agent, its known hosts.
//!
//! One `ssh` process holds one connection: its own channel carries SFTP, commands go through it as further channels.
//! It never asks anything, and it ends with this process, whatever way that ends: it lives as long as its input does.

mod error;
mod link;
pub(crate) mod script;
pub(crate) mod sftp;
pub(crate) mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use percent_encoding::percent_decode_str;
use tokio::sync::Mutex;
use url::Url;

pub use error::SshError;
pub(crate) use link::Link;

use crate::trace::{Event, Reporting};

/// Where a folder on another host is: `ssh://USER@HOST:PORT/FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    folder: String,
}

/// A text is no [`Location`]. The message fits behind "the root".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum LocationError {
    #[error("is not of the form `ssh://USER@HOST:PORT/FOLDER`")]
    Form,
    #[error("holds a password: keys and agents are for that")]
    Password,
    #[error("names a user or host that `ssh` would take for something else")]
    Name,
    #[error("names no folder")]
    Folder,
    #[error("holds a `.` or `..` part, an empty part, or a control character")]
    Parts,
}

impl Location {
    /// Reads `ssh://USER@HOST:PORT/FOLDER`. User and port may be missing: then the user's own configuration says
    /// them, and the host may be a name from there.
    ///
    /// # Errors
    /// Where it is not of that form.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let rest = text.strip_prefix("ssh://").ok_or(LocationError::Form)?;
        // The crate resolves `..` away before it can be seen.
        let folder = rest
            .split_once('/')
            .map_or("", |(_, folder)| folder)
            .trim_end_matches('/');
        let url = Url::parse(text).map_err(|_| LocationError::Form)?;
        if url.password().is_some() {
            return Err(LocationError::Password);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(LocationError::Form);
        }
        let decoded = |part: &str| {
            percent_decode_str(part)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| LocationError::Form)
        };
        let host = decoded(url.host_str().ok_or(LocationError::Form)?)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let user = match url.username() {
            "" => None,
            user => Some(decoded(user)?),
        };
        let odd = |name: &str| {
            name.is_empty()
                || name.starts_with('-')
                || name.contains(|letter: char| {
                    letter.is_control()
                        || letter.is_whitespace()
                        || "/\\'\"`$;&|<>(){}*?!".contains(letter)
                })
        };
        if odd(&host) || user.as_deref().is_some_and(odd) {
            return Err(LocationError::Name);
        }
        let folder = decoded(folder)?;
        if folder.is_empty() {
            return Err(LocationError::Folder);
        }
        if folder.chars().any(char::is_control)
            || folder
                .split('/')
                .any(|part| matches!(part, "" | "." | ".."))
        {
            return Err(LocationError::Parts);
        }
        Ok(Self {
            user,
            host,
            port: url.port(),
            folder: format!("/{folder}"),
        })
    }

    /// The folder, absolute, as the host knows it.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// `ssh://USER@HOST:PORT`, without the folder.
    fn authority(&self) -> String {
        let mut text = "ssh://".to_owned();
        if let Some(user) = &self.user {
            text.push_str(user);
            text.push('@');
        }
        if self.host.contains(':') {
            text.push_str(&format!("[{}]", self.host));
        } else {
            text.push_str(&self.host);
        }
        if let Some(port) = self.port {
            text.push_str(&format!(":{port}"));
        }
        text
    }

    /// Options and host, as `ssh` takes them.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        arguments
    }

    /// What a person would type to connect.
    fn by_hand(&self, program: &[String]) -> String {
        let mut words = program.to_vec();
        words.extend(self.arguments());
        words.push(self.host.clone());
        words.join(" ")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.authority(), self.folder)
    }
}

/// A host, connected to when first needed, and again where the connection was lost. Cheap to clone; all clones share
/// one connection.
#[derive(Debug, Clone)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    location: Location,
    program: Vec<String>,
    reporting: Reporting,
    link: Mutex<Option<Arc<Link>>>,
}

impl Host {
    /// `program` is what is run for `ssh`, with arguments that go before all others; empty for `ssh` itself. Nothing
    /// is connected yet.
    #[must_use]
    pub fn new(location: Location, program: &[String], reporting: &Reporting) -> Self {
        let program = match program {
            [] => vec!["ssh".to_owned()],
            program => program.to_vec(),
        };
        Self(Arc::new(Inner {
            location,
            program,
            reporting: reporting.clone(),
            link: Mutex::default(),
        }))
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// `ssh://USER@HOST:PORT`, for people.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.location.authority()
    }

    /// The connection: the one there is, where it answers, or a new one.
    pub(crate) async fn link(&self) -> Result<Arc<Link>, SshError> {
        let mut known = self.0.link.lock().await;
        if let Some(link) = &*known
            && link.sftp.realpath(".").await.is_ok()
        {
            return Ok(Arc::clone(link));
        }
        // A dead one is gone before the next is made.
        *known = None;
        let started = Instant::now();
        let link = Link::connect(&self.0.location, &self.0.program).await?;
        if self.0.reporting.listening() {
            self.0.reporting.tell(&Event::Connected {
                host: &self.name(),
                elapsed: started.elapsed(),
            });
        }
        Ok(Arc::clone(known.insert(Arc::new(link))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Location, LocationError};

    #[test]
    fn locations_are_read_and_shown() {
        for (text, shown, by_hand) in [
            (
                "ssh://deploy@prov.acme.example/srv/provisioning",
                "ssh://deploy@prov.acme.example/srv/provisioning",
                "ssh -l deploy prov.acme.example",
            ),
            ("ssh://prov/srv/", "ssh://prov/srv", "ssh prov"),
            (
                "ssh://root@[2001:db8::1]:2222/srv/a%20b",
                "ssh://root@[2001:db8::1]:2222/srv/a b",
                "ssh -p 2222 -l root 2001:db8::1",
            ),
            ("ssh://prov_2/x", "ssh://prov_2/x", "ssh prov_2"),
        ] {
            let location = Location::parse(text).unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(location.by_hand(&["ssh".to_owned()]), by_hand);
        }
    }

    #[test]
    fn what_is_no_location_is_told_apart() {
        for (text, why) in [
            ("sftp://h/x", LocationError::Form),
            ("ssh:///x", LocationError::Form),
            ("ssh://h/x?a", LocationError::Form),
            ("ssh://u:secret@h/x", LocationError::Password),
            ("ssh://-oProxyCommand=x/x", LocationError::Name),
            ("ssh://-l@h/x", LocationError::Name),
            ("ssh://h%20-v/x", LocationError::Name),
            ("ssh://a%0ab@h/x", LocationError::Name),
            ("ssh://h", LocationError::Folder),
            ("ssh://h/", LocationError::Folder),
            ("ssh://h/a/../b", LocationError::Parts),
            ("ssh://h/a/%2e%2e/b", LocationError::Parts),
            ("ssh://h//a", LocationError::Parts),
            ("ssh://h/a%00b", LocationError::Parts),
        ] {
            assert_eq!(Location::parse(text), Err(why), "{text}");
        }
    }
}
