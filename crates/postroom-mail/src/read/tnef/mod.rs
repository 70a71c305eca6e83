//! winmail.dat: what Outlook makes of a message instead of MIME parts ([MS-OXTNEF]).
//!
//! A stream of attributes, each with a length and a checksum; some of them hold lists of MAPI properties. Nothing here
//! recurses, every loop consumes octets, contents are slices of what was decoded already, and what is made anew (text out
//! of RTF, messages within the message) is paid from [`Fuel`].
//!
//! Read in this order: `mod` (the stream), `property` (lists of properties), `embedded` (messages within the message),
//! `compressed` and `rtf` (bodies that are RTF).

mod compressed;
mod embedded;
mod property;
mod rtf;
#[cfg(test)]
mod tests;

use super::fields::one_line;
use crate::Invitation;
use bytes::Bytes;
use property::{Properties, tag};

/// The first octets: 0x223E9F78, little-endian ([MS-OXTNEF] §2.1.2).
pub(super) const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];

/// Messages within messages are opened this deep.
pub(super) const DEPTH_MAX: usize = 8;
/// Files are taken out up to this number.
pub(super) const FILES_MAX: usize = 1_000;

/// What a message may still cost in octets that do not stand in it as they are.
#[derive(Debug)]
pub(super) struct Fuel(usize);

impl Fuel {
    /// For a message of `size` octets.
    pub(super) fn of(size: usize) -> Self {
        Self(size.saturating_mul(2).saturating_add(16 * 1024 * 1024))
    }

    /// Takes `octets`; whether they were there.
    fn take(&mut self, octets: usize) -> bool {
        let left = self.0.checked_sub(octets);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// What was in a winmail.dat.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) body: Body,
    /// Attached files, in order; the ones of an embedded message follow it.
    pub(super) files: Vec<File>,
    /// Whether `body` has become the body of the message.
    pub(super) is_shown: bool,
    /// The meeting that it asks for, answers or cancels.
    pub(super) invitation: Option<Invitation>,
    /// Cut off, a wrong checksum, a property that cannot be read.
    pub(super) damaged: bool,
    /// More than [`FILES_MAX`] or than the fuel allows.
    pub(super) limited: bool,
}

/// The forms of a body, as far as there are any.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
}

/// A file within a winmail.dat.
#[derive(Debug)]
pub(super) struct File {
    /// As written; may be empty.
    pub(super) name: String,
    /// The media type, if it is named, in lower case.
    pub(super) content_type: Option<String>,
    pub(super) content_id: Option<String>,
    pub(super) content: Bytes,
}

/// Takes a winmail.dat apart; `None` if it is none or has nothing in it that is understood.
pub(super) fn unpack(octets: &Bytes, fuel: &mut Fuel) -> Option<Contents> {
    let mut top = Stream::read(octets)?;
    let mut contents = Contents { body: top.body(fuel), invitation: top.invitation(), ..Contents::default() };
    let has_message = contents.body.html.is_some() || contents.body.text.is_some() || contents.invitation.is_some();
    (contents.damaged, contents.limited) = (top.damaged, top.limited);
    let mut levels = vec![std::mem::take(&mut top.attachments).into_iter()];
    while let Some(level) = levels.last_mut() {
        let Some(attachment) = level.next() else {
            levels.pop();
            continue;
        };
        if contents.files.len() >= FILES_MAX {
            contents.limited = true;
            break;
        }
        let inner = attachment.embedded().filter(|_| levels.len() <= DEPTH_MAX).and_then(|inner| Stream::read(&inner));
        let Some(mut inner) = inner else {
            contents.files.extend(attachment.file(top.code_page));
            continue;
        };
        contents.damaged |= inner.damaged;
        contents.limited |= inner.limited;
        match embedded::message(&inner, fuel) {
            Some(file) => contents.files.push(file),
            None => contents.limited = true,
        }
        levels.push(std::mem::take(&mut inner.attachments).into_iter());
    }
    (has_message || !contents.files.is_empty()).then_some(contents)
}

/// One stream of attributes.
#[derive(Debug, Default)]
struct Stream {
    /// Code page of strings that are not Unicode.
    code_page: u32,
    class: Bytes,
    subject: Bytes,
    plain: Bytes,
    properties: Properties,
    attachments: Vec<Attached>,
    damaged: bool,
    /// More attachments than [`FILES_MAX`].
    limited: bool,
}

/// The attributes of one attachment.
#[derive(Debug, Default)]
struct Attached {
    title: Bytes,
    data: Bytes,
    properties: Properties,
    code_page: u32,
}

