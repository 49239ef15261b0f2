//! The causes that end tokens, each in one transaction with its record.
//!
//! A transaction's effects are seen when it commits; until then it holds the rows that it has locked. In worlds that look
//! at statements each is a step, in all others a transaction is one.

use crate::database::{LEEWAY, MARGIN, Record, What};
use crate::mutation::Mutation;
use crate::state::{Cause, CauseKind, Grounds, State};
use crate::world::{Act, World};
use crate::writing::open_session;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Transaction {
    act: Act,
    /// The user, session or key.
    target: u8,
    stage: Stage,
    /// Taken in the last statement before COMMIT, by an update that locks the head's row.
    number: Option<u8>,
    greatest_exp: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Has locked the row of the user, or of the one session.
    Begun,
    /// Has locked the sessions that it ends, and read the greatest `exp` among the user's.
    SessionsRead,
    Numbered,
}

impl Act {
    fn user(self, target: u8) -> Option<u8> {
        match self {
            Self::Logout | Self::RevokeEverything | Self::RevokeKey => None,
            _ => Some(target),
        }
    }
}

/// The first statement of a cause.
pub(crate) fn begin(world: &World, state: &mut State, act: Act, target: u8) -> Option<()> {
    let numbered_first =
        world.breaks(Mutation::NumberOutsideOfTransaction) || world.breaks(Mutation::NumberFirst);
    let is_possible = match act {
        Act::Logout => {
            let session = state.primary.sessions.iter().find(|session| session.id == target)?;
            !session.ended && !is_session_locked(state, target)
        }
        Act::RevokeEverything | Act::RevokeKey => true,
        _ => {
            let user = state.primary.user(target)?;
            let fits = if act == Act::Enable { !user.enabled } else { user.enabled };
            fits && !is_locked(state, target)
        }
    };
    if !is_possible || (world.breaks(Mutation::NumberFirst) && is_head_locked(state)) {
        return None;
    }
    let number = numbered_first.then(|| next_number(state));
    let transaction = Transaction { act, target, stage: Stage::Begun, number, greatest_exp: None };
    state.transactions.push(transaction);
    state.spent.causes += 1;
    if !world.statements {
        let last = state.transactions.len() - 1;
        while state.transactions.len() > last {
            step(world, state, last)?;
        }
    }
    Some(())
}

/// The next statement, or COMMIT.
pub(crate) fn step(world: &World, state: &mut State, index: usize) -> Option<()> {
    let mut transaction = state.transactions.get(index)?.clone();
    match transaction.stage {
        Stage::Begun => {
            if let Some(user) = transaction.act.user(transaction.target) {
                let waits = state
                    .primary
                    .sessions
                    .iter()
                    .any(|session| session.user == user && is_session_locked(state, session.id));
                if waits {
                    return None;
                }
                transaction.greatest_exp = state.primary.greatest_exp(user);
            }
            transaction.stage = Stage::SessionsRead;
        }
        Stage::SessionsRead => {
            if transaction.number.is_none() {
                if is_head_locked(state) {
                    return None;
                }
                transaction.number = Some(next_number(state));
            }
            transaction.stage = Stage::Numbered;
        }
        Stage::Numbered => {
            state.transactions.remove(index);
            commit(world, state, &transaction);
            return Some(());
        }
    }
    *state.transactions.get_mut(index)? = transaction;
    Some(())
}

/// Raises what ends everything that was granted before. Strictly greater than every epoch that was ever given out, also
/// by a history that is lost: so by the clock, and not by counting what this database remembers.
pub(crate) fn raise_epoch(world: &World, state: &mut State) -> Record {
    let counted = state.primary.epoch + 1;
    let by_clock = 10 * (state.now + 1);
    let minimum = if world.breaks(Mutation::EpochByCounting) { counted } else { counted.max(by_clock) };
    // What the database remembers of tokens says nothing of those that a lost history gave out.
    let greatest = state.primary.sessions.iter().map(|session| session.greatest_exp).max();
    let greatest = match greatest {
        greatest if world.breaks(Mutation::EpochEndsByKnownTokens) => greatest.unwrap_or(0),
        _ => state.now + world.life,
    };
    state.primary.epoch = minimum;
    record(world, state, What::Epoch { minimum }, greatest)
}

