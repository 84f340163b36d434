//! Kamailio, a SIP server, from a folder of configuration files.

mod registrar;

use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{PATIENCE, Server, program, run, write_script};
use crate::{Lab, LabError};

pub use registrar::RegistrarSettings;

/// A running Kamailio. What it serves is in `kamailio.cfg` of the folder it was started with.
#[derive(Debug)]
pub struct Kamailio {
    server: Server,
    restart: PathBuf,
    /// What it was started with.
    folder: PathBuf,
    /// Its sockets, process id and log.
    own: PathBuf,
    lab: Lab,
}

/// The part of a service manager: starts Kamailio again whenever a line comes through `go`, and notes when it ended by
/// itself. It is the first process of a process namespace, so that Kamailio's workers end with it. Its folder is `$0`.
const SUPERVISE: &str = r#"
cd "$0" || exit 1
starts=0
while :; do
    rm -f pid failed run/kamailio_rpc.sock
    starts=$((starts + 1))
    echo "$starts" >starts
    (
        "$@"
        echo "$?" >failed
    ) &
    job=$!
    read -r _ <go
    until [ -s pid ] || [ -e failed ]; do sleep 0.02; done
    [ -e failed ] || kill -TERM "$(cat pid)"
    wait "$job"
done
"#;

/// The JSON-RPC socket, below the run-time folder.
const SOCKET: &str = "run/kamailio_rpc.sock";

impl Kamailio {
    /// Starts Kamailio with `folder`'s `kamailio.cfg` and waits until it answers. That file has to load `jsonrpcs` with
    /// its datagram socket, which it has by default.
    ///
    /// # Errors
    /// When the program is missing, refuses its configuration, or is not ready in time.
    pub fn start(lab: &Lab, folder: &Path) -> Result<Self, LabError> {
        let own = lab.folder("kamailio")?;
        fs::create_dir(own.join("run"))
            .map_err(|source| LabError::io("create a folder for sockets", source))?;
        let mut mkfifo = lab.command(program("mkfifo")?);
        mkfifo.arg(own.join("go"));
        run(mkfifo)?;
        let mut command = lab.command(program("unshare")?);
        command
            .args([
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "sh",
                "-c",
                SUPERVISE,
            ])
            .arg(&own)
            .arg(program("kamailio")?)
            // In the foreground with its log here, few workers and little memory: there are several in one lab. One worker
            // for connections: before 5.8 several share what OpenSSL 3 keeps of its errors, and now and then one of them
            // dies of it when many telephones come at once (kamailio/kamailio#3695).
            .args(["-DD", "-E", "-n", "2", "-N", "1", "-m", "64", "-M", "8"])
            .arg("-f")
            .arg(folder.join("kamailio.cfg"))
            .arg("-w")
            .arg(&own)
            .arg("-Y")
            .arg(own.join("run"))
            .arg("-P")
            .arg(own.join("pid"));
        let restart = write_restart(&own)?;
        let server = Server::start("kamailio", command, &own.join("log"))?;
        let mut kamailio = Self {
            server,
            restart,
            folder: folder.to_owned(),
            own,
            lab: lab.clone(),
        };
        kamailio.wait_until_ready()?;
        Ok(kamailio)
    }

    /// Starts one that needs no other file: it registers the given users with their passwords (digest authentication)
    /// and connects calls between them.
    ///
    /// # Errors
    /// As for [`Kamailio::start`].
    pub fn registrar(lab: &Lab, settings: &RegistrarSettings) -> Result<Self, LabError> {
        let folder = lab.folder("registrar")?;
        settings.write(&folder)?;
        Self::start(lab, &folder)
    }

