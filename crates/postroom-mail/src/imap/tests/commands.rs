//! Commands as octets: whatever an argument holds, it stays one argument.

use super::super::command::{self, Command, Flag};
use super::super::{
    Capabilities, Conversation, Event, ImapError, Namespace, Response, Tag, date, encode_folder, uid_sets,
};
use crate::Secret;
use crate::conversation::{Breach, Protection};
use crate::sasl::{Channel, Client, Mechanism, SaslError};
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
        (Command::Select { folder: "INBOX", read_only: true }, "P1 EXAMINE \"INBOX\"\r\n"),
        (Command::Select { folder: "a\r\nb", read_only: false }, "P1 SELECT {4}\r\n|a\r\nb\r\n"),
        (Command::Create { folder: "Erledigt/&ZeVnLA-" }, "P1 CREATE \"Erledigt/&ZeVnLA-\"\r\n"),
        (Command::Id { version: "1.0" }, "P1 ID (\"name\" \"postroom\" \"version\" \"1.0\")\r\n"),
        (Command::Noop, "P1 NOOP\r\n"),
        (Command::Namespace, "P1 NAMESPACE\r\n"),
        (Command::List { pattern: "INBOX.a\"b" }, "P1 LIST \"\" \"INBOX.a\\\"b\"\r\n"),
        (Command::Status { folder: "Done" }, "P1 STATUS \"Done\" (UIDVALIDITY UIDNEXT MESSAGES)\r\n"),
        (Command::Idle, "P1 IDLE\r\n"),
        (Command::UidSearchBounds, "P1 UID SEARCH RETURN (MIN MAX COUNT) ALL\r\n"),
        (Command::UidSearchAll, "P1 UID SEARCH RETURN (ALL) ALL\r\n"),
        (Command::UidFetchUids { set: "1:*" }, "P1 UID FETCH 1:* (UID)\r\n"),
        (
            Command::UidFetchMessageIds { set: "1,3" },
            "P1 UID FETCH 1,3 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\r\n",
        ),
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
    let folded = Command::Login { user: "a\r\nA2 DELETE INBOX", password: &password };
    assert_eq!(encoded(&folded, "X").unwrap(), "P1 LOGIN {18}\r\n|a\r\nA2 DELETE INBOX \"p w\\\"\\\\\"\r\n");
    assert_eq!(encoded(&folded, "LITERAL-").unwrap(), "P1 LOGIN {18+}\r\na\r\nA2 DELETE INBOX \"p w\\\"\\\\\"\r\n");
}

/// A login as it goes over the wire: what we say is sent at once and after each of these lines, divided by `|`.
fn login(mechanism: Mechanism, offered: &str, lines: &[&str]) -> Result<String, ImapError> {
    let client = Client::new(mechanism, "user", &Secret::new("pencil"), "rOprNGfwEbeRWgbNEkqO", Channel::None).unwrap();
    let mut conversation = Conversation::new(Protection::Clear);
    conversation.feed(Bytes::from(format!("* OK [CAPABILITY {offered}] hi\r\n")));
    conversation.next_event()?;
    let mut said =
        String::from_utf8(conversation.send(&Command::Authenticate { client: &client })?.octets.to_vec()).unwrap();
    for line in lines {
        conversation.feed(Bytes::from(format!("{line}\r\n")));
        match conversation.next_event()?.unwrap() {
            Event::Transmit(octets) => said.push_str(&format!("|{}", std::str::from_utf8(&octets).unwrap())),
            other => said.push_str(&format!("|{}", if matches!(other, Event::Done { .. }) { "done" } else { "?" })),
        }
    }
    Ok(said.replace("\r\n", "~"))
}

#[test]
fn logins_go_step_by_step() {
    let first = "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=";
    let challenge = "+ cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=";
    let last = "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==";
    let proof = "+ dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==";
    let scram = Mechanism::ScramSha256;
    let table = [
        (Mechanism::Plain, "SASL-IR", vec!["P1 OK in"], "P1 AUTHENTICATE PLAIN AHVzZXIAcGVuY2ls~|done".to_owned()),
        (Mechanism::Plain, "X", vec!["+ ", "P1 OK in"], "P1 AUTHENTICATE PLAIN~|AHVzZXIAcGVuY2ls~|done".to_owned()),
        (Mechanism::Plain, "X", vec!["+ entrée"], "P1 AUTHENTICATE PLAIN~|AHVzZXIAcGVuY2ls~".to_owned()),
        (
            Mechanism::Login,
            "SASL-IR",
            vec!["+ VXNlcm5hbWU6", "+ Password:", "P1 OK in"],
            "P1 AUTHENTICATE LOGIN~|dXNlcg==~|cGVuY2ls~|done".to_owned(),
        ),
        (
            scram,
            "SASL-IR",
            vec![challenge, proof, "P1 OK in"],
            format!("P1 AUTHENTICATE SCRAM-SHA-256 {first}~|{last}~|~|done"),
        ),
        (scram, "X", vec!["+", challenge], format!("P1 AUTHENTICATE SCRAM-SHA-256~|{first}~|{last}~")),
        // NO is an answer at any time.
        (scram, "SASL-IR", vec!["P1 NO no"], format!("P1 AUTHENTICATE SCRAM-SHA-256 {first}~|done")),
    ];
    for (mechanism, offered, lines, expected) in table {
        assert_eq!(login(mechanism, offered, &lines), Ok(expected), "{mechanism:?} {offered}");
    }
    let wrong = [
        (Mechanism::Plain, "X", vec!["P1 OK in"], Breach::UnexpectedReply.into()),
        (Mechanism::Login, "X", vec!["+ ", "P1 OK in"], Breach::UnexpectedReply.into()),
        (Mechanism::Plain, "SASL-IR", vec!["+ more"], Breach::Sasl(SaslError::Challenge).into()),
        (Mechanism::CramMd5, "X", vec!["+ no base64"], Breach::Sasl(SaslError::Challenge).into()),
        (scram, "SASL-IR", vec![challenge, "P1 OK in"], Breach::Sasl(SaslError::ServerNotProven).into()),
        (scram, "SASL-IR", vec![challenge, "+ dj1BQUFB"], Breach::Sasl(SaslError::ServerNotProven).into()),
    ];
    for (mechanism, offered, lines, expected) in wrong {
        assert_eq!(login(mechanism, offered, &lines), Err(expected), "{mechanism:?} {lines:?}");
    }
}

