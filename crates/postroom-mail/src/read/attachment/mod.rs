//! Attachments: a name that is safe to be used, a slice of the original, and the digest of what it decodes to.
//!
//! Every leaf that is not shown as the text or its HTML ends here, in its place. A winmail.dat is replaced by what is in
//! it, a calendar object is summarised besides.

mod name;
#[cfg(test)]
mod tests;

pub(super) use name::clean_name;

use super::body::{self, Choice};
use super::fields::one_line;
use super::header::ID_MAX;
use super::structure::{self, Part, Structure};
use super::tnef::{self, Fuel};
use super::transfer::{self, Scratch};
use super::{calendar, embedded, encoded_word, html_text, media_type, uuencode};
use crate::{Attachment, Content, Defect, Message, RawMessage, Sha256, TransferEncoding};
use bytes::Bytes;
use name::Names;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Octets of a media type that a winmail.dat names; RFC 6838 §4.2 allows 127 for each half.
const MEDIA_TYPE_MAX: usize = 255;
/// Octets of a message within the message in which its subject is looked for.
const HEADER_MAX: usize = 64 * 1024;

/// What was in the winmail.dat parts of a message, by the index of the part.
#[derive(Debug, Default)]
pub(super) struct Containers(HashMap<usize, tnef::Contents>);

impl Containers {
    /// Takes apart whatever is a winmail.dat among the attachments.
    pub(super) fn open(raw: &RawMessage, structure: &Structure<'_>, choice: &Choice, message: &mut Message) -> Self {
        let mut fuel = Fuel::of(raw.octets().len());
        let mut containers = HashMap::new();
        for &index in &choice.attachments {
            let part = &structure.parts[index];
            if !is_container(raw, part) {
                continue;
            }
            let (octets, _) = content(raw, part).decoded(raw);
            match tnef::unpack(&octets, &mut fuel) {
                Some(contents) => {
                    if contents.damaged {
                        message.defects.push(Defect::Tnef);
                    }
                    if contents.limited {
                        message.defects.push(Defect::limit("files in a winmail.dat", tnef::FILES_MAX));
                    }
                    containers.insert(index, contents);
                }
                None => message.defects.push(Defect::Tnef),
            }
        }
        Self(containers)
    }

    /// The Content-IDs of the files in them.
    pub(super) fn content_ids(&self) -> impl Iterator<Item = String> {
        let files = self.0.values().flat_map(|contents| &contents.files);
        files.filter_map(|file| file.content_id.as_deref().map(body::bare))
    }

    /// Uses the body of the first winmail.dat that has one in place of the text and the HTML, if the message itself has no
    /// words. Bodies that say something else than the message become files.
    pub(super) fn stand_in(&mut self, html: &mut Option<String>, message: &mut Message) {
        let mut indices: Vec<_> = self.0.keys().copied().collect();
        indices.sort_unstable();
        // Of a text that does not change any more once there is one.
        let mut letters_of_text = None;
        for index in indices {
            let Some(contents) = self.0.get_mut(&index) else { continue };
            let tnef::Body { html: rich, text: plain } = std::mem::take(&mut contents.body);
            let words = match (&plain, &rich) {
                (Some(plain), _) => super::normalised(Cow::Borrowed(plain)),
                (None, Some(rich)) => html_text::text_of(&super::normalised(Cow::Borrowed(rich))),
                (None, None) => continue,
            };
            if message.text.trim().is_empty() && html.is_none() {
                set_text(words, message);
                contents.is_shown = true;
                *html = rich.map(|rich| super::normalised(Cow::Owned(rich)));
            } else if !says(&message.text, letters_of_text.get_or_insert_with(|| letters(&message.text)), &words) {
                let (name, kind, body) = match rich {
                    Some(rich) => ("message.html", "text/html", rich),
                    None => ("message.txt", "text/plain", words),
                };
                contents.files.insert(
                    0,
                    tnef::File {
                        name: name.to_owned(),
                        content_type: Some(kind.to_owned()),
                        content_id: None,
                        content: body.into(),
                    },
                );
            }
        }
    }
}

