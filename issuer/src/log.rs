//! Structured logs: JSON lines for machines, text for a terminal.
//!
//! What is never logged: passwords, their hashes, tokens, e-mail addresses, names, raw paths.
//!
//! Whoever reads the log must not be able to stop the process: a line that cannot be written is lost, and nothing
//! here panics or waits for a write.

mod queue;

use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use tracing::{Subscriber, error, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::LogSettings;

use queue::{Lines, Writing};

/// How often it is looked whether lines were dropped.
const LOOK: Duration = Duration::from_secs(10);
/// How long the end of the process waits for its last word to be read.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The log while it is written. Dropped, it gives the lines that still wait a second.
pub(crate) struct Log {
    lines: Lines,
    _writing: Writing,
}

/// The lines of this process, once it logs.
static LINES: OnceLock<Lines> = OnceLock::new();

/// How many lines were dropped so far because nobody read them.
pub(crate) fn dropped() -> u64 {
    LINES.get().map_or(0, Lines::dropped)
}

/// Begins to log to standard output, panics included.
///
/// # Errors
/// The operating system gives no thread.
pub(crate) fn begin(settings: &LogSettings) -> io::Result<Log> {
    let (lines, writing) = queue::begin(stdout())?;
    // Fails only where a log has begun already; that one goes on then.
    let _ =
        tracing::subscriber::set_global_default(subscriber(settings, stdout().is_terminal(), lines.clone()));
    let _ = LINES.set(lines.clone());
    // The default hook writes a message of its own shape, and could print what a panic carries; the place suffices.
    // A panic in here would abort the process: nothing below writes to anything but the queue.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(%place, "a task panicked; this is a fault of the issuer");
    }));
    Ok(Log { lines, _writing: writing })
}

impl Log {
    /// Says from time to time how many lines were dropped since it was said last. Never ends.
    pub(crate) async fn tell_losses<T>(&self) -> T {
        let mut told = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            let dropped = self.lines.dropped();
            if dropped > told {
                warn!(lines = dropped - told, "the log was not read fast enough and lines were dropped");
                told = dropped;
            }
        }
    }
}

/// Says on standard error why the process ends. Does not wait long for whoever should read it.
pub(crate) fn last_word(text: String) {
    let (done, told) = mpsc::channel();
    let tell = move || {
        let _ = writeln!(stderr(), "{text}");
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(tell).is_ok() {
        let _ = told.recv_timeout(LAST_WORD);
    }
}

fn subscriber(settings: &LogSettings, terminal: bool, lines: Lines) -> Box<dyn Subscriber + Send + Sync> {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Otherwise a line that fails is told with `eprintln!`, which panics where standard error is gone, too.
    let lines = fmt().with_env_filter(filter).log_internal_errors(false).with_writer(lines);
    if settings.json.unwrap_or(!terminal) {
        Box::new(lines.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
    } else {
        Box::new(lines.with_ansi(terminal).finish())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use std::sync::LazyLock;
    use tracing::Dispatch;
    use tracing::subscriber::DefaultGuard;

    /// What this thread logs, read by a test.
    pub(crate) struct Recording {
        reader: io::PipeReader,
        writing: Writing,
        _guard: DefaultGuard,
    }

    /// Never used, but there. While there is one subscriber alone, tracing asks the thread that comes to an event first
    /// whether it is wanted, and keeps the answer for all: a test that records nothing would silence one that does.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

    impl Recording {
        pub(crate) fn begin() -> Self {
            LazyLock::force(&ANOTHER);
            let (reader, writer) = io::pipe().unwrap();
            let (lines, writing) = queue::begin(writer).unwrap();
            let settings = LogSettings { filter: "info".to_owned(), json: Some(true) };
            let _guard = tracing::subscriber::set_default(subscriber(&settings, false, lines));
            Self { reader, writing, _guard }
        }

        pub(crate) fn lines(self) -> Vec<String> {
            drop(self.writing);
            io::read_to_string(self.reader).unwrap().lines().map(str::to_owned).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, pipe};
    use std::time::Instant;
    use tracing::info;
    use tracing::subscriber::with_default;

    /// Logs to a pipe.
    fn logging<T>(reader: impl FnOnce(PipeReader) -> T, log: impl FnOnce()) -> (T, u64) {
        let (read, write) = pipe().unwrap();
        let reader = reader(read);
        let (lines, writing) = queue::begin(write).unwrap();
        let settings = LogSettings { filter: "info".to_owned(), json: Some(true) };
        with_default(subscriber(&settings, false, lines.clone()), log);
        drop(writing);
        (reader, lines.dropped())
    }

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_little_time() {
        let begin = Instant::now();
        let (_reader, dropped) = logging(
            |reader| reader,
            || {
                for number in 0..2 * queue::MAX_WAITING_LINES {
                    info!(number, "nobody reads this");
                }
            },
        );
        assert!(dropped > 0);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_reader_that_is_gone_does_not_end_the_process() {
        logging(drop, || (0..100).for_each(|number| info!(number, "nobody reads this")));
    }

    #[test]
    fn lines_that_wait_at_the_end_are_written() {
        let (reader, dropped) = logging(|reader| reader, || info!("the last line"));
        let text = io::read_to_string(reader).unwrap();
        assert!(text.contains(r#""message":"the last line""#), "{text}");
        assert_eq!(dropped, 0);
    }
}
