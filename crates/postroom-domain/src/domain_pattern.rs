//! Allowed domain patterns: Perl 5 regular expressions over canonical addresses.
//!
//! A pattern is searched in the address without regard to case, blanks around a top-level `|` do not count, and it is
//! bound at the right end, so that `[^@ \t]@bosch\.com` does not admit `eve@bosch.com.evil.org`.

mod lint;

pub use lint::{Lint, Sample, lint};
use pcre2::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest pattern in octets.
pub const PATTERN_MAX: usize = 2048;

/// What one search may cost before it counts as undecided (PCRE2 match limit, depth, and heap in KiB).
const LIMITS: &str = "(*LIMIT_MATCH=100000)(*LIMIT_DEPTH=1000)(*LIMIT_HEAP=20000)";

/// Addresses as people have them; a pattern list that admits none of them was hardly meant as written.
const ORDINARY: &[&str] = &["ann@example.org", "a+b@corp.example", "x@firma.info", "pat.o-k@mail.bosch.com"];

/// The third example of the original product's documentation, as printed. Its text: "matches all email domains".
const PRINTED_EVERY_DOMAIN: &str = r"\W[-.\W]+\@[-.\W]+\.\W{2,3}";

/// How a pattern list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Syntax {
    /// As written.
    Perl5,
    /// As the original product's documentation prints its examples: upper-case `\T` and `\W` read as `\t` and `\w`.
    Documented,
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Perl5 { "perl5" } else { "documented" })
    }
}

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Longer than [`PATTERN_MAX`].
    #[error("the pattern is longer than {PATTERN_MAX} octets")]
    TooLong,
    /// Nothing can ever match it.
    #[error("`{pattern}` can never match an address: {why}")]
    NeverMatches {
        /// As written.
        pattern: String,
        /// Why not.
        why: &'static str,
    },
    /// PCRE2 does not accept it.
    #[error("`{pattern}` is not a Perl 5 regular expression: {why}")]
    Invalid {
        /// As written.
        pattern: String,
        /// PCRE2's words.
        why: String,
    },
}

/// A search that reached its limit: neither admitted nor refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{0}` reached its match limit")]
pub struct Undecided(pub String);

/// The allowed domains: patterns of which one must match. An empty list means that there is no rule.
#[derive(Debug, Clone)]
pub struct PatternList {
    syntax: Syntax,
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    written: String,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Search(Regex),
    EveryAddress,
}

impl PatternList {
    /// Compiles patterns as written, in the syntax that was chosen. Where none was chosen it is found out: `documented` if
    /// a `\T` or `\W` occurs and the list would otherwise admit no ordinary address, else `perl5`.
    ///
    /// # Errors
    /// The first pattern that is too long, that PCRE2 does not accept, or that can never match.
    pub fn compile(written: &[String], chosen: Option<Syntax>) -> Result<Self, PatternError> {
        if let Some(syntax) = chosen {
            return Self::compile_as(written, syntax);
        }
        let plain = Self::compile_as(written, Syntax::Perl5);
        let printed = written.iter().any(|pattern| pattern.contains(r"\T") || pattern.contains(r"\W"));
        let useless = match &plain {
            Ok(list) => !ORDINARY.iter().any(|address| matches!(list.admitting(address), Ok(Some(_)))),
            Err(PatternError::Invalid { .. }) => true,
            Err(PatternError::TooLong | PatternError::NeverMatches { .. }) => false,
        };
        if printed && useless { Self::compile_as(written, Syntax::Documented) } else { plain }
    }

    fn compile_as(written: &[String], syntax: Syntax) -> Result<Self, PatternError> {
        let patterns = written.iter().map(|pattern| Pattern::compile(pattern, syntax)).collect::<Result<_, _>>()?;
        Ok(Self { syntax, patterns })
    }

    /// How the list is read.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The pattern that admits a canonical address, as written; `None` if none does.
    ///
    /// # Errors
    /// [`Undecided`] when none admits it and at least one reached its limit; the caller holds the message.
    pub fn admitting(&self, canonical: &str) -> Result<Option<&str>, Undecided> {
        let mut undecided = None;
        for pattern in &self.patterns {
            let found = match &pattern.matcher {
                Matcher::EveryAddress => Ok(postroom_mail::address::canonical(canonical).is_some()),
                Matcher::Search(regex) => regex.is_match(canonical.as_bytes()),
            };
            match found {
                Ok(true) => return Ok(Some(&pattern.written)),
                Ok(false) => {}
                Err(_) => undecided = Some(Undecided(pattern.written.clone())),
            }
        }
        undecided.map_or(Ok(None), Err)
    }
}

