#![allow(clippy::unwrap_used)]
//! Rules as tables: how tests are written, what they fit, what a list decides, how it is changed, and what is no use.

use super::*;
use crate::{Facts, User, UserId};
use postroom_mail::{Message, RawMessage};

fn rule(name: &str, tests: &[&str], then: Then) -> Rule {
    let tests = tests.iter().map(|test| test.parse().unwrap()).collect();
    Rule { name: name.to_owned(), mailbox: None, paused: false, when: When::All(tests), then }
}

fn any(rule: Rule) -> Rule {
    Rule { when: When::Any(rule.when.tests().to_vec()), ..rule }
}

fn to(key: &str) -> Then {
    Then { workspace: Some(key.parse().unwrap()), ..Then::default() }
}

fn tag(tag: &str) -> Then {
    Then { tags: vec![tag.to_owned()], ..Then::default() }
}

fn read(header: &str) -> Message {
    postroom_mail::read(&RawMessage::new(format!("{}\r\n\r\nx", header.replace('\n', "\r\n"))))
}

fn registered() -> Facts {
    let user = User {
        id: UserId(1),
        address: "ann@example.org".to_owned(),
        name: String::new(),
        admin: false,
        active: true,
        aliases: Vec::new(),
        memberships: Vec::new(),
    };
    Facts { sender: Some(user), ..Facts::default() }
}

fn ask(rules: &[Rule], message: &Message, facts: &Facts, mailbox: &str) -> (Routed, Vec<crate::TraceStep>) {
    let mut trace = Vec::new();
    let author = message.author().and_then(postroom_mail::Address::canonical);
    let routed = RuleSet::compile(rules).unwrap().ask(message, author.as_deref(), facts, mailbox, &mut trace);
    (routed, trace)
}

const MAIL: &str = "Delivered-To: desk+x@x.example
Received: by mx
From: Ann <Ann@Example.org>
To: desk@x.example
Cc: Bücher <team@bücher.example>
Subject: Re: Order 4711 für Sie
List-Id: Our news <news.lists.example.org>
X-Priority: 1
X-Priority: 3
X-Postroom-Workspace: SUP";

/// A test, and whether it fits [`MAIL`].
const TESTS: &[(&str, bool)] = &[
    ("subject=Re: Order 4711 für Sie", true),
    ("subject=re: order 4711 FÜR sie", true),
    ("subject=Order 4711", false),
    ("subject=*order*", true),
    ("subject=re:*sie", true),
    ("subject=*4711", false),
    ("subject=*47*11*sie*", true),
    ("subject=*11*47*", false),
    ("subject=*", true),
    (r"subject=*\**", false),
    (r"subject~order \d+", true),
    ("subject~FÜR", true),
    ("subject~^order", false),
    ("!subject~^order", true),
    ("! subject~order", false),
    ("sender=ann@example.org", true),
    ("sender=ANN@EXAMPLE.ORG", true),
    ("sender=*@example.org", true),
    ("sender=*@example.com", false),
    ("sender~@example", true),
    ("sender-domain=example.org", true),
    ("sender-domain=EXAMPLE.org", true),
    ("sender-domain=*.org", true),
    ("sender-domain=ample.org", false),
    ("registered=yes", true),
    ("registered=no", false),
    ("recipient=desk@x.example", true),
    ("recipient=desk+x@x.example", true),
    ("recipient=team@bücher.example", true),
    ("recipient=*@xn--bcher-kva.example", true),
    ("recipient=other@x.example", false),
    ("list-id=news.lists.example.org", true),
    ("list-id=*.example.org", true),
    ("list-id=Our news", false),
    ("header:list-id=our news*", true),
    ("header:X-Priority=3", true),
    ("header:x-priority=1", true),
    ("header:X-Priority=2", false),
    ("header:X-Missing=*", false),
    ("!header:X-Missing=*", true),
    // What claims to be ours is not there at all.
    ("header:X-Postroom-Workspace=*", false),
    ("automatic=yes", true),
    ("automatic=list", true),
    ("automatic=bounce", false),
    ("automatic=no", false),
    ("attachment=no", true),
    ("attachment=yes", false),
    ("forwarded-from=*", false),
];

