use proptest::prelude::*;
use switchover_effects::Reporting;
use switchover_effects::http::{Endpoint, Options};

fn endpoint(base: &str) -> Endpoint {
    Endpoint::new(
        base.parse().unwrap(),
        None,
        Options::default(),
        &Reporting::default(),
    )
    .unwrap()
}

#[test]
fn a_path_goes_behind_the_endpoints_own() {
    for (base, path, url) in [
        ("http://h", "/", "http://h/"),
        ("http://h/", "/a", "http://h/a"),
        ("http://h:8000/api", "/a/b?c=d", "http://h:8000/api/a/b?c=d"),
        ("https://h/api/", "/a%20b", "https://h/api/a%20b"),
        ("http://h/api/", "/a%2Fb", "http://h/api/a%2Fb"),
        ("http://h", "/100%25", "http://h/100%25"),
        (
            "http://h",
            "/a?next=http://x/../y",
            "http://h/a?next=http://x/../y",
        ),
        ("http://h", "/...", "http://h/..."),
        ("http://h", "/@evil", "http://h/@evil"),
        ("http://[::1]:80/x", "/a", "http://[::1]/x/a"),
    ] {
        assert_eq!(endpoint(base).url(path).unwrap().as_str(), url);
    }
}

#[test]
fn a_path_cannot_leave_the_endpoint() {
    let endpoint = endpoint("http://h/api/");
    for path in [
        "",
        "a",
        "http://evil/",
        "//evil/",
        "/a//b",
        "/..",
        "/../x",
        "/a/..",
        "/a/./b",
        "/.",
        "/%2e%2e/x",
        "/%2E./x",
        "/.%2e",
        "/%252e%252e/x",
        "/%25252e%25252e/x",
        "/a%2f..%2fb",
        "/..%2f",
        "/..;/x",
        "/..;a=b/x",
        "/%2e%2e%3b/x",
        "/a\\..\\b",
        "/%5c..%5cx",
        "/a%5Cb",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/a%0d%0ab",
        "/a%00",
        "/a\u{7f}",
        "/ü",
        "/a#b",
        "/a#/../b",
        "/{x}",
        "/<x>",
        "?x",
        "@evil/",
        ":80/",
        "/%25252525252e/x",
    ] {
        let error = endpoint.url(path).expect_err(path);
        assert_eq!(
            crate::recorder::code(&error),
            "effects::http::path",
            "{path:?}"
        );
    }
}

proptest! {
    #[test]
    fn every_path_is_refused_or_stays_below(
        path in r"/?([a-z./;%\\?#@:]|%2e|%2f|%5c|%25|//|\.\.|\PC){0,12}",
    ) {
        let base = endpoint("http://host:81/api");
        if let Ok(url) = base.url(&path) {
            prop_assert!(url.as_str().starts_with("http://host:81/api/"));
            prop_assert!(url.path_segments().unwrap().all(|segment| segment != "." && segment != ".."));
            prop_assert!(url.as_str().ends_with(path.split('?').next().unwrap()) || path.contains('?'));
        }
    }
}
