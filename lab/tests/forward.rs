use std::io::{Read, Write};
use std::net::TcpStream;

use crate::{kea, lab, until};

#[test]
fn a_client_in_this_process_reaches_a_server_in_the_lab() {
    let lab = lab();
    let kea = kea(&lab, None);
    let (address, port) = kea.address();
    let forward = lab.forward(address, port).unwrap();
    let ask = || {
        let mut stream = TcpStream::connect(forward.address()).unwrap();
        let body = r#"{"command":"version-get","service":["dhcp4"]}"#;
        let head = "POST / HTTP/1.1\r\nHost: kea\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for _ in 0..3 {
        let answer = ask();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("\"result\": 0"),
            "{answer}"
        );
    }
    let gone = forward.address();
    drop(forward);
    // A program that another test is just starting may hold the port for the moment between fork and exec.
    assert!(
        until(|| TcpStream::connect(gone).is_err()),
        "{gone} still leads into the lab"
    );
}
