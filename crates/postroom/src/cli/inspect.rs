//! `postroom inspect`: look at messages without any data.

use super::FAILED;
use super::output::{Output, clean_text, count, one_line, report, write_octets};
use crate::failure::Failure;
use crate::readers::frame::{Ask, Task};
use crate::readers::{self, Unread, fuse};
use postroom_domain::filing::findings;
use postroom_domain::{Reason, TraceStep};
use postroom_mail::read::Inspection;
use postroom_mail::{Message, Protection};
use std::collections::VecDeque;
use std::fs::Metadata;
use std::io::{self, Read as _};
use std::iter::{Map, Peekable};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reads files on all cores and prints them in their order, as far as a window of them is read.
pub async fn inspect(files: Vec<PathBuf>, out: Output) -> Result<ExitCode, Failure> {
    let readers = crate::floor::readers()?;
    let window = 2 * readers::cores();
    let mut parcels =
        Parcels { files: looked_at(files), json: out.is_json(), max_message: crate::floor::limits()?.max_message };
    let mut under_way = VecDeque::new();
    let mut status = ExitCode::SUCCESS;
    loop {
        // What may never come, as through a pipe, is waited for only when all before it is printed.
        while under_way.len() < window && (under_way.is_empty() || !parcels.next_may_block()) {
            let Some(parcel) = parcels.next() else { break };
            let readers = readers.clone();
            // Each runs by itself: one that waits to be read alone waits for all the others.
            under_way.push_back(tokio::spawn(async move { parcel.read(&readers).await }));
        }
        let Some(first) = under_way.pop_front() else { return Ok(status) };
        let read = first.await.map_err(|error| Failure::new("INTERNAL", error.to_string(), "please report this"))?;
        if !print(read, out)? {
            status = ExitCode::from(FAILED);
        }
    }
}

/// Prints what was read and reports what was not; false if there was any of that.
fn print(read: Vec<Result<Vec<u8>, Failure>>, out: Output) -> Result<bool, Failure> {
    let (mut lines, mut whole) = (Vec::new(), true);
    for file in read {
        match file {
            Ok(printed) => {
                lines.extend_from_slice(&printed);
                lines.push(b'\n');
            }
            Err(failure) => {
                // On a terminal the failure stands where the file would.
                write_octets(&std::mem::take(&mut lines))?;
                report(&failure, out.is_json());
                whole = false;
            }
        }
    }
    write_octets(&lines)?;
    Ok(whole)
}

/// Files that are sent to a reading process together, each with its name, or with why it is not sent.
struct Parcel(Vec<(String, Result<Ask, Failure>)>);

/// A file, and what it is.
type Looked = (PathBuf, io::Result<Metadata>);
/// Files that are looked at one by one, as they are needed.
type LookedAt = Peekable<Map<std::vec::IntoIter<PathBuf>, fn(PathBuf) -> Looked>>;

fn looked_at(files: Vec<PathBuf>) -> LookedAt {
    let look: fn(PathBuf) -> Looked = |path| {
        let metadata = std::fs::metadata(&path);
        (path, metadata)
    };
    files.into_iter().map(look).peekable()
}

/// Makes parcels of files, as they are needed.
struct Parcels {
    files: LookedAt,
    json: bool,
    /// Octets read of what is no file and may have no end.
    max_message: u64,
}

impl Parcels {
    /// Whether the next one is no file but, say, a pipe.
    fn next_may_block(&mut self) -> bool {
        let metadata = self.files.peek().and_then(|(_, metadata)| metadata.as_ref().ok());
        metadata.is_some_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    }
}

impl Iterator for Parcels {
    type Item = Parcel;

    fn next(&mut self) -> Option<Parcel> {
        let (mut parcel, mut octets) = (Vec::new(), 0);
        while parcel.len() < readers::TOGETHER.0 && octets < readers::TOGETHER.1 {
            if !parcel.is_empty() && self.next_may_block() {
                break;
            }
            let Some(file) = self.files.next() else { break };
            let name = file.0.display().to_string();
            let ask = ask_for(&name, file, self.json, self.max_message);
            octets += ask.as_ref().map_or(0, |ask| ask.size);
            parcel.push((name, ask));
        }
        (!parcel.is_empty()).then_some(Parcel(parcel))
    }
}

