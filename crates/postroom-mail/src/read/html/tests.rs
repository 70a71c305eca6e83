#![allow(clippy::unwrap_used)]
// The crate itself has no files; its tests read the vectors.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod oracle;

use crate::{Defect, Message, RawMessage, read};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::path::Path;

/// The hostile vectors: the family, the name, and the HTML.
fn vectors() -> Vec<(String, String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hostile-html");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut vectors = Vec::new();
    for path in files {
        let family = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.strip_prefix("==== ").unwrap().split("\n==== ") {
            let (name, html) = block.split_once('\n').unwrap();
            vectors.push((family.clone(), name.to_owned(), html.to_owned()));
        }
    }
    vectors
}

/// Where a vector may stand.
const PLACES: [(&str, &str); 11] = [
    ("", ""),
    ("<html><head></head><body>", "</body></html>"),
    ("<table><tr><td>", "</td></tr></table>"),
    ("<table>", "</table>"),
    ("<p title=\"", "\">"),
    ("<svg>", "</svg>"),
    ("<math><mtext>", "</mtext></math>"),
    ("<select>", "</select>"),
    ("<noscript>", "</noscript>"),
    ("<!-- ", " -->"),
    ("<b><a href=https://example.org/><p>", "</p></a></b>"),
];

/// A message that shows `html` and has one image of the id `a`.
fn message(html: &[u8], charset: &str) -> Message {
    let image = STANDARD.encode(b"\x89PNG\r\n\x1a\n");
    let body = STANDARD.encode(html);
    let raw = format!(
        "From: ann@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b\r\n\
         Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\n{image}\r\n--b--\r\n"
    );
    read(&RawMessage::new(raw.into_bytes()))
}

#[test]
fn nothing_lives_in_what_is_shown() {
    let vectors = vectors();
    assert!(vectors.len() >= 300, "only {} vectors", vectors.len());
    for (family, name, html) in &vectors {
        for (before, behind) in PLACES {
            let html = format!("{before}{html}{behind}");
            let shown = message(html.as_bytes(), "utf-8").html.unwrap_or_default();
            let live = oracle::live(&shown);
            assert!(live.is_empty(), "{family}, {name}: {live:?}\nof {html}\nin {shown}");
        }
    }
}

#[test]
fn a_charset_hides_nothing() {
    for (family, name, html) in vectors() {
        let utf_16: Vec<u8> = html.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (octets, charset) in [
            (utf_16.as_slice(), "utf-16le"),
            (html.as_bytes(), "utf-7"),
            (html.as_bytes(), "iso-2022-jp"),
            (html.as_bytes(), "shift_jis"),
            (html.as_bytes(), "gb18030"),
            (html.as_bytes(), "windows-1252"),
            (html.as_bytes(), "none"),
        ] {
            let shown = message(octets, charset).html.unwrap_or_default();
            let live = oracle::live(&shown);
            assert!(live.is_empty(), "{family}, {name} in {charset}: {live:?}\nin {shown}");
        }
    }
}

#[test]
fn the_oracle_sees_what_is_alive() {
    // Behind a cleaner that does nothing, most vectors live; the others only try to get something past the cleaner, or deceive
    // a person.
    let vectors = vectors();
    let alive = vectors.iter().filter(|(_, _, html)| !oracle::live(html).is_empty()).count();
    assert!(alive * 100 > vectors.len() * 75, "{alive} of {}", vectors.len());
}

fn cleaned(html: &str) -> super::Cleaned {
    super::clean(html, &HashSet::from(["a".to_owned(), "b c%d".replace(' ', "")])).unwrap()
}

/// Whether the quick way took `html`; if it did, it must write and count what the library's way does.
fn agrees(html: &str, from: &str) -> bool {
    let Some(plain) = super::plain::clean(html) else { return false };
    let library = super::by_library(html);
    assert_eq!(Some(plain), library, "{from}: {html}");
    true
}

