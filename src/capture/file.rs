//! Capture files: pcap and pcapng, also in gzip, also from standard input.
//!
//! In: `Source`. Out: `Frame` after `Frame`, then the end or one clear error.
//! Never: goes by a file's name, panics or allocates without measure on any bytes.

use std::fmt;
use std::path::{Path, PathBuf};

use super::CaptureError;
use super::classic::Classic;
use super::error::Place;
use super::input::Input;
use super::pcapng::PcapNg;
use super::savefile::Savefile;
use crate::frame::Frame;

/// Where a capture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file or a named pipe.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// What a command line means by `arg`: `-` is standard input.
    pub fn from_arg(arg: &Path) -> Self {
        if arg.as_os_str() == "-" { Self::Stdin } else { Self::Path(arg.to_path_buf()) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// An open capture. Frames are lent one at a time.
pub struct FileCapture {
    reader: Reader,
    done: bool,
}

enum Reader {
    Savefile(Savefile),
    Classic(Classic),
    PcapNg(PcapNg),
}

/// Opens a capture and looks at its first bytes.
///
/// # Errors
/// If it can't be opened, is no capture, or is one of a link type that can't be read.
pub fn open(source: &Source) -> Result<FileCapture, CaptureError> {
    let file = source.to_string();
    let input = match source {
        Source::Path(path) => Input::path(path),
        Source::Stdin => Input::stdin(),
    };
    let mut input = input.map_err(|source| CaptureError::Open { file: file.clone(), source })?;
    let place = Place { file, frames: 0, offset: 0 };
    let mut head = Vec::new();
    let got = input.read(&mut head, 0, 4).map_err(|e| place.read(e))?;
    head.truncate(got);
    let reader = match kind(&head) {
        Kind::PcapNg => Reader::PcapNg(PcapNg::open(input, &head, place)),
        Kind::Pcap => match plain(source, &input) {
            Some((path, total)) => Reader::Savefile(Savefile::open(path, total, place)?),
            None => Reader::Classic(Classic::open(input, &head, place)?),
        },
        Kind::Other(what) => return Err(CaptureError::NotCapture { file: place.file, what }),
    };
    Ok(FileCapture { reader, done: false })
}

/// The path that libpcap can open by itself: a regular, uncompressed file with a printable name.
fn plain<'a>(source: &'a Source, input: &Input) -> Option<(&'a Path, u64)> {
    let Source::Path(path) = source else { return None };
    let (_, total) = input.progress();
    let plain = !input.is_gzip() && path.to_str().is_some_and(|name| name != "-");
    total.filter(|_| plain).map(|total| (path.as_path(), total))
}

impl FileCapture {
    /// The next frame; `None` at the end. After an error there is nothing more.
    ///
    /// # Errors
    /// If the capture is cut off or broken there, or if reading fails.
    #[expect(clippy::should_implement_trait, reason = "it lends its frames, which Iterator can't")]
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        if self.done {
            return Ok(None);
        }
        // Each reader's end is told apart where it's known, so that a frame stays in registers on its way
        // to whoever reads it: through memory it would be written in pieces and read back whole.
        match &mut self.reader {
            Reader::Savefile(reader) => match reader.next() {
                Ok(Some(frame)) => Ok(Some(frame)),
                end => over(&mut self.done, end),
            },
            Reader::Classic(reader) => match reader.next() {
                Ok(Some(frame)) => Ok(Some(frame)),
                end => over(&mut self.done, end),
            },
            Reader::PcapNg(reader) => match reader.next() {
                Ok(Some(frame)) => Ok(Some(frame)),
                end => over(&mut self.done, end),
            },
        }
    }

    /// Bytes of the file read so far, and its size if that's known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        match &self.reader {
            Reader::Savefile(reader) => reader.progress(),
            Reader::Classic(reader) => reader.progress(),
            Reader::PcapNg(reader) => reader.progress(),
        }
    }
}

/// There is nothing more.
#[cold]
const fn over<T>(done: &mut bool, end: T) -> T {
    *done = true;
    end
}

enum Kind {
    Pcap,
    PcapNg,
    Other(String),
}

/// What a file is, by its first four bytes.
fn kind(head: &[u8]) -> Kind {
    let Ok(magic) = <[u8; 4]>::try_from(head) else {
        let n = head.len();
        return Kind::Other(if n == 0 { "it is empty".into() } else { format!("it has only {n} bytes") });
    };
    match magic {
        [0x0a, 0x0d, 0x0d, 0x0a] => Kind::PcapNg,
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xd4, 0xc3, 0xb2, 0xa1] => Kind::Pcap,
        [0xa1, 0xb2, 0x3c, 0x4d] | [0x4d, 0x3c, 0xb2, 0xa1] => Kind::Pcap,
        [0x34, 0xcd, 0xb2, 0xa1] => Kind::Pcap,
        [0x28, 0xb5, 0x2f, 0xfd] => Kind::Other("it is compressed with zstd; decompress it first".into()),
        [0xfd, b'7', b'z', b'X'] => Kind::Other("it is compressed with xz; decompress it first".into()),
        [b'B', b'Z', b'h', _] => Kind::Other("it is compressed with bzip2; decompress it first".into()),
        [b'P', b'K', 3, 4] => Kind::Other("it is a zip archive; unpack it first".into()),
        [b's', b'n', b'o', b'o'] => {
            Kind::Other("it is a Solaris snoop file; convert it with `editcap -F pcap`".into())
        }
        [a, b, c, d] => Kind::Other(format!("it begins with {a:02x} {b:02x} {c:02x} {d:02x}")),
    }
}

#[cfg(test)]
mod tests;
