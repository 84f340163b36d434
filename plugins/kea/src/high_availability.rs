//! The hot-standby pair: the hook `libdhcp_ha.so` and its one relationship, as this server has to know it.
//!
//! Seen on Kea 2.2.0: `config-test` takes anything that this hook is given. `config-set` then fails, and says no more
//! than that a library failed to load, or it succeeds and the pair never works: without `libdhcp_lease_cmds.so`, with
//! one URL for both servers, or with a listener of its own and no threads for it. So what goes out is checked here.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use switchover_sdk::scope::{own_services, partner, served};
use switchover_sdk::{Failure, Line, Server, ServerRole, View};

use crate::configuration::{Configuration, list_mut, objects};
use crate::manifest::{HighAvailability as Who, Listener, Settings};
use crate::shape::kind;

/// The hook that the other one needs.
pub(crate) const LEASE_COMMANDS: &str = "libdhcp_lease_cmds.so";
const LIBRARY: &str = "libdhcp_ha.so";
const SECTION: &str = "high-availability";

/// A hook library that is loaded, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hook {
    /// File name.
    pub(crate) library: String,
}

impl Hook {
    pub(crate) fn address(&self) -> String {
        format!("{}/{}", kind::HOOK, self.library)
    }
}

/// One relationship, seen from this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Pair {
    pub(crate) this_server_name: String,
    mode: String,
    heartbeat_delay: u64,
    max_response_delay: u64,
    max_ack_delay: u64,
    max_unacked_clients: u64,
    listener: Listener,
    /// By name.
    peers: Vec<Peer>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Peer {
    name: String,
    url: String,
    role: String,
    auto_failover: bool,
    /// None where the target's settings name none: then it is somebody else's affair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basic_auth_user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basic_auth_password_file: Option<String>,
}

/// The pair that the topology wants; none where this server is alone, or somebody else configures it.
pub(crate) fn wanted(view: &View, settings: &Settings) -> Option<Pair> {
    if settings.high_availability == Who::Present {
        return None;
    }
    let (server, other) = own_services(view)
        .filter(|(service, _)| served(view).any(|served| served.service.name == service.name))
        .find_map(|(service, server)| Some((server, partner(service, server)?)))?;
    let mut peers: Vec<Peer> = [server, other].map(|server| peer(server, settings)).into();
    peers.sort();
    Some(Pair {
        this_server_name: server.name.clone(),
        mode: "hot-standby".into(),
        heartbeat_delay: settings.ha_heartbeat_delay_ms,
        max_response_delay: settings.ha_max_response_delay_ms,
        max_ack_delay: settings.ha_max_ack_delay_ms,
        max_unacked_clients: settings.ha_max_unacked_clients,
        listener: settings.ha_listener,
        peers,
    })
}

fn peer(server: &Server, settings: &Settings) -> Peer {
    let host = match server.address.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => server.address.clone(),
    };
    let role = match server.role {
        ServerRole::Primary => "primary",
        ServerRole::Standby | ServerRole::Secondary => "standby",
    };
    Peer {
        name: server.name.clone(),
        url: format!("http://{host}:{}/", settings.ha_port),
        role: role.into(),
        auto_failover: true,
        basic_auth_user: settings.ha_user.clone(),
        basic_auth_password_file: settings.ha_password_file.clone(),
    }
}

/// The hooks that are loaded without a pair in them, and the pair.
pub(crate) fn read(
    configuration: &Configuration,
    settings: &Settings,
) -> (Vec<Hook>, Option<Pair>) {
    let (mut hooks, mut pair) = (Vec::new(), None);
    for hook in configuration.list("hooks-libraries") {
        let read = sections(hook)
            .next()
            .and_then(|found| Pair::read(found, settings));
        match read.filter(|_| pair.is_none()) {
            Some(read) => pair = Some(read),
            None => hooks.extend(library(hook).map(|library| Hook {
                library: library.into(),
            })),
        }
    }
    (hooks, pair)
}

/// The file name of a hook's library.
fn library(hook: &Map<String, Value>) -> Option<&str> {
    hook.get("library")?.as_str()?.rsplit('/').next()
}

