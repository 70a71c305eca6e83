//! Paragraphs of flowed text.

use super::unflow;

/// Text as sent, whether DelSp is on, and its paragraphs.
const TABLE: &[(&str, bool, &str)] = &[
    ("", false, ""),
    ("one \ntwo\nthree\n", false, "one two\nthree\n"),
    ("one \ntwo \nthree", true, "onetwothree"),
    ("one  \ntwo", true, "one two"),
    // The blank at the end belongs to the text where DelSp is off.
    ("one \n", false, "one \n"),
    // Stuffed: a blank stands before what begins with a blank, `>` or `From `.
    ("  indented\n >no quote\n From here", false, " indented\n>no quote\nFrom here"),
    // Quotation: depth by depth, joined at one depth only.
    ("> a \n> b\n> c", false, "> a b\n> c"),
    (">> a \n>> b \n> c \nd", false, ">> a b \n> c \nd"),
    (">a \n>b", false, "> a b"),
    ("> a \n>\n> b", false, "> a \n>\n> b"),
    // A program that puts blanks between the marks: the inner one is text.
    ("> > a \n> > b", false, "> > a > b"),
    // The separator of a signature is neither joined nor does it go on.
    ("bye \n-- \nAnn", false, "bye \n-- \nAnn"),
    ("> bye \n> -- \n> Ann", false, "> bye \n> -- \n> Ann"),
    ("bye\n-- \nAnn", true, "bye\n-- \nAnn"),
    ("日本 \n語", true, "日本語"),
];

#[test]
fn paragraphs_are_joined() {
    for (text, delsp, expected) in TABLE {
        assert_eq!(unflow(text, *delsp), *expected, "{text:?}");
    }
}
