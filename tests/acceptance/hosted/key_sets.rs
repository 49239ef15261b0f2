//! A key set's whole life: cold, fetched, rotated, away, hostile, late, in the wrong order.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bearward_testhost::{Answer, PluginId, Request, Response, Thread, World};
use serde_json::{Value, json};

use crate::hosted::gate::{
    KEYS_FETCHED, NOW, jwk, jwks, jwks_of, order, plugin, plugin_of, policy, settled, token, trap_module,
    unknown_key, world,
};

/// Longer than any pause between two fetches while they fail.
const RETRIED: Duration = Duration::from_secs(35);
/// Longer than the interval of the policy.
const REFRESHED: Duration = Duration::from_secs(310);

/// What comes of a request with a good token.
fn status(world: &mut World) -> Option<u16> {
    world.request(order()).status()
}

fn status_of(world: &mut World, token: &str) -> (Option<u16>, String) {
    let outcome = settled(world, Request::get("/api/orders/1").bearer(token));
    let details = match &outcome {
        bearward_testhost::Outcome::LocalResponse(response) => response.details.clone(),
        _ => String::new(),
    };
    (outcome.status(), details)
}

/// Long after [`NOW`].
fn lasting(claims: &mut Value) {
    claims["exp"] = json!(NOW + 1_000_000);
}

