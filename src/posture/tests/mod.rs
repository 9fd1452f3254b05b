//! Every check on sightings made by hand, with the numbers that its definition names.

mod inside;
mod intrusion;
mod passwords;
mod perimeter;
mod restart;

use std::net::SocketAddr;

use super::*;
use crate::decode::Mac;
use crate::fact::sighting::{HintSighting, SipSighting, SipStep};
use crate::fact::{Role, What};
use crate::finding::{CheckFinding, Status};
use crate::handsets::HandsetId;
use crate::hints::{Confidence, Identity, Source};
use crate::sip::Method;
use crate::text::Text;
use crate::touches::{Banner, Proto, Side, Touch, TouchState, Way, Zone};

const PBX: &str = "203.0.113.10:5060";
const STRANGER: &str = "198.51.100.66:5071";

/// Tuesday, 24 November 2026, 09:00 UTC.
const START: Timestamp = Timestamp::from_parts(1_795_510_800, 0);

struct Stage {
    posture: Posture,
    now: Timestamp,
    told: Vec<CheckFinding>,
    ids: Vec<HandsetId>,
}

impl Stage {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let mut table = Table::new(2_000, 0);
        let ids = (0..2_000u32).map(|n| HandsetId(table.find_or_insert(&n, START, || ()).slot)).collect();
        Self { posture: Posture::new(settings, OfficeHours::default()), now: START, told: Vec::new(), ids }
    }

    fn who(&self, n: u16) -> Who {
        let [high, low] = n.to_be_bytes();
        Who {
            id: self.ids[usize::from(n)],
            user: Text::from((200 + u32::from(n)).to_string().as_str()),
            verified: true,
            ip: IpAddr::from([10, 0, 10 + high, low]),
            mac: Some(mac(n)),
        }
    }

    /// A registered handset.
    fn handset(&self, n: u16) -> Device {
        let who = self.who(n);
        Device { role: Role::Handset, ip: Some(who.ip), mac: who.mac, vlan: None, who: Some(who) }
    }

    fn see(&mut self, device: Device, what: What) {
        let fact = Fact::Sighting(Sighting { time: self.now, device, what });
        self.fact(&fact);
    }

    fn fact(&mut self, fact: &Fact) {
        self.posture.handle_fact(fact, self.now);
        self.take();
    }

    fn after(&mut self, span: Span) {
        let end = self.now.plus(span);
        while let Some(due) = self.posture.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.posture.handle_timeout(self.now);
            self.take();
        }
        self.now = end;
    }

    fn take(&mut self) {
        while let Some(told) = self.posture.poll() {
            if told.fresh {
                self.told.push(told.finding);
            }
        }
    }

    fn sip(&mut self, device: Device, sip: SipSighting) {
        self.see(device, What::Sip(sip));
    }

    fn touch(&mut self, device: Device, touch: Touch) {
        self.see(device, What::Touch(touch));
    }

    /// Findings of a check, as (severity, sentence), in order.
    fn of(&self, check: Check) -> Vec<(Severity, &str)> {
        let found = self.told.iter().filter(|f| f.check == check && f.status == Status::Finding);
        found.map(|f| (f.severity, f.sentence.as_str())).collect()
    }

    fn worst(&self, check: Check) -> Option<Severity> {
        self.of(check).into_iter().map(|(severity, _)| severity).max()
    }

    /// Whether anything that pages was found.
    fn pages(&self) -> Vec<&CheckFinding> {
        let pages = |f: &&CheckFinding| f.status == Status::Finding && f.severity > Severity::Info;
        self.told.iter().filter(pages).collect()
    }

    fn status(&self, check: Check) -> (Status, String) {
        let sight = Sight { home: true, sip: true, ..Sight::default() };
        let list = self.posture.checklist(sight, self.now);
        let row = list.rows.iter().find(|row| row.check == check).unwrap();
        (row.status, row.why.clone())
    }

    /// The handset registers, or renews.
    fn register(&mut self, n: u16) {
        let device = self.handset(n);
        let account = device.who.unwrap().user;
        let client = SocketAddr::new(device.ip.unwrap(), 5_060);
        let sip = SipSighting { account, target: account, ..exchange(client, PBX, SipStep::Accepted) };
        self.sip(device, sip);
    }
}

fn mac(n: u16) -> Mac {
    let [high, low] = n.to_be_bytes();
    Mac([0x00, 0x15, 0x65, 0x01, high, low])
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A REGISTER from inside; `server` tells where it goes.
fn exchange(client: SocketAddr, server: &str, step: SipStep) -> SipSighting {
    let server = address(server);
    let zone = |ip: IpAddr| match ip {
        IpAddr::V4(v4) if v4.is_private() => Zone::Home,
        _ if ip == address(PBX).ip() => Zone::Pbx,
        _ => Zone::Outside,
    };
    let (client_zone, server_zone) = (zone(client.ip()), zone(server.ip()));
    let way = if client_zone == Zone::Home { Way::Outbound } else { Way::Inbound };
    let code = match step {
        SipStep::Request | SipStep::Credentials => 0,
        SipStep::Challenged | SipStep::Refused => 401,
        SipStep::Denied => 404,
        SipStep::Ringing => 180,
        SipStep::Accepted | SipStep::Removed => 200,
    };
    SipSighting {
        client,
        client_zone,
        server,
        server_zone,
        way,
        proto: Proto::Udp,
        peer_came_first: false,
        method: Method::Register,
        step,
        code,
        exchange: 1,
        account: Text::default(),
        target: Text::default(),
        realm: Text::from("pbx"),
        agent: Text::default(),
        expires: if step == SipStep::Accepted { 3_600 } else { 0 },
        same_user: true,
        bogus_host: false,
    }
}

/// A flow that a stranger outside began.
fn knock(proto: Proto, port: u16, state: TouchState) -> Touch {
    use TouchState::{Data, Ended, Established, Lasting};
    let bytes = if matches!(state, Data | Lasting | Ended) { 100 } else { 0 };
    Touch {
        peer: address("198.51.100.66:44321"),
        zone: Zone::Outside,
        way: Way::Inbound,
        proto,
        port,
        state,
        unsolicited: true,
        side: Side::Lan,
        banner: Banner::None,
        name: Text::default(),
        sent: bytes,
        received: bytes,
        started: START,
        lasted: if state == Established { Span(20_000) } else { Span::SECOND },
    }
}

fn hint(source: Source, vendor: &str, model: &str, firmware: &str) -> What {
    What::Hint(HintSighting {
        source,
        confidence: Confidence::High,
        identity: Identity {
            vendor: Text::from(vendor),
            model: Text::from(model),
            firmware: Text::from(firmware),
            name: Text::default(),
            phone: true,
        },
        voice_vlan: None,
        raw: Text::from(format!("{vendor} {model} {firmware}").as_str()),
    })
}
