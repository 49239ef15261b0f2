use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::addresses::address_file;
use super::envoy::remove_if_there;
use crate::error::Error;
use crate::http;
use crate::process::Process;
use crate::report::Report;
use crate::workspace;

/// The demo upstream. Dropping it ends it.
#[derive(Debug)]
pub struct Restaurant {
    process: Process,
    address: SocketAddr,
}

const DEADLINE: Duration = Duration::from_secs(30);

impl Restaurant {
    /// Starts it on any free port, with more environment if wanted, and waits until it is healthy.
    pub fn start(
        directory: &Path,
        env: &[(String, String)],
        report: &mut Report,
    ) -> Result<Restaurant, Error> {
        let file = directory.join("restaurant.addresses");
        remove_if_there(&file)?;
        let mut command = Command::new(workspace::binary("bearward-restaurant")?);
        command
            .env("RESTAURANT_LISTEN", "127.0.0.1:0")
            .env("RESTAURANT_ADDRESS_FILE", &file)
            .envs(env.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start("restaurant", command, &directory.join("restaurant.log"))?;
        let address =
            process.wait_until(report, "its address", DEADLINE, || Ok(address_file(&file, "public")))?;
        let health = format!("http://{address}/healthz");
        process.wait_until(report, &format!("200 from {health}"), DEADLINE, || {
            Ok(http::get(&health, None).filter(|answer| answer.status == 200))
        })?;
        Ok(Restaurant { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An error with the last lines of its log if it has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.process.check()
    }
}
