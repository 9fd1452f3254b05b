//! An office on a switch that copies everything to one port: phones, a PBX, a carrier's gateway, each
//! in a namespace of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::net::Net;
use super::running::Running;

/// Kamailio as the PBX, SIPp as the phones and as the carrier.
pub(crate) struct Office {
    /// Where the mirror port comes out, as `va`.
    pub(crate) switch: Net,
    phones: Net,
    pbx: Net,
    trunk: Net,
    folder: tempfile::TempDir,
    running: Running,
}

/// What the office is for a configuration.
pub(crate) const SITE: &str = "[site]\npbx = [\"10.0.3.2\"]\nextensions = [\"2XX\"]\n\
                               [capture]\ninterfaces = [\"va\"]\n";

pub(crate) fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

impl Office {
    /// With so many phones, at 10.0.3.11 and the following.
    pub(crate) fn open(phones: u8) -> Self {
        let mut office = Self {
            switch: Net::new(),
            phones: Net::new(),
            pbx: Net::new(),
            trunk: Net::new(),
            folder: tempfile::tempdir().unwrap(),
            running: Running::default(),
        };
        office.wire(phones);
        let config = here("live/kamailio.cfg");
        let folder = office.folder.path().to_str().unwrap().to_owned();
        let words = ["kamailio", "-DD", "-m", "64", "-M", "8", "-f", config.to_str().unwrap(), "-w", &folder];
        let pbx = office.pbx.command(&words);
        office.run(pbx, "kamailio");
        let script = here("office/called.xml");
        let words = ["sipp", "-sf", script.to_str().unwrap(), "-i", "203.0.113.9", "-p", "5060", "-nostdin"];
        let mut carrier = office.trunk.command(&words);
        carrier.args(["-max_socket", "500"]);
        office.run(carrier, "carrier");
        office.wait_for_port(&office.pbx, 2);
        office.wait_for_port(&office.trunk, 1);
        office
    }

    fn wire(&self, phones: u8) {
        let switch = &self.switch;
        switch.ip(&["link", "add", "br0", "type", "bridge"]);
        switch.ip(&["link", "set", "br0", "up"]);
        for (net, port) in [(&self.phones, "phones"), (&self.pbx, "pbx"), (&self.trunk, "gateway")] {
            switch.ip(&["link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", &net.name]);
            net.ip(&["link", "set", "eth0", "up"]);
        }
        switch.ip(&["link", "add", "va", "type", "veth", "peer", "name", "copies"]);
        switch.ip(&["link", "set", "va", "up"]);
        for port in ["phones", "pbx", "gateway", "copies"] {
            switch.ip(&["link", "set", port, "master", "br0", "up"]);
            // A switch that learns nothing sends everything to every port: the mirror port among them.
            assert!(switch.exec(&["bridge", "link", "set", "dev", port, "learning", "off"]).status.success());
        }
        for n in 0..phones {
            self.phones.ip(&["addr", "add", &format!("10.0.3.{}/24", 11 + n), "dev", "eth0"]);
        }
        self.pbx.ip(&["addr", "add", "10.0.3.2/24", "dev", "eth0"]);
        self.pbx.ip(&["addr", "add", "203.0.113.2/24", "dev", "eth0"]);
        self.trunk.ip(&["addr", "add", "203.0.113.9/24", "dev", "eth0"]);
    }

    fn run(&mut self, mut command: Command, name: &str) {
        let log = File::create(self.folder.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        self.running.0.push(command.current_dir(self.folder.path()).spawn().unwrap());
    }

    fn wait_for_port(&self, net: &Net, sockets: usize) {
        for _ in 0..200 {
            let listening = net.exec(&["ss", "-Hlnu", "sport", "=", ":5060"]).stdout;
            if String::from_utf8_lossy(&listening).lines().count() >= sockets {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody listens:\n{}\n{}", self.log("kamailio"), self.log("carrier"));
    }

    pub(crate) fn log(&self, name: &str) -> String {
        let text = std::fs::read(self.folder.path().join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Phones 201 and the following register.
    pub(crate) fn register(&self, phones: u8) {
        let all: Vec<_> = (0..phones).map(|n| (201 + u16::from(n), String::new())).collect();
        self.sipp("live/register.xml", &all, 30).finish();
    }

    /// Phones call, each one number, `rate` calls a second; ends when all have hung up, if waited for.
    pub(crate) fn call(&self, calls: &[(u16, String)], rate: u32) -> Calls {
        self.sipp("live/call.xml", calls, rate)
    }

    fn sipp(&self, script: &str, rows: &[(u16, String)], rate: u32) -> Calls {
        let mut lines = String::from("SEQUENTIAL\n");
        for (user, number) in rows {
            let ip = user - 201 + 11;
            lines +=
                &format!("{user};10.0.3.{ip};[authentication username={user} password={user}];{number}\n");
        }
        let file = tempfile::Builder::new().suffix(".csv").tempfile_in(self.folder.path()).unwrap();
        std::fs::write(file.path(), lines).unwrap();
        let script = here(script);
        let words = ["sipp", "-sf", script.to_str().unwrap(), "-inf", file.path().to_str().unwrap()];
        let mut command = self.phones.command(&words);
        // A socket for each phone's address.
        command.args(["-t", "ui", "-ip_field", "1", "-i", "10.0.3.11", "-p", "5060", "-max_socket", "500"]);
        command.args(["-m", &rows.len().to_string(), "-r", &rate.to_string(), "-timeout", "40"]);
        command.args(["-nostdin", "10.0.3.2:5060"]).current_dir(self.folder.path());
        let log = file.path().with_extension("log");
        let said = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stderr(said.try_clone().unwrap()).stdout(said);
        Calls { child: command.spawn().unwrap(), log, _rows: file }
    }
}

/// Calls under way.
pub(crate) struct Calls {
    child: Child,
    log: PathBuf,
    _rows: tempfile::NamedTempFile,
}

impl Calls {
    /// Waits until all hung up; every one must have gone as the scenario says.
    pub(crate) fn finish(mut self) {
        let ended = self.child.wait().unwrap();
        let said = std::fs::read(&self.log).unwrap();
        assert!(ended.success(), "SIPp: {ended}\n{}", String::from_utf8_lossy(&said));
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