#[test]
fn what_tests_fit() {
    let message = read(MAIL);
    for (test, fits) in TESTS {
        let (routed, trace) = ask(&[rule("one", &[test], tag("t"))], &message, &registered(), "desk");
        assert_eq!(!routed.applied.is_empty(), *fits, "{test}");
        assert!(trace.is_empty());
        let parsed: Test = test.parse().unwrap();
        assert_eq!(parsed.to_string().parse(), Ok(parsed.clone()), "{test} is read back as it is shown");
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(serde_json::from_str::<Test>(&json).unwrap(), parsed, "{json}");
    }
}

#[test]
fn the_author_of_what_is_passed_on_and_files_can_be_tested() {
    let forwarded = "From: ann@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\
        From: Cust <Cust@Elsewhere.example>\nSubject: Help\n\nx\n--b--";
    let message = read(forwarded);
    for (test, fits) in [
        ("forwarded-from=cust@elsewhere.example", true),
        ("forwarded-from=*@elsewhere.example", true),
        ("forwarded-from=ann@example.org", false),
        ("attachment=yes", true),
        ("automatic=no", true),
    ] {
        let (routed, _) = ask(&[rule("one", &[test], tag("t"))], &message, &Facts::default(), "desk");
        assert_eq!(!routed.applied.is_empty(), fits, "{test}");
    }
    // Several authors are none.
    let unclear = read("From: a@example.org, b@example.org\nSubject: x");
    for (test, fits) in [("sender=*", false), ("!sender=*", true), ("sender-domain=example.org", false)] {
        let (routed, _) = ask(&[rule("one", &[test], tag("t"))], &unclear, &Facts::default(), "desk");
        assert_eq!(!routed.applied.is_empty(), fits, "{test}");
    }
}

#[test]
fn tests_that_mean_nothing_are_refused() {
    for text in ["", "subject", "!subject", "colour=red", "header:=x", "header:a b=x", "=x", "~x"] {
        assert!(text.parse::<Test>().is_err(), "{text}");
    }
    for json in [
        r#"{"field":"subject"}"#,
        r#"{"field":"subject","is":"a","like":"b"}"#,
        r#"{"field":"nothing","is":"a"}"#,
        r#"{"field":"subject","is":"a","nto":true}"#,
    ] {
        assert!(serde_json::from_str::<Test>(json).is_err(), "{json}");
    }
    for (test, says) in [
        ("registered=perhaps", "yes or no"),
        ("registered=*", "yes or no"),
        ("attachment~y", "yes or no"),
        ("automatic=spam", "auto-reply"),
        ("sender=ann", "whole address"),
        ("sender-domain=a b", "a domain"),
        ("subject~(", "no Perl 5 regular expression"),
        ("subject~", "it is empty"),
    ] {
        let error = RuleSet::compile(&[rule("one", &[test], tag("t"))]).unwrap_err().to_string();
        let says = says.replace("no Perl", "not a Perl");
        assert!(error.contains("`one`") && error.contains(&says), "{test}: {error}");
    }
    let long = rule("one", &[&format!("subject={}", "a".repeat(TEXT_MAX + 1))], tag("t"));
    assert!(RuleSet::compile(&[long]).unwrap_err().to_string().contains("2048"));
    for then in [tag(""), tag("two words"), tag("a,b"), tag(&"x".repeat(41))] {
        assert!(matches!(RuleSet::compile(&[rule("one", &[], then)]), Err(RuleError::Action { .. })));
    }
    let status = Then { status: Some("done".to_owned()), ..Then::default() };
    assert!(RuleSet::compile(&[rule("one", &[], status)]).unwrap_err().to_string().contains("open or closed"));
    for name in ["", " ", &"n".repeat(65), "a\nb"] {
        assert!(matches!(RuleSet::compile(&[rule(name, &[], tag("t"))]), Err(RuleError::Name(_))), "{name}");
    }
    let many: Vec<Rule> = (0..=RULES_MAX).map(|n| rule(&n.to_string(), &[], tag("t"))).collect();
    assert!(matches!(RuleSet::compile(&many), Err(RuleError::TooMany { .. })));
    let twice = [rule("One", &[], tag("t")), rule("one", &[], tag("t"))];
    assert_eq!(RuleSet::compile(&twice).unwrap_err(), RuleError::Taken("one".to_owned()));
}

