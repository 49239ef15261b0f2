use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::interrupt;

use super::{Client, Tally};
use crate::statistics::Latencies;

/// When requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    pub(crate) duration: Duration,
    /// Whether these threads come before all others that wait for a core, so that a latency is that of what is asked and
    /// not that of who asks. It is asked for, and where the system refuses not had.
    pub(crate) urgent: bool,
}

/// What became of them.
#[derive(Debug)]
pub(crate) struct Paced {
    /// Latencies are counted from when a request should have been sent: one that had to wait for a client that was still
    /// busy, behind a slow answer, has waited.
    pub(crate) tally: Tally,
    /// How much later than it should each was sent.
    pub(crate) lateness: Latencies,
    /// How many were sent a second.
    pub(crate) per_second: f64,
}

/// Nice values (`man 7 sched`) of urgent threads.
const URGENT: i32 = -10;

/// Whichever client is free sends the next request at its time. More clients than are ever busy at once keep the pace. They
/// are connected already, for connecting many takes its time.
pub(crate) fn open<C: Client>(clients: &mut [C], pace: Pace) -> Result<Paced, Error> {
    let begin = Instant::now();
    let next = AtomicU64::new(0);
    let parts: Vec<(Tally, Vec<Duration>)> = thread::scope(|scope| {
        let ask = |client| scope.spawn(|| one_after_another(client, pace, begin, &next));
        let threads: Vec<_> = clients.iter_mut().map(ask).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    interrupt::check()?;
    let (mut tally, mut lateness) = (Tally::default(), Latencies::new()?);
    for (answers, late) in parts {
        tally.add(answers);
        late.into_iter().for_each(|late| lateness.record(late));
    }
    let per_second = lateness.count() as f64 / pace.duration.as_secs_f64();
    Ok(Paced { tally, lateness, per_second })
}

fn one_after_another<C: Client>(
    client: &mut C,
    pace: Pace,
    begin: Instant,
    next: &AtomicU64,
) -> (Tally, Vec<Duration>) {
    if pace.urgent {
        // Of this thread alone. Without the right to it the lateness says how urgent it was.
        let _ = rustix::process::setpriority_process(None, URGENT);
    }
    let (mut tally, mut lateness) = (Tally::default(), Vec::new());
    loop {
        let due = Duration::from_secs_f64(next.fetch_add(1, Ordering::Relaxed) as f64 / pace.per_second);
        // Those that nobody was free for before the end are not sent any more: the pace that was kept says so.
        if due >= pace.duration || begin.elapsed() >= pace.duration || interrupt::check().is_err() {
            return (tally, lateness);
        }
        let due = begin + due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        lateness.push(due.elapsed());
        let answer = client.request();
        tally.record(due.elapsed(), answer);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Slow(Duration);

    impl Client for Slow {
        fn connect(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn request(&mut self) -> io::Result<u16> {
            thread::sleep(self.0);
            Ok(200)
        }
    }

    fn pace(per_second: f64, millis: u64) -> Pace {
        Pace { per_second, duration: Duration::from_millis(millis), urgent: false }
    }

    #[test]
    fn requests_are_sent_by_the_clock_whatever_is_still_unanswered() {
        let mut clients: Vec<Slow> = (0..20).map(|_| Slow(Duration::from_millis(50))).collect();
        let paced = open(&mut clients, pace(100.0, 100)).unwrap();
        // One client alone would have sent two; on a busy machine the last ones may come too late.
        assert!((4..=10).contains(&paced.tally.count(200)), "{paced:?}");
    }

    #[test]
    fn who_waits_behind_a_slow_answer_has_waited() {
        let paced = open(&mut [Slow(Duration::from_millis(30))], pace(100.0, 100)).unwrap();
        // The second should have been sent at 10 ms, was at 30 or later, and answered 30 ms after that.
        let latencies = paced.tally.latencies(200).unwrap();
        assert!(latencies.quantile_ms(1.0) >= 49.0, "{}", latencies.quantile_ms(1.0));
        assert!(paced.lateness.quantile_ms(1.0) >= 19.0, "{}", paced.lateness.quantile_ms(1.0));
        assert!(paced.per_second < 100.0);
    }
}
