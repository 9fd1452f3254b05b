//! What looks odd in an office and is honest: the cases that a detector must stay silent on.
//!
//! In: the office, a day. Out: calls.
//! Never: fraud.

use super::calendar::Day;
use super::call::{Call, Ending, Way};
use super::numbers::{self, Tier, country, dialled_abroad};
use super::oddity;
use super::ordinary::{attempt, talk};
use super::rng::Rng;
use super::site::{Pbx, Role, Site, home_number};
use super::variety::{country_or, honest_country, neighbour};
use crate::labels;
use crate::time::{Span, Timestamp};

labels! {
    /// Something that doesn't happen every day.
    pub(super) enum Happening {
        Conference = "conference", "Several people dial a conference bridge at once, some of them again and again.";
        ForeignBridge = "foreign_bridge", "The same, and the bridge is in Germany.";
        FaxAtHome = "fax_at_home", "A fax tries the same number every few minutes and fails.";
        FaxAbroad = "fax_abroad", "The same to a number in France.";
        Campaign = "campaign", "A sales person works through a list of numbers in the Netherlands.";
        ThreeWay = "three_way", "Somebody joins a call at home and one abroad.";
        WrongDialling = "wrong_dialling", "Somebody tries a number under several country codes.";
        RedialStorm = "redial_storm", "Somebody redials a busy number thirty times.";
        NewCustomer = "new_customer", "A desk begins to call a customer in Poland.";
        ForwardHome = "forward_home", "Somebody forwards calls to a mobile phone.";
        ForwardAbroad = "forward_abroad", "Somebody forwards calls to a mobile phone in Ireland.";
        Voting = "voting", "Somebody votes by premium-rate number.";
        Travellers = "travellers", "The sales team is in Spain, and the office calls its hotels and hosts.";
        LateWorker = "late_worker", "Somebody calls the United States in the evening.";
        EmergencyTest = "emergency_test", "Somebody tests that 999 works.";
        DeskAbroad = "desk_abroad", "Somebody who never calls abroad does.";
        CallBack = "call_back", "A call from abroad is missed and called back.";
        NightStaff = "night_staff", "Cleaners or a guard call home at night.";
        SaturdayWorker = "saturday_worker", "Somebody is in on a Saturday and calls a customer abroad.";
        HolidayTeam = "holiday_team", "The office is shut, and a small team calls customers abroad.";
        FarPartner = "far_partner", "A partner far away is called early or late.";
        LongTalk = "long_talk", "A call abroad of an hour or two.";
        Misdialling = "misdialling", "Somebody dials a number abroad wrongly several times.";
    }
}

impl Happening {
    /// Whether it may happen on a day: a working day, a Saturday or Sunday, a holiday.
    pub(super) fn fits(self, day: Day, is_off: bool) -> bool {
        match self {
            Self::ForwardHome | Self::ForwardAbroad | Self::NightStaff => true,
            Self::SaturdayWorker => is_off && day.weekday() == 5,
            Self::HolidayTeam => is_off && !day.is_weekend(),
            _ => !is_off,
        }
    }

    /// The calls of one such happening, in no order. `number` counts days from the first.
    pub(super) fn plan(self, site: &Site, day: Day, number: i64, rng: &mut Rng) -> Vec<Call> {
        match self {
            Self::Conference => {
                let bridge = numbers::uk_wide(rng);
                conference(site, day, &bridge, rng)
            }
            Self::ForeignBridge => {
                let bridge = format!("00{}", country_or(site, "DE", rng).number(rng));
                conference(site, day, &bridge, rng)
            }
            Self::FaxAtHome => {
                let to = numbers::geographic(rng);
                fax(site, day, &to, rng)
            }
            Self::FaxAbroad => {
                let to = format!("00{}", country_or(site, "FR", rng).number(rng));
                fax(site, day, &to, rng)
            }
            Self::Campaign => campaign(site, day, rng),
            Self::ThreeWay => three_way(site, day, rng),
            Self::WrongDialling => wrong_dialling(site, day, rng),
            Self::RedialStorm => redial_storm(site, day, rng),
            Self::NewCustomer => new_customer(site, day, number, rng),
            Self::ForwardHome => {
                let to = numbers::mobile(rng);
                forward(site, day, &to, rng)
            }
            Self::ForwardAbroad => {
                let abroad = if site.is_diverse {
                    country_or(site, "IE", rng).number(rng)
                } else {
                    numbers::fill("35387nxxxxxx", rng)
                };
                let to = format!("00{abroad}");
                forward(site, day, &to, rng)
            }
            Self::Voting if site.is_diverse => oddity::voting(site, day, rng),
            Self::DeskAbroad => oddity::desk_abroad(site, day, rng),
            Self::CallBack => oddity::call_back(site, day, rng),
            Self::NightStaff => oddity::night_staff(site, day, rng),
            Self::SaturdayWorker => oddity::saturday_worker(site, day, rng),
            Self::HolidayTeam => oddity::holiday_team(site, day, rng),
            Self::FarPartner => oddity::far_partner(site, day, rng),
            Self::LongTalk => oddity::long_talk(site, day, rng),
            Self::Misdialling => oddity::misdialling(site, day, rng),
            Self::Voting => {
                let (who, to) = (anyone(site, rng), numbers::premium(rng));
                let at = day.clock(rng.between(12, 16), rng.between(0, 59));
                let short = Ending::Answered(Span::seconds(rng.between(12, 40)));
                vec![Call::out(at, who, to, Span::seconds(4), short)]
            }
            Self::Travellers => travellers(site, day, rng),
            Self::LateWorker => late_worker(site, day, rng),
            Self::EmergencyTest => {
                let at = day.clock(10, rng.between(0, 59));
                let short = Ending::Answered(Span::seconds(rng.between(10, 25)));
                vec![Call::out(at, anyone(site, rng), "999".to_owned(), Span::seconds(2), short)]
            }
        }
    }
}

