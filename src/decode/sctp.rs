//! SCTP: whole messages out of chunks (RFC 9260), interleaved ones too (RFC 8260).
//!
//! In: SCTP packets, in any order and as often as the mirror shows them. Out: messages.
//! Never: joins what doesn't follow one another, lets a later chunk change what an earlier one
//! said, grows without bound.

use std::hash::BuildHasher;
use std::net::SocketAddr;

use super::fragment::{Fragments, Pending};
use super::way::Way;
use super::{Datagram, Defrag, Encap, Path, Skip, Stats};
use crate::bounded::{KeyedHash, Table};
use crate::time::{Span, Timestamp};

/// Associations, each direction by itself, of which a message waits for its rest.
const MAX_ASSOCIATIONS: usize = 256;
/// What all of them may hold in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Chunks of one association that may wait.
const MAX_CHUNKS: usize = 512;
/// Longest message that is put together in bytes, as with TCP.
const MAX_MESSAGE: usize = 128 * 1024;
/// Messages of one association that are remembered, to tell a copy from something new.
const MAX_DONE: usize = 8;
/// How long a message may wait: a lost chunk is sent again after 1 s at first (RFC 9260 section 16).
const AGE: Span = Span::seconds(10);

/// SCTP in UDP (RFC 6951 section 4.1).
pub(super) const IN_UDP: u16 = 9_899;

/// One direction of an association. Addresses are part of it, for the tag is no secret to whoever
/// could send others' chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: SocketAddr,
    dst: SocketAddr,
    tag: u32,
}

/// What numbers chunks: DATA the association (as receivers do, whatever its stream says), I-DATA
/// the message: unordered or not, stream, message.
type Place = Option<(bool, u16, u32)>;

/// A piece of user data.
#[derive(Clone, Copy, Debug)]
struct Chunk<'f> {
    place: Place,
    number: u32,
    begins: bool,
    ends: bool,
    user: &'f [u8],
}

/// Pieces that follow one another.
#[derive(Debug)]
struct Run {
    place: Place,
    /// The first piece's number; those after it count up, and wrap.
    first: u32,
    /// A keyed hash of each piece.
    sums: Vec<u64>,
    begins: bool,
    ends: bool,
    /// Handed on: its bytes are gone, its sums stay to tell a copy from a number that is used again.
    done: bool,
    bytes: Vec<u8>,
    since: Timestamp,
    path: Path,
}

impl Run {
    fn size(&self) -> usize {
        self.bytes.capacity().saturating_add(self.sums.capacity().saturating_mul(8))
    }

    /// The number that follows the last piece's.
    fn next(&self) -> u32 {
        self.first.wrapping_add(u32::try_from(self.sums.len()).unwrap_or(u32::MAX))
    }

    fn sum_of(&self, chunk: &Chunk<'_>) -> Option<u64> {
        let at = usize::try_from(chunk.number.wrapping_sub(self.first)).ok()?;
        if self.place == chunk.place { self.sums.get(at).copied() } else { None }
    }
}

/// One direction of an association, with what waits.
#[derive(Debug, Default)]
struct Association {
    runs: Vec<Run>,
}

impl Association {
    fn size(&self) -> usize {
        self.runs.iter().map(Run::size).sum()
    }

    fn chunks(&self) -> usize {
        self.runs.iter().filter(|run| !run.done).map(|run| run.sums.len()).sum()
    }

    /// Takes out one run, in whatever order the others stay.
    fn take(&mut self, is_it: impl Fn(&Run) -> bool) -> Option<Run> {
        let at = self.runs.iter().position(is_it)?;
        Some(self.runs.swap_remove(at))
    }

    fn oldest(&self, done: bool) -> Option<usize> {
        let those = self.runs.iter().enumerate().filter(|(_, run)| run.done == done);
        those.min_by_key(|(_, run)| run.since).map(|(at, _)| at)
    }

    /// Puts a piece beside those that it follows or that follow it; answers where they are.
    fn put(&mut self, path: &Path, chunk: &Chunk<'_>, sum: u64, now: Timestamp) -> usize {
        let fits = |run: &Run| !run.done && run.place == chunk.place;
        let before = self.take(|run| fits(run) && !run.ends && !chunk.begins && run.next() == chunk.number);
        let after = self
            .take(|run| fits(run) && !run.begins && !chunk.ends && chunk.number.wrapping_add(1) == run.first);
        let mut run = before.unwrap_or_else(|| Run {
            place: chunk.place,
            first: chunk.number,
            sums: Vec::new(),
            begins: chunk.begins,
            ends: false,
            done: false,
            bytes: Vec::new(),
            since: now,
            path: *path,
        });
        run.sums.push(sum);
        run.bytes.extend_from_slice(chunk.user);
        run.ends = chunk.ends;
        if let Some(after) = after {
            run.sums.extend(after.sums);
            run.bytes.extend(after.bytes);
            run.ends = after.ends;
            run.since = run.since.min(after.since);
        }
        self.runs.push(run);
        self.runs.len().saturating_sub(1)
    }
}