/// The relationships in a hook's parameters.
fn sections(hook: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let parameters = hook.get("parameters").and_then(Value::as_object);
    parameters
        .into_iter()
        .flat_map(|parameters| objects(parameters, SECTION))
}

impl Pair {
    /// Name, address and role of each server.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&str, Option<String>, &str)> {
        self.peers.iter().map(|peer| {
            let address = host(&peer.url).filter(|host| host.parse::<IpAddr>().is_ok());
            (
                peer.name.as_str(),
                address.map(Into::into),
                peer.role.as_str(),
            )
        })
    }

    /// How it reads in a plan.
    pub(crate) fn line(&self) -> Line {
        let peers = self.peers.iter().map(|peer| {
            let mut text = format!("peer {} {} {}", peer.name, peer.role, peer.url);
            if !peer.auto_failover {
                text.push_str(" without auto-failover");
            }
            if let Some(user) = &peer.basic_auth_user {
                text.push_str(&format!(" user {user}"));
            }
            if let Some(file) = &peer.basic_auth_password_file {
                text.push_str(&format!(" password-file {file}"));
            }
            text
        });
        let listener = match self.listener {
            Listener::Control => "at the control socket",
            Listener::Dedicated => "at a port of its own",
        };
        let limits = [
            ("heartbeat-delay", self.heartbeat_delay),
            ("max-response-delay", self.max_response_delay),
            ("max-ack-delay", self.max_ack_delay),
            ("max-unacked-clients", self.max_unacked_clients),
        ];
        let limits = limits.map(|(keyword, value)| format!("{keyword} {value}"));
        Line::new([
            format!("ha {} as {}", self.mode, self.this_server_name),
            listener.into(),
        ])
        .more(peers)
        .more(limits)
    }

    /// Kea's defaults stand for what a section does not say.
    fn read(section: &Map<String, Value>, settings: &Settings) -> Option<Self> {
        let text =
            |object: &Map<String, Value>, key: &str| Some(object.get(key)?.as_str()?.to_owned());
        let number =
            |key: &str, default: u64| section.get(key).and_then(Value::as_u64).unwrap_or(default);
        let threads = section.get("multi-threading").and_then(Value::as_object);
        let threaded = |key: &str| threads.and_then(|threads| threads.get(key)?.as_bool());
        let dedicated = threaded("enable-multi-threading") == Some(true)
            && threaded("http-dedicated-listener") != Some(false);
        let mut peers: Vec<Peer> = objects(section, "peers")
            .filter_map(|peer| {
                Some(Peer {
                    name: text(peer, "name")?,
                    url: text(peer, "url")?,
                    role: text(peer, "role")?,
                    auto_failover: peer
                        .get("auto-failover")
                        .and_then(Value::as_bool)
                        .unwrap_or(true),
                    basic_auth_user: settings
                        .ha_user
                        .as_ref()
                        .and_then(|_| text(peer, "basic-auth-user")),
                    basic_auth_password_file: settings
                        .ha_password_file
                        .as_ref()
                        .and_then(|_| text(peer, "basic-auth-password-file")),
                })
            })
            .collect();
        peers.sort();
        Some(Self {
            this_server_name: text(section, "this-server-name")?,
            mode: text(section, "mode")?,
            heartbeat_delay: number("heartbeat-delay", 10_000),
            max_response_delay: number("max-response-delay", 60_000),
            max_ack_delay: number("max-ack-delay", 10_000),
            max_unacked_clients: number("max-unacked-clients", 10),
            listener: if dedicated {
                Listener::Dedicated
            } else {
                Listener::Control
            },
            peers,
        })
    }
}

/// Loads a library. Before the hook of the pair, which needs it.
pub(crate) fn put_hook(
    configuration: &mut Configuration,
    hook: &Hook,
    settings: &Settings,
) -> Option<()> {
    let list = configuration.list_mut("hooks-libraries")?;
    if position(list, &hook.library).is_none() {
        let at = position(list, LIBRARY).unwrap_or(list.len());
        list.insert(at, json!({ "library": path(&hook.library, settings) }));
    }
    Some(())
}

