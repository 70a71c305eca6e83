//! Fuzzes `postroom_fuzz::tnef`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postroom_fuzz::tnef(octets));
