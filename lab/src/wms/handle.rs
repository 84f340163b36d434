//! Starting, arranging and watching a stand-in.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use super::auth::{Keys, S2sKey};
use super::certificate::WmsCertificate;
use super::fault::{Faults, Matching, WmsFault};
use super::server::{Shared, WmsRequest, accept, lock};
use super::state::State;
use crate::forward::WayOut;
use crate::{Lab, LabError};

/// How a WMS is started.
#[derive(Debug, Clone)]
pub struct WmsSettings {
    /// An address of the lab.
    pub address: Ipv4Addr,
    /// The port of the API.
    pub port: u16,
    /// What `PBX/version` tells: 3.86 to 7.
    pub version: String,
    /// The simple token that is taken.
    pub token: String,
    /// Who may sign requests; WMS 5 and later.
    pub s2s: Option<S2sKey>,
    /// Whether a list of users tells their SIP passwords. No source says what a WMS does.
    pub tells_sip_passwords: bool,
    /// With it, HTTPS is spoken.
    pub certificate: Option<WmsCertificate>,
}

impl Default for WmsSettings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::new(10, 20, 0, 10),
            port: 80,
            version: "3.86.30011".to_owned(),
            token: "wms-token".to_owned(),
            s2s: None,
            tells_sip_passwords: true,
            certificate: None,
        }
    }
}

/// A running stand-in. Being asked to reboot fails the test that dropped it, unless [`Wms::reboots`] was looked at.
#[derive(Debug)]
pub struct Wms {
    settings: WmsSettings,
    pub(super) shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    socket: PathBuf,
    out: Option<WayOut>,
}

