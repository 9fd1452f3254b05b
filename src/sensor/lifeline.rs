//! What shows that an answered call goes on where nobody says that it is over: its session timer
//! (RFC 4028) and its media.
//!
//! In: messages of answered calls, the first packets of media, time. Out: calls that are over, and when.
//! Never: reads an INVITE that begins a call, or sees more of speech than once a minute.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::{Core, attempt};
use crate::bounded::{SlotId, Table};
use crate::calls::{Call, Phase, Step};
use crate::decode::Path;
use crate::fact::Lapse;
use crate::sip::{Message, Method, Start, interval, media};
use crate::time::{Span, Timestamp};

/// Answered calls that are followed, as many as the call table keeps.
const CALLS: usize = 16_384;
/// Media of both directions that are silent for longer have stopped. Comfort noise comes more often, and
/// PBXs that hang up on silence wait no longer.
const SILENT: Span = Span::minutes(5);
/// How soon is looked again after a call that should be over.
const AGAIN: Span = Span::MINUTE;

/// An answered call.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Where its callee wants media.
    media: Option<SocketAddr>,
    /// Whether the caller, the callee holds.
    holds: [bool; 2],
    /// Seconds without a refresh after which both ends take it for over; 0 = no such agreement.
    interval: u32,
    refreshed: Timestamp,
    /// When it is to be looked at.
    due: Timestamp,
    /// When it ended, if that has been told.
    over: Option<Timestamp>,
    /// How long it had been talked for when its end was told last.
    told: Span,
}

/// Media to and from one address.
#[derive(Clone, Copy, Debug)]
struct Media {
    peer: SocketAddr,
    /// To it, and from it.
    last: [Option<Timestamp>; 2],
}

/// All answered calls.
#[derive(Debug)]
pub(super) struct Lifelines {
    rows: Table<SlotId, Row>,
    media: Table<SocketAddr, Media>,
    due: BTreeSet<(Timestamp, SlotId)>,
}

impl Default for Lifelines {
    fn default() -> Self {
        Self { rows: Table::new(CALLS, 0), media: Table::new(CALLS, 0), due: BTreeSet::new() }
    }
}

impl Lifelines {
    /// When a call is to be looked at next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes in speech whose flow is looked at: the first of it, and then once a minute.
    pub(super) fn media(&mut self, path: &Path, now: Timestamp) {
        for (at, peer, way) in [(path.dst, path.src, 0), (path.src, path.dst, 1)] {
            if let Some(media) = self.media.find(&at).and_then(|slot| self.media.get_mut(slot)) {
                media.peer = peer;
                media.last[way] = Some(now);
            }
        }
    }

    fn row(&mut self, call: SlotId, now: Timestamp) -> Option<&mut Row> {
        let new = Row {
            media: None,
            holds: [false; 2],
            interval: 0,
            refreshed: now,
            due: now,
            over: None,
            told: Span::ZERO,
        };
        let inserted = self.rows.find_or_insert(&call, now, || new);
        if let Some((_, gone, row)) = inserted.evicted {
            self.due.remove(&(row.due, gone));
        }
        self.rows.get_mut(inserted.slot)
    }

    fn expects(&mut self, at: SocketAddr, now: Timestamp) {
        self.media.find_or_insert(&at, now, || Media { peer: at, last: [None; 2] });
    }

    fn look_at(&mut self, call: SlotId, due: Timestamp) {
        let Some(row) = self.rows.find(&call).and_then(|slot| self.rows.get_mut(slot)) else { return };
        self.due.remove(&(row.due, call));
        row.due = due;
        self.due.insert((due, call));
    }

    fn get(&self, call: SlotId) -> Option<&Row> {
        self.rows.get(self.rows.find(&call)?)
    }

    fn forget(&mut self, call: SlotId) -> Option<Row> {
        let (_, row) = self.rows.remove(self.rows.find(&call)?)?;
        self.due.remove(&(row.due, call));
        Some(row)
    }
}

