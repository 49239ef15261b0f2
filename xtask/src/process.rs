//! Children that never outlive this process, and whose last words are kept.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process, kill_process_group};

pub use self::foreground::{output, run, run_lines, status};
pub use self::log::tail;
use crate::error::Error;
use crate::interrupt;
use crate::report::Report;

mod foreground;
mod log;
pub(crate) mod watchdog;

pub use rustix::process::Signal;

/// A supervised child in a process group of its own, its output in a log file. Dropping it stops it; if this process
/// is killed, the watchdog stops it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    group: Group,
    log: PathBuf,
}

/// How long a child has between the polite signal and SIGKILL.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a child that is being waited for is looked at.
const POLL: Duration = Duration::from_millis(25);
/// How often one is asked at most, once it was asked a few times: every question may leave a line in its log.
const PROBE: Duration = Duration::from_millis(250);
/// How often a person is told that something is still being waited for.
const PATIENT_NOTE: Duration = Duration::from_secs(5);

impl Process {
    /// Starts `command` with its output appended to `log`. It is asked to end with SIGTERM.
    pub fn start(name: &str, command: Command, log: &Path) -> Result<Process, Error> {
        Process::start_with(name, command, log, Signal::TERM)
    }

    /// As [`Process::start`], for a program that calls an orderly end by another signal.
    pub fn start_with(
        name: &str,
        mut command: Command,
        log: &Path,
        stop_signal: Signal,
    ) -> Result<Process, Error> {
        let output =
            OpenOptions::new().create(true).append(true).open(log).map_err(Error::file("write", log))?;
        let errors = output.try_clone().map_err(Error::file("write", log))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let (child, group) = spawn(&mut command, stop_signal)?;
        Ok(Process { name: name.to_owned(), child, group, log: log.to_owned() })
    }

    /// The process id, which is also the id of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process alone, not to what it has started.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        kill_process(self.group.id, signal)
            .map_err(|error| Error::io(format!("cannot signal {}", self.name))(error.into()))
    }

    /// Its log file: both its output streams.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(Error::io(format!("cannot wait for {}", self.name)))
    }

    /// An error with the last lines of the log if the process has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                name: self.name.clone(),
                status,
                log: self.log.clone(),
                tail: tail(&self.log),
            }),
        }
    }

    /// Asks `probe` again and again until it has an answer. A signal to us, the end of the process and the deadline
    /// are noticed at once.
    pub fn wait_until<T>(
        &mut self,
        report: &mut Report,
        awaited: &str,
        deadline: Duration,
        mut probe: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let (mut next_note, mut next_probe, mut between_probes) = (PATIENT_NOTE, Duration::ZERO, POLL);
        loop {
            // Looked at before the probe, so that another process on the same address cannot answer for a dead one.
            self.check()?;
            if begun.elapsed() >= next_probe {
                if let Some(answer) = probe()? {
                    return Ok(answer);
                }
                next_probe = begun.elapsed() + between_probes;
                between_probes = (between_probes * 3 / 2).min(PROBE);
            }
            if begun.elapsed() >= deadline {
                return Err(Error::Late {
                    name: self.name.clone(),
                    awaited: awaited.to_owned(),
                    waited: deadline,
                    log: self.log.clone(),
                    tail: tail(&self.log),
                });
            }
            if begun.elapsed() >= next_note {
                report.note(&format!("still waiting for {}: {awaited}", self.name));
                next_note += PATIENT_NOTE;
            }
            interrupt::pause(POLL)?;
        }
    }

    /// Waits for a process that ends by itself, as it should; any status but success is an error.
    pub fn finish(&mut self, report: &mut Report, deadline: Duration) -> Result<(), Error> {
        match self.wait_until(report, "its end", deadline, || Ok(None::<()>)) {
            Err(Error::Ended { status, .. }) if status.success() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Ends the process and all it started: the polite signal, then SIGKILL after ten seconds.
    pub fn stop(&mut self) {
        self.group.stop(&mut self.child);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A process group that the watchdog knows until it has been stopped.
#[derive(Debug)]
struct Group {
    id: Pid,
    stop_signal: Signal,
    watched: bool,
}

impl Group {
    fn stop(&mut self, child: &mut Child) {
        if !self.watched {
            return;
        }
        // A group that is already gone refuses the signal: that is what we want.
        let _ = kill_process_group(self.id, self.stop_signal);
        let end = Instant::now() + PATIENCE;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
            sleep(POLL);
        }
        // Whatever the child left behind in its group goes too.
        let _ = kill_process_group(self.id, Signal::KILL);
        let _ = child.wait();
        watchdog::stopped(self.id);
        self.watched = false;
    }
}

fn spawn(command: &mut Command, stop_signal: Signal) -> Result<(Child, Group), Error> {
    // Before the child, so that there is no child without a watchdog.
    watchdog::start()?;
    command.process_group(0);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|source| not_started(&program, source))?;
    let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        let _ = child.kill();
        return Err(Error::unusable(format!("{program} got an impossible process id"), "try again"));
    };
    let mut group = Group { id, stop_signal, watched: true };
    if let Err(error) = watchdog::stop_at_exit(id, stop_signal) {
        group.stop(&mut child);
        return Err(error);
    }
    Ok((child, group))
}

