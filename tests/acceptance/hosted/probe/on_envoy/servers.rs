//! What the clusters of the probes lead to. They end with the process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Answers every request with the same few bytes.
pub(super) fn answering() -> SocketAddr {
    serve(|mut stream| {
        let mut bytes = [0; 4096];
        // One read is one request: those of the probe are small.
        while stream.read(&mut bytes).is_ok_and(|size| size > 0) {
            let answer = b"HTTP/1.1 200 OK\r\nx-answer: 1\r\ncontent-length: 6\r\n\r\nanswer";
            if stream.write_all(answer).is_err() {
                break;
            }
        }
    })
}

/// Ends every connection inside of a response.
pub(super) fn breaking() -> SocketAddr {
    serve(|mut stream| {
        let mut bytes = [0; 4096];
        let _ = stream.read(&mut bytes);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nan");
    })
}

/// Reads and says nothing.
pub(super) fn silent() -> SocketAddr {
    serve(|mut stream| {
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).is_ok_and(|size| size > 0) {}
    })
}

/// Nobody listens there: a port of the privileged range, so that no test beside this one is given it.
pub(super) fn refusing() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

fn serve(behaviour: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("the address of a listener");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || behaviour(stream));
        }
    });
    address
}
