//! Fuzzes `postroom_fuzz::html`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::html(octets));
