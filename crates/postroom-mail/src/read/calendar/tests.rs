//! Calendar objects and what is understood of them.
#![allow(clippy::unwrap_used)]

use super::*;

const BERLIN: &str = "BEGIN:VTIMEZONE\nTZID:W. Europe\n\
    BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
    BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

fn one(body: &str) -> Invitation {
    let mut objects = read(&format!("BEGIN:VCALENDAR\nMETHOD:REQUEST\n{body}\nEND:VCALENDAR\n"), "");
    assert_eq!(objects.len(), 1, "{body}");
    objects.remove(0).invitation
}

/// Lines of an event, its start and end as instants, and its start as written.
#[test]
fn times() {
    for (lines, start, end, as_written) in [
        (
            "DTSTART:20260303T081500Z\nDTEND:20260303T091500Z",
            "2026-03-03T08:15:00Z",
            "2026-03-03T09:15:00Z",
            "20260303T081500Z",
        ),
        (
            "DTSTART;TZID=W. Europe:20260303T091500\nDURATION:PT1H30M",
            "2026-03-03T08:15:00Z",
            "2026-03-03T09:45:00Z",
            "20260303T091500 W. Europe",
        ),
        ("DTSTART;TZID=\"W. Europe\":20260703T091500", "2026-07-03T07:15:00Z", "", "20260703T091500 W. Europe"),
        ("DTSTART;TZID=W. Europe:20260329T015959", "2026-03-29T00:59:59Z", "", "20260329T015959 W. Europe"),
        ("DTSTART;TZID=W. Europe:20260329T030000", "2026-03-29T01:00:00Z", "", "20260329T030000 W. Europe"),
        ("DTSTART;TZID=W. Europe:20261025T040000", "2026-10-25T03:00:00Z", "", "20261025T040000 W. Europe"),
        (
            "DTSTART;TZID=Mars/Base:20260303T091500\nDTEND;TZID=Mars/Base:20260303T101500",
            "",
            "",
            "20260303T091500 Mars/Base",
        ),
        ("DTSTART:20260303T091500", "", "", "20260303T091500"),
        ("DTSTART;VALUE=DATE:20260303", "", "", "20260303"),
        ("DTSTART:20261303T091500Z", "", "", "20261303T091500Z"),
        (
            "DTSTART:20260303T081500Z\nDURATION:P1DT2H",
            "2026-03-03T08:15:00Z",
            "2026-03-04T10:15:00Z",
            "20260303T081500Z",
        ),
        ("DTSTART:20260303T081500Z\nDURATION:P99999999999999W", "2026-03-03T08:15:00Z", "", "20260303T081500Z"),
        ("SUMMARY:no time", "", "", ""),
    ] {
        let invitation = one(&format!("{BERLIN}BEGIN:VEVENT\n{lines}\nEND:VEVENT"));
        let text = |instant: Option<jiff::Timestamp>| instant.map(|t| t.to_string()).unwrap_or_default();
        let found = (text(invitation.start), text(invitation.end), invitation.start_as_written);
        assert_eq!(found, (start.to_owned(), end.to_owned(), as_written.to_owned()), "{lines}");
    }
}

#[test]
fn zones_are_believed_as_far_as_they_are_understood() {
    for (rules, start) in [
        (
            "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD",
            "2026-03-03T03:45:00Z",
        ),
        ("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:-0330\nEND:STANDARD", "2026-03-03T12:45:00Z"),
        (
            "BEGIN:STANDARD\nDTSTART:20300101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:STANDARD",
            "2026-03-03T08:15:00Z",
        ),
        ("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100\nRRULE:FREQ=MONTHLY\nEND:STANDARD", ""),
        ("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+9999\nEND:STANDARD", ""),
        ("", ""),
    ] {
        let event = "BEGIN:VEVENT\nDTSTART;TZID=Z:20260303T091500\nEND:VEVENT";
        let invitation = one(&format!("BEGIN:VTIMEZONE\nTZID:Z\n{rules}\nEND:VTIMEZONE\n{event}"));
        assert_eq!(invitation.start.map(|t| t.to_string()).unwrap_or_default(), start, "{rules}");
    }
}

