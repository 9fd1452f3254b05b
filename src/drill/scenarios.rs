//! The list of scenarios.
//!
//! In: a name. Out: what it plays.
//! Never: two scenarios of one name.

use super::attack::Attack;
use super::calendar::Day;
use super::devices;
use super::happening::Happening as H;
use super::ordinary::Habits;
use super::site::Pbx;
use super::stage::Wire;
use super::weaknesses;
use super::world::{START, Taste, World};

/// What a scenario is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Honest traffic: nothing in it may page anyone.
    Quiet,
    /// Handset security: what devices do and suffer besides calling.
    Posture,
    /// A short stretch with one attack.
    Attack,
    /// Weeks of an office with many attacks, to score a detector on.
    World,
}

/// A scenario that can be played.
#[derive(Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What it is for.
    pub sort: Sort,
    /// Calendar days it lasts, if not told otherwise.
    pub days: u16,
    /// Handsets of its office, if not told otherwise.
    pub handsets: u16,
    pub(super) world: fn() -> World,
}

impl Scenario {
    /// How it is played where its capture must stay under 1 MiB: with the attack's first calls only.
    pub fn short(&self) -> super::Options {
        super::Options { attack_calls: Some(60), ..super::Options::default() }
    }
}

/// Short captures keep to a size that can be shipped.
const SHORT: i64 = 43_200;

/// A small office for a week of few words.
fn small() -> World {
    World {
        travelled: 600,
        registers_every: SHORT,
        habits: Habits { volume: 80, ..Habits::default() },
        ..World::default()
    }
}

/// A day with one happening that isn't ordinary.
fn day_with(happenings: &'static [(H, u32)]) -> World {
    World { happenings, registers_every: SHORT, ..World::default() }
}

/// A Friday's evening and the weekend, with an attack that begins on the Friday or the Saturday.
fn weekend(attack: Attack) -> World {
    World {
        first_day: START.plus(4),
        from: 15 * 3_600,
        registers_every: SHORT,
        attacks: vec![(attack, 0)],
        ..World::default()
    }
}

/// Two working days, with an attack on the second.
fn weekday(attack: Attack) -> World {
    World {
        registers_every: SHORT,
        habits: Habits { volume: 60, ..Habits::default() },
        attacks: vec![(attack, 1)],
        ..World::default()
    }
}

/// A small office's quiet week, with an attack of several days.
fn week_of(attack: Attack) -> World {
    World {
        registers_every: 86_400,
        habits: Habits { volume: 40, ..Habits::default() },
        attacks: vec![(attack, 1)],
        ..World::default()
    }
}

/// Few calls: enough for every phone to be used.
const QUIET: Habits = Habits { volume: 8, abroad: 0, bursts: 0 };

/// A sound office; a scenario adds to it what is wrong.
fn office() -> World {
    World { setup: weaknesses::sound, registers_every: 86_400, travelled: 0, ..World::default() }
}

/// Three quarters of an hour of a Monday morning, with one thing that is wrong.
fn weakness(devices: devices::Devices) -> World {
    World { devices, from: 9 * 3_600, until: 9 * 3_600 + 2_700, registers_every: SHORT, ..office() }
}

/// What happens in an office, by thousandths of the days it fits.
const ALL_SORTS: &[(H, u32)] = &[
    (H::Conference, 150),
    (H::ForeignBridge, 250),
    (H::FaxAtHome, 60),
    (H::FaxAbroad, 120),
    (H::Campaign, 400),
    (H::ThreeWay, 200),
    (H::WrongDialling, 15),
    (H::Misdialling, 40),
    (H::RedialStorm, 60),
    (H::NewCustomer, 200),
    (H::ForwardHome, 40),
    (H::ForwardAbroad, 12),
    (H::Voting, 20),
    (H::Travellers, 30),
    (H::LateWorker, 60),
    (H::EmergencyTest, 4),
    (H::DeskAbroad, 500),
    (H::CallBack, 250),
    (H::NightStaff, 60),
    (H::SaturdayWorker, 300),
    (H::FarPartner, 80),
    (H::LongTalk, 60),
];

/// The same in a season of holidays.
const HOLIDAYS: &[(H, u32)] = &[
    (H::HolidayTeam, 700),
    (H::Conference, 100),
    (H::ForeignBridge, 120),
    (H::FaxAbroad, 80),
    (H::Campaign, 250),
    (H::ThreeWay, 150),
    (H::Misdialling, 40),
    (H::RedialStorm, 60),
    (H::NewCustomer, 150),
    (H::ForwardHome, 150),
    (H::ForwardAbroad, 60),
    (H::Voting, 20),
    (H::Travellers, 120),
    (H::LateWorker, 60),
    (H::DeskAbroad, 350),
    (H::CallBack, 150),
    (H::NightStaff, 60),
    (H::SaturdayWorker, 250),
    (H::FarPartner, 80),
    (H::LongTalk, 60),
];

