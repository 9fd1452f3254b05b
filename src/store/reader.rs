//! Questions to the file: for the command line, HTTP, reports, and the next start.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::blob::{Blob, BlobError};
use super::rows::{AckRow, AlertRow, DayRow, Letter};
use crate::time::{OfficeHours, Span, Timestamp};

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("the store can't be read: {0}")]
pub struct Asked(#[from] rusqlite::Error);

/// A connection that only reads.
#[derive(Debug)]
pub struct Reader(Connection);

/// What was called in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Internal, national, ...
    pub class: String,
    /// Mobile, premium rate, ...
    pub kind: String,
    /// ISO country or `001`; empty if there is none.
    pub region: String,
    /// Attempts; a call whose two legs were seen is one.
    pub attempts: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// How long was talked.
    pub talked: Span,
    /// What it cost by the best guess, in millionths.
    pub cost: i64,
}

impl Reader {
    /// Opens the file; it must exist.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn open(path: &Path) -> Result<Self, Asked> {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.busy_timeout(Duration::from_secs(2))?;
        Ok(Self(db))
    }

    /// Records of calls attempted since a moment, newest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn calls(&self, since: Timestamp, limit: u32) -> Result<Vec<String>, Asked> {
        self.records(
            "SELECT record FROM calls WHERE started >= ?1 ORDER BY started DESC, id DESC, leg LIMIT ?2",
            since,
            limit,
        )
    }

    /// Records of calls attempted since a moment and before another, newest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn calls_before(
        &self,
        since: Timestamp,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, Asked> {
        let sql = "SELECT record FROM calls WHERE started >= ?1 AND started < ?2
                   ORDER BY started DESC, id DESC, leg LIMIT ?3";
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params![since.0, before.0, limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records of one handset's calls attempted since a moment, newest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn calls_of(&self, handset: &str, since: Timestamp, limit: u32) -> Result<Vec<String>, Asked> {
        let sql =
            "SELECT record FROM calls WHERE handset = ?1 AND started >= ?2 ORDER BY started DESC LIMIT ?3";
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params![handset, since.0, limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Alerts that stand open, or were raised or said something since a moment; newest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn alerts(&self, since: Timestamp, limit: u32) -> Result<Vec<AlertRow>, Asked> {
        self.alerts_by("updated >= ?1 OR state <> 'cleared'", since.0, limit)
    }

    /// Alerts that stand open, newest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn open_alerts(&self) -> Result<Vec<AlertRow>, Asked> {
        self.alerts_by("state <> 'cleared' AND raised >= ?1", i64::MIN, 10_000)
    }

    fn alerts_by(&self, condition: &str, since: i64, limit: u32) -> Result<Vec<AlertRow>, Asked> {
        let sql = format!(
            "SELECT raised, id, state, rule, severity, handset, label, updated, calls, amount, currency, record
             FROM alerts WHERE {condition} ORDER BY raised DESC, id DESC LIMIT ?2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![since, limit], alert)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Acceptances that hold at a moment.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn acks(&self, at: Timestamp) -> Result<Vec<AckRow>, Asked> {
        let mut statement = self
            .0
            .prepare_cached("SELECT raised, id, time, until, why FROM acks WHERE until > ?1 ORDER BY time")?;
        let rows = statement.query_map([at.0], |row| {
            Ok(AckRow {
                raised: Timestamp(row.get(0)?),
                id: unsigned(row.get(1)?),
                time: Timestamp(row.get(2)?),
                until: Timestamp(row.get(3)?),
                why: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One JSON object a handset: the inventory's record where there is one, with when it was first
    /// and last seen and how often it called.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn handsets(&self) -> Result<Vec<serde_json::Value>, Asked> {
        let sql =
            "SELECT handset, user, ip, mac, verified, first_seen, last_seen, attempts, record FROM handsets
                   ORDER BY handset LIMIT 100000";
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let filled = |text: String| (!text.is_empty()).then_some(text);
            let known: Option<String> = row.get(8)?;
            let mut record = known
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_else(|| serde_json::json!({ "type": "handset" }));
            if let Some(record) = record.as_object_mut() {
                let mut put = |key: &str, value: serde_json::Value| {
                    record.entry(key).or_insert(value);
                };
                put("handset", row.get::<_, String>(0)?.into());
                put("user", filled(row.get(1)?).into());
                put("ip", filled(row.get(2)?).into());
                put("mac", filled(row.get(3)?).into());
                put("verified", row.get::<_, bool>(4)?.into());
                put("first_seen", Timestamp(row.get(5)?).to_string().into());
                put("last_seen", Timestamp(row.get(6)?).to_string().into());
                put("attempts", row.get::<_, i64>(7)?.into());
            }
            Ok(record)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records of the handset-security checklist.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn findings(&self) -> Result<Vec<String>, Asked> {
        self.records(
            "SELECT record FROM findings WHERE time >= ?1 ORDER BY name, handset LIMIT ?2",
            Timestamp(i64::MIN),
            100_000,
        )
    }

    /// What was called from the office in a period, the dearest first.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn sums(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Sum>, Asked> {
        let sql = "SELECT class, kind, region, count(*), sum(answered), sum(talked), sum(cost) FROM calls
                   WHERE started >= ?1 AND started < ?2 AND NOT joined AND direction <> 'inbound'
                   GROUP BY class, kind, region ORDER BY sum(cost) DESC, count(*) DESC, class, kind, region";
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params![from.0, until.0], |row| {
            Ok(Sum {
                class: row.get(0)?,
                kind: row.get(1)?,
                region: row.get(2)?,
                attempts: unsigned(row.get(3)?),
                answered: unsigned(row.get(4)?),
                talked: Span(row.get(5)?),
                cost: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The days of a period, in the office's time, on which a call left the office or something was
    /// noted, in order.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn days(&self, from: Timestamp, until: Timestamp, hours: &OfficeHours) -> Result<Vec<DayRow>, Asked> {
        let mut days: BTreeMap<i64, DayRow> = BTreeMap::new();
        // Clocks differ from UTC by whole quarters of an hour.
        let sql = "SELECT min(started), count(*), sum(cost) FROM calls
                   WHERE started >= ?1 AND started < ?2 AND NOT joined AND direction <> 'inbound'
                         AND class NOT IN ('internal', 'feature') GROUP BY started / 900000000";
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params![from.0, until.0])?;
        while let Some(row) = rows.next()? {
            let day = hours.local(Timestamp(row.get(0)?)).day;
            let (attempts, cost) = (unsigned(row.get(1)?), row.get::<_, i64>(2)?);
            let known = days.entry(day).or_insert(DayRow { day, ..DayRow::default() });
            known.attempts = known.attempts.saturating_add(attempts);
            known.cost = known.cost.saturating_add(cost);
        }
        let (first, last) = (hours.local(from).day, hours.local(until.minus(Span(1))).day);
        let mut statement = self
            .0
            .prepare_cached("SELECT day, checklist, coverage FROM days WHERE day >= ?1 AND day <= ?2")?;
        for noted in statement.query_map(params![first, last], noted)? {
            let noted = noted?;
            let day = days.entry(noted.day).or_insert(DayRow { day: noted.day, ..DayRow::default() });
            (day.checklist, day.coverage) = (noted.checklist, noted.coverage);
        }
        Ok(days.into_values().collect())
    }

    /// What was noted last before a day of the office's time.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn note_before(&self, day: i64) -> Result<Option<DayRow>, Asked> {
        let sql = "SELECT day, checklist, coverage FROM days WHERE day < ?1 ORDER BY day DESC LIMIT 1";
        Ok(self.0.query_row(sql, [day], noted).optional()?)
    }

    /// The first day on which something was noted: the store knows nothing from before.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn first_day(&self) -> Result<Option<i64>, Asked> {
        Ok(self.0.query_row("SELECT min(day) FROM days", [], |row| row.get(0))?)
    }

    /// Letters that wait, in the order in which each sink sends them.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn letters(&self, sink: &'static str) -> Result<Vec<Letter>, Asked> {
        let mut statement = self
            .0
            .prepare_cached("SELECT seq, made, urgency, body FROM letters WHERE sink = ?1 ORDER BY seq")?;
        let rows = statement.query_map([sink], |row| {
            Ok(Letter {
                sink,
                seq: unsigned(row.get(0)?),
                made: Timestamp(row.get(1)?),
                urgency: row.get(2)?,
                body: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A saved state as its bytes.
    pub(super) fn blob(&self, name: &str) -> Result<Option<Blob>, BlobError> {
        let sql = "SELECT version, sum, data FROM state WHERE name = ?1";
        let found = self.0.query_row(sql, [name], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let Some((version, sum, data)) = found.optional().map_err(Asked)? else { return Ok(None) };
        let sum = sum.try_into().map_err(|_| BlobError::Broken(name.to_owned()))?;
        Ok(Some(Blob { name: name.to_owned(), version, sum, data }))
    }

    fn records(&self, sql: &str, since: Timestamp, limit: u32) -> Result<Vec<String>, Asked> {
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params![since.0, limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn noted(row: &Row<'_>) -> Result<DayRow, rusqlite::Error> {
    Ok(DayRow { day: row.get(0)?, checklist: row.get(1)?, coverage: row.get(2)?, ..DayRow::default() })
}

fn alert(row: &Row<'_>) -> Result<AlertRow, rusqlite::Error> {
    Ok(AlertRow {
        raised: Timestamp(row.get(0)?),
        id: unsigned(row.get(1)?),
        state: row.get(2)?,
        rule: row.get(3)?,
        severity: row.get(4)?,
        handset: row.get(5)?,
        label: row.get(6)?,
        updated: Timestamp(row.get(7)?),
        calls: row.get(8)?,
        amount: row.get(9)?,
        currency: row.get(10)?,
        record: row.get(11)?,
    })
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
