//! What can be run.

mod admin;
mod config;
mod feed;
mod hash;
mod healthcheck;
mod keys;
mod migrate;
mod revoke;
mod serve;
pub(crate) mod user;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::log::{self, Log};
use crate::settings::{self, LogSettings, Problems, Reader, Sources, table};
use crate::store::connect::grants;

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let sources = Sources::of_process(configuration_file(&arguments));
    let done = match arguments.command {
        Command::Serve => serve::run(&sources),
        Command::Migrate => migrate::run(&sources),
        Command::Admin { command: AdminCommand::Create(arguments) } => admin::create(&sources, &arguments),
        Command::Keys { command } => keys::run(&sources, &command),
        Command::User { command } => user::run(&sources, &command),
        Command::Revoke { command } => revoke::run(&sources, &command),
        Command::Feed { command } => feed::run(&sources, &command),
        Command::Config { command: config::ConfigCommand::Check(arguments) } => {
            config::check(&sources, &arguments)
        }
        Command::Hash { command: HashCommand::Calibrate } => hash::calibrate(&sources),
        Command::Healthcheck => healthcheck::run(&sources),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::last_word(format!("bearward-issuer: {}", failure.text));
            ExitCode::from(failure.code)
        }
    }
}

/// An empty variable counts as not set, this one too.
fn configuration_file(arguments: &Arguments) -> Option<&Path> {
    arguments.config.as_deref().filter(|path| !path.is_empty()).map(Path::new)
}

/// Signs users up, logs them in, and signs the tokens that Bearward's filter checks.
#[derive(Debug, Parser)]
#[command(name = "bearward-issuer", version, after_help = EXAMPLES)]
struct Arguments {
    /// A TOML file with settings; the environment wins over it.
    #[arg(long, global = true, value_name = "FILE", env = "BEARWARD_CONFIG")]
    config: Option<OsString>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  export DATABASE_URL=postgres://bearward:PASSWORD@127.0.0.1:5432/bearward
  bearward-issuer serve
  bearward-issuer admin create --email you@example.com --name You --password-stdin < password.txt

Exit code: 0 done, 1 failed, 2 the settings or arguments are not usable.
`bearward-issuer help serve` explains every setting.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrates the database and serves until SIGTERM or SIGINT.
    #[command(after_long_help = serve_help())]
    Serve,
    /// Brings the database's schema up to date and ends. `serve` does the same at its start, where something is missing.
    #[command(after_long_help = migrate_help())]
    Migrate,
    /// Manages administrators.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Lists and rotates the keys that sign tokens.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Manages users.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Ends sessions and tokens before their time, by what a token names.
    Revoke {
        #[command(subcommand)]
        command: revoke::RevokeCommand,
    },
    /// Looks at the log of revocations, and begins a new one after a restore.
    Feed {
        #[command(subcommand)]
        command: feed::FeedCommand,
    },
    /// Looks at the settings.
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Looks at what hashing costs.
    Hash {
        #[command(subcommand)]
        command: HashCommand,
    },
    /// Asks /readyz of a serving process on this machine: exit code 0 when it is ready, else 1.
    #[command(after_long_help = healthcheck_help())]
    Healthcheck,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Creates a user with the role `admin`. An existing account is refused and stays as it is, unless --promote is given.
    #[command(after_long_help = admin_help())]
    Create(admin::CreateArguments),
}

#[derive(Debug, Subcommand)]
enum HashCommand {
    /// Measures how long hashes take on this machine, and shows the deadline of logins that covers those in the database.
    #[command(after_long_help = calibrate_help())]
    Calibrate,
}

