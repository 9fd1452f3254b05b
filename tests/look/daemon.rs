//! A daemon that listens to HEP on loopback, until it's dropped.

use std::fs::OpenOptions;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) struct Daemon {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) http: u16,
    pub(crate) hep: u16,
}

/// Tests may run as root, without a user to become.
const ROOT: [&str; 1] = ["--allow-root"];

impl Daemon {
    /// `site` is added to the configuration's `[site]`.
    pub(crate) fn start(site: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let hep = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[site]\npbx = [\"10.0.3.2/32\"]\n{site}[capture.hep]\nlisten = \"127.0.0.1:{hep}\"\n\
             [http]\nlisten = \"127.0.0.1:{http}\"\n[control]\nsocket = \"control.sock\"\n\
             [store]\npath = \"ringfence.db\"\n"
        );
        std::fs::write(folder.path().join("ringfence.toml"), text).unwrap();
        let child = spawn(folder.path());
        let mut daemon = Self { child, folder, http, hep };
        daemon.wait_until_ready();
        daemon
    }

    /// Starts it once more after it was stopped, with all that it left.
    pub(crate) fn again(&mut self) {
        self.child = spawn(self.folder.path());
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let ready = (0..400).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            self.get("/-/ready").is_some_and(|answer| answer == "ok\n")
        });
        assert!(ready, "{:?}: {}", self.child.try_wait(), self.log());
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it as systemd does, and waits until all is on disk.
    pub(crate) fn stop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let ended = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            self.child.try_wait().unwrap().is_some()
        });
        assert!(ended, "{}", self.log());
    }

    /// What a page says, if it answers.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut answer = ureq::get(format!("http://127.0.0.1:{}{path}", self.http)).call().ok()?;
        answer.body_mut().read_to_string().ok()
    }
}

fn spawn(folder: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.arg("--config").arg(folder.join("ringfence.toml")).arg("run").args(ROOT);
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
