//! Any bytes as a dialled string or URI.
#![no_main]

#[path = "../checks/dial.rs"]
mod dial;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dial::check(data));
