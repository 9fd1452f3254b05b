//! Files out of reach, by Landlock (Linux 5.13).
//!
//! In: what stays within reach. Out: a thread, and those it starts, that can't open anything else.
//! Never: fails where the kernel has no Landlock; it says so.

use ::landlock::{
    ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, path_beneath_rules,
};

use super::privileges::Files;

/// What the system's own libraries need: names of hosts, certificates, clocks, figures of the process.
const SYSTEM: [&str; 16] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/ssl",
    "/usr/share/zoneinfo",
    "/usr/lib",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev/null",
    "/dev/urandom",
];

/// Restricts the calling thread.
pub(super) fn restrict(files: &Files) -> Result<(), String> {
    let abi = ABI::V3;
    let read = AccessFs::from_read(abi) & !AccessFs::Execute;
    let said = |e: &dyn std::error::Error| e.to_string();
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi)).map_err(|e| said(&e))?;
    let ruleset = ruleset.create().map_err(|e| said(&e))?;
    // Paths that aren't there are passed over.
    let ruleset = ruleset.add_rules(path_beneath_rules(SYSTEM, read)).map_err(|e| said(&e))?;
    let ruleset = ruleset.add_rules(path_beneath_rules(&files.read, read)).map_err(|e| said(&e))?;
    let all = AccessFs::from_all(abi) & !AccessFs::Execute;
    let ruleset = ruleset.add_rules(path_beneath_rules(&files.write, all)).map_err(|e| said(&e))?;
    let status = ruleset.restrict_self().map_err(|e| said(&e))?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has none".to_owned()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_out_of_reach() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("x"), "x").unwrap();
        let (mine, theirs) = (folder.path().to_owned(), other.path().join("x"));
        let thread = std::thread::spawn(move || {
            nix::sys::prctl::set_no_new_privs().unwrap();
            let files = Files { read: Vec::new(), write: vec![mine.clone()] };
            restrict(&files).map(|()| {
                let others = ["/etc/passwd".into(), theirs]
                    .map(|file: std::path::PathBuf| std::fs::read(file).is_ok());
                (std::fs::write(mine.join("y"), "y").is_ok(), others)
            })
        });
        match thread.join().unwrap() {
            Ok((mine, others)) => assert!(mine && others == [false; 2], "{mine} {others:?}"),
            Err(why) => println!("skipped: {why}"),
        }
    }
}
