use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use xtask::directory::TemporaryDirectory;
use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::{EnvoyOptions, EnvoyServer, FEED_VARIABLE};

use super::setup::FEED_CREDENTIAL;
use super::{Setup, directory, variable};
use crate::client::Request;

/// Envoy with the filter, alone.
#[derive(Debug)]
pub struct Proxy {
    // Dropped in this order.
    envoy: EnvoyServer,
    _directory: TemporaryDirectory,
}

impl Proxy {
    /// Its whole log, if it refuses its configuration.
    pub(super) fn start(setup: &Setup, issuer: SocketAddr, upstream: SocketAddr) -> Result<Self, String> {
        Self::start_as_written(setup, setup.substituted(issuer, upstream), directory())
    }

    /// As [`start`](Self::start), with this configuration instead of the setup's own.
    pub(super) fn start_as_written(
        setup: &Setup,
        configuration: String,
        directory: TemporaryDirectory,
    ) -> Result<Self, String> {
        let options = EnvoyOptions {
            binary: PathBuf::from(variable("ENVOY")),
            configuration,
            directory: directory.path().to_owned(),
            env: [(FEED_VARIABLE, FEED_CREDENTIAL)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .chain(setup.envoy_env.iter().cloned())
                .collect(),
            concurrency: setup.workers,
        };
        match EnvoyServer::start(&options, &mut Report::silent()) {
            Ok(envoy) => Ok(Self { envoy, _directory: directory }),
            Err(Error::Ended { log, .. }) => Err(fs::read_to_string(log).expect("Envoy's log")),
            Err(other) => panic!("{other}"),
        }
    }

    /// `http://127.0.0.1:PORT` of Envoy.
    #[must_use]
    pub fn url(&self) -> &str {
        self.envoy.url()
    }

    /// `http://127.0.0.1:PORT` of each listener, by its name.
    ///
    /// # Panics
    /// If Envoy does not say.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<String, String> {
        let listeners = Request::get("/listeners?format=json").send(self.envoy.admin_url()).json();
        let url = |listener: &Value| {
            let name = listener["name"].as_str()?.to_owned();
            let port = listener.pointer("/local_address/socket_address/port_value")?;
            Some((name, format!("http://127.0.0.1:{port}")))
        };
        let listeners = listeners["listener_statuses"].as_array().expect("Envoy's listeners");
        listeners.iter().filter_map(url).collect()
    }

    /// One of Envoy's own numbers, as its admin interface names it.
    ///
    /// # Panics
    /// If Envoy has no number of that name.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let all = Request::get("/stats").send(self.envoy.admin_url()).text();
        let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("Envoy has no number `{name}`")).parse().expect("a number")
    }

    /// The admin interface: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        self.envoy.admin_url()
    }

    /// A number of the filter's own as `/stats/prometheus` shows it; `labels` as there, between the braces, in their order.
    #[must_use]
    pub fn metric(&self, name: &str, labels: &str) -> Option<u64> {
        let all = Request::get("/stats/prometheus").send(self.envoy.admin_url()).text();
        let prefix = format!("{name}{{{labels}}} ");
        all.lines().find_map(|line| line.strip_prefix(&prefix)).map(|value| value.parse().expect("a number"))
    }

    /// Everything that Envoy has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.envoy.log()
    }
}
