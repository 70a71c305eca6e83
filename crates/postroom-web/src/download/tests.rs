use super::*;

#[test]
fn names_are_safe_in_the_header_and_exact_beside_it() {
    for (name, expected) in [
        ("report.pdf", "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf"),
        ("Übersicht 1.pdf", "attachment; filename=\"_bersicht 1.pdf\"; filename*=UTF-8''%C3%9Cbersicht%201.pdf"),
        (
            "a\"; x=\"\r\nSet-Cookie: a",
            "attachment; filename=\"a_; x=___Set-Cookie_ a\"; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20a",
        ),
        ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"),
    ] {
        assert_eq!(disposition("attachment", name), expected);
    }
}

#[test]
fn only_four_kinds_of_picture_are_shown() {
    for (octets, expected) in [
        (&b"\x89PNG\r\n\x1a\nx"[..], Some("image/png")),
        (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
        (b"GIF89a", Some("image/gif")),
        (b"RIFF\0\0\0\0WEBP", Some("image/webp")),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", None),
        (b"<html>", None),
        (b"", None),
    ] {
        assert_eq!(picture_type(octets), expected);
    }
}

#[test]
fn a_media_type_that_is_none_is_any_octets() {
    for (given, expected) in [
        ("image/png", "image/png"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("text/html\r\nX: y", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("", "application/octet-stream"),
    ] {
        assert_eq!(safe_type(given), expected);
    }
}
