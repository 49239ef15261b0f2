//! Every hostcall, as the ABI 0.2.1 declares it: bytes only, every status a `Result`.
//!
//! The SDK's own calls panic on a status that they do not expect and on header values that are not UTF-8. One such
//! request would end the VM for all that follow.
#![allow(
    unsafe_code,
    reason = "the one place where the host is called; everything else in the workspace is safe"
)]

use std::panic::PanicHookInfo;

use crate::pairs;

/// A status other than `OK`, as the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostError(pub(crate) i32);

/// There is no such value.
pub(crate) const NOT_FOUND: i32 = 1;
/// The value was replaced meanwhile.
pub(crate) const CAS_MISMATCH: i32 = 8;

/// A header map, by its number in the ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeaderMap {
    Request = 0,
    RequestTrailers = 1,
    HttpCallResponse = 6,
}

/// A buffer, by its number in the ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Buffer {
    HttpCallResponseBody = 4,
    PluginConfiguration = 7,
}

/// A level of the log, by its number in the ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Critical = 5,
}

/// Writes a line into the proxy's log, which puts the names of plugin and VM before it. Never a token, a secret, or a
/// byte of a request.
pub(crate) fn log(level: Level, text: &str) {
    // A log that cannot be written must not decide about a request.
    let _ = status(unsafe { abi::proxy_log(level as i32, text.as_ptr(), text.len()) });
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> Result<u64, HostError> {
    now_ns().map(|nanoseconds| nanoseconds / 1_000_000)
}

/// Nanoseconds since the epoch.
pub(crate) fn now_ns() -> Result<u64, HostError> {
    let mut nanoseconds = 0_u64;
    status(unsafe { abi::proxy_get_current_time_nanoseconds(&raw mut nanoseconds) })?;
    Ok(nanoseconds)
}

/// Has `proxy_on_tick` called at this interval, on the current root context.
pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), HostError> {
    status(unsafe { abi::proxy_set_tick_period_milliseconds(milliseconds) })
}

/// A whole header map in the serialized form that [`pairs::decode`] reads.
pub(crate) fn header_pairs(map: HeaderMap) -> Result<Vec<u8>, HostError> {
    returned(|data, size| unsafe { abi::proxy_get_header_map_pairs(map as i32, data, size) })
}

/// Removes every value of a header.
pub(crate) fn remove_header(map: HeaderMap, name: &[u8]) -> Result<(), HostError> {
    status(unsafe { abi::proxy_remove_header_map_value(map as i32, name.as_ptr(), name.len()) })
}

