//! What can go wrong with a capture, said so that an administrator can act on it.
//!
//! In: where and why it went wrong. Out: `CaptureError`. Never: shows bytes of the capture.

use crate::frame::Link;

/// Why a capture can't be opened or read on. What stood before the fault has been delivered.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file can't be opened.
    #[error("{file}: can't be opened: {source}")]
    Open {
        /// Its name.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no capture.
    #[error("{file}: not a capture: {what}; pcap, pcapng and either of them in gzip can be read")]
    NotCapture {
        /// Its name.
        file: String,
        /// What it looks like instead.
        what: String,
    },
    /// Some or all of its frames have a link type that can't be read.
    #[error(
        "{file}: {frames}link type {number} ({name}) can't be read; capture on the Ethernet interface \
         or convert the file; what can be read: {}",
        readable()
    )]
    LinkType {
        /// Its name.
        file: String,
        /// The link type's number in the tcpdump.org registry.
        number: i32,
        /// libpcap's name for it.
        name: String,
        /// Which frames it concerns: empty for all of them, else a phrase.
        frames: String,
    },
    /// The file ends inside a frame.
    #[error(
        "{file}: cut off inside {}; copy the file again, or stop the capture before copying",
        place(*frame, *offset)
    )]
    Truncated {
        /// Its name.
        file: String,
        /// The number of the frame that is incomplete, counted from 1.
        frame: u64,
        /// Where that frame begins, in (uncompressed) bytes from the file's beginning.
        offset: u64,
    },
    /// The file contradicts itself.
    #[error(
        "{file}: broken at frame {frame} (at byte {offset}): {what}; the frames before it were read; \
         copy the file again, or see what `capinfos` says of it"
    )]
    Broken {
        /// Its name.
        file: String,
        /// The number of the frame that can't be read, counted from 1.
        frame: u64,
        /// Where that frame begins, in (uncompressed) bytes from the file's beginning.
        offset: u64,
        /// What contradicts what.
        what: String,
    },
    /// Reading failed.
    #[error("{file}: can't be read on at frame {frame} (at byte {offset}): {source}")]
    Read {
        /// Its name.
        file: String,
        /// The number of the frame that was to be read, counted from 1.
        frame: u64,
        /// Where reading failed, in (uncompressed) bytes from the file's beginning.
        offset: u64,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Where a capture is cut off; at its first byte stands its own header, and no frame was read.
fn place(frame: u64, offset: u64) -> String {
    match offset {
        0 => "its own header: there is no frame in it".to_owned(),
        _ => format!("frame {frame} (at byte {offset}); the frames before it were read"),
    }
}

/// Every link type that can be read, as a list for people.
fn readable() -> String {
    let names: Vec<_> = (0..=1_024)
        .filter(|number| Link::from_number(*number).is_some())
        .map(|number| format!("{} {number}", link_name(number)))
        .collect();
    names.join(", ")
}

/// libpcap's name of a link type.
pub(super) fn link_name(number: i32) -> String {
    pcap::Linktype(number).get_name().unwrap_or_else(|_| String::from("unknown"))
}

/// Where in which capture a reader stands: what an error must say.
#[derive(Debug)]
pub(super) struct Place {
    /// The file's name.
    pub(super) file: String,
    /// How many frames were read so far.
    pub(super) frames: u64,
    /// Where the next record begins.
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn truncated(&self) -> CaptureError {
        let (file, frame) = (self.file.clone(), self.frames.saturating_add(1));
        CaptureError::Truncated { file, frame, offset: self.offset }
    }

    pub(super) fn broken(&self, what: impl Into<String>) -> CaptureError {
        let (file, frame) = (self.file.clone(), self.frames.saturating_add(1));
        CaptureError::Broken { file, frame, offset: self.offset, what: what.into() }
    }

    pub(super) fn read(&self, source: std::io::Error) -> CaptureError {
        let (file, frame) = (self.file.clone(), self.frames.saturating_add(1));
        match source.kind() {
            // The decompressor says so when the compressed file itself is cut off.
            std::io::ErrorKind::UnexpectedEof => self.truncated(),
            _ => CaptureError::Read { file, frame, offset: self.offset, source },
        }
    }

    pub(super) fn link_type(&self, number: i32, frames: String) -> CaptureError {
        CaptureError::LinkType { file: self.file.clone(), number, name: link_name(number), frames }
    }
}
