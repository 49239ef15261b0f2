//! An issuer that changes its key under load.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::client::http2::{Http2, Stream};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::Setup;
use bearward_tests::issuer::KeyIssuer;
use bearward_tests::note::note;
use bearward_tests::recorder::Recorder;

/// Much shorter than any that a real issuer has.
const ROTATION: Duration = Duration::from_millis(1_200);
const ROTATIONS: usize = 4;
const CLIENTS: usize = 6;

#[test]
fn a_rotation_under_load_makes_no_401_although_each_key_is_used_as_soon_as_it_is_published() {
    let issuer = KeyIssuer::start();
    issuer.publish(&["key-0"]);
    let upstream = Recorder::start().address();
    let gate =
        Setup::shipped().without_revocations().workers(2).start_envoy(issuer.address(), upstream).unwrap();
    let first = issuer.token_of("key-0", "user-1", &[]);
    eventually("the keys of both workers", || {
        let answers = (0..8).map(|_| Request::get("/api/orders").bearer(&first).send(gate.url()).status);
        answers.into_iter().all(|status| status == 200).then_some(())
    });

    let (current, ended) = (Mutex::new("key-0".to_owned()), AtomicBool::new(false));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (current, ended, issuer, gate) = (&current, &ended, &issuer, &gate);
                scope.spawn(move || {
                    let mut statuses = Vec::new();
                    while !ended.load(Ordering::SeqCst) {
                        let kid = current.lock().unwrap().clone();
                        let token = issuer.token_of(&kid, &format!("user-{client}"), &[]);
                        statuses.push(Request::get("/api/orders").bearer(&token).send(gate.url()).status);
                    }
                    statuses
                })
            })
            .collect();
        for rotation in 1..=ROTATIONS {
            let (old, new) = (format!("key-{}", rotation - 1), format!("key-{rotation}"));
            let begun = Instant::now();
            issuer.publish(&[&old, &new]);
            *current.lock().unwrap() = new.clone();
            thread::sleep(ROTATION.saturating_sub(begun.elapsed()));
        }
        ended.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let refused = statuses.iter().filter(|status| **status != 200).count();
    let waited = gate.metric("bearward_waits", "issuer=\"bearward\"").unwrap_or(0);
    note(&format!(
        "rotations: {ROTATIONS}, requests under them: {}, of which {waited} waited for a key",
        statuses.len()
    ));
    assert_eq!(refused, 0, "of {} requests", statuses.len());
    assert!(waited > 0, "the keys were new to the filter");
}

/// As many as wait in one VM for one issuer, over connections that take so many streams.
const CROWD: usize = 256;
const STREAMS: usize = 86;

/// Envoy ends their streams one within the other: all at once, they would be more than the stack of a VM holds.
#[test]
fn a_crowd_that_waited_is_answered_and_the_filter_stays_up() {
    let issuer = KeyIssuer::start();
    let upstream = Recorder::start().address();
    // An answer that is there as soon as a request goes on, as where no host of an upstream is healthy.
    let setup = Setup::shipped()
        .without_revocations()
        .edit("route: { cluster: upstream }", "direct_response: { status: 418 }");
    let gate = setup.start_envoy(issuer.address(), upstream).unwrap();
    issuer.wait_until_known(gate.url());
    let connections: Vec<_> = (0..CROWD.div_ceil(STREAMS)).map(|_| Http2::connect(gate.url())).collect();
    let token = issuer.token_of("new", "user-1", &[]);
    // Just asked, so that all of them wait until it may be asked again.
    issuer.wait_until_known(gate.url());
    issuer.publish(&["new"]);
    // Their bodies are still to come: Envoy resets such a stream behind its answer.
    let upload = Request::new("POST", "/api/orders").bearer(&token);
    let mut streams: Vec<_> = (0..CROWD).map(|number| connections[number / STREAMS].open(&upload)).collect();
    let statuses: Vec<_> = streams.iter_mut().map(Stream::status).collect();
    assert!(gate.metric("bearward_waits", "issuer=\"bearward\"") > Some(200), "they waited");
    let log = gate.log();
    assert_eq!(log.lines().find(|line| line.contains("proxy_on")), None);
    assert_eq!(statuses, vec![418; CROWD]);
    assert_eq!(Request::get("/api/orders").bearer(&token).send(gate.url()).status, 418);
}
