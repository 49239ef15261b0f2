//! Links and whoever made them.

use super::*;

impl Office {
    /// A link that this administrator makes.
    async fn link_by(&self, maker: Uuid, user_id: Uuid) -> LinkHash {
        let token_hash = LinkToken::new().unwrap().hash();
        let event = Event::of_user(Kind::PasswordLink, maker, &NOWHERE).about(user_id);
        let link = NewPasswordLink { token_hash, seconds: 60 };
        self.store.create_password_link(user_id, &link, &event).await.unwrap();
        token_hash
    }

    async fn is_good(&self, link: LinkHash) -> bool {
        self.store.user_of_password_link(link).await.unwrap().is_some()
    }

    /// Lets a user who was made with a password change it.
    async fn change_password(&self, person: &Person) -> bool {
        let session = crate::random::uuid().unwrap();
        self.store.open_session(&person.verified(), &opening(session)).await.unwrap().unwrap();
        let (new, next) = (PasswordHash::stored("$new".to_owned()), opening(crate::random::uuid().unwrap()));
        self.store.change_password(&person.verified(), session, &new, &next).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_link_ends_with_the_administration_of_its_maker_also_one_to_another_administrator() {
    for end in ["demote", "disable", "disable and enable", "delete", "log out everywhere", "new password"] {
        let office = Office::new().await;
        let maker = office.user("maker@example.com", ADMIN).await;
        let other = office.user("other@example.com", ADMIN).await;
        let links = [
            (office.user("priya@example.com", CUSTOMER).await.id, true),
            (office.user("operators@example.com", CUSTOMER).await.id, false),
            (other.id, true),
        ];
        let mut made = Vec::new();
        for (id, by_maker) in links {
            let link = if by_maker {
                office.link_by(maker.id, id).await
            } else {
                office.link(id, 60).await.unwrap()
            };
            assert!(office.is_good(link).await);
            made.push((link, id, by_maker));
        }
        let by_other = Actor::User(other.id);
        let ended = match end {
            "demote" => office.remove(Removal::Demote, by_other, maker.id).await.unwrap(),
            "disable" => office.remove(Removal::Disable, by_other, maker.id).await.unwrap(),
            "disable and enable" => {
                assert_eq!(office.remove(Removal::Disable, by_other, maker.id).await, Ok(true));
                let event = Event::of_operator(Kind::UserEnable).about(maker.id);
                office.store.enable(maker.id, &event).await.unwrap()
            }
            "delete" => office.remove(Removal::Delete, by_other, maker.id).await.unwrap(),
            "log out everywhere" => {
                let by = By::user(maker.id, &NOWHERE);
                office.store.log_out_everywhere(maker.id, by).await.unwrap()
            }
            _ => office.change_password(&maker).await,
        };
        assert!(ended, "{end}");
        for (link, id, by_maker) in made {
            assert_eq!(office.is_good(link).await, !by_maker, "{end}");
            assert_eq!(office.redeem(link, id, "$stolen").await, !by_maker, "{end}");
        }
        let stolen = "SELECT count(*) FROM users WHERE password_hash = '$stolen'";
        assert_eq!(office.store.count(stolen).await, 1, "{end}: the operator's");
    }
}

#[tokio::test]
async fn a_link_is_good_while_its_maker_administers_whatever_he_is_by_the_next() {
    let office = Office::new().await;
    let (one, two) = (office.user("1@example.com", ADMIN).await, office.user("2@example.com", ADMIN).await);
    let priya = office.user("priya@example.com", CUSTOMER).await;
    let replaced = office.link_by(one.id, priya.id).await;
    let link = office.link_by(two.id, priya.id).await;
    assert_eq!(office.remove(Removal::Demote, Actor::Operator, one.id).await, Ok(true));
    assert!(!office.is_good(replaced).await && office.is_good(link).await);
    assert!(office.redeem(link, priya.id, "$mine").await);
    // Also his own.
    let own = office.link_by(two.id, two.id).await;
    assert!(office.is_good(own).await && office.redeem(own, two.id, "$mine").await);
}

/// Who uses a link while its maker's administration ends, and that is not committed yet.
#[tokio::test]
async fn a_link_waits_for_what_becomes_of_its_maker() {
    let office = Office::new().await;
    let maker = office.user("maker@example.com", ADMIN).await;
    let priya = office.user("priya@example.com", CUSTOMER).await;
    let link = office.link_by(maker.id, priya.id).await;
    let mut demotion = office
        .store
        .locked("UPDATE users SET roles = '{customer}', user_version = 2 WHERE email = 'maker@example.com'")
        .await;
    let store = office.store.clone();
    let redeemed = tokio::spawn(async move {
        let event = Event::of_user(Kind::PasswordChange, priya.id, &NOWHERE);
        store.redeem_password_link(link, &PasswordHash::stored("$stolen".to_owned()), &event).await.unwrap()
    });
    assert!(waits(&office.store, &redeemed).await, "it did not wait");
    sqlx::raw_sql("COMMIT").execute(&mut *demotion).await.unwrap();
    assert!(!redeemed.await.unwrap());
    assert_eq!(office.store.count("SELECT count(*) FROM users WHERE password_hash = '$stolen'").await, 0);
}

/// Until it waits for a lock. `false`: it came to its end without.
async fn waits<T>(store: &Store, running: &tokio::task::JoinHandle<T>) -> bool {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !running.is_finished() {
        if store.count(waiting).await > 0 {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    false
}

/// Each holds the link that the other one made. Whoever comes second waits, and both are answered.
#[tokio::test]
async fn links_that_two_made_for_each_other_are_used_at_once_without_a_deadlock() {
    let office = Office::new().await;
    for round in 0..10 {
        let one = office.user(&format!("one{round}@example.com"), ADMIN).await;
        let two = office.user(&format!("two{round}@example.com"), ADMIN).await;
        let links = [office.link_by(two.id, one.id).await, office.link_by(one.id, two.id).await];
        let (a, b) =
            tokio::join!(office.redeem(links[0], one.id, "$one"), office.redeem(links[1], two.id, "$two"));
        // The first raises the version of him whose link the second holds.
        assert!(a != b, "round {round}: {a} {b}");
    }
}

#[tokio::test]
async fn who_becomes_an_administrator_by_roles_loses_the_link_of_before_and_nobody_else_does() {
    let office = Office::new().await;
    let priya = office.user("priya@example.com", CUSTOMER).await;
    let set = async |roles: &[&str]| {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let event = Event::of_operator(Kind::RolesChange).about(priya.id);
        assert_eq!(office.store.set_roles(priya.id, &roles, &event).await, Ok(true));
    };
    let link = office.link(priya.id, 60).await.unwrap();
    set(&["chef"]).await;
    assert!(office.is_good(link).await);
    set(&["chef", ADMIN]).await;
    assert!(!office.is_good(link).await && !office.redeem(link, priya.id, "$stolen").await);
    let link = office.link(priya.id, 60).await.unwrap();
    set(&[ADMIN]).await;
    assert!(office.is_good(link).await, "an administrator already");
    office.user("another@example.com", ADMIN).await;
    set(&["chef"]).await;
    assert!(office.is_good(link).await);
}

#[tokio::test]
async fn a_link_without_its_makers_version_cannot_be_stored() {
    let office = Office::new().await;
    let priya = office.user("priya@example.com", CUSTOMER).await;
    office.link(priya.id, 60).await.unwrap();
    for change in ["created_by = user_id", "created_version = 1", "created_by = user_id, created_version = 0"]
    {
        let statement = sqlx::AssertSqlSafe(format!("UPDATE password_links SET {change}"));
        assert!(sqlx::raw_sql(statement).execute(&office.store.pool).await.is_err(), "{change}");
    }
}