pub(crate) fn remove_hook(configuration: &mut Configuration, hook: &Hook) {
    if let Some(list) = configuration.list_mut("hooks-libraries")
        && let Some(at) = position(list, &hook.library)
    {
        list.remove(at);
    }
}

/// Puts the pair's keys into its section, which keeps its others.
pub(crate) fn put_pair(
    configuration: &mut Configuration,
    pair: &Pair,
    settings: &Settings,
) -> Option<()> {
    let list = configuration.list_mut("hooks-libraries")?;
    let at = position(list, LIBRARY).unwrap_or_else(|| {
        list.push(json!({ "library": path(LIBRARY, settings) }));
        list.len() - 1
    });
    let hook = list[at].as_object_mut()?;
    let parameters = object_mut(hook, "parameters")?;
    let sections = list_mut(parameters, SECTION)?;
    sections.truncate(1);
    if sections.is_empty() {
        sections.push(json!({}));
    }
    let section = sections[0].as_object_mut()?;
    for (key, value) in [
        ("this-server-name", json!(pair.this_server_name)),
        ("mode", json!(pair.mode)),
        ("heartbeat-delay", json!(pair.heartbeat_delay)),
        ("max-response-delay", json!(pair.max_response_delay)),
        ("max-ack-delay", json!(pair.max_ack_delay)),
        ("max-unacked-clients", json!(pair.max_unacked_clients)),
    ] {
        section.insert(key.into(), value);
    }
    // Said in any case: what happens without it differs between versions.
    let dedicated = pair.listener == Listener::Dedicated;
    let threads = object_mut(section, "multi-threading")?;
    threads.insert("enable-multi-threading".into(), json!(dedicated));
    threads.insert("http-dedicated-listener".into(), json!(dedicated));
    let peers = list_mut(section, "peers")?;
    let mut old = std::mem::take(peers);
    for wanted in &pair.peers {
        let same = |peer: &Value| peer.get("name").and_then(Value::as_str) == Some(&wanted.name);
        let kept = old.iter().position(same).map(|at| old.remove(at));
        let mut peer = kept.unwrap_or_else(|| json!({}));
        wanted.put(peer.as_object_mut()?);
        peers.push(peer);
    }
    Some(())
}

impl Peer {
    fn put(&self, object: &mut Map<String, Value>) {
        object.insert("name".into(), json!(self.name));
        object.insert("url".into(), json!(self.url));
        object.insert("role".into(), json!(self.role));
        object.insert("auto-failover".into(), json!(self.auto_failover));
        if let Some(user) = &self.basic_auth_user {
            object.insert("basic-auth-user".into(), json!(user));
        }
        if let Some(file) = &self.basic_auth_password_file {
            object.insert("basic-auth-password-file".into(), json!(file));
            // Kea takes one of the two.
            object.remove("basic-auth-password");
        }
    }
}

pub(crate) fn remove_pair(configuration: &mut Configuration) {
    if let Some(list) = configuration.list_mut("hooks-libraries")
        && let Some(at) = position(list, LIBRARY)
    {
        list.remove(at);
    }
}

fn path(library: &str, settings: &Settings) -> String {
    match settings.hooks_path.trim_end_matches('/') {
        "" => library.into(),
        folder => format!("{folder}/{library}"),
    }
}

fn position(hooks: &[Value], name: &str) -> Option<usize> {
    hooks
        .iter()
        .position(|hook| hook.as_object().and_then(library) == Some(name))
}

/// The object to change; made where there is none.
fn object_mut<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Map<String, Value>> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut()
}