fn serve_help() -> String {
    let example = "\
Example:
  DATABASE_URL_FILE=/run/secrets/database_url BEARWARD_LISTEN=0.0.0.0:8081 bearward-issuer serve

Example of a configuration file:
  database_url_file = \"/run/secrets/database_url\"
  issuer = \"https://login.example.com\"
  audience = [\"restaurant\", \"kitchen\"]
  access_token_seconds = 900

On SIGTERM or SIGINT /readyz answers 503; a second later no connection is taken any more, and requests in flight are
finished within 11 seconds. A second signal ends at once.
Exit code: 0 stopped by one signal, 1 failed or ended by a second one, 2 the settings are not usable.
";
    format!("{example}\n{}", table::help(table::ALL))
}

fn migrate_help() -> String {
    let settings = [&table::DATABASE_URL, &table::DATABASE_WAIT, &table::LOG, &table::LOG_FORMAT];
    let example = "\
Example:
  DATABASE_URL=postgres://... bearward-issuer migrate

The role that serves need not own the tables. Once there are the keys for refresh tokens and for throttling, which the
first `serve` makes (with `GRANT INSERT ON server_keys` any role's), these suffice:";
    let grants = grants("server").replace('\n', "\n  ");
    format!("{example}\n  {grants}\n\n{}", table::help(&settings))
}

fn admin_help() -> String {
    let settings = [
        &table::DATABASE_URL,
        &table::DATABASE_WAIT,
        &table::PASSWORD_MIN_LENGTH,
        &table::PASSWORD_LINK_URL,
        &table::PASSWORD_LINK_SECONDS,
    ];
    let example = "\
Examples:
  bearward-issuer admin create --email you@example.com --name You
  bearward-issuer admin create --email you@example.com --name You --link
  bearward-issuer admin create --email you@example.com --promote --link
  bearward-issuer admin create --email you@example.com --name You --password-file /run/secrets/admin

On a terminal you are asked for the password, twice; nothing of it is shown. One line end after the password in a file is
ignored. There is no option that takes the password itself: it would stand in the
list of processes and in the history of the shell.

--promote takes an account away from whoever has it: its sessions end, its password is void. So it is also the way back for
an administrator who lost his.
";
    format!("{example}\n{}", table::help(&settings))
}

fn keys_rotate_help() -> String {
    let settings = [
        &table::DATABASE_URL,
        &table::DATABASE_WAIT,
        &table::KEY_ENCRYPTION_KEY_FILES,
        &table::KEY_ENCRYPTION,
        &table::JWK_SET_MAX_AGE_SECONDS,
        &table::ACCESS_TOKEN_SECONDS,
        &table::LOG,
        &table::LOG_FORMAT,
    ];
    let example = "\
Example, with the settings that `serve` has:
  DATABASE_URL=postgres://... BEARWARD_KEY_ENCRYPTION_KEY_FILES=/run/secrets/kek bearward-issuer keys rotate
  DATABASE_URL=postgres://... bearward-issuer keys rotate --feed
";
    format!("{example}\n{}", table::help(&settings))
}

fn keys_list_help() -> String {
    let settings = [&table::DATABASE_URL, &table::DATABASE_WAIT, &table::LOG, &table::LOG_FORMAT];
    let example = "\
Example:
  DATABASE_URL=postgres://... bearward-issuer keys list --json

Stages: published (known to verifiers before it signs), signs, verifies (its last tokens are still good), retired.
";
    format!("{example}\n{}", table::help(&settings))
}

fn revoke_help(example: &str) -> String {
    let settings = [
        &table::DATABASE_URL,
        &table::DATABASE_WAIT,
        &table::KEY_ENCRYPTION_KEY_FILES,
        &table::KEY_ENCRYPTION,
        &table::LOG,
        &table::LOG_FORMAT,
    ];
    format!(
        "Example:\n  DATABASE_URL=postgres://... bearward-issuer revoke {example}\n\n{}",
        table::help(&settings)
    )
}

fn feed_help(example: &str) -> String {
    let settings = [&table::DATABASE_URL, &table::DATABASE_WAIT, &table::LOG, &table::LOG_FORMAT];
    format!(
        "Example:\n  DATABASE_URL=postgres://... bearward-issuer feed {example}\n\n{}",
        table::help(&settings)
    )
}

fn config_help() -> String {
    let example = "\
Examples:
  bearward-issuer --config issuer.toml config check
  bearward-issuer config check --json --strict

Exit code: 0 usable, 1 weak (with --strict), 2 not usable.
";
    format!("{example}\n{}", table::help(table::ALL))
}

fn import_help() -> String {
    let settings = [&table::DATABASE_URL, &table::DATABASE_WAIT];
    let example = r#"
Examples:
  bearward-issuer user import --dry-run users.jsonl
  bearward-issuer user import users.jsonl
  node export.js | bearward-issuer user import --json - > report.jsonl

Each line is a user, with these members and no others; `password` is the hash, of bcrypt or argon2id:
  {"name":"Priya","email":"priya@example.com","password":"$2b$10$...","role":"customer"}

At most 8 KiB a line and 100,000 lines. Users log in with the password that they have; the first login replaces a bcrypt
hash by argon2id. A file may be imported again: whoever is there already stays as he is.
Exit code: 0 everybody is there, 1 lines were refused or the database failed, 2 nothing was tried.
"#;
    format!("{}\n{}", example.trim_start(), table::help(&settings))
}

fn calibrate_help() -> String {
    let settings = [&table::DATABASE_URL, &table::DATABASE_WAIT];
    let example = "\
Example:
  DATABASE_URL=postgres://... bearward-issuer hash calibrate

`serve` does the same at its start, unless BEARWARD_LOGIN_DEADLINE_MS is set: set it where replicas run on machines that
differ, to what the slowest of them needs.
";
    format!("{example}\n{}", table::help(&settings))
}

fn healthcheck_help() -> String {
    let settings = [&table::INTERNAL_LISTEN, &table::ADDRESS_FILE];
    let example =
        "Example, in a compose file:\n  healthcheck: { test: [CMD, bearward-issuer, healthcheck] }\n";
    format!("{example}\n{}", table::help(&settings))
}

/// Why a command ends.
#[derive(Debug)]
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn new(text: impl Display) -> Self {
        Self { text: text.to_string(), code: 1 }
    }

    /// Something that was given is not usable; nothing was done.
    fn usage(text: impl Display) -> Self {
        Self { text: text.to_string(), code: 2 }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems)
    }
}

