//! IP reassembly: fragments in any order, bounded by count, bytes and age.
//!
//! In: fragments. Out: the whole payload; or, when the rest never comes, its beginning.
//! Never: lets a later fragment change what an earlier one said, grows without bound.

use std::collections::VecDeque;
use std::net::IpAddr;

use etherparse::defrag::{IpDefragBuf, IpFragRange};
use etherparse::{IpFragOffset, IpNumber};

use super::decoder::Settings;
use super::way::Way;
use super::{Defrag, Path, Skip, Stats};
use crate::bounded::Table;
use crate::time::{Span, Timestamp};

/// Beginnings and further messages that wait to be asked for: more than any one packet can hold.
const MAX_PENDING: usize = 4_096;
/// A UDP header.
const MIN_BEGINNING: usize = 8;

/// What fragments of one packet share (RFC 791, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    /// Only IPv4 tells packets apart by it; 44 for IPv6.
    pub(super) protocol: u8,
    pub(super) id: u32,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'f> {
    pub(super) protocol: u8,
    pub(super) offset: IpFragOffset,
    pub(super) more: bool,
    pub(super) payload: &'f [u8],
}

/// A payload that the decoder owns, and how to go on with it.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) way: Way,
    pub(super) protocol: u8,
    pub(super) bytes: Vec<u8>,
}

/// What is there beyond the frame that was just decoded.
#[derive(Debug)]
pub(super) enum Pending {
    /// The beginning of a packet whose rest never came.
    Beginning(Rest),
    /// A datagram's payload.
    Datagram { path: Path, bytes: Vec<u8>, truncated: bool },
}

#[derive(Debug)]
struct Entry {
    buf: IpDefragBuf,
    /// From the fragment at offset 0, once it's there.
    way: Way,
    protocol: u8,
    since: Timestamp,
    /// The packet was handed on; its bytes stay to tell a duplicate from a re-used id.
    done: bool,
}

impl Entry {
    fn new(way: &Way, piece: &Piece<'_>) -> Self {
        Self {
            buf: IpDefragBuf::new(IpNumber(piece.protocol), Vec::new(), Vec::new()),
            way: *way,
            protocol: piece.protocol,
            since: way.ts,
            done: false,
        }
    }

    fn size(&self) -> usize {
        self.buf.data().capacity()
    }

    /// Whether the fragment says only what is known already.
    fn repeats(&self, piece: &Piece<'_>) -> bool {
        let start = usize::from(piece.offset.byte_offset());
        let end = start.saturating_add(piece.payload.len());
        let is_last = self.buf.end().map(usize::from) == Some(end);
        self.buf.data().get(start..end) == Some(piece.payload) && piece.more != is_last
    }
}

/// All packets that wait for their rest.
#[derive(Debug)]
pub(super) struct Fragments {
    table: Table<Key, Entry>,
    settings: Settings,
    bytes: usize,
    pub(super) pending: VecDeque<Pending>,
}

impl Fragments {
    pub(super) fn new(settings: Settings) -> Self {
        let table = Table::new(settings.fragmented_packets, 0);
        Self { table, settings, bytes: 0, pending: VecDeque::new() }
    }

    /// Takes a fragment in; gives the whole payload when it's the last that was missing.
    pub(super) fn add(&mut self, stats: &Stats, way: &Way, key: Key, piece: Piece<'_>) -> Result<Rest, Skip> {
        self.expire(stats, way.ts);
        let inserted = self.table.find_or_insert(&key, way.ts, || Entry::new(way, &piece));
        if let Some((_, _, entry)) = inserted.evicted {
            self.give_up(stats, entry, Defrag::Evicted);
        }
        let Some(entry) = self.table.get_mut(inserted.slot) else { return Err(Skip::Fragment) };
        if entry.done && entry.repeats(&piece) {
            stats.defrag.bump(Defrag::Duplicate);
            return Err(Skip::Fragment);
        }
        let too_old = way.ts.since(entry.since) > self.settings.fragment_age;
        if entry.done || too_old {
            let old = std::mem::replace(entry, Entry::new(way, &piece));
            self.give_up(stats, old, Defrag::Expired);
        }
        let Some(entry) = self.table.get_mut(inserted.slot) else { return Err(Skip::Fragment) };
        let before = entry.size();
        let result = insert(entry, stats, way, &piece);
        self.bytes = self.bytes.saturating_add(entry.size()).saturating_sub(before);
        self.shrink(stats);
        result
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, stats: &Stats, now: Timestamp) {
        while let Some((_, entry)) = self.table.expire(now.minus(self.settings.fragment_age)) {
            self.give_up(stats, entry, Defrag::Expired);
        }
    }

