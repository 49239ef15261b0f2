//! A deny list from a file, through a real Envoy: tokens of an issuer that knows nothing of Bearward.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bearward_tests::client::{Request, Response};
use bearward_tests::deadline::eventually;
use bearward_tests::file_server::FileServer;
use bearward_tests::harness::{Proxy, Setup};
use bearward_tests::note::note;
use bearward_tests::recorder::Recorder;
use bearward_tests::token::{Key, now, public_key, sign, sign_text};
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;

const ISS: &str = "https://login.example.com/realms/staff";
const TOKEN_KEY: [u8; 32] = [31; 32];
const LIST_KEY: [u8; 32] = [32; 32];
const CREDENTIAL: &str = "b6Wn3Xr8Kt1Mz5Vq9Hc2Jd7Lp4Sf0Gy6";
/// `refresh_seconds` and `stale_after_seconds`.
const REFRESH: Duration = Duration::from_secs(1);
const STALE_AFTER_SECONDS: u64 = 8;
/// From what the server hands out to the first refusal: a fetch, a tick, and a machine that does something else besides.
const PROMISED: Duration = Duration::from_millis(1_000 + 250 + 750);
/// After so many answers in a row, each on a connection of its own, no worker is left that says something else.
const IN_A_ROW: usize = 16;
/// For how long they go on: a worker that is idle looks every quarter of a second, and a row of answers may be that of the other alone.
const ROW_LASTS: Duration = Duration::from_millis(600);

struct World {
    directory: TemporaryDirectory,
    server: FileServer,
    gate: Proxy,
    is_signed: bool,
}

impl World {
    /// An Envoy of two workers; the first list is there.
    fn start(is_signed: bool, deny: &Value) -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let server = FileServer::start(directory.path().join("deny"));
        publish(&directory.path().join("deny"), is_signed, now(), deny);
        let address = server.address();
        let cluster = format!(
            "  clusters:\n    - name: files\n      type: STATIC\n      connect_timeout: 1s\n      load_assignment: {{ cluster_name: \
             files, endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {{ socket_address: {{ address: {}, port_value: {} }} }} }} \
             }}] }}] }}\n",
            address.ip(),
            address.port()
        );
        let upstream = Recorder::start().address();
        let gate = Setup::shipped()
            .workers(2)
            .policy(&policy(is_signed))
            .edit("  clusters:\n", &cluster)
            .secret("LIST_CREDENTIAL", CREDENTIAL)
            .start_envoy(upstream, upstream)
            .unwrap_or_else(|log| panic!("{log}"));
        let world = Self { directory, server, gate, is_signed };
        // Envoy took its time to start, and the list has grown old.
        world.publish(deny);
        world
    }

    fn publish(&self, deny: &Value) {
        self.publish_as_of(now(), deny);
    }

    fn publish_as_of(&self, iat: u64, deny: &Value) {
        publish(&self.directory.path().join("deny"), self.is_signed, iat, deny);
    }

    fn ask(&self, token: &str) -> Response {
        Request::get("/api/orders").bearer(token).send(self.gate.url())
    }

    fn verdict(&self, token: &str) -> (u16, String) {
        let answer = self.ask(token);
        let code = if answer.status == 200 { String::new() } else { answer.code().unwrap_or_default() };
        (answer.status, code)
    }

    /// Waits until every worker says this of the token: since when the first one of a row did.
    fn felt(&self, token: &str, expected: (u16, &str)) -> Duration {
        let begin = Instant::now();
        let (mut first, mut in_a_row) = (begin, 0);
        while in_a_row < IN_A_ROW || first.elapsed() < ROW_LASTS {
            let asked = Instant::now();
            let verdict = self.verdict(token);
            if verdict == (expected.0, expected.1.to_owned()) {
                if in_a_row == 0 {
                    first = asked;
                }
                in_a_row += 1;
            } else {
                in_a_row = 0;
            }
            assert!(begin.elapsed() < PROMISED * 8, "{verdict:?} instead of {expected:?}");
        }
        first - begin
    }
}

fn publish(file: &PathBuf, is_signed: bool, iat: u64, deny: &Value) {
    let text = json!({ "iss": ISS, "iat": iat, "deny": deny }).to_string();
    let header = json!({ "alg": "EdDSA", "typ": "deny-list+jwt", "kid": "l1" }).to_string();
    let text = if is_signed { sign_text(&header, &text, &Key::Ed25519(LIST_KEY)) } else { text };
    let new = file.with_extension("new");
    fs::write(&new, text + "\n").and_then(|()| fs::rename(&new, file)).unwrap();
}

fn policy(is_signed: bool) -> Value {
    let key = |kid: &str, seed| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": public_key(seed) });
    let mut list = json!({
        "cluster": "files", "uri": "http://files.example.com/deny", "credential_env": "LIST_CREDENTIAL",
        "refresh_seconds": REFRESH.as_secs(), "stale_after_seconds": STALE_AFTER_SECONDS, "when_stale": "reject",
    });
    if is_signed {
        list["keys"] = json!({ "jwks": { "keys": [key("l1", &LIST_KEY)] } });
    }
    json!({
        "version": 1,
        "issuers": { "staff": {
            "iss": ISS, "audiences": ["orders"], "algorithms": ["EdDSA"], "token_types": ["at+jwt"],
            "keys": { "jwks": { "keys": [key("t1", &TOKEN_KEY)] } }, "deny_list": list,
        } },
        "policies": [{
            "name": "api", "hosts": ["*"], "prefix": "/api", "issuers": ["staff"],
            "rules": [
                { "name": "menu", "paths": ["/api/menu"], "access": "public" },
                { "name": "orders", "paths": ["/api/orders"] },
            ],
        }],
    })
}