/// Reads the settings of a command and begins to log, for as long as the log is held.
fn begin<T>(
    sources: &Sources,
    compile: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<(T, Log), Failure> {
    let (settings, log) = settings::read(sources, |reader| {
        let (settings, log) = (compile(reader), LogSettings::read(reader));
        Some((settings?, log?))
    })?;
    let log = log::begin(&log).map_err(|error| Failure::new(format!("no thread to log with: {error}")))?;
    Ok((settings, log))
}

/// A line on standard output. What is done is done, whoever reads this.
fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("no threads to work with: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_empty_name_of_a_configuration_file_is_taken_as_none() {
        let arguments = Arguments::try_parse_from(["bearward-issuer", "--config=", "serve"]).unwrap();
        assert!(configuration_file(&arguments).is_none());
        let arguments = Arguments::try_parse_from(["bearward-issuer", "--config=a.toml", "serve"]).unwrap();
        assert_eq!(configuration_file(&arguments), Some(Path::new("a.toml")));
    }

    #[test]
    fn the_help_of_serve_explains_every_setting_and_every_command_has_an_example() {
        let mut root = Arguments::command();
        assert!(root.render_long_help().to_string().contains("Examples:"));
        let serve = root.find_subcommand_mut("serve").unwrap().render_long_help().to_string();
        for setting in table::ALL {
            assert!(serve.contains(setting.name), "{}", setting.name);
        }
        assert_every_command_has_an_example(&mut root, "bearward-issuer");
    }

    fn assert_every_command_has_an_example(command: &mut clap::Command, name: &str) {
        if !command.has_subcommands() {
            assert!(command.render_long_help().to_string().contains("Example"), "{name}");
        }
        for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
            let name = format!("{name} {}", below.get_name());
            assert_every_command_has_an_example(below, &name);
        }
    }
}
