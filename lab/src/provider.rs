//! A provider of an incoming trunk, who calls in with `sipp`.

use std::fs;
use std::net::Ipv4Addr;

use crate::process::{program, run};
use crate::{Lab, LabError};

const SCENARIO: &str = include_str!("provider/call.xml");

/// A provider at an address of the lab. It logs in nowhere: PBXs know it by its address.
#[derive(Debug, Clone)]
pub struct Provider {
    lab: Lab,
    address: Ipv4Addr,
}

impl Provider {
    /// One that calls from this address, port 5060, over UDP.
    #[must_use]
    pub fn new(lab: &Lab, address: Ipv4Addr) -> Self {
        Self {
            lab: lab.clone(),
            address,
        }
    }

    /// Brings a call to the first of these servers that takes it, and hangs up. Each has two seconds. Gives which one it was.
    ///
    /// # Errors
    /// When none takes it; the error is that of the last.
    pub fn call(&self, servers: &[Ipv4Addr], number: &str) -> Result<Ipv4Addr, LabError> {
        let mut last = LabError::Answer {
            name: "the provider".to_owned(),
            answer: "that it knows no server".to_owned(),
        };
        for server in servers {
            match self.try_one(*server, number) {
                Ok(()) => return Ok(*server),
                Err(error @ LabError::Command { .. }) => last = error,
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    fn try_one(&self, server: Ipv4Addr, number: &str) -> Result<(), LabError> {
        let folder = self.lab.folder("sipp")?;
        fs::write(folder.join("call.xml"), SCENARIO)
            .map_err(|source| LabError::io("write a scenario", source))?;
        let mut sipp = self.lab.command(program("sipp")?);
        sipp.args(["-sf", "call.xml", "-m", "1", "-nostdin"])
            .args(["-timeout", "2s", "-timeout_error"])
            .args(["-i", &self.address.to_string(), "-p", "5060"])
            .args(["-s", number, &format!("{server}:5060")])
            .current_dir(&folder);
        run(sipp).map(drop)
    }
}
