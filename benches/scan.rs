//! Nanoseconds per message: the scanner and `rsip` on the same INVITE in one run.
//!
//! `cargo bench --bench scan`. The messages are hot in the cache; the figures say what the parser
//! costs, not what the memory does.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::hint::black_box;
use std::time::Instant;

use ringfence::sip::sniff::sniff;
use ringfence::sip::{framing, message, typed, uri};

const MESSAGES: usize = 256;
const RUNS: usize = 15;

fn invite(n: usize) -> Vec<u8> {
    let sdp = format!(
        "v=0\r\no=- {n} 1 IN IP4 10.0.3.17\r\ns=call\r\nc=IN IP4 10.0.3.17\r\nt=0 0\r\n\
         m=audio 11780 RTP/AVP 9 8 0 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    format!(
        "INVITE sip:0044117496{n:04}@pbx.example.com:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.3.17:5060;branch=z9hG4bK{n:016x};rport\r\n\
         From: \"Desk {n}\" <sip:2{n:03}@pbx.example.com:5060>;tag={n:08x}\r\n\
         To: <sip:0044117496{n:04}@pbx.example.com:5060>\r\n\
         Call-ID: {n:016x}@10.0.3.17\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:2{n:03}@10.0.3.17:5060>\r\n\
         Content-Type: application/sdp\r\n\
         Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER\r\n\
         Max-Forwards: 70\r\n\
         User-Agent: Example SIP-T46S 66.85.0.5\r\n\
         Supported: replaces\r\n\
         Allow-Events: talk,hold,conference,refer,check-sync\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

/// The median over several runs, in ns per message.
fn measure<T>(messages: &[Vec<u8>], rounds: usize, mut work: impl FnMut(&[u8]) -> T) -> f64 {
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..rounds {
                for message in messages {
                    black_box(work(black_box(message)));
                }
            }
            begin.elapsed().as_secs_f64() * 1e9 / (rounds * messages.len()) as f64
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

fn main() {
    let invites: Vec<_> = (0..MESSAGES).map(invite).collect();
    let bytes = invites.iter().map(Vec::len).sum::<usize>() / MESSAGES;
    let rtp = vec![[&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0x55; 160]].concat(); MESSAGES];
    println!("INVITE of {bytes} bytes, {MESSAGES} in the cache, median of {RUNS}");
    let row = |name: &str, ns: f64| println!("{name:<34}{ns:>10.1} ns");
    row("sniff: RTP", measure(&rtp, 2000, sniff));
    row("sniff: INVITE", measure(&invites, 400, sniff));
    let scan = measure(&invites, 200, |payload| message::parse(payload).is_ok());
    row("scanner", scan);
    row(
        "scanner + users of R-URI, From, To",
        measure(&invites, 200, |payload| {
            message::parse(payload)
                .ok()
                .map(|read| (uri::user(read.from.uri).len(), uri::user(read.to.uri).len()))
        }),
    );
    row("stream framing", measure(&invites, 200, framing::next));
    let untyped = measure(&invites, 20, |payload| rsip::SipMessage::try_from(payload).is_ok());
    row("rsip, untyped", untyped);
    let typed = measure(&invites, 10, |payload| typed::describe(payload).is_some());
    row("rsip, typed From, To and CSeq", typed);
    println!("rsip / scanner: {:.1} untyped, {:.1} typed", untyped / scan, typed / scan);
}
