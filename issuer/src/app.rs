//! What every request works with.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::api::TrustedProxies;
use crate::feed::Feed;
use crate::hashing::{Hasher, LoginDeadline};
use crate::keys::Keeper;
use crate::refresh::SuccessorKey;
use crate::settings::{PasswordLinkSettings, PasswordSettings, SessionSettings};
use crate::store::{Grant, Lives, Store};
use crate::throttle::Throttle;
use crate::tokens::{IssueError, Tokens};

/// How long the keys may take to be read. A connection that has fallen silent would hold this up for ever, and with it
/// every token.
pub(crate) const RELOAD: Duration = Duration::from_secs(10);

/// Everything that the public interface needs, ready to serve.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) hasher: Hasher,
    pub(crate) login_deadline: LoginDeadline,
    pub(crate) tokens: Tokens,
    pub(crate) successors: SuccessorKey,
    pub(crate) sessions: SessionSettings,
    pub(crate) passwords: PasswordSettings,
    pub(crate) password_links: PasswordLinkSettings,
    /// Of the keys in the database. `None`: tokens are signed with secrets.
    pub(crate) keeper: Option<Keeper>,
    pub(crate) throttle: Throttle,
    pub(crate) proxies: Arc<TrustedProxies>,
    /// Of revocations. `None`: nobody has a credential for it.
    pub(crate) feed: Option<Arc<Feed>>,
}

impl App {
    /// How long lives what a session is given.
    pub(crate) fn lives(&self) -> Lives {
        Lives { access_seconds: self.tokens.life_seconds(), session: self.sessions }
    }

    /// Makes the access token of a session. Never with a key that had been revoked when the session was granted, at whichever
    /// replica: where one was retired since the keys were read, they are read again.
    ///
    /// # Errors
    /// [`IssueError`]
    pub(crate) async fn issue(&self, grant: &Grant) -> Result<String, IssueError> {
        let held = self.tokens.ring();
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !held.knows_of(grant.retired_keys)) {
            let loaded =
                timeout(RELOAD, keeper.load(Some(&held))).await.map_err(|_| IssueError::StaleKeys)?;
            let ring = loaded.map_err(|error| {
                tracing::warn!(cause = %error, "a key was revoked, and those that are left could not be read");
                IssueError::StaleKeys
            })?;
            self.tokens.take_over(ring);
        }
        self.tokens.issue(grant)
    }
}
