//! One round: every subject for a short time, one right after the other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xtask::error::Error;

use super::Extent;
use super::accounts::Accounts;
use super::argon2id;
use super::keys::KeysClient;
use super::logins::LoginClient;
use super::overload::Overload;
use super::refreshes::RefreshClient;
use super::samples::Samples;
use super::server::Server;
use super::tutorial::{Tutorial, TutorialClient};
use crate::accounting::Processes;
use crate::load::{Client, closed};
use crate::report::Distribution;
use crate::statistics::Spread;

/// What is loaded in each round, in this order and in every second round in the reverse.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Argon2id,
    Logins,
    Tutorial,
    Refreshes,
    Keys,
    Overload,
}

const SUBJECTS: [Subject; 6] = [
    Subject::Argon2id,
    Subject::Logins,
    Subject::Tutorial,
    Subject::Refreshes,
    Subject::Keys,
    Subject::Overload,
];

/// Connections, each of which asks as soon as it has an answer. For logins there are as many as there are places for
/// hashes: each is held until its deadline, and yet hashing never pauses.
const REFRESH_CLIENTS: usize = 16;
const SESSIONS_PER_CLIENT: usize = 4;
const KEYS_CLIENTS: usize = 16;

/// Everything that is loaded, and by whom.
pub(super) struct Bench<'a> {
    postgres: Processes,
    issuer: Processes,
    permits: u32,
    window: Duration,
    logins: Vec<LoginClient<'a>>,
    refreshes: Vec<RefreshClient<'a>>,
    keys: Vec<KeysClient>,
    tutorial: Option<(Tutorial, [TutorialClient; 1])>,
    overload: Overload<'a>,
    unexpected: BTreeMap<&'static str, Vec<String>>,
}

