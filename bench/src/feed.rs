//! What the feed of revocations costs one replica: ten thousand proxies that wait, and a thousand that come back at once.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use xtask::directory::random_hex;
use xtask::error::Error;
use xtask::report::{Report, print};

use self::crowd::Crowd;
use self::replica::Replica;
use crate::accounting::{self, Processes};
use crate::issuer::{Accounts, LoginClient};
use crate::load;
use crate::machine::{self, Machine};
use crate::report::{Distribution, Figure, Findings, Goal};
use crate::statistics::{self, Latencies, Spread};

mod crowd;
mod replica;

/// What `bearward-bench feed` needs and does. The database is the one of `DATABASE_URL`; it must be empty.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The issuer.
    #[arg(long)]
    program: PathBuf,
    /// Where processes write their logs.
    #[arg(long)]
    logs: PathBuf,
    /// How many proxies wait.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    polls: u32,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long logins are measured, with proxies that wait and without.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Writes everything, for machines.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the table into this document.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Proxies that come back at once.
const BACK_AT_ONCE: u32 = 1_000;
/// Users to log in: so many that no limit on one account is met.
const USERS: u32 = 1_000;

/// Everything that was measured, in the order of the rounds.
#[derive(Debug, Default)]
struct Measured {
    without_mb: Vec<f64>,
    with_mb: Vec<f64>,
    polls_mb: Vec<f64>,
    polls_cpu_percent: Vec<f64>,
    login_without_ms: Vec<f64>,
    login_with_ms: Vec<f64>,
    told_ms: Vec<f64>,
    told_signatures: Vec<f64>,
    news_ms: Vec<f64>,
    news_signatures: Vec<f64>,
    cold_ms: Vec<f64>,
    cold_signatures: Vec<f64>,
}

