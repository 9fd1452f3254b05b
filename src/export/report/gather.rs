//! What the report says, read from the store.
//!
//! In: the store's answers. Out: `Report`.
//! Never: guesses where the store has nothing.

use serde_json::Value;

use crate::store::{AlertRow, Asked, DayRow, Reader, Sum};
use crate::time::{OfficeHours, Span, Timestamp, since};

/// From when (included) until when (excluded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Period {
    /// The period of the same length right before this one.
    pub const fn before(self) -> Self {
        Self { from: self.from.minus(self.until.since(self.from)), until: self.from }
    }

    const fn has(self, at: Timestamp) -> bool {
        at.0 >= self.from.0 && at.0 < self.until.0
    }
}

/// One incident of the period.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// As the store has it.
    pub row: AlertRow,
    /// Its JSON record.
    pub record: Value,
    /// What would have been lost if it had gone on at its last rate until the office opened again, in
    /// millionths; 0 where no rate is known.
    pub avoided: i64,
}

/// What a period adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Attempts that left the office.
    pub attempts: u64,
    /// Of these, how many were answered.
    pub answered: u64,
    /// How long was talked.
    pub talked: Span,
    /// What they cost by the best guess, in millionths.
    pub cost: i64,
    /// Incidents that paged somebody.
    pub incidents: u64,
    /// Money lost in them, in millionths.
    pub lost: i64,
}

/// Whose report it is.
#[derive(Clone, Copy, Debug)]
pub struct Office<'a> {
    /// What it is called.
    pub site: &'a str,
    /// ISO 4217.
    pub currency: &'a str,
    /// Its time and when it is open.
    pub hours: &'a OfficeHours,
    /// What its time zone is called.
    pub zone: &'a str,
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The office.
    pub site: String,
    /// When the report was made.
    pub made: Timestamp,
    /// What it is about.
    pub period: Period,
    /// ISO 4217.
    pub currency: String,
    /// The office's time.
    pub hours: OfficeHours,
    /// What that time zone is called.
    pub zone: String,
    /// Incidents that paged somebody, oldest first.
    pub incidents: Vec<Incident>,
    /// How many notices there were that paged nobody.
    pub notices: usize,
    /// What was called, the dearest first.
    pub sums: Vec<Sum>,
    /// Those of the period before.
    pub sums_before: Vec<Sum>,
    /// The period's totals.
    pub totals: Totals,
    /// Those of the period before; `None` if the store doesn't reach back so far.
    pub before: Option<Totals>,
    /// Calls and money by day.
    pub days: Vec<DayRow>,
    /// The checklist as it stood last in the period, and as it stood before it began.
    pub checklists: [Option<Value>; 2],
    /// What could be seen, day by day, as it was noted last.
    pub coverage: Option<Value>,
    /// Days of the period on which something was noted at all.
    pub watched: usize,
    /// Handsets that are known.
    pub handsets: usize,
}

/// More incidents than this are counted, not told.
const ROWS: u32 = 10_000;
/// An incident is never reckoned to go on for longer than this.
const LONGEST: Span = Span::days(5);

/// Reads a period.
///
/// # Errors
/// A store that can't be read.
pub fn gather(reader: &Reader, office: Office<'_>, period: Period, made: Timestamp) -> Result<Report, Asked> {
    let Office { site, currency, hours, zone } = office;
    let mut alerts = reader.alerts(period.before().from, ROWS)?;
    alerts.retain(|alert| alert.currency.is_empty() || alert.currency == currency || alert.pages());
    alerts.reverse();
    let now: Vec<_> = alerts.iter().filter(|alert| period.has(alert.raised)).collect();
    let incidents: Vec<_> = now.iter().filter(|alert| alert.pages()).map(|a| incident(a, hours)).collect();
    let sums = reader.sums(period.from, period.until)?;
    let past = reader.sums(period.before().from, period.from)?;
    let paged_before = alerts.iter().filter(|alert| alert.pages() && period.before().has(alert.raised));
    let before = totals(&past, paged_before);
    let days = reader.days(period.from, period.until, hours)?;
    let noted_before = reader.note_before(hours.local(period.from).day)?;
    let known = reader.first_day()?.is_some_and(|first| first <= hours.local(period.before().from).day);
    let last = days.iter().rev();
    Ok(Report {
        site: site.to_owned(),
        made,
        period,
        currency: currency.to_owned(),
        hours: hours.clone(),
        zone: zone.to_owned(),
        notices: now.len() - incidents.len(),
        totals: totals(&sums, now.iter().copied().filter(|alert| alert.pages())),
        before: (known || !past.is_empty()).then_some(before),
        checklists: [
            last.clone().find_map(|day| json(day.checklist.as_deref())),
            noted_before.and_then(|day| json(day.checklist.as_deref())),
        ],
        coverage: last.clone().find_map(|day| json(day.coverage.as_deref())),
        watched: days.iter().filter(|day| day.coverage.is_some()).count(),
        handsets: reader.handsets()?.len(),
        incidents,
        sums,
        sums_before: past,
        days,
    })
}

fn json(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

fn totals<'a>(sums: &[Sum], paged: impl Iterator<Item = &'a AlertRow>) -> Totals {
    let outside = |sum: &&Sum| sum.class != "internal" && sum.class != "feature";
    let mut totals = Totals::default();
    for sum in sums.iter().filter(outside) {
        totals.attempts += sum.attempts;
        totals.answered += sum.answered;
        totals.talked = Span(totals.talked.0.saturating_add(sum.talked.0));
        totals.cost = totals.cost.saturating_add(sum.cost);
    }
    for alert in paged {
        totals.incidents += 1;
        totals.lost = totals.lost.saturating_add(alert.amount);
    }
    totals
}

fn incident(row: &AlertRow, hours: &OfficeHours) -> Incident {
    let record: Value = serde_json::from_str(&row.record).unwrap_or_default();
    let per_hour = record["evidence"]["per_hour"].as_f64().unwrap_or(0.0);
    // Somebody comes when the office opens again.
    let end = record["last_call"].as_str().and_then(|t| since(t, row.updated)).unwrap_or(row.updated);
    let open_for = hours.opens(end, LONGEST).unwrap_or(end.plus(LONGEST)).since(end).as_secs_f64() / 3_600.0;
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest")]
    let avoided = (per_hour * open_for * 1e6) as i64;
    Incident { row: row.clone(), record, avoided: avoided.max(0) }
}
