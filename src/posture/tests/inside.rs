use super::*;
use crate::calls::CallNo;
use crate::dial::{Class, Group, Kind, Leg, RateId, Risk, Target};
use crate::fact::sighting::{
    MechanismSighting, ProvisioningBy, ProvisioningSighting, ProvisioningStep, Scheme,
};
use crate::fact::{CallFact, CallState, Cause, Direction};
use crate::posture::outdated_firmware::Floor;

impl Stage {
    pub(super) fn calls(&mut self, n: u16) {
        let fact = Fact::Call(CallFact {
            time: self.now,
            call: CallNo(1),
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::Internal,
            cause: Cause::Dialled,
            code: 0,
            started: self.now,
            talked: Span::ZERO,
            expired: None,
            told: Span::ZERO,
            call_id_reused: false,
            repeated: false,
            who: self.who(n),
            call_id: Text::from("c"),
            dialled: Text::from("202"),
            target: Target {
                class: Class::Internal,
                kind: Kind::Extension,
                region: None,
                number: None,
                exact: true,
                risk: Risk::Low,
                group: Group::Free,
                rate: RateId(0),
                rule: "an extension",
            },
            caller: 0,
        });
        self.fact(&fact);
    }

    /// So many days in which every handset of a range renews its registration every hour.
    fn days(&mut self, days: u32, handsets: std::ops::Range<u16>) {
        for _ in 0..days * 24 {
            handsets.clone().for_each(|n| self.register(n));
            self.after(Span::HOUR);
        }
    }
}

/// A fast clock: 120 days with a restart every eleven, of three handsets one calls, one is kept, one is
/// forgotten.
#[test]
fn a_handset_that_nobody_uses_is_told_after_30_and_90_days() {
    let settings = Settings { keep: ["202".to_owned()].into(), ..Settings::default() };
    let mut stage = Stage::with(settings.clone());
    let mut told = Vec::new();
    for day in 0..120u32 {
        stage.calls(1);
        stage.days(1, 1..4);
        for finding in stage.told.drain(..).filter(|f| f.check == Check::IdleHandset) {
            told.push((day + 1, finding.severity, finding.who.unwrap().user.to_string()));
        }
        if day % 11 == 10 {
            stage.posture = super::restart::restarted(&stage, &settings);
        }
    }
    assert_eq!(told, [(30, Severity::Info, "203".to_owned()), (90, Severity::Warning, "203".to_owned())]);
    assert_eq!(stage.status(Check::IdleHandset).0, Status::Finding);
    stage.calls(3);
    assert_eq!(stage.status(Check::IdleHandset).0, Status::Pass, "used again");
}

/// A handset that nobody calls with, but writes with, is used.
#[test]
fn a_handset_that_writes_is_used() {
    let mut stage = Stage::new();
    for _ in 0..40 {
        let device = stage.handset(1);
        stage.see(device, What::Wrote);
        stage.days(1, 1..3);
    }
    let told = stage.of(Check::IdleHandset);
    assert!(told.len() == 1 && told[0].1.contains("handset 202"), "{told:?}");
}

#[test]
fn without_history_it_cannot_be_said() {
    let mut stage = Stage::new();
    stage.days(3, 1..3);
    assert_eq!(
        stage.status(Check::IdleHandset),
        (Status::CannotSee, "Not enough history: it has to be watched for longer: 4 of 30 days".to_owned())
    );
    // A gap in the trace is no history.
    stage.after(Span::days(200));
    stage.register(1);
    assert_eq!(stage.of(Check::IdleHandset), []);
}

fn phone(n: u16) -> Device {
    Device { role: Role::Phone, ip: None, mac: Some(mac(n)), vlan: None, who: None }
}

#[test]
fn a_phone_that_registers_nowhere_is_told_after_a_day() {
    let mut stage = Stage::new();
    let device = phone(70);
    for hour in 0..30 {
        stage.see(device, What::Present(Source::Dhcp));
        stage.register(1);
        stage.after(Span::HOUR);
        let told = !stage.of(Check::UnregisteredHandset).is_empty();
        assert_eq!(told, hour >= 24, "{hour}");
    }
    assert_eq!(stage.worst(Check::UnregisteredHandset), Some(Severity::Warning));
    stage
        .touch(Device { ip: Some([10, 0, 10, 70].into()), ..device }, knock(Proto::Tcp, 80, TouchState::Syn));
    stage.after(Span::HOUR);
    assert_eq!(stage.worst(Check::UnregisteredHandset), Some(Severity::Critical), "and strangers reach it");
}

