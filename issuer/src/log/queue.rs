//! The lines between those who log and the one thread that writes.
//!
//! `tracing-appender` does almost this; but where its queue is full at the end of the process it says so on standard
//! output, which is what stands still then.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait for their reader before further ones are dropped: some seconds of a busy process.
pub(super) const MAX_WAITING_LINES: usize = 8192;
/// How long the lines that wait at the end are waited for.
const END: Duration = Duration::from_secs(1);
/// The pause between two attempts to reach a writer whose queue is full.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes lines and never waits: one for which there is no room is counted, and gone.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// The thread that writes. Dropped, it gives the lines that still wait a second.
pub(super) struct Writing {
    queue: SyncSender<Message>,
    finished: Receiver<()>,
}

enum Message {
    Line(Vec<u8>),
    End,
}

/// Begins to write.
///
/// # Errors
/// The operating system gives no thread.
pub(super) fn begin(mut writer: impl Write + Send + 'static) -> io::Result<(Lines, Writing)> {
    let (queue, messages) = sync_channel(MAX_WAITING_LINES);
    let (finish, finished) = sync_channel(1);
    let write = move || {
        for message in messages {
            match message {
                // There is nobody to tell.
                Message::Line(line) => drop(writer.write_all(&line)),
                Message::End => break,
            }
        }
        let _ = writer.flush();
        let _ = finish.send(());
    };
    thread::Builder::new().name("log".to_owned()).spawn(write)?;
    let lines = Lines { queue: queue.clone(), dropped: Arc::default() };
    Ok((lines, Writing { queue, finished }))
}

impl Lines {
    /// How many lines were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = &'l Self;

    fn make_writer(&'l self) -> Self::Writer {
        self
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let deadline = Instant::now() + END;
        while let Err(TrySendError::Full(_)) = self.queue.try_send(Message::End) {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(PAUSE);
        }
        let _ = self.finished.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}
