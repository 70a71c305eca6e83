//! What of a message a rule can look at, and the values that it has there.

use super::text::NotATest;
use crate::Facts;
use crate::delivery::recipients;
use postroom_mail::Message;
use postroom_mail::address::domain_of;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::str::FromStr;

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RuleField {
    /// Canonical addresses that the message was delivered to or that To and Cc name.
    Recipient,
    /// Canonical address of the one author; none where From is unclear.
    Sender,
    /// The domain of that address.
    SenderDomain,
    /// Whether the author is a registered, active user: `yes` or `no`.
    Registered,
    /// The subject.
    Subject,
    /// Every value of the header field of this name.
    Header(String),
    /// The identifier of a mailing list (RFC 2919 §2).
    ListId,
    /// `yes` or `no`, and the kind: `auto-reply`, `bounce`, `list`, `report`.
    Automatic,
    /// Whether files are attached, images within the text not counted: `yes` or `no`.
    Attachment,
    /// Canonical addresses of the authors of messages that the author passes on.
    ForwardedFrom,
}

/// Names of all fields but `header:NAME`.
const NAMES: &[(&str, RuleField)] = &[
    ("recipient", RuleField::Recipient),
    ("sender", RuleField::Sender),
    ("sender-domain", RuleField::SenderDomain),
    ("registered", RuleField::Registered),
    ("subject", RuleField::Subject),
    ("list-id", RuleField::ListId),
    ("automatic", RuleField::Automatic),
    ("attachment", RuleField::Attachment),
    ("forwarded-from", RuleField::ForwardedFrom),
];

const YES_NO: &[&str] = &["yes", "no"];
const AUTOMATIC: &[&str] = &["yes", "no", "auto-reply", "bounce", "list", "report"];

impl RuleField {
    /// The values that the field can have at all, where they are few.
    pub fn values(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Registered | Self::Attachment => Some(YES_NO),
            Self::Automatic => Some(AUTOMATIC),
            _ => None,
        }
    }

    /// Whether its values are addresses.
    pub fn is_address(&self) -> bool {
        matches!(self, Self::Recipient | Self::Sender | Self::ForwardedFrom)
    }

    /// Whether a message has at most one value of it.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Sender | Self::SenderDomain | Self::Registered | Self::Subject | Self::Attachment)
    }
}

impl FromStr for RuleField {
    type Err = NotATest;

    fn from_str(text: &str) -> Result<Self, NotATest> {
        let lower = text.to_ascii_lowercase();
        if let Some((_, field)) = NAMES.iter().find(|(name, _)| *name == lower) {
            return Ok(field.clone());
        }
        // RFC 5322 §2.2: printable US-ASCII without the colon.
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| (33..=126).contains(&b) && b != b':');
        match lower.strip_prefix("header:") {
            Some(name) if is_name(name) => Ok(Self::Header(name.to_owned())),
            _ => Err(NotATest::Field(text.to_owned())),
        }
    }
}

impl fmt::Display for RuleField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, NAMES.iter().find(|(_, field)| field == self)) {
            (Self::Header(name), _) => write!(f, "header:{name}"),
            (_, Some((name, _))) => f.write_str(name),
            (_, None) => Ok(()),
        }
    }
}

/// A value of a field.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    /// As it stands there.
    pub(super) text: &'a str,
    /// In lower case, where that is known already.
    lower: Option<&'a str>,
}

impl<'a> Value<'a> {
    /// One that is in lower case anyway, as canonical addresses are.
    fn lower(text: &'a str) -> Self {
        Self { text, lower: Some(text) }
    }

    fn written(text: &'a str) -> Self {
        Self { text, lower: None }
    }

    /// The value in lower case.
    pub(super) fn folded(self) -> Cow<'a, str> {
        self.lower.map_or_else(|| Cow::Owned(self.text.to_lowercase()), Cow::Borrowed)
    }
}

/// What a message shows, found out when it is first asked for.
pub(super) struct Shown<'a> {
    message: &'a Message,
    author: Option<&'a str>,
    facts: &'a Facts,
    recipients: OnceCell<Vec<String>>,
    subject: OnceCell<String>,
    forwarded: OnceCell<Vec<String>>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(message: &'a Message, author: Option<&'a str>, facts: &'a Facts) -> Self {
        let (recipients, subject, forwarded) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { message, author, facts, recipients, subject, forwarded }
    }

    /// Whether `fits` for one of the values of a field, or the first trouble in finding out.
    pub(super) fn any<E>(
        &self,
        field: &RuleField,
        mut fits: impl FnMut(Value<'_>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let yes_no = |yes: bool| Value::lower(if yes { "yes" } else { "no" });
        match field {
            RuleField::Recipient => any_of(self.recipients().iter().map(|address| Value::lower(address)), fits),
            RuleField::Sender => any_of(self.author.map(Value::lower).into_iter(), fits),
            RuleField::SenderDomain => {
                any_of(self.author.map(|author| Value::lower(domain_of(author))).into_iter(), fits)
            }
            RuleField::Registered => fits(yes_no(self.facts.sender.is_some())),
            RuleField::Subject => {
                let lower = self.subject.get_or_init(|| self.message.subject.to_lowercase());
                fits(Value { text: &self.message.subject, lower: Some(lower) })
            }
            RuleField::Header(name) => any_of(self.message.fields(name).map(Value::written), fits),
            RuleField::ListId => any_of(self.message.fields("List-Id").map(list_id).map(Value::written), fits),
            RuleField::Automatic => match &self.message.automatic {
                Some(automatic) => any_of(["yes", automatic.kind.as_str()].map(Value::lower).into_iter(), fits),
                None => fits(Value::lower("no")),
            },
            RuleField::Attachment => fits(yes_no(self.message.attachments.iter().any(|file| !file.inline))),
            RuleField::ForwardedFrom => any_of(self.forwarded().iter().map(|address| Value::lower(address)), fits),
        }
    }

    fn recipients(&self) -> &[String] {
        self.recipients.get_or_init(|| recipients(self.message).map(|recipient| recipient.address).collect())
    }

    fn forwarded(&self) -> &[String] {
        self.forwarded.get_or_init(|| {
            let authors = self.message.forwarded.iter().filter_map(|forwarded| forwarded.from.as_ref());
            authors.filter_map(postroom_mail::Address::canonical).collect()
        })
    }
}

/// Whether `fits` for one of the values. It ends with the first that cannot be decided, too: a message with a thousand of
/// them must not cost a thousand times the limit of a pattern.
fn any_of<'v, E>(
    values: impl Iterator<Item = Value<'v>>,
    mut fits: impl FnMut(Value<'_>) -> Result<bool, E>,
) -> Result<bool, E> {
    for value in values {
        if fits(value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The identifier itself, without the description before it.
// RFC 2919 §3: [phrase] "<" list-label "." list-id-namespace ">"
fn list_id(value: &str) -> &str {
    value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(id, _)| id.trim())
}
