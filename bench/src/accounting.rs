//! What processes cost: CPU time and memory, as the kernel counts them (`man 5 proc`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use xtask::error::Error;

/// Whose CPU time is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Processes {
    /// One process with all its threads.
    One(u32),
    /// One with all that descends from it, also what has ended meanwhile: PostgreSQL has a process for each connection.
    Tree(u32),
}

impl Processes {
    /// The CPU time so far, in user and kernel mode: exact for processes of one thread where the kernel tells it, else in
    /// steps of a clock tick (10 ms).
    ///
    /// # Errors
    /// The process is not there.
    pub(crate) fn cpu(self) -> Result<Duration, Error> {
        match self {
            Self::One(id) => Ok(stat(id)?.own),
            Self::Tree(id) => tree(id),
        }
    }
}

/// The memory that a process holds of the machine, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// At the moment (`VmRSS`).
    pub(crate) resident: u64,
    /// At most since its start (`VmHWM`).
    pub(crate) peak: u64,
}

/// # Errors
/// The process is not there.
pub(crate) fn memory(id: u32) -> Result<Memory, Error> {
    let path = format!("/proc/{id}/status");
    let text = read(&path)?;
    let field = |name: &str| {
        let kib = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).map(|kib| kib * 1024).ok_or_else(|| malformed(&path))
    };
    Ok(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
}

/// What `/proc/ID/stat` says.
struct Stat {
    parent: u32,
    threads: u64,
    own: Duration,
    /// Of children that have ended and were waited for, and of theirs.
    ended_children: Duration,
}

fn stat(id: u32) -> Result<Stat, Error> {
    let path = format!("/proc/{id}/stat");
    let mut stat = parse(&read(&path)?).ok_or_else(|| malformed(&path))?;
    // Exact, but of the first thread alone. PostgreSQL has many processes, and so as many times the error of a tick.
    if stat.threads == 1 {
        let exact = fs::read_to_string(format!("/proc/{id}/schedstat")).ok();
        let nanos = exact.and_then(|text| text.split(' ').next()?.parse().ok());
        stat.own = nanos.filter(|nanos| *nanos > 0).map_or(stat.own, Duration::from_nanos);
    }
    Ok(stat)
}

fn parse(text: &str) -> Option<Stat> {
    // The second field, the program's name in parentheses, may hold anything; the third follows the last one.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| fields.get(place - 3)?.parse::<u64>().ok();
    let time = |first: usize| {
        let ticks = number(first)? + number(first + 1)?;
        Some(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
    };
    let parent = u32::try_from(number(4)?).ok()?;
    Some(Stat { parent, threads: number(20)?, own: time(14)?, ended_children: time(16)? })
}

fn tree(root: u32) -> Result<Duration, Error> {
    // The root first: it counts who ended, and whoever ends after this was still there to be counted.
    let first = stat(root)?;
    let mut processes = BTreeMap::new();
    for entry in fs::read_dir("/proc").map_err(Error::file("read", Path::new("/proc")))?.flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // One that has ended since the folder was read is no error.
        if let Some((id, stat)) = id.and_then(|id| Some((id, stat(id).ok()?))) {
            processes.insert(id, stat);
        }
    }
    processes.insert(root, first);
    let mut counted = BTreeSet::from([root]);
    loop {
        let before = counted.len();
        let more = processes.iter().filter(|(_, stat)| counted.contains(&stat.parent)).map(|(id, _)| *id);
        counted.extend(more.collect::<Vec<_>>());
        if counted.len() == before {
            break;
        }
    }
    let of = |id| processes.get(id).map(|stat| stat.own + stat.ended_children).unwrap_or_default();
    Ok(counted.iter().map(of).sum())
}

fn read(path: &str) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file("read", Path::new(path)))
}

fn malformed(path: &str) -> Error {
    Error::unusable(format!("{path} does not say what it says on Linux"), "run this on Linux")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    #[test]
    fn fields_are_counted_from_behind_the_name_whatever_that_holds() {
        let text = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 100 50 30 20 20 0 3 0 5 0 0\n";
        let stat = parse(text).unwrap();
        let ticks = |n: u64| Duration::from_secs_f64(n as f64 / clock_ticks_per_second() as f64);
        assert_eq!((stat.parent, stat.threads), (1, 3));
        assert_eq!((stat.own, stat.ended_children), (ticks(150), ticks(50)));
        assert!(parse("7 (a").is_none());
    }

    #[test]
    fn work_is_counted_where_it_is_done_and_in_the_tree_above_also_after_its_end() {
        let own = std::process::id();
        let before = (Processes::One(own).cpu().unwrap(), Processes::Tree(own).cpu().unwrap());
        let begun = Instant::now();
        // A shell's loop counts as its own time until it has ended, and then as its parent's.
        let mut child = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; read line"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // Whole ticks, in which it is counted once it has ended; one is lost in rounding.
        let busy = Duration::from_millis(100);
        let counted = busy - Duration::from_millis(10);
        while Processes::One(child.id()).cpu().unwrap() < busy {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        assert!(Processes::Tree(own).cpu().unwrap() >= before.1 + busy);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(Processes::Tree(own).cpu().unwrap() >= before.1 + counted);
        assert!(Processes::One(own).cpu().unwrap() >= before.0);
    }

    #[test]
    fn the_peak_of_memory_is_no_less_than_what_is_held() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.peak >= memory.resident && memory.resident > 100 * 1024, "{memory:?}");
    }
}
