//! Envoy's one worker thread: where it runs, and what it has cost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use xtask::error::Error;

/// A worker of an Envoy.
pub(super) struct Worker {
    process: u32,
    thread: u32,
}

/// CPU time so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    /// Of the worker thread.
    pub(super) worker: Duration,
    /// Of all threads of the process: V8 compiles and collects elsewhere.
    pub(super) process: Duration,
}

impl Worker {
    /// The first worker of this process.
    ///
    /// # Errors
    /// There is none, or this is not Linux.
    pub(super) fn of(process: u32) -> Result<Self, Error> {
        let thread = threads(process)?
            .into_iter()
            .find(|thread| {
                let name = fs::read_to_string(format!("/proc/{process}/task/{thread}/comm"));
                name.is_ok_and(|name| name.trim() == "wrk:worker_0")
            })
            .ok_or_else(|| Error::unusable("this Envoy has no worker thread", "run this on Linux"))?;
        Ok(Self { process, thread })
    }

    /// Leaves it the first core, and the calling thread the second one, where there are as many.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(super) fn pin(&self) -> Result<(), Error> {
        let alone = |core: usize| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        let thread = i32::try_from(self.thread).ok().and_then(Pid::from_raw);
        let pinned = |thread, core| {
            sched_setaffinity(thread, &alone(core))
                .map_err(|error| Error::io("cannot choose a core")(error.into()))
        };
        pinned(thread, 0)?;
        if crate::machine::cores() > 1 { pinned(None, 1) } else { Ok(()) }
    }

    /// # Errors
    /// The process is not there.
    pub(super) fn spent(&self) -> Result<Spent, Error> {
        let worker = on_cpu(self.process, self.thread)?;
        let others = threads(self.process)?;
        // One that has ended meanwhile is no error.
        let process = others.into_iter().filter_map(|thread| on_cpu(self.process, thread).ok()).sum();
        Ok(Spent { worker, process })
    }
}

fn threads(process: u32) -> Result<Vec<u32>, Error> {
    let folder = format!("/proc/{process}/task");
    let entries = fs::read_dir(&folder).map_err(Error::file("read", Path::new(&folder)))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// In nanoseconds, from the scheduler's own accounting.
fn on_cpu(process: u32, thread: u32) -> Result<Duration, Error> {
    let path = format!("/proc/{process}/task/{thread}/schedstat");
    let text = fs::read_to_string(&path).map_err(Error::file("read", Path::new(&path)))?;
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos
        .map(Duration::from_nanos)
        .ok_or_else(|| Error::unusable(format!("{path} says nothing"), "run this on Linux"))
}
