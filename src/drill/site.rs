//! The office: its handsets, their makes and habits, and the PBX they belong to.
//!
//! In: how many handsets, randomness. Out: `Site`.
//! Never: a vendor's phone with another vendor's hardware address.

use std::net::Ipv4Addr;

use super::numbers::{self, Tier};
use super::packet::End;
use super::proof::Auth;
use super::rng::Rng;
use super::variety::{honest_country, neighbour};

/// SIP domain of the office.
pub(super) const DOMAIN: &str = "pbx.example.com";
/// The Cloud PBX, behind the office's router.
pub(super) const CLOUD: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// A PBX in the office's own rack.
pub(super) const ON_SITE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
/// The carrier behind an on-site PBX.
pub(super) const CARRIER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
/// The office's own number, as calls show it outside.
pub(super) const MAIN_NUMBER: &str = "01632960100";

const ROUTER_MAC: [u8; 6] = [0x74, 0x4d, 0x28, 0x10, 0x00, 0x01];
const ON_SITE_MAC: [u8; 6] = [0x3c, 0xec, 0xef, 0x20, 0x00, 0x05];

/// A make of phone: how it names itself and writes its messages.
#[derive(Debug)]
pub(super) struct Make {
    /// User-Agent as such phones send it.
    pub(super) agent: &'static str,
    /// First half of the hardware address, as registered to the vendor with the IEEE.
    pub(super) oui: [u8; 3],
    pub(super) allow: &'static str,
    pub(super) supported: &'static str,
    /// Whether Call-IDs carry the phone's address.
    pub(super) address_in_call_id: bool,
}

/// Phones found in offices.
pub(super) const MAKES: [Make; 6] = [
    Make {
        agent: "Yealink SIP-T46S 66.86.0.15",
        oui: [0x00, 0x15, 0x65],
        allow: "INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, \
                UPDATE, MESSAGE",
        supported: "replaces, timer",
        address_in_call_id: true,
    },
    Make {
        agent: "PolycomVVX-VVX_411-UA/5.9.7.4477",
        oui: [0x64, 0x16, 0x7f],
        allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, PRACK, UPDATE, REFER",
        supported: "replaces,100rel",
        address_in_call_id: false,
    },
    Make {
        agent: "snomD725/10.1.64.14",
        oui: [0x00, 0x04, 0x13],
        allow: "INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, SUBSCRIBE, PRACK, MESSAGE, INFO, UPDATE",
        supported: "timer, replaces, from-change",
        address_in_call_id: false,
    },
    Make {
        agent: "Grandstream GXP2170 1.0.11.48",
        oui: [0x00, 0x0b, 0x82],
        allow: "INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE",
        supported: "replaces, path, timer",
        address_in_call_id: true,
    },
    Make {
        agent: "Cisco-CP-8841-3PCC/11.3.2_fe8d5c",
        oui: [0x00, 0x1b, 0x54],
        allow: "ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE",
        supported: "replaces, sec-agree, record-aware",
        address_in_call_id: true,
    },
    Make {
        agent: "Gigaset N510 IP PRO/42.258.00.000.000",
        oui: [0x7c, 0x2f, 0x80],
        allow: "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, SUBSCRIBE, NOTIFY",
        supported: "replaces",
        address_in_call_id: false,
    },
];

/// What a handset is for; sets how much and where it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Reception,
    Desk,
    Sales,
    Executive,
    MeetingRoom,
    Agent,
    /// A phone in a corridor: it registers and nobody uses it.
    Spare,
}

/// A handset and the habits of who sits before it.
#[derive(Debug)]
pub(super) struct Handset {
    /// Its extension.
    pub(super) user: String,
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) make: &'static Make,
    pub(super) end: End,
    /// Its SIP password, where responses are real.
    pub(super) password: String,
    /// The day, counted from the first, from which on it is gone.
    pub(super) gone: Option<i64>,
    /// Numbers it calls again and again, as dialled.
    pub(super) home: Vec<String>,
    /// The same abroad: E.164 without the plus, and the price of a minute.
    pub(super) abroad: Vec<(String, u32)>,
    /// Countries it calls besides.
    pub(super) countries: Vec<&'static numbers::Country>,
}

/// Where the PBX stands, and so which legs the mirror port sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pbx {
    /// At a provider; only the handsets' legs pass the office's switch.
    Cloud,
    /// In the office; the legs to the carrier pass as well.
    OnSite,
}

/// An office.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) handsets: Vec<Handset>,
    pub(super) pbx: Pbx,
    /// How the PBX has passwords proved.
    pub(super) auth: Auth,
    /// Whether its people's habits differ as widely as those of real offices.
    pub(super) is_diverse: bool,
}

const NAMES: [&str; 16] = [
    "Alex Archer",
    "Sam Baker",
    "Kim Carter",
    "Jo Draper",
    "Max Fisher",
    "Robin Glover",
    "Chris Hunter",
    "Pat Keeler",
    "Lee Mason",
    "Drew Naylor",
    "Terry Palmer",
    "Ashley Reeve",
    "Jamie Sawyer",
    "Billie Tanner",
    "Frankie Turner",
    "Charlie Wright",
];

