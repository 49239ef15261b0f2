//! `bearward-issuer keys`: the keys that sign tokens, for operators.

use std::io::{Write, stdout};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, begin, runtime};
use crate::audit::Event;
use crate::keys::life;
use crate::keys::{Keeper, Successor};
use crate::settings::{DatabaseSettings, KeysCommandSettings, SigningSettings, Sources, table};
use crate::store::{Clock, KeyRow, connect};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Publishes a new key, which signs once every verifier knows it. Replicas that run notice by themselves.
    #[command(after_long_help = super::keys_rotate_help())]
    Rotate(RotateArguments),
    /// Lists the keys with their stage, the last retired ones among them. Shows no private key.
    #[command(after_long_help = super::keys_list_help())]
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RotateArguments {
    /// The key that signs the feed of revocations, instead of the one that signs tokens.
    #[arg(long)]
    feed: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// One JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(sources: &Sources, command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Rotate(arguments) => rotate(sources, arguments),
        KeysCommand::List(arguments) => list(sources, arguments),
    }
}

fn rotate(sources: &Sources, arguments: &RotateArguments) -> Result<(), Failure> {
    let (KeysCommandSettings { database, signing }, _log) = begin(sources, KeysCommandSettings::read)?;
    let keys = match signing {
        signing if arguments.feed => signing.feed_keys(),
        SigningSettings::EdDsa(keys) => keys,
        SigningSettings::Hs256(..) => {
            let setting = table::HS256_SECRET_FILES.name;
            let text = format!(
                "tokens are signed with secrets: put a new one in front of {setting}, in every replica"
            );
            return Err(Failure::usage(text));
        }
    };
    runtime()?.block_on(async {
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let keeper = Keeper::new(connect::pool(&database), keys.encryption, keys.rhythm);
        let Successor { kid, signs_in_seconds } =
            keeper.rotate(&Event::of_operator(keeper.rotation())).await.map_err(Failure::new)?;
        // It is done, whoever reads this.
        let _ = writeln!(stdout(), "published {kid}, which signs in {signs_in_seconds} s");
        Ok(())
    })
}

fn list(sources: &Sources, arguments: &ListArguments) -> Result<(), Failure> {
    let (database, _log) = begin(sources, DatabaseSettings::read)?;
    let (now, rows) = runtime()?.block_on(async {
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        connect::pool(&database).list_signing_keys(Clock::Database).await.map_err(Failure::new)
    })?;
    let lines = lines(now, rows);
    let text = if arguments.json {
        let text = serde_json::to_string_pretty(&lines).map_err(Failure::new)?;
        format!("{text}\n")
    } else {
        as_table(&lines)
    };
    let _ = stdout().write_all(text.as_bytes());
    Ok(())
}

/// What is shown of a key. Times by RFC 3339.
#[derive(Debug, Serialize)]
struct Line {
    kid: String,
    /// `published`, `signs`, `verifies` or `retired`.
    stage: &'static str,
    published_at: String,
    signs_from: String,
    retired_at: Option<String>,
    /// `false` also for a retired key, whose private half is erased.
    encrypted: bool,
}

/// `rows`: those in use first, in the order in which they sign.
fn lines(now: i64, rows: Vec<KeyRow>) -> Vec<Line> {
    let stages = life::stages(now, &rows);
    let line = |(row, stage): (KeyRow, &'static str)| Line {
        kid: row.kid,
        stage,
        published_at: row.published_at_text,
        signs_from: row.signs_from_text,
        retired_at: row.retired_at_text,
        encrypted: row.encrypted,
    };
    rows.into_iter().zip(stages).map(line).collect()
}

fn as_table(lines: &[Line]) -> String {
    let row = |kid: &str, stage: &str, times: [&str; 3], encrypted: &str| {
        let [published_at, signs_from, retired_at] = times;
        let text =
            format!("{kid:43}  {stage:9}  {published_at:20}  {signs_from:20}  {retired_at:20}  {encrypted}");
        format!("{}\n", text.trim_end())
    };
    let mut text = row("KID", "STAGE", ["PUBLISHED", "SIGNS FROM", "RETIRED"], "ENCRYPTED");
    for line in lines {
        let retired_at = line.retired_at.as_deref().unwrap_or("-");
        let times = [line.published_at.as_str(), line.signs_from.as_str(), retired_at];
        text.push_str(&row(&line.kid, line.stage, times, if line.encrypted { "yes" } else { "no" }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestDatabase;

    #[tokio::test]
    async fn every_key_is_listed_with_its_stage_and_without_its_private_half() {
        let (_database, store) = TestDatabase::migrated().await;
        let keeper = Keeper::of_test(&store);
        keeper.load(None).await.unwrap();
        store
            .execute(
                "UPDATE signing_keys SET signs_from = now() - interval '1 hour', kid = 'retired', \
                       private_key = NULL, retired_at = now()",
            )
            .await;
        keeper.load(None).await.unwrap();
        store
            .execute(
                "UPDATE signing_keys SET signs_from = now() - interval '10 s', kid = 'verifies' \
                       WHERE kid <> 'retired'",
            )
            .await;
        store
            .execute(
                "INSERT INTO signing_keys (kid, algorithm, private_key, public_key, signs_from)
                 SELECT kid, 'EdDSA', public_key, public_key, now() + interval '1 s' * after
                 FROM (VALUES ('signs', -5, sha256('1')), ('published', 600, sha256('2')))
                      AS made (kid, after, public_key)",
            )
            .await;
        let (now, rows) = store.list_signing_keys(Clock::Database).await.unwrap();
        let lines = lines(now, rows);
        let stages: Vec<_> = lines.iter().map(|line| (line.kid.as_str(), line.stage)).collect();
        let expected = ["verifies", "signs", "published", "retired"].map(|name| (name, name));
        assert_eq!(stages, expected);
        let text = as_table(&lines);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.lines().nth(4).unwrap().contains("Z  no"), "{text}");
        let json = serde_json::to_value(&lines).unwrap();
        assert_eq!(json[0].as_object().unwrap().len(), 6, "{json}");
        assert!(json[0]["signs_from"].as_str().unwrap().ends_with('Z'), "{json}");
    }
}
