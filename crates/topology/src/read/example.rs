//! Values and nodes as examples, for what is missing.

use crate::element::Element;
use crate::report::{as_fragment, either, listed, quoted};
use crate::schema::{Arity, Field, Shape, Spec};

/// A value as it could be written.
pub(super) fn value(spec: &Spec, field: &Field) -> String {
    let text = match (spec.name, field.key, field.shape) {
        (_, "first", _) => "10.20.30.100",
        (_, "last", _) => "10.20.30.220",
        ("site", "name", _) => "acme-hq",
        ("pbx" | "member", "name", _) => "pbx1",
        ("network", "name", _) => "voice",
        ("dhcp", "name", _) => "dhcp-hq",
        ("server", "name", _) => "server1",
        ("record", "name", _) => "prov",
        ("record", "values", _) => "10.20.0.80",
        ("option", "values", _) => "https://prov.acme.example/",
        ("command", "name", _) => "reload",
        ("command", "argv", _) => return "\"systemctl\" \"restart\" \"dnsmasq\"".to_owned(),
        ("user", "name", _) => "Reception",
        ("target", "plugin", _) => "kea",
        ("sync", "to", _) => "pbx2",
        (_, "model", _) => "WP480",
        (_, "strategy", _) => "linear",
        (_, "reason", _) => "why",
        ("import", "files", _) => "phones.csv",
        (_, "files", _) => "users.kdl",
        (_, "file", _) => "base.kdl",
        ("known-drift", "address", _) => "subnet/voice",
        (_, _, Shape::Boolean) => return "#true".to_owned(),
        (_, _, Shape::Integer(least, _)) => return least.max(2).to_string(),
        (_, _, Shape::OptionCode) => return "160".to_owned(),
        (_, _, Shape::Secret) => return "(secret)\"env:NAME\"".to_owned(),
        (_, _, Shape::Duration(_)) => "2h",
        (_, _, Shape::Address) => "10.20.0.10",
        (_, _, Shape::Subnet) => "10.20.30.0/24",
        (_, _, Shape::Mac) => "9c:75:14:00:01:01",
        (_, _, Shape::Version) => "3.86.30011",
        (_, _, Shape::Date) => "2027-03-31",
        (_, _, Shape::Url(_)) => "https://prov.acme.example/",
        (_, _, Shape::Root) => "/srv/provisioning",
        (_, _, Shape::Hostname) => "pbx1.acme.example",
        (_, _, Shape::Host) => "203.0.113.10",
        (_, _, Shape::Domain) => "acme.example",
        (_, _, Shape::Email) => "reception@acme.example",
        (_, _, Shape::Extension) => "101",
        (_, _, Shape::Code) => "SW205",
        (_, _, Shape::Language) => "it",
        (_, _, Shape::Region) => "IT",
        (_, _, Shape::RecordType) => "A",
        (_, _, Shape::Scheme) => "bearer",
        (_, _, Shape::Choice(words)) => words.first().copied().unwrap_or("WORD"),
        (_, _, Shape::Reference(crate::model::Kind::Pbx)) => "pbx1",
        (_, _, Shape::Reference(_) | Shape::Text | Shape::Loose) => "NAME",
    };
    format!("\"{text}\"")
}

/// A node with what it needs, its block left out.
pub(super) fn node(spec: &Spec) -> String {
    with(spec, |_| None)
}

/// The same with the arguments that somebody wrote, as far as they are good.
pub(super) fn line(spec: &Spec, element: &Element) -> String {
    with(spec, |field| {
        let Some(written) = element.value(field.key) else {
            // An address of another network beside theirs would only mislead.
            let of_theirs = spec.name == "pool" && !element.values.is_empty();
            return of_theirs.then(|| "\"…\"".to_owned());
        };
        let written = written.value.to_string();
        Some(match field.shape {
            Shape::OptionCode | Shape::Integer(..) | Shape::Boolean => written,
            _ => format!("\"{}\"", quoted(&written).trim_matches('`')),
        })
    })
}

fn with(spec: &Spec, written: impl Fn(&Field) -> Option<String>) -> String {
    let mut line = spec.name.to_owned();
    for field in spec
        .arguments
        .iter()
        .filter(|field| field.arity != Arity::Optional)
    {
        line.push(' ');
        line += &written(field).unwrap_or_else(|| value(spec, field));
    }
    for field in spec
        .fields
        .iter()
        .filter(|field| field.arity == Arity::Required)
    {
        line += &format!(" {}={}", field.key, value(spec, field));
    }
    if spec.name == "auth" {
        line += " token=(secret)\"env:NAME\"";
    }
    line
}

