//! What goes over the pipes to a process that reads mail, and back. Both ends are the same program, so nothing in it
//! needs a version.
//!
//! ```text
//! ask      task length (4 octets, little-endian), octets length (8), task, octets of the message
//! answer   status (1 octet), payload length (8, little-endian), payload
//! ```

use bytes::Bytes;
use postroom_domain::identity::Verification;
use postroom_mail::Message;
use postroom_mail::message::Client;
use postroom_sources::dns::{self, Question};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{self, Read};

/// Octets before the task of an ask.
const ASK_HEAD: usize = 12;
/// Octets before the payload of an answer.
const ANSWER_HEAD: usize = 9;
/// More than any task has: the names of a file twice, or what the DNS said.
const TASK_MAX: u32 = 16 << 20;

/// What is to be done with one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Read it, and answer with all of it.
    Message,
    /// Read it, and answer with what `inspect` prints.
    Print {
        /// The name under which it was given.
        name: String,
        /// Where the reading process finds it, if it does not come with the ask.
        path: Option<OsString>,
        /// JSON for scripts rather than text for people.
        json: bool,
    },
    /// Verify its signatures and the policy of its author's domain.
    Verify(Box<Verify>),
}

/// What is needed to verify a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// Canonical address of the author.
    pub author: String,
    /// Who handed it to a trusted host, if that is known.
    pub client: Option<Client>,
    /// Whether seals are to be looked at.
    pub seals: bool,
    /// What the DNS says, as far as it was asked.
    pub answers: Vec<(Question, dns::Answer)>,
}

/// What verifying gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What could be found out with the answers so far.
    pub found: Verification,
    /// What the DNS has to be asked for more; nothing when all is found out.
    pub missing: Vec<Question>,
}

/// One message to be read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is to be done.
    pub task: Task,
    /// The message; empty if the task says where it is.
    pub octets: Bytes,
    /// Octets of the message, wherever it is.
    pub size: u64,
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// All that was read.
    Message(Box<Message>),
    /// What is to be printed, without its line end.
    Printed(Vec<u8>),
    /// What verifying gave.
    Verified(Box<Verified>),
    /// Reading it panicked, in these words.
    Panicked(String),
    /// Its file could not be read, for this reason.
    Unreadable(String),
}

const MESSAGE: u8 = 0;
const PRINTED: u8 = 1;
const PANICKED: u8 = 2;
const UNREADABLE: u8 = 3;
const VERIFIED: u8 = 4;

impl Task {
    /// Whether the message is a file that is opened where it is read.
    pub fn is_of_file(&self) -> bool {
        matches!(self, Self::Print { path: Some(_), .. })
    }
}

impl Ask {
    /// A message with its octets.
    pub fn of(task: Task, octets: Bytes) -> Self {
        let size = octets.len() as u64;
        Self { task, octets, size }
    }

    /// Appends the frame's head and task to `frame`; the octets follow them.
    pub fn append_head_to(&self, mut frame: Vec<u8>) -> io::Result<Vec<u8>> {
        let start = frame.len();
        frame.extend([0; ASK_HEAD]);
        let mut frame = postcard::to_extend(&self.task, frame).map_err(invalid)?;
        let task = u32::try_from(frame.len() - start - ASK_HEAD).map_err(invalid)?;
        frame[start..start + 4].copy_from_slice(&task.to_le_bytes());
        frame[start + 4..start + ASK_HEAD].copy_from_slice(&(self.octets.len() as u64).to_le_bytes());
        Ok(frame)
    }

    /// The next ask, or `None` where the stream ends between two. Before the octets of the message are taken,
    /// `announced` is told what is to be done and how many there are.
    pub fn receive(from: &mut impl Read, announced: impl FnOnce(&Task, u64)) -> io::Result<Option<Self>> {
        let mut head = [0; ASK_HEAD];
        if from.read(&mut head[..1])? == 0 {
            return Ok(None);
        }
        from.read_exact(&mut head[1..])?;
        let [a, b, c, d, length @ ..] = head;
        let (task, length) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(length));
        let task = postcard::from_bytes(&exactly(from, u64::from(task.min(TASK_MAX)))?).map_err(invalid)?;
        announced(&task, length);
        let octets = exactly(from, length)?;
        let size = octets.len() as u64;
        Ok(Some(Self { task, octets: octets.into(), size }))
    }
}

