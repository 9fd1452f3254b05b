//! The one thread that writes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, params};

use super::blob::Blob;
use super::mailbox::{Batch, Job, Mailbox, URGENT};
use super::open::{attempt, loss, set_aside};
use super::rows::{AckRow, AlertRow, CallRow, FindingRow, HandsetRow, Letter, NoteRow};
use super::{Figure, Health, Loss, Settings};
use crate::tally::Label;
use crate::time::Timestamp;

/// How long ordinary rows may wait for company.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a disk that failed is left alone.
const REST: Duration = Duration::from_secs(1);
/// How often old rows are looked for.
const TIDY: Duration = Duration::from_secs(60);
/// How often the log says that the file is as big as it may be.
const SAY_SIZE: Duration = Duration::from_secs(86_400);
/// Calls forgotten at one go: keeps each transaction short.
const TIDY_ROWS: u32 = 20_000;

/// Owns the file.
pub(super) struct Writer {
    settings: Settings,
    db: Option<Connection>,
    mailbox: Arc<Mailbox>,
    health: Arc<Health>,
    /// What a failing disk did not take: alerts, letters, the newest state.
    kept: VecDeque<Job>,
    state: Option<Vec<Blob>>,
    rest_until: Option<Instant>,
    tidied: Instant,
    /// What the log said last of the disk, and when it said that the size is reached.
    said: Option<Loss>,
    said_size: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        settings: Settings,
        db: Option<Connection>,
        mailbox: Arc<Mailbox>,
        health: Arc<Health>,
    ) -> Self {
        // The first tidying comes soon: a machine that is switched off every night must forget, too.
        let now = now();
        let tidied = now.checked_sub(TIDY).unwrap_or(now);
        let mut writer = Self {
            settings,
            db,
            mailbox,
            health,
            kept: VecDeque::new(),
            state: None,
            rest_until: None,
            tidied,
            said: None,
            said_size: None,
        };
        writer.measure();
        writer
    }

    pub(super) fn run(mut self) {
        loop {
            let batch = self.mailbox.take(PERIOD);
            let closed = batch.closed;
            self.handle(batch);
            if self.tidied.elapsed() >= TIDY {
                self.tidied = now();
                self.tidy();
            }
            if closed {
                return;
            }
        }
    }

    fn handle(&mut self, batch: Batch) {
        let mut jobs: Vec<Job> = self.kept.drain(..).collect();
        jobs.extend(self.state.take().map(Job::State));
        jobs.extend(batch.jobs);
        if jobs.is_empty() {
            return;
        }
        let resting = self.rest_until.is_some_and(|until| now() < until);
        let result = if resting { Err(None) } else { self.write(&jobs) };
        match result {
            Ok(()) => self.done(jobs),
            Err(trouble) => {
                if let Some(reason) = trouble {
                    self.failed(reason);
                }
                self.keep(jobs);
            }
        }
    }

    fn done(&mut self, jobs: Vec<Job>) {
        self.rest_until = None;
        if self.said.take().is_some() {
            tracing::warn!("{} is written again; what waited is kept", self.settings.path.display());
        }
        let rows = jobs.len() as u64;
        self.health.figures.add(Figure::Rows, rows);
        if jobs.iter().any(|job| matches!(job, Job::State(_))) {
            self.saved();
        }
        answer(&jobs, true);
        self.measure();
    }

    fn saved(&self) {
        let last = self.health.figures.get(Figure::LastSave);
        let at = u64::try_from(wall().0).unwrap_or(0);
        self.health.figures.add(Figure::LastSave, at.wrapping_sub(last));
    }

    /// A failing disk: nobody waits for it, urgent things and the newest state stay in memory.
    fn keep(&mut self, jobs: Vec<Job>) {
        answer(&jobs, false);
        for job in jobs {
            match job {
                Job::State(blobs) => {
                    let state = self.state.get_or_insert_default();
                    state.retain(|old| blobs.iter().all(|new| new.name != old.name));
                    state.extend(blobs);
                }
                Job::Flush(_) => {}
                job if job.is_urgent() && self.kept.len() < URGENT => {
                    self.kept.push_back(without_receipt(job));
                }
                _ => self.health.figures.bump(Figure::Dropped),
            }
        }
    }

    fn failed(&mut self, reason: Loss) {
        self.health.losses.bump(reason);
        if self.said != Some(reason) {
            self.said = Some(reason);
            tracing::error!(
                "{} can't be written: {} Detection and alerts go on; calls are lost to history until it can",
                self.settings.path.display(),
                reason.about()
            );
        }
        self.rest_until = Some(now() + REST);
        if reason == Loss::Corrupt {
            self.db = None;
            if let Ok(aside) = set_aside(&self.settings.path, wall()) {
                tracing::error!("it is set aside as {}", aside.display());
                self.health.figures.bump(Figure::SetAside);
            }
        } else if reason != Loss::Busy && reason != Loss::Full {
            // The file may have been replaced, or its disk mounted anew.
            self.db = None;
        }
    }

    fn write(&mut self, jobs: &[Job]) -> Result<(), Option<Loss>> {
        if self.db.is_none() {
            self.db = Some(attempt(&self.settings.path).map_err(|trouble| {
                Some(match trouble {
                    super::open::Trouble::Sqlite(error) => loss(&error),
                    super::open::Trouble::Unsound(_) => Loss::Corrupt,
                    super::open::Trouble::Newer(_) => Loss::Other,
                    super::open::Trouble::File(error) => file_loss(&error),
                })
            })?);
        }
        let Some(db) = &mut self.db else { return Err(None) };
        transact(db, jobs).map_err(|error| Some(loss(&error)))
    }

    /// Forgets what is too old or too much.
    fn tidy(&mut self) {
        let Some(db) = &mut self.db else { return };
        match tidy(db, &self.settings, wall()) {
            Ok((old, surplus)) => {
                self.health.figures.add(Figure::Pruned, old + surplus);
                if surplus > 0 && self.said_size.is_none_or(|at| at.elapsed() >= SAY_SIZE) {
                    self.said_size = Some(now());
                    tracing::warn!(
                        "the store has reached [store] retention_mib = {}: the oldest calls are forgotten before \
                         their {} days",
                        self.settings.retention_mib,
                        self.settings.retention_days
                    );
                }
            }
            Err(error) => self.health.losses.bump(loss(&error)),
        }
        self.measure();
    }

    fn measure(&mut self) {
        if let Some(bytes) = self.db.as_ref().and_then(|db| used(db).ok()) {
            let last = self.health.figures.get(Figure::Bytes);
            self.health.figures.add(Figure::Bytes, bytes.wrapping_sub(last));
        }
    }
}

