//! Which column says what.
//!
//! In: the first row. Out: `Layout`.
//! Never: takes a layout for another because a file has as many columns.

use csv::ByteRecord;

/// Where to find what.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) has_header: bool,
    /// Columns that a row must have.
    pub(super) least: usize,
    start: usize,
    caller: usize,
    /// A channel such as `PJSIP/214-0000002a`: it names the phone even where the caller shows a line.
    channel: Option<usize>,
    destination: usize,
    talked: Option<usize>,
    whole: Option<usize>,
    disposition: Option<usize>,
    direction: Option<usize>,
}

/// Words that headers use, as letters and digits only, the most telling first.
const START: &[&str] = &[
    "starttime",
    "start",
    "calltime",
    "startstamp",
    "calldate",
    "datetime",
    "timestamp",
    "date",
    "time",
    "begin",
    "setuptime",
];
const CALLER: &[&str] = &[
    "extension",
    "callerextension",
    "caller",
    "from",
    "src",
    "source",
    "callerid",
    "calleridnumber",
    "callingnumber",
    "calling",
    "callingparty",
    "origin",
    "originator",
    "user",
    "account",
    "clid",
    "ani",
];
const DESTINATION: &[&str] = &[
    "destination",
    "destinationnumber",
    "dst",
    "to",
    "callee",
    "called",
    "callednumber",
    "calledparty",
    "dialled",
    "dialed",
    "dialednumber",
    "dialednumber",
    "number",
    "dnis",
];
const TALKED: &[&str] = &[
    "billsec",
    "talking",
    "talktime",
    "talksec",
    "talk",
    "billedduration",
    "billableseconds",
    "billable",
    "durationseconds",
    "durations",
    "duration",
    "seconds",
    "length",
];
const WHOLE: &[&str] = &["duration", "totals", "total", "totalduration", "elapsed"];
const DISPOSITION: &[&str] = &["disposition", "status", "hangupcause", "cause", "result", "outcome"];
const DIRECTION: &[&str] = &["direction", "calltype", "type"];

impl Layout {
    /// From the first row: its shape, or its words.
    pub(super) fn of(first: &ByteRecord) -> Option<Self> {
        let word = |i: usize| first.get(i).unwrap_or_default();
        let is_date = |i: usize| word(i).first().is_some_and(u8::is_ascii_digit) && word(i).contains(&b':');
        // 9 = start, 12 and 13 = seconds, 14 = disposition.
        if (16..=18).contains(&first.len()) && is_date(9) && word(12).iter().all(u8::is_ascii_digit) {
            return Some(Self {
                name: "Asterisk Master.csv",
                has_header: false,
                least: 15,
                start: 9,
                caller: 1,
                channel: Some(5),
                destination: 2,
                talked: Some(13),
                whole: Some(12),
                disposition: Some(14),
                direction: None,
            });
        }
        // name, number, destination, context, start, answer, end, duration, billsec, cause, uuid …
        if first.len() >= 11 && is_date(4) && is_date(6) && word(8).iter().all(u8::is_ascii_digit) {
            return Some(Self {
                name: "FreeSWITCH cdr_csv",
                has_header: false,
                least: 10,
                start: 4,
                caller: 1,
                channel: None,
                destination: 2,
                talked: Some(8),
                whole: Some(7),
                disposition: None,
                direction: None,
            });
        }
        Self::of_header(first)
    }

    fn of_header(first: &ByteRecord) -> Option<Self> {
        let names: Vec<String> = first.iter().map(plain).collect();
        let find = |words: &[&str]| words.iter().find_map(|word| names.iter().position(|name| name == word));
        let (start, caller, destination) = (find(START)?, find(CALLER)?, find(DESTINATION)?);
        let talked = find(TALKED);
        let is_3cx =
            names.iter().any(|name| name == "calltime") && names.iter().any(|name| name == "talking");
        Some(Self {
            name: if is_3cx { "3CX call log" } else { "columns by header" },
            has_header: true,
            least: start.max(caller).max(destination) + 1,
            start,
            caller,
            channel: names.iter().position(|name| name == "channel"),
            destination,
            talked,
            whole: find(WHOLE).filter(|whole| Some(*whole) != talked),
            disposition: find(DISPOSITION),
            direction: find(DIRECTION),
        })
    }

    pub(super) fn start<'r>(&self, row: &'r ByteRecord) -> &'r str {
        text(row, Some(self.start))
    }

    pub(super) fn destination<'r>(&self, row: &'r ByteRecord) -> &'r str {
        text(row, Some(self.destination))
    }

    pub(super) fn talked<'r>(&self, row: &'r ByteRecord) -> &'r str {
        text(row, self.talked)
    }

    pub(super) fn whole<'r>(&self, row: &'r ByteRecord) -> &'r str {
        text(row, self.whole)
    }

    pub(super) fn direction<'r>(&self, row: &'r ByteRecord) -> &'r str {
        text(row, self.direction)
    }

    /// The extension that called.
    pub(super) fn caller(&self, row: &ByteRecord) -> String {
        let by_channel = extension_of_channel(text(row, self.channel));
        if by_channel.is_empty() { party(text(row, Some(self.caller))) } else { by_channel.to_owned() }
    }

    /// What the row says of an answer, if it says anything.
    pub(super) fn is_answered(&self, row: &ByteRecord) -> Option<bool> {
        let said = plain(text(row, self.disposition).as_bytes());
        match said.as_str() {
            "answered" | "ok" | "completed" | "connected" | "200" => Some(true),
            "noanswer" | "busy" | "failed" | "unanswered" | "congestion" | "cancelled" | "canceled"
            | "rejected" | "missed" => Some(false),
            _ => None,
        }
    }
}

fn text(row: &ByteRecord, column: Option<usize>) -> &str {
    column
        .and_then(|column| row.get(column))
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// Letters and digits in lower case.
fn plain(word: &[u8]) -> String {
    word.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| byte.to_ascii_lowercase() as char)
        .collect()
}

/// `PJSIP/214-0000002a` is 214; a trunk's channel names no extension.
fn extension_of_channel(channel: &str) -> &str {
    let peer = channel.split_once('/').map_or("", |(_, peer)| peer);
    let peer = peer.rsplit_once('-').map_or(peer, |(peer, _)| peer);
    if (2..=6).contains(&peer.len()) && peer.bytes().all(|byte| byte.is_ascii_digit()) { peer } else { "" }
}

/// `Reception (214)`, `"Ann" <214>`, `Ext.214`, `sip:214@pbx` and `214` are 214.
fn party(text: &str) -> String {
    let inner =
        ['(', '<'].into_iter().find_map(|open| text.rsplit_once(open)).map_or(text, |(_, inner)| inner);
    let inner = inner.trim_end_matches([')', '>']).trim_start_matches("sip:");
    let user = inner.split('@').next().unwrap_or_default();
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { user.trim().to_owned() } else { digits }
}

/// What was dialled: digits, `+`, `*` and `#`, without the ornaments of print.
pub(super) fn number(text: &str) -> String {
    let inner = text.rsplit_once('<').map_or(text, |(_, inner)| inner);
    let inner = inner.trim_end_matches('>').trim_start_matches("sip:").trim_start_matches("tel:");
    let user = inner.split('@').next().unwrap_or_default();
    let number: String =
        user.chars().filter(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#')).collect();
    let is_print =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '*' | '#' | ' ' | '-' | '.' | '(' | ')' | '/');
    if user.chars().all(is_print) { number } else { String::new() }
}
