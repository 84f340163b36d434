use std::time::{Duration, Instant};

use switchover_effects::Reporting;
use switchover_effects::http::{Auth, Endpoint, HttpError, Options, Request};
use switchover_effects::secrets::Secret;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use url::Url;

use crate::recorder::{code, recording, whole_text};
use crate::server::{answer, answering, listening};

fn endpoint(url: Url, options: Options) -> Endpoint {
    Endpoint::new(url, None, options, &Reporting::default()).unwrap()
}

fn get(path: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        path: path.to_owned(),
        ..Request::default()
    }
}

/// Long enough for a loaded machine, short enough to wait for.
fn short() -> Options {
    Options {
        timeout: Duration::from_millis(300),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_request_arrives_as_described_and_its_answer_comes_back() {
    let (url, request) = answering(answer("201 Created", "X-Kind: a\r\n", "[1]")).await;
    let auth = Auth::Basic {
        user: "kea".to_owned(),
        password: Secret::new("hunter2hunter2".to_owned()),
    };
    let base = url.join("/api/v1/").unwrap();
    let endpoint =
        Endpoint::new(base, Some(auth), Options::default(), &Reporting::default()).unwrap();
    let response = endpoint
        .send(&Request {
            method: "POST".to_owned(),
            path: "/subnets?id=1&x=%2e%2e".to_owned(),
            headers: vec![("X-Mine".to_owned(), "yes".to_owned())],
            body: b"{}".to_vec(),
            content_type: Some("application/json".to_owned()),
            reason: None,
        })
        .await
        .unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (201, &b"[1]"[..])
    );
    assert!(
        response
            .headers
            .contains(&("x-kind".to_owned(), "a".to_owned()))
    );
    let request = request.await.unwrap();
    assert!(
        request.starts_with("POST /api/v1/subnets?id=1&x=%2e%2e HTTP/1.1\r\n"),
        "{request}"
    );
    let lower = request.to_lowercase();
    let host = format!("host: {}\r\n", url.authority());
    for line in [
        "x-mine: yes\r\n",
        "content-type: application/json\r\n",
        "user-agent: switchover/",
        host.as_str(),
    ] {
        assert!(lower.contains(line), "{request}");
    }
    assert!(
        request.contains("Basic a2VhOmh1bnRlcjJodW50ZXIy\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\n{}"));
}

#[tokio::test]
async fn an_endpoint_serves_many_requests() {
    let (url, first) = listening().await;
    let endpoint = endpoint(url, Options::default());
    let server = tokio::spawn(async move {
        let (_, mut stream) = first.await.unwrap();
        stream
            .write_all(answer("200 OK", "", "1").as_bytes())
            .await
            .unwrap();
        let again = crate::server::read_request(&mut stream).await;
        stream
            .write_all(answer("200 OK", "", "2").as_bytes())
            .await
            .unwrap();
        again
    });
    assert_eq!(endpoint.send(&get("/a")).await.unwrap().body, b"1");
    assert_eq!(endpoint.send(&get("/b")).await.unwrap().body, b"2");
    assert!(server.await.unwrap().starts_with("GET /b "));
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let (url, task) = listening().await;
    let started = Instant::now();
    let error = endpoint(url, short()).send(&get("/")).await.unwrap_err();
    assert!(
        matches!(error, HttpError::Timeout { begun: false, .. }),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    // The connection was open all the time.
    let (request, _stream) = task.await.unwrap();
    assert!(request.starts_with("GET / "));
}

#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let (url, request) = listening().await;
    let server = tokio::spawn(async move {
        let (_, mut stream) = request.await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            .await
            .unwrap();
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b"x").await.is_ok() {
            ticks.tick().await;
        }
    });
    let error = endpoint(url, short()).send(&get("/")).await.unwrap_err();
    assert!(
        matches!(error, HttpError::Timeout { begun: true, .. }),
        "{error}"
    );
    server.await.unwrap();
}

