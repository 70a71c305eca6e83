//! A name server that answers from a file, or never.

use anyhow::{Context as _, Result};
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, MX, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Seconds for which every answer holds.
const TTL: u32 = 300;

/// A running name server. Dropping it ends it.
pub struct NameServer {
    /// Where it is asked.
    pub address: SocketAddr,
    asked: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Answers from the lines of a zone: name, type (A, AAAA, MX, SRV, TXT), value; the value of TXT is the rest of the line.
    ///
    /// # Errors
    /// When a line is none of these, or no socket can be had.
    pub fn start(zone: &str) -> Result<Self> {
        let lines = zone.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let records = lines.map(|line| record(line).with_context(|| line.to_owned())).collect::<Result<Vec<_>>>()?;
        Self::with(Some(records))
    }

    /// Never answers.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn silent() -> Result<Self> {
        Self::with(None)
    }

    fn with(records: Option<Vec<Record>>) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        // So that the thread sees that it is to end.
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let (asked, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (asked.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut packet = [0; 4096];
            while !end.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
                count.fetch_add(1, Ordering::Relaxed);
                let answer = records.as_ref().and_then(|records| answer(&packet[..length], records).ok());
                // Whoever asked may be gone.
                let _ = answer.map(|answer| socket.send_to(&answer, from));
            }
        });
        Ok(Self { address, asked, stop, thread: Some(thread) })
    }

    /// Packets that came so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn record(line: &str) -> Result<Record> {
    let mut words = line.splitn(3, ' ');
    let (name, kind) = (words.next().context("a name")?, words.next().context("a type")?);
    let value = words.next().context("a value")?;
    let data = match kind {
        "A" => RData::A(A(value.parse()?)),
        "AAAA" => RData::AAAA(AAAA(value.parse()?)),
        "MX" => {
            let (preference, host) = value.split_once(' ').context("preference and host")?;
            RData::MX(MX::new(preference.parse()?, absolute(host)?))
        }
        "SRV" => {
            let fields: Vec<&str> = value.split(' ').collect();
            let [priority, weight, port, target] = fields[..] else { anyhow::bail!("priority, weight, port, target") };
            RData::SRV(SRV::new(priority.parse()?, weight.parse()?, port.parse()?, absolute(target)?))
        }
        // RFC 1035 §3.3: a text is made of strings of at most 255 octets.
        "TXT" => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(255).collect())),
        _ => anyhow::bail!("no such type"),
    };
    Ok(Record::from_rdata(absolute(name)?, TTL, data))
}

fn absolute(name: &str) -> Result<Name> {
    let mut name = Name::from_ascii(name)?.to_lowercase();
    name.set_fqdn(true);
    Ok(name)
}

fn answer(packet: &[u8], records: &[Record]) -> Result<Vec<u8>> {
    let asked = Message::from_vec(packet)?;
    let query = asked.queries.first().context("a question")?;
    let name = query.name().to_lowercase();
    let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.add_query(query.clone());
    let of_name = || records.iter().filter(|record| record.name == name);
    if of_name().next().is_none() {
        message.metadata.response_code = ResponseCode::NXDomain;
    }
    let kind: RecordType = query.query_type();
    for record in of_name().filter(|record| record.record_type() == kind) {
        message.add_answer(record.clone());
    }
    Ok(message.to_vec()?)
}
