//! Calendar objects: what an invitation asks for and what an answer says (RFC 5545, 5546, 6047).
//!
//! A reader of content lines of our own: the crate for it builds the whole object with a parser that recurses into its
//! components, brings a second library for time, and fails where one line is wrong.

mod line;
#[cfg(test)]
mod tests;
mod time;

use super::fields::one_line;
use crate::Invitation;
use line::{Line, lines};
use time::{Moment, Zone};

/// Objects are summarised up to this number.
pub(super) const OBJECTS_MAX: usize = 20;
/// Octets of calendar text that are looked at.
pub(super) const SIZE_MAX: usize = 1024 * 1024;
/// Octets kept of a title, a place, an address, an id.
const VALUE_MAX: usize = 998;
/// Octets kept of a description.
const DESCRIPTION_MAX: usize = 64 * 1024;
/// Zones and rules of zones that an object may define.
const ZONES_MAX: usize = 100;

/// Whether a part is a calendar object by its type or its name.
pub(super) fn is_calendar(content_type: &str, name: &str) -> bool {
    matches!(content_type, "text/calendar" | "application/ics" | "text/x-vcalendar" | "text/ics")
        || name.get(name.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".ics"))
}

/// An object and what is not kept of it but shown where a message has no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) invitation: Invitation,
    description: String,
}

impl From<Invitation> for Object {
    fn from(invitation: Invitation) -> Self {
        Self { invitation, description: String::new() }
    }
}

/// The objects of a calendar text; each is summarised by its first event or task. `method` is what the part's own
/// Content-Type names, which counts where the object names none.
pub(super) fn read(text: &str, method: &str) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut reader = Reader::default();
    for line in lines(text) {
        if let Some(mut object) = reader.line(&line) {
            if object.invitation.method.is_empty() {
                object.invitation.method = word(method);
            }
            objects.push(object);
            if objects.len() > OBJECTS_MAX {
                break;
            }
        }
    }
    objects.extend(reader.finish());
    objects
}

/// What is known of the object that is being read.
#[derive(Debug, Default)]
struct Reader {
    /// Names of the components we are in, outermost first. One more than ever counts is not remembered.
    components: Vec<String>,
    deeper: usize,
    in_object: bool,
    method: String,
    zones: Vec<Zone>,
    event: Option<Event>,
    /// Whether the first event has ended.
    has_event: bool,
}

#[derive(Debug, Default)]
struct Event {
    invitation: Invitation,
    description: String,
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<i64>,
    /// Attendees and what they answer.
    attendees: Vec<(String, String)>,
}

impl Reader {
    /// Takes a line; gives the object that it ends.
    fn line(&mut self, line: &Line<'_>) -> Option<Object> {
        match line.name.as_str() {
            "BEGIN" => self.begin(&line.value),
            "END" => return self.end(&line.value),
            _ => self.property(line),
        }
        None
    }

    fn begin(&mut self, name: &str) {
        let name = name.trim().to_ascii_uppercase();
        if self.components.len() >= 8 {
            self.deeper += 1;
            return;
        }
        match name.as_str() {
            "VCALENDAR" => self.in_object = true,
            "VEVENT" | "VTODO" if !self.has_event && self.event.is_none() => self.event = Some(Event::default()),
            "VTIMEZONE" if self.zones.len() < ZONES_MAX => self.zones.push(Zone::default()),
            "STANDARD" | "DAYLIGHT" if self.is_in("VTIMEZONE") => {
                if let Some(zone) = self.zones.last_mut().filter(|zone| zone.rules.len() < ZONES_MAX) {
                    zone.rules.push(time::Rule::default());
                }
            }
            _ => {}
        }
        self.components.push(name);
    }

    fn is_in(&self, name: &str) -> bool {
        self.components.last().is_some_and(|component| component == name)
    }

    fn end(&mut self, name: &str) -> Option<Object> {
        if self.deeper > 0 {
            self.deeper -= 1;
            return None;
        }
        let name = name.trim().to_ascii_uppercase();
        // A component that was not closed ends with the one around it.
        let at = self.components.iter().rposition(|component| *component == name)?;
        self.components.truncate(at);
        if matches!(name.as_str(), "VEVENT" | "VTODO") {
            self.has_event = self.event.is_some();
        }
        (name == "VCALENDAR").then(|| self.finish())?
    }