/// Answers that are no JWK Set, each with its name.
fn hostile() -> Vec<(&'static str, Response)> {
    let set = |keys: Value| Response::new(200, json!({ "keys": keys }).to_string());
    let own = jwk("key-1");
    let with = |member: &str, value: Value| {
        let mut key = own.clone();
        key[member] = value;
        set(json!([key]))
    };
    let good = String::from_utf8(jwks().body).unwrap();
    let many: Vec<_> = (0..1_000).map(|number| jwk(&format!("key-{number}"))).collect();
    vec![
        ("10 MB", Response::new(200, format!("{good}{}", " ".repeat(10_000_000)))),
        ("brackets", Response::new(200, "[".repeat(200_000))),
        ("nested", Response::new(200, format!("{{\"keys\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000)))),
        ("a key nested", with("x5c", (0..40).fold(json!(0), |inner, _| json!([inner])))),
        ("the same kid twice", set(json!([own, own]))),
        ("`keys` twice", Response::new(200, format!("{{\"keys\":[],{}", good.trim_start_matches('{')))),
        ("1,000 keys", set(many.into())),
        ("no keys", set(json!([]))),
        ("no member keys", Response::new(200, "{}")),
        ("keys of another use", with("use", json!("enc"))),
        ("a private key", with("d", json!("AA"))),
        ("a secret", set(json!([{ "kty": "oct", "kid": "key-1", "k": "AA" }]))),
        ("a short key", with("x", json!("AA"))),
        ("a weak key", with("x", json!("A".repeat(43)))),
        ("a kid that is no string", with("kid", json!(7))),
        ("a long kid", with("kid", json!("k".repeat(100_000)))),
        ("no JSON", Response::new(200, "<html>Sign in</html>")),
        ("no text", Response::new(200, vec![0xff; 1_000])),
        ("zeros", Response::new(200, vec![0; 100_000])),
        ("cut off", Response::new(200, good.get(..good.len() - 3).unwrap())),
        ("something after it", Response::new(200, format!("{good}{good}"))),
        ("nothing", Response::new(200, "")),
        ("a redirect", Response::new(302, good.clone()).header("location", "http://evil.example.com/")),
        ("another success", Response::new(206, good.clone())),
        ("not found", Response::new(404, good.clone())),
        ("a failure", Response::new(500, good)),
    ]
}

#[test]
fn a_hostile_key_set_is_refused_the_last_good_one_stays_and_the_next_good_one_is_taken() {
    for (name, response) in hostile() {
        let mut world = world().plugin(plugin(&policy())).start().unwrap();
        world.advance(KEYS_FETCHED);
        world.set_cluster("issuer", move |_| Answer::now(response.clone()));
        world.advance(REFRESHED);
        let log: Vec<_> = world.log().into_iter().map(|line| line.text).collect();
        assert!(log.iter().any(|line| line.contains("keys not fetched")), "{name}: {log:#?}");
        assert_eq!(status_of(&mut world, &token(lasting)).0, Some(200), "{name}: the last good set stays");

        world.set_cluster("issuer", |_| Answer::now(jwks_of(&["key-2"])));
        world.advance(RETRIED);
        assert_eq!(
            status_of(&mut world, &unknown_key(lasting)).0,
            Some(200),
            "{name}: the next good one is taken"
        );
    }
}

#[test]
fn a_hostile_key_set_at_a_cold_start_is_503_and_never_401() {
    for (name, response) in hostile() {
        let hostile = move |_: &_| Answer::now(response.clone());
        let mut world = world().plugin(plugin(&policy())).cluster("issuer", hostile).start().unwrap();
        world.advance(RETRIED);
        let outcome = world.request(order());
        assert_eq!(outcome.status(), Some(503), "{name}");
        assert!(outcome.local_response().headers.get("retry-after").is_some(), "{name}");
        world.request(Request::get("/api/menu")).forwarded();

        world.set_cluster("issuer", |_| Answer::now(jwks()));
        world.advance(RETRIED);
        assert_eq!(status(&mut world), Some(200), "{name}: it comes to life by itself");
    }
}

#[test]
fn hostile_key_sets_leave_nothing_behind() {
    let answers: Rc<RefCell<Vec<_>>> = Rc::default();
    let served = Rc::clone(&answers);
    let mut world = world()
        .plugin(plugin(&policy()))
        .cluster("issuer", move |_| {
            let mut left = served.borrow_mut();
            if left.is_empty() {
                *left = hostile();
            }
            Answer::now(left.pop().map_or_else(jwks, |(_, response)| response))
        })
        .start()
        .unwrap();
    let mut memory_after = |hours: u64| {
        world.advance(Duration::from_secs(hours * 3_600));
        world.memory_bytes(Thread::Worker(0), PluginId::FIRST).unwrap()
    };
    // An hour is 120 fetches: each answer comes several times.
    let (early, late) = (memory_after(1), memory_after(2));
    assert_eq!(early, late, "bytes after an hour of hostile answers, and after two more");
}

#[test]
fn a_rotation_is_noticed_by_the_first_token_of_the_new_key_and_the_old_key_ends_with_its_set() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    let (old, new) = (token(lasting), unknown_key(lasting));
    // Published before its first use: both are there.
    world.set_cluster("issuer", |_| Answer::now(jwks_of(&["key-1", "key-2"])));
    world.advance(Duration::from_secs(2));
    assert_eq!((status_of(&mut world, &new).0, status_of(&mut world, &old).0), (Some(200), Some(200)));
    // The old one is withdrawn.
    world.set_cluster("issuer", |_| Answer::now(jwks_of(&["key-2"])));
    world.advance(REFRESHED);
    assert_eq!(status_of(&mut world, &new).0, Some(200));
    assert_eq!(status_of(&mut world, &old), (Some(401), "bearward.key_unknown".to_owned()));
}

#[test]
fn a_flood_of_unknown_keys_causes_two_fetches_in_a_second() {
    let calls = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&calls);
    let counting = move |_: &_| {
        *counted.borrow_mut() += 1;
        Answer::now(jwks())
    };
    let mut world = world().plugin(plugin(&policy())).cluster("issuer", counting).start().unwrap();
    world.advance(KEYS_FETCHED);
    *calls.borrow_mut() = 0;
    for _ in 0..600 {
        world.open(Request::get("/api/orders/1").bearer(&unknown_key(lasting)));
        world.advance(Duration::from_millis(100));
    }
    // The main thread's VM does not see requests, so these are the worker's.
    let fetches = *calls.borrow();
    assert!((100..=120).contains(&fetches), "{fetches} fetches in a minute");
}

/// The policy with a second issuer, whose keys come from a cluster of its own.
fn two_issuers() -> Value {
    let mut policy = policy();
    let mut second = policy["issuers"]["bearward"].clone();
    second["iss"] = json!("http://second.example.com");
    second["keys"]["remote"]["cluster"] = json!("second");
    second["keys"]["remote"]["uri"] = json!("http://second.example.com/.well-known/jwks.json");
    second["claims"]["role_prefix"] = json!("second:");
    policy["issuers"]["bearward"]["claims"]["granted_roles"] = json!(["customer", "admin"]);
    policy["issuers"]["second"] = second;
    policy["policies"][0]["issuers"] = json!(["bearward", "second"]);
    policy
}

#[test]
fn answers_that_come_in_the_wrong_order_reach_the_issuer_that_they_are_of() {
    let second = || {
        unknown_key(|claims| {
            lasting(claims);
            claims["iss"] = json!("http://second.example.com");
        })
    };
    // Asked first, answered last; and the other way round.
    for (first_ms, second_ms) in [(50, 5), (5, 50)] {
        let mut world = world()
            .plugin(plugin(&two_issuers()))
            .cluster("issuer", move |_| Answer::After(first_ms, jwks()))
            .cluster("second", move |_| Answer::After(second_ms, jwks_of(&["key-2"])))
            .start()
            .unwrap();
        world.advance(Duration::from_millis(20));
        let (early, late) =
            if first_ms > second_ms { (second(), token(lasting)) } else { (token(lasting), second()) };
        assert_eq!(status_of(&mut world, &early).0, Some(200));
        assert_eq!(status_of(&mut world, &late).0, Some(503), "its keys are not there yet");
        world.advance(Duration::from_millis(100));
        assert_eq!(status_of(&mut world, &late).0, Some(200));
        // The keys of one prove nothing about the other.
        let mixed = token(|claims| claims["iss"] = json!("http://second.example.com"));
        assert_eq!(status_of(&mut world, &mixed), (Some(401), "bearward.key_unknown".to_owned()));
    }
}

#[test]
fn one_issuers_outage_touches_no_other() {
    for failing in
        [Answer::Unreachable, Answer::Never, Answer::ResetAfter(5), Answer::now(Response::new(200, "x"))]
    {
        let mut world = world()
            .plugin(plugin(&two_issuers()))
            .cluster("second", move |_| failing.clone())
            .start()
            .unwrap();
        world.advance(KEYS_FETCHED);
        assert_eq!(status(&mut world), Some(200));
        let second = token(|claims| claims["iss"] = json!("http://second.example.com"));
        assert_eq!(status_of(&mut world, &second).0, Some(503));
    }
}

#[test]
fn an_answer_to_the_old_configuration_gives_the_new_one_no_keys() {
    let slow = |_: &_| Answer::After(500, jwks());
    let mut world = world().plugin(plugin(&policy())).cluster("issuer", slow).start().unwrap();
    world.advance(Duration::from_millis(100));
    // The same issuer, now with keys of another place, while the fetch from the old place is under way.
    let mut moved = policy();
    moved["issuers"]["bearward"]["keys"]["remote"]["cluster"] = json!("elsewhere");
    world.set_cluster("elsewhere", |_| Answer::After(5_000, jwks_of(&["key-2"])));
    let new = world.add_plugin(plugin(&moved)).unwrap();
    world.advance(Duration::from_millis(1_000));
    world.request(order()).forwarded();
    let outcome = world.request(order().through(new));
    assert_eq!(outcome.status(), Some(503), "the answer was the old configuration's: {outcome:#?}");
    world.remove_plugin(PluginId::FIRST);
    // The timeout of 2 s ends the first fetch; afterwards the place answers quickly.
    world.set_cluster("elsewhere", |_| Answer::now(jwks_of(&["key-2"])));
    world.advance(Duration::from_secs(4));
    assert_eq!(settled(&mut world, order().through(new)).local_response().details, "bearward.key_unknown");
    let second = Request::get("/api/orders/1").bearer(&unknown_key(lasting));
    world.request(second.through(new)).forwarded();
}

#[test]
fn a_configuration_that_comes_in_the_middle_of_a_fetch_gets_its_own_keys_and_takes_none_away() {
    let slow = |_: &_| Answer::After(500, jwks());
    let mut world = world().plugin(plugin(&policy())).cluster("issuer", slow).start().unwrap();
    world.advance(Duration::from_millis(250));
    let mut changed = policy();
    changed["policies"][0]["name"] = json!("other");
    let new = world.add_plugin(plugin(&changed)).unwrap();
    world.advance(Duration::from_millis(260));
    world.request(order()).forwarded();
    world.request(order().through(new)).forwarded();
    world.advance(Duration::from_millis(500));
    world.remove_plugin(PluginId::FIRST);
    world.request(order().through(new)).forwarded();
}

#[test]
fn the_answer_to_a_vm_that_trapped_meanwhile_harms_nothing() {
    let slow = |_: &_| Answer::After(1_500, jwks());
    let trapping = plugin_of(&trap_module(), &policy());
    let mut world = world().plugin(trapping).cluster("issuer", slow).traps_expected().start().unwrap();
    world.advance(Duration::from_millis(1_200));
    world.request(order().header("x-bearward-trap", "now"));
    world.advance(Duration::from_millis(600));
    // The next request has the VM loaded anew; it asks for its keys itself.
    assert!(matches!(status(&mut world), Some(503 | 200)));
    world.advance(Duration::from_millis(2_000));
    assert_eq!(status(&mut world), Some(200));
    assert_eq!(world.traps().len(), 1);
}

#[test]
fn a_fetch_that_times_out_is_tried_again_and_its_late_answer_counts_for_nothing() {
    // Ten seconds are more than the timeout of 2 s: Envoy answers 504 then, and drops what comes later.
    let mut world = world()
        .plugin(plugin(&policy()))
        .cluster("issuer", |_| Answer::After(10_000, jwks_of(&["key-2"])))
        .start()
        .unwrap();
    world.advance(Duration::from_millis(2_100));
    assert_eq!(status(&mut world), Some(503));
    world.set_cluster("issuer", |_| Answer::now(jwks()));
    world.advance(Duration::from_secs(12));
    assert_eq!(status(&mut world), Some(200));
    assert_eq!(status_of(&mut world, &unknown_key(lasting)).1, "bearward.key_unknown");
}
