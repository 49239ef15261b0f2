//! Who runs on which core.

use xtask::error::Error;

/// The cores that this process may use, by their numbers.
#[cfg(target_os = "linux")]
pub(super) fn usable() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}

/// Elsewhere than on Linux nothing is pinned.
#[cfg(not(target_os = "linux"))]
pub(super) fn usable() -> Vec<usize> {
    Vec::new()
}

/// Keeps a thread, or the one that calls this, on one core.
///
/// # Errors
/// The kernel does not allow it.
#[cfg(target_os = "linux")]
pub(super) fn pin(thread: Option<u32>, core: usize) -> Result<(), Error> {
    use rustix::thread::{CpuSet, Pid, sched_setaffinity};
    let id = thread.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut set = CpuSet::new();
    set.set(core);
    match sched_setaffinity(id, &set) {
        // One that has ended meanwhile.
        Err(rustix::io::Errno::SRCH) if thread.is_some() => Ok(()),
        result => {
            result.map_err(|error| Error::io(format!("cannot pin a thread to core {core}"))(error.into()))
        }
    }
}

/// Elsewhere than on Linux nothing is pinned.
#[cfg(not(target_os = "linux"))]
pub(super) fn pin(_: Option<u32>, _: usize) -> Result<(), Error> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_pinned_may_use_that_core_alone() {
        let core = *usable().last().unwrap();
        let pinned = std::thread::spawn(move || {
            pin(None, core).unwrap();
            usable()
        });
        assert_eq!(pinned.join().unwrap(), [core]);
    }
}
