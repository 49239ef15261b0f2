//! What every request works with.

use crate::hashing::{Hasher, LoginDeadline};
use crate::settings::PasswordSettings;
use crate::store::Store;
use crate::tokens::Tokens;

/// Everything that the public interface needs, ready to serve.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) hasher: Hasher,
    pub(crate) login_deadline: LoginDeadline,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: PasswordSettings,
}
