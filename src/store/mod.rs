//! What must outlive the process: alerts, calls, handsets, acceptances, letters to be sent, state.
//!
//! In: rows and blobs, from any thread, without waiting. Out: the same at the next start; answers to
//! queries.
//! Never: on the packet's way; in the way of detection, whatever becomes of the disk.
//!
//! One thread writes, through one bounded mailbox: alerts and letters at once and fsynced, all else
//! about once a second. Whoever asks reads through a connection of its own (SQLite's WAL lets both
//! work at once). If the disk fails, history is lost and counted, and the newest state and up to
//! [`URGENT`] alerts and letters wait in memory for better times.

mod blob;
mod key;
mod mailbox;
mod open;
mod reader;
mod rows;
mod schema;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::labels;
use crate::tally::Tally;
use crate::time::Timestamp;

pub use blob::{Blob, BlobError};
pub use key::number_key;
pub use mailbox::{ORDINARY, URGENT};
pub use reader::{Asked, Reader, Sum};
pub use rows::{AckRow, AlertRow, CallRow, DayRow, FindingRow, HandsetRow, Letter, NoteRow};

use mailbox::{Job, Mailbox};
use writer::Writer;

/// Where the file is and how much it may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The database.
    pub path: PathBuf,
    /// Calls, and alerts that are over, are forgotten after so many days.
    pub retention_days: u32,
    /// The oldest calls are forgotten when the file would grow beyond so many MiB.
    pub retention_mib: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { path: "/var/lib/ringfence/ringfence.db".into(), retention_days: 90, retention_mib: 1_024 }
    }
}

labels! {
    /// Why something could not be kept.
    pub enum Loss {
        Full = "full", "The disk is full.";
        ReadOnly = "read_only", "The disk or the file is read-only.";
        Io = "io", "The disk reports an error, or the folder can't be used.";
        Corrupt = "corrupt", "The file is broken: it is set aside and a new one begun.";
        Busy = "busy", "Somebody else holds the file.";
        Other = "other", "SQLite reports something else.";
    }
}

/// A store that can't be opened, and should not be replaced either.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is of a later version of the program.
    #[error(
        "{} has layout {found}, and this version of ringfence knows {known} at the most: install the newer version again, or move the file away",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest known one.
        known: i64,
    },
    /// No thread could be made.
    #[error("the store's thread can't be started: {0}")]
    Thread(std::io::Error),
}

/// What the store counts; any thread may read it.
#[derive(Debug, Default)]
pub struct Health {
    /// Failed writes by reason.
    pub losses: Tally<Loss>,
    /// The rest.
    pub figures: Tally<Figure>,
}

labels! {
    /// Figures of the store.
    pub enum Figure {
        Rows = "rows", "Rows written since the start.";
        Dropped = "dropped", "Rows that found the mailbox full, or the disk unwilling.";
        Bytes = "bytes", "Size of what is stored, in bytes.";
        LastSave = "last_save", "When the state was saved last, in microseconds since the epoch; 0 = not yet.";
        SetAside = "set_aside", "Broken files set aside.";
        Pruned = "pruned", "Calls forgotten by age or size.";
    }
}

/// Whether something is safe on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is.
    Durable,
    /// Not in time; it may come to be.
    Late,
    /// It isn't: the disk failed.
    Lost,
}

/// A receipt for something that was handed in to be written at once.
#[derive(Debug)]
pub struct Receipt(Option<Receiver<bool>>);

impl Receipt {
    /// Waits until it is on disk, at most so long.
    pub fn wait(&self, at_most: Duration) -> Durability {
        match self.0.as_ref().map(|receiver| receiver.recv_timeout(at_most)) {
            Some(Ok(true)) => Durability::Durable,
            Some(Err(std::sync::mpsc::RecvTimeoutError::Timeout)) => Durability::Late,
            _ => Durability::Lost,
        }
    }
}

