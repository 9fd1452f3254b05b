//! From a stream's bytes to its messages: SIP as such, SIP in WebSocket, or neither.
//!
//! In: bytes in order. Out: whole messages. Never: keeps more than one message's bytes.

use super::http::{self, Body, Head};
use super::probe::{self, Probe};
use super::websocket::{Frames, Step};
use super::{Event, Sink, Stats};
use crate::decode::{Path, hep};
use crate::sip::framing::{Framing, Scan};

/// How many bytes without a message a stream may have before it's given up as another protocol.
const HUNT_MAX: usize = 256 * 1024;
/// Room that an empty buffer may keep.
const SPARE: usize = 2 * 1024;

#[derive(Debug, Default)]
enum Kind {
    /// Nothing is known.
    #[default]
    Start,
    Sip(Scan),
    /// Inside the headers of HTTP; so many bytes have been looked at.
    Http(usize),
    /// Inside HTTP's body or a chunk of it: so many bytes are still to come; what comes then.
    HttpBody(u64, Then),
    HttpChunk,
    Hep,
    WebSocket(Frames),
    Encrypted,
    Other,
}

/// What follows a part of HTTP.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Whatever begins anew.
    Start,
    /// The next chunk of a body.
    Chunk,
}

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    kind: Kind,
    /// What has come of a message that isn't whole.
    buf: Vec<u8>,
    hunted: usize,
}

