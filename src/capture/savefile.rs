//! Plain pcap files, through libpcap.
//!
//! In: a regular file's path. Out: `Frame`. Never: reads a pipe or compressed data.

use std::path::Path;

use pcap::{Capture, Offline, Precision};

use super::CaptureError;
use super::classic::{FILE_HEADER, RECORD_HEADER, timestamp};
use super::error::Place;
use crate::frame::{Frame, Link};

/// A pcap file that libpcap reads.
pub(super) struct Savefile {
    capture: Capture<Offline>,
    link: Link,
    place: Place,
    total: u64,
}

impl Savefile {
    pub(super) fn open(path: &Path, total: u64, mut place: Place) -> Result<Self, CaptureError> {
        let capture = Capture::from_file_with_precision(path, Precision::Nano)
            .map_err(|error| failure(error, &place))?;
        let number = capture.get_datalink().0;
        let link = Link::from_number(number).ok_or_else(|| place.link_type(number, String::new()))?;
        place.offset = FILE_HEADER;
        Ok(Self { capture, link, place, total })
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        match self.capture.next_packet() {
            Ok(packet) => {
                let header = packet.header;
                self.place.frames = self.place.frames.saturating_add(1);
                let record = RECORD_HEADER.saturating_add(u64::from(header.caplen));
                self.place.offset = self.place.offset.saturating_add(record);
                Ok(Some(Frame {
                    ts: timestamp(header.ts.tv_sec, header.ts.tv_usec.div_euclid(1_000)),
                    link: self.link,
                    interface: 0,
                    wire_len: header.len.max(header.caplen),
                    data: packet.data,
                }))
            }
            Err(error) => end(error, &self.place).map_or(Ok(None), Err),
        }
    }

    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        (self.place.offset, Some(self.total))
    }
}

/// What ended it, if that was no end of the file.
#[cold]
fn end(error: pcap::Error, place: &Place) -> Option<CaptureError> {
    (error != pcap::Error::NoMorePackets).then(|| failure(error, place))
}

/// libpcap tells its failures apart only by their text.
fn failure(error: pcap::Error, place: &Place) -> CaptureError {
    match error {
        pcap::Error::PcapError(text) if text.starts_with("truncated dump file") => place.truncated(),
        pcap::Error::PcapError(text) => place.broken(text),
        other => place.broken(other.to_string()),
    }
}
