//! Tables for the parts of reading: what stands in the message, and what is understood.

use crate::TransferEncoding::{Base64, QuotedPrintable};
use crate::read::{address_list, attachment, charset, decode_transfer, encoded_word, header, parameter};
use bytes::Bytes;

/// An address field, its addresses as `name|addr-spec`, and the groups it has.
const ADDRESSES: &[(&str, &[&str], &[&str])] = &[
    ("ann@example.org", &["|ann@example.org"], &[]),
    ("Ann Baker <ann@example.org>", &["Ann Baker|ann@example.org"], &[]),
    ("\"Baker, Ann\" <ann@example.org>", &["Baker, Ann|ann@example.org"], &[]),
    ("Baker, Ann <ann@example.org>", &["Baker, Ann|ann@example.org"], &[]),
    ("ann@example.org (Ann Baker)", &["Ann Baker|ann@example.org"], &[]),
    ("ann@example.org (Ann (the boss) Baker)", &["Ann (the boss) Baker|ann@example.org"], &[]),
    ("John Q. Public <john@example.org>", &["John Q. Public|john@example.org"], &[]),
    ("=?utf-8?Q?J=C3=B6rg?= <j@example.org>", &["Jörg|j@example.org"], &[]),
    ("\"=?utf-8?Q?J=C3=B6rg?=\" <j@example.org>", &["Jörg|j@example.org"], &[]),
    ("'Ann' <ann@example.org>", &["Ann|ann@example.org"], &[]),
    ("\"Ann \\\"A\\\" Baker\" <ann@example.org>", &["Ann \"A\" Baker|ann@example.org"], &[]),
    ("a@example.org, b@example.org", &["|a@example.org", "|b@example.org"], &[]),
    ("a@example.org; b@example.org", &["|a@example.org", "|b@example.org"], &[]),
    ("a@example.org b@example.org", &["|a@example.org", "|b@example.org"], &[]),
    (",, a@example.org ,,", &["|a@example.org"], &[]),
    ("Team: a@example.org, B <b@example.org>;", &["|a@example.org", "B|b@example.org"], &["Team"]),
    ("Team: a@example.org; c@example.org", &["|a@example.org", "|c@example.org"], &["Team"]),
    ("undisclosed-recipients:;", &[], &["undisclosed-recipients"]),
    ("<@a.example,@b.example:ann@example.org>", &["|ann@example.org"], &[]),
    ("<mailto:ann@example.org>", &["|ann@example.org"], &[]),
    ("<<ann@example.org>>", &["|ann@example.org"], &[]),
    ("Ann <ann @ example.org>", &["Ann|ann@example.org"], &[]),
    ("ann @ example.org", &["|ann@example.org"], &[]),
    ("Ann <ann(work)@example.org(host)>", &["Ann|ann@example.org"], &[]),
    ("Ann <ann@example.org", &["Ann|ann@example.org"], &[]),
    ("Ann <a@example.org, Bob <b@example.org>", &["Ann|a@example.org, Bob <b@example.org"], &[]),
    ("\"Ann <ann@example.org>", &["Ann|ann@example.org"], &[]),
    ("ann@[IPv6:2001:db8::1]", &["|ann@[IPv6:2001:db8::1]"], &[]),
    ("\"ann b\"@example.org", &["|\"ann b\"@example.org"], &[]),
    ("MAILER-DAEMON", &["MAILER-DAEMON|"], &[]),
    ("", &[], &[]),
    ("<>", &["|"], &[]),
    // Whom do these name? Never one address alone that another reader would not see.
    ("\"boss@example.com\" <eve@evil.example>", &["boss@example.com|eve@evil.example"], &[]),
    ("boss@example.com <eve@evil.example>", &["boss@example.com|eve@evil.example"], &[]),
    ("\"x@bosch.com\"@evil.org", &["|\"x@bosch.com\"@evil.org"], &[]),
    ("a@b.example(c)@d.example", &["c|a@b.example@d.example"], &[]),
    ("<a@b.example> <c@d.example>", &["|a@b.example", "|c@d.example"], &[]),
    ("<a@b.example>c@d.example", &["|a@b.example", "|c@d.example"], &[]),
    ("Ann <a@b.example> <a@b.example>", &["Ann|a@b.example"], &[]),
    ("=?UTF-8?Q?Ann_<c@d.example>?= <a@b.example>", &["Ann <c@d.example>|a@b.example"], &[]),
    ("=?UTF-8?Q?c@d.example,_Ann?= <a@b.example>", &["c@d.example, Ann|a@b.example"], &[]),
    ("=?UTF-8?Q?c@d.example?=", &["c@d.example|"], &[]),
    ("=?UTF-8?Q?Ann <c@d.example>?= <a@b.example>", &["=?UTF-8?Q?Ann|c@d.example", "=?UTF-8?Q?Ann|a@b.example"], &[]),
    ("Ann [mailto:a@b.example]", &["Ann|a@b.example"], &[]),
    ("Ann [mailto:a@b.example?to=c@d.example]", &["Ann|[mailto:a@b.example?to=c@d.example]"], &[]),
    ("Ann [mailto:a@b.example] c@d.example", &["Ann|[mailto:a@b.example]", "Ann|c@d.example"], &[]),
    ("a@b.example:c@d.example", &["|a@b.example:c@d.example"], &[]),
    ("a@b.example\0,c", &["|a@b.example\u{fffd}", "c|"], &[]),
];

