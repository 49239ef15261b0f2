//! Ctrl-C and SIGTERM.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// The exit status of an errand that a signal ended: 128 + SIGINT, as shells have it.
pub const EXIT_STATUS: u8 = 130;

/// From now on Ctrl-C, SIGTERM and a closed terminal end the errand in order: every wait returns
/// [`Error::Interrupted`] and destructors end the children. A second signal ends it at once; the watchdog then
/// does the rest.
pub fn listen() -> Result<(), Error> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let refused = || Error::io("cannot install a signal handler");
        flag::register_conditional_shutdown(signal, i32::from(EXIT_STATUS), Arc::clone(&REQUESTED))
            .map_err(refused())?;
        flag::register(signal, Arc::clone(&REQUESTED)).map_err(refused())?;
    }
    Ok(())
}

/// [`Error::Interrupted`] once a signal has come.
pub fn check() -> Result<(), Error> {
    if REQUESTED.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
}

/// Sleeps, but not through a signal.
pub fn pause(duration: Duration) -> Result<(), Error> {
    const SLICE: Duration = Duration::from_millis(20);
    let end = Instant::now() + duration;
    loop {
        check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        sleep(left.min(SLICE));
    }
}