fn commit(world: &World, state: &mut State, transaction: &Transaction) {
    let target = transaction.target;
    let mut greatest_exp = transaction.greatest_exp;
    let version = state.primary.user(target).map_or(0, |user| user.version + 1);
    let mut what = Some(What::Subject { user: target, minimum: version, gone: false });
    let mut kind = CauseKind::Grounds { user: target, version };
    match transaction.act {
        Act::Logout => {
            if let Some(session) = state.primary.session_mut(target) {
                session.ended = true;
                greatest_exp = Some(session.greatest_exp);
            }
            what = Some(What::Session { id: target });
            kind = CauseKind::Logout { session: target };
        }
        Act::ChangePassword => raise(state, target, true),
        Act::LogOutEverywhere => raise(state, target, true),
        Act::ChangeRoles => {
            raise(state, target, false);
            kind = CauseKind::Claims { user: target, version };
        }
        Act::Disable | Act::Delete => {
            if world.breaks(Mutation::DisableWithoutVersion) {
                end_sessions(state, target);
                what = None;
            } else {
                raise(state, target, true);
                what = Some(What::Subject { user: target, minimum: version, gone: true });
            }
            if let Some(user) = state.primary.user_mut(target) {
                user.enabled = false;
            }
        }
        Act::Enable => {
            if let Some(user) = state.primary.user_mut(target) {
                user.enabled = true;
            }
            return;
        }
        Act::RevokeEverything => {
            let record = raise_epoch(world, state);
            append(state, transaction.number, Some(record), CauseKind::Everything);
            return;
        }
        Act::RevokeKey => {
            what = Some(What::Key { kid: target });
            kind = CauseKind::Key { kid: target };
            // Written whether there are tokens or not: the thief's are nowhere written down.
            let greatest = state.primary.sessions.iter().map(|session| session.greatest_exp).max();
            greatest_exp = Some(greatest.unwrap_or(state.now));
        }
    }
    if transaction.act == Act::ChangePassword {
        // A password is never the one of before, nor that of a change which was lost.
        let password = u8::try_from(state.causes.len()).unwrap_or(u8::MAX) + 1;
        if let Some(user) = state.primary.user_mut(target) {
            user.password = password;
        }
    }
    let record = match (what, greatest_exp) {
        (Some(what), Some(greatest_exp)) => Some(record(world, state, what, greatest_exp)),
        _ => None,
    };
    append(state, transaction.number, record, kind);
    if transaction.act == Act::ChangePassword {
        let grounds = Grounds { version, history: state.primary.history };
        open_session(state, target, grounds);
    }
    if transaction.act == Act::Delete {
        state.primary.sessions.retain(|session| session.user != target);
        if let Some(user) = state.primary.user_mut(target) {
            user.password = u8::MAX;
        }
    }
}

fn record(world: &World, state: &State, what: What, greatest_exp: u8) -> Record {
    let greatest_exp = match what {
        What::Session { .. } | What::Subject { .. } if world.breaks(Mutation::EndsByCurrentLife) => {
            state.now + state.life
        }
        _ => greatest_exp,
    };
    let margin = if world.breaks(Mutation::NoMargin) { 0 } else { MARGIN };
    // Whoever has the key writes any `exp` into a token.
    let is_for_ever = matches!(what, What::Key { .. }) && !world.breaks(Mutation::KeyRecordsEnd);
    let ends_at = (!is_for_ever).then_some(greatest_exp + LEEWAY + margin);
    Record { what, epoch: state.primary.epoch, ends_at, written_at: state.now }
}

fn append(state: &mut State, number: Option<u8>, record: Option<Record>, kind: CauseKind) {
    if let (Some(number), Some(record)) = (number, record) {
        state.primary.append(number, record);
    }
    let history = state.primary.history;
    state.primary.causes |= 1 << state.causes.len();
    state.causes.push(Cause { kind, at: state.now, history, record });
}

fn raise(state: &mut State, user: u8, ends_sessions: bool) {
    if let Some(user) = state.primary.user_mut(user) {
        user.version += 1;
    }
    if ends_sessions {
        end_sessions(state, user);
    }
}

fn end_sessions(state: &mut State, user: u8) {
    for session in state.primary.sessions.iter_mut().filter(|session| session.user == user) {
        session.ended = true;
    }
}

pub(crate) fn is_locked(state: &State, user: u8) -> bool {
    state.transactions.iter().any(|transaction| transaction.act.user(transaction.target) == Some(user))
}

pub(crate) fn is_session_locked(state: &State, session: u8) -> bool {
    state
        .transactions
        .iter()
        .any(|transaction| transaction.act == Act::Logout && transaction.target == session)
}

fn is_head_locked(state: &State) -> bool {
    state.transactions.iter().any(|transaction| transaction.number.is_some())
}

fn next_number(state: &State) -> u8 {
    let taken = state.transactions.iter().filter_map(|transaction| transaction.number).max().unwrap_or(0);
    taken.max(state.primary.head.sequence) + 1
}
