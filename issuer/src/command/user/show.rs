//! What is shown of users.

use serde::Serialize;

use crate::command::{Failure, say};
use crate::settings::UserSettings;
use crate::store::{Account, ListedSession, Lives, Store};

/// How many users are read at a time.
const PART: u32 = 200;

/// All users, one line each, as they are read: however many there are, few are in memory.
pub(super) async fn list(store: &Store, json: bool) -> Result<(), Failure> {
    if !json {
        say(&row(["ID", "CREATED", "STATE", "EMAIL", "ROLES", "NAME"]));
    }
    let mut after = None;
    loop {
        let page = store.list_accounts(after, PART).await.map_err(Failure::new)?;
        for account in &page.accounts {
            say(&if json { as_json(account) } else { as_row(account) });
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

pub(super) fn one(account: &Account, json: bool) {
    if json {
        say(&as_json(account));
        return;
    }
    let mut lines = vec![
        ("id", account.id.to_string()),
        ("name", account.name.clone()),
        ("email", account.email.clone()),
        ("roles", account.roles.join(" ")),
        ("state", state(account).to_owned()),
        ("created", account.created_at.clone()),
    ];
    lines.extend(account.disabled_at.clone().map(|at| ("disabled", at)));
    for (label, text) in lines {
        say(&format!("{label:8}  {text}"));
    }
}

pub(super) async fn sessions(
    store: &Store,
    account: &Account,
    settings: &UserSettings,
    json: bool,
) -> Result<(), Failure> {
    // Whether a session is listed depends on no access token's life.
    let lives = Lives { access_seconds: 0, session: settings.sessions };
    let listed = store.list_sessions(account.id, lives).await.map_err(Failure::new)?;
    if !json {
        say(&format!("{:36}  {:20}  {:20}  {:39}  USER AGENT", "ID", "CREATED", "LAST USED", "ADDRESS"));
    }
    for session in listed {
        let line = SessionLine::from(session);
        if json {
            say(&serde_json::to_string(&line).map_err(Failure::new)?);
            continue;
        }
        let [address, user_agent] =
            [&line.address, &line.user_agent].map(|text| text.as_deref().unwrap_or("-"));
        say(&format!(
            "{:36}  {:20}  {:20}  {address:39}  {user_agent}",
            line.id, line.created_at, line.last_used_at
        ));
    }
    Ok(())
}

fn state(account: &Account) -> &'static str {
    match (&account.disabled_at, account.has_password) {
        (Some(_), _) => "disabled",
        (None, true) => "active",
        (None, false) => "no password",
    }
}

fn as_row(account: &Account) -> String {
    let (id, roles) = (account.id.to_string(), account.roles.join(" "));
    row([&id, &account.created_at, state(account), &account.email, &roles, &account.name])
}

fn row([id, created_at, state, email, roles, name]: [&str; 6]) -> String {
    format!("{id:36}  {created_at:20}  {state:11}  {email:30}  {roles:16}  {name}")
}

fn as_json(account: &Account) -> String {
    let line = Line {
        id: account.id.to_string(),
        name: &account.name,
        email: &account.email,
        roles: &account.roles,
        has_password: account.has_password,
        disabled_at: account.disabled_at.as_deref(),
        created_at: &account.created_at,
    };
    // Strings and a truth value: nothing that could not be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// A user for a script. Times by RFC 3339.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    name: &'a str,
    email: &'a str,
    roles: &'a [String],
    has_password: bool,
    disabled_at: Option<&'a str>,
    created_at: &'a str,
}

/// The same of a session.
#[derive(Serialize)]
struct SessionLine {
    id: String,
    created_at: String,
    last_used_at: String,
    address: Option<String>,
    user_agent: Option<String>,
}

impl From<ListedSession> for SessionLine {
    fn from(session: ListedSession) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            address: session.client.address,
            user_agent: session.client.user_agent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            id: uuid::Uuid::from_u128(7),
            name: "Priya".to_owned(),
            email: "priya@example.com".to_owned(),
            roles: vec!["chef".to_owned(), "rider".to_owned()],
            has_password: true,
            disabled_at: None,
            created_at: "2026-01-01T00:00:00Z".to_owned(),
            created_micros: 0,
        }
    }

    #[test]
    fn a_row_says_who_may_log_in() {
        let mut account = account();
        let end = "priya@example.com               chef rider        Priya";
        assert!(as_row(&account).ends_with(&format!("active       {end}")), "{}", as_row(&account));
        account.has_password = false;
        assert!(as_row(&account).contains("  no password  "));
        account.disabled_at = Some("2026-01-02T00:00:00Z".to_owned());
        assert!(as_row(&account).contains("  disabled     "));
    }

    #[test]
    fn a_line_for_scripts_is_one_object() {
        let line: serde_json::Value = serde_json::from_str(&as_json(&account())).unwrap();
        let expected = serde_json::json!({
            "id": "00000000-0000-0000-0000-000000000007", "name": "Priya", "email": "priya@example.com",
            "roles": ["chef", "rider"], "has_password": true, "disabled_at": null, "created_at": "2026-01-01T00:00:00Z",
        });
        assert_eq!(line, expected);
    }
}