fn exactly(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    octets.try_reserve_exact(usize::try_from(length).map_err(invalid)?).map_err(io::Error::other)?;
    if from.take(length).read_to_end(&mut octets)? as u64 == length {
        Ok(octets)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Answer {
    /// Appends the whole frame to `frame`.
    pub fn append_to(&self, mut frame: Vec<u8>) -> io::Result<Vec<u8>> {
        let start = frame.len();
        frame.extend([0; ANSWER_HEAD]);
        let (status, mut frame) = match self {
            Self::Message(message) => (MESSAGE, postcard::to_extend(message, frame).map_err(invalid)?),
            Self::Printed(octets) => (PRINTED, extended(frame, octets)),
            Self::Verified(verified) => (VERIFIED, postcard::to_extend(verified, frame).map_err(invalid)?),
            Self::Panicked(words) => (PANICKED, extended(frame, words.as_bytes())),
            Self::Unreadable(words) => (UNREADABLE, extended(frame, words.as_bytes())),
        };
        let length = (frame.len() - start - ANSWER_HEAD) as u64;
        frame[start] = status;
        frame[start + 1..start + ANSWER_HEAD].copy_from_slice(&length.to_le_bytes());
        Ok(frame)
    }

    /// The first answer in `input` and how many octets it takes, or `None` if it is not all there yet.
    pub fn take_from(input: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let Some((&[status, ref length @ ..], rest)) = input.split_first_chunk::<ANSWER_HEAD>() else {
            return Ok(None);
        };
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(invalid)?;
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let words = || String::from_utf8_lossy(payload).into_owned();
        let answer = match status {
            MESSAGE => Self::Message(postcard::from_bytes(payload).map_err(invalid)?),
            PRINTED => Self::Printed(payload.to_owned()),
            VERIFIED => Self::Verified(postcard::from_bytes(payload).map_err(invalid)?),
            PANICKED => Self::Panicked(words()),
            UNREADABLE => Self::Unreadable(words()),
            _ => return Err(invalid("no such status")),
        };
        Ok(Some((answer, ANSWER_HEAD + length)))
    }
}

fn extended(mut frame: Vec<u8>, octets: &[u8]) -> Vec<u8> {
    frame.extend_from_slice(octets);
    frame
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_ask_arrives_as_it_was_sent() {
        let print = |path| Task::Print { name: "ä.eml".into(), path, json: true };
        for (task, octets) in [
            (Task::Message, &b"Subject: a\r\n\r\nb"[..]),
            (Task::Message, b""),
            (print(None), b"x"),
            (print(Some("/dir/ä".into())), b""),
        ] {
            let ask = Ask { task, octets: Bytes::copy_from_slice(octets), size: octets.len() as u64 };
            let sent = [&ask.append_head_to(Vec::new()).unwrap()[..], octets].concat();
            let mut stream = &[&sent[..], &sent[..]].concat()[..];
            for _ in 0..2 {
                let received = Ask::receive(&mut stream, |_, _| ()).unwrap().unwrap();
                assert_eq!((received.task, received.octets), (ask.task.clone(), ask.octets.clone()));
            }
            assert!(Ask::receive(&mut stream, |_, _| ()).unwrap().is_none(), "the stream ends between two asks");
            assert!(Ask::receive(&mut &sent[..sent.len() - 1], |_, _| ()).is_err(), "it ends inside one");
        }
    }

    #[test]
    fn an_answer_arrives_however_it_is_cut() {
        let octets = b"From: Ann <ann@example.org>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nTo: <b@example.net>\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: image/png; name=a.png\r\n\r\nPNG\r\n--b--\r\n";
        let message = postroom_mail::read(&postroom_mail::RawMessage::new(&octets[..]));
        let frame = Answer::Message(Box::new(message.clone())).append_to(b"before".to_vec()).unwrap();
        let frame = &frame[b"before".len()..];
        for length in 0..frame.len() {
            assert!(Answer::take_from(&frame[..length]).unwrap().is_none(), "{length}");
        }
        let (answer, taken) = Answer::take_from(&[frame, b"next"].concat()).unwrap().unwrap();
        assert_eq!(taken, frame.len());
        assert!(matches!(answer, Answer::Message(read) if *read == message));
        assert!(Answer::take_from(&[9, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
