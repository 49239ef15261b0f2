use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::directory::create_all;
use crate::error::Error;
use crate::http;
use crate::process::Process;
use crate::report::Report;

/// An Envoy with a given configuration.
#[derive(Debug, Clone)]
pub struct EnvoyOptions {
    /// The program, from [`crate::envoy::provide`].
    pub binary: PathBuf,
    /// The whole configuration, with an admin interface and at least one listener; their ports may be 0.
    pub configuration: String,
    /// Gets `envoy.yaml`, `envoy.log` and the address file.
    pub directory: PathBuf,
    /// More environment.
    pub env: Vec<(String, String)>,
    /// Worker threads.
    pub concurrency: u32,
}

/// A running Envoy. Dropping it ends it.
#[derive(Debug)]
pub struct EnvoyServer {
    process: Process,
    configuration: String,
    url: String,
    admin_url: String,
}

/// How long Envoy may take to compile the filter on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

impl EnvoyServer {
    /// Starts Envoy and waits until its listeners are open. If it refuses its configuration, the error is
    /// [`Error::Ended`] with the end of its log, which says why.
    pub fn start(options: &EnvoyOptions, report: &mut Report) -> Result<EnvoyServer, Error> {
        create_all(&options.directory)?;
        let configuration = options.directory.join("envoy.yaml");
        fs::write(&configuration, &options.configuration).map_err(Error::file("write", &configuration))?;
        report.note(&format!("configuration: {}", configuration.display()));
        let admin_file = options.directory.join("envoy.admin");
        remove_if_there(&admin_file)?;

        let log = options.directory.join("envoy.log");
        let mut process = Process::start("envoy", command(options, &configuration, &admin_file), &log)?;
        let admin = process.wait_until(report, "its admin interface", DEADLINE, || {
            Ok(fs::read_to_string(&admin_file).ok().and_then(|text| text.trim().parse::<SocketAddr>().ok()))
        })?;
        let admin_url = format!("http://{admin}");
        let live = format!("{admin_url}/ready");
        process.wait_until(report, "200 from its admin interface", DEADLINE, || {
            Ok(http::get(&live, None).filter(|answer| answer.status == 200))
        })?;
        let listeners = format!("{admin_url}/listeners?format=json");
        let port = process.wait_until(report, "an open listener", DEADLINE, || {
            Ok(http::get(&listeners, None).and_then(|answer| first_port(&answer.body)))
        })?;
        let configuration = options.configuration.clone();
        Ok(EnvoyServer { process, configuration, url: format!("http://127.0.0.1:{port}"), admin_url })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// `http://127.0.0.1:PORT` of the first listener.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://127.0.0.1:PORT` of the admin interface.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// What it was started with.
    pub(super) fn configuration(&self) -> &str {
        &self.configuration
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        whole(self.process.log())
    }

    /// An error with the last lines of its log if it has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.process.check()
    }

    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The text of a log; what is not UTF-8 in it is replaced, what cannot be read is empty.
pub(super) fn whole(log: &Path) -> String {
    fs::read(log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn remove_if_there(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", file)(error)),
        _ => Ok(()),
    }
}

fn command(options: &EnvoyOptions, configuration: &Path, admin_file: &Path) -> Command {
    let mut command = Command::new(&options.binary);
    command
        .arg("--config-path")
        .arg(configuration)
        .arg("--admin-address-path")
        .arg(admin_file)
        .args(["--concurrency", &options.concurrency.to_string()])
        // Any number of Envoys side by side: hot restart would have them share memory by a number.
        .arg("--disable-hot-restart")
        .args(["--log-level", "info"]);
    // A stack ends in tests after every one of them: connections that are still open need no ten minutes.
    command.args(["--drain-time-s", "1", "--parent-shutdown-time-s", "2"]);
    command.envs(options.env.iter().map(|(name, value)| (name, value)));
    command
}

fn first_port(listeners: &str) -> Option<u16> {
    let listeners: Value = serde_json::from_str(listeners).ok()?;
    let port = listeners.pointer("/listener_statuses/0/local_address/socket_address/port_value")?.as_u64()?;
    u16::try_from(port).ok().filter(|&port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_first_listener_is_read_from_the_admin_interface() {
        let listeners = r#"{"listener_statuses":[{"name":"public","local_address":
            {"socket_address":{"address":"127.0.0.1","port_value":43117}}}]}"#;
        assert_eq!(first_port(listeners), Some(43117));
    }

    #[test]
    fn a_listener_that_is_not_open_yet_has_no_port() {
        assert_eq!(first_port("{}"), None);
        assert_eq!(first_port("not JSON"), None);
    }
}