    /// Writes a certificate for these names into the folder, and gives its path and that of its key. Nobody has
    /// signed it.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn write_certificate(
        folder: &Path,
        names: &[&str],
    ) -> Result<(PathBuf, PathBuf), LabError> {
        registrar::write_certificate(folder, names.iter().map(ToString::to_string).collect())
    }

    fn wait_until_ready(&mut self) -> Result<(), LabError> {
        let mut failed = false;
        let Self { server, own, .. } = self;
        server.wait_until(|| {
            failed = own.join("failed").exists();
            failed || ask(own, "core.version", &json!([])).is_ok()
        })?;
        if failed {
            return Err(LabError::Ended {
                name: "kamailio".to_owned(),
                status: "a failure".to_owned(),
                log: self.log(),
            });
        }
        Ok(())
    }

    /// The folder of its `kamailio.cfg`. A new one can be started with it where this one was killed.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The certificate of a [registrar](Self::registrar) that listens for TLS, for clients to trust; none where it has
    /// none.
    #[must_use]
    pub fn certificate(&self) -> Option<PathBuf> {
        let path = self.folder.join(registrar::CERTIFICATE);
        path.exists().then_some(path)
    }

    /// A program that restarts Kamailio and fails if it does not come back: what `systemctl restart kamailio` is
    /// elsewhere. It also starts one that failed.
    #[must_use]
    pub fn restart_command(&self) -> &Path {
        &self.restart
    }

    /// Restarts it, which forgets all registrations.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&mut self) -> Result<(), LabError> {
        run(self.lab.command(&self.restart))?;
        self.wait_until_ready()
    }

    /// Ends it at once with all its workers, as a power cut would. It cannot be restarted.
    pub fn kill(&mut self) {
        // A restart would wait for a reader of it. It cannot be missing, and if it stays that restart takes its time.
        let _ = fs::remove_file(self.own.join("go"));
        self.server.kill();
    }

    /// Calls a JSON-RPC method past the network and gives its `result`.
    ///
    /// # Errors
    /// When Kamailio does not answer, or answers with an error.
    pub fn rpc(&self, method: &str, params: &Value) -> Result<Value, LabError> {
        ask(&self.own, method, params)
    }

    /// The contacts that a user has registered, such as `sip:101@10.20.30.11:5060`, in no order.
    ///
    /// # Errors
    /// When Kamailio does not answer, or keeps no registrations.
    pub fn contacts(&self, user: &str) -> Result<Vec<String>, LabError> {
        let found = match self.rpc("ul.lookup", &json!(["location", user])) {
            Ok(found) => found,
            Err(LabError::Answer { answer, .. }) if answer.contains("AOR not found") => {
                return Ok(Vec::new());
            }
            Err(other) => return Err(other),
        };
        let contacts = found.pointer("/Contacts").and_then(Value::as_array);
        Ok(contacts
            .into_iter()
            .flatten()
            .filter_map(|contact| contact.pointer("/Contact/Address")?.as_str())
            .map(str::to_owned)
            .collect())
    }

    /// Everything Kamailio has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Sends one request to the datagram socket of the Kamailio whose folder this is.
fn ask(own: &Path, method: &str, params: &Value) -> Result<Value, LabError> {
    static ASKED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let here = own.join(format!("ask-{number}"));
    let request =
        json!({ "jsonrpc": "2.0", "id": number, "method": method, "params": params }).to_string();
    let exchange = || -> io::Result<Vec<u8>> {
        let socket = UnixDatagram::bind(&here)?;
        socket.set_read_timeout(Some(PATIENCE.min(Duration::from_secs(5))))?;
        socket.send_to(request.as_bytes(), own.join(SOCKET))?;
        let mut answer = vec![0; 128 * 1024];
        let length = socket.recv(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    };
    let answer = exchange();
    // It may not have been made, and goes with the lab anyway.
    let _ = fs::remove_file(&here);
    let answer =
        answer.map_err(|source| LabError::io(format!("ask Kamailio for {method}"), source))?;
    let mut value: Value = serde_json::from_slice(&answer).unwrap_or_default();
    match value.pointer_mut("/result") {
        Some(result) => Ok(result.take()),
        None => Err(LabError::Answer {
            name: "kamailio".to_owned(),
            answer: String::from_utf8_lossy(&answer).into_owned(),
        }),
    }
}

fn write_restart(own: &Path) -> Result<PathBuf, LabError> {
    let script = own.join("restart");
    let path = std::env::var("PATH").unwrap_or_default();
    let text = format!(
        r#"#!/bin/sh
PATH='{path}:/usr/sbin:/usr/bin:/sbin:/bin'
cd '{own}' || exit 1
[ -p go ] || {{ echo "kamailio is gone" >&2; exit 1; }}
old=$(cat starts) || exit 1
echo >go
tries=0
while [ "$(cat starts)" = "$old" ] || [ ! -S {SOCKET} ]; do
    tries=$((tries + 1))
    if [ "$(cat starts)" != "$old" ] && [ -e failed ] || [ "$tries" -ge 1000 ]; then
        tail -n 20 log >&2
        echo "kamailio did not come back" >&2
        exit 1
    fi
    sleep 0.02
done
"#,
        own = own.display()
    );
    write_script(&script, &text)?;
    Ok(script)
}