/// A file is opened where it is read, so that its octets pass no pipe. What is no file, such as a pipe, can be read only
/// here.
fn ask_for(name: &str, (path, metadata): Looked, json: bool, max_message: u64) -> Result<Ask, Failure> {
    let unreadable = |error: io::Error| unreadable(name, &error.to_string());
    let metadata = metadata.map_err(unreadable)?;
    let task = |path| Task::Print { name: name.to_owned(), path, json };
    if metadata.len() > fuse::SIZE_MAX {
        let (name, most) = (one_line(name, usize::MAX), fuse::SIZE_MAX);
        let message = format!("{name}: it has more than {most} octets, the most that can be read");
        return Err(Failure::new("FILE_TOO_LARGE", message, "name a message; the other files are not affected"));
    }
    if metadata.is_file() {
        let path = Some(std::path::absolute(path).map_err(unreadable)?.into_os_string());
        return Ok(Ask { task: task(path), octets: Vec::new().into(), size: metadata.len() });
    }
    if metadata.is_dir() {
        return Err(unreadable(io::Error::other("it is a directory; name the message files in it")));
    }
    let octets = octets_up_to(&path, max_message.saturating_add(1)).map_err(unreadable)?;
    if octets.len() as u64 > max_message {
        return Err(too_large(name, max_message));
    }
    Ok(Ask::of(task(None), octets.into()))
}

/// The first octets of what may have no end.
pub(super) fn octets_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut octets)?;
    Ok(octets)
}

pub(super) fn too_large(name: &str, limit: u64) -> Failure {
    let message = format!("{}: it has more than {limit} octets, the limit for a message", one_line(name, usize::MAX));
    Failure::new("FILE_TOO_LARGE", message, "name a message; a larger limit can be set in POSTROOM_MAX_MESSAGE")
}

impl Parcel {
    async fn read(self, readers: &readers::Readers) -> Vec<Result<Vec<u8>, Failure>> {
        let asks = self.0.iter().filter_map(|(_, ask)| ask.as_ref().ok().cloned()).collect();
        let mut read = match readers.print(asks).await {
            Ok(read) => read.into_iter(),
            Err(error) => return self.0.iter().map(|_| Err(Failure::of_readers(&error))).collect(),
        };
        let next = |(name, ask): (String, Result<Ask, Failure>)| {
            ask?;
            let printed = read.next().unwrap_or_else(|| Err(Unread::Crashed("no answer".to_owned())));
            printed.map_err(|unread| unread_file(&name, unread))
        };
        self.0.into_iter().map(next).collect()
    }
}

pub(super) fn unreadable(name: &str, why: &str) -> Failure {
    // Whoever names a file can put the same into its name as into a mail.
    let name = one_line(name, usize::MAX);
    Failure::new("FILE_UNREADABLE", format!("{name}: {why}"), "check the path and its permissions")
}

pub(super) fn unread_file(name: &str, unread: Unread) -> Failure {
    let (reason, why) = match unread {
        Unread::Unreadable(why) => return unreadable(name, &why),
        Unread::Panicked(why) => (Reason::ReadPanicked, why),
        Unread::Crashed(why) => (Reason::ReadCrashed, why),
        Unread::Exhausted(why) => (Reason::ReadExhausted, why),
    };
    let why = one_line(&why, 300);
    let help = "the other files are not affected; please report this one";
    let name = one_line(name, usize::MAX);
    Failure::new(reason.code(), format!("{name}: {}: {why}", reason.sentence()), help)
}

/// What `inspect` prints of a message, in the process that reads it.
pub fn printed(name: &str, message: &Message, json: bool) -> Vec<u8> {
    let inspection = Inspection::of(name, message);
    if json {
        // The text is there twice, whole and split.
        let octets = 2 * message.text.len() + message.html.as_ref().map_or(0, String::len);
        let mut printed = Vec::with_capacity(octets + octets / 8 + 2048);
        // A value without maps or foreign types has always a JSON form, and a vector takes all of it.
        let _ = serde_json::to_writer(&mut printed, &inspection);
        printed
    } else {
        describe(&inspection, &findings(message)).into_bytes()
    }
}

fn describe(read: &Inspection<'_>, findings: &[TraceStep]) -> String {
    let mut lines = vec![
        one_line(read.file, usize::MAX),
        format!("  from        {}", author(read)),
        format!("  subject     {}", or_none(one_line(read.subject, 120))),
    ];
    if let Some(date) = read.date {
        lines.push(format!("  date        {date}"));
    }
    if let Some(kind) = read.automatic_kind {
        let evidence = read.automatic_evidence.unwrap_or_default();
        lines.push(format!("  automatic   {}: {}", kind.as_str(), one_line(evidence, 200)));
    }
    lines.extend(findings.iter().map(|found| {
        let detail = one_line(&found.detail, 200);
        format!("  {:11} {}: {detail}", found.rule, one_line(&found.outcome, 40))
    }));
    for attachment in &read.attachments {
        let how = if attachment.inline { ", shown inside the text" } else { "" };
        let (name, size) = (one_line(attachment.name, 80), count(attachment.size, "octet"));
        lines.push(format!("  attachment  {name} ({}, {size}{how})", one_line(attachment.content_type, 60)));
    }
    for defect in &read.defects {
        lines.push(format!("  defect      {defect}"));
    }
    let text = clean_text(read.reply_text);
    lines.extend(text.lines().map(|line| format!("  | {line}")));
    if text.trim().is_empty() {
        lines.extend(why_no_text(read).map(|why| format!("  no text     {why}")));
    }
    for (what, left_out) in [("signature", read.signature), ("quotation", read.quoted_text)] {
        if !left_out.is_empty() {
            lines.push(format!("  left out    a {what} of {}", lines_of(left_out)));
        }
    }
    if !(read.signature.is_empty() && read.quoted_text.is_empty() && read.html.is_none()) {
        lines.push("  (--json shows all of it)".to_owned());
    }
    lines.join("\n")
}

