//! What a person sees while waiting.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::error::Error;

/// Tells a person what is being done and how long it took, on stderr; stdout is left to results.
#[derive(Debug)]
pub struct Report {
    audience: Audience,
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Person,
    Nobody,
}

impl Report {
    /// Prints every step: for verbs.
    pub fn printed() -> Report {
        Report { audience: Audience::Person, depth: 0 }
    }

    /// Says nothing: for tests, whose output is the harness's.
    pub fn silent() -> Report {
        Report { audience: Audience::Nobody, depth: 0 }
    }

    /// Announces `what`, does it, and says how long it took or that it failed.
    pub fn step<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut Report) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.line("==>", what);
        let begun = Instant::now();
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        let took = seconds(begun.elapsed());
        match &result {
            Ok(_) => self.line(" ok", &format!("{what} ({took})")),
            Err(Error::Interrupted) => self.line(" --", &format!("{what}: interrupted after {took}")),
            Err(_) => self.line("!!!", &format!("{what}: failed after {took}")),
        }
        result
    }

    /// One line about what was found or decided.
    pub fn note(&mut self, text: &str) {
        self.line("   ", text);
    }

    fn line(&mut self, mark: &str, text: &str) {
        if self.audience == Audience::Person {
            // A closed stderr is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{:indent$}{mark} {text}", "", indent = self.depth * 2);
        }
    }
}

/// A line of results, on stdout.
pub fn print(text: &str) {
    // A closed stdout is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A duration as people read it: `0.3 s`, `72 s`.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_hands_its_error_on() {
        let result: Result<(), Error> =
            Report::silent().step("try", |_| Err(Error::unusable("no such thing", "make one")));
        assert_eq!(result.unwrap_err().to_string(), "no such thing: make one");
    }

    #[test]
    fn short_times_keep_a_decimal_and_long_ones_do_not() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(72)), "72 s");
    }
}
