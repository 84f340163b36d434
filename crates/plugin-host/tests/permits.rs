//! What a plugin may ask for, as a table, and what no accepted path can do.

use std::path::{Component, Path};

use proptest::prelude::*;
use switchover_plugin_host::permit;
use switchover_plugin_host::wit::{
    BodyMatch, CommandUse, DhcpDiscover, DnsProbe, DnsQuery, DnsUpdate, Effect, FileContent,
    Header, HttpBody, HttpPattern, HttpRequest, Manifest, Pattern, Probe, ProbeKind, Reach,
    ReadRequest, Rrset, RunCommand, SipOptions, Transport, UndoSupport, WriteFile,
};

fn http_pattern(method: &str, path: &str, values: &[&str]) -> Pattern {
    let body = if values.is_empty() {
        vec![]
    } else {
        vec![BodyMatch {
            pointer: "/command".into(),
            one_of: values.iter().map(|value| (*value).into()).collect(),
        }]
    };
    Pattern::Http(HttpPattern {
        method: method.into(),
        path: path.into(),
        body,
    })
}

fn manifest() -> Manifest {
    Manifest {
        name: "kea".into(),
        version: "0.1.0".into(),
        summary: String::new(),
        resources: vec![],
        servers: vec![],
        findings: vec![],
        settings_schema: "{}".into(),
        reach: vec![Reach::Http, Reach::Files, Reach::Dns],
        reads: vec![
            http_pattern("POST", "/", &["\"config-get\"", "\"status-get\"", "7"]),
            http_pattern("GET", "/api/*/items", &[]),
            http_pattern("GET", "/list?page=*", &[]),
            http_pattern("GET", "/folder/", &[]),
            Pattern::File("read/*.conf".into()),
            Pattern::Folder("read".into()),
            Pattern::Folder(".".into()),
            Pattern::Zone("*.example".into()),
        ],
        writes: vec![
            http_pattern("POST", "/", &["\"config-set\""]),
            http_pattern("PUT", "/api/*", &[]),
            Pattern::File("*.cfg".into()),
            Pattern::File("write/a*b*c".into()),
            Pattern::Zone("acme.example".into()),
        ],
        commands: vec![CommandUse {
            name: "reload".into(),
            summary: String::new(),
            required: true,
        }],
        undo: UndoSupport::Plugin,
        templates: vec![],
        sensitive_keys: vec![],
        adopts: false,
    }
}

fn request(method: &str, path: &str) -> HttpRequest {
    HttpRequest {
        method: method.into(),
        path: path.into(),
        headers: vec![],
        body: HttpBody::Empty,
        reason: None,
    }
}

fn post(body: &str) -> HttpRequest {
    HttpRequest {
        body: HttpBody::Json(body.into()),
        ..request("POST", "/")
    }
}

fn with_header(name: &str, value: &str, mut request: HttpRequest) -> HttpRequest {
    request.headers.push(Header {
        name: name.into(),
        value: value.into(),
    });
    request
}

fn verdict(result: Result<(), permit::Refusal>) -> String {
    result
        .err()
        .map_or_else(|| "yes".into(), |refusal| refusal.reason.to_string())
}

fn read(request: HttpRequest) -> String {
    verdict(permit::read(&manifest(), &ReadRequest::Http(request)))
}

const NO_READ: &str = "it matches none of the plugin's read patterns";

