//! What the operating system knows of this process, by the names that Prometheus' own libraries use. Linux only.

use prometheus_client::registry::Registry;

#[cfg(not(target_os = "linux"))]
pub(super) fn register(_registry: &mut Registry) {}

#[cfg(target_os = "linux")]
pub(super) fn register(registry: &mut Registry) {
    use prometheus_client::metrics::counter::ConstCounter;
    use prometheus_client::metrics::gauge::ConstGauge;
    use prometheus_client::registry::Unit;

    let Some(process) = linux::Observed::now() else { return };
    registry.register_with_unit(
        "process_cpu",
        "Time of processors that the process took, user and system",
        Unit::Seconds,
        ConstCounter::new(process.cpu_seconds),
    );
    registry.register_with_unit(
        "process_resident_memory",
        "Memory that the process holds",
        Unit::Bytes,
        ConstGauge::new(process.resident_bytes),
    );
    registry.register(
        "process_open_fds",
        "File descriptors that are open",
        ConstGauge::new(process.open_fds),
    );
    registry.register_with_unit(
        "process_start_time",
        "When the process began, since the epoch",
        Unit::Seconds,
        ConstGauge::new(process.start_seconds),
    );
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::process::Process;
    use procfs::{ProcError, boot_time_secs, page_size, ticks_per_second};

    pub(super) struct Observed {
        pub(super) cpu_seconds: f64,
        pub(super) resident_bytes: i64,
        pub(super) open_fds: i64,
        pub(super) start_seconds: f64,
    }

    impl Observed {
        /// `None` where /proc is not there.
        pub(super) fn now() -> Option<Self> {
            Self::read().ok()
        }

        #[expect(clippy::cast_precision_loss, reason = "ticks since the boot are far below 2^53")]
        fn read() -> Result<Self, ProcError> {
            let process = Process::myself()?;
            let stat = process.stat()?;
            let seconds = |ticks: u64| ticks as f64 / ticks_per_second() as f64;
            let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            Ok(Self {
                cpu_seconds: seconds(stat.utime.saturating_add(stat.stime)),
                resident_bytes: signed(stat.rss.saturating_mul(page_size())),
                open_fds: signed(process.fd_count()?.try_into().unwrap_or(u64::MAX)),
                start_seconds: boot_time_secs()? as f64 + seconds(stat.starttime),
            })
        }
    }
}
