//! Fuzzes `stytch_sso_external::fuzzing::key_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stytch_sso_external::fuzzing::key_set(data));
