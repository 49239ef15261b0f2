//! What every request works with.

use std::sync::Arc;

use crate::api::TrustedProxies;
use crate::feed::Feed;
use crate::hashing::{Hasher, LoginDeadline};
use crate::keys::Keeper;
use crate::refresh::SuccessorKey;
use crate::settings::{PasswordLinkSettings, PasswordSettings, SessionSettings};
use crate::store::{Lives, Store};
use crate::throttle::Throttle;
use crate::tokens::Tokens;

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
}
