//! A server that plays a dialogue from a file, over any stream.
//!
//! A dialogue is a text file. Its first line is a comment that says what it shows. Then:
//!
//! ```text
//! > security starttls         what the client is told: `security`, `auth`, `do`, `expect` and other words
//! S: * OK ready               the server sends this line; lines in a row go out together
//! S- half a li                the server sends this without a line end; \r and \n stand for those octets
//! C: P1 CAPABILITY            the client must send exactly this line; … stands for any text
//! !starttls                   the server goes over to TLS (`!tls` at the start is the same)
//! !drop                       the server closes the connection
//! !stall                      the server says nothing more
//! ```
//!
//! Behind the last line the client must close the connection or say nothing more than is allowed: any other octet is an
//! error, so that a password in clear never goes unseen.

use crate::certificate::Certificate;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// One dialogue.
#[derive(Debug, Clone)]
pub struct Dialogue {
    /// File name without its extension.
    pub name: String,
    settings: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Send(Vec<u8>),
    Expect(String),
    StartTls,
    Drop,
    Stall,
    /// Says nothing more, and does not mind what it hears.
    Silence,
}

/// Something that octets go through in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Dialogue {
    /// Reads a dialogue file.
    ///
    /// # Errors
    /// When a line is none of those above, or the first line is no comment.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(name, &text).with_context(|| path.display().to_string())
    }

    /// All dialogues of a directory, by name.
    ///
    /// # Errors
    /// As [`Dialogue::load`].
    pub fn load_all(directory: &Path) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "dialogue") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::load(path)).collect()
    }

    /// Reads the text of a dialogue.
    ///
    /// # Errors
    /// As [`Dialogue::load`].
    pub fn parse(name: String, text: &str) -> Result<Self> {
        ensure!(text.starts_with("# "), "the first line must be a comment that says what the dialogue shows");
        let mut dialogue = Self { name, settings: BTreeMap::new(), steps: Vec::new() };
        for line in text.lines() {
            let (mark, rest) = line.split_at_checked(2).unwrap_or((line, ""));
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            match mark {
                "" | "# " | "#" => {}
                "> " => {
                    let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    dialogue.settings.insert(key.to_owned(), value.trim().to_owned());
                }
                "S:" => dialogue.send(rest, "\r\n"),
                "S-" => dialogue.send(&rest.replace("\\r", "\r").replace("\\n", "\n"), ""),
                "C:" => dialogue.steps.push(Step::Expect(rest.to_owned())),
                _ => dialogue.steps.push(match line.trim() {
                    "!starttls" | "!tls" => Step::StartTls,
                    "!drop" => Step::Drop,
                    "!stall" => Step::Stall,
                    other => bail!("not a line of a dialogue: {other}"),
                }),
            }
        }
        Ok(dialogue)
    }

    fn send(&mut self, text: &str, end: &str) {
        if let Some(Step::Send(octets)) = self.steps.last_mut() {
            octets.extend_from_slice(text.as_bytes());
            octets.extend_from_slice(end.as_bytes());
        } else {
            self.steps.push(Step::Send(format!("{text}{end}").into_bytes()));
        }
    }

    /// What the client is told under this word.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// Tells the client something else under this word.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(key.to_owned(), value.to_owned());
    }

    /// The same dialogue, but from this step of the server on (0 is its first) it says nothing more and takes whatever it is
    /// told; `None` when it has no more steps. Going over to TLS is a step too.
    pub fn silent_after(&self, step: usize) -> Option<Self> {
        let is_step = |step: &&Step| matches!(step, Step::Send(_) | Step::StartTls);
        let at = self.steps.iter().enumerate().filter(|(_, one)| is_step(one)).nth(step)?.0;
        let steps = [&self.steps[..at], &[Step::Silence]].concat();
        Some(Self { name: format!("{} silent after {step}", self.name), steps, ..self.clone() })
    }

    /// The same dialogue, but the connection ends once the server has sent so many octets; `None` when it sends fewer.
    pub fn cut_after(&self, octets: usize) -> Option<Self> {
        let mut left = octets;
        let mut steps = Vec::new();
        for step in &self.steps {
            match step {
                Step::Send(sent) if sent.len() > left => {
                    steps.push(Step::Send(sent[..left].to_vec()));
                    steps.push(Step::Drop);
                    return Some(Self { name: format!("{} cut after {octets}", self.name), steps, ..self.clone() });
                }
                Step::Send(sent) => left -= sent.len(),
                _ => {}
            }
            steps.push(step.clone());
        }
        None
    }

    /// Plays the server's part until the client closes the connection.
    ///
    /// # Errors
    /// When the client says something else than it should, or stops too early. That the client closes the connection
    /// while the server is sending is no error: it may have reason to.
    pub async fn play(&self, stream: Box<dyn Stream>, certificate: &Certificate) -> Result<()> {
        let mut stream = stream;
        for step in &self.steps {
            match step {
                Step::Send(octets) => {
                    if stream.write_all(octets).await.is_err() || stream.flush().await.is_err() {
                        return Ok(());
                    }
                }
                Step::Expect(pattern) => {
                    let line = read_line(&mut stream).await?;
                    ensure!(matches(pattern, &line), "{}: expected “{pattern}”, got “{line}”", self.name);
                }
                Step::StartTls => match acceptor(certificate)?.accept(stream).await {
                    Ok(protected) => stream = Box::new(protected),
                    // The client does not like what it sees: that is its right, and often the point.
                    Err(_) => return Ok(()),
                },
                Step::Drop => return Ok(()),
                Step::Stall => break,
                Step::Silence => {
                    // A connection that breaks off here is closed too.
                    let _ended = stream.read_to_end(&mut Vec::new()).await;
                    return Ok(());
                }
            }
        }
        let mut rest = Vec::new();
        // A connection that breaks off here is closed too.
        let _ended = stream.read_to_end(&mut rest).await;
        let rest = String::from_utf8_lossy(&rest);
        let is_goodbye = rest.trim_end().is_empty()
            || (rest.trim_end().ends_with("LOGOUT") || rest == "QUIT\r\n") && rest.lines().count() == 1;
        ensure!(is_goodbye, "{}: the client also said “{rest}”", self.name);
        Ok(())
    }
}

