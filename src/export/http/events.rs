//! `/api/v1/events`: records as they happen, as server-sent events.
//!
//! In: records. Out: a stream for each reader.
//! Never: waits for a reader: one that is too slow loses events, and that is counted.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

use crate::tally::Tally;
use crate::view::{Board, Queue};

/// Readers at a time.
const READERS: usize = 32;
/// Events that may wait for a reader.
const WAITING: usize = 256;

/// The readers.
pub struct Events {
    readers: Mutex<Vec<Sender<Bytes>>>,
    board: Arc<Board>,
}

impl Events {
    /// Nobody reads yet.
    pub const fn new(board: Arc<Board>) -> Self {
        Self { readers: Mutex::new(Vec::new()), board }
    }

    /// Sends a record to every reader; `make` is called only if there is one.
    pub fn send(&self, kind: &str, make: impl FnOnce() -> Option<String>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| !reader.is_closed());
        if readers.is_empty() {
            return;
        }
        let Some(record) = make() else { return };
        let event = Bytes::from(format!("event: {kind}\ndata: {record}\n\n"));
        give(&mut readers, &event, &self.board.vitals.dropped);
    }

    /// Shows readers and everything between that the stream lives.
    pub fn keep_alive(&self) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        give(&mut readers, &Bytes::from_static(b":\n\n"), &Tally::default());
    }

    /// A stream for one more reader, if there is room.
    pub(super) fn subscribe(&self) -> Option<Stream> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| !reader.is_closed());
        if readers.len() >= READERS {
            return None;
        }
        let (sender, receiver) = channel(WAITING);
        // The reader sees at once that it's connected.
        let _ = sender.try_send(Bytes::from_static(b"retry: 5000\n\n"));
        readers.push(sender);
        Some(Stream(receiver))
    }
}

fn give(readers: &mut Vec<Sender<Bytes>>, event: &Bytes, dropped: &Tally<Queue>) {
    readers.retain(|reader| match reader.try_send(event.clone()) {
        Ok(()) => true,
        Err(TrySendError::Full(_)) => {
            dropped.bump(Queue::Events);
            true
        }
        Err(TrySendError::Closed(_)) => false,
    });
}

/// One reader's stream.
pub(super) struct Stream(Receiver<Bytes>);

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_holds_nobody_up() {
        let events = Events::new(Arc::default());
        let mut slow = events.subscribe().unwrap();
        for n in 0..300 {
            events.send("call", || Some(n.to_string()));
        }
        assert_eq!(events.board.vitals.dropped.get(Queue::Events), 300 - 255);
        assert_eq!(slow.0.try_recv().unwrap(), "retry: 5000\n\n");
        assert_eq!(slow.0.try_recv().unwrap(), "event: call\ndata: 0\n\n");
        drop(slow);
        events.send("call", || unreachable!("nobody reads"));
    }

    #[test]
    fn readers_are_bounded() {
        let events = Events::new(Arc::default());
        let all: Vec<_> = (0..READERS).map(|_| events.subscribe().unwrap()).collect();
        assert!(events.subscribe().is_none());
        drop(all);
        assert!(events.subscribe().is_some());
    }
}
