//! A configuration for a Kamailio that only registers users and connects them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::{LabError, SipTransport};

/// How a configuration calls it.
const fn name(transport: SipTransport) -> &'static str {
    match transport {
        SipTransport::Udp => "udp",
        SipTransport::Tcp => "tcp",
        SipTransport::Tls => "tls",
    }
}

/// The certificate in a registrar's folder.
pub(super) const CERTIFICATE: &str = "certificate.pem";

/// What a registrar of the lab serves.
#[derive(Debug, Clone)]
pub struct RegistrarSettings {
    /// An address of the lab.
    pub address: Ipv4Addr,
    /// Where it listens. TCP and TLS cannot share a port. The certificate for TLS is made when the server starts, and
    /// nobody has signed it.
    pub listen: Vec<(SipTransport, u16)>,
    /// Names under which it is asked, besides its address.
    pub names: Vec<String>,
    /// Users and their passwords. Neither may hold an apostrophe.
    pub users: Vec<(String, String)>,
}

impl Default for RegistrarSettings {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::new(10, 20, 0, 10),
            listen: vec![(SipTransport::Udp, 5060), (SipTransport::Tcp, 443)],
            names: Vec::new(),
            users: Vec::new(),
        }
    }
}

/// Each comes after those that it needs.
const MODULES: [&str; 14] = [
    "tm",
    "tmx",
    "sl",
    "rr",
    "pv",
    "maxfwd",
    "textops",
    "siputils",
    "usrloc",
    "registrar",
    "auth",
    "nathelper",
    "htable",
    "jsonrpcs",
];

const ROUTES: &str = r#"
request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    force_rport();
    if (is_method("OPTIONS") && uri == myself && $rU == $null) {
        sl_send_reply("200", "OK");
        exit;
    }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route() || is_method("ACK")) t_relay();
        else sl_send_reply("404", "Not Here");
        exit;
    }
    t_check_trans();
    if ($sht(users=>$fU) == $null || !pv_auth_check("$fd", "$sht(users=>$fU)", "0", "1")) {
        auth_challenge("$fd", "0");
        exit;
    }
    consume_credentials();
    if (is_method("REGISTER")) {
        fix_nated_register();
        save("location");
        exit;
    }
    if (is_method("INVITE")) record_route();
    if (!lookup("location")) {
        sl_send_reply("404", "Not Found");
        exit;
    }
    t_relay();
}
"#;

impl RegistrarSettings {
    /// Writes `kamailio.cfg`, and a certificate where one is needed.
    pub(super) fn write(&self, folder: &Path) -> Result<(), LabError> {
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text)
                .map_err(|source| LabError::io(format!("write {name} of Kamailio"), source))
        };
        let mut text = String::from("#!KAMAILIO\nauto_aliases=no\ntcp_connection_lifetime=3605\n");
        for (transport, port) in &self.listen {
            text.push_str(&format!(
                "listen={}:{}:{port}\n",
                name(*transport),
                self.address
            ));
        }
        for name in &self.names {
            text.push_str(&format!("alias=\"{name}\"\n"));
        }
        for module in MODULES {
            text.push_str(&format!("loadmodule \"{module}.so\"\n"));
        }
        if self
            .listen
            .iter()
            .any(|(transport, _)| *transport == SipTransport::Tls)
        {
            let mut names = self.names.clone();
            names.push(self.address.to_string());
            let (certificate, key) = write_certificate(folder, names)?;
            // By itself it speaks TLS 1.0 and nothing else.
            text.push_str(&format!(
                "enable_tls=yes\nloadmodule \"tls.so\"\nmodparam(\"tls\", \"tls_method\", \"TLSv1.2+\")\n\
                 modparam(\"tls\", \"certificate\", \"{}\")\nmodparam(\"tls\", \"private_key\", \"{}\")\n",
                certificate.display(),
                key.display()
            ));
        }
        text.push_str("modparam(\"htable\", \"htable\", \"users=>size=10;\")\n");
        text.push_str("modparam(\"registrar\", \"min_expires\", 1)\n");
        // Where a registration came from, so that calls take the same connection back.
        for module in ["nathelper", "registrar"] {
            text.push_str(&format!(
                "modparam(\"{module}\", \"received_avp\", \"$avp(received)\")\n"
            ));
        }
        text.push_str("event_route[htable:mod-init] {\n");
        for (user, password) in &self.users {
            text.push_str(&format!("    $sht(users=>{user}) = '{password}';\n"));
        }
        text.push_str("    return;\n}\n");
        text.push_str(ROUTES);
        write("kamailio.cfg", &text)
    }
}

/// Writes a certificate for these names and its key, and gives their paths. Nobody has signed it.
pub(super) fn write_certificate(
    folder: &Path,
    names: Vec<String>,
) -> Result<(PathBuf, PathBuf), LabError> {
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|source| LabError::io("make a certificate", std::io::Error::other(source)))?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|source| LabError::io(format!("write {name} of Kamailio"), source))
            .map(|()| path)
    };
    let certificate = write(CERTIFICATE, made.cert.pem())?;
    Ok((
        certificate,
        write("key.pem", made.signing_key.serialize_pem())?,
    ))
}