fn not_started(program: &str, source: std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::NotFound {
        Error::unusable(format!("{program} was not found"), "install it, or put it on PATH")
    } else {
        Error::Io { doing: format!("cannot start {program}"), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::TemporaryDirectory;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn alive(process: &str) -> bool {
        shell(&format!("kill -0 {process}")).stderr(Stdio::null()).status().unwrap().success()
    }

    #[test]
    fn a_child_that_dies_is_noticed_with_its_last_words() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let log = directory.path().join("child.log");
        let mut child = Process::start("child", shell("echo no such table; exit 3"), &log).unwrap();
        let error = child
            .wait_until(&mut Report::silent(), "an answer", Duration::from_secs(30), || Ok(None::<()>))
            .unwrap_err();
        assert!(matches!(error, Error::Ended { .. }), "{error}");
        assert!(error.to_string().contains("no such table"), "{error}");
        assert!(error.to_string().contains("3"), "{error}");
    }

    #[test]
    fn a_child_that_is_never_ready_is_given_up_with_its_log() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let log = directory.path().join("child.log");
        let mut child = Process::start("child", shell("echo thinking; sleep 60"), &log).unwrap();
        child
            .wait_until(&mut Report::silent(), "a word", Duration::from_secs(20), || {
                Ok(tail(&log).contains("thinking").then_some(()))
            })
            .unwrap();
        let error = child
            .wait_until(&mut Report::silent(), "an answer", Duration::from_millis(100), || Ok(None::<()>))
            .unwrap_err();
        assert!(matches!(error, Error::Late { .. }), "{error}");
        assert!(error.to_string().contains("thinking"), "{error}");
    }

    #[test]
    fn stopping_a_child_ends_its_grandchildren() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let log = directory.path().join("child.log");
        let mut child =
            Process::start("child", shell("sh -c 'trap \"\" TERM; sleep 61' & echo $!; wait"), &log).unwrap();
        let grandchild = child
            .wait_until(&mut Report::silent(), "a number", Duration::from_secs(20), || {
                Ok(Some(tail(&log).trim().to_owned()).filter(|text| text.parse::<u32>().is_ok()))
            })
            .unwrap();
        assert!(alive(&grandchild));
        child.stop();
        // Adopted by init, which may take a moment to bury it.
        let end = Instant::now() + Duration::from_secs(10);
        while alive(&grandchild) && Instant::now() < end {
            sleep(POLL);
        }
        assert!(!alive(&grandchild));
    }

    #[test]
    fn a_program_that_does_not_exist_is_one_sentence() {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let log = directory.path().join("child.log");
        let error = Process::start("child", Command::new("bearward-no-such-program"), &log).unwrap_err();
        assert_eq!(
            error.to_string(),
            "bearward-no-such-program was not found: install it, or put it on PATH"
        );
    }
}
