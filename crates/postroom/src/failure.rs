//! What the command line says when something went wrong: a code, what happened, and what to do.

use serde::Serialize;
use std::fmt;

/// A failure on its way to the person at the terminal.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// Stable code.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What is safe, and what to do.
    pub help: String,
}

impl Failure {
    /// A failure of the command line itself.
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

impl Failure {
    /// The same with the mailbox's name in the commands that its help names.
    #[must_use]
    pub fn for_mailbox(mut self, mailbox: &str) -> Self {
        self.help = named(&self.help, mailbox);
        self
    }
}

/// Help for a mailbox: commands in it have NAME for the name, which is nowhere else a word of its own.
pub fn named(help: &str, mailbox: &str) -> String {
    help.replace(" NAME", &format!(" {}", shell_word(mailbox)))
}

/// Text as a shell takes it for one word.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@+:/=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}\nhelp: {}", self.code, self.message, self.help)
    }
}

impl std::error::Error for Failure {}

/// The sentence of an error and of all that lies beneath it, each layer once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let layer = cause.to_string();
        if !text.contains(&layer) {
            text = format!("{text}: {layer}");
        }
        source = cause.source();
    }
    text
}

impl Failure {
    fn of_store(error: &postroom_store::StoreError) -> Self {
        Self { code: error.code(), message: chain(error), help: error.help() }
    }

    fn of_source(error: &postroom_sources::SourceError) -> Self {
        Self { code: error.code(), message: chain(error), help: error.help() }
    }

    /// Nothing to read mail with.
    pub fn of_readers(error: &crate::readers::Unavailable) -> Self {
        let help =
            "no mail is lost: what was accepted is read later; check the limits on processes and memory of this user";
        Self::new("READER_UNAVAILABLE", error.to_string(), help)
    }

    /// What stopped a visit.
    pub fn from_visit(error: &crate::collector::VisitError) -> Self {
        match error {
            crate::collector::VisitError::Source(error) => Self::of_source(error),
            crate::collector::VisitError::Store(error) => Self::of_store(error),
            crate::collector::VisitError::Readers(error) => Self::of_readers(error),
            crate::collector::VisitError::Changed { .. } => Self::new(
                error.code(),
                error.to_string(),
                "nothing was taken, nothing on the server was changed, and visits are paused. If this is the right mailbox, \
                 `postroom mailbox resume NAME --accept-new` takes the unknown messages for new mail; if not, correct host, \
                 user or folder with `postroom mailbox set NAME`, then `postroom mailbox resume NAME`",
            ),
        }
    }
}

impl From<postroom_store::StoreError> for Failure {
    fn from(error: postroom_store::StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl From<crate::intake::IntakeError> for Failure {
    fn from(error: crate::intake::IntakeError) -> Self {
        match error {
            crate::intake::IntakeError::Store(error) => Self::of_store(&error),
            crate::intake::IntakeError::Readers(error) => Self::of_readers(&error),
        }
    }
}

impl From<postroom_sources::SourceError> for Failure {
    fn from(error: postroom_sources::SourceError) -> Self {
        Self::of_source(&error)
    }
}

impl From<crate::collector::VisitError> for Failure {
    fn from(error: crate::collector::VisitError) -> Self {
        Self::from_visit(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_the_command() {
        let help = "Then `postroom mailbox test NAME`, or `--mailbox NAME`.";
        assert_eq!(named(help, "desk"), "Then `postroom mailbox test desk`, or `--mailbox desk`.");
        assert_eq!(named("test NAME", "a b; rm 'x'"), r"test 'a b; rm '\''x'\'''");
    }
}
