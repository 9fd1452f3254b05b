//! What was, from before the view begins: read from the store.
//!
//! In: a query. Out: JSON records as they were kept. Never: holds up the one thread that writes.

use std::io;

use super::api::{History, MOST, Query};
use crate::store::Store;
use crate::time::Timestamp;

/// Asks the store's file, through a connection of its own for each question.
#[derive(Debug)]
pub struct Stored(pub Store);

fn limit(query: &Query) -> u32 {
    u32::try_from(query.limit.unwrap_or(MOST).min(MOST)).unwrap_or(u32::MAX)
}

impl History for Stored {
    fn calls(&self, query: &Query, before: Option<Timestamp>) -> io::Result<Vec<String>> {
        let (since, before) =
            (query.since.unwrap_or(Timestamp(i64::MIN)), before.unwrap_or(Timestamp(i64::MAX)));
        let reader = self.0.reader().map_err(io::Error::other)?;
        let mut records = reader.calls_before(since, before, limit(query)).map_err(io::Error::other)?;
        records.reverse();
        Ok(records)
    }

    fn alerts(&self, query: &Query, known: &[(Timestamp, u64)]) -> io::Result<Vec<String>> {
        let since = query.since.unwrap_or(Timestamp(i64::MIN));
        let reader = self.0.reader().map_err(io::Error::other)?;
        // Those that are known already are among the newest.
        let most = limit(query).saturating_add(u32::try_from(known.len()).unwrap_or(u32::MAX));
        let rows = reader.alerts(since, most).map_err(io::Error::other)?;
        let unknown = rows.into_iter().filter(|row| !known.contains(&(row.raised, row.id)));
        let recent = unknown.filter(|row| row.updated >= since || row.raised >= since);
        let mut records: Vec<String> = recent.map(|row| row.record).take(limit(query) as usize).collect();
        records.reverse();
        Ok(records)
    }
}