#[test]
fn phones_that_register_in_clear_or_over_tls_are_in_order() {
    let mut stage = Stage::new();
    for _ in 0..30 {
        // One registers in clear; its DHCP shows the hardware address alone at first.
        stage.see(phone(1), What::Present(Source::Dhcp));
        stage.see(Device { ip: Some(stage.who(1).ip), ..phone(1) }, What::Present(Source::Arp));
        stage.register(1);
        // One speaks TLS.
        let tls = Device { ip: Some([10, 0, 10, 71].into()), ..phone(71) };
        stage.see(tls, What::Present(Source::Arp));
        let touch = Touch {
            way: Way::Outbound,
            zone: Zone::Pbx,
            unsolicited: false,
            ..knock(Proto::Tcp, 5_061, TouchState::Data)
        };
        stage.touch(tls, touch);
        stage.after(Span::HOUR);
    }
    assert_eq!(stage.of(Check::UnregisteredHandset), []);
}

#[test]
fn a_registration_that_stopped() {
    let mut stage = Stage::new();
    stage.days(8, 1..12);
    // 211 goes, 210 stays connected but no longer registers.
    for _ in 0..30 {
        (1..10).for_each(|n| stage.register(n));
        let here = stage.handset(10);
        stage.see(here, What::Present(Source::Arp));
        stage.after(Span::HOUR);
    }
    let mut told: Vec<_> = stage.of(Check::LapsedRegistration);
    told.sort();
    assert_eq!(
        told.iter().map(|(severity, _)| *severity).collect::<Vec<_>>(),
        [Severity::Info, Severity::Warning]
    );
    assert!(told[1].1.contains("handset 210") && told[0].1.contains("handset 211"), "{told:?}");
    stage.register(10);
    stage.register(11);
    assert_eq!(stage.status(Check::LapsedRegistration).0, Status::Pass);
}

#[test]
fn a_move_of_the_office_is_one_event() {
    let mut stage = Stage::new();
    stage.days(8, 1..21);
    stage.days(2, 1..13);
    let told = stage.of(Check::LapsedRegistration);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.starts_with("8 of 20 handsets stopped registering together"), "{}", told[0].1);
}

#[test]
fn a_gap_in_the_trace_is_no_lapse() {
    let mut stage = Stage::new();
    stage.days(8, 1..5);
    stage.after(Span::days(3));
    stage.days(1, 1..5);
    assert_eq!(stage.of(Check::LapsedRegistration), []);
}

#[test]
fn provisioning_in_clear() {
    use ProvisioningBy::{Ftp, Http, Https, Other, Tftp};
    for (by, severity) in [
        (Tftp, Some(Severity::Warning)),
        (Http, Some(Severity::Warning)),
        (Ftp, Some(Severity::Warning)),
        (Https, None),
        (Other, None),
    ] {
        for step in [ProvisioningStep::Advertised, ProvisioningStep::Asked, ProvisioningStep::Served] {
            let mut stage = Stage::new();
            let device = stage.handset(1);
            stage.see(
                device,
                What::Provisioning(ProvisioningSighting {
                    by,
                    step,
                    server: Some(address("203.0.113.40:80")),
                    zone: Zone::Outside,
                    place: Text::from("/001565010001.cfg"),
                }),
            );
            assert_eq!(stage.worst(Check::ClearProvisioning), severity, "{by} {step}");
            if by == Https {
                assert_eq!(stage.status(Check::ClearProvisioning).0, Status::Pass);
            }
        }
    }
}

fn mechanism(scheme: Scheme, algorithm: &str, qop: &str) -> MechanismSighting {
    MechanismSighting {
        peer: address(PBX),
        zone: Zone::Pbx,
        scheme,
        proto: Proto::Udp,
        algorithm: Text::from(algorithm),
        qop: Text::from(qop),
        downgrade: false,
        nonce_reused: false,
    }
}

