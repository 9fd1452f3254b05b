//! A WebSocket connection cut at the input's will.
#![no_main]

#[path = "../checks/websocket.rs"]
mod websocket;

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket::check(data));
