//! What holds whatever comes in.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Step {
    gap_s: i64,
    handset: usize,
    kind: u8,
    number: u64,
    fate: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0i64..4_000, 0usize..12, 0u8..6, 0u64..60, 0u8..5)
        .prop_map(|(gap_s, handset, kind, number, fate)| Step { gap_s, handset, kind, number, fate });
    proptest::collection::vec(step, 1..120)
}

/// `every`: how often time is let pass between the facts, if at all.
fn play(steps: &[Step], settings: Settings, every: Option<Span>) -> Office {
    let mut office = Office::with(settings);
    office.at(saturday(0, 0));
    let mut open = Vec::new();
    for step in steps {
        let next = office.now.plus(Span::seconds(step.gap_s));
        while let Some(every) = every.filter(|every| office.now.plus(*every) < next) {
            office.rest(every);
        }
        office.at(next);
        let number = step.number * 3_001;
        let to = match step.kind {
            0 => national(442_079_460_000 + number),
            1 => abroad("FR", 33_140_000_000 + number),
            2 => abroad("TW", 886_227_000_000 + number),
            3 => risky("SO", 252_612_000_000 + number),
            4 => premium(449_090_000_000 + number),
            _ => target(Class::Suspect, Kind::PrefixProbe, Group::Suspect, "LV", 37_160_000_000, Risk::Low),
        };
        let call = office.dial(step.handset, to);
        match step.fate {
            0 => office.fail(call, 486),
            1 | 2 => office.answer(call),
            _ => {}
        }
        open.push((call, step.fate));
        if step.fate == 2 && open.len() > 3 {
            let (call, fate) = open.remove(0);
            if fate == 1 || fate == 2 {
                office.hang_up(call);
            } else if fate > 2 {
                office.fail(call, 487);
            }
        }
    }
    office
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// One incident is open at a time for a subject and a cause; what is raised is cleared or open;
    /// nothing is told of an incident that isn't open.
    #[test]
    fn incidents_are_conserved(steps in steps(), room in 1usize..20) {
        let mut settings = Settings::default();
        settings.alert.open = room;
        let mut office = play(&steps, settings, None);
        let mut open = BTreeSet::new();
        let mut subjects = BTreeSet::new();
        for alert in &office.told {
            let page = alert.finding.severity > Severity::Info;
            let subject = (alert.finding.subject, page, alert.finding.rule);
            match alert.state {
                AlertState::Raised => prop_assert!(open.insert(alert.id) && subjects.insert((alert.id, subject.0))),
                AlertState::Updated => prop_assert!(open.contains(&alert.id)),
                AlertState::Cleared => prop_assert!(open.remove(&alert.id)),
            }
            prop_assert!(open.len() <= room.max(3) * 2);
            prop_assert!(subjects.contains(&(alert.id, alert.finding.subject)));
            prop_assert!(!alert.finding.samples.is_empty() && alert.finding.samples.len() <= 20);
            prop_assert!(alert.finding.first_call <= alert.finding.last_call);
            prop_assert!(alert.finding.exposure.low <= alert.finding.exposure.amount);
            prop_assert!(alert.finding.exposure.amount <= alert.finding.exposure.high);
            prop_assert!(alert.finding.numbers <= alert.finding.calls);
        }
        let standing: BTreeSet<u64> = office.judge.open_alerts(office.now).iter().map(|a| a.id).collect();
        prop_assert_eq!(standing, open);
        let pages: Vec<_> = office.judge.open_alerts(office.now).into_iter()
            .filter(|a| a.finding.severity > Severity::Info).map(|a| a.finding.subject).collect();
        let distinct: BTreeSet<_> = pages.iter().copied().collect();
        // A handset has at most two: calls that cost, and calls at home.
        prop_assert!(pages.len() <= distinct.len() * 2);
        // Calls whose end was never seen are given up after a day; then everything clears.
        office.rest(Span::days(3));
        prop_assert_eq!(office.judge.open_alerts(office.now), []);
    }

    /// The same facts give the same alerts, however often time is let pass between them.
    #[test]
    fn the_same_facts_give_the_same_alerts(steps in steps(), every in 1i64..50) {
        let once = play(&steps, Settings::default(), None);
        let again = play(&steps, Settings::default(), None);
        prop_assert_eq!(&once.told, &again.told);
        let ticked = play(&steps, Settings::default(), Some(Span::minutes(every)));
        prop_assert_eq!(&once.told, &ticked.told);
    }

    /// One call alone never pages, whatever it is, unless it is forwarded.
    #[test]
    fn one_call_alone_is_info(kind in 0u8..6, number in 0u64..60, hour in 0i64..168, hours in 0i64..30) {
        let mut office = Office::settled();
        office.at(monday(hour, 0));
        let step = Step { gap_s: 0, handset: 0, kind, number, fate: 1 };
        let to = match step.kind {
            0 => national(442_079_460_000 + number),
            1 => abroad("FR", 33_140_000_000 + number),
            3 => risky("SO", 252_612_000_000 + number),
            _ => premium(449_090_000_000 + number),
        };
        let call = office.dial(0, to);
        office.answer(call);
        office.rest(Span::hours(hours));
        office.hang_up(call);
        prop_assert_eq!(office.pages(), []);
    }
}
