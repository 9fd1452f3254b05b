//! Whether the tools that a test talks to are there.

use std::path::Path;

/// Whether the tools are there; says so if not. Under `CI=true` they have to be.
pub(crate) fn have(tools: &[&str]) -> bool {
    for tool in tools {
        let found = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/sbin", "/bin"]
            .iter()
            .any(|folder| Path::new(folder).join(tool).exists());
        if !found {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{tool} is missing: scripts/need-tools");
            println!("skipped: {tool} is not installed (scripts/need-tools)");
            return false;
        }
    }
    true
}
