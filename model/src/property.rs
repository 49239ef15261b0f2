//! What must hold at every moment, and what must be seen to happen somewhere, or a world would prove nothing.

use stateright::Property;

use crate::moves::Protocol;
use crate::proxy::{Feed, Verdict, Vm};
use crate::recovery::recovers;
use crate::state::{State, Token};

/// No token that a record ended is accepted by a VM that ever applied the record, until the token has expired.
pub const APPLIED: &str = "what an applied record ended is refused until it expires";
/// A VM that claims to be fresh as of a time refuses everything that had ended before.
pub const FRESH: &str = "a claim of freshness holds";
/// Every record of its log up to its position is applied.
pub const NO_GAP: &str = "a position skips no record of its log";
/// A VM whose log forked is not fresh again before it knows.
pub const FORK_NOTICED: &str = "a fork is noticed before anything is fresh again";
/// A token that nothing ended is not refused as revoked.
pub const HONEST: &str = "an honest token is not refused";
/// What was ended yields no token.
pub const NO_VOID_GRANT: &str = "nothing is granted on grounds that have ended";
/// Not by late answers, nor through shared data.
pub const ONWARD: &str = "a claim of freshness never goes back";
/// 409 is for a log that does not hold the position.
pub const NO_NEEDLESS_SNAPSHOT: &str = "nobody is sent to a snapshot whose position is on the log";
/// Wherever the bytes come from.
pub const SIGNED: &str = "nothing is believed that no feed key signed";
/// From every state there is a way back.
pub const RECOVERS: &str = "a proxy that is left alone is fresh again";

