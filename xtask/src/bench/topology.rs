//! Topologies of any size, as a site would write them: a user and a reservation for each telephone.

use std::fs;
use std::io;
use std::path::Path;

/// The most devices that fit the network with their reservations.
pub(super) const MOST: usize = 40_000;

/// Devices in one included file.
const PER_FILE: usize = 500;

#[derive(Clone, Copy)]
pub(super) enum Layout {
    OneFile,
    Included,
    Csv,
}

impl Layout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OneFile => "one file",
            Self::Included => "included",
            Self::Csv => "CSV",
        }
    }
}

/// What is wrong with every device.
#[derive(Clone, Copy)]
pub(super) enum Flaw {
    None,
    /// The year is none, and another one each time.
    Value,
    /// The user is not declared.
    Reference,
    /// The model is not known, and another one each time.
    Model,
    /// The signalling is not encrypted, and not that of the model.
    Signalling,
    /// The same, and both accepted in each device.
    Accepted,
    /// Something is accepted that is not found.
    Idle,
}

impl Flaw {
    pub(super) const ALL: [Self; 6] = [
        Self::Value,
        Self::Reference,
        Self::Model,
        Self::Signalling,
        Self::Accepted,
        Self::Idle,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "sound",
            Self::Value => "a wrong value each",
            Self::Reference => "an unknown user each",
            Self::Model => "an unknown model each",
            Self::Signalling => "an error and a warning each",
            Self::Accepted => "two accepted findings each",
            Self::Idle => "an idle acknowledgement each",
        }
    }

    fn put_into(self, number: usize, device: &str) -> String {
        let with = |more: &str| format!("{}{more}\n", device.trim_end());
        match self {
            Self::None => device.to_owned(),
            Self::Value => device.replace("year=2017", &format!("year={}", 10_000 + number)),
            Self::Reference => device.replace(" user=\"", " user=\"x"),
            Self::Model => device.replace("WP600A", &format!("QX{number}")),
            Self::Signalling => with(" transport=\"udp\""),
            Self::Accepted => with(
                " transport=\"udp\" {\n    acknowledge \"SW205\" reason=\"a line of its own\"\n    \
                 acknowledge \"SW204\" reason=\"a line of its own\"\n}",
            ),
            Self::Idle => with(" {\n    acknowledge \"SW201\" reason=\"it may go down\"\n}"),
        }
    }
}

/// Writes `switchover.kdl` with so many devices, all with the same flaw.
pub(super) fn write_flawed(folder: &Path, size: usize, flaw: Flaw) -> io::Result<()> {
    let mut text = frame(size);
    for number in 0..size {
        text.push_str(&flaw.put_into(number, &Device::new(number).kdl()));
    }
    fs::write(folder.join("switchover.kdl"), text)
}

/// Writes `switchover.kdl`, and what it includes, into `folder`. Gives the length of all in bytes.
pub(super) fn write(folder: &Path, size: usize, layout: Layout) -> io::Result<u64> {
    let mut length = 0;
    let mut write = |path: &str, text: String| {
        length += text.len() as u64;
        fs::write(folder.join(path), text)
    };
    let mut main = frame(size);
    let devices: Vec<Device> = (0..size).map(Device::new).collect();
    let joined = |devices: &[Device], text: fn(&Device) -> String| -> String {
        devices.iter().map(text).collect()
    };
    match layout {
        Layout::OneFile => main.push_str(&joined(&devices, Device::kdl)),
        Layout::Included => {
            main.push_str("include \"devices/*.kdl\"\n");
            fs::create_dir(folder.join("devices"))?;
            for (number, part) in devices.chunks(PER_FILE).enumerate() {
                let file = format!("devices/{number:03}.kdl");
                write(&file, joined(part, Device::kdl))?;
            }
        }
        Layout::Csv => {
            main.push_str(
                "import \"users.csv\" as=\"user\"\nimport \"devices.csv\" as=\"device\"\n",
            );
            let users = joined(&devices, Device::user_row);
            write("users.csv", format!("extension,name,pbx\n{users}"))?;
            let rows = joined(&devices, Device::row);
            let header = "name,model,mac,user,firmware,year,address";
            write("devices.csv", format!("{header}\n{rows}"))?;
        }
    }
    write("switchover.kdl", main)?;
    Ok(length)
}

/// Writes a folder for each of so many sites, each with so many devices.
pub(super) fn write_fleet(folder: &Path, sites: usize, devices: usize) -> io::Result<()> {
    let frame = frame(devices);
    for site in 0..sites {
        let folder = folder.join(format!("site-{site:04}"));
        fs::create_dir_all(&folder)?;
        let mut text = frame.replacen("\"bench\"", &format!("\"bench-{site:04}\""), 1);
        for number in 0..devices {
            // A device is at one site; users and addresses may be at each.
            let mac = Device::new(site * devices + number).mac;
            let device = Device {
                mac,
                ..Device::new(number)
            };
            text.push_str(&device.kdl());
        }
        fs::write(folder.join("switchover.kdl"), text)?;
    }
    Ok(())
}

