//! Telephones and gateways as they are unpacked: a hardware address, a model, and what the site tells them.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;
use switchover_lab::{
    DeviceSettings, Fleet, Lab, Lease, Phone, SecondsWindow, SipAccount, SipPhone, SipTransport,
    Windows, own_program,
};

/// A minute in three seconds.
pub(super) const SCALE: f64 = 0.05;

/// How many are set up at the same time.
const AT_ONCE: usize = 6;

/// A device at its place in the network, with its lease and what its file says.
pub(super) struct Desk {
    phone: Phone,
    lease: Lease,
    sip: SipPhone,
}

impl Desk {
    pub(super) fn extension(&self) -> &str {
        &self.sip.account.user
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.lease.address()
    }

    /// Does again what a device does when it is switched on, and finds the same.
    pub(super) fn ask_again(&self) {
        let lease = self.phone.dhcp().unwrap();
        assert_eq!(lease.address(), self.lease.address());
        find_pbxs(&self.phone);
        let settings = DeviceSettings::read(&self.phone.device_file(&lease).unwrap()).unwrap();
        assert_eq!(settings.main, self.sip.main);
        assert_eq!(settings.failover, self.sip.failover);
    }

    /// Plugs a device in: it gets a lease, finds the names that it needs, and fetches its file.
    fn plug_in(lab: &Lab, device: &Value, authority: &Path) -> Self {
        let text = |key: &str| device[key].as_str().unwrap_or_default();
        let mut phone = lab.phone(text("mac")).unwrap();
        phone.trust(authority);
        let lease = phone.dhcp().unwrap();
        assert_eq!(lease.addresses(6), [super::PRIMARY, super::SECONDARY]);
        let is_pooled = (100..=220).contains(&lease.address().octets()[3]);
        assert!(is_pooled || lease.address().to_string() == text("address"));
        find_pbxs(&phone);
        let settings = DeviceSettings::read(&phone.device_file(&lease).unwrap()).unwrap();
        let sip = sip(device, settings, authority);
        Self { phone, lease, sip }
    }
}

/// The name servers of the lease know both.
fn find_pbxs(phone: &Phone) {
    for (name, address) in [
        ("pbx1.acme.example", super::MAIN),
        ("pbx2.acme.example", super::FAILOVER),
    ] {
        let answers = phone.lookup(name, "A").unwrap();
        // `dig` says so where the first one does not answer.
        let found = answers.iter().filter(|line| !line.starts_with(";;"));
        assert_eq!(found.collect::<Vec<_>>(), [&address.to_string()]);
    }
}

/// What a device does with its file.
fn sip(device: &Value, mut settings: DeviceSettings, authority: &Path) -> SipPhone {
    let text = |key: &str| device[key].as_str().unwrap_or_default();
    let (transport, windows) = documented(text("model"), device["year"].as_u64());
    assert_eq!(settings.transport, transport, "{device}");
    let extension = text("user");
    match &settings.account {
        Some(account) => assert_eq!(account.user, extension),
        // Gateways are given theirs by hand.
        None => {
            assert!(text("name").ends_with("-gw"), "{device}");
            let password = format!("sip_password_{extension}-of-the-test");
            settings.account = Some(SipAccount::new(extension, password));
        }
    }
    let mut phone = settings.phone().unwrap();
    phone.windows = windows;
    phone.time_scale = SCALE;
    phone.authority = Some(authority.to_owned());
    phone
}

/// What the vendor's table for WMS 3.86 says of a model. It has no times for WP600A: those are from the table for 5.0X.
fn documented(model: &str, year: Option<u64>) -> (SipTransport, Windows) {
    let is_old = year.is_some_and(|year| year < 2015);
    let (transport, to_failover, to_main) = match model {
        "WP400" | "WP410" | "WP480" | "WP490" if is_old => {
            (SipTransport::Tcp, (60, 105), (60, 105))
        }
        "WP410" | "WP480" | "WP490" | "WP490R2" => (SipTransport::Tcp, (30, 60), (10, 60)),
        "WP600A" => (SipTransport::Tls, (60, 180), (15, 45)),
        "W04FXS" => (SipTransport::Tls, (30, 30), (45, 300)),
        "W02FXSR2" => (SipTransport::Udp, (30, 60), (10, 30)),
        other => panic!("{other} is not in the table"),
    };
    let window = |(min, max)| SecondsWindow::new(min, max);
    let windows = Windows {
        to_failover: window(to_failover),
        to_main: window(to_main),
    };
    (transport, windows)
}

/// Plugs all of them in, a few at a time.
pub(super) fn set_up(lab: &Lab, devices: &[Value], authority: &Path) -> Vec<Desk> {
    let (next, desks) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(device) = devices.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let desk = Desk::plug_in(lab, device, authority);
                    desks
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(desk);
                }
            });
        }
    });
    desks.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Switches all of them on, each in a process on its own address.
pub(super) fn switch_on(desks: &[Desk]) -> Fleet {
    let program = own_program("phones").unwrap();
    let mut fleet = Fleet::new();
    for desk in desks {
        let command = desk.phone.command(&program);
        fleet
            .add_process(command, std::slice::from_ref(&desk.sip))
            .unwrap();
    }
    fleet
}
