//! What a PBX remembers of past calls: its call-detail records, so that the baselines needn't start
//! from nothing.
//!
//! In: the text of a CSV file, the office's offsets from UTC. Out: `History`: past calls in time order.
//! Never: loses a row silently: each is a call, or is counted under the reason why not.
//!
//! Read are Asterisk's `Master.csv` (no header), FreeSWITCH's `cdr_csv` default template (no header),
//! the CSV export of 3CX's call log, and any file whose header names its columns in words like
//! `caller`, `destination`, `start` and `duration`.

mod captured;
mod columns;
mod when;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::capture::CaptureError;
use crate::capture::file::Source;
use crate::dial::{self, Dial, DialError};
use crate::labels;
use crate::sensor;
use crate::tally::{Label as _, Tally};
use crate::text::Text;
use crate::time::{OfficeHours, Span, Timestamp};

use columns::Layout;
use when::Order;

labels! {
    /// Why a row is no call to learn from.
    pub enum PassedOver {
        Broken = "broken", "The row isn't CSV, or isn't UTF-8 in what matters.";
        TooShort = "too_short", "Fewer columns than the layout needs.";
        NoTime = "no_time", "Its time can't be read.";
        NoCaller = "no_caller", "Nobody is named who called.";
        NoNumber = "no_number", "No number was called.";
        Inward = "inward", "The call came in, or stayed in the office.";
        BadDuration = "bad_duration", "Its duration can't be read.";
        TooMany = "too_many", "More calls than are kept: the oldest had to go.";
    }
}

/// A call of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastCall {
    /// When it was dialled.
    pub time: Timestamp,
    /// The extension that placed it.
    pub account: Text<32>,
    /// What it dialled.
    pub dialled: Text<40>,
    /// From dialling to the answer.
    pub setup: Span,
    /// How long it was talked for; `None` if nobody answered.
    pub talked: Option<Span>,
}

/// What a file of records holds.
#[derive(Debug)]
pub struct History {
    /// In time order.
    pub calls: Vec<PastCall>,
    /// Rows read, the header apart.
    pub rows: u64,
    /// Rows that are no calls to learn from.
    pub passed_over: Tally<PassedOver>,
    /// Which layout it was read as.
    pub layout: &'static str,
}

/// Calls kept of one file.
const MOST: usize = 2_000_000;
/// An extension has no more digits.
const EXTENSION: usize = 6;

/// Why a file is no call record at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// The first row fits no layout.
    #[error(
        "no call records: neither Asterisk's nor FreeSWITCH's layout, and no header that names a caller, \
         a destination and a start"
    )]
    Layout,
}

