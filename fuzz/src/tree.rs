//! Trees of parts, so that it is known which leaves a message has.

use postroom_mail::{Defect, Message, RawMessage};

/// A message whose leaves are known.
pub struct Tree {
    /// The message.
    pub octets: Vec<u8>,
    /// A word of each leaf that stands nowhere else.
    words: Vec<String>,
}

const MULTIPARTS: [&str; 10] = [
    "mixed",
    "alternative",
    "related",
    "signed",
    "report",
    "digest",
    "parallel",
    "appledouble",
    "encrypted",
    "x-other",
];
const LEAVES: [&str; 16] = [
    "text/plain",
    "text/html",
    "text/plain; charset=utf-8; format=flowed",
    "text/calendar; method=REQUEST",
    "text/enriched",
    "image/png",
    "application/octet-stream",
    "application/pgp-signature",
    "application/pkcs7-mime",
    "application/ms-tnef",
    "message/delivery-status",
    "text/rfc822-headers",
    "message/external-body; access-type=url",
    "text/x-patch",
    "",
    "text/csv",
];
const DISPOSITIONS: [&str; 6] = ["", "", "", "inline", "attachment", "attachment; filename=thing.txt"];
/// Parts in one tree: more would only be more of the same.
const LEAVES_MAX: usize = 40;

/// Grows a tree: each octet opens a multipart, closes one, or adds a leaf.
pub fn grow(choices: &[u8]) -> Tree {
    let mut tree = Tree { octets: b"From: a@example.org\r\n".to_vec(), words: Vec::new() };
    let mut open: Vec<String> = Vec::new();
    let mut count = 0;
    let mut choices = choices.iter().map(|b| usize::from(*b));
    tree.open(0, &mut open, &mut count);
    while let Some(choice) = choices.next() {
        if tree.words.len() >= LEAVES_MAX {
            break;
        }
        match choice % 8 {
            0 if open.len() < 20 => {
                tree.delimiter(&open);
                tree.open(choice / 8, &mut open, &mut count);
            }
            1 if open.len() > 1 => tree.close(&mut open),
            _ => {
                tree.delimiter(&open);
                tree.leaf(choice / 8, choices.next().unwrap_or(0));
            }
        }
    }
    while !open.is_empty() {
        tree.close(&mut open);
    }
    tree
}

impl Tree {
    fn open(&mut self, choice: usize, open: &mut Vec<String>, count: &mut usize) {
        *count += 1;
        let boundary = format!("edge{count}e");
        let kind = MULTIPARTS[choice % MULTIPARTS.len()];
        self.push(&format!("Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n"));
        open.push(boundary);
    }

    fn delimiter(&mut self, open: &[String]) {
        if let Some(boundary) = open.last() {
            self.push(&format!("--{boundary}\r\n"));
        }
    }

    fn close(&mut self, open: &mut Vec<String>) {
        if let Some(boundary) = open.pop() {
            self.push(&format!("--{boundary}--\r\n"));
        }
    }

    fn leaf(&mut self, kind: usize, how: usize) {
        let word = format!("leaf{}word", self.words.len());
        let kind = LEAVES[kind % LEAVES.len()];
        let disposition = DISPOSITIONS[how % DISPOSITIONS.len()];
        if !kind.is_empty() {
            self.push(&format!("Content-Type: {kind}\r\n"));
        }
        if !disposition.is_empty() {
            self.push(&format!("Content-Disposition: {disposition}\r\n"));
        }
        if how / 16 % 4 == 1 {
            self.push("Content-ID: <same@example.org>\r\n");
        }
        let body = if kind == "text/html" { format!("<p>{word}</p>") } else { format!("> {word} said") };
        self.push(&format!("\r\n{body}\r\n"));
        self.words.push(word);
    }

    fn push(&mut self, text: &str) {
        self.octets.extend_from_slice(text.as_bytes());
    }

    /// The word of every leaf is in the text, in the HTML or in an attachment, or a limit says that something is not.
    pub fn every_leaf_is_there(&self, message: &Message) {
        if message.defects.iter().any(|defect| matches!(defect, Defect::Limit { .. })) {
            return;
        }
        let raw = RawMessage::new(self.octets.clone());
        let contents: Vec<_> = message.attachments.iter().map(|attachment| attachment.content.octets(&raw)).collect();
        for word in &self.words {
            let shown = message.text.contains(word) || message.html.as_ref().is_some_and(|html| html.contains(word));
            let attached = contents.iter().any(|octets| octets.windows(word.len()).any(|at| at == word.as_bytes()));
            assert!(shown || attached, "{word} is lost in:\n{}", String::from_utf8_lossy(&self.octets));
        }
    }
}