/// What must always hold, in every world.
pub const ALWAYS: &[&str] = &[
    APPLIED,
    FRESH,
    NO_GAP,
    FORK_NOTICED,
    HONEST,
    NO_VOID_GRANT,
    ONWARD,
    NO_NEEDLESS_SNAPSHOT,
    SIGNED,
    RECOVERS,
];

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(APPLIED, |model: &Protocol, state: &State| {
            pairs(state).all(|(vm, token)| {
                (0..state.causes.len()).all(|cause| {
                    !has_applied(state, vm, cause)
                        || !state.is_ended_by(token, cause)
                        || vm.judge(&model.world, token, state.now) != Verdict::Accepted
                })
            })
        }),
        Property::always(FRESH, |model: &Protocol, state: &State| {
            pairs(state).all(|(vm, token)| {
                let Some(feed) = &vm.feed else { return true };
                (0..state.causes.len()).all(|cause| {
                    !is_due(state, feed, cause)
                        || !state.is_ended_by(token, cause)
                        || vm.judge(&model.world, token, state.now) != Verdict::Accepted
                })
            })
        }),
        Property::always(NO_GAP, |_, state: &State| feeds(state).all(|feed| has_no_gap(state, feed))),
        Property::always(FORK_NOTICED, |_, state: &State| {
            feeds(state).all(|feed| {
                state.primary.history == 0 || feed.as_of <= state.primary.raised_at || is_on_log(state, feed)
            })
        }),
        Property::always(HONEST, |model: &Protocol, state: &State| {
            pairs(state).all(|(vm, token)| {
                !state.is_honest(token) || vm.judge(&model.world, token, state.now) != Verdict::Revoked
            })
        }),
        Property::always(NO_VOID_GRANT, |_, state: &State| !state.marks.void_grant),
        Property::always(ONWARD, |_, state: &State| !state.marks.claim_went_back),
        Property::always(NO_NEEDLESS_SNAPSHOT, |_, state: &State| !state.marks.needless_conflict),
        Property::always(SIGNED, |_, state: &State| !state.marks.forgery_believed),
        Property::always(RECOVERS, |model: &Protocol, state: &State| recovers(&model.world, state)),
        Property::sometimes("a token is refused by an applied record", |model: &Protocol, state: &State| {
            pairs(state).any(|(vm, token)| vm.judge(&model.world, token, state.now) == Verdict::Revoked)
        }),
        Property::sometimes("a token expires", |model: &Protocol, state: &State| {
            pairs(state).any(|(vm, token)| vm.judge(&model.world, token, state.now) == Verdict::Expired)
        }),
        Property::sometimes(
            "an honest token is accepted after a cause",
            |model: &Protocol, state: &State| {
                pairs(state).any(|(vm, token)| {
                    token.after > 0
                        && state.is_honest(token)
                        && vm.feed.as_ref().is_some_and(|feed| feed.position.sequence > 0)
                        && vm.judge(&model.world, token, state.now) == Verdict::Accepted
                })
            },
        ),
        Property::sometimes("a login is too late", |_, state: &State| state.marks.login_too_late),
        Property::sometimes("a fork is noticed and left behind", |_, state: &State| {
            feeds(state).any(|feed| state.primary.history > 0 && feed.as_of > state.primary.raised_at)
                && state.marks.conflict
        }),
        Property::sometimes("a fork is unknown to a proxy that applied what was lost", |_, state: &State| {
            feeds(state)
                .any(|feed| feed.position.generation < state.primary.generation && feed.position.sequence > 0)
        }),
        Property::sometimes("a snapshot of two pages is taken", |_, state: &State| state.marks.two_pages),
        Property::sometimes("a chain is renewed", |_, state: &State| state.marks.renewed),
        Property::sometimes("a leader is replaced", |_, state: &State| state.marks.leader_replaced),
        Property::sometimes("two lead", |_, state: &State| {
            state.vms.iter().filter(|vm| vm.leads).count() > 1
        }),
        Property::sometimes("a VM that was loaded anew answers out of shared data", |_, state: &State| {
            state.marks.restored
        }),
        Property::sometimes("a forgery is refused", |_, state: &State| state.marks.forgery_refused),
        Property::sometimes("a feed key is unknown", |_, state: &State| state.marks.key_unknown),
        Property::sometimes("a VM goes on under a new feed key", |_, state: &State| {
            state.signing > 0 && feeds(state).any(|feed| feed.position.sequence > 0)
        }),
        Property::sometimes("a replica that has not read says nothing", |_, state: &State| state.marks.blind),
        Property::sometimes("a late answer is left alone", |_, state: &State| state.marks.late_ignored),
        Property::sometimes("a record is forgotten", |model: &Protocol, state: &State| {
            feeds(state).any(|feed| {
                let now = state.now.saturating_sub(model.world.behind);
                feed.records.iter().any(|record| record.has_ended(now))
            })
        }),
        Property::sometimes("a thief's token is refused", |model: &Protocol, state: &State| {
            pairs(state).any(|(vm, token)| {
                token.forged && vm.judge(&model.world, token, state.now) == Verdict::Revoked
            })
        }),
    ]
}

fn pairs(state: &State) -> impl Iterator<Item = (&Vm, &Token)> {
    state.vms.iter().flat_map(|vm| state.tokens.iter().map(move |token| (vm, token)))
}

fn feeds(state: &State) -> impl Iterator<Item = &Feed> {
    state.vms.iter().filter_map(|vm| vm.feed.as_ref())
}

fn has_applied(state: &State, vm: &Vm, cause: usize) -> bool {
    let record = state.causes.get(cause).and_then(|cause| cause.record);
    record.is_some_and(|record| vm.applied.contains(&record))
}

/// Whether a claim of freshness covers a cause.
fn is_due(state: &State, feed: &Feed, cause: usize) -> bool {
    !state.is_lost(cause) && state.causes.get(cause).is_some_and(|cause| cause.at < feed.as_of)
}

fn has_no_gap(state: &State, feed: &Feed) -> bool {
    let mut rows = state.primary.log.iter().filter(|row| row.sequence <= feed.position.sequence);
    let on_log = state.primary.holds(feed.position);
    !on_log || rows.all(|row| row.record.has_ended(state.now) || feed.records.contains(&row.record))
}

fn is_on_log(state: &State, feed: &Feed) -> bool {
    let position = feed.position;
    // The row of a position may have been purged.
    let is_purged = || {
        position.generation == state.primary.generation
            && position.sequence < state.primary.head.sequence
            && state.primary.log.iter().all(|row| row.sequence != position.sequence)
    };
    state.primary.holds(position) || is_purged()
}
