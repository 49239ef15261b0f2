//! Requests whose token names a key that is not there yet: held back until the issuer has been asked, and judged then.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{
    Answer, CallRequest, Outcome, PluginId, Request, StreamId, Thread, World, WorldBuilder,
};
use serde_json::{Value, json};

use crate::hosted::gate::{KEYS_FETCHED, jwks, jwks_of, order, plugin, policy, settled, unknown_key, world};

/// Longer than the pause between two fetches that unknown keys cause.
const NEXT_FETCH: Duration = Duration::from_millis(600);
/// As long as a request waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// As many requests as wait in one VM.
const ROOM: usize = 256;

/// With a token of a key that is published later.
fn early() -> Request {
    Request::get("/api/orders/1").bearer(&unknown_key(|_| ()))
}

/// A world that knows the first key, and has not asked for it in the last moment.
fn settled_world(builder: WorldBuilder) -> World {
    let mut world = builder.plugin(plugin(&policy())).start().unwrap();
    world.advance(NEXT_FETCH);
    world
}

/// The second key is published, `after_ms` away; says how often it was asked for.
fn publish(world: &mut World, after_ms: u64) -> Rc<Cell<usize>> {
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    world.set_cluster("issuer", move |_| {
        counted.set(counted.get() + 1);
        Answer::After(after_ms, jwks_of(&["key-1", "key-2"]))
    });
    calls
}

fn all(world: &World, streams: &[StreamId]) -> Vec<Option<u16>> {
    streams.iter().map(|stream| world.outcome(*stream).status()).collect()
}

#[test]
fn requests_with_a_new_key_wait_for_one_fetch_and_all_pass() {
    let mut world = settled_world(world());
    let calls = publish(&mut world, 40);
    let streams: Vec<_> = (0..20).map(|_| world.open(early())).collect();
    world.advance(Duration::from_millis(30));
    assert_eq!(all(&world, &streams), [None; 20], "they wait");
    world.request(order()).forwarded();
    world.advance(Duration::from_millis(30));
    assert_eq!(all(&world, &streams), [Some(200); 20]);
    assert_eq!(calls.get(), 1);
    assert_eq!(world.metric("bearward_waits.issuer.bearward"), Some(20));
}

#[test]
fn what_was_held_back_reaches_the_upstream_whole_and_with_our_word_on_who_it_is() {
    let mut world = settled_world(world());
    publish(&mut world, 5);
    let request = early()
        .header("x-user-id", "admin")
        .header("x_user_roles", "admin")
        .body("the body")
        .trailer("x-user-id", "admin")
        .trailer("x-checksum", "7");
    let forwarded = match settled(&mut world, request) {
        Outcome::Forwarded(forwarded) => forwarded,
        other => panic!("{other:#?}"),
    };
    let headers: Vec<_> = forwarded.headers.iter().filter(|(name, _)| name.starts_with(b"x")).collect();
    let expected: [(&[u8], &[u8]); 3] =
        [(b"x-user-id", b"user-1"), (b"x-user-issuer", b"bearward"), (b"x-user-roles", b"customer")];
    assert_eq!(headers, expected, "each once, and nothing of what the client said");
    assert_eq!(forwarded.body, b"the body");
    let trailers: Vec<_> = forwarded.trailers.iter().map(|(name, _)| name).collect();
    assert_eq!(trailers, [b"x-checksum"]);
}

#[test]
fn a_key_that_is_not_in_the_set_that_was_asked_for_meanwhile_is_refused() {
    let mut world = settled_world(world());
    let stream = world.open(early());
    assert_eq!(world.outcome(stream), Outcome::Paused);
    world.advance(KEYS_FETCHED);
    assert_eq!(world.outcome(stream).local_response().details, "bearward.key_unknown");
}

/// A key may be used as soon as it is published.
#[test]
fn a_set_that_was_asked_for_a_moment_before_is_asked_for_again_half_a_second_later() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    publish(&mut world, 0);
    let stream = world.open(early());
    world.advance(Duration::from_millis(450));
    assert_eq!(world.outcome(stream), Outcome::Paused);
    world.advance(Duration::from_millis(60));
    assert_eq!(world.outcome(stream).status(), Some(200));
}

#[test]
fn a_request_waits_two_seconds_and_is_then_told_that_nobody_can_tell() {
    let mut world = settled_world(world());
    world.set_cluster("issuer", |_| Answer::Never);
    let stream = world.open(early());
    world.advance(PATIENCE - Duration::from_millis(50));
    assert_eq!(world.outcome(stream), Outcome::Paused);
    world.advance(Duration::from_millis(100));
    let outcome = world.outcome(stream);
    let response = outcome.local_response();
    assert_eq!((outcome.status(), response.details.as_str()), (Some(503), "bearward.keys_unavailable"));
    assert_eq!(response.headers.get("retry-after"), Some(&b"1"[..]));
    world.request(order()).forwarded();
}

