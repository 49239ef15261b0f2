//! The one Envoy in which all variants are measured: where it listens, what its worker costs, and which core it has.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::error::Error;
use xtask::report::Report;
use xtask::stack::{EnvoyOptions, EnvoyServer};
use xtask::{http, interrupt};

use super::cores;
use crate::accounting;

/// How long the listeners may take that wait for their filters.
const DEADLINE: Duration = Duration::from_secs(60);
/// As Envoy names its worker threads.
const WORKER: &str = "wrk:worker_";

/// A running Envoy.
#[derive(Debug)]
pub(super) struct Envoy {
    server: EnvoyServer,
    listeners: BTreeMap<String, SocketAddr>,
    /// The scheduler's account of each worker.
    workers: Vec<PathBuf>,
}

/// CPU time so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Of the workers.
    pub(super) workers: Duration,
    /// Of the whole process: compiling and collecting go on beside the workers.
    pub(super) process: Duration,
}

/// How often a cache was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lookups {
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl Envoy {
    /// Starts it and waits until so many listeners are open.
    ///
    /// # Errors
    /// Envoy refuses the configuration.
    pub(super) fn start(
        options: &EnvoyOptions,
        listeners: usize,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut server = EnvoyServer::start(options, report)?;
        let url = format!("{}/listeners?format=json", server.admin_url());
        let listeners = loop {
            server.check()?;
            let open = http::get(&url, None).map(|answer| addresses(&answer.body)).unwrap_or_default();
            if open.len() >= listeners {
                break open;
            }
            if begun.elapsed() > DEADLINE {
                let what = format!("{} of {listeners} listeners are open", open.len());
                return Err(Error::unusable(what, "look into Envoy's log"));
            }
            interrupt::pause(Duration::from_millis(25))?;
        };
        let workers = workers(server.id())?;
        Ok(Self { listeners, workers, server })
    }

    /// What it holds of the machine's memory, in bytes.
    ///
    /// # Errors
    /// It has ended.
    pub(super) fn resident(&self) -> Result<u64, Error> {
        Ok(accounting::memory(self.server.id())?.resident)
    }

    /// Where the listener of this name is.
    pub(super) fn listener(&self, name: &str) -> Result<SocketAddr, Error> {
        let found = self.listeners.get(name).copied();
        found.ok_or_else(|| Error::unusable(format!("no listener {name}"), "look into Envoy's log"))
    }

    /// Everything that it runs, on one core: so nothing of it disturbs whoever asks.
    pub(super) fn pin(&self, core: usize) -> Result<(), Error> {
        tasks(self.server.id())?.iter().try_for_each(|(id, _)| cores::pin(Some(*id), core))
    }

    /// # Errors
    /// It has ended.
    pub(super) fn spent(&self) -> Result<Spent, Error> {
        let of_workers = self.workers.iter().map(|account| cpu(account)).sum::<Result<_, _>>()?;
        let all = tasks(self.server.id())?;
        // A thread that has ended meanwhile is no error.
        let process = all.iter().filter_map(|(_, task)| cpu(&task.join("schedstat")).ok()).sum();
        Ok(Spent { workers: of_workers, process })
    }

    /// What the caches of all filters count, both of `jwt_authn` and of Bearward: one variant is asked at a time.
    pub(super) fn lookups(&self) -> Result<Lookups, Error> {
        let url = format!("{}/stats?filter=jwt_cache_|bearward_token_cache", self.server.admin_url());
        let answer = http::get(&url, None).filter(|answer| answer.status == 200);
        let answer =
            answer.ok_or_else(|| Error::unusable("Envoy tells no statistics", "look into its log"))?;
        Ok(lookups(&answer.body))
    }

    /// An error with the last lines of its log if it has ended.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.server.check()
    }
}

fn lookups(text: &str) -> Lookups {
    let mut lookups = Lookups::default();
    for (name, value) in text.lines().filter_map(|line| line.rsplit_once(": ")) {
        let value: u64 = value.trim().parse().unwrap_or(0);
        if name.ends_with("hit") {
            lookups.hits += value;
        } else if name.ends_with("miss") {
            lookups.misses += value;
        }
    }
    lookups
}

/// Each listener that is open, by its name, out of what `/listeners?format=json` of the admin interface says.
pub(super) fn addresses(listeners: &str) -> BTreeMap<String, SocketAddr> {
    let listeners: Value = serde_json::from_str(listeners).unwrap_or_default();
    let statuses = listeners.get("listener_statuses").and_then(Value::as_array);
    let address = |status: &Value| {
        let name = status.get("name")?.as_str()?.to_owned();
        let port = status.pointer("/local_address/socket_address/port_value")?.as_u64()?;
        let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
        Some((name, SocketAddr::from(([127, 0, 0, 1], port))))
    };
    statuses.into_iter().flatten().filter_map(address).collect()
}

/// Where the kernel keeps the account of each worker.
fn workers(process: u32) -> Result<Vec<PathBuf>, Error> {
    let is_worker =
        |task: &Path| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with(WORKER));
    let tasks = tasks(process)?.into_iter().map(|(_, task)| task);
    let workers: Vec<PathBuf> =
        tasks.filter(|task| is_worker(task)).map(|task| task.join("schedstat")).collect();
    if workers.is_empty() {
        return Err(Error::unusable("Envoy has no worker thread", "set ENVOY to an Envoy of 1.30 or later"));
    }
    Ok(workers)
}

/// The threads of a process, each with its folder.
fn tasks(process: u32) -> Result<Vec<(u32, PathBuf)>, Error> {
    let folder = PathBuf::from(format!("/proc/{process}/task"));
    let entries = fs::read_dir(&folder).map_err(Error::file("read", &folder))?;
    let id = |path: PathBuf| Some((path.file_name()?.to_str()?.parse().ok()?, path));
    Ok(entries.flatten().filter_map(|entry| id(entry.path())).collect())
}

/// The first field: nanoseconds on a processor.
fn cpu(account: &Path) -> Result<Duration, Error> {
    let text = fs::read_to_string(account).map_err(Error::file("read", account))?;
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| {
        Error::unusable(format!("{} does not tell CPU time", account.display()), "run this on Linux")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listener_that_is_open_is_found_by_its_name() {
        let text = r#"{"listener_statuses":[
            {"name":"none","local_address":{"socket_address":{"address":"127.0.0.1","port_value":43117}}},
            {"name":"noop","local_address":{"socket_address":{"address":"127.0.0.1","port_value":0}}}]}"#;
        let expected = BTreeMap::from([("none".to_owned(), SocketAddr::from(([127, 0, 0, 1], 43_117)))]);
        assert_eq!(addresses(text), expected);
        assert!(addresses("nothing").is_empty());
    }

    #[test]
    fn the_look_ups_of_both_kinds_of_cache_are_counted() {
        let text = "http.native_warm_EdDSA.jwt_authn.jwt_cache_hit: 7\nhttp.x.jwt_authn.jwt_cache_miss: 1\n\
                    wasmcustom.bearward_token_cache.result.hit: 30\nwasmcustom.bearward_token_cache.result.miss: 4\n";
        assert_eq!(lookups(text), Lookups { hits: 37, misses: 5 });
    }

    #[test]
    fn the_work_of_a_thread_is_in_its_account() {
        let own = tasks(std::process::id()).unwrap();
        let sum: Duration = own.iter().filter_map(|(_, task)| cpu(&task.join("schedstat")).ok()).sum();
        assert!(!own.is_empty() && sum > Duration::ZERO);
        assert!(workers(std::process::id()).is_err());
    }
}
