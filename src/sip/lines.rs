//! The lines of a message's head, one after the other, each byte looked at once.
//!
//! In: the head and whatever follows it. Out: lines, folded ones whole.
//! Never: looks beyond the 64 bytes in which the last line asked for ends.

use super::block::{BLOCK, equal};

/// A line and those that continue it.
pub struct Line<'a> {
    /// Without its line end; folds inside stay.
    pub text: &'a [u8],
    /// How many lines continue it.
    pub folds: usize,
    /// Bytes of its line end: CR LF, LF alone, or none where the text ends.
    pub end: usize,
}

/// Where in the text the reading stands.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    /// What hasn't been given yet.
    rest: &'a [u8],
    /// Where the block begins that `feeds` belongs to, counted from `rest` and so wrapped below 0.
    block: usize,
    /// The block's LFs still to come.
    feeds: u64,
    /// The blocks behind it, and what is left behind them.
    blocks: &'a [[u8; BLOCK]],
    left: &'a [u8],
}

impl<'a> Lines<'a> {
    /// At the beginning of a text.
    #[inline(always)]
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        let (blocks, left) = text.as_chunks();
        Self { rest: text, block: 0usize.wrapping_sub(BLOCK), feeds: 0, blocks, left }
    }

    /// What hasn't been given yet.
    #[inline(always)]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next line's first four bytes, the first one lowest; 0 where the text ends.
    #[inline(always)]
    pub(super) fn word(&self) -> u32 {
        self.rest.first_chunk().map_or_else(|| last_word(self.rest), |word| u32::from_le_bytes(*word))
    }

    /// The next line, and the four bytes behind it as [`Lines::word`] gives them, if the line ends
    /// in CR LF and the text goes on for a block; otherwise it is still to come.
    #[inline(always)]
    pub(super) fn plain(&mut self) -> Option<(&'a [u8], u32)> {
        while self.feeds == 0 {
            let (block, blocks) = self.blocks.split_first()?;
            self.feeds = equal(block, b'\n');
            self.blocks = blocks;
            self.block = self.block.wrapping_add(BLOCK);
        }
        let length = self.block.wrapping_add(self.feeds.trailing_zeros() as usize);
        let (line, behind) = self.rest.split_at_checked(length)?;
        let (line, [_, word @ ..]) = (line.strip_suffix(b"\r")?, behind.first_chunk::<5>()?);
        self.rest = behind.get(1..)?;
        self.feeds &= self.feeds.wrapping_sub(1);
        self.block = self.block.wrapping_sub(length).wrapping_sub(1);
        Some((line, u32::from_le_bytes(*word)))
    }

    /// The next line alone, without those that may continue it.
    #[inline(always)]
    pub fn one(&mut self) -> Line<'a> {
        if let Some((text, _)) = self.plain() {
            return Line { text, folds: 0, end: 2 };
        }
        let (behind, line) = self.any();
        *self = behind;
        line
    }

    /// The same, whatever ends it. By value, so that the caller's copy can stay in registers.
    #[inline(never)]
    fn any(mut self) -> (Self, Line<'a>) {
        while self.feeds == 0 {
            let feeds = match self.blocks {
                [block, blocks @ ..] => {
                    self.blocks = blocks;
                    equal(block, b'\n')
                }
                [] if self.left.is_empty() => {
                    let line = Line { text: self.rest, folds: 0, end: 0 };
                    self.rest = &[];
                    return (self, line);
                }
                [] => last_feeds(std::mem::take(&mut self.left)),
            };
            self.feeds = feeds;
            self.block = self.block.wrapping_add(BLOCK);
        }
        let length = self.block.wrapping_add(self.feeds.trailing_zeros() as usize);
        self.feeds &= self.feeds.wrapping_sub(1);
        self.block = self.block.wrapping_sub(length).wrapping_sub(1);
        let (line, behind) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = behind.get(1..).unwrap_or_default();
        let line = match line {
            [text @ .., b'\r'] => Line { text, folds: 0, end: 2 },
            text => Line { text, folds: 0, end: 1 },
        };
        (self, line)
    }

    /// The next line with those that continue it, of this text.
    #[inline(never)]
    pub(super) fn folded(mut self, text: &'a [u8]) -> (Self, Line<'a>) {
        let begin = text.len().wrapping_sub(self.rest.len());
        let line = self.one();
        if matches!(self.rest, [b' ' | b'\t', ..]) {
            self.unfold(text, begin, line.end)
        } else {
            (self, line)
        }
    }

    /// A line that [`Lines::plain`] gave, with those that continue it.
    #[cold]
    pub(super) fn goes_on(self, text: &'a [u8], line: &[u8]) -> (Self, Line<'a>) {
        let behind = self.rest.len().wrapping_add(2).wrapping_add(line.len());
        self.unfold(text, text.len().wrapping_sub(behind), 2)
    }

    fn unfold(mut self, text: &'a [u8], begin: usize, mut end: usize) -> (Self, Line<'a>) {
        let mut folds = 0usize;
        while matches!(self.rest, [b' ' | b'\t', ..]) {
            folds = folds.wrapping_add(1);
            end = self.one().end;
        }
        let length = text.len().wrapping_sub(self.rest.len()).wrapping_sub(end);
        (self, Line { text: text.get(begin..length).unwrap_or_default(), folds, end })
    }
}

