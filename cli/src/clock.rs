//! Times, as people write and read them (RFC 3339), and as tokens do: seconds since the epoch.

use std::time::SystemTime;

use jiff::Timestamp;

/// Reads seconds since the epoch, or RFC 3339.
///
/// # Errors
/// How to write it.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time: Timestamp = text
        .parse()
        .map_err(|_| "write it as 2026-11-26T09:00:00Z, or in seconds since the epoch".to_owned())?;
    u64::try_from(time.as_second()).map_err(|_| "must not be before 1970".to_owned())
}

/// The time now.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// As RFC 3339 in UTC; as a number where no calendar goes so far.
pub(crate) fn shown(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

/// The same, and how far off it is from `now`.
pub(crate) fn shown_from(seconds: u64, now: u64) -> String {
    let apart = seconds.abs_diff(now);
    let (count, unit) = match apart {
        0..120 => (apart, "s"),
        120..7_200 => (apart / 60, "min"),
        7_200..172_800 => (apart / 3_600, "h"),
        _ => (apart / 86_400, "days"),
    };
    let shown = shown(seconds);
    if seconds > now { format!("{shown}, in {count} {unit}") } else { format!("{shown}, {count} {unit} ago") }
}
