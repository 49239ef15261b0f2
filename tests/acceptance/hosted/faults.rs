//! What fails, and what is not there: whatever it is, nothing that the policy protects gets through.

use std::collections::BTreeMap;
use std::time::Duration;

use bearward_testhost::{Answer, Fault, HostCall, Outcome, Plugin, Request, Status, World};
use bearward_tests::harness;
use bearward_tests::note::note;

use crate::hosted::gate::{
    KEYS_FETCHED, jwks_of, module, of_key, order, plugin, policy, settled, token, unknown_key, world,
};

/// Everything that the filter does at some time: fetching keys, and a request of every kind.
fn everything(world: &mut World) -> Vec<(Kind, Outcome)> {
    let cold = world.request(order());
    world.advance(KEYS_FETCHED);
    let mut seen = vec![(Kind::Allowed, cold)];
    seen.extend(requests().into_iter().map(|(kind, request)| (kind, world.request(request))));
    // A token of an unknown key is held back until the keys have been asked for again.
    world.advance(NEXT_FETCH);
    world.set_cluster("issuer", |_| Answer::now(jwks_of(&["key-1", "key-2"])));
    let second_key = unknown_key(|_| ());
    let held = |path: &str| Request::get(path).bearer(&second_key).header("x-user-roles", "admin");
    seen.push((Kind::Denied, settled(world, held("/api/menu/7"))));
    seen.push((Kind::Allowed, settled(world, held("/api/orders/1"))));
    // The next answer does not come.
    world.advance(NEXT_FETCH);
    world.set_cluster("issuer", |_| Answer::Unreachable);
    let third_key = of_key("key-3", |_| ());
    seen.push((Kind::Denied, settled(world, Request::get("/api/orders/1").bearer(&third_key))));
    seen.extend(requests().into_iter().map(|(kind, request)| (kind, world.request(request))));
    seen
}

/// Longer than the pause between two fetches that unknown keys cause.
const NEXT_FETCH: Duration = Duration::from_millis(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The policy lets it pass.
    Allowed,
    /// The policy refuses it.
    Denied,
}

fn requests() -> Vec<(Kind, Request)> {
    let forged = format!("{}x", token(|_| ()));
    vec![
        (Kind::Allowed, Request::get("/api/menu").header("X-User-Id", "admin")),
        (Kind::Allowed, order().header("x_user_roles", "admin").body("body").trailer("X-User-Id", "admin")),
        (Kind::Denied, Request::get("/api/orders/1").header("x-user-id", "admin")),
        (Kind::Denied, Request::get("/api/orders/1").bearer(&forged)),
        (Kind::Denied, Request::get("/api/menu/7").bearer(&token(|_| ()))),
        (Kind::Denied, order().header("content-type", "application/grpc").without("authorization")),
        (Kind::Denied, Request::get("/api/../admin")),
    ]
}

/// Nothing denied reached the upstream, and nothing that did carries what only the filter may say.
fn assert_closed(seen: &[(Kind, Outcome)], under: &str) {
    for (kind, outcome) in seen {
        assert!(
            *kind == Kind::Allowed || !outcome.reached_the_upstream(),
            "{under}: denied, and yet it reached the upstream: {outcome:#?}"
        );
        if let Outcome::Forwarded(forwarded) = outcome {
            let fields = forwarded.headers.iter().chain(forwarded.trailers.iter());
            let forged = fields.filter(|(name, value)| {
                let folded = String::from_utf8_lossy(name).to_lowercase().replace('_', "-");
                folded.starts_with("x-user-") && value.starts_with(b"admin")
            });
            assert_eq!(forged.count(), 0, "{under}: an identity of the client's own: {forwarded:#?}");
        }
    }
}

/// The hostcalls of a world without any fault, from its start on.
fn hostcalls() -> Vec<HostCall> {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.record_hostcalls();
    let seen = everything(&mut world);
    let allowed = seen.iter().skip(1).filter(|(kind, _)| *kind == Kind::Allowed);
    assert!(allowed.clone().all(|(_, outcome)| matches!(outcome, Outcome::Forwarded(_))), "{seen:#?}");
    assert_closed(&seen, "without a fault");
    world.hostcalls()
}

#[test]
fn whichever_hostcall_fails_with_whichever_status_nothing_denied_is_forwarded_and_nothing_traps() {
    let calls = hostcalls();
    let mut played = 0;
    for (index, call) in calls.iter().enumerate() {
        for status in Status::ALL.into_iter().filter(|status| *status != Status::Ok) {
            let mut world = world().plugin(plugin(&policy())).start().unwrap();
            world.inject(Fault::nth(index, status.code()));
            let seen = everything(&mut world);
            assert_eq!(world.disarm(), 0, "the fault was played");
            assert_closed(&seen, &format!("hostcall {index}, {}, fails with {status:?}", call.name));
            played += 1;
        }
    }
    note(&format!("faults: {played} played at {} call sites", calls.len()));
}

#[test]
fn whichever_hostcall_fails_while_a_worker_starts_nothing_denied_is_forwarded() {
    // As many as the canary makes: a world loads the plugin three times, and the last is the worker's.
    for index in 0..20 {
        for status in [Status::NotFound, Status::BadArgument, Status::InternalFailure] {
            let loading = plugin(&policy());
            let mut world = world().traps_expected().start().unwrap();
            world.record_hostcalls();
            world.inject(Fault::nth(index, status.code()));
            let Ok(id) = world.add_plugin(loading) else { continue };
            if world.disarm() > 0 {
                return;
            }
            let made = world.hostcalls().get(index).cloned();
            let outcome = world.request(Request::get("/api/orders/1").through(id));
            assert!(!outcome.reached_the_upstream(), "{made:?} failed with {status:?}: {outcome:#?}");
        }
    }
    panic!("more hostcalls while a plugin is loaded than this test counts to");
}

#[test]
fn with_any_one_hostcall_withheld_nothing_denied_is_forwarded() {
    for import in module(&harness::module()).imports() {
        let withheld = plugin(&policy()).withhold(&import);
        match world().plugin(withheld).traps_expected().start() {
            // Envoy refuses the configuration.
            Err(_) => {}
            Ok(mut world) => assert_closed(&everything(&mut world), &format!("without {import}")),
        }
    }
}

/// The callbacks whose absence the filter cannot see, with what takes their place.
fn beyond_the_filter() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("proxy_on_request_headers", "`bearward check` refuses the capabilities, `xtask build` the module"),
        ("proxy_on_request_trailers", "the same: trailers would keep the client's identity headers"),
    ])
}

#[test]
fn with_any_one_callback_missing_or_withheld_nothing_denied_is_forwarded() {
    let lacking: [fn(Plugin, &str) -> Plugin; 2] = [Plugin::withhold, Plugin::without_export];
    for callback in module(&harness::module()).exports() {
        if !callback.starts_with("proxy_on_") || beyond_the_filter().contains_key(callback.as_str()) {
            continue;
        }
        for lack in lacking {
            if let Ok(mut world) = world().plugin(lack(plugin(&policy()), &callback)).traps_expected().start()
            {
                assert_closed(&everything(&mut world), &format!("without {callback}"));
            }
        }
    }
}

#[test]
fn without_the_callback_that_decides_everything_passes_and_that_is_why_the_build_looks_for_it() {
    let mut world = world().plugin(plugin(&policy()).withhold("proxy_on_request_headers")).start().unwrap();
    world.request(Request::get("/api/orders/1")).forwarded();
}
