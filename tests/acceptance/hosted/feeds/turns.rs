//! Who of several workers, and of several configurations of one VM, asks the issuer; what another asked for is not mixed in.

use bearward_testhost::{PluginId, World};
use serde_json::Value;

use super::{
    Issuer, Mode, PAGE_MS, STEP_MS, Shared, WAIT_MS, advance, following, of_session, reason, started,
    started_with, with_credential,
};
use crate::hosted::gate::{order, plugin, plugin_of, trap_module};

#[test]
fn a_worker_to_which_requests_come_asks_and_not_one_that_has_none_as_the_main_thread_which_may_be_busy() {
    let (mut world, issuer) = started(2);
    advance(&mut world, &issuer, 300);
    let leaders = |world: &World| world.metric("bearward_feed_leaders.issuer.bearward");
    assert_eq!(leaders(&world), Some(1), "the first to come");
    world.request(order().on_worker(1));
    advance(&mut world, &issuer, 100);
    assert_eq!(leaders(&world), Some(2));
    world.request(order().on_worker(0));
    advance(&mut world, &issuer, 3_000);
    assert_eq!(leaders(&world), Some(2), "both serve now, and it stays where it is");
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, WAIT_MS + 200);
    for worker in 0..2 {
        assert_eq!(reason(&mut world, order().on_worker(worker)), "token_revoked");
    }
}

#[test]
fn a_page_that_comes_after_another_worker_has_begun_to_ask_is_not_mixed_with_those_of_that_one() {
    let issuer = Issuer::new();
    issuer.borrow_mut().mode = Mode::Paged;
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    let asked = |issuer: &Shared| issuer.borrow().questions.len();
    while asked(&issuer) < 2 {
        advance(&mut world, &issuer, STEP_MS);
    }
    // The second page is under way to the first to ask. From now on another worker asks, and of a longer log.
    issuer.borrow_mut().end_session("sid-4");
    advance(&mut world, &issuer, PAGE_MS / 2);
    world.request(order().on_worker(1));
    while asked(&issuer) < 3 {
        advance(&mut world, &issuer, STEP_MS);
    }
    assert!(!issuer.borrow().questions[2].contains("after="), "{:?}", issuer.borrow().questions);
    while asked(&issuer) < 4 {
        let data = world.shared_data("bearward");
        let page = |key: &[u8]| key.ends_with(b".page.1");
        assert!(!data.iter().any(|(key, _)| page(key)), "written by whoever does not ask any more");
        advance(&mut world, &issuer, STEP_MS);
    }
    advance(&mut world, &issuer, 10 * PAGE_MS);
    assert_eq!(reason(&mut world, of_session("sid-4")), "token_revoked");
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.page").unwrap_or(0), 0);
}

#[test]
fn a_worker_that_could_verify_nothing_leaves_the_questions_to_others() {
    let issuer = Issuer::new();
    // Those of the main thread, which has a VM, too, and of the first worker.
    issuer.borrow_mut().keys_away = 2;
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    advance(&mut world, &issuer, 200);
    assert!(!issuer.borrow().questions.is_empty(), "nobody asks");
    advance(&mut world, &issuer, 1_000);
    assert_eq!(reason(&mut world, order().on_worker(0)), "forwarded");
    assert_eq!(reason(&mut world, order().on_worker(1)), "forwarded");
}

#[test]
fn a_configuration_that_goes_hands_the_questions_on_at_once_and_nobody_meets_a_503() {
    let (mut world, issuer) = started(1);
    advance(&mut world, &issuer, 300);
    let mut changed = following();
    changed["policies"][0]["rules"][0]["name"] = "menu-of-the-day".into();
    let new = world.add_plugin(with_credential(plugin(&changed))).unwrap();
    assert_eq!(reason(&mut world, order().through(new)), "forwarded", "the VM knows what it knew");
    advance(&mut world, &issuer, 100);
    world.remove_plugin(PluginId::FIRST);
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 200);
    assert_eq!(reason(&mut world, order().through(new)), "token_revoked");
}

#[test]
fn where_the_worker_that_asked_is_dead_another_asks_within_a_second() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    advance(&mut world, &issuer, 300);
    for worker in 0..2 {
        assert_eq!(
            world.request(order().header("x-bearward-trap", "now").on_worker(worker)).status(),
            Some(503)
        );
        issuer.borrow_mut().end_session(&format!("sid-{}", worker + 1));
        advance(&mut world, &issuer, 1_000);
        let other = 1 - worker;
        let ended = format!("sid-{}", worker + 1);
        assert_eq!(
            reason(&mut world, of_session(&ended).on_worker(other)),
            "token_revoked",
            "{worker} is dead"
        );
        // It is loaded anew by the next request, and takes what was left to it.
        world.request(order().on_worker(worker));
        advance(&mut world, &issuer, 300);
        assert_eq!(reason(&mut world, of_session(&ended).on_worker(worker)), "token_revoked");
        assert_eq!(reason(&mut world, of_session("sid-3").on_worker(worker)), "forwarded");
    }
}

