//! Fuzzes `postroom_fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::header(octets));