    /// The object that has been read; the next one begins from nothing.
    fn finish(&mut self) -> Option<Object> {
        let read = std::mem::take(self);
        let event = read.event.filter(|_| read.in_object)?;
        Some(event.object(read.method, &read.zones))
    }

    fn property(&mut self, line: &Line<'_>) {
        let Some(component) = self.components.last() else { return };
        match component.as_str() {
            "VCALENDAR" if line.name == "METHOD" => self.method = word(&line.value),
            "VTIMEZONE" if line.name == "TZID" => {
                if let Some(zone) = self.zones.last_mut() {
                    zone.id = cut(&line.value, VALUE_MAX);
                }
            }
            "STANDARD" | "DAYLIGHT" => {
                if let Some(rule) = self.zones.last_mut().and_then(|zone| zone.rules.last_mut()) {
                    rule.property(line);
                }
            }
            "VEVENT" | "VTODO" if !self.has_event && self.deeper == 0 => {
                if let Some(event) = &mut self.event {
                    event.property(line);
                }
            }
            _ => {}
        }
    }
}

impl Event {
    // RFC 5545 §3.6.1: each of these stands there once at most; the first one counts
    fn property(&mut self, line: &Line<'_>) {
        let invitation = &mut self.invitation;
        match line.name.as_str() {
            "SUMMARY" => set(&mut invitation.summary, || one_line(&line.text())),
            "LOCATION" => set(&mut invitation.location, || one_line(&line.text())),
            "UID" => set(&mut invitation.uid, || one_line(&line.value)),
            "ORGANIZER" => set(&mut invitation.organizer, || line.address()),
            "DESCRIPTION" if self.description.is_empty() => self.description = cut(&line.text(), DESCRIPTION_MAX),
            "DTSTART" if self.start.is_none() => self.start = Moment::parse(line),
            "DTEND" | "DUE" if self.end.is_none() => self.end = Moment::parse(line),
            "DURATION" if self.duration.is_none() => self.duration = time::duration_s(&line.value),
            "ATTENDEE" if self.attendees.len() < 2 => {
                let answer = line.parameter("PARTSTAT").map(word);
                self.attendees.push((cut(&line.address(), VALUE_MAX), answer.unwrap_or_default()));
            }
            _ => {}
        }
    }

    fn object(self, method: String, zones: &[Zone]) -> Object {
        let mut invitation = self.invitation;
        invitation.start = self.start.as_ref().and_then(|start| start.instant(zones));
        invitation.end = match (&self.end, invitation.start, self.duration) {
            (Some(end), _, _) => end.instant(zones),
            (None, Some(start), Some(duration_s)) => {
                start.checked_add(jiff::SignedDuration::from_secs(duration_s)).ok()
            }
            _ => None,
        };
        invitation.start_as_written = self.start.map(|start| start.as_written).unwrap_or_default();
        // RFC 5546 §3.2.3: a reply has exactly one attendee, who is the one that answers
        if let ("REPLY", [attendee]) = (method.as_str(), self.attendees.as_slice()) {
            invitation.answer = Some(attendee.clone());
        }
        invitation.method = method;
        Object { invitation, description: self.description }
    }
}

fn set(value: &mut String, read: impl FnOnce() -> String) {
    if value.is_empty() {
        *value = cut(&read(), VALUE_MAX);
    }
}

/// A word of the standard, in upper case.
fn word(value: &str) -> String {
    cut(&one_line(value).to_ascii_uppercase(), 40)
}

fn cut(text: &str, octets: usize) -> String {
    text[..text.floor_char_boundary(octets)].to_owned()
}

/// What a message that is nothing but an invitation says, so that its item is not empty.
pub(super) fn text_of(object: &Object) -> String {
    let invitation = &object.invitation;
    let mut text = String::new();
    let what = match (invitation.method.as_str(), &invitation.answer) {
        ("REPLY", Some((who, answer))) => format!("{who}: {}", answer.to_ascii_lowercase()),
        ("CANCEL", _) => "Cancelled".to_owned(),
        _ => "Invitation".to_owned(),
    };
    text.push_str(&format!("{what}: {}\n", invitation.summary));
    for (word, value) in [
        ("When", time::readable(&invitation.start_as_written)),
        ("Where", invitation.location.clone()),
        ("Organizer", invitation.organizer.clone()),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{word}: {value}\n"));
        }
    }
    if !object.description.trim().is_empty() {
        text.push_str(&format!("\n{}\n", object.description.trim()));
    }
    text
}