    /// When the oldest has waited too long.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.table.oldest().map(|(_, at)| at.plus(self.settings.fragment_age).plus(Span(1)))
    }

    fn shrink(&mut self, stats: &Stats) {
        while self.bytes > self.settings.fragment_bytes {
            let Some((_, entry)) = self.table.expire(Timestamp(i64::MAX)) else { return };
            self.give_up(stats, entry, Defrag::Evicted);
        }
    }

    fn give_up(&mut self, stats: &Stats, entry: Entry, why: Defrag) {
        self.bytes = self.bytes.saturating_sub(entry.size());
        if entry.done {
            return;
        }
        stats.defrag.bump(why);
        let beginning = entry.buf.sections().iter().find(|range| range.start == 0).map(|range| range.end);
        let length = beginning.map_or(0, usize::from);
        if length < MIN_BEGINNING {
            return;
        }
        stats.defrag.bump(Defrag::FirstOnly);
        let (mut bytes, _) = entry.buf.take_bufs();
        bytes.truncate(length);
        let mut way = entry.way;
        way.truncated = true;
        self.later(stats, Pending::Beginning(Rest { way, protocol: entry.protocol, bytes }));
    }

    /// Keeps something until it's asked for.
    pub(super) fn later(&mut self, stats: &Stats, what: Pending) {
        if self.pending.len() >= MAX_PENDING {
            self.pending.pop_front();
            stats.defrag.bump(Defrag::Lost);
        }
        self.pending.push_back(what);
    }
}

fn insert(entry: &mut Entry, stats: &Stats, way: &Way, piece: &Piece<'_>) -> Result<Rest, Skip> {
    check(entry, piece)?;
    let start = piece.offset.byte_offset();
    let length = u16::try_from(piece.payload.len()).map_err(|_| Skip::FragmentBad)?;
    let end = start.checked_add(length).ok_or(Skip::FragmentBad)?;
    let gaps = gaps(entry.buf.sections(), start, end);
    if gaps != [IpFragRange { start, end }] {
        count_overlap(entry, stats, piece);
    }
    if start == 0 && gaps.first().is_some_and(|gap| gap.start == 0) {
        entry.way = *way;
        entry.protocol = piece.protocol;
    }
    for gap in gaps {
        let from = usize::from(gap.start.saturating_sub(start));
        let to = usize::from(gap.end.saturating_sub(start));
        let bytes = piece.payload.get(from..to).unwrap_or_default();
        fill(entry, gap.start, piece.more || gap.end != end, bytes)?;
    }
    // The end may be news even where the bytes are not.
    if !piece.more && entry.buf.end().is_none() {
        fill(entry, end, false, &[])?;
    }
    if !entry.buf.is_complete() {
        return Err(Skip::Fragment);
    }
    entry.done = true;
    stats.defrag.bump(Defrag::Joined);
    Ok(Rest { way: entry.way, protocol: entry.protocol, bytes: entry.buf.data().clone() })
}

fn fill(entry: &mut Entry, start: u16, more: bool, bytes: &[u8]) -> Result<(), Skip> {
    let offset = IpFragOffset::try_new(start / 8).map_err(|_| Skip::FragmentBad)?;
    entry.buf.add(offset, more, bytes).map_err(|_| Skip::FragmentBad)
}

/// Refuses what contradicts the packet's length, before anything is stored.
fn check(entry: &Entry, piece: &Piece<'_>) -> Result<(), Skip> {
    let end = usize::from(piece.offset.byte_offset()).saturating_add(piece.payload.len());
    let known = entry.buf.sections().iter().map(|range| usize::from(range.end)).max().unwrap_or(0);
    let unaligned = piece.more && piece.payload.len() & 7 != 0;
    let empty = piece.payload.is_empty();
    let beyond = entry.buf.end().is_some_and(|last| {
        let last = usize::from(last);
        end > last || (!piece.more && end != last)
    });
    let short = !piece.more && end < known;
    if unaligned || empty || beyond || short || end > usize::from(u16::MAX) {
        Err(Skip::FragmentBad)
    } else {
        Ok(())
    }
}

fn count_overlap(entry: &Entry, stats: &Stats, piece: &Piece<'_>) {
    let start = piece.offset.byte_offset();
    let differs = entry.buf.sections().iter().any(|range| {
        let from = usize::from(range.start.max(start));
        let to = usize::from(range.end);
        let new = piece.payload.get(from.saturating_sub(usize::from(start))..).unwrap_or_default();
        let old = entry.buf.data().get(from..to).unwrap_or_default();
        old.iter().zip(new).any(|(a, b)| a != b)
    });
    stats.defrag.bump(if differs { Defrag::Overlap } else { Defrag::Duplicate });
}

/// The parts of `start..end` that no section covers, in order.
fn gaps(sections: &[IpFragRange], start: u16, end: u16) -> Vec<IpFragRange> {
    let mut sections = sections.to_vec();
    sections.sort_unstable_by_key(|range| range.start);
    let mut out = Vec::new();
    let mut at = start;
    for range in sections {
        if range.end <= at || range.start >= end {
            continue;
        }
        if range.start > at {
            out.push(IpFragRange { start: at, end: range.start });
        }
        at = at.max(range.end);
    }
    if at < end {
        out.push(IpFragRange { start: at, end });
    }
    out
}
