use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use bearward_tests::deadline::PATIENCE;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::issuer::KeyIssuer;
use http::HeaderMap;
use tungstenite::client::{ClientRequestBuilder, client};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::server::{Request as Upgrade, Response as Accepted};
use tungstenite::{Error, Message, WebSocket};

/// The shipped configuration, with upgrades allowed.
fn gate(issuer: &KeyIssuer, upstream: SocketAddr) -> Proxy {
    let setup = Setup::shipped().without_revocations().edit(
        "                stat_prefix: public\n",
        "                stat_prefix: public
                upgrade_configs: [{ upgrade_type: websocket }]\n",
    );
    let proxy = setup.start_envoy(issuer.address(), upstream).unwrap_or_else(|log| panic!("{log}"));
    issuer.wait_until_known(proxy.url());
    proxy
}

/// An upstream that says back what it hears. The headers of each upgrade come out at the other end.
fn echo() -> (SocketAddr, Receiver<HeaderMap>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (upgrades, seen) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let upgrades = upgrades.clone();
            thread::spawn(move || {
                #[allow(clippy::result_large_err, reason = "the shape of the callback is tungstenite's")]
                let record = |request: &Upgrade, response: Accepted| {
                    upgrades.send(request.headers().clone()).expect("a test that listens");
                    Ok(response)
                };
                let mut socket = tungstenite::accept_hdr(stream, record).expect("an upgrade");
                while let Ok(message) = socket.read() {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).expect("an open socket");
                    }
                }
            });
        }
    });
    (address, seen)
}

/// Opens a WebSocket at `/api/orders`; an error is the answer that came instead.
fn open(proxy: &Proxy, headers: &[(&str, &str)]) -> Result<WebSocket<TcpStream>, (u16, String)> {
    let address = proxy.url().strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = ClientRequestBuilder::new(format!("ws://{address}/api/orders").parse().unwrap());
    let request = headers.iter().fold(request, |request, (name, value)| request.with_header(*name, *value));
    match client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(answer))) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err((answer.status().as_u16(), String::from_utf8_lossy(body).into_owned()))
        }
        Err(error) => panic!("neither an upgrade nor an answer: {error}"),
    }
}

#[test]
fn with_a_good_token_a_websocket_opens_and_frames_go_both_ways() {
    let issuer = KeyIssuer::start();
    let (upstream, upgrades) = echo();
    let proxy = gate(&issuer, upstream);
    let bearer = format!("Bearer {}", issuer.token("user-1", &["customer"]));
    let forged =
        [("X-User-Id", "forged"), ("x-user-roles", "forged"), ("x-original-url", "/"), ("x-kept", "kept")];
    let mut socket = open(&proxy, &[&[("authorization", bearer.as_str())], &forged[..]].concat()).unwrap();
    for message in [Message::text("one"), Message::binary(vec![0xff; 100_000]), Message::text("three")] {
        socket.send(message.clone()).unwrap();
        assert_eq!(socket.read().unwrap(), message);
    }
    socket.close(None).unwrap();

    let headers = upgrades.recv_timeout(PATIENCE).unwrap();
    let values = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(values("x-user-id"), ["user-1"]);
    assert_eq!(values("x-user-roles"), ["customer"]);
    assert_eq!(values("x-user-issuer"), ["bearward"]);
    assert_eq!(values("x-original-url"), [""; 0]);
    assert_eq!(values("x-kept"), ["kept"]);
    assert_eq!(values("upgrade"), ["websocket"]);
}

#[test]
fn without_a_good_token_it_is_refused_before_the_upstream_hears_of_it() {
    let issuer = KeyIssuer::start();
    let (upstream, upgrades) = echo();
    let proxy = gate(&issuer, upstream);
    for (headers, reason) in [
        (&[][..], "token_missing"),
        (&[("authorization", "Bearer this.is.fake")], "token_malformed"),
        (&[("x-user-id", "forged")], "token_missing"),
    ] {
        let (status, body) = open(&proxy, headers).expect_err("a refusal");
        assert_eq!(status, 401, "{headers:?}");
        assert!(body.contains(reason), "{headers:?}: {body}");
    }
    let heard = upgrades.try_recv().is_ok() || proxy.stat("cluster.upstream.upstream_cx_total") > 0;
    assert!(!heard, "the upstream heard of it");
}
