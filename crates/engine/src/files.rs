//! A target's files: its folder, who may read what is written there, and what it trusts.

use switchover_effects::folder::{Folder, NewFile};
use switchover_effects::placeholder::{Placeholder, placeholders};
use switchover_effects::ssh::{Host, Location};
use switchover_topology::model::{Setting, Target};

use crate::context::Context;
use crate::dns::Objection;
use crate::error::Cause;
use crate::secrets::RunSecrets;

/// Settings of a target that are the engine's where its plugin reaches files.
pub(crate) const SETTINGS: [&str; 1] = [SECRET_MODE];

pub(crate) const SECRET_MODE: &str = "secret-mode";

/// What the settings object to, before anything is connected.
pub(crate) fn check(target: &Target) -> Vec<Objection<'_>> {
    let Some(setting) = target.settings.get(SECRET_MODE) else {
        return Vec::new();
    };
    if mode(setting).is_some() {
        return Vec::new();
    }
    let message = "`secret-mode` must be permissions in octal digits, such as \"0640\"".to_owned();
    vec![Objection { setting, message }]
}

fn mode(setting: &Setting) -> Option<NewFile> {
    let text = setting.value.as_str()?;
    let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|digit| digit.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| octal)?;
    (mode <= 0o777).then(|| NewFile::with_mode(mode))
}

/// The certificates that the target trusts beside those of the system, as they stand in its file.
pub(crate) fn roots(context: &Context<'_>, target: &Target) -> Result<Vec<u8>, Cause> {
    let Some(path) = &target.ca else {
        return Ok(Vec::new());
    };
    std::fs::read(context.root.join(path.as_str())).map_err(|source| Cause::Roots {
        path: path.value.clone(),
        source,
    })
}

/// Opens a target's folder; none where it declares none. Nothing is connected, and nothing is created.
pub(crate) fn folder(
    context: &Context<'_>,
    target: &Target,
    secrets: &RunSecrets,
) -> Result<Option<Folder>, Cause> {
    let Some(root) = target.root.as_ref().map(|root| root.as_str()) else {
        return Ok(None);
    };
    if !root.contains("://") {
        let root = context.root.join(root);
        return Ok(Some(Folder::open(&root, true, secrets.reporting())?));
    }
    let location = Location::parse(root).map_err(|source| Cause::Root {
        root: root.to_owned(),
        source,
    })?;
    let host = Host::new(location, &context.ssh, secrets.reporting());
    Ok(Some(Folder::remote(host, true, secrets.reporting())))
}

/// Who may read a file of this content where it is new. One that was there keeps its permissions.
pub(crate) fn readers(target: &Target, text: &str) -> NewFile {
    let secret = |placeholder: &Placeholder<'_>| matches!(placeholder, Placeholder::Secret(_));
    // What cannot be read here is refused where it is expanded.
    if !placeholders(text.as_bytes()).is_ok_and(|found| found.iter().any(secret)) {
        return NewFile::PUBLIC;
    }
    let chosen = target.settings.get(SECRET_MODE).and_then(mode);
    chosen.unwrap_or(NewFile::SECRET)
}

#[cfg(test)]
mod tests {
    use switchover_effects::ssh::Location;

    /// What a topology may say is what can be connected to.
    #[test]
    fn every_root_that_a_topology_accepts_is_understood() {
        for root in [
            "ssh://deploy@prov.acme.example/srv/provisioning",
            "ssh://prov/srv",
            "ssh://root@[2001:db8::1]:2222/srv/a%20b/",
            "ssh://10.20.0.80:22/x",
            "ssh://prov_2/x",
            "ssh://h/a/../b",
            "ssh://h/%2e%2e/b",
            "ssh://h",
            "ssh://h/",
            "ssh:///x",
            "ssh://-oProxyCommand=x/x",
            "ssh://-l@h/x",
            "ssh://u:secret@h/x",
            "ssh://h/x?y",
            "ssh://h/x#y",
            "ssh://h//x",
            "ssh://h/a%00",
            "ssh://h/%ff",
            "ssh://a%20b@h/x",
            "ssh://h:99999/x",
            "sftp://h/x",
            "ssh://h/~/x",
        ] {
            let text = format!(
                "site \"a\" mode=\"hot-standby\"\ntarget \"t\" plugin=\"provisioning\" {{\n    root \"{root}\"\n}}\n"
            );
            let loaded = switchover_topology::load_text("t.kdl", text, "/".as_ref());
            let refused = loaded
                .diagnostics
                .iter()
                .any(|finding| finding.message.contains("root"));
            assert_eq!(
                refused,
                Location::parse(root).is_err(),
                "{root}: {:?}",
                loaded.diagnostics
            );
        }
    }
}