#[test]
fn values_and_parameters() {
    let invitation =
        one("BEGIN:VEVENT\nSUMMARY;LANGUAGE=de:Plan\\, Teil 1\\; \\\\ und\\nmehr\nLOCATION;ALTREP=\"a:b;c\":Raum\n \
         1\nUID:a@b\nORGANIZER;CN=\"Ann: Baker\":MAILTO:ann@example.org\n\
         BEGIN:VALARM\nSUMMARY:not this\nEND:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nSUMMARY:second\nEND:VEVENT");
    let texts = [&invitation.summary, &invitation.location, &invitation.uid, &invitation.organizer, &invitation.method];
    assert_eq!(texts, ["Plan, Teil 1; \\ und mehr", "Raum1", "a@b", "ann@example.org", "REQUEST"]);
    let reply = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=accepted;CN=Bob:mailto:bob@example.org\nEND:VEVENT\nEND:VCALENDAR";
    let reply = read(&format!("{reply}\n"), "").remove(0).invitation;
    assert_eq!((reply.method.as_str(), reply.answer), ("", None));
    let reply =
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=accepted:mailto:bob@example.org\nEND:VEVENT";
    let object = read(reply, "request").remove(0);
    assert_eq!(object.invitation.answer, Some(("bob@example.org".to_owned(), "ACCEPTED".to_owned())));
    assert_eq!(text_of(&object), "bob@example.org: accepted: \n");
    assert_eq!(
        read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR", "cancel")[0].invitation.method,
        "CANCEL"
    );
}

#[test]
fn what_is_no_event_is_no_invitation() {
    for text in [
        "",
        "words",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nEND:VFREEBUSY",
        "BEGIN:VEVENT\nSUMMARY:x",
    ] {
        assert_eq!(read(text, "REQUEST"), [], "{text}");
    }
    assert_eq!(
        read(&"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n".repeat(50), "").len(),
        OBJECTS_MAX + 1
    );
}

/// Pieces repeated, and every prefix: read at once, without a panic.
#[test]
fn hostile_objects_are_cheap() {
    let pieces = [
        "BEGIN:VCALENDAR\n",
        "BEGIN:VEVENT\n",
        "END:VEVENT\n",
        "BEGIN:X\n",
        " x\n",
        "A;B=\"",
        "A;b=c",
        ";=\":",
        "SUMMARY:\\",
        "BEGIN:STANDARD\n",
        "BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nRRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=é\n",
        "DTSTART:20260101T000000é\n",
        "ATTENDEE:x\n",
    ];
    for piece in pieces {
        read(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}", piece.repeat(300_000 / piece.len())), "");
    }
    let whole = format!(
        "BEGIN:VCALENDAR\n{BERLIN}BEGIN:VEVENT\nDTSTART;TZID=W. Europe:20260303T091500\nDURATION:PT1H\nSUMMARY:é\\nx\nEND:VEVENT"
    );
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        read(&whole[..end], "");
        read(&format!("{}é{}", &whole[..end], &whole[end..]), "");
    }
}

#[test]
fn words_are_on_one_line() {
    let text = "BEGIN:VCALENDAR\nMETHOD:re\0ply\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=a\0b:c\0d@e\nSUMMARY:x\0y\nEND:VEVENT\nEND:VCALENDAR";
    let invitation = read(text, "").remove(0).invitation;
    assert_eq!((invitation.method.as_str(), invitation.summary.as_str()), ("RE PLY", "x\u{fffd}y"));
}

#[test]
fn times_are_shown_to_people() {
    for (written, expected) in [
        ("20260303T091500 Europe/Berlin", "2026-03-03 09:15 (Europe/Berlin)"),
        ("20260303T081500Z", "2026-03-03 08:15 UTC"),
        ("20260303T081500", "2026-03-03 08:15"),
        ("20260303", "2026-03-03"),
        ("soon", "soon"),
        ("", ""),
    ] {
        assert_eq!(time::readable(written), expected);
    }
}
