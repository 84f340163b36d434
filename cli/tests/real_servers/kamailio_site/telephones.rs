//! Telephones and gateways with what their site tells them, all behind one address.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use serde_json::Value;
use switchover_lab::{
    DeviceSettings, Fleet, Kamailio, Lab, Phone, SecondsWindow, SipAccount, SipPhone, SipTransport,
    Windows, own_program,
};

/// A minute in five seconds.
pub(super) const SCALE: f64 = 0.08;

pub(super) struct Telephones {
    place: Phone,
    all: Vec<SipPhone>,
}

impl Telephones {
    /// Plugs the first one in, which gets a lease and with it the names and the place of the files, and fetches the files of
    /// all of them.
    pub(super) fn unpack(lab: &Lab, devices: &[Value], authority: &Path) -> Self {
        let text = |device: &Value, key: &str| device[key].as_str().unwrap_or_default().to_owned();
        let place = lab.phone(&text(&devices[0], "mac")).unwrap();
        let lease = place.dhcp().unwrap();
        let pool = 20..=239;
        assert!(pool.contains(&lease.address().octets()[3]), "{lease:?}");
        assert_eq!(lease.addresses(6)[0], super::OFFICE);
        assert_eq!(lease.sip_servers(), [super::MAIN, super::FAILOVER]);
        let own = place.device_file(&lease).unwrap();

        let names: Vec<String> = devices
            .iter()
            .map(|device| format!("{}.cfg", text(device, "mac").replace(':', "")))
            .collect();
        let folder = lab.folder("fetched").unwrap();
        let from = lease.text(66).unwrap();
        let mut curl = place.command("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--remote-name-all",
        ])
        .arg("--output-dir")
        .arg(&folder)
        .args(names.iter().map(|name| format!("{from}{name}")));
        assert!(curl.status().unwrap().success());
        let all: Vec<SipPhone> = devices
            .iter()
            .zip(&names)
            .map(|(device, name)| {
                let file = fs::read_to_string(folder.join(name)).unwrap();
                telephone(device, DeviceSettings::read(&file).unwrap(), authority)
            })
            .collect();
        assert_eq!(own, fs::read_to_string(folder.join(&names[0])).unwrap());
        assert_eq!(all.len(), super::TELEPHONES);
        for (transport, count) in [
            (SipTransport::Udp, 20),
            (SipTransport::Tcp, 100),
            (SipTransport::Tls, 80),
        ] {
            assert_eq!(
                all.iter().filter(|it| it.transport == transport).count(),
                count
            );
        }
        Self { place, all }
    }

    /// Switches all of them on, in one process.
    pub(super) fn switch_on(&self) -> Fleet {
        let mut fleet = Fleet::new();
        let command = self.place.command(own_program("phones").unwrap());
        fleet.add_process(command, &self.all).unwrap();
        fleet
    }

    /// Every extension has one contact on this PBX, by the transport of its device. One that it had before its connection
    /// broke off may stay a moment longer.
    #[track_caller]
    pub(super) fn assert_registered(&self, pbx: &Kamailio) {
        let deadline = Instant::now() + super::LONG;
        for phone in &self.all {
            let contacts = loop {
                let contacts = pbx.contacts(&phone.account.user).unwrap();
                if contacts.len() == 1 || Instant::now() > deadline {
                    break contacts;
                }
                thread::yield_now();
            };
            assert_eq!(contacts.len(), 1, "{}: {contacts:?}", phone.name);
            let by = match phone.transport {
                SipTransport::Udp => None,
                SipTransport::Tcp => Some("tcp"),
                SipTransport::Tls => Some("tls"),
            };
            let said = contacts[0].split_once(";transport=").map(|(_, name)| name);
            assert_eq!(said, by, "{contacts:?}");
        }
    }
}

/// What a device does with its file.
fn telephone(device: &Value, mut settings: DeviceSettings, authority: &Path) -> SipPhone {
    let text = |key: &str| device[key].as_str().unwrap_or_default();
    let (transport, windows) = documented(text("model"));
    assert_eq!(settings.transport, transport, "{device}");
    let (extension, password) = (
        text("user"),
        format!("passwords-{}-of-the-test", text("user")),
    );
    match &settings.account {
        Some(account) => assert_eq!(
            (account.user.as_str(), &account.password),
            (extension, &password)
        ),
        // Gateways are given theirs by hand.
        None => {
            assert!(text("model").ends_with("FXSR2"), "{device}");
            settings.account = Some(SipAccount::new(extension, password));
        }
    }
    let mut phone = settings.phone().unwrap();
    phone.windows = windows;
    phone.time_scale = SCALE;
    phone.authority = Some(authority.to_owned());
    phone
}

/// What the vendor's table for WMS 6.0X says of a model.
fn documented(model: &str) -> (SipTransport, Windows) {
    let (transport, to_failover, to_main) = match model {
        "WP400" => (SipTransport::Tcp, (60, 105), (60, 105)),
        "WP480R2" => (SipTransport::Tcp, (30, 60), (10, 60)),
        "WP490R3" => (SipTransport::Tls, (95, 145), (60, 105)),
        "WP600A" => (SipTransport::Tls, (60, 180), (15, 45)),
        "W24FXSR2" => (SipTransport::Tcp, (40, 45), (30, 90)),
        "W02FXSR2" => (SipTransport::Udp, (30, 60), (10, 30)),
        other => panic!("{other} is not in the example"),
    };
    let window = |(min, max)| SecondsWindow::new(min, max);
    let windows = Windows {
        to_failover: window(to_failover),
        to_main: window(to_main),
    };
    (transport, windows)
}
