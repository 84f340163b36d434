//! An object store: moto's implementation of S3, with conditional puts.

use std::path::Path;
use std::process::Command;

use crate::LabError;
use crate::process::Server;

/// One request after the other: so a condition and the write behind it are one, as in S3.
const PROGRAM: &str = r#"
import sys
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

s3_backends["123456789012"]["aws"].create_bucket("state", "us-east-1")
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print("port", server.port, flush=True)
server.serve_forever()
"#;

/// A server on loopback with an empty bucket `state`.
#[derive(Debug)]
pub struct ObjectServer {
    server: Server,
    port: u16,
}

impl ObjectServer {
    /// Starts it with a Python that has moto; its log goes to `folder`.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub fn start(python: &Path, folder: &Path) -> Result<Self, LabError> {
        let mut command = Command::new(python);
        command.args(["-c", PROGRAM]);
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
            port: port.unwrap_or_default(),
        })
    }

    /// What a program needs in its environment to use it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            (
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            ),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIALAB".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "lab".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// Where it listens on loopback.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The requests seen so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}
