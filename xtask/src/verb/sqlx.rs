//! `cargo xtask sqlx`: the data that queries are checked against where there is no database.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::directory::{TemporaryDirectory, create_all};
use crate::error::Error;
use crate::postgres::{Database, Durability};
use crate::report::Report;
use crate::{process, workspace};

/// Writes `.sqlx` anew, from the migrations and queries as they are now.
pub fn renew(report: &mut Report) -> Result<(), Error> {
    let (_scratch, fresh) = generate(report)?;
    let folder = kept_folder();
    create_all(&folder)?;
    for name in contents(&folder)?.keys().filter(|name| !fresh.contains_key(*name)) {
        let stale = folder.join(name);
        fs::remove_file(&stale).map_err(Error::file("remove", &stale))?;
    }
    for (name, content) in &fresh {
        let path = folder.join(name);
        fs::write(&path, content).map_err(Error::file("write", &path))?;
    }
    report.note(&format!("{} queries in {}", fresh.len(), folder.display()));
    Ok(())
}

/// An error if [`renew`] would change something.
pub fn check(report: &mut Report) -> Result<(), Error> {
    let (_scratch, fresh) = generate(report)?;
    if contents(&kept_folder())? == fresh {
        return Ok(());
    }
    Err(Error::unusable(
        ".sqlx is not what the queries and migrations yield",
        "run `cargo xtask sqlx` and commit it",
    ))
}

type Contents = BTreeMap<String, String>;

fn kept_folder() -> PathBuf {
    workspace::root().join(".sqlx")
}

fn generate(report: &mut Report) -> Result<(TemporaryDirectory, Contents), Error> {
    let scratch = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-sqlx")?;
    let data = scratch.path().join("data");
    create_all(&data)?;
    let database = report.step("provide PostgreSQL", |report| {
        Database::throw_away(scratch.path(), None, Durability::None, report)
    })?;
    report.step("apply the migrations", |_| migrate(&database))?;
    report.step("compile every query", |_| {
        touch_roots()?;
        let mut cargo = workspace::cargo();
        cargo
            .args(["check", "--package", "bearward-issuer", "--all-targets"])
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &data)
            .env("DATABASE_URL", database.url());
        process::run(cargo)
    })?;
    let contents = contents(&data)?;
    Ok((scratch, contents))
}

/// By psql, because the issuer, which migrates by itself, does not compile while its queries are new.
fn migrate(database: &Database) -> Result<(), Error> {
    let psql = database.psql().filter(|psql| psql.is_file()).ok_or_else(|| {
        Error::unusable("PostgreSQL's programs are here without psql", "install PostgreSQL's client")
    })?;
    let folder = workspace::root().join("issuer/migrations");
    let mut migrations: Vec<PathBuf> = names(&folder)?.iter().map(|name| folder.join(name)).collect();
    migrations.sort();
    for migration in migrations.iter().filter(|path| path.extension().is_some_and(|end| end == "sql")) {
        let mut command = Command::new(&psql);
        command.args([
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set",
            "ON_ERROR_STOP=1",
            "--file",
        ]);
        command.arg(migration).arg(database.url());
        process::run(command)?;
    }
    Ok(())
}

/// cargo does not know that the database is new; the macros run only if a source file is.
fn touch_roots() -> Result<(), Error> {
    let sources = workspace::root().join("issuer/src");
    for root in ["lib.rs", "main.rs"] {
        let path = sources.join(root);
        if path.is_file() {
            File::options()
                .append(true)
                .open(&path)
                .and_then(|file| file.set_modified(SystemTime::now()))
                .map_err(Error::file("touch", &path))?;
        }
    }
    Ok(())
}

fn contents(folder: &Path) -> Result<Contents, Error> {
    if !folder.exists() {
        return Ok(Contents::new());
    }
    names(folder)?
        .into_iter()
        .filter(|name| name.starts_with("query-"))
        .map(|name| {
            let path = folder.join(&name);
            let content = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
            Ok((name, content))
        })
        .collect()
}

fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    entries
        .map(|entry| {
            let entry = entry.map_err(Error::file("read", folder))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        })
        .collect()
}
