//! Fuzzes `postroom_fuzz::charset`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::charset(octets));