#[test]
fn the_first_rule_that_says_something_decides_it_and_tags_add_up() {
    let rules = [
        rule("paused", &[], to("NIX")),
        rule("other", &[], to("NIX")),
        rule("invoices", &["subject~order"], Then { tags: vec!["money".into()], ..to("FIN") }),
        rule("ann", &["sender=ann@example.org"], Then { assignee: Some("bob@example.org".into()), ..to("SUP") }),
        rule(
            "last",
            &[],
            Then { status: Some("closed".into()), stop: true, tags: vec!["money".into(), "all".into()], ..to("HR") },
        ),
        rule("never", &[], tag("never")),
    ];
    let mut rules = rules.to_vec();
    rules[0].paused = true;
    rules[1].mailbox = Some("other".to_owned());
    let (routed, trace) = ask(&rules, &read(MAIL), &registered(), "desk");
    assert!(trace.is_empty());
    assert_eq!(routed.applied, ["invoices", "ann", "last"]);
    assert_eq!(routed.workspace, Some(("FIN".parse().unwrap(), "invoices".to_owned())));
    assert_eq!(routed.assignee, Some(("bob@example.org".to_owned(), "ann".to_owned())));
    assert_eq!((routed.status.as_deref(), routed.held_by), (Some("closed"), None));
    assert_eq!(routed.tags, ["money", "all"]);
    let (routed, _) = ask(&rules, &read(MAIL), &registered(), "other");
    assert_eq!(routed.workspace.unwrap().1, "other");
}

#[test]
fn all_any_none_and_holding() {
    let (message, facts) = (read(MAIL), registered());
    let applied = |rule: Rule| !ask(&[rule], &message, &facts, "desk").0.applied.is_empty();
    assert!(applied(rule("a", &["subject=*order*", "sender=*@example.org"], tag("t"))));
    assert!(!applied(rule("a", &["subject=*order*", "sender=*@example.com"], tag("t"))));
    assert!(applied(any(rule("a", &["subject=*order*", "sender=*@example.com"], tag("t")))));
    assert!(!applied(any(rule("a", &["subject=x", "sender=*@example.com"], tag("t")))));
    assert!(applied(rule("a", &[], tag("t"))), "no test at all holds for every message");
    assert!(!applied(any(rule("a", &[], tag("t")))));
    let hold = Then { hold: true, ..Then::default() };
    let (routed, _) = ask(&[rule("a", &[], hold), rule("b", &[], tag("t"))], &message, &facts, "desk");
    assert_eq!((routed.held_by.as_deref(), routed.applied.len()), (Some("a"), 1), "a rule that holds ends the list");
}

#[test]
fn a_pattern_that_reaches_its_limit_makes_the_rule_not_apply_and_is_noted() {
    let message = read(&format!("From: ann@example.org\nSubject: {}!", "a".repeat(60)));
    let slow = r"subject~^(a+)+$";
    let (routed, trace) = ask(&[rule("slow", &[slow], to("NIX"))], &message, &registered(), "desk");
    assert!(routed.applied.is_empty());
    assert_eq!((trace[0].rule.as_str(), trace[0].outcome.as_str()), ("rule", "undecided"));
    assert!(trace[0].detail.starts_with("slow: "), "{}", trace[0].detail);
    // Its opposite does not apply either; where another test decides, nothing is undecided.
    let (routed, trace) = ask(&[rule("slow", &[&format!("!{slow}")], to("NIX"))], &message, &registered(), "desk");
    assert!(routed.applied.is_empty() && trace.len() == 1);
    let (routed, trace) = ask(&[any(rule("slow", &[slow, "sender=*"], to("FIN")))], &message, &registered(), "desk");
    assert!(!routed.applied.is_empty() && trace.is_empty());
    let (routed, trace) =
        ask(&[rule("slow", &[slow, "sender=x@y.example"], to("FIN"))], &message, &registered(), "desk");
    assert!(routed.applied.is_empty() && trace.is_empty());
}