#[tokio::test]
async fn a_machine_that_does_not_answer_is_no_connection() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the queue is full, the kernel drops what comes.
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    let options = Options {
        connect_timeout: Duration::from_millis(200),
        ..Options::default()
    };
    let error = endpoint(format!("http://{address}").parse().unwrap(), options)
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, HttpError::ConnectTimeout { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_a_refused_connection() {
    let (url, task) = listening().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let error = endpoint(url, Options::default())
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_dns_failure() {
    // A label of more than 63 bytes is in no DNS, and no server needs to be asked.
    let url = format!("http://{}.invalid/", "a".repeat(70))
        .parse()
        .unwrap();
    let error = endpoint(url, Options::default())
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Dns { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_from_none() {
    for (sent, begun) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Le", false),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            true,
        ),
    ] {
        let (url, request) = answering(sent).await;
        let error = endpoint(url, Options::default())
            .send(&get("/"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HttpError::Closed { begun: found, .. } if found == begun),
            "{sent:?}: {error:?}"
        );
        request.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    for sent in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        &[0x15, 3, 1, 0, 2, 2, 80],
        b"HTTP/1.1 two hundred\r\n\r\n",
    ] {
        let (url, _request) = answering(sent).await;
        let error = endpoint(url, Options::default())
            .send(&get("/"))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::Garbage { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_kept() {
    let options = || Options {
        max_body: 1000,
        ..Options::default()
    };
    let (url, _request) =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx").await;
    let error = endpoint(url, options()).send(&get("/")).await.unwrap_err();
    assert!(
        matches!(error, HttpError::TooLarge { limit: 1000, .. }),
        "{error:?}"
    );

    let (url, request) = listening().await;
    let server = tokio::spawn(async move {
        let (_, mut stream) = request.await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        // Ends only where the client hangs up.
        while stream
            .write_all(b"10\r\n0123456789abcdef\r\n")
            .await
            .is_ok()
        {}
    });
    let error = endpoint(url, options()).send(&get("/")).await.unwrap_err();
    assert!(
        matches!(error, HttpError::TooLarge { limit: 1000, .. }),
        "{error:?}"
    );
    server.await.unwrap();

    let (url, _request) = answering(answer("200 OK", "", &"x".repeat(1000))).await;
    assert_eq!(
        endpoint(url, options())
            .send(&get("/"))
            .await
            .unwrap()
            .body
            .len(),
        1000
    );
}

#[tokio::test]
async fn a_compressed_answer_is_refused() {
    let (url, request) = answering(answer("200 OK", "Content-Encoding: gzip\r\n", "x")).await;
    let error = endpoint(url, Options::default())
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, HttpError::Encoded { coding, .. } if coding == "gzip"),
        "{error:?}"
    );
    assert!(
        !request
            .await
            .unwrap()
            .to_lowercase()
            .contains("accept-encoding")
    );
}

#[tokio::test]
async fn a_redirect_is_an_error_that_says_where_to() {
    for (location, elsewhere) in [
        ("/login", false),
        ("https://127.0.0.1/x", false),
        ("//127.0.0.1:1/x", false),
        ("http://evil.example/steal", true),
        ("//evil.example/steal", true),
    ] {
        // Nobody would answer a second request: following would end in another error.
        let (url, _request) = answering(answer(
            "302 Found",
            &format!("Location: {location}\r\n"),
            "",
        ))
        .await;
        let error = endpoint(url, Options::default())
            .send(&get("/"))
            .await
            .unwrap_err();
        match (&error, elsewhere) {
            (HttpError::Redirect { status: 302, .. }, false) => {}
            (
                HttpError::RedirectElsewhere {
                    status: 302, to, ..
                },
                true,
            ) => {
                assert_eq!(to, "http://evil.example/steal");
            }
            _ => panic!("{location}: {error:?}"),
        }
    }
    let (url, _request) = answering(answer("304 Not Modified", "", "")).await;
    let error = endpoint(url, Options::default())
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, HttpError::Redirect { to, .. } if to == "nowhere"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_refusal_carries_the_servers_reason() {
    let mut seen = String::new();
    for (status, pointer, body) in [
        (
            "500 Internal Server Error",
            None,
            "<html>\n  <b>boom</b>\u{7}\n</html>",
        ),
        (
            "400 Bad Request",
            Some("/0/text"),
            r#"[{"result": 1, "text": "subnet is not\nvalid"}]"#,
        ),
        (
            "400 Bad Request",
            Some("/0/text"),
            r#"{"error": "elsewhere"}"#,
        ),
        ("409 Conflict", Some("/why"), r#"{"why": {"code": 7}}"#),
        ("404 Not Found", None, ""),
        ("503 Service Unavailable", None, "\0\u{1}binary"),
        ("401 Unauthorized", None, "who are you"),
        ("403 Forbidden", None, ""),
    ] {
        let (url, _request) = answering(answer(status, "", body)).await;
        let request = Request {
            reason: pointer.map(str::to_owned),
            ..get("/x")
        };
        let error = endpoint(url.clone(), Options::default())
            .send(&request)
            .await
            .unwrap_err();
        let line = format!("{}: {error}\n", code(&error)).replace(url.as_str(), "http://server/");
        seen.push_str(&line);
    }
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn a_long_refusal_is_cut() {
    let (url, _request) = answering(answer("500 Oh", "", &"long ".repeat(100_000))).await;
    let error = endpoint(url, Options::default())
        .send(&get("/"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("…") && error.to_string().chars().count() < 400,
        "{error}"
    );
}

#[tokio::test]
async fn no_credential_is_in_an_error_or_an_event() {
    let password = "pass/word \"ü+1";
    let (recorder, reporting) =
        recording(&[("kea/password", password), ("token", "query-token-1")]);
    for status in ["500 Oh", "200 OK", "302 Found"] {
        let (url, request) = listening().await;
        tokio::spawn(async move {
            let (request, mut stream) = request.await.unwrap();
            // The server gives back everything it got, and the password in its own words.
            let echo = format!(
                "{request} pass/word \\\"\\u00fc+1 pass%2Fword%20%22%C3%BC%2B1 {}",
                "pass/word \"ü+1"
            );
            let location = "Location: http://other/?t=query-token-1\r\n";
            stream
                .write_all(answer(status, location, &echo).as_bytes())
                .await
                .unwrap();
        });
        let auth = Auth::Basic {
            user: "kea".to_owned(),
            password: Secret::new(password.to_owned()),
        };
        let endpoint = Endpoint::new(url, Some(auth), Options::default(), &reporting).unwrap();
        let texts = match endpoint.send(&get("/x?token=query-token-1")).await {
            Ok(_) => String::new(),
            Err(error) => whole_text(&error),
        };
        let texts = format!("{texts} {endpoint:?} {}", recorder.lines().join("\n"));
        for leak in ["pass/word", "pass%2", "query-token-1", "a2VhOnBhc3"] {
            assert!(!texts.contains(leak), "{leak} in {texts}");
        }
        assert!(texts.contains("***"));
    }
    assert_eq!(recorder.lines().len(), 3);
}

#[test]
fn an_endpoint_is_a_plain_url() {
    for url in [
        "ftp://x/",
        "unix:/run/x",
        "http://user:secret@x/",
        "http://x/?a",
        "https://x/#a",
    ] {
        let error = Endpoint::new(
            url.parse().unwrap(),
            None,
            Options::default(),
            &Reporting::default(),
        )
        .unwrap_err();
        assert_eq!(code(&error), "effects::http::endpoint");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for auth in [
        Auth::Bearer(Secret::new("a\nb".to_owned())),
        Auth::Basic {
            user: "a:b".to_owned(),
            password: Secret::new("x".to_owned()),
        },
    ] {
        let error = Endpoint::new(
            "http://x".parse().unwrap(),
            Some(auth),
            Options::default(),
            &Reporting::default(),
        )
        .unwrap_err();
        assert_eq!(code(&error), "effects::http::credentials");
    }
}

#[test]
fn a_request_cannot_bring_what_is_not_its_own() {
    let endpoint = endpoint("http://x/".parse().unwrap(), Options::default());
    for name in [
        "Host",
        "authorization",
        "CONNECTION",
        "Transfer-Encoding",
        "Cookie",
        "X-HTTP-Method-Override",
        "Accept-Encoding",
        "a b",
        "",
    ] {
        let request = Request {
            headers: vec![(name.to_owned(), "x".to_owned())],
            ..get("/")
        };
        assert_eq!(
            code(&endpoint.check(&request).unwrap_err()),
            "effects::http::header",
            "{name}"
        );
    }
    let request = Request {
        headers: vec![("x-a".to_owned(), "a\r\nHost: b".to_owned())],
        ..get("/")
    };
    assert_eq!(
        code(&endpoint.check(&request).unwrap_err()),
        "effects::http::header"
    );
    for method in ["CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1\r\n"] {
        let request = Request {
            method: method.to_owned(),
            ..get("/")
        };
        assert_eq!(
            code(&endpoint.check(&request).unwrap_err()),
            "effects::http::method",
            "{method}"
        );
    }
    endpoint.check(&get("/")).unwrap();
}
