//! The walk through a frame's headers, from the link to a payload.
//!
//! In: `Frame`. Out: `Packet` or `Skip`; later also what fragments left behind.
//! Never: allocates for a packet that isn't a fragment.

use std::sync::Arc;

use super::fragment::{Fragments, Pending, Rest};
use super::hep::Hep;
use super::sctp::{First, Sctp};
use super::transport::{self, Udp};
use super::way::{Layer, Way};
use super::{Datagram, Encap, Packet, Path, Skip, Stats, fast, link, net};
use crate::frame::Frame;
use crate::time::{Span, Timestamp};

const TCP: u8 = 6;
const UDP: u8 = 17;
pub(super) const SCTP: u8 = 132;

/// The decoder's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many fragmented packets may wait for their rest.
    pub fragmented_packets: usize,
    /// How many bytes they may take in all.
    pub fragment_bytes: usize,
    /// How long one may wait (RFC 791 and RFC 8200: 15 to 60 s).
    pub fragment_age: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { fragmented_packets: 1_024, fragment_bytes: 16 * 1024 * 1024, fragment_age: Span::seconds(30) }
    }
}

/// What all stages share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) stats: Arc<Stats>,
    pub(super) fragments: Fragments,
    sctp: Sctp,
}

/// Reads frames; remembers fragments.
#[derive(Debug)]
pub struct Decoder {
    core: Core,
    /// A packet put together from fragments, and one put together inside that.
    joined: Vec<u8>,
    joined_inside: Vec<u8>,
    /// An SCTP message put together from chunks.
    message: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        let core = Core { stats: Arc::default(), fragments: Fragments::new(settings), sctp: Sctp::default() };
        Self { core, joined: Vec::new(), joined_inside: Vec::new(), message: Vec::new() }
    }

    /// What it counted so far.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.core.stats
    }

    /// What a frame carries. Fragments go by the frame's own time.
    ///
    /// # Errors
    /// Why there is no payload: see [`Skip`].
    #[inline(always)]
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Skip> {
        if let Some(datagram) = fast::datagram(frame, &self.core.stats) {
            return Ok(Packet::Datagram(datagram));
        }
        self.decode_slowly(frame)
    }

    /// The long way; it reads all that the short one does, and the rest.
    pub(super) fn decode_slowly<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Skip> {
        let mut way = Way::new(frame.ts);
        let layer = link::first(&mut way, &self.core.stats, frame)?;
        match self.core.walk(&mut way, layer)? {
            Step::Packet(packet) => Ok(packet),
            Step::Message(path, bytes) => Ok(kept(&mut self.message, path, bytes, false)),
            Step::Joined(rest) => self.resume(*rest),
        }
    }

    /// What there is beyond the frames' own outcomes: beginnings of packets whose rest never came
    /// (truncated), and further messages of an SCTP packet. To be asked after each frame, and with
    /// the latest possible time at the end of a capture, until it's `None`.
    pub fn poll(&mut self, now: Timestamp) -> Option<Result<Packet<'_>, Skip>> {
        let Core { stats, fragments, sctp } = &mut self.core;
        fragments.expire(stats, now);
        sctp.expire(fragments, stats, now);
        match self.core.fragments.pending.pop_front()? {
            Pending::Beginning(rest) => Some(self.resume(rest)),
            Pending::Datagram { path, bytes, truncated } => {
                Some(Ok(kept(&mut self.message, path, bytes, truncated)))
            }
        }
    }

    /// When `poll` has something to do beside what the last frame left.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        Timestamp::earlier(self.core.fragments.poll_timeout(), self.core.sctp.poll_timeout())
    }

    /// Whether the last frame left something that `poll` gives at once.
    #[inline]
    pub fn has_more(&self) -> bool {
        !self.core.fragments.pending.is_empty()
    }

    fn resume(&mut self, mut rest: Rest) -> Result<Packet<'_>, Skip> {
        let Self { core, joined, joined_inside, message } = self;
        *joined = rest.bytes;
        match core.walk(&mut rest.way, Layer::Carried(rest.protocol, joined))? {
            Step::Packet(packet) => Ok(packet),
            Step::Message(path, bytes) => Ok(kept(message, path, bytes, false)),
            Step::Joined(mut inside) => {
                *joined_inside = inside.bytes;
                match core.walk(&mut inside.way, Layer::Carried(inside.protocol, joined_inside))? {
                    Step::Packet(packet) => Ok(packet),
                    Step::Message(path, bytes) => Ok(kept(message, path, bytes, false)),
                    Step::Joined(_) => Err(Skip::TooDeep),
                }
            }
        }
    }
}

/// A datagram whose bytes the decoder keeps.
fn kept(place: &mut Vec<u8>, path: Path, bytes: Vec<u8>, truncated: bool) -> Packet<'_> {
    *place = bytes;
    Packet::Datagram(Datagram { path, payload: place, truncated })
}

/// Where a walk ends.
enum Step<'f> {
    Packet(Packet<'f>),
    /// A message of several chunks.
    Message(Path, Vec<u8>),
    Joined(Box<Rest>),
}

impl Core {
    /// Every turn leaves at least one header behind, so it ends.
    #[inline]
    fn walk<'f>(&mut self, way: &mut Way, mut layer: Layer<'f>) -> Result<Step<'f>, Skip> {
        loop {
            layer = match layer {
                Layer::Ethernet(data) => link::ethernet(way, data)?,
                Layer::Typed(kind, data) => link::typed(way, &self.stats, kind, data)?,
                Layer::Ppp(data) => link::ppp(data)?,
                Layer::Ip(data) => net::ip(way, data)?,
                Layer::Hep(data) => {
                    self.stats.encap.bump(Encap::Hep);
                    let datagram = Hep::parse(data)?.datagram(way.copied_by())?;
                    return Ok(Step::Packet(Packet::Datagram(datagram)));
                }
                Layer::Carried(UDP, data) => match transport::udp(way, &self.stats, data)? {
                    Udp::Tunnel(layer) => layer,
                    Udp::Payload { src_port, dst_port, payload, truncated } => {
                        let path = way.path(src_port, dst_port);
                        return Ok(Step::Packet(Packet::Datagram(Datagram { path, payload, truncated })));
                    }
                },
                Layer::Carried(TCP, data) => {
                    return transport::tcp(way, data).map(|segment| Step::Packet(Packet::Segment(segment)));
                }
                Layer::Carried(SCTP, data) => {
                    return match self.sctp.packet(&mut self.fragments, &self.stats, way, data)? {
                        First::Borrowed(datagram) => Ok(Step::Packet(Packet::Datagram(datagram))),
                        First::Joined(path, bytes) => Ok(Step::Message(path, bytes)),
                    };
                }
                Layer::Carried(protocol, data) => net::carried(way, &self.stats, protocol, data)?,
                Layer::Fragment(key, piece) => {
                    let rest = self.fragments.add(&self.stats, way, key, piece)?;
                    return Ok(Step::Joined(Box::new(rest)));
                }
            };
        }
    }
}
