//! Files that cannot be read, and includes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use switchover_topology::{load, load_text};

use crate::support::{codes, folder, plain};

const SITE: &str = "site \"hq\" mode=\"hot-standby\"\n";

fn only_finding(path: &Path) -> String {
    let loaded = load(path);
    let [found] = loaded.diagnostics.as_slice() else {
        panic!("{}", plain(&loaded))
    };
    assert_eq!(loaded.topology.incomplete.len(), 13);
    format!(
        "{} {}",
        found.code,
        found.message.split(": ").last().unwrap()
    )
}

#[test]
fn what_cannot_be_read_is_one_finding() {
    let folder = folder(&[]);
    let at = |name: &str| folder.path().join(name);
    assert_eq!(only_finding(&at("none.kdl")), "SW006 there is no such file");
    assert_eq!(only_finding(folder.path()), "SW006 it is a folder");
    fs::write(at("latin.kdl"), b"site \"Z\xfcrich\"").unwrap();
    assert_eq!(
        only_finding(&at("latin.kdl")),
        "SW001 it is not UTF-8 text (byte 7)"
    );
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    assert_eq!(only_finding(&at("pipe")), "SW006 it is not a regular file");
    let large = fs::File::create(at("large.kdl")).unwrap();
    large.set_len(64 * 1024 * 1024 + 1).unwrap();
    assert_eq!(
        only_finding(&at("large.kdl")),
        "SW006 it is longer than 64 MiB"
    );
}

#[test]
fn includes_are_read_in_order_of_their_names() {
    let folder = folder(&[
        ("main.kdl", &format!("include \"devices/*.kdl\"\n{SITE}")),
        ("devices/b.kdl", "device \"b\" model=\"WP480\""),
        (
            "devices/a.kdl",
            "device \"a\" model=\"WP480\"\ninclude \"../more.kdl\"",
        ),
        ("devices/.hidden.kdl", "nonsense"),
        ("more.kdl", "device \"m\" model=\"WP480\""),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    assert_eq!(plain(&loaded), "");
    let names: Vec<_> = loaded
        .topology
        .devices
        .iter()
        .map(|device| device.name.value.as_str())
        .collect();
    assert_eq!(names, ["a", "m", "b"]);
    let piped = load_text(
        "-",
        format!("include \"devices/*.kdl\"\n{SITE}"),
        folder.path(),
    );
    assert_eq!(piped.topology.devices.len(), 3);
    assert_ne!(piped.digest, loaded.digest);
    let again = load(&folder.path().join("main.kdl"));
    assert_eq!(again.digest, loaded.digest);
    fs::write(
        folder.path().join("more.kdl"),
        "device \"n\" model=\"WP480\"",
    )
    .unwrap();
    assert_ne!(load(&folder.path().join("main.kdl")).digest, loaded.digest);
}

#[test]
fn nothing_outside_the_root_is_read() {
    let outside = folder(&[("secret.kdl", "device \"stolen\" model=\"WP480\"")]);
    let inside = folder(&[("sub/x.kdl", "")]);
    symlink(
        outside.path().join("secret.kdl"),
        inside.path().join("link.kdl"),
    )
    .unwrap();
    symlink(outside.path(), inside.path().join("linked")).unwrap();
    let up = format!(
        "../{}/secret.kdl",
        outside.path().file_name().unwrap().to_string_lossy()
    );
    let deep = format!("sub/../{up}");
    for path in [
        "link.kdl",
        "l*.kdl",
        "linked/secret.kdl",
        "linked/*.kdl",
        "linked/../sub/x.kdl",
        &up,
        &deep,
    ] {
        fs::write(
            inside.path().join("main.kdl"),
            format!("{SITE}include \"{path}\""),
        )
        .unwrap();
        let loaded = load(&inside.path().join("main.kdl"));
        assert!(loaded.topology.devices.is_empty(), "{path}");
        if path != "linked/../sub/x.kdl" {
            assert_eq!(codes(&loaded), ["SW006"], "{path}: {}", plain(&loaded));
        }
    }
}

#[test]
fn a_file_is_included_once() {
    let folder = folder(&[
        (
            "main.kdl",
            &format!("{SITE}include \"a.kdl\" \"b.kdl\"\ninclude \"main.kdl\""),
        ),
        ("a.kdl", "include \"c.kdl\""),
        ("b.kdl", "include \"./c.kdl\""),
        ("c.kdl", "device \"c\" model=\"WP480\""),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    assert_eq!(codes(&loaded), ["SW006", "SW004"], "{}", plain(&loaded));
    assert_eq!(loaded.topology.devices.len(), 1);
}
