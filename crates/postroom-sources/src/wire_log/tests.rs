use super::{BEGINNING, LATEST, WireLog};
use bytes::Bytes;
use jiff::Timestamp;
use postroom_mail::{Access, AuthMethod, ImapAccess, Security, ServerAccess};

fn server() -> ServerAccess {
    let (host, user) = ("mail.example.org".to_owned(), "ann".to_owned());
    ServerAccess { host, port: 1, security: Security::Ssl, user, auth: AuthMethod::Auto, allow_private_host: false }
}

fn imap() -> Access {
    Access::Imap(ImapAccess::new(server(), "INBOX"))
}

fn pop3() -> Access {
    Access::Pop3(server())
}

/// The log of what these say in turn, without the times; `C ` is a command of ours and `c ` the rest of one, `S ` is the
/// server.
fn log(access: &Access, lines: &[&str]) -> String {
    in_chunks(access, lines, usize::MAX)
}

/// The same where no more than so many octets come at once. Those that we send go in one piece.
fn in_chunks(access: &Access, lines: &[&str], most: usize) -> String {
    let log = WireLog::begin(Timestamp::UNIX_EPOCH, access);
    for line in lines {
        let octets = format!("{}\r\n", &line[2..]);
        if line.starts_with('C') {
            log.begin_command();
        }
        if line.starts_with('S') {
            octets.as_bytes().chunks(most).for_each(|chunk| log.received(&Bytes::copy_from_slice(chunk)));
        } else {
            log.sent(octets.as_bytes());
        }
    }
    without_times(&log.text())
}

fn without_times(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.get(10..).unwrap_or(line))).collect()
}

#[test]
fn k3_secrets_and_mail_of_imap_are_left_out() {
    let said = log(
        &imap(),
        &[
            "S * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi",
            "C P1 AUTHENTICATE SCRAM-SHA-256 c2VjcmV0",
            "S + c2VjcmV0",
            "c c2VjcmV0",
            "S P1 NO secret is not said by servers",
            "C P2 LOGIN ann {6+}",
            "c secret",
            "S P2 OK in",
            "C P3 UID FETCH 1:2 (UID BODY.PEEK[])",
            "S * 1 FETCH (UID 1 BODY[] {14}\r\nSubject: mail\n)",
            "S * 2 FETCH (INTERNALDATE \"1-Jan-2026 00:00:00 +0000\" BODY[HEADER] \"Subject: mail\")",
            "S P3 OK done",
        ],
    );
    assert_eq!(
        said,
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\n\
         C: P1 AUTHENTICATE SCRAM-SHA-256 …\n\
         S: + …\n\
         C: …\n\
         S: P1 NO secret is not said by servers\n\
         C: P2 LOGIN …\n\
         C: …\n\
         S: P2 OK in\n\
         C: P3 UID FETCH 1:2 (UID BODY.PEEK[])\n\
         -- 14 octets are left out\n\
         S: * 1 FETCH (UID 1 BODY[] …)\n\
         S: * 2 FETCH (INTERNALDATE 2026-01-01T00:00:00Z)\n\
         S: P3 OK done\n"
    );
}

#[test]
fn k3_secrets_and_mail_of_pop3_are_left_out() {
    let said = log(
        &pop3(),
        &[
            "S +OK hi",
            "C CAPA",
            "S +OK\r\nUSER\r\n.",
            "C AUTH PLAIN",
            "S + ",
            "c c2VjcmV0",
            "S -ERR [AUTH] no",
            "C USER ann",
            "S +OK",
            "c PASS secret",
            "S +OK in",
            "C UIDL",
            "C RETR 1",
            "C RETR 2",
            "S +OK\r\n1 a\r\n.",
            "S +OK\r\nSubject: mail\r\n\r\n+OK mail\r\n..\r\n.",
            "S -ERR gone",
            "S mail that nobody asked for",
        ],
    );
    assert_eq!(
        said,
        "S: +OK hi\nC: CAPA\nS: +OK\nS: USER\nS: .\n\
         C: AUTH PLAIN\nS: + …\nC: …\nS: -ERR [AUTH] no\n\
         C: USER …\nS: +OK\nC: PASS …\nS: +OK in\n\
         C: UIDL\nC: RETR 1\nC: RETR 2\nS: +OK\nS: 1 a\nS: .\n\
         S: +OK\n-- 31 octets are left out\nS: .\nS: -ERR gone\nS: …\n"
    );
}

