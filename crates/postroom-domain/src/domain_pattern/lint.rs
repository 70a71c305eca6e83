//! What a pattern list does to ordinary addresses and to those of a forger, in words, before it is in force.

use super::{ORDINARY, PatternError, PatternList, Syntax};
use postroom_mail::address::canonical_domain;
use serde::Serialize;

/// Domains that samples are made of, at most: a list of many is recognised by a few.
const DOMAINS_MAX: usize = 5;

/// One sample address and what the list does with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Canonical.
    pub address: String,
    /// Whether the list admits it; `None` where a limit was reached.
    pub admitted: Option<bool>,
}

/// What there is to say about a pattern list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// As written.
    pub patterns: Vec<String>,
    /// How they are read.
    pub syntax: Syntax,
    /// Ordinary addresses, those at the domains that the patterns name, and what a forger would write.
    pub samples: Vec<Sample>,
    /// What was probably not meant, one sentence each.
    pub warnings: Vec<String>,
}

/// Looks at a pattern list.
///
/// # Errors
/// When it cannot be used at all.
pub fn lint(patterns: &[String], chosen: Option<Syntax>) -> Result<Lint, PatternError> {
    let list = PatternList::compile(patterns, chosen)?;
    let domains = named_domains(patterns);
    let at = |form: &str| domains.iter().map(|domain| form.replace("{}", domain)).collect::<Vec<_>>();
    let own = [at("ann@{}"), at("ann.lee@{}"), at("a+b@{}"), at("x@{}")].concat();
    let looser = [at("ann@not{}"), at("ann@{}.evil.org"), at("\"ann@{}\"@evil.org")].concat();
    let below = at("ann@mail.{}");
    let ordinary: Vec<String> = ORDINARY.iter().map(|address| (*address).to_owned()).collect();

    let samples = |addresses: &[String]| addresses.iter().map(|address| sample(&list, address)).collect::<Vec<_>>();
    let (ordinary, own, below, looser) = (samples(&ordinary), samples(&own), samples(&below), samples(&looser));
    let mut warnings = Vec::new();
    let is_below = |sample: &&str| domains.iter().any(|domain| sample.ends_with(&format!(".{domain}")));
    let everywhere: Vec<_> = with(&ordinary, Some(true)).into_iter().filter(|sample| !is_below(sample)).collect();
    let refused = with(&ordinary, Some(false));
    if !everywhere.is_empty() && !refused.is_empty() && domains.is_empty() {
        warnings.push(format!("it refuses ordinary addresses: {}", refused.join(", ")));
    }
    let refused = with(&own, Some(false));
    if !refused.is_empty() {
        warnings.push(format!("it refuses addresses at the domain that it names: {}", refused.join(", ")));
    }
    let admitted = with(&looser, Some(true));
    if !admitted.is_empty() && everywhere.is_empty() {
        let remedy = r"write @ before the name, or (?:@|\.) for its sub-domains too";
        warnings.push(format!("it admits more than the domain that it names: {}; {remedy}", admitted.join(", ")));
    }
    warnings.extend(any_character_dots(&list, &domains));
    let all = [ordinary, own, below, looser].concat();
    if !all.is_empty() && with(&all, Some(true)).is_empty() {
        warnings.push("it admits none of the sample addresses".to_owned());
    }
    let undecided = with(&all, None);
    if !undecided.is_empty() {
        warnings.push(format!("its match limit is reached, so mail would be held: {}", undecided.join(", ")));
    }
    warnings.extend(printed_escapes(patterns, list.syntax()));
    Ok(Lint { patterns: patterns.to_vec(), syntax: list.syntax(), samples: all, warnings })
}

fn sample(list: &PatternList, address: &str) -> Sample {
    Sample { address: address.to_owned(), admitted: list.admitting(address).ok().map(|by| by.is_some()) }
}

fn with(samples: &[Sample], admitted: Option<bool>) -> Vec<&str> {
    samples.iter().filter(|sample| sample.admitted == admitted).map(|sample| sample.address.as_str()).collect()
}

