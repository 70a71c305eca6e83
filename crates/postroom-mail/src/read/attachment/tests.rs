//! Names as they are declared and as they are kept, types by content, and what a message has attached.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::read;
use proptest::prelude::*;

/// Declared, and cleaned; empty where nothing is left and the attachment gets a name from its type.
const NAMES: &[(&str, &str)] = &[
    // Ordinary names stay.
    ("report.pdf", "report.pdf"),
    ("Report Final (2).pdf", "Report Final (2).pdf"),
    ("archive.tar.gz", "archive.tar.gz"),
    ("README", "README"),
    ("größe.txt", "größe.txt"),
    ("日本語.txt", "日本語.txt"),
    ("отчёт.docx", "отчёт.docx"),
    ("تقرير.pdf", "تقرير.pdf"),
    ("😀.png", "😀.png"),
    ("a+b&c=d%20e.txt", "a+b&c=d%20e.txt"),
    ("it's.txt", "it's.txt"),
    ("{a}[b]~c!@#$^.txt", "{a}[b]~c!@#$^.txt"),
    ("100%.txt", "100%.txt"),
    ("a,b;c.txt", "a,b;c.txt"),
    ("***fun***.pdf", "***fun***.pdf"),
    ("what?.txt", "what?.txt"),
    ("a\"b.txt", "a\"b.txt"),
    ("-rf", "-rf"),
    ("~root", "~root"),
    ("$HOME.txt", "$HOME.txt"),
    ("a\u{fffd}b.txt", "a\u{fffd}b.txt"),
    ("%2e%2e%2fetc%2fpasswd", "%2e%2e%2fetc%2fpasswd"),
    // Paths lead nowhere.
    ("/etc/passwd", "passwd"),
    ("../../etc/passwd", "passwd"),
    ("..\\..\\evil.exe", "evil.exe"),
    ("dir/", "dir"),
    ("dir\\", "dir"),
    ("a/b\\c.txt", "c.txt"),
    ("a\\b/c.txt", "c.txt"),
    ("\\\\server\\share\\x.doc", "x.doc"),
    ("//server/share/x.doc", "x.doc"),
    ("file:///etc/passwd", "passwd"),
    ("https://example.org/a.txt", "a.txt"),
    ("C:\\Windows\\evil.exe", "evil.exe"),
    ("C:/Windows/evil.exe", "evil.exe"),
    ("C:evil.exe", "evil.exe"),
    ("c:d:evil.exe", "evil.exe"),
    ("C:", ""),
    ("a/..", "a"),
    ("a/.", "a"),
    ("a/ ", "a"),
    ("./a", "a"),
    ("..", ""),
    (".", ""),
    ("...", ""),
    ("/", ""),
    ("\\", ""),
    ("///", ""),
    ("/..", ""),
    ("../", ""),
    (".. /..", ""),
    ("a/\u{200b}../b", "b"),
    ("a/\u{200b}..", "a"),
    ("..\u{2044}etc", "_etc"),
    ("..\u{ff0f}etc", "_etc"),
    ("a\u{2215}b\u{29f8}c\u{ff3c}d.txt", "a_b_c_d.txt"),
    // Blanks, dots, control characters.
    ("", ""),
    (" ", ""),
    (" \t ", ""),
    ("\0", ""),
    ("\r\n", ""),
    (" a ", "a"),
    ("a   b.txt", "a b.txt"),
    ("a\tb.txt", "a b.txt"),
    ("a\r\nb.txt", "a b.txt"),
    ("a\r\nSet-Cookie: x", "a Set-Cookie_ x"),
    ("a\0b.txt", "a b.txt"),
    ("a.php\0.jpg", "a.php .jpg"),
    ("a\u{1b}[31m.txt", "a [31m.txt"),
    ("a\u{7f}b", "a b"),
    ("a\u{85}b", "a b"),
    ("a\u{a0}b", "a b"),
    ("a\u{2028}b", "a b"),
    ("a\u{3000}b", "a b"),
    ("name.", "name"),
    ("name. ", "name"),
    ("name . . .", "name"),
    ("name.txt.", "name.txt"),
    ("name.txt ...", "name.txt"),
    ("\u{a0}name\u{a0}", "name"),
    // A dot in front hides a file or configures a server.
    (".htaccess", "htaccess"),
    ("..htaccess", "htaccess"),
    (". .htaccess", "htaccess"),
    ("\u{200b}.htaccess", "htaccess"),
    (".\u{200b}htaccess", "htaccess"),
    ("\u{feff}.htaccess", "htaccess"),
    (".htaccess\u{200d}", "htaccess"),
    (".bashrc", "bashrc"),
    (".txt", "txt"),
    // Characters that nobody sees, or that turn the others.
    ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
    ("\u{202a}a\u{202c}.txt", "a.txt"),
    ("\u{2066}a\u{2069}.txt", "a.txt"),
    ("a\u{200e}\u{200f}\u{61c}.txt", "a.txt"),
    ("zero\u{200b}width\u{feff}.txt", "zerowidth.txt"),
    ("a\u{200c}\u{200d}b", "ab"),
    ("so\u{ad}ft.txt", "soft.txt"),
    ("a\u{2060}\u{2063}b", "ab"),
    ("a\u{fe0f}b", "ab"),
    ("a\u{115f}\u{1160}\u{3164}\u{ffa0}b", "ab"),
    ("a\u{2800}b", "ab"),
    ("a\u{e0041}b", "ab"),
    ("a\u{180e}b", "ab"),
    ("a\u{fff9}x\u{fffb}", "ax"),
    ("\u{200b}", ""),
    ("\u{202e}\u{202c}", ""),
    // Composed, so that two ways to write a name are one, whatever stands between.
    ("u\u{308}ber.txt", "über.txt"),
    ("u\u{200b}\u{308}ber.txt", "über.txt"),
    ("\u{1100}\u{1161}.txt", "가.txt"),
    ("\u{212b}.txt", "Å.txt"),
    ("e\u{301}\u{327}.txt", "ȩ\u{301}.txt"),
    ("<\u{338}.txt", "≮.txt"),
    ("ﬁle.txt", "ﬁle.txt"),
    // Drives, streams and redirections.
    ("a.txt:evil.exe", "a.txt_evil.exe"),
    ("a.txt::$DATA", "a.txt__$DATA"),
    ("Re: Hello.eml", "Re_ Hello.eml"),
    ("<script>.html", "_script_.html"),
    ("a|b>c<d", "a_b_c_d"),
    // Devices of Windows.
    ("CON", "CON_"),
    ("con", "con_"),
    ("con.txt", "con_.txt"),
    ("CON.tar.gz", "CON_.tar.gz"),
    ("con .txt", "con_ .txt"),
    ("PRN.pdf", "PRN_.pdf"),
    ("aux.c", "aux_.c"),
    ("NUL", "NUL_"),
    ("nul.", "nul_"),
    ("COM1", "COM1_"),
    ("com9.log", "com9_.log"),
    ("LPT1.txt", "LPT1_.txt"),
    ("COM\u{b9}.txt", "COM\u{b9}_.txt"),
    ("CONIN$", "CONIN$_"),
    ("dir/CON", "CON_"),
    ("C:CON", "CON_"),
    ("c\u{200b}on.txt", "con_.txt"),
    ("COM0", "COM0"),
    ("COM10", "COM10"),
    ("CONS.txt", "CONS.txt"),
    ("a.con", "a.con"),
    ("console", "console"),
    // Extensions.
    ("invoice.pdf.exe", "invoice.pdf.exe"),
    ("invoice.pdf                    .exe", "invoice.pdf .exe"),
    ("a.exe ", "a.exe"),
    ("x.pht", "x.pht"),
];

