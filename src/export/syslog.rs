//! Syslog: RFC 5424 messages over UDP (RFC 5426), TCP with octet counting (RFC 6587) or a Unix socket.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::client::Outcome;
use super::courier::Carrier;
use super::post::Notice;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// `host:514` or `udp://host:514`
    Udp(String),
    /// `tcp://host:601`
    Tcp(String),
    /// `unix:///dev/log`
    Unix(String),
}

impl Server {
    /// From the configuration's text; `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let address = |text: &str| {
            let (host, port) = text.rsplit_once(':')?;
            (!host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)).then(|| text.to_owned())
        };
        match text.split_once("://") {
            None => address(text).map(Self::Udp),
            Some(("udp", rest)) => address(rest).map(Self::Udp),
            Some(("tcp", rest)) => address(rest).map(Self::Tcp),
            Some(("unix", path)) if path.starts_with('/') => Some(Self::Unix(path.to_owned())),
            Some(_) => None,
        }
    }
}

/// Sends messages. Each attempt connects anew: alerts are rare, and a connection that has been idle
/// for days may be dead without anybody knowing.
pub(super) struct Syslog {
    server: Server,
    host: String,
}

const AT_MOST: Duration = Duration::from_secs(5);
/// A receiver need not take more (RFC 5424 section 6.1); longer messages are cut.
const MOST: usize = 2_048;
/// Security and authorisation messages.
const FACILITY: u8 = 10;

impl Syslog {
    pub(super) fn new(server: Server) -> Self {
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        Self {
            server,
            host: host.filter(|name| name.is_ascii() && !name.is_empty()).unwrap_or_else(|| "-".to_owned()),
        }
    }

    fn send(&self, notices: &[Notice]) -> io::Result<()> {
        let messages = notices.iter().map(|notice| message(notice, &self.host));
        match &self.server {
            Server::Udp(address) => {
                let address = resolve(address)?;
                let socket = UdpSocket::bind(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
                socket.connect(address)?;
                for message in messages {
                    socket.send(message.as_bytes())?;
                }
                Ok(())
            }
            Server::Tcp(address) => {
                let mut stream = TcpStream::connect_timeout(&resolve(address)?, AT_MOST)?;
                stream.set_write_timeout(Some(AT_MOST))?;
                stream.set_read_timeout(Some(AT_MOST))?;
                for message in messages {
                    stream.write_all(format!("{} {message}", message.len()).as_bytes())?;
                }
                stream.shutdown(Shutdown::Write)?;
                // A receiver that is gone resets the connection; one that lives closes it, or is silent.
                match stream.read(&mut [0; 64]) {
                    Err(error)
                        if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        Err(error)
                    }
                    _ => Ok(()),
                }
            }
            Server::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                socket.set_write_timeout(Some(AT_MOST))?;
                messages.map(|message| socket.send(message.as_bytes())).try_for_each(|sent| sent.map(drop))
            }
        }
    }
}

fn resolve(address: &str) -> io::Result<std::net::SocketAddr> {
    address.to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

impl Carrier for Syslog {
    fn carry(&mut self, notices: &[Notice]) -> Outcome {
        match self.send(notices) {
            Ok(()) => Outcome::Arrived,
            Err(error) => Outcome::Later(error.kind().to_string(), None),
        }
    }
}

fn message(notice: &Notice, host: &str) -> String {
    let severity = match (notice.state.as_str(), notice.urgency()) {
        ("cleared", _) => 5,
        (_, 2) => 2,
        (_, 1) => 4,
        _ => 6,
    };
    let mut out = format!(
        "<{}>1 {} {host} ringfence {} {} [ringfence@32473",
        FACILITY * 8 + severity,
        notice.at(),
        std::process::id(),
        notice.rule
    );
    for (name, value) in [
        ("id", &notice.id()),
        ("site", &notice.site),
        ("handset", &notice.label),
        ("state", &notice.state),
        ("severity", &notice.severity),
    ] {
        let _ = write!(out, " {name}=\"{}\"", escaped(value));
    }
    // The byte order mark says that the text is UTF-8 (RFC 5424 section 6.4).
    let _ = write!(out, "] \u{feff}{}", notice.sentence.replace(char::is_control, " "));
    let mut end = out.len().min(MOST);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// RFC 5424 section 6.3.3: a quotation mark, a backslash and a closing bracket are escaped.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn notice(sentence: &str) -> Notice {
        Notice {
            incident: "5-1".to_owned(),
            site: "of\"fi]ce".to_owned(),
            label: "214".to_owned(),
            state: "raised".to_owned(),
            rule: "spend".to_owned(),
            severity: "critical".to_owned(),
            time: 5,
            sentence: sentence.to_owned(),
            record: "{}".to_owned(),
        }
    }

    #[test]
    fn a_message_is_one_line_of_rfc_5424() {
        let line = message(&notice("a\r\n<13>1 forged"), "probe");
        let head = "<82>1 1970-01-01T00:00:00.000005Z probe ringfence ";
        let tail = " spend [ringfence@32473 id=\"5-1-raised-5\" site=\"of\\\"fi\\]ce\" handset=\"214\" state=\"raised\" \
                    severity=\"critical\"] \u{feff}a  <13>1 forged";
        assert!(line.starts_with(head) && line.ends_with(tail) && !line.contains('\n'), "{line}");
        assert!(message(&notice(&"ü".repeat(5_000)), "probe").len() <= MOST);
    }

    #[test]
    fn servers_as_they_are_written() {
        assert_eq!(Server::parse("log:514"), Some(Server::Udp("log:514".to_owned())));
        assert_eq!(Server::parse("tcp://[::1]:601"), Some(Server::Tcp("[::1]:601".to_owned())));
        assert_eq!(Server::parse("unix:///dev/log"), Some(Server::Unix("/dev/log".to_owned())));
        for wrong in ["log", "log:0", "tls://log:6514", "unix://log", ":514"] {
            assert_eq!(Server::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_transport_delivers_and_a_dead_one_says_so() {
        let soon = Some(Duration::from_secs(5));
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(soon).unwrap();
        let to = |server: String| Syslog::new(Server::parse(&server).unwrap());
        let udp_address = udp.local_addr().unwrap();
        assert_eq!(to(format!("udp://{udp_address}")).carry(&[notice("by UDP")]), Outcome::Arrived);
        let mut buffer = [0; MOST];
        let got = udp.recv(&mut buffer).unwrap();
        assert!(buffer[..got].ends_with(b"by UDP"));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let unix = UnixDatagram::bind(&path).unwrap();
        assert_eq!(to(format!("unix://{}", path.display())).carry(&[notice("by socket")]), Outcome::Arrived);
        let got = unix.recv(&mut buffer).unwrap();
        assert!(buffer[..got].ends_with(b"by socket"));

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let mut text = String::new();
            listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
            text
        });
        let tcp = format!("tcp://{address}");
        assert_eq!(to(tcp.clone()).carry(&[notice("by TCP"), notice("twice")]), Outcome::Arrived);
        let text = server.join().unwrap();
        let (length, rest) = text.split_once(' ').unwrap();
        assert!(rest[..length.parse().unwrap()].ends_with("by TCP"), "{text}");
        assert!(matches!(to(tcp).carry(&[notice("too late")]), Outcome::Later(..)), "nobody listens");
    }
}
