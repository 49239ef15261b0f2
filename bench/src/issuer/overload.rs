//! What logins do to refreshes, and how soon who cannot log in is told so.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use xtask::error::Error;

use super::accounts::Accounts;
use super::logins::LoginClient;
use super::refreshes::RefreshClient;
use super::samples::Samples;
use crate::load::{Client, Pace, Paced, connect, open};
use crate::report::Distribution;
use crate::statistics::Latencies;

/// Refreshes a second: few enough to cost a core only a part of its time.
const REFRESHES: f64 = 100.0;
/// Logins a second that are timed; the flood is not, for its clients are as far behind as they are many.
const TIMED_LOGINS: f64 = 50.0;
/// More than are busy at once at this pace, unless the answers take half a second and more.
const TIMED_CLIENTS: usize = 32;
const REFRESH_CLIENTS: usize = 16;
const SESSIONS_PER_CLIENT: usize = 4;
const FLOOD_CLIENTS: usize = 256;
/// How long the flood runs before anything is timed: until the queue for hashes is full.
const RAMP: Duration = Duration::from_millis(600);

/// How many logins are offered beside the refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flood {
    None,
    /// As many as can be answered.
    Capacity,
    TenTimes,
}

/// The latencies of all rounds.
#[derive(Debug)]
pub(super) struct Overload<'a> {
    refreshes: Vec<RefreshClient<'a>>,
    timed: Vec<LoginClient<'a>>,
    flood: Vec<LoginClient<'a>>,
    alone: Latencies,
    at_capacity: Latencies,
    at_ten_times: Latencies,
    busy: Latencies,
    late: Latencies,
}

impl<'a> Overload<'a> {
    pub(super) fn new(address: SocketAddr, accounts: &'a Accounts) -> Result<Self, Error> {
        let refreshes = RefreshClient::all(address, accounts, REFRESH_CLIENTS, SESSIONS_PER_CLIENT)?;
        let logins = |count| (0..count).map(|_| LoginClient::new(address, accounts)).collect();
        Ok(Self {
            refreshes,
            timed: logins(TIMED_CLIENTS),
            flood: logins(FLOOD_CLIENTS),
            alone: Latencies::new()?,
            at_capacity: Latencies::new()?,
            at_ten_times: Latencies::new()?,
            busy: Latencies::new()?,
            late: Latencies::new()?,
        })
    }

    /// `capacity` is how many logins a second are answered.
    pub(super) fn measure(
        &mut self,
        capacity: f64,
        window: Duration,
        reversed: bool,
        samples: &mut Samples,
        others: &mut impl FnMut(&'static str, String),
    ) -> Result<(), Error> {
        let mut floods = [Flood::None, Flood::Capacity, Flood::TenTimes];
        if reversed {
            floods.reverse();
        }
        for flood in floods {
            connect(&mut self.refreshes)?;
            connect(&mut self.flood)?;
            connect(&mut self.timed)?;
            let refreshed = match flood {
                Flood::None => refresh(&mut self.refreshes, window)?,
                Flood::Capacity => self.refresh_beside(capacity, window)?,
                Flood::TenTimes => self.refresh_beside_a_flood(capacity, window, samples)?,
            };
            others("refreshes beside logins", refreshed.tally.others(&[200]));
            refreshed.tally.expect(200, "refreshes beside logins")?;
            let latencies = refreshed.tally.latencies(200)?;
            let (key, all) = match flood {
                Flood::None => ("refresh_alone_p99_ms", &mut self.alone),
                Flood::Capacity => ("refresh_at_capacity_p99_ms", &mut self.at_capacity),
                Flood::TenTimes => ("refresh_at_ten_times_p99_ms", &mut self.at_ten_times),
            };
            samples.push(key, latencies.quantile_ms(0.99));
            all.add(&latencies);
            if flood == Flood::TenTimes {
                samples.push("refresh_sent_late_p99_ms", refreshed.lateness.quantile_ms(0.99));
                self.late.add(&refreshed.lateness);
            }
        }
        Ok(())
    }

    pub(super) fn distributions(self) -> Vec<Distribution> {
        let distribution = |key, title, latencies| Distribution { key, title, latencies };
        vec![
            distribution("refresh_alone", "refresh, no logins", self.alone),
            distribution("refresh_at_capacity", "refresh, logins at capacity", self.at_capacity),
            distribution(
                "refresh_at_ten_times",
                "refresh, logins at ten times the capacity",
                self.at_ten_times,
            ),
            distribution("refresh_sent_late", "of it: sent late by the benchmark itself", self.late),
            distribution("busy", "503 to a login, at ten times the capacity", self.busy),
        ]
    }

    fn refresh_beside(&mut self, capacity: f64, window: Duration) -> Result<Paced, Error> {
        let (refreshes, flood) = (&mut self.refreshes, &mut self.flood);
        thread::scope(|scope| {
            let flooding = scope.spawn(move || open(flood, Pace { per_second: capacity, ..relaxed(window) }));
            thread::sleep(RAMP);
            let refreshed = refresh(refreshes, window);
            joined(flooding.join())?;
            refreshed
        })
    }

    fn refresh_beside_a_flood(
        &mut self,
        capacity: f64,
        window: Duration,
        samples: &mut Samples,
    ) -> Result<Paced, Error> {
        let (refreshes, flood, timed) = (&mut self.refreshes, &mut self.flood, &mut self.timed);
        let offered = 10.0 * capacity;
        let (refreshed, flooded, answered) = thread::scope(|scope| {
            let flooding = scope.spawn(move || open(flood, Pace { per_second: offered, ..relaxed(window) }));
            thread::sleep(RAMP);
            let timing = scope.spawn(move || open(timed, urgent(TIMED_LOGINS, window)));
            let refreshed = refresh(refreshes, window);
            Ok::<_, Error>((refreshed?, joined(flooding.join())?, joined(timing.join())?))
        })?;
        samples.push("offered_to_capacity", flooded.per_second / capacity);
        answered.tally.expect(503, "logins at ten times the capacity")?;
        let busy = answered.tally.latencies(503)?;
        samples.push("busy_p50_ms", busy.quantile_ms(0.5));
        samples.push("busy_p99_ms", busy.quantile_ms(0.99));
        self.busy.add(&busy);
        Ok(refreshed)
    }
}

fn refresh<C: Client>(clients: &mut [C], window: Duration) -> Result<Paced, Error> {
    open(clients, urgent(REFRESHES, window))
}

fn urgent(per_second: f64, duration: Duration) -> Pace {
    Pace { per_second, duration, urgent: true }
}

/// Of a flood that begins before and ends with what is timed.
fn relaxed(window: Duration) -> Pace {
    Pace { per_second: 0.0, duration: RAMP + window, urgent: false }
}

fn joined<T>(part: thread::Result<Result<T, Error>>) -> Result<T, Error> {
    part.unwrap_or_else(|_| Err(Error::unusable("a thread of the benchmark panicked", "correct it")))
}
