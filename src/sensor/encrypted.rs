//! Handsets whose signalling can't be read, and those that only just began to hide it.
//!
//! In: TLS segments, DTLS datagrams, what handsets said in clear. Out: coverage, `Fact::ClearSipDrop`.
//! Never: makes a call of media.

use super::{Core, Sensor};
use crate::coverage::{Kernel, Sign, encrypted};
use crate::decode::{Datagram, Segment};
use crate::fact::Fact;
use crate::streams::Outcome;
use crate::time::{Span, Timestamp};

/// How often handsets are looked at.
const EVERY: Span = Span::MINUTE;
/// A handset is silent in clear for so long at least before that means anything...
const SILENT_MIN: Span = Span::minutes(10);
/// ... and where it never paused before, or seldom spoke, for so long.
const SILENT_MAX: Span = Span::hours(6);
/// With fewer messages than this nobody knows how long its pauses are.
const KNOWN_FROM: u32 = 4;

impl Sensor {
    /// The drops of a live capture, as its source counts them so far.
    pub fn note_kernel(&mut self, kernel: Kernel) {
        self.core.coverage.kernel = kernel;
    }
}

impl Core {
    /// What a segment was good for, once reassembly has seen it.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::EncryptedStart => {
                let is_pbx = |ip| self.handsets.is_pbx(ip);
                if let Some((handset, server)) = encrypted::ends(&segment.path, segment.payload, is_pbx) {
                    self.begun(handset, server, now);
                }
            }
            Outcome::Repeat => self.coverage.signs.bump(Sign::SegmentsRepeated),
            _ => {}
        }
        let over = segment.fin || segment.rst;
        if (over || outcome == Outcome::Encrypted) && !self.coverage.encrypted.is_empty() {
            self.coverage.encrypted.more(&segment.path, over, now);
        }
    }

    /// DTLS: signalling if a port or the PBX says so, else a key exchange for media.
    pub(super) fn dtls(&mut self, datagram: &Datagram<'_>, now: Timestamp) {
        self.coverage.signs.bump(Sign::EncryptedDatagrams);
        let is_pbx = |ip| self.handsets.is_pbx(ip);
        if let Some((handset, server)) = encrypted::ends(&datagram.path, &[], is_pbx) {
            self.begun(handset, server, now);
        }
    }

    fn begun(&mut self, handset: std::net::SocketAddr, server: std::net::SocketAddr, now: Timestamp) {
        let before = self.coverage.encrypted.begun();
        self.coverage.encrypted.begin(handset, server, now);
        let begun = self.coverage.encrypted.begun().saturating_sub(before);
        self.coverage.signs.add(Sign::EncryptedConnections, begun);
    }

    /// Tells of handsets that spoke in clear, began to encrypt, and have been silent in clear for
    /// longer than they ever were.
    pub(super) fn look_at_encrypted(&mut self, now: Timestamp) {
        self.look = now.plus(EVERY);
        if let Some(permille) = self.losses.look(&self.coverage, now) {
            self.emit(Fact::Lossy { time: now, permille });
        }
        self.coverage.encrypted.expire(now);
        if self.coverage.encrypted.is_empty() {
            return;
        }
        let mut told = Vec::new();
        for (ip, phone) in self.coverage.encrypted.phones() {
            let Some((who, clear)) = self.handsets.clear_sip(ip) else { continue };
            let silent = now.since(clear.last);
            let wait = match clear.count {
                0..KNOWN_FROM => SILENT_MAX,
                _ => Span(clear.pause.0.saturating_mul(2)).clamp(SILENT_MIN, SILENT_MAX),
            };
            // Silent in both is switched off, not hidden.
            let fallen = silent >= wait && phone.active > clear.last && clear.first <= phone.latest;
            if fallen == phone.told {
                continue;
            }
            told.push((ip, fallen));
            if fallen {
                let usual = a_day(clear.count, clear.last.since(clear.first));
                let left = a_share(usual, Span(Span::DAY.0.saturating_sub(silent.0)));
                let fact = Fact::ClearSipDrop {
                    time: now,
                    who,
                    usual,
                    last: left.min(clear.count),
                    encrypted: true,
                };
                self.facts.push(fact, &self.coverage);
            }
        }
        for (ip, fallen) in told {
            self.coverage.encrypted.told(ip, fallen);
        }
    }
}

/// So many within a time, as so many a day. An hour is the least that a rate is taken from.
fn a_day(count: u32, within: Span) -> u32 {
    let hours = within.0.max(Span::HOUR.0);
    let rate = i64::from(count).saturating_mul(Span::DAY.0) / hours;
    u32::try_from(rate).unwrap_or(u32::MAX)
}

/// What is left of a day's number in a part of a day.
fn a_share(usual: u32, part: Span) -> u32 {
    let share = i64::from(usual).saturating_mul(part.0.max(0)) / Span::DAY.0;
    u32::try_from(share).unwrap_or(u32::MAX)
}