// [MS-OXTNEF] §2.1.3.1 and 2.1.3.2: the identifiers, without the type in their upper half
const ATTACHMENT_LEVEL: u8 = 2;
const SUBJECT: u16 = 0x8004;
const MESSAGE_CLASS: u16 = 0x8008;
const BODY: u16 = 0x800c;
const ATTACH_DATA: u16 = 0x800f;
const ATTACH_TITLE: u16 = 0x8010;
const ATTACH_REND_DATA: u16 = 0x9002;
const MSG_PROPS: u16 = 0x9003;
const ATTACHMENT: u16 = 0x9005;
const OEM_CODE_PAGE: u16 = 0x9007;

impl Stream {
    /// Reads a stream to its end or to the damage that ends it.
    fn read(octets: &Bytes) -> Option<Self> {
        if !octets.starts_with(&SIGNATURE) {
            return None;
        }
        let mut stream = Self { code_page: 1252, ..Self::default() };
        let mut at = 6;
        // Level, identifier, length.
        while let Some(head) = octets.get(at..at + 9) {
            let (level, id) = (head[0], u16::from_le_bytes([head[1], head[2]]));
            let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]) as usize;
            let start = at + 9;
            let end = start.saturating_add(length).min(octets.len());
            let data = octets.slice(start..end);
            let checksum = octets.get(end..end.saturating_add(2)).filter(|_| data.len() == length);
            let sum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
            stream.damaged |= checksum != Some(sum.to_le_bytes().as_slice());
            if stream.attachments.len() > FILES_MAX {
                stream.limited = true;
                return Some(stream);
            }
            if !matches!(level, 1 | ATTACHMENT_LEVEL) {
                stream.damaged = true;
                return Some(stream);
            }
            stream.attribute(level, id, data);
            if checksum.is_none() {
                return Some(stream);
            }
            at = end + 2;
        }
        stream.damaged |= at < octets.len();
        Some(stream)
    }

    fn attribute(&mut self, level: u8, id: u16, data: Bytes) {
        let code_page = self.code_page;
        if level == ATTACHMENT_LEVEL && (id == ATTACH_REND_DATA || self.attachments.is_empty()) {
            self.attachments.push(Attached { code_page, ..Attached::default() });
        }
        match (id, self.attachments.last_mut()) {
            (OEM_CODE_PAGE, _) => {
                if let Some([a, b, c, d]) = data.get(..4) {
                    self.code_page = u32::from_le_bytes([*a, *b, *c, *d]);
                }
            }
            (MESSAGE_CLASS, _) => self.class = data,
            (SUBJECT, _) => self.subject = data,
            (BODY, _) => self.plain = data,
            (MSG_PROPS, _) => self.damaged |= !self.properties.read(&data),
            (ATTACH_DATA, Some(attached)) => attached.data = data,
            (ATTACH_TITLE, Some(attached)) => attached.title = data,
            (ATTACHMENT, Some(attached)) => self.damaged |= !attached.properties.read(&data),
            _ => {}
        }
    }

    /// A string of the message.
    fn text(&self, tag: u16) -> Option<String> {
        self.properties.text(tag, self.code_page)
    }

    fn subject(&self) -> String {
        let subject = self.text(tag::SUBJECT).unwrap_or_else(|| property::string(&self.subject, self.code_page));
        one_line(&subject)
    }

    /// Message class in lower case, for example `ipm.schedule.meeting.request` ([MS-OXOCAL] §2.2.6).
    fn class(&self) -> String {
        let class = self.text(tag::MESSAGE_CLASS).unwrap_or_else(|| property::string(&self.class, self.code_page));
        one_line(&class).to_ascii_lowercase()
    }

    /// The body in its forms. RTF is looked at where there is no HTML, because Outlook hides HTML in it.
    fn body(&self, fuel: &mut Fuel) -> Body {
        let mut body = Body { html: self.html(), text: self.text(tag::BODY) };
        if body.text.is_none() && !self.plain.is_empty() {
            body.text = Some(property::string(&self.plain, self.code_page));
        }
        if body.html.is_none()
            && let Some(rtf) = self.properties.octets(tag::RTF_COMPRESSED)
        {
            match compressed::decompress(rtf, fuel).map(|rtf| rtf::extract(&rtf)) {
                Some(rtf::Extracted::Html(html)) => body.html = Some(html),
                Some(rtf::Extracted::Text(text)) if body.text.is_none() => body.text = Some(text),
                _ => {}
            }
        }
        body.html = body.html.filter(|html| !html.trim().is_empty());
        body.text = body.text.filter(|text| !text.trim().is_empty());
        body
    }

    /// PidTagHtml, which is text in some programs and octets in a code page of their own in others.
    fn html(&self) -> Option<String> {
        let code_page = self.properties.number(tag::INTERNET_CODE_PAGE).unwrap_or(u64::from(self.code_page));
        self.properties.text(tag::HTML, u32::try_from(code_page).unwrap_or(self.code_page))
    }

    /// A meeting request, answer or cancellation ([MS-OXOCAL] §2.2.6 to 2.2.9, RFC 5546 §1.4).
    fn invitation(&self) -> Option<Invitation> {
        let class = self.class();
        let what =
            class.strip_prefix("ipm.schedule.meeting.").or_else(|| class.strip_prefix("ipm.microsoft schedule."))?;
        let (method, answer) = match what {
            "request" | "mtgreq" => ("REQUEST", ""),
            "canceled" | "mtgcncl" => ("CANCEL", ""),
            "resp.pos" | "mtgrespp" => ("REPLY", "ACCEPTED"),
            "resp.neg" | "mtgrespn" => ("REPLY", "DECLINED"),
            "resp.tent" | "mtgrespa" => ("REPLY", "TENTATIVE"),
            _ => return None,
        };
        let address = |tag| self.text(tag).map(|text| one_line(&text)).filter(|text| text.contains('@'));
        let sender =
            address(tag::SENDER_SMTP_ADDRESS).or_else(|| address(tag::SENDER_EMAIL_ADDRESS)).unwrap_or_default();
        let instant = |tags: [u16; 2]| tags.into_iter().find_map(|tag| self.properties.instant(tag));
        let start = instant([tag::APPOINTMENT_START, tag::START_DATE]);
        Some(Invitation {
            method: method.to_owned(),
            summary: self.subject(),
            start,
            end: instant([tag::APPOINTMENT_END, tag::END_DATE]),
            start_as_written: start.map(|start| start.strftime("%Y%m%dT%H%M%SZ").to_string()).unwrap_or_default(),
            location: self.text(tag::APPOINTMENT_LOCATION).map(|text| one_line(&text)).unwrap_or_default(),
            organizer: if method == "REPLY" { String::new() } else { sender.clone() },
            answer: (method == "REPLY").then(|| (sender, answer.to_owned())),
            uid: String::new(),
        })
    }
}

