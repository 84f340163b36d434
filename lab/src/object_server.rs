//! An object store: moto's implementation of S3, with conditional puts.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use crate::process::Server;
use crate::{Lab, LabError};

/// One request after the other: so a condition and the write behind it are one, as in S3.
const PROGRAM: &str = r#"
import sys
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

s3_backends["123456789012"]["aws"].create_bucket("state", "us-east-1")
server = make_server(sys.argv[1], int(sys.argv[2]), DomainDispatcherApplication(create_backend_app), threaded=False)
print("port", server.port, flush=True)
server.serve_forever()
"#;

/// A server with an empty bucket `state`.
#[derive(Debug)]
pub struct ObjectServer {
    server: Server,
    address: SocketAddrV4,
}

impl ObjectServer {
    /// Starts it on loopback, with a Python that has moto; its log goes to `folder`.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub fn start(python: &Path, folder: &Path) -> Result<Self, LabError> {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        Self::at(Command::new(python), address, folder)
    }

    /// Starts it at an address of a lab.
    ///
    /// # Errors
    /// As [`ObjectServer::start`].
    pub fn in_lab(lab: &Lab, python: &Path, address: SocketAddrV4) -> Result<Self, LabError> {
        Self::at(lab.command(python), address, lab.path())
    }

    fn at(mut command: Command, address: SocketAddrV4, folder: &Path) -> Result<Self, LabError> {
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        command.args(["-c", PROGRAM, &ip, &port]);
        let log = folder.join("objects.log");
        let mut server = Server::start("the object store", command, &log)?;
        let mut port = None;
        let name_port = |log: &str| {
            let line = log.lines().find_map(|line| line.strip_prefix("port "));
            line.and_then(|port| port.trim().parse().ok())
        };
        server.wait_until(|| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            port = name_port(&log);
            port.is_some()
        })?;
        Ok(Self {
            server,
            address: SocketAddrV4::new(*address.ip(), port.unwrap_or_default()),
        })
    }

    /// What a program needs in its environment to use it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 5] {
        Self::environment_at(self.address)
    }

    /// The same where another address leads to it.
    #[must_use]
    pub fn environment_at(address: SocketAddrV4) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIALAB".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "lab".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests seen so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}