/// A handset that somebody uses.
pub(super) fn anyone(site: &Site, rng: &mut Rng) -> usize {
    let used: Vec<_> = (0..site.handsets.len()).filter(|i| site.handsets[*i].role != Role::Spare).collect();
    if used.is_empty() { 0 } else { rng.pick(&used) }
}

pub(super) fn seller(site: &Site, rng: &mut Rng) -> usize {
    let sellers = site.of_role(Role::Sales);
    if sellers.is_empty() { anyone(site, rng) } else { rng.pick(&sellers) }
}

pub(super) fn seconds(low: i64, high: i64, rng: &mut Rng) -> Span {
    rng.span(Span::seconds(low), Span::seconds(high))
}

pub(super) fn office_hour(day: Day, rng: &mut Rng) -> Timestamp {
    day.clock(rng.between(9, 16), rng.between(0, 59))
}

fn conference(site: &Site, day: Day, bridge: &str, rng: &mut Rng) -> Vec<Call> {
    let start = day.clock(rng.between(9, 15), 0);
    let mut calls = Vec::new();
    let most = if site.is_diverse { site.handsets.len() as i64 / 2 } else { 8 };
    let guests = rng.between(4, most.max(5)).min(site.handsets.len() as i64);
    let first = rng.below(site.handsets.len());
    for guest in 0..guests {
        let who = (first + usize::try_from(guest).unwrap_or(0) * 3) % site.handsets.len();
        if site.handsets[who].role == Role::Spare {
            continue;
        }
        let mut at = start.plus(seconds(-120, 240, rng));
        // A wrong code or a dead line ends a try; then the same person dials again.
        for _ in 0..rng.between(0, 4) {
            let (setup, short) = (seconds(2, 5, rng), seconds(8, 40, rng));
            let call = Call::out(at, who, bridge.to_owned(), setup, Ending::Answered(short));
            at = call.end().plus(seconds(4, 25, rng));
            calls.push(call);
        }
        let (setup, long) = (seconds(2, 5, rng), seconds(1_200, 3_300, rng));
        calls.push(Call::out(at, who, bridge.to_owned(), setup, Ending::Answered(long)));
    }
    calls
}

fn fax(site: &Site, day: Day, to: &str, rng: &mut Rng) -> Vec<Call> {
    // The fax hangs on an adapter of its own: the last handset that isn't a spare one.
    let who = (0..site.handsets.len()).rfind(|i| site.handsets[*i].role != Role::Spare).unwrap_or(0);
    let mut at = office_hour(day, rng);
    let mut calls = Vec::new();
    for _ in 0..rng.between(8, 15) {
        let ending = match rng.between(0, 9) {
            0..=5 => Ending::Failed(486),
            6..=7 => Ending::Cancelled,
            _ => Ending::Answered(seconds(20, 35, rng)),
        };
        let setup = if ending == Ending::Cancelled { seconds(40, 50, rng) } else { seconds(2, 6, rng) };
        let call = Call::out(at, who, to.to_owned(), setup, ending);
        at = call.end().plus(seconds(170, 310, rng));
        calls.push(call);
    }
    let pages = Ending::Answered(seconds(60, 200, rng));
    calls.push(Call::out(at, who, to.to_owned(), seconds(4, 7, rng), pages));
    calls
}

fn campaign(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let who = seller(site, rng);
    let mut at = day.clock(9, rng.between(0, 40));
    let place = country_or(site, "NL", rng);
    // Lists of firms' numbers lie close together, lists of people's don't.
    let is_dense = site.is_diverse && rng.chance(400);
    let mut last = if is_dense { place.number(rng) } else { String::new() };
    (0..rng.between(18, 30))
        .map(|_| {
            last = if is_dense && rng.chance(600) { neighbour(&last, rng) } else { place.number(rng) };
            let number = dialled_abroad(&last, rng);
            let call = attempt(at, who, number, rng);
            // Some pause and note down, others dial on at once.
            let pause =
                if site.is_diverse && rng.chance(450) { seconds(3, 30, rng) } else { seconds(30, 600, rng) };
            at = call.end().plus(pause);
            call
        })
        .collect()
}