/// A media type in lower case; what cannot be one says no more than that there are octets.
// RFC 2045 §5.1, RFC 6838 §4.2
fn media_type(declared: &str) -> String {
    let kind = declared.trim().to_ascii_lowercase();
    let is_token = |name: &str| {
        (1..=127).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b))
    };
    match kind.split_once('/') {
        Some((main, sub)) if is_token(main) && is_token(sub) => kind,
        _ => "application/octet-stream".to_owned(),
    }
}

/// PidTagAttachMethod: the attachment is a message ([MS-OXCMSG] §2.2.2.9).
const METHOD_EMBEDDED: u64 = 5;
/// The interface identifier that stands before an object.
const IDENTIFIER: usize = 16;

impl Attached {
    /// The stream of an embedded message.
    fn embedded(&self) -> Option<Bytes> {
        let object = self.properties.octets(tag::ATTACH_DATA)?;
        let is_message = self.properties.number(tag::ATTACH_METHOD).is_none_or(|method| method == METHOD_EMBEDDED);
        let inner = object.get(IDENTIFIER..).filter(|inner| is_message && inner.starts_with(&SIGNATURE))?;
        Some(object.slice(object.len() - inner.len()..))
    }

    /// The file; `None` if neither name nor content is there.
    fn file(&self, code_page: u32) -> Option<File> {
        let code_page = if self.code_page == 0 { code_page } else { self.code_page };
        let text = |tag| self.properties.text(tag, code_page).filter(|text| !text.trim().is_empty());
        let title = || Some(property::string(&self.title, code_page)).filter(|title| !title.trim().is_empty());
        let names = [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME];
        let name = names.into_iter().find_map(text).or_else(title).or_else(|| text(tag::DISPLAY_NAME));
        let content = if self.data.is_empty() { self.object() } else { self.data.clone() };
        if name.is_none() && content.is_empty() {
            return None;
        }
        Some(File {
            name: name.unwrap_or_default(),
            content_type: text(tag::ATTACH_MIME_TAG).map(|kind| media_type(&kind)),
            content_id: text(tag::ATTACH_CONTENT_ID),
            content,
        })
    }

    /// The content as a property: octets as they are, an object without its identifier.
    fn object(&self) -> Bytes {
        match self.properties.octets(tag::ATTACH_DATA) {
            Some(object) if self.properties.is_object(tag::ATTACH_DATA) => object.slice(IDENTIFIER.min(object.len())..),
            Some(octets) => octets.clone(),
            None => Bytes::new(),
        }
    }
}
