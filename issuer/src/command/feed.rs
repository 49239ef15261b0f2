//! `bearward-issuer feed`: the log of revocations, for operators.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, begin, runtime, say};
use crate::audit::{Event, Kind};
use crate::settings::{DatabaseSettings, Sources};
use crate::store::{FeedStatus, connect};

#[derive(Debug, Subcommand)]
pub(crate) enum FeedCommand {
    /// Shows where the log is, and how many records are live.
    #[command(after_long_help = super::feed_help("status --json"))]
    Status(StatusArguments),
    /// Says that the log has forked, which a dump that was played back into the same database does not show by itself: all
    /// tokens and sessions of before end, and every proxy reads all records anew.
    #[command(after_long_help = super::feed_help("new-generation --yes"))]
    NewGeneration(NewGenerationArguments),
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NewGenerationArguments {
    /// Says that it is meant: everybody logs in again.
    #[arg(long, required = true)]
    yes: bool,
}

pub(crate) fn run(sources: &Sources, command: &FeedCommand) -> Result<(), Failure> {
    let (database, _log) = begin(sources, DatabaseSettings::read)?;
    runtime()?.block_on(async {
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let store = connect::pool(&database);
        match command {
            FeedCommand::Status(StatusArguments { json }) => {
                let status = store.feed_status().await.map_err(Failure::new)?;
                say(&if *json {
                    serde_json::to_string(&View::of(&status)).map_err(Failure::new)?
                } else {
                    table(&status)
                });
            }
            FeedCommand::NewGeneration(_) => {
                let event = Event::of_operator(Kind::FeedGeneration);
                store.new_generation(&event).await.map_err(Failure::new)?;
                let FeedStatus { generation, epoch, .. } = store.feed_status().await.map_err(Failure::new)?;
                say(&format!("generation {generation}, epoch {epoch}: everybody logs in again"));
            }
        }
        Ok(())
    })
}

#[derive(Serialize)]
struct View<'a> {
    generation: &'a str,
    sequence: i64,
    digest: &'a str,
    epoch: i64,
    instance: Option<&'a str>,
    live: Live,
}

#[derive(Serialize)]
struct Live {
    session: i64,
    subject: i64,
    key: i64,
    epoch: i64,
}

impl<'a> View<'a> {
    fn of(status: &'a FeedStatus) -> Self {
        let FeedStatus { generation, sequence, digest, epoch, instance, sessions, subjects, keys, epochs } =
            status;
        let live = Live { session: *sessions, subject: *subjects, key: *keys, epoch: *epochs };
        Self { generation, sequence: *sequence, digest, epoch: *epoch, instance: instance.as_deref(), live }
    }
}

fn table(status: &FeedStatus) -> String {
    let FeedStatus { generation, sequence, digest, epoch, instance, sessions, subjects, keys, epochs } =
        status;
    let instance = instance.as_deref().unwrap_or("not written down yet");
    format!(
        "generation  {generation}\nsequence    {sequence}\ndigest      {digest}\nepoch       {epoch}\n\
         database    {instance}\nlive        {sessions} of sessions, {subjects} of users, {keys} of keys, {epochs} of epochs"
    )
}
