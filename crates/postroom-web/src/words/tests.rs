#![allow(clippy::unwrap_used)]

use super::*;
use axum::http::HeaderValue;
use postroom_domain::{Evidence, Identity, Level, Reason, TraceStep};

const EN: Language = Language::English;
const DE: Language = Language::German;

#[test]
fn ages_are_rough_and_never_negative() {
    let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
    for (then, expected) in [
        ("2026-11-22T20:05:00Z", "just now"),
        ("2026-11-22T19:59:30Z", "just now"),
        ("2026-11-22T19:58:59Z", "1 min ago"),
        ("2026-11-22T18:00:00Z", "2 h ago"),
        ("2026-11-21T18:00:00Z", "yesterday"),
        ("2026-11-12T18:00:00Z", "10 days ago"),
        ("2026-10-02T18:00:00Z", "2 Oct 2026"),
    ] {
        assert_eq!(EN.age(&then.parse().unwrap(), &now), expected, "{then}");
    }
}

#[test]
fn sizes_have_units() {
    for (octets, expected) in
        [(0, "0 B"), (999, "999 B"), (1001, "2 kB"), (2_340_000, "2.3 MB"), (5_000_000_000, "5.0 GB")]
    {
        assert_eq!(EN.size(&octets), expected);
    }
}

#[test]
fn initials_are_there_for_everybody() {
    for (name, address, expected) in [
        ("Kim van der Berg", "kim@demo.example", "KB"),
        ("", "pat.lee@demo.example", "PL"),
        ("山田太郎", "t@demo.example", "山"),
        ("", "", "S"),
        ("!!!", "", "?"),
    ] {
        let party = Party { address: address.to_owned(), name: name.to_owned(), user: false };
        // A message without an author is labelled "(no sender)".
        let expected = if name.is_empty() && address.is_empty() { "NS" } else { expected };
        assert_eq!(initials(&party), expected, "{name} {address}");
    }
}

#[test]
fn a_badge_tells_how_sure_it_is_who_wrote() {
    let word = |level, evidence| {
        let identity = Identity { level, evidence, detail: "so it is".to_owned() };
        EN.badge(Some(&identity)).map(|badge| (badge.tone, badge.word, badge.title))
    };
    let said = "So it is".to_owned();
    assert_eq!(word(Level::Verified, Evidence::Dkim), Some(("good", "verified", said.clone())));
    assert_eq!(word(Level::Unverified, Evidence::Dmarc), Some(("warn", "unverified", said.clone())));
    assert_eq!(word(Level::Failed, Evidence::Dmarc), Some(("bad", "not by its sender", said)));
    assert_eq!(word(Level::Unverified, Evidence::NotChecked), Some(("", "unverified", "So it is".to_owned())));
    assert!(EN.badge(None).is_none());
}

#[test]
fn every_rule_of_the_domain_has_a_sentence() {
    for (rule, outcome) in [
        ("release", "admitted"),
        ("submissions", "off"),
        ("author", "unclear"),
        ("sender", "registered"),
        ("sender", "unknown, allowed"),
        ("sender", "unknown"),
        ("author", "mixed scripts"),
        ("blocked", "blocked"),
        ("identity", "verified"),
        ("identity", "unverified"),
        ("identity", "failed"),
        ("allowed-domains", "admitted"),
        ("allowed-domains", "refused"),
        ("allowed-domains", "undecided"),
        ("copy", "duplicate"),
        ("automatic", "filed"),
        ("automatic", "held"),
        ("bounce", "failed"),
        ("bounce", "original"),
        ("bounce", "more"),
        ("forwarded", "in the text"),
        ("forwarded", "attached"),
        ("invitation", "request"),
        ("invitation", "reply"),
        ("invitation", "cancel"),
        ("invitation", "event"),
        ("protection", "signed"),
        ("number", "comment"),
        ("number", "no such item"),
        ("number", "mention"),
        ("own-address", "registered"),
        ("own-address", "held"),
        ("storm", "held"),
        ("storm", "waited"),
        ("rule", "held"),
        ("rule", "released"),
        ("rule", "undecided"),
        ("rule", "workspace"),
        ("rule", "no such workspace"),
        ("rule", "assignee"),
        ("rule", "no such agent"),
        ("rule", "status"),
        ("rule", "tags"),
        ("rule", "not on a comment"),
        ("address", "workspace"),
        ("address", "no such workspace"),
        ("number", "no-reply"),
        ("number", "passed over"),
        ("reply-key", "comment"),
        ("reply-key", "mention"),
        ("reply-key", "conflict"),
        ("reply-key", "no-reply"),
        ("reply-key", "not ours"),
        ("reply-key", "not verified"),
        ("reference", "comment"),
        ("reference", "mention"),
        ("reference", "conflict"),
        ("participant", "proposed"),
        ("closed", "comment"),
        ("closed", "reopened"),
        ("closed", "continued"),
        ("closed", "new item"),
        ("forward", "credited"),
        ("forward", "not credited"),
        ("forward", "note"),
        ("workspace", "none"),
        ("item", "opened"),
    ] {
        let step = TraceStep::new(rule, outcome, "x");
        let [english, german] = Language::ALL.map(|language| language.rule_step(&step));
        for one in [&english, &german] {
            assert!(!one.sentence.starts_with(&format!("{rule}:")), "{rule}/{outcome} is shown raw");
        }
        assert_ne!(english.sentence, german.sentence, "{rule}/{outcome} is not translated");
        assert_eq!(english.tone, german.tone, "{rule}/{outcome}");
    }
    assert_eq!(EN.rule_step(&TraceStep::new("new-rule", "yes", "because")).sentence, "new-rule: yes (because).");
    let held = EN.rule_step(&TraceStep::new("automatic", "held", "bounce: Return-Path: <>")).sentence;
    assert_eq!(held, "It is automatic mail: a bounce (Return-Path: <>). This mailbox holds such mail.");
}

#[test]
fn german_has_its_own_numbers_and_dates() {
    let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
    assert_eq!(DE.when(&now), "22.11.2026, 20:00 UTC");
    assert_eq!(DE.age(&"2026-11-22T18:00:00Z".parse().unwrap(), &now), "vor 2 Std.");
    assert_eq!((DE.number(&1_234_567), EN.number(&999)), ("1.234.567".to_owned(), "999".to_owned()));
    assert_eq!(DE.size(&2_340_000), "2,3 MB");
    assert_eq!((DE.comments(&1), DE.comments(&2)), ("1 Kommentar".to_owned(), "2 Kommentare".to_owned()));
}

#[test]
fn every_reason_is_told_in_german() {
    for reason in Reason::ALL {
        assert_ne!(DE.reason(*reason), EN.reason(*reason), "{reason}");
        // Whoever looks at held mail is told what to do about it.
        let holds = !reason.advice().is_empty() && reason.cause() != postroom_domain::held::Cause::Done;
        assert_eq!((!DE.advice(*reason).is_empty(), !EN.advice(*reason).is_empty()), (holds, holds), "{reason}");
    }
}

#[test]
fn the_language_that_is_asked_for_most_is_taken() {
    for (asked, expected) in [
        ("", EN),
        ("de", DE),
        ("de-AT,de;q=0.9,en;q=0.8", DE),
        ("en-GB, de;q=0.9", EN),
        ("fr, de;q=0.3, en;q=0.2", DE),
        ("fr", EN),
        ("de;q=0", EN),
        ("de;q=x, en;q=0.1", EN),
        ("*", EN),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(asked));
        assert_eq!(Language::asked_for(&headers), expected, "{asked}");
    }
}
