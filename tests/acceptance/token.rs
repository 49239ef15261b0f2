//! `bearward token`: tokens by themselves.

mod forge;
mod inspect;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bearward_tests::harness::program;
use serde_json::Value;
use xtask::directory::TemporaryDirectory;

/// A folder, in which the program runs.
struct Desk(TemporaryDirectory);

impl Desk {
    fn new() -> Self {
        Self(TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("bearward"));
        command.current_dir(self.path()).args(arguments).env_remove("TOKEN_SECRET");
        command
    }

    /// Runs the program with this on its standard input.
    fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran::of(&child.wait_with_output().unwrap())
    }
}

/// What came of a run.
#[derive(Debug)]
struct Ran {
    status: i32,
    output: String,
    errors: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            status: output.status.code().unwrap(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
