//! What octets are, where their label does not say it.
//!
//! A table of first octets instead of a crate: it is shorter than the glue to one, looks at a few kilobytes, and says
//! nothing where it is not sure.

/// Octets of the decoded content that are enough to tell.
pub(super) const LOOKED_AT_MAX: usize = 4 * 1024;

/// Labels that say "some octets".
pub(super) fn is_generic(content_type: &str) -> bool {
    let (kind, subtype) = content_type.split_once('/').unwrap_or((content_type, ""));
    matches!(subtype, "octet-stream" | "octetstream" | "x-unknown" | "unknown" | "x-octet-stream" | "x-download")
        || matches!(
            subtype,
            "force-download" | "x-force-download" | "download" | "x-msdownload" | "x-binary" | "binary"
        )
        || matches!(kind, "" | "unknown" | "x-unknown" | "binary")
}

/// Pictures that a page may show; such a label is compared with the octets.
pub(super) fn is_shown_picture(content_type: &str) -> bool {
    matches!(content_type, "image/png" | "image/jpeg" | "image/jpg" | "image/pjpeg" | "image/gif" | "image/webp")
}

/// Whether two names mean the same picture.
pub(super) fn is_same(declared: &str, detected: &str) -> bool {
    let usual = |name: &str| match name {
        "image/jpg" | "image/pjpeg" => "image/jpeg".to_owned(),
        _ => name.to_owned(),
    };
    usual(declared) == usual(detected)
}

