use super::*;
use crate::fact::secret::Lock;
use crate::fact::sighting::{LoginOutcome, LoginSighting, Scheme};

fn on() -> Settings {
    let password = password::Settings { enabled: true, ..password::Settings::default() };
    Settings { password, ..Settings::default() }
}

impl Stage {
    pub(super) fn verdict(&mut self, lock: Lock, listed: bool) {
        let verdict = Verdict {
            time: self.now,
            device: self.handset(1),
            lock,
            account: Text::from("201"),
            realm: Text::from("pbx"),
            algorithm: Text::from("MD5"),
            listed,
        };
        self.posture.handle_verdict(&verdict, self.now);
        self.take();
    }

    pub(super) fn login(&mut self, outcome: LoginOutcome) {
        let device = self.handset(1);
        self.see(
            device,
            What::Login(LoginSighting {
                client: address("10.0.10.40:50000"),
                zone: Zone::Home,
                port: 80,
                scheme: Scheme::Basic,
                account: Text::from("admin"),
                path: Text::from("/"),
                outcome,
            }),
        );
    }
}

#[test]
fn a_listed_sip_password_is_critical_until_it_is_changed() {
    let mut stage = Stage::with(on());
    assert_eq!(stage.status(Check::DefaultSipPassword).0, Status::NotSeen);
    stage.verdict(Lock::Sip, true);
    let (severity, text) = stage.of(Check::DefaultSipPassword)[0];
    assert_eq!(severity, Severity::Critical);
    assert!(text.ends_with("is on the list of published defaults or derived from the extension"), "{text}");
    stage.after(Span::DAY);
    stage.verdict(Lock::Sip, false);
    assert_eq!(stage.status(Check::DefaultSipPassword).0, Status::Pass);
    assert!(stage.told.last().unwrap().sentence.contains("was changed"));
}

#[test]
fn a_default_of_a_page_counts_when_it_is_accepted() {
    for (outcome, severity) in [
        (LoginOutcome::Accepted, Some(Severity::Critical)),
        (LoginOutcome::Refused, Some(Severity::Info)),
        (LoginOutcome::Tried, None),
    ] {
        for verdict_first in [true, false] {
            let mut stage = Stage::with(on());
            if verdict_first {
                stage.verdict(Lock::Web, true);
            }
            stage.login(outcome);
            if !verdict_first {
                stage.verdict(Lock::Web, true);
            }
            assert_eq!(stage.worst(Check::DefaultWebPassword), severity, "{outcome} {verdict_first}");
        }
    }
    let mut stage = Stage::with(on());
    stage.verdict(Lock::Web, false);
    stage.login(LoginOutcome::Accepted);
    assert_eq!(stage.status(Check::DefaultWebPassword).0, Status::Pass);
}

#[test]
fn switched_off_it_cannot_see() {
    let stage = Stage::new();
    for check in [Check::DefaultSipPassword, Check::DefaultWebPassword] {
        let (status, why) = stage.status(check);
        assert!(status == Status::CannotSee && why.contains("[password_check]"), "{why}");
    }
}
