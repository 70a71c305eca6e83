use super::{BEGINNING, LATEST, WireLog};
use jiff::Timestamp;

/// The log of what these say in turn, without the times; `C ` are we, `S ` is the server.
fn log(lines: &[&str]) -> String {
    let log = WireLog::begin(Timestamp::UNIX_EPOCH);
    for line in lines {
        let octets = format!("{}\r\n", &line[2..]);
        if line.starts_with('C') { log.sent(octets.as_bytes()) } else { log.received(octets.as_bytes()) }
    }
    without_times(&log.text())
}

fn without_times(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.get(10..).unwrap_or(line))).collect()
}

#[test]
fn k3_secrets_and_mail_of_imap_are_left_out() {
    let said = log(&[
        "S * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi",
        "C P1 AUTHENTICATE SCRAM-SHA-256 c2VjcmV0",
        "S + c2VjcmV0",
        "C c2VjcmV0",
        "S P1 NO secret is not said by servers",
        "C P2 LOGIN ann {6+}",
        "C secret",
        "S P2 OK in",
        "C P3 UID FETCH 1:2 (UID BODY.PEEK[])",
        "S * 1 FETCH (UID 1 BODY[] {14}\r\nSubject: mail\n)",
        "S * 2 FETCH (INTERNALDATE \"1-Jan-2026 00:00:00 +0000\" BODY[HEADER] \"Subject: mail\")",
        "S P3 OK done",
    ]);
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
         S: * 1 FETCH (UID 1 BODY[] {14}\n\
         -- 14 octets are left out\n\
         S: )\n\
         S: * 2 FETCH (INTERNALDATE \"1-Jan-2026 00:00:00 +0000\" BODY[HEADER] …\n\
         S: P3 OK done\n"
    );
}

#[test]
fn k3_secrets_and_mail_of_pop3_are_left_out() {
    let said = log(&[
        "S +OK hi",
        "C CAPA",
        "S +OK\r\nUSER\r\n.",
        "C AUTH PLAIN",
        "S + ",
        "C c2VjcmV0",
        "S -ERR [AUTH] no",
        "C USER ann",
        "S +OK",
        "C PASS secret",
        "S +OK in",
        "C UIDL",
        "C RETR 1",
        "C RETR 2",
        "S +OK\r\n1 a\r\n.",
        "S +OK\r\nSubject: mail\r\n\r\n+OK mail\r\n..\r\n.",
        "S -ERR gone",
        "S mail that nobody asked for",
    ]);
    assert_eq!(
        said,
        "S: +OK hi\nC: CAPA\nS: +OK\nS: USER\nS: .\n\
         C: AUTH PLAIN\nS: + …\nC: …\nS: -ERR [AUTH] no\n\
         C: USER …\nS: +OK\nC: PASS …\nS: +OK in\n\
         C: UIDL\nC: RETR 1\nC: RETR 2\nS: +OK\nS: 1 a\nS: .\n\
         S: +OK\n-- 31 octets are left out\nS: .\nS: -ERR gone\nS: …\n"
    );
}

/// However the octets are divided, and however long it lasts, no more is kept than was promised.
#[test]
fn the_beginning_and_the_latest_are_kept() {
    let log = WireLog::begin(Timestamp::UNIX_EPOCH);
    for octet in b"* PREAUTH hi\r\n" {
        log.received(&[*octet]);
    }
    for number in 0..10_000 {
        log.sent(format!("P{number} NOOP\r\n").as_bytes());
        log.received(format!("P{number} OK \x1b[31m {}\r\n", "x".repeat(2_000)).as_bytes());
    }
    let text = log.text();
    assert!(text.len() <= BEGINNING + LATEST + 100, "{}", text.len());
    assert!(text.contains("PREAUTH") && text.contains("P0 NOOP") && text.contains("P9999 OK"));
    assert!(text.contains(" lines are left out here") && !text.contains('\x1b'));
    log.received(&vec![b'x'; 100_000]);
    log.received(b"\r\nmail\r\n");
    assert!(log.text().ends_with("nothing behind it is logged\n"));
}
