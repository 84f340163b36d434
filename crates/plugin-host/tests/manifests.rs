//! Manifests that a plugin could be loaded with but not be held to.

use std::fmt::Write as _;

use crate::guest::{Guest, strict_host};

#[test]
fn names_and_versions_are_checked() {
    let mut out = String::new();
    let names = [
        "other",
        "",
        "Guest",
        "guest--x",
        "../guest",
        "guest\u{1b}[2J",
    ];
    let versions = ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3 evil", "1.2.x"];
    let named = names.map(|name| Guest {
        name: name.as_bytes().to_vec(),
        ..Guest::default()
    });
    let versioned = versions.map(|version| Guest {
        version,
        ..Guest::default()
    });
    for guest in named.into_iter().chain(versioned) {
        let _ = writeln!(
            out,
            "{}",
            guest.load(&strict_host()).expect_err("not acceptable")
        );
    }
    insta::assert_snapshot!(out);
    for version in ["1.2.3", "0.1.0-rc.1", "1.0.0+build.7"] {
        Guest {
            version,
            ..Guest::default()
        }
        .load(&strict_host())
        .unwrap();
    }
}
