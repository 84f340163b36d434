//! From the command line to the place of a server, in the words of a target.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use switchover_engine::Origin;
use switchover_plugin_host::wit::{Manifest, Reach};
use switchover_topology::kdl_text;
use switchover_topology::value::SecretSource;

use super::{Arguments, ImportError, Scheme, ServerArguments};

/// What reaches the server that the arguments name.
pub(super) fn origin(arguments: &Arguments, manifest: &Manifest) -> Result<Origin, ImportError> {
    let server = &arguments.server;
    let reaches = |reach| manifest.reach.contains(&reach);
    let mut lines = Vec::new();
    let mut place = None;
    match (&server.endpoint, reaches(Reach::Http)) {
        (Some(endpoint), true) => {
            lines.push(format!("endpoint {}", kdl_text(endpoint)));
            place = Some(endpoint.clone());
        }
        (None, true) => {
            return Err(needs(
                arguments,
                "--endpoint",
                "such as `--endpoint http://10.20.30.5:8000/`",
            ));
        }
        (Some(_), false) => return Err(useless(arguments, "--endpoint", manifest)),
        (None, false) => {}
    }
    lines.extend(auth(arguments)?);
    if let Some(ca) = &server.ca {
        lines.push(format!(
            "ca {}",
            kdl_text(&from_topology(ca, arguments).display().to_string())
        ));
    }
    match (&server.root, reaches(Reach::Files)) {
        (Some(root), true) => {
            let root = match root.contains("://") {
                true => root.clone(),
                false => from_topology(Path::new(root), arguments)
                    .display()
                    .to_string(),
            };
            lines.push(format!("root {}", kdl_text(&root)));
            place = Some(root);
        }
        (None, true) => {
            return Err(needs(
                arguments,
                "--root",
                "the folder of the server's configuration, such as `--root /etc/dhcp` or `--root ssh://root@dhcp1/etc/dhcp`",
            ));
        }
        (Some(_), false) => return Err(useless(arguments, "--root", manifest)),
        (None, false) => {}
    }
    for setting in &server.set {
        lines.push(setting_line(setting)?);
    }
    let host = place.as_deref().and_then(host);
    Ok(Origin {
        plugin: manifest.name.clone(),
        target: server
            .target
            .clone()
            .unwrap_or_else(|| manifest.name.clone()),
        lines,
        site: server.site.clone(),
        address: server.address,
        host,
        shown: match place {
            Some(place) => format!("{} at {place}", manifest.name),
            None => manifest.name.clone(),
        },
    })
}

fn needs(arguments: &Arguments, option: &'static str, help: &str) -> ImportError {
    ImportError::Needs {
        option,
        from: arguments.from.clone(),
        help: help.to_owned(),
    }
}

fn useless(arguments: &Arguments, option: &'static str, manifest: &Manifest) -> ImportError {
    let by = match manifest.reach.first() {
        Some(Reach::Http) => "`--endpoint`",
        Some(Reach::Files) => "`--root`",
        Some(Reach::Dns) | None => "nothing that an import can name",
    };
    ImportError::Option {
        option,
        from: arguments.from.clone(),
        help: format!("this plugin reaches its server by {by}"),
    }
}

fn auth(arguments: &Arguments) -> Result<Option<String>, ImportError> {
    let ServerArguments {
        auth,
        user,
        password,
        token,
        ..
    } = &arguments.server;
    // What is no source may be the secret itself: it is never repeated.
    let source = |option: &'static str, text: &Option<String>, help: &str| {
        let text = text
            .as_ref()
            .ok_or_else(|| needs(arguments, option, help))?;
        let source: SecretSource = text.parse().map_err(|_| ImportError::Secret(option))?;
        Ok::<_, ImportError>(format!("(secret){}", kdl_text(&source.to_string())))
    };
    let other = |option, help: &str| ImportError::Option {
        option,
        from: arguments.from.clone(),
        help: help.to_owned(),
    };
    Ok(match auth {
        None => None,
        Some(Scheme::Basic) => {
            if token.is_some() {
                return Err(other(
                    "--token",
                    "`--auth basic` takes `--user` and `--password`",
                ));
            }
            let password = source(
                "--password",
                password,
                "such as `--password env:KEA_PASSWORD`",
            )?;
            let user = user
                .as_ref()
                .ok_or_else(|| needs(arguments, "--user", "such as `--user kea`"))?;
            Some(format!(
                "auth \"basic\" user={} password={password}",
                kdl_text(user)
            ))
        }
        Some(Scheme::Bearer) => {
            if user.is_some() || password.is_some() {
                return Err(other("--user", "`--auth bearer` takes `--token` alone"));
            }
            let token = source("--token", token, "such as `--token env:TOKEN`")?;
            Some(format!("auth \"bearer\" token={token}"))
        }
    })
}

/// `file=office.conf` as `file "office.conf"`: a number or a truth value is one, everything else is a text.
fn setting_line(setting: &str) -> Result<String, ImportError> {
    let invalid = || ImportError::Set(setting.to_owned());
    let (name, value) = setting.split_once('=').ok_or_else(invalid)?;
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(invalid());
    }
    Ok(match serde_json::from_str(value) {
        Ok(Value::Bool(flag)) => format!("{name} #{flag}"),
        Ok(Value::Number(number)) => format!("{name} {number}"),
        _ => format!("{name} {}", kdl_text(value)),
    })
}

/// Paths on the command line start where the command does, those in a topology at its folder.
fn from_topology(path: &Path, arguments: &Arguments) -> PathBuf {
    let folder = arguments.out.as_deref().and_then(Path::parent);
    let elsewhere = folder.is_some_and(|folder| !folder.as_os_str().is_empty());
    match (path.is_relative() && elsewhere, std::env::current_dir()) {
        (true, Ok(here)) => here.join(path),
        _ => path.to_owned(),
    }
}

/// The address in a URL that has one in the place of a name.
fn host(place: &str) -> Option<IpAddr> {
    let host = url::Url::parse(place).ok()?;
    let host = host.host_str()?.trim_matches(['[', ']']).to_owned();
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_a_target_has_them() {
        for (setting, expected) in [
            ("file=a \"b\".conf", Some("file \"a \\\"b\\\".conf\"")),
            ("local-ttl=false", Some("local-ttl #false")),
            ("ha-port=8000", Some("ha-port 8000")),
            ("x=", Some("x \"\"")),
            ("x={\"a\":1}", Some("x \"{\\\"a\\\":1}\"")),
            ("x", None),
            ("=x", None),
            ("a b=x", None),
            ("a} b=x", None),
        ] {
            assert_eq!(setting_line(setting).ok().as_deref(), expected, "{setting}");
        }
    }

    #[test]
    fn an_address_is_one_only_where_it_stands_as_such() {
        for (place, expected) in [
            ("http://10.20.30.5:8000/", Some("10.20.30.5")),
            ("http://[2001:db8::1]:8000/", Some("2001:db8::1")),
            ("ssh://root@10.20.30.5/etc/dhcp", Some("10.20.30.5")),
            ("http://kea.example/", None),
            ("/etc/dhcp", None),
        ] {
            assert_eq!(
                host(place).map(|host| host.to_string()).as_deref(),
                expected,
                "{place}"
            );
        }
    }
}
