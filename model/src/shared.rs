//! The data that the VMs of a proxy share: a snapshot with what came after it, as signed, and the lease.

use crate::database::Position;
use crate::feed::{FeedKey, Kind, Object};
use crate::mutation::Mutation;
use crate::proxy::{Feed, Vm, apply};
use crate::state::{Lease, State};
use crate::world::{Hostile, World};

/// How long a lease lasts, in ticks.
const LEASE: u8 = 1;

/// Whether a VM may poll: the lease is vacant, over, or its own. A claim is one compare-and-swap.
pub(crate) fn claim(world: &World, state: &mut State, index: usize) -> Option<()> {
    let lease = state.shared.lease.as_ref();
    let is_free = lease.is_none_or(|lease| lease.holder == index || state.now >= lease.until);
    if !is_free && !world.breaks(Mutation::UnconditionalClaim) {
        return None;
    }
    if lease.is_some_and(|lease| lease.holder != index) {
        state.marks.leader_replaced = true;
    }
    state.shared.lease = Some(Lease { holder: index, until: state.now + LEASE });
    state.vms.get_mut(index)?.leads = true;
    Some(())
}

/// Puts what was fetched where the others find it, by compare-and-swap. `false`: what stands there is as new, or does not
/// lead to it; then nothing may be applied.
pub(crate) fn put(world: &World, state: &mut State, index: usize, chain: &[Object]) -> bool {
    let Some(vm) = state.vms.get(index) else { return false };
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return false };
    let there = end(world, vm, &state.shared.chain);
    let renewed = vm.renewal.as_ref().filter(|renewal| renewal.is_whole()).map(|renewal| renewal.with(last));
    match first.kind {
        Kind::Delta { .. } if renewed.is_some() && world.breaks(Mutation::RenewalGoesBack) => {
            state.shared.chain = renewed.unwrap_or_default();
        }
        Kind::Delta { from } => {
            if there.as_ref().is_none_or(|there| there.position != from || there.as_of > last.as_of) {
                // A newer one will be followed. One that is older, or none, leads nowhere: a snapshot takes its place.
                let is_newer = |there: Feed| {
                    vm.feed.as_ref().is_none_or(|held| !goes_back(held, there.position, there.as_of))
                };
                let needs_snapshot = !there.is_some_and(is_newer) && !world.breaks(Mutation::OlderChainKept);
                if let Some(vm) = state.vms.get_mut(index) {
                    vm.needs_snapshot |= needs_snapshot;
                }
                return false;
            }
            if let Some(renewed) = renewed {
                state.marks.renewed = true;
                state.shared.chain = renewed;
                return true;
            }
            if state.shared.chain.last().is_some_and(Object::is_heartbeat) {
                state.shared.chain.pop();
            }
            state.shared.chain.extend_from_slice(chain);
        }
        Kind::Page { .. } => {
            let as_of = chain.iter().map(|object| object.as_of).min().unwrap_or(0);
            let goes_back = there.is_some_and(|there| goes_back(&there, last.head, as_of));
            if goes_back && !world.breaks(Mutation::SharedGoesBack) {
                return false;
            }
            state.shared.chain = chain.to_vec();
        }
    }
    true
}

/// What a follower does when the head has moved, and a VM that was loaded anew before it answers.
pub(crate) fn follow(world: &World, state: &mut State, index: usize) -> Option<()> {
    let is_planted = state.shared.planted && world.breaks(Mutation::KeysOfSharedDataBelieved);
    let holds_lease = state.shared.lease.as_ref().is_some_and(|lease| lease.holder == index);
    let chain = state.shared.chain.clone();
    let vm = state.vms.get_mut(index)?;
    vm.trusts_planted_key |= is_planted;
    vm.leads &= holds_lease;
    let Some(there) = end(world, vm, &chain) else {
        if chain.iter().any(|object| object.signer == FeedKey::Attacker || object.signer == FeedKey::Token) {
            state.marks.forgery_refused = true;
        }
        return Some(());
    };
    match &vm.feed {
        Some(feed) if feed.position == there.position && feed.as_of == there.as_of => return Some(()),
        Some(feed) if goes_back(feed, there.position, there.as_of) => return Some(()),
        Some(_) => {}
        None => state.marks.restored |= !vm.applied.is_empty(),
    }
    vm.paging = None;
    apply(world, state, index, &chain)
}

/// A VM that trapped and is loaded anew.
pub(crate) fn reload(world: &World, state: &mut State, index: usize) -> Option<()> {
    let vm = state.vms.get_mut(index)?;
    let answers = world.breaks(Mutation::AnswersBeforeRestore);
    vm.feed = answers.then(|| Feed { position: Position::default(), as_of: 0, records: Vec::new() });
    vm.paging = None;
    vm.renewal = None;
    vm.needs_snapshot = false;
    vm.leads = world.vms == 1;
    if world.rotations > 0 {
        vm.keys.clear();
    }
    state.spent.reloads += 1;
    Some(())
}

/// What another plugin under the same `vm_id` does.
pub(crate) fn be_hostile(state: &mut State, hostile: Hostile) -> Option<()> {
    state.spent.hostile += 1;
    let forged = |signer| Object {
        signer,
        kind: Kind::Page { number: 1, after: 0, through: state.primary.head.sequence },
        head: state.primary.head,
        as_of: state.now,
        records: Vec::new(),
    };
    match hostile {
        Hostile::Forge => state.shared.chain = vec![forged(FeedKey::Attacker)],
        Hostile::ForgeByTokenKey => state.shared.chain = vec![forged(FeedKey::Token)],
        Hostile::Erase => state.shared.chain.clear(),
        Hostile::TakeLease => {
            state.shared.lease = Some(Lease { holder: usize::MAX, until: state.now + LEASE });
        }
        Hostile::PutBack => {
            let shorter = state.shared.chain.len().checked_sub(1).filter(|length| *length > 0)?;
            state.shared.chain.truncate(shorter);
        }
        Hostile::PlantKey => {
            state.shared.planted = true;
            state.shared.chain = vec![forged(FeedKey::Attacker)];
        }
    }
    Some(())
}

/// Where a chain leads, if it is whole and every signature holds.
fn end(world: &World, vm: &Vm, chain: &[Object]) -> Option<Feed> {
    let is_signed =
        |object: &Object| vm.knows(world, object.signer) || world.breaks(Mutation::SharedBytesBelieved);
    if !chain.iter().all(is_signed) {
        return None;
    }
    let mut through = 0;
    let snapshot = chain.first()?.head;
    let mut head = snapshot;
    for object in chain {
        match object.kind {
            Kind::Page { after, through: next, .. } if after == through && object.head == head => {
                through = next;
            }
            Kind::Delta { from } if from == head && through >= snapshot.sequence => head = object.head,
            _ => return None,
        }
    }
    let last = chain.last().filter(|object| object.is_last())?;
    let as_of = match last.kind {
        Kind::Page { .. } => chain.iter().map(|object| object.as_of).min()?,
        Kind::Delta { .. } => last.as_of,
    };
    Some(Feed { position: head, as_of, records: Vec::new() })
}

/// Whether a position with its time is older than what is held.
fn goes_back(held: &Feed, position: Position, as_of: u8) -> bool {
    let is_same_log = held.position.generation == position.generation;
    as_of < held.as_of
        || (as_of == held.as_of && (!is_same_log || position.sequence < held.position.sequence))
}
