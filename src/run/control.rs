//! The control socket: whoever may open it may see everything and give commands.
//!
//! In: one JSON object a line. Out: one JSON object a line.
//! Never: reachable by anybody but its owner and root; held up by a slow client.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::clock::wall;
use super::decide::Asked;
use super::lesson::{Learnt, Lesson};
use super::outlet::{Fire, Fired};
use crate::export::api::{Api, Query};
use crate::judge::Command;
use crate::learn::PastCall;
use crate::text::Text;
use crate::time::{Span, Timestamp, since};

/// What can be asked of a running daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum Ask {
    /// Incidents.
    Alerts {
        /// Only open ones.
        #[serde(default)]
        open: bool,
        /// `24h`, `7d`, a day or a time.
        #[serde(default)]
        since: Option<String>,
        /// At the most so many, the newest.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// Calls.
    Calls {
        /// `24h`, `7d`, a day or a time.
        #[serde(default)]
        since: Option<String>,
        /// At the most so many, the newest.
        #[serde(default)]
        limit: Option<usize>,
    },
    /// The inventory.
    Handsets,
    /// The checklist of handset security.
    Posture,
    /// How the program fares.
    Status,
    /// Accepts an incident for a while.
    Ack {
        /// Its number.
        id: u64,
        /// For how many seconds.
        seconds: i64,
        /// Why.
        why: String,
    },
    /// Reads the configuration again.
    Reload,
    /// Sends a marked test incident through every sink.
    Fire,
    /// Learns from past calls, in time order: all `Learn` of one connection, up to the last.
    Learn {
        /// Some of them.
        calls: Vec<Past>,
        /// Whether no more follow.
        last: bool,
    },
}

/// A past call. Times are in microseconds, of the Unix epoch or long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    time: i64,
    account: String,
    dialled: String,
    setup: i64,
    /// Unless nobody answered.
    talked: Option<i64>,
}

impl Past {
    fn new(call: &PastCall) -> Self {
        Self {
            time: call.time.0,
            account: call.account.to_string(),
            dialled: call.dialled.to_string(),
            setup: call.setup.0,
            talked: call.talked.map(|talked| talked.0),
        }
    }

    fn call(&self) -> PastCall {
        let long = |micros: i64| Span(micros.clamp(0, Span::DAY.0));
        PastCall {
            time: Timestamp(self.time),
            account: Text::new(self.account.as_bytes()),
            dialled: Text::new(self.dialled.as_bytes()),
            setup: long(self.setup),
            talked: self.talked.map(long),
        }
    }
}

/// Clients at a time, the longest question, and the longest a client may take for one.
const CLIENTS: usize = 16;
const LONGEST: u64 = 1_024 * 1_024;
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest a command to the judge or the sinks may take.
const ANSWER: Duration = Duration::from_secs(20);
/// An acceptance ends at some time: a year at the latest.
const LONGEST_ACK: i64 = 366 * 86_400;
/// Bytes of a reason.
const LONGEST_WHY: usize = 500;
/// Past calls that are sent at a time: the judge is away from its work for some milliseconds.
const PAST_CALLS: usize = 2_000;

