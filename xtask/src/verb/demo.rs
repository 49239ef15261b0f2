//! `cargo xtask demo`: everything on this machine, until Ctrl-C.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use self::running::{Running, StateFile};
use super::build::{Variant, build};
use crate::directory::{create_all, random_hex};
use crate::error::Error;
use crate::postgres::Database;
use crate::report::{Report, print};
use crate::stack::{Stack, StackOptions};
use crate::{envoy, interrupt, process, workspace};

mod running;
mod walkthrough;

/// Where Envoy listens if nothing else is asked for.
const PORT: u16 = 8080;
/// The first administrator.
const ADMIN: &str = "admin@example.com";
/// Envoy's workers: more than one, so that what only works with one VM shows.
const CONCURRENCY: u32 = 2;
/// How often the processes are looked at while the demo runs.
const WATCH: Duration = Duration::from_millis(200);

/// Starts the demo, prints what to try, and runs until a signal comes or a process dies.
pub fn demo(port: Option<u16>, keep: Option<&Path>, report: &mut Report) -> Result<(), Error> {
    if let Some(running) = Running::read()? {
        return Err(Error::unusable(
            format!("a demo runs already, {} (process {})", running.url, running.pid),
            "end it with Ctrl-C there, or use it: `cargo xtask demo --check`",
        ));
    }
    let mut demo = Demo::start(port.unwrap_or(PORT), keep, report)?;
    print(&walkthrough::text(&demo.running));
    match demo.watch() {
        Err(Error::Interrupted) => report.step("end every process", |_| {
            demo.stop();
            Ok(())
        }),
        other => other,
    }
}

/// Runs the walk-through as a program against the running demo, or against one of its own.
pub fn check(port: Option<u16>, keep: Option<&Path>, report: &mut Report) -> Result<ExitCode, Error> {
    report.step("build the programs", |_| workspace::build_programs())?;
    if let Some(running) = Running::read()? {
        report.note(&format!("the running demo: {}", running.url));
        return walk();
    }
    let demo = Demo::start(port.unwrap_or(0), keep, report)?;
    let code = walk()?;
    report.step("end every process", |_| {
        demo.stop();
        Ok(())
    })?;
    Ok(code)
}

fn walk() -> Result<ExitCode, Error> {
    let mut program = Command::new(workspace::binary("walkthrough")?);
    program.arg("--state").arg(StateFile::path()?);
    let status = process::status(program)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What runs, in the order in which it ends.
struct Demo {
    _state: StateFile,
    stack: Stack,
    database: Database,
    running: Running,
}

impl Demo {
    fn start(port: u16, keep: Option<&Path>, report: &mut Report) -> Result<Demo, Error> {
        // Before the long work.
        must_be_free(port)?;
        let folders = Folders::choose(keep)?;
        report.note(&format!("logs: {}", folders.logs.display()));
        report.step("provide Envoy", |report| {
            let binary = envoy::provide(report)?;
            report.note(&format!("Envoy: {}", binary.display()));
            Ok(())
        })?;
        build(&[Variant::Plain], report)?;
        report.step("build the programs", |_| workspace::build_programs())?;
        let database = report.step("provide PostgreSQL", |report| {
            Database::provide(&folders.logs, folders.data.as_deref(), report)
        })?;
        let mut options = StackOptions::new(folders.logs, database.url())?;
        (options.envoy_port, options.concurrency) = (port, CONCURRENCY);
        let stack = report.step("start the stack", |report| Stack::start(&options, report))?;
        let (admin_email, admin_password) = report.step("make the administrator", |_| make_admin(&stack))?;
        let running = Running {
            url: stack.url().to_owned(),
            pid: std::process::id(),
            admin_email,
            admin_password,
            database_url: database.url().to_owned(),
            issuer_url: stack.issuer_url(),
        };
        let state = StateFile::write(&running)?;
        Ok(Demo { _state: state, stack, database, running })
    }

    fn watch(&mut self) -> Result<(), Error> {
        loop {
            interrupt::pause(WATCH)?;
            self.stack.check()?;
            self.database.check()?;
        }
    }

    fn stop(self) {
        drop(self);
    }
}

/// Where logs and data go.
struct Folders {
    logs: PathBuf,
    data: Option<PathBuf>,
}

impl Folders {
    /// Logs outlive the demo, until the next one: they say why one failed.
    fn choose(keep: Option<&Path>) -> Result<Folders, Error> {
        let folders = match keep {
            Some(folder) => {
                let folder = std::path::absolute(folder).map_err(Error::file("find", folder))?;
                Folders { logs: folder.join("logs"), data: Some(folder.join("postgres")) }
            }
            None => {
                let logs = workspace::target()?.join("demo/logs");
                if logs.exists() {
                    std::fs::remove_dir_all(&logs).map_err(Error::file("remove", &logs))?;
                }
                Folders { logs, data: None }
            }
        };
        create_all(&folders.logs)?;
        Ok(folders)
    }
}

fn must_be_free(port: u16) -> Result<(), Error> {
    if port == 0 {
        return Ok(());
    }
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("port {port} is taken"),
            _ => format!("port {port} cannot be used ({error})"),
        };
        Error::unusable(what, "end what listens there, or take another with --port N (0: any free one)")
    })
}

/// A database that was there before may have the usual address already.
fn make_admin(stack: &Stack) -> Result<(String, String), Error> {
    let password = random_hex(12)?;
    if stack.create_admin(ADMIN, &password).is_ok() {
        return Ok((ADMIN.to_owned(), password));
    }
    let other = format!("admin-{}@example.com", random_hex(4)?);
    stack.create_admin(&other, &password)?;
    Ok((other, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_one_sentence_with_the_way_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = must_be_free(port).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "port {port} is taken: end what listens there, or take another with --port N (0: any free one)"
            )
        );
    }
}