/// How to supply what a node lacks.
pub(super) fn supply(spec: &Spec, keys: &[&str]) -> String {
    let of = || keys.iter().filter_map(|key| spec.field(key));
    // Nobody should take the example's names and addresses for their own.
    let is_invented = of().any(|field| !matches!(field.shape, Shape::Choice(_) | Shape::Boolean));
    let such_as = match (is_invented, of().count()) {
        (false, _) => "",
        (true, 1) => "a value such as ",
        (true, _) => "values such as ",
    };
    let fields: Vec<String> = of()
        .map(|field| format!("{}={}", field.key, value(spec, field)))
        .collect();
    let nodes = keys.iter().filter_map(|key| spec.child(key));
    let nodes: Vec<String> = nodes
        .map(|child| format!("`{}`", node(child.spec)))
        .collect();
    let mut help = match fields.is_empty() {
        true => String::new(),
        false => format!("add {such_as}`{}`", fields.join(" ")),
    };
    if !nodes.is_empty() {
        help += if help.is_empty() { "add " } else { ", and " };
        help += &format!("{} in its block", nodes.join(" and "));
    }
    // Where several are missing, their words are here; of one they are in the message.
    for key in keys.iter().filter(|_| keys.len() > 1) {
        if let Some(words) = words(spec, key) {
            help += &format!("; `{key}` is {words}");
        }
    }
    if let [key] = keys
        && words(spec, key).is_none()
    {
        help += &format!(" ({})", as_fragment(spec.doc_of(key)));
    }
    help
}

/// The words that a value may be.
pub(super) fn words(spec: &Spec, key: &str) -> Option<String> {
    match spec.field(key)?.shape {
        Shape::Choice(words) => Some(either(words)),
        _ => None,
    }
}

/// `needs its …`
pub(super) fn arguments(keys: &[&str]) -> String {
    match keys {
        [key] => format!("`{key}`"),
        keys => listed(keys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Reader;
    use crate::schema::{KINDS, STRUCTURE};
    use crate::source::FileId;
    use crate::syntax;

    /// Every node of the language, the inner ones too.
    fn specs() -> Vec<&'static Spec> {
        let mut specs: Vec<&'static Spec> = KINDS.iter().map(|(_, spec)| *spec).collect();
        specs.extend(STRUCTURE.iter().copied().filter(|spec| !spec.open));
        let mut at = 0;
        while let Some(spec) = specs.get(at).copied() {
            specs.extend(spec.nodes.iter().map(|child| child.spec));
            at += 1;
        }
        specs
    }

    fn read(text: &str, spec: &'static Spec) -> Vec<crate::Diagnostic> {
        let (nodes, diagnostics) = syntax::parse(FileId(0), text);
        assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
        let mut reader = Reader::default();
        let mut element = reader.node(&nodes[0], spec);
        reader.report_missing(&mut element);
        reader.diagnostics
    }

    #[test]
    fn what_is_missing_is_shown_with_what_it_may_be() {
        for spec in specs() {
            let told = read(spec.name, spec);
            let text: String = told
                .iter()
                .map(|found| {
                    format!(
                        "{}\n{}\n",
                        found.message,
                        found.help.as_deref().unwrap_or_default()
                    )
                })
                .collect();
            let needed = |fields: &'static [Field]| {
                fields.iter().filter(|field| field.arity != Arity::Optional)
            };
            for field in needed(spec.arguments) {
                assert!(
                    text.contains(&format!("`{}`", field.key)),
                    "{} {}: {text}",
                    spec.name,
                    field.key
                );
                assert!(
                    text.contains(&node(spec)),
                    "{} {}: {text}",
                    spec.name,
                    field.key
                );
            }
            for field in needed(spec.fields).filter(|field| field.arity == Arity::Required) {
                let example = format!("{}={}", field.key, value(spec, field));
                assert!(
                    text.contains(&example),
                    "{} {}: {text}",
                    spec.name,
                    field.key
                );
                if let Shape::Choice(words) = field.shape {
                    assert!(
                        words.iter().all(|word| text.contains(&format!("`{word}`"))),
                        "{} {}: {text}",
                        spec.name,
                        field.key
                    );
                }
            }
            for child in spec
                .nodes
                .iter()
                .filter(|child| child.arity == Arity::Required)
            {
                assert!(
                    text.contains(&node(child.spec)),
                    "{} {}: {text}",
                    spec.name,
                    child.spec.name
                );
            }
        }
    }

    #[test]
    fn examples_are_what_they_show() {
        for spec in specs() {
            let told = read(&node(spec), spec);
            // A block is left out.
            let told: Vec<_> = told
                .iter()
                .filter(|found| !found.message.contains("has no `platform`"))
                .collect();
            assert!(told.is_empty(), "{}: {told:?}", node(spec));
        }
    }
}
