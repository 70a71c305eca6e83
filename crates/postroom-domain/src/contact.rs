//! Contacts: people without an account.

use serde::{Deserialize, Serialize};

/// What was decided about a contact, once for all of its mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactStanding {
    /// May write although unknown senders may not. It overrules neither the block list nor the allowed domains.
    Admitted,
    /// May not write although unknown senders may.
    Blocked,
}

impl ContactStanding {
    /// The name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Blocked => "blocked",
        }
    }

    /// The standing of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Admitted, Self::Blocked].into_iter().find(|standing| standing.as_str() == name)
    }
}
