//! Letting go of root: another user, no capabilities, nothing to gain them with.
//!
//! In: whom to run as. Out: threads that hold nothing, and one that may open interfaces.
//! Never: stays root unless it's told to.

use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{Gid, Uid, User, mkdir, setgroups, setresgid, setresuid};

use super::{landlock, seccomp};
use crate::view::{Layer, Vitals};

/// Who may use it if the configured user doesn't exist: a user that owns nothing.
const NOBODY: &str = "nobody";

/// Whom to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whom {
    uid: Uid,
    gid: Gid,
}

/// Whom to run as: `None` if it isn't root to begin with, or shall stay root.
pub(super) fn whom(user: &str, allow_root: bool) -> Result<Option<Whom>, String> {
    if !Uid::effective().is_root() || allow_root {
        return Ok(None);
    }
    let find = |name: &str| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root());
    let found = match find(user) {
        Some(found) => Some(found),
        None if user == "ringfence" => {
            tracing::warn!("there is no user ringfence: running as {NOBODY}; the package makes one");
            find(NOBODY)
        }
        None => None,
    };
    let found = found.ok_or_else(|| {
        format!(
            "[run] user \"{user}\" can't be used: make one with useradd --system, name another with \
             --user, or start with --allow-root"
        )
    })?;
    Ok(Some(Whom { uid: found.uid, gid: found.gid }))
}

/// Folders that every service shares: nobody's to take.
const SHARED: [&str; 8] = ["/", "/run", "/tmp", "/var", "/var/lib", "/var/log", "/var/run", "/etc"];

/// Makes the folder of a file that will be written, and gives both to whoever will write it. The
/// answer is what must stay within reach.
pub(super) fn prepare(file: &Path, whom: Option<&Whom>) -> Result<Option<PathBuf>, String> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(None) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    make_folder(folder)?;
    if let Some(whom) = whom {
        // A folder of somebody else's stays theirs.
        let roots = std::fs::metadata(folder).is_ok_and(|meta| meta.uid() == 0);
        if roots && !SHARED.iter().any(|shared| folder == Path::new(shared)) {
            whom.own(folder)?;
        }
        whom.give(folder, name.as_encoded_bytes())?;
    }
    Ok(Some(folder.to_owned()))
}

/// Whether a file lies on a disk that is full or takes nothing: that costs history, never detection.
pub(super) fn is_spent(file: &Path) -> bool {
    let there = file.ancestors().skip(1).find(|folder| folder.exists());
    let there = there.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    there.and_then(|folder| statvfs(folder).ok()).is_some_and(|disk| {
        // Some kinds of disk count no files.
        let no_files = disk.files() > 0 && disk.files_available() == 0;
        disk.flags().contains(FsFlags::ST_RDONLY) || disk.blocks_available() == 0 || no_files
    })
}

fn make_folder(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        return Ok(());
    }
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", folder.display());
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    }
    mkdir(folder, Mode::from_bits_truncate(0o750)).map_err(|e| failed(&e))
}

impl Whom {
    /// Makes a file or folder theirs.
    pub(super) fn own(&self, path: &Path) -> Result<(), String> {
        let (uid, gid) = (Some(self.uid.as_raw()), Some(self.gid.as_raw()));
        lchown(path, uid, gid).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Makes the files in a folder theirs that begin with a name: a database has companions.
    fn give(&self, folder: &Path, name: &[u8]) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
        for entry in std::fs::read_dir(folder).map_err(failed)?.flatten() {
            let file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if file && entry.file_name().as_encoded_bytes().starts_with(name) {
                self.own(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// What the opener's thread does at its start: keeps CAP_NET_RAW while the others let go.
pub(super) struct Opening {
    begun: SyncSender<()>,
    let_go: Receiver<()>,
    files: Files,
}

/// What the thread that lets go does.
pub(super) struct LettingGo {
    begun: Receiver<()>,
    let_go: SyncSender<()>,
    files: Files,
}

/// Files that stay within reach.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// To be read.
    pub(super) read: Vec<PathBuf>,
    /// To be written, too.
    pub(super) write: Vec<PathBuf>,
}

/// Both ends of the change.
pub(super) fn change(files: Files) -> (Opening, LettingGo) {
    let (begun, has_begun) = sync_channel(1);
    let (let_go, has_let_go) = sync_channel(1);
    (
        Opening { begun, let_go: has_let_go, files: files.clone() },
        LettingGo { begun: has_begun, let_go, files },
    )
}

impl Opening {
    pub(super) fn run(self) {
        // Without it the kernel takes every capability with the user.
        let kept = caps::securebits::set_keepcaps(true);
        let _ = self.begun.send(());
        let _ = self.let_go.recv();
        let only = CapsHashSet::from([Capability::CAP_NET_RAW]);
        let none = CapsHashSet::new();
        let cut = kept.and_then(|()| caps::set(None, CapSet::Effective, &none));
        let cut = cut.and_then(|()| caps::set(None, CapSet::Inheritable, &none));
        let cut = cut.and_then(|()| caps::set(None, CapSet::Permitted, &only));
        let cut = cut.and_then(|()| caps::set(None, CapSet::Effective, &only));
        if let Err(error) = cut {
            tracing::debug!("an interface that is lost can't be opened again: {error}");
        }
        let _ = caps::clear(None, CapSet::Ambient);
        // What fails here was said by the other thread, which does the same.
        let _ = set_no_new_privs();
        let _ = landlock::restrict(&self.files);
        let _ = seccomp::restrict(true);
    }
}

impl LettingGo {
    /// Lets go of everything, for every thread but the opener's. Threads that start later inherit it.
    pub(super) fn run(self, whom: Option<&Whom>, vitals: &Vitals) -> Result<(), String> {
        let _ = self.begun.recv();
        // Only root can; it matters only until there's nothing to gain any more.
        let _ = caps::clear(None, CapSet::Bounding);
        if let Some(Whom { uid, gid }) = whom {
            let failed = |e: nix::errno::Errno| format!("can't become user {uid}: {e}");
            setgroups(&[]).map_err(failed)?;
            setresgid(*gid, *gid, *gid).map_err(failed)?;
            setresuid(*uid, *uid, *uid).map_err(failed)?;
        }
        vitals.holds(Layer::User, !Uid::effective().is_root());
        let sets = [CapSet::Ambient, CapSet::Effective, CapSet::Permitted, CapSet::Inheritable];
        for set in sets {
            caps::clear(None, set).map_err(|e| format!("capabilities can't be dropped: {e}"))?;
        }
        vitals.holds(Layer::Capabilities, true);
        let _ = self.let_go.send(());
        set_no_new_privs().map_err(|e| format!("no_new_privs: {e}"))?;
        vitals.holds(Layer::NoNewPrivileges, true);
        match landlock::restrict(&self.files) {
            Ok(()) => vitals.holds(Layer::Landlock, true),
            Err(why) => tracing::info!("no Landlock: {why}"),
        }
        match seccomp::restrict(false) {
            Ok(()) => vitals.holds(Layer::Seccomp, true),
            Err(why) => tracing::warn!("no seccomp: {why}"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_left_unless_told_otherwise() {
        if !Uid::effective().is_root() {
            println!("skipped: only root can tell");
            return;
        }
        assert!(whom("root", false).is_err_and(|why| why.contains("--allow-root")));
        assert!(whom("nobody-of-that-name", false).is_err());
        assert_eq!(whom("ringfence", true), Ok(None));
        assert!(whom("nobody", false).unwrap().is_some_and(|whom| !whom.uid.is_root()));
    }
}
