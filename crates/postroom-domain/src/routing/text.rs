//! How a test is written on the command line and shown to people: `subject~^order \d+`, `!sender=*@example.org`.

use super::{Comparison, Test};
use std::fmt;
use std::str::FromStr;

/// The text is no test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATest {
    /// It has no operator.
    #[error(
        "`{0}` is no test: write FIELD=TEXT (`*` stands for anything), FIELD==TEXT (as it stands) or FIELD~PATTERN"
    )]
    Operator(String),
    /// There is no such field.
    #[error(
        "`{0}` is no field: use recipient, sender, sender-domain, registered, subject, header:NAME, list-id, automatic, \
         attachment or forwarded-from"
    )]
    Field(String),
    /// It does not say how to compare, or says it twice.
    #[error("the test of `{0}` needs exactly one of `is`, `like` and `matches`")]
    Comparison(String),
}

impl FromStr for Test {
    type Err = NotATest;

    /// `FIELD=TEXT`, `FIELD==TEXT`, `FIELD~PATTERN`, each with `!` before it for the opposite.
    fn from_str(text: &str) -> Result<Self, NotATest> {
        let written = text.trim();
        let (not, rest) = match written.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, written),
        };
        let at = rest.find(['=', '~']).ok_or_else(|| NotATest::Operator(text.to_owned()))?;
        let field = rest[..at].trim_end().parse()?;
        let value = rest[at + 1..].to_owned();
        let how = match (rest.as_bytes()[at], value.strip_prefix('=')) {
            (b'~', _) => Comparison::Matches(value.trim().to_owned()),
            (_, Some(exact)) => Comparison::Is(exact.trim().to_owned()),
            (_, None) if value.contains('*') => Comparison::Like(value.trim().to_owned()),
            (_, None) => Comparison::Is(value.trim().to_owned()),
        };
        Ok(Self { field, how, not })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.not { "!" } else { "" };
        let operator = match &self.how {
            // Read back, an asterisk after a single sign would stand for anything.
            Comparison::Is(text) if text.contains('*') || text.starts_with('=') => "==",
            Comparison::Like(text) if text.starts_with('=') => "= ",
            // Without an asterisk it would be read back as one that is the text, which is the same.
            Comparison::Is(_) | Comparison::Like(_) => "=",
            Comparison::Matches(_) => "~",
        };
        write!(f, "{not}{}{operator}{}", self.field, self.how.text())
    }
}
