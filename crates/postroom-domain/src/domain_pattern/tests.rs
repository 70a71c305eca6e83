#![allow(clippy::unwrap_used)]
use super::{PatternError, PatternList, Syntax};

fn list(patterns: &[&str]) -> PatternList {
    PatternList::compile(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(), None).unwrap()
}

fn check(patterns: &[&str], syntax: Syntax, admitted: &[&str], refused: &[&str]) {
    let list = list(patterns);
    assert_eq!(list.syntax(), syntax, "{patterns:?}");
    for address in admitted {
        assert!(matches!(list.admitting(address), Ok(Some(_))), "{patterns:?} should admit {address}");
    }
    for address in refused {
        assert_eq!(list.admitting(address), Ok(None), "{patterns:?} should refuse {address}");
    }
}

#[test]
fn the_printed_examples_mean_what_their_text_says() {
    check(
        &[r"[^@\T]@bosch\.com"],
        Syntax::Documented,
        &["pat@bosch.com", "pat@BOSCH.com", "alicet@bosch.com"],
        &["x@bosch.com.evil.org", "x@notbosch.com", "x@de.bosch.com", "\"x@bosch.com\"@evil.org"],
    );
    check(
        &[r"[^@\T]@t-online\.de | [^@\t]@computer\.org"],
        Syntax::Documented,
        &["a@t-online.de", "b@computer.org"],
        &["a@t-online.de.evil.org", "b@example.org"],
    );
    check(
        &[r"\W[-.\W]+\@[-.\W]+\.\W{2,3}"],
        Syntax::Documented,
        &["ann@example.org", "a+b@corp.example", "x@firma.info"],
        &["nobody", "a@", "@b.org"],
    );
}

#[test]
fn ordinary_patterns_are_read_as_written() {
    check(&[r"@bosch\.com"], Syntax::Perl5, &["a@bosch.com"], &["a@bosch.com.evil.org", "a@bosch.de"]);
    check(&[r"@(a|b )\.org", "@c\\.org"], Syntax::Perl5, &["x@a.org", "x@c.org"], &["x@b.org"]);
    check(&[r"@example\.org", r"^\W"], Syntax::Perl5, &["ann@example.org"], &["ann@example.com"]);
}

#[test]
fn blanks_around_a_bar_do_not_count_unless_they_are_escaped() {
    for (written, trimmed) in [
        (" a | b ", "a|b"),
        (r"a\ | b", r"a\ |b"),
        (r"a\\ |b", r"a\\|b"),
        (r"a\ ", r"a\ "),
        (r"a\", r"a\"),
        ("(a | b)|[ | ]", "(a | b)|[ | ]"),
        (r"a\| b", r"a\| b"),
    ] {
        assert_eq!(super::trim_alternatives(written), trimmed, "{written:?}");
    }
}

#[test]
fn unusable_patterns_say_why() {
    let compile = |p: &str| PatternList::compile(&[p.to_owned()], None);
    assert!(matches!(compile("("), Err(PatternError::Invalid { .. })));
    assert!(matches!(compile("a)|(b"), Err(PatternError::Invalid { .. })));
    assert_eq!(compile(&"a".repeat(2049)).unwrap_err(), PatternError::TooLong);
}

#[test]
fn a_pattern_that_reaches_its_limit_decides_nothing() {
    let address = format!("{}!@example.org", "a".repeat(60));
    assert!(list(&["^(a+)+$"]).admitting(&address).is_err());
    let both = list(&["^(a+)+$", r"@example\.org"]);
    assert_eq!(both.admitting(&address), Ok(Some(r"@example\.org")));
}

#[test]
fn patterns_that_can_never_match_are_refused() {
    let compile = |p: &str| PatternList::compile(&[p.to_owned()], None);
    for never in ["", "   ", "^$", "@example\\.org$x", r"a\Zb", r"\z@example\.org", "a^b", r"x\Ay", "^$|a^b"] {
        assert!(matches!(compile(never), Err(PatternError::NeverMatches { .. })), "{never:?}");
    }
    for possible in
        ["^a@b\\.org$", "(^a|b)@c\\.org$", "x?^a", "[$^]", r"\$a", "a^b|c", "(a$)", "^", "$", r"\Aa@b\.org\z"]
    {
        assert!(compile(possible).is_ok(), "{possible:?}");
    }
}

/// The lines of a file of cases, without comments, split at tabs.
fn cases(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// What a list makes of an address that mail could come from.
fn outcome(list: &PatternList, address: &str) -> &'static str {
    match postroom_mail::address::canonical(address).map(|canonical| list.admitting(&canonical).map(|by| by.is_some()))
    {
        Some(Ok(true)) => "y",
        Some(Ok(false)) | None => "n",
        Some(Err(_)) => "?",
    }
}

#[test]
fn k11_the_printed_examples_mean_what_their_text_says_for_forty_addresses() {
    let third = r"\W[-.\W]+\@[-.\W]+\.\W{2,3}";
    let read = |pattern: &str, syntax| PatternList::compile(&[pattern.to_owned()], syntax).unwrap();
    let lists = [
        read(r"[^@\T]@bosch\.com", None),
        read(r"[^@\T]@t-online\.de | [^@\t]@computer\.org", None),
        read(third, None),
        read(third, Some(Syntax::Perl5)),
    ];
    assert_eq!(
        lists.each_ref().map(PatternList::syntax),
        [Syntax::Documented, Syntax::Documented, Syntax::Documented, Syntax::Perl5]
    );
    let mut number = 0;
    for case in cases(include_str!("../../../../testdata/patterns/printed-examples.txt")) {
        let (address, expected) = (case[0], &case[1..]);
        let found = lists.each_ref().map(|list| outcome(list, address));
        assert_eq!(found.as_slice(), expected, "{address}");
        number += 1;
    }
    assert_eq!(number, 40);
}

#[test]
fn k10_patterns_that_are_traps_end_at_a_limit_and_admit_nobody_by_it() {
    let address = format!("{}!@example.org", "a".repeat(60));
    let mut expected = Vec::new();
    let found: Vec<_> = cases(include_str!("../../../../testdata/patterns/hostile.txt"))
        .map(|case| {
            let (outcome_expected, pattern) = (case[0], case[1]);
            expected.push((outcome_expected, pattern));
            let found = match PatternList::compile(&[pattern.to_owned()], None) {
                Ok(list) => outcome(&list, &address),
                Err(PatternError::Invalid { .. }) => "invalid",
                Err(PatternError::NeverMatches { .. }) => "never",
                Err(PatternError::TooLong) => "long",
            };
            (found, pattern)
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 53);
}
