//! The priority of hashes.

/// How much lower than everything else: with a tenth of the weight (`man 7 sched`). They are the only work that keeps a core
/// for long, so whatever else there is to do comes first, and what is left of the machine is theirs.
#[cfg(target_os = "linux")]
const GIVEN_WAY: i32 = 10;

/// From now on this thread, one of those that hash, waits where any other of ours has something to do. Where the system
/// refuses that, hashes are computed all the same.
///
/// Only where a priority is that of a thread; elsewhere it is that of the process.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    use std::cell::Cell;

    thread_local! {
        static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
    }
    if !GIVES_WAY.replace(true) {
        let _ = rustix::process::nice(GIVEN_WAY);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}
