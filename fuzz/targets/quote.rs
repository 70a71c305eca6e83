//! Fuzzes `postroom_fuzz::quote`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::quote(octets));
