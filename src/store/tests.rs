#![expect(clippy::disallowed_methods, reason = "how long things take is what is looked at")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use super::open::{LAYOUT, migrate};
use super::*;
use crate::alert::AlertState;
use crate::fact::CallState;
use crate::record::testing::{NIGHT, alert, call, who};
use crate::record::{Privacy, Recorder};
use crate::time::{Span, Timestamp};

const SOON: Duration = Duration::from_secs(10);

fn recorder() -> Recorder {
    Recorder { privacy: Privacy::Full, ..Recorder::default() }
}

fn settings(folder: &Path) -> Settings {
    Settings { path: folder.join("state/ringfence.db"), ..Settings::default() }
}

fn open(settings: &Settings) -> Opened {
    Store::open(settings.clone(), NIGHT).unwrap()
}

fn close(opened: Opened) {
    opened.store.close();
    opened.thread.join().unwrap();
}

fn letter(seq: u64) -> Letter {
    Letter { sink: "webhook", seq, made: NIGHT, urgency: 2, body: vec![0, 255, 10] }
}

fn row(state: AlertState, calls: u32) -> AlertRow {
    AlertRow::new(&recorder(), &alert(state, calls), "214")
}

#[test]
fn what_was_kept_is_there_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let first = open(&settings);
    assert!(first.notes.is_empty());
    let mode = std::fs::metadata(&settings.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    first.store.call(CallRow::new(&recorder(), &call(), 0));
    let over =
        crate::fact::CallFact { state: CallState::Ended, talked: Span::seconds(60), code: 200, ..call() };
    first.store.call(CallRow::new(&recorder(), &over, 1_500_000));
    let joined = crate::fact::CallFact { joined: true, leg: crate::dial::Leg::Trunk, ..over };
    first.store.call(CallRow::new(&recorder(), &joined, 0));
    let receipt = first.store.alert(row(AlertState::Raised, 2), vec![letter(1), letter(2)]);
    assert_eq!(receipt.wait(SOON), Durability::Durable);
    first.store.delivered("webhook", 1);
    let until = NIGHT.plus(Span::HOUR);
    first.store.ack(AckRow {
        raised: NIGHT,
        id: 1,
        time: NIGHT,
        until,
        why: "'; DROP TABLE alerts; --".into(),
    });
    first.store.save(vec![Blob::encode("judge", 1, &7u64).unwrap()]);
    first.store.finding(FindingRow {
        check: "acl",
        handset: "214".into(),
        status: "finding",
        severity: "warning",
        time: NIGHT,
        record: "{\"check\":\"acl\"}".into(),
    });
    assert_eq!(first.store.flush(SOON), Durability::Durable);
    close(first);

    let second = open(&settings);
    let reader = second.store.reader().unwrap();
    let calls = reader.calls(NIGHT, 10).unwrap();
    assert_eq!(calls.len(), 2, "one row for each leg");
    assert!(calls[0].contains("\"state\":\"ended\"") && calls[0].contains("\"number\":\"+882161234567\""));
    assert_eq!(reader.calls_of("214", NIGHT, 10).unwrap().len(), 2);
    assert!(reader.calls(NIGHT.plus(Span(1)), 10).unwrap().is_empty());
    assert_eq!(reader.open_alerts().unwrap(), [row(AlertState::Raised, 2)]);
    assert_eq!(reader.letters("webhook").unwrap(), [letter(2)]);
    assert_eq!(reader.acks(NIGHT).unwrap()[0].why, "'; DROP TABLE alerts; --");
    assert!(reader.acks(until).unwrap().is_empty());
    assert_eq!(reader.findings().unwrap(), ["{\"check\":\"acl\"}"]);
    assert_eq!(second.store.load::<u64>("judge", 1).unwrap(), Some(7));
    assert_eq!(second.store.load::<u64>("sensor", 1).unwrap(), None);
    let handsets = reader.handsets().unwrap();
    assert_eq!(
        (handsets.len(), &handsets[0]["mac"], &handsets[0]["attempts"]),
        (1, &"00:15:65:01:02:03".into(), &1.into())
    );
    let sums = reader.sums(NIGHT, NIGHT.plus(Span::HOUR)).unwrap();
    let expected = Sum {
        class: "global".into(),
        kind: "satellite".into(),
        region: "001".into(),
        attempts: 1,
        answered: 1,
        talked: Span::MINUTE,
        cost: 1_500_000,
    };
    assert_eq!(sums, [expected]);

    second.store.alert(row(AlertState::Cleared, 9), Vec::new()).wait(SOON);
    assert!(reader.open_alerts().unwrap().is_empty());
    assert_eq!(reader.alerts(NIGHT, 10).unwrap(), [row(AlertState::Cleared, 9)]);
    close(second);
}

