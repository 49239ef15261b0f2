//! Connections, over real sockets.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Limits, MAX_HEAD_BYTES, MAX_HEADERS, PUBLIC, Stage, internal, serve};
use crate::api;

struct Running {
    address: std::net::SocketAddr,
    stage: watch::Sender<Stage>,
    serving: JoinHandle<()>,
}

async fn running() -> Running {
    running_within(PUBLIC).await
}

async fn running_within(limits: Limits) -> Running {
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        "slow"
    };
    let read = async |request| api::body_object(request).await.map(|_| "read");
    let large = || async { "x".repeat(64 * 1024 * 1024) };
    let routes =
        Router::new().route("/slow", get(slow)).route("/read", post(read)).route("/large", get(large));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stage, told) = watch::channel(Stage::Serving);
    let routes = api::guarded(routes, None);
    let serving = tokio::spawn(serve(listener, move || routes.clone(), limits, told));
    Running { address, stage, serving }
}

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_the_stop_and_no_new_one_begins() {
    let running = running().await;
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.stage.send(Stage::Draining).unwrap();
    let answer = exchange(&mut busy, b"").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("slow"), "{answer}");
    assert_eq!(exchange(&mut idle, b"").await, "");
    running.serving.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too_and_the_client_reads_why() {
    let running = running().await;
    let mut request = b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                        transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        .to_vec();
    for _ in 0..64 {
        request.extend_from_slice(b"4000\r\n");
        request.extend_from_slice(&[b'x'; 0x4000]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = exchange(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.ends_with(r#"{"error":"Request body too large"}"#), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection_to_the_next_one() {
    let running = running_within(Limits { connections: 1, cut: Duration::from_millis(300), ..PUBLIC }).await;
    let mut deaf = TcpStream::connect(running.address).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut next = TcpStream::connect(running.address).await.unwrap();
    let answer = exchange(&mut next, b"GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    drop(deaf);
}

#[tokio::test]
async fn an_old_connection_is_closed_with_an_answer_that_says_so() {
    let running = running_within(Limits { age: Duration::ZERO, ..PUBLIC }).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = exchange(&mut stream, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.contains("connection: close\r\n") && answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_refused_at_its_bound() {
    // Ten thousand may connect where proxies poll, and hold as much as this without a credential.
    for (limits, bytes) in [(PUBLIC, MAX_HEAD_BYTES), (internal(10_000), 16 * 1024)] {
        let running = running_within(limits).await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let mut request = b"GET /slow HTTP/1.1\r\nhost: x\r\nx: ".to_vec();
        request.resize(bytes, b'x');
        let answer = exchange(&mut stream, &request).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_with_more_headers_than_the_bound_is_refused() {
    let running = running().await;
    for (headers, status) in [(MAX_HEADERS, "404"), (MAX_HEADERS + 1, "431")] {
        let mut request = b"GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
        request.extend((2..headers).flat_map(|_| *b"x: y\r\n"));
        request.extend_from_slice(b"\r\n");
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let answer = exchange(&mut stream, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers} headers: {answer}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_and_an_idle_connection_are_ended_at_their_time() {
    let running = running_within(Limits { head: Duration::from_millis(200), ..PUBLIC }).await;
    for begun in
        ["", "GET /none HT", "GET /none HTTP/1.1\r\nhost: x\r\n", "GET /none HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), exchange(&mut stream, begun.as_bytes()));
        let answer = ended.await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}
