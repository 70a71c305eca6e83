//! Mail that no person wrote to us: what kind it is, what shows it, and whether answering it would feed a loop.
//!
//! One strong sign decides. Weak signs, which people's mail has too, decide only in pairs. Where a machine passes on what a
//! person wrote, the mail still counts as automatic: it is filed like other mail, and only an answer would be dangerous.
//! The table for people is in docs/reading.md.

mod words;

use super::bounce;
use super::fields::{Fields, one_line};
use super::forward;
use super::lines::Lines;
use super::structure::{Part, Structure};
use super::transfer;
use crate::{Automatic, AutomaticKind, Message, RawMessage};

/// Characters kept of the evidence.
const EVIDENCE_MAX: usize = 200;
/// Encoded octets of a winmail.dat in which the class of the message is looked for; it stands among the first attributes.
const CLASS_MAX: usize = 4096;

/// Fills in the kind with its evidence, what a bounce says (and how its text is divided), and what was forwarded. Needs the header, the text and the
/// split of its quotation.
pub(super) fn recognise(raw: &RawMessage, structure: &Structure<'_>, text: Lines<'_, '_>, message: &mut Message) {
    let Some(top) = structure.parts.first() else { return };
    let found = Signs::of(raw, structure, top, text.text, message).classify();
    message.auto_submitted = found.as_ref().is_some_and(|automatic| automatic.kind != AutomaticKind::List);
    message.automatic = found;
    match message.automatic.as_ref().map(|automatic| automatic.kind) {
        Some(AutomaticKind::Bounce) => {
            message.bounce = Some(bounce::find(raw, structure, text.text, message));
            let (own, original) = bounce::split(text.text);
            (message.reply_text, message.quoted_text) = (own.to_owned(), original.to_owned());
            message.signature.clear();
            note_action(message);
        }
        Some(AutomaticKind::Report) => {}
        _ => message.forwarded = forward::find(raw, structure, text, message),
    }
}

/// A warning that mail is late, or word that it arrived, is no failure; the evidence says so.
fn note_action(message: &mut Message) {
    let Some(first) = message.bounce.as_ref().and_then(|bounce| bounce.recipients.first()) else { return };
    let all_alike = message.bounce.iter().flat_map(|b| &b.recipients).all(|one| one.action == first.action);
    if first.action == "failed" || !all_alike {
        return;
    }
    let action = format!("; Action: {}", first.action);
    if let Some(automatic) = &mut message.automatic {
        automatic.evidence = cut(&automatic.evidence, EVIDENCE_MAX - action.len().min(EVIDENCE_MAX)) + &action;
    }
}

/// `text` on one line of at most `characters`.
fn cut(text: &str, characters: usize) -> String {
    // A character is at most four octets; what lies beyond is not even folded.
    let text = &text[..text.floor_char_boundary(characters * 8)];
    one_line(text).chars().take(characters).collect()
}

/// What there is to decide from.
struct Signs<'a, 'x> {
    raw: &'a RawMessage,
    structure: &'a Structure<'x>,
    top: &'a Part<'x>,
    text: &'a str,
    message: &'a Message,
    /// The subject in lower case.
    subject: String,
    /// Local part of the first author in lower case.
    author: String,
    /// Auto-Submitted without its parameters, in lower case; empty if it is missing.
    auto_submitted: String,
    /// An empty return path: nobody is to be told, whatever comes of it.
    empty_return_path: bool,
    /// What shows that it came from a mailing list.
    list: Option<String>,
}

impl<'a, 'x> Signs<'a, 'x> {
    fn of(
        raw: &'a RawMessage,
        structure: &'a Structure<'x>,
        top: &'a Part<'x>,
        text: &'a str,
        message: &'a Message,
    ) -> Self {
        let author =
            message.from.first().map(|a| a.addr_spec.split('@').next().unwrap_or_default().to_ascii_lowercase());
        Self {
            raw,
            structure,
            top,
            text,
            message,
            subject: message.subject.to_lowercase(),
            author: author.unwrap_or_default(),
            auto_submitted: first_word(&top.fields, "Auto-Submitted"),
            empty_return_path: top.fields.get("Return-Path").is_some_and(|path| path.trim() == "<>"),
            list: list(&top.fields),
        }
    }

