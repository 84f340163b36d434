//! What the plugin writes, held against the server's own checker.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use switchover_plugin_kamailio::Kamailio;
use switchover_sdk::{Plugin, Target, Transport, View};

use crate::harness::{after, changes};
use crate::topology::{device, group, plain_target, settings, target, trunk, user, view};

/// What `kamailio -c` says to the file; none where it accepts it.
fn complaint(file: &str) -> Option<String> {
    let path = scratch(file);
    let told = Command::new(kamailio())
        .args(["-c", "-E", "-f"])
        .arg(&path)
        .output()
        .unwrap();
    fs::remove_file(path).unwrap();
    let said = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    (!told.status.success()).then_some(said)
}

/// Kamailio lives in `sbin`, which an ordinary user's `PATH` lacks on Debian.
fn kamailio() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join("kamailio"))
        .find(|file| file.is_file())
        .expect("kamailio is not installed: run `cargo xtask setup`")
}

fn scratch(text: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("switchover-kamailio-{}-{number}.cfg", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn written(view: &View, target: &Target) -> String {
    let wanted = Kamailio::desired(view, target).unwrap();
    after(None, &changes(None, &wanted, &[]))
}

#[track_caller]
fn assert_accepted(file: &str) {
    assert_eq!(complaint(file), None, "{file}");
}

#[test]
fn the_checker_can_refuse() {
    assert!(complaint("request_route { no_such_thing(); }\n").is_some());
    let broken =
        written(&view(), &plain_target()).replace("'${secret:user/101/sip-password}'", "'it's'");
    assert!(
        complaint(&broken).is_some(),
        "a password with an apostrophe is found before it is used"
    );
}

#[test]
fn each_transport_and_every_setting() {
    assert_accepted(&written(&view(), &plain_target()));
    assert_accepted(&written(&view(), &target(&settings())));
    assert_accepted(&written(&View::empty("nothing"), &plain_target()));
    let mut v6 = view();
    v6.pbxs[0].address = "fe80::1".into();
    v6.devices = vec![device("a", Transport::Tls, 443)];
    assert_accepted(&written(&v6, &plain_target()));
}

#[test]
fn odd_names_and_many_rows() {
    let mut view = view();
    view.users = ["+39.0432", "a-b_c", "7", "Sales.1", "default", "if"]
        .map(user)
        .into();
    view.users
        .extend((1000..1500).map(|number| user(&number.to_string())));
    view.call_groups = vec![
        group("route", "all", &["7"]),
        group("+1-2.3_x", "linear", &["a-b_c", "+39.0432"]),
    ];
    view.trunks = vec![trunk("Büro \"1\" #!define \\ $var(x)", "203.0.113.10")];
    assert_accepted(&written(&view, &plain_target()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_password_without_an_apostrophe(password in "[ -&(-~é]{1,40}") {
        let file = written(&view(), &plain_target());
        assert_accepted(&file.replace("${secret:user/101/sip-password}", &password));
    }
}
