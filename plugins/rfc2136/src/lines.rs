//! How RRsets read in a plan: as in a zone file.

use switchover_sdk::notation::records;
use switchover_sdk::{Line, ShownResource};

use crate::rrset::{Records, key};

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    let line = |resource: &ShownResource| {
        let (owner, rtype) = key(&resource.address)?;
        let Records { ttl, data } = resource.parse()?;
        Some(records(&owner, Some(ttl), &rtype, data))
    };
    resources
        .iter()
        .map(|resource| line(resource).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchover_sdk::ShownContent;

    use super::*;

    #[test]
    fn a_set_reads_as_in_a_zone_file() {
        let resource = |address: &str, value: serde_json::Value| ShownResource {
            address: address.into(),
            kind: "rrset".into(),
            content: ShownContent::Object(value.to_string()),
            hint: None,
        };
        let sets = [
            (
                "rrset/_sip._tcp.acme.example/SRV",
                json!({ "ttl": 60, "data": ["10 100 443 pbx1.acme.example.", "20 100 443 pbx2.acme.example."] }),
            ),
            (
                "rrset/acme.example/NAPTR",
                json!({ "ttl": 60, "data": ["10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example."] }),
            ),
            (
                "rrset/0/25.2.0.192.in-addr.arpa/PTR",
                json!({ "ttl": 3600, "data": ["a.acme.example."] }),
            ),
            ("rrset/acme.example/A", json!({ "time": 60 })),
        ];
        let shown = lines(&sets.map(|(address, value)| resource(address, value)));
        let shown: Vec<String> = shown
            .iter()
            .map(|line| [line.columns.join(" "), line.more.join("; ")].join(" + "))
            .collect();
        assert_eq!(
            shown,
            [
                "_sip._tcp.acme.example. 60 IN SRV 10 100 443 pbx1.acme.example. + 20 100 443 pbx2.acme.example.",
                "acme.example. 60 IN NAPTR 10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example. + ",
                "0/25.2.0.192.in-addr.arpa. 3600 IN PTR a.acme.example. + ",
                " + ",
            ]
        );
    }
}