/// What is known of a call's end.
enum Verdict {
    /// It goes on; look again then.
    Up(Timestamp),
    /// It ended then.
    Over(Lapse, Timestamp),
}

impl Core {
    /// A message of a call that is answered.
    #[cold]
    pub(super) fn lives(
        &mut self,
        slot: SlotId,
        (msg, text): (&Message<'_>, &[u8]),
        path: &Path,
        now: Timestamp,
    ) {
        let Some(call) = self.calls.get(slot).filter(|call| call.phase == Phase::Answered) else { return };
        let agreed = matches!(msg.start, Start::Response(200..=299))
            && matches!(msg.cseq_method, Method::Invite | Method::Update);
        if !agreed && msg.body.is_empty() {
            return;
        }
        let side = side_of(call, path);
        let wish = side.and_then(|_| media::wish(msg.body));
        let Some(row) = self.lifelines.row(slot, now) else { return };
        if agreed {
            row.refreshed = now;
            if side.is_some() {
                row.interval = interval::agreed(text.trim_ascii_start()).unwrap_or(0);
            }
        }
        if let (Some(side), Some(wish)) = (side, wish) {
            row.holds[side] = wish.holds;
            if side == 1 {
                row.media = wish.address;
            }
        }
        let (place, again) = (row.media, row.over.is_some() && agreed);
        let due = if row.interval > 0 { row.refreshed.plus(seconds(row.interval)) } else { now.plus(SILENT) };
        if let Some(place) = place {
            self.lifelines.expects(place, now);
        }
        if again {
            self.up_again(slot);
        }
        self.lifelines.look_at(slot, due);
    }

    /// Looks at the calls whose time has come.
    pub(super) fn look_at_calls(&mut self, now: Timestamp) {
        while let Some((due, slot)) = self.lifelines.due.first().copied().filter(|(due, _)| *due <= now) {
            self.lifelines.due.remove(&(due, slot));
            match self.verdict(slot, now) {
                None => {
                    self.lifelines.forget(slot);
                }
                Some(Verdict::Up(due)) => self.lifelines.look_at(slot, due.max(now.plus(Span::SECOND))),
                Some(Verdict::Over(lapse, end)) => {
                    self.lapsed(slot, lapse, end, now);
                    self.lifelines.look_at(slot, now.plus(AGAIN));
                }
            }
        }
    }

    fn verdict(&mut self, slot: SlotId, now: Timestamp) -> Option<Verdict> {
        let call = self.calls.get(slot).filter(|call| call.phase == Phase::Answered)?;
        let row = *self.lifelines.get(slot)?;
        let ways = self.heard(&row, call.answered.unwrap_or(call.started));
        let last = ways.iter().flatten().max().copied();
        if let Some(over) = row.over {
            if last.is_some_and(|last| last > over.plus(AGAIN)) {
                self.up_again(slot);
            }
            return Some(Verdict::Up(now.plus(AGAIN)));
        }
        if row.interval > 0 {
            let end = row.refreshed.plus(seconds(row.interval));
            return Some(match last {
                _ if now < end => Verdict::Up(end),
                Some(last) if now.since(last) < AGAIN => Verdict::Up(now.plus(AGAIN)),
                last => Verdict::Over(Lapse::SessionTimer, last.map_or(end, |last| last.max(end))),
            });
        }
        Some(match (ways, last) {
            ([Some(_), Some(_)], Some(last)) if row.holds == [false; 2] => {
                let end = last.plus(SILENT);
                if now < end { Verdict::Up(end) } else { Verdict::Over(Lapse::MediaStopped, last) }
            }
            _ => Verdict::Up(now.plus(SILENT)),
        })
    }

    /// When media last went to the callee, and came from it, since the answer.
    fn heard(&mut self, row: &Row, answered: Timestamp) -> [Option<Timestamp>; 2] {
        let Some(at) = row.media else { return [None; 2] };
        let Some(media) = self.lifelines.media.find(&at).and_then(|slot| self.lifelines.media.get(slot))
        else {
            return [None; 2];
        };
        let [to, from] = media.last;
        let later = |looked: Option<Timestamp>, src, dst| {
            looked.map(|looked| self.watch.last_heard(src, dst).map_or(looked, |heard| heard.max(looked)))
        };
        [later(to, media.peer, at), later(from, at, media.peer)]
            .map(|last| last.filter(|last| *last >= answered))
    }

    /// A call has ended at `end`, though nobody said so. It stays known: should it go on after all,
    /// it's no new one.
    fn lapsed(&mut self, slot: SlotId, lapse: Lapse, end: Timestamp, now: Timestamp) {
        let told = self.lifelines.get(slot).map_or(Span::ZERO, |row| row.told);
        let Some(call) = self.calls.get(slot) else { return };
        let talked = call.talked(end);
        self.tell_end(slot, now, (Some(lapse), end, told));
        let rows = &mut self.lifelines.rows;
        if let Some(row) = rows.find(&slot).and_then(|row| rows.get_mut(row)) {
            (row.over, row.told) = (Some(end), talked.max(told));
        }
    }

    /// A call whose end was told goes on after all.
    fn up_again(&mut self, slot: SlotId) {
        let rows = &mut self.lifelines.rows;
        if let Some(row) = rows.find(&slot).and_then(|row| rows.get_mut(row)) {
            row.over = None;
            self.reopened(slot);
        }
    }

    /// Whether media of a call were heard within the last minutes.
    fn is_heard(&mut self, slot: SlotId, now: Timestamp) -> bool {
        let Some(row) = self.lifelines.get(slot).copied() else { return false };
        self.heard(&row, Timestamp(i64::MIN)).iter().flatten().any(|last| now.since(*last) < SILENT)
    }

    /// A call is over; `lapse` if nobody said so.
    pub(super) fn over(&mut self, slot: SlotId, now: Timestamp, lapse: Option<Lapse>) {
        let row = self.lifelines.forget(slot);
        if row.is_some_and(|row| row.over.is_some()) {
            if lapse.is_some() {
                return;
            }
            self.reopened(slot);
        }
        self.tell_end(slot, now, (lapse, now, row.map_or(Span::ZERO, |row| row.told)));
    }

    /// Gives up calls whose time has come.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.coverage.begun.get_or_insert(now);
        if now >= self.look {
            self.look_at_encrypted(now);
        }
        self.look_at_calls(now);
        while let Some(step) = self.calls.expire(now) {
            match step {
                Step::Attempted(slot) => self.attempted(slot, None, now),
                Step::Ended(slot) if self.is_heard(slot, now) => self.calls.goes_on(slot, now),
                Step::Ended(slot) | Step::Failed(slot) => {
                    self.over(slot, now, Some(Lapse::TimeLimit));
                    self.calls.release(slot);
                }
                _ => {}
            }
        }
        if let Some(call) = self.calls.coming()
            && let Some(tag) = &call.tag
        {
            self.ledger.warm(attempt::row(tag));
        }
        if self.watch.poll_timeout().is_some_and(|due| due <= now) {
            self.watch.handle_timeout(&self.handsets, now);
            self.sightings();
        }
    }
}

/// 0 if the caller sends, on the hop nearest to it, 1 if the callee's side does, `None` on other hops: a
/// proxy may have put its own media relay there.
fn side_of<T>(call: &Call<T>, path: &Path) -> Option<usize> {
    let (src, dst) = (path.src.ip(), path.dst.ip());
    let (caller, callee) = (call.path.src.ip(), call.path.dst.ip());
    match () {
        () if (src, dst) == (caller, callee) => Some(0),
        () if (src, dst) == (callee, caller) => Some(1),
        () => None,
    }
}

const fn seconds(seconds: u32) -> Span {
    Span::seconds(seconds as i64)
}
