//! What a list denies, and whether that concerns a token.

use crate::revocations::name::{Name, Named};

/// All entries of a list.
#[derive(Debug, Default)]
pub struct Entries {
    tokens: Named<()>,
    sessions: Named<()>,
    /// Of each user the latest time before which tokens are denied.
    users: Named<u64>,
}

/// What entries look at of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeniableToken<'t> {
    /// Its own name.
    pub jti: Option<&'t str>,
    /// Its session.
    pub sid: Option<&'t str>,
    /// Its claim `sub`.
    pub sub: Option<&'t str>,
    /// Whom the policy makes of it: the same as `sub` unless the policy looks elsewhere. Either names the user.
    pub subject: &'t str,
    /// When it was issued, in seconds since the epoch.
    pub issued_at: Option<u64>,
}

/// Which entry concerns a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// One with its `jti`.
    Token,
    /// One with its `sid`.
    Session,
    /// One with its user, and a time that it was not issued after.
    User {
        /// That time, in seconds since the epoch.
        issued_before: u64,
    },
}

impl Entries {
    /// The entry that concerns a token. Without allocation.
    #[must_use]
    pub fn concerning(&self, token: &DeniableToken<'_>) -> Option<Denied> {
        let names =
            |names: &Named<()>, name: Option<&str>| name.is_some_and(|name| names.get(name).is_some());
        if names(&self.tokens, token.jti) {
            return Some(Denied::Token);
        }
        if names(&self.sessions, token.sid) {
            return Some(Denied::Session);
        }
        let of = |name: &str| self.users.get(name).copied();
        let issued_before = of(token.subject).max(token.sub.and_then(of))?;
        // A token that does not say when it was issued may have been before.
        let is_denied = token.issued_at.is_none_or(|issued_at| issued_at < issued_before);
        is_denied.then_some(Denied::User { issued_before })
    }

    pub(super) fn deny_token(&mut self, jti: &str) {
        self.tokens.insert(Name::of(jti), ());
    }

    pub(super) fn deny_session(&mut self, sid: &str) {
        self.sessions.insert(Name::of(sid), ());
    }

    pub(super) fn deny_user(&mut self, sub: &str, issued_before: u64) {
        let name = Name::of(sub);
        match self.users.get_mut(&name) {
            Some(held) => *held = issued_before.max(*held),
            None => self.users.insert(name, issued_before),
        }
    }

    /// How many there are, each name once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len().saturating_add(self.sessions.len()).saturating_add(self.users.len())
    }

    /// How many tokens, sessions and users there are.
    #[cfg(any(test, feature = "explain"))]
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [self.tokens.len(), self.sessions.len(), self.users.len()]
    }

    /// Whether nothing is denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
