//! The main job on real servers, told in a dozen lines: `demo PATH-OF-SWITCHOVER`, or rather `cargo xtask demo`.
//!
//! A telephone gets its lease from a Kea that `switchover` configured, fetches the file that `switchover` wrote, and finds
//! both PBXs in it. Every line told is checked; the first thing that is not as it should be ends the demo.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab, Proxy, WebServer, akuvox_settings};

const TOPOLOGY: &str = include_str!("../../demo/switchover.kdl");
const KEA: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 5);
const WEB: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 80);
const PHONE: &str = "9c:75:14:00:01:01";
const PASSWORD: &str = "only-for-the-demo";

/// Exit codes of `switchover`.
const NO_CHANGES: i32 = 0;
const CHANGES_PENDING: i32 = 4;

fn main() -> ExitCode {
    let Some(switchover) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: demo PATH-OF-SWITCHOVER");
        return ExitCode::from(2);
    };
    match tell(&switchover) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("the demo failed: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn tell(switchover: &Path) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24", "10.20.30.80/24"])?;
    let work = lab.folder("work")?;
    let (topology, files) = (work.join("switchover.kdl"), work.join("files"));
    fs::write(&topology, TOPOLOGY)?;
    fs::create_dir(&files)?;

    let foreign = json!({ "id": 7, "subnet": "192.0.2.0/24", "comment": "not ours" });
    let dhcp4 = json!({ "subnet4": [foreign] });
    let kea = Kea::start(
        &lab,
        KeaSettings {
            address: KEA,
            port: 8001,
            password: Some(PASSWORD.to_owned()),
            dhcp4,
        },
    )?;
    let proxy = Proxy::start(&lab, (KEA, 8000), kea.address())?;
    let web = WebServer::start(&lab, WEB, 80, &files)?;
    let version = kea.command(&json!({ "command": "version-get" }))?;
    say(
        "servers",
        &format!(
            "Kea {} at {}, a web server at {}",
            text(&version["text"]),
            proxy.url(),
            web.url()
        ),
    );
    say("before", &format!("Kea serves {}", subnets(&kea)?));

    let run = |arguments: &[&str], expected: i32| -> Result<String, Box<dyn Error>> {
        let output = lab
            .command(switchover)
            .args(arguments)
            .current_dir(&work)
            .env("DEMO_KEA_PASSWORD", PASSWORD)
            .env("DEMO_SIP_PASSWORD", PASSWORD)
            .output()?;
        let (told, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if output.status.code() != Some(expected) {
            return Err(format!(
                "switchover {arguments:?} ended with {}\n{told}{errors}",
                output.status
            )
            .into());
        }
        let last = |text: &str| {
            text.lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .map(|line| line.trim().to_owned())
        };
        Ok(last(&told).or_else(|| last(&errors)).unwrap_or_default())
    };
    let file = "switchover.kdl";
    say("validate", &run(&["validate", file], 0)?);
    say(
        "plan",
        &run(&["plan", "--detailed-exitcode", file], CHANGES_PENDING)?,
    );
    say(
        "",
        &format!("sent nothing but reads: {}", proxy.commands().join(", ")),
    );
    ensure(
        proxy
            .commands()
            .iter()
            .all(|command| command.ends_with("-get")),
        "the plan sent more than reads",
    )?;
    ensure(
        fs::read_dir(&files)?.next().is_none(),
        "the plan wrote files",
    )?;
    say("apply", &run(&["apply", "--yes", file], 0)?);
    say("after", &format!("Kea serves {}", subnets(&kea)?));
    ensure(
        subnets(&kea)?.contains("192.0.2.0/24"),
        "the subnet of somebody else is gone",
    )?;

    let phone = lab.phone(PHONE)?;
    let lease = phone.dhcp()?;
    let url = lease.text(66).unwrap_or_default();
    say(
        "phone",
        &format!(
            "{PHONE} leases {} and is told: DNS {:?}, files at {url}",
            lease.address(),
            lease.addresses(6)
        ),
    );
    ensure(
        lease.address() == Ipv4Addr::new(10, 20, 30, 11),
        "this is not the reserved address",
    )?;
    ensure(
        lease.addresses(6) == [Ipv4Addr::new(10, 20, 0, 53), Ipv4Addr::new(10, 20, 0, 54)],
        "these are other DNS servers",
    )?;
    let name = format!("{}.cfg", PHONE.replace(':', ""));
    let content =
        String::from_utf8(phone.fetch(&format!("{}/{name}", url.trim_end_matches('/')))?)?;
    let settings = akuvox_settings(&content);
    let setting = |key: &str| {
        settings
            .get(&format!("Config.Account1.SIP.{key}"))
            .map_or("", String::as_str)
    };
    say("phone", &format!("fetches {name}, {} bytes", content.len()));
    let (main, standby) = (
        format!("{}:{}", setting("Server"), setting("Port")),
        format!("{}:{}", setting("Server2"), setting("Port2")),
    );
    let transport = match setting("TransType") {
        "0" => "UDP",
        "1" => "TCP",
        "2" => "TLS",
        _ => "an unknown transport",
    };
    say(
        "phone",
        &format!("is to register at {main} and {standby} over {transport}"),
    );
    ensure(
        main == "pbx1.acme.example:443" && standby == "pbx2.acme.example:443",
        "both PBXs must be in the file",
    )?;
    ensure(
        transport == "TCP",
        "the documented transport of a WP480 on WMS 3.86 is TCP",
    )?;
    say(
        "plan",
        &run(&["plan", "--detailed-exitcode", file], NO_CHANGES)?,
    );
    say(
        "done",
        &format!(
            "in {:.1} s; nothing of it is left",
            started.elapsed().as_secs_f64()
        ),
    );
    Ok(())
}

fn say(who: &str, what: &str) {
    println!("{who:>9}  {what}");
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("of an unknown version")
}

fn subnets(kea: &Kea) -> Result<String, Box<dyn Error>> {
    let configuration = kea.config_get()?;
    let subnets = configuration["subnet4"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let names: Vec<&str> = subnets
        .iter()
        .map(|subnet| text(&subnet["subnet"]))
        .collect();
    Ok(names.join(" and "))
}
