//! Opens interfaces again, on a thread that touches no packet.
//!
//! In: names of interfaces. Out: open handles.
//! Never: reads a frame. It may keep CAP_NET_RAW when every other thread has let go of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{LiveError, Opened, Settings, open};

struct Ask {
    number: usize,
    name: String,
    settings: Arc<Settings>,
}

type Answer = (usize, String, Result<Opened, LiveError>);

/// The thread's other end. The thread ends with it.
pub struct Opener {
    asks: SyncSender<Ask>,
    answers: Receiver<Answer>,
    waiting: Arc<AtomicUsize>,
}

/// Interfaces that may be asked for at a time.
const ASKS: usize = 64;

impl Opener {
    /// Starts the thread; `prepare` is the first thing it does.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(prepare: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (asks, asked) = sync_channel::<Ask>(ASKS);
        let (answer, answers) = sync_channel(ASKS);
        let waiting = Arc::<AtomicUsize>::default();
        let served = Arc::clone(&waiting);
        std::thread::Builder::new().name("opener".into()).spawn(move || {
            prepare();
            while let Ok(ask) = asked.recv() {
                let opened = open(&ask.settings, &ask.name);
                if answer.send((ask.number, ask.name, opened)).is_err() {
                    return;
                }
                served.fetch_sub(1, Ordering::Release);
            }
        })?;
        Ok(Self { asks, answers, waiting })
    }

    /// Asks for an interface; false if too much was asked.
    pub(super) fn ask(&self, number: usize, name: &str, settings: &Arc<Settings>) -> bool {
        let ask = Ask { number, name: name.to_owned(), settings: Arc::clone(settings) };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let asked = self.asks.try_send(ask).is_ok();
        if !asked {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        asked
    }

    pub(super) fn opened(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }

    /// Whether something asked for is still to come.
    pub(super) fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }
}
