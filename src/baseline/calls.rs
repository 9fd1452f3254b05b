//! A call as detection remembers it, and short histories of such calls.
//!
//! In: call facts. Out: `Call`, `Lane`, `Tier`, `Ring`.
//! Never: grows beyond its tables.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::SlotId;
use crate::dial::{Group, Kind, RateId, Region, Risk, Target};
use crate::fact::{CallFact, CallNo, Cause};
use crate::handsets::HandsetId;
use crate::labels;
use crate::text::Text;
use crate::time::{Span, Timestamp};

use super::excuse::Excuse;
use super::exposure::Money;
use super::hours::DayPart;
use super::odds::{Class, Judged, Odds, Zone};

labels! {
    /// Calls at home and calls that cost are remembered apart, so that many of the one kind
    /// can't hide a few of the other.
    pub enum Lane {
        Charged = "charged", "Overseas, premium, risky and suspect calls.";
        Home = "home", "Ordinary calls in the home country.";
    }
}

impl Lane {
    /// The lane of a destination; `None` for free ones. A feature code that forwards calls to a
    /// number is as good as a call there.
    pub fn of(target: &Target) -> Option<Self> {
        match target.group {
            Group::Free if target.kind == Kind::ForwardTo && target.number.is_some() => Some(Self::Charged),
            Group::Free => None,
            Group::National => Some(Self::Home),
            Group::Premium | Group::Overseas | Group::Risky | Group::Suspect => Some(Self::Charged),
        }
    }

    /// Its position in an array of two.
    pub const fn index(self) -> usize {
        self as usize
    }
}

labels! {
    /// How much a destination looks like toll fraud by itself.
    pub enum Tier {
        Cold = "cold", "The home country.";
        Cool = "cool", "Shared-cost and service numbers, and strings that fit no plan.";
        Warm = "warm", "Abroad.";
        Hot = "hot", "Premium rate, satellite, international networks, high-risk destinations.";
    }
}

impl Tier {
    /// The tier of a destination. A number that the public plan doesn't know is no hotter than
    /// its country: people mistype.
    pub fn of(target: &Target) -> Self {
        let network = matches!(target.kind, Kind::Satellite | Kind::IntlNetwork);
        match target.group {
            Group::Free if target.risk == Risk::High => Self::Hot,
            Group::Free => Self::Cool,
            Group::National => Self::Cold,
            Group::Suspect => Self::Cool,
            Group::Premium => match target.kind {
                Kind::SharedCost | Kind::UnknownCost | Kind::TollFree | Kind::Uan => Self::Cool,
                _ => Self::Hot,
            },
            Group::Overseas => Self::Warm,
            Group::Risky if target.exact || target.risk == Risk::High || network => Self::Hot,
            Group::Risky => Self::Warm,
        }
    }
}

/// How far a remembered call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Dialled or ringing.
    Trying,
    /// Answered and up.
    Talking,
    /// Answered and over.
    Over,
    /// Over without an answer.
    Failed,
}

/// How long a call may ring (RFC 3261's timer C is 3 minutes and starts again with each ring).
const RINGING: Span = Span::minutes(5);

/// A call as detection remembers it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number in this run.
    pub no: CallNo,
    /// When it was attempted.
    pub time: Timestamp,
    /// Who is charged with it.
    pub handset: HandsetId,
    /// Its Call-ID.
    pub call_id: Text<128>,
    /// Stands for the number that was called: equal numbers, equal values.
    pub number: u64,
    /// What was dialled, as a hash: variants of one number differ.
    pub dialled: u64,
    /// Its country; `001` also where there is none.
    pub region: Region,
    /// The ledger's bucket.
    pub group: Group,
    /// What sort of number.
    pub kind: Kind,
    /// Whether the public plan knows the number.
    pub exact: bool,
    /// How much it looks like toll fraud by itself.
    pub tier: Tier,
    /// Where it is remembered.
    pub lane: Lane,
    /// What made it.
    pub cause: Cause,
    /// When in the office's day it began.
    pub part: DayPart,
    /// Why it doesn't count against its handset, if so.
    pub excuse: Option<Excuse>,
    /// Whether the office had never called the country, but for the last day.
    pub new_to_site: bool,
    /// Whether its handset calls the country as a habit.
    pub familiar: bool,
    /// Whether the Call-ID had been used for another number.
    pub call_id_reused: bool,
    /// How far it has come.
    pub progress: Progress,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// Prices it.
    pub rate: RateId,
    /// What it cost so far.
    pub accrued: Money,
    /// Whether something was learnt from it.
    pub learnt: bool,
    /// Where it goes as the learned odds see it, if they do.
    pub zone: Option<(Zone, Class)>,
    /// Whether its handset was one of many that rang for a moment a short while ago.
    pub lured: bool,
    /// The learned odds of its handset.
    pub judged: Judged,
    /// The learned odds of its zone for the whole office, if other handsets call there.
    pub crowd: Option<Odds>,
    /// Whether it is part of an incident of its handset, and of the office.
    pub cased: [bool; 2],
}