/// What a password or its neighbours look like must not matter: as a literal it is a line of its own, or several.
#[test]
fn k3_literals_that_we_send_are_left_out() {
    let cases: &[(&[&str], &str)] = &[
        // It looks like a command.
        (
            &["C P1 LOGIN \"ann\" {21}", "S + go on", "c geheimes-Paßwort id", "S P1 OK in", "C P2 NOOP"],
            "C: P1 LOGIN …\nS: + …\nC: …\nS: P1 OK in\nC: P2 NOOP\n",
        ),
        // The server wants no asking, and the password is of several lines, one of them a login.
        (
            &["C P1 LOGIN {4+}\r\nü id {25+}\r\ngeheim\r\nP9 LOGIN id\r\nßx", "S P1 OK in", "C P2 NOOP"],
            "C: P1 LOGIN …\nC: …\nC: …\nC: …\nC: …\nS: P1 OK in\nC: P2 NOOP\n",
        ),
        // A name of no octets, with the password between quotation marks behind it.
        (
            &["C P1 LOGIN {0}", "S +", "c  \"user id\"", "S P1 OK in", "C P2 NOOP"],
            "C: P1 LOGIN …\nS: + …\nC: …\nS: P1 OK in\nC: P2 NOOP\n",
        ),
        // Refused before it was sent: what follows is the next command, not the literal.
        (
            &["C P1 LOGIN \"ann\" {21}", "S P1 NO too long", "C P2 NOOP", "S P2 OK", "C P3 LOGOUT"],
            "C: P1 LOGIN …\nS: P1 NO too long\nC: P2 NOOP\nS: P2 OK\nC: P3 LOGOUT\n",
        ),
        // A server that says OK before it has the secret gets it, the log does not.
        (
            &["C P1 LOGIN \"ann\" {21}", "S + go on\r\nP1 OK in", "c geheimes-Paßwort id"],
            "C: P1 LOGIN …\nS: + …\nS: P1 OK in\nC: …\n",
        ),
        (
            &["C P1 AUTHENTICATE PLAIN", "S + \r\nP1 OK in", "c c2VjcmV0"],
            "C: P1 AUTHENTICATE PLAIN\nS: + …\nS: P1 OK in\nC: …\n",
        ),
        // After the login as before it.
        (
            &["S * PREAUTH hi", "C P1 CREATE {9}", "S + go on", "c Bücher 1", "S P1 OK", "C P2 NOOP"],
            "S: * PREAUTH hi\nC: P1 CREATE {9}\nS: + …\nC: …\nS: P1 OK\nC: P2 NOOP\n",
        ),
    ];
    for (lines, expected) in cases {
        let greeted = if lines[0].starts_with('S') { lines.to_vec() } else { [&["S * OK hi"], *lines].concat() };
        let said = log(&imap(), &greeted);
        assert_eq!(said.strip_prefix("S: * OK hi\n").unwrap_or(&said), *expected);
    }
}

/// A POP3 server that says OK before it has the secret gets it, the log does not, and what follows is still told apart.
#[test]
fn k3_an_answer_that_the_server_did_not_wait_for_is_left_out() {
    let script = ["S +OK hi", "C AUTH PLAIN", "S + \r\n+OK in", "c c2VjcmV0", "C RETR 1", "S +OK\r\nmail\r\n."];
    assert_eq!(
        log(&pop3(), &script),
        "S: +OK hi\nC: AUTH PLAIN\nS: + …\nS: +OK in\nC: …\nC: RETR 1\nS: +OK\n-- 6 octets are left out\nS: .\n"
    );
}

/// Servers write the words of the protocol in any case, and readers take them so.
#[test]
fn k3_a_server_that_says_ok_in_lower_case_is_understood() {
    let script = [
        "S +ok hi",
        "C USER ann",
        "S +Ok",
        "c PASS secret",
        "S +ok in",
        "C RETR 1",
        "S +ok\r\nSubject: mail\r\n.",
        "C RETR 2",
        "S -err gone",
        "C QUIT",
        "S Subject: no reply at all",
    ];
    assert_eq!(
        log(&pop3(), &script),
        "S: +ok hi\nC: USER …\nS: +Ok\nC: PASS …\nS: +ok in\n\
         C: RETR 1\nS: +ok\n-- 15 octets are left out\nS: .\nC: RETR 2\nS: -err gone\nC: QUIT\nS: …\n"
    );
}

