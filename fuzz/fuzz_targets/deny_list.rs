//! See `bearward_fuzz::deny_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bearward_fuzz::deny_list::check(input));
