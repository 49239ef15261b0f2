//! The drill of docs/issuer-operation.md: dump, revoke, restore, and what was revoked stays so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bearward_tests::client::Request;
use bearward_tests::harness::{Issuer, Proxy};
use bearward_tests::note::note;
use serde_json::{Value, json};
use xtask::directory::TemporaryDirectory;
use xtask::postgres::{Database, Durability};
use xtask::process::output;
use xtask::report::Report;

use super::PROMISED;
use super::issuers::{Issuers, RECOVERY, Replica};
use super::people::{Person, felt, felt_within, passing, since, verdict};
use super::watch::Watch;

/// An issuer with its proxy, of whose database there is a dump from before somebody was revoked.
struct Drill {
    // Dropped in this order.
    watch: Watch,
    proxy: Proxy,
    issuers: Issuers,
    database: Database,
    dump: PathBuf,
    person: Person,
    /// Of the person, who is honest.
    honest: Value,
    /// Ended after the dump.
    revoked: Value,
    directory: TemporaryDirectory,
}

impl Drill {
    fn begin() -> Self {
        let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
        let database = cluster(directory.path());
        let issuers = Issuers::start(database.url());
        let (person, honest) = Person::sign_up(issuers.both[0].url());
        let proxy = issuers.proxy(&issuers.setup(), &honest);
        let watch = Watch::over(proxy.url(), &honest);
        let revoked = issuers.both[1].new_session(proxy.url());

        let dump = directory.path().join("dump");
        run(&database, "pg_dump", &["--format=custom", "--file", text(&dump), "--dbname", database.url()]);
        issuers.both[0].log_out(&revoked);
        watch.ended(&revoked, PROMISED);
        felt(proxy.url(), "before the restore", "token_revoked", &[&revoked], &[&honest]);
        watch.honest_is(None);
        Self { watch, proxy, issuers, database, dump, person, honest, revoked, directory }
    }

    /// Plays the dump back into this server, over what may be there.
    fn restore(&self, into: &Database) {
        let how = ["--clean", "--if-exists", "--single-transaction", "--no-owner", "--dbname", into.url()];
        run(into, "pg_restore", &[&how[..], &[text(&self.dump)]].concat());
    }

    /// What is promised of a restore, however it was made.
    fn check(self, what: &str) {
        let Self { watch, proxy, issuers, person, honest, revoked, .. } = &self;
        let begun = Instant::now();
        let new = person.log_in(issuers.both[0].url());
        passing(proxy.url(), "a login after the restore", &[&new], RECOVERY);
        let passed = since(begun);
        watch.honest_is(Some(&new));
        let before = [honest, revoked];
        felt_within(proxy.url(), what, "token_revoked", &before, &[&new], RECOVERY);
        let ended = since(begun);
        watch.ended(honest, Duration::ZERO);

        let cold = issuers.proxy(&issuers.setup(), &new);
        felt(cold.url(), "a cold proxy", "token_revoked", &before, &[&new]);
        for (session, whose) in [(revoked, "revoked"), (honest, "from before")] {
            let refresh =
                Request::post("/api/auth/refresh", &json!({ "refreshToken": session["refreshToken"] }));
            assert_eq!(
                refresh.send(issuers.both[1].url()).status,
                401,
                "a session that is {whose} is refreshed"
            );
        }
        for gate in [&proxy, &&cold] {
            issuers.both[0].logout_is_felt(gate.url(), watch, "a logout after the restore", PROMISED);
        }
        note(&format!(
            "revocation under trouble: {what}: once the issuers were ready a login passed after {passed:?}, all of before was \
             refused after {ended:?}"
        ));
        let Self { watch, proxy, .. } = self;
        watch.finish();
        drop(proxy);
    }
}

#[test]
fn what_was_revoked_stays_so_after_a_restore_into_the_same_server_with_a_new_generation() {
    let mut drill = Drill::begin();
    drill.issuers.both.iter_mut().for_each(Replica::stop);
    drill.restore(&drill.database);
    let said = Issuer::command_says(drill.database.url(), &["feed", "new-generation", "--yes"]);
    assert!(said.contains("everybody logs in again"), "{said}");
    drill.issuers.both.iter_mut().for_each(Replica::resume);
    drill.check("a dump played back into the same server");
}

#[test]
fn what_was_revoked_stays_so_after_a_restore_into_another_server_and_nobody_need_say_anything() {
    let mut drill = Drill::begin();
    drill.issuers.both.iter_mut().for_each(Replica::stop);
    let other = cluster(&drill.directory.path().join("other"));
    drill.restore(&other);
    for replica in &mut drill.issuers.both {
        replica.database.lead_to(other.url());
        replica.resume();
    }
    drill.check("a dump played back into another server");
}

#[test]
fn a_dump_that_is_played_back_under_running_replicas_is_noticed_by_them() {
    let drill = Drill::begin();
    drill.restore(&drill.database);
    // From here on the proxy knows what it knew, whatever the database has forgotten.
    assert_eq!(verdict(drill.proxy.url(), &drill.revoked).0, 401);
    let noticed = felt_within(
        drill.proxy.url(),
        "a dump under running replicas",
        "token_revoked",
        &[&drill.honest, &drill.revoked],
        &[],
        RECOVERY,
    );
    note(&format!(
        "revocation under trouble: a dump played back under running replicas: noticed after {noticed:?}"
    ));
    drill.check("the same, after that");
}

fn cluster(logs: &Path) -> Database {
    Database::throw_away(logs, None, Durability::None, &mut Report::silent()).unwrap()
}

fn run(database: &Database, program: &str, arguments: &[&str]) {
    let mut command = Command::new(database.program(program).unwrap());
    command.args(arguments).env_remove("PGOPTIONS");
    output(command).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
