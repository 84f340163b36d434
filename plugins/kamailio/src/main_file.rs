//! The file that Kamailio is started with: somebody else's, read and never written.

use switchover_sdk::Failure;

/// # Errors
/// The file does not include `own`, or does not hand requests to it.
pub(crate) fn check(name: &str, text: &str, own: &str) -> Result<(), Failure> {
    let lines = || text.lines().map(str::trim).filter(|line| !is_comment(line));
    if !lines().any(|line| includes(line, own)) {
        return Err(Failure::new(
            "not-included",
            format!("`{name}` does not include `{own}`, so Kamailio would not read what is written there"),
        )
        .with_help(format!(
            "add the line `import_file \"{own}\"` to {name} (`import_file` does not mind that the file is not there yet)"
        )));
    }
    let calls = |line: &str| line.replace([' ', '\t'], "").contains("route(SWITCHOVER)");
    if !lines().any(calls) {
        return Err(Failure::new(
            "not-called",
            format!("`{name}` does not call `route(SWITCHOVER)`, so Kamailio would not serve what is written in `{own}`"),
        )
        .with_help(format!(
            "call it from `request_route` in {name}: `#!ifdef SWITCHOVER_REALM`, `route(SWITCHOVER);`, `#!endif`, `exit;` \
             on four lines, so that {name} is complete without {own}, too"
        )));
    }
    Ok(())
}

/// `#!` begins a directive.
fn is_comment(line: &str) -> bool {
    line.starts_with("//") || line.starts_with('#') && !line.starts_with("#!")
}

fn includes(line: &str, own: &str) -> bool {
    let line = line.strip_prefix("#!").unwrap_or(line);
    let path = ["include_file", "import_file"]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))
        .map(str::trim)
        .and_then(|path| path.split('"').nth(1));
    path.is_some_and(|path| path.rsplit('/').next() == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<String> {
        check("kamailio.cfg", text, "switchover.cfg")
            .err()
            .map(|failure| failure.code)
    }

    #[test]
    fn a_file_has_to_include_and_to_call() {
        let call =
            "request_route {\n#!ifdef SWITCHOVER_REALM\n\troute( SWITCHOVER );\n#!endif\n}\n";
        for include in [
            "include_file \"switchover.cfg\"",
            "import_file \"/etc/kamailio/switchover.cfg\"  # ours",
            "#!import_file \"switchover.cfg\"",
        ] {
            assert_eq!(
                code(&format!("#!KAMAILIO\n{include}\n{call}")),
                None,
                "{include}"
            );
            assert_eq!(code(include).as_deref(), Some("not-called"));
        }
        for line in [
            "",
            "# include_file \"switchover.cfg\"",
            "include_file \"other-switchover.cfg\"",
            "include_file \"switchover.cfg/other\"",
            "modparam(\"x\", \"y\", \"switchover.cfg\")",
        ] {
            assert_eq!(
                code(&format!("{line}\n{call}")).as_deref(),
                Some("not-included"),
                "{line}"
            );
        }
        let only =
            "import_file \"switchover.cfg\"\n// route(SWITCHOVER);\nroute(SWITCHOVER_CALL);\n";
        assert_eq!(code(only).as_deref(), Some("not-called"));
    }
}