impl Call {
    /// From its first fact.
    pub fn new(fact: &CallFact, part: DayPart) -> Self {
        Self {
            no: fact.call,
            time: fact.started,
            handset: fact.who.id,
            call_id: fact.call_id,
            number: number_key(fact),
            dialled: fnv(fact.dialled.as_bytes()),
            region: fact.target.region.unwrap_or(Region::WORLD),
            group: fact.target.group,
            kind: fact.target.kind,
            exact: fact.target.exact,
            tier: Tier::of(&fact.target),
            lane: Lane::of(&fact.target).unwrap_or(Lane::Home),
            cause: fact.cause,
            part,
            excuse: None,
            new_to_site: false,
            familiar: false,
            call_id_reused: fact.call_id_reused,
            progress: Progress::Trying,
            answered: None,
            rate: fact.target.rate,
            accrued: Money::default(),
            learnt: false,
            zone: None,
            lured: false,
            judged: Judged::default(),
            crowd: None,
            cased: [false; 2],
        }
    }

    /// Whether it rings or talks. A call that was neither answered nor ended for longer than
    /// phones ring is one that somebody else placed, or whose end was lost.
    pub fn is_up(&self, now: Timestamp) -> bool {
        match self.progress {
            Progress::Trying => now.since(self.time) < RINGING,
            Progress::Talking => true,
            Progress::Over | Progress::Failed => false,
        }
    }

    /// The same call goes to another number.
    pub fn retarget(&mut self, to: &Self) {
        *self = Self {
            time: self.time,
            progress: self.progress,
            answered: self.answered,
            accrued: self.accrued,
            learnt: self.learnt || to.learnt,
            cased: self.cased,
            ..*to
        };
    }

    /// Whether it counts against its handset.
    pub const fn counts(&self) -> bool {
        self.excuse.is_none()
    }

    /// The 10,000 numbers around its number, if it is a telephone number.
    pub const fn block(&self) -> Option<u64> {
        if self.number < NOT_A_NUMBER { Some(self.number / 10_000) } else { None }
    }
}

/// Fifteen digits stay below this; hashes of strings that are no number lie above.
const NOT_A_NUMBER: u64 = 1 << 63;

/// A number's digits as one integer (E.164 never begins with 0), else a hash of what was dialled.
fn number_key(fact: &CallFact) -> u64 {
    fact.target.number.map_or_else(
        || fnv(fact.dialled.as_bytes()) | NOT_A_NUMBER,
        |number| number.digits().iter().fold(0, |key, digit| key * 10 + u64::from(digit - b'0')),
    )
}

/// FNV-1a: decides nothing but whether two dialled strings are the same.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The last `N` calls, as slots of the table that holds them.
#[derive(Clone, Copy, Debug)]
pub struct Ring<const N: usize> {
    slots: [Option<SlotId>; N],
    next: usize,
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::NONE
    }
}

/// As a list, for snapshots.
impl<const N: usize> Serialize for Ring<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.slots.as_slice(), self.next).serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Ring<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (slots, next) = <(Vec<Option<SlotId>>, usize)>::deserialize(deserializer)?;
        let mut ring = Self { next: next % N, ..Self::default() };
        ring.slots.iter_mut().zip(slots).for_each(|(slot, kept)| *slot = kept);
        Ok(ring)
    }
}

impl<const N: usize> Ring<N> {
    /// No calls.
    pub const NONE: Self = Self { slots: [None; N], next: 0 };

    /// Adds the newest.
    pub fn push(&mut self, slot: SlotId) {
        self.slots[self.next % N] = Some(slot);
        self.next = (self.next + 1) % N;
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = SlotId> {
        let next = self.next % N;
        (1..=N).map_while(move |back| self.slots[if back <= next { next - back } else { next + N - back }])
    }
}
