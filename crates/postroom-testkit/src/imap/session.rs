//! One conversation.

use super::{Folder, Mail, Shared, World};
use crate::scripted::Stream;
use anyhow::{Result, bail};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::watch;

/// What a client sees of the folder that it has selected.
struct Selected {
    name: String,
    read_only: bool,
    /// UIDs in order, as the client knows them.
    uids: Vec<u32>,
}

struct Session<'a> {
    stream: BufReader<Box<dyn Stream>>,
    shared: &'a Shared,
    selected: Option<Selected>,
}

pub(super) async fn serve(stream: Box<dyn Stream>, shared: &Shared) -> Result<()> {
    // What is buffered is small, so that a thousand of these are too.
    let mut session = Session { stream: BufReader::with_capacity(256, stream), shared, selected: None };
    let mut changes = shared.changes.subscribe();
    session.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n").await?;
    loop {
        let line = session.read_command().await?;
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let (tag, command) = (tag.to_owned(), command.to_owned());
        let stalls = {
            let mut world = shared.lock();
            world.commands.push(command.clone());
            world.stalls_at.as_ref().is_some_and(|start| command.starts_with(start.as_str()))
        };
        if stalls {
            // Nothing more, until the client has had enough.
            let _nothing = session.stream.read_u8().await;
            return Ok(());
        }
        if command == "IDLE" {
            session.idle(&mut changes).await?;
        }
        let mut answer = session.answer(&command);
        session.sync(&mut answer);
        let status = answer.status;
        session.say(&format!("{}{tag} {status}\r\n", answer.data)).await?;
        if command == "LOGOUT" {
            return Ok(());
        }
    }
}

/// What a command is answered with.
struct Answer {
    data: String,
    status: String,
    /// Whether the client may be told of messages that are gone.
    may_tell: bool,
}

impl Answer {
    fn new(data: String, status: &str) -> Self {
        Self { data, status: status.to_owned(), may_tell: true }
    }

    fn ok(data: String) -> Self {
        Self::new(data, "OK done")
    }

    fn no(status: &str) -> Self {
        Self::new(String::new(), status)
    }
}