#[test]
fn http_paths() {
    let character = "its path has a character that does not belong in it";
    let escape = "its path has an escape that could be read in two ways";
    let dots = "its path has a `.` or `..` part";
    let empty = "its path has an empty part";
    let no_slash = "its path does not begin with `/`";
    let table = [
        ("/api/7/items", "yes"),
        ("/api/%C3%A4/items", "yes"),
        ("/api//items", empty),
        ("/api/a/b/items", NO_READ),
        ("/api/a/items/", NO_READ),
        ("/api/a/items?x=1", NO_READ),
        ("/api/x?/items", NO_READ),
        ("/folder/", "yes"),
        ("/folder", NO_READ),
        ("/folder//", empty),
        ("/list?page=2", "yes"),
        ("/list?page=2&delete=1", NO_READ),
        ("/list?page=2;delete=1", character),
        ("/list?page=2?x", "its path has a second `?`, or a `#`"),
        ("/list?page=2#x", "its path has a second `?`, or a `#`"),
        ("/list", NO_READ),
        ("/api/../items", dots),
        ("/api/./items", dots),
        ("/api/..", dots),
        ("/api/..;/items", character),
        ("/api/%2e%2e/items", escape),
        ("/api/%2E/items", escape),
        ("/api/a%2Fb/items", escape),
        ("/api/a%5cb/items", escape),
        ("/api/%252e/items", escape),
        ("/api/%00/items", escape),
        ("/api/%0d%0a/items", escape),
        ("/api/%4/items", escape),
        ("/api/%é/items", escape),
        ("/api/%", escape),
        ("/api/a\\b/items", "its path has a backslash"),
        ("/api/a b/items", character),
        ("/api/a\0b/items", character),
        ("/api/a\r\nHost: x/items", character),
        ("/api/ä/items", character),
        ("//evil.example/api/a/items", empty),
        ("http://evil.example/api/a/items", no_slash),
        ("@evil.example/api/a/items", no_slash),
        ("api/a/items", no_slash),
        ("", no_slash),
        (
            "/api/${secret:x}/items",
            "its path holds a `${…}` reference",
        ),
        ("/api/${step.x}/items", "its path holds a `${…}` reference"),
    ];
    for (path, expected) in table {
        assert_eq!(read(request("GET", path)), expected, "{path:?}");
    }
    assert_eq!(
        read(request("GET", &format!("/api/{}/items", "a".repeat(5000)))),
        "its path is too long"
    );
}