/// Whether `line` is `pattern`, in which … stands for any text.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    match last {
        None => rest.is_empty(),
        Some(last) => last.is_empty() || line.ends_with(last),
    }
}

async fn read_line(stream: &mut Box<dyn Stream>) -> Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        ensure!(line.len() < 64 * 1024, "the client sends an endless line");
        match stream.read_u8().await {
            Ok(octet) => line.push(octet),
            Err(error) => bail!("the client stopped after “{}”: {error}", String::from_utf8_lossy(&line)),
        }
    }
    line.truncate(line.len() - 2);
    Ok(String::from_utf8_lossy(&line).into_owned())
}

pub(crate) fn acceptor(certificate: &Certificate) -> Result<tokio_rustls::TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certificate.key_der.clone());
    let chain = vec![rustls::pki_types::CertificateDer::from(certificate.der.clone())];
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())?;
    Ok(Arc::new(config).into())
}

/// A scripted server on a free port of 127.0.0.1 that plays its dialogue to one client.
#[derive(Debug)]
pub struct ScriptedServer {
    /// The port to connect to.
    pub port: u16,
    playing: tokio::task::JoinHandle<Result<()>>,
}

impl ScriptedServer {
    /// Listens, and plays to the first client that connects.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(dialogue: Dialogue, certificate: Certificate) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let playing = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            dialogue.play(Box::new(stream), &certificate).await
        });
        Ok(Self { port, playing })
    }

    /// Waits for the dialogue to end.
    ///
    /// # Errors
    /// As [`Dialogue::play`].
    pub async fn finish(self) -> Result<()> {
        self.playing.await?
    }
}