/// All associations of which something waits.
#[derive(Debug)]
pub(super) struct Sctp {
    table: Table<Key, Association>,
    hash: KeyedHash,
    bytes: usize,
}

impl Default for Sctp {
    fn default() -> Self {
        Self { table: Table::new(MAX_ASSOCIATIONS, 0), hash: KeyedHash::default(), bytes: 0 }
    }
}

/// The first message that an SCTP packet completes.
pub(super) enum First<'f> {
    Borrowed(Datagram<'f>),
    Joined(Path, Vec<u8>),
}

impl Sctp {
    /// The messages that a packet completes: the first is the packet's own, further ones wait to
    /// be asked for.
    pub(super) fn packet<'f>(
        &mut self,
        fragments: &mut Fragments,
        stats: &Stats,
        way: &Way,
        data: &'f [u8],
    ) -> Result<First<'f>, Skip> {
        let (&[s1, s2, d1, d2, t1, t2, t3, t4, ..], chunks) =
            data.split_first_chunk::<12>().ok_or(Skip::TransportTruncated)?;
        let path = way.path(u16::from_be_bytes([s1, s2]), u16::from_be_bytes([d1, d2]));
        let key = Key { src: path.src, dst: path.dst, tag: u32::from_be_bytes([t1, t2, t3, t4]) };
        let mut found: Result<First<'f>, Skip> = Err(Skip::OtherTransport);
        for (kind, flags, value) in Chunks(chunks) {
            let Some((chunk, whole)) = user_data(kind, flags, value, way.truncated) else { continue };
            // A chunk that the capture cut is read as far as it is there, and completes nothing.
            let read = if (chunk.begins && chunk.ends) || !whole {
                Ok(First::Borrowed(Datagram { path, payload: chunk.user, truncated: !whole }))
                    .and_then(|first| if whole || chunk.begins { Ok(first) } else { Err(Skip::Fragment) })
            } else {
                self.add(fragments, stats, key, &path, &chunk, way.ts).map(|bytes| First::Joined(path, bytes))
            };
            match (read, &found) {
                (read, Err(_)) => found = read,
                (Ok(First::Borrowed(one)), Ok(_)) => {
                    let (bytes, truncated) = (one.payload.to_vec(), one.truncated);
                    fragments.later(stats, Pending::Datagram { path, bytes, truncated });
                }
                (Ok(First::Joined(path, bytes)), Ok(_)) => {
                    fragments.later(stats, Pending::Datagram { path, bytes, truncated: false });
                }
                (Err(_), Ok(_)) => {}
            }
        }
        stats.encap.add(Encap::Sctp, u64::from(found.is_ok()));
        found
    }

    /// Takes a piece of a message; gives the message when the piece is the last that was missing.
    fn add(
        &mut self,
        fragments: &mut Fragments,
        stats: &Stats,
        key: Key,
        path: &Path,
        chunk: &Chunk<'_>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Skip> {
        self.expire(fragments, stats, now);
        let sum = self.hash.hash_one(chunk.user);
        let inserted = self.table.find_or_insert(&key, now, Association::default);
        if let Some((_, _, evicted)) = inserted.evicted {
            self.bytes = self.bytes.saturating_sub(evicted.size());
            give_up_all(fragments, stats, evicted, Defrag::Evicted);
        }
        let Some(association) = self.table.get_mut(inserted.slot) else { return Err(Skip::Fragment) };
        let before = association.size();
        let message = take_in(association, fragments, stats, (path, chunk, sum), now);
        self.bytes = self.bytes.saturating_add(association.size()).saturating_sub(before);
        while self.bytes > MAX_BYTES {
            let Some((_, oldest)) = self.table.expire(Timestamp(i64::MAX)) else { break };
            self.bytes = self.bytes.saturating_sub(oldest.size());
            give_up_all(fragments, stats, oldest, Defrag::Evicted);
        }
        message
    }

    /// When the oldest has waited too long.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.table.oldest().map(|(_, at)| at.plus(AGE).plus(Span(1)))
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, fragments: &mut Fragments, stats: &Stats, now: Timestamp) {
        if self.table.is_empty() {
            return;
        }
        while let Some((_, association)) = self.table.expire(now.minus(AGE)) {
            self.bytes = self.bytes.saturating_sub(association.size());
            give_up_all(fragments, stats, association, Defrag::Expired);
        }
    }
}