    fn classify(&self) -> Option<Automatic> {
        let by =
            |kind: AutomaticKind| move |evidence: String| Automatic { kind, evidence: cut(&evidence, EVIDENCE_MAX) };
        // A person answers an invitation by pressing a button, whatever the calendar writes into the header.
        let auto_reply = || if self.is_calendar_reply() { None } else { self.auto_reply() };
        self.report()
            .or_else(|| self.bounce().map(by(AutomaticKind::Bounce)))
            .or_else(|| self.other_report().map(by(AutomaticKind::Report)))
            .or_else(|| auto_reply().map(by(AutomaticKind::AutoReply)))
            .or_else(|| self.list.clone().map(by(AutomaticKind::List)))
    }

    fn field(&self, name: &str) -> Option<String> {
        field(&self.top.fields, name)
    }

    fn first_field(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.field(name))
    }

    fn has_part(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
        let mut types = self.structure.parts.iter().map(|part| part.content_type.value.as_str());
        types.find(|here| is_wanted(here))
    }

    // RFC 6522 §3, 3464, 8098, 5965, 8460 §5.3
    fn report(&self) -> Option<Automatic> {
        let content_type = &self.top.content_type;
        let says = |kind: &str| bounce::STATUS_PARTS.contains(&kind) || is_about_mail(kind);
        let evidence;
        let declared = match content_type.value.as_str() {
            "multipart/report" => content_type.get("report-type").unwrap_or_default().trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        let kind = if !declared.is_empty() {
            evidence = format!("Content-Type: multipart/report; report-type={declared}");
            if matches!(declared.as_str(), "delivery-status" | "global-delivery-status") {
                AutomaticKind::Bounce
            } else {
                AutomaticKind::Report
            }
        } else {
            // Without a type, or as the only part, the content says what it is.
            let is_report = content_type.value == "multipart/report" || says(&content_type.value);
            if !is_report {
                return None;
            }
            let part = self.has_part(says);
            evidence = match part {
                Some(part) => format!("a part of type {part}"),
                None => "Content-Type: multipart/report".to_owned(),
            };
            let is_bounce = part.is_none_or(|part| bounce::STATUS_PARTS.contains(&part));
            if is_bounce { AutomaticKind::Bounce } else { AutomaticKind::Report }
        };
        Some(Automatic { kind, evidence: cut(&evidence, EVIDENCE_MAX) })
    }

    /// Bounces that are no multipart/report.
    fn bounce(&self) -> Option<String> {
        if let Some(field) = self.first_field(words::BOUNCE_FIELDS) {
            return Some(field);
        }
        let content_class = first_word(&self.top.fields, "Content-Class");
        if content_class == "urn:content-classes:dsn" || self.tnef_class(words::TNEF_BOUNCES) {
            return self.field("Content-Class").or_else(|| Some("the class of the message in its winmail.dat".into()));
        }
        if words::MAIL_SYSTEMS.contains(&self.author.as_str()) {
            return self.field("From");
        }
        // A person may pass on or quote any of the rest.
        let machine = self.machine()?;
        if let Some(part) = self.has_part(|kind| bounce::STATUS_PARTS.contains(&kind)) {
            return Some(format!("a part of type {part}, with {machine}"));
        }
        if words::BOUNCE_SUBJECTS.iter().any(|words| self.subject.contains(words)) {
            return Some(format!("Subject: {}, with {machine}", cut(&self.message.subject, 80)));
        }
        if let Some(phrase) = bounce::says_so(self.text) {
            return Some(format!("\"{phrase}\" in the text, with {machine}"));
        }
        let is_answer = !matches!(self.auto_submitted.as_str(), "" | "no");
        if self.empty_return_path && !is_answer && self.author == "postmaster" {
            return self.field("From").map(|from| format!("{from}, with {machine}"));
        }
        let original = self.has_part(|kind| bounce::ORIGINAL_PARTS.contains(&kind));
        original
            .filter(|_| self.empty_return_path && !is_answer)
            .map(|part| format!("a part of type {part}, with {machine}"))
    }

    /// What shows that the mail system itself, or some other machine, is the author.
    fn machine(&self) -> Option<String> {
        if self.empty_return_path {
            return Some("an empty Return-Path".to_owned());
        }
        if !matches!(self.auto_submitted.as_str(), "" | "no" | "auto-forwarded") {
            return self.field("Auto-Submitted");
        }
        let name = self.message.from.first().map_or("", |author| &author.name);
        let names = |words: &&str| name.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
        let is_system = self.author == "postmaster" || words::SYSTEM_NAMES.iter().any(names);
        is_system.then(|| self.field("From")).flatten()
    }

    /// Whether a winmail.dat names one of these message classes. Exchange of old wraps its receipts and bounces like that.
    // MS-OXTNEF §2.1.3.3.8
    fn tnef_class(&self, classes: &[&str]) -> bool {
        let part = self.structure.parts.iter().find(|part| part.content_type.value.ends_with("/ms-tnef"));
        let Some(part) = part else { return false };
        let end = part.content.end.min(part.content.start.saturating_add(CLASS_MAX));
        let octets = self.raw.octets().slice(part.content.start..end.max(part.content.start));
        let (octets, _) = transfer::decode_checked(&octets, part.encoding);
        classes.iter().any(|class| memchr::memmem::find(&octets, class.as_bytes()).is_some())
    }

    /// Read receipts and reports that are no multipart/report.
    fn other_report(&self) -> Option<String> {
        let content_class = first_word(&self.top.fields, "Content-Class");
        if content_class == "urn:content-classes:mdn" {
            return self.field("Content-Class");
        }
        if self.tnef_class(words::TNEF_RECEIPTS) {
            return Some("the class of the message in its winmail.dat".to_owned());
        }
        if let Some(field) = self.field("TLS-Report-Domain") {
            return Some(field);
        }
        if let Some(part) = self.has_part(is_about_mail)
            && let Some(machine) = self.machine()
        {
            return Some(format!("a part of type {part}, with {machine}"));
        }
        if let Some(part) = self.own_receipt() {
            return Some(format!("a part of type {part}"));
        }
        // RFC 7489 §7.2.1.1
        let is_dmarc = self.subject.starts_with("report domain:") && self.subject.contains("submitter:");
        if is_dmarc {
            return self.field("Subject");
        }
        let names = self.structure.parts.iter().filter(|part| part.children.is_empty()).filter_map(Part::declared_name);
        let mut names = names.take(20);
        let aggregate = names.find(|name| is_aggregate_name(name));
        if let Some(name) = aggregate {
            return Some(format!("an attachment named {name}"));
        }
        let is_receipt = || words::RECEIPT_SUBJECTS.iter().any(|start| self.subject.starts_with(start));
        let is_answer = !self.message.in_reply_to.is_empty() || !self.message.references.is_empty();
        (self.empty_return_path && is_answer && is_receipt())
            .then(|| format!("Subject: {}, with an empty Return-Path", cut(&self.message.subject, 80)))
    }

    /// A receipt that stands beside the text of the message. One that a person passes on is attached or lies deeper.
    fn own_receipt(&self) -> Option<&str> {
        let beside = self.top.children.iter().filter_map(|index| self.structure.parts.get(*index));
        let is_own = |part: &&Part<'_>| {
            RECEIPT_PARTS.contains(&part.content_type.value.as_str()) && part.disposition.value != "attachment"
        };
        beside.into_iter().find(is_own).map(|part| part.content_type.value.as_str())
    }

    fn is_calendar_reply(&self) -> bool {
        let is_reply = |part: &Part<'_>| {
            part.content_type.value == "text/calendar"
                && part.content_type.get("method").is_some_and(|method| method.trim().eq_ignore_ascii_case("reply"))
        };
        self.message.invitations.iter().any(|invitation| invitation.method == "REPLY")
            || self.structure.parts.iter().any(is_reply)
    }

    /// Auto-Submitted and what was used before it, and still is.
    // RFC 3834 §5
    fn auto_reply(&self) -> Option<String> {
        // "auto-forwarded" is in no standard; a person wrote what a machine passed on.
        if !matches!(self.auto_submitted.as_str(), "" | "no" | "auto-forwarded") {
            return self.field("Auto-Submitted");
        }
        let fields = &self.top.fields;
        let is_marked = |name: &&&str| fields.has(name) && first_word(fields, name) != "no";
        if let Some(name) = words::AUTO_REPLY_FIELDS.iter().find(is_marked) {
            return self.field(name);
        }
        if self.empty_return_path && self.list.is_none() {
            return Some("Return-Path: <>".to_owned());
        }
        // The author's own program says that a person wrote it; what is left are guesses.
        if self.auto_submitted == "no" {
            return None;
        }
        if let Some(field) = self.responder().or_else(|| self.first_field(words::SYSTEM_FIELDS)) {
            return Some(field);
        }
        match first_word(fields, "Precedence").as_str() {
            "auto_reply" | "auto-reply" => return self.field("Precedence"),
            "bulk" | "junk" if self.list.is_none() => return self.field("Precedence"),
            _ => {}
        }
        if has_any(&self.subject, words::MACHINE_SUBJECTS) {
            return self.field("Subject");
        }
        self.weak_pair()
    }

    /// A responder that names itself.
    fn responder(&self) -> Option<String> {
        let programs = ["X-Mailer", "User-Agent", "X-Powered-By", "X-POST-MessageClass", "Delivered-To"];
        programs.into_iter().find_map(|name| {
            let value = self.top.fields.get(name)?.to_ascii_lowercase();
            has_any(&value, words::RESPONDERS).then(|| self.field(name))?
        })
    }

    /// Two signs each of which people's mail may have.
    fn weak_pair(&self) -> Option<String> {
        let suppresses = self.field("X-Auto-Response-Suppress").filter(|_| {
            // "None" asks for nothing (MS-OXCMAIL §2.1.3.2.20).
            first_word(&self.top.fields, "X-Auto-Response-Suppress") != "none"
        });
        let answers = || {
            let ids = self.message.in_reply_to.first().or(self.message.references.last())?;
            Some(format!("In-Reply-To: {ids}"))
        };
        let author = || self.author.bytes().filter(|b| !matches!(b, b'-' | b'_' | b'.'));
        let nobody = words::NOBODY.iter().any(|nobody| author().eq(nobody.bytes()));
        let nobody = nobody.then(|| self.field("From")).flatten();
        if let Some(ended) = absence(&self.subject) {
            let second = suppresses
                .clone()
                .or_else(|| self.empty_return_path.then(|| "an empty Return-Path".to_owned()))
                .or_else(|| self.first_field(&["X-MS-Exchange-Inbox-Rules-Loop", "X-Loop", "Precedence"]))
                .or_else(|| nobody.clone())
                // A person who answers writes on after these words.
                .or_else(|| answers().filter(|_| ended));
            if let Some(second) = second {
                return Some(format!("Subject: {}, with {}", cut(&self.message.subject, 80), cut(&second, 100)));
            }
        }
        if self.list.is_some() {
            return None;
        }
        let mut weak = [suppresses, nobody, self.field("X-Loop"), self.field("Feedback-ID")].into_iter().flatten();
        let (first, second) = (weak.next()?, weak.next()?);
        Some(format!("{}, with {}", cut(&first, 90), cut(&second, 90)))
    }
}

