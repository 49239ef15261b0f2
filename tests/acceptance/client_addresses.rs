use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bearward_tests::client::Request;
use bearward_tests::harness::{Gate, Setup};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 * 1024;

/// The answer to a POST that comes from this address, as status and document.
fn post(gate: &Gate, from: &str, forwarded: &str, path: &str, document: &Value) -> (u16, Value) {
    let address: SocketAddr = gate.url().trim_start_matches("http://").parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse::<IpAddr>().unwrap(), 0)).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let body = document.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nx-forwarded-for: {forwarded}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (&stream).write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Two clients: one that only Envoy can know of, since it comes from where nobody is trusted, and one that comes from
/// where Envoy comes from, too.
const CLIENTS: [&str; 2] = ["127.0.0.2", "127.0.0.1"];

// Linux has all of 127.0.0.0/8 on its loopback interface; others have one address there.
#[cfg(target_os = "linux")]
#[test]
fn the_issuer_behind_envoy_knows_its_clients_by_addresses_that_they_do_not_choose() {
    let gate = Setup::shipped().issuer("BEARWARD_LOGIN_LIMIT", "2/900").start();
    for client in CLIENTS {
        let email = format!("at-{client}@example.com");
        let signup = json!({ "name": "Priya", "email": email, "password": "mypassword123" });
        let (status, session) = post(&gate, client, "6.6.6.6, 7.7.7.7", "/api/auth/signup", &signup);
        assert_eq!(status, 201, "{session}");
        let token = session["token"].as_str().unwrap();
        let sessions = Request::get("/api/auth/sessions").bearer(token).send(gate.url()).json();
        assert_eq!(sessions["sessions"][0]["address"], client, "{sessions}");
        let statuses: Vec<u16> = (1..=4)
            .map(|attempt| {
                let guess = json!({ "email": email, "password": format!("mypassword12{attempt}x") });
                let forwarded = format!("6.6.6.{attempt}");
                post(&gate, client, &forwarded, "/api/auth/login", &guess).0
            })
            .collect();
        assert_eq!(statuses, [401, 401, 429, 429], "{client}");
        let right = json!({ "email": email, "password": "mypassword123" });
        assert_eq!(post(&gate, "127.0.0.9", "", "/api/auth/login", &right).0, 200);
    }
}
