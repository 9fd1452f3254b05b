//! The fuzz targets' committed inputs, replayed: what holds for any bytes holds for these.

#[path = "../fuzz/checks/dial.rs"]
mod dial;
#[path = "../fuzz/checks/frame.rs"]
mod frame;
#[path = "../fuzz/checks/hep.rs"]
mod hep;
#[path = "../fuzz/checks/sip_message.rs"]
mod sip_message;
#[path = "../fuzz/checks/sip_stream.rs"]
mod sip_stream;
#[path = "../fuzz/checks/websocket.rs"]
mod websocket;

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
fn dialled_strings() {
    assert!(replay("dial", dial::check) >= 12);
}

#[test]
fn frames() {
    assert!(replay("frame", frame::check) >= 12);
}

#[test]
fn hep_packets() {
    assert!(replay("hep", hep::check) >= 6);
}

#[test]
fn messages() {
    assert!(replay("sip_message", sip_message::check) >= 12);
}

#[test]
fn streams() {
    assert!(replay("sip_stream", sip_stream::check) >= 6);
}

#[test]
fn websockets() {
    assert!(replay("websocket", websocket::check) >= 6);
}
