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
        "SW001 line 1, column 8 holds the byte 0xFC, `ü` in Latin-1 (Windows-1252)"
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
fn the_encoding_of_a_text_is_named() {
    let folder = folder(&[(
        "main.kdl",
        "include \"part.kdl\"\nsite \"hq\" mode=\"hot-standby\"",
    )]);
    let text = "user \"101\" name=\"J\u{f6}rg\" pbx=\"pbx1\"\n";
    let utf16 =
        |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let marked = |mark: [u8; 2], bytes: &[u8]| [mark.as_slice(), bytes].concat();
    let latin: Vec<u8> = format!("// one\n{text}")
        .chars()
        .map(|letter| u32::from(letter) as u8)
        .collect();
    for (bytes, told, help) in [
        (
            little.clone(),
            "it is UTF-16 (little-endian), not UTF-8",
            "-f UTF-16LE",
        ),
        (
            marked([0xff, 0xfe], &little),
            "it is UTF-16 (little-endian), not UTF-8",
            "-f UTF-16LE",
        ),
        (
            big.clone(),
            "it is UTF-16 (big-endian), not UTF-8",
            "-f UTF-16BE",
        ),
        (
            marked([0xfe, 0xff], &big),
            "it is UTF-16 (big-endian), not UTF-8",
            "-f UTF-16BE",
        ),
        (
            latin,
            "it is not UTF-8: line 2, column 19 holds the byte 0xF6, `ö` in Latin-1 (Windows-1252)",
            "-f WINDOWS-1252",
        ),
        (
            b"// \x93quoted\x94".to_vec(),
            "line 1, column 4 holds the byte 0x93, `“` in Latin-1 (Windows-1252)",
            "UTF-8",
        ),
        (
            b"PK\x03\x04xl/workbook.xml".to_vec(),
            "it is an Excel workbook, or another ZIP archive, not a text",
            "CSV UTF-8",
        ),
    ] {
        fs::write(folder.path().join("part.kdl"), &bytes).unwrap();
        for name in ["part.kdl", "main.kdl"] {
            let loaded = load(&folder.path().join(name));
            let shown = plain(&loaded);
            assert_eq!(codes(&loaded), ["SW001"], "{shown}");
            assert!(shown.contains(told) && shown.contains(help), "{shown}");
        }
        if let Ok(piped) = String::from_utf8(bytes) {
            assert_eq!(codes(&load_text("-", piped, Path::new(""))), ["SW001"]);
        }
    }
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
