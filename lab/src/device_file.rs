//! Reading device files as a phone does.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{Keepalive, SipAccount, SipPhone, SipServer, SipTransport};

/// The settings of an Akuvox-style `{mac}.cfg`: lines `Key = value`. Blank lines and lines that begin with `#` say nothing;
/// where a key is set twice the later line wins, as on the phone. Other vendors' files of this make are read alike.
#[must_use]
pub fn akuvox_settings(file: &str) -> BTreeMap<String, String> {
    file.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// Why a phone can do nothing with its file.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DeviceFileError {
    /// No key of a phone that is known names a server.
    #[error("the file names no SIP server")]
    NoServer,
    /// A value that is not what its key holds.
    #[error("{key} is {value:?}")]
    Value {
        /// The key.
        key: String,
        /// What it is set to.
        value: String,
    },
}

/// What a device file says of SIP.
#[derive(Debug, Clone)]
pub struct DeviceSettings {
    /// The first account, where it is switched on. Files of gateways hold none.
    pub account: Option<SipAccount>,
    /// The first server.
    pub main: SipServer,
    /// The second one.
    pub failover: Option<SipServer>,
    /// How both are reached.
    pub transport: SipTransport,
    /// For how many seconds to register.
    pub expires: Option<u32>,
    /// Whether and after how many seconds to send a keepalive, where the file says so.
    pub keepalive: Option<(Keepalive, Option<u32>)>,
}