impl Session<'_> {
    async fn say(&mut self, text: &str) -> Result<()> {
        // One octet of the text is one octet on the wire; see `octets`.
        let octets: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        self.stream.write_all(&octets).await?;
        Ok(self.stream.flush().await?)
    }

    /// A line with its literals in it.
    async fn read_command(&mut self) -> Result<String> {
        let mut command = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                bail!("the client hung up");
            }
            let line = line.trim_end_matches(['\r', '\n']);
            command.push_str(line);
            let literal = line.strip_suffix("+}").and_then(|rest| rest.rsplit_once('{'));
            let Some((_, length)) = literal else { return Ok(command) };
            let mut octets = vec![0; length.parse()?];
            self.stream.read_exact(&mut octets).await?;
            let start = command.rfind('{').unwrap_or(command.len());
            command.truncate(start);
            command.push_str(&format!("\"{}\"", String::from_utf8_lossy(&octets)));
        }
    }

    /// Tells of changes as they come, until the client has had enough.
    async fn idle(&mut self, changes: &mut watch::Receiver<u64>) -> Result<()> {
        let mut news = Answer::ok("+ idling\r\n".to_owned());
        loop {
            changes.borrow_and_update();
            self.sync(&mut news);
            let text = std::mem::take(&mut news.data);
            self.say(&text).await?;
            let mut line = String::new();
            tokio::select! {
                _ = changes.changed() => {}
                read = self.stream.read_line(&mut line) => {
                    if read? == 0 || line.trim_end() != "DONE" {
                        bail!("{line:?} in place of DONE");
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Adds what has changed in the selected folder since the client was told last.
    fn sync(&mut self, answer: &mut Answer) {
        let Some(selected) = &mut self.selected else { return };
        let world = self.shared.lock();
        let now: Vec<u32> = world.folders.get(&selected.name).map_or(Vec::new(), uids);
        if !answer.may_tell || now == selected.uids {
            return;
        }
        let there: HashSet<u32> = now.iter().copied().collect();
        let mut at = 0;
        selected.uids.retain(|uid| {
            let stays = there.contains(uid);
            if !stays {
                let _ = write!(answer.data, "* {} EXPUNGE\r\n", at + 1);
            }
            at += usize::from(stays);
            stays
        });
        if selected.uids != now {
            let _ = write!(answer.data, "* {} EXISTS\r\n", now.len());
            selected.uids = now;
        }
    }

    fn answer(&mut self, command: &str) -> Answer {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let mut world = self.shared.lock();
        match name {
            "CAPABILITY" => Answer::ok(format!("* CAPABILITY IMAP4rev1 {}\r\n", world.capabilities)),
            "LOGIN" | "AUTHENTICATE" => {
                world.logins += 1;
                match &world.refuses_logins {
                    Some(status) => Answer::no(status),
                    None => Answer::no(&format!("OK [CAPABILITY IMAP4rev1 {}] in", world.capabilities)),
                }
            }
            "ID" => Answer::ok("* ID NIL\r\n".to_owned()),
            "NAMESPACE" => Answer::ok(format!("* NAMESPACE {}\r\n", world.namespace)),
            "LIST" => {
                let wanted = unquoted(rest.split_once(' ').map_or("", |(_, pattern)| pattern));
                let separator = world.namespace.split('"').nth(3).unwrap_or("/").to_owned();
                let there = world.folders.keys().filter(|folder| **folder == wanted);
                Answer::ok(there.map(|folder| format!("* LIST () \"{separator}\" \"{folder}\"\r\n")).collect())
            }
            "EXAMINE" | "SELECT" => select(&mut self.selected, &world, &unquoted(rest), name == "EXAMINE"),
            "STATUS" => {
                let folder = unquoted(rest.rsplit_once(" (").map_or(rest, |(folder, _)| folder));
                let Some(Folder { uid_validity, uid_next, mails, .. }) = world.folders.get(&folder) else {
                    return Answer::no("NO no such folder");
                };
                let messages = mails.len();
                Answer::ok(format!(
                    "* STATUS \"{folder}\" (UIDVALIDITY {uid_validity} UIDNEXT {uid_next} MESSAGES {messages})\r\n"
                ))
            }
            "CREATE" => {
                world.folder(&unquoted(rest));
                Answer::ok(String::new())
            }
            "NOOP" | "IDLE" | "LOGOUT" => Answer::ok(String::new()),
            "UID" => uid_command(self.selected.as_mut(), &mut world, rest),
            _ => Answer::no("BAD what"),
        }
    }
}

fn select(selected: &mut Option<Selected>, world: &World, name: &str, read_only: bool) -> Answer {
    *selected = None;
    let Some(folder) = world.folders.get(name) else { return Answer::no("NO [NONEXISTENT] no such folder") };
    let uids = uids(folder);
    let mut data = format!("* {} EXISTS\r\n* OK [UIDVALIDITY {}] valid\r\n", uids.len(), folder.uid_validity);
    if world.tells_uid_next {
        let _ = write!(data, "* OK [UIDNEXT {}] next\r\n", folder.uid_next);
    }
    if world.capabilities.contains("CONDSTORE") {
        let _ = write!(data, "* OK [HIGHESTMODSEQ {}] highest\r\n", folder.mod_seq);
    }
    *selected = Some(Selected { name: name.to_owned(), read_only, uids });
    Answer::new(data, if read_only { "OK [READ-ONLY] done" } else { "OK [READ-WRITE] done" })
}

fn uid_command(selected: Option<&mut Selected>, world: &mut World, rest: &str) -> Answer {
    let Some(selected) = selected else { return Answer::no("BAD nothing is selected") };
    let mut words = rest.splitn(3, ' ');
    let (verb, set, what) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
    // The client may only speak of messages that it knows.
    let known = selected.uids.clone();
    let expunges_at_once = world.expunges_at_once;
    let World { folders, bodies, keeps_back, .. } = world;
    let Some(folder) = folders.get_mut(&selected.name) else { return Answer::no("NO the folder is gone") };
    let chosen = in_set(set, &known);
    if selected.read_only && matches!(verb, "STORE" | "EXPUNGE" | "MOVE") {
        return Answer::no("NO the folder is open to look only");
    }
    match verb {
        "FETCH" => fetch(folder, &known, &chosen, what, bodies, keeps_back),
        "SEARCH" => {
            let list: Vec<String> = known.iter().map(u32::to_string).collect();
            let found = match (known.first(), known.last()) {
                (Some(min), Some(max)) if rest.contains("MIN") => format!(" MIN {min} MAX {max} COUNT {}", known.len()),
                (Some(_), _) => format!(" ALL {}", list.join(",")),
                _ => " COUNT 0".to_owned(),
            };
            Answer::ok(format!("* ESEARCH (TAG \"x\") UID{found}\r\n"))
        }
        "STORE" => {
            for mail in folder.mails.iter_mut().filter(|mail| chosen.contains(&mail.uid)) {
                mail.flags.extend(what.split('(').nth(1).map(|flag| flag.trim_end_matches(')').to_owned()));
            }
            if expunges_at_once {
                folder.mails.retain(|mail| !mail.flags.contains("\\Deleted"));
            }
            folder.mod_seq += 1;
            Answer::ok(String::new())
        }
        "EXPUNGE" => {
            folder.mails.retain(|mail| !(chosen.contains(&mail.uid) && mail.flags.contains("\\Deleted")));
            folder.mod_seq += 1;
            Answer::ok(String::new())
        }
        "MOVE" | "COPY" => {
            let taken: Vec<Mail> = folder.mails.iter().filter(|mail| chosen.contains(&mail.uid)).cloned().collect();
            if verb == "MOVE" {
                folder.mails.retain(|mail| !chosen.contains(&mail.uid));
                folder.mod_seq += 1;
            }
            let Some(target) = folders.get_mut(&unquoted(what)) else { return Answer::no("NO [TRYCREATE] none") };
            taken.into_iter().for_each(|mail| target.deliver(mail.octets, mail.arrived));
            Answer::ok(String::new())
        }
        _ => Answer::no("BAD what"),
    }
}

fn fetch(
    folder: &Folder,
    known: &[u32],
    chosen: &HashSet<u32>,
    what: &str,
    bodies: &mut usize,
    keeps_back: &BTreeSet<u32>,
) -> Answer {
    let mut data = String::new();
    let is_body = what.contains("BODY.PEEK[]");
    let numbers: HashMap<u32, usize> = known.iter().enumerate().map(|(at, uid)| (*uid, at + 1)).collect();
    for mail in folder.mails.iter().filter(|mail| chosen.contains(&mail.uid)) {
        let (uid, number) = (mail.uid, numbers.get(&mail.uid).copied().unwrap_or(0));
        let _ = write!(data, "* {number} FETCH (UID {uid}");
        if what.contains("RFC822.SIZE") {
            let size = mail.octets.len();
            let _ = write!(data, " RFC822.SIZE {size} INTERNALDATE \"{}\"", date(mail.arrived));
        }
        if what.contains("MESSAGE-ID") {
            let text = String::from_utf8_lossy(&mail.octets);
            let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
            let fields = format!("{}\r\n\r\n", line.unwrap_or_default());
            let _ = write!(data, " BODY[HEADER.FIELDS (MESSAGE-ID)] {{{}}}\r\n{fields}", fields.len());
        }
        if is_body {
            if keeps_back.contains(&uid) {
                return Answer::no("NO this message cannot be read");
            }
            *bodies += 1;
            let octets: String = mail.octets.iter().map(|octet| char::from(*octet)).collect();
            let _ = write!(data, " BODY[] {{{}}}\r\n{octets}", mail.octets.len());
        }
        data.push_str(")\r\n");
    }
    Answer { data, status: "OK done".to_owned(), may_tell: true }
}

/// A second since 1970 as INTERNALDATE writes it, in UTC.
fn date(second: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, seconds) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    // Days since 1 March 0, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400 + i64::from(month >= 10);
    let name = MONTHS.get(usize::try_from((month + 2) % 12).unwrap_or(0)).unwrap_or(&"Jan");
    format!("{day:2}-{name}-{year} {:02}:{:02}:{:02} +0000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn uids(folder: &Folder) -> Vec<u32> {
    folder.mails.iter().map(|mail| mail.uid).collect()
}

/// The UIDs that a set names; `*` is the highest that the client knows.
fn in_set(set: &str, known: &[u32]) -> HashSet<u32> {
    let highest = known.iter().max().copied().unwrap_or(0);
    let number = |text: &str| if text == "*" { highest } else { text.parse().unwrap_or(0) };
    let mut chosen = HashSet::new();
    for range in set.split(',') {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last) = (number(first), number(last));
        let (first, last) = (first.min(last), first.max(last));
        chosen.extend(known.iter().filter(|uid| (first..=last).contains(*uid)));
    }
    chosen
}

fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}