#[test]
fn what_the_inventory_knows_stays_with_the_handset() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(&settings(folder.path()));
    let known = HandsetRow {
        record: Some("{\"type\":\"handset\",\"make\":\"Yealink\"}".into()),
        ..HandsetRow::new(&who(), NIGHT)
    };
    opened.store.handset(known);
    opened.store.call(CallRow::new(&recorder(), &call(), 0));
    opened.store.flush(SOON);
    let handsets = opened.store.reader().unwrap().handsets().unwrap();
    assert_eq!((&handsets[0]["make"], &handsets[0]["handset"]), (&"Yealink".into(), &"214".into()));
    close(opened);
}

#[test]
fn a_file_of_the_version_before_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    std::fs::create_dir_all(settings.path.parent().unwrap()).unwrap();
    let mut old = Connection::open(&settings.path).unwrap();
    migrate(&mut old, 0, LAYOUT - 1).unwrap();
    old.execute("INSERT INTO acks VALUES(1, 2, 3, 4, 'kept')", []).unwrap();
    drop(old);
    let opened = open(&settings);
    assert!(opened.notes.is_empty(), "{:?}", opened.notes);
    let reader = opened.store.reader().unwrap();
    assert_eq!(reader.acks(Timestamp(0)).unwrap()[0].why, "kept");
    assert!(reader.findings().unwrap().is_empty(), "the new table is there");
    close(opened);
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    close(open(&settings));
    let db = Connection::open(&settings.path).unwrap();
    db.pragma_update(None, "user_version", LAYOUT + 1).unwrap();
    drop(db);
    let error = Store::open(settings.clone(), NIGHT).unwrap_err().to_string();
    assert!(
        error.contains(&format!("has layout {}", LAYOUT + 1)) && error.contains("install the newer"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(settings.path.parent().unwrap()).unwrap().count(), 1, "nothing set aside");
}

#[test]
fn a_broken_file_is_set_aside_and_work_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let first = open(&settings);
    for n in 0..200 {
        let mut one = row(AlertState::Raised, 2);
        one.id = n;
        first.store.alert(one, Vec::new());
    }
    first.store.flush(SOON);
    close(first);
    let whole = std::fs::read(&settings.path).unwrap();
    let mut torn = whole.clone();
    // The pages of the tables; the header stays good.
    torn[4_096..].fill(0x5a);
    for (n, broken) in [torn, whole[..whole.len() / 2].to_vec(), b"no database".to_vec()].iter().enumerate() {
        std::fs::write(&settings.path, broken).unwrap();
        let now = NIGHT.plus(Span::seconds(i64::try_from(n).unwrap()));
        let opened = Store::open(settings.clone(), now).unwrap();
        let aside = format!("{}.broken-{}", settings.path.display(), now.as_secs());
        assert!(
            opened.notes[0].contains("is broken") && opened.notes[0].contains(&aside),
            "{:?}",
            opened.notes
        );
        assert_eq!(std::fs::read(&aside).unwrap().len(), broken.len(), "for somebody to look at");
        let receipt = opened.store.alert(row(AlertState::Raised, 2), Vec::new());
        assert_eq!(receipt.wait(SOON), Durability::Durable);
        assert_eq!(opened.store.health().figures.get(Figure::SetAside), 1);
        close(opened);
    }
}

