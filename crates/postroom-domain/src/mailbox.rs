//! Mailboxes: configured inboxes, the workspace each feeds, and its policy.

use crate::{AutomaticMail, DomainPolicy, MailboxAddress, WorkspaceKey};
use jiff::Timestamp;
use postroom_mail::{Access, Listed, RemoteId, Settlement};
use serde::{Deserialize, Serialize};

crate::id!(
    /// A mailbox in the store.
    MailboxId
);

/// One configured inbox. Its password is not here: the store gives it only to the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Number in the store.
    pub id: MailboxId,
    /// Unique name.
    pub name: String,
    /// How it is reached.
    pub access: Access,
    /// The workspace it feeds; `None` for a global inbox, which feeds the default workspace.
    pub workspace: Option<WorkspaceKey>,
    /// Its rules.
    pub policy: MailboxPolicy,
    /// What to do with mail that was there before the first visit.
    pub start: StartFrom,
    /// Seconds between two visits, 1 to 86,400.
    pub every_s: u32,
    /// Whether visits are suspended by a person.
    pub paused: bool,
    /// When it was first visited; mail that arrived before is old mail.
    pub first_visit_at: Option<Timestamp>,
    /// Whether it is not visited but the way by which `import` feeds a workspace.
    pub is_import: bool,
    /// The number of the latest change of its settings; it only grows.
    pub revision: i64,
    /// Whether the last visit has found what looks like another mailbox, and nothing has answered that yet.
    pub asks: bool,
    /// Whether a person has said that messages which the next visit does not know are to be taken for new mail, however many
    /// they are.
    pub accepts_new: bool,
    /// Whether its conversations are logged, without secrets and without mail.
    pub wire_log: bool,
}

impl Mailbox {
    /// Whether it is to be visited: not suspended, something to visit, and submissions on globally and here.
    pub fn is_enabled(&self, global: &crate::GlobalPolicy) -> bool {
        self.policy.takes_mail(global) && !self.paused && !matches!(self.access, Access::Push)
    }
}

/// The rules of one mailbox. What is `Inherit` or `None` follows the global policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailboxPolicy {
    /// Whether mail is taken from it at all.
    pub submissions: Switch,
    /// Whether people without an account may write.
    pub unknown_senders: Switch,
    /// The domains that may write to it; the global ones must admit a sender as well.
    #[serde(flatten)]
    pub allowed: DomainPolicy,
    /// Who on the way to it is believed about the sender; none: as set globally.
    pub authserv_ids: Vec<String>,
    /// Whether any number in a subject may name an item, not only a marked one.
    pub bare_numbers: bool,
    /// What happens to automatic mail.
    pub automatic: AutomaticMail,
    /// The addresses at which it gets mail; where none are set, its login name if that is one.
    pub addresses: Vec<MailboxAddress>,
    /// Whether what stands behind a plus sign in one of them names a workspace.
    pub plus_addresses: bool,
    /// What to do on the server with filed mail.
    pub filed: Settlement,
    /// What to do on the server with held mail; never a deletion.
    pub held: Settlement,
}

impl MailboxPolicy {
    /// Whether mail is taken: both switches must be on, and the mailbox's own can only narrow.
    pub fn takes_mail(&self, global: &crate::GlobalPolicy) -> bool {
        global.submissions && self.submissions.or(true)
    }

    /// The folder into which filed or held mail would be moved although mail is read from it, so that the same mail would
    /// come in again and again. `None`, as it should be, if there is no such folder.
    pub fn loops_into<'a>(&'a self, access: &Access) -> Option<&'a str> {
        let is_read = |folder: &str| match access {
            Access::Imap(imap) => imap.reads(folder),
            Access::Pop3(_) | Access::Maildir { .. } | Access::Push => folder.eq_ignore_ascii_case("INBOX"),
        };
        [&self.filed, &self.held].into_iter().find_map(|settlement| match settlement {
            Settlement::MoveTo(folder) if is_read(folder) => Some(folder.as_str()),
            _ => None,
        })
    }
}

impl Default for MailboxPolicy {
    fn default() -> Self {
        Self {
            submissions: Switch::Inherit,
            unknown_senders: Switch::Inherit,
            allowed: DomainPolicy::default(),
            authserv_ids: Vec::new(),
            bare_numbers: true,
            automatic: AutomaticMail::File,
            addresses: Vec::new(),
            plus_addresses: true,
            filed: Settlement::Keep,
            held: Settlement::Keep,
        }
    }
}

