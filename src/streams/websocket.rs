//! WebSocket (RFC 6455) as far as SIP uses it (RFC 7118): frames, masks, fragments.
//!
//! In: bytes in order. Out: whole messages.
//! Never: decompresses, holds more than one message of at most 128 KiB.

use crate::sip::{Sniff, sniff::sniff};

/// Longest message that is put together, in bytes.
const MESSAGE_MAX: usize = 128 * 1024;
/// What stands next in a stream of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The frame goes on.
    More,
    /// So many bytes are done with.
    Used(usize),
    /// So many bytes are done with, and a message is whole.
    Message(usize),
    /// So many bytes are done with; they begin a compressed message.
    Compressed(usize),
    /// So many bytes are done with; they are of a message too long to hold.
    TooLong(usize),
    /// No frame.
    Broken,
}

/// A frame's header.
struct Header {
    last: bool,
    compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// Of the header itself.
    size: usize,
    length: u64,
}

/// RFC 6455 section 5.2. The outer `None`: more is needed; the inner one: no frame.
fn header(bytes: &[u8]) -> Option<Option<Header>> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match second & 0x7f {
        126 => rest.split_first_chunk::<2>().map(|(n, rest)| (u64::from(u16::from_be_bytes(*n)), rest))?,
        127 => rest.split_first_chunk::<8>().map(|(n, rest)| (u64::from_be_bytes(*n), rest))?,
        short => (u64::from(short), rest),
    };
    let (mask, rest) = if second & 0x80 != 0 {
        rest.split_first_chunk::<4>().map(|(mask, rest)| (Some(*mask), rest))?
    } else {
        (None, rest)
    };
    let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
    let sound = match opcode {
        0..=2 => length <= u64::from(u32::MAX),
        8..=10 => last && length <= 125 && first & 0x40 == 0,
        _ => false,
    };
    if !sound || first & 0x30 != 0 {
        return Some(None);
    }
    let size = bytes.len().saturating_sub(rest.len());
    Some(Some(Header { last, compressed: first & 0x40 != 0, opcode, mask, size, length }))
}

/// Whether a data frame stands here whose payload begins like SIP.
pub(super) fn begins_with_sip(bytes: &[u8]) -> bool {
    let Some(Some(header)) = header(bytes) else { return false };
    let payload = bytes.get(header.size..).unwrap_or_default();
    let mut payload: Vec<u8> = payload.iter().take(256).copied().collect();
    unmask(&mut payload, 0, header.mask);
    matches!(header.opcode, 1 | 2) && !header.compressed && sniff(&payload) == Sniff::Sip
}

fn unmask(bytes: &mut [u8], from: usize, mask: Option<[u8; 4]>) {
    let Some(mask) = mask else { return };
    for (byte, key) in bytes.iter_mut().skip(from).zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// One direction of a WebSocket connection.
#[derive(Debug, Default)]
pub(super) struct Frames {
    message: Vec<u8>,
    /// Whether the message before this frame's end is being passed over.
    dropping: bool,
    /// Whether `message` is whole: the next frame begins another.
    whole: bool,
    /// Bytes of a frame that are still to be passed over.
    skip: u64,
}

impl Frames {
    pub(super) fn size(&self) -> usize {
        self.message.capacity()
    }

    /// The message that `Step::Message` told of.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Step {
        if std::mem::take(&mut self.whole) {
            self.message = Vec::new();
        }
        if self.skip > 0 {
            let step = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip = self.skip.saturating_sub(step as u64);
            return Step::Used(step);
        }
        match header(bytes) {
            None => Step::More,
            Some(None) => Step::Broken,
            Some(Some(header)) if header.opcode >= 8 => control(&header, bytes),
            Some(Some(header)) => self.data(&header, bytes),
        }
    }

    fn data(&mut self, header: &Header, bytes: &[u8]) -> Step {
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let begins = header.opcode != 0;
        if begins {
            self.message.clear();
            self.dropping = header.compressed;
        }
        let too_long = self.message.len().saturating_add(length) > MESSAGE_MAX;
        if self.dropping || too_long {
            let begins_dropping = !self.dropping;
            // A message that is passed over ends with its last frame.
            self.dropping = !header.last;
            self.message = Vec::new();
            self.skip = header.length;
            return match (begins_dropping, header.compressed && begins) {
                (true, _) => Step::TooLong(header.size),
                (false, true) => Step::Compressed(header.size),
                (false, false) => Step::Used(header.size),
            };
        }
        let end = header.size.saturating_add(length);
        let Some(payload) = bytes.get(header.size..end) else { return Step::More };
        let from = self.message.len();
        self.message.extend_from_slice(payload);
        unmask(&mut self.message, from, header.mask);
        self.whole = header.last;
        let filler = self.message.iter().all(|byte| b"\r\n\0 \t".contains(byte));
        if header.last && !filler { Step::Message(end) } else { Step::Used(end) }
    }
}

/// Pings, pongs and the close may stand between the fragments of a message.
fn control(header: &Header, bytes: &[u8]) -> Step {
    let end = header.size.saturating_add(usize::try_from(header.length).unwrap_or(usize::MAX));
    if bytes.len() < end { Step::More } else { Step::Used(end) }
}
