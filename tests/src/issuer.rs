//! An issuer that is a key and its JWK Set: it needs no database, signs what a test likes, and falls silent and rotates its key on demand.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;
use xtask::stack::{AUDIENCE, ISSUER};

use crate::client::Request;
use crate::deadline::eventually;
use crate::token::{Key, now, public_key, sign};

/// The seed of the key.
const SEED: [u8; 32] = [7; 32];
/// The name of the key.
const KID: &str = "of-the-test";
/// How long its tokens live, in seconds.
const LIFE: u64 = 600;

/// Serves its JWK Set at every path. It ends with the process.
#[derive(Debug)]
pub struct KeyIssuer {
    address: SocketAddr,
    silent: Arc<AtomicBool>,
    kids: Arc<Mutex<Vec<String>>>,
}

impl KeyIssuer {
    /// Listens on a free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let silent = Arc::new(AtomicBool::new(false));
        let is_silent = Arc::clone(&silent);
        let kids = Arc::new(Mutex::new(vec![KID.to_owned()]));
        let published = Arc::clone(&kids);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !is_silent.load(Ordering::SeqCst) {
                    let kids = published.lock().expect("the names of keys").clone();
                    thread::spawn(move || serve(stream, &kids));
                }
            }
        });
        Self { address, silent, kids }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it closes every connection without an answer. The port stays its own: nobody else answers there.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// It answers again.
    pub fn speak(&self) {
        self.silent.store(false, Ordering::SeqCst);
    }

    /// From now on its set has keys with these names.
    pub fn publish(&self, kids: &[&str]) {
        *self.kids.lock().expect("the names of keys") = kids.iter().map(|kid| (*kid).to_owned()).collect();
    }

    /// A good access token for this subject.
    #[must_use]
    pub fn token(&self, subject: &str, roles: &[&str]) -> String {
        self.token_of(KID, subject, roles)
    }

    /// One of the key with this name.
    #[must_use]
    pub fn token_of(&self, kid: &str, subject: &str, roles: &[&str]) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
        let claims = json!({
            "iss": ISSUER, "aud": [AUDIENCE], "sub": subject, "roles": roles, "iat": now(), "exp": now() + LIFE,
        });
        sign(&header, &claims, &Key::Ed25519(SEED))
    }

    /// Waits until the Envoy at this URL has the key: a token of one that nobody has gets 503 before, and 401 after.
    pub fn wait_until_known(&self, url: &str) {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "nobody-has-this-key" });
        let claims = json!({ "iss": ISSUER });
        let token = sign(&header, &claims, &Key::Ed25519(SEED));
        eventually("the first fetch of keys", || {
            let answer = Request::get("/api/orders").bearer(&token).send(url);
            (answer.status == 401).then_some(())
        });
    }
}

fn serve(mut stream: TcpStream, kids: &[String]) {
    let Ok(requests) = stream.try_clone() else { return };
    // The end of the request's head is all that matters of it.
    if !BufReader::new(requests).lines().map_while(Result::ok).any(|line| line.is_empty()) {
        return;
    }
    let key = |kid: &String| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": public_key(&SEED) });
    let body = json!({ "keys": kids.iter().map(key).collect::<Vec<_>>() }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    // A proxy that has gone needs no answer.
    let _ = stream.write_all((head + &body).as_bytes());
}
