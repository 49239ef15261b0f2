use std::fs;
use std::process::{Command, ExitStatus};

use xtask::directory::TemporaryDirectory;
use xtask::process::{Process, Signal, output};
use xtask::stack::address_file;

use super::{directory, program};
use crate::client::Request;
use crate::deadline::eventually;

/// Settings of every issuer that tests start alone: what lets a test ask more often than users do.
const ROOMY: [(&str, &str); 0] = [];

/// The issuer alone, as the process that ships.
#[derive(Debug)]
pub struct Issuer {
    // Dropped in this order.
    process: Process,
    directory: TemporaryDirectory,
    environment: Vec<(String, String)>,
    url: String,
    internal_url: String,
}

impl Issuer {
    /// Starts it over this database, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start(database_url: &str, settings: &[(&str, &str)]) -> Self {
        Self::begin(database_url, settings).ready()
    }

    /// Starts it, and waits only until it listens.
    ///
    /// # Panics
    /// If it does not listen.
    #[must_use]
    pub fn begin(database_url: &str, settings: &[(&str, &str)]) -> Self {
        let directory = directory();
        let file = directory.path().join("addresses");
        let environment = environment(database_url, settings);
        let mut command = command(&environment);
        command
            .arg("serve")
            .env("BEARWARD_LISTEN", "127.0.0.1:0")
            .env("BEARWARD_INTERNAL_LISTEN", "127.0.0.1:0")
            .env("BEARWARD_ADDRESS_FILE", &file);
        let mut process = Process::start("issuer", command, &directory.path().join("issuer.log"))
            .unwrap_or_else(|error| panic!("{error}"));
        let (public, internal) = eventually("the issuer's addresses", || {
            process.check().unwrap_or_else(|error| panic!("{error}"));
            address_file(&file, "public").zip(address_file(&file, "internal"))
        });
        let (url, internal_url) = (format!("http://{public}"), format!("http://{internal}"));
        Self { process, directory, environment, url, internal_url }
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// If it ends instead.
    #[must_use]
    pub fn ready(mut self) -> Self {
        eventually("a ready issuer", || {
            self.process.check().unwrap_or_else(|error| panic!("{error}"));
            (self.readiness() == Some(200)).then_some(())
        });
        self
    }

    /// `http://127.0.0.1:PORT`, for clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://127.0.0.1:PORT`, for whoever runs it.
    #[must_use]
    pub fn internal_url(&self) -> &str {
        &self.internal_url
    }

    /// What `/readyz` answers; `None`: nothing.
    #[must_use]
    pub fn readiness(&self) -> Option<u16> {
        Request::get("/readyz").try_send(&self.internal_url).ok().map(|answer| answer.status)
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is gone.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// If it does not.
    pub fn end(&mut self) -> ExitStatus {
        eventually("the issuer's end", || self.process.ended().unwrap_or_else(|error| panic!("{error}")))
    }

    /// What another of its commands prints, with the settings that it has.
    ///
    /// # Panics
    /// If the command fails.
    #[must_use]
    pub fn says(&self, arguments: &[&str]) -> String {
        let mut command = command(&self.environment);
        command.args(arguments);
        output(command).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What one of its commands prints, over this database.
    ///
    /// # Panics
    /// If the command fails.
    #[must_use]
    pub fn command_says(database_url: &str, arguments: &[&str]) -> String {
        let mut command = command(&environment(database_url, &[]));
        command.args(arguments);
        output(command).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything that it has logged so far.
    ///
    /// # Panics
    /// If its log cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("issuer.log")).expect("the issuer's log")
    }
}

fn environment(database_url: &str, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let given = [("DATABASE_URL", database_url)].into_iter().chain(ROOMY).chain(settings.iter().copied());
    given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn command(environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program("bearward-issuer"));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}
