use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use xtask::error::Error;
use xtask::process::Process;
use xtask::report::Report;

use super::accounts::{PASSWORD, login};
use crate::accounting::Processes;
use crate::http::{Connection, post};
use crate::load::Client;

/// The application of the tutorial: Express, bcryptjs at cost 12, its users in a `Map`.
#[derive(Debug)]
pub(super) struct Tutorial {
    process: Process,
    address: SocketAddr,
}

/// How long Node.js may take to start on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const EMAIL: &str = "somebody@example.com";

impl Tutorial {
    /// Starts it with one user, of whom its code is warm, too.
    pub(super) fn start(folder: &Path, logs: &Path, report: &mut Report) -> Result<Self, Error> {
        let mut command = Command::new("node");
        command.arg(folder.join("server.js")).current_dir(folder).env("NODE_ENV", "production");
        let log = logs.join("tutorial.log");
        let mut process = Process::start("the tutorial's application", command, &log)?;
        let port = process.wait_until(report, "its port", DEADLINE, || {
            let printed = fs::read_to_string(&log).unwrap_or_default();
            Ok(printed.lines().find_map(|line| line.strip_prefix("port ")?.parse::<u16>().ok()))
        })?;
        let tutorial = Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let user = json!({ "name": "Somebody", "email": EMAIL, "password": PASSWORD });
        let signup = post("/api/auth/signup", &[], &user);
        let answer = Connection::new(tutorial.address).send(&signup).map_err(Error::io("cannot sign up"))?;
        if answer.status != 201 {
            let what = format!("the tutorial's application answered a signup with {}", answer.status);
            return Err(Error::unusable(what, format!("look into {}", log.display())));
        }
        Ok(tutorial)
    }

    pub(super) fn processes(&self) -> Processes {
        Processes::One(self.process.id())
    }

    pub(super) fn client(&self) -> TutorialClient {
        TutorialClient {
            connection: Connection::new(self.address),
            request: post("/api/auth/login", &[], &login(EMAIL, PASSWORD)),
        }
    }
}

/// Logs in as the one user, again and again.
#[derive(Debug)]
pub(super) struct TutorialClient {
    connection: Connection,
    request: Vec<u8>,
}

impl Client for TutorialClient {
    fn connect(&mut self) -> io::Result<()> {
        self.connection.close();
        self.connection.open()
    }

    fn request(&mut self) -> io::Result<u16> {
        Ok(self.connection.send(&self.request)?.status)
    }
}
