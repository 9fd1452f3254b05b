//! Bytes looked at sixteen at a time.
//!
//! In: text. Out: which of its bytes are what is sought.
//! Never: calls out. Values are short, and a call costs as much again as looking does.

use wide::{i8x16, u8x16};

/// Bytes in a block of [`equal`].
pub(super) const BLOCK: usize = 64;

/// Whether all bytes are ASCII and none is a blank or a control character; of DEL it isn't told.
#[inline(always)]
pub(super) fn is_graphic(value: &[u8]) -> bool {
    // Signed, one compare catches C0, the blank, and everything from 0x80 on.
    let odd =
        |block: &[u8; 16]| u8x16::new(*block).cast_signed().simd_lt(i8x16::splat(0x21)).to_bitmask() != 0;
    let Some(last) = value.last_chunk() else { return value.iter().all(|byte| matches!(byte, 0x21..=0x7f)) };
    let (blocks, _) = value.as_chunks();
    !odd(last) && !blocks.iter().any(odd)
}

/// The bytes of a block that are `wanted`: bit 0 is the first byte.
#[inline(always)]
pub(super) fn equal(block: &[u8; BLOCK], wanted: u8) -> u64 {
    let (quarters, _) = block.as_chunks::<16>();
    quarters.iter().rev().fold(0, |marks, quarter| (marks << 16) | u64::from(hits(*quarter, [wanted])))
}

/// Offset of the first byte that is one of `wanted`.
#[inline(always)]
pub(super) fn find<const N: usize>(value: &[u8], wanted: [u8; N]) -> Option<usize> {
    let (blocks, tail) = value.as_chunks::<16>();
    let mut at = 0usize;
    for block in blocks {
        let hit = hits(*block, wanted);
        if hit != 0 {
            return Some(at.wrapping_add(first(hit)));
        }
        at = at.wrapping_add(16);
    }
    if tail.is_empty() {
        return None;
    }
    match value.last_chunk::<16>() {
        // What it has in common with the block before is known to hold none.
        Some(last) => {
            let hit = hits(*last, wanted);
            (hit != 0).then(|| value.len().wrapping_sub(16).wrapping_add(first(hit)))
        }
        None => find_short(value, wanted),
    }
}

/// As [`find`], in less than 16 bytes: their two ends, which may overlap, make one block.
#[inline(always)]
fn find_short<const N: usize>(value: &[u8], wanted: [u8; N]) -> Option<usize> {
    if let (Some(head), Some(tail)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        let both = u128::from(u64::from_le_bytes(*head)) | (u128::from(u64::from_le_bytes(*tail)) << 64);
        let at = first(hits(both.to_le_bytes(), wanted));
        return match at {
            0..8 => Some(at),
            8..16 => Some(value.len().wrapping_sub(16).wrapping_add(at)),
            _ => None,
        };
    }
    value.iter().position(|byte| wanted.contains(byte))
}

/// The bytes of a block that are one of `wanted`: bit 0 is the first byte.
#[inline(always)]
fn hits<const N: usize>(block: [u8; 16], wanted: [u8; N]) -> u32 {
    let block = u8x16::new(block);
    let hit = wanted.iter().fold(u8x16::ZERO, |hit, byte| hit | block.simd_eq(u8x16::splat(*byte)));
    hit.to_bitmask()
}

/// Place of the lowest bit; 32 if there is none.
#[inline(always)]
fn first(hit: u32) -> usize {
    hit.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_is_found_wherever_it_stands() {
        for length in 0..70 {
            for at in 0..length {
                let mut text = vec![b'\x0b'; length];
                text[at] = b';';
                assert_eq!(find(&text, [b';']), Some(at), "{length}");
                assert_eq!(find(&text, [b',', b';', b'"']), Some(at), "{length}");
                text[length.saturating_sub(1)] = b';';
                assert_eq!(find(&text, [b';']), Some(at), "{length}");
                text[at / 2] = b',';
                assert_eq!(find(&text, [b';', b',']), Some(at / 2), "{length}");
            }
            assert_eq!(find(&vec![b'\xbb'; length], [b';', b'"']), None);
        }
    }

    #[test]
    fn bytes_are_told_wherever_they_stand() {
        for byte in 0..=255u8 {
            for at in 0..BLOCK {
                let mut text = [b'~'; BLOCK];
                text[at] = byte;
                let same = if byte == b'~' { u64::MAX } else { 1 << at };
                assert_eq!(equal(&text, byte), same, "{byte:#x} {at}");
                let graphic = (b'!'..=0x7f).contains(&byte);
                for length in [at + 1, BLOCK] {
                    assert_eq!(is_graphic(&text[..length]), graphic, "{byte:#x} {at} {length}");
                }
            }
        }
        assert!(is_graphic(b""));
    }
}
