use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::addresses::address_file;
use super::credential::FeedCredential;
use super::envoy::{remove_if_there, whole};
use super::{AUDIENCE, ISSUER, StackOptions};
use crate::error::Error;
use crate::http;
use crate::process::{self, Process};
use crate::report::Report;
use crate::workspace;

/// The issuer, running or stopped; its addresses stay.
#[derive(Debug)]
pub(super) struct IssuerServer {
    process: Option<Process>,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    directory: PathBuf,
    public: SocketAddr,
    internal: SocketAddr,
}

/// How long migrations and the first signing key may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

impl IssuerServer {
    pub(super) fn start(
        options: &StackOptions,
        credential: &FeedCredential,
        report: &mut Report,
    ) -> Result<IssuerServer, Error> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut environment = vec![
            ("DATABASE_URL".to_owned(), options.database_url.clone()),
            ("BEARWARD_ISSUER".to_owned(), ISSUER.to_owned()),
            ("BEARWARD_AUDIENCE".to_owned(), AUDIENCE.to_owned()),
            // Envoy stands in front, on this machine, and tells whose request it is.
            ("BEARWARD_TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned()),
            credential.for_issuer(),
        ];
        environment.extend(options.issuer_env.iter().cloned());
        let mut issuer = IssuerServer {
            process: None,
            binary: workspace::binary("bearward-issuer")?,
            environment,
            directory: options.directory.clone(),
            public: any,
            internal: any,
        };
        issuer.resume(report)?;
        Ok(issuer)
    }

    /// Starts it on the addresses that it had; the first time, on any.
    pub(super) fn resume(&mut self, report: &mut Report) -> Result<(), Error> {
        let file = self.directory.join("issuer.addresses");
        remove_if_there(&file)?;
        let mut command = self.command("serve");
        command
            .env("BEARWARD_LISTEN", self.public.to_string())
            .env("BEARWARD_INTERNAL_LISTEN", self.internal.to_string())
            .env("BEARWARD_ADDRESS_FILE", &file);
        let mut process = Process::start("issuer", command, &self.directory.join("issuer.log"))?;
        let (public, internal) = process.wait_until(report, "its addresses", DEADLINE, || {
            Ok(address_file(&file, "public").zip(address_file(&file, "internal")))
        })?;
        let ready = format!("http://{internal}/readyz");
        process.wait_until(report, &format!("200 from {ready}"), DEADLINE, || {
            Ok(http::get(&ready, None).filter(|answer| answer.status == 200))
        })?;
        (self.public, self.internal, self.process) = (public, internal, Some(process));
        Ok(())
    }

    pub(super) fn stop(&mut self) {
        self.process = None;
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.process.as_mut().map_or(Ok(()), Process::check)
    }

    pub(super) fn public(&self) -> SocketAddr {
        self.public
    }

    pub(super) fn internal(&self) -> SocketAddr {
        self.internal
    }

    pub(super) fn log(&self) -> String {
        whole(&self.directory.join("issuer.log"))
    }

    pub(super) fn create_admin(&self, email: &str, password: &str) -> Result<(), Error> {
        let mut command = self.command("admin");
        command
            .args(["create", "--email", email, "--name", "Administrator", "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let doing = "cannot run bearward-issuer admin create";
        let mut child = command.spawn().map_err(Error::io(doing))?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that ends without reading says why itself.
            let _ = writeln!(stdin, "{password}");
        }
        let output = child.wait_with_output().map_err(Error::io(doing))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Error::unusable(
            format!("bearward-issuer admin create refused {email} ({}): {}", output.status, said.trim()),
            "see what it says",
        ))
    }

    /// Runs another of its commands with its settings, and returns what it printed.
    pub(super) fn run(&self, verb: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = self.command(verb);
        command.args(arguments);
        process::output(command)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
