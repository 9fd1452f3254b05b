//! What replicas of Alertmanager are to hear, and what each of them has heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;

use super::shape::{Annotations, Labels, Post, annotations, labels};
use crate::export::client::Outcome;
use crate::export::post::{Notice, Trouble};
use crate::time::{Span, Timestamp};

/// How long a replica holds an alert without word of us.
const HOLD: Span = Span::minutes(3);
/// Alerts that are kept for replicas at the most: open ones, and those that are over.
const ROOM: usize = 10_000;
/// How long it is repeated that something is over: a replica that restarts before it told anybody has
/// forgotten it. Prometheus repeats as long (`resolvedRetention`).
const AGAIN: Span = Span::minutes(15);
/// After this long a replica need not hear any more that something is over.
const STALE: Span = Span::HOUR;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    annotations: Annotations,
    starts: Timestamp,
    /// Incidents that are open under these labels.
    open: BTreeSet<String>,
    ended: Option<Timestamp>,
    /// Since when it is known here that it is over.
    over_since: Option<Timestamp>,
    version: u64,
}

/// What a replica has taken of an alert.
#[derive(Clone, Copy, Debug)]
struct Heard {
    version: u64,
    /// The beginning of what it heard of while that was open.
    open: Option<Timestamp>,
}

impl Heard {
    /// Whether it knew that this was open, so that it can tell people of the end.
    fn knew(self, entry: &Entry) -> bool {
        self.open == Some(entry.starts)
    }
}

/// What a replica should hear of one alert.
#[derive(Clone, Debug)]
pub(super) struct Item {
    labels: Labels,
    heard: Heard,
    pub(super) post: Post,
}

#[derive(Debug, Default)]
pub(super) struct Board {
    entries: BTreeMap<Labels, Entry>,
    /// Under which labels each open incident stands.
    incidents: BTreeMap<String, Labels>,
    version: u64,
    told: Vec<BTreeMap<Labels, Heard>>,
    pub(super) drills: Vec<Vec<(Notice, SyncSender<Outcome>)>>,
    pub(super) trouble: Vec<Trouble>,
    pub(super) closed: bool,
}

impl Board {
    pub(super) fn new(replicas: usize) -> Self {
        Self {
            told: vec![BTreeMap::new(); replicas],
            drills: (0..replicas).map(|_| Vec::new()).collect(),
            trouble: (0..replicas).map(|_| Trouble::default()).collect(),
            ..Self::default()
        }
    }

    /// For other replicas: what is open.
    pub(super) fn successor(&self, replicas: usize) -> Self {
        let open = self.entries.iter().filter(|(_, entry)| entry.ended.is_none());
        Self {
            entries: open.map(|(labels, entry)| (labels.clone(), entry.clone())).collect(),
            incidents: self.incidents.clone(),
            version: self.version,
            ..Self::new(replicas)
        }
    }

    /// An incident was raised, changed or is over; `false` if something untold was lost for want of room.
    pub(super) fn update(&mut self, notice: &Notice, raised: Timestamp) -> bool {
        let labels = labels(notice);
        let over = notice.state == "cleared";
        let before = self.incidents.get(&notice.incident).cloned();
        // The severity rose: to Alertmanager that is another alert, and the former one is over.
        if let Some(before) = before.filter(|before| over || *before != labels) {
            self.incidents.remove(&notice.incident);
            self.close(&before, &notice.incident, notice.at());
        }
        self.version += 1;
        if over {
            return true;
        }
        let mut nothing_lost = true;
        if self.entries.len() >= ROOM && !self.entries.contains_key(&labels) {
            let Some((oldest, heard)) = self.longest_over() else {
                return false;
            };
            self.entries.remove(&oldest);
            nothing_lost = heard;
        }
        self.open(labels, notice, raised);
        nothing_lost
    }

    fn open(&mut self, labels: Labels, notice: &Notice, raised: Timestamp) {
        self.incidents.insert(notice.incident.clone(), labels.clone());
        let version = self.version;
        let entry = self.entries.entry(labels).or_insert_with(|| Entry {
            annotations: annotations(notice),
            starts: raised,
            open: BTreeSet::new(),
            ended: None,
            over_since: None,
            version,
        });
        if entry.ended.take().is_some() {
            entry.starts = raised;
            entry.over_since = None;
        }
        entry.open.insert(notice.incident.clone());
        entry.annotations = annotations(notice);
        entry.version = version;
    }

    fn close(&mut self, labels: &Labels, incident: &str, at: Timestamp) {
        self.version += 1;
        if let Some(entry) = self.entries.get_mut(labels) {
            entry.open.remove(incident);
            if entry.open.is_empty() {
                entry.ended = Some(at);
                entry.version = self.version;
            }
        }
    }