/// What the requests of one window cost.
struct Cost {
    answers: f64,
    subject: Duration,
    postgres: Duration,
    elapsed: Duration,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        postgres: u32,
        permits: u32,
        extent: Extent,
        accounts: &'a Accounts,
        server: &Server,
        tutorial: Option<Tutorial>,
    ) -> Result<Self, Error> {
        let address = server.public();
        let logins = permits + extent.queue;
        let refreshes = RefreshClient::all(address, accounts, REFRESH_CLIENTS, SESSIONS_PER_CLIENT)?;
        Ok(Self {
            postgres: Processes::Tree(postgres),
            issuer: Processes::One(server.id()),
            permits,
            window: extent.window,
            logins: (0..logins).map(|_| LoginClient::new(address, accounts)).collect(),
            refreshes,
            keys: (0..KEYS_CLIENTS).map(|_| KeysClient::new(address)).collect::<Result<_, _>>()?,
            // One at a time, which is all that its one thread computes: so every hash is a whole one.
            tutorial: tutorial.map(|tutorial| {
                let client = tutorial.client();
                (tutorial, [client])
            }),
            overload: Overload::new(address, accounts)?,
            unexpected: BTreeMap::new(),
        })
    }

    pub(super) fn round(&mut self, number: u32, samples: &mut Samples) -> Result<(), Error> {
        let reversed = !number.is_multiple_of(2);
        let mut subjects = SUBJECTS;
        if reversed {
            subjects.reverse();
        }
        subjects.into_iter().try_for_each(|subject| self.measure(subject, reversed, samples))
    }

    /// The distributions of all rounds, and what was answered otherwise than expected.
    pub(super) fn finish(self) -> (Vec<Distribution>, Vec<String>) {
        let notes = self
            .unexpected
            .into_iter()
            .map(|(what, rounds)| format!("Some {what} were answered otherwise: {}.", rounds.join("; ")));
        (self.overload.distributions(), notes.collect())
    }

    fn measure(&mut self, subject: Subject, reversed: bool, samples: &mut Samples) -> Result<(), Error> {
        match subject {
            Subject::Argon2id => {
                let rate = argon2id::hashes_per_cpu_second(self.permits, self.window)?;
                samples.push("argon2id_per_cpu_s", rate);
            }
            Subject::Logins => {
                let window = Window { what: "logins", expected: 200, subject: self.issuer, ..self.window() };
                let cost = window.load(&mut self.logins, &mut self.unexpected)?;
                samples.push("logins_per_cpu_s", cost.per_cpu_second()?);
                samples.push("login_postgres_cpu_ms", cost.postgres_ms());
                samples.push("logins_per_s", cost.answers / cost.elapsed.as_secs_f64());
            }
            Subject::Tutorial => {
                let window = self.window();
                let Some((tutorial, clients)) = &mut self.tutorial else { return Ok(()) };
                let window = Window {
                    what: "tutorial's logins",
                    expected: 200,
                    subject: tutorial.processes(),
                    ..window
                };
                let cost = window.load(clients, &mut self.unexpected)?;
                samples.push("tutorial_logins_per_cpu_s", cost.per_cpu_second()?);
            }
            Subject::Refreshes => {
                let window =
                    Window { what: "refreshes", expected: 200, subject: self.issuer, ..self.window() };
                let cost = window.load(&mut self.refreshes, &mut self.unexpected)?;
                samples.push("refreshes_per_cpu_s", cost.per_cpu_second()?);
                samples.push("refresh_postgres_cpu_ms", cost.postgres_ms());
            }
            Subject::Keys => {
                let window = Window {
                    what: "questions for keys",
                    expected: 304,
                    subject: self.issuer,
                    ..self.window()
                };
                let cost = window.load(&mut self.keys, &mut self.unexpected)?;
                samples.push("keys_per_cpu_s", cost.per_cpu_second()?);
            }
            Subject::Overload => {
                let capacity = self.capacity(samples)?;
                let unexpected = &mut self.unexpected;
                let mut others = |what, others| note(unexpected, what, others);
                self.overload.measure(capacity, self.window, reversed, samples, &mut others)?;
            }
        }
        Ok(())
    }

    /// Logins a second, of the windows so far: the first round begins with one.
    fn capacity(&self, samples: &Samples) -> Result<f64, Error> {
        let spread = Spread::of(samples.of("logins_per_s").to_vec());
        let spread =
            spread.ok_or_else(|| Error::unusable("no login was measured yet", "order the subjects"))?;
        Ok(spread.median())
    }

    fn window(&self) -> Window {
        Window { what: "", expected: 0, subject: self.issuer, postgres: self.postgres, duration: self.window }
    }
}

/// A time of load on one subject.
struct Window {
    what: &'static str,
    expected: u16,
    subject: Processes,
    postgres: Processes,
    duration: Duration,
}

impl Window {
    fn load<C: Client>(
        &self,
        clients: &mut [C],
        unexpected: &mut BTreeMap<&'static str, Vec<String>>,
    ) -> Result<Cost, Error> {
        let cpu = || Ok((self.subject.cpu()?, self.postgres.cpu()?, Instant::now()));
        let (tally, (subject, postgres, begun)) = closed(clients, self.duration, cpu)?;
        let elapsed = begun.elapsed();
        let cost = Cost {
            answers: tally.expect(self.expected, self.what)? as f64,
            subject: self.subject.cpu()?.saturating_sub(subject),
            postgres: self.postgres.cpu()?.saturating_sub(postgres),
            elapsed,
        };
        note(unexpected, self.what, tally.others(&[self.expected]));
        Ok(cost)
    }
}

impl Cost {
    fn per_cpu_second(&self) -> Result<f64, Error> {
        if self.subject.is_zero() {
            return Err(Error::unusable(
                "a window was too short for its cost to be counted",
                "raise --seconds",
            ));
        }
        Ok(self.answers / self.subject.as_secs_f64())
    }

    /// PostgreSQL's CPU time for one of them.
    fn postgres_ms(&self) -> f64 {
        self.postgres.as_secs_f64() * 1_000.0 / self.answers
    }
}

fn note(unexpected: &mut BTreeMap<&'static str, Vec<String>>, what: &'static str, others: String) {
    if !others.is_empty() {
        unexpected.entry(what).or_default().push(others);
    }
}
