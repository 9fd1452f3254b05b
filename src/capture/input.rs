//! The bytes of a capture: plain or gzip, from a file or a pipe.
//!
//! In: a file or standard input. Out: uncompressed bytes, and how far reading has come.
//! Never: trusts a file's name, reads ahead of what is asked by more than its buffer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

const BUFFER: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Counts what passes, before decompression.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        // A usize always fits.
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// An uncompressed stream of bytes.
pub(super) struct Input {
    reader: Box<dyn BufRead + Send>,
    count: Arc<AtomicU64>,
    total: Option<u64>,
    gzip: bool,
}

impl Input {
    /// A file or a named pipe.
    pub(super) fn path(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let total = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len());
        Self::new(file, total)
    }

    /// Standard input.
    pub(super) fn stdin() -> io::Result<Self> {
        Self::new(io::stdin(), None)
    }

    pub(super) fn new(inner: impl Read + Send + 'static, total: Option<u64>) -> io::Result<Self> {
        let count = Arc::new(AtomicU64::new(0));
        let mut raw = BufReader::with_capacity(BUFFER, Counted { inner, count: Arc::clone(&count) });
        let mut magic = Vec::with_capacity(GZIP.len());
        (&mut raw).take(GZIP.len() as u64).read_to_end(&mut magic)?;
        let gzip = magic == GZIP;
        let raw = io::Cursor::new(magic).chain(raw);
        let reader: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw)))
        } else {
            Box::new(raw)
        };
        Ok(Self { reader, count, total, gzip })
    }

    /// Whether it comes out of gzip.
    pub(super) fn is_gzip(&self) -> bool {
        self.gzip
    }

    /// Bytes read from the file so far (compressed ones, if it is), and its size if that's known.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        (self.count.load(Ordering::Relaxed), self.total)
    }

    /// Reads `n` bytes into the front of `buf` (which keeps its high-water length); fewer only at
    /// the end of the input.
    pub(super) fn read(&mut self, buf: &mut Vec<u8>, from: usize, n: usize) -> io::Result<usize> {
        let end = from.saturating_add(n);
        if buf.len() < end {
            buf.resize(end, 0);
        }
        let mut got = from;
        while let Some(space) = buf.get_mut(got..end).filter(|space| !space.is_empty()) {
            match self.reader.read(space) {
                Ok(0) => break,
                Ok(n) => got = got.saturating_add(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(got.saturating_sub(from))
    }

    /// Passes over `n` bytes; fewer only at the end of the input.
    pub(super) fn skip(&mut self, n: u64) -> io::Result<u64> {
        io::copy(&mut (&mut self.reader).take(n), &mut io::sink())
    }
}
