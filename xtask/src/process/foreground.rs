use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::{Group, POLL, Signal, spawn};
use crate::error::Error;
use crate::interrupt;

/// Runs a command whose output a person sees. It has a process group of its own, so a signal to us ends all of it,
/// in order, before we end.
pub fn run(mut command: Command) -> Result<(), Error> {
    let words = words(&command);
    // Progress, like ours: stdout is left to results.
    command.stdout(io::stderr());
    succeeded(words, status(command)?)
}

/// As [`run`], for a command whose failure is an answer.
pub fn status(mut command: Command) -> Result<ExitStatus, Error> {
    command.stdin(Stdio::null());
    let words = words(&command);
    let mut foreground = Foreground::start(&mut command)?;
    loop {
        match foreground.child.try_wait().map_err(Error::io(format!("cannot wait for `{words}`")))? {
            Some(status) => return Ok(status),
            None => interrupt::pause(POLL)?,
        }
    }
}

/// As [`run`], with every line of its standard output handed to `line`, which prints what a person should see.
/// Returns how it ended: whether a failure is one is for the caller to say.
pub fn run_lines(mut command: Command, mut line: impl FnMut(&str)) -> Result<ExitStatus, Error> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let words = words(&command);
    let mut foreground = Foreground::start(&mut command)?;
    let lines = read_lines(foreground.child.stdout.take());
    loop {
        interrupt::check()?;
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(text) => line(&text),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    foreground.child.wait().map_err(Error::io(format!("cannot wait for `{words}`")))
}

/// Runs a short command and returns its standard output; its errors are shown.
pub fn output(mut command: Command) -> Result<String, Error> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let words = words(&command);
    let mut foreground = Foreground::start(&mut command)?;
    let mut bytes = Vec::new();
    if let Some(mut stdout) = foreground.child.stdout.take() {
        stdout.read_to_end(&mut bytes).map_err(Error::io(format!("cannot read the output of `{words}`")))?;
    }
    let status = foreground.child.wait().map_err(Error::io(format!("cannot wait for `{words}`")))?;
    succeeded(words, status)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Ends the command when it is dropped early: by an interruption.
struct Foreground {
    child: Child,
    group: Group,
}

impl Foreground {
    fn start(command: &mut Command) -> Result<Foreground, Error> {
        let (child, group) = spawn(command, Signal::TERM)?;
        Ok(Foreground { child, group })
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.group.stop(&mut self.child);
    }
}

fn read_lines(stdout: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let Some(stdout) = stdout else { return };
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line);
            if sender.send(text.trim_end_matches(['\r', '\n']).to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

fn succeeded(command: String, status: ExitStatus) -> Result<(), Error> {
    if status.success() { Ok(()) } else { Err(Error::Failed { command, status }) }
}

/// The command as a person would type it, for messages.
fn words(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let mut words = vec![program.rsplit('/').next().unwrap_or_default().to_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_output_of_a_short_command_is_returned() {
        assert_eq!(output(shell("echo one; echo two")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_failed_command_is_named_as_it_could_be_typed() {
        let error = run(shell("exit 4")).unwrap_err().to_string();
        assert!(error.starts_with("`sh -c exit 4` failed (exit status: 4)"), "{error}");
    }

    #[test]
    fn every_line_is_handed_on_also_the_last_one_without_an_end() {
        let mut lines = Vec::new();
        let status = run_lines(shell("printf 'a\\nb'; exit 1"), |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["a", "b"]);
        assert!(!status.success());
    }
}
