//! Fetching a deny list, from a server that does what it is told and with a clock that obeys.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, CallRequest, Plugin, PluginId, Request, Response, Thread, World};
use bearward_tests::note::note;
use bearward_tests::token::{self, Key};
use serde_json::{Value, json};

use crate::hosted::gate::{NOW, order, plugin, plugin_of, policy, token as signed, trap_module, world};

const ISS: &str = "http://issuer.example.com";
const LIST_SEED: [u8; 32] = [21; 32];
const CREDENTIAL: &str = "h3Kq8Zt5Vb1Xn6Wm9Rc2Ld7Yp4Gs0Jf";
/// `refresh_seconds` of these tests, in milliseconds.
const REFRESH_MS: u64 = 5_000;
/// How long after a fetch all workers have what it brought: a tick of each.
const FELT_MS: u64 = 300;

/// The server of the file.
struct Server {
    /// What it answers.
    answer: Answer,
    calls: Vec<CallRequest>,
}

type Shared = Rc<RefCell<Server>>;

impl Server {
    fn new(body: impl Into<Vec<u8>>) -> Shared {
        Rc::new(RefCell::new(Self { answer: serving(body), calls: Vec::new() }))
    }
}

fn serving(body: impl Into<Vec<u8>>) -> Answer {
    Answer::now(Response::new(200, body.into()))
}

/// A list as of so many seconds after the beginning.
fn list(after: u64, deny: &Value) -> String {
    json!({ "iss": ISS, "iat": NOW + after, "deny": deny }).to_string()
}

fn signed_list(seed: [u8; 32], typ: &str, text: &str) -> String {
    let header = json!({ "alg": "EdDSA", "typ": typ, "kid": "l1" }).to_string();
    token::sign_text(&header, text, &Key::Ed25519(seed))
}

fn listing(changes: &Value) -> Value {
    let mut policy = policy();
    let mut list = json!({
        "cluster": "files", "uri": "https://files.example.com/deny.json?team=a", "stale_after_seconds": 60,
        "when_stale": "reject",
    });
    list.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    policy["issuers"]["bearward"]["deny_list"] = list;
    policy
}

fn keys() -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "l1", "x": token::public_key(&LIST_SEED) });
    json!({ "keys": { "jwks": { "keys": [key] } } })
}

fn started(workers: usize, plugin: Plugin, server: &Shared) -> World {
    let answering = Rc::clone(server);
    world()
        .plugin(plugin)
        .workers(workers)
        .traps_expected()
        .cluster("files", move |call| {
            let mut server = answering.borrow_mut();
            server.calls.push(call.clone());
            server.answer.clone()
        })
        .start()
        .unwrap()
}

fn advance(world: &mut World, milliseconds: u64) {
    world.advance(Duration::from_millis(milliseconds));
}

fn reason(world: &mut World, request: Request) -> String {
    let outcome = world.request(request);
    if outcome.reached_the_upstream() {
        return "forwarded".to_owned();
    }
    outcome.local_response().details.strip_prefix("bearward.").unwrap_or("none of ours").to_owned()
}

fn with(change: impl FnOnce(&mut Value)) -> Request {
    Request::get("/api/orders/1").bearer(&signed(change))
}

fn refusals(world: &World, kind: &str) -> u64 {
    world.metric(&format!("bearward_deny_list_refusals.issuer.bearward.reason.{kind}")).unwrap_or_default()
}

#[test]
fn what_the_file_names_is_refused_at_every_worker_although_one_of_them_fetches() {
    let server = Server::new(list(0, &json!([])));
    let mut world = started(3, plugin(&listing(&json!({}))), &server);
    advance(&mut world, 600);
    for worker in 0..3 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "forwarded");
    }
    let entries = [
        json!({ "jti": "jti-1" }),
        json!({ "sid": "sid-1" }),
        json!({ "sub": "user-1", "issued_before": NOW + 1 }),
    ];
    for (entry, after) in entries.into_iter().zip(1..) {
        server.borrow_mut().answer = serving(list(after, &json!([entry])));
        advance(&mut world, REFRESH_MS + FELT_MS);
        for worker in 0..3 {
            assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked", "{entry}");
            let other = with(|claims| {
                claims["jti"] = "jti-2".into();
                claims["sid"] = "sid-2".into();
                claims["sub"] = "user-2".into();
            });
            assert_eq!(reason(&mut world, other.on_worker(worker)), "forwarded");
        }
    }
    server.borrow_mut().answer = serving(list(9, &json!([])));
    let before = server.borrow().calls.len();
    advance(&mut world, 10 * REFRESH_MS);
    let asked = server.borrow().calls.len() - before;
    assert!((9..=11).contains(&asked), "{asked} fetches of three workers in ten times the pause");
    assert_eq!(reason(&mut world, order()), "forwarded", "what the list does not name any more");
    assert_eq!(world.metric("bearward_deny_list_entries.issuer.bearward"), Some(0));
    assert!(world.metric("bearward_deny_list_age_seconds.issuer.bearward").is_some_and(|age| age > 40));
    assert!(world.metric("bearward_deny_list_leaders.issuer.bearward").is_some_and(|count| count >= 1));
    assert!(world.traps().is_empty(), "{:?}", world.traps());
}

