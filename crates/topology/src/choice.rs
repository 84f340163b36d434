//! The words of the language that stand for one of a few things.

use switchover_catalogue::Transport;

use crate::model::{
    FailoverBy, Kind, Mode, PbxRole, PlatformKind, ServerRole, TrunkDirection, WmsRole,
};

/// What `uses` may name: the features that a failover affects.
pub(crate) const FEATURES: &[&str] = &[
    "blf",
    "continuity",
    "email-notifications",
    "hot-desking",
    "kite",
    "pre-answer",
    "semi-attended-transfer",
    "user-features",
    "xml-browser",
];
pub(crate) const AUTH_SCHEMES: &[&str] = &["bearer", "basic", "s2s"];
pub(crate) const TRANSPORTS: &[&str] = &["tcp", "tls", "udp"];

/// What people call the words of the language, reduced to letters and digits.
const CALLED: &[(&str, &[&str])] = &[
    (
        "incoming",
        &["in", "inbound", "ingress", "input", "receive"],
    ),
    ("outgoing", &["out", "outbound", "egress", "output", "send"]),
    ("main", &["primary", "master", "active", "first"]),
    (
        "failover",
        &[
            "backup",
            "secondary",
            "standby",
            "slave",
            "passive",
            "spare",
            "replica",
        ],
    ),
    ("primary", &["main", "master", "active", "first"]),
    (
        "standby",
        &[
            "backup",
            "secondary",
            "failover",
            "slave",
            "passive",
            "spare",
        ],
    ),
    (
        "secondary",
        &[
            "backup", "standby", "failover", "slave", "second", "replica",
        ],
    ),
    ("server", &["main", "primary", "master"]),
    ("client", &["failover", "secondary", "slave", "backup"]),
    (
        "hardware",
        &["hw", "physical", "appliance", "baremetal", "box"],
    ),
    (
        "vm",
        &[
            "virtual",
            "virtualmachine",
            "virtualized",
            "virtualised",
            "vmware",
            "esxi",
            "hyperv",
            "kvm",
            "proxmox",
            "qemu",
            "xen",
            "virtualbox",
        ],
    ),
    (
        "hot-standby",
        &[
            "activepassive",
            "activestandby",
            "standby",
            "failover",
            "hot",
            "passive",
        ],
    ),
    (
        "load-sharing",
        &["activeactive", "loadbalancing", "loadbalanced", "balanced"],
    ),
    ("tls", &["ssl", "sips"]),
    ("bearer", &["token", "jwt"]),
    ("basic", &["password", "userpassword"]),
    ("device", &["phone", "phones", "handset", "telephone"]),
    ("user", &["extension", "extensions", "account"]),
];

/// The one of the words that somebody calls otherwise: `virtual` for `vm`.
pub(crate) fn meant(said: &str, words: &[&'static str]) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let letters = text
            .chars()
            .take(32)
            .filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let said = plain(said);
    let is_meant = |word: &&str| {
        plain(word) == said
            || CALLED
                .iter()
                .any(|(known, others)| known == word && others.contains(&said.as_str()))
    };
    words.iter().copied().find(|word| is_meant(word))
}

/// A type with one word for each value.
pub(crate) trait Choice: Copy + 'static {
    fn word(self) -> &'static str;
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! choices {
    ($($type:ident as $words:ident { $($value:ident = $word:literal),* $(,)? })*) => {$(
        pub(crate) const $words: &[&str] = &[$($word),*];

        impl $type {
            /// As a topology spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word),*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl Choice for $type {
            fn word(self) -> &'static str {
                self.as_str()
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)*
                    _ => None,
                }
            }
        }
    )*};
}

choices! {
    Mode as MODES { HotStandby = "hot-standby", LoadSharing = "load-sharing" }
    PbxRole as PBX_ROLES { Main = "main", Failover = "failover" }
    PlatformKind as PLATFORMS { Hardware = "hardware", Vm = "vm" }
    WmsRole as WMS_ROLES { Server = "server", Client = "client" }
    // Which of them a server may have depends on its service.
    ServerRole as SERVER_ROLES { Primary = "primary", Standby = "standby", Secondary = "secondary" }
    FailoverBy as FAILOVER_BY {
        Registration = "registration",
        PhoneFailoverConf = "phone-failover-conf",
        SecondaryDns = "secondary-dns",
    }
    TrunkDirection as TRUNK_DIRECTIONS { Incoming = "incoming", Outgoing = "outgoing" }
    Kind as KIND_NAMES {
        Site = "site",
        Pbx = "pbx",
        WmsNetwork = "wms-network",
        Sync = "sync",
        Network = "network",
        Dhcp = "dhcp",
        Dns = "dns",
        Provisioning = "provisioning",
        User = "user",
        Device = "device",
        Trunk = "trunk",
        CallGroup = "call-group",
        Target = "target",
    }
}

impl Choice for Transport {
    fn word(self) -> &'static str {
        self.as_str()
    }

    fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}
