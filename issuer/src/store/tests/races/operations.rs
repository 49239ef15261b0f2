//! What is run against each other: everything that gives out tokens, and everything that ends them.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::*;
use crate::audit::{Event, Kind};
use crate::password_link::{LinkHash, LinkToken};
use crate::refresh::{RefreshToken, SuccessorKey};
use crate::store::testing::{LIVES, somebody};

/// How long live the tokens from before the race. Those that are made in it live longer, so that a record which was made
/// without knowing of them is too short.
const BEFORE: Lives = Lives { access_seconds: 60, ..LIVES };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// With a password that was verified before any of the two began.
    Login,
    /// Of the first session.
    Refresh,
    /// Of the first session, as after a lost answer.
    Retry,
    /// Of the first session, of a token that was used long ago.
    Reuse,
    /// Of the first session.
    Logout,
    /// Ends the second session.
    EndOther,
    /// By the first session, so it ends the second.
    LogoutOthers,
    LogoutEverywhere,
    /// By the first session.
    PasswordChange,
    NewRoles,
    Disable,
    Delete,
    /// The password is set by a link that was given out before.
    Link,
    Promote,
}

/// A pair of tokens that somebody holds.
pub(super) struct Held {
    pub(super) grant: Grant,
    pub(super) token: RefreshToken,
}

/// What became of an operation.
pub(super) struct Done {
    pub(super) took_place: bool,
    pub(super) held: Vec<Held>,
}

/// A user with two sessions.
pub(super) struct Case {
    person: Person,
    pub(super) key: Arc<SuccessorKey>,
    /// The pairs of the first session, the newest last.
    pub(super) one: Vec<Held>,
    /// Those of the second.
    pub(super) two: Vec<Held>,
    /// The link that the user has.
    link: LinkHash,
}

/// Somebody, from nowhere.
static NOBODY: Client = Client { address: None, user_agent: None, request_id: None };

impl Case {
    pub(super) async fn new(store: &Store, key: &Arc<SuccessorKey>) -> Arc<Self> {
        let person = Person::new(&format!("{:016x}@example.com", crate::random::u64()));
        let (opening, token) = fresh(BEFORE);
        let grant = store.sign_up(&person.user(CUSTOMER), &opening).await.unwrap().unwrap();
        let mut one = vec![Held { grant, token }];
        for _ in 0..2 {
            let next = exchange(store, key, &one.last().unwrap().token, BEFORE).await;
            one.extend(next.held);
        }
        let (opening, token) = fresh(BEFORE);
        let grant = store.open_session(&person.verified(), &opening).await.unwrap().unwrap();
        let link = LinkToken::new().unwrap().hash();
        let new = NewPasswordLink { token_hash: link, seconds: 60 };
        store.create_password_link(person.id, &new, &by_operator(Kind::PasswordLink)).await.unwrap();
        Arc::new(Self { person, key: Arc::clone(key), one, two: vec![Held { grant, token }], link })
    }

    /// Begins an operation.
    pub(super) fn start(self: &Arc<Self>, operation: Operation, store: &Store) -> JoinHandle<Done> {
        let (case, store) = (Arc::clone(self), store.clone());
        tokio::spawn(async move { case.run(operation, &store).await })
    }

