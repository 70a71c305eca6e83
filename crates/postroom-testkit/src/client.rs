//! Another mail client: the person who reads, moves and deletes in a mailbox while we visit it.

use crate::dovecot::PASSWORD;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long a server may take for anything at all, before a test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// An IMAP client that is logged in, in clear. Its calls wait for their answer.
#[derive(Debug)]
pub struct ImapClient {
    stream: BufReader<TcpStream>,
    last_tag: u32,
}

/// A line of an answer, with the literals in it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its text; each literal stands as `{}`.
    pub text: String,
    /// The literals, in order.
    pub literals: Vec<Vec<u8>>,
}

/// A message as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its UID.
    pub uid: u32,
    /// Its flags in alphabetical order, without \Recent.
    pub flags: Vec<String>,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl ImapClient {
    /// Connects to 127.0.0.1 and logs in with [`PASSWORD`].
    ///
    /// # Errors
    /// When the server does not let us in.
    pub fn connect(port: u16, user: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufReader::new(stream), last_tag: 0 };
        let greeting = client.line()?;
        ensure!(greeting.text.starts_with("* OK"), "greeted with {}", greeting.text);
        client.command(&format!("LOGIN {user} {PASSWORD}"))?;
        Ok(client)
    }

    /// Gives a command and returns the lines before its OK.
    ///
    /// # Errors
    /// When the answer is no OK, with the answer.
    pub fn command(&mut self, text: &str) -> Result<Vec<Line>> {
        self.command_with(text, None)
    }

    /// The same for a command that ends in a literal.
    fn command_with(&mut self, text: &str, literal: Option<&[u8]>) -> Result<Vec<Line>> {
        self.last_tag += 1;
        let tag = format!("c{} ", self.last_tag);
        let announced = literal.map(|octets| format!(" {{{}}}", octets.len())).unwrap_or_default();
        self.stream.get_mut().write_all(format!("{tag}{text}{announced}\r\n").as_bytes())?;
        let mut literal = literal;
        let mut lines = Vec::new();
        loop {
            let line = self.line().with_context(|| text.to_owned())?;
            if line.text.starts_with('+') {
                let octets = literal.take().context("it waits for more of a command that is whole")?;
                self.stream.get_mut().write_all(&[octets, b"\r\n"].concat())?;
            } else if let Some(answer) = line.text.strip_prefix(&tag) {
                ensure!(answer.starts_with("OK"), "{text}: {answer}");
                lines.push(line);
                return Ok(lines);
            } else {
                ensure!(!line.text.starts_with("* BYE") || text == "LOGOUT", "{text}: {}", line.text);
                lines.push(line);
            }
        }
    }

    fn line(&mut self) -> Result<Line> {
        let mut whole = Line { text: String::new(), literals: Vec::new() };
        loop {
            let mut octets = Vec::new();
            ensure!(self.stream.read_until(b'\n', &mut octets)? > 0, "the server hung up");
            let text = String::from_utf8_lossy(&octets).trim_end_matches(['\r', '\n']).to_owned();
            let length = text.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')?.1.parse::<usize>().ok());
            let Some(length) = length else {
                whole.text.push_str(&text);
                return Ok(whole);
            };
            whole.text.push_str(text.rsplit_once('{').map_or("", |(before, _)| before));
            whole.text.push_str("{}");
            let mut literal = vec![0; length];
            self.stream.read_exact(&mut literal)?;
            whole.literals.push(literal);
        }
    }

    /// Opens a folder and returns its UIDVALIDITY.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn select(&mut self, folder: &str) -> Result<u32> {
        let lines = self.command(&format!("SELECT \"{folder}\""))?;
        let value =
            lines.iter().find_map(|line| line.text.split("[UIDVALIDITY ").nth(1)?.split(']').next()?.parse().ok());
        value.context("no UIDVALIDITY")
    }

    /// Puts a message into a folder, with flags such as `\Seen \Flagged`.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn append(&mut self, folder: &str, octets: &[u8], flags: &str) -> Result<()> {
        self.command_with(&format!("APPEND \"{folder}\" ({flags})"), Some(octets)).map(drop)
    }

    /// The messages of the open folder as they are now, with their octets if those are asked for.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn messages(&mut self, with_octets: bool) -> Result<Vec<Seen>> {
        // What others have done meanwhile is told before the next answer.
        self.command("NOOP")?;
        let items = if with_octets { "(UID FLAGS BODY.PEEK[])" } else { "(UID FLAGS)" };
        let lines = match self.command(&format!("UID FETCH 1:* {items}")) {
            // RFC 2180 §4.1.2: some messages were just removed by somebody else; ask for what is left.
            Err(error) if error.to_string().contains(" NO ") || error.to_string().contains(": NO") => {
                self.command("NOOP")?;
                self.command(&format!("UID FETCH 1:* {items}"))?
            }
            lines => lines?,
        };
        let mut seen: Vec<Seen> = Vec::new();
        for line in &lines {
            let Some(uid) = line.text.split("UID ").nth(1).filter(|_| line.text.contains(" FETCH ")) else { continue };
            let digits: String = uid.chars().take_while(char::is_ascii_digit).collect();
            let Some(uid) = digits.parse().ok() else { continue };
            let flags = line.text.split("FLAGS (").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
            let mut flags: Vec<String> =
                flags.split_whitespace().filter(|flag| *flag != "\\Recent").map(str::to_owned).collect();
            flags.sort();
            let octets = line.literals.first().cloned().unwrap_or_default();
            seen.retain(|before| before.uid != uid);
            seen.push(Seen { uid, flags, octets });
        }
        Ok(seen)
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn close(mut self) -> Result<()> {
        self.command("LOGOUT").map(drop)
    }
}

/// A POP3 client that is logged in, in clear.
#[derive(Debug)]
pub struct Pop3Client {
    stream: BufReader<TcpStream>,
}

impl Pop3Client {
    /// Connects to 127.0.0.1 and logs in with [`PASSWORD`].
    ///
    /// # Errors
    /// When the server does not let us in.
    pub fn connect(port: u16, user: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufReader::new(stream) };
        client.reply()?;
        client.command(&format!("USER {user}"))?;
        client.command(&format!("PASS {PASSWORD}"))?;
        Ok(client)
    }

    /// Gives a command and returns the text behind its +OK.
    ///
    /// # Errors
    /// When the answer is -ERR.
    pub fn command(&mut self, text: &str) -> Result<String> {
        self.stream.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        self.reply().with_context(|| text.to_owned())
    }

    fn reply(&mut self) -> Result<String> {
        let line = self.line()?;
        match line.strip_prefix("+OK") {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => bail!("{line}"),
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut octets = Vec::new();
        ensure!(self.stream.read_until(b'\n', &mut octets)? > 0, "the server hung up");
        Ok(String::from_utf8_lossy(&octets).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Gives a command with a number and returns the lines of its answer, unstuffed, joined with CRLF.
    ///
    /// # Errors
    /// When the answer is -ERR.
    pub fn lines(&mut self, text: &str) -> Result<Vec<String>> {
        self.command(text)?;
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix('.') {
                Some("") => return Ok(lines),
                Some(rest) => lines.push(rest.to_owned()),
                None => lines.push(line),
            }
        }
    }
}
