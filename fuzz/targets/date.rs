//! Fuzzes `postroom_fuzz::date`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::date(octets));
