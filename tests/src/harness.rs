//! A running gate for one test: its own database, directory, ports and processes, gone when the test ends.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use xtask::directory::{TemporaryDirectory, random_hex};
use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::{Stack, StackOptions};

use self::database::TestDatabase;
use crate::client::Request;

pub mod database;
mod discovery;
mod issuer;
mod proxy;
mod setup;

pub use discovery::Discovery;
pub use issuer::Issuer;
pub use proxy::Proxy;
pub use setup::{FEED_CREDENTIAL, Setup};

/// PostgreSQL, issuer, upstream and Envoy with the filter.
#[derive(Debug)]
pub struct Gate {
    // Dropped in this order: who uses ends before what is used.
    stack: Stack,
    database: TestDatabase,
    _directory: TemporaryDirectory,
}

/// Somebody who has signed up.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user's id: what `x-user-id` holds.
    pub id: String,
    /// An access token.
    pub token: String,
}

/// The administrator's address; the password is made for each gate.
const ADMIN: &str = "admin@example.com";

impl Gate {
    fn start(setup: &Setup) -> Result<Self, Error> {
        let directory = directory();
        let database = TestDatabase::create(&database_server());
        let mut options = StackOptions::new(directory.path(), database.url())?;
        options.wasm = setup.module();
        options.envoy_yaml = setup.write_into(directory.path());
        options.upstream = setup.upstream;
        options.issuer_env.clone_from(&setup.issuer_env);
        options.envoy_env.clone_from(&setup.envoy_env);
        options.concurrency = setup.workers;
        let stack = Stack::start(&options, &mut Report::silent())?;
        Ok(Self { stack, database, _directory: directory })
    }

    /// `http://127.0.0.1:PORT` of Envoy.
    #[must_use]
    pub fn url(&self) -> &str {
        self.stack.url()
    }

    /// The running processes.
    pub fn stack(&mut self) -> &mut Stack {
        &mut self.stack
    }

    /// Stops everything and returns all that Envoy has logged, the access log to its end.
    #[must_use]
    pub fn stop(self) -> String {
        let log = self.stack.directory().join("envoy.log");
        self.stack.stop();
        std::fs::read_to_string(log).expect("Envoy's log")
    }

    /// The issuer's own database.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// The issuer's public port, past Envoy.
    #[must_use]
    pub fn issuer_address(&self) -> SocketAddr {
        let url = self.stack.issuer_url();
        url.trim_start_matches("http://").parse().expect("an address")
    }

    /// What `bearward-issuer VERB ARGUMENTS` prints with the settings of the running issuer.
    #[must_use]
    pub fn issuer_says(&self, verb: &str, arguments: &[&str]) -> String {
        self.stack.issuer_says(verb, arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Past Envoy: the upstream.
    #[must_use]
    pub fn upstream_address(&self) -> SocketAddr {
        self.stack.upstream_address()
    }

    /// Signs somebody up, through Envoy.
    #[must_use]
    pub fn customer(&self) -> Account {
        let email = format!("customer-{}@example.com", random_hex(4).expect("random numbers"));
        let body = json!({ "name": "Customer", "email": email, "password": "mypassword123" });
        account(&Request::post("/api/auth/signup", &body).send(self.url()).json())
    }

    /// Makes an administrator as an operator does, and returns e-mail address and password.
    #[must_use]
    pub fn create_admin(&self) -> (String, String) {
        let password = random_hex(12).expect("random numbers");
        self.stack.create_admin(ADMIN, &password).expect("an administrator");
        (ADMIN.to_owned(), password)
    }
}

fn account(answer: &Value) -> Account {
    let text = |pointer: &str| {
        let text = answer.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no {pointer} in {answer}")).to_owned()
    };
    Account { id: text("/user/id"), token: text("/token") }
}

/// Whether this is `cargo xtask test --all`, where a test may take minutes.
#[must_use]
pub fn is_longer_run() -> bool {
    env::var_os("BEARWARD_TEST_ALL").is_some()
}

/// Whether this is `cargo xtask bless SUBJECT`: what was measured is written down instead of compared.
#[must_use]
pub fn is_blessing(subject: &str) -> bool {
    env::var("BEARWARD_BLESS").is_ok_and(|blessed| blessed == subject)
}

/// The server on which tests make their databases.
#[must_use]
pub fn database_server() -> String {
    variable("BEARWARD_TEST_DATABASE_URL")
}

/// What the test run provides.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}

fn directory() -> TemporaryDirectory {
    TemporaryDirectory::new(&env::temp_dir(), "bearward-test").expect("a temporary directory")
}

/// The module that ships.
#[must_use]
pub fn module() -> PathBuf {
    PathBuf::from(variable("BEARWARD_WASM"))
}

/// The build of the module that traps on a magic header.
#[must_use]
pub fn trap_module() -> PathBuf {
    PathBuf::from(variable("BEARWARD_WASM_TRAP"))
}

/// A program of the workspace, as cargo has left it beside the running test.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    xtask::workspace::binary(name).unwrap_or_else(|error| panic!("{error}"))
}
