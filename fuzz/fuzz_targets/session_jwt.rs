//! Fuzzes `stytch_sso_external::fuzzing::session_jwt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stytch_sso_external::fuzzing::session_jwt(data));
