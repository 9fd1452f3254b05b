//! A bare libpcap counter: what `benches/live.sh` puts beside the daemon. The same ring, no engine.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a bench")]

use std::time::Duration;

use ringfence::capture::live::{Live, Settings};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(interface), Some(seconds)) = (args.next(), args.next().and_then(|s| s.parse::<u64>().ok()))
    else {
        eprintln!("count INTERFACE SECONDS");
        std::process::exit(2);
    };
    let settings = Settings { interfaces: vec![interface], filter: String::new(), buffer_mib: 64 };
    let mut live = Live::open(settings).unwrap_or_else(|error| panic!("{error}"));
    let mut bytes = 0_u64;
    let mut quiet = 0;
    // Ends once the link has been quiet for so long.
    while quiet < seconds * 20 {
        let frames = live.poll(Duration::from_millis(50), &mut |frame| bytes += u64::from(frame.wire_len));
        quiet = if frames.unwrap_or_else(|error| panic!("{error}")) == 0 { quiet + 1 } else { 0 };
    }
    for (_, counts) in live.counts() {
        println!("{} {bytes}", counts.received);
    }
}
