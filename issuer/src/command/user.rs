//! `bearward-issuer user`: users, for operators. What the admin API does, by the same operations of the store.

mod change;
mod import;
mod lines;
mod show;

use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{Failure, runtime, say};
use crate::account::LoginEmail;
use crate::password_link::LinkToken;
use crate::settings::{self, DatabaseSettings, PasswordLinkSettings, Sources, UserSettings};
use crate::store::{Account, Store, connect};

#[cfg(test)]
pub(crate) use import::testing;
use import::{Import, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Creates users from JSON lines with their password hashes. Who is there already stays as he is.
    #[command(after_long_help = super::import_help())]
    Import(ImportArguments),
    /// Lists all users, oldest first.
    #[command(after_long_help = help("list --json"))]
    List(ListArguments),
    /// Shows one user.
    #[command(after_long_help = help("show priya@example.com"))]
    Show(OneArguments),
    /// Lists the sessions of a user, the one that was used last first.
    #[command(after_long_help = help("sessions priya@example.com"))]
    Sessions(OneArguments),
    /// Gives a user these roles and no others. The sessions stay, and refresh to tokens with the new roles.
    #[command(after_long_help = help("roles priya@example.com chef rider"))]
    Roles(change::RolesArguments),
    /// Disables a user and ends all sessions.
    #[command(after_long_help = help("disable priya@example.com"))]
    Disable(WhoArguments),
    /// Lets a disabled user log in again.
    #[command(after_long_help = help("enable priya@example.com"))]
    Enable(WhoArguments),
    /// Deletes a user with all sessions. What the trail says of him stays.
    #[command(after_long_help = help("delete priya@example.com --yes"))]
    Delete(change::DeleteArguments),
    /// Ends all sessions of a user, or one.
    #[command(after_long_help = help("logout priya@example.com"))]
    Logout(change::LogoutArguments),
    /// Prints a one-time link by which the user sets a password. The one before is void.
    #[command(after_long_help = help("password-link priya@example.com"))]
    PasswordLink(OneArguments),
}

/// Whom a command is about.
#[derive(Debug, Args)]
pub(crate) struct WhoArguments {
    /// The identifier or the e-mail address of the user.
    #[arg(value_name = "ID|EMAIL")]
    user: String,
}

/// The same, with something to print.
#[derive(Debug, Args)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    who: WhoArguments,
    /// JSON, one object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// No log is begun: standard output is the answer's alone.
pub(super) fn run(sources: &Sources, command: &UserCommand) -> Result<(), Failure> {
    if let UserCommand::Import(arguments) = command {
        return import(sources, arguments);
    }
    change::check(command)?;
    let settings = settings::read(sources, UserSettings::read)?;
    runtime()?.block_on(async {
        // Waits for the database; what it finds there is up to `migrate`.
        drop(connect::connection(&settings.database).await.map_err(Failure::new)?);
        let store = connect::pool(&settings.database);
        match command {
            UserCommand::Import(_) => Ok(()),
            UserCommand::List(arguments) => show::list(&store, arguments.json).await,
            UserCommand::Show(arguments) => {
                show::one(&find(&store, &arguments.who).await?, arguments.json);
                Ok(())
            }
            UserCommand::Sessions(arguments) => {
                let account = find(&store, &arguments.who).await?;
                show::sessions(&store, &account, &settings, arguments.json).await
            }
            UserCommand::Roles(arguments) => change::set_roles(&store, arguments).await,
            UserCommand::Disable(who) => change::disable(&store, who).await,
            UserCommand::Enable(who) => change::enable(&store, who).await,
            UserCommand::Delete(arguments) => change::delete(&store, arguments).await,
            UserCommand::Logout(arguments) => change::log_out(&store, arguments).await,
            UserCommand::PasswordLink(arguments) => {
                change::password_link(&store, arguments, &settings.password_links).await
            }
        }
    })
}

async fn find(store: &Store, who: &WhoArguments) -> Result<Account, Failure> {
    let found = match Uuid::try_parse(&who.user) {
        Ok(id) => store.account(id).await,
        Err(_) => match LoginEmail::new(&who.user).to_look_up() {
            Some(email) => store.account_by_email(email).await,
            None => Ok(None),
        },
    };
    found.map_err(Failure::new)?.ok_or_else(|| Failure::new(format!("there is no user {:?}", who.user)))
}

/// What is shown of a link, this once.
pub(super) fn link_text(token: &LinkToken, settings: &PasswordLinkSettings) -> String {
    let what = if settings.url.is_some() { "link" } else { "token for POST /api/auth/password/link" };
    let shown = token.link(settings).unwrap_or_else(|| token.text());
    format!("one-time {what}, good for {} s:\n{shown}", settings.seconds)
}

fn help(example: &str) -> String {
    use crate::settings::table;
    let mut used = vec![&table::DATABASE_URL, &table::DATABASE_WAIT];
    match example.split(' ').next() {
        Some("password-link") => used.extend([&table::PASSWORD_LINK_URL, &table::PASSWORD_LINK_SECONDS]),
        Some("sessions") => used.push(&table::SESSION_IDLE_SECONDS),
        _ => {}
    }
    format!(
        "Example:\n  DATABASE_URL=postgres://... bearward-issuer user {example}\n\n{}",
        table::help(&used)
    )
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The users, one JSON object a line; `-` is standard input.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Says what would be done and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object for each line, and one with the sums at the end.
    #[arg(long)]
    json: bool,
}

fn import(sources: &Sources, arguments: &ImportArguments) -> Result<(), Failure> {
    let database = settings::read(sources, DatabaseSettings::read)?;
    let input = BufReader::new(open(arguments)?);
    runtime()?.block_on(async {
        // Waits for the database; what it finds there is up to `migrate`.
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        let mut report = Report::new(arguments.json);
        let done = Import::new(&store, arguments.dry_run)
            .run(input, |number, outcome| say(&report.line(number, &outcome)))
            .await;
        // Told also where it stopped: what was done until then is done.
        say(&report.sums());
        done.map_err(Failure::new)?;
        match report.refused() {
            0 => Ok(()),
            1 => Err(Failure::new("a line was refused: correct it and import the file again")),
            n => Err(Failure::new(format!("{n} lines were refused: correct them and import the file again"))),
        }
    })
}

fn open(arguments: &ImportArguments) -> Result<Box<dyn Read>, Failure> {
    if arguments.file.as_os_str() == "-" {
        return Ok(Box::new(stdin()));
    }
    let opened = File::open(&arguments.file);
    let why = |error| Failure::usage(format!("{}: {error}; nothing was imported", arguments.file.display()));
    Ok(Box::new(opened.map_err(why)?))
}
