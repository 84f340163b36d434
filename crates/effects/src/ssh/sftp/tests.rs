//! Servers that no real one is.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{Sftp, SftpError};

const PATIENCE: Duration = Duration::from_millis(200);

/// A server that says `hello`, and what it is connected by.
async fn connect(hello: &[u8]) -> (Result<Sftp, SftpError>, DuplexStream) {
    let (client, mut server) = tokio::io::duplex(1 << 16);
    let (reader, writer) = tokio::io::split(client);
    server.write_all(hello).await.unwrap();
    (Sftp::start(writer, reader, PATIENCE).await, server)
}

const HELLO: &[u8] = &[0, 0, 0, 5, 2, 0, 0, 0, 3];

/// The number of the next request.
async fn request(server: &mut DuplexStream) -> u32 {
    let length = server.read_u32().await.unwrap();
    let mut packet = vec![0; length as usize];
    server.read_exact(&mut packet).await.unwrap();
    u32::from_be_bytes([packet[1], packet[2], packet[3], packet[4]])
}

async fn answer(server: &mut DuplexStream, kind: u8, id: u32, rest: &[u8]) {
    server.write_u32(5 + rest.len() as u32).await.unwrap();
    server.write_u8(kind).await.unwrap();
    server.write_u32(id).await.unwrap();
    server.write_all(rest).await.unwrap();
}

/// The client's hello.
async fn heard_hello(server: &mut DuplexStream) {
    let mut hello = [0; 9];
    server.read_exact(&mut hello).await.unwrap();
    assert_eq!(hello, [0, 0, 0, 5, 1, 0, 0, 0, 3]);
}

#[tokio::test]
async fn what_is_no_sftp_is_told() {
    for (hello, wanted) in [
        (
            &b"Welcome to this machine"[..],
            "does the login print something?",
        ),
        (
            &[0, 0, 0, 5, 2, 0, 0, 0, 2],
            "does not speak SFTP version 3",
        ),
        (
            &[0, 0, 0, 5, 101, 0, 0, 0, 3],
            "does not speak SFTP version 3",
        ),
        (&[0, 0, 0, 0], "a packet ends before its content"),
        (
            &[0, 0, 0, 9, 2, 0, 0, 0, 3, 0, 0, 0, 9],
            "a packet ends before its content",
        ),
    ] {
        let (sftp, _server) = connect(hello).await;
        let error = sftp.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let (client, server) = tokio::io::duplex(64);
    drop(server);
    let (reader, writer) = tokio::io::split(client);
    let error = Sftp::start(writer, reader, PATIENCE).await.unwrap_err();
    assert_eq!(error, SftpError::Lost);
}

#[tokio::test]
async fn answers_find_their_requests_in_any_order() {
    let (sftp, mut server) = connect(HELLO).await;
    let sftp = sftp.unwrap();
    heard_hello(&mut server).await;
    let (one, two) = (sftp.realpath("a"), sftp.remove("b"));
    let (first, second) = (request(&mut server).await, request(&mut server).await);
    answer(&mut server, 101, 77, &[0, 0, 0, 0]).await;
    answer(
        &mut server,
        101,
        second,
        &[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
    )
    .await;
    answer(
        &mut server,
        104,
        first,
        &[0, 0, 0, 1, 0, 0, 0, 2, b'/', b'a', 0, 0, 0, 0, 0, 0, 0, 0],
    )
    .await;
    assert_eq!(two.await, Err(SftpError::Denied));
    assert_eq!(one.await.as_deref(), Ok("/a"));
    // An old server gives a failure no text.
    let removed = sftp.remove("c");
    let id = request(&mut server).await;
    answer(&mut server, 101, id, &[0, 0, 0, 4]).await;
    assert_eq!(removed.await, Err(SftpError::Failure("code 4".into())));
    // What was not asked.
    let removed = sftp.remove("c");
    let id = request(&mut server).await;
    answer(&mut server, 103, id, &[0, 0, 0, 0]).await;
    assert!(matches!(removed.await, Err(SftpError::Protocol(_))));
    // What the server did not say that it knows is not sent.
    assert_eq!(sftp.link("a", "b").await, Err(SftpError::Unsupported));
    assert!(!sftp.can_replace());
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_one_at_work_is_not() {
    let (sftp, mut server) = connect(HELLO).await;
    let sftp = sftp.unwrap();
    heard_hello(&mut server).await;
    let (slow, others) = (sftp.remove("slow"), [(); 4].map(|()| sftp.remove("other")));
    let id = request(&mut server).await;
    let work = async {
        for _ in 0..4 {
            tokio::time::sleep(PATIENCE / 2).await;
            let id = request(&mut server).await;
            answer(&mut server, 101, id, &[0, 0, 0, 0]).await;
        }
        answer(&mut server, 101, id, &[0, 0, 0, 0]).await;
    };
    let (slow, ()) = tokio::join!(slow, work);
    assert_eq!(slow, Ok(()));
    for other in others {
        assert_eq!(other.await, Ok(()));
    }
    let (one, two) = (sftp.remove("a"), sftp.remove("b"));
    assert_eq!(one.await, Err(SftpError::Silent));
    assert_eq!(two.await, Err(SftpError::Silent));
    assert_eq!(sftp.remove("c").await, Err(SftpError::Silent), "it is over");
}

#[tokio::test]
async fn everyone_who_waits_learns_that_the_connection_ended() {
    let (sftp, server) = connect(HELLO).await;
    let sftp = sftp.unwrap();
    let (one, two) = (sftp.remove("a"), sftp.stat("b"));
    drop(server);
    assert_eq!(one.await, Err(SftpError::Lost));
    assert_eq!(two.await, Err(SftpError::Lost));
    assert_eq!(sftp.remove("c").await, Err(SftpError::Lost));
}
