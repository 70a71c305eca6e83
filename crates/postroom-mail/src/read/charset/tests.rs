//! Text whose label is missing or wrong.
#![allow(clippy::unwrap_used)]

use super::{decode, decode_body, detect};
use encoding_rs::Encoding;

const RUSSIAN: &str = "Здравствуйте, принтер на третьем этаже снова не печатает. Пожалуйста, посмотрите.";
const UKRAINIAN: &str = "Доброго дня, принтер на третьому поверсі знову не друкує. Перевірте його, будь ласка.";
const GREEK: &str = "Καλημέρα, ο εκτυπωτής στον τρίτο όροφο δεν λειτουργεί πάλι. Παρακαλώ ελέγξτε τον.";
const HEBREW: &str = "שלום, המדפסת בקומה השלישית שוב אינה מדפיסה. אנא בדקו אותה בהקדם האפשרי.";
const ARABIC: &str = "مرحبا، الطابعة في الطابق الثالث لا تطبع مرة أخرى. الرجاء فحصها في أقرب وقت ممكن.";
const THAI: &str = "สวัสดีครับ เครื่องพิมพ์บนชั้นสามไม่พิมพ์อีกแล้ว กรุณาตรวจสอบด้วยครับ";
const JAPANESE: &str = "お世話になっております。三階のプリンターがまた印刷できません。確認をお願いします。";
const CHINESE: &str = "您好，三楼的打印机又不能打印了。请尽快检查一下，谢谢您的帮助。";
const TAIWANESE: &str = "您好，三樓的印表機又不能列印了。請儘快檢查一下，謝謝您的幫助。";
const KOREAN: &str = "안녕하세요, 삼층 프린터가 다시 인쇄되지 않습니다. 확인해 주시기 바랍니다.";
const POLISH: &str = "Dzień dobry, drukarka na trzecim piętrze znów nie działa. Proszę ją sprawdzić, będę wdzięczny. Żółć źródła łączą się.";
const GERMAN: &str = "Grüße aus Köln: der Drucker im dritten Stock druckt schon wieder nicht.";
const FRENCH: &str = "Bonjour, l'imprimante du troisième étage ne marche plus. Merci d'être passé la vérifier.";

/// A text, what it is encoded in, and what the part declares.
const TABLE: &[(&str, &str, Option<&str>)] = &[
    // No label, or one that says nothing.
    (RUSSIAN, "koi8-r", None),
    (RUSSIAN, "windows-1251", None),
    (RUSSIAN, "windows-1251", Some("us-ascii")),
    (RUSSIAN, "iso-8859-5", None),
    (RUSSIAN, "ibm866", None),
    (UKRAINIAN, "koi8-u", None),
    (UKRAINIAN, "windows-1251", Some("unknown-8bit")),
    (GREEK, "iso-8859-7", None),
    (HEBREW, "windows-1255", None),
    (ARABIC, "windows-1256", None),
    (THAI, "windows-874", None),
    (JAPANESE, "shift_jis", None),
    (JAPANESE, "euc-jp", None),
    (JAPANESE, "iso-2022-jp", None),
    (JAPANESE, "iso-2022-jp", Some("us-ascii")),
    (JAPANESE, "iso-2022-jp", Some("utf-8")),
    (CHINESE, "gbk", None),
    (CHINESE, "gb18030", Some("x-unknown")),
    (TAIWANESE, "big5", None),
    (KOREAN, "euc-kr", None),
    (POLISH, "windows-1250", None),
    (GERMAN, "windows-1252", None),
    (FRENCH, "iso-8859-1", Some("us-ascii")),
    ("Grüße", "windows-1252", None),
    ("é", "windows-1252", None),
    // Under the right label.
    (RUSSIAN, "koi8-r", Some("KOI8-R")),
    (RUSSIAN, "koi8-r", Some("\"koi8-r\"")),
    (UKRAINIAN, "koi8-u", Some("koi8-u")),
    (THAI, "windows-874", Some("tis-620")),
    (CHINESE, "gb18030", Some("gb2312")),
    (TAIWANESE, "big5", Some("Big5")),
    (KOREAN, "euc-kr", Some("ks_c_5601-1987")),
    (JAPANESE, "shift_jis", Some("cp932")),
    // Under a wrong one that the octets contradict.
    (GERMAN, "utf-8", Some("iso-8859-1")),
    (FRENCH, "utf-8", Some("windows-1252")),
    ("é", "utf-8", Some("iso-8859-15")),
    (RUSSIAN, "utf-8", Some("koi8-r")),
    (RUSSIAN, "utf-8", Some("us-ascii")),
    (CHINESE, "utf-8", Some("gb2312")),
    (JAPANESE, "utf-8", Some("iso-2022-jp")),
    (JAPANESE, "shift_jis", Some("iso-2022-jp")),
    (RUSSIAN, "windows-1251", Some("utf-8")),
    (CHINESE, "gbk", Some("utf-8")),
    (GERMAN, "windows-1252", Some("utf-8")),
];

fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    let (octets, _, unmappable) = Encoding::for_label(encoding.as_bytes()).unwrap().encode(text);
    assert!(!unmappable, "{encoding}: {text}");
    octets.into_owned()
}

#[test]
fn labels_are_believed_until_the_octets_contradict() {
    for (text, encoding, label) in TABLE {
        let octets = encoded(text, encoding);
        assert_eq!(decode_body(&octets, *label, false).0, *text, "{encoding} as {label:?}");
    }
}

#[test]
fn utf_16_is_seen_by_its_mark_or_its_zeros() {
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let little = |text: &str| units(text).iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>();
    let big = |text: &str| units(text).iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>();
    for label in [None, Some("us-ascii"), Some("utf-8"), Some("utf-16"), Some("iso-8859-1")] {
        for octets in
            [little(GERMAN), big(GERMAN), little(&format!("\u{feff}{CHINESE}")), big(&format!("\u{feff}{GERMAN}"))]
        {
            let text = decode_body(&octets, label, false).0;
            assert!(text == GERMAN || text == CHINESE, "{label:?}: {text}");
        }
    }
    assert_eq!(decode_body(&little(CHINESE), Some("utf-16le"), false).0, CHINESE);
    assert_eq!(decode_body(&big(CHINESE), Some("utf-16be"), false).0, CHINESE);
    // No order said: that of the network, unless zeros say otherwise.
    assert_eq!(decode_body(&big(CHINESE), Some("utf-16"), false), (CHINESE.into(), true));
    let lines = format!("{CHINESE}\r\n{CHINESE}\r\n");
    assert_eq!(decode_body(&big(&lines), Some("UTF-16"), false), (lines.clone().into(), true));
    assert_eq!(decode_body(&little(&lines), Some("utf-16"), false), (lines.into(), true));
    assert_eq!(decode(&big(CHINESE), Some("utf-16")).0, CHINESE);
    assert_eq!(decode_body(b"words\n", Some("utf-16"), false), ("words\n".into(), false));
    assert_eq!(decode_body(b"a\0b", None, false).0, "a\0b", "too little to tell");
}

#[test]
fn html_names_its_character_set() {
    for (element, encoding) in [
        ("<meta charset=windows-1251>", "windows-1251"),
        ("<META CHARSET=\"koi8-r\" />", "koi8-r"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=KOI8-R'>", "koi8-r"),
        ("<meta name=x><meta content=\"text/html;charset=iso-8859-5\">", "iso-8859-5"),
    ] {
        let source = format!("<html><head>{element}</head><body>{}</body></html>", &RUSSIAN[..22]);
        let octets = encoded(&source, encoding);
        assert_eq!(decode_body(&octets, None, true).0, source, "{element}");
        // What the part itself declares wins.
        assert_ne!(decode_body(&octets, Some("iso-8859-7"), true).0, source, "{element}");
    }
    for (octets, expected) in [
        (&b"<meta charset=utf-16>\xe9"[..], None),
        (b"<meta charset=>", None),
        (b"<meta", None),
        (b"<meta charset", None),
        (b"<metacharset=x", Some("x")),
    ] {
        assert_eq!(detect::meta_charset(octets).as_deref(), expected);
    }
    assert_eq!(decode_body("\u{feff}<p>é".as_bytes(), Some("iso-8859-1"), true).0, "<p>é");
}

#[test]
fn what_contradicts_the_label_is_a_defect() {
    for (octets, label, as_declared) in [
        (&b"caf\xc3\xa9"[..], Some("utf-8"), true),
        (b"caf\xc3\xa9", Some("us-ascii"), true),
        (b"caf\xe9", None, true),
        (b"caf\xc3\xa9", Some("iso-8859-1"), false),
        (b"caf\xe9", Some("utf-8"), false),
        (b"caf\xe9", Some("no-such-set"), false),
        (b"\xff\xfea\0", Some("iso-8859-1"), true),
    ] {
        assert_eq!(decode_body(octets, label, false).1, as_declared, "{label:?}");
    }
}
