//! The template packs, one a model family.

use switchover_sdk::Template;

/// Family, name, text.
const PACKS: [(&str, &str, &str); 3] = [
    (
        "akuvox",
        "akuvox.cfg.j2",
        include_str!("../templates/akuvox.cfg.j2"),
    ),
    (
        "yealink",
        "yealink.cfg.j2",
        include_str!("../templates/yealink.cfg.j2"),
    ),
    (
        "gateway",
        "gateway.cfg.j2",
        include_str!("../templates/gateway.cfg.j2"),
    ),
];

/// The template that writes files for a family; none for a family that has none.
pub(crate) fn name(family: &str) -> Option<&'static str> {
    PACKS
        .iter()
        .find(|(known, ..)| *known == family)
        .map(|(_, name, _)| *name)
}

/// The families that have a template.
pub(crate) fn families() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(family, ..)| *family)
}

/// Every template, for the manifest.
pub(crate) fn all() -> Vec<Template> {
    PACKS
        .iter()
        .map(|(_, name, body)| Template::new(*name, *body))
        .collect()
}
