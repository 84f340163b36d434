use std::time::Duration;

use bytes::Bytes;
use ezk_sip_types::Method;
use tokio::time::Instant;

use super::{Answered, Answers, Due, RequestDue, Requests, Resending, Timers};
use crate::sip::message::TransactionKey;

fn key(branch: &str) -> TransactionKey {
    TransactionKey::new(branch, &Method::REGISTER)
}

fn requests(reliable: bool) -> Requests<&'static str> {
    Requests::new(Timers::scaled(1.0), reliable)
}

/// When a request that nobody answers is sent again, and when it is given up, in milliseconds.
fn times(requests: &mut Requests<&'static str>, start: Instant) -> (Vec<u128>, u128) {
    let mut again = Vec::new();
    loop {
        let now = requests.deadline().expect("a request that waits");
        let since = (now - start).as_millis();
        match &requests.due(now)[..] {
            [RequestDue::Resend(bytes)] => {
                assert_eq!(bytes, "bytes");
                again.push(since);
            }
            [RequestDue::TimedOut("purpose", started)] => {
                assert_eq!(*started, start);
                return (again, since);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn over_udp_a_request_is_sent_again_at_the_times_of_the_standard() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "purpose", "bytes".into(), false, start, None);
    let expected = vec![
        500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
    ];
    assert_eq!(times(&mut requests, start), (expected, 32_000));
    assert_eq!(requests.deadline(), None);
}

#[test]
fn the_pauses_of_an_invitation_grow_without_a_bound() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "purpose", "bytes".into(), true, start, None);
    let expected = vec![500, 1500, 3500, 7500, 15500, 31500];
    assert_eq!(times(&mut requests, start), (expected, 32_000));
}

#[test]
fn on_a_stream_nothing_is_sent_again() {
    let (mut requests, start) = (requests(true), Instant::now());
    requests.start(key("a"), "purpose", "bytes".into(), false, start, None);
    assert_eq!(times(&mut requests, start), (vec![], 32_000));
}

#[test]
fn patience_may_be_shorter_and_never_longer() {
    for (patience, given_up) in [(3, 3000), (300, 32_000)] {
        let (mut requests, start) = (requests(true), Instant::now());
        let patience = Some(Duration::from_secs(patience));
        requests.start(key("a"), "purpose", "bytes".into(), false, start, patience);
        assert_eq!(times(&mut requests, start).1, given_up);
    }
}

#[test]
fn an_answer_ends_its_own_request_only() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "first", Bytes::new(), false, start, None);
    requests.start(key("b"), "second", Bytes::new(), false, start, None);
    let answered = requests.answered(&key("b"), 200, start);
    assert!(
        matches!(
            answered,
            Answered::Final {
                purpose: "second",
                unanswered: None
            }
        ),
        "{answered:?}"
    );
    let answered = requests.answered(&key("b"), 200, start);
    assert!(matches!(answered, Answered::Unknown), "{answered:?}");
    assert!(requests.deadline().is_some());
}

#[test]
fn an_answer_tells_since_when_nobody_answered() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "purpose", Bytes::new(), false, start, None);
    for _ in 0..2 {
        let now = requests.deadline().unwrap();
        assert!(matches!(requests.due(now)[..], [RequestDue::Resend(_)]));
    }
    let answered = requests.answered(&key("a"), 200, start + Duration::from_secs(2));
    let Answered::Final {
        unanswered: Some(at),
        ..
    } = answered
    else {
        panic!("{answered:?}");
    };
    assert_eq!(at - start, Duration::from_millis(500));
}

#[test]
fn an_invitation_that_rings_is_not_sent_again() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "purpose", "bytes".into(), true, start, None);
    let answered = requests.answered(&key("a"), 180, start);
    assert!(matches!(answered, Answered::Provisional), "{answered:?}");
    assert_eq!(times(&mut requests, start), (vec![], 180_000));
}

#[test]
fn another_request_in_progress_is_sent_again_seldom() {
    let (mut requests, start) = (requests(false), Instant::now());
    requests.start(key("a"), "purpose", "bytes".into(), false, start, None);
    requests.answered(&key("a"), 100, start);
    let expected = vec![500, 4500, 8500, 12500, 16500, 20500, 24500, 28500];
    assert_eq!(times(&mut requests, start), (expected, 32_000));
}

#[test]
fn all_times_are_scaled_together() {
    let start = Instant::now();
    let mut requests = Requests::new(Timers::scaled(0.1), false);
    requests.start(key("a"), "purpose", "bytes".into(), true, start, None);
    let expected = vec![50, 150, 350, 750, 1550, 3150];
    assert_eq!(times(&mut requests, start), (expected, 3200));
}

#[test]
fn an_answer_is_given_again_for_as_long_as_the_request_may_come_again() {
    let (mut answers, start) = (Answers::new(Timers::scaled(1.0)), Instant::now());
    answers.give(key("a"), "answer".into(), start);
    let later = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(answers.again(&key("a"), later(31)), Some("answer".into()));
    assert_eq!(answers.again(&key("b"), later(31)), None);
    assert_eq!(answers.again(&key("a"), later(32)), None);
    answers.give(key("b"), "answer".into(), later(40));
    assert_eq!(answers.given.len(), 1);
}

#[test]
fn what_is_not_acknowledged_is_given_up() {
    let start = Instant::now();
    let mut resending = Resending::new("bytes".into(), start, Timers::scaled(1.0));
    assert!(resending.due(start).is_none());
    let mut again = 0;
    loop {
        match resending.due(resending.deadline()) {
            Some(Due::Resend(_)) => again += 1,
            Some(Due::GiveUp) => break,
            None => panic!("a deadline at which nothing is due"),
        }
    }
    assert_eq!(again, 10);
    assert_eq!(resending.deadline() - start, Duration::from_secs(32));
}
