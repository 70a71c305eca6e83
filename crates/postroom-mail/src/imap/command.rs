//! Commands as values, and their octets.

use super::response::Capabilities;
use super::{ImapError, Tag};
use crate::Secret;
use crate::conversation::Breach;
use crate::sasl::{self, Octets};
use std::collections::VecDeque;

/// A command. `set` arguments come from [`super::uid_sets`]; folders are as they go over the wire, by
/// [`super::encode_folder`] or out of a listing.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the commands and arguments of RFC 9051 §6, RFC 4315, RFC 6851 and RFC 2971")]
pub enum Command<'a> {
    Capability,
    Starttls,
    Logout,
    Login {
        user: &'a str,
        password: &'a Secret,
    },
    /// AUTHENTICATE with an exchange that has not begun; the conversation carries it through.
    Authenticate {
        client: &'a sasl::Client,
    },
    /// ID, with our name and this version and nothing else.
    Id {
        version: &'a str,
    },
    Noop,
    Namespace,
    /// LIST of the folders whose name is this pattern; `%` and `*` in it stand for any text.
    List {
        pattern: &'a str,
    },
    /// STATUS: UIDVALIDITY, UIDNEXT and the number of messages.
    Status {
        folder: &'a str,
    },
    /// EXAMINE when `read_only`, else SELECT.
    Select {
        folder: &'a str,
        read_only: bool,
    },
    Create {
        folder: &'a str,
    },
    /// Nothing else may be sent until the server has said [`super::Event::Idling`] and [`super::Conversation::done`] has
    /// ended it.
    Idle,
    /// The number of messages, the lowest and the highest UID, by ESEARCH.
    UidSearchBounds,
    /// All UIDs, by ESEARCH.
    UidSearchAll,
    /// UID alone.
    UidFetchUids {
        set: &'a str,
    },
    /// UID and the field Message-ID.
    UidFetchMessageIds {
        set: &'a str,
    },
    /// UID, RFC822.SIZE and INTERNALDATE.
    UidFetchSummary {
        set: &'a str,
    },
    /// UID and BODY.PEEK[], which leaves \Seen as it is.
    UidFetchMessage {
        set: &'a str,
    },
    UidStore {
        set: &'a str,
        flag: Flag,
    },
    UidExpunge {
        set: &'a str,
    },
    UidMove {
        set: &'a str,
        folder: &'a str,
    },
    UidCopy {
        set: &'a str,
        folder: &'a str,
    },
}

/// A flag that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `\Seen`.
    Seen,
    /// `\Deleted`.
    Deleted,
}

/// The octets of a command in the parts that a server wants to ask for one by one: after each part but the last it sends
/// a continuation request.
pub(super) fn encode(
    tag: Tag,
    command: &Command<'_>,
    capabilities: &Capabilities,
) -> Result<VecDeque<Octets>, ImapError> {
    let mut writer = Writer::new(tag, capabilities);
    match command {
        Command::Capability => writer.text("CAPABILITY"),
        Command::Starttls => writer.text("STARTTLS"),
        Command::Logout => writer.text("LOGOUT"),
        Command::Login { user, password } => {
            writer.text("LOGIN ");
            writer.astring(user)?;
            writer.text(" ");
            writer.astring(password.expose())?;
        }
        // With [`begin_sasl`], since an exchange has a state.
        Command::Authenticate { .. } => return Err(Breach::WrongState.into()),
        // RFC 2971 §3.3: NIL, or what we choose to tell.
        Command::Id { version } => {
            writer.text("ID (\"name\" \"postroom\" \"version\" ");
            writer.astring(version)?;
            writer.text(")");
        }
        Command::Noop => writer.text("NOOP"),
        Command::Namespace => writer.text("NAMESPACE"),
        Command::List { pattern } => {
            writer.text("LIST \"\" ");
            writer.astring(pattern)?;
        }
        Command::Status { folder } => {
            writer.text("STATUS ");
            writer.astring(folder)?;
            writer.text(" (UIDVALIDITY UIDNEXT MESSAGES)");
        }
        Command::Select { folder, read_only } => {
            writer.text(if *read_only { "EXAMINE " } else { "SELECT " });
            writer.astring(folder)?;
        }
        Command::Create { folder } => {
            writer.text("CREATE ");
            writer.astring(folder)?;
        }
        Command::Idle => writer.text("IDLE"),
        Command::UidSearchBounds => writer.text("UID SEARCH RETURN (MIN MAX COUNT) ALL"),
        Command::UidSearchAll => writer.text("UID SEARCH RETURN (ALL) ALL"),
        Command::UidFetchUids { set } => writer.text(&format!("UID FETCH {set} (UID)")),
        Command::UidFetchMessageIds { set } => {
            writer.text(&format!("UID FETCH {set} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"))
        }
        Command::UidFetchSummary { set } => writer.text(&format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)")),
        Command::UidFetchMessage { set } => writer.text(&format!("UID FETCH {set} (UID BODY.PEEK[])")),
        Command::UidStore { set, flag } => writer.text(&format!("UID STORE {set} +FLAGS.SILENT ({})", flag.name())),
        Command::UidExpunge { set } => writer.text(&format!("UID EXPUNGE {set}")),
        Command::UidMove { set, folder } => {
            writer.text(&format!("UID MOVE {set} "));
            writer.astring(folder)?;
        }
        Command::UidCopy { set, folder } => {
            writer.text(&format!("UID COPY {set} "));
            writer.astring(folder)?;
        }
    }
    Ok(writer.finish())
}

