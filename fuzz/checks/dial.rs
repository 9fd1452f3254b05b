//! What must hold for any dialled string; shared by the fuzz target and the test that replays its corpus.

use std::sync::LazyLock;

use ringfence::dial::{Class, Dial, Leg, Region, Settings};

static DIALS: LazyLock<[Dial; 2]> = LazyLock::new(|| {
    ["GB", "US"].map(|home| {
        let settings = Settings {
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