    /// What has been over for longest, first of all if every replica has heard so, and whether they have.
    fn longest_over(&self) -> Option<(Labels, bool)> {
        let over = self.entries.iter().filter_map(|(labels, entry)| {
            let ended = entry.ended?;
            Some((!heard_by_all(&self.told, labels, entry), ended, labels))
        });
        over.min().map(|(unheard, _, labels)| (labels.clone(), !unheard))
    }

    /// What a replica should hear: with `all` everything again, else only what changed.
    pub(super) fn news(&self, replica: usize, all: bool, now: Timestamp) -> Vec<Item> {
        let told = self.told.get(replica);
        let item = |(labels, entry): (&Labels, &Entry)| {
            let heard = told.and_then(|told| told.get(labels).copied());
            let knew = heard.is_some_and(|heard| heard.knew(entry));
            let changed = heard.is_none_or(|heard| heard.version != entry.version);
            if !changed && !(all && (entry.ended.is_none() || knew)) {
                return None;
            }
            // It came and went while the replica was away: people must hear of it, and it ends by itself.
            let ends = match entry.ended {
                Some(ended) if knew => ended.max(entry.starts),
                _ => now.plus(HOLD),
            };
            let open = (knew || entry.ended.is_none()).then_some(entry.starts);
            let heard = Heard { version: entry.version, open };
            Some(Item { labels: labels.clone(), heard, post: post(labels, entry, ends) })
        };
        self.entries.iter().filter_map(item).collect()
    }

    /// A replica has taken these.
    pub(super) fn hear(&mut self, replica: usize, told: &[Item], now: Timestamp) {
        if let Some(known) = self.told.get_mut(replica) {
            known.extend(told.iter().map(|item| (item.labels.clone(), item.heard)));
        }
        self.sweep(now);
    }

    /// Forgets what has been over for long enough.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let told = &self.told;
        self.entries.retain(|labels, entry| {
            if entry.ended.is_none() {
                return true;
            }
            let over = now.since(*entry.over_since.get_or_insert(now));
            let knew = |known: &BTreeMap<Labels, Heard>| known.get(labels).is_some_and(|it| it.knew(entry));
            if heard_by_all(told, labels, entry) {
                over < AGAIN && told.iter().any(knew)
            } else {
                over < STALE
            }
        });
        let entries = &self.entries;
        for known in &mut self.told {
            known.retain(|labels, _| entries.contains_key(labels));
        }
    }

    /// How many alerts some replica has not heard of.
    pub(super) fn untold(&self) -> usize {
        self.entries.iter().filter(|(labels, entry)| !heard_by_all(&self.told, labels, entry)).count()
    }
}

fn heard_by_all(told: &[BTreeMap<Labels, Heard>], labels: &Labels, entry: &Entry) -> bool {
    told.iter().all(|told| told.get(labels).is_some_and(|heard| heard.version == entry.version))
}

