//! What devices tell their switch of themselves: ARP, LLDP, CDP.
//!
//! In: notices. Out: hints, presence. Never: takes a switch's word for a device's own.

use std::net::IpAddr;

use super::Watch;
use super::glean::Hint;
use crate::decode::{Notice, Told};
use crate::handsets::Handsets;
use crate::hints::{Confidence, Identity, Source, lldp};
use crate::text::Text;
use crate::time::Timestamp;

impl Watch {
    /// ARP, LLDP or CDP.
    pub(in crate::sensor) fn notice(&mut self, notice: &Notice<'_>, handsets: &Handsets, now: Timestamp) {
        match notice.told {
            Told::Arp(mac, ip) => {
                let ip = IpAddr::V4(ip);
                if handsets.is_home(ip) {
                    self.shows(Some(ip), Some(mac), notice.vlan, false, Source::Arp, handsets, now);
                }
            }
            Told::Lldp(payload) => {
                if let Some(read) = lldp::parse(payload) {
                    self.glean_neighbour(notice, &read, Source::Lldp, handsets, now);
                }
            }
            Told::Cdp(payload) => {
                if let Some(read) = lldp::cdp(payload) {
                    self.glean_neighbour(notice, &read, Source::Cdp, handsets, now);
                }
            }
        }
    }

    fn glean_neighbour(
        &mut self,
        notice: &Notice<'_>,
        read: &lldp::Neighbour<'_>,
        source: Source,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        if read.network {
            // What a switch says of the VLAN for voice is no device's own word.
            return;
        }
        let mac = read.mac.or(Some(notice.src_mac));
        let ip = read.ip.filter(|ip| handsets.is_home(*ip));
        let device = self.shows(ip, mac, notice.vlan, read.phone, source, handsets, now);
        if !read.phone && device.role == crate::fact::Role::Unknown {
            return;
        }
        let maker = mac.and_then(|mac| self.ouis.find(mac)).map_or_else(Text::default, |maker| maker.vendor);
        let vendor = if read.maker.is_empty() { maker } else { Text::new(vendor_word(read.maker)) };
        let firmware = if read.software.is_empty() { read.firmware } else { read.software };
        let model = read.model.strip_prefix(b"SIP-").unwrap_or(read.model);
        let identity = Identity {
            vendor,
            model: Text::new(model),
            firmware: Text::new(firmware),
            name: Text::new(read.name),
            phone: read.phone,
        };
        let raw = if read.description.is_empty() { read.model } else { read.description };
        let hint = Hint { source, confidence: Confidence::High, identity, voice_vlan: read.voice_vlan, raw };
        self.hint(device, &hint, now);
    }
}

/// LLDP-MED's manufacturer in the form of the other sources.
fn vendor_word(maker: &[u8]) -> &[u8] {
    let known: [(&[u8], &[u8]); 4] =
        [(b"Polycom", b"Poly"), (b"Aastra", b"Mitel"), (b"Cisco", b"Cisco"), (b"snom", b"Snom")];
    let starts = |word: &[u8]| maker.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let word = known.iter().find(|(word, _)| starts(word)).map(|(_, vendor)| *vendor);
    word.unwrap_or_else(|| maker.split(|byte| *byte == b' ').next().unwrap_or_default())
}
