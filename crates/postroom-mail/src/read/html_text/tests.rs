use super::{MarkKind, render, text_of};

#[test]
fn what_was_seen() {
    for (source, expected) in [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<div>a<div>b</div></div>c", "a\nb\nc"),
        ("a &amp; b &lt;c&gt; &eacute;&#233;&#xe9; &nosuch; &#128;", "a & b <c> ééé &nosuch; €"),
        ("<style>p{}</style><script>x</script><title>t</title>text", "text"),
        ("<blockquote type=cite>a<blockquote>b</blockquote></blockquote>c", "> a\n>> b\nc"),
        ("Ann said:<blockquote>a</blockquote>c", "Ann said:\n> a\nc"),
        ("see<blockquote>a<blockquote>b</blockquote></blockquote>c", "see\n    a\n        b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("  a\n  b  ", "a b"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("<a href='>'>x</a> <!-- > --> y", "x y"),
        ("", ""),
        ("<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>", "a\n\nb"),
        ("<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb"),
        ("a&nbsp;b", "a b"),
        ("a<hr>b", "a\n----------------------------------------\nb"),
        ("<h1>Head</h1>text", "Head\n\ntext"),
    ] {
        assert_eq!(text_of(source), expected, "{source}");
    }
}

#[test]
fn lists() {
    for (source, expected) in [
        ("<ol><li>one</li><li>two</ol>end", "1. one\n2. two\n\nend"),
        ("<ol start=7><li>one<li>two</ol>", "7. one\n8. two"),
        ("<ol><li value=3>one<li>two</ol>", "3. one\n4. two"),
        ("<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</ul>", "* a\n  * b\n  * c\n* d"),
        ("<ul><li>a<ol><li>b</ol></ul>", "* a\n  1. b"),
        ("<ol start=9223372036854775807><li>a<li>b</ol>", "9223372036854775807. a\n9223372036854775807. b"),
    ] {
        assert_eq!(text_of(source), expected, "{source}");
    }
}

#[test]
fn tables() {
    for (source, expected) in [
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"),
        ("<table border=1><tr><td>a<td>b<tr><td>c<td>d</table>e", "a | b\nc | d\ne"),
        ("<table><tr><th>Item<th>Price<tr><td><p class=MsoNormal>Paper</p><td>4</table>", "Item | Price\nPaper | 4"),
        ("<table><tr><td>left<td><p>one</p><p>two</p></table>", "left\n\none\n\ntwo"),
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", "a  b\nc"),
        ("<table border=1><tr><td>a<br>b<td>c<tr><td>d,<br>e<td>f</table>", "a; b | c\nd, e | f"),
        ("<table border=1><tr><td>a<br><br>b<td>c</table>", "a\n\nb\nc"),
        ("<table><tr><td>a<br>b<td>c</table>", "a\nb\nc"),
        ("<blockquote type=cite><table border=1><tr><td>a<br>b<td>c</table></blockquote>", "> a; b | c"),
        ("<table><tr><th>Subject:</th><td>Paper</table>", "Subject: Paper"),
        ("<table><tr><td><table><tr><td><p>text</table></table>", "text"),
    ] {
        assert_eq!(text_of(source), expected, "{source}");
    }
}

#[test]
fn links_and_images() {
    for (source, expected) in [
        ("<a href='https://example.org/x'>the page</a>.", "the page <https://example.org/x>."),
        ("<a href='https://www.example.org/'>example.org</a>", "example.org"),
        ("<a href='https://example.org/'>https://example.org</a>", "https://example.org"),
        ("<a href='mailto:ann@example.org?subject=x'>Ann</a>", "Ann <ann@example.org>"),
        ("<a href='mailto:ann@example.org'>ann@example.org</a>", "ann@example.org"),
        ("<a href='tel:+493012345'>Call us</a>", "Call us <+493012345>"),
        ("<a href='tel:+493012345'>(030) 123-45</a>", "(030) 123-45"),
        ("<a href='tel:+493012345'>(030) 123-99</a>", "(030) 123-99 <+493012345>"),
        ("<a href='#top'>up</a> <a href='javascript:x()'>go</a>", "up go"),
        ("<a href='https://example.org/x'><img src=a alt='Our logo'></a>", "[Our logo] <https://example.org/x>"),
        ("<a href='https://example.org/x'></a>text<img src=a>", "text"),
        (
            "<p>see</p><a href='https://bank.example.com'>https://example.org</a><p>x</p>",
            "see\n\nhttps://example.org <https://bank.example.com>\n\nx",
        ),
    ] {
        assert_eq!(text_of(source), expected, "{source}");
    }
    let long = format!("<a href='https://example.org/{}'>x</a>", "a".repeat(5000));
    assert!(text_of(&long).len() < 300);
}

#[test]
fn what_nobody_sees() {
    for hidden in [
        "<div style='display:none'>x<div>y</div>z</div>",
        "<div style='DISPLAY : none !important'>x</div>",
        "<span style=\"mso-hide:all;display:none\">x</span>",
        "<span hidden>x</span>",
        "<span style='font-size:0px'>x</span>",
        "<div style='max-height:0;overflow:hidden'>x</div>",
        "<div style='visibility:hidden'>x</div>",
        "<div style='opacity:0'>x</div>",
        "<div><p style='display:none'>x</div>",
        "<img width=1 height=1 alt=x src=y>",
        "<p style='font-size:0'>x</p>",
        "<font color=white>x</font>",
        "<span style='color:#FFFFFF !important'>x</span>",
        "<div style='background:#fff'><p style='color: rgb(255, 255, 255)'>x</p></div>",
        "<span style='color:#0066cc;background-color:#0066CC'>x</span>",
        "<table bgcolor='#0066cc'><tr><td bgcolor='#0066cc' style='color:#0066cc'>x</table>",
    ] {
        let rendered = render(&format!("a{hidden}<div>b</div>"));
        assert_eq!(rendered.text, "a\nb", "{hidden}");
        assert_eq!(rendered.concealed, u64::from(!hidden.starts_with("<img")), "{hidden}");
    }
    // What has no words is layout.
    assert_eq!(render("a<div style='display:none'>&nbsp;&#847; <br>-</div>").concealed, 0);
    // On another ground, or on one that is not known, white letters are seen.
    for seen in [
        "<table bgcolor='#0066cc'><tr><td><font color=white>x</font></table>",
        "<p style='color:#fff;background:#0066cc'>x</p>",
        "<div style='background-image:url(y)'><p style='color:white'>x</div>",
        "<style>td{background:#06c}</style><p style='color:white'>x",
        "<p style='color:#fffff0'>x</p>",
        "<p style='color:inherit;background:transparent'>x</p>",
    ] {
        assert_eq!(text_of(seen), "x", "{seen}");
        assert_eq!(text_of(&format!("a{seen}")).replace(char::is_whitespace, ""), "ax", "{seen}");
    }
    // Rather too much than nothing.
    assert_eq!(text_of("<div style='display:none'>all"), "all");
    assert_eq!(text_of("<table style='font-size:0'><tr><td style='font-size:12px'>a</table>"), "a");
}

/// The marks of some HTML: the text of their lines, and their kinds.
fn marked(html: &str) -> Vec<(String, MarkKind)> {
    let rendered = render(html);
    let lines: Vec<&str> = rendered.text.lines().collect();
    let of = |range: std::ops::Range<usize>| {
        lines.get(range.start.min(lines.len())..range.end.min(lines.len())).unwrap_or_default().join("|")
    };
    rendered.marks.into_iter().map(|mark| (of(mark.lines), mark.kind)).collect()
}

#[test]
fn marks() {
    for (source, expected) in [
        ("a<blockquote type=cite>b<br>c</blockquote>d", vec![("> b|> c", MarkKind::Cite)]),
        (
            "a<div class=gmail_quote>On X:<blockquote class=gmail_quote>b</blockquote>c</div>",
            vec![("On X:", MarkKind::Quoted), ("> b", MarkKind::Cite)],
        ),
        ("a<div class=gmail_quote>On X:<div>b</div></div>", vec![("On X:|b", MarkKind::Quoted)]),
        ("<div>a</div><div id=divRplyFwdMsg>From</div><div>b</div>", vec![("From|b", MarkKind::Rest)]),
        ("a<blockquote class=gmail_quote>b</blockquote>", vec![("    b", MarkKind::OwnBlock)]),
        ("a<div class=gmail_signature>Ann</div>b", vec![("Ann", MarkKind::Signature)]),
        (
            "a<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt 0 0 0'>From</div>b",
            vec![("From|b", MarkKind::Rest)],
        ),
        ("a<blockquote style='margin:0 0 0 40px;border:none'>b</blockquote>", vec![("    b", MarkKind::Block)]),
    ] {
        let expected: Vec<(String, MarkKind)> =
            expected.into_iter().map(|(text, kind)| (text.to_owned(), kind)).collect();
        assert_eq!(marked(source), expected, "{source}");
    }
}

#[test]
fn hostile_html_ends_soon() {
    for piece in [
        "<div class=gmail_quote>",
        "<blockquote type=cite>x",
        "<table><tr><td>x<td>",
        "<a href=https://example.org/>",
        "<ol><li>",
        "<span style='display:none'>",
        "</div>",
        "<p id=x class='a b c'",
        "&nbsp; ",
        "<div a=\"",
    ] {
        let html = piece.repeat(1_000_000 / piece.len());
        let rendered = render(&html);
        assert!(rendered.text.len() <= 40 * html.len(), "{piece}");
        assert!(rendered.marks.len() <= 2000 + 64, "{piece}");
    }
}
