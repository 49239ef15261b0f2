//! Every figure of the issuer: one table, in the order in which it is told.

use xtask::error::Error;

use super::quotients;
use super::samples::Samples;
use crate::report::{Figure, Goal};
use crate::statistics::Spread;

/// What a hash works in, in bytes.
const HASH_MEMORY_BYTES: f64 = 19.0 * 1024.0 * 1024.0;

/// Where a figure comes from.
enum Source {
    Measured,
    /// The first through the second, round by round.
    Quotient(&'static str, &'static str),
    /// The same, where the tutorial's application could be had.
    OfTutorial(&'static str, &'static str),
}

/// # Errors
/// One was not measured, or is zero: the benchmark is at fault.
pub(super) fn of(samples: &Samples, permits: u32) -> Result<Vec<Figure>, Error> {
    use Goal::{AtLeast, AtMost};
    use Source::{Measured, OfTutorial, Quotient};

    let with_tutorial = !samples.of("tutorial_logins_per_cpu_s").is_empty();
    let memory_mb = 60.0 + f64::from(permits) * HASH_MEMORY_BYTES / 1e6;
    let rows = [
        ("argon2id_per_cpu_s", "argon2id alone: hashes per CPU-second", "/s", None, Measured),
        ("logins_per_cpu_s", "logins per CPU-second of the issuer", "/s", None, Measured),
        (
            "logins_to_argon2id",
            "the same, of what argon2id alone allows",
            "",
            Some(AtLeast(0.9)),
            Quotient("logins_per_cpu_s", "argon2id_per_cpu_s"),
        ),
        ("login_postgres_cpu_ms", "PostgreSQL's CPU time beside each login", "ms", None, Measured),
        ("logins_per_s", "logins per second, on all cores", "/s", None, Measured),
        (
            "tutorial_logins_per_cpu_s",
            "the tutorial's application: logins per CPU-second",
            "/s",
            None,
            OfTutorial("tutorial_logins_per_cpu_s", ""),
        ),
        (
            "logins_to_tutorial",
            "the issuer's logins to the tutorial's",
            "times",
            None,
            OfTutorial("logins_per_cpu_s", "tutorial_logins_per_cpu_s"),
        ),
        (
            "refreshes_per_cpu_s",
            "refreshes per CPU-second of the issuer",
            "/s",
            Some(AtLeast(1_000.0)),
            Measured,
        ),
        ("refresh_postgres_cpu_ms", "PostgreSQL's CPU time beside each refresh", "ms", None, Measured),
        (
            "keys_per_cpu_s",
            "JWK Set not modified (304) per CPU-second of the issuer",
            "/s",
            Some(AtLeast(20_000.0)),
            Measured,
        ),
        ("offered_to_capacity", "the flood: logins offered, to the capacity", "times", None, Measured),
        ("busy_p50_ms", "the flood: time to 503, median", "ms", None, Measured),
        ("busy_p99_ms", "the flood: time to 503, p99", "ms", Some(AtMost(50.0)), Measured),
        ("refresh_alone_p99_ms", "refresh p99 without logins", "ms", None, Measured),
        ("refresh_at_capacity_p99_ms", "refresh p99 with logins at capacity", "ms", None, Measured),
        (
            "refresh_at_ten_times_p99_ms",
            "refresh p99 with logins at ten times the capacity",
            "ms",
            None,
            Measured,
        ),
        (
            "refresh_at_ten_times_to_alone",
            "the same, to that without logins",
            "times",
            Some(AtMost(1.2)),
            Quotient("refresh_at_ten_times_p99_ms", "refresh_alone_p99_ms"),
        ),
        (
            "refresh_at_ten_times_to_at_capacity",
            "the same, to that with logins at capacity",
            "times",
            None,
            Quotient("refresh_at_ten_times_p99_ms", "refresh_at_capacity_p99_ms"),
        ),
        ("refresh_sent_late_p99_ms", "of it: sent late by the benchmark itself, p99", "ms", None, Measured),
        ("resident_mb", "resident memory after all of this", "MB", None, Measured),
        ("peak_mb", "resident memory, at most", "MB", Some(AtMost(memory_mb)), Measured),
        ("cold_start_ms", "from the start to the first 200 of /readyz", "ms", Some(AtMost(300.0)), Measured),
    ];
    let mut figures = Vec::new();
    for (key, title, unit, goal, source) in rows {
        let rounds = match source {
            OfTutorial(..) if !with_tutorial => continue,
            Measured | OfTutorial(_, "") => samples.of(key).to_vec(),
            Quotient(of, to) | OfTutorial(of, to) => quotients(samples, of, to),
        };
        let spread = Spread::of(rounds).filter(|spread| spread.greatest() > 0.0).ok_or_else(|| {
            Error::unusable(
                format!("{key} was not measured"),
                "raise --seconds; this is a fault of the benchmark",
            )
        })?;
        figures.push(Figure { key, title: title.to_owned(), unit, spread, goal });
    }
    Ok(figures)
}
