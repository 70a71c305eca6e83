//! Whether an address may be used here at all: the one function for every sender of mail and for everyone who registers.

use crate::DomainPolicy;
use crate::domain_list::{EntryList, NotAnEntry};
use crate::domain_pattern::{PatternError, PatternList, Undecided};

/// The answer about one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Nothing speaks against it. The text is the evidence; empty where there is no rule about domains.
    Admitted(String),
    /// It is on the block list, by this entry.
    Blocked(String),
    /// A list that must admit it does not: which one.
    NotAllowed(&'static str),
    /// A pattern could not be decided within its limit.
    Undecided(Undecided),
}

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableRule {
    /// A pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// An entry of a list.
    #[error(transparent)]
    Entry(#[from] NotAnEntry),
}

/// The domains of one place, by patterns and by name: an address is admitted if either admits it, and without any rule
/// every domain is.
#[derive(Debug, Clone)]
pub struct AllowedDomains {
    patterns: PatternList,
    names: EntryList,
}

impl AllowedDomains {
    /// Makes rules of what was written.
    ///
    /// # Errors
    /// The first pattern or name that cannot be used.
    pub fn of(policy: &DomainPolicy) -> Result<Self, UnusableRule> {
        let patterns = PatternList::compile(&policy.allowed_domains, policy.allowed_domains_syntax)?;
        Ok(Self { patterns, names: EntryList::of_domains(&policy.domains)? })
    }

    /// Whether every domain is allowed.
    fn is_open(&self) -> bool {
        self.patterns.is_empty() && self.names.is_empty()
    }

    /// What admits a canonical address; `None` if nothing does.
    fn admits(&self, canonical: &str) -> Result<Option<String>, Undecided> {
        // The names first: they cost next to nothing and cannot reach a limit.
        if let Some(entry) = self.names.entry_for(canonical) {
            return Ok(Some(entry.to_string()));
        }
        Ok(self.patterns.admitting(canonical)?.map(str::to_owned))
    }
}

/// All rules about addresses that are in force somewhere.
#[derive(Debug, Clone)]
pub struct AddressRules {
    blocked: EntryList,
    /// The global domains and those of the mailbox, which can only be narrower: both must admit.
    allowed: [(&'static str, AllowedDomains); 2],
}

/// What the global domains are called in the evidence.
const GLOBAL: &str = "the allowed domains";
/// What the domains of a mailbox are called in the evidence.
const OF_MAILBOX: &str = "the mailbox's own domains";

impl AddressRules {
    /// The rules for mail that comes to a mailbox with domains of its own.
    ///
    /// # Errors
    /// When a rule cannot be used.
    pub fn of_mailbox(global: &crate::GlobalPolicy, mailbox: &DomainPolicy) -> Result<Self, UnusableRule> {
        let blocked = EntryList::of_anything(&global.blocked)?;
        let (global, mailbox) = (AllowedDomains::of(&global.allowed)?, AllowedDomains::of(mailbox)?);
        Ok(Self { blocked, allowed: [(GLOBAL, global), (OF_MAILBOX, mailbox)] })
    }

    /// The rules for registration, and for mail to a mailbox that has none of its own.
    ///
    /// # Errors
    /// When a rule of the global policy cannot be used.
    pub fn global(policy: &crate::GlobalPolicy) -> Result<Self, UnusableRule> {
        Self::of_mailbox(policy, &DomainPolicy::default())
    }

    /// Whether addresses are let in by their domains, so that whoever has none cannot be.
    pub fn limits_domains(&self) -> bool {
        self.allowed.iter().any(|(_, allowed)| !allowed.is_open())
    }

    /// The entry of the block list that names a canonical address.
    pub fn blocks(&self, canonical: &str) -> Option<String> {
        self.blocked.entry_for(canonical).map(ToString::to_string)
    }

    /// Judges a canonical address. What is blocked is blocked whatever else is allowed.
    pub fn judge(&self, canonical: &str) -> Admission {
        if let Some(entry) = self.blocks(canonical) {
            return Admission::Blocked(entry);
        }
        let mut evidence = Vec::new();
        for (name, allowed) in self.allowed.iter().filter(|(_, allowed)| !allowed.is_open()) {
            match allowed.admits(canonical) {
                Ok(Some(by)) => evidence.push(by),
                Ok(None) => return Admission::NotAllowed(name),
                Err(undecided) => return Admission::Undecided(undecided),
            }
        }
        Admission::Admitted(evidence.join(", "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::GlobalPolicy;

    fn allowed(patterns: &[&str], names: &[&str]) -> DomainPolicy {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        DomainPolicy { allowed_domains: owned(patterns), domains: owned(names), ..DomainPolicy::default() }
    }

    #[test]
    fn both_places_must_admit_and_either_list_of_a_place_does() {
        let open = || allowed(&[], &[]);
        let bosch = || allowed(&[r"@bosch\.com"], &["*.bosch.com"]);
        for (global, mailbox, address, expected) in [
            (open(), open(), "a@anywhere.example", Admission::Admitted(String::new())),
            (bosch(), open(), "a@bosch.com", Admission::Admitted(r"@bosch\.com".to_owned())),
            (bosch(), open(), "a@de.bosch.com", Admission::Admitted("*.bosch.com".to_owned())),
            (bosch(), open(), "a@example.org", Admission::NotAllowed(GLOBAL)),
            (open(), bosch(), "a@example.org", Admission::NotAllowed(OF_MAILBOX)),
            (bosch(), allowed(&[], &["example.org"]), "a@example.org", Admission::NotAllowed(GLOBAL)),
            (bosch(), allowed(&[], &["example.org"]), "a@bosch.com", Admission::NotAllowed(OF_MAILBOX)),
            (
                bosch(),
                allowed(&[], &["de.bosch.com"]),
                "a@de.bosch.com",
                Admission::Admitted("*.bosch.com, de.bosch.com".to_owned()),
            ),
            (bosch(), open(), "eve@bosch.com", Admission::Blocked("eve@bosch.com".to_owned())),
        ] {
            let global =
                GlobalPolicy { allowed: global, blocked: vec!["eve@bosch.com".to_owned()], ..GlobalPolicy::default() };
            let rules = AddressRules::of_mailbox(&global, &mailbox).unwrap();
            assert_eq!(rules.judge(address), expected, "{address}");
        }
    }

    #[test]
    fn registration_follows_the_same_rules() {
        let policy = GlobalPolicy {
            allowed: allowed(&[], &["bosch.com"]),
            blocked: vec!["*.evil.org".to_owned()],
            ..GlobalPolicy::default()
        };
        let rules = AddressRules::global(&policy).unwrap();
        assert_eq!(rules.judge("a@bosch.com"), Admission::Admitted("bosch.com".to_owned()));
        assert_eq!(rules.judge("a@etas.com"), Admission::NotAllowed(GLOBAL));
        assert_eq!(rules.judge("a@x.evil.org"), Admission::Blocked("*.evil.org".to_owned()));
        assert!(matches!(rules.judge("a@bosch.com.evil.org"), Admission::Blocked(_)));
    }
}