/// Both are configurations of one VM, as two listeners have them.
#[test]
fn who_asks_in_vain_leaves_it_to_who_can() {
    let mut wrong = following();
    wrong["issuers"]["bearward"]["revocations"]["credential_env"] = "OTHER".into();
    let both = |policy: &Value| {
        with_credential(plugin(policy)).environment("OTHER", "another-credential-of-nobody-at-all")
    };
    let (mut world, issuer) = started_with(1, both(&wrong), Issuer::new());
    let good = world.add_plugin(both(&following())).unwrap();
    advance(&mut world, &issuer, 6_000);
    assert!(issuer.borrow().refused > 0, "the other one does not ask");
    assert_eq!(reason(&mut world, order().through(good)), "forwarded");
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 6_000);
    assert_eq!(reason(&mut world, order().through(good)), "token_revoked");
    assert_eq!(reason(&mut world, order()), "token_revoked", "what one has learnt the VM knows");
}

/// Both are configurations of one VM, as two listeners have them: one asks, the other has no lease.
#[test]
fn a_snapshot_of_several_pages_is_taken_where_a_vm_has_two_configurations() {
    let issuer = Issuer::new();
    issuer.borrow_mut().mode = Mode::Paged;
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(1, with_credential(plugin(&following())), issuer);
    let mut changed = following();
    changed["policies"][0]["rules"][0]["name"] = "menu-of-the-day".into();
    let second = world.add_plugin(with_credential(plugin(&changed))).unwrap();
    advance(&mut world, &issuer, 30_000);
    assert_eq!(reason(&mut world, of_session("sid-4")), "forwarded");
    assert_eq!(reason(&mut world, of_session("sid-4").through(second)), "forwarded");
}

/// The first page is under way to who asked first, and has begun no snapshot yet, when another takes the lease.
#[test]
fn a_first_page_that_comes_late_is_not_written_over_that_of_another_worker() {
    let issuer = Issuer::new();
    (issuer.borrow_mut().mode, issuer.borrow_mut().page_ms) = (Mode::Paged, 400);
    (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
    let (mut world, issuer) = started_with(2, with_credential(plugin(&following())), issuer);
    let asked = |issuer: &Shared| issuer.borrow().questions.len();
    while asked(&issuer) < 1 {
        advance(&mut world, &issuer, STEP_MS);
    }
    issuer.borrow_mut().end_session("sid-4");
    issuer.borrow_mut().page_ms = PAGE_MS;
    advance(&mut world, &issuer, PAGE_MS / 2);
    // Page 0 of three records is under way. Another worker takes the lease and asks.
    world.request(order().on_worker(1));
    advance(&mut world, &issuer, 30 * PAGE_MS);
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.page").unwrap_or(0), 0);
}

/// Nothing has trapped: two that came back lost the race for the mark's compare-and-swap four times.
#[test]
fn a_mark_that_could_not_be_taken_away_gives_up_no_chain() {
    let trapping = with_credential(plugin_of(&trap_module(), &following()));
    let (mut world, issuer) = started_with(2, trapping, Issuer::new());
    issuer.borrow_mut().end_session("sid-1");
    advance(&mut world, &issuer, 2_000);
    issuer.borrow_mut().mode = Mode::Silent;
    for reload in 0..3 {
        world.request(order().header("x-bearward-trap", "now").on_worker(0));
        advance(&mut world, &issuer, 1_500);
        if reload < 2 {
            // Enter and leave for the keys, enter for the first object; then four times leave.
            for index in 3..7 {
                world.inject(bearward_testhost::Fault::nth_of(
                    "proxy_set_shared_data",
                    index,
                    bearward_testhost::Status::CasMismatch.code(),
                ));
            }
        }
        world.request(order().on_worker(0));
        assert_eq!(world.disarm(), 0, "all were played");
    }
    assert_eq!(world.traps().len(), 3, "those that were told to: {:?}", world.traps());
    assert_eq!(world.metric("bearward_feed_refusals.issuer.bearward.reason.trapped").unwrap_or(0), 0);
}

/// Who asks has not ticked for longer than its lease. Another one has asked meanwhile, under the next term, and has given the lease
/// back (or died): the first one claims it again without having seen that. At several moments, so that it is the first to look.
#[test]
fn who_finds_that_another_has_led_meanwhile_begins_its_snapshot_anew() {
    for steps in 0..8 {
        let issuer = Issuer::new();
        issuer.borrow_mut().mode = Mode::Paged;
        (1..=3).for_each(|number| issuer.borrow_mut().end_session(&format!("sid-{number}")));
        let (mut world, issuer) = started_with(1, with_credential(plugin(&following())), issuer);
        let asked = |issuer: &Shared| issuer.borrow().questions.len();
        while asked(&issuer) < 2 {
            advance(&mut world, &issuer, STEP_MS);
        }
        advance(&mut world, &issuer, steps * STEP_MS);
        let shared = world.shared_data("bearward");
        let (key, lease) = shared.into_iter().find(|(key, _)| key.ends_with(b".lease")).unwrap();
        let term = u64::from_le_bytes(lease[2..10].try_into().unwrap());
        let mut released = vec![2, 0];
        released.extend((term + 1).to_le_bytes());
        released.extend(0_u64.to_le_bytes());
        world.set_shared_data("bearward", &key, &released);
        while asked(&issuer) < 3 {
            advance(&mut world, &issuer, STEP_MS);
        }
        let questions = &issuer.borrow().questions;
        assert!(!questions[2].contains("after="), "after {steps} steps: {questions:?}");
    }
}
