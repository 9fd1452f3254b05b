//! Classic pcap from a stream: a pipe or gzip, which libpcap can't open by name.
//!
//! In: `Input`. Out: the same frames that libpcap gives for the same bytes in a plain file.
//! Never: takes a record for longer than libpcap would.

use pcap_parser::pcap::{PcapHeader, parse_pcap_header};

use super::CaptureError;
use super::error::Place;
use super::input::Input;
use crate::frame::{Frame, Link};
use crate::time::Timestamp;

/// Length of a pcap file's header in bytes.
pub(super) const FILE_HEADER: u64 = 24;
/// Length of a pcap record's header in bytes.
pub(super) const RECORD_HEADER: u64 = 16;
/// libpcap's bound on a record of the link types that can be read, in bytes.
pub(super) const MAX_RECORD: u32 = 262_144;

/// A record's time. The format's seconds are an unsigned 32-bit number (good until 2106), which
/// libpcap hands on as a signed one.
#[inline]
pub(super) fn timestamp(seconds: i64, micros: i64) -> Timestamp {
    Timestamp::from_parts(seconds & 0xffff_ffff, micros)
}

/// A pcap stream.
pub(super) struct Classic {
    input: Input,
    header: PcapHeader,
    link: Link,
    buf: Vec<u8>,
    place: Place,
}

impl Classic {
    /// `head` holds the first bytes of the stream, which were read to see what it is.
    pub(super) fn open(mut input: Input, head: &[u8], mut place: Place) -> Result<Self, CaptureError> {
        let mut buf = head.to_vec();
        let rest = (FILE_HEADER as usize).saturating_sub(head.len());
        if input.read(&mut buf, head.len(), rest).map_err(|e| place.read(e))? < rest {
            return Err(place.truncated());
        }
        let (_, header) =
            parse_pcap_header(&buf).map_err(|_| place.broken("the file header can't be read"))?;
        if header.version_major != 2 {
            let (major, minor) = (header.version_major, header.version_minor);
            return Err(place.broken(format!("pcap version {major}.{minor} instead of 2.4")));
        }
        // The upper bits tell of a frame check sequence, not of the link type.
        let number = header.network.0 & 0x03ff_ffff;
        let link = Link::from_number(number).ok_or_else(|| place.link_type(number, String::new()))?;
        place.offset = FILE_HEADER;
        Ok(Self { input, header, link, buf, place })
    }

    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        let Some(record) = self.read_record()? else { return Ok(None) };
        let micros = i64::from(record.fraction.cast_signed());
        let micros = if self.header.is_nanosecond_precision() { micros.div_euclid(1_000) } else { micros };
        let data = self.buf.get(..record.kept).unwrap_or_default();
        Ok(Some(Frame {
            ts: timestamp(i64::from(record.seconds), micros),
            link: self.link,
            interface: 0,
            wire_len: record.wire_len.max(u32::try_from(record.kept).unwrap_or(u32::MAX)),
            data,
        }))
    }

    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        self.input.progress()
    }

    /// Reads a record; its bytes are then at the front of `buf`.
    fn read_record(&mut self) -> Result<Option<Record>, CaptureError> {
        let header_len: u64 = if self.header.is_modified_format() { 24 } else { RECORD_HEADER };
        match self.input.read(&mut self.buf, 0, header_len as usize) {
            Ok(0) => return Ok(None),
            Ok(n) if n as u64 == header_len => {}
            Ok(_) => return Err(self.place.truncated()),
            Err(e) => return Err(self.place.read(e)),
        }
        let mut record = self.parse_header();
        if record.length > MAX_RECORD {
            let length = record.length;
            return Err(self
                .place
                .broken(format!("a captured length of {length} bytes, more than {MAX_RECORD}")));
        }
        let length = record.length as usize;
        if self.input.read(&mut self.buf, 0, length).map_err(|e| self.place.read(e))? < length {
            return Err(self.place.truncated());
        }
        record.kept = length.min(self.snap_length());
        self.place.frames = self.place.frames.saturating_add(1);
        let whole = header_len.saturating_add(u64::from(record.length));
        self.place.offset = self.place.offset.saturating_add(whole);
        Ok(Some(record))
    }

    fn parse_header(&self) -> Record {
        let word = |at: usize| {
            let bytes = self.buf.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok());
            let bytes = bytes.unwrap_or_default();
            if self.header.is_bigendian() { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        Record { seconds: word(0), fraction: word(4), length: word(8), wire_len: word(12), kept: 0 }
    }

    /// libpcap cuts records to the file's snap length, unless that is 0 or absurd.
    fn snap_length(&self) -> usize {
        match self.header.snaplen {
            0 => MAX_RECORD as usize,
            n => (n.min(MAX_RECORD)) as usize,
        }
    }
}

/// A record's header.
struct Record {
    seconds: u32,
    fraction: u32,
    length: u32,
    wire_len: u32,
    /// How many of its bytes are kept.
    kept: usize,
}