/// Why a file teaches nothing.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("can't be read: {0}")]
    Read(#[from] io::Error),
    /// It is a capture that can't be opened.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It holds no call records.
    #[error(transparent)]
    Layout(#[from] LearnError),
    /// The settings make no dial plan.
    #[error(transparent)]
    Dial(#[from] DialError),
}

/// What is known of the office whose records are read.
#[derive(Clone, Debug, Default)]
pub struct Office {
    /// Its numbering plan, for captures; its home also says whether the month comes first in dates.
    pub dial: dial::Settings,
    /// How captures are read.
    pub sensor: sensor::Settings,
    /// Its offsets from UTC.
    pub hours: OfficeHours,
}

/// Reads a file, whichever it is: a capture or call records. The second value is what stopped a
/// capture before its end.
///
/// # Errors
/// A file that can't be read or holds nothing of the kind.
pub fn load(path: &Path, office: &Office) -> Result<(History, Option<CaptureError>), FileError> {
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    if is_capture(&head) {
        let dial = Dial::new(&office.dial)?;
        return Ok(captured::read(&Source::from_arg(path), office.sensor.clone(), dial)?);
    }
    let month_first = matches!(office.dial.home.as_str(), "US" | "CA" | "PH");
    Ok((read(&std::fs::read(path)?, &office.hours, month_first)?, None))
}

/// Whether a file begins like a capture, and not like text.
pub fn is_capture(head: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 5] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    head.starts_with(&[0x1f, 0x8b]) || MAGIC.iter().any(|magic| head.starts_with(magic))
}

/// Reads call records. Local times are those of `hours`; `month_first` says how the office writes dates
/// such as 03/04/2026, where the file itself doesn't tell.
///
/// # Errors
/// A file whose first row fits no layout.
pub fn read(text: &[u8], hours: &OfficeHours, month_first: bool) -> Result<History, LearnError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let delimiter = delimiter(text);
    let reader = || {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(text)
    };
    let first = reader().byte_records().next().and_then(Result::ok).unwrap_or_default();
    let layout = Layout::of(&first).ok_or(LearnError::Layout)?;
    let mut order = Order::new(month_first);
    for record in reader().byte_records().flatten() {
        order.look(layout.start(&record));
    }
    let mut history =
        History { calls: Vec::new(), rows: 0, passed_over: Tally::default(), layout: layout.name };
    for record in reader().into_byte_records().skip(usize::from(layout.has_header)) {
        history.rows = history.rows.saturating_add(1);
        match record.map_err(|_| PassedOver::Broken).and_then(|row| call(&layout, &row, order, hours)) {
            Ok(call) => history.calls.push(call),
            Err(reason) => history.passed_over.bump(reason),
        }
    }
    history.calls.sort_by_key(|call| call.time);
    let surplus = history.calls.len().saturating_sub(MOST);
    history.calls.drain(..surplus);
    history.passed_over.add(PassedOver::TooMany, surplus as u64);
    Ok(history)
}

impl History {
    /// One line for people: what was read as what, and why the rest wasn't.
    pub fn describe(&self) -> String {
        let reasons: Vec<String> = self
            .passed_over
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(reason, n)| format!("{n} {}", reason.name()))
            .collect();
        let rest =
            if reasons.is_empty() { String::new() } else { format!("; passed over: {}", reasons.join(", ")) };
        format!("{} rows ({}), {} calls{rest}", self.rows, self.layout, self.calls.len())
    }
}

/// The likeliest of the usual separators in the first line.
fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|byte| count(*byte)).unwrap_or(b',')
}

fn call(
    layout: &Layout,
    row: &csv::ByteRecord,
    order: Order,
    hours: &OfficeHours,
) -> Result<PastCall, PassedOver> {
    if row.len() < layout.least {
        return Err(PassedOver::TooShort);
    }
    let time = when::moment(layout.start(row), order, hours).ok_or(PassedOver::NoTime)?;
    let direction = layout.direction(row).to_ascii_lowercase();
    if direction.starts_with("in") {
        return Err(PassedOver::Inward);
    }
    let account = layout.caller(row);
    if account.is_empty() {
        return Err(PassedOver::NoCaller);
    }
    let is_extension = account.len() <= EXTENSION || account.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !is_extension && !direction.starts_with("out") {
        return Err(PassedOver::Inward);
    }
    let dialled = columns::number(layout.destination(row));
    if dialled.is_empty() {
        return Err(PassedOver::NoNumber);
    }
    if dialled.len() <= EXTENSION && dialled.len() == account.len() {
        return Err(PassedOver::Inward);
    }
    let talked = when::duration(layout.talked(row)).ok_or(PassedOver::BadDuration)?;
    let answered = layout.is_answered(row).unwrap_or(talked > Span::ZERO);
    let whole = when::duration(layout.whole(row)).unwrap_or(talked);
    Ok(PastCall {
        time,
        account: Text::new(account.as_bytes()),
        dialled: Text::new(dialled.as_bytes()),
        setup: Span(whole.0.saturating_sub(talked.0).clamp(0, Span::minutes(5).0)),
        talked: answered.then_some(talked),
    })
}

#[cfg(test)]
mod tests;
