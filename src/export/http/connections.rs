//! Connections: bounded in number, in time and in what they may send.
//!
//! In: a listener. Out: requests for the router.
//! Never: stops accepting: when there's no room, or no descriptor left, the oldest connection goes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::{HEAD, LIFETIME, PATIENCE};

/// Connections at a time.
const MOST: usize = 2_048;
/// Connections that go at once when no descriptor is left.
const SHED: usize = 16;

/// The open connections, oldest first.
#[derive(Default)]
struct Open {
    handles: Mutex<BTreeMap<u64, AbortHandle>>,
}

impl Open {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, AbortHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the oldest connections go.
    fn shed(&self, n: usize) {
        let mut handles = self.lock();
        for _ in 0..n {
            if let Some((_, handle)) = handles.pop_first() {
                handle.abort();
            }
        }
    }
}

pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) -> io::Result<()> {
    let open = Arc::<Open>::default();
    // With it there's always one descriptor more to be had.
    let null = File::open("/dev/null")?;
    let mut reserve = null.try_clone().ok();
    let mut number = 0_u64;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                if is_shortage(&error) {
                    drop(reserve.take());
                    open.shed(SHED);
                    tokio::task::yield_now().await;
                    reserve = null.try_clone().ok();
                }
                // The connection may also be gone already.
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
        };
        if open.lock().len() >= MOST {
            open.shed(1);
        }
        number = number.wrapping_add(1);
        let task = tokio::spawn(connection(stream, tls.clone(), router.clone(), Arc::clone(&open), number));
        open.lock().insert(number, task.abort_handle());
    }
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: nothing is wrong with the listener, there's only too much open.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24 | 105 | 12))
}

/// Takes the connection's number out of the list, however it ends.
struct Closed(Arc<Open>, u64);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    open: Arc<Open>,
    number: u64,
) {
    let _closed = Closed(open, number);
    // A small answer shall not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return speak(stream, router).await };
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
        speak(stream, router).await;
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // However it ends, there's nobody left to tell.
    let _ = tokio::time::timeout(LIFETIME, connection).await;
}
