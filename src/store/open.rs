//! Opening: layout, health, and what becomes of a file that is broken.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::STEPS;
use super::{Figure, Health, Loss, StoreError};
use crate::time::Timestamp;

/// The newest layout that this version knows.
pub(super) const LAYOUT: i64 = STEPS.len() as i64;

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("its own check says: {0}")]
    Unsound(String),
    #[error("it has layout {0}")]
    Newer(i64),
    #[error("{0}")]
    File(#[from] std::io::Error),
}

impl Trouble {
    /// Whether the file itself is at fault, so that a new one would do better.
    fn is_broken(&self) -> bool {
        matches!(self, Self::Unsound(_)) || matches!(self, Self::Sqlite(e) if loss(e) == Loss::Corrupt)
    }
}

/// What an error of SQLite means for us.
pub(super) fn loss(error: &rusqlite::Error) -> Loss {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Loss::Full,
        Some(ErrorCode::ReadOnly) => Loss::ReadOnly,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Loss::Io,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Loss::Corrupt,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Loss::Busy,
        _ => Loss::Other,
    }
}

/// Opens the file for writing, and says what an operator should know. No connection means that the
/// disk can't be written now.
pub(super) fn open(
    path: &Path,
    now: Timestamp,
    health: &Health,
) -> Result<(Option<Connection>, Vec<String>), StoreError> {
    let mut notes = Vec::new();
    for _ in 0..2 {
        let trouble = match attempt(path) {
            Ok(db) => return Ok((Some(db), notes)),
            Err(Trouble::Newer(found)) => {
                return Err(StoreError::Newer { path: path.to_owned(), found, known: LAYOUT });
            }
            Err(trouble) => trouble,
        };
        if !trouble.is_broken() {
            notes.push(format!(
                "{} can't be used ({trouble}): history is lost until it can; detection goes on",
                path.display()
            ));
            return Ok((None, notes));
        }
        match set_aside(path, now) {
            Ok(aside) => {
                health.figures.bump(Figure::SetAside);
                notes.push(format!(
                    "{} is broken ({trouble}): set aside as {}, and a new one is begun; history and what was learnt begin anew",
                    path.display(),
                    aside.display()
                ));
            }
            Err(error) => {
                notes.push(format!(
                    "{} is broken ({trouble}) and can't be set aside ({error}); detection goes on",
                    path.display()
                ));
                return Ok((None, notes));
            }
        }
    }
    Ok((None, notes))
}

/// One try: opens or makes the file, looks it over, brings it to this layout.
pub(super) fn attempt(path: &Path) -> Result<Connection, Trouble> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    // Numbers are personal data: SQLite gives its other files this file's mode.
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_secs(2))?;
    db.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA journal_size_limit = 8388608; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
    )?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > LAYOUT {
        return Err(Trouble::Newer(found));
    }
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Trouble::Unsound(verdict));
    }
    migrate(&mut db, found, LAYOUT)?;
    Ok(db)
}

/// Takes the steps after `found`, all or none.
pub(super) fn migrate(db: &mut Connection, found: i64, to: i64) -> Result<(), rusqlite::Error> {
    if found >= to {
        return Ok(());
    }
    let transaction = db.transaction()?;
    for (n, step) in (0..to).zip(STEPS) {
        if n >= found {
            transaction.execute_batch(step)?;
        }
    }
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()
}

/// Renames a broken file and what belongs to it, for somebody to look at.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = with(&format!(".broken-{}", now.as_secs()));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let from = with(suffix);
        if from.exists() {
            let mut to = aside.as_os_str().to_owned();
            to.push(suffix);
            std::fs::rename(from, PathBuf::from(to))?;
        }
    }
    Ok(aside)
}
