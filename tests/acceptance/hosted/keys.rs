//! The keys' life over reloads, workers and configurations.

use std::time::Duration;

use bearward_testhost::{Answer, PluginId, Request, Thread};

use crate::hosted::gate::{KEYS_FETCHED, NOW, order, plugin, plugin_of, policy, token, trap_module, world};

#[test]
fn a_vm_that_trapped_comes_back_with_the_keys_that_were_shared() {
    let trapping = plugin_of(&trap_module(), &policy());
    let mut world = world().plugin(trapping).traps_expected().start().unwrap();
    world.advance(KEYS_FETCHED);
    world.request(order()).forwarded();
    // From now on the issuer is away: keys can only come out of shared data.
    world.set_cluster("issuer", |_| Answer::Unreachable);
    world.advance(Duration::from_secs(2));

    let trapped = world.request(order().header("x-bearward-trap", "now"));
    assert_eq!((trapped.status(), trapped.reached_the_upstream()), (Some(503), false), "{trapped:#?}");
    // It was loaded long ago: the next request finds a new VM, and is judged.
    world.request(order()).forwarded();
    assert_eq!(world.request(Request::get("/api/orders/1")).status(), Some(401));
    assert_eq!(world.traps().len(), 1);
}

#[test]
fn a_vm_that_traps_twice_in_a_second_stays_closed_until_the_second_is_over() {
    let trapping = plugin_of(&trap_module(), &policy());
    let mut world = world().plugin(trapping).traps_expected().start().unwrap();
    world.advance(Duration::from_secs(2));
    for _ in 0..2 {
        world.request(order().header("x-bearward-trap", "now"));
    }
    let closed = world.request(Request::get("/api/menu"));
    assert_eq!(closed.local_response().details, "wasm_fail_stream");
    world.advance(Duration::from_secs(1));
    world.request(Request::get("/api/menu")).forwarded();
}

#[test]
fn a_worker_that_has_no_keys_yet_takes_those_that_another_has_shared() {
    let mut world = world().plugin(plugin(&policy())).workers(2).start().unwrap();
    world.advance(KEYS_FETCHED);
    world.set_cluster("issuer", |_| Answer::Never);
    for worker in [0, 1] {
        world.request(order().on_worker(worker)).forwarded();
    }
}

#[test]
fn a_new_configuration_in_the_same_vm_answers_no_cold_503() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    let mut changed = policy();
    changed["policies"][0]["rules"][0]["name"] = "menu-of-the-day".into();
    world.set_cluster("issuer", |_| Answer::Never);
    let new = world.add_plugin(plugin(&changed)).unwrap();
    // Both are alive: streams that began under the old one end under it.
    world.request(order()).forwarded();
    world.request(order().through(new)).forwarded();
    world.remove_plugin(PluginId::FIRST);
    world.request(order().through(new)).forwarded();
    assert_eq!(world.contexts(Thread::Worker(0), new), Some(1), "the old root context is gone");
}

#[test]
fn an_answer_that_comes_after_its_configuration_ended_harms_nothing() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.set_cluster("issuer", |_| Answer::After(500, crate::hosted::gate::jwks()));
    world.advance(Duration::from_millis(100));
    let mut changed = policy();
    changed["policies"][0]["name"] = "other".into();
    let new = world.add_plugin(plugin(&changed)).unwrap();
    world.remove_plugin(PluginId::FIRST);
    world.advance(Duration::from_millis(1_000));
    world.request(order().through(new)).forwarded();
}

#[test]
fn a_policy_that_is_refused_does_not_load() {
    let mut broken = policy();
    broken["policies"][0]["rules"][1]["acess"] = "public".into();
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    let refused = world.add_plugin(plugin(&broken)).unwrap_err();
    assert!(refused.to_string().contains("acess"), "{refused}");
}

#[test]
fn streams_leave_nothing_behind() {
    let mut world = world().plugin(plugin(&policy())).start().unwrap();
    world.advance(KEYS_FETCHED);
    let expired = token(|claims| claims["exp"] = (NOW - 1).into());
    let requests = [order(), Request::get("/api/menu"), Request::get("/api/orders/1").bearer(&expired)];
    let mut run = |count| {
        for at in 0..count {
            world.request(requests[at % requests.len()].clone());
        }
        world.memory_bytes(Thread::Worker(0), PluginId::FIRST).unwrap()
    };
    let (early, late) = (run(200), run(2_000));
    assert_eq!(early, late, "memory in bytes, after 200 requests and 2,000 more");
    assert_eq!(world.contexts(Thread::Worker(0), PluginId::FIRST), Some(1));
}
