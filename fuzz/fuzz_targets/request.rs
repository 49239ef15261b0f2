//! See `bearward_fuzz::request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::request::check(input));
