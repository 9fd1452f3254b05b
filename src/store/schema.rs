//! The layout of the file, version by version. A version that was released is never changed: the
//! next one is added below it.

/// What each version adds. `PRAGMA user_version` is the number of steps a file has been through.
pub(super) const STEPS: [&str; 3] = [
    // 1: alerts, calls, handsets, acceptances, letters, state.
    "
CREATE TABLE alerts(
    raised INTEGER NOT NULL,         -- microseconds since the epoch, as all times here
    id INTEGER NOT NULL,             -- the incident's number in its run
    state TEXT NOT NULL,             -- raised, updated, cleared
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    handset TEXT NOT NULL,           -- empty: the whole office
    label TEXT NOT NULL,             -- the handset as metrics name it
    updated INTEGER NOT NULL,
    cleared INTEGER,
    calls INTEGER NOT NULL,
    amount INTEGER NOT NULL,         -- money at risk, in millionths
    currency TEXT NOT NULL,
    record TEXT NOT NULL,            -- the JSON record as it was told last
    PRIMARY KEY(raised, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_open ON alerts(state) WHERE state <> 'cleared';
CREATE TABLE acks(
    raised INTEGER NOT NULL, id INTEGER NOT NULL,
    time INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT NOT NULL,
    PRIMARY KEY(raised, id, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE calls(
    started INTEGER NOT NULL, id INTEGER NOT NULL, leg TEXT NOT NULL,
    state TEXT NOT NULL, handset TEXT NOT NULL, direction TEXT NOT NULL,
    class TEXT NOT NULL, kind TEXT NOT NULL, region TEXT NOT NULL,
    joined INTEGER NOT NULL,         -- 1: the second leg of a call that has a row of its own
    answered INTEGER NOT NULL, talked INTEGER NOT NULL,
    cost INTEGER NOT NULL,           -- the best guess, in millionths
    record TEXT NOT NULL,
    PRIMARY KEY(started, id, leg)
) STRICT, WITHOUT ROWID;
CREATE TABLE handsets(
    handset TEXT PRIMARY KEY, user TEXT NOT NULL, ip TEXT NOT NULL, mac TEXT NOT NULL,
    verified INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    record TEXT                      -- the inventory's JSON record, where there is one
) STRICT, WITHOUT ROWID;
CREATE TABLE letters(
    sink TEXT NOT NULL, seq INTEGER NOT NULL, made INTEGER NOT NULL, urgency INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY(sink, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE state(
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, saved INTEGER NOT NULL,
    sum BLOB NOT NULL, data BLOB NOT NULL
) STRICT;
",
    // 2: the handset-security checklist; calls of one handset are found without a walk through all.
    "
CREATE TABLE findings(
    name TEXT NOT NULL,              -- the check
    handset TEXT NOT NULL, status TEXT NOT NULL, severity TEXT NOT NULL,
    since INTEGER NOT NULL,          -- when it came to stand so
    time INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY(name, handset)
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_of_handset ON calls(handset, started);
",
    // 3: what the checklist and the coverage said, day by day, for reports.
    "
CREATE TABLE days(
    day INTEGER PRIMARY KEY,         -- days since the epoch, in the office's time
    checklist TEXT NOT NULL,         -- the checklist's JSON record as it was noted last
    coverage TEXT NOT NULL           -- the coverage's JSON
) STRICT;
",
];