// RFC 2919, 2369
fn list(fields: &Fields<'_>) -> Option<String> {
    let names = ["List-Id", "List-Post", "List-Unsubscribe", "List-Help", "Mailing-List", "X-Mailman-Version"];
    let precedence = || (first_word(fields, "Precedence") == "list").then(|| field(fields, "Precedence"))?;
    names.iter().find_map(|name| field(fields, name)).or_else(precedence)
}

/// `Name: value` of the first such field that is there.
fn field(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields.get(name).map(|value| format!("{name}: {}", cut(&value, EVIDENCE_MAX)))
}

/// Whether any of some words stands in `text`, which is short.
fn has_any(text: &str, words: &[&str]) -> bool {
    let octets = text.as_bytes();
    let begins = |rest: &[u8], word: &str| rest.first() == word.as_bytes().first() && rest.starts_with(word.as_bytes());
    (0..octets.len()).any(|at| words.iter().any(|word| begins(&octets[at..], word)))
}

/// Whether a subject, in lower case, announces an answer by a machine, and whether its words end where the announcement
/// does.
fn absence(subject: &str) -> Option<bool> {
    // "Re: …" is an answer to such a message. Notes adds when the person comes back.
    let is_notes = |words: &&str| {
        subject
            .split_once(*words)
            .is_some_and(|(who, rest)| !who.contains(':') && rest.trim_start().starts_with(['.', '(']))
            || subject.strip_suffix(*words).is_some_and(|who| !who.contains(':'))
    };
    if has_any(subject, words::NOTES_SUBJECTS) && words::NOTES_SUBJECTS.iter().any(is_notes) {
        return Some(true);
    }
    let first = subject.as_bytes().first();
    let may_begin = |start: &&&str| start.as_bytes().first() == first;
    let mut endings = words::AUTO_REPLY_SUBJECTS.iter().filter(may_begin).filter_map(|start| {
        let rest = subject.strip_prefix(start)?.trim_start();
        let is_sentence = ["i am ", "i'm ", "ich bin "].iter().any(|me| start.starts_with(me));
        Some(is_sentence || start.ends_with(':') || !rest.starts_with(char::is_alphanumeric))
    });
    let first = endings.next()?;
    Some(first || endings.any(|ended| ended))
}

