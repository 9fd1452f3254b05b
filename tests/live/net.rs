//! A network namespace with cables in it, and a daemon that watches one of their ends.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Why these tests can't run here; a failure where nothing may be skipped.
pub(crate) fn lacks(tools: &[&str]) -> bool {
    let have = |tool: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        found.is_ok_and(|found| found.status.success())
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !have(tool)).collect();
    let name = format!("rf{}p{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let netns = missing.is_empty() && run(&["ip", "netns", "add", &name]).status.success();
    if netns {
        run(&["ip", "netns", "del", &name]);
        return false;
    }
    let why = if missing.is_empty() {
        "network namespaces can't be made (not root?)".into()
    } else {
        format!("{missing:?} not installed")
    };
    assert!(std::env::var("CI").is_err_and(|_| true), "{why}");
    println!("skipped: {why}");
    true
}

pub(crate) fn run(words: &[&str]) -> Output {
    Command::new(words[0]).args(&words[1..]).output().unwrap_or_else(|e| panic!("{words:?}: {e}"))
}

pub(crate) fn must(words: &[&str]) -> String {
    let out = run(words);
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A namespace of its own; gone with the test.
pub(crate) struct Net {
    pub(crate) name: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Net {
    /// With loopback, and nothing that speaks by itself.
    pub(crate) fn new() -> Self {
        let name = format!("rf{}n{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        must(&["ip", "netns", "add", &name]);
        let net = Self { name };
        let quiet = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
        must(&["ip", "netns", "exec", &net.name, "sysctl", "-qw", quiet[0], quiet[1]]);
        must(&["ip", "-n", &net.name, "link", "set", "lo", "up"]);
        net
    }

    /// A cable from `watched` to `far`, plugged in.
    pub(crate) fn cable(&self, watched: &str, far: &str) {
        let add = ["ip", "-n", &self.name, "link", "add", watched, "type", "veth", "peer", "name", far];
        must(&add);
        for end in [watched, far] {
            must(&["ip", "-n", &self.name, "link", "set", end, "up"]);
        }
    }

    pub(crate) fn ip(&self, words: &[&str]) -> String {
        must(&[&["ip", "-n", &self.name], words].concat())
    }

    pub(crate) fn exec(&self, words: &[&str]) -> Output {
        run(&[&["ip", "netns", "exec", &self.name], words].concat())
    }

    /// Sends a capture into the cable; gives how many frames that were.
    pub(crate) fn replay(&self, far: &str, speed: &[&str], file: &Path) -> u64 {
        let out = self.exec(&[&["tcpreplay", "-i", far], speed, &[file.to_str().unwrap()]].concat());
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
        let sent = text.lines().find_map(|line| line.trim().strip_prefix("Successful packets:"));
        sent.unwrap_or_else(|| panic!("{text}")).trim().parse().unwrap()
    }

    /// What an end has received, or another of its figures.
    pub(crate) fn figure(&self, end: &str, figure: &str) -> u64 {
        let path = format!("/sys/class/net/{end}/statistics/{figure}");
        String::from_utf8_lossy(&self.exec(&["cat", &path]).stdout).trim().parse().unwrap()
    }

    /// A program that will run inside.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).args(words);
        command
    }

    /// Does something on a thread inside; sockets that it makes stay inside.
    pub(crate) fn inside<T: Send + 'static>(&self, body: impl FnOnce() -> T + Send + 'static) -> T {
        let netns = File::open(format!("/run/netns/{}", self.name)).unwrap();
        let thread = std::thread::spawn(move || {
            nix::sched::setns(&netns, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            body()
        });
        thread.join().unwrap()
    }

    /// Connects from inside; the socket stays inside.
    pub(crate) fn connect(&self, port: u16) -> std::io::Result<TcpStream> {
        self.inside(move || TcpStream::connect(("127.0.0.1", port)))
    }

    /// What a server inside answers, as JSON; `None` if it doesn't.
    pub(crate) fn json(&self, port: u16, path: &str) -> Option<serde_json::Value> {
        let url = format!("http://127.0.0.1:{port}{path}");
        let body = self.inside(move || ureq::get(url).call().ok()?.body_mut().read_to_string().ok())?;
        serde_json::from_str(&body).ok()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        run(&["ip", "netns", "del", &self.name]);
    }
}

/// A running daemon; killed with the test.
pub(crate) struct Daemon<'a> {
    pub(crate) net: &'a Net,
    pub(crate) child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
}

const BIN: &str = env!("CARGO_BIN_EXE_ringfence");

impl<'a> Daemon<'a> {
    /// Starts it with a configuration beside the sockets' own, and waits until it is ready.
    pub(crate) fn start(net: &'a Net, config: &str) -> Self {
        let daemon = Self::spawn(net, config, &[], &[]);
        daemon.wait("ready", || daemon.log().contains("ready"));
        daemon
    }

    pub(crate) fn spawn(net: &'a Net, config: &str, before: &[&str], env: &[(&str, &str)]) -> Self {
        Self::spawn_in(tempfile::tempdir().unwrap(), net, config, before, env)
    }

    /// The same in a folder that is there already, with what a former run left in it.
    pub(crate) fn spawn_in(
        folder: tempfile::TempDir,
        net: &'a Net,
        config: &str,
        before: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        // Others have to pass through it: the daemon isn't root for long.
        let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        write_config(folder.path(), config);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &net.name]).args(before).arg(BIN);
        command.arg("--config").arg(folder.path().join("c.toml")).arg("run");
        command.envs(env.iter().copied()).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { net, child: command.spawn().unwrap(), folder, port: 9765 }
    }

    /// The folder of a daemon that has ended, for the next one.
    pub(crate) fn keep(&mut self) -> tempfile::TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    pub(crate) fn config(&self, config: &str) {
        write_config(self.folder.path(), config);
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        must(&["kill", signal, &self.child.id().to_string()]);
    }

    /// Waits for something, for a while; gives how long it took.
    pub(crate) fn wait(&self, what: &str, done: impl Fn() -> bool) -> Duration {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(30), "never: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    /// One request, headers and all; the answer as text.
    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = self.net.connect(self.port).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A request that is too long is answered before it's whole: the rest finds a closed door.
        let whole = format!("{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(whole.as_bytes());
        let mut answer = Vec::new();
        // A reset after the answer is as good as an end.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let answer = self.ask(&format!("GET {path} HTTP/1.1"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The value of a series; 0 if it isn't there.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        let text = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse::<f64>().unwrap() as u64)
    }

    /// A command on the running state.
    pub(crate) fn command(&self, words: &[&str]) -> Output {
        let config = self.folder.path().join("c.toml");
        run(&[&[BIN, "--config", config.to_str().unwrap()], words].concat())
    }

    /// A field of the status of every thread.
    pub(crate) fn threads(&self) -> Vec<(String, Vec<(String, String)>)> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        tasks
            .flatten()
            .map(|task| {
                let status = std::fs::read_to_string(task.path().join("status")).unwrap();
                let pairs = status.lines().filter_map(|line| line.split_once(':'));
                let pairs: Vec<_> = pairs.map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect();
                (pairs[0].1.clone(), pairs)
            })
            .collect()
    }

    /// Resident memory in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_config(folder: &Path, config: &str) {
    let own = "[control]\nsocket = \"run/control.sock\"\n[store]\npath = \"state/ringfence.db\"\n";
    std::fs::write(folder.join("c.toml"), format!("{own}{config}")).unwrap();
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name).join("capture.pcap")
}

/// Two authorities, `ca` and `other`; a `server` for 127.0.0.1 and a `client` that the first vouches for.
pub(crate) fn certificates(folder: &Path) {
    let script = "cd $0; for n in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout $n.key -out $n.pem -days 2 -subj /CN=$n; done; \
        for n in server client; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $n.key \
        -out $n.csr -subj /CN=$n; printf 'subjectAltName=IP:127.0.0.1\n' >ext; \
        openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out $n.pem; done";
    must(&["sh", "-ec", script, folder.to_str().unwrap()]);
}
