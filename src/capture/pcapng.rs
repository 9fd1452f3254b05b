//! pcapng: several interfaces, link types, resolutions and byte orders in one file.
//!
//! In: `Input`. Out: `Frame`, each with its own interface's link type.
//! Never: buffers a block that it doesn't need, or one that is longer than any frame can be.

use pcap_parser::pcapng::{
    Block, EPB_MAGIC, IDB_MAGIC, InterfaceDescriptionBlock, SHB_MAGIC, SPB_MAGIC, parse_block_be,
    parse_block_le,
};

use super::CaptureError;
use super::classic::MAX_RECORD;
use super::error::Place;
use super::input::Input;
use crate::frame::{Frame, Link};
use crate::time::Timestamp;

/// The obsolete packet block that old files have; pcap-parser doesn't know it.
const PACKET_BLOCK: u32 = 2;
/// A frame, its block's own fields, and plenty of room for options.
const MAX_BLOCK: u32 = MAX_RECORD + 65_536;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const MAX_INTERFACES: usize = 65_536;

/// What a section says of an interface.
struct Interface {
    /// The link type's number.
    number: i32,
    snap_length: u32,
    /// Units of the timestamp in a second.
    units: u64,
    /// Seconds to add to each timestamp.
    offset: i64,
}

/// Where a packet's parts are.
struct Packet {
    interface: usize,
    /// `None`: the block has no time.
    ticks: Option<u64>,
    wire_len: u32,
    from: usize,
    to: usize,
}

/// A pcapng stream.
pub(super) struct PcapNg {
    input: Input,
    buf: Vec<u8>,
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// How many interfaces earlier sections had.
    earlier: usize,
    last: Timestamp,
    /// Frames on interfaces whose link type can't be read, with the first such type.
    unreadable: Option<(i32, u64)>,
    place: Place,
    /// How many bytes of the first block were read before, to see what the stream is.
    have: usize,
}

