//! `bearward-issuer revoke`: what every proxy refuses from now on.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{Failure, begin, runtime, say};
use crate::audit::By;
use crate::keys::{Keeper, parse_kid};
use crate::settings::{KeysCommandSettings, SigningSettings, Sources};
use crate::store::connect;

#[derive(Debug, Subcommand)]
pub(crate) enum RevokeCommand {
    /// Ends a session, by the `sid` of its tokens. All sessions of a user: `user logout`.
    #[command(after_long_help = super::revoke_help("session 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"))]
    Session(SessionArguments),
    /// Has everybody refuse whatever a key signed, for good. If it is one of ours it signs no more.
    #[command(after_long_help = super::revoke_help("key OX1pQmC3JVtE0rQnI4sZ1DqLrTnHo2xj1mYH8GmP9fs"))]
    Key(KeyArguments),
    /// Ends all tokens and all sessions: everybody logs in again.
    #[command(after_long_help = super::revoke_help("all --yes"))]
    All(AllArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SessionArguments {
    /// The session.
    #[arg(value_name = "SID")]
    id: Uuid,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    /// The key.
    #[arg(value_name = "KID", value_parser = parse_kid)]
    kid: String,
}

#[derive(Debug, Args)]
pub(crate) struct AllArguments {
    /// Says that it is meant.
    #[arg(long, required = true)]
    yes: bool,
    /// Lets sessions go on: the next refresh of each brings a token that is good.
    #[arg(long)]
    keep_sessions: bool,
}

pub(crate) fn run(sources: &Sources, command: &RevokeCommand) -> Result<(), Failure> {
    let (KeysCommandSettings { database, signing }, _log) = begin(sources, KeysCommandSettings::read)?;
    runtime()?.block_on(async {
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        let by = By::operator();
        match command {
            RevokeCommand::Session(SessionArguments { id }) => {
                if !store.revoke_session(*id, by).await.map_err(Failure::new)? {
                    return Err(Failure::new(format!("there is no session {id} that could be ended")));
                }
                say(&format!("ended session {id}"));
            }
            RevokeCommand::Key(KeyArguments { kid }) => {
                match signing {
                    SigningSettings::EdDsa(keys) => {
                        let keeper = Keeper::new(store, keys.encryption, keys.rhythm);
                        keeper.revoke(kid, by).await.map_err(Failure::new)?;
                    }
                    _ => store.revoke_key(kid, by).await.map_err(Failure::new)?,
                }
                say(&format!("revoked key {kid}"));
            }
            RevokeCommand::All(AllArguments { keep_sessions, .. }) => {
                store.revoke_all(*keep_sessions, by).await.map_err(Failure::new)?;
                say(if *keep_sessions { "revoked all tokens" } else { "revoked all tokens and sessions" });
            }
        }
        Ok(())
    })
}
