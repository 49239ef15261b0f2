//! Every order of four events around a feed, in virtual time: whatever comes in whichever order, nobody who was revoked is let in
//! again, nobody else is refused, and all is well soon after.

mod log;
mod site;

use std::time::Duration;

use bearward_tests::note::note;

use self::site::Site;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A session ends.
    Revoke,
    /// The question that waits is answered with what is known now, and that comes after the next event.
    Answer,
    /// The question that waits is lost, until its time is over.
    Timeout,
    /// The VM of the first worker traps, and is loaded anew by the next request that may do so.
    Reload,
    /// The VM of the worker that asks traps.
    LeaderDeath,
    /// The log goes on from an earlier point: another generation, a higher epoch.
    Restore,
    /// The feed is signed with its next key.
    KeyRotation,
    /// Another policy for the same feed takes the place of the one before.
    PolicyChange,
}

use Event::{Answer, KeyRotation, LeaderDeath, PolicyChange, Reload, Restore, Revoke, Timeout};

const EVENTS: [Event; 8] = [Revoke, Answer, Timeout, Reload, LeaderDeath, Restore, KeyRotation, PolicyChange];

/// How soon what has ended is refused by both workers, where nothing but this, other keys and other policies happened.
const PROMISED: Duration = Duration::from_secs(1);
/// How soon all is well after any four events.
const RECOVERY: Duration = Duration::from_secs(5);

#[test]
fn any_three_events_after_a_revocation_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(Revoke);
}

#[test]
fn any_three_events_while_an_answer_is_late_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(Answer);
}

#[test]
fn any_three_events_after_a_lost_question_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(Timeout);
}

#[test]
fn any_three_events_after_a_reload_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(Reload);
}

#[test]
fn any_three_events_after_the_death_of_who_asks_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(LeaderDeath);
}

#[test]
fn any_three_events_after_a_restore_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(Restore);
}

#[test]
fn any_three_events_after_a_key_rotation_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(KeyRotation);
}

#[test]
fn any_three_events_after_another_policy_let_nobody_in_again_and_hurt_nobody_else() {
    begun_with(PolicyChange);
}

fn begun_with(first: Event) {
    let (mut longest, mut longest_undisturbed) = (Duration::ZERO, Duration::ZERO);
    for second in EVENTS {
        for third in EVENTS {
            for fourth in EVENTS {
                let order = [first, second, third, fourth];
                if is_undisturbed(&order) {
                    longest_undisturbed = live_through(&order, PROMISED).max(longest_undisturbed);
                } else {
                    longest = live_through(&order, RECOVERY).max(longest);
                }
            }
        }
    }
    note(&format!(
        "orders: 512 that begin with {first:?}: all well after {longest:?} at most, {longest_undisturbed:?} where nothing was \
         disturbed"
    ));
}

/// Whether nobody failed, no question was lost and no answer was late.
fn is_undisturbed(order: &[Event; 4]) -> bool {
    order.iter().all(|event| matches!(event, Revoke | KeyRotation | PolicyChange))
}

/// From an event, the first being 0, to the next: at once, before a follower has looked, after it, and after a lease. Each order has
/// each of them.
fn between(order: &[Event; 4], number: usize) -> Duration {
    const PAUSES_MS: [u64; 4] = [0, 30, 150, 760];
    let begin: usize = order.iter().map(|event| *event as usize).sum();
    Duration::from_millis(PAUSES_MS[(begin + number) % PAUSES_MS.len()])
}

/// How long after the last event everybody who was revoked is refused, and everybody else is let in, by both workers.
fn live_through(order: &[Event; 4], bound: Duration) -> Duration {
    let mut site = Site::start(order);
    for (number, event) in order.iter().enumerate() {
        site.happen(*event, between(order, number));
    }
    site.peace(bound)
}