#[test]
fn the_quick_way_writes_what_the_library_writes() {
    let mut sources: Vec<(String, String)> = Vec::new();
    for (family, name, html) in vectors() {
        sources.extend(PLACES.map(|(before, behind)| (format!("{family}, {name}"), format!("{before}{html}{behind}"))));
    }
    let (ordinary, foreign) = (ordinary_html(), html_of_the_corpus());
    let taken = ordinary.iter().filter(|html| agrees(html, "ordinary")).count();
    assert_eq!(taken, ordinary.len(), "ordinary HTML goes the quick way");
    let taken_of_corpus = foreign.iter().filter(|html| agrees(html, "corpus")).count();
    eprintln!("{taken_of_corpus} of {} bodies of the corpus go the quick way", foreign.len());
    sources.iter().for_each(|(from, html)| {
        agrees(html, from);
    });
    // Mutations: pieces of what is well-formed, put together in another order.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % most.max(1)
    };
    let pieces: Vec<&str> = PIECES.split(' ').collect();
    let mut taken = 0;
    for _ in 0..60_000 {
        let length = 1 + next(14);
        let html: String = (0..length).map(|_| pieces[next(pieces.len())].replace('_', " ")).collect();
        taken += usize::from(agrees(&html, "pieces"));
    }
    assert!(taken > 5_000, "only {taken} mutations went the quick way");
    for html in ordinary.iter().chain(&foreign).filter(|html| html.len() < 20_000) {
        for _ in 0..30 {
            let cuts = [next(html.len()), next(html.len()), next(html.len())].map(|at| html.floor_char_boundary(at));
            let (from, to) = (cuts[0].min(cuts[1]), cuts[0].max(cuts[1]));
            agrees(&format!("{}{}", &html[..from], &html[to..]), "a piece taken out");
            agrees(&format!("{}{}{}", &html[..cuts[2]], &html[from..to], &html[cuts[2]..]), "a piece put in");
        }
    }
}

#[test]
fn every_character_reference_is_what_the_library_reads() {
    let names = html5ever::data::NAMED_ENTITIES.keys().map(|name| format!("&{name}"));
    let numbers = (0..0x180).chain([0xd800, 0xfffe, 0x1f600, 0x11_0000, u32::MAX]);
    let numbers = numbers.flat_map(|number| [format!("&#{number};"), format!("&#x{number:X};")]);
    let mut taken = 0;
    for reference in names.chain(numbers).chain(["&#99999999999;".to_owned()]) {
        taken += usize::from(agrees(&format!("<p title='a{reference}b'>c{reference}d</p>"), "references"));
    }
    assert!(taken > 2_500, "only {taken} references went the quick way");
}

/// Start tags, end tags and text that are most of what mail consists of; `_` stands for a blank.
const PIECES: &str = "<p> </p> <div> </div> <b> </b> <a_href=https://x.example/> </a> <span_style=color:red> </span> <table> </table> \
    <tr> </tr> <td> </td> <th> </th> <tbody> </tbody> <thead> </thead> <ul> </ul> <li> </li> <ol> </ol> <dl> </dl> <dt> <dd> \
    </dd> <h1> </h1> <h2> </h2> <br> <hr> <img_src=cid:a_alt=b> <pre> </pre> <o:p> </o:p> <font_color=red> </font> <nobr> </nobr> <script>x</script> <script> \
    <blockquote> </blockquote> <center> </center> <body> </body> <html> </html> <head> </head> <title>t</title> \
    <style>p{}</style> <meta_charset=utf-8> <!--c--> <![if_x]> <!DOCTYPE_html> text _ &nbsp; &amp; & &lt; &#39; &#10; &#x80; &fjlig; &copy < > \" \u{a0} é \
    <p_align=left> <td_width=5_style='width:900000px'_align=left> <i> </i> <section> </section> <map_name=m> </map> <area_href=x> <caption> <tfoot> <tfoot> </tfoot> <li><p> </td></tr> \
    <table><tr><td> </td></tr></table> <p>x</p> <div><p> <address> </address> <P> </P> <TD> <A_HREF='x'_TITLE=a_HREF=y>";

/// HTML as programs for mail write it.
fn ordinary_html() -> Vec<String> {
    [
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>Hello &amp; goodbye</title><style>p { color: red }</style></head>\n\
         <body><p>One<p>Two<br>three &mdash; four</body></html>\n",
        "<div dir=\"ltr\">Thanks, that works.<div><br></div><div>Ann</div></div><br><div class=\"gmail_quote\"><div dir=\"ltr\" \
         class=\"gmail_attr\">On Tue Ann &lt;<a href=\"mailto:ann@example.org\">ann@example.org</a>&gt; wrote:<br></div><blockquote \
         class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">Old</blockquote></div>",
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><!--[if gte mso 9]><xml></xml><![endif]--></head><body lang=DE>\
         <div class=WordSection1><p class=MsoNormal><span style='font-size:11.0pt;font-family:\"Calibri\",sans-serif'>Hallo<o:p></o:p></span></p>\
         <table border=0 cellspacing=0><tr><td width=10 style='width:7.5pt;padding:0cm'><p>a</p></td><td>b<td>c</tr><tr><td>d</table>\
         <ul><li>one<li>two<ul><li>three</ul></ul><hr size=1></div></body></html>",
        "<a href=\"https://x.example/?utm_a=1&utm_b=2&amp;c=3\" target=_blank onclick=\"x()\"><img src=\"https://x.example/p.png\" width=\"600\" \
         style=\"display:block\" alt=\"Offer &quot;new&quot;\"></a> 1 < 2 & 3 > 2 &nbsp;\u{a0}&copy; 2026",
    ]
    .map(str::to_owned)
    .into()
}