/// Whatever it greets with, a server is spoken to in the protocol of its mailbox.
#[test]
fn k3_the_protocol_is_the_one_of_the_mailbox() {
    let script = ["S * OK hi", "C USER ann", "S +OK", "c PASS secret", "S +OK", "C RETR 1", "S +OK\r\nmail\r\n."];
    assert_eq!(
        log(&pop3(), &script),
        "S: * OK hi\nC: USER …\nS: +OK\nC: PASS …\nS: +OK\nC: RETR 1\nS: +OK\n-- 6 octets are left out\nS: .\n"
    );
    let script =
        ["S +OK hi", "C P1 LOGIN \"ann\" \"secret\"", "S P1 OK", "C P2 NOOP", "S * 1 FETCH (BODY[] {4}\r\nmail)"];
    assert_eq!(
        log(&imap(), &script),
        "S: +OK hi\nC: P1 LOGIN …\nS: P1 OK\nC: P2 NOOP\n-- 4 octets are left out\nS: * 1 FETCH (BODY[] …)\n"
    );
}

/// Only CRLF, dot, CRLF ends a message, as it does for the reader.
#[test]
fn k3_a_message_of_pop3_ends_where_the_reader_ends_it() {
    let mails = [
        "one\n.\nATTACKER\r\n",
        "one\n.\r\nATTACKER\r\n",
        "one\r\n.\nATTACKER\r\n",
        "one\r\n. \r\nATTACKER\r\n",
        "one\r\n.\r\r\nATTACKER\r\n",
        "one\r.\r\nATTACKER\r\n",
        "\n.\r\nATTACKER\r\n",
        ".\nATTACKER\r\n",
        "..\r\nATTACKER\r\n",
        "one\r\n.\r.\r\nATTACKER\r\n",
        "one\r\r\n..\r\n+OK ATTACKER\r\n",
        "one\r\r\n",
        "",
    ];
    for mail in mails {
        let retr = format!("S +OK\r\n{mail}.");
        let script = [
            "S +OK hi",
            "C USER ann",
            "S +OK",
            "c PASS secret",
            "S +OK",
            "C RETR 1",
            &retr,
            "C NOOP",
            "S +OK still here",
        ];
        for most in 1..=retr.len() {
            let said = in_chunks(&pop3(), &script, most);
            let expected = format!(
                "S: +OK hi\nC: USER …\nS: +OK\nC: PASS …\nS: +OK\nC: RETR 1\nS: +OK\n\
                 -- {} octets are left out\nS: .\nC: NOOP\nS: +OK still here\n",
                mail.len()
            );
            assert_eq!(said, expected, "{mail:?}, {most} octets at once");
        }
    }
}

/// The same of a listing, whose lines are kept.
#[test]
fn k3_a_listing_of_pop3_ends_where_the_reader_ends_it() {
    let script = [
        "S +OK hi",
        "C USER a",
        "S +OK",
        "c PASS b",
        "S +OK",
        "C UIDL",
        "C RETR 1",
        "S +OK\r\n. \r\n.\r\n+OK\r\nmail\r\n.",
    ];
    let said = log(&pop3(), &script);
    assert!(said.ends_with("S: +OK\nS: .\nS: .\nS: +OK\n-- 6 octets are left out\nS: .\n"), "{said}");
}

