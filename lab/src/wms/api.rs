//! The paths below `/api/v1/`.

use serde_json::{Value, json};

use super::reply::{Page, Reply, fields};
use super::state::State;

/// A request that was admitted.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: &'a [u8],
}

/// Answers a request and changes the state.
pub(super) fn answer(state: &mut State, call: Call<'_>) -> Reply {
    route(state, call).unwrap_or_else(|refusal| refusal)
}

fn route(state: &mut State, call: Call<'_>) -> Result<Reply, Reply> {
    // WMS takes either case and a final slash; the parts of a path that are values keep their case.
    let path = call.path.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
    let names: Vec<&str> = lower.iter().map(String::as_str).collect();
    let ["api", "v1", names @ ..] = names.as_slice() else {
        return Err(Reply::error(404, "there is nothing outside of `/api/v1/`"));
    };
    let value = |at: usize| parts.get(at + 2).copied().unwrap_or_default();
    let body = call.body;
    match (call.method, names) {
        ("GET", ["pbx", "colleagues"]) => state.list_users(call.query),
        ("POST", ["pbx", "colleagues"]) => state.create_user(body),
        ("PUT", ["pbx", "colleagues", _]) => state.update_user(value(2), body),
        ("DELETE", ["pbx", "colleagues", _]) => state.delete_user(value(2)),
        ("GET", ["devices"]) => state.list_devices(call.query),
        ("POST", ["devices"]) => state.add_devices(body),
        ("DELETE", ["devices", "disconnect"]) => state.disconnect_device(body),
        ("PUT", ["devices", _]) => state.update_device(value(1), body),
        ("DELETE", ["devices", _]) => state.delete_device(value(1)),
        ("POST", ["devices", _, "connect"]) => state.connect_device(value(1), body),
        ("PUT", ["pbx", "settings"]) => state.put_settings(body),
        ("PUT", ["pbx", "settings", "ntp"]) => state.put_ntp(body),
        ("PUT", ["trustedip"]) => state.put_trusted(body),
        ("PUT", ["pbx", "system", "reboot"]) => {
            fields(if body.is_empty() { b"{}" } else { body }, &[])?;
            state.reboots += 1;
            Ok(Reply::success())
        }
        ("GET", names) => read(state, names, call.query),
        (method, _) => Err(Reply::error(405, format!("{method} is not possible here"))),
    }
}

/// What is only read.
fn read(state: &State, names: &[&str], query: Vec<(String, String)>) -> Result<Reply, Reply> {
    let lists: &Vec<Value> = match names {
        ["network", "pbxes"] => &state.members,
        ["trunks", "sip"] => &state.sip_trunks,
        ["dialplan", "callgroups"] => &state.call_groups,
        ["trustedip"] => &state.trusted,
        ["trunks", "groups" | "pstn" | "fxo"] | ["pbx", "dialplans"] => &Vec::new(),
        _ => return single(state, names, &query),
    };
    let mut query = query;
    let page = Page::take(&mut query)?;
    no_parameters(&query)?;
    Ok(page.of(lists.clone()))
}

fn single(state: &State, names: &[&str], query: &[(String, String)]) -> Result<Reply, Reply> {
    let result = match names {
        ["pbx", "ping"] => json!("pong"),
        ["pbx", "version"] => json!({ "version": state.version }),
        ["pbx", "ports", "status"] | ["dialplan", "generalsettings"] => json!({}),
        ["pbx", "settings"] => Value::Object(state.settings.clone()),
        ["pbx", "settings", "ntp"] => Value::Object(state.ntp.clone()),
        ["pbx", "users", "sip", "registrations"] => Value::Object(state.registrations.clone()),
        _ => return Err(Reply::error(404, "there is no such path")),
    };
    no_parameters(query)?;
    Ok(Reply::result(result))
}

fn no_parameters(query: &[(String, String)]) -> Result<(), Reply> {
    match query.first() {
        Some((name, _)) => Err(Reply::error(400, format!("unknown parameter `{name}`"))),
        None => Ok(()),
    }
}
