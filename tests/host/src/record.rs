//! What a world noted: log lines, hostcalls.

use std::collections::VecDeque;

use crate::thread::Thread;

/// The oldest of more log lines than these are forgotten.
const MAX_LOG_LINES: usize = 10_000;
/// The same for hostcalls.
const MAX_HOSTCALLS: usize = 100_000;

/// A line of the proxy's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Whose VM said it; `None`: the host itself.
    pub thread: Option<Thread>,
    /// From 0, trace, to 5, critical.
    pub level: u32,
    /// The text.
    pub text: String,
}

/// One hostcall, to be counted by a test; what a test asserts are outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// As it is imported.
    pub name: &'static str,
    /// What it answered: a status of the ABI, or an `errno` of WASI.
    pub status: u32,
    /// The callback that made it.
    pub callback: &'static str,
    /// Whose VM.
    pub thread: Thread,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) log: VecDeque<LogLine>,
    /// `None`: not asked for.
    pub(crate) hostcalls: Option<VecDeque<HostCall>>,
}

impl Record {
    pub(crate) fn log(&mut self, line: LogLine) {
        if self.log.len() == MAX_LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    pub(crate) fn hostcall(&mut self, call: HostCall) {
        if let Some(calls) = &mut self.hostcalls {
            if calls.len() == MAX_HOSTCALLS {
                calls.pop_front();
            }
            calls.push_back(call);
        }
    }
}
