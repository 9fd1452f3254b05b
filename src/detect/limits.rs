//! From where on the rules speak, in one place: what an operator can set.
//!
//! In: nothing. Out: `Settings` with defaults that work on first start.
//! Never: decides.

use crate::dial::Group;
use crate::tally::Label;
use crate::time::Span;

/// Ceilings on attempts for each group (in the order of `Group`) and window (1m, 15m, 1h, 24h);
/// 0 = none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings(pub [[u32; 4]; 6]);

impl Ceilings {
    /// The ceilings of one group.
    pub fn of(&self, group: Group) -> [u32; 4] {
        self.0.get(group.index()).copied().unwrap_or([0; 4])
    }
}

/// From where on the rules speak.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Decades of evidence from which on `spike` speaks.
    pub spike: f64,
    /// When the other rules page.
    pub confirm: Confirm,
    /// For one handset.
    pub handset_ceiling: Ceilings,
    /// For one handset's ordinary calls at home, at night or on a day off; 0 = none.
    pub home_at_night: [u32; 4],
    /// For the whole office, and for a trunk whose handsets can't be told apart.
    pub office_ceiling: Ceilings,
    /// Out-of-hours calls.
    pub out_of_hours: OutOfHours,
    /// First-ever countries.
    pub first_country: FirstCountry,
    /// Numbers next to each other.
    pub number_block: NumberBlock,
    /// Variants of one number behind different prefixes within 15 min.
    pub prefix_probe: u32,
    /// Calls up at once.
    pub concurrent: Concurrent,
    /// Long calls.
    pub long_call: LongCall,
    /// Money.
    pub spend: Spend,
    /// Call-IDs used again within an hour, toward costly destinations.
    pub callid_reuse: u32,
}

/// Whether what was learnt leaves room for a rule's doubt: from so many decades of evidence on, a
/// rule that reached its limit pages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confirm {
    /// In office hours.
    pub open: f64,
    /// The same where the destination is risky.
    pub open_risky: f64,
    /// In office hours, for limits that people reach who work through lists.
    pub list: f64,
    /// The same where the destination is risky.
    pub list_risky: f64,
    /// Out of office hours.
    pub shut: f64,
    /// The same for premium numbers at home: people vote, and ask for numbers, after work.
    pub shut_premium: f64,
    /// Many numbers beside each other that took hours, or came out of office hours, tell much by themselves.
    pub block: f64,
    /// So many times its limit, a rule pages without.
    pub beyond: f64,
}

impl Confirm {
    /// The same with so many decades more everywhere.
    #[must_use]
    pub fn moved(self, more: f64) -> Self {
        Self {
            open: self.open + more,
            open_risky: self.open_risky + more,
            list: self.list + more,
            list_risky: self.list_risky + more,
            shut: self.shut + more,
            shut_premium: self.shut_premium + more,
            block: self.block + more,
            beyond: self.beyond,
        }
    }
}

/// Limits of `out_of_hours`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfHours {
    /// Premium and risky calls within 12 h.
    pub hot: u32,
    /// Calls abroad within 30 min, at night or on a day off.
    pub abroad_fast: u32,
    /// Calls abroad within 12 h, at night or on a day off.
    pub abroad_slow: u32,
    /// Calls abroad within 15 min, shortly before opening or after closing.
    pub abroad_near: u32,
    /// What is added to the limits abroad for a country that the handset calls as a habit.
    pub familiar_extra: u32,
    /// Premium and risky calls of several handsets together within 2 h.
    pub office_hot: u32,
    /// Calls of at least three handsets to one unfamiliar country within 1 h; one more if the
    /// office knows the country.
    pub office_abroad: u32,
}

/// Limits of `first_country`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstCountry {
    /// Calls within a day, at night or on a day off.
    pub shut: u32,
    /// Different numbers within 15 min at other times.
    pub open: u32,
}

/// Limits of `number_block`: different numbers of one block of 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberBlock {
    /// Within a day.
    pub day: u32,
    /// Within 3 h, out of hours or in a country new to the office.
    pub unusual: u32,
    /// Within an hour, risky, or out of hours in a country new to the office.
    pub alarming_hour: u32,
    /// Within 3 h, premium numbers at home.
    pub premium: u32,
}

/// Limits of `concurrent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrent {
    /// Premium and risky calls at once.
    pub hot: u32,
    /// Costly calls at once, in office hours.
    pub open: u32,
    /// Costly calls at once at other times.
    pub shut: u32,
    /// Calls at once to one and the same number abroad, out of office hours.
    pub same_number: u32,
}

/// Limits of `long_call`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongCall {
    /// A premium or risky call.
    pub hot: Span,
    /// A call abroad, out of hours.
    pub shut: Span,
    /// A call abroad in office hours.
    pub open: Span,
}

/// Limits of `spend` in units of the currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spend {
    /// A handset in an hour and in a day.
    pub handset: [f64; 2],
    /// The office in an hour and in a day.
    pub office: [f64; 2],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            spike: 10.0,
            confirm: Confirm {
                open: 4.0,
                open_risky: 3.0,
                list: 8.5,
                list_risky: 5.0,
                shut: 3.0,
                shut_premium: 6.0,
                block: 1.5,
                beyond: 5.0,
            },
            handset_ceiling: Ceilings([
                [0; 4],
                [20, 120, 300, 1_500],
                [4, 6, 10, 25],
                [4, 10, 20, 60],
                [3, 3, 6, 12],
                [6, 15, 30, 60],
            ]),
            home_at_night: [8, 30, 60, 150],
            office_ceiling: Ceilings([
                [0; 4],
                [100, 600, 1_500, 8_000],
                [8, 15, 30, 80],
                [12, 40, 90, 400],
                [6, 10, 20, 60],
                [15, 40, 80, 200],
            ]),
            out_of_hours: OutOfHours {
                hot: 2,
                abroad_fast: 3,
                abroad_slow: 5,
                abroad_near: 4,
                familiar_extra: 2,
                office_hot: 3,
                office_abroad: 3,
            },
            first_country: FirstCountry { shut: 2, open: 4 },
            number_block: NumberBlock { day: 5, unusual: 3, alarming_hour: 2, premium: 4 },
            prefix_probe: 3,
            concurrent: Concurrent { hot: 3, open: 4, shut: 3, same_number: 2 },
            long_call: LongCall { hot: Span::minutes(20), shut: Span::minutes(60), open: Span::hours(3) },
            spend: Spend { handset: [60.0, 150.0], office: [300.0, 750.0] },
            callid_reuse: 3,
        }
    }
}
