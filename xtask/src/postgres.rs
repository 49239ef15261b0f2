//! The database: the one that `DATABASE_URL` names, else a throw-away cluster.

use std::env;
use std::path::{Path, PathBuf};

use self::cluster::Cluster;
pub use self::cluster::{Durability, Shutdown};
use crate::error::Error;
use crate::report::Report;

mod binaries;
mod cluster;
mod user;

/// A PostgreSQL server to work on. A throw-away one ends with this value.
#[derive(Debug)]
pub struct Database {
    url: String,
    cluster: Option<Cluster>,
}

impl Database {
    /// The server of `DATABASE_URL` as it is, else a throw-away cluster with its log in `logs`. Its data goes into
    /// `keep` and stays there, or into a temporary directory.
    pub fn provide(logs: &Path, keep: Option<&Path>, report: &mut Report) -> Result<Database, Error> {
        if let Ok(url) = env::var("DATABASE_URL") {
            report.note("PostgreSQL: the one that DATABASE_URL names");
            return Ok(Database { url, cluster: None });
        }
        Database::throw_away(logs, keep, Durability::None, report)
    }

    /// A cluster of its own, whatever the environment says.
    pub fn throw_away(
        logs: &Path,
        keep: Option<&Path>,
        durability: Durability,
        report: &mut Report,
    ) -> Result<Database, Error> {
        let cluster = Cluster::start(logs, keep, durability, report)?;
        Ok(Database { url: cluster.url(), cluster: Some(cluster) })
    }

    /// A cluster of its own that keeps whatever it has acknowledged, for whoever stops it and starts it again.
    pub fn durable(logs: &Path, report: &mut Report) -> Result<Database, Error> {
        let cluster = Cluster::start(logs, None, Durability::Full, report)?;
        Ok(Database { url: cluster.url(), cluster: Some(cluster) })
    }

    /// A copy of a cluster of its own that follows it, to be promoted by `pg_promote()`. `None`: it is nobody's own.
    pub fn standby(&self, logs: &Path, report: &mut Report) -> Result<Option<Database>, Error> {
        let Some(primary) = &self.cluster else { return Ok(None) };
        let cluster = primary.standby(logs, report)?;
        Ok(Some(Database { url: cluster.url(), cluster: Some(cluster) }))
    }

    /// Stops the server of a cluster of its own; its data stays.
    pub fn stop(&mut self, how: Shutdown, report: &mut Report) -> Result<(), Error> {
        self.cluster.as_mut().map_or(Ok(()), |cluster| cluster.stop(how, report))
    }

    /// Starts the server of a cluster of its own again, and waits until it takes connections.
    pub fn resume(&mut self, report: &mut Report) -> Result<(), Error> {
        self.cluster.as_mut().map_or(Ok(()), |cluster| cluster.resume(report))
    }

    /// `postgres://postgres@localhost/postgres?host=DIRECTORY`, for whoever may create databases.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `psql`, where the throw-away cluster's package has it.
    pub fn psql(&self) -> Option<PathBuf> {
        self.program("psql")
    }

    /// A program of the throw-away cluster's package, such as `pg_dump`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.cluster.as_ref().map(|cluster| cluster.binaries().program(name))
    }

    /// The process id of the throw-away server, of which all its other processes are children.
    pub fn id(&self) -> Option<u32> {
        self.cluster.as_ref().map(Cluster::id)
    }

    /// An error with the last lines of its log if the throw-away server has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.cluster.as_mut().map_or(Ok(()), Cluster::check)
    }
}
