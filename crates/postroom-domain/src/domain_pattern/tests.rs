#![allow(clippy::unwrap_used)]
use super::{PatternError, PatternList, Syntax};

fn list(patterns: &[&str]) -> PatternList {
    PatternList::compile(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn check(patterns: &[&str], syntax: Syntax, admitted: &[&str], refused: &[&str]) {
    let list = list(patterns);
    assert_eq!(list.syntax(), syntax, "{patterns:?}");
    for address in admitted {
        assert_eq!(list.admits(address), Ok(true), "{patterns:?} should admit {address}");
    }
    for address in refused {
        assert_eq!(list.admits(address), Ok(false), "{patterns:?} should refuse {address}");
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
        ("(a | b)|[ | ]", "(a | b)|[ | ]"),
        (r"a\| b", r"a\| b"),
    ] {
        assert_eq!(super::trim_alternatives(written), trimmed, "{written:?}");
    }
}

#[test]
fn unusable_patterns_say_why() {
    let compile = |p: &str| PatternList::compile(&[p.to_owned()]);
    assert!(matches!(compile("("), Err(PatternError::Invalid { .. })));
    assert!(matches!(compile("a)|(b"), Err(PatternError::Invalid { .. })));
    assert_eq!(compile(&"a".repeat(2049)).unwrap_err(), PatternError::TooLong);
}

#[test]
fn a_pattern_that_reaches_its_limit_decides_nothing() {
    let address = format!("{}!@example.org", "a".repeat(60));
    assert!(list(&["^(a+)+$"]).admits(&address).is_err());
    let both = list(&["^(a+)+$", r"@example\.org"]);
    assert_eq!(both.admits(&address), Ok(true));
}

#[test]
fn patterns_that_can_never_match_are_refused() {
    let compile = |p: &str| PatternList::compile(&[p.to_owned()]);
    for never in ["", "   ", "^$", "@example\\.org$x", r"a\Zb", r"\z@example\.org", "a^b", r"x\Ay", "^$|a^b"] {
        assert!(matches!(compile(never), Err(PatternError::NeverMatches { .. })), "{never:?}");
    }
    for possible in
        ["^a@b\\.org$", "(^a|b)@c\\.org$", "x?^a", "[$^]", r"\$a", "a^b|c", "(a$)", "^", "$", r"\Aa@b\.org\z"]
    {
        assert!(compile(possible).is_ok(), "{possible:?}");
    }
}
