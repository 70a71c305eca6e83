//! Somebody else uses the mailbox while we visit it: a random client appends, flags, moves, deletes and expunges, and
//! whatever it does, every message has one effect, nothing of others is changed, and the ledger is right after every visit.
//!
//! `POSTROOM_SEED` repeats a run, `POSTROOM_MODEL_VISITS` makes it longer.

use crate::desk::{Desk, lines, message};
use crate::servers::add;
use postroom_testkit::client::{ImapClient, Pop3Client};
use postroom_testkit::messages::letters;
use postroom_testkit::server::{MailServer, Make, Protocol};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Stdio;

/// Visits of one run unless `POSTROOM_MODEL_VISITS` says otherwise.
const VISITS: usize = 15;

/// What is done with filed mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filed {
    Kept,
    Deleted,
    Moved,
}

/// What is known of one message, by the word in its subject that no other has.
#[derive(Debug, Default)]
struct Sent {
    /// Whether its sender is unknown, so that it is held.
    is_strange: bool,
    /// It was there before a visit began and after it ended: it must have its effect.
    must: bool,
    /// The other client has removed it, or tried to.
    removed: bool,
    /// The other client has marked it as deleted; if it is removed by the next EXPUNGE, that was not us.
    marked: bool,
    /// What the other client has set, \Deleted left out.
    flags: BTreeSet<&'static str>,
}

/// xorshift64: repeatable, and good enough to choose what happens next.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }
}

struct Model<'a> {
    server: &'a MailServer,
    desk: Desk,
    user: String,
    protocol: Protocol,
    filed: Filed,
    other: ImapClient,
    random: Random,
    sent: BTreeMap<String, Sent>,
    seed: u64,
    steps: usize,
}

const FLAGS: [&str; 3] = ["\\Seen", "\\Flagged", "\\Answered"];

impl<'a> Model<'a> {
    fn new(server: &'a MailServer, protocol: Protocol, filed: Filed, seed: u64) -> Self {
        let user = format!("model{filed:?}").to_lowercase();
        let mut other = server.client(&user).unwrap();
        other.command(&format!("CREATE \"{}\"", server.folder("Elsewhere"))).unwrap();
        other.select("INBOX").unwrap();
        let desk = Desk::furnished();
        let how: &[&str] = match filed {
            Filed::Kept => &["--keep", "yes"],
            Filed::Deleted => &["--keep", "no"],
            Filed::Moved => &["--done-folder", "Done"],
        };
        add(&desk, server, protocol, "ssl", "desk", &user, &[&["--start", "all"], how].concat());
        let (random, sent) = (Random(seed | 1), BTreeMap::new());
        Self { server, desk, user, protocol, filed, other, random, sent, seed, steps: 0 }
    }