    async fn run(&self, operation: Operation, store: &Store) -> Done {
        let id = self.person.id;
        let (first, second) = (self.one[0].grant.session_id, self.two[0].grant.session_id);
        let plain = |took_place| Done { took_place, held: Vec::new() };
        match operation {
            Operation::Login => {
                let (opening, token) = fresh(LIVES);
                let grant = store.open_session(&self.person.verified(), &opening).await.unwrap();
                Done {
                    took_place: grant.is_some(),
                    held: grant.map(|grant| Held { grant, token }).into_iter().collect(),
                }
            }
            Operation::Refresh => exchange(store, &self.key, &self.one[2].token, LIVES).await,
            Operation::Retry => exchange(store, &self.key, &self.one[1].token, LIVES).await,
            Operation::Reuse => match refresh::refresh(store, &self.key, &self.one[0].token).await.unwrap() {
                Refreshed::Reused(Whose { user_id, session_id }) => plain(
                    store
                        .end_session(user_id, session_id, Why::RefreshTokenReused, somebody())
                        .await
                        .unwrap(),
                ),
                Refreshed::Refused { .. } => plain(false),
                other => panic!("{other:?}"),
            },
            Operation::Logout => plain(store.end_session(id, first, Why::Logout, somebody()).await.unwrap()),
            Operation::EndOther => {
                plain(store.end_session(id, second, Why::Ended, somebody()).await.unwrap())
            }
            Operation::LogoutOthers => {
                plain(store.end_other_sessions(id, first, Why::Ended, somebody()).await.unwrap() > 0)
            }
            Operation::LogoutEverywhere => plain(store.log_out_everywhere(id, somebody()).await.unwrap()),
            Operation::PasswordChange => {
                let (opening, token) = fresh(LIVES);
                let hash = PasswordHash::stored("$argon2id$new".to_owned());
                let verified = self.person.verified();
                let changed = store.change_password(&verified, first, &hash, &opening);
                let grant = changed.await.unwrap();
                Done {
                    took_place: grant.is_some(),
                    held: grant.map(|grant| Held { grant, token }).into_iter().collect(),
                }
            }
            Operation::NewRoles => plain(took_place(
                store.set_roles(id, &["rider".to_owned()], &by_operator(Kind::RolesChange)).await,
            )),
            Operation::Disable => plain(took_place(store.disable(id, &by_operator(Kind::UserDisable)).await)),
            Operation::Delete => {
                let deleted = store.delete_user(id, &by_operator(Kind::UserDelete)).await;
                plain(took_place(deleted.map(|()| true)))
            }
            Operation::Link => {
                let hash = PasswordHash::stored("$argon2id$chosen".to_owned());
                let event = Event::of_user(Kind::PasswordChange, id, &NOBODY);
                plain(store.redeem_password_link(self.link, &hash, &event).await.unwrap())
            }
            Operation::Promote => {
                let none = PasswordHash::of_no_password();
                let promotion = Promotion { name: None, password_hash: &none, link: None };
                let promoted = store.promote(id, &promotion, &by_operator(Kind::AdminPromote)).await;
                plain(took_place(promoted.map(|()| true)))
            }
        }
    }
}

impl Operation {
    pub(super) const ALL: [Self; 14] = [
        Self::Login,
        Self::Refresh,
        Self::Retry,
        Self::Reuse,
        Self::Logout,
        Self::EndOther,
        Self::LogoutOthers,
        Self::LogoutEverywhere,
        Self::PasswordChange,
        Self::NewRoles,
        Self::Disable,
        Self::Delete,
        Self::Link,
        Self::Promote,
    ];

    /// Whether this access token must not be good once this took place; `own`: it gave the token out itself.
    pub(super) fn ends_token(self, case: &Case, grant: &Grant, own: bool) -> bool {
        match self {
            Self::NewRoles => grant.user.roles == [CUSTOMER],
            _ => self.ends_session(case, grant, own),
        }
    }

    /// Whether this session must not go on once this took place. What a login opened counts as well: its password was
    /// verified before.
    pub(super) fn ends_session(self, case: &Case, grant: &Grant, own: bool) -> bool {
        match self {
            Self::Login | Self::Refresh | Self::Retry | Self::NewRoles => false,
            Self::Reuse | Self::Logout => grant.session_id == case.one[0].grant.session_id,
            Self::EndOther | Self::LogoutOthers => grant.session_id == case.two[0].grant.session_id,
            Self::PasswordChange => !own,
            Self::LogoutEverywhere | Self::Disable | Self::Delete | Self::Link | Self::Promote => true,
        }
    }
}

fn by_operator(kind: Kind) -> Event<'static> {
    Event::of_operator(kind)
}

/// Who is not there any more, or has what he should get, is no failure.
fn took_place(done: Result<bool, AdministrationError>) -> bool {
    match done {
        Ok(took_place) => took_place,
        Err(AdministrationError::Refused(Refused::NoSuchUser | Refused::Disabled)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn fresh(lives: Lives) -> (Opening<'static>, RefreshToken) {
    let token = RefreshToken::new().unwrap();
    let opening = opening(crate::random::uuid().unwrap());
    (Opening { refresh_hash: token.hash(), lives, ..opening }, token)
}

async fn exchange(store: &Store, key: &SuccessorKey, token: &RefreshToken, lives: Lives) -> Done {
    match refresh::refresh_with(store, key, token, lives).await.unwrap() {
        Refreshed::Granted(grant) => {
            Done { took_place: true, held: vec![Held { grant, token: token.successor(key).unwrap() }] }
        }
        _ => Done { took_place: false, held: Vec::new() },
    }
}