/// Attacks of a world, one every few days from a day on, up to a week before its end.
fn attacks_from(first: i64, days: i64, every: usize) -> Vec<(Attack, i64)> {
    const CYCLE: [Attack; 18] = [
        Attack::IrsfFast,
        Attack::SlowDrip,
        Attack::LongHeld,
        Attack::Distributed,
        Attack::PremiumDom,
        Attack::Wangiri,
        Attack::ExecComp,
        Attack::RangeHunt,
        Attack::Forwarding,
        Attack::Camouflage,
        Attack::DormantUse,
        Attack::UltraSlow,
        Attack::PrefixProbe,
        Attack::CheapFlood,
        Attack::Redirecting,
        Attack::Transferring,
        Attack::Satellite,
        Attack::CallidReuse,
    ];
    CYCLE.iter().cycle().copied().zip((first..days - 6).step_by(every)).collect()
}

/// The six incidents that newspapers described, twice each. They cost so much that beside them no
/// other attack's money would count, so they have a world of their own.
fn incidents() -> Vec<(Attack, i64)> {
    const SIX: [Attack; 6] = [
        Attack::IncidentA,
        Attack::IncidentB,
        Attack::IncidentC,
        Attack::IncidentD,
        Attack::IncidentE,
        Attack::IncidentF,
    ];
    SIX.iter().cycle().copied().zip((21..106).step_by(7)).collect()
}

fn world() -> World {
    World {
        registers_every: 21_600,
        happenings: ALL_SORTS,
        is_diverse: true,
        habits: Habits { abroad: 160, ..Habits::default() },
        attacks: attacks_from(28, 112, 2),
        ..World::default()
    }
}

macro_rules! scenarios {
    ($($name:literal $sort:ident $days:literal $handsets:literal $about:literal => $world:expr;)+) => {
        /// Every scenario: quiet ones, attacks, worlds.
        pub(super) static SCENARIOS: &[Scenario] = &[$(Scenario {
            name: $name,
            about: $about,
            sort: Sort::$sort,
            days: $days,
            handsets: $handsets,
            world: || World { days: $days, handsets: $handsets, ..$world },
        },)+];
    };
}