/// Sets a header to one value.
pub(crate) fn set_header(map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError> {
    status(unsafe {
        abi::proxy_replace_header_map_value(
            map as i32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// One value more of a header.
pub(crate) fn add_header(map: HeaderMap, name: &str, value: &[u8]) -> Result<(), HostError> {
    status(unsafe {
        abi::proxy_add_header_map_value(map as i32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Leaves a value for the access log: `%FILTER_STATE(wasm.NAME:PLAIN)%` prints it.
pub(crate) fn set_property(name: &str, value: &str) -> Result<(), HostError> {
    status(unsafe { abi::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// At most `max` bytes of a buffer.
pub(crate) fn buffer(buffer: Buffer, max: usize) -> Result<Vec<u8>, HostError> {
    returned(|data, size| unsafe { abi::proxy_get_buffer_bytes(buffer as i32, 0, max, data, size) })
}

/// Answers the current stream. `headers` as [`pairs::encode`] writes them. `details` is what `%RESPONSE_CODE_DETAILS%` prints.
pub(crate) fn send_local_response(
    code: u16,
    details: &str,
    headers: &[u8],
    body: &[u8],
    grpc_status: Option<u32>,
) -> Result<(), HostError> {
    // -1: the client does not speak gRPC.
    let grpc_status = grpc_status.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
    status(unsafe {
        abi::proxy_send_local_response(
            u32::from(code),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

/// Lets the current stream's request go on that was held back.
pub(crate) fn continue_request() -> Result<(), HostError> {
    const HTTP_REQUEST: i32 = 0;
    status(unsafe { abi::proxy_continue_stream(HTTP_REQUEST) })
}

/// Has the hostcalls that follow in this callback be about another context of this VM.
pub(crate) fn set_effective_context(context_id: u32) -> Result<(), HostError> {
    status(unsafe { abi::proxy_set_effective_context(context_id) })
}

/// A kind of metric, by its number in the ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
}

/// The number, in this VM, of the metric with this name, which all VMs of the proxy share.
pub(crate) fn define_metric(kind: MetricKind, name: &str) -> Result<u32, HostError> {
    let mut metric = 0_u32;
    status(unsafe { abi::proxy_define_metric(kind as i32, name.as_ptr(), name.len(), &raw mut metric) })?;
    Ok(metric)
}

/// Adds to a counter.
pub(crate) fn increment_metric(metric: u32, by: i64) -> Result<(), HostError> {
    status(unsafe { abi::proxy_increment_metric(metric, by) })
}

/// Sets a gauge.
pub(crate) fn record_metric(metric: u32, value: u64) -> Result<(), HostError> {
    status(unsafe { abi::proxy_record_metric(metric, value) })
}

/// Sends a request without body to a cluster, on the current root context; the answer's token comes back.
pub(crate) fn http_call(cluster: &str, headers: &[(&str, &str)], timeout_ms: u32) -> Result<u32, HostError> {
    let headers = pairs::encode(headers);
    let trailers = pairs::encode(&[]);
    let mut token = 0_u32;
    status(unsafe {
        abi::proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            std::ptr::null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout_ms,
            &raw mut token,
        )
    })?;
    Ok(token)
}

/// A value that all VMs with our `vm_id` share: untrusted, whoever wrote it.
pub(crate) fn shared_data(key: &str) -> Result<Vec<u8>, HostError> {
    let mut cas = 0_u32;
    returned(|data, size| unsafe {
        abi::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)
    })
}

/// A shared value, and the number to replace it by.
pub(crate) fn shared_data_with_number(key: &str) -> Result<(Vec<u8>, u32), HostError> {
    let mut number = 0_u32;
    let value = returned(|data, size| unsafe {
        abi::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut number)
    })?;
    Ok((value, number))
}

/// Replaces the shared value that was read with this number, which is not 0. [`CAS_MISMATCH`]: it is another one by now.
pub(crate) fn replace_shared_data(key: &str, value: &[u8], number: u32) -> Result<(), HostError> {
    status(unsafe {
        abi::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), number)
    })
}

/// Writes a shared value, whatever was there (`cas = 0` is unconditional).
pub(crate) fn set_shared_data(key: &str, value: &[u8]) -> Result<(), HostError> {
    status(unsafe { abi::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), 0) })
}

/// What a function of the host's own makes of its arguments.
pub(crate) fn foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    returned(|data, size| unsafe {
        abi::proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

/// Logs where a panic was, not what it said: its text may hold bytes of a request. Then traps, right here: the standard
/// library would six calls deeper, and of the ten functions that Envoy 1.36 shows none would be ours.
fn log_panic(info: &PanicHookInfo<'_>) {
    match info.location() {
        Some(place) => log(Level::Critical, &format!("panic at {}:{}", place.file(), place.line())),
        None => log(Level::Critical, "panic"),
    }
    std::arch::wasm32::unreachable()
}

proxy_wasm::main! {{
    std::panic::set_hook(Box::new(log_panic));
    proxy_wasm::set_root_context(|context_id| Box::new(crate::root::Root::new(context_id)));
}}

/// `proxy_on_http_call_response`, under this name in the linked module and renamed by `cargo xtask build`: the SDK's
/// own traps on the answer of a call that it did not make itself.
#[unsafe(no_mangle)]
extern "C" fn bearward_on_http_call_response(
    context_id: u32,
    token: u32,
    headers: u32,
    body_size: u32,
    _trailers: u32,
) {
    // No headers: no answer came.
    crate::root::on_http_call_response(context_id, token, headers > 0, body_size as usize);
}

fn status(code: i32) -> Result<(), HostError> {
    if code == 0 { Ok(()) } else { Err(HostError(code)) }
}

/// Takes over memory that the host had allocated by `proxy_on_memory_allocate` and filled.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> i32) -> Result<Vec<u8>, HostError> {
    let mut data: *mut u8 = std::ptr::null_mut();
    let mut size = 0_usize;
    status(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the SDK's `proxy_on_memory_allocate` made `data` as a boxed slice of exactly `size` bytes, and the host
    // wrote all of them.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// The imports, each of which stands in ARCHITECTURE.md's table of hostcalls.
mod abi {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn proxy_log(level: i32, text: *const u8, size: usize) -> i32;
        pub(super) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> i32;
        pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> i32;
        pub(super) fn proxy_get_header_map_pairs(map: i32, data: *mut *mut u8, size: *mut usize) -> i32;
        pub(super) fn proxy_remove_header_map_value(map: i32, name: *const u8, size: usize) -> i32;
        pub(super) fn proxy_replace_header_map_value(
            map: i32,
            name: *const u8,
            name_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> i32;
        pub(super) fn proxy_add_header_map_value(
            map: i32,
            name: *const u8,
            name_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> i32;
        pub(super) fn proxy_set_property(
            path: *const u8,
            path_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> i32;
        pub(super) fn proxy_get_buffer_bytes(
            buffer: i32,
            start: usize,
            max: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> i32;
        pub(super) fn proxy_send_local_response(
            code: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc_status: i32,
        ) -> i32;
        pub(super) fn proxy_continue_stream(stream: i32) -> i32;
        pub(super) fn proxy_set_effective_context(context_id: u32) -> i32;
        pub(super) fn proxy_define_metric(kind: i32, name: *const u8, size: usize, metric: *mut u32) -> i32;
        pub(super) fn proxy_increment_metric(metric: u32, by: i64) -> i32;
        pub(super) fn proxy_record_metric(metric: u32, value: u64) -> i32;
        pub(super) fn proxy_http_call(
            cluster: *const u8,
            cluster_size: usize,
            headers: *const u8,
            headers_size: usize,
            body: *const u8,
            body_size: usize,
            trailers: *const u8,
            trailers_size: usize,
            timeout_ms: u32,
            token: *mut u32,
        ) -> i32;
        pub(super) fn proxy_get_shared_data(
            key: *const u8,
            key_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
            cas: *mut u32,
        ) -> i32;
        pub(super) fn proxy_set_shared_data(
            key: *const u8,
            key_size: usize,
            value: *const u8,
            value_size: usize,
            cas: u32,
        ) -> i32;
        pub(super) fn proxy_call_foreign_function(
            name: *const u8,
            name_size: usize,
            arguments: *const u8,
            arguments_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> i32;
    }
}