/// Gives a message without words the text of something that is attached.
fn set_text(mut text: String, message: &mut Message) {
    if text.len() > super::TEXT_MAX {
        text.truncate(text.floor_char_boundary(super::TEXT_MAX));
        message.defects.push(Defect::limit("octets of text", super::TEXT_MAX));
    }
    message.text = text;
}

/// Whether all letters and digits of `words` stand in those of `text` one after the other. Outlook sends the same body
/// twice, and only lines and marks differ. Where there are no letters, as in a thumb raised, the marks count.
fn says(text: &str, letters_of_text: &str, words: &str) -> bool {
    let wanted = letters(words);
    if wanted.is_empty() {
        return text.contains(words.trim());
    }
    memchr::memmem::find(letters_of_text.as_bytes(), wanted.as_bytes()).is_some()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A winmail.dat says so by its type or, under a label that says nothing, by its first octets.
fn is_container(raw: &RawMessage, part: &Part<'_>) -> bool {
    let kind = part.content_type.value.as_str();
    matches!(kind, "application/ms-tnef" | "application/vnd.ms-tnef")
        || media_type::is_generic(kind) && content(raw, part).beginning(raw).starts_with(&tnef::SIGNATURE)
}

/// Describes all attachments, in order.
pub(super) fn describe(
    raw: &RawMessage,
    structure: &Structure<'_>,
    choice: &Choice,
    mut containers: Containers,
    files: Vec<embedded::File>,
    shown: &HashSet<String>,
    message: &mut Message,
) {
    let mut list = List { raw, shown, scratch: Scratch::default(), calendars: Calendars::default() };
    for &index in &choice.attachments {
        match containers.0.remove(&index) {
            Some(contents) => {
                // With nothing to attach and a body that the message says too, its formatting is all that it adds: it stays.
                let stays = contents.files.is_empty() && !contents.is_shown;
                list.unpacked(contents, message);
                if stays {
                    list.part(&structure.parts[index], message);
                }
            }
            None => list.part(&structure.parts[index], message),
        }
    }
    files.into_iter().for_each(|file| list.embedded(file, message));
    list.calendars.finish(message);
    name_uniquely(&mut message.attachments);
}

/// Numbers names that are there before. The resource fork of a Macintosh file stands above the file and is called like it
/// (RFC 1740 §4), so that such parts come last: the file keeps its name.
fn name_uniquely(attachments: &mut [Attachment]) {
    let mut names = Names::default();
    for forks in [false, true] {
        let is_asked = |attachment: &&mut Attachment| (attachment.content_type == "application/applefile") == forks;
        for attachment in attachments.iter_mut().filter(is_asked) {
            attachment.name = names.unique(std::mem::take(&mut attachment.name));
        }
    }
}

/// What is known of an attachment before it has a name.
struct Found {
    /// As declared; may be empty.
    name: String,
    content_type: String,
    content_id: Option<String>,
    content: Content,
    /// The method that a calendar part names in its type.
    method: String,
    charset: Option<String>,
}

struct List<'x> {
    raw: &'x RawMessage,
    /// Content-IDs that the HTML shows.
    shown: &'x HashSet<String>,
    scratch: Scratch,
    calendars: Calendars,
}

