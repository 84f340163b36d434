//! Kea's whole configuration as `config-get` gives it, and how a command is put.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};
use switchover_sdk::{Answer, Answers, Failure, HttpRequest, Query};

use crate::manifest::{CONFIG_GET, Control, PATH, VERSION_GET};

/// The names of two keys that Kea 2.7.4 changed. It still reads the old ones, and gives back the new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassKeys {
    pub(crate) only_if_required: &'static str,
    pub(crate) require_client_classes: &'static str,
}

const OLD_KEYS: ClassKeys = ClassKeys {
    only_if_required: "only-if-required",
    require_client_classes: "require-client-classes",
};
const NEW_KEYS: ClassKeys = ClassKeys {
    only_if_required: "only-in-additional-list",
    require_client_classes: "evaluate-additional-classes",
};
const NEW_KEYS_SINCE: [u32; 3] = [2, 7, 4];

/// The configuration, and what has to be known to send one back.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// The argument of `config-set`: an object with the one key `Dhcp4`.
    arguments: Map<String, Value>,
    pub(crate) keys: ClassKeys,
    /// Whether answers come in an array, one for each service. The control agent does so, and so does the server's
    /// own socket, which poses as an agent by default.
    pub(crate) answers_in_array: bool,
}

/// What to read: the configuration, and the version that says how two keys are spelled.
pub(crate) fn queries(control: Control) -> Vec<Query> {
    [CONFIG_GET, VERSION_GET]
        .map(|name| {
            let request = command(control, name, None).reason(match control {
                Control::Agent => "/0/text",
                Control::Direct => "/text",
            });
            Query::http(name, request)
        })
        .into()
}

/// A command as a request.
pub(crate) fn command(control: Control, name: &str, arguments: Option<&Value>) -> HttpRequest {
    let mut body = json!({ "command": name });
    if control == Control::Agent {
        body["service"] = json!(["dhcp4"]);
    }
    if let Some(arguments) = arguments {
        body["arguments"] = arguments.clone();
    }
    HttpRequest::post_json(PATH, &body)
}

impl Configuration {
    /// # Errors
    /// An answer is missing, is not Kea's, or tells of an error.
    pub(crate) fn from_answers(answers: &[Answer]) -> Result<Self, Failure> {
        let (mut answer, answers_in_array) = result(answers, CONFIG_GET)?;
        let mut arguments = answer["arguments"].take();
        decode_text(&mut arguments, &mut String::new())?;
        let Value::Object(mut arguments) = arguments else {
            return Err(not_kea(CONFIG_GET, "its `arguments` are no object"));
        };
        // Kea 2.4 and later put a hash beside the configuration, which `config-set` does not take.
        arguments.remove("hash");
        if !arguments.get("Dhcp4").is_some_and(Value::is_object) {
            return Err(not_kea(CONFIG_GET, "it holds no `Dhcp4` object")
                .with_help("the endpoint must lead to a DHCPv4 server"));
        }
        let version = version(answers)?;
        Ok(Self {
            arguments,
            keys: if version >= NEW_KEYS_SINCE {
                NEW_KEYS
            } else {
                OLD_KEYS
            },
            answers_in_array,
        })
    }

    /// The argument of `config-test` and `config-set`.
    pub(crate) fn arguments(&self) -> Value {
        Value::Object(self.arguments.clone())
    }

    fn dhcp4(&self) -> Option<&Map<String, Value>> {
        self.arguments.get("Dhcp4")?.as_object()
    }

    /// The objects of a list directly below `Dhcp4`.
    pub(crate) fn list(&self, key: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.dhcp4()
            .into_iter()
            .flat_map(move |dhcp4| objects(dhcp4, key))
    }

    /// The same list to change; made where there is none.
    pub(crate) fn list_mut(&mut self, key: &str) -> Option<&mut Vec<Value>> {
        list_mut(self.arguments.get_mut("Dhcp4")?.as_object_mut()?, key)
    }

    /// What is said of the interfaces to listen at, such as `eth0/10.20.30.5`.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = &str> {
        let config = self
            .dhcp4()
            .and_then(|dhcp4| dhcp4.get("interfaces-config"));
        let list = config.and_then(|config| config.get("interfaces")?.as_array());
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Every subnet: those at the top, then those of shared networks.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let shared = self.list("shared-networks");
        self.list("subnet4")
            .chain(shared.flat_map(|network| objects(network, "subnet4")))
    }

    /// The subnet of this CIDR, wherever it is.
    pub(crate) fn subnet_mut(&mut self, cidr: &str) -> Option<&mut Map<String, Value>> {
        self.subnet_lists_mut()
            .into_iter()
            .flat_map(|list| list.iter_mut())
            .filter_map(Value::as_object_mut)
            .find(|subnet| subnet_cidr(subnet).as_deref() == Some(cidr))
    }

    /// Every list that holds subnets.
    pub(crate) fn subnet_lists_mut(&mut self) -> Vec<&mut Vec<Value>> {
        let Some(dhcp4) = self
            .arguments
            .get_mut("Dhcp4")
            .and_then(Value::as_object_mut)
        else {
            return Vec::new();
        };
        let mut lists = Vec::new();
        for (key, value) in dhcp4 {
            let Value::Array(items) = value else { continue };
            match key.as_str() {
                "subnet4" => lists.push(items),
                "shared-networks" => lists.extend(
                    items
                        .iter_mut()
                        .filter_map(|network| network.get_mut("subnet4")?.as_array_mut()),
                ),
                _ => {}
            }
        }
        lists
    }

    /// The smallest number that no subnet has.
    pub(crate) fn free_subnet_id(&self) -> u64 {
        let mut taken: Vec<u64> = self
            .subnets()
            .filter_map(|subnet| subnet.get("id")?.as_u64())
            .collect();
        taken.sort_unstable();
        taken
            .into_iter()
            .filter(|&id| id > 0)
            .fold(1, |free, id| if id == free { free + 1 } else { free })
    }

    /// Whether the server as a whole works in several threads.
    pub(crate) fn is_multi_threaded(&self) -> bool {
        let threads = self.dhcp4().and_then(|dhcp4| dhcp4.get("multi-threading"));
        threads.and_then(|threads| threads.get("enable-multi-threading"))
            == Some(&Value::Bool(true))
    }
}

