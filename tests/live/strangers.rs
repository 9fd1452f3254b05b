//! Somebody on the internet scans a real handset: baresip, registered with a real PBX, on a switch whose
//! mirror port the daemon watches; SIPVicious from Debian at a public address.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::alarm::until;
use super::net::{Daemon, Net, lacks, must};
use super::office::here;
use super::running::Running;

const TOOLS: [&str; 8] = ["ip", "bridge", "ss", "sysctl", "kill", "kamailio", "baresip", "svmap"];
const CONFIG: &str = "[site]\npbx = [\"203.0.113.2\"]\n[capture]\ninterfaces = [\"va\"]\n";
const HANDSET: &str = "10.0.3.17";
const STRANGER: &str = "198.51.100.66";
/// From the packet on the cable to the finding in an answer over HTTP.
const LIMIT: Duration = Duration::from_secs(1);

/// A switch, and around it the handset, its PBX and the stranger.
struct Street {
    switch: Net,
    handset: Net,
    pbx: Net,
    stranger: Net,
    folder: tempfile::TempDir,
}

impl Street {
    fn new() -> Self {
        let [switch, handset, pbx, stranger] = [(); 4].map(|()| Net::new());
        let street = Self { switch, handset, pbx, stranger, folder: tempfile::tempdir().unwrap() };
        let switch = &street.switch;
        switch.ip(&["link", "add", "br0", "type", "bridge"]);
        switch.ip(&["link", "set", "br0", "up"]);
        switch.ip(&["link", "add", "va", "type", "veth", "peer", "name", "copies"]);
        switch.ip(&["link", "set", "va", "up"]);
        for (net, port, addresses) in [
            (&street.handset, "phone", &[HANDSET][..]),
            (&street.pbx, "pbx", &["10.0.3.2", "203.0.113.2"]),
            (&street.stranger, "street", &[STRANGER]),
        ] {
            switch.ip(&["link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", &net.name]);
            net.ip(&["link", "set", "eth0", "up"]);
            for address in addresses {
                net.ip(&["addr", "add", &format!("{address}/32"), "dev", "eth0"]);
            }
            // A router that lets everybody in couldn't do more for the stranger than no router.
            net.ip(&["route", "add", "default", "dev", "eth0"]);
        }
        for port in ["phone", "pbx", "street", "copies"] {
            switch.ip(&["link", "set", port, "master", "br0", "up"]);
            // A switch that learns nothing sends everything to every port: the mirror port among them.
            must(&[
                "ip",
                "netns",
                "exec",
                &switch.name,
                "bridge",
                "link",
                "set",
                "dev",
                port,
                "learning",
                "off",
            ]);
        }
        street
    }

    /// Kamailio as the PBX, baresip as extension 201.
    fn open(&self) -> Running {
        let mut running = Running::default();
        let folder = self.folder.path().to_owned();
        let config = here("live/kamailio.cfg");
        let words = ["kamailio", "-DD", "-m", "64", "-M", "8", "-f", config.to_str().unwrap(), "-w"];
        let mut kamailio = self.pbx.command(&words);
        kamailio.arg(&folder);
        start(&mut running, kamailio, &folder.join("kamailio.log"));
        // Whom nobody answers waits for long before it tries again.
        let listening = || self.pbx.exec(&["ss", "-Hlnu", "sport", "=", ":5060"]).stdout;
        until("the PBX", Duration::from_secs(10), || {
            (String::from_utf8_lossy(&listening()).lines().count() >= 2).then_some(())
        });
        let settings = format!(
            "poll_method epoll\nsip_listen {HANDSET}:5060\ncall_local_timeout 60\n\
             module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule_app account.so\n"
        );
        std::fs::write(folder.join("config"), settings).unwrap();
        // The tests' PBX takes an account's own name for its password.
        let account = "<sip:201@203.0.113.2>;auth_user=201;auth_pass=201;regint=60\n";
        std::fs::write(folder.join("accounts"), account).unwrap();
        let words = ["baresip", "-f", folder.to_str().unwrap()];
        start(&mut running, self.handset.command(&words), &folder.join("baresip.log"));
        running
    }

    /// The stranger runs a tool of SIPVicious.
    fn attacks(&self, words: &[&str]) -> Running {
        let mut tool = Running::default();
        let mut command = self.stranger.command(&[&["timeout", "20"], words].concat());
        command.env("HOME", self.folder.path());
        start(&mut tool, command, &self.folder.path().join("attack.log"));
        tool
    }
}

/// Starts a program; what it says goes to a file.
fn start(running: &mut Running, mut command: Command, log: &Path) {
    let said = File::create(log).unwrap();
    command.stdin(Stdio::null()).stderr(said.try_clone().unwrap()).stdout(said);
    running.0.push(command.spawn().unwrap());
}

/// Whether extension 201 has been let in by its PBX.
fn registered(daemon: &Daemon<'_>) -> bool {
    let handsets: Vec<Value> = serde_json::from_str(&daemon.get("/api/v1/handsets")).unwrap();
    handsets.iter().any(|one| one["ip"] == HANDSET && one["state"] == "registered")
}

/// The findings of a check against the handset, each with how long ago its first packet passed.
fn found(daemon: &Daemon<'_>, check: &str, severity: &str) -> Option<(Value, Duration)> {
    let rows: Vec<Value> = serde_json::from_str(&daemon.get("/api/v1/posture")).unwrap();
    let row = rows
        .into_iter()
        .find(|row| row["check"] == check && row["status"] == "finding" && row["severity"] == severity)?;
    let time: jiff::Timestamp = row["time"].as_str().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = Duration::from_micros(u64::try_from(time.as_microsecond()).unwrap());
    Some((row, now.saturating_sub(then)))
}

/// svmap asks the handset what it is, and lets it ring; svwar searches it for extensions: each is found
/// within a second of its packet, with the handset that it was done to.
#[test]
fn a_stranger_who_scans_a_real_handset_is_found_within_a_second() {
    if lacks(&TOOLS) {
        return;
    }
    let street = Street::new();
    let daemon = Daemon::start(&street.switch, CONFIG);
    let _office = street.open();
    daemon.wait("the handset", || registered(&daemon));
    assert!(found(&daemon, "stranger_sip", "warning").is_none());
    for (words, told) in [
        (
            &["svmap", HANDSET][..],
            &[("stranger_sip", "warning"), ("unsolicited_inbound", "critical"), ("scanner", "warning")][..],
        ),
        (
            &["svwar", "-c", "-mINVITE", "-e190-230", "--force", HANDSET],
            &[("stranger_sip", "critical"), ("enumeration", "warning")],
        ),
    ] {
        let _tool = street.attacks(words);
        for (check, severity) in told {
            let seen = RefCell::new(None);
            daemon.wait(check, || {
                *seen.borrow_mut() = found(&daemon, check, severity);
                seen.borrow().is_some()
            });
            let (row, age) = seen.into_inner().unwrap();
            println!("{}: {check} {severity} {age:?} after its packet", words.join(" "));
            assert!(age <= LIMIT, "{words:?}: {age:?}: {row}");
            assert!(matches!(*check, "enumeration" | "scanner") || row["handset"] == "201", "{row}");
        }
    }
}