/// Name and address of the author, as far as they are there.
fn author(read: &Inspection<'_>) -> String {
    let name = one_line(read.from_name, 60);
    let address = if read.from.is_empty() { String::new() } else { format!("<{}>", one_line(read.from, 100)) };
    or_none(format!("{name} {address}").trim().to_owned())
}

fn or_none(text: String) -> String {
    if text.is_empty() { "(none)".to_owned() } else { text }
}

fn lines_of(text: &str) -> String {
    count(text.lines().count() as u64, "line")
}

/// Where the words are when there are none of the author's own.
fn why_no_text(read: &Inspection<'_>) -> Option<String> {
    use Protection::{PgpEncrypted, SmimeEncrypted, SmimeSigned};
    if let Some(protection @ (SmimeEncrypted | PgpEncrypted | SmimeSigned)) = read.protection {
        let how = if protection == SmimeSigned { "signed as a whole" } else { "encrypted" };
        let names = ["smime.p7m", "encrypted.asc"];
        let is_content = |kind: &str| kind.ends_with("pkcs7-mime") || kind == "application/octet-stream";
        let content = read
            .attachments
            .iter()
            .find(|one| is_content(one.content_type) || names.contains(&one.name.to_ascii_lowercase().as_str()));
        return content.map(|one| format!("it is {how}; the content is inside {}", one_line(one.name, 80)));
    }
    if !read.quoted_text.trim().is_empty() || !read.signature.trim().is_empty() {
        return None;
    }
    let files = read.attachments.len() as u64;
    Some(if files == 0 { "the message is empty".to_owned() } else { format!("only {}", count(files, "attachment")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use postroom_mail::RawMessage;

    /// What a message shows, and a line that it must have.
    #[test]
    fn lines_for_people() {
        let shown = |octets: &str| {
            let message = postroom_mail::read(&RawMessage::undigested(octets.as_bytes().to_vec()));
            String::from_utf8_lossy(&printed("a.eml", &message, false)).into_owned()
        };
        let event = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Plan\r\nDTSTART:20260303T081500Z\r\nEND:VEVENT\r\n";
        for (octets, line) in [
            ("From: ann@example.org\r\n\r\nx", "  from        <ann@example.org>"),
            ("From: Ann <ann@example.org>\r\n\r\nx", "  from        Ann <ann@example.org>"),
            ("From: a@example.org\r\n\r\nx\r\n-- \r\nAnn", "  left out    a signature of 1 line"),
            ("From: a@example.org\r\n\r\n", "  no text     the message is empty"),
            ("\r\nx", "  from        (none)"),
            ("\r\nx", "  subject     (none)"),
            ("Content-Type: image/png; name=a.png\r\n\r\nx", "  attachment  a.png (image/png, 1 octet)"),
            (
                "From: a@example.org\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nx",
                "  no text     it is encrypted; the content is inside smime.p7m",
            ),
            (
                &format!(
                    "From: a@example.org\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{event}END:VCALENDAR"
                ),
                "  invitation  request: Plan, 2026-03-03 08:15 UTC",
            ),
        ] {
            let shown = shown(octets);
            assert!(shown.lines().any(|shown| shown.trim_end() == line), "{line} in\n{shown}");
        }
    }

    #[test]
    fn the_name_of_a_file_cannot_command_a_terminal() {
        let name = "a\x1b[2J\nb";
        let message = postroom_mail::read(&RawMessage::undigested(&b"Subject: x\r\n\r\ny"[..]));
        let shown = [
            String::from_utf8_lossy(&printed(name, &message, false)).into_owned(),
            unreadable(name, "gone").to_string(),
            unread_file(name, Unread::Panicked("x".to_owned())).to_string(),
        ];
        for shown in shown {
            assert!(shown.contains("a [2J b") && !shown.contains('\x1b'), "{shown}");
        }
    }
}
