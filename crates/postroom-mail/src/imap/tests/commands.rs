//! Commands as octets: whatever an argument holds, it stays one argument.

use super::super::command::{self, Command, Flag, Mechanism};
use super::super::{Capabilities, Conversation, ImapError, Protection, Response, Tag, date, folder_name, uid_sets};
use crate::Secret;
use bytes::Bytes;
use proptest::prelude::*;

fn capabilities(text: &str) -> Capabilities {
    match Response::read(format!("* CAPABILITY {text}").as_bytes()) {
        Response::Capability(capabilities) => capabilities,
        other => panic!("{other:?}"),
    }
}

/// A tag is only made by a conversation.
fn tag() -> Tag {
    let mut conversation = Conversation::new(Protection::Clear);
    conversation.feed(Bytes::from_static(b"* OK hi\r\n"));
    conversation.next_event().unwrap();
    conversation.send(&Command::Capability).unwrap().tag
}

/// The parts of a command, each with its line end, divided by `|`.
fn encoded(command: &Command<'_>, offered: &str) -> Result<String, ImapError> {
    let parts = command::encode(tag(), command, &capabilities(offered))?;
    let parts: Vec<String> = parts.iter().map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
    Ok(parts.join("|"))
}

#[test]
fn commands_are_written_as_the_standard_says() {
    let password = Secret::new("p w\"\\");
    let user = "ann";
    let cases = [
        (Command::Capability, "P1 CAPABILITY\r\n"),
        (Command::Starttls, "P1 STARTTLS\r\n"),
        (Command::Logout, "P1 LOGOUT\r\n"),
        (Command::Login { user, password: &password }, "P1 LOGIN \"ann\" \"p w\\\"\\\\\"\r\n"),
        (
            Command::Authenticate { mechanism: Mechanism::Plain, user, password: &password },
            "P1 AUTHENTICATE PLAIN\r\n|AGFubgBwIHciXA==\r\n",
        ),
        (
            Command::Authenticate { mechanism: Mechanism::Login, user, password: &password },
            "P1 AUTHENTICATE LOGIN\r\n|YW5u\r\n|cCB3Ilw=\r\n",
        ),
        (Command::Select { folder: "INBOX", read_only: true }, "P1 EXAMINE \"INBOX\"\r\n"),
        (Command::Select { folder: "a\r\nb", read_only: false }, "P1 SELECT \"a&AA0ACg-b\"\r\n"),
        (Command::Create { folder: "Erledigt/日本" }, "P1 CREATE \"Erledigt/&ZeVnLA-\"\r\n"),
        (Command::UidFetchSummary { set: "1:*" }, "P1 UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE)\r\n"),
        (Command::UidFetchMessage { set: "1,3" }, "P1 UID FETCH 1,3 (UID BODY.PEEK[])\r\n"),
        (Command::UidStore { set: "1", flag: Flag::Seen }, "P1 UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n"),
        (Command::UidStore { set: "1", flag: Flag::Deleted }, "P1 UID STORE 1 +FLAGS.SILENT (\\Deleted)\r\n"),
        (Command::UidExpunge { set: "1:4" }, "P1 UID EXPUNGE 1:4\r\n"),
        (Command::UidMove { set: "1", folder: "Done" }, "P1 UID MOVE 1 \"Done\"\r\n"),
        (Command::UidCopy { set: "1", folder: "a\"b" }, "P1 UID COPY 1 \"a\\\"b\"\r\n"),
    ];
    for (command, expected) in cases {
        assert_eq!(encoded(&command, "IMAP4REV1").unwrap(), expected);
    }
    let plain = Command::Authenticate { mechanism: Mechanism::Plain, user, password: &password };
    assert_eq!(encoded(&plain, "SASL-IR").unwrap(), "P1 AUTHENTICATE PLAIN AGFubgBwIHciXA==\r\n");
    let folded = Command::Login { user: "a\r\nA2 DELETE INBOX", password: &password };
    assert_eq!(encoded(&folded, "X").unwrap(), "P1 LOGIN {18}\r\n|a\r\nA2 DELETE INBOX \"p w\\\"\\\\\"\r\n");
    assert_eq!(encoded(&folded, "LITERAL-").unwrap(), "P1 LOGIN {18+}\r\na\r\nA2 DELETE INBOX \"p w\\\"\\\\\"\r\n");
}

#[test]
fn nul_cannot_be_sent() {
    let (clean, nul) = (Secret::new("x"), Secret::new("x\0y"));
    let cases = [
        Command::Login { user: "a\0b", password: &clean },
        Command::Login { user: "a", password: &nul },
        Command::Authenticate { mechanism: Mechanism::Plain, user: "a\0b", password: &clean },
        Command::Authenticate { mechanism: Mechanism::Plain, user: "a", password: &nul },
    ];
    for command in cases {
        assert_eq!(encoded(&command, "SASL-IR"), Err(ImapError::Argument));
    }
}

#[test]
fn no_command_shows_its_password() {
    let password = Secret::new("hunter2");
    assert!(!format!("{:?}", Command::Login { user: "a", password: &password }).contains("hunter2"));
}

#[test]
fn uid_sets_are_short_and_exact() {
    let cases: [(&[u32], usize, &[&str]); 6] = [
        (&[], 100, &[]),
        (&[7], 100, &["7"]),
        (&[3, 1, 2, 2, 9], 100, &["1:3,9"]),
        (&[4_294_967_294, 4_294_967_295], 100, &["4294967294:4294967295"]),
        (&[1, 3, 5, 7], 3, &["1,3", "5,7"]),
        (&[1000, 1002], 1, &["1000", "1002"]),
    ];
    for (uids, length, expected) in cases {
        assert_eq!(uid_sets(uids.iter().copied(), length), expected);
    }
}

#[test]
fn dates_are_read_or_left_out() {
    let cases = [
        (" 1-Feb-2026 10:00:00 +0100", Some("2026-02-01T09:00:00Z")),
        ("17-jul-1996 02:44:25 -0700", Some("1996-07-17T09:44:25Z")),
        ("31-Dec-2016 23:59:60 +0000", Some("2016-12-31T23:59:59Z")),
        ("31-Dec-2016 23:59:59", Some("2016-12-31T23:59:59Z")),
        ("30-Feb-2026 10:00:00 +0000", None),
        ("1-Foo-2026 10:00:00 +0000", None),
        ("1-Feb-2026 25:00:00 +0000", None),
        ("1-Feb-2026 10:00:00 +9999", None),
        ("1-Feb-99999 10:00:00 +0000", None),
        ("é-Feb-2026", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(date::parse(text.as_bytes()).map(|d| d.to_string()).as_deref(), expected, "{text}");
    }
}

proptest! {
    /// However a folder is called, the line that names it is one line with one quoted string.
    #[test]
    fn no_folder_name_becomes_a_command(name in any::<String>()) {
        let written = folder_name::encode(&name);
        prop_assert!(written.bytes().all(|b| (b' '..=b'~').contains(&b)));
        let line = encoded(&Command::Select { folder: &name, read_only: true }, "X").unwrap();
        if written.len() <= 1000 {
            prop_assert_eq!(line.matches("\r\n").count(), 1);
        }
    }
}
