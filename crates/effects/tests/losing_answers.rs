//! A line to a server that loses answers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Forwards connections; the next answer to a `PUT` is lost where that was asked for.
pub(crate) struct LosingAnswers {
    port: u16,
    next: Arc<AtomicBool>,
    lost: Arc<AtomicUsize>,
}

impl LosingAnswers {
    /// In front of a server on loopback.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            port: listener.local_addr().unwrap().port(),
            next: Arc::default(),
            lost: Arc::default(),
        };
        let (next, lost) = (Arc::clone(&this.next), Arc::clone(&this.lost));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (next, lost) = (Arc::clone(&next), Arc::clone(&lost));
                thread::spawn(move || forward(client, server, &next, &lost));
            }
        });
        this
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn lose_next(&self) {
        self.next.store(true, Ordering::SeqCst);
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

fn forward(mut client: TcpStream, mut server: TcpStream, next: &AtomicBool, lost: &AtomicUsize) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let put = Arc::new(AtomicBool::new(false));
    let is_put = Arc::clone(&put);
    let up = thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if buffer.starts_with(b"PUT ") {
                is_put.store(true, Ordering::SeqCst);
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
    });
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if put.load(Ordering::SeqCst) && next.swap(false, Ordering::SeqCst) {
            lost.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if client.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Both ends are told: the client of a lost answer sees its connection end.
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = up.join();
}