#[test]
fn weak_mechanisms_are_the_offices_and_clear_passwords_a_handsets() {
    let mut stage = Stage::new();
    for n in 0..20 {
        let device = stage.handset(n);
        stage.see(device, What::Mechanism(mechanism(Scheme::Digest, "", "")));
    }
    let told = stage.of(Check::WeakAuth);
    assert_eq!(told.len(), 2, "MD5 and no qop, each once for the office: {told:?}");
    assert_eq!(stage.worst(Check::WeakAuth), Some(Severity::Info));
    let list = stage.posture.checklist(Sight { home: true, ..Sight::default() }, stage.now);
    let row = list.rows.iter().find(|row| row.check == Check::WeakAuth).unwrap();
    assert!(row.findings.iter().all(|(found, _)| found.sentence.starts_with("20 handsets")));
    let device = stage.handset(1);
    stage.see(device, What::Mechanism(mechanism(Scheme::Basic, "", "")));
    assert_eq!(stage.worst(Check::WeakAuth), Some(Severity::Warning));

    let mut strong = Stage::new();
    strong.see(device, What::Mechanism(mechanism(Scheme::Digest, "SHA-256", "auth")));
    assert_eq!(strong.status(Check::WeakAuth).0, Status::Pass);
    let downgrade = MechanismSighting { downgrade: true, ..mechanism(Scheme::Digest, "MD5", "auth") };
    strong.see(device, What::Mechanism(downgrade));
    assert!(strong.of(Check::WeakAuth).iter().any(|(_, text)| text.contains("though SHA-256 is offered")));
}

fn floors() -> Settings {
    let floor = |vendor: &str, models: &[&str]| Floor {
        vendor: vendor.to_owned(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        ..Floor::default()
    };
    Settings {
        floors: vec![
            Floor { min_secure: "1.0.7.81".to_owned(), ..floor("Grandstream", &["GXP16??"]) },
            Floor { no_fix: true, ..floor("Cisco", &["SPA5*"]) },
            Floor { min: "108.86.0.30".to_owned(), ..floor("Yealink", &["SIP-T46U"]) },
        ],
        ..Settings::default()
    }
}

#[test]
fn firmware_below_its_floor() {
    for (vendor, model, firmware, severity) in [
        ("Grandstream", "GXP1628", "1.0.7.80", Some(Severity::Warning)),
        ("grandstream", "gxp1628", "1.0.7.81", None),
        ("Cisco", "SPA504G", "7.6.2d", Some(Severity::Warning)),
        ("Yealink", "SIP-T46U", "108.86.0.20", Some(Severity::Warning)),
        ("Yealink", "SIP-T46U", "108.87.0.1", None),
        ("Snom", "D785", "10.1.159.12", None),
    ] {
        let mut stage = Stage::with(floors());
        let device = stage.handset(1);
        stage.see(device, hint(Source::SipUserAgent, vendor, model, firmware));
        assert_eq!(stage.worst(Check::OutdatedFirmware), severity, "{vendor} {model} {firmware}");
    }
}

#[test]
fn known_holes_are_critical_with_two_sources_or_after_a_day() {
    let say = |source, firmware| hint(source, "Grandstream", "GXP1628", firmware);
    let mut stage = Stage::with(floors());
    let device = stage.handset(1);
    stage.see(device, say(Source::SipUserAgent, "1.0.7.80"));
    stage.see(device, say(Source::Lldp, "1.0.7.80"));
    assert_eq!(stage.worst(Check::OutdatedFirmware), Some(Severity::Critical));
    stage.after(Span::HOUR);
    stage.see(device, say(Source::SipUserAgent, "1.0.7.99"));
    assert_eq!(stage.status(Check::OutdatedFirmware).0, Status::Pass, "updated");

    let mut stage = Stage::with(floors());
    stage.see(device, say(Source::SipUserAgent, "1.0.7.80"));
    stage.after(Span::hours(23));
    assert_eq!(stage.worst(Check::OutdatedFirmware), Some(Severity::Warning));
    stage.after(Span::days(5));
    assert_eq!(stage.worst(Check::OutdatedFirmware), Some(Severity::Critical));
}

#[test]
fn many_branches_of_one_model_are_worth_knowing() {
    let mut stage = Stage::with(floors());
    for (n, firmware) in ["1.0.8.1", "1.1.0.1", "1.2.0.1"].into_iter().enumerate() {
        let device = stage.handset(u16::try_from(n).unwrap());
        stage.see(device, hint(Source::SipUserAgent, "Grandstream", "GXP2135", firmware));
    }
    assert_eq!(stage.worst(Check::OutdatedFirmware), Some(Severity::Info));
}
