//! A scenario as a module in the text format.
//!
//! Every callback reports its parameters, then each step's status and results, one line of the log each. Results are
//! set to a mark before the call, so that a result which the host did not touch shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::script::{Argument, KEEP, Returns, Scenario, Step};

/// Where results go, 8 bytes each.
const SLOTS: usize = 16;
/// Where the bytes of the script stand.
const DATA: usize = 0x1000;

/// Parameters and results of the callbacks.
const CALLBACKS: [(&str, usize, bool); 15] = [
    ("proxy_on_context_create", 2, false),
    ("proxy_on_vm_start", 2, true),
    ("proxy_on_configure", 2, true),
    ("proxy_on_tick", 1, false),
    ("proxy_on_queue_ready", 2, false),
    ("proxy_on_http_call_response", 5, false),
    ("proxy_on_request_headers", 3, true),
    ("proxy_on_request_body", 3, true),
    ("proxy_on_request_trailers", 2, true),
    ("proxy_on_response_headers", 3, true),
    ("proxy_on_response_body", 3, true),
    ("proxy_on_response_trailers", 2, true),
    ("proxy_on_done", 1, true),
    ("proxy_on_log", 1, false),
    ("proxy_on_delete", 1, false),
];

/// What every probe has: memory, an allocator that never frees, and how a line is put together.
const RUNTIME: &str = r#"
  (memory (export "memory") 64)
  (global $heap (mut i32) (i32.const 0x80000))
  (global $line (mut i32) (i32.const 0x40000))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap
      (i32.and (i32.add (global.get $heap) (i32.add (local.get $size) (i32.const 7))) (i32.const -8))))
  (func $byte (param $byte i32)
    (i32.store8 (global.get $line) (local.get $byte))
    (global.set $line (i32.add (global.get $line) (i32.const 1))))
  (func $text (param $address i32) (param $size i32)
    (block $end (loop $next
      (br_if $end (i32.eqz (local.get $size)))
      (call $byte (i32.load8_u (local.get $address)))
      (local.set $address (i32.add (local.get $address) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $next))))
  (func $digit (param $digit i32)
    (call $byte (i32.add (local.get $digit)
      (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10))))))
  (func $hex8 (param $number i32)
    (call $digit (i32.and (i32.shr_u (local.get $number) (i32.const 4)) (i32.const 15)))
    (call $digit (i32.and (local.get $number) (i32.const 15))))
  (func $hex32 (param $number i32)
    (call $byte (i32.const 124))
    (call $hex8 (i32.shr_u (local.get $number) (i32.const 24)))
    (call $hex8 (i32.and (i32.shr_u (local.get $number) (i32.const 16)) (i32.const 255)))
    (call $hex8 (i32.and (i32.shr_u (local.get $number) (i32.const 8)) (i32.const 255)))
    (call $hex8 (i32.and (local.get $number) (i32.const 255))))
  (func $bytes (param $address i32) (param $size i32)
    (call $byte (i32.const 124))
    (if (i32.eq (local.get $size) (i32.const 0xdeadbeef))
      (then (call $byte (i32.const 45)) (return)))
    (block $end (loop $next
      (br_if $end (i32.eqz (local.get $size)))
      (call $hex8 (i32.load8_u (local.get $address)))
      (local.set $address (i32.add (local.get $address) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $next))))
  (func $flush
    (drop (call $proxy_log (i32.const 2) (i32.const 0x40000) (i32.sub (global.get $line) (i32.const 0x40000))))
    (global.set $line (i32.const 0x40000)))
"#;

/// The module's bytes.
pub(super) fn module(scenario: &Scenario) -> Vec<u8> {
    let mut writer = Writer { imports: BTreeMap::new(), data: Vec::new(), slots: BTreeMap::new() };
    writer.import("proxy_log", vec!["i32"; 3]);
    let functions: String =
        scenario.callbacks.iter().map(|callback| writer.callback(scenario, callback)).collect();
    let imports: String = writer
        .imports
        .iter()
        .map(|(name, types)| {
            let from = if name.starts_with("proxy_") { "env" } else { "wasi_snapshot_preview1" };
            let types = types.join(" ");
            format!("  (import \"{from}\" \"{name}\" (func ${name} (param {types}) (result i32)))\n")
        })
        .collect();
    let data: String = writer.data.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    });
    let text = format!("(module\n{imports}{RUNTIME}  (data (i32.const {DATA}) \"{data}\")\n{functions})\n");
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", scenario.name))
}

struct Writer {
    imports: BTreeMap<&'static str, Vec<&'static str>>,
    data: Vec<u8>,
    slots: BTreeMap<String, usize>,
}