/// A dot that is written without its backslash stands for any character.
fn any_character_dots(list: &PatternList, domains: &[String]) -> Option<String> {
    let loose = domains.iter().find_map(|domain| {
        let (name, end) = domain.rsplit_once('.')?;
        let other = format!("ann@{name}x{end}");
        matches!(list.admitting(&other), Ok(Some(_))).then_some((domain, other))
    })?;
    let (domain, other) = loose;
    Some(format!(r"a dot in `{domain}` has no backslash and so means any character: it admits {other}; write \."))
}

/// Upper-case escapes are what the printed examples have; what they mean depends on the syntax in force.
fn printed_escapes(patterns: &[String], syntax: Syntax) -> Option<String> {
    let printed = patterns.iter().any(|pattern| pattern.contains(r"\T") || pattern.contains(r"\W"));
    match syntax {
        _ if !printed => None,
        Syntax::Documented => {
            Some(r"\T and \W are read as \t and \w, as the printed examples mean them (documented syntax)".to_owned())
        }
        Syntax::Perl5 => {
            Some(r"\W is read as Perl does: any character that is no letter, digit or `_` (perl5 syntax)".to_owned())
        }
    }
}

/// The domains that patterns name: names with dots between letters, whether the dots are escaped or not.
fn named_domains(patterns: &[String]) -> Vec<String> {
    let mut domains = Vec::new();
    for pattern in patterns {
        let plain = pattern.replace(r"\.", ".");
        let words = plain.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '-');
        let names = words.map(|word| word.trim_matches(['.', '-'])).filter(|word| word.contains('.'));
        let is_name = |domain: &String| domain.rsplit('.').next().is_some_and(|end| end.len() > 1);
        for domain in names.filter_map(canonical_domain).filter(is_name) {
            if !domains.contains(&domain) && domains.len() < DOMAINS_MAX {
                domains.push(domain);
            }
        }
    }
    domains
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What the linter says of one pattern.
    fn check(pattern: &str, chosen: Option<Syntax>, expected: &[&str]) {
        let warnings = lint(&[pattern.to_owned()], chosen).unwrap().warnings;
        assert_eq!(warnings.len(), expected.len(), "{pattern}: {warnings:#?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{pattern}: {warning:?} should say {expected:?}");
        }
    }

    #[test]
    fn it_says_what_was_probably_not_meant() {
        check(r"@bosch\.com", None, &[]);
        check(r"@(?:[^@]+\.)?bosch\.com", None, &[]);
        check(r"bosch\.com", None, &["ann@notbosch.com"]);
        check(r"@bosch.com", None, &["no backslash"]);
        check(r"[a-z]+@bosch\.com$", None, &[]);
        check(r"^[a-z]+@bosch\.com$", None, &["a+b@bosch.com"]);
        check(r"@bosch\.com\.$", None, &["ann@bosch.com", "none of the sample addresses"]);
        check(r"^[^@]+@[^@]+\.(com|org)$", None, &["a+b@corp.example, x@firma.info"]);
        check(r"[^@\T]@bosch\.com", None, &["documented syntax"]);
    }

    #[test]
    fn it_names_the_ordinary_addresses_that_the_third_printed_example_refuses_as_perl_reads_it() {
        let third = r"\W[-.\W]+\@[-.\W]+\.\W{2,3}";
        check(third, Some(Syntax::Perl5), &["none of the sample addresses", "perl5 syntax"]);
        check(third, None, &["documented syntax"]);
        let lower = r"\w[-.\w]+\@[-.\w]+\.\w{2,3}";
        check(lower, None, &["it refuses ordinary addresses: a+b@corp.example, x@firma.info"]);
    }

    #[test]
    fn samples_are_shown_with_what_becomes_of_them() {
        let lint = lint(&[r"@bosch\.com".to_owned()], None).unwrap();
        let of = |address: &str| lint.samples.iter().find(|sample| sample.address == address).unwrap().admitted;
        assert_eq!(of("ann@bosch.com"), Some(true));
        assert_eq!(of("ann@bosch.com.evil.org"), Some(false));
        assert_eq!(of("\"ann@bosch.com\"@evil.org"), Some(false));
        assert_eq!(of("ann@example.org"), Some(false));
    }
}