/// 500 names made of what could end an argument, a line or a command: each is one argument of one command, quoted or as a
/// literal of just its length, or is refused.
#[test]
fn a17_a_hostile_name_stays_one_argument() {
    let pieces = [
        "\r\n",
        "\n",
        "{0}",
        "{5+}\r\n",
        "\"",
        "\\",
        " ",
        "A1 LOGOUT",
        ")",
        "(",
        "%",
        "*",
        "ä",
        "&",
        "&-",
        "\u{7f}",
        "x",
        "]",
    ];
    let mut state = 7_usize;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let password = Secret::new("p");
    for number in 0..500 {
        let name: String = (0..=next(6)).map(|_| pieces[next(pieces.len())]).collect();
        let offered = if number % 2 == 0 { "IMAP4REV1 LITERAL+" } else { "IMAP4REV1" };
        for (command, before, after) in [
            (Command::Select { folder: &name, read_only: true }, "EXAMINE ", "\r\n"),
            (Command::Create { folder: &name }, "CREATE ", "\r\n"),
            (Command::UidMove { set: "7", folder: &name }, "UID MOVE 7 ", "\r\n"),
            (Command::Login { user: &name, password: &password }, "LOGIN ", " \"p\"\r\n"),
        ] {
            let Ok(parts) = encoded(&command, offered) else { continue };
            let wire = parts.replace('|', "");
            let rest = wire.strip_prefix("P1 ").and_then(|rest| rest.strip_prefix(before));
            let argument =
                rest.and_then(|rest| rest.strip_suffix(after)).unwrap_or_else(|| panic!("{name:?}: {wire:?}"));
            assert!(is_one_argument(argument), "{name:?}: {wire:?}");
        }
    }
}

/// Whether this is one quoted string, or one literal with nothing behind it (RFC 9051 §4.3).
fn is_one_argument(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let mut escaped = false;
        let is_fine = inner.chars().all(|c| match c {
            _ if escaped => {
                escaped = false;
                matches!(c, '"' | '\\')
            }
            '\\' => {
                escaped = true;
                true
            }
            c => !matches!(c, '"' | '\r' | '\n'),
        });
        return is_fine && !escaped;
    }
    let literal = text.strip_prefix('{').and_then(|rest| rest.split_once("}\r\n"));
    literal.is_some_and(|(length, octets)| length.trim_end_matches('+').parse() == Ok(octets.len()))
}

#[test]
fn nul_cannot_be_sent() {
    let (clean, nul) = (Secret::new("x"), Secret::new("x\0y"));
    let cases = [Command::Login { user: "a\0b", password: &clean }, Command::Login { user: "a", password: &nul }];
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
fn a_folder_is_looked_for_where_the_server_keeps_folders() {
    let cases: [(&str, Option<char>, &str, &[&str]); 8] = [
        ("", Some('/'), "Done", &["Done"]),
        ("", Some('.'), "Done/2026", &["Done/2026", "Done.2026"]),
        ("INBOX.", Some('.'), "Done", &["Done", "INBOX.Done"]),
        ("INBOX.", Some('.'), "Done/2026", &["Done/2026", "Done.2026", "INBOX.Done.2026"]),
        ("INBOX.", Some('.'), "INBOX.Done", &["INBOX.Done"]),
        ("INBOX.", Some('.'), "INBOX/Done", &["INBOX/Done", "INBOX.Done"]),
        ("Mail/", Some('/'), "Entwürfe", &["Entw&APw-rfe", "Mail/Entw&APw-rfe"]),
        ("#mh/", None, "a/b", &["a/b", "#mh/a/b"]),
    ];
    for (prefix, separator, name, expected) in cases {
        let namespace = Namespace { prefix: prefix.to_owned(), separator };
        assert_eq!(namespace.candidates(name), expected, "{prefix} {name}");
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
        let written = encode_folder(&name);
        prop_assert!(written.bytes().all(|b| (b' '..=b'~').contains(&b)));
        let line = encoded(&Command::Select { folder: &written, read_only: true }, "X").unwrap();
        if written.len() <= 1000 {
            prop_assert_eq!(line.matches("\r\n").count(), 1);
        }
    }
}
