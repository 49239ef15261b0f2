use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::directory::random_hex;
use xtask::error::Error;

use super::Options;
use crate::http::{Connection, get};
use crate::issuer::{Accounts, Server, Site};

/// The issuer with its feed.
pub(super) struct Replica {
    site: Site,
    server: Server,
    authorization: String,
}

/// Where the log is.
pub(super) struct Position {
    generation: String,
    sequence: u64,
    digest: String,
}

/// How long the replica may take to notice something.
const DEADLINE: Duration = Duration::from_secs(30);

impl Position {
    /// What a proxy asks that has all of this.
    pub(super) fn question(&self, wait: u32) -> String {
        let Self { generation, sequence, digest } = self;
        format!("/revocations/v1?generation={generation}&sequence={sequence}&digest={digest}&wait={wait}")
    }
}

impl Replica {
    pub(super) fn start(
        options: &Options,
        credential_file: &Path,
        credential: &str,
        accounts: &Accounts,
    ) -> Result<Self, Error> {
        let settings = vec![
            ("BEARWARD_FEED_CREDENTIAL_FILES", credential_file.display().to_string()),
            // The least there is: a login is answered when its hash is there. What else it waits for would show no difference.
            ("BEARWARD_LOGIN_DEADLINE_MS", "20".to_owned()),
        ];
        let site = Site::with(&options.program, &options.logs, settings)?;
        site.run(&["migrate"], "")?;
        site.run(&["user", "import", "-"], &accounts.to_import())?;
        let server = Server::start(&site)?;
        let replica = Self { site, server, authorization: format!("Bearer {credential}") };
        replica.revoke()?;
        Ok(replica)
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The bytes of a question.
    pub(super) fn question(&self, path: &str) -> Vec<u8> {
        get(path, &[("authorization", &self.authorization)])
    }

    /// Writes a record, of a key that nobody has, and returns when the command had done so.
    pub(super) fn revoke(&self) -> Result<Instant, Error> {
        self.site.run(&["revoke", "key", &random_hex(16)?], "")?;
        Ok(Instant::now())
    }

    pub(super) fn position(&self) -> Result<Position, Error> {
        let said = self.site.run(&["feed", "status", "--json"], "")?;
        let position = serde_json::from_str::<Value>(&said).ok().and_then(|status| {
            let text = |name: &str| Some(status.get(name)?.as_str()?.to_owned());
            let sequence = status.get("sequence")?.as_u64()?;
            Some(Position { generation: text("generation")?, sequence, digest: text("digest")? })
        });
        position.ok_or_else(|| Error::unusable(format!("no position: {said}"), "build both programs anew"))
    }

    /// One of its numbers.
    pub(super) fn metric(&self, name: &str) -> Result<u64, Error> {
        let answer = Connection::new(self.server.internal()).send(&get("/metrics", &[]));
        let answer = answer.map_err(Error::io("cannot read the issuer's metrics"))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.ok_or_else(|| {
            Error::unusable(format!("the issuer has no number {name}"), "build both programs anew")
        })
    }

    pub(super) fn signatures(&self) -> Result<u64, Error> {
        self.metric("bearward_feed_signatures_total")
    }

    /// Until so many wait.
    pub(super) fn wait_for_polls(&self, polls: u32) -> Result<(), Error> {
        self.wait_for("bearward_feed_polls", |now| now == u64::from(polls))
    }

    /// Until one of its numbers is as it should be.
    pub(super) fn wait_for(&self, name: &str, is_reached: impl Fn(u64) -> bool) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            let now = self.metric(name)?;
            if is_reached(now) {
                return Ok(());
            }
            if begun.elapsed() > DEADLINE {
                return Err(Error::unusable(format!("{name} stays {now}"), "look into the issuer's log"));
            }
            xtask::interrupt::check()?;
            thread::sleep(Duration::from_millis(20));
        }
    }
}
