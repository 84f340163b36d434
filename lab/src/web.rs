//! A web server for provisioning files: busybox `httpd` over a folder.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::process::{Server, program};
use crate::{Lab, LabError};

/// A web server that serves the files of a folder.
#[derive(Debug)]
pub struct WebServer {
    server: Server,
    address: Ipv4Addr,
    port: u16,
}

impl WebServer {
    /// Serves `folder` at an address of the lab.
    ///
    /// # Errors
    /// When the program is missing or does not come to listen.
    pub fn start(lab: &Lab, address: Ipv4Addr, port: u16, folder: &Path) -> Result<Self, LabError> {
        let log = lab.path().join(format!("web-{}.log", lab.number()));
        let mut command = lab.command(program("busybox")?);
        command
            .args(["httpd", "-f", "-vv", "-p"])
            .arg(format!("{address}:{port}"))
            .arg("-h")
            .arg(folder);
        let mut server = Server::start("httpd", command, &log)?;
        server.wait_until(|| lab.listens(address, port))?;
        Ok(Self {
            server,
            address,
            port,
        })
    }

    /// The server's URL inside the lab.
    #[must_use]
    pub fn url(&self) -> String {
        match self.port {
            80 => format!("http://{}/", self.address),
            port => format!("http://{}:{port}/", self.address),
        }
    }

    /// The requests seen so far, as the server logs them.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}
