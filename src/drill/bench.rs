//! Traffic to measure speed with: many frames, quickly made.
//!
//! In: how many. Out: a capture.
//! Never: the same Call-ID twice.

use std::io::{self, Write};

use super::audience::Camera;
use super::call::{Call, Ending, Item};
use super::leg::{self, Course, Cue, Leg, Manner, Side, What};
use super::message::Renderer;
use super::numbers::{self, SATELLITE, Tier};
use super::packet::{Capture, End};
use super::parties::{outward, registration};
use super::rng::Rng;
use super::site::{Pbx, Site};
use super::stage::{Stage, Summary, Wire};
use super::world::START;
use crate::time::{Span, Timestamp};

const HANDSETS: u16 = 2_000;
/// Streams of speech on the mirror port at a time.
const STREAMS: usize = 64;

/// A number of the mix: 40% geographic, 20% mobile, 10% internal, the rest overseas, premium and
/// satellite.
fn number(rng: &mut Rng) -> String {
    match rng.between(0, 99) {
        0..=39 => numbers::geographic(rng),
        40..=59 => numbers::mobile(rng),
        60..=69 => rng.between(2_000, 3_999).to_string(),
        70..=94 => {
            let tier = rng.pick(&[Tier::Low, Tier::Medium, Tier::High]);
            numbers::dialled_abroad(&numbers::of_tier(tier, rng).number(rng), rng)
        }
        95..=97 => numbers::premium(rng),
        _ => format!("00{}", SATELLITE.number(rng)),
    }
}

fn office() -> (Site, Rng) {
    let site = Site::new(HANDSETS, Pbx::Cloud, 250, false, &mut Rng::new(0, 0));
    (site, Rng::new(0, 1))
}

fn leg_of(site: &Site, handset: usize, at: Timestamp, rng: &mut Rng) -> Leg {
    let number = number(rng);
    outward(site, &Call::out(at, handset, number, Span::ZERO, Ending::Cancelled), rng)
}

/// Each handset registers at the Cloud PBX and is accepted, one frame every millisecond. The answer
/// is when the last one was.
fn sign_in(site: &Site, capture: &mut Capture<'_>, from: Timestamp, rng: &mut Rng) -> io::Result<Timestamp> {
    let mut renderer = Renderer::default();
    let mut at = from;
    for handset in 0..site.handsets.len() {
        let leg = registration(site, handset, 3_600, rng);
        for cue in leg::register(at, false, rng) {
            let sent = renderer.render(&leg, Cue { at, ..cue });
            capture.udp(at, sent.from, sent.to, sent.payload)?;
            at = at.plus(Span(1_000));
        }
    }
    Ok(at)
}

/// `n` INVITEs, each of another call, one every 10 ms: 2,000 handsets that registered before, six
/// User-Agents, 13 headers and SDP, frames of about 930 bytes.
///
/// # Errors
/// If `out` can't be written.
pub fn bench_invites(n: u64, out: &mut dyn Write) -> io::Result<Summary> {
    calls_only(n, true, out)
}

/// The same INVITEs from senders that never registered: strangers, all of them.
///
/// # Errors
/// If `out` can't be written.
pub fn bench_strangers(n: u64, out: &mut dyn Write) -> io::Result<Summary> {
    calls_only(n, false, out)
}

fn calls_only(n: u64, registered: bool, out: &mut dyn Write) -> io::Result<Summary> {
    let (site, mut rng) = office();
    let (mut capture, mut renderer) = (Capture::new(out), Renderer::rich());
    let start = START.clock(9, 0);
    let mut at = if registered { sign_in(&site, &mut capture, start, &mut rng)? } else { start };
    for _ in 0..n {
        let handset = rng.below(site.handsets.len());
        let mut leg = leg_of(&site, handset, at, &mut rng);
        leg.more.push_str("Session-Expires: 1800;refresher=uac\r\n");
        let cue = Cue { at, from: Side::Caller, what: What::Invite { proof: false }, cseq: 0 };
        let sent = renderer.render(&leg, cue);
        capture.udp(at, sent.from, sent.to, sent.payload)?;
        at = at.plus(Span(10_000));
    }
    let (frames, bytes) = capture.close()?;
    Ok(Summary { frames, bytes, invites: n, legs: n, calls: n, start, end: at, ..Summary::default() })
}

/// `n` whole calls, about 64 of them up at a time, a third of them challenged with 407.
///
/// # Errors
/// If `out` can't be written.
pub fn bench_dialogs(n: u64, out: &mut dyn Write) -> io::Result<Summary> {
    let (site, mut rng) = office();
    let wire = Wire { challenged: 333, ..Wire::default() };
    let mut camera = Camera { capture: Capture::new(out), renderer: Renderer::default() };
    let mut stage = Stage::new(&mut camera, wire, Rng::new(0, 2));
    let mut at = START.clock(9, 0);
    for _ in 0..n {
        let (handset, number) = (rng.below(site.handsets.len()), number(&mut rng));
        let talk = rng.span(Span::seconds(20), Span::seconds(96));
        let call = Call::out(at, handset, number, Span::seconds(6), Ending::Answered(talk));
        stage.begin(&site, &Item::Call(call))?;
        at = at.plus(rng.wait(Span::SECOND));
    }
    Ok(stage.finish()?.0)
}

