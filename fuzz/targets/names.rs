//! Fuzzes `postroom_fuzz::names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::names(octets));
