//! One HEP packet, or a stream of them.
#![no_main]

#[path = "../checks/hep.rs"]
mod hep;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hep::check(data));