/// A switch of a mailbox: its own value or the global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Yes,
    /// Off.
    No,
    /// As set globally.
    Inherit,
}

impl Switch {
    /// The value in force, given the global one.
    pub fn or(self, global: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Inherit => global,
        }
    }
}

/// What to do with mail that was in the mailbox before the first visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from", content = "at")]
pub enum StartFrom {
    /// Leave it; take only what arrives later.
    New,
    /// Take what arrived at or after this instant.
    Since(Timestamp),
    /// Take everything.
    All,
}

impl StartFrom {
    /// Whether a listed message was there before the first visit and is to be left alone.
    ///
    /// `first_uid` is the UID that the server would give next at the first visit, 0 where all count. `floor` is the
    /// instant of the first visit, which stands in for it once UIDVALIDITY has changed and UIDs say nothing any more.
    /// A message whose arrival is not known is taken: better old mail twice looked at than new mail never seen.
    pub fn leaves(self, message: &Listed, first_uid: u32, floor: Option<Timestamp>) -> bool {
        let arrived_before = |at: Timestamp| message.received_at.is_some_and(|received| received < at);
        match self {
            Self::All => false,
            Self::Since(at) => arrived_before(at),
            Self::New => {
                matches!(message.id, RemoteId::Imap { uid, .. } if uid < first_uid) || floor.is_some_and(arrived_before)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use postroom_mail::{AuthMethod, ImapAccess, Security, ServerAccess};

    fn listed(uid: u32, received_at: Option<&str>) -> Listed {
        Listed {
            id: RemoteId::Imap { folder: "INBOX".to_owned(), uid_validity: 1, uid },
            size: 1,
            received_at: received_at.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn what_was_there_before_the_first_visit() {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let (before, after) = (Some("2026-11-22T11:59:59Z"), Some("2026-11-22T12:00:00Z"));
        for (start, message, first_uid, floor, left) in [
            (StartFrom::All, listed(1, before), 10, Some(noon), false),
            (StartFrom::New, listed(9, after), 10, None, true),
            (StartFrom::New, listed(10, before), 10, None, false),
            (StartFrom::New, listed(10, before), 0, Some(noon), true),
            (StartFrom::New, listed(10, after), 0, Some(noon), false),
            (StartFrom::New, listed(10, None), 0, Some(noon), false),
            (StartFrom::Since(noon), listed(1, before), 10, None, true),
            (StartFrom::Since(noon), listed(1, after), 10, None, false),
            (StartFrom::Since(noon), listed(1, None), 10, None, false),
        ] {
            assert_eq!(start.leaves(&message, first_uid, floor), left, "{start:?} {message:?} {first_uid} {floor:?}");
        }
    }

    #[test]
    fn mail_is_never_moved_into_the_folder_it_is_read_from() {
        let maildir = Access::Maildir { path: "/mail".into() };
        let server = ServerAccess {
            host: "mail.test".to_owned(),
            port: 993,
            security: Security::Ssl,
            user: "desk".to_owned(),
            auth: AuthMethod::Auto,
            allow_private_host: false,
        };
        let more_folders = vec!["inbox".to_owned(), "Support".to_owned()];
        let imap = Access::Imap(ImapAccess { more_folders, ..ImapAccess::new(server, "Desk") });
        for (filed, held, loops) in [
            (Settlement::Keep, Settlement::Keep, None),
            (Settlement::MoveTo("Done".to_owned()), Settlement::Delete, None),
            (Settlement::MoveTo("INBOX".to_owned()), Settlement::Keep, Some("INBOX")),
            (Settlement::Keep, Settlement::MoveTo("inbox".to_owned()), Some("inbox")),
        ] {
            let policy = MailboxPolicy { filed, held, ..MailboxPolicy::default() };
            assert_eq!(policy.loops_into(&maildir), loops, "{policy:?}");
            assert_eq!(policy.loops_into(&imap), loops, "{policy:?}");
        }
        for folder in ["Desk", "Support"] {
            let policy = MailboxPolicy { held: Settlement::MoveTo(folder.to_owned()), ..MailboxPolicy::default() };
            assert_eq!(policy.loops_into(&imap), Some(folder));
        }
    }
}
