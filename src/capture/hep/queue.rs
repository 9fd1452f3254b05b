//! The queue between the HEP thread and the sensor: bounded in packets and bytes.
//!
//! In: packets. Out: the same, in order. Never: blocks either side; allocates in the steady state.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::time::Timestamp;

/// Buffers that are kept for further packets.
const SPARE: usize = 256;

/// A packet with its time.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) ts: Timestamp,
    pub(super) data: Vec<u8>,
}

/// The end that fills.
#[derive(Debug)]
pub(super) struct Filled {
    packets: SyncSender<Packet>,
    spare: Receiver<Vec<u8>>,
    held: Arc<AtomicUsize>,
    bytes: usize,
}

/// The end that takes.
#[derive(Debug)]
pub(super) struct Taken {
    packets: Receiver<Packet>,
    spare: SyncSender<Vec<u8>>,
    held: Arc<AtomicUsize>,
}

/// A queue of so many packets and bytes.
pub(super) fn queue(packets: usize, bytes: usize) -> (Filled, Taken) {
    let (into, out) = sync_channel(packets.max(1));
    let (back, spare) = sync_channel(SPARE);
    let held = Arc::<AtomicUsize>::default();
    let filled = Filled { packets: into, spare, held: Arc::clone(&held), bytes };
    (filled, Taken { packets: out, spare: back, held })
}

impl Filled {
    /// Copies a packet into the queue; false if there's no room.
    pub(super) fn put(&self, ts: Timestamp, bytes: &[u8]) -> bool {
        // Only this end adds, so there is never more than `bytes`.
        if self.held.load(Ordering::Relaxed).saturating_add(bytes.len()) > self.bytes {
            return false;
        }
        let mut data = self.spare.try_recv().unwrap_or_default();
        data.clear();
        data.extend_from_slice(bytes);
        self.held.fetch_add(bytes.len(), Ordering::Relaxed);
        let put = self.packets.try_send(Packet { ts, data }).is_ok();
        if !put {
            self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        put
    }
}

impl Taken {
    pub(super) fn take(&self) -> Option<Packet> {
        let packet = self.packets.try_recv().ok()?;
        self.held.fetch_sub(packet.data.len(), Ordering::Relaxed);
        Some(packet)
    }

    /// A packet was read: its buffer serves another.
    pub(super) fn give_back(&self, packet: Packet) {
        // There are enough of them if this one finds no room.
        let _ = self.spare.try_send(packet.data);
    }
}
