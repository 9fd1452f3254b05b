//! What must hold for any dialled string; shared by the fuzz target and the test that replays its corpus.

use std::sync::LazyLock;

use ringfence::dial::{Class, Dial, Kind, Leg, Override, Region, Risk, Settings};

static DIALS: LazyLock<[Dial; 2]> = LazyLock::new(|| {
    ["GB", "US"].map(|home| {
        let own =
            |prefix: &str, kind, risk| Override { prefix: prefix.to_owned(), kind, risk, why: String::new() };
        let settings = Settings {
            overrides: vec![
                own("+4487", Some(Kind::PremiumRate), None),
                own("+44871", None, Some(Risk::High)),
                own("+88", Some(Kind::Voip), Some(Risk::Low)),
            ],
            outside_line: vec!["9".to_owned()],
            extensions: vec!["2XX".to_owned()],
            ..Settings::for_home(Region::new(home).unwrap())
        };
        Dial::new(&settings).unwrap()
    })
});

/// Any bytes as a dialled string or URI, on both legs, for two homes: always the same answer.
pub(super) fn check(input: &[u8]) {
    for dial in DIALS.iter() {
        for leg in [Leg::Handset, Leg::Trunk] {
            let target = dial.classify(leg, input);
            assert_eq!(target, dial.classify(leg, input));
            assert!(target.class != Class::Unknown || target.number.is_none());
        }
        if let Ok(text) = std::str::from_utf8(input) {
            let told = dial.explain(text);
            assert_eq!(told.class, dial.classify(Leg::Handset, input).class);
        }
    }
}
