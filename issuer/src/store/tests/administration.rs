//! What administrators do, and who stays.

mod makers;
mod operators;
mod trail;

use std::collections::BTreeSet;

use super::*;
use crate::audit::{Actor, By, Event, Kind};
use crate::password_link::{LinkHash, LinkToken};

const DONE: &str = "SELECT count(*) FROM audit_events WHERE event <> 'user_import' AND outcome = 'success'";

static NOWHERE: Client = Client { address: None, user_agent: None, request_id: None };

const LAST: AdministrationError = AdministrationError::Refused(Refused::LastAdministrator);

impl PartialEq for AdministrationError {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Refused(one), Self::Refused(two)) if one == two)
    }
}

struct Office {
    _database: TestDatabase,
    store: Store,
}

impl Office {
    async fn new() -> Self {
        let (_database, store) = TestDatabase::migrated().await;
        Self { _database, store }
    }

    async fn user(&self, email: &str, role: &'static str) -> Person {
        let person = Person::new(email);
        assert!(self.store.import_user(&person.user(role)).await.unwrap());
        person
    }

    async fn without_password(&self, email: &str, role: &str) -> (Uuid, LinkHash) {
        let (person, token) = (Person::new(email), LinkToken::new().unwrap().hash());
        let account = NewAccount {
            id: person.id,
            name: &person.name,
            email: &person.email,
            roles: &[role.to_owned()],
            password_hash: &PasswordHash::of_no_password(),
            link: Some(NewPasswordLink { token_hash: token, seconds: 60 }),
        };
        let event = Event::of_operator(Kind::UserCreate).about(person.id);
        self.store.create_account(&account, &event).await.unwrap();
        (person.id, token)
    }

    /// Takes the role, disables or deletes.
    async fn remove(&self, how: Removal, actor: Actor, target: Uuid) -> Result<bool, AdministrationError> {
        let event = |kind| By { actor, ..By::operator() }.did(kind).about(target);
        match how {
            Removal::Demote => {
                let roles = [CUSTOMER.to_owned()];
                self.store.set_roles(target, &roles, &event(Kind::RolesChange)).await
            }
            Removal::Disable => self.store.disable(target, &event(Kind::UserDisable)).await,
            Removal::Delete => self.store.delete_user(target, &event(Kind::UserDelete)).await.map(|()| true),
        }
    }

    async fn redeem(&self, link: LinkHash, user_id: Uuid, hash: &str) -> bool {
        let event = Event::of_user(Kind::PasswordChange, user_id, &NOWHERE).because("password_link");
        let hash = PasswordHash::stored(hash.to_owned());
        self.store.redeem_password_link(link, &hash, &event).await.unwrap()
    }

    async fn link(&self, user_id: Uuid, seconds: u32) -> Result<LinkHash, AdministrationError> {
        let token_hash = LinkToken::new().unwrap().hash();
        let event = Event::of_operator(Kind::PasswordLink).about(user_id);
        let link = NewPasswordLink { token_hash, seconds };
        self.store.create_password_link(user_id, &link, &event).await.map(|()| token_hash)
    }

