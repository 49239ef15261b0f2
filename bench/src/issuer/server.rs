use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::process::{Process, Signal};
use xtask::stack::{AUDIENCE, ISSUER, address_file};

use super::Extent;
use crate::http::{self, Connection};

/// The program and what all of its processes share.
#[derive(Debug)]
pub(crate) struct Site {
    program: PathBuf,
    logs: PathBuf,
    environment: Vec<(&'static str, String)>,
}

/// The issuer, ready. Ended, with SIGKILL, when the value is dropped: an orderly end would wait for proxies to notice.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    public: SocketAddr,
    internal: SocketAddr,
    started_within: Duration,
}

/// How long a start may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often it is looked whether a start is complete: what a cold start is too long at most.
const POLL: Duration = Duration::from_millis(1);

impl Site {
    pub(super) fn new(program: &Path, logs: &Path, permits: u32, extent: Extent) -> Result<Self, Error> {
        let mut settings = vec![
            ("BEARWARD_HASH_PERMITS", permits.to_string()),
            ("BEARWARD_HASH_QUEUE", extent.queue.to_string()),
        ];
        if let Some(deadline) = extent.deadline_ms {
            settings.push(("BEARWARD_LOGIN_DEADLINE_MS", deadline.to_string()));
        }
        Self::with(program, logs, settings)
    }

    /// With these settings, too.
    pub(crate) fn with(
        program: &Path,
        logs: &Path,
        settings: Vec<(&'static str, String)>,
    ) -> Result<Self, Error> {
        let database = std::env::var("DATABASE_URL")
            .map_err(|_| Error::unusable("DATABASE_URL is not set", "run `cargo xtask bench`"))?;
        let mut environment = vec![
            ("DATABASE_URL", database),
            ("BEARWARD_ISSUER", ISSUER.to_owned()),
            ("BEARWARD_AUDIENCE", AUDIENCE.to_owned()),
            ("BEARWARD_LISTEN", "127.0.0.1:0".to_owned()),
            ("BEARWARD_INTERNAL_LISTEN", "127.0.0.1:0".to_owned()),
            // We stand for many clients behind a proxy: each request says which one it is of.
            ("BEARWARD_TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
            // Each session stands for many that are refreshed now and then.
            ("BEARWARD_REFRESH_LIMIT", "off".to_owned()),
            ("BEARWARD_LOG_FORMAT", "json".to_owned()),
        ];
        environment.extend(settings);
        Ok(Self { program: program.to_owned(), logs: logs.to_owned(), environment })
    }

    /// Runs another of its commands to its end, with this on its standard input, and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Result<String, Error> {
        let doing = || Error::io(format!("cannot run {}", self.program.display()));
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(doing())?;
        let stdin = child.stdin.take();
        thread::scope(|scope| {
            // Beside reading: it tells line by line what it does. One that ends without reading says why itself.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
            let output = child.wait_with_output().map_err(doing())?;
            match output.status.success() {
                true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
                false => Err(Error::Failed { command: arguments.join(" "), status: output.status }),
            }
        })
    }

    /// With nothing of our own environment: a setting there would change what is measured.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Server {
    pub(crate) fn start(site: &Site) -> Result<Self, Error> {
        let file = site.logs.join("issuer.addresses");
        if file.exists() {
            fs::remove_file(&file).map_err(Error::file("remove", &file))?;
        }
        let mut command = site.command(&["serve"]);
        command.env("BEARWARD_ADDRESS_FILE", &file);
        let begun = Instant::now();
        let mut process =
            Process::start_with("issuer", command, &site.logs.join("issuer.log"), Signal::KILL)?;
        let internal = until(&mut process, begun, || address_file(&file, "internal"))?;
        let mut connection = Connection::new(internal);
        let ask = http::get("/readyz", &[]);
        until(&mut process, begun, || {
            connection.send(&ask).is_ok_and(|answer| answer.status == 200).then_some(())
        })?;
        let started_within = begun.elapsed();
        let public = address_file(&file, "public")
            .ok_or_else(|| Error::unusable("the issuer wrote no public address", "look into its log"))?;
        Ok(Self { process, public, internal, started_within })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn public(&self) -> SocketAddr {
        self.public
    }

    pub(crate) fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// From the start of the process to the first 200 of `/readyz`.
    pub(super) fn started_within(&self) -> Duration {
        self.started_within
    }
}

fn until<T>(process: &mut Process, begun: Instant, mut probe: impl FnMut() -> Option<T>) -> Result<T, Error> {
    loop {
        if let Some(answer) = probe() {
            return Ok(answer);
        }
        process.check()?;
        xtask::interrupt::check()?;
        if begun.elapsed() > DEADLINE {
            return Err(Error::Late {
                name: "issuer".to_owned(),
                awaited: "200 from /readyz".to_owned(),
                waited: DEADLINE,
                log: process.log().to_owned(),
                tail: xtask::process::tail(process.log()),
            });
        }
        thread::sleep(POLL);
    }
}
