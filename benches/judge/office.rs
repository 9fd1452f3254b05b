//! A made-up office at the level of calls: who calls whom, with what looks odd and is honest.

use super::dice::Dice;

#[derive(Clone, Debug)]
pub struct Call {
    /// Seconds from the Monday on which it starts.
    pub at: f64,
    pub handset: usize,
    pub to: String,
    pub setup: f64,
    /// Seconds of talk; none if nobody answered.
    pub talk: Option<f64>,
    pub forwarded: bool,
    pub inbound: bool,
    pub episode: Option<usize>,
    /// A call that needs the handset for itself.
    pub alone: bool,
    /// Per minute, if the trace says.
    pub rate: Option<f64>,
}

impl Call {
    pub fn new(at: f64, handset: usize, to: String, setup: f64, talk: Option<f64>) -> Self {
        Self {
            at,
            handset,
            to,
            setup,
            talk,
            forwarded: false,
            inbound: false,
            episode: None,
            alone: true,
            rate: None,
        }
    }

    pub fn end(&self) -> f64 {
        self.at + self.setup + self.talk.unwrap_or(0.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Reception,
    Desk,
    Sales,
    Executive,
    Meeting,
    Agent,
    Spare,
}

#[derive(Clone, Debug)]
pub struct World {
    pub handsets: usize,
    pub days: usize,
    pub abroad: f64,
    pub bursts: f64,
    pub agents: f64,
    pub lost: f64,
    pub scatter: bool,
    pub low_risk: bool,
    pub fraud_from: usize,
    pub twice: bool,
    pub trace: Option<String>,
}

pub const DAY: f64 = 86_400.0;
pub const HOUR: f64 = 3_600.0;
pub const MIN: f64 = 60.0;

/// Country code, digits after it, tier.
pub const COUNTRIES: &[(&str, usize, u8)] = &[
    ("331", 8, 0),
    ("4930", 8, 0),
    ("3120", 7, 0),
    ("322", 7, 0),
    ("3531", 7, 0),
    ("3491", 7, 0),
    ("3902", 8, 0),
    ("35121", 7, 0),
    ("4144", 7, 0),
    ("431", 7, 0),
    ("4822", 7, 0),
    ("468", 7, 0),
    ("4722", 6, 0),
    ("4533", 6, 0),
    ("3589", 7, 0),
    ("4202", 8, 0),
    ("1212", 7, 0),
    ("1416", 7, 0),
    ("612", 8, 0),
    ("8190", 8, 0),
    ("6565", 6, 0),
    ("336", 8, 0),
    ("4915", 9, 0),
    ("316", 8, 0),
    ("346", 8, 0),
    ("1415", 7, 0),
    ("3620", 7, 0),
    ("3021", 8, 0),
    ("642", 8, 0),
    ("8210", 8, 0),
    ("85225", 6, 0),
    ("40721", 6, 1),
    ("9198", 8, 1),
    ("2711", 7, 1),
    ("97150", 7, 1),
    ("8862", 8, 1),
    ("2010", 8, 1),
    ("38641", 6, 1),
    ("3706", 7, 1),
    ("3725", 7, 1),
    ("35569", 7, 1),
    ("9477", 7, 1),
    ("21266", 7, 1),
    ("9053", 8, 1),
    ("5511", 9, 1),
    ("6620", 7, 1),
    ("3859", 7, 1),
    ("3816", 8, 1),
    ("35989", 6, 1),
    ("3712", 7, 2),
    ("535", 7, 2),
    ("25261", 7, 2),
    ("2207", 6, 2),
    ("22462", 7, 2),
    ("3776", 8, 2),
    ("9607", 6, 2),
    ("23276", 6, 2),
    ("99450", 7, 2),
    ("21698", 6, 2),
    ("26377", 7, 2),
    ("24381", 7, 2),
    ("1809", 7, 2),
    ("37529", 7, 2),
    ("88213", 7, 2),
    ("25377", 6, 2),
    ("26134", 7, 2),
    ("1876", 7, 2),
    ("96770", 7, 2),
    ("67775", 5, 2),
];

pub fn of_tier(tier: u8, dice: &mut Dice) -> usize {
    loop {
        let i = dice.below(COUNTRIES.len());
        if COUNTRIES[i].2 == tier {
            return i;
        }
    }
}

pub fn number(country: usize, dice: &mut Dice) -> String {
    let (prefix, digits, _) = COUNTRIES[country];
    let first = char::from(b'2' + (dice.next() % 8) as u8);
    format!("+{prefix}{first}{}", dice.digits(digits - 1))
}

pub fn home(dice: &mut Dice) -> String {
    match dice.below(10) {
        0..=5 => format!("+44113496{}", dice.digits(4)),
        6 => format!("+44207946{}", dice.digits(4)),
        _ => format!("+447700900{}", dice.digits(3)),
    }
}

struct Handset {
    role: Role,
    contacts: Vec<String>,
    countries: Vec<usize>,
    abroad: f64,
    homes: Vec<String>,
}

pub struct Office {
    world: World,
    handsets: Vec<Handset>,
    usual: Vec<usize>,
}

impl Office {
    pub fn new(world: &World, dice: &mut Dice) -> Self {
        let usual: Vec<usize> =
            (0..7).map(|_| if dice.chance(0.9) { of_tier(0, dice) } else { of_tier(1, dice) }).collect();
        let handsets = (0..world.handsets)
            .map(|i| {
                let r = dice.unit();
                let role = match i {
                    0 => Role::Reception,
                    _ if r < world.agents => Role::Agent,
                    _ if r < world.agents + 0.55 * (1.0 - world.agents) => Role::Desk,
                    _ if r < world.agents + 0.72 * (1.0 - world.agents) => Role::Sales,
                    _ if r < world.agents + 0.79 * (1.0 - world.agents) => Role::Executive,
                    _ if r < world.agents + 0.88 * (1.0 - world.agents) => Role::Meeting,
                    _ => Role::Spare,
                };
                let abroad = match role {
                    Role::Sales => 0.32,
                    Role::Executive => 0.36,
                    Role::Desk if dice.chance(0.40) => 0.17,
                    Role::Desk => 0.014,
                    Role::Reception => 0.04,
                    Role::Agent => 0.008,
                    _ => 0.004,
                } * world.abroad;
                let countries: Vec<usize> = (0..dice.whole(1, 3))
                    .map(|_| {
                        if dice.chance(0.75) {
                            *dice.pick(&usual)
                        } else {
                            of_tier(u8::from(dice.chance(0.25)), dice)
                        }
                    })
                    .collect();
                let contacts = (0..dice.whole(2, 6)).map(|_| number(*dice.pick(&countries), dice)).collect();
                let homes = (0..dice.whole(5, 25)).map(|_| home(dice)).collect();
                Handset { role, contacts, countries, abroad, homes }
            })
            .collect();
        Self { world: world.clone(), handsets, usual }
    }

    pub fn of_role(&self, role: Role) -> Vec<usize> {
        (0..self.handsets.len()).filter(|i| self.handsets[*i].role == role).collect()
    }

    pub fn used(&self) -> Vec<usize> {
        (0..self.handsets.len()).filter(|i| self.handsets[*i].role != Role::Spare).collect()
    }

    pub fn usual(&self, dice: &mut Dice) -> usize {
        *dice.pick(&self.usual)
    }

    /// A working day's or a day off's second.
    fn second(off: bool, dice: &mut Dice) -> f64 {
        if !off && dice.chance(0.96) {
            // Two humps.
            let hump = if dice.chance(0.55) { 10.3 } else { 14.8 };
            let mut sum = 0.0;
            for _ in 0..4 {
                sum += dice.unit();
            }
            (hump + (sum - 2.0) * 2.6) * HOUR
        } else {
            dice.between(6.5, 22.5) * HOUR
        }
    }

    fn talk(dice: &mut Dice) -> f64 {
        dice.about(110.0, 1.2).min(3.0 * HOUR)
    }

    fn attempt(at: f64, handset: usize, to: String, dice: &mut Dice) -> Call {
        let talk = dice.chance(0.72).then(|| Self::talk(dice));
        let setup = if talk.is_some() { dice.between(4.0, 25.0) } else { dice.between(2.0, 40.0) };
        Call::new(at, handset, to, setup, talk)
    }

    fn redial(&self, call: Call, dice: &mut Dice, calls: &mut Vec<Call>) {
        let mut call = call;
        loop {
            let answered = call.talk.is_some();
            let (end, handset, to) = (call.end(), call.handset, call.to.clone());
            calls.push(call);
            if answered || !dice.chance(0.6) || calls.len() > 5_000_000 {
                return;
            }
            call = Self::attempt(end + dice.between(4.0, 15.0) + dice.wait(60.0), handset, to, dice);
        }
    }

    fn whom(&mut self, i: usize, dice: &mut Dice) -> String {
        let usual = self.usual.clone();
        let handset = &mut self.handsets[i];
        if dice.chance(handset.abroad) {
            if dice.chance(0.68) {
                return dice.pick(&handset.contacts).clone();
            }
            let r = dice.unit();
            let country = if r < 0.70 {
                *dice.pick(&handset.countries)
            } else if r < 0.85 {
                *dice.pick(&usual)
            } else {
                let tier = dice.unit();
                of_tier(
                    if tier < 0.75 {
                        0
                    } else if tier < 0.96 {
                        1
                    } else {
                        2
                    },
                    dice,
                )
            };
            let to = number(country, dice);
            if dice.chance(0.35) {
                let old = dice.below(handset.contacts.len());
                handset.contacts[old].clone_from(&to);
            }
            return to;
        }
        let r = dice.unit();
        if r < 0.005 {
            return format!("+44{}{}", dice.pick(&["8449", "8712", "8455"]), dice.digits(6));
        }
        if r < 0.0055 {
            return format!("+4490987{}", dice.digits(5));
        }
        if dice.chance(0.65) { dice.pick(&handset.homes).clone() } else { home(dice) }
    }

    /// Everything ordinary of one day.
    pub fn day(&mut self, day: usize, dice: &mut Dice, calls: &mut Vec<Call>) {
        let off = day % 7 >= 5;
        let start = day as f64 * DAY;
        for i in 0..self.handsets.len() {
            let mean = match self.handsets[i].role {
                Role::Reception => 6.0,
                Role::Desk => 5.0,
                Role::Sales => 12.0,
                Role::Executive => 7.0,
                Role::Meeting => 1.0,
                Role::Agent => 40.0,
                Role::Spare => 0.0,
            } * if off { 0.03 } else { 1.0 };
            for _ in 0..dice.poisson(mean) {
                let at = start + Self::second(off, dice);
                let to = self.whom(i, dice);
                let call = Self::attempt(at, i, to, dice);
                self.redial(call, dice, calls);
            }
            // A bout of calls abroad: a booking, a tender, a supplier's branches.
            if self.handsets[i].abroad > 0.01 && !off && dice.chance(0.09 * self.world.bursts) {
                self.bout(i, start, dice, calls);
            }
            if matches!(self.handsets[i].role, Role::Desk | Role::Sales)
                && !off
                && dice.chance(0.006 * self.world.bursts)
            {
                self.bout(i, start, dice, calls);
            }
        }
        if !off {
            self.odd(start, dice, calls);
        }
    }

    fn bout(&mut self, i: usize, start: f64, dice: &mut Dice, calls: &mut Vec<Call>) {
        let country =
            if dice.chance(0.7) { *dice.pick(&self.handsets[i].countries) } else { self.usual(dice) };
        let mut at = start + dice.between(8.5, 16.5) * HOUR;
        let block = number(country, dice);
        let pace = if dice.chance(0.35) { 20.0 } else { 7.0 * MIN };
        for _ in 0..dice.whole(3, 14) {
            let to = match dice.below(10) {
                0 => format!("{}{}", &block[..block.len() - 2], dice.digits(2)),
                1..=3 => dice.pick(&self.handsets[i].contacts).clone(),
                _ => number(country, dice),
            };
            let call = Self::attempt(at, i, to, dice);
            at = call.end() + dice.wait(pace);
            self.redial(call, dice, calls);
        }
    }

    /// What looks odd and is honest, on a working day.
    fn odd(&mut self, start: f64, dice: &mut Dice, calls: &mut Vec<Call>) {
        let scale = self.world.handsets as f64 / 90.0;
        let used = self.used();
        let sales = self.of_role(Role::Sales);
        let anyone = |dice: &mut Dice| *dice.pick(&used);
        let seller = |dice: &mut Dice| if sales.is_empty() { *dice.pick(&used) } else { *dice.pick(&sales) };
        let hour = |dice: &mut Dice| start + dice.between(9.0, 16.5) * HOUR;
        if dice.chance(0.15 * self.world.bursts.min(2.0)) {
            // A conference on a foreign bridge.
            let bridge = number(self.usual(dice), dice);
            let at = start + dice.whole(9, 16) as f64 * HOUR;
            let first = dice.below(used.len());
            for k in 0..dice.whole(3, 10).min(used.len()) {
                let i = used[(first + k * 3) % used.len()];
                let t = at + dice.between(-120.0, 300.0);
                if dice.chance(0.3) {
                    calls.push(Call::new(t - 90.0, i, bridge.clone(), 4.0, Some(dice.between(5.0, 30.0))));
                }
                calls.push(Call::new(t, i, bridge.clone(), 4.0, Some(dice.between(20.0, 70.0) * MIN)));
            }
        }
        if dice.chance(0.50 * scale * self.world.bursts) {
            // A campaign.
            let (i, country) =
                (seller(dice), if dice.chance(0.8) { self.usual(dice) } else { of_tier(0, dice) });
            let mut at = start + dice.between(8.7, 11.0) * HOUR;
            for _ in 0..dice.whole(12, 50) {
                let call = Self::attempt(at, i, number(country, dice), dice);
                at = call.end() + dice.between(10.0, 400.0);
                calls.push(call);
            }
        }
        if dice.chance(0.40 * scale) {
            // Wrong dialling.
            let (i, mut at) = (anyone(dice), hour(dice));
            for _ in 0..dice.whole(2, 5) {
                let tier = dice.below(3) as u8;
                let to = number(of_tier(tier, dice), dice);
                calls.push(Call::new(at, i, to, dice.between(2.0, 8.0), None));
                at += dice.between(15.0, 60.0);
            }
        }
        if dice.chance(1.20 * scale) {
            // Three at a time.
            let (i, at) = (seller(dice), hour(dice));
            let mut first = Call::new(at, i, home(dice), 8.0, Some(dice.between(10.0, 40.0) * MIN));
            first.alone = false;
            calls.push(first);
            for k in 0..dice.whole(1, 3) {
                let to = if dice.chance(0.6) {
                    dice.pick(&self.handsets[i].contacts).clone()
                } else {
                    number(self.usual(dice), dice)
                };
                let mut call =
                    Call::new(at + 60.0 + 70.0 * k as f64, i, to, 9.0, Some(dice.between(8.0, 30.0) * MIN));
                call.alone = false;
                calls.push(call);
            }
        }
        if dice.chance(0.2 * scale) {
            // Voting.
            let (i, mut at) = (anyone(dice), start + dice.between(12.0, 18.0) * HOUR);
            let to = format!("+4490901{}", dice.digits(5));
            for _ in 0..dice.whole(1, 12) {
                let call = Call::new(at, i, to.clone(), 4.0, Some(dice.between(10.0, 40.0)));
                at = call.end() + dice.between(5.0, 60.0);
                calls.push(call);
            }
        }
        if dice.chance(0.60 * scale) {
            // Somebody works late, or early, with another continent.
            let i = seller(dice);
            let mut at = start
                + if dice.chance(0.7) { dice.between(18.5, 22.0) } else { dice.between(5.5, 7.5) } * HOUR;
            for _ in 0..dice.whole(1, 4) {
                let to = if dice.chance(0.6) {
                    dice.pick(&self.handsets[i].contacts).clone()
                } else {
                    number(self.usual(dice), dice)
                };
                let call = Self::attempt(at, i, to, dice);
                at = call.end() + dice.wait(10.0 * MIN);
                self.redial(call, dice, calls);
            }
        }
        if dice.chance(0.012 * scale) {
            // Somebody travels, and has calls forwarded for a few days.
            let (i, to) = (anyone(dice), number(self.usual(dice), dice));
            for day in 0..dice.whole(1, 5) {
                for _ in 0..dice.poisson(5.0) {
                    let at = start + day as f64 * DAY + dice.between(8.0, 18.0) * HOUR;
                    let mut call = Self::attempt(at, i, to.clone(), dice);
                    call.forwarded = true;
                    call.alone = false;
                    calls.push(call);
                }
            }
        }
        if dice.chance(0.2 * scale) {
            // A fax that can't get through.
            let (i, to) = (anyone(dice), number(self.usual(dice), dice));
            let mut at = hour(dice);
            for k in 0..dice.whole(5, 12) {
                let talk = (k > 4 && dice.chance(0.3)).then(|| dice.between(30.0, 120.0));
                let call = Call::new(at, i, to.clone(), dice.between(3.0, 30.0), talk);
                at = call.end() + dice.between(150.0, 320.0);
                calls.push(call);
            }
        }
    }
}
