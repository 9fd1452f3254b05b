//! Whoever keeps and sends what the judge said: a thread of its own, so that a slow disk or a dead
//! server holds nobody up.
//!
//! In: outputs from a bounded queue. Out: whatever an `Outlet` does with them.
//! Never: touches a packet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::panics::Panics;
use crate::judge::Output;
use crate::view::{Board, Worker};

/// Keeps, sends or shows what the judge says. Runs on one thread.
pub trait Outlet: Send {
    /// The judge said something.
    fn output(&mut self, output: &Output);

    /// Time passes: called about five times a second, also between outputs.
    fn tick(&mut self) {}

    /// The program ends: what isn't kept yet must be now.
    fn finish(&mut self) {}
}

/// The longest between two ticks.
const TICK: Duration = Duration::from_millis(200);

/// Runs the outlets until the judge's end of the queue is gone.
pub fn run(mut outlets: Vec<Box<dyn Outlet>>, outputs: &Receiver<Arc<Output>>, board: &Board) {
    let mut panics = Panics::new(Worker::Outlet);
    loop {
        let turn = AssertUnwindSafe(|| turn(&mut outlets, outputs));
        match catch_unwind(turn) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) if panics.again(&board.vitals) => {}
            Err(_) => break,
        }
    }
    for outlet in &mut outlets {
        outlet.finish();
    }
}

fn turn(outlets: &mut [Box<dyn Outlet>], outputs: &Receiver<Arc<Output>>) -> bool {
    let goes_on = match outputs.recv_timeout(TICK) {
        Ok(output) => {
            each(outlets, &output);
            while let Ok(output) = outputs.try_recv() {
                each(outlets, &output);
            }
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    };
    for outlet in outlets {
        outlet.tick();
    }
    goes_on
}

fn each(outlets: &mut [Box<dyn Outlet>], output: &Output) {
    for outlet in outlets {
        outlet.output(output);
    }
}
