//! Fuzzes `postroom_fuzz::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::address(octets));
