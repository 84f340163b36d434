use std::collections::HashMap;
use std::sync::LazyLock;

use crate::nearest::mistyped;

/// What a device is to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceClass {
    /// A telephone, or a base station of telephones.
    Phone,
    /// Connects analogue or ISDN lines.
    Gateway,
    /// Software on a computer or mobile phone.
    Client,
}

/// Which template pack writes a device's provisioning file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateFamily {
    /// `Config.AccountN.…` lines.
    Akuvox,
    /// `account.N.…` lines.
    Yealink,
    /// A generic form, to be overridden: the vendor's own is not public.
    Gateway,
}

impl TemplateFamily {
    /// The pack's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Akuvox => "akuvox",
            Self::Yealink => "yealink",
            Self::Gateway => "gateway",
        }
    }
}

/// How sure a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Seen in public files or documents.
    Documented,
    /// Concluded from something else; a site should be able to say otherwise.
    Inferred,
}

/// A template family and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Templates {
    /// The family.
    pub family: TemplateFamily,
    /// How sure.
    pub basis: Basis,
}

/// A device model, or a family of them that the guide treats as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// The guide's name.
    pub name: &'static str,
    /// Other names: members of the family, misprints, names of an earlier or later date.
    pub aliases: &'static [&'static str],
    /// What it is to a network.
    pub class: DeviceClass,
    /// What writes its provisioning file; none where it has none or its format is not known.
    pub templates: Option<Templates>,
}

const AKUVOX: Option<Templates> = Some(Templates {
    family: TemplateFamily::Akuvox,
    basis: Basis::Documented,
});
/// Revisions are taken to keep the format of their model.
const AKUVOX_REVISION: Option<Templates> = Some(Templates {
    family: TemplateFamily::Akuvox,
    basis: Basis::Inferred,
});
const YEALINK: Option<Templates> = Some(Templates {
    family: TemplateFamily::Yealink,
    basis: Basis::Inferred,
});
const GENERIC: Option<Templates> = Some(Templates {
    family: TemplateFamily::Gateway,
    basis: Basis::Inferred,
});

const fn phone(
    name: &'static str,
    aliases: &'static [&'static str],
    templates: Option<Templates>,
) -> Model {
    Model {
        name,
        aliases,
        class: DeviceClass::Phone,
        templates,
    }
}

const fn gateway(name: &'static str, aliases: &'static [&'static str]) -> Model {
    Model {
        name,
        aliases,
        class: DeviceClass::Gateway,
        templates: GENERIC,
    }
}

const fn client(name: &'static str, aliases: &'static [&'static str]) -> Model {
    Model {
        name,
        aliases,
        class: DeviceClass::Client,
        templates: None,
    }
}

/// Every model that one of the guide's editions names.
const MODELS: &[Model] = &[
    phone("WP400", &[], YEALINK),
    phone("WP410", &[], AKUVOX),
    phone("WP410R2", &[], AKUVOX_REVISION),
    phone("WP410R3", &[], AKUVOX_REVISION),
    phone("START", &[], AKUVOX),
    phone("WP480", &["WP480G"], AKUVOX),
    phone("WP480R2", &["WP480GR2"], AKUVOX_REVISION),
    phone("WP480R3", &["WP480GR3"], AKUVOX_REVISION),
    phone("WP490", &["WP490G"], YEALINK),
    phone("WP490R2", &["WP490GR2"], YEALINK),
    phone("WP490R3", &["WP490GR3"], YEALINK),
    phone("WP600AXX", &["WP600A", "WP600ACG"], YEALINK),
    phone("WorkForce", &[], None),
    phone("WelcomeConsole", &[], None),
    phone("Vision", &[], None),
    phone("SuperVision", &[], None),
    phone("W-AIR", &[], None),
    gateway("W24FXSR2", &[]),
    gateway("W04FXS", &[]),
    gateway("W02FXSR2", &[]),
    gateway("W01FXS", &[]),
    // The edition for 3.86 prints it with a zero.
    gateway("W04FXO", &["W04FX0"]),
    gateway("W0XPRI", &["W01PRI", "W02PRI", "W04PRI"]),
    gateway("W01/02BRI", &["W01BRI", "W02BRI"]),
    gateway("W04BRI", &[]),
    gateway("W01GSM", &[]),
    // Three forms of one client, which the edition for 5.0X/6.0X tells apart by their versions.
    client("Collaboration", &["Collaboration web phone"]),
    client("Collaboration native app", &["Collaboration app"]),
    client(
        "Collaboration Chrome extension",
        &["Collaboration extension"],
    ),
    client("Android", &["Android client"]),
    client("iOS", &["iOS client"]),
];

/// Every model that the catalogue knows.
#[must_use]
pub const fn models() -> &'static [Model] {
    MODELS
}

/// The model of this name or alias. Letter case, spaces, hyphens and underscores do not matter.
#[must_use]
pub fn model(name: &str) -> Option<&'static Model> {
    // Sites ask for thousands of devices, and nearly all are spelled as the catalogue spells them.
    static AS_SPELLED: LazyLock<HashMap<&str, &Model>> = LazyLock::new(|| names().collect());
    static PLAIN: LazyLock<HashMap<String, &Model>> =
        LazyLock::new(|| names().map(|(name, model)| (plain(name), model)).collect());
    AS_SPELLED
        .get(name)
        .or_else(|| PLAIN.get(&plain(name)))
        .copied()
}

