//! Starting: which VMs, which callbacks, which buffers.

use super::super::script::Argument::{Number, Out, OutBytes};
use super::super::script::{Scenario, Step, bytes, scenario, step};

pub(super) fn all() -> Vec<Scenario> {
    vec![buffers(), environment()]
}

/// `start` and `length` around the end of a configuration of 13 bytes.
fn reads(buffer: i32) -> Vec<Step> {
    let read = |name, start, length| {
        step(name, "proxy_get_buffer_bytes", vec![Number(buffer), Number(start), Number(length), OutBytes])
    };
    vec![
        read("all", 0, 13),
        read("part", 3, 4),
        read("more than all", 0, 100),
        read("the end and more", 10, 100),
        read("nothing", 0, 0),
        read("at the end", 13, 5),
        read("beyond the end", 14, 5),
        read("overflow", 1, -1),
        step("size", "proxy_get_buffer_status", vec![Number(buffer), Out("length"), Out("flags")]),
    ]
}

fn buffers() -> Scenario {
    let other = |buffer| {
        step("another buffer", "proxy_get_buffer_bytes", vec![Number(buffer), Number(0), Number(4), OutBytes])
    };
    Scenario {
        configuration: "plugin config",
        vm_configuration: "vm_config_abc",
        ..scenario("configuration")
    }
    .on("proxy_on_context_create", reads(7))
    .on("proxy_on_vm_start", [reads(6), reads(7)].into_iter().flatten().collect())
    .on(
        "proxy_on_configure",
        [reads(7), reads(6), (0..8).chain(9..12).map(other).collect()].into_iter().flatten().collect(),
    )
    .on("proxy_on_done", vec![])
    .on("proxy_on_delete", vec![])
}

fn environment() -> Scenario {
    let out = |name| vec![Out(name), Out("size")];
    Scenario { environment: vec![("NAME", "value")], ..scenario("environment") }.on(
        "proxy_on_configure",
        vec![
            step("sizes", "environ_sizes_get", out("count")),
            step("arguments", "args_sizes_get", out("count")),
            step("environment", "environ_get", vec![Out("first"), Number(0x3f000)]),
            step("random, too much", "random_get", vec![Number(0x3f000), Number(0x10001)]),
            step("random", "random_get", vec![Number(0x3f000), Number(4)]),
            step("random, nowhere", "random_get", vec![Number(-8), Number(4)]),
            step("write to nowhere", "fd_write", vec![Number(7), Number(0), Number(0), Out("written")]),
            step("write nothing", "fd_write", vec![Number(1), Number(0), Number(0), Out("written")]),
            step("level", "proxy_get_log_level", vec![Out("level")]),
            step("log too high", "proxy_log", vec![Number(6), Number(0), Number(0)]),
            step("log from nowhere", "proxy_log", vec![Number(2), Number(-8), Number(16)]),
            step("log", "proxy_log", vec![Number(5), bytes("probe|environment|said")]),
        ],
    )
}