/// Measures, prints the table, and writes what was asked for.
///
/// # Errors
/// Something does not start, or does not answer as it should.
pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Error> {
    let findings = measure(options, report)?;
    print(&findings.markdown());
    if let Some(path) = &options.json {
        findings.write_json(path)?;
    }
    if let Some(path) = &options.write {
        findings.write_into(path)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<Findings, Error> {
    crowd::raise_open_files(u64::from(options.polls) + 1_000)?;
    let credential = random_hex(32)?;
    let file = options.logs.join("feed-credential");
    fs::write(&file, &credential).map_err(Error::file("write", &file))?;
    let accounts = Accounts::new(USERS)?;
    let replica =
        report.step("start the issuer", |_| Replica::start(options, &file, &credential, &accounts))?;
    let mut logins = [LoginClient::new(replica.server().public(), &accounts)];
    let [mut latencies_without, mut latencies_with] = [Latencies::new()?, Latencies::new()?];
    let mut measured = Measured::default();
    let window = Duration::from_secs(options.seconds.into());
    // What the first logins, the first polls and their end leave behind is no cost of those that wait.
    load::closed(&mut logins, window, || Ok(()))?;
    for round in 0..options.rounds {
        report.step(&format!("round {} of {}", round + 1, options.rounds), |report| {
            let without = report.step("logins", |_| logins_of(&mut logins, window))?;
            let memory = || Ok::<_, Error>(accounting::memory(replica.server().id())?.resident as f64 / 1e6);
            let before_mb = memory()?;
            let position = replica.position()?;
            let crowd = report
                .step("proxies that wait", |_| Crowd::wait(&replica, options.polls, &position.question(5)))?;
            let cpu = Processes::One(replica.server().id());
            let (begun, before) = (Instant::now(), cpu.cpu()?);
            std::thread::sleep(window);
            let spent = (cpu.cpu()? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
            let with = report.step("logins meanwhile", |_| logins_of(&mut logins, window))?;
            let with_mb = memory()?;
            crowd.end()?;
            replica.wait_for_polls(0)?;
            let told = report.step("one record for all of them", |_| {
                crowd::told(&replica, options.polls, &position.question(5))
            })?;
            replica.wait_for_polls(0)?;
            let news = report.step("proxies that come back to news", |_| {
                crowd::back_at_once(&replica, BACK_AT_ONCE, &position.question(5))
            })?;
            let cold = report.step("proxies that know nothing", |_| {
                crowd::back_at_once(&replica, BACK_AT_ONCE, "/revocations/v1")
            })?;
            measured.without_mb.push(before_mb);
            measured.with_mb.push(with_mb);
            // Against the first round: what was taken once the allocator keeps, and the next round would cost nothing.
            measured.polls_mb.push(with_mb - measured.without_mb.first().copied().unwrap_or(before_mb));
            measured.polls_cpu_percent.push(100.0 * spent);
            measured.login_without_ms.push(without.quantile_ms(0.5));
            measured.login_with_ms.push(with.quantile_ms(0.5));
            for (answered, ms, signatures) in [
                (told, &mut measured.told_ms, &mut measured.told_signatures),
                (news, &mut measured.news_ms, &mut measured.news_signatures),
                (cold, &mut measured.cold_ms, &mut measured.cold_signatures),
            ] {
                ms.push(answered.within.as_secs_f64() * 1_000.0);
                signatures.push(answered.signatures as f64);
            }
            latencies_without.add(&without);
            latencies_with.add(&with);
            Ok(())
        })?;
    }
    let issuer = machine::said(&options.program, &["--version"]).unwrap_or_default();
    let version = issuer.rsplit(' ').next().unwrap_or_default().to_owned();
    Ok(Findings {
        benchmark: "feed",
        machine: Machine::of(&[("bearward-issuer", version)]),
        settings: vec![
            ("polls", json!(options.polls)),
            ("rounds", json!(options.rounds)),
            ("seconds", json!(options.seconds)),
        ],
        figures: figures(&measured, options.polls)?,
        distributions: vec![
            Distribution {
                key: "login_without",
                title: "login, nobody waits",
                latencies: latencies_without,
            },
            Distribution {
                key: "login_with",
                title: "login, all of them wait",
                latencies: latencies_with,
            },
        ],
        drawings: Vec::new(),
        notes: vec![
            "Proxies that wait ask again as soon as they are answered, every 5 s. They are played on the same cores.".to_owned(),
        ],
    })
}

fn logins_of(clients: &mut [LoginClient<'_>], window: Duration) -> Result<Latencies, Error> {
    let (tally, ()) = load::closed(clients, window, || Ok(()))?;
    tally.expect(200, "logins")?;
    tally.latencies(200)
}

fn figures(measured: &Measured, polls: u32) -> Result<Vec<Figure>, Error> {
    let ratio = statistics::quotients(&measured.login_with_ms, &measured.login_without_ms);
    let rows = [
        (
            "without_mb",
            "resident memory of the issuer, nobody waits".to_owned(),
            "MB",
            &measured.without_mb,
            None,
        ),
        ("with_mb", format!("the same, {polls} proxies wait"), "MB", &measured.with_mb, None),
        (
            "polls_mb",
            "what those that wait cost: more than at first".to_owned(),
            "MB",
            &measured.polls_mb,
            Some(Goal::AtMost(200.0)),
        ),
        (
            "polls_cpu_percent",
            "the issuer's CPU time for those that wait, of one core".to_owned(),
            "%",
            &measured.polls_cpu_percent,
            None,
        ),
        (
            "login_without_ms",
            "a login, nobody waits: median".to_owned(),
            "ms",
            &measured.login_without_ms,
            None,
        ),
        ("login_with_ms", "the same, all of them wait".to_owned(), "ms", &measured.login_with_ms, None),
        ("login_ratio", "the second to the first".to_owned(), "times", &ratio, None),
        (
            "told_ms",
            "from a revocation to the last of those that wait".to_owned(),
            "ms",
            &measured.told_ms,
            None,
        ),
        ("told_signatures", "signatures for that".to_owned(), "", &measured.told_signatures, None),
        (
            "news_ms",
            format!("{BACK_AT_ONCE} proxies come back at once, to news: the last is answered within"),
            "ms",
            &measured.news_ms,
            Some(Goal::AtMost(2_000.0)),
        ),
        ("news_signatures", "signatures for that".to_owned(), "", &measured.news_signatures, None),
        (
            "cold_ms",
            format!("{BACK_AT_ONCE} proxies that know nothing: the last is answered within"),
            "ms",
            &measured.cold_ms,
            Some(Goal::AtMost(2_000.0)),
        ),
        ("cold_signatures", "signatures for that".to_owned(), "", &measured.cold_signatures, None),
    ];
    rows.into_iter()
        .map(|(key, title, unit, rounds, goal)| {
            let spread = Spread::of(rounds.clone())
                .ok_or_else(|| Error::unusable(format!("{key} was not measured"), "take more rounds"))?;
            Ok(Figure { key, title, unit, spread, goal })
        })
        .collect()
}