/// Parts in which a read receipt says what became of a message (RFC 8098 §3.1, RFC 6533 §5).
const RECEIPT_PARTS: [&str; 2] = ["message/disposition-notification", "message/global-disposition-notification"];
/// Parts of reports about mail (RFC 5965 §3, RFC 8460 §5.3).
const FEEDBACK_PARTS: [&str; 3] = ["message/feedback-report", "application/tlsrpt+gzip", "application/tlsrpt+json"];

/// Whether a part of this type says something about other mail.
fn is_about_mail(kind: &str) -> bool {
    RECEIPT_PARTS.contains(&kind) || FEEDBACK_PARTS.contains(&kind)
}

/// The name of an aggregate report: receiver, domain, begin and end with exclamation marks between them.
// RFC 7489 §7.2.1.1
fn is_aggregate_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = [".xml.gz", ".xml.zip", ".xml", ".zip", ".gz"].iter().find_map(|end| lower.strip_suffix(end));
    let mut pieces = stem.unwrap_or_default().split('!');
    let (domains, times) = ((pieces.next(), pieces.next()), (pieces.next(), pieces.next()));
    let is_domain = |piece: Option<&str>| piece.is_some_and(|piece| piece.contains('.'));
    let is_time =
        |piece: Option<&str>| piece.is_some_and(|piece| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_digit()));
    is_domain(domains.0) && is_domain(domains.1) && is_time(times.0) && is_time(times.1)
}

/// The first word of a field in lower case; empty if the field is missing.
fn first_word(fields: &Fields<'_>, name: &str) -> String {
    let value = fields.get(name).unwrap_or_default();
    value.trim().split([';', ' ', ',', '(', '\t']).next().unwrap_or_default().to_ascii_lowercase()
}
