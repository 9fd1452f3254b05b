//! What became of every frame: the outcomes partition what was received.
//!
//! In: skips, sniffs, rejects, messages. Out: counts by label.
//! Never: counts a frame twice.

use crate::decode::Skip;
use crate::labels;
use crate::sip::{Message, Method, Reject, Sniff, Start};
use crate::tally::{Label, Tally};

labels! {
    /// How a SIP message travelled.
    pub enum Transport {
        Udp = "udp", "UDP.";
        Tcp = "tcp", "TCP, WebSocket included.";
    }
}

labels! {
    /// Frames that were read to the end of the decoder.
    enum Carried {
        SipDatagram = "sip_datagram", "A UDP datagram that begins like SIP.";
        Segment = "tcp_segment", "A TCP segment, handed to reassembly.";
    }
}

/// The outcomes of all frames, and what the SIP messages among them were.
#[derive(Debug, Default)]
pub struct Outcomes {
    skips: Tally<Skip>,
    not_sip: Tally<Sniff>,
    carried: Tally<Carried>,
    rejects: Tally<Reject>,
    /// By transport.
    requests: [Tally<Method>; 2],
    responses: [Tally<Method>; 2],
    transports: Tally<Transport>,
}

impl Outcomes {
    pub(super) fn skipped(&self, skip: Skip) {
        self.skips.bump(skip);
    }

    pub(super) fn datagram(&self, sniff: Sniff) {
        match sniff {
            Sniff::Sip => self.carried.bump(Carried::SipDatagram),
            other => self.not_sip.bump(other),
        }
    }

    pub(super) fn segment(&self) {
        self.carried.bump(Carried::Segment);
    }

    pub(super) fn rejected(&self, reject: Reject) {
        self.rejects.bump(reject);
    }

    pub(super) fn message(&self, msg: &Message<'_>, transport: Transport) {
        match msg.start {
            Start::Request { method, .. } => self.requests[transport.index()].bump(method),
            Start::Response(_) => self.responses[transport.index()].bump(msg.cseq_method),
        }
        self.transports.bump(transport);
    }

    /// Frames taken in: the sum of all outcomes.
    pub fn frames(&self) -> u64 {
        self.packets().map(|(_, n)| n).sum()
    }

    /// SIP messages that were read.
    pub fn messages(&self) -> u64 {
        self.transports.total()
    }

    /// Every outcome of a frame with its count, zeroes included.
    pub fn packets(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let not_sip = self.not_sip.iter().filter(|(sniff, _)| *sniff != Sniff::Sip);
        self.carried
            .iter()
            .map(|(which, n)| (which.name(), n))
            .chain(not_sip.map(|(which, n)| (which.name(), n)))
            .chain(self.skips.iter().map(|(which, n)| (which.name(), n)))
    }

    /// Every outcome of a frame, and what it means.
    pub fn meanings() -> impl Iterator<Item = (&'static str, &'static str)> {
        let not_sip = Sniff::ALL.iter().filter(|sniff| **sniff != Sniff::Sip);
        let carried = Carried::ALL.iter().map(|which| (which.name(), which.about()));
        let not_sip = not_sip.map(|which| (which.name(), which.about()));
        carried.chain(not_sip).chain(Skip::ALL.iter().map(|which| (which.name(), which.about())))
    }

    /// Why frames or messages were passed over, with counts above zero.
    pub fn skipped_reasons(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let not_sip = self.not_sip.iter().filter(|(sniff, _)| *sniff != Sniff::Sip);
        not_sip
            .map(|(which, n)| (which.name(), n))
            .chain(self.skips.iter().map(|(which, n)| (which.name(), n)))
            .chain(self.rejects.iter().map(|(which, n)| (which.name(), n)))
            .filter(|(_, n)| *n > 0)
    }

    /// Requests by method that came over a transport.
    pub const fn requests(&self, transport: Transport) -> &Tally<Method> {
        &self.requests[transport as usize]
    }

    /// Responses by the method they answer that came over a transport.
    pub const fn responses(&self, transport: Transport) -> &Tally<Method> {
        &self.responses[transport as usize]
    }

    /// Messages by transport.
    pub const fn transports(&self) -> &Tally<Transport> {
        &self.transports
    }

    /// Messages that begin like SIP and can't be tracked, by reason.
    pub const fn rejects(&self) -> &Tally<Reject> {
        &self.rejects
    }
}
