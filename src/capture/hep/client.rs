//! One TCP connection that sends HEP packets.
//!
//! In: bytes as they come. Out: whole packets. Never: holds more than one read beyond a packet.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use super::framed;
use crate::time::{Span, Timestamp};

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The sender closed it.
    Closed,
    /// What it sends is no HEPv3.
    Broken,
    /// Its packet never came.
    Stalled,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    pending: Vec<u8>,
    used: usize,
    /// When it connected, or when its last whole packet came.
    since: Timestamp,
    delivered: bool,
}

impl Client {
    pub(super) const fn new(stream: TcpStream, now: Timestamp) -> Self {
        Self { stream, pending: Vec::new(), used: 0, since: now, delivered: false }
    }

    pub(super) const fn has_delivered(&self) -> bool {
        self.delivered
    }

    /// Reads once; what a packet leaves over waits for the rest.
    pub(super) fn read(&mut self, buffer: &mut [u8], now: Timestamp) -> Option<Ended> {
        match self.stream.read(buffer) {
            Ok(0) => Some(Ended::Closed),
            Ok(length) => {
                if self.pending.is_empty() && self.delivered {
                    self.since = now;
                }
                self.pending.extend_from_slice(buffer.get(..length).unwrap_or_default());
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            Err(_) => Some(Ended::Closed),
        }
    }

    /// The packet at the front, if it's whole.
    pub(super) fn packet(&self) -> Option<&[u8]> {
        let rest = self.pending.get(self.used..)?;
        let length = framed(rest).ok().flatten()?;
        rest.get(..length)
    }

    /// The packet at the front was taken.
    pub(super) fn done(&mut self, now: Timestamp) {
        let length = self.packet().map_or(0, <[u8]>::len);
        self.used = self.used.saturating_add(length);
        self.since = now;
        self.delivered = true;
    }

    /// What is wrong with it, once its whole packets are taken.
    pub(super) fn fault(&mut self, now: Timestamp, stall: Span) -> Option<Ended> {
        self.pending.drain(..self.used.min(self.pending.len()));
        self.used = 0;
        if framed(&self.pending).is_err() {
            return Some(Ended::Broken);
        }
        // A connection between two packets may stay silent for as long as nobody calls.
        let waiting = !self.delivered || !self.pending.is_empty();
        (waiting && now.since(self.since) > stall).then_some(Ended::Stalled)
    }
}
