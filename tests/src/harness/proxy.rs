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
    pub(super) fn start(setup: &Setup, issuer: SocketAddr, upstream: SocketAddr) -> Result<Self, Error> {
        let directory = directory();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = Addresses { listen, issuer, upstream, module: &setup.module() };
        let options = EnvoyOptions {
            binary: PathBuf::from(variable("ENVOY")),
            configuration: substitute(setup.text(), &addresses)?,
            directory: directory.path().to_owned(),
            env: setup.envoy_env.clone(),
            concurrency: 1,
        };
        let envoy = EnvoyServer::start(&options, &mut Report::silent())?;
        Ok(Self { envoy, _directory: directory })
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
