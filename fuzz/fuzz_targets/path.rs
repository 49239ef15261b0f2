//! See `bearward_fuzz::path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::path::check(input));
