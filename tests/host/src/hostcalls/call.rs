//! A hostcall under way: who makes it, whether he may, and his memory.

use wasmtime::{Caller, Memory};

use crate::headers::Headers;
use crate::record::{HostCall, LogLine};
use crate::status::Status;
use crate::vm::VmState;

/// WASI's "not capable": what its restricted calls answer.
const ERRNO_NOTCAPABLE: u32 = 76;

/// The hostcalls that may be made while a module starts: Envoy traps all others then.
const WHILE_STARTING: [&str; 10] = [
    "proxy_log",
    "fd_write",
    "args_sizes_get",
    "args_get",
    "environ_sizes_get",
    "environ_get",
    "clock_time_get",
    "random_get",
    "fd_prestat_get",
    "fd_prestat_dir_name",
];

/// Which family a hostcall belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Proxy,
    Wasi,
}

/// Why a hostcall does not end with "done".
#[derive(Debug)]
pub(super) enum Refusal {
    /// A status of the ABI, or an `errno` of WASI.
    Code(u32),
    /// The module traps.
    Trap(wasmtime::Error),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Code(status.code())
    }
}

/// What a hostcall ends with.
pub(super) type Done = Result<(), Refusal>;

/// The caller of a hostcall.
pub(super) struct Call<'c> {
    caller: Caller<'c, VmState>,
}

impl<'c> Call<'c> {
    /// Makes a hostcall, unless it may not be made now, is restricted, or is to fail.
    pub(super) fn run(
        caller: Caller<'c, VmState>,
        gate: Gate,
        name: &'static str,
        hostcall: impl FnOnce(&mut Self) -> Done,
    ) -> wasmtime::Result<u32> {
        let mut call = Call { caller };
        if call.state().starting && !WHILE_STARTING.contains(&name) {
            return Err(wasmtime::Error::msg(format!("restricted_callback: {name} while the module starts")));
        }
        let done = if call.state().configuration.allows(name) {
            let fault = call.state().shared.borrow_mut().faults.count(name);
            fault.map_or_else(|| hostcall(&mut call), |status| Err(Refusal::Code(status)))
        } else {
            call.host_log(4, &format!("Attempted call to restricted capability: {name}"));
            Err(match gate {
                Gate::Proxy => Status::InternalFailure.into(),
                Gate::Wasi => Refusal::Code(ERRNO_NOTCAPABLE),
            })
        };
        let status = match done {
            Ok(()) => 0,
            Err(Refusal::Code(status)) => status,
            Err(Refusal::Trap(error)) => return Err(error),
        };
        let state = call.state();
        let made = HostCall { name, status, callback: state.callback, thread: state.thread };
        state.shared.borrow_mut().record.hostcall(made);
        Ok(status)
    }

    pub(super) fn state(&self) -> &VmState {
        self.caller.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut VmState {
        self.caller.data_mut()
    }

    /// The context that this is about.
    pub(super) fn context(&self) -> u32 {
        self.state().about()
    }

    /// The root context of the one that this is about.
    pub(super) fn root_context(&self) -> u32 {
        self.state().root_of(self.context())
    }

    /// A line of the host itself.
    pub(super) fn host_log(&self, level: u32, text: &str) {
        self.write_log(level, text.to_owned());
    }

    pub(super) fn write_log(&self, level: u32, text: String) {
        let state = self.state();
        state.shared.borrow_mut().record.log(LogLine { thread: Some(state.thread), level, text });
    }

    pub(super) fn read(&self, address: u32, size: u32) -> Result<Vec<u8>, Status> {
        let (address, size) = (index(address), index(size));
        let end = address.checked_add(size).ok_or(Status::InvalidMemoryAccess)?;
        let memory = self.memory()?.data(&self.caller);
        Ok(memory.get(address..end).ok_or(Status::InvalidMemoryAccess)?.to_vec())
    }

    pub(super) fn read_u32(&self, address: u32) -> Result<u32, Status> {
        let bytes = self.read(address, 4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| Status::InvalidMemoryAccess)
    }

    pub(super) fn read_text(&self, address: u32, size: u32) -> Result<String, Status> {
        Ok(String::from_utf8_lossy(&self.read(address, size)?).into_owned())
    }

    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Status> {
        let memory = self.memory()?;
        memory.write(&mut self.caller, index(address), bytes).map_err(|_| Status::InvalidMemoryAccess)
    }

    pub(super) fn write_u32(&mut self, address: u32, number: u32) -> Result<(), Status> {
        self.write(address, &number.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, address: u32, number: u64) -> Result<(), Status> {
        self.write(address, &number.to_le_bytes())
    }

    /// Has the module allocate memory, fills it, and writes down where it is. No bytes are address 0.
    pub(super) fn give(&mut self, bytes: &[u8], data: u32, size: u32) -> Done {
        let length = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let address = if length == 0 { 0 } else { self.allocate(length)? };
        self.write(address, bytes)?;
        self.write_u32(data, address)?;
        self.write_u32(size, length)?;
        Ok(())
    }

    pub(super) fn give_headers(&mut self, headers: &Headers, data: u32, size: u32) -> Done {
        self.give(&crate::headers::encode(headers), data, size)
    }

    /// Memory of the module, from the module. While it allocates, hostcalls are about the VM's own context.
    pub(super) fn allocate(&mut self, size: u32) -> Result<u32, Refusal> {
        let allocate = self.state().allocate.clone().ok_or(Status::InvalidMemoryAccess)?;
        let state = self.state_mut();
        let before = (std::mem::take(&mut state.current), std::mem::take(&mut state.effective));
        let address = allocate.call(&mut self.caller, size).map_err(Refusal::Trap)?;
        let state = self.state_mut();
        (state.current, state.effective) = before;
        if address == 0 { Err(Status::InvalidMemoryAccess.into()) } else { Ok(address) }
    }

    fn memory(&self) -> Result<Memory, Status> {
        self.state().memory.ok_or(Status::InvalidMemoryAccess)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
