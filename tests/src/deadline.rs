//! Waiting for an outcome, never for a time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything that comes by itself may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked.
const POLL: Duration = Duration::from_millis(20);

/// Asks `probe` until it has an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub fn eventually<T>(awaited: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{awaited} did not come within {} s", PATIENCE.as_secs());
        sleep(POLL);
    }
}
