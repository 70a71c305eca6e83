#![allow(clippy::unwrap_used)]
use super::*;
use expect_test::{Expect, expect};

fn check(value: &str, expected: Expect) {
    let shown = match AuthenticationResults::parse(value) {
        Err(error) => format!("no: {error}"),
        Ok(read) => {
            let results = read.results.iter().map(|result| {
                let properties = result.properties.iter().map(|(name, value)| format!(" {name}={value}"));
                let comment = if result.comment.is_empty() { String::new() } else { format!(" ({})", result.comment) };
                format!("; {}={}{comment}{}", result.method, result.result, properties.collect::<String>())
            });
            format!("{}{}", read.authserv_id, results.collect::<String>())
        }
    };
    expected.assert_eq(&shown);
}

/// The examples of RFC 8601, appendix B, and fields as programs in use write them.
#[test]
fn fields_as_they_are_written() {
    check("example.org 1; none", expect!["example.org"]);
    check(
        "example.com; spf=pass smtp.mailfrom=example.net",
        expect!["example.com; spf=pass smtp.mailfrom=example.net"],
    );
    check(
        "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net",
        expect!["example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net"],
    );
    check(
        "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462",
        expect!["no: a result is not of the form name=value"],
    );
    check(
        "mx.google.com; dkim=pass header.i=@example.org header.s=s1 header.b=\"abc+/d==\"; spf=pass (google.com: domain of a@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.org; dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.org",
        expect![
            "mx.google.com; dkim=pass header.i=@example.org header.s=s1 header.b=abc+/d==; spf=pass (google.com: domain of a@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.org; dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.org"
        ],
    );
    check(
        "mail.example.org; dkim=pass (2048-bit key; unprotected) header.d=example.org header.b=a1b2c3==;",
        expect!["mail.example.org; dkim=pass (2048-bit key; unprotected) header.d=example.org header.b=a1b2c3=="],
    );
    check(
        "mx.example.net; dmarc=pass action=none header.from=Example.org",
        expect!["mx.example.net; dmarc=pass action=none header.from=Example.org"],
    );
    check(
        "MX.example.org; DKIM/1 = PASS reason=\"good \\\"signature\\\"\"",
        expect![[r#"mx.example.org; dkim=pass reason=good "signature""#]],
    );
    check(
        "mx.example.org; spf=pass smtp.mailfrom=\"a b\"@example.org",
        expect![[r#"mx.example.org; spf=pass smtp.mailfrom="a b"@example.org"#]],
    );
    check("\"mx example\"; spf=none", expect!["mx example; spf=none"]);
}

/// Whatever is not of that form says nothing at all.
#[test]
fn broken_fields_say_nothing() {
    for broken in [
        "",
        ";",
        "; dmarc=pass header.from=example.org",
        "mx.example.org",
        "mx.example.org;",
        "mx.example.org 2; dmarc=pass",
        "mx.example.org 1 1; dmarc=pass",
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass",
        "mx.example.org; dmarc",
        "mx.example.org; dmarc=",
        "mx.example.org; =pass",
        "mx.example.org; dmarc==pass",
        "mx.example.org; dmarc=pass header.from",
        "mx.example.org; dmarc=pass header.from=",
        "mx.example.org; none; dmarc=pass",
        "mx.example.org; dmarc=pass;; spf=pass",
        "mx.example.org; dmarc/2=pass",
        "mx.example.org; dmarc=pass (unfinished",
        "mx.example.org; dmarc=pass \"unfinished",
        "mx.example.org; dmarc=pass )",
        "mx.example.org (; dmarc=pass",
        "mx.example.org; dmarc=pa\u{0}ss",
        "mx.example.org; dmarc=pass\u{202e}",
    ] {
        assert!(AuthenticationResults::parse(broken).is_err(), "{broken:?}");
    }
    let nested = format!("mx; spf=pass {}{}", "(".repeat(30), ")".repeat(30));
    let many = format!("mx{}", "; spf=pass".repeat(100));
    for big in [nested, many, format!("mx; spf=pass ({})", "x".repeat(20_000))] {
        assert!(AuthenticationResults::parse(&big).is_err(), "{} octets", big.len());
    }
}

#[test]
fn sealed_results_have_an_instance() {
    let read = AuthenticationResults::parse_arc(" i=1; mx.example.org; dmarc=pass header.from=example.org").unwrap();
    assert_eq!(
        (read.authserv_id.as_str(), read.results[0].property("header.from")),
        ("mx.example.org", Some("example.org"))
    );
    for broken in
        ["mx.example.org; dmarc=pass", "i=0; mx; dmarc=pass", "i=51; mx; dmarc=pass", "i=x; mx; dmarc=pass", "i=1"]
    {
        assert!(AuthenticationResults::parse_arc(broken).is_err(), "{broken:?}");
    }
}