impl Writer {
    fn callback(&mut self, scenario: &Scenario, callback: &super::script::Callback) -> String {
        let (name, parameters, result) =
            CALLBACKS.into_iter().find(|(name, ..)| *name == callback.name).expect("a callback of the ABI");
        let mut text = format!("  (func (export \"{name}\")");
        let _ = write!(text, "{}", " (param i32)".repeat(parameters));
        text.push_str(if result { " (result i32) (local $status i32)\n" } else { " (local $status i32)\n" });
        let begin = format!("probe|{}|{name}", scenario.name);
        text.push_str(&self.say(&begin));
        for parameter in 0..parameters {
            let _ = writeln!(text, "    (call $hex32 (local.get {parameter}))");
        }
        text.push_str("    (call $flush)\n");
        for step in &callback.steps {
            text.push_str(&self.step(&begin, step));
        }
        match &callback.returns {
            Returns::Number(number) if result => {
                let _ = writeln!(text, "    (i32.const {number})");
            }
            Returns::Number(_) => {}
            Returns::StatusOf(step) => {
                let slot = self.slot(&format!("status of {step}"));
                let _ = writeln!(text, "    (i32.load (i32.const {slot}))");
            }
            Returns::TrapIf(step, status) => {
                let slot = self.slot(&format!("status of {step}"));
                let _ = writeln!(
                    text,
                    "    (if (i32.eq (i32.load (i32.const {slot})) (i32.const {status})) (then unreachable))"
                );
                let agrees = i32::from(name == "proxy_on_configure");
                if result {
                    let _ = writeln!(text, "    (i32.const {agrees})");
                }
            }
        }
        text.push_str("  )\n");
        text
    }

    fn step(&mut self, begin: &str, step: &Step) -> String {
        if let (KEEP, [Argument::Parameter(place)]) = (step.hostcall, step.arguments.as_slice()) {
            let slot = self.slot(step.name);
            return format!("    (i32.store (i32.const {slot}) (local.get {place}))\n");
        }
        let (mut reset, mut call, mut report, mut types) =
            (String::new(), String::new(), String::new(), Vec::new());
        for (place, argument) in step.arguments.iter().enumerate() {
            let mut push = |value: String| {
                let _ = write!(call, " {value}");
                types.push("i32");
            };
            match argument {
                Argument::Number(number) => push(format!("(i32.const {number})")),
                Argument::Parameter(place) => push(format!("(local.get {place})")),
                Argument::Kept(name) => push(format!("(i32.load (i32.const {}))", self.slot(name))),
                Argument::Bytes(bytes) => {
                    let (address, size) = self.place(bytes);
                    push(format!("(i32.const {address})"));
                    push(format!("(i32.const {size})"));
                }
                Argument::Long(number) => {
                    let _ = write!(call, " (i64.const {number})");
                    types.push("i64");
                }
                Argument::Hidden(name) => push(format!("(i32.const {})", self.slot(name))),
                Argument::Out(_) | Argument::OutLong => {
                    let own = format!("{begin} {} {place}", step.name);
                    let slot = self.slot(if let Argument::Out(name) = argument { name } else { &own });
                    reset.push_str(&mark(slot));
                    push(format!("(i32.const {slot})"));
                    if matches!(argument, Argument::OutLong) {
                        let _ = writeln!(report, "    (call $hex32 (i32.load (i32.const {})))", slot + 4);
                    }
                    let _ = writeln!(report, "    (call $hex32 (i32.load (i32.const {slot})))");
                }
                Argument::OutBytes => {
                    let data = self.slot(&format!("{begin} {} {place} data", step.name));
                    let size = self.slot(&format!("{begin} {} {place} size", step.name));
                    reset.push_str(&mark(data));
                    reset.push_str(&mark(size));
                    push(format!("(i32.const {data})"));
                    push(format!("(i32.const {size})"));
                    let _ = writeln!(
                        report,
                        "    (call $bytes (i32.load (i32.const {data})) (i32.load (i32.const {size})))"
                    );
                }
            }
        }
        self.import(step.hostcall, types);
        let status = self.slot(&format!("status of {}", step.name));
        let said = self.say(&format!("{begin}|{}", step.name));
        format!(
            "{reset}    (local.set $status (call ${}{call}))\n    (i32.store (i32.const {status}) (local.get $status))\n\
             {said}    (call $hex32 (local.get $status))\n{report}    (call $flush)\n",
            step.hostcall
        )
    }

    fn say(&mut self, text: &str) -> String {
        let (address, size) = self.place(text.as_bytes());
        format!("    (call $text (i32.const {address}) (i32.const {size}))\n")
    }

    fn place(&mut self, bytes: &[u8]) -> (usize, usize) {
        let address = DATA + self.data.len();
        self.data.extend(bytes);
        (address, bytes.len())
    }

    fn slot(&mut self, name: &str) -> usize {
        let next = SLOTS + 8 * self.slots.len();
        assert!(next < DATA, "more results than there is room for");
        *self.slots.entry(name.to_owned()).or_insert(next)
    }

    fn import(&mut self, name: &'static str, types: Vec<&'static str>) {
        self.imports.insert(name, types);
    }
}

/// Nothing that a host would write.
fn mark(slot: usize) -> String {
    format!("    (i64.store (i32.const {slot}) (i64.const 0xdeadbeefdeadbeef))\n")
}
