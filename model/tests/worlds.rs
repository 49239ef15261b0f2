//! The protocol as it is to be built, in every world, with every order of events.

use bearward_model::check::{explore, is_longer_run};
use bearward_model::world::World;
use bearward_model::worlds::*;

#[test]
fn statements_in_every_order() {
    holds(&WRITING);
}

#[test]
fn records_are_numbered_in_the_order_of_commits() {
    holds(&NUMBERING);
}

#[test]
fn a_fork_skips_no_record() {
    holds(&FORKS);
}

#[test]
fn replicas_that_differ_mislead_nobody() {
    holds(&REPLICAS);
}

#[test]
fn a_backup_may_be_restored_twice() {
    holds(&RESTORES);
}

#[test]
fn an_unnoticed_restore_forgets_no_applied_record() {
    holds(&UNNOTICED);
}

#[test]
fn no_claim_of_freshness_is_wrong() {
    holds(&FRESHNESS);
}

#[test]
fn a_snapshot_of_pages_is_whole() {
    holds(&PAGES);
}

#[test]
fn no_reload_forgets_what_was_applied_though_two_lead() {
    holds(&LEASE);
}

#[test]
fn a_chain_is_renewed_while_it_grows_and_nothing_is_forgotten() {
    holds(&RENEWAL);
}

#[test]
fn whoever_is_in_the_network_makes_nobody_fresh_by_old_pages() {
    holds(&MISLED);
}

#[test]
fn nothing_forged_in_shared_data_is_believed() {
    holds(&SHARING);
}

#[test]
fn an_intruder_that_puts_old_data_back_is_survived() {
    holds(&INTRUDED);
}

#[test]
fn a_new_feed_key_interrupts_nothing() {
    holds(&ROTATION);
}

#[test]
fn no_record_ends_before_its_tokens() {
    holds(&EXPIRY);
}

#[test]
fn all_of_it_holds_in_larger_worlds_where_there_is_time() {
    if is_longer_run() {
        LARGE_WORLDS.iter().for_each(holds);
    }
}

fn holds(world: &World) {
    let explored = explore(world);
    for (property, path) in &explored.broken {
        assert!(world.gives_up.contains(property), "{}: it is not so that {property}:{path}", world.name);
    }
    for expected in world.gives_up {
        let is_broken = explored.broken.iter().any(|(property, _)| property == expected);
        assert!(is_broken, "{}: after all, {expected}", world.name);
    }
    for expected in world.shows {
        assert!(explored.seen.contains(expected), "{}: it is never seen that {expected}", world.name);
    }
}
