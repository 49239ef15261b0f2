//! Our own issuer that changes its key under load, in front of it two Envoys.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bearward_core::base64url;
use bearward_tests::client::Request;
use bearward_tests::deadline::eventually;
use bearward_tests::harness::{Gate, Setup};
use bearward_tests::note::note;
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;

const CLIENTS: usize = 4;
/// A key-encryption key, made for this test.
const FILE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

#[test]
fn a_rotation_of_the_issuers_own_key_under_load_makes_no_401() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-kek").unwrap();
    let file = directory.path().join("key_encryption_key");
    std::fs::write(&file, FILE).unwrap();
    let setup =
        Setup::shipped().without_revocations().edit("refresh_seconds: 300", "refresh_seconds: 10").workers(2);
    let setup = setup
        .issuer("BEARWARD_JWK_SET_MAX_AGE_SECONDS", "5")
        .issuer("BEARWARD_KEY_ENCRYPTION_KEY_FILES", file.to_str().unwrap())
        .issuer("BEARWARD_KEY_ENCRYPTION", "required")
        // Each token is that of a signup, and many are needed until the new key signs.
        .issuer("BEARWARD_SIGNUP_LIMIT", "1000/60");
    let gate = setup.start();
    let second = setup.start_envoy(gate.issuer_address(), gate.upstream_address()).unwrap();
    let first = gate.customer().token;
    for url in [gate.url(), second.url()] {
        eventually("the keys of both workers", || {
            let answers = (0..8).map(|_| Request::get("/api/orders").bearer(&first).send(url).status);
            answers.into_iter().all(|status| status == 200).then_some(())
        });
    }

    let (old, ended) = (kid(&first), AtomicBool::new(false));
    let tokens = Mutex::new(vec![first]);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let url = if client % 2 == 0 { gate.url() } else { second.url() };
                let (tokens, ended) = (&tokens, &ended);
                scope.spawn(move || asked(url, tokens, ended))
            })
            .collect();
        assert!(gate.issuer_says("keys", &["rotate"]).contains(", which signs in 14 s"));
        let stages = stages(&gate);
        assert_eq!(stages.len(), 2, "{stages:?}");
        assert_eq!(stages[0], (old.clone(), "signs".to_owned()));
        assert_eq!(stages[1].1, "published");
        eventually("a token of the new key", || {
            let token = gate.customer().token;
            tokens.lock().unwrap().push(token.clone());
            (kid(&token) == stages[1].0).then_some(())
        });
        // Until the old key's tokens and the new one's have met every worker.
        let count = tokens.lock().unwrap().len();
        eventually("more tokens of the new key", || {
            tokens.lock().unwrap().push(gate.customer().token);
            (tokens.lock().unwrap().len() >= count + 3).then_some(())
        });
        ended.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let kids: BTreeSet<_> = tokens.lock().unwrap().iter().map(|token| kid(token)).collect();
    assert_eq!(kids.len(), 2, "tokens of both keys were made");
    let refused = statuses.iter().filter(|status| **status != 200).count();
    let waited = second.metric("bearward_waits", "issuer=\"bearward\"").unwrap_or(0);
    note(&format!(
        "the issuer's own rotation: {} requests to two Envoys with {} tokens under it, of which {waited} waited in one of them",
        statuses.len(),
        tokens.lock().unwrap().len()
    ));
    assert_eq!(refused, 0, "of {} requests", statuses.len());
    assert_eq!(
        stages(&gate).iter().map(|(_, stage)| stage.as_str()).collect::<Vec<_>>(),
        ["verifies", "signs"]
    );
}

/// The answers to requests with the newest token and the oldest in turn.
fn asked(url: &str, tokens: &Mutex<Vec<String>>, ended: &AtomicBool) -> Vec<u16> {
    let mut statuses = Vec::new();
    while !ended.load(Ordering::SeqCst) {
        let tokens = tokens.lock().unwrap().clone();
        for token in [tokens.last(), tokens.first()].into_iter().flatten() {
            statuses.push(Request::get("/api/orders").bearer(token).send(url).status);
        }
    }
    statuses
}

fn stages(gate: &Gate) -> Vec<(String, String)> {
    let listed: Value = serde_json::from_str(&gate.issuer_says("keys", &["list", "--json"])).unwrap();
    let keys = listed.as_array().unwrap();
    assert!(keys.iter().all(|key| key["encrypted"] == json!(true)), "{listed}");
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    keys.iter().map(|key| (text(key, "kid"), text(key, "stage"))).collect()
}

fn kid(token: &str) -> String {
    let header = base64url::decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