impl PcapNg {
    pub(super) fn open(input: Input, head: &[u8], place: Place) -> Self {
        Self {
            input,
            buf: head.to_vec(),
            big_endian: false,
            interfaces: Vec::new(),
            earlier: 0,
            last: Timestamp(0),
            unreadable: None,
            place,
            have: head.len(),
        }
    }

    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        self.input.progress()
    }

    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        loop {
            let Some(packet) = self.next_packet()? else {
                return match self.unreadable.take() {
                    None => Ok(None),
                    Some((number, frames)) => {
                        Err(self.place.link_type(number, format!("{frames} frames skipped: ")))
                    }
                };
            };
            self.place.frames = self.place.frames.saturating_add(1);
            let Some(interface) = self.interfaces.get(packet.interface) else {
                return Err(self.place.broken(format!("interface {} isn't described", packet.interface)));
            };
            let Some(link) = Link::from_number(interface.number) else {
                let skipped = self.unreadable.get_or_insert((interface.number, 0));
                skipped.1 = skipped.1.saturating_add(1);
                continue;
            };
            if let Some(ticks) = packet.ticks {
                self.last = time(ticks, interface);
            }
            let interface = u16::try_from(self.earlier.saturating_add(packet.interface)).unwrap_or(u16::MAX);
            let data = self.buf.get(packet.from..packet.to).unwrap_or_default();
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            return Ok(Some(Frame {
                ts: self.last,
                link,
                interface,
                wire_len: packet.wire_len.max(length),
                data,
            }));
        }
    }

    /// Reads blocks up to and with the next packet.
    fn next_packet(&mut self) -> Result<Option<Packet>, CaptureError> {
        while let Some((kind, length)) = self.read_block()? {
            let packet = match kind {
                PACKET_BLOCK => Some(self.obsolete_packet(length)?),
                SHB_MAGIC | IDB_MAGIC | EPB_MAGIC | SPB_MAGIC => self.parse_block(length)?,
                _ => None,
            };
            self.place.offset = self.place.offset.saturating_add(u64::from(length));
            if packet.is_some() {
                return Ok(packet);
            }
        }
        Ok(None)
    }

    /// Reads a block's type and length, and the whole block if it's of use.
    fn read_block(&mut self) -> Result<Option<(u32, u32)>, CaptureError> {
        let have = std::mem::take(&mut self.have);
        match self.read(have, 12 - have.min(12))?.saturating_add(have) {
            0 => return Ok(None),
            12 => {}
            _ => return Err(self.place.truncated()),
        }
        let kind = self.word(0);
        // A section's byte order stands after its length, so it must be known to read that.
        if kind == SHB_MAGIC {
            self.big_endian = match (self.order(8, false), self.order(8, true)) {
                (BYTE_ORDER, _) => false,
                (_, BYTE_ORDER) => true,
                _ => return Err(self.place.broken("a section header without a byte order")),
            };
        }
        let length = self.word(4);
        if length < 12 || !length.is_multiple_of(4) {
            return Err(self.place.broken(format!("a block of {length} bytes")));
        }
        let rest = length.saturating_sub(12);
        if matches!(kind, SHB_MAGIC | IDB_MAGIC | EPB_MAGIC | SPB_MAGIC | PACKET_BLOCK) {
            if length > MAX_BLOCK {
                return Err(self.place.broken(format!("a block of {length} bytes, more than {MAX_BLOCK}")));
            }
            if self.read(12, rest as usize)? < rest as usize {
                return Err(self.place.truncated());
            }
        } else if self.input.skip(u64::from(rest)).map_err(|e| self.place.read(e))? < u64::from(rest) {
            return Err(self.place.truncated());
        }
        Ok(Some((kind, length)))
    }

    fn parse_block(&mut self, length: u32) -> Result<Option<Packet>, CaptureError> {
        let block = self.buf.get(..length as usize).unwrap_or_default();
        let parsed = if self.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        let Ok((_, block)) = parsed else {
            return Err(self.place.broken("a block whose parts don't fit its length"));
        };
        match block {
            Block::SectionHeader(_) => {
                self.earlier = self.earlier.saturating_add(self.interfaces.len());
                self.interfaces.clear();
                Ok(None)
            }
            Block::InterfaceDescription(idb) => {
                let interface = describe(&idb, self.big_endian);
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Err(self.place.broken("more than 65536 interfaces"));
                }
                self.interfaces.push(interface);
                Ok(None)
            }
            Block::EnhancedPacket(epb) => Ok(Some(Packet {
                interface: epb.if_id as usize,
                ticks: Some((u64::from(epb.ts_high) << 32) | u64::from(epb.ts_low)),
                wire_len: epb.origlen,
                from: 28,
                to: 28 + epb.caplen as usize,
            })),
            Block::SimplePacket(spb) => {
                let snap = self.interfaces.first().map_or(0, |interface| interface.snap_length);
                let snap = if snap == 0 { u32::MAX } else { snap };
                let kept = (spb.origlen.min(snap) as usize).min(spb.data.len());
                Ok(Some(Packet { interface: 0, ticks: None, wire_len: spb.origlen, from: 12, to: 12 + kept }))
            }
            _ => Ok(None),
        }
    }

    fn obsolete_packet(&self, length: u32) -> Result<Packet, CaptureError> {
        let (captured, wire_len) = (self.word(20), self.word(24));
        if u64::from(length) < 32 + u64::from(captured) {
            return Err(self.place.broken("a packet block whose parts don't fit its length"));
        }
        let interface = if self.big_endian { self.word(8) >> 16 } else { self.word(8) & 0xffff };
        Ok(Packet {
            interface: interface as usize,
            ticks: Some((u64::from(self.word(12)) << 32) | u64::from(self.word(16))),
            wire_len,
            from: 28,
            to: 28 + captured as usize,
        })
    }

    fn read(&mut self, from: usize, n: usize) -> Result<usize, CaptureError> {
        self.input.read(&mut self.buf, from, n).map_err(|e| self.place.read(e))
    }

    fn word(&self, at: usize) -> u32 {
        self.order(at, self.big_endian)
    }

    fn order(&self, at: usize, big_endian: bool) -> u32 {
        let bytes = self.buf.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).unwrap_or_default();
        if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// pcap-parser reads the time offset as little-endian in any section, and no binary resolution.
fn describe(idb: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Interface {
    let exponent = u32::from(idb.if_tsresol & 0x7f);
    let base: u64 = if idb.if_tsresol & 0x80 == 0 { 10 } else { 2 };
    Interface {
        number: idb.linktype.0,
        snap_length: idb.snaplen,
        // Finer than 64 bits can say: no time but that of 1970 is left.
        units: base.checked_pow(exponent).unwrap_or(u64::MAX),
        offset: if big_endian { idb.if_tsoffset.swap_bytes() } else { idb.if_tsoffset },
    }
}

fn time(ticks: u64, interface: &Interface) -> Timestamp {
    let seconds = i64::try_from(ticks / interface.units).unwrap_or(i64::MAX);
    let fraction = u128::from(ticks % interface.units) * 1_000_000 / u128::from(interface.units);
    let micros = i64::try_from(fraction).unwrap_or(0);
    Timestamp::from_parts(seconds.saturating_add(interface.offset), micros)
}
