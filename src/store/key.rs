//! The key of hashed numbers: made at the first start, kept in a file of its own.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::record::NumberKey;

/// Reads the key, or makes one that nobody but this user can read (mode 0600).
///
/// # Errors
/// A file that can't be read or made, that others can read, or that is no key: a token under a
/// wrong key would be worse than none.
pub fn number_key(path: &Path) -> io::Result<NumberKey> {
    match OpenOptions::new().read(true).open(path) {
        Ok(file) => {
            let mode = file.metadata()?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(fault(
                    path,
                    &format!("can be read by others (mode {mode:04o}); it must be 0600"),
                ));
            }
            let mut hex = String::new();
            file.take(1_024).read_to_string(&mut hex)?;
            let bytes =
                decode(hex.trim()).ok_or_else(|| fault(path, "is no key of 64 hexadecimal digits"))?;
            Ok(NumberKey::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(fault(path, &error.to_string())),
    }
}

fn make(path: &Path) -> io::Result<NumberKey> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|e| fault(path, &e.to_string()))?;
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| fault(path, &error.to_string()))?;
    // Written whole under another name first: a crash must not leave half a key.
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(|e| fault(path, &e.to_string()))?;
    // Whatever the umask says.
    file.set_permissions(Permissions::from_mode(0o600))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    file.write_all(format!("{hex}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    Ok(NumberKey::new(bytes))
}

fn fault(path: &Path, what: &str) -> io::Error {
    io::Error::other(format!("the key of hashed numbers, {}, {what}", path.display()))
}

fn decode(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/numbers.key");
        let made = number_key(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let parent = std::fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(parent.permissions().mode() & 0o777, 0o700);
        assert_eq!(number_key(&path).unwrap(), made);
        let other = number_key(&folder.path().join("other.key")).unwrap();
        assert_ne!(other.token("+37120000001"), made.token("+37120000001"));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.key");
        number_key(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(number_key(&path).unwrap_err().to_string().contains("mode 0640"));
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for wrong in ["", "00", &"x".repeat(64), &"é".repeat(32)] {
            std::fs::write(&path, wrong).unwrap();
            assert!(number_key(&path).unwrap_err().to_string().contains("is no key"), "{wrong}");
        }
    }
}
