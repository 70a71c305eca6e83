//! How items are printed for people.

use super::super::output::{Output, clean_text, one_line};
use crate::failure::Failure;
use postroom_domain::item::{Proposed, ProposedBecause};
use postroom_domain::{Attachment, Identity, Item, ItemSummary, Level, Party};
use postroom_store::HistoryEntry;
use serde_json::{Value, json};

/// A list of items as a table.
pub fn table(items: &[ItemSummary], out: Output) -> Result<(), Failure> {
    out.table(items, ["NUMBER", "WORKSPACE", "STATUS", "FROM", "COMMENTS", "TITLE"], "no items", |i| {
        [
            i.number.to_string(),
            i.workspace.to_string(),
            i.status.to_string(),
            marked(one_line(i.requester.label(), 30), i.level),
            i.comments.to_string(),
            one_line(&i.title, 80),
        ]
    })
}

/// What happened to an item.
pub fn history(entries: &[HistoryEntry], out: Output) -> Result<(), Failure> {
    out.table(entries, ["CHANGE", "AT", "BY", "WHAT", ""], "nothing happened yet", |entry| {
        let other = entry.other_item.map(|item| format!("item {item}"));
        let comment = entry.comment.map(|comment| format!("comment {comment}"));
        let undoes = entry.undoes.map(|change| format!("change {change}"));
        let undone = entry.undone_by.map(|change| format!("(taken back by change {change})"));
        let detail = Some(in_words(&entry.detail)).filter(|words| !words.is_empty());
        let more = [comment, other, undoes, detail, undone].into_iter().flatten().collect::<Vec<_>>().join(", ");
        [
            entry.id.to_string(),
            format!("{:.0}", entry.at),
            one_line(&entry.actor, 40),
            entry.kind.as_str().to_owned(),
            one_line(&more, 160),
        ]
    })
}

/// What else is known of a change: `from SUP, to FIN`.
fn in_words(detail: &Value) -> String {
    match detail {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(in_words).collect::<Vec<_>>().join(" "),
        Value::Object(all) => {
            let words = all.iter().map(|(name, value)| (name.replace('_', " "), in_words(value)));
            let words = words.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}"));
            words.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Who takes part in an item, and who is proposed.
pub fn participants(item: &Item, out: Output) -> Result<(), Failure> {
    let taking = item.participants.iter().map(|party| (json!(party), party, String::new()));
    let proposed = item.proposed.iter().map(|one| (json!(one), &one.party, because(one)));
    let taking = taking.map(|(object, party, why)| (with(object, false), party, why));
    let proposed = proposed.map(|(object, party, why)| (with(object, true), party, why));
    let lines: Vec<(Value, &Party, String)> = taking.chain(proposed).collect();
    if out.is_json() {
        return lines.iter().try_for_each(|(object, ..)| out.object(object, String::new));
    }
    let row = |(_, party, because): &(Value, &Party, String)| {
        [one_line(&party.address, 60), one_line(&party.name, 40), because.clone()]
    };
    out.table(&lines, ["ADDRESS", "NAME", ""], "nobody takes part", row)
}

/// The object with a word on whether it is only a proposal.
fn with(mut object: Value, proposed: bool) -> Value {
    object["proposed"] = json!(proposed);
    object
}

/// Why somebody is proposed.
fn because(proposed: &Proposed) -> String {
    let from = proposed.item.map_or(String::new(), |item| format!(", see item {item}"));
    match (proposed.because, &proposed.key_of) {
        (ProposedBecause::Recipient, _) => "proposed: a recipient of the requester's mail".to_owned(),
        (ProposedBecause::ReplyKey, Some(whose)) => {
            format!("proposed: wrote with the reply key of {}{from}", one_line(whose, 60))
        }
        (ProposedBecause::ReplyKey, None) => format!("proposed: wrote with a reply key of this item{from}"),
        (ProposedBecause::Moved, _) => format!("proposed: wrote a comment that was moved here{from}"),
    }
}

/// An item with everything on it.
pub fn describe(item: &Item) -> String {
    let mut lines = vec![
        format!("#{} {}", item.number, one_line(&item.title, 200)),
        format!(
            "{} · {} · from {} · {}",
            item.workspace,
            item.status,
            written_by(&item.requester, item.identity.as_ref()),
            format_args!("{:.0}", item.created_at)
        ),
    ];
    lines.extend(item.assignee.iter().map(|assignee| format!("assigned to {}", one_line(assignee, 100))));
    if !item.tags.is_empty() {
        lines.push(format!("tags: {}", item.tags.join(" ")));
    }
    lines.extend(item.continues.map(|other| format!("continues #{other}")));
    if !item.mentions.is_empty() {
        let mentions: Vec<String> = item.mentions.iter().map(|other| format!("#{other}")).collect();
        lines.push(format!("mentions {}", mentions.join(" ")));
    }
    if !item.participants.is_empty() {
        let people: Vec<String> = item.participants.iter().map(whole).collect();
        lines.push(format!("taking part: {}", people.join(", ")));
    }
    lines.extend(item.proposed.iter().map(|one| format!("{} is {}", whole(&one.party), because(one))));
    lines.push(String::new());
    lines.push(clean_text(&item.text));
    lines.extend(item.attachments.iter().map(attachment));
    for comment in &item.comments {
        lines.push(format!(
            "\n— comment {} by {}, {}",
            comment.id,
            written_by(&comment.author, comment.identity.as_ref()),
            format_args!("{:.0}", comment.created_at)
        ));
        lines.push(clean_text(&comment.text));
        lines.extend(comment.attachments.iter().map(attachment));
    }
    lines.join("\n")
}

/// Who wrote something, and how sure that is.
fn written_by(author: &Party, identity: Option<&Identity>) -> String {
    let level = identity.map_or(String::new(), |identity| format!(" ({})", identity.level.as_str()));
    format!("{}{level}", whole(author))
}

/// Name and address of a person: the name alone is whatever somebody wrote.
fn whole(party: &Party) -> String {
    match party.name.is_empty() || party.address.is_empty() {
        true => one_line(party.label(), 100),
        false => format!("{} <{}>", one_line(&party.name, 60), one_line(&party.address, 100)),
    }
}

/// A sender in a list, marked where nothing proves that he wrote it.
pub fn marked(sender: String, level: Option<Level>) -> String {
    match level.filter(|level| *level != Level::Verified) {
        Some(level) => format!("{sender} ({})", level.as_str()),
        None => sender,
    }
}

fn attachment(attachment: &Attachment) -> String {
    let name = one_line(&attachment.name, 100);
    format!("[{name}, {}, {} octets]", one_line(&attachment.content_type, 60), attachment.size)
}
