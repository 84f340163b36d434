use std::process::Command;
use std::sync::mpsc;

use switchover_lab::{Bucket, Fate};

use super::*;

const LONG: LeaseOptions = LeaseOptions {
    ttl: Duration::from_secs(60),
    wait: Duration::ZERO,
};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

fn short(ttl: u64, wait: u64) -> LeaseOptions {
    LeaseOptions {
        ttl: Duration::from_millis(ttl),
        wait: Duration::from_millis(wait),
    }
}

#[test]
fn one_has_it_and_the_next_gets_a_higher_token() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let first = Lease::acquire(&store, "jo", "apply", LONG).await.unwrap();
        assert_eq!(first.token(), 1);
        let error = Lease::acquire(&store, "mo", "apply", LONG)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, LeaseError::Held { holder } if holder.who == "jo"),
            "{error}"
        );
        let (holder, _) = lease_holder(&store).await.unwrap();
        assert_eq!(holder.unwrap().operation, "apply");
        first.release().await.unwrap();
        assert_eq!(lease_holder(&store).await.unwrap(), (None, None));
        let second = Lease::acquire(&store, "mo", "rollback", LONG)
            .await
            .unwrap();
        assert_eq!(second.token(), 2);
    });
}

#[test]
fn who_waits_gets_it_when_it_is_released() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let first = Lease::acquire(&store, "jo", "apply", LONG).await.unwrap();
        let waiting = Lease::acquire(&store, "mo", "apply", short(60_000, 60_000));
        let release = async {
            tokio::task::yield_now().await;
            first.release().await
        };
        let (second, released) = tokio::join!(waiting, release);
        released.unwrap();
        assert_eq!(second.unwrap().token(), 2);
    });
}

/// Beats keep it, however short it is granted for.
#[test]
fn a_beating_lease_is_not_taken() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let first = Lease::acquire(&store, "jo", "apply", short(300, 0))
            .await
            .unwrap();
        let error = Lease::acquire(&store, "mo", "apply", short(300, 1200)).await;
        assert!(matches!(error, Err(LeaseError::Held { .. })));
        assert!(!first.is_lost());
        first.release().await.unwrap();
    });
}

/// A process of this machine that ended holds nothing.
#[test]
fn the_lease_of_a_process_that_ended_is_free_at_once() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut holder = Holder::new("jo", "apply", Duration::from_secs(3600));
        holder.process = Identity::of(child.id());
        let file = File {
            token: 7,
            holder: Some(holder),
            ..File::new()
        };
        write(&store, &file, None).await.unwrap();
        assert!(
            Lease::acquire(&store, "mo", "apply", LONG).await.is_err(),
            "it lives"
        );
        child.kill().unwrap();
        // Not even waited for: it is a zombie then.
        let lease = Lease::acquire(&store, "mo", "apply", short(60_000, 10_000))
            .await
            .unwrap();
        assert_eq!(lease.token(), 8);
        child.wait().unwrap();
    });
}

/// One of another machine is free when nothing was heard of it for as long as it was granted, and its holder is told.
#[test]
fn a_silent_lease_of_elsewhere_is_taken_after_its_time() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let mut holder = Holder::new("jo", "apply", Duration::from_millis(400));
        holder.process = Identity::elsewhere();
        let file = File {
            token: 3,
            holder: Some(holder),
            ..File::new()
        };
        write(&store, &file, None).await.unwrap();
        let began = Instant::now();
        let lease = Lease::acquire(&store, "mo", "apply", short(60_000, 5_000))
            .await
            .unwrap();
        assert!(began.elapsed() >= Duration::from_millis(400));
        assert_eq!(lease.token(), 4);
    });
}

#[test]
fn a_broken_lease_is_lost_to_its_holder_and_says_who_broke_it() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        assert!(break_lease(&store, "mo", None).await.unwrap().is_none());
        let first = Lease::acquire(&store, "jo", "apply", short(60_000, 0))
            .await
            .unwrap();
        let reason = Some("the machine burnt down".to_owned());
        let broken = break_lease(&store, "mo", reason.clone()).await.unwrap();
        assert_eq!(broken.unwrap().who, "jo");
        let (holder, broken) = lease_holder(&store).await.unwrap();
        assert!(holder.is_none());
        let broken = broken.unwrap();
        assert_eq!((broken.reason, broken.holder.as_str()), (reason, "jo"));
        assert!(!first.is_ours().await.unwrap(), "whoever looks sees it");
        let second = Lease::acquire(&store, "mo", "apply", LONG).await.unwrap();
        first.release().await.unwrap();
        let (holder, _) = lease_holder(&store).await.unwrap();
        assert_eq!(holder.unwrap().who, "mo", "the late one freed nothing");
        assert_eq!(second.token(), 2);
    });
}