fn take_in(
    association: &mut Association,
    fragments: &mut Fragments,
    stats: &Stats,
    (path, chunk, sum): (&Path, &Chunk<'_>, u64),
    now: Timestamp,
) -> Result<Vec<u8>, Skip> {
    while let Some(old) = association.take(|run| !run.done && now.since(run.since) > AGE) {
        give_up(fragments, stats, old, Defrag::Expired);
    }
    if let Some(known) = association.runs.iter().find(|run| run.sum_of(chunk).is_some()) {
        if known.sum_of(chunk) == Some(sum) {
            stats.defrag.bump(Defrag::Duplicate);
            return Err(Skip::Fragment);
        }
        if !known.done {
            stats.defrag.bump(Defrag::Overlap);
            return Err(Skip::FragmentBad);
        }
        // The number is used again, for something new.
        association.take(|run| run.done && run.sum_of(chunk).is_some());
    }
    let at = association.put(path, chunk, sum, now);
    let message = complete(association, fragments, stats, at);
    while association.chunks() > MAX_CHUNKS {
        let Some(at) = association.oldest(false) else { break };
        give_up(fragments, stats, association.runs.swap_remove(at), Defrag::Evicted);
    }
    while association.runs.iter().filter(|run| run.done).count() > MAX_DONE {
        let Some(at) = association.oldest(true) else { break };
        association.runs.swap_remove(at);
    }
    message
}

fn complete(
    association: &mut Association,
    fragments: &mut Fragments,
    stats: &Stats,
    at: usize,
) -> Result<Vec<u8>, Skip> {
    let Some(run) = association.runs.get_mut(at) else { return Err(Skip::Fragment) };
    if run.begins && run.ends {
        run.done = true;
        stats.defrag.bump(Defrag::Joined);
        return Ok(std::mem::take(&mut run.bytes));
    }
    if run.bytes.len() > MAX_MESSAGE {
        give_up(fragments, stats, association.runs.swap_remove(at), Defrag::Evicted);
    }
    Err(Skip::Fragment)
}

fn give_up_all(fragments: &mut Fragments, stats: &Stats, association: Association, why: Defrag) {
    for run in association.runs {
        give_up(fragments, stats, run, why);
    }
}

/// A beginning is read all the same: the headers stand in it.
fn give_up(fragments: &mut Fragments, stats: &Stats, run: Run, why: Defrag) {
    if run.done {
        return;
    }
    stats.defrag.bump(why);
    if run.begins {
        stats.defrag.bump(Defrag::FirstOnly);
        fragments.later(stats, Pending::Datagram { path: run.path, bytes: run.bytes, truncated: true });
    }
}

/// A packet's chunks: type, flags, and the value as far as it was captured with its full length.
struct Chunks<'f>(&'f [u8]);

/// A chunk's value: what is there of it, and how long it should be.
struct Value<'f> {
    bytes: &'f [u8],
    length: usize,
}

impl<'f> Iterator for Chunks<'f> {
    type Item = (u8, u8, Value<'f>);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[kind, flags, l1, l2], rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([l1, l2])).checked_sub(4)?;
        self.0 = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        let bytes = rest.get(..length).unwrap_or(rest);
        Some((kind, flags, Value { bytes, length }))
    }
}

/// What a DATA or I-DATA chunk carries, and whether all of it is there; `None` if it's another
/// chunk, an empty one, or one that contradicts the packet.
fn user_data(kind: u8, flags: u8, value: Value<'_>, truncated: bool) -> Option<(Chunk<'_>, bool)> {
    let whole = value.bytes.len() == value.length;
    if !whole && !truncated {
        return None;
    }
    let (begins, ends, unordered) = (flags & 2 != 0, flags & 1 != 0, flags & 4 != 0);
    let (place, number, user) = match kind {
        0 => {
            let (&[t1, t2, t3, t4, ..], user) = value.bytes.split_first_chunk::<12>()?;
            (None, u32::from_be_bytes([t1, t2, t3, t4]), user)
        }
        64 => {
            let (&[_, _, _, _, s1, s2, _, _, m1, m2, m3, m4, f1, f2, f3, f4], user) =
                value.bytes.split_first_chunk::<16>()?;
            let message = u32::from_be_bytes([m1, m2, m3, m4]);
            // The first piece has the payload's protocol where the others have their number.
            let number = if begins { 0 } else { u32::from_be_bytes([f1, f2, f3, f4]) };
            (Some((unordered, u16::from_be_bytes([s1, s2]), message)), number, user)
        }
        _ => return None,
    };
    (!user.is_empty()).then_some((Chunk { place, number, begins, ends, user }, whole))
}

/// Whether what came to the port of SCTP in UDP is it: chunks of known types, one behind the other to
/// the end.
pub(super) fn is_in_udp(data: &[u8], truncated: bool) -> bool {
    let Some((_, mut rest)) = data.split_first_chunk::<12>() else { return false };
    loop {
        let Some((&[kind, _, l1, l2], _)) = rest.split_first_chunk::<4>() else { return false };
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let known = matches!(kind, 0..=15 | 64 | 128..=132 | 192..=194);
        if !known || length < 4 || (length > rest.len() && !truncated) {
            return false;
        }
        match rest.get(length.next_multiple_of(4)..) {
            Some(after) if !after.is_empty() => rest = after,
            _ => return true,
        }
    }
}
