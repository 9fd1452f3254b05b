use super::*;
use crate::fact::secret::Lock;
use crate::fact::sighting::LoginOutcome;
use crate::posture::outdated_firmware::Floor;

/// What was written down, and read by a program that starts anew.
pub(super) fn restarted(stage: &Stage, settings: &Settings) -> Posture {
    let kept = postcard::to_stdvec(&stage.posture.memory()).unwrap();
    let mut posture = Posture::new(settings.clone(), OfficeHours::default());
    posture.recall(postcard::from_bytes(&kept).unwrap());
    assert_eq!(postcard::to_stdvec(&posture.memory()).unwrap(), kept, "nothing is lost");
    posture
}

fn settings() -> Settings {
    let floor = Floor {
        vendor: "Grandstream".to_owned(),
        models: vec!["GXP16*".to_owned()],
        min_secure: "1.0.7.81".to_owned(),
        ..Floor::default()
    };
    Settings { floors: vec![floor], ..Settings::default() }
}

/// Forty days in which a bit of everything happens; the answers are what was told.
fn play(restart_every: Option<u32>) -> Vec<(Check, Severity, String)> {
    let settings = settings();
    let mut stage = Stage::with(settings.clone());
    let idle = |n: u16| 3 + n;
    for day in 0..40u32 {
        // Handset 1 calls daily, 4 and 5 never; 2 stops after two weeks.
        stage.calls(1);
        for hour in 0..24 {
            [1, idle(1), idle(2)].into_iter().for_each(|n| stage.register(n));
            if day < 14 {
                stage.register(2);
            }
            let unregistered = Device { who: None, ip: None, role: Role::Phone, ..stage.handset(70) };
            stage.see(unregistered, What::Present(Source::Dhcp));
            // A stranger's packet, one a day: the third is a finding.
            if hour == 3 && day < 6 {
                let device = stage.handset(1);
                stage.touch(device, knock(Proto::Udp, 4_000, TouchState::UdpRequest));
            }
            if hour == 4 {
                let device = stage.handset(1);
                stage.see(device, hint(Source::SipUserAgent, "Grandstream", "GXP1625", "1.0.7.13"));
                stage.touch(device, knock(Proto::Tcp, 23, TouchState::Data));
                stage.verdict(Lock::Sip, true);
                stage.verdict(Lock::Web, true);
                stage.login(LoginOutcome::Accepted);
            }
            stage.after(Span::HOUR);
        }
        // On a strange device after three weeks, and on it ever after.
        if day > 20 {
            let who = stage.who(90);
            let device = Device { ip: Some(who.ip), mac: who.mac, who: None, ..stage.handset(90) };
            let account = Text::from("201");
            let agent = Text::from("eyeBeam 1");
            let client = SocketAddr::new(who.ip, 5_060);
            for step in [SipStep::Request, SipStep::Accepted] {
                let agent = if step == SipStep::Request { agent } else { Text::default() };
                stage.sip(
                    device,
                    SipSighting { account, target: account, agent, ..exchange(client, PBX, step) },
                );
            }
        }
        if restart_every.is_some_and(|every| day % every == every - 1) {
            stage.posture = restarted(&stage, &settings);
        }
    }
    stage.told.iter().map(|f| (f.check, f.severity, f.sentence.clone())).collect()
}

#[test]
fn a_restart_forgets_nothing_and_tells_nothing_twice() {
    let told = play(None);
    let checks: std::collections::BTreeSet<Check> = told.iter().map(|(check, ..)| *check).collect();
    for check in [
        Check::UnsolicitedInbound,
        Check::BackdoorInbound,
        Check::DefaultSipPassword,
        Check::OutdatedFirmware,
        Check::IdleHandset,
        Check::UnregisteredHandset,
        Check::LapsedRegistration,
        Check::NewDevice,
    ] {
        assert!(checks.contains(&check), "{check} {told:?}");
    }
    let again = play(Some(3));
    let differs = again.iter().zip(&told).find(|(a, b)| a != b);
    assert!(again == told, "{differs:?}, {} and {}", again.len(), told.len());
}

/// A state file that says what can't be gives a checklist all the same.
#[test]
fn a_broken_memory_is_no_danger() {
    let settings = settings();
    let mut stage = Stage::with(settings.clone());
    stage.register(1);
    stage.verdict(Lock::Sip, true);
    stage.after(Span::HOUR);
    let kept = postcard::to_stdvec(&stage.posture.memory()).unwrap();
    let mut read = 0;
    for at in (0..kept.len()).step_by(3) {
        for flip in [1, 0x80] {
            let mut broken = kept.clone();
            broken[at] ^= flip;
            let Ok(memory) = postcard::from_bytes(&broken) else { continue };
            read += 1;
            let mut other = Stage::with(settings.clone());
            other.posture.recall(memory);
            other.register(1);
            other.after(Span::DAY);
            other.status(Check::IdleHandset);
        }
    }
    assert!(read > 100, "{read} of {}", kept.len());
}

/// Every check, whatever may be seen: where nothing was found `pass` needs proof, and with nothing
/// seen at all there is none.
#[test]
fn what_was_not_seen_is_never_a_pass() {
    let settings = |enabled| {
        let password = password::Settings { enabled, ..password::Settings::default() };
        Settings { password, has_pbx: enabled, ..settings() }
    };
    let mut rows = 0;
    for bits in 0..32u8 {
        let on = |bit: u8| bits & (1 << bit) > 0;
        let sight = Sight { home: on(0), sip: on(1), one_way: on(2), encrypted: on(3) };
        for days in [0, 1, 45] {
            let mut stage = Stage::with(settings(on(4)));
            // Time passes, and traffic that says nothing of any handset's security.
            for _ in 0..days * 24 {
                let server = Device { role: Role::Unknown, ip: None, mac: None, vlan: None, who: None };
                stage.see(server, What::Present(Source::Arp));
                stage.after(Span::HOUR);
            }
            for row in stage.posture.checklist(sight, stage.now).rows {
                let shown = (row.check, row.status, &row.why);
                assert!(
                    matches!(row.status, Status::NotSeen | Status::CannotSee),
                    "{sight:?} {days} {shown:?}"
                );
                assert!(!row.why.is_empty() && row.findings.is_empty(), "{shown:?}");
                // Without anything of the office's network nothing can be seen.
                if !sight.home {
                    assert_eq!(row.status, Status::CannotSee, "{shown:?}");
                }
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 32 * 3 * 19);
}