impl Wms {
    /// Starts one at an address of the lab. It knows nobody but its administrator.
    ///
    /// # Errors
    /// When `socat` is missing, the version is not one that failover is documented for, or something of the operating
    /// system fails.
    pub fn start(lab: &Lab, settings: WmsSettings) -> Result<Self, LabError> {
        let failed = |source| LabError::io("start the WMS", source);
        if !is_known(&settings.version) {
            return Err(LabError::Answer {
                name: "the WMS".to_owned(),
                answer: format!("version {}, which no source documents", settings.version),
            });
        }
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(&settings.version, settings.tells_sip_passwords)),
            keys: Mutex::new(Keys {
                tokens: vec![settings.token.clone()],
                s2s: settings.s2s.clone(),
            }),
            faults: Mutex::new(Faults::default()),
            requests: Mutex::default(),
            latency: Mutex::default(),
            behind: OnceLock::new(),
        });
        let socket = lab.path().join(format!("wms-{}.sock", lab.number()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let listener = {
            let _context = runtime.enter();
            UnixListener::bind(&socket).map_err(failed)?
        };
        let (end, ended) = oneshot::channel();
        let told = Arc::clone(&shared);
        let tls = settings.certificate.as_ref();
        let tls = tls.map(WmsCertificate::acceptor);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, told) => {}
                    _ = ended => {}
                }
            });
        });
        let out = WayOut::open(lab, (settings.address, settings.port), &socket)?;
        Ok(Self {
            settings,
            shared,
            end: Some(end),
            thread: Some(thread),
            socket,
            out: Some(out),
        })
    }

    /// Answers nobody any more, and keeps what it knows.
    pub(crate) fn pull_the_plug(&mut self) {
        drop(self.out.take());
    }

    /// Answers again.
    ///
    /// # Errors
    /// When `socat` cannot be started.
    pub(crate) fn plug_in(&mut self, lab: &Lab) -> Result<(), LabError> {
        let at = (self.settings.address, self.settings.port);
        self.out = Some(WayOut::open(lab, at, &self.socket)?);
        Ok(())
    }

    /// Is away for a moment, and forgets nothing.
    ///
    /// # Errors
    /// When `socat` cannot be started.
    pub fn restart(&mut self, lab: &Lab) -> Result<(), LabError> {
        self.pull_the_plug();
        self.plug_in(lab)
    }

    /// The URL inside the lab, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        let address = self.settings.address;
        match (self.settings.port, &self.settings.certificate) {
            (80, None) => format!("http://{address}"),
            (port, None) => format!("http://{address}:{port}"),
            (443, Some(_)) => format!("https://{address}"),
            (port, Some(_)) => format!("https://{address}:{port}"),
        }
    }

    /// Carries this configuration over to `destination`, as a WMS does every two hours: users, devices, trunks, call
    /// groups and trusted addresses there are overwritten; language, region and what belongs to the machine stay.
    pub fn sync_to(&self, destination: &Self) {
        carry_over(&self.shared, &destination.shared);
    }

    /// Does the same again and again, until what is given is dropped.
    #[must_use]
    pub fn sync_every(&self, destination: &Self, period: Duration) -> Synchronisation {
        let (source, destination) = (Arc::clone(&self.shared), Arc::clone(&destination.shared));
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                carry_over(&source, &destination);
            }
        });
        Synchronisation {
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Puts a user there, as somebody at the web page would; missing fields get their defaults.
    ///
    /// # Panics
    /// When the API would refuse it.
    pub fn add_user(&self, fields: &Value) {
        let mut state = lock(&self.shared.state);
        let reply = state.create_user(fields.to_string().as_bytes());
        assert!(reply.is_ok(), "{reply:?}");
        state.changed(self.shared.behind.get());
    }

    /// Changes a field of the user with this extension, as somebody at the web page would.
    pub fn change_user(&self, extension: &str, field: &str, value: &str) {
        let mut state = lock(&self.shared.state);
        for user in &mut state.users {
            if user.get("extension") == Some(&json!(extension)) {
                user.insert(field.to_owned(), json!(value));
            }
        }
        state.changed(self.shared.behind.get());
    }

    /// Puts a device there.
    ///
    /// # Panics
    /// When the API would refuse it.
    pub fn add_device(&self, mac: &str) {
        let body = json!({ "macs": [mac] }).to_string();
        let reply = lock(&self.shared.state).add_devices(body.as_bytes());
        assert!(reply.is_ok(), "{reply:?}");
    }

    /// Puts a SIP trunk there.
    pub fn add_trunk(&self, title: &str) {
        self.add_trunk_from(title, "");
    }

    /// Puts a SIP trunk there whose provider calls from this address.
    pub fn add_trunk_from(&self, title: &str, provider: &str) {
        let mut state = lock(&self.shared.state);
        let id = state.next_id();
        state.sip_trunks.push(
            json!({ "id": id, "title": title, "name": title, "register": "", "host": provider }),
        );
        state.changed(self.shared.behind.get());
    }

    /// Puts a call group there.
    pub fn add_call_group(&self, title: &str, strategy: &str) {
        self.add_call_group_of(title, strategy, &[]);
    }

    /// Puts a call group of these extensions there.
    pub fn add_call_group_of(&self, title: &str, strategy: &str, members: &[&str]) {
        let mut state = lock(&self.shared.state);
        let id = state.next_id();
        state.call_groups.push(json!({
            "id": id, "title": title, "settings": { "strategy": strategy, "members": members },
        }));
        state.changed(self.shared.behind.get());
    }

    /// Joins another PBX to this one's WMS network.
    pub fn join(&self, name: &str, hostname: &str) {
        let mut state = lock(&self.shared.state);
        let id = state.next_id();
        state
            .members
            .push(json!({ "id": id, "name": name, "host": hostname, "status": "online" }));
    }

    /// Says whether a telephone of this extension is registered here.
    pub fn register(&self, extension: &str, online: bool) {
        let contact = format!("sip:{extension}@10.20.30.11:5060");
        lock(&self.shared.state).registrations.insert(
            extension.to_owned(),
            json!({ "registrations": [{ "online": online, "contact": contact, "useragent": "WP480" }] }),
        );
    }

    /// Answers with this delay from now on.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.shared.latency) = latency;
    }

    /// Tells this version from now on.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut lock(&self.shared.state).version);
    }

    /// Misbehaves from now on. Of several faults that fit a request the first planned is met.
    pub fn fail(&self, matching: Matching, fault: WmsFault) {
        lock(&self.shared.faults).plan(matching, fault);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The requests so far, in the order they came.
    #[must_use]
    pub fn requests(&self) -> Vec<WmsRequest> {
        lock(&self.shared.requests).clone()
    }

    /// The requests so far that were no `GET`.
    #[must_use]
    pub fn writes(&self) -> Vec<WmsRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.method != "GET");
        requests
    }

    /// How often it was asked to reboot since this was last looked at.
    #[must_use]
    pub fn reboots(&self) -> usize {
        std::mem::take(&mut lock(&self.shared.state).reboots)
    }

    /// The user with this extension, passwords and all.
    #[must_use]
    pub fn user(&self, extension: &str) -> Option<Map<String, Value>> {
        let state = lock(&self.shared.state);
        let found = |user: &&Map<String, Value>| user.get("extension") == Some(&json!(extension));
        state.users.iter().find(found).cloned()
    }

    /// The device with this address (`9c7514000101`), with what WMS never tells.
    #[must_use]
    pub fn device(&self, mac: &str) -> Option<Map<String, Value>> {
        let state = lock(&self.shared.state);
        let found = |device: &&Map<String, Value>| device.get("mac") == Some(&json!(mac));
        state.devices.iter().find(found).cloned()
    }

    /// Language, region and NTP server.
    #[must_use]
    pub fn machine(&self) -> Value {
        let state = lock(&self.shared.state);
        json!([
            state.settings.get("language"),
            state.settings.get("region"),
            state.ntp.get("ntpServer")
        ])
    }

    /// Everything that a client could change, but for ids: to be compared with what was there before.
    #[must_use]
    pub fn configuration(&self) -> Value {
        let state = lock(&self.shared.state);
        let without_id = |record: &Map<String, Value>| {
            let mut record = record.clone();
            record.remove("id");
            record
        };
        let users: Vec<_> = state.users.iter().map(without_id).collect();
        let devices: Vec<_> = state.devices.iter().map(without_id).collect();
        json!({
            "users": users, "devices": devices, "trunks": state.sip_trunks, "groups": state.call_groups,
            "trusted": state.trusted, "settings": state.settings, "ntp": state.ntp,
        })
    }
}

/// What a synchronisation does. Each of the two is looked at alone: two that carry over in both directions wait for nobody.
fn carry_over(source: &Shared, destination: &Shared) {
    let configuration = lock(&source.state).clone();
    let mut state = lock(&destination.state);
    state.overwrite_with(&configuration);
    state.changed(destination.behind.get());
}

impl Drop for Wms {
    fn drop(&mut self) {
        if let (Some(end), Some(thread)) = (self.end.take(), self.thread.take()) {
            let _ = end.send(());
            let _ = thread.join();
        }
        let rebooted = lock(&self.shared.state).reboots > 0;
        assert!(
            !rebooted || thread::panicking(),
            "the WMS was asked to reboot, which nothing here may do"
        );
    }
}

/// A synchronisation that repeats itself. Ends when dropped.
#[derive(Debug)]
pub struct Synchronisation {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Synchronisation {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Failover exists from 3.86 on; the newest WMS that anybody has told of is 7.
fn is_known(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    (3, 86) <= (major, minor) && major <= 7 && numbers.all(|number| number.is_ok())
}
