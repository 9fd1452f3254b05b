use super::*;

/// The bench's office after some registrations and calls, all of them over.
fn busy(b: &mut Bench) {
    for (n, user) in [(1, "201"), (2, "202"), (3, "203")] {
        b.register([10, 0, 3, n], ONSITE, user);
    }
    for user in ["301", "302", "303", "304", "305", "306"] {
        b.register([10, 0, 3, 9], ONSITE, user);
    }
    for n in 0u8..25 {
        let id = format!("old-{n}");
        b.invite([10, 0, 3, n % 7], ONSITE, &format!("902079460{n:03}"), &id);
        b.sip(ONSITE, [10, 0, 3, n % 7], "SIP/2.0 486 Busy Here", &head(&id, "f", "t", "1 INVITE", "x", "x"));
    }
}

/// The same input for a sensor that went on and one that was restored.
fn later(b: &mut Bench) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (n, user) in [(1, "201"), (2, "999"), (40, "204")] {
        facts.extend(b.register([10, 0, 3, n], ONSITE, user));
    }
    for n in 0u8..40 {
        let from = [[10, 0, 3, n % 8], ONSITE, [10, 9, 9, n]][usize::from(n % 3)];
        let to = if from == ONSITE { TRUNK } else { ONSITE };
        let number = ["201", "902079460958", "005355512345"][usize::from(n / 3 % 3)];
        let asserted = format!("P-Asserted-Identity: <sip:30{}@example.com>\r\n", n % 8);
        let id = format!("new-{n}");
        let headers = head(&id, "f", "", "1 INVITE", "main", number) + &asserted;
        facts.extend(b.sip(from, to, &format!("INVITE sip:{number}@example.com SIP/2.0"), &headers));
        if n % 2 == 0 {
            facts.extend(b.sip(to, from, "SIP/2.0 200 OK", &head(&id, "f", "t", "1 INVITE", "x", "x")));
        }
    }
    facts
}

#[test]
fn a_restored_sensor_gives_the_same_facts() {
    let mut first = Bench::new();
    busy(&mut first);
    let bytes = postcard::to_stdvec(&first.sensor.snapshot()).unwrap();
    let mut second = Bench { now: first.now, ..Bench::new() };
    second.sensor.restore(postcard::from_bytes(&bytes).unwrap());
    assert_eq!(first.sensor.totals().attempts, second.sensor.totals().attempts);
    assert_eq!(second.sensor.coverage().outside_line, Some('9'));
    // What the watch knows is not part of the snapshot: it learns within minutes.
    let known = |facts: Vec<Fact>| -> Vec<Fact> {
        facts.into_iter().filter(|fact| !matches!(fact, Fact::Sighting(_))).collect()
    };
    let facts = known(later(&mut first));
    assert!(facts.len() > 20, "{}", facts.len());
    assert_eq!(facts, known(later(&mut second)));
    let key = |fact: &Fact| match fact {
        Fact::Call(call) => Some(Key { account: Account::Handset(call.who.id), group: call.target.group }),
        _ => None,
    };
    for key in facts.iter().filter_map(key) {
        assert_eq!(first.ledger.counts(key, first.now), second.ledger.counts(key, first.now));
    }
    assert_eq!(first.sensor.snapshot(), second.sensor.snapshot());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// A snapshot with bytes changed or cut is refused by the decoder or does no harm.
    #[test]
    fn a_broken_snapshot_does_no_harm(
        changes in proptest::collection::vec((0usize..100_000, proptest::prelude::any::<u8>()), 0..12),
        cut in 0usize..100_000,
    ) {
        let mut first = Bench::new();
        busy(&mut first);
        let mut bytes = postcard::to_stdvec(&first.sensor.snapshot()).unwrap();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut % bytes.len());
        }
        if let Ok(snapshot) = postcard::from_bytes(&bytes) {
            let mut second = Bench { now: first.now, ..Bench::new() };
            second.sensor.restore(snapshot);
            later(&mut second);
            let _ = second.sensor.snapshot();
        }
    }
}
