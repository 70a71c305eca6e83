//! A proxy that cuts a connection after so many octets, or makes the way to a server longer.

use std::io::{Read as _, Result, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is read and written at once.
const CHUNK: usize = 64 * 1024;

/// Chunks that may be on their way in one direction at once: 64 MiB, so that no delay of a test ever limits how much a
/// connection carries, while a client that does not read still holds up its server.
const ON_THE_WAY: usize = 1024;

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
    delay: Duration,
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
        Self::start_delayed(target, cut, Duration::ZERO)
    }

    /// Forwards to `target` on 127.0.0.1, every octet so much later as if the way there were that long: twice `delay` is
    /// what a question and its answer take more. What is under way is not held up by what comes behind it.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start_delayed(target: u16, cut: Cut, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            target,
            delay,
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

    /// Octets forwarded to clients and to the server since the start; of a connection that broke, those that were to be too.
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
        // Small answers must not wait for one another: the delay is to be the only one.
        let _unsupported = (client.set_nodelay(true), server.set_nodelay(true));
        forward(client_copy, server_copy, to_server, shared, |shared| &shared.to_server);
        forward(server, client, to_client, shared, |shared| &shared.to_client);
    }
}

/// Copies until the limit, or until either side ends. Then the other side is closed, and by that the copying in the other
/// direction ends too.
fn forward(from: TcpStream, to: TcpStream, left: u64, shared: &Arc<Shared>, count: fn(&Shared) -> &AtomicU64) {
    let (sender, receiver) = sync_channel(ON_THE_WAY);
    let shared = shared.clone();
    std::thread::spawn(move || read(from, left, &sender));
    std::thread::spawn(move || write(to, shared.delay, &receiver, count(&shared)));
}

/// What was read, and when.
type Chunk = (Instant, Vec<u8>);

fn read(mut from: TcpStream, mut left: u64, sender: &SyncSender<Chunk>) {
    let mut buffer = vec![0; CHUNK];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Ok(read @ 1..) = from.read(&mut buffer[..room]) else { break };
        if sender.send((Instant::now(), buffer[..read].to_vec())).is_err() {
            break;
        }
        left -= read as u64;
    }
}

fn write(mut to: TcpStream, delay: Duration, receiver: &Receiver<Chunk>, count: &AtomicU64) {
    while let Ok((came, octets)) = receiver.recv() {
        std::thread::sleep((came + delay).saturating_duration_since(Instant::now()));
        // Counted before they go: whoever has received them finds them counted.
        count.fetch_add(octets.len() as u64, Ordering::SeqCst);
        if to.write_all(&octets).is_err() {
            break;
        }
    }
    let _already_closed = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// An answer takes the longer way twice; what is under way is not held up by what comes behind it.
    #[test]
    fn a_longer_way_delays_and_does_not_narrow() {
        const DELAY: Duration = Duration::from_millis(100);
        const OCTETS: usize = 32 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = CutProxy::start_delayed(listener.local_addr().unwrap().port(), Cut::Never, DELAY).unwrap();
        let serving = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            client.read_exact(&mut [0]).unwrap();
            client.write_all(&vec![b'x'; OCTETS]).unwrap();
        });
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        let started = Instant::now();
        client.write_all(b"?").unwrap();
        client.read_exact(&mut [0]).unwrap();
        let first = started.elapsed();
        client.read_exact(&mut vec![0; OCTETS - 1]).unwrap();
        let all = started.elapsed();
        serving.join().unwrap();
        assert!(first >= 2 * DELAY, "{first:?}");
        // One chunk at a time would take 512 times the delay at least, on however fast a machine.
        assert!(all < 400 * DELAY, "{all:?}");
        assert_eq!(proxy.forwarded(), (OCTETS as u64, 1));
    }
}
