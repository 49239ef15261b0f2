//! Every hostcall, by the name under which a module imports it.

mod buffers;
mod call;
mod contexts;
mod foreign;
mod grpc;
mod headers;
mod http;
mod log;
mod metrics;
mod properties;
mod shared;
mod streams;
mod time;
mod wasi;

use wasmtime::{Caller, Engine, Linker, Module};

use crate::vm::VmState;
use call::{Call, Gate};

/// Writes the table down twice: as names, and as functions for the linker.
macro_rules! hostcalls {
    ($($module:literal, $gate:expr => { $($name:literal => $function:path [$($argument:ident: $type:ty),*];)* })*) => {
        const KNOWN: &[(&str, &str)] = &[$($(($module, $name),)*)*];

        /// A linker that knows all of them.
        pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<VmState>> {
            let mut linker = Linker::new(engine);
            $($(
                linker.func_wrap(
                    $module,
                    $name,
                    |caller: Caller<'_, VmState>, $($argument: $type),*| -> wasmtime::Result<u32> {
                        Call::run(caller, $gate, $name, |call| $function(call, $($argument),*))
                    },
                )?;
            )*)*
            // The only one that returns nothing.
            linker.func_wrap(
                "wasi_snapshot_preview1",
                "proc_exit",
                |caller: Caller<'_, VmState>, code: u32| -> wasmtime::Result<()> {
                    Call::run(caller, Gate::Wasi, "proc_exit", |call| wasi::proc_exit(call, code)).map(|_| ())
                },
            )?;
            Ok(linker)
        }
    };
}

hostcalls! {
    "env", Gate::Proxy => {
        "proxy_log" => log::log[level: u32, text: u32, size: u32];
        "proxy_get_log_level" => log::get_log_level[level: u32];
        "proxy_get_current_time_nanoseconds" => time::now[time: u32];
        "proxy_set_tick_period_milliseconds" => time::set_tick_period[period: u32];
        "proxy_get_header_map_pairs" => headers::get_pairs[map: u32, data: u32, size: u32];
        "proxy_set_header_map_pairs" => headers::set_pairs[map: u32, data: u32, size: u32];
        "proxy_get_header_map_value" => headers::get[map: u32, name: u32, name_size: u32, data: u32, size: u32];
        "proxy_add_header_map_value" => headers::add[map: u32, name: u32, name_size: u32, value: u32, value_size: u32];
        "proxy_replace_header_map_value" =>
            headers::replace[map: u32, name: u32, name_size: u32, value: u32, value_size: u32];
        "proxy_remove_header_map_value" => headers::remove[map: u32, name: u32, name_size: u32];
        "proxy_get_header_map_size" => headers::get_size[map: u32, size: u32];
        "proxy_get_buffer_bytes" => buffers::get[buffer: u32, start: u32, length: u32, data: u32, size: u32];
        "proxy_set_buffer_bytes" => buffers::set[buffer: u32, start: u32, length: u32, data: u32, size: u32];
        "proxy_get_buffer_status" => buffers::get_status[buffer: u32, length: u32, flags: u32];
        "proxy_send_local_response" => streams::send_local_response[
            status: u32, details: u32, details_size: u32, body: u32, body_size: u32,
            headers: u32, headers_size: u32, grpc_status: i32
        ];
        "proxy_continue_stream" => streams::continue_stream[stream: u32];
        "proxy_close_stream" => streams::close_stream[stream: u32];
        "proxy_http_call" => http::call[
            cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32,
            trailers: u32, trailers_size: u32, timeout_ms: u32, token: u32
        ];
        "proxy_get_shared_data" => shared::get_data[key: u32, key_size: u32, data: u32, size: u32, cas: u32];
        "proxy_set_shared_data" =>
            shared::set_data[key: u32, key_size: u32, value: u32, value_size: u32, cas: u32];
        "proxy_register_shared_queue" => shared::register_queue[name: u32, name_size: u32, token: u32];
        "proxy_resolve_shared_queue" =>
            shared::resolve_queue[vm_id: u32, vm_id_size: u32, name: u32, name_size: u32, token: u32];
        "proxy_enqueue_shared_queue" => shared::enqueue[token: u32, data: u32, size: u32];
        "proxy_dequeue_shared_queue" => shared::dequeue[token: u32, data: u32, size: u32];
        "proxy_define_metric" => metrics::define[kind: u32, name: u32, name_size: u32, metric: u32];
        "proxy_increment_metric" => metrics::increment[metric: u32, offset: i64];
        "proxy_record_metric" => metrics::record[metric: u32, value: u64];
        "proxy_get_metric" => metrics::get[metric: u32, value: u32];
        "proxy_get_property" => properties::get[path: u32, path_size: u32, data: u32, size: u32];
        "proxy_set_property" => properties::set[path: u32, path_size: u32, value: u32, value_size: u32];
        "proxy_call_foreign_function" => foreign::call_function[
            name: u32, name_size: u32, arguments: u32, arguments_size: u32, data: u32, size: u32
        ];
        "proxy_set_effective_context" => contexts::set_effective[context: u32];
        "proxy_done" => contexts::done[];
        "proxy_get_status" => contexts::get_status[code: u32, data: u32, size: u32];
        "proxy_grpc_call" => grpc::call[
            service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
            metadata: u32, metadata_size: u32, request: u32, request_size: u32, timeout_ms: u32, token: u32
        ];
        "proxy_grpc_stream" => grpc::stream[
            service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
            metadata: u32, metadata_size: u32, token: u32
        ];
        "proxy_grpc_send" => grpc::send[token: u32, message: u32, message_size: u32, end: u32];
        "proxy_grpc_close" => grpc::close[token: u32];
        "proxy_grpc_cancel" => grpc::cancel[token: u32];
    }
    "wasi_snapshot_preview1", Gate::Wasi => {
        "environ_sizes_get" => wasi::environ_sizes_get[count: u32, size: u32];
        "environ_get" => wasi::environ_get[variables: u32, buffer: u32];
        "args_sizes_get" => wasi::args_sizes_get[count: u32, size: u32];
        "args_get" => wasi::args_get[arguments: u32, buffer: u32];
        "random_get" => wasi::random_get[buffer: u32, size: u32];
        "clock_time_get" => wasi::clock_time_get[clock: u32, precision: u64, time: u32];
        "fd_write" => wasi::fd_write[fd: u32, vectors: u32, count: u32, written: u32];
        "fd_fdstat_get" => wasi::fd_fdstat_get[fd: u32, status: u32];
        "fd_close" => wasi::fd_close[fd: u32];
        "fd_seek" => wasi::fd_seek[fd: u32, offset: i64, whence: u32, position: u32];
    }
}

/// What a module imports that is in no row of the table. Envoy does not load such a module.
pub(crate) fn unknown_imports(module: &Module) -> Vec<String> {
    let is_known = |from: &str, name: &str| {
        KNOWN.contains(&(from, name)) || (from, name) == ("wasi_snapshot_preview1", "proc_exit")
    };
    let unknown = module.imports().filter(|import| !is_known(import.module(), import.name()));
    unknown.map(|import| format!("{}.{}", import.module(), import.name())).collect()
}