#[test]
fn how_long_a_request_waits_is_a_setting() {
    for (wait_ms, paused_at_ms) in [(500, Some(450)), (0, None)] {
        let mut policy = policy();
        policy["issuers"]["bearward"]["keys"]["remote"]["wait_ms"] = json!(wait_ms);
        let mut world = world().plugin(plugin(&policy)).start().unwrap();
        world.advance(NEXT_FETCH);
        world.set_cluster("issuer", |_| Answer::Never);
        let stream = world.open(early());
        if let Some(paused_at_ms) = paused_at_ms {
            world.advance(Duration::from_millis(paused_at_ms));
            assert_eq!(world.outcome(stream), Outcome::Paused);
            world.advance(Duration::from_millis(100));
        }
        assert_eq!(world.outcome(stream).local_response().details, "bearward.keys_unavailable");
    }
}

#[test]
fn an_issuer_that_fails_is_503_for_unknown_keys_at_once_and_left_alone_for_a_while() {
    for failing in
        [Answer::Unreachable, Answer::ResetAfter(1), Answer::now(bearward_testhost::Response::new(500, ""))]
    {
        let mut world = settled_world(world());
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        world.set_cluster("issuer", move |_| {
            counted.set(counted.get() + 1);
            failing.clone()
        });
        let details = |outcome: &Outcome| outcome.local_response().details.clone();
        let stream = world.open(early());
        world.advance(KEYS_FETCHED);
        assert_eq!(details(&world.outcome(stream)), "bearward.keys_unavailable");
        for _ in 0..10 {
            assert_eq!(details(&world.request(early())), "bearward.keys_unavailable", "without waiting");
        }
        assert_eq!(calls.get(), 1);
        world.request(order()).forwarded();
        world.advance(Duration::from_secs(1));
        assert!((2..=3).contains(&calls.get()), "the retry backs off: {}", calls.get());
    }
}

#[test]
fn only_so_many_wait_and_the_next_is_told_that_nobody_can_tell() {
    let mut world = settled_world(world());
    publish(&mut world, 40);
    let streams: Vec<_> = (0..ROOM).map(|_| world.open(early())).collect();
    assert_eq!(world.request(early()).local_response().details, "bearward.keys_unavailable");
    world.advance(Duration::from_millis(60));
    assert_eq!(all(&world, &streams), vec![Some(200); ROOM]);
    // There is room again.
    world.advance(NEXT_FETCH);
    publish(&mut world, 0);
    let third = Request::get("/api/orders/1").bearer(&crate::hosted::gate::of_key("key-3", |_| ()));
    assert_eq!(settled(&mut world, third).local_response().details, "bearward.key_unknown");
}

/// Envoy ends streams that one callback has answered one within the other, on the stack of the VM.
#[test]
fn who_waited_is_answered_a_few_at_a_time() {
    const MOST: usize = 16;
    for expected in [200, 503] {
        let mut world = settled_world(world());
        match expected {
            200 => drop(publish(&mut world, 5)),
            _ => world.set_cluster("issuer", |_| Answer::Never),
        }
        let streams: Vec<_> = (0..ROOM).map(|_| world.open(early())).collect();
        let (mut answered, mut moments) = (0, 0);
        while answered < ROOM && moments < 3_000 {
            world.advance(Duration::from_millis(1));
            let before = answered;
            answered = all(&world, &streams).into_iter().flatten().count();
            assert!(answered - before <= MOST, "{} at once", answered - before);
            moments += 1;
        }
        assert_eq!(all(&world, &streams), vec![Some(expected); ROOM]);
        assert!(moments <= 2_000 + 3 * ROOM / MOST, "the last after {moments} ms");
    }
}

#[test]
fn clients_that_leave_while_they_wait_leave_nothing_behind() {
    let mut world = settled_world(world());
    publish(&mut world, 40);
    // More than there is room for: who leaves makes room.
    for _ in 0..3 * ROOM {
        let stream = world.open(early());
        assert_eq!(world.outcome(stream), Outcome::Paused);
        world.close(stream);
    }
    assert_eq!(world.contexts(Thread::Worker(0), PluginId::FIRST), Some(1));
    world.advance(Duration::from_millis(60));
    world.request(early()).forwarded();
}

#[test]
fn who_waits_for_one_issuer_takes_no_room_from_another() {
    let mut two = policy();
    let mut second = two["issuers"]["bearward"].clone();
    second["iss"] = json!("http://second.example.com");
    second["keys"]["remote"]["cluster"] = json!("second");
    second["claims"]["role_prefix"] = json!("second:");
    two["issuers"]["bearward"]["claims"]["granted_roles"] = json!(["customer", "admin"]);
    two["issuers"]["second"] = second;
    two["policies"][0]["issuers"] = json!(["bearward", "second"]);
    let mut world = world().plugin(plugin(&two)).cluster("second", |_| Answer::now(jwks())).start().unwrap();
    world.advance(NEXT_FETCH);
    world.set_cluster("second", |_| Answer::Never);
    let of_second = |claims: &mut Value| claims["iss"] = json!("http://second.example.com");
    for _ in 0..ROOM {
        world.open(Request::get("/api/orders/1").bearer(&unknown_key(of_second)));
    }
    publish(&mut world, 5);
    assert_eq!(settled(&mut world, early()).status(), Some(200));
}

