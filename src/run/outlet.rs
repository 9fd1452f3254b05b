//! Whoever keeps and sends what the judge said: a thread of its own, so that a slow disk or a dead
//! server holds nobody up.
//!
//! In: outputs from a bounded queue. Out: whatever an `Outlet` does with them.
//! Never: touches a packet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::panics::Panics;
use crate::baseline::exposure::Prices;
use crate::config::Config;
use crate::judge::Output;
use crate::view::{Board, Worker};

/// What became of a fire drill's incident in one sink.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fired {
    /// Which sink.
    pub sink: String,
    /// How long it took, in seconds, until the sink had it; or until it failed.
    pub seconds: f64,
    /// What went wrong, if it did.
    pub error: Option<String>,
}

/// Where the answer to a fire drill goes.
pub(super) type Fire = SyncSender<Vec<Fired>>;

/// Keeps, sends or shows what the judge says. Runs on one thread.
pub trait Outlet: Send {
    /// The judge said something.
    fn output(&mut self, output: &Output);

    /// Time passes: called about five times a second, also between outputs.
    fn tick(&mut self) {}

    /// The configuration was read again and holds.
    fn reload(&mut self, _renewed: &Renewed) {}

    /// A fire drill: sends one marked test incident through every sink it has.
    fn fire(&mut self) -> Vec<Fired> {
        Vec::new()
    }

    /// The program ends: what isn't kept yet must be now.
    fn finish(&mut self) {}
}

/// A configuration that was read again, and what calls cost by it.
#[derive(Debug)]
pub struct Renewed {
    /// All of it.
    pub config: Config,
    /// What calls cost.
    pub prices: Prices,
}

/// The newest configuration, until the outlets have taken it.
pub(super) type Desired = Arc<Mutex<Option<Arc<Renewed>>>>;

/// The longest between two ticks.
const TICK: Duration = Duration::from_millis(200);

/// Runs the outlets until the judge's end of the queue is gone.
pub(super) fn run(
    mut outlets: Vec<Box<dyn Outlet>>,
    outputs: &Receiver<Arc<Output>>,
    fires: &Receiver<Fire>,
    desired: &Desired,
    board: &Board,
) {
    let mut panics = Panics::new(Worker::Outlet);
    loop {
        let turn = AssertUnwindSafe(|| turn(&mut outlets, outputs, fires, desired));
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

fn turn(
    outlets: &mut [Box<dyn Outlet>],
    outputs: &Receiver<Arc<Output>>,
    fires: &Receiver<Fire>,
    desired: &Desired,
) -> bool {
    let heard = outputs.recv_timeout(TICK);
    // Whatever was said after a reload goes where that says.
    let renewed = desired.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(renewed) = renewed {
        outlets.iter_mut().for_each(|outlet| outlet.reload(&renewed));
    }
    let goes_on = match heard {
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
    if let Ok(answer) = fires.try_recv() {
        let fired = outlets.iter_mut().flat_map(|outlet| outlet.fire()).collect();
        // Whoever asked may have gone.
        let _ = answer.try_send(fired);
    }
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
