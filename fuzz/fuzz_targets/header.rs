//! See `bearward_fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::header::check(input));
