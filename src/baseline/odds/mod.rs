//! The learned odds: how much likelier a handset's costly calls are if a stream of fraud runs
//! beside its ordinary ones.
//!
//! In: costly calls and their outcomes; the others for the week's rhythm. Out: `Judged`.
//! Never: raises; learns fully from what looks like fraud.
//!
//! A marked likelihood-ratio detector: rates are hierarchical gamma-Poisson (a handset borrows from
//! the office), times the week's profile, times the destination's share, plus a term for the bursts
//! of ordinary people; calls carry marks (new number, numbers beside each other, calls up at once).
//! Odds are called odds: they would be a probability only if those rates were exact.

pub mod crowd;
pub mod evidence;
pub mod handset;
pub mod marks;
pub mod office;
pub mod quarantine;
pub mod week;
pub mod zone;

use serde::{Deserialize, Serialize};

use crate::time::{OfficeHours, Timestamp};

pub use evidence::Odds;
pub use handset::{Dialled, HandsetOdds, Judged};
pub use office::{Moment, Office};
pub use zone::{Class, Zone};

use crowd::Crowds;

/// What all handsets share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learned {
    office: Office,
    crowds: Crowds,
}

impl Learned {
    /// Nothing is learnt.
    pub fn new(hours: &OfficeHours) -> Self {
        Self { office: Office::new(hours), crowds: Crowds::default() }
    }

    /// The moment `now`; `Some` factor if the units of all handsets must be divided by it.
    pub fn moment(&mut self, now: Timestamp, hours: &OfficeHours, handsets: usize) -> (Moment, Option<f64>) {
        self.office.moment(now, hours, handsets)
    }

    /// A call that costs little.
    pub fn ordinary(&mut self, moment: &Moment) {
        self.office.ordinary(moment);
    }

    /// A costly call: its handset's odds, and the office's for its zone.
    pub fn attempt(
        &mut self,
        id: u64,
        handset: &mut HandsetOdds,
        call: &Dialled,
        moment: &Moment,
        learn: bool,
    ) -> (Judged, Option<Odds>) {
        let prior = zone::prior(call.zone, call.class, call.risk);
        let watched = self.office.watched(moment.now);
        let crowd =
            if learn { self.crowds.attempt(id, call, prior, &self.office, moment, watched) } else { None };
        let judged = handset.attempt(call, prior, &mut self.office, moment, watched, learn);
        (judged, crowd)
    }

    /// What was learnt from a call is taken back.
    pub fn unlearn(&mut self, handset: Option<&mut HandsetOdds>, zone: Zone, class: Class, learnt: f32) {
        self.office.unlearn(zone, class, f64::from(learnt));
        if let Some(handset) = handset {
            handset.unlearn(zone, class, learnt);
        }
    }

    /// What the office's past taught, as if it had been learnt first; what was called lately isn't past.
    /// Answers with what turns its units into the present ones.
    pub fn precede(&mut self, past: &Self) -> f64 {
        self.office.precede(&past.office)
    }

    /// An incident of the office is over.
    pub fn forget_crowds(&mut self) {
        self.crowds.forget();
    }

    /// The office's counts.
    pub const fn office_mut(&mut self) -> &mut Office {
        &mut self.office
    }

    /// Whether it is a state that calls could have led to; a snapshot may hold anything.
    pub fn is_whole(&self) -> bool {
        self.office.is_whole() && self.crowds.is_whole()
    }
}
