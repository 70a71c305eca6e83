use super::{Sifted, sift};

#[test]
fn declarations_that_stay() {
    for (style, kept, removed) in [
        ("color:red", "color:red", 0),
        ("COLOR : #1F497D ; font-size:11.0pt", "color:#1F497D;font-size:11.0pt", 0),
        ("font-family:\"Segoe UI\",sans-serif", "font-family:\"Segoe UI\",sans-serif", 0),
        ("margin:0cm 0cm 0.0001pt;line-height:150%", "margin:0cm 0cm 0.0001pt;line-height:150%", 0),
        ("border:1px solid rgba(0, 0, 0, 0.5)", "border:1px solid rgba(0, 0, 0, 0.5)", 0),
        ("width:100%;max-width:600px", "width:100%;max-width:600px", 0),
        ("line-height:1.4;font-size:120%", "line-height:1.4;font-size:120%", 0),
        ("mso-line-height-rule:exactly;color:red;", "color:red", 0),
        ("position:fixed;color:red", "color:red", 1),
        ("position:relative", "", 0),
        ("width:100000px;height:9000px", "", 2),
        ("width:900%", "", 1),
        ("width:1e9px", "", 1),
        ("width:50vw", "", 1),
        ("font-size:5000px;font-size:0;font-size:1px", "", 3),
        ("letter-spacing:900px;line-height:0;text-indent:-9999px", "", 3),
        ("margin-left:-5px;margin:0 -5px;margin:-5px''", "", 3),
        ("background:url(x);background-color:url(x)", "", 2),
        ("c\\6flor:red;color:/**/red;@import 'x'", "", 3),
        ("color:var(--x);width:calc(1px);color:expression(x)", "", 3),
        ("color:transparent;color: Transparent !important;border-color:transparent", "border-color:transparent", 2),
        ("color:rgba(0,0,0,0);color:rgba(0, 0, 0, 5%);color:hsla(0,0%,0%,0.1)", "", 3),
        ("color:rgba(0,0,0,0.87);color:#0000000f;color:#0001;color:#000c", "color:rgba(0,0,0,0.87);color:#000c", 2),
        ("opacity:0;display:none;visibility: HIDDEN;mso-hide:all", "", 4),
        ("opacity:0.9;display:block;visibility:visible", "", 0),
        ("color:#fff;background:#0066cc", "color:#fff;background:#0066cc", 0),
        ("background:#06c url(x);background:image-set('x' 1x)", "", 2),
        ("color", "", 0),
        ("color:", "", 0),
    ] {
        assert_eq!(sift(style), Sifted { kept: kept.to_owned(), removed }, "{style}");
    }
}
