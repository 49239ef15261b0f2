//! Bodies are not the filter's affair: they stream through it, in both directions at once.

mod exchange;
mod framing;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bearward_tests::client::Request;
use bearward_tests::client::http2::Http2;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::issuer::KeyIssuer;

use self::exchange::{Exchange, Http1};

/// What is sent before it is looked whether it has come back: less than any window or buffer on the way.
const PIECE: usize = 10_000;
/// One that goes with a stream's first window, and one that is larger than all buffers together: the configuration
/// allows each connection 32 KiB.
const SIZES: [usize; 2] = [100_000, 1_000_000];

/// A gate that has its keys before an echo, and how many requests that has heard.
fn gate(issuer: &KeyIssuer) -> (Proxy, Arc<AtomicUsize>) {
    let (upstream, heard) = echo();
    let proxy = Setup::shipped()
        .without_revocations()
        .start_envoy(issuer.address(), upstream)
        .unwrap_or_else(|log| panic!("{log}"));
    issuer.wait_until_known(proxy.url());
    (proxy, heard)
}

/// An upstream that says each byte back as soon as it has it, framed as the request is.
fn echo() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || exchange::echo(&stream, &count));
        }
    });
    (address, heard)
}

/// Bytes in which nothing repeats where a buffer ends.
fn body(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ (at / 65_521) as u8).collect()
}

fn order(token: Option<&str>, length: Option<usize>) -> Request {
    let request = Request::new("POST", "/api/orders");
    let request = token.iter().fold(request, |request, token| request.bearer(token));
    length.iter().fold(request, |request, length| request.header("content-length", length.to_string()))
}

/// Every piece must have come back before the next one is sent: whoever waited for the end of the request, or for the
/// end of the answer, would wait for ever.
fn comes_back_piece_by_piece(exchange: &mut dyn Exchange, body: &[u8], what: &str) {
    let last = body.chunks(PIECE).count() - 1;
    for (n, piece) in body.chunks(PIECE).enumerate() {
        exchange.send(piece, n == last);
        if n == 0 {
            assert_eq!(exchange.status(), 200, "{what}");
        }
        // Compared without being printed: nobody reads a megabyte.
        assert!(exchange.receive(piece.len()) == piece, "{what}: piece {n} is another one");
    }
    assert!(exchange.receive(1).is_empty(), "{what}: nothing comes after it");
}

#[test]
fn bodies_stream_through_untouched_in_both_directions_at_once() {
    let issuer = KeyIssuer::start();
    let (proxy, heard) = gate(&issuer);
    let token = issuer.token("user-1", &["customer"]);
    let mut requests = 0;
    for size in SIZES {
        let body = body(size);
        for length in [Some(size), None] {
            let request = order(Some(&token), length);
            let mut exchange = Http1::open(proxy.url(), &token, length);
            comes_back_piece_by_piece(
                &mut exchange,
                &body,
                &format!("{size} bytes in HTTP/1.1, length {length:?}"),
            );
            let connection = Http2::connect(proxy.url());
            let mut exchange = connection.open(&request);
            comes_back_piece_by_piece(
                &mut exchange,
                &body,
                &format!("{size} bytes in HTTP/2, length {length:?}"),
            );
            requests += 2;
        }
    }
    assert_eq!(heard.load(Ordering::SeqCst), requests);
}

#[test]
fn a_refused_request_with_a_body_is_answered_without_the_upstream_hearing_of_it() {
    let issuer = KeyIssuer::start();
    let (proxy, heard) = gate(&issuer);
    let connection = Http2::connect(proxy.url());
    for size in SIZES {
        for request in [order(None, None), order(Some("this.is.fake"), None)] {
            let whole = request.body(body(size));
            let answer = whole.clone().exactly().send(proxy.url());
            assert_eq!(answer.status, 401, "{size} bytes in HTTP/1.1");
            assert!(answer.code().is_some(), "the answer is whole: {}", answer.text());
            let answer = connection.send(&whole).unwrap();
            assert_eq!(answer.status, 401, "{size} bytes in HTTP/2");
            assert!(answer.code().is_some(), "the answer is whole: {}", answer.text());
        }
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

/// Nobody has to send a body to be told that it is not wanted.
#[test]
fn a_refusal_does_not_wait_for_the_body() {
    let issuer = KeyIssuer::start();
    let (proxy, heard) = gate(&issuer);
    for length in [Some(SIZES[1]), None] {
        assert_eq!(Http1::open(proxy.url(), "this.is.fake", length).status(), 401);
        let connection = Http2::connect(proxy.url());
        assert_eq!(connection.open(&order(None, length)).status(), 401);
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}
