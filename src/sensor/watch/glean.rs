//! What devices say of themselves, and where they are told to go, becomes sightings.
//!
//! In: datagrams, segments, SIP messages. Out: hints, provisioning, holes, services, presence.
//! Never: tells the same twice a day; looks at a payload whose ports and first bytes promise nothing.

use std::net::{IpAddr, SocketAddr};

use super::Watch;
use crate::decode::{Datagram, Mac, Path};
use crate::fact::sighting::{
    HintSighting, MappingBy, MappingSighting, ProvisioningBy, ProvisioningSighting, ProvisioningStep,
    ServiceSighting,
};
use crate::fact::{Device, What};
use crate::handsets::Handsets;
use crate::hints::{Confidence, Identity, Source, dhcp, dns, http, natpmp, tftp, user_agent};
use crate::tally::Label;
use crate::text::Text;
use crate::time::{Span, Timestamp};
use crate::touches::{Place, Proto, Zone};

/// A device is told to be there once in so long.
const PRESENT_FOR: Span = Span::minutes(10);
/// The rest is told once in so long.
const TOLD_FOR: Span = Span::DAY;
/// A fetched file is told again after so long.
const FETCHED_FOR: Span = Span::HOUR;

/// Whether a datagram's ports promise anything: two compares for RTP.
#[inline]
fn promises(path: &Path) -> bool {
    let of = |port| port < 1_024 || matches!(port, 1_900 | 5_351 | 5_353);
    of(path.dst.port()) || of(path.src.port())
}

/// A hint before it's told.
pub(super) struct Hint<'a> {
    pub(super) source: Source,
    pub(super) confidence: Confidence,
    pub(super) identity: Identity,
    pub(super) voice_vlan: Option<u16>,
    pub(super) raw: &'a [u8],
}

impl Watch {
    #[inline]
    pub(super) fn glean_datagram(
        &mut self,
        datagram: &Datagram<'_>,
        handsets: &Handsets,
        now: Timestamp,
    ) -> bool {
        promises(&datagram.path) && self.glean_promising(&datagram.path, datagram.payload, handsets, now)
    }

    /// The answer is whether it was looked at.
    #[cold]
    fn glean_promising(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) -> bool {
        match (path.src.port(), path.dst.port()) {
            (67 | 68, 67 | 68) => self.glean_dhcp(path, payload, handsets, now),
            (53, _) => self.glean_dns(path, payload, handsets, now),
            (5_353, _) => self.glean_mdns(path, payload, handsets, now),
            (1_900, _) | (_, 1_900) => self.glean_ssdp(path, payload, handsets, now),
            (_, 69) => self.glean_tftp(path, payload, handsets, now),
            (5_351, _) | (_, 5_351) => self.glean_natpmp(path, payload, handsets, now),
            _ => return false,
        }
        true
    }

    /// The User-Agent of one of ours.
    #[cold]
    pub(super) fn glean_agent(
        &mut self,
        agent: &[u8],
        path: &Path,
        place: &Place,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let ip = path.src.ip();
        let known = user_agent::parse(agent);
        let identity = known.map_or_else(Identity::default, |known| identity_of(&known));
        if let Some(known) = known {
            self.zones.shows(ip, known.mac, path.vlan, true, now);
        }
        let confidence = if known.is_some() { Confidence::High } else { Confidence::Low };
        let device = self.zones.device(ip, path.vlan, place, handsets);
        let hint = Hint { source: Source::SipUserAgent, confidence, identity, voice_vlan: None, raw: agent };
        self.hint(device, &hint, now);
    }

    /// Tells a hint unless the same was told within the day.
    pub(super) fn hint(&mut self, device: Device, hint: &Hint<'_>, now: Timestamp) {
        let who = (device.mac.map(|mac| mac.0), if device.mac.is_some() { None } else { device.ip });
        let raw: Text<128> = Text::new(hint.raw);
        if self.is_news((who, hint.source.index(), hint.voice_vlan, raw.as_bytes()), TOLD_FOR, now) {
            let told = HintSighting {
                source: hint.source,
                confidence: hint.confidence,
                identity: hint.identity,
                voice_vlan: hint.voice_vlan,
                raw,
            };
            self.tell(device, What::Hint(told), now);
        }
    }