fn file_loss(error: &std::io::Error) -> Loss {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Loss::Full,
        std::io::ErrorKind::ReadOnlyFilesystem => Loss::ReadOnly,
        _ => Loss::Io,
    }
}

fn without_receipt(job: Job) -> Job {
    match job {
        Job::Alert(row, letters, _) => Job::Alert(row, letters, None),
        job => job,
    }
}

fn answer(jobs: &[Job], durable: bool) {
    for job in jobs {
        if let Job::Alert(_, _, Some(done)) | Job::Flush(done) = job {
            // Whoever asked may have stopped waiting.
            let _ = done.try_send(durable);
        }
    }
}

/// All of it, or nothing. Alerts, letters and state are fsynced before this returns.
fn transact(db: &mut Connection, jobs: &[Job]) -> Result<(), rusqlite::Error> {
    let careful = jobs.iter().any(|job| job.is_urgent() || matches!(job, Job::State(_)));
    db.pragma_update(None, "synchronous", if careful { "FULL" } else { "NORMAL" })?;
    let transaction = db.transaction()?;
    for job in jobs {
        match job {
            Job::Call(row) => call(&transaction, row)?,
            Job::Handset(row) => handset(&transaction, row)?,
            Job::Finding(row) => finding(&transaction, row)?,
            Job::Note(row) => note(&transaction, row)?,
            Job::Ack(row) => ack(&transaction, row)?,
            Job::Alert(row, letters, _) => {
                alert(&transaction, row)?;
                letters.iter().try_for_each(|one| letter(&transaction, one))?;
            }
            Job::Delivered(sink, seq) => {
                let mut gone =
                    transaction.prepare_cached("DELETE FROM letters WHERE sink = ?1 AND seq = ?2")?;
                gone.execute(params![sink, signed(*seq)])?;
            }
            Job::State(blobs) => blobs.iter().try_for_each(|blob| state(&transaction, blob))?,
            Job::Flush(_) => {}
        }
    }
    transaction.commit()
}

fn call(db: &Transaction<'_>, row: &CallRow) -> Result<(), rusqlite::Error> {
    handset(db, &row.who)?;
    let mut statement = db.prepare_cached(
        "INSERT INTO calls VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)
         ON CONFLICT DO UPDATE SET state = ?4, handset = ?5, answered = ?11, talked = ?12, cost = ?13, record = ?14",
    )?;
    statement.execute(params![
        row.started.0,
        signed(row.id),
        row.leg,
        row.state,
        row.who.handset,
        row.direction,
        row.class,
        row.kind,
        row.region,
        row.joined,
        row.answered,
        row.talked,
        row.cost,
        row.record,
    ])?;
    Ok(())
}

fn handset(db: &Transaction<'_>, row: &HandsetRow) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "INSERT INTO handsets VALUES(?1,?2,?3,?4,?5,?6,?6,?7,?8)
         ON CONFLICT DO UPDATE SET user = ?2, ip = ?3, mac = CASE ?4 WHEN '' THEN mac ELSE ?4 END,
            verified = ?5, last_seen = max(last_seen, ?6), attempts = attempts + ?7, record = ifnull(?8, record)",
    )?;
    statement.execute(params![
        row.handset,
        row.user,
        row.ip,
        row.mac,
        row.verified,
        row.seen.0,
        row.attempts,
        row.record,
    ])?;
    Ok(())
}

