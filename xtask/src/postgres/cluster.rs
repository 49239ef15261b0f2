use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::binaries::Binaries;
use super::user::Unprivileged;
use crate::directory::{TemporaryDirectory, create_all};
use crate::error::Error;
use crate::process::{Process, Signal};
use crate::report::Report;

/// A server on a unix socket in a private directory.
#[derive(Debug)]
pub(super) struct Cluster {
    // Dropped in this order: the server ends before its directory goes.
    server: Option<Process>,
    binaries: Binaries,
    site: Site,
}

/// What a cluster keeps when its processes end without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: it gives that up for speed.
    None,
    /// Whatever was committed.
    Full,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Transactions are rolled back, clients are told.
    Fast,
    /// Without a checkpoint, as in a crash: the next start recovers from the log.
    Immediate,
}

/// How long `initdb` and the server's start may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// What every unix accepts as the path of a socket, terminating zero excluded.
const SOCKET_PATH_LIMIT: usize = 103;
/// PostgreSQL's name for its socket.
const SOCKET: &str = ".s.PGSQL.5432";

/// Every test in parallel has connections of its own.
const SETTINGS: [&str; 4] = ["listen_addresses=", "max_connections=400", "timezone=UTC", "log_timezone=UTC"];

impl Durability {
    /// Said in both cases: whoever measures looks at it.
    fn settings(self) -> [&'static str; 3] {
        match self {
            Durability::None => ["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
            Durability::Full => ["fsync=on", "synchronous_commit=on", "full_page_writes=on"],
        }
    }
}

impl Cluster {
    pub(super) fn start(
        logs: &Path,
        keep: Option<&Path>,
        durability: Durability,
        report: &mut Report,
    ) -> Result<Cluster, Error> {
        let (site, binaries) = Site::prepare(&logs.join("postgres.log"), keep, durability, report)?;
        if !site.data.join("PG_VERSION").exists() {
            site.initialize(&binaries, report)?;
        }
        Cluster::of(site, binaries, report)
    }

    /// A copy that follows this one until it is promoted.
    pub(super) fn standby(&self, logs: &Path, report: &mut Report) -> Result<Cluster, Error> {
        let log = logs.join("standby.log");
        let (site, binaries) = Site::prepare(&log, None, self.site.durability, report)?;
        site.copy(&binaries, self.site.home.path(), report)?;
        Cluster::of(site, binaries, report)
    }

    fn of(site: Site, binaries: Binaries, report: &mut Report) -> Result<Cluster, Error> {
        let mut cluster = Cluster { server: None, binaries, site };
        cluster.resume(report)?;
        Ok(cluster)
    }

    pub(super) fn resume(&mut self, report: &mut Report) -> Result<(), Error> {
        let mut server = self.site.serve(&self.binaries)?;
        let ready = || Ok(self.site.is_ready().then_some(()));
        server.wait_until(report, "the first connection", DEADLINE, ready)?;
        self.server = Some(server);
        Ok(())
    }

    pub(super) fn stop(&mut self, how: Shutdown, report: &mut Report) -> Result<(), Error> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        server.signal(match how {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        })?;
        match server.wait_until(report, "its end", DEADLINE, || Ok(None::<()>)) {
            Err(Error::Ended { .. }) => Ok(()),
            other => other,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", percent_encoded(self.site.home.path()))
    }

    pub(super) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    pub(super) fn id(&self) -> u32 {
        self.server.as_ref().map_or(0, Process::id)
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.server.as_mut().map_or(Ok(()), Process::check)
    }
}

#[derive(Debug)]
struct Site {
    user: Option<Unprivileged>,
    home: TemporaryDirectory,
    data: PathBuf,
    log: PathBuf,
    durability: Durability,
}

impl Site {
    /// Its folders, owned by whoever will run the server, and the programs for it.
    fn prepare(
        log: &Path,
        keep: Option<&Path>,
        durability: Durability,
        report: &mut Report,
    ) -> Result<(Site, Binaries), Error> {
        let user = Unprivileged::needed()?;
        let home = socket_directory()?;
        own(home.path(), user.as_ref())?;
        let binaries = Binaries::find(user.as_ref(), home.path(), report)?;
        let data = match keep {
            Some(folder) => folder.to_owned(),
            None => home.path().join("data"),
        };
        if let Some(logs) = log.parent() {
            create_all(logs)?;
        }
        create_all(&data)?;
        own(&data, user.as_ref())?;
        Ok((Site { user, home, data, log: log.to_owned(), durability }, binaries))
    }

    /// What the server with its socket in this folder has, and the setting that lets it follow that server.
    fn copy(&self, binaries: &Binaries, primary: &Path, report: &mut Report) -> Result<(), Error> {
        // It takes a folder that is there as it is, and the server takes none that others could read.
        fs::set_permissions(&self.data, Permissions::from_mode(0o700))
            .map_err(Error::file("close", &self.data))?;
        let mut command = self.command(&binaries.program("pg_basebackup"));
        command.arg("-D").arg(&self.data).arg("-h").arg(primary);
        command.args(["-U", "postgres", "-X", "stream", "-c", "fast", "--no-sync", "--write-recovery-conf"]);
        Process::start("pg_basebackup", command, &self.log)?.finish(report, DEADLINE)
    }

    fn initialize(&self, binaries: &Binaries, report: &mut Report) -> Result<(), Error> {
        let mut command = self.command(&binaries.initdb());
        // macOS does not know C.UTF-8; in both the order of text is that of its bytes.
        let locale = if cfg!(target_os = "macos") { "--locale=C" } else { "--locale=C.UTF-8" };
        command
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", locale, "-D"])
            .arg(&self.data);
        Process::start("initdb", command, &self.log)?.finish(report, DEADLINE)
    }

    fn serve(&self, binaries: &Binaries) -> Result<Process, Error> {
        let mut command = self.command(&binaries.postgres());
        command.arg("-D").arg(&self.data).arg("-k").arg(self.home.path());
        for setting in SETTINGS.into_iter().chain(self.durability.settings()) {
            command.args(["-c", setting]);
        }
        // SIGINT is its fast shutdown; SIGTERM would wait until every client has gone.
        Process::start_with("postgres", command, &self.log, Signal::INT)
    }

    /// The line of `postmaster.pid` with the server's state; it says `ready` once connections are accepted.
    fn is_ready(&self) -> bool {
        fs::read_to_string(self.data.join("postmaster.pid"))
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Not our environment: PGDATA, PGPORT and the like would change what is started.
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.current_dir(self.home.path());
        if let Some(user) = &self.user {
            user.runs(&mut command);
        }
        command
    }
}

/// In the system's temporary folder, unless its path is too long for a socket.
fn socket_directory() -> Result<TemporaryDirectory, Error> {
    let usual = std::env::temp_dir();
    let longest = usual.as_os_str().len() + "/bearward-pg-0123456789abcdef/".len() + SOCKET.len();
    let parent = if longest <= SOCKET_PATH_LIMIT { usual } else { PathBuf::from("/tmp") };
    TemporaryDirectory::new(&parent, "bearward-pg")
}

fn own(path: &Path, user: Option<&Unprivileged>) -> Result<(), Error> {
    let Some(user) = user else { return Ok(()) };
    chown(path, Some(user.uid), Some(user.gid)).map_err(Error::file("hand over", path))
}

/// The path as a value in a URL's query.
fn percent_encoded(path: &Path) -> String {
    path.as_os_str()
        .as_bytes()
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_folder_survives_the_query_of_a_url() {
        assert_eq!(percent_encoded(Path::new("/tmp/a b&c")), "%2Ftmp%2Fa%20b%26c");
    }
}