impl Site {
    /// An office of `count` handsets, of which `abroad` in a thousand desks call abroad at times.
    pub(super) fn new(count: u16, pbx: Pbx, abroad: u32, call_centre: bool, rng: &mut Rng) -> Self {
        let handsets = (0..count).map(|i| Handset::new(i, count, abroad, call_centre, rng)).collect();
        Self { handsets, pbx, auth: Auth::Acted, is_diverse: false }
    }

    /// An office whose people call more countries, riskier ones too, and firms whose numbers lie
    /// side by side.
    pub(super) fn diverse(mut self, rng: &mut Rng) -> Self {
        self.is_diverse = true;
        // What the office as a whole deals with.
        let partners: Vec<_> = (0..rng.between(4, 9)).map(|_| honest_country(rng)).collect();
        for handset in &mut self.handsets {
            if handset.abroad.is_empty() {
                continue;
            }
            handset.countries.retain(|_| rng.chance(500));
            handset.countries.extend((0..rng.between(1, 3)).map(|_| rng.pick(&partners)));
            handset.abroad.clear();
            for country in &handset.countries {
                let mut number = country.number(rng);
                for _ in 0..rng.between(1, 5) {
                    handset.abroad.push((number.clone(), country.rate));
                    number = if rng.chance(400) { neighbour(&number, rng) } else { country.number(rng) };
                }
            }
        }
        self
    }

    /// Where the handsets' calls go, seen from the office's switch.
    pub(super) fn pbx_end(&self) -> End {
        match self.pbx {
            Pbx::Cloud => End { mac: ROUTER_MAC, ip: CLOUD, port: 5060 },
            Pbx::OnSite => End { mac: ON_SITE_MAC, ip: ON_SITE, port: 5060 },
        }
    }

    /// Where the PBX gets its lines from.
    pub(super) const fn carrier_end() -> End {
        End { mac: ROUTER_MAC, ip: CARRIER, port: 5060 }
    }

    /// The handsets of a role, by index.
    pub(super) fn of_role(&self, role: Role) -> Vec<usize> {
        (0..self.handsets.len()).filter(|i| self.handsets[*i].role == role).collect()
    }
}

impl Handset {
    fn new(index: u16, count: u16, abroad: u32, call_centre: bool, rng: &mut Rng) -> Self {
        let role = role(index, count, call_centre);
        let make = &MAKES[rng.below(MAKES.len())];
        let serial = 0x10_0000 + u32::from(index) * 7;
        let [_, x, y, z] = serial.to_be_bytes();
        let [a, b, c] = make.oui;
        // 10.0.3.10 and on, 240 to a network.
        let subnet = u8::try_from(3 + index / 240).unwrap_or(u8::MAX);
        let host = u8::try_from(10 + index % 240).unwrap_or(u8::MAX);
        let end = End { mac: [a, b, c, x, y, z], ip: Ipv4Addr::new(10, 0, subnet, host), port: 5060 };
        let mut handset = Self {
            user: if count <= 100 { format!("{}", 200 + index) } else { format!("{}", 2_000 + index) },
            name: match role {
                Role::Reception => "Reception",
                Role::MeetingRoom => "Meeting room",
                Role::Spare => "Corridor",
                _ => rng.pick(&NAMES),
            },
            role,
            make,
            end,
            password: String::new(),
            gone: None,
            home: Vec::new(),
            abroad: Vec::new(),
            countries: Vec::new(),
        };
        handset.learn_habits(abroad, rng);
        handset
    }

    fn learn_habits(&mut self, abroad: u32, rng: &mut Rng) {
        self.home = (0..rng.between(6, 20)).map(|_| home_number(rng)).collect();
        let travelled = match self.role {
            Role::Sales | Role::Executive => true,
            Role::Desk | Role::Reception | Role::Agent => rng.chance(abroad),
            Role::MeetingRoom | Role::Spare => false,
        };
        if !travelled {
            return;
        }
        for _ in 0..rng.between(2, 4) {
            let tier = if rng.chance(150) { Tier::Medium } else { Tier::Low };
            let country = numbers::of_tier(tier, rng);
            self.countries.push(country);
            for _ in 0..rng.between(1, 4) {
                self.abroad.push((country.number(rng), country.rate));
            }
        }
    }
}

/// A number at home that somebody calls, as dialled.
pub(super) fn home_number(rng: &mut Rng) -> String {
    let national = match rng.between(0, 99) {
        0..=57 => numbers::geographic(rng),
        58..=87 => numbers::mobile(rng),
        88..=94 => numbers::uk_wide(rng),
        _ => numbers::freephone(rng),
    };
    numbers::dialled_home(&national, rng)
}

fn role(index: u16, count: u16, call_centre: bool) -> Role {
    match index % 20 {
        14 => Role::Reception,
        19 => Role::Spare,
        // Small offices have a spare phone as well.
        _ if index + 1 == count => Role::Spare,
        _ if call_centre => Role::Agent,
        3 | 9 | 17 => Role::Sales,
        6 => Role::Executive,
        11 => Role::MeetingRoom,
        _ => Role::Desk,
    }
}