/// The first line of AUTHENTICATE, with the first response in it where the server takes one.
// RFC 4959 §3: `=` stands for a first response without octets.
pub(super) fn begin_sasl(tag: Tag, client: &mut sasl::Client, capabilities: &Capabilities) -> Octets {
    let mut writer = Writer::new(tag, capabilities);
    writer.text("AUTHENTICATE ");
    writer.text(client.mechanism().name());
    if capabilities.has("SASL-IR")
        && let Some(first) = client.initial()
    {
        writer.text(" ");
        writer.current.extend_from_slice(if first.is_empty() { b"=" } else { b"" });
        writer.current.extend_from_slice(&sasl::base64(&first));
    }
    writer.text("\r\n");
    writer.current
}

impl Flag {
    fn name(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Deleted => "\\Deleted",
        }
    }
}

struct Writer<'a> {
    parts: VecDeque<Octets>,
    current: Octets,
    capabilities: &'a Capabilities,
}

impl<'a> Writer<'a> {
    fn new(tag: Tag, capabilities: &'a Capabilities) -> Self {
        Self { parts: VecDeque::new(), current: Octets::new(format!("{tag} ").into_bytes()), capabilities }
    }

    fn text(&mut self, text: &str) {
        self.current.extend_from_slice(text.as_bytes());
    }

    /// Ends the line and the part.
    fn next_line(&mut self) {
        self.current.extend_from_slice(b"\r\n");
        self.parts.push_back(std::mem::take(&mut self.current));
    }

    fn finish(mut self) -> VecDeque<Octets> {
        self.next_line();
        self.parts
    }

    /// An argument: quoted where quoting can carry it, else as a literal, so that no argument ever becomes a command.
    // RFC 9051 §4.3; §9 has no NUL in either form
    fn astring(&mut self, text: &str) -> Result<(), ImapError> {
        if text.contains('\0') {
            return Err(ImapError::Argument);
        }
        if text.len() <= 1000 && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            self.current.push(b'"');
            for b in text.bytes() {
                if matches!(b, b'"' | b'\\') {
                    self.current.push(b'\\');
                }
                self.current.push(b);
            }
            self.current.push(b'"');
            return Ok(());
        }
        // RFC 7888: LITERAL- only up to 4096 octets.
        let at_once = self.capabilities.has("LITERAL+") || (self.capabilities.has("LITERAL-") && text.len() <= 4096);
        self.text(&format!("{{{}{}}}", text.len(), if at_once { "+" } else { "" }));
        if at_once {
            self.text("\r\n");
        } else {
            self.next_line();
        }
        self.text(text);
        Ok(())
    }
}
