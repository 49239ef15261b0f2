//! Authentication events: who did what, from where, with which result. Each is a row in the database and a line of the
//! log. Neither ever holds a password, a token, an e-mail address or a name.

use uuid::Uuid;

use crate::store::Client;

/// What was done or tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Signup,
    Login,
    Refresh,
    Logout,
    SessionEnd,
    PasswordChange,
    UserCreate,
    UserDisable,
    UserEnable,
    UserDelete,
    RolesChange,
    /// A one-time link was given out. That it was used is a change of the password.
    PasswordLink,
    /// An account that was there became an administrator's.
    AdminPromote,
    KeyRotate,
    /// Of the keys that sign the feed of revocations.
    FeedKeyRotate,
    UserImport,
    /// All revocations are read anew, and all tokens and sessions of before have ended.
    FeedGeneration,
    /// Verifiers refuse tokens from now on: of a key, or all.
    Revocation,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::SessionEnd => "session_end",
            Self::PasswordChange => "password_change",
            Self::UserCreate => "user_create",
            Self::UserDisable => "user_disable",
            Self::UserEnable => "user_enable",
            Self::UserDelete => "user_delete",
            Self::RolesChange => "roles_change",
            Self::PasswordLink => "password_link",
            Self::AdminPromote => "admin_promote",
            Self::KeyRotate => "key_rotate",
            Self::FeedKeyRotate => "feed_key_rotate",
            Self::UserImport => "user_import",
            Self::FeedGeneration => "feed_generation",
            Self::Revocation => "revocation",
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Refused,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Somebody who has not shown who he is.
    Client,
    /// A user, by password, refresh token or access token.
    User(Uuid),
    /// Whoever may run commands with the database's credentials.
    Operator,
    /// The issuer, because of its settings and the time.
    Issuer,
}

impl Actor {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User(_) => "user",
            Self::Operator => "operator",
            Self::Issuer => "issuer",
        }
    }

    pub(crate) fn id(self) -> Option<Uuid> {
        match self {
            Self::User(id) => Some(id),
            Self::Client | Self::Operator | Self::Issuer => None,
        }
    }
}

/// Who does something, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) actor: Actor,
    pub(crate) client: &'a Client,
}

impl<'a> By<'a> {
    /// Somebody who has not shown who he is.
    pub(crate) fn client(client: &'a Client) -> Self {
        Self { actor: Actor::Client, client }
    }

    /// A user who has.
    pub(crate) fn user(id: Uuid, client: &'a Client) -> Self {
        Self { actor: Actor::User(id), client }
    }

    /// Whoever runs commands.
    pub(crate) fn operator() -> Self {
        static NOWHERE: Client = Client { address: None, user_agent: None, request_id: None };
        Self { actor: Actor::Operator, client: &NOWHERE }
    }

    /// The issuer by itself.
    pub(crate) fn issuer() -> Self {
        Self { actor: Actor::Issuer, ..Self::operator() }
    }

    /// This was done.
    pub(crate) fn did(self, kind: Kind) -> Event<'a> {
        Event { kind, outcome: Outcome::Success, cause: None, by: self, user_id: None, session_id: None }
    }

    /// This was tried, and refused because of `cause`.
    pub(crate) fn was_refused(self, kind: Kind, cause: &'static str) -> Event<'a> {
        self.did(kind).but_refused(cause)
    }
}

/// One authentication event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    /// Why it was refused, or what brought it about: a constant, so that nothing of a request is in it.
    pub(crate) cause: Option<&'static str>,
    pub(crate) by: By<'a>,
    /// Whom it concerns.
    pub(crate) user_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
}

impl<'a> Event<'a> {
    /// Something that a user did, to himself unless [`Event::about`] says otherwise.
    pub(crate) fn of_user(kind: Kind, user_id: Uuid, client: &'a Client) -> Self {
        By::user(user_id, client).did(kind).about(user_id)
    }

    /// Something that was done at the command line.
    pub(crate) fn of_operator(kind: Kind) -> Self {
        By::operator().did(kind)
    }

    /// Something that was refused to somebody who has not shown who he is.
    pub(crate) fn refused(kind: Kind, cause: &'static str, client: &'a Client) -> Self {
        By::client(client).was_refused(kind, cause)
    }

    /// The same, for this reason.
    pub(crate) fn because(self, cause: &'static str) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The same, which was tried and not done.
    pub(crate) fn but_refused(self, cause: &'static str) -> Self {
        Self { outcome: Outcome::Refused, ..self }.because(cause)
    }

    /// The same about this user.
    pub(crate) fn about(self, user_id: Uuid) -> Self {
        Self { user_id: Some(user_id), ..self }
    }

    /// The same, about no user.
    pub(crate) fn about_nobody(self) -> Self {
        Self { user_id: None, ..self }
    }

    /// The same about this session.
    pub(crate) fn in_session(self, session_id: Uuid) -> Self {
        Self { session_id: Some(session_id), ..self }
    }

    /// Its line in the log.
    pub(crate) fn log(&self) {
        let By { actor, client } = self.by;
        tracing::info!(
            event = self.kind.as_str(),
            outcome = self.outcome.as_str(),
            cause = self.cause,
            actor = actor.as_str(),
            actor_id = actor.id().map(tracing::field::display),
            user_id = self.user_id.map(tracing::field::display),
            session_id = self.session_id.map(tracing::field::display),
            address = client.address.as_deref(),
        );
    }
}
