use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};

use crate::error::Error;

/// One `sh` for this process, which outlives it by as much as cleaning up takes. It runs `watchdog.sh`.
static WATCHDOG: Mutex<Option<Child>> = Mutex::new(None);

/// Starts the watchdog, if it does not run yet.
pub(crate) fn start() -> Result<(), Error> {
    ensure().map(drop)
}

/// If this process ends before [`stopped`], the watchdog stops the group.
pub(crate) fn stop_at_exit(group: Pid, signal: Signal) -> Result<(), Error> {
    order(format!("group {} {}\n", signal_name(signal), group.as_raw_nonzero()).as_bytes())
}

/// The group has been stopped.
pub(crate) fn stopped(group: Pid) {
    // A watchdog that is gone cannot do harm.
    let _ = order(format!("gone {}\n", group.as_raw_nonzero()).as_bytes());
}

/// If this process ends before [`removed`], the watchdog removes the directory.
pub(crate) fn remove_at_exit(directory: &Path) -> Result<(), Error> {
    if !directory.is_absolute() || directory.as_os_str().as_bytes().contains(&b'\n') {
        return Err(Error::unusable(
            format!("{} cannot be a temporary directory", directory.display()),
            "set TMPDIR to an absolute path without line breaks",
        ));
    }
    order(&[b"directory ", directory.as_os_str().as_bytes(), b"\n"].concat())
}

/// The directory has been removed.
pub(crate) fn removed(directory: &Path) {
    let _ = order(&[b"removed ", directory.as_os_str().as_bytes(), b"\n"].concat());
}

fn order(line: &[u8]) -> Result<(), Error> {
    let mut watchdog = ensure()?;
    let pipe = watchdog.as_mut().and_then(|child| child.stdin.as_mut());
    // One write of less than PIPE_BUF: a kill in the middle cannot leave half an order.
    pipe.map_or(Ok(()), |pipe| pipe.write_all(line))
        .map_err(Error::io("cannot reach the watchdog that cleans up after this process"))
}

fn ensure() -> Result<MutexGuard<'static, Option<Child>>, Error> {
    let mut watchdog = WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner);
    if watchdog.is_none() {
        *watchdog = Some(spawn()?);
    }
    Ok(watchdog)
}

/// In a group of its own: Ctrl-C is for us, not for who cleans up after us.
fn spawn() -> Result<Child, Error> {
    Command::new("sh")
        .args(["-c", include_str!("watchdog.sh"), "bearward-watchdog"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("cannot start sh, which cleans up after this process"))
}

/// As `kill -s` knows it. Only these ask a program to end.
fn signal_name(signal: Signal) -> &'static str {
    if signal == Signal::INT { "INT" } else { "TERM" }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::directory::TemporaryDirectory;

    fn sleeper() -> Child {
        Command::new("sleep").arg("300").process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_is_left_when_the_pipe_ends_is_ended_and_removed_and_nothing_else() {
        let home = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-unit").unwrap();
        let (left, kept) = (home.path().join("left behind"), home.path().join("kept"));
        for directory in [&left, &kept] {
            std::fs::create_dir(directory).unwrap();
        }
        let (mut orphan, mut stopped) = (sleeper(), sleeper());

        let mut watchdog = spawn().unwrap();
        let orders = format!(
            "group TERM {}\ngroup INT {}\ndirectory {}\ndirectory {}\ngone {}\nremoved {}\n",
            stopped.id(),
            orphan.id(),
            left.display(),
            kept.display(),
            stopped.id(),
            kept.display(),
        );
        watchdog.stdin.take().unwrap().write_all(orders.as_bytes()).unwrap();
        // Reaped here and now, as init would: else the group lives on as a zombie and is waited for.
        assert_eq!(orphan.wait().unwrap().signal(), Some(2));
        assert!(watchdog.wait().unwrap().success());

        assert!(!left.exists());
        assert!(kept.exists());
        assert!(stopped.try_wait().unwrap().is_none());
        stopped.kill().unwrap();
        stopped.wait().unwrap();
    }
}
