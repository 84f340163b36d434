//! How resources read in a plan.

use std::collections::BTreeMap;

use serde_json::Value;
use switchover_sdk::{Line, ShownResource};

use crate::shape::kind;

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    resources
        .iter()
        .map(|resource| line(resource).unwrap_or_default())
        .collect()
}

fn line(resource: &ShownResource) -> Option<Line> {
    let fields: BTreeMap<String, Value> = resource.parse()?;
    let text = |name: &str| fields.get(name)?.as_str();
    Some(match resource.kind.as_str() {
        kind::PART => Line::new([format!("sync {}", text("part")?)]),
        kind::LOCALE => Line::new([
            "setting".to_owned(),
            format!("language {}", text("language")?),
            format!("region {}", text("region")?),
        ]),
        kind::NTP => Line::new([
            "setting".to_owned(),
            format!("ntp-server {}", text("server")?),
        ]),
        kind::USER => Line::new([
            format!("user {}", text("extension")?),
            text("name")?.to_owned(),
        ]),
        kind::EMAIL => Line::new([
            format!("user {}", text("extension")?),
            format!("email {}", text("email")?),
        ]),
        // The password comes without what it is, but that there is one is worth knowing.
        kind::SIP_PASSWORD => Line::new([
            format!("user {}", text("extension")?),
            format!("sip-password {}", text("password")?),
        ]),
        kind::DEVICE => Line::new([
            format!("device {}", with_colons(text("mac")?)),
            resource.hint.clone().unwrap_or_default(),
            text("description")?.to_owned(),
        ]),
        kind::CONNECTION => Line::new([
            format!("device {}", with_colons(text("mac")?)),
            format!("of user {}", text("extension")?),
        ]),
        kind::REGISTRATION => {
            let online = fields.get("online").and_then(Value::as_bool)?;
            Line::new([
                format!("registration of {}", text("extension")?),
                if online { "online" } else { "offline" }.to_owned(),
            ])
        }
        _ => return None,
    })
}

/// A hardware address as everybody else writes it.
fn with_colons(mac: &str) -> String {
    let pairs = mac.as_bytes().chunks(2);
    let pairs: Vec<&str> = pairs
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use switchover_sdk::{Content, Resource, ShownContent};

    use super::*;
    use crate::shape;

    #[test]
    fn each_kind_reads_as_wms_shows_it() {
        let mac = "9c7514000101";
        for (resource, line) in [
            (shape::part("source"), "sync source"),
            (
                shape::locale("it", "IT"),
                "setting | language it | region IT",
            ),
            (shape::ntp("10.20.0.1"), "setting | ntp-server 10.20.0.1"),
            (shape::user("101", "Reception"), "user 101 | Reception"),
            (
                shape::email("101", "a@acme.example"),
                "user 101 | email a@acme.example",
            ),
            (
                shape::sip_password("101", "(sensitive)"),
                "user 101 | sip-password (sensitive)",
            ),
            (
                shape::device(mac, "reception").hint("WP480"),
                "device 9c:75:14:00:01:01 | WP480 | reception",
            ),
            (
                shape::device(mac, "reception"),
                "device 9c:75:14:00:01:01 |  | reception",
            ),
            (
                shape::connection(mac, "101"),
                "device 9c:75:14:00:01:01 | of user 101",
            ),
            (shape::registration("101"), "registration of 101 | online"),
            (
                Resource::object("user/x", "user", &serde_json::json!({ "name": "x" })),
                "",
            ),
        ] {
            let Content::Object(text) = resource.content else {
                panic!("{} is an object", resource.address);
            };
            let shown = lines(&[ShownResource {
                address: resource.address,
                kind: resource.kind,
                content: ShownContent::Object(text),
                hint: resource.hint,
            }]);
            assert_eq!(shown[0].columns.join(" | "), line);
        }
    }
}