#[test]
fn each_worker_asks_once() {
    let mut world = world().plugin(plugin(&policy())).workers(2).start().unwrap();
    world.advance(NEXT_FETCH);
    let calls = publish(&mut world, 20);
    let streams: Vec<_> = (0..40).map(|number| world.open(early().on_worker(number % 2))).collect();
    world.advance(Duration::from_millis(40));
    assert_eq!(all(&world, &streams), vec![Some(200); 40]);
    assert_eq!(calls.get(), 2);
}

/// Held back for ever is worse than refused.
#[test]
fn where_the_host_lets_no_request_go_on_later_none_is_held_back() {
    let plugin = plugin(&policy()).withhold("proxy_set_effective_context");
    let mut world = world().plugin(plugin).start().unwrap();
    world.advance(NEXT_FETCH);
    publish(&mut world, 5);
    assert_eq!(world.request(early()).local_response().details, "bearward.keys_unavailable");
    world.advance(Duration::from_millis(300));
    world.request(early()).forwarded();
}

#[test]
fn a_request_that_is_only_observed_waits_too_so_that_its_verdict_is_the_one_of_tomorrow() {
    let mut observing = policy();
    observing["mode"] = json!("observe");
    let mut world = world().plugin(plugin(&observing)).start().unwrap();
    world.advance(NEXT_FETCH);
    publish(&mut world, 5);
    let outcome = settled(&mut world, early());
    let forwarded = match &outcome {
        Outcome::Forwarded(forwarded) => forwarded,
        other => panic!("{other:#?}"),
    };
    assert_eq!(forwarded.headers.get("x-user-id"), Some(&b"user-1"[..]));
    assert_eq!(world.metric("bearward_requests.issuer.bearward.reason.forwarded"), Some(1));
    assert_eq!(world.metric("bearward_observed.issuer.bearward.reason.key_unknown"), None);
}

/// The client's word on another method is removed, and still makes this no preflight, which would need no token.
#[test]
fn what_was_held_back_is_judged_by_all_that_the_client_said() {
    let mut open = policy();
    open["policies"][0]["cors_preflight"] = json!("allow");
    let mut world = world().plugin(plugin(&open)).start().unwrap();
    world.advance(NEXT_FETCH);
    let preflight = Request::new("OPTIONS", "/api/orders/1")
        .header("origin", "https://shop.example.com")
        .header("access-control-request-method", "DELETE");
    world.request(preflight.clone()).forwarded();
    let overridden = preflight.header("x-http-method-override", "DELETE");
    let with = |token: &str| overridden.clone().bearer(token);
    let forged = with(&crate::hosted::gate::stranger(|_| ()));
    assert_eq!(world.request(forged).local_response().details, "bearward.signature_invalid");
    let outcome = settled(&mut world, with(&unknown_key(|_| ())));
    assert_eq!(outcome.local_response().details, "bearward.key_unknown");
}

/// In the same VM, where the old policy stays until its last stream has ended.
#[test]
fn who_waits_while_the_policy_changes_is_judged_by_the_policy_that_it_came_to() {
    let mut world = settled_world(world());
    let mut stricter = policy();
    stricter["policies"][0]["rules"][2]["require"] = json!({ "any_role": ["admin"] });
    publish(&mut world, 20);
    let old = world.open(early());
    let id = world.add_plugin(plugin(&stricter)).unwrap();
    world.advance(Duration::from_millis(2));
    let new = world.open(early().through(id));
    world.remove_plugin(PluginId::FIRST);
    world.advance(NEXT_FETCH);
    assert_eq!(all(&world, &[old, new]), [Some(200), Some(403)]);
    world.close(old);
    world.advance(NEXT_FETCH);
    assert_eq!(settled(&mut world, early().through(id)).status(), Some(403));
}

/// A key a second: published, used at once, the one before it withdrawn a little later.
#[test]
fn rotations_under_load_make_no_401() {
    let published: Rc<RefCell<Vec<String>>> = Rc::new(RefCell::new(vec!["key-0".to_owned()]));
    let serving = Rc::clone(&published);
    let issuer = move |_: &CallRequest| {
        let kids = serving.borrow();
        Answer::After(10, jwks_of(&kids.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let mut world = world().plugin(plugin(&policy())).cluster("issuer", issuer).workers(2).start().unwrap();
    world.advance(NEXT_FETCH);
    let mut streams = Vec::new();
    for rotation in 1..=10 {
        published.borrow_mut().push(format!("key-{rotation}"));
        for moment in 0..120 {
            if moment == 60 {
                published.borrow_mut().remove(0);
            }
            let newest = published.borrow().last().cloned().unwrap();
            let token = crate::hosted::gate::of_key(&newest, |claims| claims["jti"] = json!(moment % 7));
            let request = Request::get("/api/orders/1").bearer(&token).on_worker(moment % 2);
            streams.push(world.open(request));
            world.advance(Duration::from_millis(10));
        }
    }
    world.advance(Duration::from_secs(3));
    let statuses = all(&world, &streams);
    assert_eq!(statuses, vec![Some(200); statuses.len()]);
}
