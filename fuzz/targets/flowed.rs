//! Fuzzes `postroom_fuzz::flowed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::flowed(octets));