#[cold]
fn last_word(rest: &[u8]) -> u32 {
    rest.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

/// The LFs of less than a block.
pub(super) fn last_feeds(text: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    if let Some(slots) = block.get_mut(..text.len()) {
        slots.copy_from_slice(text);
    }
    equal(&block, b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, a byte at a time.
    fn plainly(text: &[u8]) -> Vec<(Vec<u8>, usize, usize)> {
        let mut lines: Vec<(Vec<u8>, usize, usize)> = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.strip_suffix(b"\n").map_or(line, |bare| bare.strip_suffix(b"\r").unwrap_or(bare));
            let end = line.len().saturating_sub(bare.len());
            match lines.last_mut() {
                Some((last, folds, last_end)) if matches!(line, [b' ' | b'\t', ..]) => {
                    last.extend_from_slice(if *last_end == 2 { b"\r\n" } else { b"\n" });
                    last.extend_from_slice(bare);
                    (*folds, *last_end) = (folds.saturating_add(1), end);
                }
                _ => lines.push((bare.to_vec(), 0, end)),
            }
        }
        lines
    }

    /// Line by line, the short way where there is one if it is to be `short`.
    fn read(text: &[u8], short: bool) -> Vec<(Vec<u8>, usize, usize)> {
        let (mut lines, mut out) = (Lines::new(text), Vec::new());
        while !lines.rest().is_empty() {
            let before = lines;
            let plain = if short { lines.plain() } else { None };
            let (behind, line) = match plain {
                Some((line, word)) => {
                    assert_eq!((line, word), (before.any().1.text, lines.word()));
                    lines.goes_on(text, line)
                }
                None => lines.folded(text),
            };
            lines = behind;
            out.push((line.text.to_vec(), line.folds, line.end));
        }
        out
    }

    #[test]
    fn a_line_end_is_found_wherever_the_blocks_part() {
        for length in 0..200usize {
            for end in ["\r\n", "\n", "\r\r\n", "\r\n ", "\n\t", ""] {
                let text = format!("{}{end}Via: x\r\n", "a".repeat(length));
                let text = format!("{text}From: y\r\n\r\nbody");
                for short in [false, true] {
                    assert_eq!(
                        read(text.as_bytes(), short),
                        plainly(text.as_bytes()),
                        "{length} {}",
                        end.escape_debug()
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_that_are_plainly_there(
            pieces in proptest::collection::vec("[a-z]{0,40}|\r|\n|\r\n|\r\n |\t|\x01|\u{fc}", 0..60),
        ) {
            let text = pieces.concat();
            for short in [false, true] {
                prop_assert_eq!(read(text.as_bytes(), short), plainly(text.as_bytes()));
            }
        }
    }
}