#[test]
fn it_is_asked_for_as_the_policy_says_and_never_conditionally() {
    let server = Server::new(list(0, &json!([])));
    let plugin = plugin(&listing(&json!({ "credential_env": "LIST" }))).environment("LIST", CREDENTIAL);
    let mut world = started(1, plugin, &server);
    advance(&mut world, 2 * REFRESH_MS);
    let server = server.borrow();
    assert!(server.calls.len() >= 2);
    for call in &server.calls {
        let header = |name: &str| call.headers.text(name);
        assert_eq!(header(":authority").as_deref(), Some("files.example.com"));
        assert_eq!(header(":path").as_deref(), Some("/deny.json?team=a"));
        assert_eq!(header(":scheme").as_deref(), Some("https"));
        assert_eq!(header("authorization"), Some(format!("Bearer {CREDENTIAL}")));
        assert_eq!(header("if-none-match"), None);
    }
}

#[test]
fn without_a_credential_in_the_policy_nothing_is_shown_to_the_server() {
    let server = Server::new(list(0, &json!([])));
    let mut world = started(1, plugin(&listing(&json!({}))), &server);
    advance(&mut world, 600);
    assert!(server.borrow().calls.iter().all(|call| call.headers.text("authorization").is_none()));
}

#[test]
fn before_the_first_list_the_answer_is_503_and_never_401() {
    for answer in [
        Answer::Never,
        Answer::Unreachable,
        Answer::now(Response::new(404, list(0, &json!([])))),
        Answer::now(Response::new(304, "")),
        serving(""),
        serving(json!({ "iss": ISS, "iat": NOW, "deny": [{ "user": "u" }] }).to_string()),
    ] {
        let server = Server::new("");
        server.borrow_mut().answer = answer;
        let mut world = started(1, plugin(&listing(&json!({}))), &server);
        for _ in 0..10 {
            advance(&mut world, 1_000);
            let outcome = world.request(order());
            assert_eq!(outcome.local_response().details, "bearward.revocations_unavailable");
            assert_eq!(outcome.status(), Some(503));
        }
        assert!(world.metric("bearward_deny_list_failures.issuer.bearward").is_some_and(|count| count > 0));
        server.borrow_mut().answer = serving(list(10, &json!([])));
        advance(&mut world, 2 * REFRESH_MS);
        assert_eq!(reason(&mut world, order()), "forwarded", "by itself");
    }
}

#[test]
fn a_server_that_is_away_makes_the_list_stale_by_its_own_time_and_fresh_again() {
    let server = Server::new(list(0, &json!([])));
    let mut world = started(2, plugin(&listing(&json!({}))), &server);
    advance(&mut world, 600);
    server.borrow_mut().answer = Answer::Unreachable;
    advance(&mut world, 58_000);
    assert_eq!(reason(&mut world, order()), "forwarded");
    advance(&mut world, 4_000);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "revocations_stale");
        assert_eq!(world.request(order().on_worker(worker)).status(), Some(503));
    }
    server.borrow_mut().answer = serving(list(0, &json!([])));
    advance(&mut world, 3 * REFRESH_MS);
    assert_eq!(
        reason(&mut world, order()),
        "revocations_stale",
        "the server is there, the list is as old as before"
    );
    server.borrow_mut().answer = serving(list(70, &json!([{ "jti": "jti-9" }])));
    advance(&mut world, 2 * REFRESH_MS);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "forwarded");
    }
}