fn three_way(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let (who, at) = (seller(site, rng), office_hour(day, rng));
    let abroad = if site.is_diverse {
        honest_country(rng).number(rng)
    } else {
        numbers::of_tier(Tier::Low, rng).number(rng)
    };
    let abroad = dialled_abroad(&abroad, rng);
    let long = seconds(900, 2_400, rng);
    let home = Call::out(at, who, home_number(rng), Span::seconds(8), Ending::Answered(long));
    let answered = Ending::Answered(Span(long.0 - 120_000_000));
    let mut second = Call::out(at.plus(Span::seconds(75)), who, abroad, Span::seconds(9), answered);
    second.may_overlap = true;
    vec![home, second]
}

fn wrong_dialling(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let (who, mut at) = (anyone(site, rng), office_hour(day, rng));
    let wanted = country("CZ").number(rng);
    let mut calls = Vec::new();
    for prefix in ["0042", "00420", "0043"] {
        let number = format!("{prefix}{}", &wanted[3..]);
        let code = if prefix == "00420" { 486 } else { 404 };
        let call = Call::out(at, who, number, seconds(2, 4, rng), Ending::Failed(code));
        at = call.end().plus(seconds(15, 60, rng));
        calls.push(call);
    }
    let answered = Ending::Answered(talk(rng));
    calls.push(Call::out(at, who, format!("00{wanted}"), Span::seconds(7), answered));
    calls
}

fn redial_storm(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let (who, number) = (anyone(site, rng), numbers::geographic(rng));
    let mut at = day.clock(8, rng.between(0, 5));
    let mut calls: Vec<_> = (0..rng.between(20, 35))
        .map(|_| {
            let call = Call::out(at, who, number.clone(), seconds(1, 3, rng), Ending::Failed(486));
            at = call.end().plus(seconds(3, 20, rng));
            call
        })
        .collect();
    calls.push(Call::out(at, who, number, Span::seconds(5), Ending::Answered(talk(rng))));
    calls
}

fn new_customer(site: &Site, day: Day, number: i64, rng: &mut Rng) -> Vec<Call> {
    let desks = site.of_role(Role::Desk);
    let who = desks.get(usize::try_from(number / 30).unwrap_or(0) % desks.len().max(1)).copied().unwrap_or(0);
    // Each month's new customer has a country of its own.
    let place = country_of_month(number / 30, site);
    (0..rng.between(1, 4))
        .map(|_| {
            let to = match place {
                Some(place) => place.number(rng),
                None => numbers::fill("4822nxxxxxx", rng),
            };
            let to = dialled_abroad(&to, rng);
            attempt(office_hour(day, rng), who, to, rng)
        })
        .collect()
}

/// Where the new customer of a month is, if offices differ.
fn country_of_month(month: i64, site: &Site) -> Option<&'static numbers::Country> {
    let mut rng = Rng::new(month.unsigned_abs(), site.handsets.len() as u64);
    site.is_diverse.then(|| honest_country(&mut rng))
}

fn travellers(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let callers = [anyone(site, rng), anyone(site, rng), seller(site, rng)];
    let place = country_or(site, "ES", rng);
    let hosts: Vec<_> = (0..5).map(|_| place.number(rng)).collect();
    let mut calls = Vec::new();
    for who in callers {
        for _ in 0..rng.between(2, 5) {
            let host = &hosts[rng.below(hosts.len())];
            let number = dialled_abroad(host, rng);
            calls.push(attempt(office_hour(day, rng), who, number, rng));
        }
    }
    calls
}

fn forward(site: &Site, day: Day, to: &str, rng: &mut Rng) -> Vec<Call> {
    let who = seller(site, rng);
    let code = |at, number| Call::out(at, who, number, Span::SECOND, Ending::Answered(Span::seconds(3)));
    let on = day.clock(17, rng.between(30, 50));
    let mut calls = vec![code(on, format!("*21*{to}#")), code(day.clock(21, 30), "#21#".to_owned())];
    if site.pbx == Pbx::OnSite {
        for _ in 0..rng.between(1, 3) {
            let at = on.plus(seconds(900, 10_000, rng));
            let mut call = attempt(at, who, home_number(rng), rng);
            call.way = Way::Forwarded(to.to_owned());
            call.may_overlap = true;
            calls.push(call);
        }
    }
    calls
}

fn late_worker(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let executives = site.of_role(Role::Executive);
    let who = if executives.is_empty() { seller(site, rng) } else { rng.pick(&executives) };
    let mut at = day.clock(19, rng.between(0, 50));
    (0..rng.between(1, 3))
        .map(|_| {
            let to = dialled_abroad(&numbers::fill("1415nxxxxxx", rng), rng);
            let call = attempt(at, who, to, rng);
            at = call.end().plus(seconds(60, 1_800, rng));
            call
        })
        .collect()
}