/// The objects of a list.
pub(crate) fn objects<'a>(
    parent: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    parent
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
}

/// The list to change; made where there is none.
pub(crate) fn list_mut<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Vec<Value>> {
    parent
        .entry(key)
        .or_insert_with(|| Value::Array(Vec::new()))
        .as_array_mut()
}

/// A subnet's CIDR without host bits; as it is written where it is none.
pub(crate) fn subnet_cidr(subnet: &Map<String, Value>) -> Option<String> {
    let text = subnet.get("subnet")?.as_str()?;
    Some(match text.parse::<Ipv4Net>() {
        Ok(net) => net.trunc().to_string(),
        Err(_) => text.into(),
    })
}

/// A pool as `first-last`, whichever of Kea's two spellings it has.
pub(crate) fn pool_range(pool: &str) -> String {
    if let Ok(net) = pool.trim().parse::<Ipv4Net>() {
        return format!("{}-{}", net.network(), net.broadcast());
    }
    let parts: Option<Vec<Ipv4Addr>> = pool
        .split('-')
        .map(|part| part.trim().parse().ok())
        .collect();
    match parts.as_deref() {
        Some([first, last]) => format!("{first}-{last}"),
        _ => pool.trim().into(),
    }
}

/// A successful answer, and whether it came in an array.
fn result(answers: &[Answer], query: &str) -> Result<(Value, bool), Failure> {
    let answer: Value = Answers::new(answers)
        .json(query)?
        .ok_or_else(|| not_kea(query, "there is no answer"))?;
    let (in_array, answer) = match answer {
        Value::Array(mut items) if items.len() == 1 => (true, items.remove(0)),
        Value::Array(items) => {
            let message = format!("it has {} parts in place of one", items.len());
            return Err(not_kea(query, &message));
        }
        other => (false, other),
    };
    match answer.get("result").and_then(Value::as_i64) {
        Some(0) => Ok((answer, in_array)),
        Some(code) => {
            let text = answer.get("text").and_then(Value::as_str);
            let text = text.unwrap_or("no reason given");
            Err(Failure::new(
                "kea-error",
                format!("kea answered `{query}` with result {code}: {text}"),
            ))
        }
        None => Err(not_kea(query, "it has no `result`")),
    }
}

fn not_kea(query: &str, why: &str) -> Failure {
    Failure::new(
        "not-kea",
        format!("the answer to `{query}` is not one of kea's: {why}"),
    )
}

/// The server's version: the answer's text, such as `2.2.0` or `2.7.8-git`.
fn version(answers: &[Answer]) -> Result<[u32; 3], Failure> {
    let (answer, _) = result(answers, VERSION_GET)?;
    let mut numbers = answer
        .get("text")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .split(|letter: char| !letter.is_ascii_digit())
        .map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok([major, minor, patch]),
        _ => Err(not_kea(VERSION_GET, "it names no version")),
    }
}

/// Kea writes each byte beyond ASCII as a character of its own (`ü` as `\u00c3\u00bc`) and reads text as bytes, so
/// what it says must be put together again, or sending it back would change it.
fn decode_text(value: &mut Value, path: &mut String) -> Result<(), Failure> {
    let depth = path.len();
    match value {
        Value::String(text) if !text.is_ascii() => {
            let bytes: Option<Vec<u8>> = text
                .chars()
                .map(|letter| u8::try_from(letter).ok())
                .collect();
            // A character that is no byte: this server writes text as text.
            let Some(bytes) = bytes else { return Ok(()) };
            *text = String::from_utf8(bytes).map_err(|_| {
                Failure::new(
                    "kea-text",
                    format!("kea's configuration holds text that is not UTF-8 at `{path}`"),
                )
                .with_help("it could not be sent back unchanged; write that text in UTF-8 first")
            })?;
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("/{at}"));
                decode_text(item, path)?;
                path.truncate(depth);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                path.push('/');
                path.push_str(key);
                decode_text(member, path)?;
                path.truncate(depth);
            }
        }
        _ => {}
    }
    Ok(())
}
