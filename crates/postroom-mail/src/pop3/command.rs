//! Commands as values, and their octets.

use super::Pop3Error;
use crate::Secret;
use crate::conversation::Breach;
use crate::sasl::{self, Octets};

/// A command. Messages are named by their numbers, which hold for this conversation alone.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the commands of RFC 1939 §4 to §7, 2449 §5, 2595 §4 and 5034 §4")]
pub enum Command<'a> {
    Capa,
    Stls,
    /// USER; PASS follows by itself once the server has said `+OK`.
    User {
        user: &'a str,
        password: &'a Secret,
    },
    /// APOP, with the timestamp of the greeting.
    Apop {
        user: &'a str,
        password: &'a Secret,
    },
    /// AUTH with an exchange that has not begun; the conversation carries it through.
    Auth {
        client: &'a sasl::Client,
    },
    Stat,
    List,
    Uidl,
    /// LIST of one message, which is answered in one line.
    ListOne(u32),
    /// UIDL of one message, which is answered in one line.
    UidlOne(u32),
    Retr(u32),
    /// The header and this many lines of the body.
    Top(u32, u32),
    Dele(u32),
    Quit,
}

/// Longest line that a server must take.
// RFC 2449 §4
const MAX_COMMAND: usize = 255;

/// The octets of a command. Of USER these are its first line; of AUTH the first response is in it where there is room.
pub(super) fn encode(
    command: &Command<'_>,
    timestamp: Option<&str>,
    client: Option<&mut sasl::Client>,
) -> Result<Octets, Pop3Error> {
    let text = match command {
        Command::Capa => "CAPA".to_owned(),
        Command::Stls => "STLS".to_owned(),
        Command::User { user, password } => {
            // Both are looked at before anything is sent.
            argument(password.expose())?;
            format!("USER {}", argument(user)?)
        }
        Command::Apop { user, password } => apop(argument(user)?, password, timestamp.ok_or(Breach::WrongState)?),
        Command::Auth { .. } => return auth(client.ok_or(Breach::WrongState)?),
        Command::Stat => "STAT".to_owned(),
        Command::List => "LIST".to_owned(),
        Command::Uidl => "UIDL".to_owned(),
        Command::ListOne(number) => format!("LIST {number}"),
        Command::UidlOne(number) => format!("UIDL {number}"),
        Command::Retr(number) => format!("RETR {number}"),
        Command::Top(number, lines) => format!("TOP {number} {lines}"),
        Command::Dele(number) => format!("DELE {number}"),
        Command::Quit => "QUIT".to_owned(),
    };
    Ok(line(text.as_bytes()))
}

/// The second line of a login with USER.
pub(super) fn pass(password: &Secret) -> Octets {
    let mut octets = Octets::new(b"PASS ".to_vec());
    octets.extend_from_slice(password.expose().as_bytes());
    octets.extend_from_slice(b"\r\n");
    octets
}

// RFC 5034 §4: the first response goes with the command where the line has at most 255 octets; `=` stands for an empty one.
fn auth(client: &mut sasl::Client) -> Result<Octets, Pop3Error> {
    let command = format!("AUTH {}", client.mechanism().name());
    let mut begun = client.clone();
    let Some(first) = begun.initial() else { return Ok(line(command.as_bytes())) };
    let first = if first.is_empty() { Octets::new(b"=".to_vec()) } else { sasl::base64(&first) };
    if command.len() + first.len() + 3 > MAX_COMMAND {
        return Ok(line(command.as_bytes()));
    }
    *client = begun;
    let mut octets = Octets::new(command.into_bytes());
    octets.push(b' ');
    octets.extend_from_slice(&first);
    octets.extend_from_slice(b"\r\n");
    Ok(octets)
}

// RFC 1939 §7: MD5 of the timestamp with the password behind it, in hexadecimal.
fn apop(user: &str, password: &Secret, timestamp: &str) -> String {
    use md5::Digest as _;
    let mut digest = md5::Md5::new();
    digest.update(timestamp.as_bytes());
    digest.update(password.expose().as_bytes());
    format!("APOP {user} {}", sasl::hex(&digest.finalize()))
}

fn line(text: &[u8]) -> Octets {
    Octets::new([text, b"\r\n"].concat())
}

/// An argument stays one argument of one line.
fn argument(text: &str) -> Result<&str, Pop3Error> {
    if text.is_empty() || text.contains(['\0', '\r', '\n']) { Err(Pop3Error::Argument) } else { Ok(text) }
}
