//! A web server for provisioning files: busybox `httpd` over a folder.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use crate::process::{Server, program};
use crate::{Kamailio, Lab, LabError, door};

/// A web server that serves the files of a folder.
#[derive(Debug)]
pub struct WebServer {
    server: Server,
    address: Ipv4Addr,
    port: u16,
    secure: Option<Secure>,
}

/// The port for HTTPS.
#[derive(Debug)]
struct Secure {
    _door: Server,
    certificate: PathBuf,
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
            secure: None,
        })
    }

    /// Serves `folder` over HTTPS at port 443 of the address, under this name; over HTTP at port 80 as well.
    ///
    /// # Errors
    /// As for [`WebServer::start`].
    pub fn start_secure(
        lab: &Lab,
        address: Ipv4Addr,
        hostname: &str,
        folder: &Path,
    ) -> Result<Self, LabError> {
        let mut server = Self::start(lab, address, 80, folder)?;
        let own = lab.folder("web")?;
        let (certificate, key) = Kamailio::write_certificate(&own, &[hostname])?;
        let at = |port| SocketAddrV4::new(address, port);
        let identity = (certificate.as_path(), key.as_path());
        let door = door::open(lab, at(443), &[("--web", at(80))], identity)?;
        server.secure = Some(Secure {
            _door: door,
            certificate,
        });
        Ok(server)
    }

    /// The certificate for HTTPS, which nobody has signed; none where it is not served.
    #[must_use]
    pub fn certificate(&self) -> Option<&Path> {
        self.secure
            .as_ref()
            .map(|secure| secure.certificate.as_path())
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
