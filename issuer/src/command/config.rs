//! `bearward-issuer config check`: what `serve` would say of its settings, without starting anything.

use std::io::{Write, stdout};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, say};
use crate::settings::{self, LogSettings, Problem, Problems, ServeSettings, Sources, weaknesses};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Reads the settings as `serve` does, and says everything that is wrong, and what is weak. Connects to nothing.
    #[command(after_long_help = super::config_help())]
    Check(CheckArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Exit code 1 also for what is weak.
    #[arg(long)]
    strict: bool,
}

pub(super) fn check(sources: &Sources, arguments: &CheckArguments) -> Result<(), Failure> {
    let settings = settings::read(sources, |reader| {
        let (settings, log) = (ServeSettings::read(reader), LogSettings::read(reader));
        log.and(settings)
    });
    let ignored: Vec<&str> = sources.ignored_variables().collect();
    let report = Report::of(&settings, &ignored);
    if arguments.json {
        // It changes nothing, so who does not read it has been told nothing.
        let _ = writeln!(stdout(), "{}", serde_json::to_string_pretty(&report).map_err(Failure::new)?);
    } else if settings.is_ok() {
        report.say();
    }
    match settings {
        Err(_) if arguments.json => Err(Failure::usage("the settings are not usable")),
        Err(problems) => Err(problems.into()),
        Ok(_) if arguments.strict && report.is_weak() => Err(Failure::new("the settings are weak")),
        Ok(_) => Ok(()),
    }
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    usable: bool,
    /// What a start would refuse.
    problems: &'a [Problem],
    /// What it takes all the same.
    weaknesses: Vec<Problem>,
    /// Variables that look like settings and are none.
    ignored: &'a [&'a str],
}

impl<'a> Report<'a> {
    fn of(settings: &'a Result<ServeSettings, Problems>, ignored: &'a [&'a str]) -> Self {
        match settings {
            Ok(settings) => Self { usable: true, problems: &[], weaknesses: weaknesses(settings), ignored },
            Err(problems) => {
                Self { usable: false, problems: problems.all(), weaknesses: Vec::new(), ignored }
            }
        }
    }

    fn is_weak(&self) -> bool {
        !self.weaknesses.is_empty() || !self.ignored.is_empty()
    }

    fn say(&self) {
        for weakness in &self.weaknesses {
            say(&format!("weak: {weakness}"));
        }
        for name in self.ignored {
            say(&format!("ignored: {name} is no setting of the issuer"));
        }
        say(if self.is_weak() {
            "the settings are usable"
        } else {
            "the settings are usable, and nothing is weak"
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRONG: [(&str, &str); 3] = [
        ("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=verify-full"),
        ("BEARWARD_PASSWORD_MIN_LENGTH", "15"),
        ("BEARWARD_PUBLIC_URL", "https://login.example.com"),
    ];

    fn report(more: &[(&str, &str)], then: impl FnOnce(Report<'_>)) {
        let mut environment: std::collections::BTreeMap<&str, &str> = STRONG.into();
        environment.extend(more.iter().copied());
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        let sources = Sources::new(environment, Ok(""));
        let settings = settings::read(&sources, ServeSettings::read);
        let ignored: Vec<&str> = sources.ignored_variables().collect();
        then(Report::of(&settings, &ignored));
    }

    fn weak(more: &[(&str, &str)]) -> Vec<String> {
        let mut names = Vec::new();
        report(more, |report| {
            assert!(report.usable, "{report:?}");
            names = report.weaknesses.iter().map(|weak| weak.to_string()).collect();
        });
        names
    }

    #[test]
    fn what_is_weak_is_named_with_its_setting_and_nothing_else_is() {
        let key = "BEARWARD_KEY_ENCRYPTION_KEY_FILES is not set";
        let only_key = weak(&[]);
        assert!(only_key.len() == 1 && only_key[0].starts_with(key), "{only_key:?}");
        for (name, value) in [
            ("DATABASE_URL", "postgres://u:p@db.example.com/d"),
            ("DATABASE_URL", "postgres://u:p@10.0.0.1/d?sslmode=require"),
            ("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=verify-ca"),
            ("BEARWARD_PUBLIC_URL", "http://login.example.com"),
            ("BEARWARD_ACCESS_TOKEN_SECONDS", "86400"),
            ("BEARWARD_KEY_ROTATION_DAYS", "0"),
            ("BEARWARD_PASSWORD_MIN_LENGTH", "8"),
            ("BEARWARD_PASSWORD_LINK_URL", "http://app.example.com/password"),
        ] {
            let found = weak(&[(name, value)]);
            assert_eq!(found.len(), 2, "{name}={value}: {found:?}");
            assert!(found.iter().any(|text| text.starts_with(name)), "{found:?}");
            assert!(!found.concat().contains("u:p"), "{found:?}");
        }
        for (name, value) in [
            ("DATABASE_URL", "postgres://u:p@127.0.0.1/d"),
            ("DATABASE_URL", "postgres://u:p@localhost/d?host=/run/postgresql"),
            ("BEARWARD_PASSWORD_LINK_URL", "http://localhost:3000/password"),
        ] {
            assert_eq!(weak(&[(name, value)]).len(), 1, "{name}={value}");
        }
    }

    #[test]
    fn what_is_wrong_is_reported_all_at_once_and_what_is_ignored_beside_it() {
        let wrong = [
            ("BEARWARD_LISTEN", "x"),
            ("BEARWARD_PASSWORD_LINK_SECONDS", "604801"),
            ("BEARWARD_PASWORD_MIN_LENGTH", "15"),
        ];
        report(&wrong, |report| {
            let json = serde_json::to_value(&report).unwrap();
            assert_eq!(
                (&json["usable"], &json["ignored"][0]),
                (&false.into(), &"BEARWARD_PASWORD_MIN_LENGTH".into())
            );
            let settings: Vec<_> =
                json["problems"].as_array().unwrap().iter().map(|p| p["setting"].clone()).collect();
            assert_eq!(settings, ["BEARWARD_LISTEN", "BEARWARD_PASSWORD_LINK_SECONDS"]);
        });
    }
}