/// Its holder learns that it was broken by its next beat.
#[test]
fn a_beat_finds_that_the_lease_is_gone() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let first = Lease::acquire(&store, "jo", "apply", short(3_000, 0))
            .await
            .unwrap();
        break_lease(&store, "mo", None).await.unwrap();
        let mut beat = first.guard().beat;
        assert!(!first.is_lost());
        beat.wait_for(|beat| beat.lost).await.unwrap();
        assert!(first.is_lost());
    });
}

/// A lease whose beats do not arrive is taken for lost by its holder, too, before anybody says so.
#[test]
fn a_lease_that_cannot_be_renewed_is_lost_after_its_time() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("state");
        let store = Store::local(root.clone());
        let lease = Lease::acquire(&store, "jo", "apply", short(600, 0))
            .await
            .unwrap();
        std::fs::rename(&root, folder.path().join("elsewhere")).unwrap();
        std::fs::write(&root, "no folder").unwrap();
        let began = Instant::now();
        while !lease.is_lost() {
            assert!(began.elapsed() < Duration::from_secs(20));
            tokio::task::yield_now().await;
        }
        assert!(began.elapsed() >= Duration::from_millis(300));
    });
}

#[test]
fn a_damaged_lease_is_named() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        store.create(KEY, "{").await.unwrap();
        let error = Lease::acquire(&store, "jo", "apply", LONG)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("lease.json"), "{error}");
    });
}

fn in_bucket(bucket: &Bucket) -> Store {
    let environment = bucket.environment();
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    Store::open_in(std::path::Path::new("."), "s3://state/x", environment).unwrap()
}

/// A beat that arrived and was not answered, for as long as it was tried, is one's own.
#[test]
fn a_beat_whose_answer_was_lost_is_no_lost_lease() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let store = in_bucket(&bucket);
        let options = LeaseOptions {
            ttl: Duration::from_secs(12),
            wait: Duration::ZERO,
        };
        let lease = Lease::acquire(&store, "jo", "apply", options)
            .await
            .unwrap();
        let (tell, told) = mpsc::channel();
        let mut tries = 0;
        bucket.judge(move |method, key| {
            if method != "PUT" || !key.contains("lease") {
                return Fate::Answered;
            }
            tries += 1;
            // Sent four times, then given up.
            match tries {
                1 => Fate::AnswerLost,
                2..=4 => Fate::Lost,
                _ => {
                    let _ = tell.send(tries);
                    Fate::Answered
                }
            }
        });
        let sent = lease.guard().beat.borrow().sent;
        let mut beat = lease.guard().beat;
        let next = beat.wait_for(|beat| beat.lost || beat.sent > sent);
        assert!(!next.await.unwrap().lost);
        assert!(told.try_recv().is_ok(), "four were lost");
        assert!(lease.is_ours().await.unwrap());
        lease.release().await.unwrap();
        assert_eq!(lease_holder(&store).await.unwrap(), (None, None));
    });
}

/// Whoever is at the end does not wait for a beat that is not answered.
#[test]
fn a_beat_that_hangs_does_not_hold_up_the_end() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let store = in_bucket(&bucket);
        let lease = Lease::acquire(&store, "jo", "apply", short(1_500, 0))
            .await
            .unwrap();
        let (tell, told) = mpsc::channel();
        bucket.judge(move |method, key| {
            if method == "PUT" && key.contains("lease") {
                let _ = tell.send(());
                std::thread::sleep(Duration::from_secs(8));
            }
            Fate::Lost
        });
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        let began = Instant::now();
        drop(lease);
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
    });
}

/// Numbers of somebody else do not run over, and nobody is waited for longer than anybody is granted.
#[test]
fn numbers_that_cannot_be_are_damage() {
    block_on(async {
        for (token, ttl) in [
            (u64::MAX, Duration::from_secs(1)),
            (1, Duration::from_secs(3601)),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::local(folder.path().to_owned());
            let mut file = File {
                token,
                ..File::new()
            };
            if token == 1 {
                file.holder = Some(Holder::new("jo", "apply", ttl));
            }
            write(&store, &file, None).await.unwrap();
            let taken = Lease::acquire(&store, "mo", "apply", LONG).await;
            let error = taken.map(drop).unwrap_err();
            assert!(matches!(error, LeaseError::Damaged { .. }), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let file = File {
            beat: u64::MAX,
            holder: Some(Holder::new("jo", "apply", Duration::from_secs(1))),
            ..File::new()
        };
        write(&store, &file, None).await.unwrap();
        assert!(break_lease(&store, "mo", None).await.unwrap().is_some());
    });
}
