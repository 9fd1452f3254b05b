//! Writes the INVITEs of `cargo bench --bench pipeline` into a file: what `benches/live.sh` can send.
#![expect(clippy::print_stderr, reason = "it is a program for a bench")]

use std::io::{BufWriter, Write};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(count), Some(file)) = (args.next().and_then(|n| n.parse().ok()), args.next()) else {
        eprintln!("invites COUNT FILE.pcap");
        std::process::exit(2);
    };
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    ringfence::drill::bench_invites(count, &mut out)?;
    out.flush()
}
