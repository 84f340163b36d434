use std::time::{Duration, Instant, SystemTime};

use switchover_effects::Reporting;
use switchover_effects::http::{Endpoint, HttpError, Options, Request, Response};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use crate::server::{answer, read_request};

/// Gives these answers, each on a connection of its own. The task ends with how many were asked for, once the client
/// is gone.
async fn answering_in_turn(answers: Vec<String>) -> (Url, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let task = tokio::spawn(async move {
        let mut given = 0;
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            if read_request(&mut stream).await.starts_with("END") {
                break;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            given += 1;
        }
        given
    });
    (url, task)
}

/// How often the server was asked, and what came of it.
async fn sent(
    method: &str,
    answers: Vec<String>,
    patience: Duration,
) -> (usize, Result<Response, HttpError>) {
    let (url, asked) = answering_in_turn(answers).await;
    let options = Options {
        patience,
        ..Options::default()
    };
    let endpoint = Endpoint::new(url.clone(), None, options, &Reporting::default()).unwrap();
    let request = Request {
        method: method.to_owned(),
        path: "/x".to_owned(),
        reason: Some("/reason".to_owned()),
        ..Request::default()
    };
    let result = endpoint.send(&request).await;
    // Whoever waits for the next one waits no more; where nobody does, it is refused.
    let host = url.socket_addrs(|| None).unwrap()[0];
    if let Ok(mut stream) = tokio::net::TcpStream::connect(host).await {
        let _ = stream.write_all(b"END\r\n\r\n").await;
    }
    (asked.await.unwrap(), result)
}

fn busy(status: &str, after: &str) -> String {
    let header = format!("Retry-After: {after}\r\n");
    answer(status, &header, r#"{ "reason": "too many requests" }"#)
}

fn fine() -> String {
    answer("200 OK", "", "done")
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_server_that_asks_to_come_back_is_asked_again() {
    for method in ["GET", "PUT", "DELETE"] {
        let answers = vec![
            busy("429 Too Many Requests", "0"),
            busy("503 Service Unavailable", "0"),
            fine(),
        ];
        let (asked, result) = sent(method, answers, MINUTE).await;
        assert_eq!(result.unwrap().body, b"done", "{method}");
        assert_eq!(asked, 3);
    }
}

#[tokio::test]
async fn it_is_asked_when_it_said() {
    let started = Instant::now();
    let answers = vec![busy("429 Too Many Requests", "1"), fine()];
    let (asked, result) = sent("GET", answers, MINUTE).await;
    assert!(result.is_ok() && started.elapsed() >= Duration::from_secs(1));
    assert_eq!(asked, 2);
    // A date counts in whole seconds, so it is in the past by now, or not by more than it says.
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1));
    let answers = vec![busy("503 Service Unavailable", &date), fine()];
    assert!(sent("GET", answers, MINUTE).await.1.is_ok());
}

#[tokio::test]
async fn what_may_not_be_sent_twice_is_sent_once() {
    let answers = vec![busy("429 Too Many Requests", "0"), fine()];
    let (asked, result) = sent("POST", answers, MINUTE).await;
    assert!(matches!(result, Err(HttpError::Busy { .. })), "{result:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn nobody_waits_longer_than_is_allowed() {
    let started = Instant::now();
    let answers = vec![busy("429 Too Many Requests", "3600"), fine()];
    let (asked, result) = sent("GET", answers, MINUTE).await;
    let error = result.unwrap_err();
    let told = error.to_string();
    assert!(
        told.ends_with(
            "the server takes no more requests now (status 429) and asks to come back in 3600 s: \
             too many requests"
        ),
        "{told}"
    );
    assert_eq!(asked, 1);
    // All waits together count.
    let answers = vec![
        busy("429 Too Many Requests", "1"),
        busy("429 Too Many Requests", "1"),
        fine(),
    ];
    let (asked, result) = sent("GET", answers, Duration::from_millis(1500)).await;
    assert!(matches!(result, Err(HttpError::Busy { .. })), "{result:?}");
    assert_eq!(asked, 2);
    assert!(started.elapsed() < MINUTE);
}

#[tokio::test]
async fn a_server_that_never_has_time_is_given_up() {
    let answers = vec![busy("429 Too Many Requests", "0"); 20];
    let (asked, result) = sent("GET", answers, MINUTE).await;
    assert!(matches!(result, Err(HttpError::Busy { .. })), "{result:?}");
    assert_eq!(asked, 6);
}

#[tokio::test]
async fn a_server_that_does_not_say_when_is_not_asked_again() {
    for (status, header) in [
        ("429 Too Many Requests", ""),
        ("503 Service Unavailable", "Retry-After: soon\r\n"),
        ("500 Internal Server Error", "Retry-After: 0\r\n"),
    ] {
        let (asked, result) = sent("GET", vec![answer(status, header, ""), fine()], MINUTE).await;
        assert!(
            matches!(result, Err(HttpError::Status { .. })),
            "{result:?}"
        );
        assert_eq!(asked, 1, "{status}");
    }
}
