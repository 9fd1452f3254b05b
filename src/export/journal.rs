//! The journal: one JSON object a line, for people, log shippers and fail2ban.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

/// A file that grows line by line. Whoever rotates it may rename it at any time: before each write it
/// is looked whether the name still leads to the same file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
}

impl Journal {
    /// Nothing is opened before the first line.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Appends a line; with `sync` it is on disk when this returns.
    ///
    /// # Errors
    /// A file that can't be written. The next line tries anew.
    pub fn line(&mut self, record: &str, sync: bool) -> io::Result<()> {
        let result = self.append(record, sync);
        if result.is_err() {
            self.file = None;
        }
        result
    }

    /// Opens the file anew at the next line (SIGHUP).
    pub fn reopen(&mut self) {
        self.file = None;
    }

    fn append(&mut self, record: &str, sync: bool) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| !self.is_current(file)) {
            self.file = None;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).mode(0o640).open(&self.path)?),
        };
        // One write for the whole line: what reads along never sees half of one.
        let mut line = String::with_capacity(record.len() + 1);
        line.extend(record.chars().filter(|c| *c != '\n'));
        line.push('\n');
        file.write_all(line.as_bytes())?;
        if sync { file.sync_data() } else { Ok(()) }
    }

    fn is_current(&self, file: &File) -> bool {
        let (Ok(named), Ok(open)) = (std::fs::metadata(&self.path), file.metadata()) else { return false };
        (named.dev(), named.ino()) == (open.dev(), open.ino())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_an_event_also_after_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let mut journal = Journal::new(path.clone());
        journal.line("{\"n\":1}", true).unwrap();
        journal.line("{\"n\":\n2}", false).unwrap();
        assert_eq!(read("journal.jsonl"), "{\"n\":1}\n{\"n\":2}\n");
        std::fs::rename(&path, folder.path().join("journal.jsonl.1")).unwrap();
        journal.line("{\"n\":3}", false).unwrap();
        assert_eq!(
            (read("journal.jsonl.1").lines().count(), read("journal.jsonl").as_str()),
            (2, "{\"n\":3}\n")
        );
        std::fs::remove_file(&path).unwrap();
        journal.reopen();
        journal.line("{\"n\":4}", false).unwrap();
        assert_eq!(read("journal.jsonl"), "{\"n\":4}\n");
    }

    #[test]
    fn a_folder_that_is_missing_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/journal.jsonl");
        let mut journal = Journal::new(path.clone());
        assert!(journal.line("{}", true).is_err());
        std::fs::create_dir(folder.path().join("log")).unwrap();
        journal.line("{}", true).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{}\n");
    }
}
