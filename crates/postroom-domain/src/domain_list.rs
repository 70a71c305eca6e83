//! Lists of domains and addresses that cannot be mistyped: each entry is checked when it is written.
//!
//! `bosch.com` is that domain alone, `*.bosch.com` all domains below it and not itself, `eve@bosch.com` (on the block list)
//! one address. Domains with letters beyond ASCII may be written either way: `bücher.example`, `xn--bcher-kva.example`.

use postroom_mail::address::{canonical, canonical_domain, domain_of};
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

/// What an entry of a list names, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// One address.
    Address(String),
    /// One domain, not those below it.
    Domain(String),
    /// The domains below this one, not itself.
    Below(String),
}

/// The text is no entry of such a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` {why}")]
pub struct NotAnEntry {
    /// As written.
    pub written: String,
    /// What is wrong with it, and what to write instead.
    pub why: &'static str,
}

impl FromStr for Entry {
    type Err = NotAnEntry;

    fn from_str(written: &str) -> Result<Self, NotAnEntry> {
        let wrong = |why| NotAnEntry { written: written.to_owned(), why };
        let text = written.trim();
        if text.contains(['\\', '|', '^', '$', '(', '[', '+', '?']) && !text.contains('@') {
            return Err(wrong("is a pattern; a list has domains such as bosch.com and *.bosch.com"));
        }
        if text.starts_with('@') {
            return Err(wrong("begins with @; write the domain alone"));
        }
        if text.contains('@') {
            return canonical(text).map(Self::Address).ok_or_else(|| wrong("is no address"));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        if name.contains('*') {
            return Err(wrong("has its star elsewhere than in a first `*.`"));
        }
        let domain = canonical_domain(name).filter(|domain| !domain.starts_with('[') && !domain.contains('_'));
        let domain = domain.ok_or_else(|| wrong("is no domain"))?;
        if !domain.contains('.') {
            return Err(wrong("has no dot, so it is no domain that mail comes from"));
        }
        Ok(if below { Self::Below(domain) } else { Self::Domain(domain) })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) | Self::Domain(text) => f.write_str(text),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

/// A list, ready to be asked. Asking costs as much as the address has labels, however long the list is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryList(HashSet<Entry>);

impl EntryList {
    /// A list of domains; addresses do not belong on it.
    ///
    /// # Errors
    /// The first text that is no domain.
    pub fn of_domains(written: &[String]) -> Result<Self, NotAnEntry> {
        let list = Self::of_anything(written)?;
        let is_address = |text: &&String| matches!(text.parse(), Ok(Entry::Address(_)));
        match written.iter().find(is_address) {
            Some(written) => {
                Err(NotAnEntry { written: written.clone(), why: "is an address; this list has domains only" })
            }
            None => Ok(list),
        }
    }

    /// A list of domains and addresses.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn of_anything(written: &[String]) -> Result<Self, NotAnEntry> {
        written.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry that names a canonical address, if one does.
    pub fn entry_for(&self, canonical: &str) -> Option<&Entry> {
        if self.0.is_empty() {
            return None;
        }
        let domain = domain_of(canonical);
        let whole = [Entry::Address(canonical.to_owned()), Entry::Domain(domain.to_owned())];
        let above = domain.match_indices('.').map(|(dot, _)| Entry::Below(domain[dot + 1..].to_owned()));
        whole.into_iter().chain(above).find_map(|entry| self.0.get(&entry))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn entries_are_read_in_one_form() {
        for (written, read) in [
            ("Bosch.COM", "bosch.com"),
            ("bosch.com.", "bosch.com"),
            (" *.Bosch.com ", "*.bosch.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("Eve@Bosch.com", "eve@bosch.com"),
            ("a+b@bücher.example", "a+b@xn--bcher-kva.example"),
        ] {
            assert_eq!(written.parse::<Entry>().unwrap().to_string(), read, "{written}");
        }
    }

    #[test]
    fn what_is_mistyped_is_refused_in_words() {
        for (written, why) in [
            ("", "no domain"),
            ("@bosch.com", "write the domain alone"),
            ("bosch", "no dot"),
            ("*.com", "no dot"),
            ("*", "star"),
            ("*bosch.com", "star"),
            ("mail.*.com", "star"),
            ("*.*.bosch.com", "star"),
            (r"bosch\.com", "pattern"),
            ("(bosch|etas).com", "pattern"),
            ("bosch.com, etas.com", "no domain"),
            ("bosch..com", "no domain"),
            ("[192.0.2.1]", "pattern"),
            ("https://bosch.com", "no domain"),
            ("a@b@c d", "no address"),
        ] {
            let error = written.parse::<Entry>().unwrap_err().to_string();
            assert!(error.contains(why), "{written}: {error}");
        }
        assert!(EntryList::of_domains(&["a@bosch.com".to_owned()]).unwrap_err().to_string().contains("domains only"));
    }

    #[test]
    fn a_star_is_what_is_below_and_nothing_else() {
        let list = |written: &[&str]| {
            EntryList::of_anything(&written.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
        };
        let entries = list(&["bosch.com", "*.etas.com", "eve@example.org", "bücher.example"]);
        for (address, named_by) in [
            ("a@bosch.com", Some("bosch.com")),
            ("a@de.bosch.com", None),
            ("a@notbosch.com", None),
            ("a@bosch.com.evil.org", None),
            ("a@etas.com", None),
            ("a@mail.etas.com", Some("*.etas.com")),
            ("a@x.mail.etas.com", Some("*.etas.com")),
            ("a@notetas.com", None),
            ("eve@example.org", Some("eve@example.org")),
            ("ann@example.org", None),
            ("\"x@bosch.com\"@evil.org", None),
            ("a@xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("a@[192.0.2.1]", None),
        ] {
            assert_eq!(entries.entry_for(address).map(Entry::to_string).as_deref(), named_by, "{address}");
        }
        assert_eq!(EntryList::default().entry_for("a@bosch.com"), None);
    }
}
