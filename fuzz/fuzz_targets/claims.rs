//! See `bearward_fuzz::claims`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::claims::check(input));
