//! See `bearward_fuzz::jwks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::jwks::check(input));
