//! See `bearward_fuzz::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::token::check(input));