/// The HTML bodies of the development corpus, where that is there.
fn html_of_the_corpus() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")];
    let mut found = Vec::new();
    if !folders[0].is_dir() {
        eprintln!("SKIPPED: the corpus is not beside the repository");
        return found;
    }
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let octets = std::fs::read(path).unwrap();
            let Some(message) = mail_parser::MessageParser::default().parse(&octets) else { continue };
            for part in &message.parts {
                if let mail_parser::PartType::Html(html) = &part.body {
                    found.push(html.replace(['\r', '\0'], ""));
                }
            }
        }
    }
    found
}

#[test]
fn cleaned_html() {
    for (source, expected, removed) in [
        ("<p>x</p>", "<p>x</p>", 0),
        ("<script>x</script>y", "y", 1),
        ("<p onclick=x()>y</p>", "<p>y</p>", 1),
        ("<img src='cid:a' alt=z>", "<img src=\"cid:a\" alt=\"z\">", 0),
        ("<img src='https://x.example/a.png' alt=z>", "<img alt=\"z\">", 1),
        ("<img src='data:image/png;base64,AAAA'>", "<img>", 1),
        (
            "<a href='https://x.example/'>x</a>",
            "<a href=\"https://x.example/\" rel=\"noopener noreferrer nofollow\" title=\"https://x.example/\">x</a>",
            0,
        ),
        ("<a href='jAvAsCrIpT:x()'>x</a>", "<a rel=\"noopener noreferrer nofollow\">x</a>", 1),
        ("<a href='/relative'>x</a>", "<a rel=\"noopener noreferrer nofollow\">x</a>", 1),
        ("<a href='cid:a@b'>x</a>", "<a rel=\"noopener noreferrer nofollow\">x</a>", 1),
        ("<p style='color:red;position:fixed'>x</p>", "<p style=\"color:red\">x</p>", 1),
        ("<p style='margin:-10px'>x</p>", "<p>x</p>", 1),
        ("<p style='color:rgb(1,2,3);width:calc(1px)'>x</p>", "<p style=\"color:rgb(1,2,3)\">x</p>", 1),
        ("<p style='background-color:url(x)'>x</p>", "<p>x</p>", 1),
        ("<p style='color:\\72 ed'>x</p>", "<p>x</p>", 1),
        ("<p id=a class=b>x</p>", "<p>x</p>", 0),
        ("<form action=x><input name=y>z</form>", "z", 2),
        ("<svg><script>x</script></svg>y", "y", 2),
        (
            "<details open ontoggle=x()><summary>a</summary>b</details>",
            "<details open=\"\"><summary>a</summary>b</details>",
            1,
        ),
        ("<p style='color:transparent;font-size:12pt'>x</p>", "<p style=\"font-size:12pt\">x</p>", 1),
        ("<form><select><option>x</select>y</form>", "y", 2),
    ] {
        let cleaned = cleaned(source);
        assert_eq!((cleaned.html.as_str(), cleaned.removed), (expected, removed), "{source}");
    }
}

#[test]
fn links_say_where_they_lead() {
    let rel = "rel=\"noopener noreferrer nofollow\"";
    for (html, expected) in [
        (
            "<a href=https://evil.example/>https://bank.example/</a>",
            "href=\"https://evil.example/\" REL title=\"https://evil.example/\">https://bank.example/",
        ),
        (
            "<a title=bank href=https://evil.example/>x</a>",
            "href=\"https://evil.example/\" REL title=\"https://evil.example/\">x",
        ),
        (
            "<a href=https://x.example/><b title=bank>x</b></a>",
            "href=\"https://x.example/\" REL title=\"https://x.example/\"><b>x</b>",
        ),
        (
            "<a href=https://bank.example@evil.example/>x</a>",
            "href=\"https://evil.example/\" REL title=\"https://evil.example/\">x",
        ),
        (
            "<a href=https://b\u{fc}cher.example/>x</a>",
            "href=\"https://xn--bcher-kva.example/\" REL title=\"https://xn--bcher-kva.example/\">x",
        ),
        (
            "<a href=https://x.example/?a=1&b=2>x</a>",
            "href=\"https://x.example/?a=1&amp;b=2\" REL title=\"https://x.example/?a=1&amp;b=2\">x",
        ),
        (
            "<a href=mailto:ann@example.org>x</a>",
            "href=\"mailto:ann@example.org\" REL title=\"mailto:ann@example.org\">x",
        ),
        ("<a name=top>x</a>", "REL>x"),
    ] {
        let expected = format!("<a {}</a>", expected.replace("REL", rel));
        assert_eq!(cleaned(html).html, expected, "{html}");
    }
}

