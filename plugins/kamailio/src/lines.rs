//! How entries read in a plan.

use serde_json::Value;
use switchover_sdk::{Line, ShownResource};

use crate::entry::Entry;
use crate::rows::{CallGroup, Ring, Row};

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    let line = |resource: &ShownResource| {
        let entry = Entry::from_value(&resource.kind, resource.json()?)?.ok()?;
        Some(line(&entry))
    };
    resources
        .iter()
        .map(|resource| line(resource).unwrap_or_default())
        .collect()
}

fn line(entry: &Entry) -> Line {
    match entry {
        Entry::Listener(listener) => Line::new([
            format!("listen {}", listener.transport),
            listener.socket.to_string(),
        ]),
        Entry::Alias(alias) => Line::new([format!("alias {}", alias.name)]),
        Entry::Setting(setting) => Line::new([
            format!("setting {}", setting.name),
            match &setting.value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        ]),
        Entry::Routing(routing) => {
            Line::new(["routing".to_owned(), format!("sha256 {}", routing.digest)])
        }
        // The password comes without what it is, but that there is one is worth knowing.
        Entry::Row(Row::User(user)) => Line::new([
            format!("user {}", user.extension),
            format!("password {}", user.password),
        ]),
        Entry::Row(Row::CallGroup(group)) => group_line(group),
        Entry::Row(Row::Trunk(trunk)) => Line::new([
            format!("trunk {}", trunk.name),
            format!("from {}", trunk.provider),
            match &trunk.to {
                Some(to) => format!("other numbers to {to}"),
                None => String::new(),
            },
        ]),
        Entry::Line(line) => Line::new([line.line.as_str()]),
    }
}

fn group_line(group: &CallGroup) -> Line {
    let ring = match group.ring {
        Ring::All => "rings at once",
        Ring::Next => "rings one after the other",
    };
    Line::new([
        format!("call-group {}", group.name),
        ring.into(),
        group.members.join(", "),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchover_sdk::ShownContent;

    use super::*;

    #[test]
    fn each_kind_reads_as_what_it_sets_up() {
        for (kind, value, line) in [
            (
                "listener",
                json!({ "transport": "udp", "socket": "10.20.0.10:5060" }),
                "listen udp | 10.20.0.10:5060",
            ),
            (
                "alias",
                json!({ "name": "pbx1.acme.example" }),
                "alias pbx1.acme.example",
            ),
            (
                "setting",
                json!({ "name": "REALM", "value": "acme.example" }),
                "setting REALM | acme.example",
            ),
            (
                "setting",
                json!({ "name": "RING_MS", "value": 20_000 }),
                "setting RING_MS | 20000",
            ),
            (
                "routing",
                json!({ "digest": "0a1b" }),
                "routing | sha256 0a1b",
            ),
            (
                "user",
                json!({ "extension": "101", "password": "(sensitive)" }),
                "user 101 | password (sensitive)",
            ),
            (
                "call-group",
                json!({ "name": "200", "ring": "all", "members": ["101", "102"] }),
                "call-group 200 | rings at once | 101, 102",
            ),
            (
                "trunk",
                json!({ "name": "carrier", "provider": "192.0.2.1", "to": "200" }),
                "trunk carrier | from 192.0.2.1 | other numbers to 200",
            ),
            ("line", json!({ "line": "(sensitive)" }), "(sensitive)"),
            ("user", json!({ "name": "101" }), ""),
        ] {
            let resource = ShownResource {
                address: format!("{kind}/x"),
                kind: kind.into(),
                content: ShownContent::Object(value.to_string()),
                hint: None,
            };
            let shown = lines(&[resource]).remove(0);
            assert_eq!(shown.columns.join(" | "), line, "{value}");
        }
    }
}