impl List<'_> {
    fn part(&mut self, part: &Part<'_>, message: &mut Message) {
        let found = Found {
            name: part.declared_name().unwrap_or_default(),
            content_type: part.content_type.value.clone(),
            content_id: body::content_id(part),
            content: content(self.raw, part),
            method: part.content_type.get("method").unwrap_or_default().into_owned(),
            charset: part.charset().map(Cow::into_owned),
        };
        self.add(found, message);
    }

    fn unpacked(&mut self, contents: tnef::Contents, message: &mut Message) {
        if let Some(invitation) = contents.invitation {
            self.calendars.add(calendar::Object::from(invitation));
        }
        for file in contents.files {
            let kind = file.content_type.filter(|kind| kind.contains('/') && kind.len() <= MEDIA_TYPE_MAX);
            // Most files in a winmail.dat have no label at all.
            let by_content = || {
                let beginning = file.content.get(..media_type::LOOKED_AT_MAX).unwrap_or(&file.content);
                media_type::detect(beginning, &file.name).unwrap_or("application/octet-stream").to_owned()
            };
            let content_type = kind.unwrap_or_else(by_content);
            let content_id = file.content_id.map(|id| body::bare(&id));
            let found = Found {
                name: file.name,
                content_type,
                content_id: content_id.filter(|id| !id.is_empty() && id.len() <= ID_MAX),
                content: Content::Octets(file.content),
                method: String::new(),
                charset: None,
            };
            self.add(found, message);
        }
    }

    /// A file that stood within the text.
    fn embedded(&mut self, file: embedded::File, message: &mut Message) {
        if !file.intact {
            let number = message.attachments.len() + 1;
            message.defects.push(Defect::TransferEncoding { part: format!("content of attachment {number}") });
        }
        let found = Found {
            name: file.name,
            content_type: "application/octet-stream".to_owned(),
            content_id: None,
            content: Content::Octets(file.octets.into()),
            method: String::new(),
            charset: None,
        };
        self.add(found, message);
    }

    fn add(&mut self, found: Found, message: &mut Message) {
        let number = message.attachments.len() + 1;
        let (size, sha256, intact) = self.digest(&found.content);
        if !intact {
            message.defects.push(Defect::TransferEncoding { part: format!("content of attachment {number}") });
        }
        let detected_type = self.detected_type(&found);
        let name = clean_name(&found.name).unwrap_or_else(|| self.name_for(&found, detected_type, number));
        if calendar::is_calendar(&found.content_type, &name) {
            self.calendars.read(self.raw, &found);
        }
        message.attachments.push(Attachment {
            name,
            inline: found.content_id.as_ref().is_some_and(|id| self.shown.contains(id)),
            content_type: found.content_type,
            detected_type: detected_type.map(str::to_owned),
            size,
            sha256,
            content_id: found.content_id,
            content: found.content,
        });
    }

    fn digest(&mut self, content: &Content) -> (u64, Sha256, bool) {
        match content {
            Content::Octets(octets) => (octets.len() as u64, Sha256::of(octets), true),
            Content::Slice { encoding, .. } => {
                transfer::digest(&content.encoded(self.raw), *encoding, &mut self.scratch)
            }
        }
    }

    /// What the octets are, where the label says nothing or where it names a picture that they are not. The label itself
    /// stays: it is what the author's program said, scripts rely on it, and what is handed out is told by the octets.
    fn detected_type(&self, found: &Found) -> Option<&'static str> {
        let declared = found.content_type.as_str();
        let is_picture = media_type::is_shown_picture(declared);
        if !is_picture && !media_type::is_generic(declared) {
            return None;
        }
        let detected = media_type::detect(&found.content.beginning(self.raw), &found.name)?;
        (!media_type::is_same(declared, detected)).then_some(detected)
    }

    /// A name for what has none.
    fn name_for(&self, found: &Found, detected_type: Option<&str>, number: usize) -> String {
        let kind = detected_type.unwrap_or(&found.content_type);
        match kind {
            "text/calendar" | "application/ics" => "invite.ics".to_owned(),
            "message/rfc822" | "message/global" => {
                let subject = subject_of(&found.content.beginning_of(self.raw, HEADER_MAX));
                clean_name(&format!("{}.eml", subject.replace(['/', '\\'], "_")))
                    .filter(|_| !subject.trim().is_empty())
                    .unwrap_or_else(|| format!("part-{number}.eml"))
            }
            _ => format!("part-{number}.{}", media_type::extension_of(kind)),
        }
    }
}

/// The subject of a message within the message.
fn subject_of(octets: &[u8]) -> String {
    let structure = structure::parse(octets);
    let field = structure.parts.first().and_then(|top| top.fields.get("Subject")).unwrap_or_default();
    one_line(&encoded_word::decode(&field))
}

