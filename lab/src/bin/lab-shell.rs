//! A lab to look around in: Kea, a web server and one phone that has its lease.
//!
//! `cargo run -p switchover-lab --bin lab-shell [COMMAND ARGUMENTS…]` runs a command, or else a shell, beside the servers
//! and ends the lab with it.

use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};
use std::{env, fs};

use serde_json::json;
use switchover_lab::{Kea, KeaSettings, Lab, LabError, WebServer};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 1);

fn main() -> ExitCode {
    match explore() {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("the lab failed: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn explore() -> Result<ExitCode, LabError> {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"])?;
    println!("folder   {}", lab.path().display());
    let subnet = json!({
        "id": 1,
        "subnet": "10.20.30.0/24",
        "pools": [{ "pool": "10.20.30.100-10.20.30.220" }],
        "option-data": [
            { "name": "routers", "data": GATEWAY },
            { "name": "tftp-server-name", "data": format!("http://{GATEWAY}/") },
        ],
    });
    let kea = Kea::start(
        &lab,
        KeaSettings {
            dhcp4: json!({ "subnet4": [subnet] }),
            ..KeaSettings::default()
        },
    )?;
    println!("kea      {}", kea.url());
    let files = lab.folder("files")?;
    fs::write(files.join("9c7514000101.cfg"), "#!version:1.0.0.1\n").map_err(|source| {
        LabError::Io {
            action: "write a file to serve".to_owned(),
            source,
        }
    })?;
    let web = WebServer::start(&lab, GATEWAY, 80, &files)?;
    println!("files    {} from {}", web.url(), files.display());
    let phone = lab.phone("9c:75:14:00:01:01")?;
    let lease = phone.dhcp()?;
    let url = lease.text(66).unwrap_or_default();
    println!("phone    {} told {url}", lease.address());
    phone.fetch(&format!("{url}9c7514000101.cfg"))?;

    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let mut command = match arguments.split_first() {
        Some((program, rest)) => {
            let mut command: Command = lab.command(program);
            command.args(rest);
            command
        }
        None => lab.command(env::var_os("SHELL").unwrap_or_else(|| "sh".into())),
    };
    let status = command.status().map_err(|source| LabError::Io {
        action: "run the command".to_owned(),
        source,
    })?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
