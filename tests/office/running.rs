//! Programs that a test started, until it ends.

use std::process::{Child, Command};
use std::time::Duration;

/// They are asked to end, in the order in which they were started, and made to if they don't.
#[derive(Default)]
pub(crate) struct Running(pub(crate) Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Kamailio's workers end with their parent, if it may say goodbye to them.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            for _ in 0..40 {
                if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
