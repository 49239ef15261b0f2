//! Where values come from: the environment first, then the configuration file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::{Table, Value};

use super::Problem;
use super::table::{self, Kind, Setting};

/// The longest configuration file or file with a secret, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The environment and the configuration file, as they were at start.
#[derive(Debug)]
pub(crate) struct Sources {
    environment: BTreeMap<String, OsString>,
    file: Table,
    /// What is wrong with the configuration file itself.
    problems: Vec<Problem>,
}

/// A value as it was found, and where.
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) place: String,
}

impl Sources {
    /// The environment of this process, and the configuration file where one is named.
    pub(crate) fn of_process(config: Option<&Path>) -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        match config.map(|path| (path, read_bounded(path))) {
            None => Self::new(environment, Ok("")),
            Some((_, Ok(text))) => Self::new(environment, Ok(&text)),
            Some((path, Err(why))) => Self::new(environment, Err(format!("{}: {why}", path.display()))),
        }
    }

    pub(crate) fn new(
        environment: impl Iterator<Item = (String, OsString)>,
        file: Result<&str, String>,
    ) -> Self {
        let environment = environment.filter(|(_, value)| !value.is_empty()).collect();
        let table = file.and_then(|text| {
            // The error's full text quotes the line, which may hold a secret; its message alone does not.
            text.parse::<Table>().map_err(|error| format!("not TOML: {}", error.message()))
        });
        match table {
            Ok(file) => Self { environment, problems: unknown_keys(&file), file },
            Err(why) => {
                let problem = Problem::new(
                    "BEARWARD_CONFIG",
                    format!("{why}; correct the file or leave the setting out"),
                );
                Self { environment, file: Table::new(), problems: vec![problem] }
            }
        }
    }

    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Variables that look like a setting of ours and are none: perhaps misspelled. They are not refused, because
    /// the environment is shared, also with orchestrators that make up names of their own.
    pub(crate) fn ignored_variables(&self) -> impl Iterator<Item = &str> {
        let known = |name: &str| {
            name == "BEARWARD_CONFIG"
                || table::ALL.iter().any(|s| s.name == name || s.file_name().is_some_and(|file| file == name))
        };
        self.environment
            .keys()
            .map(String::as_str)
            .filter(move |name| name.starts_with("BEARWARD_") && !known(name))
    }

    /// The value of a setting, if it is set anywhere.
    pub(crate) fn find(&self, setting: &Setting) -> Result<Option<Found>, Problem> {
        if let Some(found) = self.find_in_environment(setting)? {
            return Ok(Some(found));
        }
        self.find_in_file(setting)
    }

    fn find_in_environment(&self, setting: &Setting) -> Result<Option<Found>, Problem> {
        let read = |name: &str| match self.environment.get(name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(Problem::new(name, "is not UTF-8".to_owned())),
            },
        };
        let value = read(setting.name)?;
        let file_name = setting.file_name();
        let file = file_name.as_deref().map(read).transpose()?.flatten();
        one_of(value, file, setting.name, file_name.as_deref().unwrap_or_default())
    }

    fn find_in_file(&self, setting: &Setting) -> Result<Option<Found>, Problem> {
        let value = self.file.get(setting.key).map(|value| text_of(value, setting)).transpose()?;
        let file_key = setting.file_key();
        let file = match file_key.as_deref().and_then(|key| self.file.get(key)) {
            None => None,
            Some(Value::String(path)) => Some(path.clone()),
            Some(_) => return Err(Problem::new(setting.key, "must name a file, as a string".to_owned())),
        };
        one_of(value, file, setting.key, file_key.as_deref().unwrap_or_default())
    }
}

/// A value given directly or by the name of a file, not both.
fn one_of(
    value: Option<String>,
    file: Option<String>,
    name: &str,
    file_name: &str,
) -> Result<Option<Found>, Problem> {
    match (value, file) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(Found { text, place: name.to_owned() })),
        (Some(_), Some(_)) => {
            Err(Problem::new(name, format!("is set together with {file_name}; set only one of them")))
        }
        (None, Some(path)) => {
            let text = read_bounded(Path::new(&path))
                .map_err(|why| Problem::new(file_name, format!("{path}: {why}")))?;
            let text =
                text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
            if text.is_empty() {
                return Err(Problem::new(file_name, format!("{path} is empty; write the value into it")));
            }
            Ok(Some(Found { text: text.to_owned(), place: file_name.to_owned() }))
        }
    }
}

fn text_of(value: &Value, setting: &Setting) -> Result<String, Problem> {
    let expected = match (setting.kind, value) {
        (_, Value::String(text)) if setting.kind != Kind::Number => return Ok(text.clone()),
        (Kind::Number, Value::Integer(number)) => return Ok(number.to_string()),
        (Kind::List, Value::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            match items {
                Some(items) if !items.iter().any(|item| item.contains(',')) => return Ok(items.join(",")),
                _ => "an array of strings without commas",
            }
        }
        (Kind::Number, _) => "an integer",
        (Kind::List, _) => "an array of strings",
        (Kind::Text | Kind::Secret, _) => "a string",
    };
    Err(Problem::new(setting.key, format!("in the configuration file must be {expected}")))
}

fn unknown_keys(file: &Table) -> Vec<Problem> {
    let known =
        |key: &str| table::ALL.iter().any(|s| s.key == key || s.file_key().is_some_and(|file| file == key));
    file.keys()
        .filter(|key| !known(key))
        .map(|key| {
            let keys: Vec<_> = table::ALL.iter().map(|setting| setting.key).collect();
            Problem::new(
                key,
                format!("in the configuration file is no setting; there are {}", keys.join(", ")),
            )
        })
        .collect()
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("larger than {MAX_FILE_BYTES} bytes"));
    }
    Ok(text)
}
