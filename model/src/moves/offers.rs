//! Which things may happen next: within the bounds of the world, some of them without effect.

use super::Action;
use crate::state::State;
use crate::world::{Act, World};

/// What writes, and time.
pub(super) fn writing(world: &World, state: &State, actions: &mut Vec<Action>) {
    let spent = &state.spent;
    if state.now < world.ticks {
        actions.push(Action::TimePasses);
    }
    if world.lowers_life && state.life > 1 {
        actions.push(Action::LifeIsLowered);
    }
    if spent.logins < world.logins {
        actions.extend((0..world.users).map(Action::PasswordIsVerified));
    }
    actions.extend((0..state.logins.len()).map(Action::SessionIsOpened));
    let sessions = || state.primary.sessions.iter().map(|session| session.id);
    if spent.refreshes < world.refreshes {
        actions.extend(sessions().map(Action::SessionIsRefreshed));
    }
    if spent.causes < world.causes {
        for act in world.acts {
            match act {
                Act::Logout => actions.extend(sessions().map(|id| Action::Begins(*act, id))),
                Act::RevokeEverything | Act::RevokeKey => actions.push(Action::Begins(*act, 0)),
                _ => actions.extend((0..world.users).map(|user| Action::Begins(*act, user))),
            }
        }
    }
    actions.extend((0..state.transactions.len()).map(Action::NextStatement));
    if spent.purges < world.purges {
        actions.push(Action::RecordsArePurged);
    }
    if spent.copies < world.copies {
        actions.push(Action::CopyIsTaken);
    }
    if spent.takeovers < world.takeovers && state.copy.is_some() {
        actions.push(Action::CopyTakesOver);
    }
    if spent.forgeries < world.forgeries {
        actions.push(Action::ThiefSignsToken);
    }
}

/// What reads: replicas, VMs, and those who get between.
pub(super) fn reading(world: &World, state: &State, actions: &mut Vec<Action>) {
    let spent = &state.spent;
    for replica in 0..world.replicas {
        actions.push(Action::ReplicaConnects(replica));
        if world.remembers {
            actions.push(Action::ReplicaReads(replica));
        }
    }
    for (vm, row) in state.vms.iter().enumerate() {
        if row.leads {
            actions.extend((0..world.replicas).map(|replica| Action::Polls { vm, replica }));
        }
        if row.leads && spent.late_answers < world.late_answers {
            actions.extend((0..world.replicas).map(|replica| Action::Asks { vm, replica }));
        }
        if world.renews && row.leads {
            let replicas = 0..world.replicas;
            actions.extend(replicas.clone().map(|replica| Action::Renews { vm, replica }));
            if spent.late_answers < world.late_answers {
                actions.extend(replicas.map(|replica| Action::AsksToRenew { vm, replica }));
            }
        }
        if spent.misled < world.misled {
            for replica in 0..world.replicas {
                let rows = 0..=state.primary.log.len();
                actions.extend(rows.map(|row| Action::IsMisled { vm, replica, row }));
            }
        }
        if world.shares {
            actions.push(Action::ReadsShared(vm));
        }
        if world.vms > 1 {
            actions.push(Action::ClaimsLease(vm));
        }
        if spent.reloads < world.reloads {
            actions.push(Action::IsReloaded(vm));
        }
        if row.keys != state.published {
            actions.push(Action::FetchesFeedKeys(vm));
        }
    }
    for answer in 0..state.network.len() {
        actions.push(Action::Arrives { answer });
        if spent.repeats < world.repeats {
            actions.push(Action::ArrivesAndWillAgain { answer });
        }
    }
    if spent.hostile < world.hostile_acts {
        actions.extend(world.hostile.iter().map(|hostile| Action::Intrudes(*hostile)));
    }
    let newest = state.published.last().copied().unwrap_or_default();
    if spent.rotations < world.rotations && newest == state.signing && state.published.len() == 1 {
        actions.push(Action::FeedKeyIsPublished);
    }
    if newest > state.signing {
        actions.push(Action::FeedKeySigns);
    }
    if state.published.len() > 1 && newest == state.signing {
        actions.push(Action::OldFeedKeyIsRetired);
    }
}
