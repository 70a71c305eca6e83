//! To whom a message was delivered, and where that leads: addresses of a mailbox, with a workspace of their own or with
//! the key of one behind a plus sign; and which addresses are ours.

use crate::{KeyClaim, Mailbox, WorkspaceId, WorkspaceKey, WorkspacePolicy, credit};
use postroom_mail::address::canonical;
use postroom_mail::{Access, Message};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// What the server that received a message writes on top of it, the most telling first.
const DELIVERED: [&str; 3] = ["Delivered-To", "X-Original-To", "Envelope-To"];

/// An address at which a mailbox gets mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxAddress {
    /// Canonical.
    pub address: String,
    /// Where mail to it goes, if not where the mailbox's other mail goes.
    #[serde(default)]
    pub workspace: Option<WorkspaceKey>,
}

/// An address to which a message went, and the field that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Canonical.
    pub address: String,
    /// Name of the field.
    pub field: &'static str,
}

/// All recipients that are usable addresses: first what the receiving server wrote, then those of To and Cc.
pub fn recipients(message: &Message) -> impl Iterator<Item = Recipient> + '_ {
    let named = [("To", &message.to), ("Cc", &message.cc)].into_iter().flat_map(|(field, addresses)| {
        addresses.iter().filter_map(move |address| Some(Recipient { address: address.canonical()?, field }))
    });
    delivered_to(message).chain(named)
}

/// The addresses to which the receiving server says that it delivered a message.
///
/// A server writes above what was there when the message came in, so only what stands above the first Received field is
/// its word, and of each kind only the first; whatever stands below can have been written by the sender.
// RFC 5321 §4.4: trace fields are put at the beginning.
pub(crate) fn delivered_to(message: &Message) -> impl Iterator<Item = Recipient> + '_ {
    let is_received = |name: &str| name.eq_ignore_ascii_case("Received");
    let top = message.fields.iter().position(|field| is_received(&field.name)).unwrap_or(0);
    DELIVERED.into_iter().flat_map(move |name| {
        let first = message.fields[..top].iter().find(|field| field.name.eq_ignore_ascii_case(name));
        let addresses = first.into_iter().flat_map(|field| field.value.split(','));
        addresses.filter_map(move |text| {
            let text = text.trim().trim_start_matches('<').trim_end_matches('>');
            Some(Recipient { address: canonical(text)?, field: name })
        })
    })
}

/// A canonical address without what stands behind a plus sign in its local part, and what stands there.
// RFC 5233 §3: the detail part.
pub fn split_tag(address: &str) -> Option<(String, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let (user, tag) = local.split_once('+')?;
    (!user.is_empty() && !user.starts_with('"')).then(|| (format!("{user}@{domain}"), tag))
}

/// The addresses of a mailbox: those that are set, else its login name if that is one.
pub fn addresses_of(mailbox: &Mailbox) -> Vec<MailboxAddress> {
    if !mailbox.policy.addresses.is_empty() {
        return mailbox.policy.addresses.clone();
    }
    let login = login_address(&mailbox.access);
    login.map(|address| MailboxAddress { address, workspace: None }).into_iter().collect()
}

/// The name under which one logs in, if it is an address.
pub fn login_address(access: &Access) -> Option<String> {
    canonical(&access.server()?.user)
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Led {
    /// To this workspace.
    To(WorkspaceKey, WorkspaceId, Recipient),
    /// Nowhere: it names a workspace that does not exist.
    Astray(Recipient, String),
}

/// The first recipient whose address leads to a workspace, and before it those that would if there were such a workspace.
/// `plus` says whether what stands behind a plus sign counts.
pub fn led(
    message: &Message,
    addresses: &[MailboxAddress],
    plus: bool,
    workspaces: &BTreeMap<WorkspaceKey, (WorkspaceId, WorkspacePolicy)>,
) -> Vec<Led> {
    let mut found = Vec::new();
    if addresses.is_empty() || (!plus && addresses.iter().all(|one| one.workspace.is_none())) {
        return found;
    }
    for recipient in recipients(message) {
        for name in named(&recipient.address, addresses, plus) {
            let key = name.parse::<WorkspaceKey>().ok();
            match key.and_then(|key| workspaces.get(&key).map(|(id, _)| (key.clone(), *id))) {
                Some((key, id)) => {
                    found.push(Led::To(key, id, recipient));
                    return found;
                }
                None if found.len() < ASTRAY_MAX && !is_ours_to_read(&recipient.address) => {
                    found.push(Led::Astray(recipient.clone(), name))
                }
                None => {}
            }
        }
    }
    found
}

/// Addresses that lead nowhere which are noted for one message.
const ASTRAY_MAX: usize = 3;

/// Whether what stands behind the plus sign means something else to us: a reply key, or that an author is to be credited.
fn is_ours_to_read(address: &str) -> bool {
    KeyClaim::of_address(address).is_some() || credit::is_asked_by(address)
}

/// What an address names as its workspace: what stands behind its plus sign, and else the workspace that was set for it.
fn named(address: &str, addresses: &[MailboxAddress], plus: bool) -> Vec<String> {
    let ours = |address: &str| addresses.iter().find(|one| one.address == address);
    let set = |one: &MailboxAddress| one.workspace.as_ref().map(ToString::to_string);
    // An address that is set with its plus sign means what was set for it.
    if let Some(whole) = ours(address) {
        return set(whole).into_iter().collect();
    }
    let Some((base, tag)) = split_tag(address) else { return Vec::new() };
    let Some(base) = ours(&base) else { return Vec::new() };
    let tag = (plus && !tag.is_empty()).then(|| tag.to_owned());
    tag.into_iter().chain(set(base)).collect()
}

/// The addresses from which we ourselves write: those of all mailboxes, and what the admin names besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnAddresses(HashSet<String>);

impl OwnAddresses {
    /// Whether a canonical address is ours, whatever stands behind a plus sign.
    pub fn has(&self, address: &str) -> bool {
        self.0.contains(address) || split_tag(address).is_some_and(|(base, _)| self.0.contains(&base))
    }
}

impl FromIterator<String> for OwnAddresses {
    fn from_iter<I: IntoIterator<Item = String>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
