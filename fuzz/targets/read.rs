//! Fuzzes `postroom_fuzz::read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::read(octets));
