//! The numbering plans of the world, as libphonenumber's metadata describe them.
//!
//! In: `data/numbering.tsv.gz` (`scripts/refresh-numbering` writes it). Out: `Numbering`.
//! Never: reads a file at run time.
//!
//! Rows, by their first cell: `V` version; `R` region, calling code, leading digits, international
//! prefix, national prefix, national prefix for parsing, transform rule, possible lengths, lengths
//! dialled locally; then, for that region: `P` type, pattern, lengths; `X` type, an example; `S` short
//! number set, pattern. `N` region, English name. The regions of one calling code stand in
//! libphonenumber's order, the main region first.

use std::io::Read;
use std::sync::OnceLock;

use super::{DialError, Region};

static PACKED: &[u8] = include_bytes!("data/numbering.tsv.gz");
static TEXT: OnceLock<Result<String, DialError>> = OnceLock::new();
static NUMBERING: OnceLock<Result<Numbering, DialError>> = OnceLock::new();

/// libphonenumber's types of number, in the order in which it tries them, without `fixed line or mobile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PlanType {
    General,
    Premium,
    TollFree,
    SharedCost,
    Voip,
    Personal,
    Pager,
    Uan,
    Voicemail,
    Fixed,
    Mobile,
}

/// libphonenumber's sets of short numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ShortSet {
    Valid,
    Emergency,
    Premium,
    Standard,
    TollFree,
    /// Reached from one carrier's network only.
    Carrier,
    /// For text messages.
    Messages,
}

/// A set of number lengths: bit n stands for n digits.
pub(crate) type Lengths = u32;

/// One type of number of a region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeRow {
    pub(crate) what: PlanType,
    pub(crate) pattern: &'static str,
    pub(crate) lengths: Lengths,
}

/// What one region's plan says.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) region: Region,
    pub(crate) calling_code: u16,
    /// Numbers of this region begin so, where regions share a calling code.
    pub(crate) leading: &'static str,
    /// What is dialled before a calling code.
    pub(crate) international: &'static str,
    /// What is dialled before a national number.
    pub(crate) trunk: &'static str,
    /// The same as a pattern, with carrier codes and short cuts.
    pub(crate) trunk_pattern: &'static str,
    /// What replaces a match of `trunk_pattern`; `\1` is its first group.
    pub(crate) transform: &'static str,
    /// Lengths of whole national numbers.
    pub(crate) lengths: Lengths,
    /// Lengths that are dialled within an area only.
    pub(crate) local: Lengths,
    pub(crate) types: Vec<TypeRow>,
    pub(crate) short: Vec<(ShortSet, &'static str)>,
}

/// All plans.
#[derive(Debug)]
pub(crate) struct Numbering {
    /// libphonenumber's version.
    pub(crate) version: &'static str,
    pub(crate) plans: Vec<Plan>,
    /// In ascending order of the region's code.
    names: Vec<(Region, &'static str)>,
}

impl Numbering {
    /// The shipped plans.
    pub(crate) fn shipped() -> Result<&'static Self, DialError> {
        NUMBERING.get_or_init(|| Self::read(text()?)).as_ref().map_err(Clone::clone)
    }

    /// The English name of a region.
    pub(crate) fn name(&self, region: Region) -> Option<&'static str> {
        let at = self.names.binary_search_by(|(code, _)| code.as_str().cmp(region.as_str())).ok()?;
        self.names.get(at).map(|(_, name)| *name)
    }

    fn read(text: &'static str) -> Result<Self, DialError> {
        let mut all = Self { version: "", plans: Vec::new(), names: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            all.take(line).ok_or(DialError::Data { file: "numbering.tsv", line: index + 1 })?;
        }
        Ok(all)
    }

    fn take(&mut self, line: &'static str) -> Option<()> {
        let mut cells = line.split('\t');
        let row = cells.next()?;
        if row == "V" {
            self.version = cells.next()?;
        } else if row == "N" {
            self.names.push((Region::new(cells.next()?)?, cells.next()?));
        } else if row == "R" {
            self.plans.push(region_row(cells)?);
        } else {
            let plan = self.plans.last_mut()?;
            let (name, value) = (cells.next()?, cells.next()?);
            match row {
                "P" => plan.types.push(TypeRow {
                    what: type_named(name)?,
                    pattern: value,
                    lengths: lengths(cells.next()?)?,
                }),
                "S" => plan.short.push((set_named(name)?, value)),
                // Examples serve the tests.
                "X" => {}
                _ => return None,
            }
        }
        Some(())
    }
}

fn text() -> Result<&'static str, DialError> {
    TEXT.get_or_init(|| {
        let mut text = String::new();
        flate2::read::GzDecoder::new(PACKED)
            .read_to_string(&mut text)
            .map(|_| text)
            .map_err(|_| DialError::Data { file: "numbering.tsv.gz", line: 0 })
    })
    .as_ref()
    .map(String::as_str)
    .map_err(Clone::clone)
}

fn region_row(mut cells: std::str::Split<'static, char>) -> Option<Plan> {
    Some(Plan {
        region: Region::new(cells.next()?)?,
        calling_code: cells.next()?.parse().ok()?,
        leading: cells.next()?,
        international: cells.next()?,
        trunk: cells.next()?,
        trunk_pattern: cells.next()?,
        transform: cells.next()?,
        lengths: lengths(cells.next()?)?,
        local: lengths(cells.next()?)?,
        types: Vec::new(),
        short: Vec::new(),
    })
}

fn lengths(cell: &str) -> Option<Lengths> {
    let mut set = 0;
    for n in cell.split(',').filter(|n| !n.is_empty()) {
        set |= 1u32.checked_shl(n.parse().ok()?)?;
    }
    Some(set)
}

fn type_named(name: &str) -> Option<PlanType> {
    Some(match name {
        "general_desc" => PlanType::General,
        "premium_rate" => PlanType::Premium,
        "toll_free" => PlanType::TollFree,
        "shared_cost" => PlanType::SharedCost,
        "voip" => PlanType::Voip,
        "personal_number" => PlanType::Personal,
        "pager" => PlanType::Pager,
        "uan" => PlanType::Uan,
        "voicemail" => PlanType::Voicemail,
        "fixed_line" => PlanType::Fixed,
        "mobile" => PlanType::Mobile,
        _ => return None,
    })
}

fn set_named(name: &str) -> Option<ShortSet> {
    Some(match name {
        "short_code" => ShortSet::Valid,
        "emergency" => ShortSet::Emergency,
        "premium_rate" => ShortSet::Premium,
        "standard_rate" => ShortSet::Standard,
        "toll_free" => ShortSet::TollFree,
        "carrier_specific" => ShortSet::Carrier,
        "sms_services" => ShortSet::Messages,
        _ => return None,
    })
}
