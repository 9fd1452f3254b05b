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
}

impl HomePlan {
    /// For the settings' home.
    pub(crate) fn new(world: &World, settings: &Settings) -> Result<Self, DialError> {
        let unknown = || DialError::Home(settings.home);
        let plans = &world.numbering.plans;
        let at = plans.iter().position(|plan| plan.region == settings.home).ok_or_else(unknown)?;
        let plan = plans.get(at).filter(|plan| plan.region != Region::WORLD).ok_or_else(unknown)?;
        let mut home = Self {
            region: plan.region,
            plan: u16::try_from(at).map_err(|_| unknown())?,
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
        home.packed = home.pack();
        Ok(home)
    }

    fn pack(&self) -> PackedPlan {
        let mut outside: Vec<Packed> = self.outside.iter().map(|digits| Packed::first_of(digits)).collect();
        outside.sort_by_key(|prefix| std::cmp::Reverse(prefix.len));
        PackedPlan {
            outside,
            international: self.international.literal().map(Packed::first_of),
            rewritten: self.rewrites.iter().map(|(from, _)| Packed::first_of(from)).collect(),
            trunk: (!self.trunk.is_empty()).then(|| Packed::first_of(self.trunk)),
            code: Some(Packed::first_of(&self.code)),
        }
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
