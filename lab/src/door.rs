//! The secure port of a machine, shared by its servers: the program `door` of this crate.

use std::net::SocketAddrV4;
use std::path::Path;

use crate::process::{Server, own_program};
use crate::{Lab, LabError};

/// Opens it, and leads who comes to one of `servers`: those who want `--sip`, `--sips` or `--web`.
pub(crate) fn open(
    lab: &Lab,
    at: SocketAddrV4,
    servers: &[(&str, SocketAddrV4)],
    (certificate, key): (&Path, &Path),
) -> Result<Server, LabError> {
    let mut command = lab.command(own_program("door")?);
    command.arg(at.to_string());
    for (option, server) in servers {
        command.args([*option, &server.to_string()]);
    }
    command.arg("--certificate").arg(certificate);
    command.arg("--key").arg(key);
    let log = lab.path().join(format!("door-{}.log", lab.number()));
    let mut door = Server::start("door", command, &log)?;
    door.wait_until(|| lab.listens(*at.ip(), at.port()))?;
    Ok(door)
}