#[test]
fn names_are_cleaned() {
    assert!(NAMES.len() >= 120, "{}", NAMES.len());
    for (declared, expected) in NAMES {
        let cleaned = clean_name(declared).unwrap_or_default();
        assert_eq!(cleaned, *expected, "{declared:?}");
        assert_eq!(clean_name(&cleaned).unwrap_or_default(), cleaned, "cleaned twice: {declared:?}");
    }
}

#[test]
fn long_names_keep_their_extension() {
    for (declared, end) in [
        (format!("{}.tar.gz", "é".repeat(300)), "é.gz"),
        (format!("{}.pdf", "a".repeat(197)), "a.pdf"),
        (format!("a.{}", "x".repeat(300)), "xxx"),
        (format!("{} .txt", "a ".repeat(200)), "a .txt"),
        (format!("{}/b.txt", "a".repeat(1_000_000)), "b.txt"),
        ("a.b".repeat(100_000), ".b"),
        (format!("{}{}", "a".repeat(199), " b"), "a"),
    ] {
        let name = clean_name(&declared).unwrap();
        assert!(name.len() <= 200 && name.ends_with(end), "{name}");
        assert_eq!(clean_name(&name).unwrap(), name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    /// A name is short, leads nowhere, and cleaning it again changes nothing.
    #[test]
    fn cleaning_is_idempotent(declared in "[a-zC.: /\\\\\u{200b}\u{202e}\u{301}\0<é\u{1100}\u{1161}\u{11a8}NUL1\\PC]{0,60}", times in 1usize..8) {
        let Some(name) = clean_name(&declared.repeat(times)) else { return Ok(()) };
        prop_assert!(!name.is_empty() && name.len() <= 200);
        let has_forbidden = name.contains(['/', '\\', ':', '\0', '<', '\u{200b}', '\u{202e}']);
        let has_ends = name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']);
        prop_assert!(!has_forbidden && !has_ends);
        let again = clean_name(&name);
        prop_assert_eq!(again, Some(name));
    }
}

#[test]
fn names_are_unique() {
    let mut names = Names::default();
    for (name, expected) in [
        ("a.txt", "a.txt"),
        ("a.txt", "a (2).txt"),
        ("A.TXT", "A (3).TXT"),
        ("a (2).txt", "a (2) (2).txt"),
        ("a (4).txt", "a (4).txt"),
        ("a.txt", "a (5).txt"),
        ("b", "b"),
        ("b", "b (2)"),
        ("É", "É"),
        ("é", "é (2)"),
        ("Straße", "Straße"),
        ("STRASSE", "STRASSE (2)"),
        ("straẞe", "straẞe (3)"),
        ("ΟΔΟΣ", "ΟΔΟΣ"),
        ("οδοσ", "οδοσ (2)"),
    ] {
        assert_eq!(names.unique(name.to_owned()), expected);
    }
    let long = "x".repeat(200);
    let mut all: Vec<String> = (0..1_500).map(|_| names.unique(long.clone())).collect();
    assert!(all.iter().all(|name| name.len() <= 200));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1_500);
}

/// Octets, a name, and what they are.
#[test]
fn types_by_content() {
    for (octets, name, expected) in [
        (&b"\x89PNG\r\n\x1a\n...."[..], "a.bin", Some("image/png")),
        (b"\xff\xd8\xff\xe0", "", Some("image/jpeg")),
        (b"GIF89a", "", Some("image/gif")),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", Some("image/webp")),
        (b"%PDF-1.7", "x.exe", Some("application/pdf")),
        (b"MZ\x90\0", "x.pdf", Some("application/vnd.microsoft.portable-executable")),
        (b"PK\x03\x04....", "x.docx", Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document")),
        (b"PK\x03\x04....word/document.xml", "x", Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document")),
        (b"PK\x03\x04....", "x.pdf", Some("application/zip")),
        (b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0mimetypeapplication/vnd.oasis.opendocument.text", "", Some("application/vnd.oasis.opendocument.text")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.msg", Some("application/vnd.ms-outlook")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a", Some("application/x-ole-storage")),
        (b"\0\0\0\x18ftypmp42", "", Some("video/mp4")),
        (b"  <!DOCTYPE HTML><html>", "a.txt", Some("text/html")),
        (b"<?xml version='1.0'?><svg/>", "", Some("image/svg+xml")),
        (b"BEGIN:VCALENDAR\r\n", "", Some("text/calendar")),
        (b"a,b\n1,2\n", "a.csv", Some("text/csv")),
        (b"a,b\n1,2\n", "a.png", None),
        (b"a\0b", "a.csv", None),
        (b"words", "", None),
        (b"", "", None),
        (b"BM", "", None),
    ] {
        assert_eq!(media_type::detect(octets, name), expected, "{name} {octets:?}");
    }
}

fn message(parts: &[&str]) -> Message {
    let mut octets = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n".to_owned();
    for part in parts {
        octets.push_str(&format!("\r\n--b\r\n{part}"));
    }
    read(&RawMessage::new(octets + "\r\n--b--\r\n"))
}

/// Header and content of one part, and what is attached: name, declared and detected type.
#[test]
fn labels_stay_and_contents_are_told_beside_them() {
    const PNG: &str = "iVBORw0KGgo=";
    for (header, content, expected) in [
        ("application/octet-stream; name=a.png", PNG, "a.png|application/octet-stream|image/png"),
        ("image/png", PNG, "part-1.png|image/png|-"),
        ("image/jpeg; name=a.jpg", PNG, "a.jpg|image/jpeg|image/png"),
        ("application/x-unknown", PNG, "part-1.png|application/x-unknown|image/png"),
        ("application/pdf; name=a.pdf", PNG, "a.pdf|application/pdf|-"),
        ("application/octet-stream", "AAAA", "part-1.bin|application/octet-stream|-"),
        ("image/jpg", "/9j/4AAQ", "part-1.jpg|image/jpg|-"),
        ("text/calendar", "AAAA", "invite.ics|text/calendar|-"),
        ("message/rfc822", "U3ViamVjdDogYS9iCgp4", "a_b.eml|message/rfc822|-"),
        ("message/rfc822", "RnJvbTogYQoKeA==", "part-1.eml|message/rfc822|-"),
    ] {
        let part = format!("Content-Type: {header}\r\nContent-Transfer-Encoding: base64\r\n\r\n{content}");
        let attached = message(&[&part]).attachments.remove(0);
        let detected = attached.detected_type.as_deref().unwrap_or("-");
        assert_eq!(format!("{}|{}|{detected}", attached.name, attached.content_type), expected, "{header}");
    }
}

#[test]
fn protection_is_recognised() {
    use crate::Protection::{self, PgpEncrypted, PgpSigned, SmimeEncrypted, SmimeSigned};
    const ENVELOPED: &str = "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA";
    const SIGNED: &str = "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCA";
    let check = |octets: &str, expected: Option<Protection>| {
        assert_eq!(read(&RawMessage::new(octets.to_owned())).protection, expected, "{octets}");
    };
    check("\r\nplain", None);
    check(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--",
        Some(SmimeSigned),
    );
    check(
        "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--",
        Some(PgpSigned),
    );
    check(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b--",
        Some(PgpEncrypted),
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b--",
        Some(PgpEncrypted),
    );
    check("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx", Some(SmimeSigned));
    check("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx", Some(SmimeEncrypted));
    check("Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\nx", None);
    check(&format!("Content-Type: application/x-pkcs7-mime\r\n{ENVELOPED}"), Some(SmimeEncrypted));
    check(&format!("Content-Type: application/pkcs7-mime\r\n{SIGNED}"), Some(SmimeSigned));
    check(&format!("Content-Type: application/octet-stream; name=smime.p7m\r\n{ENVELOPED}"), Some(SmimeEncrypted));
    check(&format!("Content-Type: application/octet-stream; name=other.bin\r\n{ENVELOPED}"), None);
    check("\r\nwords\r\n-----BEGIN PGP MESSAGE-----\r\n", Some(PgpEncrypted));
    check("\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n", Some(PgpSigned));
    check("\r\n> -----BEGIN PGP MESSAGE-----\r\n", None);
    check("\r\n-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n", None);
}

#[test]
fn calendar_objects_end_at_20() {
    let event = "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:";
    let parts: Vec<String> = (0..30).map(|uid| format!("{event}{uid}\r\nEND:VEVENT\r\nEND:VCALENDAR")).collect();
    let message = message(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((message.invitations.len(), message.attachments.len()), (20, 30));
    assert!(message.defects.contains(&Defect::limit("calendar objects", 20)));
}
