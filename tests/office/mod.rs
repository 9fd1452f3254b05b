//! A small office that speaks real SIP on loopback addresses: Kamailio as the PBX at 127.0.0.1, SIPp
//! as the phones at 127.0.0.2 and as the far end at 127.0.0.3.

mod have;
mod running;

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) use have::have;
use running::Running;

/// Kamailio and the far end, until it's dropped.
pub(crate) struct Office {
    folder: tempfile::TempDir,
    proxy: u16,
    running: Running,
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/office").join(name)
}

/// A port that is free for UDP and TCP at an address.
fn free_port(ip: &str) -> u16 {
    for _ in 0..100 {
        let udp = UdpSocket::bind((ip, 0)).unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind((ip, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free at {ip}");
}

impl Office {
    /// Starts both; Kamailio sends HEP copies to `collector`: a port, and perhaps `;transport=tcp`.
    pub(crate) fn open(collector: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (proxy, called) = (free_port("127.0.0.1"), free_port("127.0.0.3"));
        let config = std::fs::read_to_string(here("kamailio.cfg")).unwrap();
        let config = config
            .replace("PROXY", &proxy.to_string())
            .replace("COLLECTOR", collector)
            .replace("CALLED", &called.to_string());
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, config).unwrap();
        let mut office = Self { folder, proxy, running: Running::default() };
        let mut kamailio = Command::new("kamailio");
        kamailio.args(["-DD", "-m", "64", "-M", "8", "-f"]).arg(&file).arg("-w").arg(office.folder.path());
        office.run(kamailio, "kamailio");
        let mut far = Command::new("sipp");
        far.arg("-sf").arg(here("called.xml")).args([
            "-i",
            "127.0.0.3",
            "-nostdin",
            "-p",
            &called.to_string(),
        ]);
        office.run(far, "called");
        office.wait_until_open();
        office
    }

    /// Where Kamailio listens, over UDP and TCP.
    pub(crate) const fn port(&self) -> u16 {
        self.proxy
    }

    fn run(&mut self, mut command: Command, name: &str) {
        let log = std::fs::File::create(self.folder.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        self.running.0.push(command.current_dir(self.folder.path()).spawn().unwrap());
    }

    fn log(&self, name: &str) -> String {
        let log = std::fs::File::open(self.folder.path().join(name)).map(BufReader::new);
        log.map_or_else(
            |_| String::new(),
            |log| log.lines().map_while(Result::ok).take(60).collect::<Vec<_>>().join("\n"),
        )
    }

    fn wait_until_open(&mut self) {
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(50));
            if std::net::TcpStream::connect(("127.0.0.1", self.proxy)).is_ok() {
                return;
            }
            assert!(
                self.running.0[0].try_wait().unwrap().is_none(),
                "kamailio ended:\n{}",
                self.log("kamailio")
            );
        }
        panic!("kamailio doesn't listen:\n{}", self.log("kamailio"));
    }

    /// Phones register and call `number` and a digit or two each; waits until all hung up.
    pub(crate) fn call(&self, transport: &str, number: &str, calls: u32) {
        let output = Command::new("sipp")
            .arg("-sf")
            .arg(here("caller.xml"))
            .args(["-t", transport, "-i", "127.0.0.2", "-p", &free_port("127.0.0.2").to_string()])
            .args(["-s", number, "-m", &calls.to_string(), "-r", &calls.min(50).to_string()])
            .args(["-nostdin", "-timeout", "30", &format!("127.0.0.1:{}", self.proxy)])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let tail: String = String::from_utf8_lossy(&output.stdout).chars().rev().take(2_000).collect();
        let tail: String = tail.chars().rev().collect();
        assert!(output.status.success(), "SIPp: {}\n{tail}\n{}", output.status, self.log("kamailio"));
    }
}
