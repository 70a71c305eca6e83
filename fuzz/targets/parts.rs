//! Fuzzes `postroom_fuzz::parts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::parts(octets));
