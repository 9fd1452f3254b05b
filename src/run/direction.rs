//! Which way frames go, seen from the office: does the mirror show both directions?
//!
//! In: frames. Out: for each interface, when the last frame came in each direction.
//! Never: says more than the addresses do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::frame::{Frame, Link};
use crate::handsets::Network;
use crate::time::{Span, Timestamp};

/// Frames of one interface are looked at so often, not each.
const OFTEN: Span = Span(250_000);

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    outbound: Option<Timestamp>,
    inbound: Option<Timestamp>,
    /// Frames still to be passed over before the next look.
    skip: u8,
}

/// The last frames of each direction.
#[derive(Debug)]
pub(super) struct Directions {
    home: Vec<Network>,
    pbx: Vec<Network>,
    last: Vec<Last>,
}

impl Directions {
    /// By the office's own networks and the addresses of its PBX: a PBX in the cellar counts as outside.
    pub(super) const fn new(home: Vec<Network>, pbx: Vec<Network>) -> Self {
        Self { home, pbx, last: Vec::new() }
    }

    /// Takes in a frame; most cost a comparison.
    pub(super) fn observe(&mut self, frame: &Frame<'_>) {
        let at = usize::from(frame.interface);
        if self.last.len() <= at {
            // There are as many interfaces as the configuration names.
            self.last.resize(at.saturating_add(1), Last::default());
        }
        let Some(last) = self.last.get_mut(at) else { return };
        let fresh = |side: Option<Timestamp>| side.is_some_and(|side| frame.ts.since(side) < OFTEN);
        if fresh(last.outbound) && fresh(last.inbound) {
            return;
        }
        if last.skip > 0 {
            last.skip = last.skip.saturating_sub(1);
            return;
        }
        let Some((src, dst)) = addresses(frame) else { return };
        let of = |networks: &[Network], ip| networks.iter().any(|network| network.contains(ip));
        let office = |ip| of(&self.home, ip) && !of(&self.pbx, ip);
        match (office(src), office(dst)) {
            (true, false) => last.outbound = Some(frame.ts),
            (false, true) => last.inbound = Some(frame.ts),
            _ => {}
        }
        // With only one direction there, every frame would be looked at for the other.
        last.skip = if fresh(last.outbound) || fresh(last.inbound) { 7 } else { 0 };
    }

    /// When the last frames of an interface came; `any` is the very last.
    pub(super) fn last(&self, interface: u16, any: Option<Timestamp>) -> Vec<(&'static str, Timestamp)> {
        let last = self.last.get(usize::from(interface)).copied().unwrap_or_default();
        let sides = [("any", any), ("inbound", last.inbound), ("outbound", last.outbound)];
        sides.into_iter().filter_map(|(name, at)| at.map(|at| (name, at))).collect()
    }
}

/// The addresses of a unicast IP packet on Ethernet, behind up to two tags.
fn addresses(frame: &Frame<'_>) -> Option<(IpAddr, IpAddr)> {
    if frame.link != Link::Ethernet || frame.data.first()? & 1 != 0 {
        return None;
    }
    let mut at = 12_usize;
    for _ in 0..3 {
        let kind = frame.data.get(at..at.checked_add(2)?)?;
        let packet = frame.data.get(at.checked_add(2)?..)?;
        match kind {
            [0x81, 0x00] | [0x88, 0xa8] => at = at.checked_add(4)?,
            [0x08, 0x00] => return Some((v4(packet.get(12..16)?)?, v4(packet.get(16..20)?)?)),
            [0x86, 0xdd] => return Some((v6(packet.get(8..24)?)?, v6(packet.get(24..40)?)?)),
            _ => return None,
        }
    }
    None
}

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).ok().map(|b| IpAddr::V4(Ipv4Addr::from(b)))
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(bytes).ok().map(|b| IpAddr::V6(Ipv6Addr::from(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ts: i64, src: u8, dst: u8, data: &mut Vec<u8>) -> Frame<'_> {
        *data = vec![0; 12];
        data.extend([0x81, 0, 0, 5, 8, 0, 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0]);
        data.extend([10, 0, 0, src, 10, 0, 0, dst]);
        Frame { ts: Timestamp(ts), link: Link::Ethernet, interface: 1, wire_len: 38, data }
    }

    #[test]
    fn a_pbx_in_the_cellar_is_the_other_side() {
        let network = |text: &str| vec![text.parse::<Network>().unwrap()];
        let mut directions = Directions::new(network("10.0.0.0/8"), network("10.0.0.5"));
        let mut data = Vec::new();
        directions.observe(&frame(1, 9, 5, &mut data));
        assert_eq!(directions.last(1, None), [("outbound", Timestamp(1))]);
        for ts in 2..20 {
            directions.observe(&frame(ts, 5, 9, &mut data));
        }
        let last = directions.last(1, Some(Timestamp(19)));
        assert_eq!(last.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["any", "inbound", "outbound"]);
    }
}