/// The known name nearest to one that is not known; none where nothing is near.
#[must_use]
pub fn nearest_model(name: &str) -> Option<&'static str> {
    let wanted = plain(name);
    // Who leaves the end of a name out means that name, not one that is as long and differs in the middle.
    let cut = |known: &str| wanted.chars().count() >= 4 && known.starts_with(&wanted);
    names()
        .filter_map(|(name, _)| {
            let known = plain(name);
            Some((!cut(&known), mistyped(&wanted, &known)?, name))
        })
        .min_by_key(|(whole, distance, _)| (*whole, *distance))
        .map(|(_, _, known)| known)
}

fn names() -> impl Iterator<Item = (&'static str, &'static Model)> {
    MODELS.iter().flat_map(|model| {
        std::iter::once(&model.name)
            .chain(model.aliases)
            .map(move |name| (*name, model))
    })
}

/// How names are compared. Longer texts are no names: cut, so that comparing stays cheap.
fn plain(name: &str) -> String {
    let separator = |character: &char| matches!(character, ' ' | '-' | '_');
    name.chars()
        .filter(|character| !separator(character))
        .take(64)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn name_of(name: &str) -> Option<&'static str> {
        model(name).map(|model| model.name)
    }

    #[test]
    fn every_name_means_one_model() {
        let mut seen = HashSet::new();
        for (name, model) in names() {
            assert!(seen.insert(plain(name)), "{name} twice");
            assert_eq!(name_of(name), Some(model.name));
        }
    }

    #[test]
    fn families_and_misprints_lead_to_the_guides_name() {
        for (written, name) in [
            ("wp600a", "WP600AXX"),
            ("WP600ACG", "WP600AXX"),
            ("W04FX0", "W04FXO"),
            ("W02PRI", "W0XPRI"),
            ("w01bri", "W01/02BRI"),
            ("W04BRI", "W04BRI"),
            ("WP480 R2", "WP480R2"),
            ("Welcome-Console", "WelcomeConsole"),
            ("W-AIR", "W-AIR"),
        ] {
            assert_eq!(name_of(written), Some(name), "{written}");
        }
        assert_eq!(name_of("WP9000"), None);
        assert_eq!(name_of(""), None);
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest_model("W04FSX"), Some("W04FXS"));
        assert_eq!(nearest_model("WP48O"), Some("WP480"));
        assert_eq!(nearest_model("WP600"), Some("WP600A"));
        assert_eq!(nearest_model("W04FX"), Some("W04FXS"));
        assert_eq!(nearest_model("Polycom VVX 450"), None);
        assert_eq!(nearest_model(""), None);
    }

    #[test]
    fn the_older_telephones_are_known_to_be_inferred() {
        for name in ["WP400", "WP490", "WP600A"] {
            let templates = model(name).and_then(|model| model.templates);
            assert_eq!(
                templates,
                Some(Templates {
                    family: TemplateFamily::Yealink,
                    basis: Basis::Inferred
                }),
                "{name}"
            );
        }
        for name in ["WP410", "WP480", "START"] {
            let templates = model(name).and_then(|model| model.templates);
            assert_eq!(
                templates,
                Some(Templates {
                    family: TemplateFamily::Akuvox,
                    basis: Basis::Documented
                }),
                "{name}"
            );
        }
    }
}
