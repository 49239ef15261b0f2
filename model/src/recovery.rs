//! Whether a proxy that is left alone gets well: from any state, with nothing in its way, it is fresh after some polls.

use crate::moves::poll;
use crate::state::State;
use crate::world::World;
use crate::{issuer, shared};

/// How long until every lease is over.
const PAUSE: u8 = 2;
/// A 409 and a snapshot of every record of a small world, a page each.
const POLLS: usize = 8;

/// Nothing else happens any more: the replicas connect and read, each VM in turn fetches keys, claims the lease and polls.
pub(crate) fn recovers(world: &World, before: &State) -> bool {
    let mut state = before.clone();
    for vm in 0..world.vms {
        state.now += PAUSE;
        for replica in 0..world.replicas {
            issuer::connect(world, &mut state, replica);
            // Twice, where one had stopped half-way; as often again to have a time of now.
            for _ in 0..3 {
                issuer::read(world, &mut state, replica);
            }
        }
        let published = state.published.clone();
        let Some(row) = state.vms.get_mut(vm) else { return false };
        row.keys = published;
        shared::follow(world, &mut state, vm);
        shared::claim(world, &mut state, vm);
        for _ in 0..POLLS {
            poll(world, &mut state, vm, 0);
        }
        let row = state.vms.get(vm);
        let is_fresh = row
            .and_then(|row| row.feed.as_ref())
            .is_some_and(|feed| feed.position == state.primary.head && feed.as_of + PAUSE > state.now);
        if !is_fresh {
            return false;
        }
    }
    true
}
