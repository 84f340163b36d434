//! Kea's DHCPv4 server with its control agent.

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{PATIENCE, Server, copy_program, poll, program};
use crate::{Lab, LabError};

/// How a Kea is started.
#[derive(Debug, Clone)]
pub struct KeaSettings {
    /// An address of the lab at which DHCP and the control agent are served.
    pub address: Ipv4Addr,
    /// The control agent's port.
    pub port: u16,
    /// The password of the user `kea`; without one the control agent asks for none.
    pub password: Option<String>,
    /// The `Dhcp4` object before anything is applied. Interfaces, control socket, leases and logging are added where it
    /// has none of its own.
    pub dhcp4: Value,
}

impl Default for KeaSettings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::new(10, 20, 30, 5),
            port: 8000,
            password: None,
            dhcp4: json!({}),
        }
    }
}

/// A running Kea.
#[derive(Debug)]
pub struct Kea {
    settings: KeaSettings,
    lab: Lab,
    folder: PathBuf,
    dhcp4: Server,
    agent: Server,
}

impl Kea {
    /// Starts the server and its control agent, and waits until both answer.
    ///
    /// # Errors
    /// When a program is missing, refuses its configuration, or is not ready in time.
    pub fn start(lab: &Lab, settings: KeaSettings) -> Result<Self, LabError> {
        let folder = lab.folder("kea")?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750))
            .map_err(|source| LabError::io("close the folder of Kea", source))?;
        let socket = folder.join("dhcp4.sock");
        write_json(
            &folder.join("dhcp4.json"),
            &json!({ "Dhcp4": complete(&settings, &folder) }),
        )?;
        write_json(
            &folder.join("agent.json"),
            &json!({ "Control-agent": agent(&settings, &socket) }),
        )?;
        let dhcp4 = start_dhcp4(lab, &folder)?;
        let agent = start_agent(lab, &folder, &settings)?;
        Ok(Self {
            settings,
            lab: lab.clone(),
            folder,
            dhcp4,
            agent,
        })
    }

    /// The control agent's URL inside the lab.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}:{}/", self.settings.address, self.settings.port)
    }

    /// Where the control agent listens inside the lab.
    #[must_use]
    pub fn address(&self) -> (Ipv4Addr, u16) {
        (self.settings.address, self.settings.port)
    }

    /// The folder of the hook libraries, which every distribution puts elsewhere.
    ///
    /// # Errors
    /// When it is not found.
    pub fn hooks() -> Result<PathBuf, LabError> {
        let libraries = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
        let below = libraries.iter().flat_map(fs::read_dir).flatten().flatten();
        let folders: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
        libraries
            .iter()
            .chain(&folders)
            .map(|folder| folder.join("kea/hooks"))
            .find(|folder| folder.join("libdhcp_ha.so").is_file())
            .ok_or_else(|| LabError::Missing {
                program: "libdhcp_ha.so".to_owned(),
            })
    }

    /// The control socket of the DHCP server.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("dhcp4.sock")
    }

    /// What the server says of itself in its pair, such as `hot-standby` or `waiting`; none where it is in none.
    #[must_use]
    pub fn pair_state(&self) -> Option<String> {
        let answer = self.command(&json!({ "command": "status-get" })).ok()?;
        let state = answer.pointer("/arguments/high-availability/0/ha-servers/local/state")?;
        Some(state.as_str()?.to_owned())
    }

    /// Waits until the server says so.
    ///
    /// # Errors
    /// When it does not come to be in time; the error holds the end of its log.
    pub fn wait_for_pair(&self, state: &str) -> Result<(), LabError> {
        let is = || (self.pair_state().as_deref() == Some(state)).then_some(());
        poll(is).ok_or_else(|| LabError::NotReady {
            name: format!("{state} of {}", self.settings.address),
            log: self.dhcp4.log(),
        })
    }

    /// Sends a command to the DHCP server itself, past the control agent: `{"command": "version-get"}`.
    ///
    /// # Errors
    /// When the server does not answer with one JSON value.
    pub fn command(&self, command: &Value) -> Result<Value, LabError> {
        ask(&self.folder.join("dhcp4.sock"), command)
    }

    /// The whole configuration as the server has it now, without the envelope: the value of `Dhcp4`.
    ///
    /// # Errors
    /// When the server does not answer or its answer holds no configuration.
    pub fn config_get(&self) -> Result<Value, LabError> {
        let mut answer = self.command(&json!({ "command": "config-get" }))?;
        match answer.pointer_mut("/arguments/Dhcp4") {
            Some(dhcp4) => Ok(dhcp4.take()),
            None => Err(LabError::Answer {
                name: "kea-dhcp4".to_owned(),
                answer: answer.to_string(),
            }),
        }
    }

    /// Ends both programs; leases and configuration stay for [`Kea::restart`].
    ///
    /// # Errors
    /// When a program cannot be waited for.
    pub fn stop(&mut self) -> Result<(), LabError> {
        self.agent.stop()?;
        self.dhcp4.stop()
    }

    /// Ends both programs and starts them again with the configuration of the beginning, or the one last written by
    /// `config-write`.
    ///
    /// # Errors
    /// As for [`Kea::start`].
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.stop()?;
        self.dhcp4 = start_dhcp4(&self.lab, &self.folder)?;
        self.agent = start_agent(&self.lab, &self.folder, &self.settings)?;
        Ok(())
    }

    /// Everything both programs have printed, the DHCP server's first.
    #[must_use]
    pub fn log(&self) -> String {
        format!("{}\n{}", self.dhcp4.log(), self.agent.log())
    }
}

