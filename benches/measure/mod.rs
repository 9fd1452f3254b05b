//! What the benches share: time that other programs don't spoil, medians.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds that this thread has spent on a CPU, as the kernel counts them: time in which other
/// programs had the CPU isn't in it. `None` where `/proc` doesn't say.
fn on_cpu() -> Option<u64> {
    // Giving the CPU up makes the kernel bring the count up to date.
    std::thread::yield_now();
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Seconds of CPU (or of the clock, where the kernel doesn't count them) that `work` takes.
pub(crate) fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let (begin, cpu) = (Instant::now(), on_cpu());
    black_box(work());
    match (cpu, on_cpu()) {
        (Some(before), Some(after)) if after > before => (after - before) as f64 / 1e9,
        _ => begin.elapsed().as_secs_f64(),
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
