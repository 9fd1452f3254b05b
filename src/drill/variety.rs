//! How one seed's office differs from the next one's: no two worlds of a kind are alike, so that a
//! detector can't be fitted to one office.
//!
//! In: a world, randomness. Out: the world with its parameters drawn anew.
//! Never: touches short scenarios, whose captures are shipped.

use super::attack::Attack;
use super::numbers::{self, Country, Tier};
use super::ordinary::Habits;
use super::rng::Rng;
use super::site::Site;
use super::world::World;

/// Draws a world's parameters: size, volume, bursts, calls abroad, how much happens.
pub(super) fn vary(world: &World, rng: &mut Rng) -> World {
    let part = |low: i64, high: i64, of: u32, rng: &mut Rng| {
        let percent = u32::try_from(rng.between(low, high)).unwrap_or(100);
        of.saturating_mul(percent) / 100
    };
    let handsets = part(85, 120, u32::from(world.handsets), rng);
    // Much less happens in a small office.
    let share = (u32::from(world.handsets) * 100 / 90).clamp(15, 150);
    let Habits { volume, abroad, bursts } = world.habits;
    World {
        handsets: u16::try_from(handsets).unwrap_or(world.handsets).max(4),
        travelled: part(60, 150, world.travelled, rng).min(900),
        habits: Habits {
            volume: part(65, 140, volume, rng),
            abroad: part(60, 170, abroad, rng),
            bursts: part(60, 170, bursts, rng),
        },
        is_drawn: true,
        happening_percent: part(60, 160, world.happening_percent * share / 100, rng),
        attacks: shuffled(&world.attacks, rng),
        ..world.clone()
    }
}

/// The same attacks on the same days, but not this one on that.
fn shuffled(attacks: &[(Attack, i64)], rng: &mut Rng) -> Vec<(Attack, i64)> {
    let mut kinds: Vec<Attack> = attacks.iter().map(|(attack, _)| *attack).collect();
    for i in (1..kinds.len()).rev() {
        kinds.swap(i, rng.below(i + 1));
    }
    kinds.into_iter().zip(attacks.iter().map(|(_, day)| *day)).collect()
}

/// A country that honest people call: seldom a risky one, but not never.
pub(super) fn honest_country(rng: &mut Rng) -> &'static Country {
    let tier = match rng.between(0, 99) {
        0..=73 => Tier::Low,
        74..=94 => Tier::Medium,
        _ => Tier::High,
    };
    numbers::of_tier(tier, rng)
}

/// That country where every office is alike, else one that honest people call.
pub(super) fn country_or(site: &Site, region: &str, rng: &mut Rng) -> &'static Country {
    if site.is_diverse { honest_country(rng) } else { numbers::country(region) }
}

/// A number beside another one, as the extensions of a firm are: all but the last two to four digits.
pub(super) fn neighbour(e164: &str, rng: &mut Rng) -> String {
    let open = usize::try_from(rng.between(2, 4)).unwrap_or(2);
    let kept = e164.len().saturating_sub(open);
    let stem = e164.get(..kept).unwrap_or_default();
    numbers::fill(&format!("{stem}{}", &"xxxx"[..open]), rng)
}
