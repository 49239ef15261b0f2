//! See `bearward_fuzz::feed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::feed::check(input));