/// The calendar objects of a message, each of them once: many programs send the same one as an alternative and as a file.
#[derive(Debug, Default)]
struct Calendars {
    objects: Vec<calendar::Object>,
    looked_at: usize,
    too_many: bool,
    too_long: bool,
}

impl Calendars {
    fn read(&mut self, raw: &RawMessage, found: &Found) {
        let left = calendar::SIZE_MAX.saturating_sub(self.looked_at);
        let octets = found.content.beginning_of(raw, left);
        self.too_long |= octets.len() >= left;
        self.looked_at += octets.len();
        // RFC 5545 §3.1.4: UTF-8 unless the part says something else
        let label = found.charset.as_deref().unwrap_or("utf-8");
        let text = super::charset::decode(&octets, Some(label)).0;
        calendar::read(&text, &found.method).into_iter().for_each(|object| self.add(object));
    }

    fn add(&mut self, object: calendar::Object) {
        if self.objects.iter().any(|known| known.invitation == object.invitation) {
            return;
        }
        if self.objects.len() >= calendar::OBJECTS_MAX {
            self.too_many = true;
            return;
        }
        self.objects.push(object);
    }

    /// Hands them over; a message without words says what its invitations say.
    fn finish(self, message: &mut Message) {
        if self.too_many {
            message.defects.push(Defect::limit("calendar objects", calendar::OBJECTS_MAX));
        }
        if self.too_long {
            message.defects.push(Defect::limit("octets of calendar objects", calendar::SIZE_MAX));
        }
        if message.text.trim().is_empty() && message.html.is_none() && !self.objects.is_empty() {
            set_text(self.objects.iter().map(calendar::text_of).collect::<Vec<_>>().join("\n"), message);
        }
        message.invitations = self.objects.into_iter().map(|object| object.invitation).collect();
    }
}

/// Where the content of a part is.
fn content(raw: &RawMessage, part: &Part<'_>) -> Content {
    if part.uuencoded
        && let Some(file) = uuencode::file_of_part(&raw.octets()[part.content.clone()])
    {
        return Content::Octets(file.octets.into());
    }
    let length = part.content.len() as u64;
    Content::Slice { offset: part.content.start as u64, length, encoding: effective_encoding(part) }
}

/// The transfer encoding that counts. A message or multipart may not be encoded (RFC 2046 §5.2.1), but where a whole
/// message claims base64 it is meant, because nothing else could have been sent so.
fn effective_encoding(part: &Part<'_>) -> TransferEncoding {
    if body::is_hollow_multipart(part) { TransferEncoding::Identity } else { part.encoding }
}

impl Content {
    /// The octets as they stand in the message.
    fn encoded(&self, raw: &RawMessage) -> Bytes {
        match self {
            Self::Octets(octets) => octets.clone(),
            Self::Slice { offset, length, .. } => {
                let end = raw.octets().len();
                let from = usize::try_from(*offset).unwrap_or(end).min(end);
                let to = from.saturating_add(usize::try_from(*length).unwrap_or(end)).min(end);
                raw.octets().slice(from..to)
            }
        }
    }

    fn decoded(&self, raw: &RawMessage) -> (Bytes, bool) {
        let encoding = match self {
            Self::Octets(_) => TransferEncoding::Identity,
            Self::Slice { encoding, .. } => *encoding,
        };
        transfer::decode_checked(&self.encoded(raw), encoding)
    }

    /// The first octets, enough to tell what they are.
    fn beginning(&self, raw: &RawMessage) -> Bytes {
        self.beginning_of(raw, media_type::LOOKED_AT_MAX)
    }

    /// At most `octets` decoded octets from the beginning. Every encoding needs hardly more than three for one.
    fn beginning_of(&self, raw: &RawMessage, octets: usize) -> Bytes {
        let encoded = self.encoded(raw);
        let encoded = encoded.slice(..encoded.len().min(octets.saturating_mul(3)));
        let encoding = match self {
            Self::Octets(_) => TransferEncoding::Identity,
            Self::Slice { encoding, .. } => *encoding,
        };
        let (decoded, _) = transfer::decode_checked(&encoded, encoding);
        decoded.slice(..decoded.len().min(octets))
    }
}