#[test]
fn a_folder_that_cannot_be_used_costs_history_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    // A file where the folder should be.
    std::fs::write(settings.path.parent().unwrap(), "").unwrap();
    let opened = open(&settings);
    assert!(opened.notes[0].contains("detection goes on"), "{:?}", opened.notes);
    let begun = std::time::Instant::now();
    let receipt = opened.store.alert(row(AlertState::Raised, 2), vec![letter(1)]);
    assert_eq!(receipt.wait(SOON), Durability::Lost, "and nobody waits for it");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(opened.store.health().losses.get(Loss::Io) > 0);
    // The folder is there again: what was urgent is not lost.
    std::fs::remove_file(settings.path.parent().unwrap()).unwrap();
    let back = (0..50).any(|_| {
        opened.store.flush(Duration::from_millis(200)) == Durability::Durable || {
            std::thread::sleep(Duration::from_millis(100));
            false
        }
    });
    assert!(back);
    let reader = opened.store.reader().unwrap();
    assert_eq!((reader.open_alerts().unwrap().len(), reader.letters("webhook").unwrap().len()), (1, 1));
    close(opened);
}

#[test]
fn old_calls_and_too_many_calls_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { retention_days: 30, retention_mib: 1, ..settings(folder.path()) };
    close(open(&settings));
    let mut db = Connection::open(&settings.path).unwrap();
    let fill = |db: &Connection, from: Timestamp, count: i64| {
        let transaction = db.unchecked_transaction().unwrap();
        for n in 0..count {
            let row =
                CallRow { started: from.plus(Span::seconds(n)), ..CallRow::new(&recorder(), &call(), 0) };
            db.execute(
                "INSERT INTO calls VALUES(?1, 1, 'handset', 'ended', '214', 'outbound', 'global', 'satellite', '001', 0, 1, 0, 0, ?2)",
                rusqlite::params![row.started.0, row.record],
            )
            .unwrap();
        }
        transaction.commit().unwrap();
    };
    fill(&db, NIGHT, 100);
    fill(&db, NIGHT.plus(Span::days(29)), 50);
    let now = NIGHT.plus(Span::days(31));
    assert_eq!(writer::tidy(&mut db, &settings, now).unwrap(), (100, 0));
    fill(&db, now, 6_000);
    assert!(writer::tidy(&mut db, &settings, now).unwrap().1 > 0);
    let reader = Reader::open(&settings.path).unwrap();
    let left = reader.calls(Timestamp(0), 10_000).unwrap().len();
    assert!((500..6_000).contains(&left), "{left}");
    let newest: i64 = db.query_row("SELECT max(started) FROM calls", [], |row| row.get(0)).unwrap();
    assert_eq!(newest, now.plus(Span::seconds(5_999)).0, "the oldest go first");
}

#[test]
fn a_full_mailbox_drops_and_counts_and_never_waits() {
    let mailbox = Mailbox::default();
    for n in 0..URGENT as u64 {
        assert!(mailbox.post(Job::Delivered("webhook", n)));
    }
    assert!(!mailbox.post(Job::Delivered("webhook", 0)));
    // Calls can't crowd out what is urgent, nor the other way round.
    assert!(mailbox.post(Job::Call(Box::new(CallRow::new(&recorder(), &call(), 0)))));
    mailbox.state(vec![Blob::encode("judge", 1, &1u8).unwrap()]);
    mailbox.state(vec![Blob::encode("judge", 1, &2u8).unwrap()]);
    let batch = mailbox.take(Duration::ZERO);
    let states: Vec<_> = batch
        .jobs
        .iter()
        .filter_map(|job| if let Job::State(blobs) = job { Some(blobs) } else { None })
        .collect();
    assert_eq!((states.len(), states[0][0].decode::<u8>(1).unwrap()), (1, 2), "only the newest");
    assert_eq!(batch.jobs.len(), URGENT + 2);
}

#[test]
fn numbers_are_kept_as_privacy_has_it() {
    let folder = tempfile::tempdir().unwrap();
    for (n, privacy) in
        [Privacy::Masked, Privacy::Hashed(crate::record::NumberKey::new([3; 32]))].into_iter().enumerate()
    {
        let settings = settings(&folder.path().join(n.to_string()));
        let opened = open(&settings);
        let recorder = Recorder { privacy, ..Recorder::default() };
        opened.store.call(CallRow::new(&recorder, &call(), 0));
        opened.store.flush(SOON);
        close(opened);
        for entry in std::fs::read_dir(settings.path.parent().unwrap()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let digits = b"882161234567";
            assert!(!bytes.windows(digits.len()).any(|window| window == digits));
        }
    }
}
