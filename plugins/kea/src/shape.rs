//! What a resource looks like: only what this plugin manages, in one spelling, whatever Kea adds of its own.

use serde::{Deserialize, Serialize};

/// Names of the kinds of resources.
pub(crate) mod kind {
    pub(crate) const SUBNET: &str = "subnet";
    pub(crate) const OPTION: &str = "option";
    pub(crate) const RESERVATION: &str = "reservation";
    pub(crate) const CLASS: &str = "class";
    pub(crate) const OPTION_DEF: &str = "option-def";
    pub(crate) const HOOK: &str = "hook";
    pub(crate) const HIGH_AVAILABILITY: &str = "high-availability";
}

/// The space of the options that DHCPv4 itself defines.
pub(crate) const DHCP4: &str = "dhcp4";

/// A subnet without its options and reservations. Its number is Kea's affair: kept where there is one, else the
/// smallest that is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Subnet {
    /// CIDR without host bits.
    pub(crate) subnet: String,
    /// `first-last`, ascending.
    pub(crate) pools: Vec<String>,
    /// Seconds.
    pub(crate) valid_lifetime: u64,
    pub(crate) require_client_classes: Vec<String>,
}

impl Subnet {
    pub(crate) fn address(&self) -> String {
        subnet_address(&self.subnet)
    }
}

pub(crate) fn subnet_address(cidr: &str) -> String {
    format!("{}/{cidr}", kind::SUBNET)
}

/// An option and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct OptionData {
    pub(crate) space: String,
    pub(crate) code: u64,
    /// Whether `data` is text in the form of the option's type, or hexadecimal digits.
    pub(crate) csv_format: bool,
    pub(crate) data: String,
}

/// An option of a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct SubnetOption {
    pub(crate) subnet: String,
    #[serde(flatten)]
    pub(crate) option: OptionData,
}

impl SubnetOption {
    pub(crate) fn address(&self) -> String {
        let Self { subnet, option } = self;
        match option.space.as_str() {
            DHCP4 => format!("{}/{subnet}/{}", kind::OPTION, option.code),
            space => format!("{}/{subnet}/{space}.{}", kind::OPTION, option.code),
        }
    }
}

/// A reservation by hardware address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Reservation {
    pub(crate) subnet: String,
    /// Lower case, colons.
    pub(crate) hw_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
}

impl Reservation {
    /// Kea may hold the same hardware address once in each subnet, so both are in the resource's address.
    pub(crate) fn address(&self) -> String {
        format!("{}/{}/{}", kind::RESERVATION, self.subnet, self.hw_address)
    }
}

/// A client class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ClientClass {
    pub(crate) name: String,
    pub(crate) test: String,
    /// Whether only a subnet that requires the class has it evaluated.
    pub(crate) only_if_required: bool,
    /// By space and code.
    pub(crate) option_data: Vec<OptionData>,
}

impl ClientClass {
    pub(crate) fn address(&self) -> String {
        class_address(&self.name)
    }
}

pub(crate) fn class_address(name: &str) -> String {
    format!("{}/{name}", kind::CLASS)
}

/// The type of an option. Its name is not part of it: what refers to the option by a name keeps working.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct OptionDef {
    pub(crate) space: String,
    pub(crate) code: u64,
    pub(crate) r#type: String,
    /// `uint8, ipv4-address`; empty where `type` is not `record`.
    pub(crate) record_types: String,
    pub(crate) array: bool,
}

impl OptionDef {
    pub(crate) fn address(&self) -> String {
        option_def_address(&self.space, self.code)
    }
}

pub(crate) fn option_def_address(space: &str, code: u64) -> String {
    format!("{}/{space}/{code}", kind::OPTION_DEF)
}