/// `n` frames as an office's mirror port sees them, one every 100 µs: 95% RTP of 200 bytes, 3% DNS
/// and HTTP, 2% SIP of whole calls; before these, its 2,000 handsets register.
///
/// # Errors
/// If `out` can't be written.
pub fn bench_mirror(n: u64, out: &mut dyn Write) -> io::Result<Summary> {
    let (site, mut rng) = office();
    let (mut capture, mut renderer) = (Capture::new(out), Renderer::rich());
    let start = START.clock(9, 0);
    let mut at = sign_in(&site, &mut capture, start, &mut rng)?;
    let mut up: Vec<_> = (0..STREAMS).map(|_| spoken(&site, at, &mut rng)).collect();
    let (mut invites, mut legs) = (0, STREAMS as u64);
    for i in 0..n {
        let slot = rng.below(STREAMS);
        let (leg, cues, packets) = &mut up[slot];
        match i % 100 {
            0 | 50 => {
                let Some(cue) = cues.pop() else { continue };
                invites += u64::from(matches!(cue.what, What::Invite { .. }));
                let sent = renderer.render(leg, cue);
                capture.udp(at, sent.from, sent.to, sent.payload)?;
                if cues.is_empty() {
                    up[slot] = spoken(&site, at, &mut rng);
                    legs += 1;
                }
            }
            20 | 40 => name_query(&mut capture, at, leg.caller.end, &mut rng)?,
            60 => page_request(&mut capture, at, leg.caller.end, &mut rng)?,
            _ => {
                *packets = packets.wrapping_add(1);
                let from = if *packets % 2 == 0 { Side::Caller } else { Side::Callee };
                let cue = Cue { at, from, what: What::Rtp(*packets / 2), cseq: 0 };
                let sent = renderer.render(leg, cue);
                capture.udp(at, sent.from, sent.to, sent.payload)?;
            }
        }
        at = at.plus(Span(100));
    }
    let (frames, bytes) = capture.close()?;
    Ok(Summary { frames, bytes, invites, legs, calls: legs, start, end: at, ..Summary::default() })
}

/// A call with its cues, the first one last.
fn spoken(site: &Site, at: Timestamp, rng: &mut Rng) -> (Leg, Vec<Cue>, u16) {
    let handset = rng.below(site.handsets.len());
    let leg = leg_of(site, handset, at, rng);
    let course = Course::Answered { answer: at, bye: at, by: Side::Caller, hold: false };
    let mut cues = leg::call(at, course, Manner::default(), rng);
    cues.reverse();
    (leg, cues, 0)
}

/// A DNS query (RFC 1035 section 4.1) for the office's SIP service.
fn name_query(capture: &mut Capture<'_>, at: Timestamp, from: End, rng: &mut Rng) -> io::Result<()> {
    let [a, b, c, d, ..] = rng.bits().to_be_bytes();
    let mut query = vec![a, b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(b"\x04_sip\x04_udp\x03pbx\x07example\x03com\x00\x00\x21\x00\x01");
    let resolver = Site::carrier_end().with_port(53);
    capture.udp(at, from.with_port(40_000 | u16::from_be_bytes([c, d]) >> 4), resolver, &query)
}

/// An HTTP request for a phone's directory.
fn page_request(capture: &mut Capture<'_>, at: Timestamp, from: End, rng: &mut Rng) -> io::Result<()> {
    let page = format!(
        "GET /directory/{}.xml HTTP/1.1\r\nHost: provisioning.example.com\r\nAccept: */*\r\n\r\n",
        rng.hex(8)
    );
    let (port, seq) = (50_000 + (rng.bits() & 0xfff) as u16, (rng.bits() >> 32) as u32);
    capture.tcp(at, from.with_port(port), Site::carrier_end().with_port(80), seq, page.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invites_are_as_large_as_promised() {
        let mut pcap = Vec::new();
        let summary = bench_strangers(5_000, &mut pcap).unwrap();
        assert_eq!((summary.frames, summary.bytes), (5_000, pcap.len() as u64));
        let registered = bench_invites(5_000, &mut io::sink()).unwrap();
        assert_eq!(registered.frames, 5_000 + 2 * u64::from(HANDSETS));
        let mean = (pcap.len() - 24) / 5_000 - 16;
        assert!((900..=950).contains(&mean), "{mean}");
        let text = String::from_utf8_lossy(&pcap);
        let first = &text[text.find("INVITE ").unwrap()..text.find("\r\n\r\n").unwrap()];
        assert_eq!(first.lines().count(), 1 + 13, "{first}");
    }

    #[test]
    fn mixes_have_their_shares() {
        let mut pcap = Vec::new();
        let mirror = bench_mirror(100_000, &mut pcap).unwrap();
        assert_eq!(mirror.frames, 100_000 + 2 * u64::from(HANDSETS));
        assert!((250..=350).contains(&mirror.invites), "{}", mirror.invites);
        let mean = (pcap.len() - 24) / 104_000 - 16;
        assert!((205..=230).contains(&mean), "{mean}");
        let dialogs = bench_dialogs(3_000, &mut io::sink()).unwrap();
        assert_eq!(dialogs.calls, 3_000);
        assert!((3_800..=4_200).contains(&dialogs.invites), "{}", dialogs.invites);
    }
}