#[test]
fn a_list_goes_through_json_and_misspelt_keys_are_refused() {
    let json =
        r#"{"name":"a","if":{"any":[{"field":"subject","matches":"x"}]},"then":{"workspace":"fin","stop":true}}"#;
    let read: Rule = serde_json::from_str(json).unwrap();
    assert_eq!(read.then.workspace, Some("FIN".parse().unwrap()));
    assert_eq!(serde_json::from_str::<Rule>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    for json in [
        r#"{"name":"a","then":{"worspace":"FIN"}}"#,
        r#"{"name":"a","when":{"any":[]}}"#,
        r#"{"name":"a","if":{"none":[]}}"#,
        r#"{"name":"a","then":{"workspace":"no key"}}"#,
        r#"{"then":{}}"#,
    ] {
        assert!(serde_json::from_str::<Rule>(json).is_err(), "{json}");
    }
}

#[test]
fn a_list_is_changed_step_by_step() {
    let named = |name: &str| Box::new(rule(name, &[], tag("t")));
    let steps = [
        (RuleEdit::Add(named("b"), Place::Last), "b"),
        (RuleEdit::Add(named("a"), Place::First), "a b"),
        (RuleEdit::Add(named("d"), Place::After("B".into())), "a b d"),
        (RuleEdit::Add(named("c"), Place::Before("d".into())), "a b c d"),
        (RuleEdit::Move("d".into(), Place::First), "d a b c"),
        (RuleEdit::Move("d".into(), Place::After("a".into())), "a d b c"),
        (RuleEdit::Move("d".into(), Place::Last), "a b c d"),
        (RuleEdit::Pause("c".into(), true), "a b (c) d"),
        (RuleEdit::Set("c".into(), named("C2")), "a b C2 d"),
        (RuleEdit::Pause("a".into(), false), "a b C2 d"),
        (RuleEdit::Remove("c2".into()), "a b d"),
        (RuleEdit::Replace(vec![*named(" z ")]), "z"),
    ];
    let mut rules = Vec::new();
    for (step, expected) in steps {
        rules = edit(rules, step.clone()).unwrap();
        let shown = |rule: &Rule| if rule.paused { format!("({})", rule.name) } else { rule.name.clone() };
        assert_eq!(rules.iter().map(shown).collect::<Vec<_>>().join(" "), expected, "{step:?}");
    }
    for (step, error) in [
        (RuleEdit::Add(named("Z"), Place::Last), RuleError::Taken("Z".into())),
        (RuleEdit::Add(named("y"), Place::Before("x".into())), RuleError::Unknown("x".into())),
        (RuleEdit::Move("x".into(), Place::First), RuleError::Unknown("x".into())),
        (RuleEdit::Move("z".into(), Place::Before("x".into())), RuleError::Unknown("x".into())),
        (RuleEdit::Move("z".into(), Place::Before(" Z".into())), RuleError::BesideItself("z".into())),
        (RuleEdit::Move("Z".into(), Place::After("z".into())), RuleError::BesideItself("z".into())),
        (RuleEdit::Remove("x".into()), RuleError::Unknown("x".into())),
    ] {
        assert_eq!(edit(rules.clone(), step).unwrap_err(), error);
    }
    let then =
        Then { assignee: Some("Bob@Example.ORG".into()), tags: vec!["t".into(), " T".into()], ..Then::default() };
    let tidied = edit(Vec::new(), RuleEdit::Replace(vec![rule("a", &[], then)])).unwrap();
    assert_eq!((tidied[0].then.assignee.as_deref(), tidied[0].then.tags.len()), (Some("bob@example.org"), 1));
}

/// A list (name, whether any, tests, what is done) and what is said about it.
#[test]
fn what_is_of_no_use_is_said() {
    let stop = || Then { stop: true, ..to("FIN") };
    let hold = Then { hold: true, ..tag("t") };
    let cases: Vec<(Vec<Rule>, &[&str])> = vec![
        (vec![rule("a", &["subject=x"], to("FIN")), rule("b", &["subject=y"], to("FIN"))], &[]),
        (vec![rule("a", &["sender=a@x.example", "sender=b@x.example"], to("FIN"))], &["a: exclude each other"]),
        (vec![rule("a", &["recipient=a@x.example", "recipient=b@x.example"], to("FIN"))], &[]),
        (vec![rule("a", &["registered=yes", "registered=no"], to("FIN"))], &["a: exclude each other"]),
        (vec![rule("a", &["automatic=yes", "automatic=list"], to("FIN"))], &[]),
        (vec![rule("a", &["automatic=no", "automatic=list"], to("FIN"))], &["a: exclude each other"]),
        (vec![rule("a", &["subject~x", "!subject~x"], to("FIN"))], &["a: exclude each other"]),
        (vec![rule("a", &["sender=a@x.example", "sender-domain=y.example"], to("FIN"))], &["a: exclude each other"]),
        (vec![rule("a", &["sender=a@x.example", "sender-domain=X.example"], to("FIN"))], &[]),
        (vec![rule("a", &["sender-domain=@x*"], to("FIN"))], &["a: has no `@`"]),
        (vec![any(rule("a", &["sender-domain=@x*", "subject=x"], to("FIN")))], &[]),
        (vec![any(rule("a", &["sender-domain=@x*", "header:X-A="], to("FIN")))], &["a: no value is empty"]),
        (vec![any(rule("a", &[], to("FIN")))], &["a: no tests"]),
        (vec![rule("a", &[], stop()), rule("b", &["subject=x"], to("FIN"))], &["b: never reached: rule `a` stops"]),
        (vec![rule("a", &["subject=x"], stop()), rule("b", &["subject=y"], to("FIN"))], &[]),
        (
            vec![rule("a", &["subject=x"], stop()), rule("b", &["sender=*", "subject=x"], tag("t"))],
            &["b: never reached: rule `a` stops"],
        ),
        (
            vec![any(rule("a", &["subject=x", "subject=y"], stop())), rule("b", &["subject=y"], tag("t"))],
            &["b: never reached"],
        ),
        (vec![rule("a", &["subject=x"], hold), rule("b", &["subject=x"], tag("t"))], &["a: no effect", "b: `a` holds"]),
        (vec![rule("a", &[], Then::default())], &["a: does nothing"]),
        (vec![rule("a", &[], to("FIN")), rule("b", &["subject=x"], to("HR"))], &["b: workspace never counts"]),
        (vec![rule("a", &[], to("FIN")), rule("b", &["subject=x"], tag("t"))], &[]),
    ];
    for (rules, expected) in cases {
        let found = lint(&rules);
        assert_eq!(found.len(), expected.len(), "{rules:?}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            let (name, words) = expected.split_once(": ").unwrap();
            assert!(found.rule == name && found.what.contains(words), "{expected}: {found}");
        }
    }
    // A paused rule stops nothing, and one for another mailbox neither.
    let mut rules = vec![rule("a", &[], stop()), rule("b", &["subject=x"], tag("t"))];
    rules[0].paused = true;
    assert!(lint(&rules).is_empty());
    rules[0].paused = false;
    rules[0].mailbox = Some("desk".to_owned());
    assert!(lint(&rules).is_empty());
    rules[1].mailbox = Some("desk".to_owned());
    assert_eq!(lint(&rules).len(), 1);
}

#[test]
fn rules_are_shown_in_words() {
    let then = Then { status: Some("closed".into()), hold: true, tags: vec!["a".into(), "b".into()], ..to("FIN") };
    let rule = any(rule("a", &["subject=*x*", "!sender~y", "header:x-a==a*b"], then));
    assert_eq!(rule.when.to_string(), "subject=*x* or !sender~y or header:x-a==a*b");
    assert_eq!(rule.then.to_string(), "workspace FIN, status closed, tag a, tag b, hold");
    assert_eq!((When::default().to_string(), Then::default().to_string()), ("every message".into(), "nothing".into()));
    assert_eq!(When::Any(Vec::new()).to_string(), "no message");
}