fn start_dhcp4(lab: &Lab, folder: &Path) -> Result<Server, LabError> {
    let mut server = start_program(lab, folder, "kea-dhcp4", "dhcp4.json")?;
    let socket = folder.join("dhcp4.sock");
    server.wait_until(|| ask(&socket, &json!({ "command": "status-get" })).is_ok())?;
    Ok(server)
}

fn start_agent(lab: &Lab, folder: &Path, settings: &KeaSettings) -> Result<Server, LabError> {
    let mut server = start_program(lab, folder, "kea-ctrl-agent", "agent.json")?;
    server.wait_until(|| lab.listens(settings.address, settings.port))?;
    Ok(server)
}

fn start_program(lab: &Lab, folder: &Path, name: &str, config: &str) -> Result<Server, LabError> {
    let copy = folder.join(name);
    if !copy.exists() {
        // Distributions confine Kea by the path of its program to its usual folders; a copy may use the lab's.
        copy_program(&program(name)?, &copy)?;
    }
    let mut command = lab.command(&copy);
    command
        .arg("-c")
        .arg(folder.join(config))
        .current_dir(folder)
        .env("KEA_PIDFILE_DIR", folder)
        .env("KEA_LOCKFILE_DIR", folder)
        // Kea 3 keeps sockets and leases to these folders.
        .env("KEA_CONTROL_SOCKET_DIR", folder)
        .env("KEA_DHCP_DATA_DIR", folder);
    Server::start(name, command, &folder.join(format!("{name}.log")))
}

/// The given configuration with what a running server needs besides.
fn complete(settings: &KeaSettings, folder: &Path) -> Value {
    let interface = format!("{}/{}", Lab::INTERFACE, settings.address);
    let needed = json!({
        "interfaces-config": { "interfaces": [interface], "dhcp-socket-type": "raw" },
        "control-socket": { "socket-type": "unix", "socket-name": folder.join("dhcp4.sock") },
        "lease-database": { "type": "memfile", "persist": true, "name": folder.join("leases.csv"), "lfc-interval": 0 },
        "loggers": [logger("kea-dhcp4")],
    });
    let mut dhcp4 = settings.dhcp4.clone();
    if let (Value::Object(given), Value::Object(needed)) = (&mut dhcp4, needed) {
        for (key, value) in needed {
            given.entry(key).or_insert(value);
        }
    }
    dhcp4
}

fn agent(settings: &KeaSettings, socket: &Path) -> Value {
    let mut agent = json!({
        "http-host": settings.address,
        "http-port": settings.port,
        "control-sockets": { "dhcp4": { "socket-type": "unix", "socket-name": socket } },
        "loggers": [logger("kea-ctrl-agent")],
    });
    if let Some(password) = &settings.password {
        let clients = json!([{ "user": "kea", "password": password }]);
        agent["authentication"] = json!({ "type": "basic", "realm": "kea", "clients": clients });
    }
    agent
}

fn logger(name: &str) -> Value {
    json!({ "name": name, "output_options": [{ "output": "stdout" }], "severity": "INFO" })
}

fn write_json(path: &Path, value: &Value) -> Result<(), LabError> {
    fs::write(path, format!("{value:#}"))
        .map_err(|source| LabError::io(format!("write {}", path.display()), source))
}

fn ask(socket: &Path, command: &Value) -> Result<Value, LabError> {
    let failed = |source| LabError::io("ask kea-dhcp4", source);
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream
        .write_all(command.to_string().as_bytes())
        .map_err(failed)?;
    let mut answers = serde_json::Deserializer::from_reader(stream).into_iter::<Value>();
    match answers.next() {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(problem)) => Err(LabError::Answer {
            name: "kea-dhcp4".to_owned(),
            answer: problem.to_string(),
        }),
        None => Err(LabError::Answer {
            name: "kea-dhcp4".to_owned(),
            answer: "nothing".to_owned(),
        }),
    }
}
