//! Prices and numbers of the configuration, changed while calls are watched.

use std::path::Path;

use super::net::{Daemon, Net, lacks};
use super::{TOOLS, WATCHED, net_with_cable};

const DECK: &str = "[tariff]\nfile = \"deck.csv\"\n";

/// Another night's calls to satellite phones, played onto the wire.
fn calls(net: &Net, folder: &Path, seed: u64) {
    let path = folder.join(format!("{seed}.pcap"));
    let mut capture = std::fs::File::create(&path).unwrap();
    ringfence::drill::generate("satellite", seed, &mut capture, &mut Vec::new()).unwrap();
    net.replay("vb", &["-t"], &path);
}

/// What the series of a metric with a label come to.
fn total(daemon: &Daemon<'_>, metric: &str, label: &str) -> f64 {
    let text = daemon.get("/metrics");
    let series = text.lines().filter(|line| line.starts_with(metric) && line.contains(label));
    series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Calls that are over, and what they cost.
fn spent(daemon: &Daemon<'_>) -> f64 {
    total(daemon, "ringfence_destination_exposure_total", "satellite")
}

/// Plays calls and gives what they add.
fn play(daemon: &Daemon<'_>, seed: u64) -> f64 {
    let before = spent(daemon);
    calls(daemon.net, daemon.folder.path(), seed);
    daemon.wait("the calls' price", || spent(daemon) > before);
    // More of them may be over in a moment.
    let last = std::cell::Cell::new(spent(daemon));
    daemon.wait("the last call's price", || {
        std::thread::sleep(std::time::Duration::from_millis(700));
        let now = spent(daemon);
        last.replace(now) == now
    });
    last.get() - before
}

fn reloads(daemon: &Daemon<'_>, holds: bool) {
    let said = if holds { "read again and holds" } else { "the configuration stays as it was" };
    let before = daemon.log().matches(said).count();
    daemon.signal("-HUP");
    daemon.wait(said, || daemon.log().matches(said).count() > before);
    let gauge = format!("ringfence_config_last_reload_successful {}", u8::from(holds));
    assert!(daemon.get("/metrics").contains(&gauge), "{gauge}");
}

#[test]
fn a_changed_rate_deck_holds_at_once_and_a_broken_one_changes_nothing() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let folder = tempfile::tempdir().unwrap();
    let deck = |fee: &str| format!("prefix,name,rate_per_min,connect_fee\n88,Satellites,0.06,{fee}\n");
    std::fs::write(folder.path().join("deck.csv"), deck("1")).unwrap();
    let daemon = Daemon::spawn_in(folder, &net, &format!("{WATCHED}{DECK}"), &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let file = daemon.folder.path().join("deck.csv");
    let cheap = play(&daemon, 1);

    std::fs::write(&file, deck("1000")).unwrap();
    reloads(&daemon, true);
    let dear = play(&daemon, 2);
    assert!(cheap > 0.0 && cheap < 1_000.0 && dear >= 1_000.0, "{cheap}, then {dear}");

    // Nothing of a deck that can't be read is taken, and the log says why.
    std::fs::write(&file, "Dear customer,\nour prices are on the web\n").unwrap();
    reloads(&daemon, false);
    assert!(daemon.log().contains("the rate deck can't be used: no column is called prefix"));
    assert!(play(&daemon, 3) >= 1_000.0, "the old deck holds");
    std::fs::remove_file(&file).unwrap();
    reloads(&daemon, false);
    assert!(daemon.log().contains("deck.csv can't be read"));

    // Without a deck the built-in table holds, and an override is taken.
    let own = "[[override]]\nprefix = \"+88\"\nkind = \"voip\"\nrisk = \"low\"\nwhy = \"our own network\"\n";
    daemon.config(&format!("{WATCHED}{own}"));
    reloads(&daemon, true);
    let before = total(&daemon, "ringfence_destination_calls_total", "voip");
    assert!(before == 0.0, "{before}");
    calls(&net, daemon.folder.path(), 4);
    daemon.wait("calls of the override's kind", || {
        total(&daemon, "ringfence_destination_calls_total", "voip") > 0.0
    });
}
