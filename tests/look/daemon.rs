//! A daemon that listens to HEP on loopback, until it's dropped.

use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Daemon {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) http: u16,
    pub(crate) hep: u16,
}

/// Tests may run as root, without a user to become.
const ROOT: [&str; 0] = [];

impl Daemon {
    /// `more` is added to its configuration.
    pub(crate) fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let hep = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("ringfence.toml");
        let text = format!(
            "[site]\npbx = [\"10.0.3.2/32\"]\n[capture.hep]\nlisten = \"127.0.0.1:{hep}\"\n\
             [http]\nlisten = \"127.0.0.1:{http}\"\n[control]\nsocket = \"control.sock\"\n\
             [store]\npath = \"ringfence.db\"\n{more}"
        );
        std::fs::write(&config, text).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        command.arg("--config").arg(&config).arg("run").args(ROOT);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut daemon = Self { child, folder, http, hep };
        let until = Instant::now() + Duration::from_secs(20);
        while daemon.get("/-/ready").is_none_or(|answer| answer != "ok\n") {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{ended:?}: {}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What a page says, if it answers.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut answer = ureq::get(format!("http://127.0.0.1:{}{path}", self.http)).call().ok()?;
        answer.body_mut().read_to_string().ok()
    }

    /// Ends it as systemd would.
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
