//! What changes a user.

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::{OneArguments, UserCommand, WhoArguments, find, link_text};
use crate::account::Role;
use crate::audit::{By, Event, Kind};
use crate::command::{Failure, say};
use crate::password_link::LinkToken;
use crate::settings::PasswordLinkSettings;
use crate::store::{NewPasswordLink, Store};

#[derive(Debug, Args)]
pub(crate) struct RolesArguments {
    #[command(flatten)]
    who: WhoArguments,
    /// All roles that the user is to have.
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    who: WhoArguments,
    /// Says that it is meant: nothing brings a deleted user back.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArguments {
    #[command(flatten)]
    who: WhoArguments,
    /// Only this session, by the identifier that `user sessions` shows.
    #[arg(long, value_name = "ID")]
    session: Option<Uuid>,
}

/// What can be known to be wrong before the database is asked.
pub(super) fn check(command: &UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Delete(arguments) if !arguments.yes => {
            Err(Failure::usage("nothing brings a deleted user back: say --yes if it is meant"))
        }
        UserCommand::Roles(arguments) => arguments.parse().map(drop),
        _ => Ok(()),
    }
}

impl RolesArguments {
    fn parse(&self) -> Result<Vec<String>, Failure> {
        let parsed =
            self.roles.iter().map(|text| Role::parse(text).map_err(|why| format!("{text:?}: {why}")));
        let (good, bad): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
        let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
        if !bad.is_empty() {
            return Err(Failure::usage(bad.join("; ")));
        }
        Role::together(good.into_iter().flatten().collect()).map_err(Failure::usage)
    }
}

pub(super) async fn set_roles(store: &Store, arguments: &RolesArguments) -> Result<(), Failure> {
    let roles = arguments.parse()?;
    let account = find(store, &arguments.who).await?;
    let event = Event::of_operator(Kind::RolesChange).about(account.id);
    let changed = store.set_roles(account.id, &roles, &event).await.map_err(Failure::new)?;
    let has = if changed { "has now" } else { "has already" };
    say(&format!("{} {has} {}", account.email, roles.join(" ")));
    Ok(())
}

pub(super) async fn disable(store: &Store, who: &WhoArguments) -> Result<(), Failure> {
    let account = find(store, who).await?;
    let event = Event::of_operator(Kind::UserDisable).about(account.id);
    let changed = store.disable(account.id, &event).await.map_err(Failure::new)?;
    say(&format!("{} is {}", account.email, if changed { "disabled" } else { "disabled already" }));
    Ok(())
}

pub(super) async fn enable(store: &Store, who: &WhoArguments) -> Result<(), Failure> {
    let account = find(store, who).await?;
    let event = Event::of_operator(Kind::UserEnable).about(account.id);
    let changed = store.enable(account.id, &event).await.map_err(Failure::new)?;
    say(&format!("{} is {}", account.email, if changed { "enabled" } else { "enabled already" }));
    Ok(())
}

pub(super) async fn delete(store: &Store, arguments: &DeleteArguments) -> Result<(), Failure> {
    let account = find(store, &arguments.who).await?;
    let event = Event::of_operator(Kind::UserDelete).about(account.id);
    store.delete_user(account.id, &event).await.map_err(Failure::new)?;
    say(&format!("{} with id {} is deleted", account.email, account.id));
    Ok(())
}

pub(super) async fn log_out(store: &Store, arguments: &LogoutArguments) -> Result<(), Failure> {
    let account = find(store, &arguments.who).await?;
    let Some(session_id) = arguments.session else {
        store.log_out_user(account.id, By::operator()).await.map_err(Failure::new)?;
        say(&format!("all sessions of {} have ended", account.email));
        return Ok(());
    };
    let ended = store.end_session_of_user(account.id, session_id, By::operator()).await;
    if !ended.map_err(Failure::new)? {
        return Err(Failure::new(format!(
            "{} has no session {session_id} that could be ended",
            account.email
        )));
    }
    say(&format!("the session {session_id} of {} has ended", account.email));
    Ok(())
}

pub(super) async fn password_link(
    store: &Store,
    arguments: &OneArguments,
    settings: &PasswordLinkSettings,
) -> Result<(), Failure> {
    let account = find(store, &arguments.who).await?;
    let token = LinkToken::new().map_err(Failure::new)?;
    let link = NewPasswordLink { token_hash: token.hash(), seconds: settings.seconds };
    let event = Event::of_operator(Kind::PasswordLink).about(account.id);
    store.create_password_link(account.id, &link, &event).await.map_err(Failure::new)?;
    if arguments.json {
        let line = Line { token: token.text(), link: token.link(settings), expires_in: settings.seconds };
        say(&serde_json::to_string(&line).map_err(Failure::new)?);
    } else {
        say(&link_text(&token, settings));
    }
    Ok(())
}

/// A link for a script.
#[derive(Serialize)]
struct Line {
    token: String,
    link: Option<String>,
    /// In seconds.
    expires_in: u32,
}
