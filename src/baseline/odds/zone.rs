//! Destinations as the learned odds tell them apart: countries, and the costly sorts of number at home.
//!
//! In: a target. Out: `Zone`, its class, how usual and how suspicious it is before anything is learnt.
//! Never: learns.

use serde::{Deserialize, Serialize};

use crate::dial::{Group, Kind, Region, Risk, Target};

/// Two classes are counted apart: costly calls at home, and calls abroad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// Premium, personal, shared-cost and service numbers of the home country.
    Premium,
    /// Abroad, satellites and international networks.
    Abroad,
}

impl Class {
    /// Its position in an array of two.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A destination. Within a country, numbers of high risk are a zone of their own: a carrier's
/// premium range has little to do with its customers next door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Zone(u16);

/// Regions come first, two numbers each, then satellites and networks, then the sorts at home.
const WORLD: u16 = 26 * 26 * 2;
const HOME: u16 = WORLD + 2;

impl Zone {
    /// No zone: nothing was called yet.
    pub const NONE: Self = Self(u16::MAX);

    /// The zone of a destination, and its class; `None` for calls at home that cost little, and for
    /// strings that fit no plan.
    pub fn of(target: &Target) -> Option<(Self, Class)> {
        match target.group {
            Group::National | Group::Suspect => None,
            Group::Free => {
                let region = target.region.filter(|_| target.kind == Kind::ForwardTo)?;
                (target.risk == Risk::High).then(|| (Self::abroad(region, target), Class::Abroad))
            }
            Group::Premium => Some((Self::home(target.kind), Class::Premium)),
            Group::Overseas | Group::Risky => {
                Some((Self::abroad(target.region.unwrap_or(Region::WORLD), target), Class::Abroad))
            }
        }
    }

    fn abroad(region: Region, target: &Target) -> Self {
        let letter = |byte: u8| u16::from(byte.wrapping_sub(b'A'));
        match *region.as_str().as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => {
                Self((letter(a) * 26 + letter(b)) * 2 + u16::from(target.risk == Risk::High))
            }
            _ => Self(WORLD + u16::from(target.kind == Kind::Satellite)),
        }
    }

    const fn home(kind: Kind) -> Self {
        Self(
            HOME + match kind {
                Kind::PremiumRate => 0,
                Kind::PersonalNumber => 1,
                Kind::UnknownCost => 2,
                _ => 3,
            },
        )
    }

    /// The same country, whatever the risk of the number.
    const fn country(self) -> u16 {
        if self.0 < WORLD { self.0 / 2 } else { self.0 }
    }

    /// Whether both lie in one country or are the same sort at home.
    pub const fn is_beside(self, other: Self) -> bool {
        self.country() == other.country()
    }
}

/// Before anything is learnt: a tier's share of an ordinary office's calls, and of a fraudster's,
/// for one zone of it.
#[derive(Clone, Copy, Debug)]
pub struct Prior {
    /// Of an office's calls of the class.
    pub usual: f64,
    /// Of a fraudster's calls.
    pub fraud: f64,
}

/// How many zones abroad a tier has, about, in the shipped plan: low, medium, high.
const ABROAD: [f64; 3] = [70.0, 40.0, 70.0];
/// How often an office calls a zone of the tier, and how often a fraudster does, relatively.
const USUAL: [f64; 3] = [1.0, 0.3, 0.05];
const FRAUD: [f64; 3] = [0.5, 0.8, 1.0];
/// A fraudster's choice of class.
const MASS: [f64; 2] = [0.30, 0.70];
/// The four sorts at home: premium, personal, unknown cost, shared cost and service.
const HOME_USUAL: [f64; 4] = [0.05, 0.10, 0.25, 0.60];
const HOME_FRAUD: [f64; 4] = [0.45, 0.30, 0.15, 0.10];

/// What is believed of a zone before anything is learnt.
pub fn prior(zone: Zone, class: Class, risk: Risk) -> Prior {
    match class {
        Class::Premium => {
            let sort = usize::from(zone.0.saturating_sub(HOME)).min(3);
            Prior { usual: HOME_USUAL[sort], fraud: MASS[0] * HOME_FRAUD[sort] }
        }
        Class::Abroad => {
            let tier = match risk {
                Risk::Low => 0,
                Risk::Medium => 1,
                Risk::High => 2,
            };
            let total = |weights: [f64; 3]| -> f64 { ABROAD.iter().zip(weights).map(|(n, w)| n * w).sum() };
            Prior { usual: USUAL[tier] / total(USUAL), fraud: MASS[1] * FRAUD[tier] / total(FRAUD) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priors_of_a_class_sum_to_its_mass() {
        let abroad: f64 = [(Risk::Low, 70.0), (Risk::Medium, 40.0), (Risk::High, 70.0)]
            .iter()
            .map(|(risk, n)| n * prior(Zone(0), Class::Abroad, *risk).fraud)
            .sum();
        let home: f64 = (0..4).map(|i| prior(Zone(HOME + i), Class::Premium, Risk::Low).fraud).sum();
        assert!((abroad - 0.7).abs() < 1e-12 && (home - 0.3).abs() < 1e-12);
    }
}
