//! The fuzz targets' committed inputs, replayed.

#[path = "../../fuzz/checks/sip_message.rs"]
mod sip_message;
#[path = "../../fuzz/checks/sip_stream.rs"]
mod sip_stream;

/// Replays one target's corpus; how many inputs it had.
fn replay(target: &str, check: fn(&[u8])) -> usize {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let inputs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for input in &inputs {
        check(&std::fs::read(input).unwrap());
    }
    inputs.len()
}

#[test]
fn messages() {
    assert!(replay("sip_message", sip_message::check) >= 12);
}

#[test]
fn streams() {
    assert!(replay("sip_stream", sip_stream::check) >= 6);
}
