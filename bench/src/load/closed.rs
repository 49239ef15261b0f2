use std::thread;
use std::time::{Duration, Instant};

use xtask::error::Error;
use xtask::interrupt;

use super::{Client, Tally, connect};

/// Each client asks again as soon as it has an answer. After `duration` nothing new is asked and everything is still
/// awaited: so whoever reads CPU times before and after has the cost of whole requests.
///
/// `meanwhile` is told once all are connected, before the first request, and its value handed back: it reads the CPU times.
pub(crate) fn closed<C: Client, T>(
    clients: &mut [C],
    duration: Duration,
    before: impl FnOnce() -> Result<T, Error>,
) -> Result<(Tally, T), Error> {
    connect(clients)?;
    let before = before()?;
    let end = Instant::now() + duration;
    let tally = thread::scope(|scope| {
        let ask = |client| scope.spawn(move || until(end, client));
        let threads: Vec<_> = clients.iter_mut().map(ask).collect();
        let mut tally = Tally::default();
        threads.into_iter().filter_map(|thread| thread.join().ok()).for_each(|part| tally.add(part));
        tally
    });
    interrupt::check()?;
    Ok((tally, before))
}

fn until<C: Client>(end: Instant, client: &mut C) -> Tally {
    let mut tally = Tally::default();
    loop {
        let begun = Instant::now();
        if begun >= end || interrupt::check().is_err() {
            return tally;
        }
        let answer = client.request();
        let failed = answer.is_err();
        tally.record(begun.elapsed(), answer);
        if failed {
            return tally;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Counting {
        asked: u64,
        answers: u64,
    }

    impl Client for Counting {
        fn connect(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn request(&mut self) -> io::Result<u16> {
            self.asked += 1;
            thread::sleep(Duration::from_millis(1));
            if self.asked > self.answers { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(200) }
        }
    }

    #[test]
    fn every_request_that_was_begun_is_counted() {
        let mut clients = [1, 2, 3].map(|_| Counting { asked: 0, answers: u64::MAX });
        let (tally, ()) = closed(&mut clients, Duration::from_millis(20), || Ok(())).unwrap();
        let asked: u64 = clients.iter().map(|client| client.asked).sum();
        assert!(asked > 0 && tally.count(200) as u64 == asked, "{tally:?}");
    }

    #[test]
    fn a_client_without_answers_stops_and_is_told() {
        let mut clients = [Counting { asked: 0, answers: 2 }];
        let (tally, ()) = closed(&mut clients, Duration::from_secs(60), || Ok(())).unwrap();
        assert_eq!(
            (tally.count(200), tally.others(&[200])),
            (2, "1 x no answer (connection reset)".to_owned())
        );
    }
}