impl Pattern {
    fn compile(written: &str, syntax: Syntax) -> Result<Self, PatternError> {
        if written.len() > PATTERN_MAX {
            return Err(PatternError::TooLong);
        }
        if syntax == Syntax::Documented && written.trim() == PRINTED_EVERY_DOMAIN {
            return Ok(Self { written: written.to_owned(), matcher: Matcher::EveryAddress });
        }
        let mut text = trim_alternatives(written);
        if let Some(why) = never_matches(&text) {
            return Err(PatternError::NeverMatches { pattern: written.to_owned(), why });
        }
        if syntax == Syntax::Documented {
            text = lower_printed_escapes(&text);
        }
        if text.contains("(*") {
            // (*ACCEPT) would end the search before the right end, and (*LIMIT_MATCH=…) would set a limit of its own. Whether it
            // stands in a class or a comment is not asked: whoever finds a form that is judged wrongly would get past the end.
            let why = "verbs such as (*ACCEPT) are not taken; write \\x28* for a parenthesis and a star".to_owned();
            return Err(PatternError::Invalid { pattern: written.to_owned(), why });
        }
        let invalid =
            |error: pcre2::Error| PatternError::Invalid { pattern: written.to_owned(), why: error.to_string() };
        // Compiled alone first, so that an unbalanced parenthesis cannot pair up with the group that is put around it.
        RegexBuilder::new().caseless(true).build(&text).map_err(invalid)?;
        let bound = format!(r"{LIMITS}(?:{text})\z");
        let regex = RegexBuilder::new().caseless(true).jit_if_available(true).build(&bound).map_err(|_| {
            let why = r"it ends within a comment or a quotation: end a comment with a line end, \Q with \E".to_owned();
            PatternError::Invalid { pattern: written.to_owned(), why }
        })?;
        Ok(Self { written: written.to_owned(), matcher: Matcher::Search(regex) })
    }
}

/// A Perl 5 pattern that is searched anywhere in a text, without regard to case and under the same limits.
///
/// # Errors
/// When it is empty, longer than [`PATTERN_MAX`], or PCRE2 does not accept it.
pub(crate) fn search(written: &str) -> Result<Regex, PatternError> {
    if written.len() > PATTERN_MAX {
        return Err(PatternError::TooLong);
    }
    let invalid = |why: String| PatternError::Invalid { pattern: written.to_owned(), why };
    if written.is_empty() {
        return Err(invalid("it is empty".to_owned()));
    }
    let mut builder = RegexBuilder::new();
    let builder = builder.caseless(true).utf(true);
    // Compiled alone first, so that an error names its place in what was written.
    builder.build(written).map_err(|error| invalid(error.to_string()))?;
    builder.jit_if_available(true).build(&format!("{LIMITS}{written}")).map_err(|error| invalid(error.to_string()))
}

/// Why a pattern can match no address, if that can be told from its form: it is empty, or in each of its alternatives the
/// end stands before something, or something before the start. `None` where that is not certain.
fn never_matches(pattern: &str) -> Option<&'static str> {
    if pattern.trim().is_empty() {
        return Some("it is empty");
    }
    // Verbs and inline options can change what the anchors mean.
    if pattern.contains("(?") || pattern.contains("(*") || pattern.contains(r"\Q") {
        return None;
    }
    let mut why = None;
    for alternative in top_level_alternatives(pattern) {
        why = Some(misplaced_anchor(alternative)?);
    }
    why
}

/// The alternatives that stand outside of groups, classes and escapes.
fn top_level_alternatives(pattern: &str) -> Vec<&str> {
    let (mut depth, mut class, mut escaped, mut start) = (0_u32, false, false, 0);
    let mut alternatives = Vec::new();
    for (at, c) in pattern.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '|' if !class && depth == 0 => {
                alternatives.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    alternatives.push(&pattern[start..]);
    alternatives
}

/// An anchor at a place where it cannot hold, looked for outside of groups and classes.
fn misplaced_anchor(alternative: &str) -> Option<&'static str> {
    if alternative == "^" || alternative == "$" || alternative == "^$" {
        return (alternative == "^$").then_some("only an empty text has its end right after its start");
    }
    let chars: Vec<char> = alternative.chars().collect();
    let (mut depth, mut class, mut consumed, mut at) = (0_u32, false, false, 0);
    while at < chars.len() {
        let (anchor_start, anchor_end, width) = match (chars[at], chars.get(at + 1)) {
            ('\\', Some('A')) => (true, false, 2),
            ('\\', Some('z' | 'Z')) => (false, true, 2),
            ('\\', Some(_)) => (false, false, 2),
            ('^', _) if !class => (true, false, 1),
            ('$', _) if !class => (false, true, 1),
            _ => (false, false, 1),
        };
        let next = chars.get(at + width);
        let optional = matches!(next, Some('?' | '*' | '{'));
        if depth == 0 && !class && !optional {
            if anchor_start && consumed {
                return Some("something stands before the start of the address");
            }
            if anchor_end && next.is_some_and(|c| !matches!(c, ')' | '|' | '$' | '\\')) {
                return Some("something stands after the end of the address");
            }
        }
        match chars[at] {
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            _ => {}
        }
        // What may be absent does not count as standing before the start.
        consumed |= !anchor_start && !anchor_end && !optional && !matches!(chars[at], '(' | ')' | '?' | '*');
        at += width;
    }
    None
}

/// Takes off the blanks at both ends and around every `|` that stands outside of groups, classes and escapes. An escaped
/// blank is meant, and stays.
fn trim_alternatives(pattern: &str) -> String {
    let trimmed = top_level_alternatives(pattern.trim_matches(['\r', '\n', '\t'])).into_iter().map(|alternative| {
        let kept = alternative.trim_matches(' ');
        let backslashes = kept.len() - kept.trim_end_matches('\\').len();
        let escaped = backslashes % 2 == 1 && alternative.ends_with(' ');
        if escaped { format!("{kept} ") } else { kept.to_owned() }
    });
    trimmed.collect::<Vec<_>>().join("|")
}

/// Reads the escapes that the original's documentation prints in upper case as the lower-case ones they were.
fn lower_printed_escapes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut escaped = false;
    for c in pattern.chars() {
        out.push(match c {
            'T' if escaped => 't',
            'W' if escaped => 'w',
            other => other,
        });
        escaped = c == '\\' && !escaped;
    }
    out
}

#[cfg(test)]
mod tests;