/// The way to the store. All methods return at once.
#[derive(Clone, Debug)]
pub struct Store {
    mailbox: Arc<Mailbox>,
    health: Arc<Health>,
    path: PathBuf,
}

/// A store that has just been opened.
#[derive(Debug)]
pub struct Opened {
    /// The way to it.
    pub store: Store,
    /// What an operator should know: a broken file set aside, a disk that can't be written.
    pub notes: Vec<String>,
    /// The thread; it ends after [`Store::close`].
    pub thread: JoinHandle<()>,
}

impl Store {
    /// Opens or makes the file, brings it to this version's layout, checks it, and starts the writer.
    /// A broken file is set aside; a disk that can't be written is tried again every few seconds.
    ///
    /// # Errors
    /// A file of a later version; it is left as it is.
    pub fn open(settings: Settings, now: Timestamp) -> Result<Opened, StoreError> {
        let health = Arc::new(Health::default());
        let (db, notes) = open::open(&settings.path, now, &health)?;
        let mailbox = Arc::new(Mailbox::default());
        let store =
            Self { mailbox: Arc::clone(&mailbox), health: Arc::clone(&health), path: settings.path.clone() };
        let writer = Writer::new(settings, db, mailbox, health);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .map_err(StoreError::Thread)?;
        Ok(Opened { store, notes, thread })
    }

    /// A call began or ended.
    pub fn call(&self, row: CallRow) {
        self.post(Job::Call(Box::new(row)));
    }

    /// What is known of a handset.
    pub fn handset(&self, row: HandsetRow) {
        self.post(Job::Handset(Box::new(row)));
    }

    /// Where a check stands.
    pub fn finding(&self, row: FindingRow) {
        self.post(Job::Finding(Box::new(row)));
    }

    /// What the checklist and the coverage say today; the last note of a day stays.
    pub fn note(&self, row: NoteRow) {
        self.post(Job::Note(Box::new(row)));
    }

    /// Somebody accepted an alert.
    pub fn ack(&self, row: AckRow) {
        self.post(Job::Ack(Box::new(row)));
    }

    /// An alert, and the letters about it that wait to be sent: all of it or nothing is kept.
    pub fn alert(&self, row: AlertRow, letters: Vec<Letter>) -> Receipt {
        let (done, receiver) = sync_channel(1);
        let taken = self.post(Job::Alert(Box::new(row), letters, Some(done)));
        Receipt(taken.then_some(receiver))
    }

    /// A letter has arrived, or will never: it is forgotten.
    pub fn delivered(&self, sink: &'static str, seq: u64) {
        self.post(Job::Delivered(sink, seq));
    }

    /// State; all blobs of a call together, or none. Only the newest of each name is kept.
    pub fn save(&self, blobs: Vec<Blob>) {
        self.mailbox.state(blobs);
    }

    /// Waits until everything handed in so far is on disk, at most so long.
    pub fn flush(&self, at_most: Duration) -> Durability {
        let (done, receiver) = sync_channel(1);
        let taken = self.post(Job::Flush(done));
        Receipt(taken.then_some(receiver)).wait(at_most)
    }

    /// Writes what is left and ends the thread.
    pub fn close(&self) {
        self.mailbox.close();
    }

    /// What was saved at the last `save`, if it was.
    ///
    /// # Errors
    /// A blob that is broken or of another version, with text; a file that can't be read.
    pub fn load<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<T>, BlobError> {
        self.reader()?.blob(name)?.map(|blob| blob.decode(version)).transpose()
    }

    /// A connection to ask questions.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn reader(&self) -> Result<Reader, Asked> {
        Reader::open(&self.path)
    }

    /// What is counted.
    pub fn health(&self) -> &Health {
        &self.health
    }

    fn post(&self, job: Job) -> bool {
        let taken = self.mailbox.post(job);
        if !taken {
            // Several threads may find the mailbox full at once; one of them may go uncounted.
            self.health.figures.bump(Figure::Dropped);
        }
        taken
    }
}

#[cfg(test)]
mod tests;
