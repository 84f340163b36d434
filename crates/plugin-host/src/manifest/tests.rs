use super::{ManifestFault, PatternFault, check};
use crate::pattern::PathFault;
use crate::wit::{BodyMatch, CommandUse, HttpPattern, Manifest, Pattern, Reach, UndoSupport};

fn manifest() -> Manifest {
    Manifest {
        name: "p".into(),
        version: "1.0.0".into(),
        summary: String::new(),
        resources: vec![],
        servers: vec![],
        findings: vec![],
        settings_schema: "{}".into(),
        reach: vec![Reach::Http, Reach::Files, Reach::Dns],
        reads: vec![],
        writes: vec![],
        commands: vec![],
        undo: UndoSupport::None,
        templates: vec![],
        sensitive_keys: vec![],
        adopts: false,
    }
}

fn http(method: &str, path: &str, body: &[(&str, &[&str])]) -> Pattern {
    let body = body.iter().map(|(pointer, values)| BodyMatch {
        pointer: (*pointer).into(),
        one_of: values.iter().map(|value| (*value).into()).collect(),
    });
    Pattern::Http(HttpPattern {
        method: method.into(),
        path: path.into(),
        body: body.collect(),
    })
}

fn fault(result: Result<(), ManifestFault>) -> Option<PatternFault> {
    match result {
        Ok(()) => None,
        Err(ManifestFault::Pattern { fault, .. }) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn patterns_have_to_mean_one_thing() {
    let get: &[(&str, &[&str])] = &[("/command", &["\"config-get\""])];
    let table = [
        (http("GET", "/a/*?page=*", &[]), None),
        (http("POST", "/", get), None),
        (http("POST", "/", &[]), Some(PatternFault::AnyBody)),
        (http("BREW", "/", &[]), Some(PatternFault::AnyBody)),
        (http("PUT", "/", get), Some(PatternFault::WritesByMethod)),
        (http("DELETE", "/", &[]), Some(PatternFault::WritesByMethod)),
        (http("get", "/", &[]), Some(PatternFault::Method)),
        (http("GET /x HTTP", "/", &[]), Some(PatternFault::Method)),
        (http("GET", "a", &[]), Some(PathFault::NoSlash.into())),
        (http("GET", "/a/../b", &[]), Some(PathFault::Dots.into())),
        (http("GET", "//b", &[]), Some(PathFault::EmptyPart.into())),
        (
            http("POST", "/", &[("command", &["1"])]),
            Some(PatternFault::Pointer),
        ),
        (
            http("POST", "/", &[("/a b", &["1"])]),
            Some(PatternFault::Pointer),
        ),
        (
            http("POST", "/", &[("/a~2", &["1"])]),
            Some(PatternFault::Pointer),
        ),
        (
            http("POST", "/", &[("/a", &[])]),
            Some(PatternFault::Values),
        ),
        (
            http("POST", "/", &[("/a", &["config-get"])]),
            Some(PatternFault::Values),
        ),
        (Pattern::File("conf.d/*.conf".into()), None),
        (
            Pattern::File("/etc/passwd".into()),
            Some(PathFault::Absolute.into()),
        ),
        (Pattern::File("../*".into()), Some(PathFault::Dots.into())),
        (Pattern::Folder(String::new()), None),
        (Pattern::Folder(".".into()), None),
        (Pattern::Folder("..".into()), Some(PathFault::Dots.into())),
        (Pattern::Zone("*".into()), None),
        (Pattern::Zone("*.acme.example".into()), None),
        (Pattern::Zone(String::new()), Some(PathFault::Empty.into())),
        (
            Pattern::Zone("acme.example.".into()),
            Some(PathFault::EmptyPart.into()),
        ),
        (
            Pattern::Zone("Acme.example".into()),
            Some(PathFault::Character.into()),
        ),
    ];
    for (pattern, expected) in table {
        let manifest = Manifest {
            reads: vec![pattern.clone()],
            ..manifest()
        };
        assert_eq!(fault(check("p", &manifest)), expected, "{pattern:?}");
    }
}

#[test]
fn a_plugin_reaches_only_what_it_says_it_reaches() {
    for (reach, pattern) in [
        (Reach::Http, Pattern::File("a".into())),
        (Reach::Files, http("GET", "/", &[])),
        (Reach::Http, Pattern::Zone("*".into())),
        (Reach::Dns, Pattern::File("a".into())),
    ] {
        let manifest = Manifest {
            reach: vec![reach],
            reads: vec![pattern.clone()],
            ..manifest()
        };
        assert_eq!(fault(check("p", &manifest)), Some(PatternFault::Reach));
        let manifest = Manifest {
            reads: vec![],
            writes: vec![pattern],
            ..manifest
        };
        assert_eq!(fault(check("p", &manifest)), Some(PatternFault::Reach));
    }
}

#[test]
fn folders_are_not_written() {
    let manifest = Manifest {
        writes: vec![Pattern::Folder("a".into())],
        ..manifest()
    };
    assert_eq!(
        fault(check("p", &manifest)),
        Some(PatternFault::FolderWrite)
    );
}

#[test]
fn commands_have_names_of_their_own() {
    let command = |name: &str| CommandUse {
        name: name.into(),
        summary: String::new(),
        required: true,
    };
    let with = |names: &[&str]| {
        check(
            "p",
            &Manifest {
                commands: names.iter().map(|name| command(name)).collect(),
                ..manifest()
            },
        )
    };
    assert_eq!(with(&["test", "reload"]), Ok(()));
    assert_eq!(
        with(&["test", "test"]),
        Err(ManifestFault::Twice {
            what: "command",
            name: "test".into()
        })
    );
    for name in ["", "rm -rf", "a/b", "a\nb"] {
        assert!(
            matches!(with(&[name]), Err(ManifestFault::Word { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn the_schema_is_an_object() {
    for schema in ["", "true", "[]", "{"] {
        let manifest = Manifest {
            settings_schema: schema.into(),
            ..manifest()
        };
        assert!(
            matches!(check("p", &manifest), Err(ManifestFault::Schema(_))),
            "{schema:?}"
        );
    }
}