scenarios! {
    "quiet_day" Quiet 1 20 "an ordinary day" => World { registers_every: SHORT, ..World::default() };
    "quiet_week" Quiet 5 8 "an ordinary week with a few calls abroad" => small();
    "quiet_onsite" Quiet 1 12 "an ordinary day of an office with a PBX of its own" =>
        World { pbx: Pbx::OnSite, ..day_with(&[(H::ForwardHome, 1_000)]) };
    "conference_redial" Quiet 1 12 "several people dial a conference again and again" =>
        day_with(&[(H::Conference, 1_000)]);
    "foreign_bridge" Quiet 1 12 "a whole office dials a conference bridge in Germany" =>
        day_with(&[(H::ForeignBridge, 1_000)]);
    "fax_retry" Quiet 1 12 "a fax retries a number at home every few minutes" =>
        day_with(&[(H::FaxAtHome, 1_000)]);
    "fax_abroad" Quiet 1 12 "a fax retries a number in France every few minutes" =>
        day_with(&[(H::FaxAbroad, 1_000)]);
    "sales_campaign" Quiet 1 12 "somebody works through a list of numbers in the Netherlands" =>
        day_with(&[(H::Campaign, 1_000)]);
    "three_way" Quiet 1 12 "somebody joins a call at home and one abroad" =>
        day_with(&[(H::ThreeWay, 1_000)]);
    "wrong_dialling" Quiet 1 12 "somebody tries a number under several country codes" =>
        day_with(&[(H::WrongDialling, 1_000)]);
    "redial_storm" Quiet 1 12 "somebody redials a busy number thirty times" =>
        day_with(&[(H::RedialStorm, 1_000)]);
    "new_customer" Quiet 5 8 "a desk begins to call a customer in Poland" =>
        World { happenings: &[(H::NewCustomer, 1_000)], ..small() };
    "forward_home" Quiet 1 12 "somebody forwards calls to a mobile phone overnight" =>
        day_with(&[(H::ForwardHome, 1_000)]);
    "travellers" Quiet 3 8 "the sales team is in Spain and the office calls there" =>
        World { happenings: &[(H::Travellers, 1_000)], ..small() };
    "late_worker" Quiet 1 12 "somebody calls the United States in the evening" =>
        day_with(&[(H::LateWorker, 1_000)]);
    "emergency_test" Quiet 1 12 "somebody tests that 999 works" =>
        day_with(&[(H::EmergencyTest, 1_000)]);
    "holiday" Quiet 4 12 "a bank-holiday weekend: nearly nobody is in" => World {
        first_day: Day(20_575),
        days_off: &[2],
        registers_every: 86_400,
        ..World::default()
    };
    "clock_change" Quiet 3 12 "a weekend in which summer time begins" => World {
        first_day: Day(20_540),
        registers_every: SHORT,
        ..World::default()
    };
    "weak_office" Posture 34 6 "an office with every weakness that passive eyes can see" =>
        World { devices: devices::weak, setup: weaknesses::weak, habits: QUIET, ..office() };
    "sound_office" Posture 34 6 "an office with none of them" =>
        World { devices: weaknesses::none_found, habits: QUIET, ..office() };
    "unsolicited_inbound" Posture 1 3 "packets that nobody asked for" =>
        weakness(weaknesses::unsolicited_inbound);
    "stranger_sip" Posture 1 3 "a call from nowhere rings" => weakness(weaknesses::stranger_sip);
    "opened_port" Posture 1 3 "a phone has the router open a port" => weakness(weaknesses::opened_port);
    "backdoor_inbound" Posture 1 3 "a stranger opens a phone's page" =>
        weakness(weaknesses::backdoor_inbound);
    "backdoor_outbound" Posture 1 3 "a phone keeps a shell of somebody outside" =>
        weakness(weaknesses::backdoor_outbound);
    "digest_leak" Posture 1 3 "a stranger asks a phone for its password" =>
        weakness(weaknesses::digest_leak);
    "default_sip_password" Posture 1 3 "a SIP password that is the extension" =>
        World { setup: weaknesses::guessable, ..weakness(devices::none) };
    "default_web_password" Posture 1 3 "a phone's page takes its maker's default" =>
        weakness(weaknesses::default_web_password);
    "weak_auth" Posture 1 3 "passwords proved with MD5 and without qop" =>
        World { setup: weaknesses::md5, ..weakness(devices::none) };
    "exposed_interface" Posture 1 3 "telnet answers within the office" =>
        weakness(weaknesses::exposed_interface);
    "clear_provisioning" Posture 1 3 "a phone fetches its configuration in clear" =>
        weakness(weaknesses::clear_provisioning);
    "outdated_firmware" Posture 1 3 "a phone with known holes" =>
        World { setup: weaknesses::outdated, ..weakness(weaknesses::outdated_firmware) };
    "idle_handset" Posture 33 3 "a phone that nobody uses for a month" =>
        World { setup: weaknesses::spare, habits: QUIET, ..office() };
    "unregistered_handset" Posture 3 3 "a phone that is connected and registers nowhere" =>
        World { devices: weaknesses::unregistered_handset, habits: QUIET, ..office() };
    "lapsed_registration" Posture 14 3 "a phone that registered for a week and is gone" =>
        World { setup: weaknesses::gone, habits: QUIET, registers_every: SHORT, ..office() };
    "scanner" Posture 1 5 "a scanner outside asks every phone" => weakness(weaknesses::scanner);
    "brute_force" Posture 1 3 "somebody guesses an account's password" => weakness(weaknesses::brute_force);
    "enumeration" Posture 1 3 "somebody searches for extensions" => weakness(weaknesses::enumeration);
    "new_device" Posture 3 3 "an account registers from a softphone that it never was on" =>
        World { devices: weaknesses::new_device, habits: QUIET, ..office() };
    "gone_dark" Posture 2 4 "a handset goes over to TLS, so that its calls can't be seen any more" =>
        World { devices: devices::hidden, until: 10_800, registers_every: 86_400, ..World::default() };
    "scan_then_calls" Attack 3 8 "somebody searches the office for SIP devices, and calls the next night" =>
        World { devices: devices::scanned, ..weekend(Attack::IrsfFast) };
    "irsf_fast" Attack 3 12 "fast pumping at a weekend" => weekend(Attack::IrsfFast);
    "slow_drip" Attack 3 12 "a call abroad every half hour at night" => weekend(Attack::SlowDrip);
    "long_held" Attack 3 12 "calls abroad that stay up for hours" => weekend(Attack::LongHeld);
    "distributed" Attack 3 12 "many handsets call one country, each once or twice" =>
        weekend(Attack::Distributed);
    "premium_dom" Attack 3 12 "premium-rate numbers at home" => weekend(Attack::PremiumDom);
    "range_hunt" Attack 3 12 "neighbouring numbers abroad are tried quickly" => weekend(Attack::RangeHunt);
    "forwarding" Attack 3 12 "calls forwarded abroad by feature code" =>
        World { pbx: Pbx::OnSite, ..weekend(Attack::Forwarding) };
    "redirecting" Attack 3 12 "a handset answers calls with 302 and a number abroad" =>
        weekend(Attack::Redirecting);
    "transferring" Attack 3 12 "a handset transfers callers to premium-rate numbers" =>
        weekend(Attack::Transferring);
    "camouflage" Attack 5 6 "mid-priced countries in office hours, for days" => week_of(Attack::Camouflage);
    "ultra_slow" Attack 7 6 "a call abroad every few hours, for days" => week_of(Attack::UltraSlow);
    "wangiri" Attack 2 12 "missed calls from abroad, which people call back" =>
        weekday(Attack::Wangiri);
    "exec_comp" Attack 2 12 "a handset that often calls abroad is abused" =>
        weekday(Attack::ExecComp);
    "dormant_use" Attack 3 12 "a handset that nobody uses calls abroad" => weekend(Attack::DormantUse);
    "prefix_probe" Attack 3 12 "one number behind many prefixes, then a burst" => weekend(Attack::PrefixProbe);
    "cheap_flood" Attack 3 12 "hundreds of calls to mobile phones at home" => weekend(Attack::CheapFlood);
    "satellite" Attack 3 12 "long calls to satellite phones at night" => weekend(Attack::Satellite);
    "callid_reuse" Attack 3 12 "calls abroad that hide behind one Call-ID" => weekend(Attack::CallidReuse);
    "repeat_attack" Attack 28 4 "the same attack twice on one handset, three weeks apart" => World {
        attacks: vec![(Attack::Repeat, 5)],
        habits: Habits { volume: 25, ..Habits::default() },
        registers_every: 604_800,
        ..World::default()
    };
    "incident_a" Attack 3 6 "45 calls to one Gambian number in a night" => weekend(Attack::IncidentA);
    "incident_b" Attack 4 6 "2,400 calls to Cuba over a weekend" => weekend(Attack::IncidentB);
    "incident_c" Attack 3 6 "a call a minute to Guinea through a night" => weekend(Attack::IncidentC);
    "incident_d" Attack 3 6 "two-hour calls to one number in Taiwan, a dozen at once" =>
        weekend(Attack::IncidentD);
    "incident_e" Attack 4 7 "hundreds of calls at once to three countries over a weekend" =>
        weekend(Attack::IncidentE);
    "incident_f" Attack 5 14 "eight lines to Somalia without a break for four days" =>
        World { habits: Habits { volume: 40, ..Habits::default() }, ..weekend(Attack::IncidentF) };
    "demo" Attack 4 20 "an office weekend with fast pumping from one handset" => World {
        first_day: START.plus(4),
        from: SHORT,
        until: 9 * 3_600,
        registers_every: 86_400,
        attacks: vec![(Attack::Demo, 1)],
        ..World::default()
    };
    "world_ordinary" World 112 90 "an ordinary office" => world();
    "world_small" World 112 16 "a small office" => world();
    "world_callcentre" World 112 90 "a call centre" => World { call_centre: true, ..world() };
    "world_global" World 112 90 "five times as many calls abroad" =>
        World { habits: Habits { abroad: 800, ..Habits::default() }, travelled: 500, happening_percent: 220, ..world() };
    "world_bursty" World 112 90 "three times as many calls in a row" =>
        World { habits: Habits { abroad: 160, bursts: 180, ..Habits::default() }, happening_percent: 115, ..world() };
    "world_new" World 16 90 "the first fortnight after installation" =>
        World { attacks: attacks_from(2, 21, 1), ..world() };
    "world_repeat" World 112 90 "each attack comes again on the same handsets three weeks later" =>
        World { repeats: true, attacks: attacks_from(14, 91, 3), ..world() };
    "world_incidents" World 112 30 "the six published incidents, again and again" =>
        World { attacks: incidents(), ..world() };
    "world_lossy" World 112 90 "a mirror port that loses 3 frames in 100" =>
        World { wire: Wire { lost: 30, ..World::default().wire }, ..world() };
    "world_doubled" World 112 90 "a mirror port that copies each frame twice" =>
        World { wire: Wire { doubled: true, ..World::default().wire }, ..world() };
    "world_scatter" World 112 90 "fraud numbers scattered over their countries" =>
        World { taste: Taste::Scattered, ..world() };
    "world_lowrisk" World 112 90 "fraud to countries that are seldom named" =>
        World { taste: Taste::LowRisk, ..world() };
    "world_holiday" World 112 90 "holidays, and an office that is shut for a week" => World {
        first_day: START.plus(21),
        days_off: &[32, 35, 36, 37, 38, 39, 42, 43, 70, 71, 91],
        happenings: HOLIDAYS,
        ..world()
    };
    "world_clock" World 112 90 "summer time begins in the middle" => World { first_day: Day(20_514), ..world() };
    "world_onsite" World 112 90 "an office with a PBX of its own" => World { pbx: Pbx::OnSite, ..world() };
}