#[test]
fn images_are_those_of_the_message() {
    for (html, expected, shown) in [
        ("<img src=cid:a alt=x>", "<img src=\"cid:a\" alt=\"x\">", 1),
        ("<img src='CID: <a>'>", "<img src=\"cid:a\">", 1),
        ("<img src=cid:bc%25d>", "<img src=\"cid:bc%25d\">", 1),
        ("<img src=cid:other@example.org alt=x>", "<img alt=\"x\">", 0),
        ("<img src=https://example.org/p.png alt=x>", "<img alt=\"x\">", 0),
        ("<img src=data:image/png;base64,AA alt=x>", "<img alt=\"x\">", 0),
    ] {
        let cleaned = cleaned(html);
        assert_eq!((cleaned.html.as_str(), cleaned.content_ids.len()), (expected, shown), "{html}");
    }
}

#[test]
fn what_goes_is_counted() {
    for (html, count) in [
        ("<p>plain <b>words</b></p>", 0),
        ("<p class=x id=y>names that are only dropped</p><!-- and a comment -->", 0),
        ("<style>p{color:red}</style><p>a", 0),
        ("<style>p{position:fixed;background:url(x)}@import 'k'</style><p>a", 1),
        ("<script>a</script><form action=x><input name=a><input name=b></form>", 4),
        ("<p onclick=a onfocus=b>a", 2),
        ("<img src=https://example.org/p.png><img src=cid:a><img src=cid:foreign>", 2),
        ("<a href=javascript:a>a</a><a href=https://example.org/>b</a><a href='#c'>c</a>", 1),
        ("<a href=https://bank.example@evil.example/>a</a>", 1),
        ("<p style='position:fixed;color:red;width:90000px;mso-style:x;background:url(x)'>a", 3),
        ("<table background=x><td background=y>a", 2),
        ("<p title='<script>'>a<!-- <script> --><title><script></title>", 0),
        ("<meta charset=utf-8><meta http-equiv=refresh content=0>", 1),
        ("<p style='margin:&#45;9px'>a", 1),
    ] {
        let removed = cleaned(html).removed;
        assert_eq!(removed, count, "{html}");
        let defects = message(html.as_bytes(), "utf-8").defects;
        let named = defects.iter().find_map(|defect| match defect {
            Defect::HtmlRemoved { count } => Some(*count),
            _ => None,
        });
        assert_eq!(named.unwrap_or_default(), count, "{html}");
    }
}

#[test]
fn what_is_long_but_simple_is_shown() {
    for html in ["\u{a0}".repeat(900_000), "<p>a &nbsp; b</p>".repeat(15_000), "<td><b>x</b>".repeat(9_000)] {
        let shown = message(format!("<table><tr><td>{html}").as_bytes(), "utf-8").html;
        assert!(shown.is_some_and(|shown| shown.len() > html.len()), "{}", &html[..20]);
    }
}

#[test]
fn what_is_too_complex_becomes_text() {
    for html in [
        "<div>".repeat(600) + "a",
        "<b>".repeat(20_000),
        "&amp;".repeat(60_000),
        "<p>".repeat(50_000),
        format!("<p {}>a", "a=1 ".repeat(2_000)),
        "a".repeat(3 * 1024 * 1024),
        // The library searches the whole rest of a text again behind each of these.
        format!("<b><p></b>{}", "\u{a0}".repeat(900_000)),
        format!("<b><p></b>{}{}", "&amp; ".repeat(49_000), "a".repeat(1_700_000)),
        format!("<b><p></b><i title='{}'>", "\u{a0}".repeat(300_000)),
        format!("<b><p></b>{}", "<html>\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}".repeat(39_000)),
    ] {
        let message = message(html.as_bytes(), "utf-8");
        assert!(message.defects.contains(&Defect::HtmlTooComplex) && message.html.is_none(), "{}", &html[..20]);
    }
}
