//! Mail over STARTTLS with a login, to a real server: what goes wrong is said, and nothing is lost.

use std::path::Path;
use std::time::{Duration, Instant};

use ringfence::store::Reader;

use super::alarm::{Beside, until};
use super::net::{Daemon, Net, certificates, fixture, lacks, run};
use super::sinks::secret;

const TOOLS: [&str; 6] = ["ip", "tcpreplay", "sysctl", "kill", "openssl", "aiosmtpd"];
const SOON: Duration = Duration::from_secs(20);
const RIGHT: &str = "right-canary-of-this-test";
const WRONG: &str = "wrong-canary-of-this-test";

fn config(ca: &str) -> String {
    format!(
        "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n[run]\nuser = \"nobody\"\n\
         [notify.email]\nserver = \"127.0.0.1:2525\"\nuser = \"ringfence\"\npassword_file = \"secret\"\n\
         ca_file = \"{ca}.pem\"\nfrom = \"ringfence@office.example\"\nto = [\"admin@office.example\"]\n"
    )
}

/// The server, waiting for mail.
fn server(net: &Net, folder: &Path, log: &Path) -> Beside {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/smtp.py");
    let [certificate, key, users] = ["server.pem", "server.key", "users"].map(|name| folder.join(name));
    let paths = [&certificate, &key, &users].map(|path| path.to_str().unwrap());
    let words = ["/usr/bin/python3", "-u", script, "2525", paths[0], paths[1], paths[2]];
    let server = Beside::start(net, &words, log);
    until("the mail server runs", SOON, || {
        std::fs::read_to_string(log).unwrap().contains("READY").then_some(())
    });
    server
}

#[test]
fn mail_with_a_login_says_what_is_wrong_and_loses_nothing() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let keys = tempfile::tempdir().unwrap();
    certificates(keys.path());
    std::fs::write(keys.path().join("users"), format!("ringfence:{RIGHT}")).unwrap();
    let own = tempfile::tempdir().unwrap();
    for name in ["ca.pem", "other.pem"] {
        std::fs::copy(keys.path().join(name), own.path().join(name)).unwrap();
    }
    secret(own.path(), WRONG);
    let log = keys.path().join("smtp.log");
    let mails = || std::fs::read_to_string(&log).unwrap();
    let smtp = server(&net, keys.path(), &log);
    let daemon = Daemon::spawn_in(own, &net, &config("ca"), &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let drill = || {
        let out = daemon.command(&["drill", "--fire"]);
        (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    };
    let failed = || daemon.metric("ringfence_sink_failed_total{sink=\"email\"}");

    // A wrong password: counted, said once in the log, and the alert waits.
    let (fine, said) = drill();
    assert!(!fine && said.contains("refuses user or password"), "{said}");
    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    daemon.wait("attempts", || failed() >= 3);
    let refused = "email can't be told: the server refuses user or password (it says 535)";
    assert_eq!(daemon.log().matches(refused).count(), 1, "{}", daemon.log());
    let status = daemon.command(&["status"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let line = status.lines().find(|line| line.starts_with("email ")).unwrap_or_else(|| panic!("{status}"));
    assert!(line.contains("FAILS") && line.contains("refuses user or password"), "{line}");
    assert!(mails().contains("LOGIN bad") && !mails().contains("MAIL"), "{}", mails());

    // The right one, after a reload: what waited is told.
    secret(daemon.folder.path(), RIGHT);
    assert!(daemon.command(&["reload"]).status.success());
    until("the mail", SOON, || mails().contains("MAIL tls ringfence").then_some(()));
    daemon.wait("the log says so", || daemon.log().contains("email is told again"));
    assert!(
        mails().contains("To: admin@office.example") && mails().contains("Subject: [ringfence]"),
        "{}",
        mails()
    );
    let (fine, said) = drill();
    assert!(fine, "{said}");

    // A certificate that nobody vouches for: no mail, no password either.
    daemon.config(&config("other"));
    assert!(daemon.command(&["reload"]).status.success());
    let logins = mails().matches("LOGIN").count();
    let (fine, said) = drill();
    assert!(!fine && said.contains("certificate"), "{said}");
    println!("a certificate of another authority: {}", said.lines().nth(1).unwrap_or_default());
    assert_eq!(mails().matches("LOGIN").count(), logins);
    daemon.config(&config("nosuch"));
    let refused = daemon.command(&["reload"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("notify.email.ca_file"), "{refused:?}");
    daemon.config(&config("ca"));
    assert!(daemon.command(&["reload"]).status.success());

    // Nobody there: the outbox tries again, over a restart too, and each message comes once.
    smtp.stop();
    let before = failed();
    let capture = daemon.folder.path().join("weak.pcap");
    let made = ["drill", "weak_office", "--seed", "1", "-o", capture.to_str().unwrap()];
    assert!(daemon.command(&made).status.success());
    net.replay("vb", &["-t"], &capture);
    daemon.wait("attempts without a server", || failed() > before);
    let pages = || daemon.command(&["alerts", "--open", "--json"]);
    daemon.wait("alerts", || String::from_utf8_lossy(&pages().stdout).lines().count() >= 15);
    std::thread::sleep(Duration::from_secs(1));
    assert!(daemon.log().contains("email can't be told: no connection"), "{}", daemon.log());
    let texts =
        [daemon.log(), daemon.get("/metrics"), daemon.get("/api/v1/status"), daemon.get("/api/v1/alerts")];
    let mut daemon = daemon;
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    let store = std::fs::read(daemon.folder.path().join("state/ringfence.db")).unwrap();
    for text in texts.iter().map(String::as_bytes).chain([store.as_slice()]) {
        for canary in [RIGHT, WRONG] {
            assert!(
                !text.windows(canary.len()).any(|window| window == canary.as_bytes()),
                "no password anywhere"
            );
        }
    }
    let folder = daemon.keep();
    let letters = |folder: &Path| {
        let reader = Reader::open(&folder.join("state/ringfence.db")).unwrap();
        reader.letters("email").unwrap().len()
    };
    let waiting = letters(folder.path());
    assert!(waiting >= 10, "{waiting} letters wait");
    let daemon = Daemon::spawn_in(folder, &net, &config("ca"), &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let later = keys.path().join("later.log");
    let _smtp = server(&net, keys.path(), &later);
    let mails = || std::fs::read_to_string(&later).unwrap();
    let back = Instant::now();
    until("all that waited is told", Duration::from_secs(90), || {
        (letters(daemon.folder.path()) == 0).then_some(())
    });
    let text = mails();
    let mut ids: Vec<&str> = text.lines().filter(|line| line.starts_with("Message-ID:")).collect();
    let all = ids.len();
    println!(
        "{waiting} letters waited over a restart: {all} mails {:.1?} after the server was back",
        back.elapsed()
    );
    ids.sort_unstable();
    ids.dedup();
    assert!(all > 0 && ids.len() == all, "each once: {ids:?}");
    run(&["rm", "-f", capture.to_str().unwrap()]);
}