/// Holds what will be loaded against what Kea wants and does not test.
///
/// # Errors
/// There is none, or Kea would refuse to load it, or it would load and not work.
pub(crate) fn check(configuration: &Configuration, settings: &Settings) -> Result<(), Failure> {
    let hooks: Vec<_> = configuration.list("hooks-libraries").collect();
    let Some(at) = hooks
        .iter()
        .position(|hook| sections(hook).next().is_some())
    else {
        return match settings.high_availability {
            Who::Managed => Ok(()),
            Who::Present => Err(Failure::new(
                "no-high-availability",
                "the target says `high-availability \"present\"`, but kea runs without a `high-availability` hook",
            )
            .with_help(
                "configure libdhcp_ha.so on this server first; without it two servers hand out the same addresses",
            )),
        };
    };
    let loaded = |name| hooks.iter().any(|hook| library(hook) == Some(name));
    if !loaded(LEASE_COMMANDS) {
        return Err(refused(&format!(
            "`{LEASE_COMMANDS}` is not loaded, by which the servers tell each other of leases"
        )));
    }
    for section in sections(hooks[at]) {
        check_section(section).map_err(|why| refused(&why))?;
        let pair = Pair::read(section, settings);
        let dedicated = pair.is_some_and(|pair| pair.listener == Listener::Dedicated);
        if dedicated && !configuration.is_multi_threaded() {
            return Err(refused(
                "it has a listener of its own, and kea's `multi-threading` is off",
            )
            .with_help(
                "turn `multi-threading` on in kea's configuration, or say `ha-listener \"control\"` in both targets",
            ));
        }
    }
    Ok(())
}

fn refused(why: &str) -> Failure {
    Failure::new(
        "high-availability",
        format!("this `high-availability` would not work: {why}"),
    )
}

fn check_section(section: &Map<String, Value>) -> Result<(), String> {
    let text = |object: &Map<String, Value>, key: &str| {
        let text = object.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| format!("`{key}` is missing"))
    };
    let mode = text(section, "mode")?;
    let this = text(section, "this-server-name")?;
    let (mut names, mut urls) = (HashSet::new(), HashSet::new());
    let mut roles: Vec<String> = Vec::new();
    for peer in objects(section, "peers") {
        let name = text(peer, "name")?;
        let url = text(peer, "url")?;
        if !has_ip_address(&url) {
            return Err(format!(
                "the url `{url}` of peer `{name}` is no `http://ADDRESS:PORT/` with an IP address"
            ));
        }
        if !urls.insert(url.clone()) {
            return Err(format!("two peers have the url `{url}`"));
        }
        let secured = |key: &str| section.contains_key(key) || peer.contains_key(key);
        if url.starts_with("https:")
            && !["trust-anchor", "cert-file", "key-file"]
                .into_iter()
                .all(secured)
        {
            return Err(format!(
                "the url `{url}` of peer `{name}` wants a `trust-anchor`, a `cert-file` and a `key-file`"
            ));
        }
        if peer.contains_key("basic-auth-password") && peer.contains_key("basic-auth-password-file")
        {
            return Err(format!("peer `{name}` has a password and a password file"));
        }
        roles.push(text(peer, "role")?);
        if !names.insert(name.clone()) {
            return Err(format!("two peers are called `{name}`"));
        }
    }
    if !names.contains(&this) {
        return Err(format!(
            "`this-server-name` is `{this}`, which is none of its peers"
        ));
    }
    let count = |role: &str| roles.iter().filter(|other| *other == role).count();
    let active = match mode.as_str() {
        "hot-standby" => ("standby", "one primary and one standby"),
        "load-balancing" => ("secondary", "one primary and one secondary"),
        // Servers that take no part in the work; Kea wants a primary and nothing more.
        "passive-backup" => ("primary", "one primary"),
        other => return Err(format!("there is no mode `{other}`")),
    };
    let rest = roles.len() - count("backup") - count("primary");
    let others = if active.0 == "primary" { 0 } else { 1 };
    if count("primary") != 1 || rest != others || count(active.0) != 1 {
        return Err(format!("in mode `{mode}` it needs {}", active.1));
    }
    if mode != "passive-backup" {
        if section.get("wait-backup-ack") == Some(&json!(true)) {
            return Err(format!("`wait-backup-ack` must be false in mode `{mode}`"));
        }
        let limit = section.get("delayed-updates-limit").and_then(Value::as_u64);
        if mode == "hot-standby" && limit.is_some_and(|limit| limit > 0) {
            return Err("`delayed-updates-limit` must be 0 in mode `hot-standby`".into());
        }
    }
    Ok(())
}

/// Whether Kea takes the URL: it looks up no names.
fn has_ip_address(url: &str) -> bool {
    host(url).is_some_and(|host| host.parse::<IpAddr>().is_ok())
}

/// The host of a URL; an IPv6 address without its brackets.
fn host(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    }
}
