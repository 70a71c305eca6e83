//! A proxy that cuts a connection after so many octets.

use std::io::{Read as _, Result, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere.
    Never,
    /// After so many octets to the client.
    ToClient(u64),
    /// After so many octets to the server.
    ToServer(u64),
}

/// Forwards connections from a free port of 127.0.0.1 to another port and cuts each as told; ends when dropped.
#[derive(Debug)]
pub struct CutProxy {
    /// The port to connect to.
    pub port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: u16,
    cut: Mutex<Cut>,
    to_client: AtomicU64,
    to_server: AtomicU64,
    stop: AtomicBool,
}

impl CutProxy {
    /// Forwards to `target` on 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: u16, cut: Cut) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            target,
            cut: Mutex::new(cut),
            to_client: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let accepting = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Ok(Self { port, shared, accepting: Some(accepting) })
    }

    /// Where connections made from now on are cut.
    pub fn set_cut(&self, cut: Cut) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// Octets forwarded to clients and to the server since the start.
    pub fn forwarded(&self) -> (u64, u64) {
        (self.shared.to_client.load(Ordering::SeqCst), self.shared.to_server.load(Ordering::SeqCst))
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(accepting) = self.accepting.take() {
            let _ended = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let Ok(server) = TcpStream::connect(("127.0.0.1", shared.target)) else { continue };
        let cut = *shared.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let (to_client, to_server) = match cut {
            Cut::Never => (u64::MAX, u64::MAX),
            Cut::ToClient(octets) => (octets, u64::MAX),
            Cut::ToServer(octets) => (u64::MAX, octets),
        };
        let (Ok(client_copy), Ok(server_copy)) = (client.try_clone(), server.try_clone()) else { continue };
        let (up, down) = (shared.clone(), shared.clone());
        std::thread::spawn(move || forward(client_copy, server_copy, to_server, &up.to_server));
        std::thread::spawn(move || forward(server, client, to_client, &down.to_client));
    }
}

/// Copies until the limit, or until either side ends; then both sides are closed.
fn forward(mut from: TcpStream, mut to: TcpStream, mut left: u64, count: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = match from.read(&mut buffer[..room]) {
            Ok(read) if read > 0 => read,
            _ => break,
        };
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        left -= read as u64;
        count.fetch_add(read as u64, Ordering::SeqCst);
    }
    for side in [from, to] {
        let _already_closed = side.shutdown(Shutdown::Both);
    }
}
