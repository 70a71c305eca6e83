#![allow(clippy::unwrap_used)]
use super::*;
use expect_test::{Expect, expect};
use postroom_mail::{RawMessage, read};

const TRUSTED: &str = "mx.example.net";

fn message(header: &str) -> Message {
    read(&RawMessage::undigested(format!("{}\r\n\r\ntext", header.trim().replace('\n', "\r\n")).into_bytes()))
}

/// What the trusted host's fields say of a message of ann@example.org with these fields on top.
fn by_header(fields: &str) -> Identity {
    by_results(&message(&format!("{}\nFrom: Ann <ann@example.org>\nSubject: x", fields.trim())), &[TRUSTED.to_owned()])
}

fn check(fields: &str, expected: Expect) {
    expected.assert_eq(&by_header(fields).to_string());
}

#[test]
fn what_a_trusted_host_wrote_is_believed() {
    check(
        "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org",
        expect!["verified: DMARC passes for example.org, says mx.example.net"],
    );
    check(
        "Received: from mx.example.net by store.example.net; Sun, 22 Nov 2026 12:00:00 +0000\nReceived: from a.example.org by mx.example.net; Sun, 22 Nov 2026 12:00:00 +0000\nAuthentication-Results: MX.example.net 1; spf=pass smtp.mailfrom=bounce@example.org; dkim=none; dmarc=pass (p=REJECT) header.from=EXAMPLE.org",
        expect!["verified: DMARC passes for example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; dkim=fail header.d=list.example; dkim=pass header.d=example.org; dmarc=none",
        expect!["verified: signed by example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; dkim=pass header.i=@example.org",
        expect!["verified: signed by example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; dmarc=fail (p=REJECT sp=NONE dis=REJECT) header.from=example.org",
        expect!["failed: DMARC fails for example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; dmarc=fail action=quarantine header.from=example.org",
        expect!["failed: DMARC fails for example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; dmarc=fail (p=NONE sp=REJECT dis=NONE) header.from=example.org",
        expect!["unverified: DMARC fails for example.org, says mx.example.net"],
    );
    check(
        "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=none",
        expect!["unverified: nothing passes for example.org, says mx.example.net"],
    );
    // Written by two programs of the same host, one above the other.
    check(
        "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\nX-Filter: y\nAuthentication-Results: mx.example.net; dkim=pass header.d=example.org",
        expect!["verified: DMARC passes for example.org, says mx.example.net"],
    );
}

#[test]
fn without_a_trusted_host_nothing_is_checked() {
    let pass = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\nFrom: ann@example.org";
    let identity = by_results(&message(pass), &[]);
    assert_eq!((identity.level, identity.is_checked()), (Level::Unverified, false));
    let of_mailbox = AuthenticationPolicy { authserv_ids: vec!["other.example".to_owned()], ..Default::default() };
    assert_eq!(of_mailbox.clone().for_mailbox(&[]).authserv_ids, ["other.example"]);
    assert_eq!(of_mailbox.for_mailbox(&["mx.example.net".to_owned()]).authserv_ids, ["mx.example.net"]);
}

/// Each is a header as it would come from a forger, with what the trusted host added on top, if anything.
#[test]
fn d4_twenty_forged_authentication_results_verify_nobody() {
    let text = include_str!("../../../../testdata/authentication/forged-results.txt");
    let mut number = 0;
    for case in text.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let (words, fields) = case.trim().split_once('\n').unwrap();
        assert!(words.starts_with("# "), "{words}");
        assert!(!by_header(fields).is_verified(), "{words}");
        number += 1;
    }
    assert_eq!(number, 20);
}

fn verification(domain: &str, passed: Option<&str>, enforced: bool, complete: bool) -> Verification {
    let passed = passed.map(str::to_owned);
    Verification {
        dmarc: Some(Dmarc { domain: domain.to_owned(), passed, enforced, complete }),
        ..Verification::default()
    }
}

fn judge(found: &Verification, sealers: &[&str], recent: bool, expected: Expect) {
    let sealers: Vec<String> = sealers.iter().map(|sealer| (*sealer).to_owned()).collect();
    expected.assert_eq(&by_verification("ann@example.org", found, &sealers, recent).to_string());
}

#[test]
fn signatures_and_policies_are_judged() {
    let passed = verification("example.org", Some("DKIM"), true, true);
    judge(&passed, &[], true, expect!["verified: DKIM passed for example.org"]);
    let failed = verification("example.org", None, true, true);
    judge(
        &failed,
        &[],
        true,
        expect!["failed: example.org asks that messages be refused or set apart that it did not send, as this one"],
    );
    judge(&failed, &[], false, expect!["unverified: nothing passed for example.org"]);
    judge(
        &verification("example.org", None, true, false),
        &[],
        true,
        expect!["unverified: nothing passed for example.org"],
    );
    judge(
        &verification("example.org", None, false, true),
        &[],
        true,
        expect!["unverified: nothing passed for example.org"],
    );
    judge(
        &verification("evil.example", Some("DKIM"), true, true),
        &[],
        true,
        expect!["unverified: the author is at example.org, the policy that was found is of evil.example"],
    );
    let signed = |by: &str| Verification { signers: vec![by.to_owned()], ..Verification::default() };
    judge(&signed("example.org"), &[], true, expect!["verified: signed by example.org"]);
    judge(&signed("evil.example"), &[], true, expect!["unverified: no signature speaks for example.org"]);
    judge(&signed("org"), &[], true, expect!["unverified: no signature speaks for example.org"]);
    judge(&signed("mail.example.org"), &[], true, expect!["unverified: no signature speaks for example.org"]);
    let unsure = Verification { trouble: Some("no answer".to_owned()), ..failed };
    judge(&unsure, &[], true, expect!["unverified: it could not be found out: no answer"]);
}

#[test]
fn seals_count_if_every_sealer_is_trusted() {
    let results = AuthenticationResults::parse("mx.example; dmarc=pass header.from=example.org").unwrap();
    let sealers = vec!["mx.example".to_owned(), "list.example".to_owned()];
    let sealed = Some(Sealed { sealers, results });
    let found = Verification { sealed, ..verification("example.org", None, true, true) };
    judge(
        &found,
        &["mx.example", "list.example"],
        true,
        expect!["verified: DMARC passes for example.org, sealed by mx.example, list.example"],
    );
    judge(
        &found,
        &["mx.example"],
        true,
        expect!["failed: example.org asks that messages be refused or set apart that it did not send, as this one"],
    );
}

#[test]
fn the_first_look_asks_for_more_only_where_there_is_something_to_verify() {
    let look = |header: &str, checks: Checks| {
        let policy = AuthenticationPolicy {
            checks,
            authserv_ids: vec![TRUSTED.to_owned()],
            trusted_hosts: vec![TRUSTED.to_owned()],
            arc_sealers: Vec::new(),
        };
        match first_look(&message(header), None, &policy) {
            FirstLook::Done(identity) => identity.to_string(),
            FirstLook::Verify { author, client, .. } => {
                format!("verify {author} {:?}", client.map(|client| (client.address, client.mail_from)))
            }
        }
    };
    let from = "From: ann@example.org";
    let pass = format!("Authentication-Results: {TRUSTED}; dmarc=pass header.from=example.org\n{from}");
    let signed = format!("DKIM-Signature: v=1; d=example.org\n{from}");
    let hop = format!("Received: from a (b [192.0.2.1]) by {TRUSTED} with SMTP");
    let path = format!("Return-Path: <ann@example.org>\n{hop}\n{from}");
    let path_below = format!("{hop}\nReturn-Path: <ann@example.org>\n{from}");
    let forged_hop =
        format!("Return-Path: <ann@example.org>\nReceived: from x (y [192.0.2.9]) by evil.example with SMTP\n{from}");
    for (header, checks, expected) in [
        (&pass, Checks::Off, "unverified: checks are switched off"),
        (&pass, Checks::Full, "verified: DMARC passes for example.org, says mx.example.net"),
        (&signed, Checks::Headers, "unverified: no trusted host wrote Authentication-Results"),
        (&signed, Checks::Full, "verify ann@example.org None"),
        (&path, Checks::Full, "verify ann@example.org Some((192.0.2.1, Some(\"ann@example.org\")))"),
        (&path_below, Checks::Full, "unverified: it is not signed, and who handed it to us is not known"),
        (&forged_hop, Checks::Full, "unverified: it is not signed, and who handed it to us is not known"),
        (&from.to_owned(), Checks::Full, "unverified: it is not signed, and who handed it to us is not known"),
    ] {
        assert_eq!(look(header, checks), expected, "{header}");
    }
    let two = format!("DKIM-Signature: v=1; d=example.org\n{from}, eve@evil.example");
    assert_eq!(look(&two, Checks::Full), "unverified: there is not exactly one author");
}
