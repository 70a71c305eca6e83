//! Messages of odd kinds, for servers and for us to carry unchanged.

/// A message of an odd kind.
#[derive(Debug, Clone)]
pub struct Odd {
    /// What is odd about it.
    pub kind: &'static str,
    /// Its octets.
    pub octets: Vec<u8>,
    /// Whether every server keeps it as it is. The others may refuse it, or keep it changed: no standard allows it.
    pub lasts: bool,
}

/// The kinds, and whether they last.
const KINDS: [(&str, bool); 20] = [
    ("plain", true),
    ("eight-bit text", true),
    ("Latin-1 in the header", false),
    ("lines of the protocols", true),
    ("dots", true),
    ("no body", true),
    ("an empty body", true),
    ("a line of 998 octets", true),
    ("a line of 20,000 octets", true),
    ("base64", true),
    ("blank lines at the end", true),
    ("tabs and blanks at line ends", true),
    ("a long header", true),
    ("a From line as of mbox", true),
    ("every octet but NUL, CR and LF", true),
    ("braces and quotes", true),
    ("parts in parts", true),
    ("a bare carriage return", false),
    ("a bare line feed", false),
    ("NUL", false),
];

/// Message `number` of a set without end: each differs, and the kinds take turns. All are from ann@example.org.
pub fn odd(number: usize) -> Odd {
    let (kind, lasts) = KINDS[number % KINDS.len()];
    let head = format!("From: ann@example.org\r\nTo: desk@example.net\r\nSubject: odd {}\r\n", letters(number));
    let body: Vec<u8> = match kind {
        "eight-bit text" => {
            format!("Content-Type: text/plain; charset=utf-8\r\n\r\nГрüße, 日本 {number}\r\n").into_bytes()
        }
        "Latin-1 in the header" => [b"X-Name: J\xfcrgen \xe9\xff\r\n\r\nGr\xfc\xdfe\r\n".as_slice()].concat(),
        "lines of the protocols" => "\r\n* 1 EXPUNGE\r\n)\r\nP5 OK done\r\n+OK 1\r\n-ERR\r\n* BYE\r\n{5}\r\n"
            .repeat(number % 7 + 1)
            .into_bytes(),
        "dots" => b"\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\r\n.\r\n".to_vec(),
        "no body" => Vec::new(),
        "an empty body" => b"\r\n".to_vec(),
        "a line of 998 octets" => format!("\r\n{}\r\n", "x".repeat(998)).into_bytes(),
        "a line of 20,000 octets" => format!("\r\n{}\r\nend\r\n", ".y".repeat(10_000)).into_bytes(),
        "base64" => {
            let lines = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n";
            format!("Content-Transfer-Encoding: base64\r\n\r\n{}", lines.repeat(number % 40 * 30 + 1)).into_bytes()
        }
        "blank lines at the end" => b"\r\ntext\r\n\r\n\r\n\r\n".to_vec(),
        "tabs and blanks at line ends" => b"\r\ntext \t\r\n \r\n\t\r\n".to_vec(),
        "a long header" => format!("References:{}\r\n\r\ntext\r\n", "\r\n <x@example.org>".repeat(300)).into_bytes(),
        "a From line as of mbox" => b"\r\nFrom ann@example.org Sun Nov 22 12:00:00 2026\r\n>From there\r\n".to_vec(),
        "every octet but NUL, CR and LF" => {
            let octets = (1..=255_u8).filter(|octet| !matches!(octet, b'\r' | b'\n'));
            [b"\r\n".to_vec(), octets.collect(), b"\r\n".to_vec()].concat()
        }
        "braces and quotes" => b"X-Odd: \"\\\" {3}\r\n\r\n\"{10}\r\n~{4+}\r\n()\\\r\n".to_vec(),
        "parts in parts" => {
            let open: String =
                (0..20).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
            format!("MIME-Version: 1.0\r\n{open}\r\ntext\r\n--b19--\r\n").into_bytes()
        }
        "a bare carriage return" => b"\r\none\rtwo\r\n".to_vec(),
        "a bare line feed" => b"\r\none\ntwo\n.\n\r\n".to_vec(),
        "NUL" => b"\r\none\0two\r\n".to_vec(),
        _ => format!("\r\ntext {number}\r\n").into_bytes(),
    };
    Odd { kind, octets: [head.into_bytes(), body].concat(), lasts }
}

/// A number without digits, which a subject must not have where they could name an item.
pub fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}