impl Reader {
    pub(super) fn size(&self) -> usize {
        let inside = if let Kind::WebSocket(frames) = &self.kind { frames.size() } else { 0 };
        self.buf.capacity().saturating_add(inside)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.kind, Kind::Encrypted)
    }

    /// Whether nothing more is read of it.
    pub(super) fn is_ignored(&self) -> bool {
        matches!(self.kind, Kind::Encrypted | Kind::Other)
    }

    /// Whether it looks for a start line.
    pub(super) fn is_hunting(&self) -> bool {
        matches!(&self.kind, Kind::Sip(scan) if scan.is_hunting())
    }

    /// Whether it passes by what isn't SIP.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_hunting() || matches!(self.kind, Kind::HttpBody(..) | Kind::HttpChunk)
    }

    /// Whether nothing is half read.
    pub(super) fn is_idle(&self) -> bool {
        self.buf.is_empty()
    }

    /// Nothing more will come of what is half read: if only a part of the body is missing, the
    /// message is handed on without it, for its headers are all that matters.
    pub(super) fn hand_on(&mut self, path: &Path, stats: &Stats, sink: Sink<'_>) {
        let buf = std::mem::take(&mut self.buf);
        if matches!(&self.kind, Kind::Sip(scan) if scan.has_head()) && !buf.is_empty() {
            stats.events.bump(Event::Message);
            sink(path, &buf);
        }
    }

    /// Bytes are missing here.
    pub(super) fn lose(&mut self, path: &Path, stats: &Stats, sink: Sink<'_>) {
        self.hand_on(path, stats, sink);
        self.buf = Vec::new();
        if !self.is_ignored() {
            self.kind = Kind::Sip(Scan::lost());
        }
    }

    /// Takes the next bytes of the stream. They begin where a segment does.
    pub(super) fn feed(&mut self, bytes: &[u8], path: &Path, stats: &Stats, sink: Sink<'_>) {
        if self.is_hunting() && probe::may_begin(bytes) {
            self.kind = Kind::Start;
            self.buf.clear();
        }
        if self.buf.is_empty() {
            let used = self.consume(bytes, path, stats, sink);
            self.buf.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            let mut buf = std::mem::take(&mut self.buf);
            buf.extend_from_slice(bytes);
            let used = self.consume(&buf, path, stats, sink);
            buf.drain(..used.min(buf.len()));
            self.buf = buf;
        }
        if self.hunted > HUNT_MAX && !self.is_ignored() {
            stats.events.bump(Event::NotSip);
            self.kind = Kind::Other;
        }
        if self.is_ignored() || (self.buf.is_empty() && self.buf.capacity() > SPARE) {
            self.buf = Vec::new();
        }
    }

    /// Reads what can be read; answers how many bytes are done with.
    fn consume(&mut self, bytes: &[u8], path: &Path, stats: &Stats, sink: Sink<'_>) -> usize {
        let mut used = 0usize;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            let step = match &mut self.kind {
                Kind::Start => self.start(rest, stats),
                Kind::Sip(_) => self.sip(rest, path, stats, sink),
                Kind::Http(_) => self.http(rest, stats),
                Kind::HttpBody(..) => Some(self.http_body(rest)),
                Kind::HttpChunk => self.http_chunk(rest),
                Kind::Hep => self.hep(rest, path, stats, sink),
                Kind::WebSocket(_) => self.frames(rest, path, stats, sink),
                Kind::Encrypted | Kind::Other => Some(rest.len()),
            };
            let Some(step) = step else { break };
            used = used.saturating_add(step);
        }
        used
    }

    /// `None`: more is needed. So in the functions below.
    fn start(&mut self, rest: &[u8], stats: &Stats) -> Option<usize> {
        let filler = rest.iter().take_while(|byte| b"\r\n\0 \t".contains(byte)).count();
        if filler > 0 {
            return Some(filler);
        }
        self.kind = match probe::probe(rest) {
            Probe::More => return None,
            Probe::Tls => Kind::Encrypted,
            Probe::Http => Kind::Http(0),
            Probe::Hep => Kind::Hep,
            Probe::WebSocket => {
                stats.events.bump(Event::WebSocket);
                Kind::WebSocket(Frames::default())
            }
            Probe::Other => Kind::Sip(Scan::default()),
        };
        Some(0)
    }

    fn sip(&mut self, rest: &[u8], path: &Path, stats: &Stats, sink: Sink<'_>) -> Option<usize> {
        let Kind::Sip(scan) = &mut self.kind else { return Some(0) };
        match scan.next(rest) {
            Framing::NeedMore => None,
            Framing::Skip(n) => {
                if scan.is_hunting() {
                    self.hunted = self.hunted.saturating_add(n);
                }
                Some(n)
            }
            Framing::Lost => {
                stats.events.bump(Event::Resync);
                Some(0)
            }
            Framing::Message(n) => {
                self.hunted = 0;
                stats.events.bump(Event::Message);
                sink(path, rest.get(..n).unwrap_or(rest));
                Some(n)
            }
        }
    }

    fn http(&mut self, rest: &[u8], stats: &Stats) -> Option<usize> {
        let Kind::Http(seen) = &mut self.kind else { return Some(0) };
        match http::head(rest, seen) {
            Head::More => None,
            Head::Sip(n) => {
                stats.events.bump(Event::WebSocket);
                self.kind = Kind::WebSocket(Frames::default());
                Some(n)
            }
            Head::Other(n, body) => {
                self.kind = match body {
                    Body::Length(0) => Kind::Start,
                    Body::Length(length) => Kind::HttpBody(length, Then::Start),
                    Body::Chunks => Kind::HttpChunk,
                    Body::ToTheEnd => Kind::HttpBody(u64::MAX, Then::Start),
                };
                Some(n)
            }
            Head::No => {
                self.kind = Kind::Sip(Scan::lost());
                Some(0)
            }
        }
    }

    fn http_body(&mut self, rest: &[u8]) -> usize {
        let Kind::HttpBody(left, then) = &mut self.kind else { return 0 };
        let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
        *left = left.saturating_sub(n as u64);
        if *left == 0 {
            self.kind = match then {
                Then::Start => Kind::Start,
                Then::Chunk => Kind::HttpChunk,
            };
        }
        n
    }

    fn http_chunk(&mut self, rest: &[u8]) -> Option<usize> {
        self.kind = match http::chunk(rest)? {
            Some((length, false)) => Kind::HttpBody(length, Then::Chunk),
            Some((length, true)) => Kind::HttpBody(length, Then::Start),
            None => Kind::Sip(Scan::lost()),
        };
        Some(0)
    }

    fn hep(&mut self, rest: &[u8], path: &Path, stats: &Stats, sink: Sink<'_>) -> Option<usize> {
        let Ok(length) = hep::length(rest) else {
            stats.events.bump(Event::Resync);
            self.kind = Kind::Sip(Scan::lost());
            return Some(0);
        };
        let packet = rest.get(..length?)?;
        let mirror = path.mirror.unwrap_or(path.src.ip());
        if let Ok(copy) = hep::Hep::parse(packet).and_then(|hep| hep.datagram(Some(mirror))) {
            stats.events.bump(Event::Message);
            sink(&copy.path, copy.payload);
        }
        Some(packet.len())
    }

    fn frames(&mut self, rest: &[u8], path: &Path, stats: &Stats, sink: Sink<'_>) -> Option<usize> {
        let Kind::WebSocket(frames) = &mut self.kind else { return Some(0) };
        match frames.next(rest) {
            Step::More => None,
            Step::Used(n) => Some(n),
            Step::Message(n) => {
                stats.events.bump(Event::Message);
                sink(path, frames.message());
                Some(n)
            }
            Step::Compressed(n) => {
                stats.events.bump(Event::Compressed);
                Some(n)
            }
            Step::TooLong(n) => {
                stats.events.bump(Event::TooLong);
                Some(n)
            }
            Step::Broken => {
                stats.events.bump(Event::Resync);
                self.kind = Kind::Sip(Scan::lost());
                Some(0)
            }
        }
    }
}
