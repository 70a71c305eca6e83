//! Lists of MAPI properties within a winmail.dat ([MS-OXTNEF] §2.1.3.4).

use crate::read::charset;
use bytes::Bytes;
use jiff::Timestamp;

/// The properties that are used ([MS-OXPROPS]).
pub(super) mod tag {
    pub(in super::super) const MESSAGE_CLASS: u16 = 0x001a;
    pub(in super::super) const SUBJECT: u16 = 0x0037;
    pub(in super::super) const CLIENT_SUBMIT_TIME: u16 = 0x0039;
    pub(in super::super) const START_DATE: u16 = 0x0060;
    pub(in super::super) const END_DATE: u16 = 0x0061;
    pub(in super::super) const SENDER_NAME: u16 = 0x0c1a;
    pub(in super::super) const SENDER_EMAIL_ADDRESS: u16 = 0x0c1f;
    pub(in super::super) const BODY: u16 = 0x1000;
    pub(in super::super) const RTF_COMPRESSED: u16 = 0x1009;
    pub(in super::super) const HTML: u16 = 0x1013;
    pub(in super::super) const INTERNET_MESSAGE_ID: u16 = 0x1035;
    pub(in super::super) const DISPLAY_NAME: u16 = 0x3001;
    pub(in super::super) const ATTACH_DATA: u16 = 0x3701;
    pub(in super::super) const ATTACH_FILENAME: u16 = 0x3704;
    pub(in super::super) const ATTACH_METHOD: u16 = 0x3705;
    pub(in super::super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub(in super::super) const ATTACH_MIME_TAG: u16 = 0x370e;
    pub(in super::super) const ATTACH_CONTENT_ID: u16 = 0x3712;
    pub(in super::super) const INTERNET_CODE_PAGE: u16 = 0x3fde;
    pub(in super::super) const SENDER_SMTP_ADDRESS: u16 = 0x5d01;
    /// Properties of appointments have a number of their own set; it is also used as the tag here, because tags of named
    /// properties differ from message to message.
    pub(in super::super) const APPOINTMENT_LOCATION: u16 = 0x8208;
    pub(in super::super) const APPOINTMENT_START: u16 = 0x820d;
    pub(in super::super) const APPOINTMENT_END: u16 = 0x820e;
}

const WANTED: [u16; 23] = [
    tag::MESSAGE_CLASS,
    tag::SUBJECT,
    tag::CLIENT_SUBMIT_TIME,
    tag::START_DATE,
    tag::END_DATE,
    tag::SENDER_NAME,
    tag::SENDER_EMAIL_ADDRESS,
    tag::BODY,
    tag::RTF_COMPRESSED,
    tag::HTML,
    tag::INTERNET_MESSAGE_ID,
    tag::DISPLAY_NAME,
    tag::ATTACH_DATA,
    tag::ATTACH_FILENAME,
    tag::ATTACH_METHOD,
    tag::ATTACH_LONG_FILENAME,
    tag::ATTACH_MIME_TAG,
    tag::ATTACH_CONTENT_ID,
    tag::INTERNET_CODE_PAGE,
    tag::SENDER_SMTP_ADDRESS,
    tag::APPOINTMENT_LOCATION,
    tag::APPOINTMENT_START,
    tag::APPOINTMENT_END,
];

/// PSETID_Appointment, {00062002-0000-0000-C000-000000000046}.
const APPOINTMENT: [u8; 16] = [0x02, 0x20, 0x06, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

// [MS-OXCDATA] §2.11.1: property types
const OBJECT: u16 = 0x000d;
const STRING8: u16 = 0x001e;
const STRING: u16 = 0x001f;
const TIME: u16 = 0x0040;
const BINARY: u16 = 0x0102;
const MULTIPLE: u16 = 0x1000;

/// The wanted properties of a list; of two with the same tag the first.
#[derive(Debug, Default)]
pub(super) struct Properties(Vec<Property>);

#[derive(Debug)]
struct Property {
    tag: u16,
    kind: u16,
    value: Bytes,
}

impl Properties {
    /// Adds the properties of a list; whether it could be read to its end.
    pub(super) fn read(&mut self, list: &Bytes) -> bool {
        let mut reader = Reader { octets: list, at: 0 };
        let Some(count) = reader.number() else { return false };
        for _ in 0..count {
            let Some(property) = reader.property() else { return false };
            let is_new = self.0.iter().all(|known| known.tag != property.tag);
            if WANTED.contains(&property.tag) && is_new {
                self.0.push(property);
            }
        }
        true
    }

    fn get(&self, tag: u16) -> Option<&Property> {
        self.0.iter().find(|property| property.tag == tag)
    }

    pub(super) fn octets(&self, tag: u16) -> Option<&Bytes> {
        self.get(tag).map(|property| &property.value)
    }

    /// Whether the value is an object, which begins with the identifier of its interface.
    pub(super) fn is_object(&self, tag: u16) -> bool {
        self.get(tag).is_some_and(|property| property.kind == OBJECT)
    }

    pub(super) fn text(&self, tag: u16, code_page: u32) -> Option<String> {
        let property = self.get(tag)?;
        match property.kind {
            STRING => {
                let units = property.value.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let units = units.take_while(|unit| *unit != 0);
                Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
            }
            STRING8 | BINARY => Some(string(&property.value, code_page)),
            _ => None,
        }
    }

    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        let value = self.get(tag)?.value.get(..4)?;
        Some(u64::from(u32::from_le_bytes([value[0], value[1], value[2], value[3]])))
    }

    /// An instant: tenths of microseconds since 1601 ([MS-DTYP] §2.3.3).
    pub(super) fn instant(&self, tag: u16) -> Option<Timestamp> {
        const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
        let property = self.get(tag).filter(|property| property.kind == TIME)?;
        let octets: [u8; 8] = property.value.get(..8)?.try_into().ok()?;
        let seconds = i64::try_from(u64::from_le_bytes(octets) / 10_000_000).ok()?;
        Timestamp::from_second(seconds.checked_sub(SECONDS_1601_TO_1970)?).ok()
    }
}

/// A string that ends with a NUL, in a Windows code page.
pub(super) fn string(octets: &[u8], code_page: u32) -> String {
    let end = memchr::memchr(0, octets).unwrap_or(octets.len());
    charset::decode(&octets[..end], Some(&label(code_page))).0.into_owned()
}

/// The charset label of a Windows code page.
pub(super) fn label(code_page: u32) -> String {
    match code_page {
        65001 => "utf-8".to_owned(),
        1200 => "utf-16le".to_owned(),
        20127 => "us-ascii".to_owned(),
        20866 => "koi8-r".to_owned(),
        21866 => "koi8-u".to_owned(),
        10000 => "macintosh".to_owned(),
        50220..=50222 => "iso-2022-jp".to_owned(),
        51932 | 20932 => "euc-jp".to_owned(),
        51949 => "euc-kr".to_owned(),
        51936 => "gbk".to_owned(),
        54936 => "gb18030".to_owned(),
        28591..=28605 => format!("iso-8859-{}", code_page - 28590),
        _ => format!("cp{code_page}"),
    }
}

struct Reader<'x> {
    octets: &'x Bytes,
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<Bytes> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.octets.len())?;
        let taken = self.octets.slice(self.at..end);
        self.at = end;
        Some(taken)
    }

    /// `length` octets, and what fills them up to a multiple of four. The last filling may be missing.
    fn padded(&mut self, length: usize) -> Option<Bytes> {
        let taken = self.take(length)?;
        self.at = self.at.saturating_add((4 - length % 4) % 4).min(self.octets.len());
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        let octets = self.take(4)?;
        Some(u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]))
    }

    /// One property: tag, name if it has one, value. Of several values the first is kept.
    fn property(&mut self) -> Option<Property> {
        let head = self.take(4)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let mut tag = u16::from_le_bytes([head[2], head[3]]);
        if tag >= 0x8000 {
            tag = self.named()?;
        }
        let is_multiple = kind & MULTIPLE != 0;
        let base = kind & !MULTIPLE;
        let width = match base {
            0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => Some(4),
            0x0005 | 0x0006 | 0x0007 | 0x0014 | TIME => Some(8),
            0x0048 => Some(16),
            OBJECT | STRING8 | STRING | BINARY => None,
            0x0000 | 0x0001 => Some(0),
            _ => return None,
        };
        let value = match width {
            Some(width) if is_multiple => {
                let count = self.number()? as usize;
                let values = self.take(count.checked_mul(width)?)?;
                values.slice(..width.min(values.len()))
            }
            Some(width) => self.take(width)?,
            None => self.values()?,
        };
        Some(Property { tag, kind: base, value })
    }

    /// Values of their own lengths, of which there is one unless the type is a multiple one. Each costs four octets at
    /// least, so the number that is claimed does no harm.
    fn values(&mut self) -> Option<Bytes> {
        let count = self.number()?;
        let mut first = None;
        for _ in 0..count {
            let length = self.number()? as usize;
            let value = self.padded(length)?;
            first.get_or_insert(value);
        }
        Some(first.unwrap_or_default())
    }

    /// The name of a named property; its number where it is one of an appointment, else 0, which nobody asks for.
    fn named(&mut self) -> Option<u16> {
        let set = self.take(16)?;
        if self.number()? == 0 {
            let id = self.number()?;
            let is_wanted = set[..] == APPOINTMENT;
            return Some(u16::try_from(id).ok().filter(|_| is_wanted).unwrap_or_default());
        }
        let length = self.number()? as usize;
        self.padded(length)?;
        Some(0)
    }
}