fn finding(db: &Transaction<'_>, row: &FindingRow) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "INSERT INTO findings VALUES(?1,?2,?3,?4,?5,?5,?6)
         ON CONFLICT DO UPDATE SET since = CASE status WHEN ?3 THEN since ELSE ?5 END,
            status = ?3, severity = ?4, time = ?5, record = ?6",
    )?;
    statement.execute(params![row.check, row.handset, row.status, row.severity, row.time.0, row.record])?;
    Ok(())
}

fn note(db: &Transaction<'_>, row: &NoteRow) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO days VALUES(?1,?2,?3)")?;
    statement.execute(params![row.day, row.checklist, row.coverage])?;
    Ok(())
}

fn ack(db: &Transaction<'_>, row: &AckRow) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO acks VALUES(?1,?2,?3,?4,?5)")?;
    statement.execute(params![row.raised.0, signed(row.id), row.time.0, row.until.0, row.why])?;
    Ok(())
}

fn alert(db: &Transaction<'_>, row: &AlertRow) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached(
        "INSERT INTO alerts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)
         ON CONFLICT DO UPDATE SET state = ?3, rule = ?4, severity = ?5, updated = ?8, cleared = ?9, calls = ?10,
            amount = ?11, currency = ?12, record = ?13",
    )?;
    statement.execute(params![
        row.raised.0,
        signed(row.id),
        row.state,
        row.rule,
        row.severity,
        row.handset,
        row.label,
        row.updated.0,
        row.cleared().map(|at| at.0),
        row.calls,
        row.amount,
        row.currency,
        row.record,
    ])?;
    Ok(())
}

fn letter(db: &Transaction<'_>, row: &Letter) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO letters VALUES(?1,?2,?3,?4,?5)")?;
    statement.execute(params![row.sink, signed(row.seq), row.made.0, row.urgency, row.body])?;
    Ok(())
}

fn state(db: &Transaction<'_>, blob: &Blob) -> Result<(), rusqlite::Error> {
    let mut statement = db.prepare_cached("INSERT OR REPLACE INTO state VALUES(?1,?2,?3,?4,?5)")?;
    statement.execute(params![blob.name, blob.version, wall().0, blob.sum, blob.data])?;
    Ok(())
}

/// Forgets calls and closed alerts that are too old, then the oldest calls until the file is small
/// enough; gives how many calls went for their age, and how many for the size.
pub(super) fn tidy(
    db: &mut Connection,
    settings: &Settings,
    now: Timestamp,
) -> Result<(u64, u64), rusqlite::Error> {
    let day = crate::time::Span::days(i64::from(settings.retention_days));
    let before = now.minus(day).0;
    let mut surplus = 0;
    let transaction = db.transaction()?;
    // One go takes a bounded time; what is left waits for the next.
    let old = "DELETE FROM calls WHERE (started, id, leg) IN
        (SELECT started, id, leg FROM calls WHERE started < ?1 ORDER BY started LIMIT ?2)";
    let aged = transaction.execute(old, params![before, TIDY_ROWS])?;
    transaction.execute("DELETE FROM alerts WHERE cleared < ?1", [before])?;
    transaction.execute(
        "DELETE FROM acks WHERE until < ?1
         AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.raised = acks.raised AND alerts.id = acks.id)",
        [before],
    )?;
    transaction.execute("DELETE FROM handsets WHERE last_seen < ?1", [before])?;
    transaction.execute("DELETE FROM findings WHERE time < ?1", [before])?;
    transaction.execute("DELETE FROM days WHERE day < ?1 / 86400000000", [before])?;
    transaction.commit()?;
    let most = u64::from(settings.retention_mib) << 20;
    for _ in 0..16 {
        if used(db)? <= most {
            break;
        }
        let gone = db.execute(old, params![i64::MAX, TIDY_ROWS / 8])?;
        surplus += gone;
        if gone == 0 {
            break;
        }
    }
    // Pages that are free go back to the disk, a few MiB at a time.
    db.prepare("PRAGMA incremental_vacuum(2048)")?.query([])?.next()?;
    Ok((aged as u64, surplus as u64))
}

/// Bytes in use.
fn used(db: &Connection) -> Result<u64, rusqlite::Error> {
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or(0))
}

/// SQLite's integers have a sign; these numbers are counted from 1 and stay far below 2^63.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the writer's own pace, not the traffic's time")]
fn now() -> Instant {
    Instant::now()
}

/// The wall clock: when a state was saved, and how old is too old.
#[expect(clippy::disallowed_methods, reason = "retention and the time of the last save are wall time")]
fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