/// The media type of a content by its beginning, else by the extension of its name. `None` where neither says anything.
pub(super) fn detect(beginning: &[u8], name: &str) -> Option<&'static str> {
    let by_name = of_extension(&extension(name));
    match of_octets(beginning) {
        // Containers of which the name tells what they contain.
        Some("application/zip") => by_name.filter(|kind| is_zipped(kind)).or_else(|| in_zip(beginning)),
        Some("application/x-ole-storage") => by_name.filter(|kind| is_ole(kind)).or(Some("application/x-ole-storage")),
        Some("text/xml") => by_name.filter(|kind| kind.ends_with("xml")).or(Some("text/xml")),
        Some(kind) => Some(kind),
        // The name counts only for what has no signature of its own: it would have been found.
        None => by_name.filter(|kind| kind.starts_with("text/") && is_text(beginning)),
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// Where a signature stands, the signature, and what it means.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/vnd.microsoft.icon"),
    (0, b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (40, b" EMF\0\0\x01\0", "image/emf"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS\0", "application/ogg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (0, b"\0\0\x01\xba", "video/mpeg"),
    (0, b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (0, b"-----BEGIN PGP PUBLIC KEY", "application/pgp-keys"),
    (0, b"-----BEGIN PGP SIGNATURE", "application/pgp-signature"),
    (0, b"BEGIN:VCALENDAR", "text/calendar"),
    (0, b"BEGIN:VCARD", "text/vcard"),
];

fn of_octets(beginning: &[u8]) -> Option<&'static str> {
    let found =
        SIGNATURES.iter().find(|(at, signature, _)| beginning.get(*at..).is_some_and(|b| b.starts_with(signature)));
    if let Some((_, _, kind)) = found {
        return Some(kind);
    }
    match (beginning.get(..4), beginning.get(4..8), beginning.get(8..12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => Some("image/webp"),
        (Some(b"RIFF"), _, Some(b"WAVE")) => Some("audio/wav"),
        (Some(b"RIFF"), _, Some(b"AVI ")) => Some("video/x-msvideo"),
        (_, Some(b"ftyp"), Some(brand)) => Some(of_brand(brand)),
        (Some([b'B', b'M', ..]), _, _) if beginning.get(6..10) == Some(&[0; 4]) => Some("image/bmp"),
        (Some([0xff, 0xfb | 0xf3 | 0xf2 | 0xfa, ..]), _, _) => Some("audio/mpeg"),
        _ => of_markup(beginning),
    }
}

/// ISO media files (ISO/IEC 14496-12 §4.3).
fn of_brand(brand: &[u8]) -> &'static str {
    match brand {
        b"heic" | b"heix" | b"mif1" => "image/heic",
        b"avif" | b"avis" => "image/avif",
        b"qt  " => "video/quicktime",
        b"M4A " | b"M4B " => "audio/mp4",
        _ => "video/mp4",
    }
}

fn of_markup(beginning: &[u8]) -> Option<&'static str> {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag));
    if starts(b"<!doctype html") || starts(b"<html") {
        return Some("text/html");
    }
    if starts(b"<svg") || starts(b"<?xml") && memchr::memmem::find(text, b"<svg").is_some() {
        return Some("image/svg+xml");
    }
    starts(b"<?xml").then_some("text/xml")
}

/// What a ZIP archive is, by the names that stand near its beginning.
fn in_zip(beginning: &[u8]) -> Option<&'static str> {
    // OpenDocument and EPUB put their type first, not compressed (ISO/IEC 26300-3 §3.3).
    if let Some(declared) = beginning.get(30..).and_then(|b| b.strip_prefix(b"mimetype")) {
        const DECLARED: [&str; 4] = [
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
            "application/epub+zip",
        ];
        if let Some(kind) = DECLARED.into_iter().find(|kind| declared.starts_with(kind.as_bytes())) {
            return Some(kind);
        }
    }
    const DIRECTORIES: [(&[u8], &str); 4] =
        [(b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"), (b"META-INF/MANIFEST.MF", "jar")];
    let found = DIRECTORIES.iter().find(|(name, _)| memchr::memmem::find(beginning, name).is_some());
    found.and_then(|(_, extension)| of_extension(extension)).or(Some("application/zip"))
}

fn is_zipped(kind: &str) -> bool {
    kind.starts_with("application/vnd.o") || matches!(kind, "application/java-archive" | "application/epub+zip")
}

fn is_ole(kind: &str) -> bool {
    matches!(kind, "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint")
        || matches!(kind, "application/vnd.ms-outlook" | "application/x-msi" | "application/vnd.visio")
}

/// No NUL and hardly a control character.
fn is_text(beginning: &[u8]) -> bool {
    !beginning.iter().any(|b| *b < 32 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

/// The media type of an extension in lower case.
fn of_extension(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "txt" | "text" | "log" => "text/plain",
        "csv" => "text/csv",
        "ics" | "vcs" => "text/calendar",
        "vcf" => "text/vcard",
        "htm" | "html" => "text/html",
        "xml" => "text/xml",
        "md" => "text/markdown",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "epub" => "application/epub+zip",
        "jar" => "application/java-archive",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "msg" => "application/vnd.ms-outlook",
        "msi" => "application/x-msi",
        "vsd" => "application/vnd.visio",
        _ => return None,
    })
}

/// The usual extension of a media type.
pub(super) fn extension_of(content_type: &str) -> &'static str {
    match content_type {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" | "application/ics" => "ics",
        "text/csv" => "csv",
        "text/xml" | "application/xml" => "xml",
        "text/markdown" => "md",
        "text/vcard" | "text/x-vcard" => "vcf",
        "text/rtf" | "application/rtf" => "rtf",
        "message/rfc822" | "message/global" | "text/rfc822-headers" => "eml",
        "message/delivery-status" | "message/disposition-notification" | "message/feedback-report" => "txt",
        "image/png" => "png",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/bmp" | "image/x-ms-bmp" => "bmp",
        "image/tiff" => "tif",
        "image/svg+xml" => "svg",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/gzip" | "application/x-gzip" => "gz",
        "application/json" => "json",
        "application/pgp-signature" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "dat",
        "audio/mpeg" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "video/mp4" => "mp4",
        _ => extension_of_office(content_type),
    }
}

fn extension_of_office(content_type: &str) -> &'static str {
    const OFFICE: [&str; 10] = ["docx", "xlsx", "pptx", "odt", "ods", "odp", "doc", "xls", "ppt", "msg"];
    OFFICE.into_iter().find(|extension| of_extension(extension) == Some(content_type)).unwrap_or("bin")
}
