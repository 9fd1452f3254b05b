//! How people dial at home: outside line, caller-id and carrier prefixes, international prefix,
//! rewrites, trunk prefix, short numbers.
//!
//! In: the home's plan and `data/dialling.csv`. Out: `HomePlan`.
//! Never: mixes two homes.

use super::extensions::Extensions;
use super::numbering::{Lengths, Plan, PlanType};
use super::packed::Packed;
use super::pattern::Prefix;
use super::short::ShortNumbers;
use super::world::World;
use super::{DialError, Region, Settings};

const FILE: &str = include_str!("data/dialling.csv");

/// Regions that cost and count like home, where that is more than the home itself.
const DOMESTIC: [&[&str]; 1] = [&["US", "PR", "VI", "GU", "AS", "MP"]];

/// The home's dial plan.
#[derive(Clone)]
pub(crate) struct HomePlan {
    pub(crate) region: Region,
    /// Index in `Numbering::plans`.
    pub(crate) plan: u16,
    /// Index of its calling code's main plan.
    pub(crate) main: u16,
    /// Its calling code in ASCII digits.
    pub(crate) code: Vec<u8>,
    pub(crate) domestic: Vec<Region>,
    pub(crate) outside: Vec<Vec<u8>>,
    pub(crate) caller_id: Vec<Prefix>,
    pub(crate) carrier: Vec<Prefix>,
    /// The digits with which a caller-id or carrier prefix can begin, one bit each.
    pub(crate) service_first: u16,
    pub(crate) international: Prefix,
    pub(crate) rewrites: Vec<(Vec<u8>, Vec<u8>)>,
    /// What national numbers begin with; empty if they need nothing.
    pub(crate) trunk: &'static [u8],
    /// Whether a number behind `trunk` is never anything else.
    pub(crate) plain_trunk: bool,
    /// Whether the home shares calling code 1.
    pub(crate) nanp: bool,
    /// Lengths of a number dialled within its area.
    pub(crate) local: Lengths,
    pub(crate) lengths: Lengths,
    pub(crate) short: ShortNumbers,
    pub(crate) extensions: Extensions,
    pub(crate) packed: PackedPlan,
}

/// What the shortcuts compare with, in words.
#[derive(Clone, Default)]
pub(crate) struct PackedPlan {
    /// The longest first.
    pub(crate) outside: Vec<Packed>,
    /// None if more than one prefix leads abroad.
    pub(crate) international: Option<Packed>,
    /// What national numbers that are sent elsewhere begin with.
    pub(crate) rewritten: Vec<Packed>,
    /// None if national numbers need nothing before them.
    pub(crate) trunk: Option<Packed>,
    pub(crate) code: Option<Packed>,
    /// Whether a nought before a national number is its trunk prefix and nothing else, in all plans of
    /// the calling code.
    pub(crate) nought: bool,
    /// Bit n: digits whose first three, as [`Packed::beginning`] gives them, are n are an extension if
    /// there are three to five of them, whoever knows it or not.
    pub(crate) leftover: Vec<u64>,
}

impl PackedPlan {
    /// Whether these digits, dialled on a handset, can be nothing but an extension.
    #[inline]
    pub(crate) fn is_leftover(&self, digits: &Packed) -> bool {
        let first = digits.beginning();
        let fits = (LEFTOVER_LEAST..=LEFTOVER_MOST).contains(&digits.len);
        fits && self.leftover.get(first / 64).is_some_and(|bits| bits >> (first % 64) & 1 == 1)
    }
}

/// How many digits [`PackedPlan::is_leftover`] speaks of.
const LEFTOVER_LEAST: usize = 3;
const LEFTOVER_MOST: usize = 5;

impl HomePlan {
    /// For the settings' home.
    pub(crate) fn new(world: &World, settings: &Settings) -> Result<Self, DialError> {
        let unknown = || DialError::Home(settings.home);
        let plans = &world.numbering.plans;
        let at = plans.iter().position(|plan| plan.region == settings.home).ok_or_else(unknown)?;
        let plan = plans.get(at).filter(|plan| plan.region != Region::WORLD).ok_or_else(unknown)?;
        let main = plans.iter().position(|other| other.calling_code == plan.calling_code);
        let mut home = Self {
            region: plan.region,
            plan: u16::try_from(at).map_err(|_| unknown())?,
            main: main.and_then(|main| u16::try_from(main).ok()).ok_or_else(unknown)?,
            code: plan.calling_code.to_string().into_bytes(),
            domestic: domestic(plan.region, &settings.domestic),
            outside: Vec::new(),
            caller_id: Vec::new(),
            carrier: Vec::new(),
            service_first: 0,
            international: Prefix::new(plan.international)?,
            rewrites: Vec::new(),
            trunk: plan.trunk.as_bytes(),
            // Elsewhere a carrier's digits follow, or the number changes its form.
            plain_trunk: !plan.trunk.is_empty() && plan.trunk_pattern.split('|').next() == Some(plan.trunk),
            nanp: plan.calling_code == 1,
            local: local(plan),
            lengths: plan.lengths,
            short: ShortNumbers::new(plan, &world.overlay, &settings.short_overrides)?,
            extensions: Extensions::new(&settings.extensions)?,
            packed: PackedPlan::default(),
        };
        for prefix in &settings.outside_line {
            home.outside.push(outside(prefix)?);
        }
        home.dialling()?;
        home.packed = home.pack(world);
        Ok(home)
    }