    async fn administrators(&self) -> i64 {
        self.store
            .count("SELECT count(*) FROM users WHERE 'admin' = ANY (roles) AND disabled_at IS NULL")
            .await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Removal {
    Demote,
    Disable,
    Delete,
}

const REMOVALS: [Removal; 3] = [Removal::Demote, Removal::Disable, Removal::Delete];

#[tokio::test]
async fn the_last_administrator_stays_whatever_is_tried_and_goes_once_there_is_another() {
    for how in REMOVALS {
        let office = Office::new().await;
        let one = office.user("one@example.com", ADMIN).await;
        assert_eq!(office.remove(how, Actor::Operator, one.id).await, Err(LAST), "{how:?}");
        // Neither of these could log in.
        office.without_password("two@example.com", ADMIN).await;
        let three = office.user("three@example.com", ADMIN).await;
        assert_eq!(office.remove(Removal::Disable, Actor::Operator, three.id).await, Ok(true));
        assert_eq!(office.remove(how, Actor::Operator, one.id).await, Err(LAST), "{how:?}");
        assert_eq!(office.store.count("SELECT count(*) FROM users WHERE user_version > 1").await, 1);
        office.user("four@example.com", ADMIN).await;
        assert_eq!(office.remove(how, Actor::Operator, one.id).await, Ok(true), "{how:?}");
    }
}

#[tokio::test]
async fn an_administrator_who_could_not_log_in_may_go_also_as_the_only_one() {
    for how in REMOVALS {
        let office = Office::new().await;
        let (one, _) = office.without_password("one@example.com", ADMIN).await;
        assert_eq!(office.remove(how, Actor::Operator, one).await, Ok(true), "{how:?}");
    }
}

#[tokio::test]
async fn of_two_who_remove_each_other_at_once_one_stays_in_every_combination() {
    for (first, second) in REMOVALS.into_iter().flat_map(|one| REMOVALS.map(|two| (one, two))) {
        for by_operators in [false, true] {
            let office = Office::new().await;
            let (one, two) =
                (office.user("1@example.com", ADMIN).await, office.user("2@example.com", ADMIN).await);
            let actor = |id| if by_operators { Actor::Operator } else { Actor::User(id) };
            let (a, b) = tokio::join!(
                office.remove(first, actor(one.id), two.id),
                office.remove(second, actor(two.id), one.id)
            );
            let done = [&a, &b].into_iter().filter(|done| done.is_ok()).count();
            assert_eq!(done, 1, "{first:?} {second:?}: {a:?} {b:?}");
            assert_eq!(office.administrators().await, 1, "{first:?} {second:?}");
            let refused = if a.is_ok() { b } else { a };
            let expected =
                if by_operators { LAST } else { AdministrationError::Refused(Refused::NotAdministrator) };
            assert_eq!(refused, Err(expected), "{first:?} {second:?}");
            assert_eq!(office.store.count(DONE).await, 1);
        }
    }
}

/// One of two waits where the other has decided and not yet committed, in both orders.
#[tokio::test]
async fn who_comes_while_another_decides_waits_and_sees_what_was_decided() {
    for (first, second) in [(0, 1), (1, 0)] {
        let office = Office::new().await;
        let two = [office.user("1@example.com", ADMIN).await, office.user("2@example.com", ADMIN).await];
        let ids = [two[0].id, two[1].id];
        // The first one stops at its last statement.
        let mut head = office.store.locked("SELECT FROM revocation_head FOR UPDATE").await;
        for person in &two {
            let session = opening(crate::random::uuid().unwrap());
            office.store.open_session(&person.verified(), &session).await.unwrap().unwrap();
        }
        let demote = |actor: Uuid, target: Uuid| {
            let store = office.store.clone();
            tokio::spawn(async move {
                let event = Event::of_user(Kind::RolesChange, actor, &NOWHERE).about(target);
                store.set_roles(target, &[CUSTOMER.to_owned()], &event).await
            })
        };
        let one = demote(ids[first], ids[second]);
        waiting(&office.store, 1).await;
        let other = demote(ids[second], ids[first]);
        waiting(&office.store, 2).await;
        sqlx::raw_sql("COMMIT").execute(&mut *head).await.unwrap();
        assert_eq!(one.await.unwrap(), Ok(true));
        assert_eq!(other.await.unwrap(), Err(AdministrationError::Refused(Refused::NotAdministrator)));
        assert_eq!(office.administrators().await, 1);
    }
}

async fn waiting(store: &Store, number: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while store.count(waiting).await < number {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn who_is_no_administrator_at_that_moment_administers_nothing() {
    let office = Office::new().await;
    office.user("admin@example.com", ADMIN).await;
    let customer = office.user("customer@example.com", CUSTOMER).await;
    let disabled = office.user("disabled@example.com", ADMIN).await;
    assert_eq!(office.remove(Removal::Disable, Actor::Operator, disabled.id).await, Ok(true));
    let refused = AdministrationError::Refused(Refused::NotAdministrator);
    for actor in
        [Actor::User(customer.id), Actor::User(disabled.id), Actor::User(Uuid::from_u128(7)), Actor::Client]
    {
        for how in REMOVALS {
            assert_eq!(office.remove(how, actor, customer.id).await.as_ref(), Err(&refused), "{actor:?}");
        }
    }
    assert_eq!(office.store.count(DONE).await, 1);
}

#[tokio::test]
async fn roles_that_a_user_has_already_end_no_token() {
    let office = Office::new().await;
    let one = office.user("one@example.com", CUSTOMER).await;
    assert_eq!(office.remove(Removal::Demote, Actor::Operator, one.id).await, Ok(false));
    assert_eq!(office.store.count("SELECT user_version FROM users").await, 1);
}

#[tokio::test]
async fn a_link_is_used_once_however_many_come_with_it_at_once() {
    let office = Office::new().await;
    let (id, link) = office.without_password("priya@example.com", CUSTOMER).await;
    let hashes: Vec<String> = (0..8).map(|number| format!("$hash${number}")).collect();
    let attempts: Vec<_> = hashes
        .iter()
        .map(|hash| {
            let (store, hash) = (office.store.clone(), PasswordHash::stored(hash.clone()));
            tokio::spawn(async move {
                let event = Event::of_user(Kind::PasswordChange, id, &NOWHERE);
                store.redeem_password_link(link, &hash, &event).await.unwrap()
            })
        })
        .collect();
    let mut won = BTreeSet::new();
    for (attempt, hash) in attempts.into_iter().zip(&hashes) {
        if attempt.await.unwrap() {
            won.insert(hash.clone());
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let stored = office.store.texts("SELECT password_hash FROM users").await;
    assert_eq!(Some(&stored[0]), won.first());
    assert_eq!(office.store.count("SELECT user_version FROM users").await, 2);
    assert_eq!(
        office.store.count("SELECT count(*) FROM audit_events WHERE event = 'password_change'").await,
        1
    );
}

#[tokio::test]
async fn a_link_that_expired_or_was_replaced_or_made_void_is_unknown() {
    let office = Office::new().await;
    let person = office.user("priya@example.com", CUSTOMER).await;
    let id = person.id;
    let good = async |link| office.store.user_of_password_link(link).await.unwrap().is_some();

    let replaced = office.link(id, 60).await.unwrap();
    let link = office.link(id, 60).await.unwrap();
    assert!(!good(replaced).await && good(link).await);
    assert!(!office.redeem(replaced, id, "x").await);
    office.store.execute("UPDATE password_links SET created_at = '2020-01-01', expires_at = now()").await;
    assert!(!good(link).await && !office.redeem(link, id, "x").await);

    let disabled = office.link(id, 60).await.unwrap();
    assert_eq!(office.remove(Removal::Disable, Actor::Operator, id).await, Ok(true));
    assert_eq!(office.link(id, 60).await.err(), Some(AdministrationError::Refused(Refused::Disabled)));
    let event = Event::of_operator(Kind::UserEnable).about(id);
    assert_eq!(office.store.enable(id, &event).await, Ok(true));
    assert!(!good(disabled).await && !office.redeem(disabled, id, "x").await);

    let changed = office.link(id, 60).await.unwrap();
    let verified = Verified { user_version: 2, ..person.verified() };
    let session = Uuid::from_u128(1);
    office.store.open_session(&verified, &opening(session)).await.unwrap().unwrap();
    let new = PasswordHash::stored("$new".to_owned());
    let change = office.store.change_password(&verified, session, &new, &opening(Uuid::from_u128(2))).await;
    assert!(change.unwrap().is_some());
    assert!(!good(changed).await && !office.redeem(changed, id, "x").await);

    let deleted = office.link(id, 60).await.unwrap();
    assert_eq!(office.remove(Removal::Delete, Actor::Operator, id).await, Ok(true));
    assert!(!good(deleted).await && !office.redeem(deleted, id, "x").await);
    assert_eq!(office.store.count("SELECT count(*) FROM password_links").await, 0);
}

#[tokio::test]
async fn a_promoted_account_is_lost_to_whoever_had_it() {
    let office = Office::new().await;
    let squatter = office.user("boss@example.com", CUSTOMER).await;
    let id = squatter.id;
    let grant = office.store.open_session(&squatter.verified(), &opening(Uuid::from_u128(1))).await;
    let grant = grant.unwrap().unwrap();
    let old_link = office.link(id, 60).await.unwrap();
    let none = PasswordHash::of_no_password();
    let name = Name::parse("Boss").unwrap();
    let link = NewPasswordLink { token_hash: LinkToken::new().unwrap().hash(), seconds: 60 };
    let promotion = Promotion { name: Some(&name), password_hash: &none, link: Some(link) };
    let event = Event::of_operator(Kind::AdminPromote).about(id);
    office.store.promote(id, &promotion, &event).await.unwrap();
    assert_eq!(office.store.standing(&identity(&grant)).await.unwrap(), Standing::Revoked);
    let later = Verified { user_version: 2, ..squatter.verified() };
    assert_eq!(office.store.open_session(&later, &opening(Uuid::from_u128(2))).await.unwrap(), None);
    assert!(!office.redeem(old_link, id, "x").await);
    assert!(office.redeem(link.token_hash, id, "$mine").await);
    let account = office.store.account(id).await.unwrap().unwrap();
    assert_eq!(account.roles, [ADMIN, CUSTOMER]);
    assert_eq!((account.name.as_str(), account.has_password), ("Boss", true));
    let told = "SELECT event || ' ' || actor FROM audit_events WHERE event <> 'user_import' ORDER BY id";
    let expected = ["login user", "password_link operator", "admin_promote operator", "password_change user"];
    assert_eq!(office.store.texts(told).await, expected);
}

#[tokio::test]
async fn a_list_goes_through_everybody_once_while_others_come_and_go() {
    let office = Office::new().await;
    let mut before = BTreeSet::new();
    for number in 0..7 {
        before.insert(office.user(&format!("{number}@example.com"), CUSTOMER).await.id);
    }
    // The same moment for some: the identifier decides.
    office
        .store
        .execute("UPDATE users SET created_at = '2026-01-01T00:00:00.123457Z' WHERE email < '4'")
        .await;
    let (mut seen, mut after) = (Vec::new(), None);
    for round in 0.. {
        let page = office.store.list_accounts(after, 2).await.unwrap();
        assert!(page.accounts.len() <= 2);
        seen.extend(page.accounts.iter().map(|account| account.id));
        let Some(next) = page.next else { break };
        after = Some(next);
        if round < 3 {
            let new = office.user(&format!("new{round}@example.com"), CUSTOMER).await;
            assert!(!before.contains(&new.id));
            // Who was seen goes: nobody moves.
            let gone = seen[round];
            assert_eq!(office.remove(Removal::Delete, Actor::Operator, gone).await, Ok(true));
        }
    }
    let once: BTreeSet<Uuid> = seen.iter().copied().collect();
    assert_eq!(once.len(), seen.len(), "nobody twice");
    assert!(before.is_subset(&once), "everybody who was there");
    assert_eq!(seen.len(), 10, "and who came meanwhile");
}