/// As a foreign issuer signs them, with a name each.
fn token(jti: &str, sid: &str, sub: &str) -> String {
    let claims = json!({
        "iss": ISS, "aud": "orders", "sub": sub, "iat": now() - 1, "exp": now() + 600, "jti": jti, "sid": sid,
    });
    sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "t1" }), &claims, &Key::Ed25519(TOKEN_KEY))
}

fn what_is_written_into_the_file_is_felt(is_signed: bool) {
    let world = World::start(is_signed, &json!([]));
    let kind = if is_signed { "signed" } else { "plain" };
    let (ended, other) = (token("j1", "s1", "u1"), token("j2", "s2", "u2"));
    world.felt(&ended, (200, ""));
    assert!(
        world.server.last_head().iter().any(|line| *line == format!("authorization: Bearer {CREDENTIAL}"))
    );
    for entry in
        [json!({ "jti": "j1" }), json!({ "sid": "s1" }), json!({ "sub": "u1", "issued_before": now() + 60 })]
    {
        world.publish(&json!([entry]));
        let took = world.felt(&ended, (401, "token_revoked"));
        note(&format!("deny list, {kind}: {entry} felt after {} ms", took.as_millis()));
        assert!(took <= PROMISED, "{kind}: {entry} felt after {took:?}");
        assert_eq!(world.verdict(&other), (200, String::new()));
        let challenge = world.ask(&ended).header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("invalid_token"), "{challenge}");
        world.publish(&json!([]));
        world.felt(&ended, (200, ""));
    }
    let (asked, begin) = (world.server.answered(), Instant::now());
    world.publish(&json!([]));
    eventually("some fetches", || (world.server.answered() >= asked + 3).then_some(()));
    assert!(begin.elapsed() >= REFRESH * 2, "two workers fetch more often than one");

    // The server goes away: the list grows old.
    world.publish(&json!([{ "sid": "s1" }]));
    world.felt(&ended, (401, "token_revoked"));
    world.server.go_away();
    assert_eq!(world.verdict(&other).0, 200, "not yet");
    let begin = Instant::now();
    let stale = |token: &str| eventually("a stale list", || (world.verdict(token).0 == 503).then_some(()));
    stale(&other);
    let after = begin.elapsed();
    assert!(after <= Duration::from_secs(STALE_AFTER_SECONDS + 2), "{after:?}");
    for token in [&ended, &other] {
        assert_eq!(world.verdict(token), (503, "revocations_stale".to_owned()));
    }
    assert_eq!(Request::get("/api/menu").send(world.gate.url()).status, 200);
    // It is back, and what it has is as old as before.
    world.server.come_back();
    let asked = world.server.answered();
    eventually("a fetch", || (world.server.answered() > asked + 1).then_some(()));
    assert_eq!(world.verdict(&other).0, 503);
    world.publish(&json!([{ "sid": "s1" }]));
    let took = world.felt(&other, (200, ""));
    note(&format!("deny list, {kind}: passes again {} ms after a new list", took.as_millis()));
    assert_eq!(world.verdict(&ended), (401, "token_revoked".to_owned()));
    let metric = |name: &str| world.gate.metric(name, "issuer=\"staff\"");
    assert_eq!(metric("bearward_deny_list_entries"), Some(1));
    assert!(metric("bearward_deny_list_failures").is_some_and(|count| count > 0));
}

#[test]
fn what_a_plain_list_denies_is_refused_at_every_worker_and_nobody_else_is_hurt() {
    what_is_written_into_the_file_is_felt(false);
}

#[test]
fn what_a_signed_list_denies_is_refused_at_every_worker_and_nobody_else_is_hurt() {
    what_is_written_into_the_file_is_felt(true);
}

#[test]
fn the_longest_list_arrives_and_what_is_none_changes_nothing() {
    let entry = |index: u32| json!({ "jti": format!("018f3b7c-aa00-7c3e-9d2b-{index:012}") });
    let mut long: Vec<Value> = (0..5_500).map(entry).collect();
    long.push(json!({ "jti": "j1" }));
    let world = World::start(false, &json!(long));
    let (ended, other) = (token("j1", "s1", "u1"), token("j2", "s2", "u2"));
    world.felt(&ended, (401, "token_revoked"));
    world.felt(&other, (200, ""));
    let file = world.directory.path().join("deny");
    assert!(fs::metadata(&file).unwrap().len() > 250_000);
    let refused = |kind: &str| {
        world
            .gate
            .metric("bearward_deny_list_refusals", &format!("issuer=\"staff\",reason=\"{kind}\""))
            .is_some_and(|count| count > 0)
            .then_some(())
    };
    fs::write(&file, json!({ "iss": ISS, "iat": now(), "deny": [{ "jti": "j2", "note": "x" }] }).to_string())
        .unwrap();
    eventually("a refusal of its shape", || refused("shape"));
    world.publish_as_of(now() - 60, &json!([]));
    eventually("a refusal of what is older", || refused("back"));
    assert_ne!(world.verdict(&ended).0, 200);
    let log = world.gate.log();
    assert!(log.contains("issuer `staff`, deny list: the list has a member that is missing"), "{log}");
    world.publish(&json!([]));
    world.felt(&ended, (200, ""));
}
