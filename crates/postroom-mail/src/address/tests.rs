#![allow(clippy::unwrap_used)]

use super::{Address, canonical, domain_of};

/// addr-spec as written, and its canonical form; `None` for what names nobody.
const TABLE: &[(&str, Option<&str>)] = &[
    ("ann@example.org", Some("ann@example.org")),
    ("Ann@Example.ORG", Some("ann@example.org")),
    ("  ann@example.org ", Some("ann@example.org")),
    ("ann+tag@example.org", Some("ann+tag@example.org")),
    ("o'neil@example.org", Some("o'neil@example.org")),
    ("!#$%&'*+-/=?^_`{|}~@example.org", Some("!#$%&'*+-/=?^_`{|}~@example.org")),
    ("first.last@sub.example.co.uk", Some("first.last@sub.example.co.uk")),
    // A trailing dot names the same host.
    ("ann@example.org.", Some("ann@example.org")),
    // Dots where the standard forbids them; providers have given out such addresses.
    ("ann..b@example.org", Some("ann..b@example.org")),
    (".ann@example.org", Some(".ann@example.org")),
    ("ann.@example.org", Some("ann.@example.org")),
    // Internationalised domains (RFC 5891): one person, however it is written.
    ("ann@bücher.example", Some("ann@xn--bcher-kva.example")),
    ("ann@BÜCHER.example", Some("ann@xn--bcher-kva.example")),
    ("ann@xn--bcher-kva.example", Some("ann@xn--bcher-kva.example")),
    ("ann@XN--BCHER-KVA.example", Some("ann@xn--bcher-kva.example")),
    ("ann@bücher。example", Some("ann@xn--bcher-kva.example")),
    ("ann@ｅｘａｍｐｌｅ.org", Some("ann@example.org")),
    // Letters that only look alike stay different.
    ("ann@exаmple.org", Some("ann@xn--exmple-4nf.org")),
    // Local parts beyond ASCII (RFC 6531) keep their case: only ASCII is folded.
    ("jörg@example.org", Some("jörg@example.org")),
    ("mıke@example.org", Some("mıke@example.org")),
    ("Ⅷ@example.org", Some("Ⅷ@example.org")),
    // Quoted local parts: the last @ outside of quotes divides.
    ("\"x@bosch.com\"@evil.org", Some("\"x@bosch.com\"@evil.org")),
    ("\"ann b\"@example.org", Some("\"ann b\"@example.org")),
    ("\"a\\\"b\"@example.org", Some("\"a\\\"b\"@example.org")),
    // Quotes and backslashes that are not needed say nothing (RFC 5321 §4.1.2).
    ("\"Ann\"@example.org", Some("ann@example.org")),
    ("\"a\\nn.b\"@example.org", Some("ann.b@example.org")),
    ("\"ann\\ b\"@example.org", Some("\"ann b\"@example.org")),
    ("\"a\\\\b\"@example.org", Some("\"a\\\\b\"@example.org")),
    ("\"a\\b@c\"@example.org", Some("\"ab@c\"@example.org")),
    // What cannot be seen makes an address look like another one.
    ("bob\u{ad}@example.org", None),
    ("b\u{200b}ob@example.org", None),
    ("b\u{202e}ob@example.org", None),
    ("\"b\u{2066} ob\"@example.org", None),
    ("\"unclosed@example.org", None),
    ("\"\"@example.org", None),
    ("\"a\"b\"@example.org", None),
    ("\"a\\\"@example.org", None),
    ("\"a\nb\"@example.org", None),
    // Two @ without quotes: nobody can say which one divides.
    ("a@b@example.org", None),
    ("x@bosch.com@evil.org", None),
    ("a@b(c)@d", None),
    ("a@b(c)", None),
    ("(c)a@b.example", None),
    ("<ann@example.org>", None),
    ("@relay.example,@b.example:ann@example.org", None),
    ("ann@example.org, eve@evil.example", None),
    ("ann example@example.org", None),
    ("ann@exam ple.org", None),
    ("ann@", None),
    ("@example.org", None),
    ("ann", None),
    ("", None),
    ("@", None),
    ("ann@.", None),
    ("ann@example..org", None),
    ("ann@.example.org", None),
    ("ann@exa/mple.org", None),
    ("ann@example.org\r\nBcc: eve@evil.example", None),
    ("ann\0@example.org", None),
    ("ann@example\0.org", None),
    ("ann\u{fffd}@example.org", None),
    ("ann@example\u{fffd}.org", None),
    // Hosts without a dot, and with what only old systems allow.
    ("root@localhost", Some("root@localhost")),
    ("ann@my_host.example", Some("ann@my_host.example")),
    // Domain literals (RFC 5321 §4.1.3).
    ("ann@[192.0.2.1]", Some("ann@[192.0.2.1]")),
    ("ann@[IPv6:2001:DB8::1]", Some("ann@[ipv6:2001:db8::1]")),
    ("ann@[2001:db8:0:0::1]", Some("ann@[ipv6:2001:db8::1]")),
    ("ann@[example.org]", None),
    ("ann@[192.0.2.1", None),
];

#[test]
fn canonical_forms() {
    for (written, expected) in TABLE {
        assert_eq!(canonical(written).as_deref(), *expected, "{written:?}");
        if let Some(expected) = expected {
            assert_eq!(canonical(expected).as_deref(), Some(*expected), "canonical twice: {expected:?}");
        }
    }
}

#[test]
fn lengths() {
    let check = |local: usize, domain: String, expected: bool| {
        let written = format!("{}@{domain}", "a".repeat(local));
        assert_eq!(canonical(&written).is_some(), expected, "{written}");
    };
    check(64, "example.org".to_owned(), true);
    check(65, "example.org".to_owned(), false);
    check(1, format!("{}.org", "b".repeat(63)), true);
    check(1, format!("{}.org", "b".repeat(64)), false);
    check(1, [const { "b123456789" }; 30].join("."), false);
}

#[test]
fn domains() {
    assert_eq!(domain_of("ann@example.org"), "example.org");
    assert_eq!(domain_of("\"x@bosch.com\"@evil.org"), "evil.org");
    assert_eq!(domain_of("nobody"), "");
}

#[test]
fn display() {
    assert_eq!(Address::new("Ann", "ann@example.org").to_string(), "Ann <ann@example.org>");
    assert_eq!(Address::new("", "ann@example.org").to_string(), "ann@example.org");
}