/// The socket, bound.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds it. A socket that another daemon left behind is taken over; one that answers isn't.
    pub(super) fn bind(path: &Path) -> Result<Self, String> {
        let failed = |e: io::Error| format!("[control] socket {}: {e}", path.display());
        if UnixStream::connect(path).is_ok() {
            return Err(format!("[control] socket {}: another ringfence answers there", path.display()));
        }
        if path.exists() {
            use std::os::unix::fs::FileTypeExt;
            let kind = std::fs::symlink_metadata(path).map_err(failed)?.file_type();
            if !kind.is_socket() {
                return Err(format!("[control] socket {}: there is a file of that name", path.display()));
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// Those who do what is asked.
pub(super) struct Doers {
    pub(super) api: Arc<Api>,
    pub(super) judge: SyncSender<Asked>,
    pub(super) fires: SyncSender<Fire>,
    pub(super) teach: SyncSender<Lesson<PastCall>>,
    pub(super) reload: mpsc::Sender<oneshot::Sender<Result<(), String>>>,
}

/// Serves until dropped, then takes the socket away.
pub(super) async fn serve(control: Control, doers: Arc<Doers>) -> io::Result<()> {
    let _gone = Gone(control.path);
    let listener = tokio::net::UnixListener::from_std(control.listener)?;
    let room = Arc::new(Semaphore::new(CLIENTS));
    let mut number: u64 = 0;
    loop {
        number = number.wrapping_add(1);
        // A client that finds no room waits in the kernel's queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        match listener.accept().await {
            Ok((stream, _)) => {
                let doers = Arc::clone(&doers);
                tokio::spawn(async move {
                    let _place = place;
                    // Whatever happens to one client is its own affair.
                    let _ = client(stream, &doers, number).await;
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One client; `number` tells its lesson from others'.
async fn client(stream: tokio::net::UnixStream, doers: &Doers, number: u64) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let question = question(&mut read, &mut write, doers, number);
        if !tokio::time::timeout(PATIENCE, question).await.map_err(io::Error::other)?? {
            return Ok(());
        }
    }
}

/// One question and its answer; false if no more can follow.
async fn question(
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
    doers: &Doers,
    number: u64,
) -> io::Result<bool> {
    let mut line = Vec::new();
    let n = read.take(LONGEST).read_until(b'\n', &mut line).await?;
    if n == 0 {
        return Ok(false);
    }
    let whole = line.ends_with(b"\n");
    let answer =
        if whole { answer(&line, doers, number).await } else { Err("the question is too long".into()) };
    let answer = answer.map_or_else(
        |why| json!({ "ok": false, "error": why }).to_string(),
        |body| format!("{{\"ok\":true,{body}}}"),
    );
    write.write_all(answer.as_bytes()).await?;
    write.write_all(b"\n").await?;
    Ok(whole)
}

/// Does what a line asks; the answer is the inside of an object.
async fn answer(line: &[u8], doers: &Doers, number: u64) -> Result<String, String> {
    let ask: Ask = serde_json::from_slice(line).map_err(|e| format!("not understood: {e}"))?;
    let api = &doers.api;
    let query = |open, since: Option<String>, limit| {
        let since = match since {
            None => None,
            Some(text) => Some(crate::time::since(&text, wall()).ok_or_else(|| not_a_time(&text))?),
        };
        Ok::<_, String>(Query { open, since, limit })
    };
    match ask {
        Ask::Alerts { open, since, limit } => Ok(records(&api.alerts(&query(open, since, limit)?))),
        Ask::Calls { since, limit } => Ok(records(&api.calls(&query(false, since, limit)?))),
        Ask::Handsets => Ok(records(&api.handsets(&Query::default()))),
        Ask::Posture => Ok(records(&api.posture(&Query::default()))),
        Ask::Status => Ok(format!("\"status\":{}", api.status())),
        Ask::Ack { id, seconds, why } => acknowledge(doers, id, seconds, why).await,
        Ask::Reload => reload(doers).await,
        Ask::Fire => fire(doers).await,
        Ask::Learn { calls, last } => learn(doers, number, &calls, last).await,
    }
}

fn not_a_time(text: &str) -> String {
    let text = crate::text::escape(text.as_bytes());
    format!("\"{text}\" isn't a time: write 24h, 7d, 2026-11-26 or 2026-11-26T08:00:00Z")
}

fn records(lines: &[String]) -> String {
    format!("\"records\":[{}]", lines.join(","))
}

async fn acknowledge(doers: &Doers, id: u64, seconds: i64, why: String) -> Result<String, String> {
    check_ack(seconds, &why)?;
    let until = wall().plus(Span::seconds(seconds));
    let (answer, answered) = sync_channel(1);
    let command = Command::Acknowledge { id, until, why };
    doers.judge.try_send(Asked { command, answer }).map_err(|_| "the judge is too busy".to_owned())?;
    // The judge answers within a turn of its loop; the thread that serves readers doesn't wait for it.
    let done = tokio::task::spawn_blocking(move || answered.recv_timeout(ANSWER)).await;
    match done {
        Ok(Ok(true)) => Ok(format!("\"id\":{id},\"until\":{}", Value::from(until.to_string()))),
        Ok(Ok(false)) => Err(format!("there is no open alert {id}")),
        _ => Err("the judge didn't answer".to_owned()),
    }
}

async fn learn(doers: &Doers, number: u64, calls: &[Past], last: bool) -> Result<String, String> {
    let (answer, answered) = sync_channel(1);
    let calls = calls.iter().map(Past::call).collect();
    doers.teach.try_send(Lesson { number, calls, last, answer }).map_err(|_| "the sensor is too busy")?;
    let done = tokio::task::spawn_blocking(move || answered.recv_timeout(ANSWER)).await;
    match done {
        Ok(Ok(Ok(Learnt { calls, known }))) => Ok(format!("\"learnt\":{calls},\"known\":{known}")),
        Ok(Ok(Err(why))) => Err(why.to_owned()),
        _ => Err("the judge didn't answer".to_owned()),
    }
}

async fn reload(doers: &Doers) -> Result<String, String> {
    let (answer, answered) = oneshot::channel();
    doers.reload.send(answer).await.map_err(|_| "it is ending".to_owned())?;
    answered.await.map_err(|_| "it is ending".to_owned())??;
    Ok("\"reloaded\":true".to_owned())
}

async fn fire(doers: &Doers) -> Result<String, String> {
    let (answer, answered) = sync_channel(1);
    doers.fires.try_send(answer).map_err(|_| "a fire drill is under way".to_owned())?;
    let fired: Vec<Fired> = match tokio::task::spawn_blocking(move || answered.recv_timeout(ANSWER)).await {
        Ok(Ok(fired)) => fired,
        _ => return Err("the sinks didn't answer".to_owned()),
    };
    let fired = serde_json::to_string(&fired).map_err(|e| e.to_string())?;
    Ok(format!("\"fired\":{fired}"))
}

/// Asks a running daemon.
///
/// # Errors
/// Why there's no answer and what to do, or what the daemon says is wrong.
pub fn ask(socket: &Path, ask: &Ask) -> Result<Value, String> {
    Asking::new(socket)?.ask(ask)
}

/// Lets a running daemon learn from past calls, which are in time order; the answer says how many it
/// learnt from, and how many it passed over because they aren't older than what it knows.
///
/// # Errors
/// As `ask`.
pub fn teach(socket: &Path, calls: &[PastCall]) -> Result<Value, String> {
    let mut asking = Asking::new(socket)?;
    let mut rest = calls;
    loop {
        let (some, more) = rest.split_at(rest.len().min(PAST_CALLS));
        let last = more.is_empty();
        let answer = asking.ask(&Ask::Learn { calls: some.iter().map(Past::new).collect(), last })?;
        if last {
            return Ok(answer);
        }
        rest = more;
    }
}

/// A connection to a running daemon.
struct Asking {
    place: String,
    stream: std::io::BufReader<UnixStream>,
}

impl Asking {
    fn new(socket: &Path) -> Result<Self, String> {
        let place = socket.display().to_string();
        let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!("{place}: not permitted: ask as root or as the user that the daemon runs as")
            }
            _ => format!(
                "no ringfence answers at {place} ({error}): start it with `systemctl start ringfence` or \
                 `ringfence run`, or name its configuration with --config"
            ),
        })?;
        let lost = |error: io::Error| format!("{place}: {error}");
        stream.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(lost)?;
        Ok(Self { place, stream: std::io::BufReader::new(stream) })
    }

    fn ask(&mut self, ask: &Ask) -> Result<Value, String> {
        use std::io::{BufRead, Read, Write};
        let place = &self.place;
        let lost = |error: io::Error| format!("{place}: {error}");
        let mut line = serde_json::to_vec(ask).map_err(|e| e.to_string())?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).map_err(lost)?;
        let mut answer = String::new();
        // Records are bounded in number and size; nobody sends more than that.
        let mut read = (&mut self.stream).take(256 * 1_024 * 1_024);
        read.read_line(&mut answer).map_err(lost)?;
        let answer: Value = serde_json::from_str(&answer).map_err(|e| format!("{place}: no answer: {e}"))?;
        match answer["ok"].as_bool() {
            Some(true) => Ok(answer),
            _ => Err(answer["error"].as_str().unwrap_or("it said no").to_owned()),
        }
    }
}

/// Whether an alert can be accepted for so long and for this reason; what to write if not.
///
/// # Errors
/// What to write.
pub fn check_ack(seconds: i64, why: &str) -> Result<(), String> {
    if !(1..=LONGEST_ACK).contains(&seconds) {
        return Err("--for: an alert can be accepted for a second up to a year (366d)".to_owned());
    }
    if why.trim().is_empty() || why.len() > LONGEST_WHY {
        return Err(format!("--why: say why, in at most {LONGEST_WHY} bytes"));
    }
    Ok(())
}

/// Whether a text means a time for `--since`; what to write if it doesn't.
///
/// # Errors
/// What to write.
pub fn check_since(text: &str) -> Result<(), String> {
    since(text, wall()).map(drop).ok_or_else(|| not_a_time(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_what_they_look_like() {
        let ask: Ask = serde_json::from_str(r#"{"command":"alerts","open":true}"#).unwrap();
        assert_eq!(ask, Ask::Alerts { open: true, since: None, limit: None });
        assert!(serde_json::from_str::<Ask>(r#"{"command":"alerts","shut":true}"#).is_err());
        assert!(serde_json::from_str::<Ask>(r#"{"command":"rm"}"#).is_err());
    }

    #[test]
    fn a_socket_left_behind_is_taken_over_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        let control = Control::bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Control::bind(&path).is_err_and(|why| why.contains("another")));
        drop(control);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(Control::bind(&path).is_err_and(|why| why.contains("a file")));
    }

    #[test]
    fn nobody_there_is_said_with_the_cure() {
        let error = ask(Path::new("/nonexistent/control.sock"), &Ask::Status).unwrap_err();
        assert!(error.contains("/nonexistent/control.sock") && error.contains("ringfence run"), "{error}");
    }
}
