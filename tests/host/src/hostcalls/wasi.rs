//! The few calls of WASI that Envoy answers. They return an `errno`.

use super::call::{Call, Done, Refusal};

const EBADF: u32 = 8;
const EFAULT: u32 = 21;
const EINVAL: u32 = 28;
const ENOTSUP: u32 = 58;

/// More random bytes than this are not given at once.
const MAX_RANDOM: u32 = 64 * 1024;
/// The rights that a standard stream says it has: writing.
const RIGHT_FD_WRITE: u64 = 64;

pub(super) fn environ_sizes_get(call: &mut Call<'_>, count: u32, size: u32) -> Done {
    let variables = variables(call);
    let bytes: usize = variables.iter().map(Vec::len).sum();
    fault(call.write_u32(count, number(variables.len())))?;
    fault(call.write_u32(size, number(bytes)))
}

pub(super) fn environ_get(call: &mut Call<'_>, mut list: u32, mut buffer: u32) -> Done {
    for variable in variables(call) {
        fault(call.write_u32(list, buffer))?;
        fault(call.write(buffer, &variable))?;
        list = list.wrapping_add(4);
        buffer = buffer.wrapping_add(number(variable.len()));
    }
    Ok(())
}

pub(super) fn args_sizes_get(call: &mut Call<'_>, count: u32, size: u32) -> Done {
    fault(call.write_u32(count, 0))?;
    fault(call.write_u32(size, 0))
}

pub(super) fn args_get(_: &mut Call<'_>, _arguments: u32, _buffer: u32) -> Done {
    Ok(())
}

/// The same bytes in the same world, so that a test can be repeated.
pub(super) fn random_get(call: &mut Call<'_>, buffer: u32, size: u32) -> Done {
    if size > MAX_RANDOM {
        return Err(Refusal::Code(EINVAL));
    }
    let state = &mut call.state_mut().random;
    let bytes: Vec<u8> = (0..size).map(|_| splitmix(state).to_le_bytes()[0]).collect();
    fault(call.write(buffer, &bytes))
}

/// Wall clock and monotonic clock are one here.
pub(super) fn clock_time_get(call: &mut Call<'_>, clock: u32, _precision: u64, time: u32) -> Done {
    if clock > 1 {
        return Err(Refusal::Code(ENOTSUP));
    }
    let now = call.state().shared.borrow().now_ns;
    fault(call.write_u64(time, now))
}

/// Standard output and standard error go to the log, as info and error.
pub(super) fn fd_write(call: &mut Call<'_>, fd: u32, vectors: u32, count: u32, written: u32) -> Done {
    let level = match fd {
        1 => 2,
        2 => 4,
        _ => return Err(Refusal::Code(EBADF)),
    };
    let mut bytes = Vec::new();
    for index in 0..count {
        let vector = vectors.wrapping_add(index.wrapping_mul(8));
        let address = fault(call.read_u32(vector))?;
        let size = fault(call.read_u32(vector.wrapping_add(4)))?;
        bytes.extend(fault(call.read(address, size))?);
    }
    if !bytes.is_empty() {
        let text = String::from_utf8_lossy(&bytes);
        call.write_log(level, text.strip_suffix('\n').unwrap_or(&text).to_owned());
    }
    fault(call.write_u32(written, number(bytes.len())))
}

pub(super) fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, status: u32) -> Done {
    if fd != 1 && fd != 2 {
        return Err(Refusal::Code(EBADF));
    }
    let fields = [0, RIGHT_FD_WRITE, 0].map(u64::to_le_bytes);
    fault(call.write(status, fields.as_flattened()))
}

pub(super) fn fd_close(_: &mut Call<'_>, _fd: u32) -> Done {
    Ok(())
}

pub(super) fn fd_seek(_: &mut Call<'_>, _fd: u32, _offset: i64, _whence: u32, _position: u32) -> Done {
    Ok(())
}

/// Envoy notes it and returns: the module goes on, as a rule into a trap.
pub(super) fn proc_exit(call: &mut Call<'_>, code: u32) -> Done {
    call.host_log(4, &format!("wasi_unstable proc_exit: {code}"));
    Ok(())
}

/// `NAME=value` with the zero byte at its end.
fn variables(call: &Call<'_>) -> Vec<Vec<u8>> {
    let environment = &call.state().configuration.environment;
    environment.iter().map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect()
}

fn fault<T>(result: Result<T, crate::status::Status>) -> Result<T, Refusal> {
    result.map_err(|_| Refusal::Code(EFAULT))
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// A step of SplitMix64.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