#[test]
fn what_is_no_list_is_counted_and_changes_nothing_until_all_is_too_old() {
    let good = list(0, &json!([{ "sid": "sid-9" }]));
    let server = Server::new(good);
    let mut world = started(1, plugin(&listing(&json!({}))), &server);
    advance(&mut world, 600);
    let other = json!({ "iss": "http://other.example.com", "iat": NOW + 1, "deny": [] }).to_string();
    let long = format!("{}{}", list(1, &json!([])), " ".repeat(256 * 1024));
    let before = json!({ "iss": ISS, "iat": NOW - 1, "deny": [] }).to_string();
    for (body, kind) in [
        ("{".to_owned(), "form"),
        (list(1, &json!([{ "sub": "user-1" }])), "shape"),
        (other, "issuer"),
        (list(3_600, &json!([])), "ahead"),
        (before, "back"),
        (long, "none"),
    ] {
        server.borrow_mut().answer = serving(body);
        advance(&mut world, 2 * REFRESH_MS);
        assert!(kind == "none" || refusals(&world, kind) >= 1, "{kind}: {:?}", world.metric_names());
        assert_eq!(reason(&mut world, order()), "forwarded", "{kind}");
        let ended = with(|claims| claims["sid"] = "sid-9".into());
        assert_eq!(reason(&mut world, ended), "token_revoked", "{kind}");
    }
    advance(&mut world, REFRESH_MS);
    assert_eq!(reason(&mut world, order()), "revocations_stale");
    let log: Vec<_> = world.log().into_iter().map(|line| line.text).collect();
    for said in
        ["the list is no JSON", "another type (line 1, column", "the answer is larger than 262144 bytes"]
    {
        let lines = log.iter().filter(|line| line.contains("deny list:") && line.contains(said));
        assert!((1..=2).contains(&lines.count()), "{said}: {log:#?}");
    }
}

#[test]
fn where_the_policy_has_keys_only_what_they_signed_is_taken() {
    let sign = |text: &str| signed_list(LIST_SEED, "deny-list+jwt", text);
    let server = Server::new(sign(&list(0, &json!([]))) + "\n");
    let mut world = started(2, plugin(&listing(&keys())), &server);
    advance(&mut world, 600);
    assert_eq!(reason(&mut world, order()), "forwarded");
    let denying = list(1, &json!([{ "sid": "sid-1" }]));
    for (body, kind) in [
        (denying.clone(), "form"),
        (signed_list([22; 32], "deny-list+jwt", &denying), "signature"),
        (signed_list(LIST_SEED, "at+jwt", &denying), "type"),
    ] {
        server.borrow_mut().answer = serving(body);
        advance(&mut world, 2 * REFRESH_MS);
        assert!(refusals(&world, kind) >= 1, "{kind}");
        assert_eq!(reason(&mut world, order()), "forwarded", "{kind}");
    }
    server.borrow_mut().answer = serving(sign(&denying));
    advance(&mut world, 2 * REFRESH_MS);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked");
    }
}

#[test]
fn where_the_worker_that_fetched_is_dead_another_does_and_who_is_loaded_anew_knows_what_was_known() {
    let server = Server::new(list(0, &json!([])));
    let mut world = started(2, plugin_of(&trap_module(), &listing(&json!({}))), &server);
    advance(&mut world, 600);
    for (worker, after) in [(0, 1), (1, 2)] {
        server.borrow_mut().answer = serving(list(after, &json!([{ "sid": "sid-1" }])));
        advance(&mut world, REFRESH_MS + FELT_MS);
        let trap = order().header("x-bearward-trap", "now").on_worker(worker);
        assert_eq!(world.request(trap).status(), Some(503));
        // Nothing new can be had, and yet it is known before anything is answered but 503.
        server.borrow_mut().answer = Answer::Unreachable;
        advance(&mut world, 1_500);
        world.request(order().on_worker(worker));
        let mut seen = Vec::new();
        for _ in 0..20 {
            advance(&mut world, 20);
            seen.push(reason(&mut world, order().on_worker(worker)));
        }
        assert!(
            seen.iter().all(|reason| ["keys_unavailable", "revocations_unavailable", "token_revoked"]
                .contains(&reason.as_str())),
            "{seen:?}"
        );
        assert_eq!(seen.last().unwrap(), "token_revoked");
        let other = 1 - worker;
        server.borrow_mut().answer = serving(list(after + 1, &json!([{ "sid": "sid-2" }])));
        advance(&mut world, REFRESH_MS + 2_000);
        assert_eq!(reason(&mut world, order().on_worker(other)), "forwarded", "{worker} was dead");
    }
}

#[test]
fn what_is_written_over_in_shared_data_is_refused_and_set_right_by_the_next_fetch() {
    for with_keys in [false, true] {
        let text = list(0, &json!([{ "sid": "sid-1" }]));
        let body = if with_keys { signed_list(LIST_SEED, "deny-list+jwt", &text) } else { text };
        let server = Server::new(body);
        let changes = if with_keys { keys() } else { json!({}) };
        let mut world = started(2, plugin_of(&trap_module(), &listing(&changes)), &server);
        advance(&mut world, 600);
        // The body is another one, which nobody signed, and which its head does not name.
        let rubbish = list(5, &json!([])).into_bytes();
        let there: Vec<_> = world.shared_data("bearward").into_iter().map(|(key, _)| key).collect();
        let bodies = there.iter().filter(|key| {
            let key = String::from_utf8_lossy(key);
            key.starts_with("bearward.deny_list.v1.") && (key.ends_with(".0") || key.ends_with(".1"))
        });
        let bodies: Vec<_> = bodies.cloned().collect();
        assert_eq!(bodies.len(), 1, "{there:?}");
        world.set_shared_data("bearward", &bodies[0], &rubbish);
        world.request(order().header("x-bearward-trap", "now").on_worker(1));
        advance(&mut world, 1_500);
        world.request(order().on_worker(1));
        advance(&mut world, 100);
        let reason_then = reason(&mut world, order().on_worker(1));
        assert_ne!(reason_then, "forwarded");
        assert!(refusals(&world, "shared") >= 1, "{:?}", world.metric_names());
        advance(&mut world, 2 * REFRESH_MS);
        assert_eq!(reason(&mut world, order().on_worker(1)), "token_revoked");
        assert_eq!(
            reason(&mut world, with(|claims| claims["sid"] = "sid-2".into()).on_worker(1)),
            "forwarded"
        );
    }
}

