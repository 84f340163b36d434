//! A site that raises nothing, to be spoilt in one place at a time.

/// What there is, each part as its nodes: replace one of them, or a word in one.
pub(crate) struct Sound {
    pub(crate) site: String,
    pub(crate) pbxs: String,
    pub(crate) wms_network: String,
    pub(crate) network: String,
    pub(crate) dhcp: String,
    pub(crate) dns: String,
    pub(crate) devices: String,
    pub(crate) more: String,
}

impl Sound {
    pub(crate) fn new() -> Self {
        Self {
            site: "site \"acme\" mode=\"hot-standby\"\n".to_owned(),
            pbxs: pbx(1, "main", "rack-a") + &pbx(2, "failover", "rack-b"),
            wms_network: "wms-network {\n    member \"pbx1\" role=\"server\"\n    member \"pbx2\" role=\"client\"\n}\n\
                          sync from=\"pbx1\" to=\"pbx2\" every=\"2h\"\n"
                .to_owned(),
            network: r#"network "voice" {
    subnet "10.20.30.0/24"
    gateway "10.20.30.1"
    pool "10.20.30.100" "10.20.30.220"
    dns "10.20.0.53" "10.20.0.54"
    ntp "10.20.0.1"
    domain "acme.example"
    dhcp "hq"
}
"#
            .to_owned(),
            dhcp: r#"dhcp "hq" {
    server "dhcp1" address="10.20.30.5" failure-domain="rack-a"
    server "dhcp2" address="10.20.30.6" failure-domain="rack-b"
}
"#
            .to_owned(),
            dns: r#"dns "acme.example" {
    server "ns1" address="10.20.0.53" failure-domain="rack-a"
    server "ns2" address="10.20.0.54" failure-domain="rack-b"
}
"#
            .to_owned(),
            // A gateway with documented times that speaks TLS: telephones have a note of their own.
            devices: "device \"doors\" model=\"W04FXS\" mac=\"9c:75:14:00:02:01\" network=\"voice\"\n".to_owned(),
            more: String::new(),
        }
    }

    /// With one piece of text replaced, wherever it stands.
    pub(crate) fn with(mut self, old: &str, new: &str) -> Self {
        let mut found = false;
        for part in [
            &mut self.site,
            &mut self.pbxs,
            &mut self.wms_network,
            &mut self.network,
            &mut self.dhcp,
            &mut self.dns,
            &mut self.devices,
            &mut self.more,
        ] {
            found |= part.contains(old);
            *part = part.replace(old, new);
        }
        assert!(found, "{old} stands nowhere");
        self
    }

    /// With more nodes at the end.
    pub(crate) fn and(mut self, nodes: &str) -> Self {
        self.more += nodes;
        self
    }

    pub(crate) fn text(&self) -> String {
        [
            &self.site,
            &self.pbxs,
            &self.wms_network,
            &self.network,
            &self.dhcp,
            &self.dns,
            &self.devices,
            &self.more,
        ]
        .map(String::as_str)
        .concat()
    }
}

fn pbx(number: u8, role: &str, failure_domain: &str) -> String {
    format!(
        r#"pbx "pbx{number}" role="{role}" {{
    hostname "pbx{number}.acme.example"
    address "10.20.0.{number}0"
    wms "3.86"
    platform "hardware"
    locale language="it" region="IT"
    failure-domain "{failure_domain}"
}}
"#
    )
}