    /// Ends the test with all that is needed to look into it.
    fn fail(&self, what: &str) -> ! {
        let log = self.server.log();
        let log: Vec<&str> = log.lines().rev().take(30).collect();
        panic!(
            "{:?} {:?} {:?}: {what}; POSTROOM_SEED={} repeats it, step {}\n{}",
            self.server.make(),
            self.protocol,
            self.filed,
            self.seed,
            self.steps,
            log.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    }

    /// The messages of the inbox as the other client sees them: UID, flags, word.
    fn look(&mut self) -> Vec<(u32, Vec<String>, String)> {
        match self.other.messages(true) {
            Ok(seen) => seen.into_iter().filter_map(|m| Some((m.uid, m.flags, word(&m.octets)?))).collect(),
            Err(error) => self.fail(&format!("the other client cannot look: {error:#}")),
        }
    }

    fn command(&mut self, text: &str) {
        if let Err(error) = self.other.command(text) {
            // RFC 2180 §4: a message that we have just removed cannot be flagged or copied any more.
            let text = format!("{error:#}");
            if !text.contains(": NO") {
                self.fail(&format!("the other client: {text}"));
            }
        }
    }

    fn append(&mut self) {
        for _ in 0..=self.random.below(3) {
            let word = format!("word{}x", letters(self.sent.len()));
            let is_strange = self.random.below(4) == 0;
            let from = if is_strange { "eve@elsewhere.example" } else { "ann@example.org" };
            let flag = FLAGS.get(self.random.below(8)).copied();
            let octets = message(from, &format!("about {word} now"), &"text\r\n".repeat(self.random.below(2000)));
            if let Err(error) = self.other.append("INBOX", &octets, flag.unwrap_or_default()) {
                self.fail(&format!("the other client cannot append: {error:#}"));
            }
            self.sent.insert(word, Sent { is_strange, flags: flag.into_iter().collect(), ..Sent::default() });
        }
    }

    /// Does one thing that another client may do.
    fn step(&mut self) {
        self.steps += 1;
        let choice = self.random.below(12);
        if choice < 4 || self.sent.is_empty() {
            return self.append();
        }
        if choice == 4 {
            // Takes everybody's \Deleted mail with it.
            self.sent.values_mut().filter(|sent| sent.marked).for_each(|sent| sent.removed = true);
            return self.command("EXPUNGE");
        }
        if choice == 5 {
            let user = self.user.clone();
            return match self.server.client(&user) {
                Ok(client) => {
                    self.other = client;
                    self.command("SELECT INBOX");
                }
                Err(error) => self.fail(&format!("the other client cannot connect: {error:#}")),
            };
        }
        let there = self.look();
        let Some((uid, _, word)) = there.get(self.random.below(there.len())).cloned() else { return };
        let flag = FLAGS[self.random.below(FLAGS.len())];
        let elsewhere = self.server.folder("Elsewhere");
        let sent = self.sent.entry(word).or_default();
        match choice {
            6 => {
                sent.flags.insert(flag);
                self.command(&format!("UID STORE {uid} +FLAGS ({flag})"));
            }
            7 => {
                sent.flags.remove(flag);
                self.command(&format!("UID STORE {uid} -FLAGS ({flag})"));
            }
            8 => {
                sent.marked = true;
                self.command(&format!("UID STORE {uid} +FLAGS (\\Deleted)"));
            }
            9 => {
                sent.marked = false;
                self.command(&format!("UID STORE {uid} -FLAGS (\\Deleted)"));
            }
            10 => {
                (sent.marked, sent.removed) = (true, true);
                self.command(&format!("UID COPY {uid} \"{elsewhere}\""));
                self.command(&format!("UID STORE {uid} +FLAGS (\\Deleted)"));
                self.command(&format!("UID EXPUNGE {uid}"));
            }
            _ => self.command(&format!("UID COPY {uid} \"{elsewhere}\"")),
        }
    }

    /// Another client over POP3, between our visits: it looks, and deletes one message or none.
    fn pop3_session(&mut self) {
        self.steps += 1;
        let mut client = match Pop3Client::connect(self.server.ports().pop3, &self.user) {
            Ok(client) => client,
            Err(error) => self.fail(&format!("the other POP3 client: {error:#}")),
        };
        let listed = client.lines("UIDL").unwrap();
        if !listed.is_empty() && self.random.below(2) == 0 {
            let number = self.random.below(listed.len()) + 1;
            let text = client.lines(&format!("TOP {number} 0")).unwrap().join("\r\n");
            client.command(&format!("DELE {number}")).unwrap();
            if let Some(sent) = word(text.as_bytes()).and_then(|word| self.sent.get_mut(&word)) {
                sent.removed = true;
            }
        }
        client.command("QUIT").unwrap();
    }

    /// One visit, with the other client at work meanwhile, and what must be true after it.
    fn visit(&mut self) {
        if self.protocol == Protocol::Pop3 && self.random.below(3) == 0 {
            self.pop3_session();
        }
        let before: Vec<String> = self.look().into_iter().map(|(_, _, word)| word).collect();
        let before: Vec<String> = before.into_iter().filter(|word| !self.sent[word].removed).collect();
        let mut command = self.desk.command(&["--json", "fetch"]);
        let fetch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let steps = self.random.below(8);
        for _ in 0..steps {
            self.step();
        }
        let output = fetch.wait_with_output().unwrap();
        for word in before {
            let sent = self.sent.get_mut(&word).unwrap();
            sent.must |= !sent.removed;
        }
        let visit = lines(&output.stdout).pop().unwrap_or_default();
        if !output.status.success() || !visit["error"].is_null() || visit["unaccounted"] != 0 {
            self.fail(&format!("the visit: {visit} {}", String::from_utf8_lossy(&output.stderr)));
        }
        let receipts = self.receipts();
        self.check_effects(&receipts, steps == 0);
        self.check_server(&receipts);
    }

    fn receipts(&self) -> HashMap<String, Vec<Value>> {
        let mut receipts: HashMap<String, Vec<Value>> = HashMap::new();
        for receipt in self.desk.ok(&["receipt", "list"]) {
            let word = receipt["subject"].as_str().and_then(|subject| word(subject.as_bytes())).unwrap_or_default();
            receipts.entry(word).or_default().push(receipt);
        }
        receipts
    }

    fn check_effects(&self, receipts: &HashMap<String, Vec<Value>>, is_quiet: bool) {
        // Over POP3 a server cannot say that a message is gone, or was renamed under its hands, only that it does not give
        // it now: that is held and shown, and asked for again by the next visit as long as it is listed.
        let is_refused = |receipt: &Value| self.protocol == Protocol::Pop3 && receipt["reason"] == "UNFETCHABLE";
        // Once it is listed no more, nothing waits for it, and what comes back under its name is another message.
        let was_refused =
            |receipt: &Value| receipt["reason"] == "DELETED" && receipt["trace"][0]["outcome"] == "UNFETCHABLE";
        let unread = receipts.get("").map_or(&[][..], Vec::as_slice);
        let unread: Vec<&Value> = unread.iter().filter(|receipt| !was_refused(receipt)).collect();
        let without = |sent: fn(&Sent) -> bool| {
            self.sent.iter().filter(|(word, one)| sent(one) && !receipts.contains_key(*word)).count()
        };
        let (gone, late) = (without(|sent| sent.removed), without(|sent| sent.must));
        if !unread.iter().all(|receipt| is_refused(receipt)) || unread.len() > without(|_| true) || late > unread.len()
        {
            self.fail(&format!("{late} messages without an effect, receipts without a subject: {unread:?}"));
        }
        if is_quiet && (unread.len() > gone || late > 0) {
            self.fail(&format!("{late} messages without an effect in the end: {unread:?}"));
        }
        for (word, sent) in &self.sent {
            let found = receipts.get(word).map_or(&[][..], Vec::as_slice);
            if found.len() > 1 {
                self.fail(&format!("{word} has {} effects: {sent:?} {found:?}", found.len()));
            }
            let expected = if sent.is_strange { "held" } else { "filed" };
            if found.iter().any(|receipt| receipt["state"] != expected) {
                self.fail(&format!("{word} should be {expected}: {found:?}"));
            }
        }
        let checked = self.desk.ok(&["check"]);
        if checked[0]["problems"] != serde_json::json!([]) {
            self.fail(&format!("the ledger: {checked:?}"));
        }
    }

    /// What is gone from the server was removed by the other client, or filed and to be removed by us; what is there has
    /// the flags that the other client gave it.
    fn check_server(&mut self, receipts: &HashMap<String, Vec<Value>>) {
        let there: HashMap<String, Vec<String>> =
            self.look().into_iter().map(|(_, flags, word)| (word, flags)).collect();
        for (word, sent) in &self.sent {
            let is_filed = receipts.get(word).is_some_and(|found| found[0]["state"] == "filed");
            match there.get(word) {
                None if sent.removed || (is_filed && self.filed != Filed::Kept) => {}
                None => self.fail(&format!("{word} is gone: {sent:?}")),
                Some(flags) => {
                    // Over POP3 a server may mark what it gave us, and a deletion of ours may have lost against the other
                    // client, who took the mark away between our marking and our expunging.
                    let is_ours = |flag: &str| {
                        (flag == "\\Seen" && self.protocol == Protocol::Pop3)
                            || (flag == "\\Deleted" && (sent.marked || self.filed != Filed::Kept))
                    };
                    let mut expected: Vec<&str> = sent.flags.iter().copied().collect();
                    if sent.marked {
                        expected.push("\\Deleted");
                    }
                    let wrong = expected.iter().any(|flag| !flags.iter().any(|f| f == flag))
                        || flags.iter().any(|flag| !expected.contains(&flag.as_str()) && !is_ours(flag));
                    if wrong && !sent.removed {
                        self.fail(&format!("{word} has the flags {flags:?}, not {expected:?}"));
                    }
                }
            }
        }
    }

    /// Items as people see them: each word once.
    fn check_items(&self) {
        let mut words: Vec<String> = Vec::new();
        for item in self.desk.ok(&["item", "list"]) {
            words.extend(item["title"].as_str().and_then(|title| word(title.as_bytes())));
        }
        let count = words.len();
        words.sort();
        words.dedup();
        if words.len() != count {
            self.fail("a message became two items");
        }
    }
}

/// The word of a message: `word…x`.
fn word(octets: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(octets);
    let start = text.find("about word")? + "about ".len();
    Some(text[start..].split(' ').next()?.to_owned())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn run(make: Make, protocol: Protocol) {
    let Some(server) = MailServer::start(make) else { return };
    let seed = number("POSTROOM_SEED").unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64
    });
    let visits = number("POSTROOM_MODEL_VISITS").map_or(VISITS, |visits| visits as usize);
    let ways: &[Filed] = match protocol {
        Protocol::Imap => &[Filed::Kept, Filed::Deleted, Filed::Moved],
        Protocol::Pop3 => &[Filed::Kept, Filed::Deleted],
    };
    for filed in ways {
        let mut model = Model::new(&server, protocol, *filed, seed);
        for _ in 0..visits.div_ceil(ways.len()) {
            model.visit();
        }
        // A last visit in which nobody else does anything, and every message that is there has its effect.
        model.random = Random(0);
        model.visit();
        model.check_items();
        let (steps, messages) = (model.steps, model.sent.len());
        eprintln!("{make:?} {protocol:?} {filed:?}: POSTROOM_SEED={seed}, {steps} steps, {messages} messages");
    }
}

#[test]
fn dovecot_over_imap() {
    run(Make::Dovecot, Protocol::Imap);
}

#[test]
fn dovecot_over_pop3() {
    run(Make::Dovecot, Protocol::Pop3);
}

#[test]
fn cyrus_over_imap() {
    run(Make::Cyrus, Protocol::Imap);
}

#[test]
fn cyrus_over_pop3() {
    run(Make::Cyrus, Protocol::Pop3);
}

#[test]
fn courier_over_imap() {
    run(Make::Courier, Protocol::Imap);
}

#[test]
fn courier_over_pop3() {
    run(Make::Courier, Protocol::Pop3);
}