/// Whatever a server sends is mail to the log where it is mail to the conversation, and a literal where it is one there.
#[test]
fn k3_nothing_that_a_server_sends_puts_the_log_out_of_step() {
    let cases: &[(&[&str], &str)] = &[
        // What looks like a literal in text for people is none: neither the login nor mail goes by unseen behind it.
        (
            &["S * OK hi {9}", "C P1 LOGIN a b", "S P1 OK in", "C P2 NOOP"],
            "S: * OK hi {9}\nC: P1 LOGIN …\nS: P1 OK in\nC: P2 NOOP\n",
        ),
        (
            &[
                "S * PREAUTH hi",
                "S * OK text {4}",
                "S * 1 FETCH (UID 1 BODY[] {12}\r\nmail\r\nmail\r\n)",
                "S * 2 EXISTS",
            ],
            "S: * PREAUTH hi\nS: * OK text {4}\n-- 12 octets are left out\nS: * 1 FETCH (UID 1 BODY[] …)\nS: * 2 EXISTS\n",
        ),
        (
            &["S * PREAUTH hi", "C P1 NOOP", "S P1 OK {40}", "S * 1 FETCH (BODY[] {6}\r\nmail\r\n)"],
            "S: * PREAUTH hi\nC: P1 NOOP\nS: P1 OK {40}\n-- 6 octets are left out\nS: * 1 FETCH (BODY[] …)\n",
        ),
        // A literal in the name of a part, and what looks like one between quotation marks.
        (
            &["S * PREAUTH hi", "S * 1 FETCH (BODY[HEADER.FIELDS ({4}\r\nFrom)] \"From: mail\" UID 7)"],
            "S: * PREAUTH hi\nS: * 1 FETCH (UID 7 BODY[HEADER.FIELDS …] …)\n",
        ),
        (
            &["S * PREAUTH hi", "S * 1 FETCH (BODY[{4}\r\nTEXT] {4}\r\nmail UID 7 FLAGS (mail \\seen))"],
            "S: * PREAUTH hi\nS: * 1 FETCH (UID 7 FLAGS (… \\Seen))\n",
        ),
        (
            &["S * PREAUTH hi", "S * 1 FETCH (BODY[TEXT] \"mail {4}\r\nmail\" UID 7)", "S * 3 EXISTS"],
            "S: * PREAUTH hi\nS: * 1 FETCH ()\nS: …\nS: * 3 EXISTS\n",
        ),
        // A lie about the length: the rest of the message is no response.
        (
            &["S * PREAUTH hi", "S * 1 FETCH (BODY[] {4}\r\nmail is\r\nmore mail\r\n* mail\r\n+ mail\r\nID mail\r\n)"],
            "S: * PREAUTH hi\n-- 4 octets are left out\nS: * 1 FETCH (BODY[] …)\nS: …\nS: …\nS: + …\nS: …\nS: …\n",
        ),
        // Where the conversation can make nothing of it, neither can the log.
        (
            &["S * PREAUTH hi", "S * 1 FETCH (BODY[] {-4}\r\nmail\r\n)", "S * OK mail"],
            "S: * PREAUTH hi\n-- a literal with an impossible length: nothing behind it is logged\n",
        ),
    ];
    for (lines, expected) in cases {
        for most in [1, 2, 7, usize::MAX] {
            assert_eq!(in_chunks(&imap(), lines, most), *expected, "{most} octets at once");
        }
    }
}

#[test]
fn k3_a_part_between_quotation_marks_is_left_out_in_any_case() {
    for name in ["BODY[]", "body[]", "Body[HEADER]", "bODY[1.2]<0>", "RFC822", "BINARY[]", "X-MAIL"] {
        let line = format!("S * 1 FETCH (UID 1 {name} \"Subject: mail\")");
        let said = log(&imap(), &["S * PREAUTH hi", "C P1 UID FETCH 1 (BODY.PEEK[])", &line]);
        assert!(said.contains("S: * 1 FETCH (UID 1") && !said.contains("mail"), "{said}");
    }
}

/// However the octets are divided, and however long it lasts, no more is kept than was promised.
#[test]
fn the_beginning_and_the_latest_are_kept() {
    let log = WireLog::begin(Timestamp::UNIX_EPOCH, &imap());
    for octet in b"* PREAUTH hi\r\n" {
        log.received(&Bytes::copy_from_slice(&[*octet]));
    }
    for number in 0..10_000 {
        log.begin_command();
        log.sent(format!("P{number} NOOP\r\n").as_bytes());
        log.received(&format!("P{number} OK \x1b[31m {}\r\n", "x".repeat(2_000)).into());
    }
    let text = log.text();
    assert!(text.len() <= BEGINNING + LATEST + 100, "{}", text.len());
    assert!(text.contains("PREAUTH") && text.contains("P0 NOOP") && text.contains("P9999 OK"));
    assert!(text.contains(" lines are left out here") && !text.contains('\x1b'));
    log.received(&vec![b'x'; 100_000].into());
    log.received(&Bytes::from_static(b"\r\nmail\r\n"));
    assert!(log.text().ends_with("nothing behind it is logged\n"));
}