    fn pack(&self, world: &World) -> PackedPlan {
        let mut outside: Vec<Packed> = self.outside.iter().map(|digits| Packed::first_of(digits)).collect();
        outside.sort_by_key(|prefix| std::cmp::Reverse(prefix.len));
        PackedPlan {
            outside,
            international: self.international.literal().map(Packed::first_of),
            rewritten: self.rewrites.iter().map(|(from, _)| Packed::first_of(from)).collect(),
            trunk: (!self.trunk.is_empty()).then(|| Packed::first_of(self.trunk)),
            code: Some(Packed::first_of(&self.code)),
            nought: self.trunk == b"0" && !self.nanp && self.siblings(world).all(is_nought_plain),
            leftover: self.leftover(world),
        }
    }

    /// The plans of the home's calling code.
    fn siblings<'w>(&self, world: &'w World) -> impl Iterator<Item = &'w Plan> {
        let code = world.plan(self.plan).map_or(0, |plan| plan.calling_code);
        world.numbering.plans.iter().filter(move |plan| plan.calling_code == code)
    }

    fn leftover(&self, world: &World) -> Vec<u64> {
        let mut bits = vec![0; 64];
        for n in 0..1_000 {
            let digits = format!("{n:03}").into_bytes();
            let at = Packed::first_of(&digits).beginning();
            if self.is_left_alone(world, &digits)
                && let Some(bits) = bits.get_mut(at / 64)
            {
                *bits |= 1 << (at % 64);
            }
        }
        bits
    }

    /// Whether nothing takes three to five digits that begin so but `read_leftover`: neither a short
    /// number, nor a prefix of any sort, nor a number without its area code.
    fn is_left_alone(&self, world: &World, digits: &[u8]) -> bool {
        let Some(first) = digits.first().map(|byte| byte.wrapping_sub(b'0')) else { return false };
        let outside = self.outside.iter().any(|prefix| prefix.first() == digits.first());
        let usual = self.outside.is_empty() && matches!(first, 0 | 9);
        let rewritten =
            self.rewrites.iter().any(|(from, _)| from.first().is_none_or(|one| one - b'0' == first));
        let prefixed = self.service_first | self.international.first() | world.trunk_first(self.plan);
        if outside || usual || rewritten || prefixed >> first & 1 == 1 || self.short.may_begin(digits) {
            return false;
        }
        let closed = self.trunk.is_empty() || self.nanp || first == 1;
        !closed || self.siblings(world).all(|plan| shortest(plan) > LEFTOVER_MOST + put_before(plan))
    }

    fn dialling(&mut self) -> Result<(), DialError> {
        let mut reader = csv::Reader::from_reader(FILE.as_bytes());
        for (index, record) in reader.records().enumerate() {
            let bad = || DialError::Data { file: "dialling.csv", line: index + 2 };
            let record = record.map_err(|_| bad())?;
            let cell = |i| record.get(i).ok_or_else(bad);
            if cell(0)? != self.region.as_str() {
                continue;
            }
            match cell(1)? {
                "caller_id" => self.caller_id.push(Prefix::new(cell(2)?)?),
                "carrier" => self.carrier.push(Prefix::new(cell(2)?)?),
                "rewrite" => self.rewrites.push((cell(2)?.into(), cell(3)?.into())),
                _ => return Err(bad()),
            }
        }
        let prefixes = self.caller_id.iter().chain(&self.carrier);
        self.service_first = prefixes.fold(0, |set, prefix| set | prefix.first());
        Ok(())
    }

    /// Whether a call to a region is a call within the country.
    #[inline]
    pub(crate) fn is_domestic(&self, region: Region) -> bool {
        region == self.region || self.domestic.contains(&region)
    }
}

/// Whether a nought before more than nine digits is no more than a trunk prefix: it is taken off alone.
fn is_nought_plain(plan: &Plan) -> bool {
    let is_other = |branch: &str| {
        let prefix = Prefix::new(branch);
        prefix.is_ok_and(|prefix| prefix.first() & 1 == 0 || prefix.whole().is_some_and(|most| most <= 9))
    };
    let branches = || plan.trunk_pattern.split('|');
    branches().all(|branch| branch == "0" || is_other(branch)) && branches().any(|branch| branch == "0")
}

/// The fewest digits of a plan's numbers.
fn shortest(plan: &Plan) -> usize {
    let lengths = plan.types.iter().fold(plan.lengths, |all, row| all | row.lengths);
    lengths.trailing_zeros() as usize
}

/// Digits that a plan's trunk rule may put before a number.
fn put_before(plan: &Plan) -> usize {
    plan.transform.len()
}

fn domestic(home: Region, extra: &[Region]) -> Vec<Region> {
    let group = DOMESTIC.iter().find(|group| group.contains(&home.as_str()));
    let named = group.into_iter().flat_map(|group| group.iter()).filter_map(|code| Region::new(code));
    named.chain(extra.iter().copied()).collect()
}

/// Lengths that a fixed line is dialled with inside its area.
fn local(plan: &Plan) -> Lengths {
    let fixed = plan.types.iter().find(|row| row.what == PlanType::Fixed).map_or(0, |row| row.lengths);
    // Where whole numbers may be short, as in Germany, so may local ones.
    let whole = if plan.trunk.is_empty() { 0 } else { fixed };
    (plan.local | whole) & 0b1_1110_0000
}

fn outside(prefix: &str) -> Result<Vec<u8>, DialError> {
    let fits = !prefix.is_empty() && prefix.len() <= 4 && prefix.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(prefix.as_bytes().to_vec()) } else { Err(DialError::OutsideLine(prefix.to_owned())) }
}
