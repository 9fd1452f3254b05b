//! Memory in use.

use std::fs;

/// What `/proc/self/status` says of this process in a field such as `VmRSS` or `VmHWM`, in mebibytes.
pub(crate) fn mib(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = |line: &str| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned);
    let kib =
        status.lines().find_map(value).and_then(|of| of.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