#[test]
fn addresses() {
    for (field, expected, groups) in ADDRESSES {
        let list = address_list::parse(field, 100);
        let found: Vec<_> = list.addresses.iter().map(|a| format!("{}|{}", a.name, a.addr_spec)).collect();
        assert_eq!((&found[..], &list.groups[..]), (&owned(expected)[..], &owned(groups)[..]), "{field}");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn encoded_words() {
    for (written, expected) in [
        ("plain", "plain"),
        ("=?utf-8?Q?a_b=2E?=", "a b."),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=  =?iso-8859-1?q?=E9?=", "aé"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("Re: =?utf-8?B?w6k=?= end", "Re: é end"),
        ("=?utf-8?B?w6k?=", "é"),
        ("=?utf-8?B?ww==?= =?utf-8?B?qQ==?=", "é"),
        ("=?utf-8*en?Q?=C3=A9?=", "é"),
        ("pre=?utf-8?Q?=C3=A9?=post", "preépost"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?Q?what??=", "what?"),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
        ("=?utf-8?Q?one =?utf-8?Q?two?=", "=?utf-8?Q?one two"),
        ("=?=?=?", "=?=?=?"),
        ("=?unknown?Q?=E9?=", "é"),
        ("=?windows-1251?Q?=CF=F0=E8?=", "При"),
        ("=?win-1251?Q?=CF=F0=E8?=", "При"),
        ("=?cp932?B?g2WDWINn?=", "テスト"),
        ("=?iso-8859-1?Q?Frösche?=", "Frösche"),
    ] {
        assert_eq!(encoded_word::decode(written), expected, "{written}");
    }
}

#[test]
fn parameters() {
    for (field, name, expected) in [
        ("attachment; filename=a.txt", "filename", Some("a.txt")),
        ("attachment; FILENAME = \"a;b.txt\" ; x=y", "filename", Some("a;b.txt")),
        ("attachment; filename=\"a\\\"b.txt\"", "filename", Some("a\"b.txt")),
        ("attachment; filename=\"C:\\dir\\a.txt\"", "filename", Some("C:\\dir\\a.txt")),
        ("attachment; filename*=utf-8''%E2%82%AC.txt; filename=euro.txt", "filename", Some("€.txt")),
        ("attachment; filename*1=b; filename*0=a", "filename", Some("ab")),
        ("attachment; filename*0*=utf-8''%E2%98; filename*1*=%95", "filename", Some("☕")),
        ("attachment; filename*=utf-8''O'Brien", "filename", Some("O'Brien")),
        ("attachment; filename*=na%C3%AFve", "filename", Some("naïve")),
        ("attachment; filename=100%.txt", "filename", Some("100%.txt")),
        ("attachment; filename=a (1).txt", "filename", Some("a (1).txt")),
        ("text/plain; charset=utf-8 (Unicode)", "charset", Some("utf-8")),
        ("text/plain (a; b); charset=\"utf-8\"", "charset", Some("utf-8")),
        ("text/plain; charset", "charset", None),
        ("text/plain; =x; charset=a", "charset", Some("a")),
        ("text/plain; filename=\"unclosed; x=y", "filename", Some("unclosed; x=y")),
    ] {
        assert_eq!(parameter::Parameterised::parse(field).get(name).as_deref(), expected, "{field}");
    }
    for (field, value) in
        [("\"base64\"", "base64"), (" Base64 (rfc)", "base64"), ("Text/PLAIN;", "text/plain"), ("", "")]
    {
        assert_eq!(parameter::Parameterised::parse(field).value, value);
    }
}

#[test]
fn file_names() {
    for (declared, expected) in [
        ("report.pdf", Some("report.pdf")),
        ("/etc/passwd", Some("passwd")),
        ("..\\..\\evil.exe", Some("evil.exe")),
        ("dir/", Some("dir")),
        ("..", None),
        ("...", None),
        ("/", None),
        ("", None),
        (" \t ", None),
        (".htaccess", Some("htaccess")),
        ("name. ", Some("name")),
        ("a\0b\r\nc.txt", Some("a b c.txt")),
        ("invoice\u{202e}fdp.exe", Some("invoicefdp.exe")),
        ("zero\u{200b}width\u{feff}.txt", Some("zerowidth.txt")),
        ("\u{200b}", None),
        ("größe.txt", Some("größe.txt")),
        ("a   b.txt", Some("a b.txt")),
    ] {
        assert_eq!(attachment::clean_name(declared).as_deref(), expected, "{declared:?}");
    }
    let long = attachment::clean_name(&format!("{}.tar.gz", "é".repeat(300))).unwrap();
    assert!(long.len() <= 200 && long.ends_with("é.gz"), "{long}");
}

#[test]
fn message_ids() {
    for (field, expected) in [
        ("<a@b>", &["a@b"][..]),
        ("<a@b> <c@d>\t<e@f>", &["a@b", "c@d", "e@f"]),
        ("<a@b><c@d>", &["a@b", "c@d"]),
        ("<a@\t b>", &["a@b"]),
        ("a@b c@d", &["a@b", "c@d"]),
        ("Your message of Tuesday <a@b>", &["a@b"]),
        ("<a@b> <a@b>", &["a@b"]),
        ("<<a@b>>", &["a@b"]),
        ("<unfinished", &[]),
        ("words only", &[]),
        ("", &[]),
    ] {
        assert_eq!(header::ids(field), expected, "{field}");
    }
}

#[test]
fn transfer_encodings() {
    for (encoded, encoding, expected) in [
        ("aGVsbG8=", Base64, "hello"),
        ("aGVs\r\nbG8=\r\n", Base64, "hello"),
        (" aG Vs\tbG8 ", Base64, "hello"),
        ("aGVsbG8", Base64, "hello"),
        ("aGVsbG8==", Base64, "hello"),
        ("aGVs!bG8=", Base64, "hello"),
        ("aGVsbG8=\r\nIHdvcmxk", Base64, "hello world"),
        ("Pz8_Pz8-", Base64, "?????>"),
        ("a", Base64, ""),
        ("", Base64, ""),
        ("a=C3=A9b", QuotedPrintable, "aéb"),
        ("a=c3=a9b", QuotedPrintable, "aéb"),
        ("a=\r\nb", QuotedPrintable, "ab"),
        ("a= \t\r\nb", QuotedPrintable, "ab"),
        ("a  \r\nb", QuotedPrintable, "a\r\nb"),
        ("a=ZZ", QuotedPrintable, "a=ZZ"),
        ("a=", QuotedPrintable, "a"),
        ("a=4", QuotedPrintable, "a=4"),
        ("", QuotedPrintable, ""),
    ] {
        let decoded = decode_transfer(&Bytes::copy_from_slice(encoded.as_bytes()), encoding);
        assert_eq!(String::from_utf8_lossy(&decoded), expected, "{encoded:?}");
    }
}

#[test]
fn character_sets() {
    for (octets, label, expected) in [
        (&b"caf\xc3\xa9"[..], "us-ascii", "café"),
        (b"caf\xe9", "us-ascii", "café"),
        (b"caf\xe9", "utf-8", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "utf-8", "café"),
        (b"caf\xc3\xa9 \xe9", "utf-8", "café \u{fffd}"),
        (b"\x80 100", "iso-8859-1", "€ 100"),
        (b"\xf0\xd2\xc9", "KOI8-R", "При"),
        (b"\x82", "cp437", "é"),
        (b"\x82", "IBM850", "é"),
        (b"Hi +2D3eCg-, caf+AOk- +-", "utf-7", "Hi \u{1f60a}, café +"),
        (b"~{VPND~} ~~", "hz-gb-2312", "中文 ~"),
        (b"\x1b$)C\x0eGQ19>n\x0f", "iso-2022-kr", "한국어"),
        (b"\0\0\0a", "utf-32", "a"),
        (b"a\0b\0", "utf-16le", "ab"),
        (b"\xe9", "no-such-set", "é"),
        (b"plain", "no-such-set", "plain"),
    ] {
        assert_eq!(charset::decode(octets, Some(label)).0, expected, "{label}");
    }
}

#[test]
fn header_fields_are_kept_in_order_and_on_one_line() {
    let octets = "Received: by mx\r\n for a;\r\nX-note : =?utf-8?Q?J=C3=B6rg?=\r\nx-note:\r\n two \r\nSubject: s\r\n\r\nX-Note: body";
    let message = crate::read(&crate::RawMessage::new(octets.as_bytes()));
    let fields: Vec<(&str, &str)> = message.fields.iter().map(|f| (f.name.as_str(), f.value.as_str())).collect();
    assert_eq!(fields, [("Received", "by mx for a;"), ("X-note", "Jörg"), ("x-note", "two"), ("Subject", "s")]);
    assert_eq!(message.fields("X-Note").collect::<Vec<_>>(), ["Jörg", "two"]);
}

#[test]
fn what_claims_to_be_our_own_field_is_not_read() {
    for name in ["X-Postroom-Workspace", "x-postroom-item", "X-POSTROOM-"] {
        let raw = crate::RawMessage::new(format!("{name}: 7\r\nX-Postroomy: 1\r\nSubject: s\r\n\r\n"));
        let message = crate::read(&raw);
        let names: Vec<&str> = message.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["X-Postroomy", "Subject"], "{name}");
    }
}
