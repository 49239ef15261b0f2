//! What the trail says of administration: what came about by it, and what was refused.

use super::*;
use crate::account::Role;
use crate::log::testing::Recording;

impl Office {
    /// Event, outcome, cause, actor, and whether it concerns somebody who is there.
    async fn trail(&self) -> Vec<String> {
        let trail = self.store.texts(
            "SELECT concat_ws(' ', event, outcome, cause, actor,
                              (SELECT email FROM users WHERE users.id = user_id)) FROM audit_events
             WHERE event <> 'user_import' ORDER BY audit_events.id",
        );
        trail.await
    }

    async fn create(&self, email: &str, role: &str) -> Result<Account, AdministrationError> {
        let person = Person::new(email);
        let account = NewAccount {
            id: person.id,
            name: &person.name,
            email: &person.email,
            roles: &[role.to_owned()],
            password_hash: &PasswordHash::of_no_password(),
            link: None,
        };
        let event = Event::of_operator(Kind::UserCreate).about(person.id);
        self.store.create_account(&account, &event).await
    }

    async fn promote(&self, user_id: Uuid) -> Result<(), AdministrationError> {
        let password_hash = &PasswordHash::of_no_password();
        let promotion = Promotion { name: None, password_hash, link: None };
        let event = Event::of_operator(Kind::AdminPromote).about(user_id);
        self.store.promote(user_id, &promotion, &event).await
    }
}

#[tokio::test]
async fn whoever_gets_or_loses_administration_stands_out_in_the_trail() {
    let office = Office::new().await;
    office.user("another@example.com", ADMIN).await;
    let recording = Recording::begin();
    office.create("chef@example.com", ADMIN).await.unwrap();
    let priya = office.create("priya@example.com", CUSTOMER).await.unwrap();
    for roles in [&["chef"][..], &["chef", ADMIN], &[ADMIN], &["chef"]] {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let event = Event::of_operator(Kind::RolesChange).about(priya.id);
        assert_eq!(office.store.set_roles(priya.id, &roles, &event).await, Ok(true));
    }
    let expected = [
        "user_create success admin operator chef@example.com",
        "user_create success operator priya@example.com",
        "roles_change success operator priya@example.com",
        "roles_change success admin_given operator priya@example.com",
        "roles_change success operator priya@example.com",
        "roles_change success admin_taken operator priya@example.com",
    ];
    assert_eq!(office.trail().await, expected);
    let told = recording.lines();
    for cause in ["admin", "admin_given", "admin_taken"] {
        assert!(told.iter().any(|line| line.contains(&format!(r#""cause":"{cause}""#))), "{cause}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_refused_is_in_the_trail_with_its_reason() {
    let office = Office::new().await;
    let chef = office.user("chef@example.com", ADMIN).await;
    let (operator, by_priya) =
        (Actor::Operator, Actor::User(office.user("priya@example.com", CUSTOMER).await.id));
    for how in REMOVALS {
        office.remove(how, operator, chef.id).await.unwrap_err();
    }
    for how in REMOVALS {
        office.remove(how, by_priya, chef.id).await.unwrap_err();
    }
    let by = By { actor: by_priya, ..By::operator() };
    office.store.log_out_user(chef.id, by).await.unwrap_err();
    office.store.end_session_of_user(chef.id, crate::random::uuid().unwrap(), by).await.unwrap_err();
    office.create("chef@example.com", CUSTOMER).await.unwrap_err();
    let gone = office.user("gone@example.com", CUSTOMER).await.id;
    office.remove(Removal::Disable, operator, gone).await.unwrap();
    assert!(office.link(gone, 60).await.is_err());
    office.promote(gone).await.unwrap_err();
    // Nobody is concerned.
    office.remove(Removal::Delete, operator, crate::random::uuid().unwrap()).await.unwrap_err();
    let expected = [
        "roles_change refused last_administrator operator chef@example.com",
        "user_disable refused last_administrator operator chef@example.com",
        "user_delete refused last_administrator operator chef@example.com",
        "roles_change refused not_administrator user chef@example.com",
        "user_disable refused not_administrator user chef@example.com",
        "user_delete refused not_administrator user chef@example.com",
        "logout refused not_administrator user chef@example.com",
        "session_end refused not_administrator user chef@example.com",
        "user_create refused email_taken operator",
        "user_disable success operator gone@example.com",
        "password_link refused disabled operator gone@example.com",
        "admin_promote refused disabled operator gone@example.com",
    ];
    assert_eq!(office.trail().await, expected);
}

#[tokio::test]
async fn who_has_as_many_roles_as_may_be_is_not_promoted_and_told_so() {
    let office = Office::new().await;
    let state = "SELECT concat_ws(' ', roles, password_hash, user_version) FROM users";
    let of = |count: usize, length: usize| -> Vec<String> {
        (0..count).map(|number| format!("{number:0>length$}")).collect()
    };
    let with_admin: Vec<String> = of(Role::MOST - 1, 2).into_iter().chain([ADMIN.to_owned()]).collect();
    let priya = office.user("priya@example.com", CUSTOMER).await;
    for (roles, may) in [
        (of(Role::MOST, 2), false),
        (of(Role::MOST, 64), false),
        (of(32, 128), false),
        (of(Role::MOST - 1, 2), true),
        (with_admin, true),
    ] {
        sqlx::query("UPDATE users SET roles = $1").bind(&roles).execute(&office.store.pool).await.unwrap();
        let before = office.store.texts(state).await;
        let promoted = office.promote(priya.id).await;
        if may {
            assert_eq!(promoted, Ok(()), "{roles:?}");
            continue;
        }
        assert_eq!(promoted, Err(Refused::TooManyRoles.into()), "{roles:?}");
        assert_eq!(office.store.texts(state).await, before);
        let last = office.trail().await.pop().unwrap();
        assert_eq!(last, "admin_promote refused too_many_roles operator priya@example.com");
    }
}

/// Nobody reads again what was made: whoever deletes it at once, or a database that is away again, would take the link away.
#[tokio::test]
async fn what_was_created_is_told_without_a_look_up_after_it() {
    let office = Office::new().await;
    let gone = "
        CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN DELETE FROM users WHERE id = NEW.id; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION gone()";
    let of_list = office.create("rahul@example.com", "chef").await.unwrap();
    assert_eq!(office.store.account(of_list.id).await.unwrap(), Some(of_list));
    office.store.execute(gone).await;
    assert_eq!(office.create("priya@example.com", "chef").await.unwrap().email, "priya@example.com");
    assert_eq!(office.store.count("SELECT count(*) FROM users").await, 1);
}
