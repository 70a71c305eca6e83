//! Registration: who may ask for an account, and the code by which mail shows that an address is its sender's.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

crate::id!(
    /// A registration in the store.
    RegistrationId
);

/// Who may register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Nobody; people are added or invited.
    #[default]
    Closed,
    /// Whom the rules about addresses admit, once an admin has approved it.
    Approval,
    /// Whom the rules about addresses admit, once they have shown that the address is theirs.
    Open,
}

impl RegistrationMode {
    /// The name in settings and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Approval => "approval",
            Self::Open => "open",
        }
    }
}

/// What stands in front of a code, so that it is recognised in a subject.
const PREFIX: &str = "PR";
/// Letters and digits of a code: 60 bits.
const SYMBOLS: usize = 12;
/// Letters and digits that are told apart when they are read aloud or copied by hand.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Octets of a subject that are looked through for a code.
const SUBJECT_MAX: usize = 1000;

/// A code that somebody writes into the subject of a message to show that the address is theirs: `PR-7K3F-9QWM-2XTA`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code([u8; SYMBOLS]);

impl Code {
    /// The code made of these random octets.
    pub fn from_random(octets: [u8; SYMBOLS]) -> Self {
        Self(octets.map(|octet| ALPHABET[usize::from(octet % 32)]))
    }

    /// The first code in a subject, however it is cased; what is easily confused is read as what was meant.
    pub fn in_subject(subject: &str) -> Option<Self> {
        let octets = subject.as_bytes();
        let octets = &octets[..octets.len().min(SUBJECT_MAX)];
        (0..octets.len()).find_map(|at| Self::at(octets, at))
    }

    /// The code that begins at this place and stands apart from other letters and digits.
    fn at(octets: &[u8], at: usize) -> Option<Self> {
        let rest = octets.get(at..)?;
        let stands_apart = at == 0 || !octets[at - 1].is_ascii_alphanumeric();
        if !stands_apart || !rest.get(..PREFIX.len())?.eq_ignore_ascii_case(PREFIX.as_bytes()) {
            return None;
        }
        let mut symbols = [0; SYMBOLS];
        let mut rest = &rest[PREFIX.len()..];
        for (n, symbol) in symbols.iter_mut().enumerate() {
            if n % 4 == 0 {
                rest = rest.strip_prefix(b"-")?;
            }
            let (first, others) = rest.split_first()?;
            *symbol = symbol_of(*first)?;
            rest = others;
        }
        rest.first().is_none_or(|next| !next.is_ascii_alphanumeric()).then_some(Self(symbols))
    }
}

/// A letter or digit as the alphabet has it.
fn symbol_of(octet: u8) -> Option<u8> {
    let meant = match octet.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET.contains(&meant).then_some(meant)
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        for group in self.0.chunks(4) {
            // The alphabet is ASCII.
            write!(f, "-{}", group.iter().map(|&octet| char::from(octet)).collect::<String>())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    // Whoever reads it could prove somebody else's address with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// The text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no code")]
pub struct NotACode;

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let code = Self::at(text.as_bytes(), 0).ok_or(NotACode)?;
        if code.to_string().len() == text.len() { Ok(code) } else { Err(NotACode) }
    }
}

/// What the store knows of a code that stands in a subject: a registration that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Which registration.
    pub id: RegistrationId,
    /// The canonical address that is to be shown to be somebody's.
    pub address: String,
    /// Whether whoever asked did so without an operator, so that anybody may know the code.
    pub by_stranger: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_is_found_in_a_subject_and_nowhere_else() {
        let code = Code::from_random([0, 1, 2, 3, 4, 31, 30, 29, 28, 63, 64, 255]);
        assert_eq!(code.to_string(), "PR-0123-4ZYX-WZ0Z");
        for subject in [
            "PR-0123-4ZYX-WZ0Z",
            "pr-0123-4zyx-wz0z",
            "My code: PR-0123-4ZYX-WZ0Z.",
            "PR PR-O1Z3 PR-0123-4ZYX-WZ0Z",
            "[PR-oi23-4zyx-wzOz] hello",
            "Ünïcode — PR-0l23-4ZYX-WZ0Z — ende",
        ] {
            assert_eq!(Code::in_subject(subject), Some(code.clone()), "{subject}");
        }
        for subject in [
            "",
            "PR",
            "PR-",
            "PR-0123-4ZYX-WZ0",
            "PR-0123-4ZYX-WZ0ZX",
            "XPR-0123-4ZYX-WZ0Z",
            "PR-01234ZYXWZ0Z",
            "PR-012U-4ZYX-WZ0Z",
            "PR-0123-4ZYX-WZ0é",
            "Re: [#12] PR 17",
        ] {
            assert_eq!(Code::in_subject(subject), None, "{subject}");
        }
        let late = format!("{}PR-0123-4ZYX-WZ0Z", " ".repeat(SUBJECT_MAX));
        assert_eq!(Code::in_subject(&late), None);
        assert_eq!("PR-0123-4ZYX-WZ0Z".parse(), Ok(code.clone()));
        assert_eq!("PR-0123-4ZYX-WZ0Z ".parse::<Code>(), Err(NotACode));
        assert_eq!(format!("{code:?}"), "Code(…)");
    }
}
