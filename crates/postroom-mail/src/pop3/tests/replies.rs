//! Lines as values.

use super::super::reply::apop_timestamp;
use super::super::{Pop3Error, Reply, arrival, is_unique_id, listing_entry, maildrop};

fn reply(line: &str) -> String {
    Reply::read(line.as_bytes()).map_or("none".to_owned(), |r| {
        format!("{} {} “{}”", if r.ok { "+" } else { "-" }, r.code.as_deref().unwrap_or("."), r.text)
    })
}

#[test]
fn replies() {
    for (line, expected) in [
        ("+OK", "+ . “”"),
        ("+OK ", "+ . “”"),
        ("+ok ready", "+ . “ready”"),
        ("-ERR [IN-USE] locked", "- IN-USE “locked”"),
        ("-ERR [sys/temp] later\x07", "- SYS/TEMP “later ”"),
        ("-ERR [] x", "- . “[] x”"),
        ("-ERR [AUTH", "- . “[AUTH”"),
        ("-ERR [a b] x", "- . “[a b] x”"),
        ("+OKAY", "none"),
        ("OK", "none"),
        ("Subject: x", "none"),
        ("+ challenge", "none"),
        ("", "none"),
    ] {
        assert_eq!(reply(line), expected, "{line}");
    }
    let temporary = Reply::read(b"-ERR [SYS/TEMP] x").unwrap();
    assert!(temporary.is("SYS/TEMP") && temporary.is("SYS") && !temporary.is("SYS/PERM") && !temporary.is("SY"));
    assert_eq!(Reply::read(&[b"+OK ".as_slice(), &[b'a'; 1000]].concat()).unwrap().text.len(), 300);
}

#[test]
fn maildrops_and_listings() {
    let drop = |line: &str| maildrop(&Reply::read(line.as_bytes()).unwrap());
    assert_eq!(drop("+OK 2 320"), Ok((2, 320)));
    assert_eq!(drop("+OK 0 0 (of all)"), Ok((0, 0)));
    for wrong in ["+OK", "+OK 2", "+OK -1 5", "+OK 4294967296 1", "+OK 1 99999999999999999999", "+OK two 3", "+OK 2, 3"]
    {
        assert_eq!(drop(wrong), Err(Pop3Error::Number), "{wrong}");
    }
    assert_eq!(listing_entry(b"1 120"), Ok((1, &b"120"[..])));
    assert_eq!(listing_entry(b" 4294967295  a b "), Ok((4_294_967_295, &b"a b"[..])));
    assert_eq!(listing_entry(b"7"), Ok((7, &b""[..])));
    for wrong in ["", "0 5", "-1 5", "x 5", "4294967296 5", "99999999999999999999999 1"] {
        assert_eq!(listing_entry(wrong.as_bytes()), Err(Pop3Error::Number), "{wrong}");
    }
    for (id, is_one) in [("a", true), ("!~", true), ("", false), ("a b", false), ("é", false), ("\x7f", false)] {
        assert_eq!(is_unique_id(id.as_bytes()), is_one, "{id}");
    }
    assert!(is_unique_id(&[b'x'; 70]) && !is_unique_id(&[b'x'; 71]));
}

/// Only what has the form of a msg-id is hashed with the password.
#[test]
fn timestamps_for_apop() {
    for (line, expected) in [
        ("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>", Some("<1896.697170952@dbc.mtview.ca.us>")),
        ("+OK <1.2@[192.0.2.1]> ready", Some("<1.2@[192.0.2.1]>")),
        ("+OK <1.2@[2001:db8::1]>", Some("<1.2@[2001:db8::1]>")),
        ("+OK ready", None),
        ("+OK <>", None),
        ("+OK <a>", None),
        ("+OK <@b>", None),
        ("+OK <a@>", None),
        ("+OK <a@b@c>", None),
        ("+OK <a..b@c>", None),
        ("+OK <a b@c>", None),
        ("+OK <a\x01@c>", None),
        ("+OK <a\u{80}@c>", None),
        ("+OK a@b>", None),
    ] {
        assert_eq!(apop_timestamp(line.as_bytes()).as_deref(), expected, "{line:?}");
    }
    let long = format!("+OK <{}@b>", "a".repeat(300));
    assert_eq!(apop_timestamp(long.as_bytes()), None);
}

#[test]
fn when_a_message_arrived() {
    for (header, expected) in [
        ("Received: from a by b; Thu, 19 Nov 2026 10:00:00 +0100\r\nSubject: x\r\n\r\n", Some("2026-11-19T09:00:00Z")),
        // The weekday is wrong, the line folded, the zone named once more; the second field is older.
        (
            "Return-Path: <a@example.org>\r\nreceived: by b (x;y)\r\n\tfor <c>;\r\n Mon, 19 Nov 2026 10:00:00 +0000 (UTC)\r\nReceived: by c; Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n",
            Some("2026-11-19T10:00:00Z"),
        ),
        ("Received: from a by b\r\nSubject: x\r\n\r\n", None),
        ("Received: by b; yesterday\r\n\r\n", None),
        ("Subject: x\r\n\r\nReceived: by b; Thu, 19 Nov 2026 10:00:00 +0100\r\n", None),
        ("Received:", None),
        ("", None),
    ] {
        assert_eq!(arrival(header.as_bytes()).map(|t| t.to_string()).as_deref(), expected, "{header}");
    }
}
