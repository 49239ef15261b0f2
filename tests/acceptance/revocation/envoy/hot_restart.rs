//! One Envoy takes over the listeners of another one: <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/hot_restart>

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bearward_tests::client::{Connection, Request};
use bearward_tests::deadline::eventually;
use bearward_tests::harness::database::TestDatabase;
use bearward_tests::harness::{FEED_CREDENTIAL, database_server, module};
use bearward_tests::note::note;
use xtask::process::Process;
use xtask::stack::{Addresses, substitute};

use super::super::PROMISED;
use super::super::issuers::{Issuers, RECOVERY};
use super::super::people::{Person, felt_within, passing, since, token};
use super::super::watch::Watch;

/// How long the old process lives on beside the new one, in seconds.
const BOTH_SECONDS: &str = "6";
/// Over which time it closes its connections: most are open until it ends.
const DRAIN_SECONDS: &str = "60";

/// One process of an Envoy that is restarted.
struct Epoch {
    process: Process,
    admin: String,
}

impl Epoch {
    fn start(folder: &Path, number: u32) -> Self {
        let file = |name: &str| folder.join(format!("{name}.{number}"));
        let mut command = Command::new(PathBuf::from(std::env::var_os("ENVOY").expect("ENVOY")));
        command.arg("--config-path").arg(folder.join("envoy.yaml"));
        command.arg("--admin-address-path").arg(file("admin"));
        command.args(["--concurrency", "2", "--log-level", "info"]);
        command.args(["--parent-shutdown-time-s", BOTH_SECONDS, "--drain-time-s", DRAIN_SECONDS]);
        command.env("BEARWARD_FEED_TOKEN", FEED_CREDENTIAL);
        if number == 0 {
            command.arg("--use-dynamic-base-id").arg("--base-id-path").arg(folder.join("base-id"));
        } else {
            let base_id = fs::read_to_string(folder.join("base-id")).unwrap();
            command.args(["--base-id", base_id.trim(), "--restart-epoch", &number.to_string()]);
        }
        let mut process = Process::start("envoy", command, &file("log")).unwrap();
        let admin = eventually("an Envoy that is ready", || {
            process.check().unwrap_or_else(|error| panic!("{error}"));
            let admin = format!("http://{}", fs::read_to_string(file("admin")).ok()?.trim());
            let ready = Request::get("/ready").try_send(&admin).ok()?;
            (ready.status == 200).then_some(admin)
        });
        Self { process, admin }
    }

    /// Connections of clients that it has.
    fn connections(&self) -> u64 {
        let stats = Request::get("/stats?filter=http.public.downstream_cx_active").send(&self.admin).text();
        let value = stats.lines().find_map(|line| line.strip_prefix("http.public.downstream_cx_active: "));
        value.map_or(0, |value| value.parse().unwrap())
    }
}

#[test]
fn while_an_envoy_is_hot_restarted_neither_process_lets_through_who_was_revoked() {
    let database = TestDatabase::create(&database_server());
    let issuers = Issuers::start(&database.url());
    let (_, honest) = Person::sign_up(issuers.both[0].url());
    let folder = issuers.directory();
    let listen = free_address();
    write_configuration(&issuers, folder, listen);
    let url = format!("http://{listen}");
    let shared_memory = SharedMemory(folder.join("base-id"));
    let mut parent = Epoch::start(folder, 0);
    passing(&url, "a new Envoy", &[&honest], Duration::from_secs(30));
    let watch = Watch::over(&url, &honest);
    issuers.both[0].logout_is_felt(&url, &watch, "a logout before", PROMISED);

    // Of two who hold on to the old process one is revoked while there are two.
    let [session, other] = [0, 1].map(|_| issuers.both[0].new_session(&url));
    let asks = |session| Request::get("/api/orders").bearer(token(session));
    let (asks_as_one, asks_as_other) = (asks(&session), asks(&other));
    let mut old: Vec<Connection> = (0..8).map(|_| Connection::to(&url)).collect();
    assert!(old.iter_mut().all(|old| old.send(&asks_as_one).status == 200));
    let begun = Instant::now();
    let child = Epoch::start(folder, 1);
    let ready = since(begun);
    assert!(parent.process.ended().unwrap().is_none(), "the old process lives");
    issuers.both[1].log_out(&session);
    watch.ended(&session, RECOVERY);
    let out = Instant::now();
    eventually("refusals by the old process", || {
        old.retain(Connection::is_open);
        assert!(!old.is_empty(), "some connections are left to the old process");
        let refused = old.iter_mut().map(|old| old.send(&asks_as_one)).filter(|answer| answer.status == 401);
        let all = refused.count();
        (all == old.len()).then_some(())
    });
    let felt_by_old = since(out);
    assert!(felt_by_old <= PROMISED, "{felt_by_old:?}");
    old.retain(Connection::is_open);
    assert!(old.iter_mut().all(|old| old.send(&asks_as_other).status == 200), "and nobody else");
    assert!(parent.process.ended().unwrap().is_none(), "the old process has lived until here");

    let felt_by_new =
        felt_within(&url, "a logout", "token_revoked", &[&session], &[&other, &honest], RECOVERY);
    assert!(child.connections() > 0, "the new process serves");
    eventually("the end of the old process", || parent.process.ended().unwrap());
    issuers.both[0].logout_is_felt(&url, &watch, "a logout after the restart", PROMISED);
    note(&format!(
        "revocation under trouble: hot restart: the new process was ready after {ready:?}; beside it the old one felt a logout \
         after {felt_by_old:?}, the new one {felt_by_new:?} later; 503 for {:?} in all, {} connections ended",
        watch.away().unwrap_or_default(),
        watch.lost_connections()
    ));
    watch.finish();
    drop((child, parent, shared_memory));
}

fn write_configuration(issuers: &Issuers, folder: &Path, listen: SocketAddr) {
    let text = fs::read_to_string(issuers.setup().write_into(folder)).unwrap();
    let ((issuer, upstream), module) = (issuers.addresses(), module());
    let internal = issuers.both[0].feed.address();
    let addresses = Addresses { listen, issuer, internal, upstream, module: &module };
    fs::write(folder.join("envoy.yaml"), substitute(&text, &addresses).unwrap()).unwrap();
}

/// A new process finds the listeners of the old one by their address: port 0 would be a new port each time.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What Envoy leaves behind under the number that it chose, for its next epoch.
struct SharedMemory(PathBuf);

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if let Ok(base_id) = fs::read_to_string(&self.0) {
            // Envoy's own name for it; on a machine without this folder there is nothing to remove.
            let _ = fs::remove_file(format!("/dev/shm/envoy_shared_memory_{}0", base_id.trim()));
        }
    }
}
