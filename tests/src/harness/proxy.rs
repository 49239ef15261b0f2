use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use xtask::directory::TemporaryDirectory;
use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::{Addresses, EnvoyOptions, EnvoyServer, substitute};

use super::{Setup, directory, variable};

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
        let directory = directory();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = Addresses { listen, issuer, upstream, module: &setup.module() };
        let options = EnvoyOptions {
            binary: PathBuf::from(variable("ENVOY")),
            configuration: substitute(setup.text(), &addresses).expect("marked lines in envoy.yaml"),
            directory: directory.path().to_owned(),
            env: setup.envoy_env.clone(),
            concurrency: 1,
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

    /// Everything that Envoy has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.envoy.log()
    }
}
