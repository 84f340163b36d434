use std::path::PathBuf;

use crate::toolchain::{Compiler, Machine, find};

fn compiler(name: &str, has_target: bool, has_source: bool, linker: bool) -> Compiler {
    let sysroot = PathBuf::from(format!("/{name}"));
    Compiler {
        rustc: sysroot.join("rustc"),
        version: (1, 96),
        has_target,
        has_source,
        linker: linker.then(|| sysroot.join("rust-lld")),
        sysroot,
    }
}

fn choice(machine: &Machine, forced: Option<&str>) -> String {
    match find(machine, forced) {
        Ok(found) => format!(
            "{}{}{}",
            found.rustc.display(),
            if found.build_std { " with std" } else { "" },
            found
                .linker
                .map(|linker| format!(" linked by {}", linker.display()))
                .unwrap_or_default()
        ),
        Err(message) => message.lines().next().unwrap_or_default().to_owned(),
    }
}

const NONE: &str = "no Rust compiler of version 1.95 or later can compile the plugins to wasm32-unknown-unknown; \
                    one of these helps:";

#[test]
fn compilers_are_tried_in_the_documented_order() {
    let bare = Some(compiler("active", false, false, true));
    let source = Some(compiler("active", false, true, true));
    let full = Some(compiler("active", true, true, true));
    let debian = Some(compiler("debian", false, true, false));
    let debian_full = Some(compiler("debian", true, false, false));
    let old = Some(Compiler {
        version: (1, 63),
        ..compiler("debian", true, true, true)
    });
    let wasm_ld = Some(PathBuf::from("/bin/wasm-ld"));
    let with =
        |active: &Option<Compiler>, debian: &Option<Compiler>, linker: &Option<PathBuf>| Machine {
            active: active.clone(),
            debian: debian.clone(),
            linker: linker.clone(),
        };
    let table = [
        (with(&full, &debian, &None), None, "/active/rustc"),
        (
            with(&source, &debian, &None),
            None,
            "/debian/rustc with std linked by /active/rust-lld",
        ),
        (
            with(&bare, &debian, &wasm_ld),
            None,
            "/debian/rustc with std linked by /active/rust-lld",
        ),
        (
            with(&None, &debian, &wasm_ld),
            None,
            "/debian/rustc with std linked by /bin/wasm-ld",
        ),
        (
            with(&None, &debian_full, &wasm_ld),
            None,
            "/debian/rustc linked by /bin/wasm-ld",
        ),
        (with(&None, &debian, &None), None, NONE),
        (with(&source, &old, &None), None, "/active/rustc with std"),
        (with(&bare, &None, &wasm_ld), None, NONE),
        (
            with(&full, &debian, &None),
            Some("debian"),
            "/debian/rustc with std linked by /active/rust-lld",
        ),
        (
            with(&source, &debian, &None),
            Some("rustup"),
            "/active/rustc with std",
        ),
        (with(&bare, &debian, &None), Some("rustup"), NONE),
        (with(&full, &None, &None), Some("debian"), NONE),
        (with(&full, &debian, &None), Some(""), "/active/rustc"),
        (
            with(&full, &None, &None),
            Some("nix"),
            "SWITCHOVER_WASM_TOOLCHAIN is `nix`; it can be `rustup` or `debian`",
        ),
    ];
    for (machine, forced, expected) in table {
        assert_eq!(choice(&machine, forced), expected, "{machine:?} {forced:?}");
    }
}

#[test]
fn without_a_compiler_each_kind_of_machine_is_told_one_line() {
    let message = find(&Machine::default(), None).unwrap_err();
    for line in [
        "rustup: rustup target add",
        "Debian: apt-get install",
        "Nix:    nix develop",
    ] {
        assert_eq!(
            message
                .lines()
                .filter(|found| found.starts_with(line))
                .count(),
            1,
            "{message}"
        );
    }
}