/// Both are configurations of one VM, as two listeners have them.
#[test]
fn who_asks_in_vain_leaves_it_to_who_can() {
    let of = |variable: &str| {
        plugin(&listing(&json!({ "credential_env": variable })))
            .environment("GOOD", CREDENTIAL)
            .environment("BAD", "another-credential-of-nobody-at-all")
    };
    let server = Server::new(list(0, &json!([{ "sid": "sid-1" }])));
    let answering = Rc::clone(&server);
    let mut world = started(1, of("BAD"), &server);
    world.set_cluster("files", move |call| {
        answering.borrow_mut().calls.push(call.clone());
        let is_good = call.headers.text("authorization") == Some(format!("Bearer {CREDENTIAL}"));
        if is_good { answering.borrow().answer.clone() } else { Answer::now(Response::new(403, "")) }
    });
    advance(&mut world, 1_000);
    let good = world.add_plugin(of("GOOD")).unwrap();
    advance(&mut world, 20_000);
    assert_eq!(reason(&mut world, order().through(good)), "token_revoked");
    assert_eq!(
        reason(&mut world, order().through(PluginId::FIRST)),
        "token_revoked",
        "what one has learnt the VM knows"
    );
}

#[test]
fn a_configuration_that_goes_hands_the_fetching_on_and_nobody_meets_a_503() {
    let server = Server::new(list(0, &json!([])));
    let mut world = started(1, plugin(&listing(&json!({}))), &server);
    advance(&mut world, 600);
    let new = world.add_plugin(plugin(&listing(&json!({ "stale_after_seconds": 90 })))).unwrap();
    assert_eq!(reason(&mut world, order().through(new)), "forwarded", "the VM knows what it knew");
    advance(&mut world, 300);
    world.remove_plugin(PluginId::FIRST);
    server.borrow_mut().answer = serving(list(1, &json!([{ "sid": "sid-1" }])));
    advance(&mut world, REFRESH_MS + FELT_MS);
    assert_eq!(reason(&mut world, order().through(new)), "token_revoked");
}

/// As many entries as the longest list has, read in one callback.
#[test]
fn the_longest_list_is_read_in_one_callback_of_bounded_cost() {
    let entry = |index: u32| json!({ "jti": format!("018f3b7c-aa00-7c3e-9d2b-{index:012}") });
    let shortest = |index: u32| json!({ "jti": format!("{index:x}") });
    let of = |count: u32, entry: &dyn Fn(u32) -> Value| list(0, &(0..count).map(entry).collect());
    for (name, text, signs) in [
        ("UUIDs", of(5_500, &entry), false),
        ("the shortest names", of(16_800, &shortest), false),
        ("UUIDs, signed", of(5_500, &entry), true),
    ] {
        assert!((245_000..=256 * 1024).contains(&text.len()), "{name}: {}", text.len());
        let (body, changes) =
            if signs { (signed_list(LIST_SEED, "deny-list+jwt", &text), keys()) } else { (text, json!({})) };
        let server = Server::new(body);
        let mut world = started(1, plugin(&listing(&changes)), &server);
        advance(&mut world, 600);
        assert_eq!(reason(&mut world, order()), "forwarded");
        let dearest = [Thread::Main, Thread::Worker(0)].into_iter().filter_map(|thread| {
            let fuel = world.fuel(thread, PluginId::FIRST)?;
            ["proxy_on_http_call_response", "proxy_on_tick"]
                .iter()
                .filter_map(|name| fuel.get(name))
                .max()
                .copied()
        });
        let dearest = dearest.max().unwrap();
        let bytes = world.memory_bytes(Thread::Worker(0), PluginId::FIRST).unwrap();
        note(&format!(
            "deny list of 256 KiB, {name}: {:.1} million instructions in a callback, {} KiB of memory",
            dearest as f64 / 1e6,
            bytes / 1024
        ));
        assert!(dearest < 150_000_000, "{name}: {dearest}");
    }
}
