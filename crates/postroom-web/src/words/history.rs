//! What happened to an item, as sentences.

use super::Language;
use postroom_store::{ChangeKind, HistoryEntry};
use serde_json::Value;

entries! {
    did_open() = "opened it", "hat ihn eröffnet";
    did_comment() = "commented", "hat kommentiert";
    did_move(from, to) = "moved it from {from} to {to}", "hat ihn von {from} nach {to} verschoben";
    did_split() = "made an item of a comment", "hat aus einem Kommentar einen Vorgang gemacht";
    did_move_comment() = "moved a comment", "hat einen Kommentar verschoben";
    did_close() = "closed it", "hat ihn geschlossen";
    did_reopen() = "opened it again", "hat ihn wieder geöffnet";
    did_assign(to) = "assigned it to {to}", "hat ihn {to} zugewiesen";
    did_unassign() = "assigned it to nobody", "hat die Zuweisung aufgehoben";
    did_tag(tags) = "tagged it {tags}", "hat Schlagworte gesetzt: {tags}";
    did_untag(tags) = "took off the tags {tags}", "hat Schlagworte entfernt: {tags}";
    did_admit(who) = "let {who} take part", "hat {who} beteiligt";
    did_drop(who) = "took {who} off", "hat {who} herausgenommen";
    did_propose() = "has others proposed as participants", "schlägt weitere Beteiligte vor";
    did_undo() = "took something back", "hat etwas zurückgenommen";
    another_workspace() = "another workspace", "einen anderen Arbeitsbereich";
    by_the_mail() = "The mail", "Die Mail";
}

impl Language {
    /// What somebody did, to stand behind their name.
    pub(crate) fn did(self, entry: &HistoryEntry) -> String {
        let text = |name: &str| entry.detail[name].as_str().map(str::to_owned);
        let workspace = |name: &str| text(name).unwrap_or_else(|| self.another_workspace().to_owned());
        match entry.kind {
            ChangeKind::Opened => self.did_open().to_owned(),
            ChangeKind::Commented => self.did_comment().to_owned(),
            ChangeKind::Moved => self.did_move(workspace("from"), workspace("to")),
            ChangeKind::Split => self.did_split().to_owned(),
            ChangeKind::CommentMoved => self.did_move_comment().to_owned(),
            ChangeKind::Closed => self.did_close().to_owned(),
            ChangeKind::Reopened => self.did_reopen().to_owned(),
            ChangeKind::Assigned => match text("to") {
                Some(to) => self.did_assign(to),
                None => self.did_unassign().to_owned(),
            },
            ChangeKind::Tagged => {
                let (added, removed) = (words(&entry.detail["added"]), words(&entry.detail["removed"]));
                let added = (!added.is_empty()).then(|| self.did_tag(added));
                let removed = (!removed.is_empty()).then(|| self.did_untag(removed));
                added.into_iter().chain(removed).collect::<Vec<_>>().join("; ")
            }
            ChangeKind::ParticipantAdded => self.did_admit(text("address").unwrap_or_default()),
            ChangeKind::ParticipantRemoved => self.did_drop(text("address").unwrap_or_default()),
            ChangeKind::Proposed => self.did_propose().to_owned(),
            ChangeKind::Undone => self.did_undo().to_owned(),
        }
    }

    /// Who did it: people by their address, mail as what it is.
    pub(crate) fn who_did(self, entry: &HistoryEntry) -> String {
        match entry.actor.as_str() {
            "" | "system" => self.by_the_mail().to_owned(),
            actor => actor.to_owned(),
        }
    }
}

fn words(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}