fn post(labels: &Labels, entry: &Entry, ends: Timestamp) -> Post {
    Post {
        labels: labels.clone(),
        annotations: entry.annotations.clone(),
        starts_at: entry.starts.to_string(),
        ends_at: ends.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::{DRILL, POSTURE, TOLL};
    use super::*;

    fn notice(incident: &str, state: &str, severity: &str, time: i64) -> Notice {
        Notice {
            incident: incident.to_owned(),
            site: "office".to_owned(),
            label: "214".to_owned(),
            state: state.to_owned(),
            rule: "spend".to_owned(),
            severity: severity.to_owned(),
            time,
            sentence: "too dear".to_owned(),
            record: "{}".to_owned(),
        }
    }

    fn told(board: &mut Board, replica: usize, all: bool, now: i64) -> Vec<(String, String)> {
        let news = board.news(replica, all, Timestamp(now));
        board.hear(replica, &news, Timestamp(now));
        news.iter().map(|item| (item.labels.severity.clone(), item.post.ends_at.clone())).collect()
    }

    fn ends(at: i64) -> String {
        Timestamp(at).to_string()
    }

    const AHEAD: i64 = HOLD.0;

    #[test]
    fn open_alerts_are_repeated_and_their_ends_for_a_while() {
        let mut board = Board::new(2);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        let critical = |at| vec![("critical".to_owned(), ends(at))];
        assert_eq!(told(&mut board, 0, false, 10), critical(10 + AHEAD));
        assert!(told(&mut board, 0, false, 20).is_empty());
        assert_eq!(told(&mut board, 0, true, 30), critical(30 + AHEAD), "while it is open");
        assert_eq!(told(&mut board, 1, true, 30), critical(30 + AHEAD));
        board.update(&notice("a", "cleared", "critical", 40), Timestamp(5));
        assert_eq!(told(&mut board, 0, false, 50), critical(40), "over");
        assert!(told(&mut board, 0, false, 60).is_empty());
        assert_eq!(told(&mut board, 0, true, 60), critical(40), "it may have restarted");
        assert_eq!(told(&mut board, 1, true, 60), critical(40));
        let late = 50 + AGAIN.0;
        assert_eq!(told(&mut board, 0, true, late - 1), critical(40));
        board.sweep(Timestamp(late));
        assert!(
            board.entries.is_empty()
                && board.told.iter().all(BTreeMap::is_empty)
                && board.incidents.is_empty()
        );
    }

    #[test]
    fn a_severity_that_rises_ends_the_former_alert() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "warning", 5), Timestamp(5));
        told(&mut board, 0, false, 10);
        board.update(&notice("a", "updated", "critical", 20), Timestamp(5));
        let mut news = told(&mut board, 0, false, 30);
        news.sort();
        assert_eq!(news, [("critical".to_owned(), ends(30 + AHEAD)), ("warning".to_owned(), ends(20))]);
    }

    #[test]
    fn what_came_and_went_while_a_replica_was_away_is_still_told() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        board.update(&notice("a", "cleared", "critical", 20), Timestamp(5));
        assert_eq!(told(&mut board, 0, true, 30), [("critical".to_owned(), ends(30 + AHEAD))]);
        assert!(board.entries.is_empty(), "it ends there by itself");
    }

    #[test]
    fn two_incidents_under_the_same_labels_are_over_when_both_are() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        board.update(&notice("b", "raised", "critical", 6), Timestamp(6));
        told(&mut board, 0, false, 10);
        board.update(&notice("a", "cleared", "critical", 20), Timestamp(5));
        assert!(told(&mut board, 0, false, 25).is_empty());
        board.update(&notice("b", "cleared", "critical", 30), Timestamp(6));
        assert_eq!(told(&mut board, 0, false, 35), [("critical".to_owned(), ends(30))]);
        // And raised anew, it starts anew.
        board.update(&notice("c", "raised", "critical", 50), Timestamp(50));
        let news = board.news(0, false, Timestamp(60));
        assert_eq!(news[0].post.starts_at, Timestamp(50).to_string());
    }

    #[test]
    fn what_is_raised_anew_and_over_while_a_replica_is_away_is_told() {
        let mut board = Board::new(1);
        for (incident, from) in [("a", 5), ("b", 50)] {
            board.update(&notice(incident, "raised", "critical", from), Timestamp(from));
            if incident == "a" {
                told(&mut board, 0, false, from + 1);
            }
            board.update(&notice(incident, "cleared", "critical", from + 10), Timestamp(from));
            if incident == "a" {
                assert_eq!(told(&mut board, 0, false, 20), [("critical".to_owned(), ends(15))]);
            }
        }
        assert_eq!(told(&mut board, 0, false, 70), [("critical".to_owned(), ends(70 + AHEAD))]);
        assert!(told(&mut board, 0, true, 80).is_empty(), "its end would come before people are told");
    }

    #[test]
    fn a_full_board_forgets_first_what_is_over_and_told() {
        let mut board = Board::new(1);
        let of =
            |n: usize, state| Notice { label: n.to_string(), ..notice(&n.to_string(), state, "info", 5) };
        for n in 0..ROOM {
            assert!(board.update(&of(n, "raised"), Timestamp(5)));
        }
        assert!(!board.update(&of(ROOM, "raised"), Timestamp(5)), "all are open");
        board.update(&of(7, "cleared"), Timestamp(5));
        told(&mut board, 0, false, 10);
        board.update(&of(3, "cleared"), Timestamp(5));
        assert!(board.update(&of(ROOM + 1, "raised"), Timestamp(5)), "the one that is told made room");
        assert!(!board.update(&of(ROOM + 2, "raised"), Timestamp(5)), "one is forgotten before it is told");
        assert_eq!(board.entries.len(), ROOM);
    }

    #[test]
    fn labels_are_never_empty_of_a_name() {
        let names = |rule: &str| {
            labels(&Notice { rule: rule.to_owned(), ..notice("a", "raised", "critical", 1) }).alertname
        };
        assert_eq!((names("spend"), names("scanner"), names("fire_drill")), (TOLL, POSTURE, DRILL));
    }
}