    /// A device is there: remembers address and hardware address, and says so now and then.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call each for ARP, DHCP and LLDP; a struct would only rename them"
    )]
    pub(super) fn shows(
        &mut self,
        ip: Option<IpAddr>,
        mac: Option<Mac>,
        vlan: Option<u16>,
        phone: bool,
        source: Source,
        handsets: &Handsets,
        now: Timestamp,
    ) -> Device {
        let maker = mac.and_then(|mac| self.ouis.find(mac)).copied();
        let phone = phone || maker.is_some_and(|maker| maker.phone);
        let mut device = match ip {
            Some(ip) => {
                self.zones.shows(ip, mac, vlan, phone, now);
                self.device(ip, vlan, handsets)
            }
            None => Device {
                role: if phone { crate::fact::Role::Phone } else { crate::fact::Role::Unknown },
                ip: None,
                mac,
                vlan,
                who: None,
            },
        };
        device.mac = mac.or(device.mac);
        let is_known = phone || is_phone(&device);
        if is_known && self.is_news((mac.map(|mac| mac.0), ip, source.index()), PRESENT_FOR, now) {
            self.tell(device, What::Present(source), now);
        }
        if let Some(maker) = maker {
            let identity = Identity { vendor: maker.vendor, phone: maker.phone, ..Identity::default() };
            let raw = mac.map(|mac| mac.to_string()).unwrap_or_default();
            let confidence = Confidence::Low;
            let hint =
                Hint { source: Source::Oui, confidence, identity, voice_vlan: None, raw: raw.as_bytes() };
            self.hint(device, &hint, now);
        }
        device
    }

    fn glean_dhcp(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let Some(read) = dhcp::parse(payload) else { return };
        let ip = read.address.map(IpAddr::V4);
        let class = dhcp::class_of(read.class);
        let device = self.shows(ip, read.mac, path.vlan, class.is_some(), Source::Dhcp, handsets, now);
        if !read.reply {
            let (vendor, model) = class.unwrap_or_default();
            if class.is_some() || device.role != crate::fact::Role::Unknown {
                let identity = Identity {
                    vendor: Text::from(vendor),
                    model: Text::from(model),
                    name: Text::new(read.host),
                    phone: class.is_some(),
                    ..Identity::default()
                };
                let raw = if read.class.is_empty() { read.host } else { read.class };
                let confidence = Confidence::Medium;
                let hint = Hint { source: Source::Dhcp, confidence, identity, voice_vlan: None, raw };
                self.hint(device, &hint, now);
            }
            return;
        }
        if read.kind != 5 {
            return;
        }
        // Who gives phones their addresses is the office's own; a provider's DHCP has no phones.
        if let (Some(ip), Some(bits), true) = (read.address, read.bits, is_phone(&device)) {
            self.zones.home_of(ip, bits, now);
        }
        for server in read.servers.into_iter().flatten() {
            self.zones.service(IpAddr::V4(server), now);
        }
        for (n, place) in read.places.into_iter().enumerate().filter(|(_, place)| !place.is_empty()) {
            // Option 66 names a TFTP server unless it says otherwise.
            let bare = if n == 1 { ProvisioningBy::Tftp } else { ProvisioningBy::Other };
            let told = ProvisioningSighting {
                by: by_of(place, bare),
                step: ProvisioningStep::Advertised,
                server: None,
                zone: Zone::Outside,
                place: Text::new(without_query(place)),
            };
            if self.is_news((ip, "advertised", place), TOLD_FOR, now) {
                self.tell(device, What::Provisioning(told), now);
            }
        }
    }

    fn glean_dns(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        // An answer that nobody asked for may be anybody's, and would allow him in.
        let zone = self.zones.place(path.src.ip(), handsets).zone;
        if !matches!(zone, Zone::Home | Zone::Service) && !self.touches.is_own(path) {
            return;
        }
        let (names, zones) = (&self.names, &mut self.zones);
        let _ = dns::answers(payload, &mut |answer| {
            if let dns::Answer::Address(name, ip) = answer
                && names.contains(name)
            {
                zones.named(ip, now);
            }
        });
    }

    fn glean_mdns(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let ip = path.src.ip();
        if !self.zones.place(ip, handsets).phone {
            return;
        }
        let mut found: Vec<(Text<48>, u16)> = Vec::new();
        let _ = dns::answers(payload, &mut |answer| {
            if let dns::Answer::Service(name, port) = answer
                && found.len() < 8
            {
                found.push((Text::new(name.trim_end_matches(".local").as_bytes()), port));
            }
        });
        for (name, port) in found {
            self.service(ip, path, Source::Mdns, name, (port != 0).then_some(port), handsets, now);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is told, and what it takes to tell it")]
    fn service(
        &mut self,
        ip: IpAddr,
        path: &Path,
        source: Source,
        name: Text<48>,
        port: Option<u16>,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        if self.is_news((ip, source.index(), name.as_bytes(), port), TOLD_FOR, now) {
            let device = self.device(ip, path.vlan, handsets);
            self.tell(device, What::Service(ServiceSighting { source, name, port }), now);
        }
    }

    fn glean_ssdp(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let Some(read) = http::parse(payload) else { return };
        let ip = path.src.ip();
        let place = self.zones.place(ip, handsets);
        if read.method == b"M-SEARCH" {
            let wanted = b"InternetGatewayDevice";
            let searches = read.target.windows(wanted.len()).any(|part| part == wanted);
            if place.ours && searches && self.is_news((ip, "search"), TOLD_FOR, now) {
                let hole = natpmp::Mapping {
                    pcp: false,
                    tcp: None,
                    internal: 0,
                    external: 0,
                    lease: 0,
                    client: None,
                    accepted: None,
                };
                self.mapping(MappingBy::Search, &hole, b"", path, handsets, now);
            }
        } else if place.phone && !read.target.is_empty() {
            self.service(ip, path, Source::Ssdp, Text::new(read.target), None, handsets, now);
        }
    }

    fn glean_natpmp(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let Some(hole) = natpmp::parse(payload) else { return };
        let by = if hole.pcp { MappingBy::Pcp } else { MappingBy::NatPmp };
        self.mapping(by, &hole, b"", path, handsets, now);
    }

    /// A hole that is asked for, or the router's answer.
    pub(super) fn mapping(
        &mut self,
        by: MappingBy,
        hole: &natpmp::Mapping,
        description: &[u8],
        path: &Path,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let (asker, gateway) =
            if hole.accepted.is_some() { (path.dst, path.src) } else { (path.src, path.dst) };
        if !self.zones.place(asker.ip(), handsets).ours {
            return;
        }
        let device = self.device(asker.ip(), path.vlan, handsets);
        let target = match by {
            MappingBy::Search => None,
            _ => hole.client.or(Some(asker.ip())),
        };
        let target_role = target.map_or(device.role, |ip| self.device(ip, None, handsets).role);
        let told = MappingSighting {
            by,
            gateway,
            target,
            target_role,
            proto: hole.tcp.map(|tcp| if tcp { Proto::Tcp } else { Proto::Udp }),
            external: hole.external,
            internal: hole.internal,
            lease: hole.lease,
            accepted: hole.accepted,
            description: Text::new(description),
        };
        self.tell(device, What::Mapping(told), now);
    }

    fn glean_tftp(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        if let Some(name) = tftp::wanted(payload) {
            self.fetches(
                ProvisioningBy::Tftp,
                ProvisioningStep::Asked,
                path.src,
                path.dst,
                name,
                handsets,
                now,
            );
        }
    }

    /// A device of ours fetches its configuration.
    #[expect(clippy::too_many_arguments, reason = "what is told, and what it takes to tell it")]
    pub(super) fn fetches(
        &mut self,
        by: ProvisioningBy,
        step: ProvisioningStep,
        client: SocketAddr,
        server: SocketAddr,
        place: &[u8],
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let ip = client.ip();
        if !self.zones.place(ip, handsets).ours || !self.is_news((ip, step.index(), place), FETCHED_FOR, now)
        {
            return;
        }
        let told = ProvisioningSighting {
            by,
            step,
            server: Some(server),
            zone: self.zones.place(server.ip(), handsets).zone,
            place: Text::new(without_query(place)),
        };
        let device = self.device(ip, None, handsets);
        self.tell(device, What::Provisioning(told), now);
    }
}

const fn is_phone(device: &Device) -> bool {
    matches!(device.role, crate::fact::Role::Handset | crate::fact::Role::Phone)
}

pub(super) fn identity_of(agent: &user_agent::Agent) -> Identity {
    Identity {
        vendor: Text::from(agent.vendor),
        model: agent.model,
        firmware: agent.firmware,
        name: Text::default(),
        phone: true,
    }
}

fn by_of(place: &[u8], bare: ProvisioningBy) -> ProvisioningBy {
    let starts =
        |scheme: &[u8]| place.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    match () {
        () if starts(b"https:") => ProvisioningBy::Https,
        () if starts(b"http:") => ProvisioningBy::Http,
        () if starts(b"tftp:") => ProvisioningBy::Tftp,
        () if starts(b"ftp:") => ProvisioningBy::Ftp,
        () => bare,
    }
}

/// A query may hold a password; so may what stands before an `@`.
fn without_query(place: &[u8]) -> &[u8] {
    let place = place.split(|byte| *byte == b'?').next().unwrap_or_default();
    match place.iter().rposition(|byte| *byte == b'@') {
        Some(at) => place.get(at.saturating_add(1)..).unwrap_or_default(),
        None => place,
    }
}