/// The keys of a make of phones.
struct Keys {
    hosts: [&'static str; 2],
    ports: [&'static str; 2],
    transport: &'static str,
    expires: &'static str,
    keepalive: Option<&'static str>,
    keepalive_seconds: &'static str,
    account: Option<AccountKeys>,
}

struct AccountKeys {
    enable: &'static str,
    user: &'static str,
    auth_name: &'static str,
    password: &'static str,
    display_name: &'static str,
}

const AKUVOX: Keys = Keys {
    hosts: ["Config.Account1.SIP.Server", "Config.Account1.SIP.Server2"],
    ports: ["Config.Account1.SIP.Port", "Config.Account1.SIP.Port2"],
    transport: "Config.Account1.SIP.TransType",
    expires: "Config.Account1.REG.Timeout",
    keepalive: Some("Config.Account1.NAT.UdpKeepEnable"),
    keepalive_seconds: "Config.Account1.NAT.UdpKeepInterval",
    account: Some(AccountKeys {
        enable: "Config.Account1.GENERAL.Enable",
        user: "Config.Account1.GENERAL.UserName",
        auth_name: "Config.Account1.GENERAL.AuthName",
        password: "Config.Account1.GENERAL.Pwd",
        display_name: "Config.Account1.GENERAL.DisplayName",
    }),
};

const YEALINK: Keys = Keys {
    hosts: [
        "account.1.sip_server.1.address",
        "account.1.sip_server.2.address",
    ],
    ports: ["account.1.sip_server.1.port", "account.1.sip_server.2.port"],
    transport: "account.1.sip_server.1.transport_type",
    expires: "account.1.sip_server.1.expires",
    keepalive: Some("account.1.nat.udp_update_enable"),
    keepalive_seconds: "account.1.nat.udp_update_time",
    account: Some(AccountKeys {
        enable: "account.1.enable",
        user: "account.1.user_name",
        auth_name: "account.1.auth_name",
        password: "account.1.password",
        display_name: "account.1.display_name",
    }),
};

const GATEWAY: Keys = Keys {
    hosts: ["sip.server.1.host", "sip.server.2.host"],
    ports: ["sip.server.1.port", "sip.server.2.port"],
    transport: "sip.server.1.transport",
    expires: "sip.register.seconds",
    keepalive: None,
    keepalive_seconds: "sip.keepalive.seconds",
    account: None,
};

impl DeviceSettings {
    /// Reads a file for an Akuvox-built phone, a Yealink-built one, or a gateway.
    ///
    /// # Errors
    /// When it names no server, or a value makes no sense.
    pub fn read(file: &str) -> Result<Self, DeviceFileError> {
        let settings = akuvox_settings(file);
        let keys = [AKUVOX, YEALINK, GATEWAY]
            .into_iter()
            .find(|keys| settings.contains_key(keys.hosts[0]))
            .ok_or(DeviceFileError::NoServer)?;
        let text = |key: &str| settings.get(key).filter(|value| !value.is_empty());
        let number = |key: &str| text(key).map(|value| parse(key, value)).transpose();
        let transport = match text(keys.transport).map(String::as_str) {
            Some("0" | "udp") | None => SipTransport::Udp,
            Some("1" | "tcp") => SipTransport::Tcp,
            Some("2" | "tls") => SipTransport::Tls,
            Some(other) => return Err(wrong(keys.transport, other)),
        };
        let usual = if transport == SipTransport::Tls {
            5061
        } else {
            5060
        };
        let server = |place: usize| -> Result<Option<SipServer>, DeviceFileError> {
            let Some(host) = text(keys.hosts[place]) else {
                return Ok(None);
            };
            let port = text(keys.ports[place]).map(|value| parse(keys.ports[place], value));
            let port = port.transpose()?.unwrap_or(usual);
            Ok(Some(SipServer::new(host, port)))
        };
        let seconds = number(keys.keepalive_seconds)?;
        let enabled = keys.keepalive.and_then(text).map(String::as_str);
        // The switch speaks of UDP only.
        let keepalive = match (enabled, transport) {
            (Some("0"), SipTransport::Udp) => Some((Keepalive::None, None)),
            _ => seconds.map(|seconds| (Keepalive::Usual, Some(seconds))),
        };
        let account = keys.account.and_then(|keys| {
            let enabled = text(keys.enable).is_none_or(|value| value != "0");
            let mut account = SipAccount::new(
                text(keys.user).filter(|_| enabled)?,
                text(keys.password).map_or("", String::as_str),
            );
            account.auth_name = text(keys.auth_name).cloned();
            account.display_name = text(keys.display_name).cloned();
            Some(account)
        });
        Ok(Self {
            account,
            main: server(0)?.ok_or(DeviceFileError::NoServer)?,
            failover: server(1)?,
            transport,
            expires: number(keys.expires)?,
            keepalive,
        })
    }

    /// The phone that has this file, where an account is in it.
    #[must_use]
    pub fn phone(self) -> Option<SipPhone> {
        let mut phone = SipPhone::new(self.account?, self.main, self.failover, self.transport);
        if let Some(expires) = self.expires {
            phone.expires = expires;
        }
        if let Some((keepalive, seconds)) = self.keepalive {
            phone.keepalive = keepalive;
            phone.keepalive_seconds = seconds;
        }
        Some(phone)
    }
}

fn parse<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, DeviceFileError> {
    value.parse().map_err(|_| wrong(key, value))
}

fn wrong(key: &str, value: &str) -> DeviceFileError {
    DeviceFileError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceFileError, DeviceSettings, akuvox_settings};
    use crate::{Keepalive, SipServer, SipTransport};

    #[test]
    fn keys_and_values_are_read() {
        let settings = akuvox_settings(
            "#!version:1.0.0.1\nConfig.Account1.SIP.Server = pbx1\n\nA=b = c\nA = d\n",
        );
        assert_eq!(settings["Config.Account1.SIP.Server"], "pbx1");
        assert_eq!(settings["A"], "d");
        assert_eq!(settings.len(), 2);
    }

    #[test]
    fn an_akuvox_file_is_a_phone() {
        let file = "#!version:1.0.0.1\n\
            Config.Account1.SIP.TransType = 0\n\
            Config.Account1.SIP.Server = pbx1.acme.example\n\
            Config.Account1.SIP.Port = 5070\n\
            Config.Account1.SIP.Server2 = pbx2.acme.example\n\
            Config.Account1.REG.Timeout = 120\n\
            Config.Account1.NAT.UdpKeepEnable = 1\n\
            Config.Account1.NAT.UdpKeepInterval = 24\n\
            Config.Account1.GENERAL.Enable = 1\n\
            Config.Account1.GENERAL.UserName = 101\n\
            Config.Account1.GENERAL.AuthName = sip101\n\
            Config.Account1.GENERAL.Pwd = a=b\n";
        let phone = DeviceSettings::read(file).unwrap().phone().unwrap();
        assert_eq!(phone.transport, SipTransport::Udp);
        assert_eq!(phone.main, SipServer::new("pbx1.acme.example", 5070));
        assert_eq!(
            phone.failover,
            Some(SipServer::new("pbx2.acme.example", 5060))
        );
        assert_eq!(phone.expires, 120);
        assert_eq!(phone.keepalive, Keepalive::Usual);
        assert_eq!(phone.keepalive_seconds, Some(24));
        assert_eq!(phone.account.auth_name.as_deref(), Some("sip101"));
        assert_eq!(phone.account.password, "a=b");
        let disabled = file.replace("GENERAL.Enable = 1", "GENERAL.Enable = 0");
        assert!(DeviceSettings::read(&disabled).unwrap().phone().is_none());
        let silent = file.replace("UdpKeepEnable = 1", "UdpKeepEnable = 0");
        let phone = DeviceSettings::read(&silent).unwrap().phone().unwrap();
        assert_eq!(phone.keepalive, Keepalive::None);
    }

    #[test]
    fn a_yealink_file_is_a_phone() {
        let file = "account.1.enable = 1\naccount.1.user_name = 102\naccount.1.password = x\n\
            account.1.sip_server.1.address = pbx1\naccount.1.sip_server.1.transport_type = 2\n\
            account.1.sip_server.2.address = pbx2\naccount.1.sip_server.2.port = 443\n\
            account.1.nat.udp_update_enable = 0\n";
        let phone = DeviceSettings::read(file).unwrap().phone().unwrap();
        assert_eq!(phone.transport, SipTransport::Tls);
        assert_eq!(phone.main, SipServer::new("pbx1", 5061));
        assert_eq!(phone.failover, Some(SipServer::new("pbx2", 443)));
        assert_eq!(phone.keepalive, Keepalive::Usual);
    }

    #[test]
    fn a_gateways_file_holds_no_account() {
        let file =
            "sip.server.1.host = pbx1\nsip.server.1.transport = tcp\nsip.server.1.port = 443\n";
        let settings = DeviceSettings::read(file).unwrap();
        assert_eq!(settings.transport, SipTransport::Tcp);
        assert!(settings.account.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let problem = DeviceSettings::read("key = value\n").unwrap_err();
        assert_eq!(problem, DeviceFileError::NoServer);
        let file = "sip.server.1.host = pbx1\nsip.server.1.port = 99999\n";
        let problem = DeviceSettings::read(file).unwrap_err();
        assert_eq!(problem.to_string(), "sip.server.1.port is \"99999\"");
        let file = "sip.server.1.host = pbx1\nsip.server.1.transport = sctp\n";
        let problem = DeviceSettings::read(file).unwrap_err();
        assert_eq!(problem.to_string(), "sip.server.1.transport is \"sctp\"");
    }
}
