//! Mail that no person wrote to us: what kind it is, and whether answering it would feed a loop.

use super::fields::Fields;
use super::parameter::Parameterised;
use super::structure::Part;
use crate::{Address, Automatic, AutomaticKind, Message};

/// The kind with its evidence, and whether the message must not be answered.
pub(super) fn classify(top: &Part<'_>, message: &Message) -> (Option<Automatic>, bool) {
    let (kind, is_answered_never) = kind(&top.fields, &top.content_type, &message.from, &message.subject);
    (kind.map(|kind| Automatic { kind, evidence: kind.as_str().to_owned() }), is_answered_never)
}

fn kind(
    fields: &Fields<'_>,
    content_type: &Parameterised,
    from: &[Address],
    subject: &str,
) -> (Option<AutomaticKind>, bool) {
    if let Some(kind) = report(content_type) {
        return (Some(kind), true);
    }
    if is_bounce(fields, content_type, from) {
        return (Some(AutomaticKind::Bounce), true);
    }
    if is_auto_reply(fields, subject) {
        return (Some(AutomaticKind::AutoReply), true);
    }
    let is_list = is_list(fields);
    (is_list.then_some(AutomaticKind::List), false)
}

// RFC 2919, 2369
fn is_list(fields: &Fields<'_>) -> bool {
    ["List-Id", "List-Unsubscribe", "List-Post", "List-Help", "Mailing-List"].iter().any(|field| fields.has(field))
        || first_word(fields, "Precedence") == "list"
}

// RFC 6522 §3, 3464, 8098, 5965
fn report(content_type: &Parameterised) -> Option<AutomaticKind> {
    if content_type.value != "multipart/report" {
        return None;
    }
    let kind = content_type.get("report-type").unwrap_or_default().to_ascii_lowercase();
    Some(match kind.as_str() {
        "delivery-status" | "" => AutomaticKind::Bounce,
        _ => AutomaticKind::Report,
    })
}

/// Bounces that are no RFC 3464 report: an empty return path or the name of the mail system itself.
fn is_bounce(fields: &Fields<'_>, content_type: &Parameterised, from: &[Address]) -> bool {
    let empty_return_path = fields.get("Return-Path").is_some_and(|path| path.trim() == "<>");
    let local = from.first().map(|a| a.addr_spec.split('@').next().unwrap_or_default().to_ascii_lowercase());
    let from_mailer = local.is_some_and(|local| matches!(local.as_str(), "mailer-daemon" | "mail-daemon"));
    let is_notification = fields.has("X-Failed-Recipients") || content_type.value == "message/delivery-status";
    // RFC 3834 §5: an answer may have an empty return path too, and then says that it is one.
    from_mailer || is_notification || (empty_return_path && !fields.has("Auto-Submitted") && from_postmaster(from))
}

fn from_postmaster(from: &[Address]) -> bool {
    from.first().is_some_and(|a| a.addr_spec.to_ascii_lowercase().starts_with("postmaster@"))
}

/// Auto-Submitted and what was used before it, and still is.
// RFC 3834 §5
fn is_auto_reply(fields: &Fields<'_>, subject: &str) -> bool {
    let auto_submitted = first_word(fields, "Auto-Submitted");
    // "auto-forwarded" is in no standard; a person wrote what a machine passed on.
    if !matches!(auto_submitted.as_str(), "" | "no" | "auto-forwarded") {
        return true;
    }
    let empty_return_path = fields.get("Return-Path").is_some_and(|path| path.trim() == "<>");
    let is_marked = ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From", "X-Mail-Autoreply"]
        .iter()
        .any(|field| fields.has(field) && first_word(fields, field) != "no");
    let precedence = first_word(fields, "Precedence");
    // Exchange says "All" or names reasons (MS-OXCMAIL §2.1.3.2.20) to ask that no machine answers; a list does so too.
    let suppresses = first_word(fields, "X-Auto-Response-Suppress");
    let subject = subject.to_ascii_lowercase();
    let says_so = AUTO_REPLY_SUBJECTS.iter().any(|words| subject.contains(words));
    is_marked
        || matches!(precedence.as_str(), "auto_reply" | "auto-reply")
        || (matches!(precedence.as_str(), "bulk" | "junk") && !is_list(fields))
        || fields.has("X-MS-Exchange-Generated-Message-Source")
        || says_so
        || (AUTO_REPLY_STARTS.iter().any(|start| subject.starts_with(start))
            && (!suppresses.is_empty() || empty_return_path))
        || (empty_return_path && !is_list(fields))
}

/// Subjects that only machines write.
const AUTO_REPLY_SUBJECTS: [&str; 4] =
    ["out of office autoreply", "out of office: autoreply", "automatische abwesenheitsnotiz", "autoreply: "];
/// Subjects that machines write, and persons too.
const AUTO_REPLY_STARTS: [&str; 6] =
    ["auto:", "automatic reply:", "automatische antwort:", "out of office", "auto-reply:", "réponse automatique"];

/// The first word of a field in lower case; empty if the field is missing.
fn first_word(fields: &Fields<'_>, name: &str) -> String {
    let value = fields.get(name).unwrap_or_default();
    value.trim().split([';', ' ', ',', '(']).next().unwrap_or_default().to_ascii_lowercase()
}
