//! Fuzzes `stytch_sso_external::fuzzing::path_segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stytch_sso_external::fuzzing::path_segment(data));