#[test]
fn methods_and_headers() {
    let get = || request("GET", "/api/7/items");
    for method in ["get", "", "GET /other", "GET\r\n", "PUT"] {
        assert_ne!(
            read(HttpRequest {
                method: method.into(),
                ..get()
            }),
            "yes",
            "{method:?}"
        );
    }
    let config_get = || post(r#"{"command":"config-get"}"#);
    let table = [
        (with_header("Accept", "application/json", get()), true),
        (
            with_header("content-type", "application/json", config_get()),
            true,
        ),
        (
            with_header(
                "Content-Type",
                "application/json; charset=utf-8",
                config_get(),
            ),
            true,
        ),
        (
            with_header("Content-Type", "application/problem+json", config_get()),
            true,
        ),
        (
            with_header(
                "Content-Type",
                "application/json; charset=utf-7",
                config_get(),
            ),
            false,
        ),
        (
            with_header(
                "Content-Type",
                "application/x-www-form-urlencoded",
                config_get(),
            ),
            false,
        ),
        (with_header("Content-Encoding", "gzip", config_get()), false),
        (
            with_header("Transfer-Encoding", "chunked", config_get()),
            false,
        ),
        (with_header("Content-Length", "0", config_get()), false),
        (
            with_header("X-HTTP-Method-Override", "DELETE", get()),
            false,
        ),
        (with_header("X-Original-URL", "/admin", get()), false),
        (with_header("Host", "evil.example", get()), false),
        (with_header("Authorization", "Basic x", get()), false),
        (with_header("Cookie", "x", get()), false),
        (
            with_header("Accept", "a\r\nHost: evil.example", get()),
            false,
        ),
        (with_header("Accept\r\nHost", "x", get()), false),
        (with_header("Accept", "\u{e4}", get()), false),
    ];
    for (request, expected) in table {
        let headers = request.headers.clone();
        assert_eq!(read(request) == "yes", expected, "{headers:?}");
    }
}

#[test]
fn bodies() {
    let table = [
        (r#"{"command":"config-get"}"#, true),
        (
            r#" { "service": ["dhcp4"], "command" : "config-get" } "#,
            true,
        ),
        (r#"{"command":"\u0063onfig-get"}"#, true),
        (r#"{"command":7}"#, true),
        (r#"{"command":"config-set"}"#, false),
        (r#"{"command":"config-get "}"#, false),
        (r#"{"command":"config-get\u0000"}"#, false),
        (r#"{"command":["config-get"]}"#, false),
        (r#"{"Command":"config-get"}"#, false),
        (r#"[{"command":"config-get"}]"#, false),
        (r#"{"command":"${step.x}"}"#, false),
        (r#"{"command":"7"}"#, false),
        // Two values under one key: servers differ in which one they take.
        (r#"{"command":"config-get","command":"config-set"}"#, false),
        (r#"{"command":"config-set","command":"config-get"}"#, false),
        (
            r#"{"command":"config-get","\u0063ommand":"config-set"}"#,
            false,
        ),
        (
            r#"{"command":"config-get","arguments":{"a":1,"a":2}}"#,
            false,
        ),
        (
            r#"{"command":"config-get","${step.x}":"config-set"}"#,
            false,
        ),
        // No JSON, or more than one value.
        (r#"{"command":"config-get"}{"command":"config-set"}"#, false),
        (r#"{"command":"config-get",}"#, false),
        (r#"{"command":"config-get"} // x"#, false),
        ("\u{feff}{\"command\":\"config-get\"}", false),
        (r#"{"command":"config-get","x":NaN}"#, false),
        (r#"{"command":"config-get","x":1e999}"#, false),
        ("", false),
    ];
    for (body, expected) in table {
        assert_eq!(read(post(body)) == "yes", expected, "{body}");
    }
    assert_ne!(
        read(post(&format!(
            "{}{}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        ))),
        "yes"
    );
    let bytes = HttpBody::Bytes(br#"{"command":"config-get"}"#.to_vec());
    assert_eq!(
        read(HttpRequest {
            body: bytes,
            ..request("POST", "/")
        }),
        NO_READ
    );
    assert_eq!(read(request("POST", "/")), NO_READ);
}

#[test]
fn files_and_folders() {
    let manifest = manifest();
    let table = [
        ("read/a.conf", "yes"),
        ("read/ä b.conf", "yes"),
        ("read/sub/a.conf", NO_READ),
        ("read/a.conf/", "its path has an empty part"),
        ("a.cfg", NO_READ),
        ("read//a.conf", "its path has an empty part"),
        ("read/../a.conf", "its path has a `.` or `..` part"),
        ("./read/a.conf", "its path has a `.` or `..` part"),
        ("/read/a.conf", "its path begins with `/`"),
        ("read\\a.conf", "its path has a backslash"),
        (
            "read/a\0.conf",
            "its path has a character that does not belong in it",
        ),
        (
            "read/a\n.conf",
            "its path has a character that does not belong in it",
        ),
        ("read/${secret:x}.conf", "its path holds a `${…}` reference"),
        ("C:/a.conf", "its path begins with a drive"),
        ("", "its path is empty"),
    ];
    for (path, expected) in table {
        assert_eq!(
            verdict(permit::read(&manifest, &ReadRequest::File(path.into()))),
            expected,
            "{path:?}"
        );
    }
    for (path, expected) in [
        ("read", true),
        (".", true),
        ("", true),
        ("write", false),
        ("read/x", false),
        ("..", false),
    ] {
        let result = permit::read(&manifest, &ReadRequest::Folder(path.into()));
        assert_eq!(result.is_ok(), expected, "{path:?}");
    }
}

fn write_file(path: &str) -> Effect {
    Effect::WriteFile(WriteFile {
        path: path.into(),
        content: FileContent::Text(String::new()),
    })
}

fn run(name: &str, file: Option<&str>) -> Effect {
    Effect::Run(RunCommand {
        name: name.into(),
        file: file.map(Into::into),
    })
}

fn probe(request: HttpRequest) -> Effect {
    Effect::Probe(Probe {
        request,
        deadline_ms: 1,
        every_ms: 1,
    })
}

fn rrset(owner: &str, rdata: &[&str]) -> Rrset {
    Rrset {
        owner: owner.into(),
        type_: "A".into(),
        ttl_seconds: 60,
        rdata: rdata.iter().map(|&data| data.into()).collect(),
    }
}

fn update(zone: &str, owner: &str) -> Effect {
    Effect::DnsUpdate(DnsUpdate {
        zone: zone.into(),
        require: vec![rrset(owner, &[])],
        replace: vec![rrset(owner, &["10.20.0.10"])],
    })
}

fn serial(zone: &str) -> Effect {
    Effect::DnsProbe(DnsProbe {
        zone: zone.into(),
        server: "ns2".into(),
        deadline_ms: 1,
        every_ms: 1,
    })
}

#[test]
fn zones() {
    for (zone, expected) in [
        ("acme.example", "yes"),
        ("a.b.example", "yes"),
        ("0/25.2.0.192.example", "yes"),
        ("example", NO_READ),
        ("acme.example.org", NO_READ),
        (
            "ACME.example",
            "the zone's name has a character that does not belong in it",
        ),
        ("acme.example.", "the zone's name has an empty part"),
        (
            "a\\.b.example",
            "the zone's name has a character that does not belong in it",
        ),
        (
            "${secret:x}.example",
            "the zone's name has a character that does not belong in it",
        ),
        ("", "the zone's name is empty"),
    ] {
        let result = permit::read(&manifest(), &ReadRequest::Zone(zone.into()));
        assert_eq!(verdict(result), expected, "{zone:?}");
    }
    let zone = "acme.example";
    for (owner, expected) in [
        ("acme.example", "yes"),
        ("_sips._tcp.acme.example", "yes"),
        ("*.acme.example", "yes"),
        ("xacme.example", "`xacme.example` is no name in that zone"),
        ("example", "`example` is no name in that zone"),
        (
            "a\\.acme.example",
            "`a\\.acme.example` is no name in that zone",
        ),
        (
            "a..acme.example",
            "`a..acme.example` is no name in that zone",
        ),
        ("A.acme.example", "`A.acme.example` is no name in that zone"),
    ] {
        let result = permit::write(&manifest(), &update(zone, owner));
        assert_eq!(verdict(result), expected, "{owner:?}");
        let required = Effect::DnsUpdate(DnsUpdate {
            zone: zone.into(),
            require: vec![rrset(owner, &[])],
            replace: vec![rrset(zone, &[])],
        });
        assert_eq!(
            verdict(permit::write(&manifest(), &required)),
            expected,
            "{owner:?}"
        );
    }
    let twice = Effect::DnsUpdate(DnsUpdate {
        zone: zone.into(),
        require: vec![],
        replace: vec![rrset(zone, &["10.20.0.10"]), rrset(zone, &[])],
    });
    let nothing = Effect::DnsUpdate(DnsUpdate {
        zone: zone.into(),
        require: vec![rrset(zone, &[])],
        replace: vec![],
    });
    for effect in [twice, nothing] {
        assert_eq!(
            verdict(permit::write(&manifest(), &effect)),
            "it names no RRset, or one twice"
        );
    }
}

#[test]
fn effects_by_phase() {
    let config_set = || post(r#"{"command":"config-set"}"#);
    let config_get = || post(r#"{"command":"config-get"}"#);
    // Effect, allowed in stage and commit, allowed in verify.
    let table = [
        (Effect::Http(config_set()), true, false),
        (Effect::Http(config_get()), true, true),
        (
            Effect::Http(post(r#"{"command":"shutdown"}"#)),
            false,
            false,
        ),
        (Effect::Http(request("PUT", "/api/a")), true, false),
        (Effect::Http(request("DELETE", "/api/a")), false, false),
        (probe(config_get()), true, true),
        (probe(config_set()), false, false),
        (write_file("a.cfg"), true, false),
        (write_file("write/aXbYc"), true, false),
        (write_file("write/abbc"), true, false),
        (write_file("write/abcd"), false, false),
        (write_file("write/a/b/c"), false, false),
        (write_file("read/a.conf"), false, false),
        (write_file("../a.cfg"), false, false),
        (write_file("/a.cfg"), false, false),
        (Effect::RemoveFile("a.cfg".into()), true, false),
        (Effect::RemoveFile("read/a.conf".into()), false, false),
        (run("reload", None), true, true),
        (run("reload", Some("a.cfg")), true, true),
        (run("reload", Some("read/a.conf")), true, true),
        (run("reload", Some("../../etc/passwd")), false, false),
        (run("reload", Some("other")), false, false),
        (run("rm", None), false, false),
        (update("acme.example", "a.acme.example"), true, false),
        (update("b.example", "a.b.example"), false, false),
        (serial("b.example"), true, true),
        (serial("b.org"), false, false),
    ];
    for (effect, write, verify) in table {
        assert_eq!(
            permit::write(&manifest(), &effect).is_ok(),
            write,
            "{effect:?}"
        );
        assert_eq!(
            permit::verify(&manifest(), &effect).is_ok(),
            verify,
            "{effect:?}"
        );
    }
}

#[test]
fn refusals_say_who_asked_for_what() {
    let manifest = manifest();
    let effects = [
        Effect::Http(post(r#"{"command":"shutdown","password":"hunter2"}"#)),
        Effect::Http(with_header("Host", "evil", request("PUT", "/api/a"))),
        write_file("../../etc/shadow"),
        run("rm", Some("x\u{1b}[2J")),
        probe(request("GET", "/secret?page")),
        update("b.org", "a.b.org"),
        serial("b.org"),
    ];
    let text: Vec<_> = effects
        .iter()
        .map(|effect| {
            permit::write(&manifest, effect)
                .expect_err("refused")
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever path is let through, an independent reading of it stays on the host and below the pattern.
    #[test]
    fn an_accepted_http_path_stays_where_it_is(path in r"/(api|\.|\.\.|/|%2e|%2f|%5c|%c3|\\|a|:|@|;|\?|#|\$|\{|items| )*") {
        if permit::read(&manifest(), &ReadRequest::Http(request("GET", &path))).is_ok() {
            let url = url::Url::parse(&format!("http://host.example{path}")).unwrap();
            prop_assert_eq!(url.host_str(), Some("host.example"));
            prop_assert_eq!(url.path(), path.split('?').next().unwrap());
            prop_assert!(url.fragment().is_none());
        }
    }

    #[test]
    fn an_accepted_file_stays_below_the_root(path in r"(write|/|\.|\.\.|a|b|c|\\|\.cfg|x| )*") {
        if permit::write(&manifest(), &write_file(&path)).is_ok() {
            let parts: Vec<_> = Path::new(&path).components().collect();
            prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
            prop_assert!(parts.len() == 1 && path.ends_with(".cfg") || parts.len() == 2 && path.starts_with("write/a"));
        }
    }

    /// A body that passes has one meaning: taking the first or the last of equal keys is the same.
    #[test]
    fn an_accepted_body_means_one_thing(keys in proptest::collection::vec("(command|x|\\$\\{s\\})", 0..4), set in 0..4usize) {
        let entries: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| format!("{key:?}:\"{}\"", if at == set { "config-set" } else { "config-get" }))
            .collect();
        if permit::read(&manifest(), &ReadRequest::Http(post(&format!("{{{}}}", entries.join(","))))).is_ok() {
            let commands: Vec<_> = entries.iter().filter(|entry| entry.starts_with("\"command\"")).collect();
            prop_assert_eq!(commands, vec!["\"command\":\"config-get\""]);
        }
    }

    #[test]
    fn nothing_panics(method in ".*", path in ".*", body in ".*", name in ".*", value in ".*") {
        let request = with_header(&name, &value, HttpRequest {
            body: HttpBody::Json(body), ..request(&method, &path)
        });
        let _ = permit::write(&manifest(), &Effect::Http(request));
        let _ = permit::read(&manifest(), &ReadRequest::Folder(path.clone()));
        let _ = permit::write(&manifest(), &write_file(&path));
    }
}

#[test]
fn questions_beside_the_endpoint() {
    let question = |zone: &str, owner: &str| {
        Effect::DnsQuery(DnsQuery {
            zone: zone.into(),
            server: None,
            expect: vec![Rrset {
                owner: owner.into(),
                type_: "A".into(),
                ttl_seconds: 60,
                rdata: vec!["10.0.0.1".into()],
            }],
            deadline_ms: 1,
            every_ms: 1,
        })
    };
    let options = Effect::SipOptions(SipOptions {
        transport: Transport::Udp,
        port: 5060,
        deadline_ms: 1,
        every_ms: 1,
    });
    let discover = Effect::DhcpDiscover(DhcpDiscover {
        service: "office".into(),
        mac: "9c:75:14:00:00:01".into(),
        address: "10.20.30.11".into(),
        options: vec![],
        deadline_ms: 1,
        every_ms: 1,
    });
    let good = question("acme.example", "pbx1.acme.example");
    let all = [
        (ProbeKind::DnsQuery, &good),
        (ProbeKind::SipOptions, &options),
        (ProbeKind::DhcpDiscover, &discover),
    ];
    for (kind, effect) in all {
        assert!(
            permit::verify(&manifest(), effect).is_err(),
            "{kind:?} without a pattern"
        );
        let mut manifest = manifest();
        manifest.reads.push(Pattern::Probe(kind));
        for (other, effect) in all {
            assert_eq!(
                permit::verify(&manifest, effect).is_ok(),
                kind == other,
                "{kind:?} {other:?}"
            );
            assert_eq!(
                permit::write(&manifest, effect).is_ok(),
                kind == other,
                "{kind:?} {other:?}"
            );
        }
    }
    let mut manifest = manifest();
    manifest.reads.push(Pattern::Probe(ProbeKind::DnsQuery));
    for (zone, owner) in [
        ("acme.example", "other.example"),
        ("acme.example", "badacme.example"),
        ("acme.example", "a..acme.example"),
        ("ACME.example", "a.ACME.example"),
        ("", "a"),
    ] {
        assert!(
            permit::verify(&manifest, &question(zone, owner)).is_err(),
            "{zone} {owner}"
        );
    }
}
