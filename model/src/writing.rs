//! Logins and refreshes: what grants tokens.

use crate::causes::{is_locked, is_session_locked};
use crate::database::Session;
use crate::mutation::Mutation;
use crate::state::{CauseKind, Grounds, State, Token};
use crate::world::World;

/// A login that has verified a password and is still to open its session: hashing takes long.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Login {
    pub(crate) user: u8,
    password: u8,
    grounds: Grounds,
}

/// Reads what the password is verified against.
pub(crate) fn verify(state: &mut State, user: u8) -> Option<()> {
    let row = state.primary.user(user).filter(|row| row.enabled)?;
    let grounds = Grounds { version: row.version, history: state.primary.history };
    state.logins.push(Login { user, password: row.password, grounds });
    state.spent.logins += 1;
    Some(())
}

/// The statement that opens a session: it waits for whoever holds the user's row.
pub(crate) fn open(world: &World, state: &mut State, index: usize) -> Option<()> {
    let login = state.logins.get(index)?.clone();
    if is_locked(state, login.user) {
        return None;
    }
    state.logins.remove(index);
    let row = state.primary.user(login.user)?;
    let unchanged = row.enabled && row.password == login.password && row.version == login.grounds.version;
    if unchanged || world.breaks(Mutation::LoginUnchecked) {
        open_session(state, login.user, login.grounds);
    } else {
        state.marks.login_too_late = true;
    }
    Some(())
}

/// One statement; it waits for whoever holds the row of the user or of the session.
pub(crate) fn refresh(world: &World, state: &mut State, id: u8) -> Option<()> {
    let from_epoch = state.primary.sessions_from_epoch;
    let session = state.primary.sessions.iter().find(|session| session.id == id)?.clone();
    if session.ended || is_locked(state, session.user) || is_session_locked(state, id) {
        return None;
    }
    if session.epoch < from_epoch && !world.breaks(Mutation::SessionsOutliveForks) {
        return None;
    }
    let user = state.primary.user(session.user).filter(|user| user.enabled)?;
    let version = user.version;
    state.spent.refreshes += 1;
    grant(state, &session, version);
    Some(())
}

pub(crate) fn open_session(state: &mut State, user: u8, grounds: Grounds) {
    let id = state.next_session;
    state.next_session += 1;
    let epoch = state.primary.epoch;
    let session = Session { id, user, greatest_exp: 0, ended: false, epoch, grounds };
    state.primary.sessions.push(session.clone());
    let version = state.primary.user(user).map_or(0, |user| user.version);
    grant(state, &session, version);
}

fn grant(state: &mut State, session: &Session, version: u8) {
    let expires_at = state.now + state.life;
    if let Some(session) = state.primary.session_mut(session.id) {
        session.greatest_exp = session.greatest_exp.max(expires_at);
    }
    let token = Token {
        user: session.user,
        session: session.id,
        version,
        epoch: state.primary.epoch,
        issued_at: state.now,
        expires_at,
        kid: 0,
        forged: false,
        grounds: session.grounds,
        after: u8::try_from(state.causes.len()).unwrap_or(u8::MAX),
    };
    // A key's end is its operator's to follow up; a token says nothing of it.
    let is_void = (0..state.causes.len()).any(|cause| {
        !matches!(state.causes.get(cause).map(|cause| cause.kind), Some(CauseKind::Key { .. }))
            && state.is_ended_by(&token, cause)
    });
    state.marks.void_grant |= is_void;
    state.tokens.push(token);
}