/// The same devices as a literal attribute set of the Nix language.
pub(super) fn nix(size: usize) -> String {
    let devices: String = (0..size).map(|number| Device::new(number).nix()).collect();
    format!("{{\n{devices}}}\n")
}

/// A telephone and its user.
struct Device {
    number: usize,
    user: usize,
    mac: String,
    address: String,
}

impl Device {
    fn new(number: usize) -> Self {
        let bytes = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        let [_, high, middle, low] = bytes(number);
        // The first 256 addresses are the servers'.
        let [_, _, third, fourth] = bytes(number + 256);
        Self {
            number,
            user: 10_000 + number,
            mac: format!("9c:75:14:{high:02x}:{middle:02x}:{low:02x}"),
            address: format!("10.32.{third}.{fourth}"),
        }
    }

    fn kdl(&self) -> String {
        let Self {
            number,
            user,
            mac,
            address,
        } = self;
        format!(
            "user \"{user}\" name=\"User {user}\" pbx=\"pbx1\"\n\
             device \"device-{number}\" model=\"WP600A\" mac=\"{mac}\" user=\"{user}\" firmware=\"2.8.22\" year=2017 \
             address=\"{address}\"\n"
        )
    }

    fn user_row(&self) -> String {
        let user = self.user;
        format!("{user},User {user},pbx1\n")
    }

    fn row(&self) -> String {
        let Self {
            number,
            user,
            mac,
            address,
        } = self;
        format!("device-{number},WP600A,{mac},{user},2.8.22,2017,{address}\n")
    }

    fn nix(&self) -> String {
        let Self {
            number,
            user,
            mac,
            address,
        } = self;
        format!(
            "  user-{user} = {{ name = \"User {user}\"; pbx = \"pbx1\"; }};\n  device-{number} = {{ model = \"WP600A\"; \
             mac = \"{mac}\"; user = \"{user}\"; firmware = \"2.8.22\"; year = 2017; address = \"{address}\"; }};\n"
        )
    }
}

/// Everything but the users and devices. The failover PBX has a core for each 500 users, as the guide demands.
fn frame(size: usize) -> String {
    let cores = size.div_ceil(500);
    let threads = cores * 2;
    format!(
        r#"site "bench" mode="hot-standby" {{
    acknowledge "SW312" reason="nobody looks at these displays"
}}
pbx "pbx1" role="main" {{
    hostname "pbx1.acme.example"
    address "10.20.0.10"
    wms "3.86.30011"
    platform "vm" cores={cores} threads={threads} cpu="xeon"
    locale language="it" region="IT"
    failure-domain "rack-a"
}}
pbx "pbx2" role="failover" {{
    hostname "pbx2.acme.example"
    address "10.20.1.10"
    wms "3.86.30011"
    platform "vm" cores={cores} threads={threads} cpu="xeon"
    locale language="it" region="IT"
    failure-domain "rack-b"
}}
wms-network {{
    member "pbx1" role="server"
    member "pbx2" role="client"
}}
sync from="pbx1" to="pbx2" every="2h"
network "voice" {{
    subnet "10.32.0.0/16"
    gateway "10.32.0.1"
    pool "10.32.200.0" "10.32.255.200"
    dns "10.32.0.53" "10.32.0.54"
    ntp "10.32.0.1"
    domain "acme.example"
    dhcp "office"
    provisioning "phones"
}}
dhcp "office" {{
    server "dhcp1" address="10.32.0.5" failure-domain="rack-a" target="dnsmasq"
    server "dhcp2" address="10.32.0.6" failure-domain="rack-b" role="standby"
    lease "8h"
}}
dns "acme.example" {{
    server "ns1" address="10.32.0.53" role="primary" failure-domain="rack-a" target="dnsmasq"
    server "ns2" address="10.32.0.54" role="secondary" failure-domain="rack-b"
    ttl "60s"
}}
provisioning "phones" {{
    url "http://prov.acme.example/"
    dhcp-option 66
    target "files"
}}
target "dnsmasq" plugin="dnsmasq" {{
    root "out/dnsmasq"
}}
target "files" plugin="provisioning" {{
    root "out/provisioning"
}}
defaults "device" network="voice"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_is_in_the_device() {
        let sound = Device::new(7).kdl();
        for flaw in Flaw::ALL {
            assert_ne!(flaw.put_into(7, &sound), sound, "{}", flaw.name());
        }
    }
}
