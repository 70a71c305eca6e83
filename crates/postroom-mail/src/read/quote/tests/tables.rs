//! The cases of `testdata/quotes`, and what holds for every text.

#![allow(clippy::unwrap_used)]

use super::{split, split_of};
use crate::read::html_text;
use crate::read::quote::{Context, Split};
use proptest::prelude::*;

const LANGUAGES: &str = include_str!("../../../../../../testdata/quotes/languages.txt");
const CLIENTS: &str = include_str!("../../../../../../testdata/quotes/clients.txt");
const TEXTS: &str = include_str!("../../../../../../testdata/quotes/texts.txt");
const FIRST: &str = include_str!("../../../../../../testdata/quotes/first.txt");

/// The lines of [`LANGUAGES`]: language, what it is, and the words.
fn cases(kind: &str) -> Vec<(&'static str, &'static str)> {
    let mut language = "";
    let mut found = Vec::new();
    for line in LANGUAGES.lines() {
        if let Some(name) = line.strip_prefix('[') {
            language = name.trim_end_matches(']');
        } else if let Some(words) = line.strip_prefix(kind).and_then(|rest| rest.strip_prefix(": ")) {
            found.push((language, words));
        }
    }
    let languages: std::collections::HashSet<_> = found.iter().map(|(language, _)| language).collect();
    assert!(languages.len() >= 39, "{kind}: only {} languages", languages.len());
    found
}

/// What is wrong with a text of which only `reply` is to stay.
fn check(language: &str, text: &str, reply: &str) -> Option<String> {
    let found = split_of(text, "Re: x");
    (found.reply != reply || found.quoted.contains(reply)).then(|| format!("{language}: {text}\n{found:?}"))
}

/// All that is wrong, so that one run shows all of it.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn introductions_of_all_languages() {
    let mut wrong = Vec::new();
    for (language, introduction) in cases("introduction") {
        for below in ["\n> Toner?\n", "\n\n> Toner?\n> More?\n", "\n\nToner?\n"] {
            wrong.extend(check(language, &format!("Ja.\n\n{introduction}{below}"), "Ja."));
        }
        // Programs wrap before the address.
        let wrapped = introduction.replacen(" <ann", "\n<ann", 1);
        wrong.extend(check(language, &format!("Ja.\n\n{wrapped}\n\n> Toner?\n"), "Ja."));
        let wrapped = introduction.replacen("<ann@", "<\nann@", 1);
        wrong.extend(check(language, &format!("Ja.\n\n{wrapped}\n> Toner?\n"), "Ja."));
    }
    none(&wrong);
}

#[test]
fn headers_of_all_languages() {
    let mut wrong = Vec::new();
    for (language, header) in cases("header") {
        let plain = header.replace(" / ", "\n");
        wrong.extend(check(language, &format!("Ja.\n\n{plain}\n\nToner?\n"), "Ja."));
        wrong.extend(check(language, &format!("Ja.\n________________________________\n{plain}\n\nToner?\n"), "Ja."));
        let bold: Vec<String> = header
            .split(" / ")
            .map(|line| line.split_once(':').map_or(line.to_owned(), |(name, value)| format!("*{name}:*{value}")))
            .collect();
        wrong.extend(check(language, &format!("Ja.\n\n{}\n\nToner?\n", bold.join("\n")), "Ja."));
    }
    none(&wrong);
}

#[test]
fn original_message_in_all_languages() {
    let mut wrong = Vec::new();
    for (language, line) in cases("original") {
        wrong.extend(check(language, &format!("Ja.\n\n{line}\nToner?\n"), "Ja."));
    }
    none(&wrong);
}

#[test]
fn footers_of_all_languages() {
    let mut wrong = Vec::new();
    for (language, footer) in cases("footer") {
        let found = split_of(&format!("Ja.\n\n{footer}\n"), "Re: x");
        if (found.reply.as_str(), found.signature.as_str()) != ("Ja.", footer) {
            wrong.push(format!("{language}: {found:?}"));
        }
    }
    none(&wrong);
}

#[test]
fn closings_of_all_languages() {
    let mut wrong = Vec::new();
    for (language, closing) in cases("closing") {
        let signature = format!("{closing}\nBob Carter\nTel. +44 20 7946 0000");
        let found = split_of(&format!("Ja.\n\n{signature}\n"), "Re: x");
        if (found.reply.as_str(), found.signature.as_str()) != ("Ja.", &signature) {
            wrong.push(format!("{language}: {found:?}"));
        }
        let letter = format!("Ja.\n\n{closing}\nBob");
        assert_eq!(split_of(&letter, "Re: x").reply, letter, "{language}");
    }
    none(&wrong);
}

/// A case of a file: its name, what is read, the reply, and the signature if one is given.
fn sections(file: &str) -> Vec<(&str, &str, &str, &str)> {
    let mut found: Vec<(&str, &str, &str, &str)> = Vec::new();
    for section in file.split("### ").skip(1) {
        let (name, text) = section.split_once('\n').unwrap();
        let text = text.trim_end_matches('\n');
        match (name, found.last_mut()) {
            ("reply", Some(case)) => case.2 = text,
            ("signature", Some(case)) => case.3 = text,
            _ => found.push((name, text, "", "")),
        }
    }
    assert!(found.len() >= 20, "only {} cases", found.len());
    found
}

#[test]
fn html_of_programs() {
    let mut wrong = Vec::new();
    for (name, html, reply, signature) in sections(CLIENTS) {
        let rendered = html_text::render(html);
        let found = split(&rendered.text, &Context { marks: Some(&rendered.marks), ..Context::default() });
        let is_folded = found.quoted.contains("Toner") == html.contains("Toner");
        if (found.reply.as_str(), found.signature.as_str()) != (reply, signature) || !is_folded {
            wrong.push(format!("{name}: {rendered:?}\n{found:?}"));
        }
    }
    none(&wrong);
}

#[test]
fn plain_texts() {
    let mut wrong = Vec::new();
    for (name, text, reply, signature) in sections(TEXTS) {
        let found = split(text, &Context::default());
        if (found.reply.as_str(), found.signature.as_str()) != (reply, signature) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    none(&wrong);
}

#[test]
fn texts_that_answer_nothing() {
    let mut wrong = Vec::new();
    for (name, text, reply, signature) in sections(FIRST) {
        // Without a reply of its own the whole text is to stay.
        let reply = if reply.is_empty() { text } else { reply };
        let found = split(text, &Context { author: "Bob Carter", answers_nothing: true, ..Context::default() });
        if (found.reply.as_str(), found.signature.as_str()) != (reply, signature) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    none(&wrong);
}

#[test]
fn subjects_of_answers() {
    for subject in
        ["Re: x", "AW: x", "SV:x", "[list] Re: x", "RE[2]: x", "Antw: x", "回复：x", "Ответ: x", "Trả lời: x"]
    {
        assert!(crate::read::quote::says_answer(subject), "{subject}");
    }
    for subject in ["", "x", "Printer: broken", "Reading: x", "[list] x", "[list Re: x", "Fwd: x", "corpus wrapper"] {
        assert!(!crate::read::quote::says_answer(subject), "{subject}");
    }
}

#[test]
fn the_author_begins_his_signature() {
    let text = "Yes.\n\nBob Carter\nHead of Toner\nTel. +44 20 7946 0000";
    let found = split(text, &Context { author: "Bob Carter", ..Context::default() });
    assert_eq!((found.reply.as_str(), found.signature.as_str()), ("Yes.", &text[6..]));
    assert_eq!(split(text, &Context { author: "Ann Baker", ..Context::default() }).reply, text);
    for rule in ["----", "______", "————————————", "------------------"] {
        for (below, is_signature) in
            [("Bob Carter\nFloor 2", true), ("Bob Carter, Paper Ltd", true), ("Bob Carter comes on Friday.", false)]
        {
            let text = format!("Yes.\n\n{rule}\n{below}");
            let found = split(&text, &Context { author: "Bob Carter", ..Context::default() });
            assert_eq!(found.reply == "Yes.", is_signature, "{text}\n{found:?}");
        }
    }
}

#[test]
fn html_shows_where_a_plain_quotation_begins() {
    let html = "<div>Yes, there is.</div><div id=divRplyFwdMsg>Ann Baker, this morning</div><div>Is there Toner?</div>";
    let text = "Yes, there is.\n\nAnn Baker,\nthis morning\n\nIs there Toner?";
    let found = split(text, &Context { html: Some(html), ..Context::default() });
    assert_eq!((found.reply.as_str(), found.quoted.as_str()), ("Yes, there is.", &text[16..]));
    // Another text than the HTML's is left alone.
    let found = split("Something else.", &Context { html: Some(html), ..Context::default() });
    assert_eq!(found.reply, "Something else.");
}

const PIECES: [&str; 24] = [
    "On 3 Mar 2026 Ann wrote:",
    "> quoted",
    ">> more",
    "> On 3 Mar 2026 Ann wrote:",
    "answer",
    "",
    "",
    "-- ",
    "Sent from my iPhone",
    "From: Ann <ann@example.org>",
    "Subject: x",
    "Date: today",
    "-----Original Message-----",
    "______________________________",
    "---",
    "Kind regards,",
    "Tel. 020 7946 0000",
    "##- Please type your reply above this line -##",
    "---------- Forwarded message ----------",
    "Ann> x",
    "| x",
    "> a long line that goes on and on until it is full and has no end in it",
    "lower case goes on",
    "yes. On 3 Mar 2026 ann@example.org wrote:",
];

/// Every line is in the reply, the quotation or the signature; only the mark above a signature is nowhere.
fn nothing_is_lost(text: &str, found: &Split) -> bool {
    let all = format!("{}\n{}\n{}", found.reply, found.quoted, found.signature);
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '—')).count();
    squeezed(&all) == squeezed(text)
}

proptest! {
    #[test]
    fn nothing_is_lost_and_it_is_always_the_same(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text = pieces.iter().map(|index| PIECES[*index]).collect::<Vec<_>>().join("\n");
        let found = split_of(&text, "Re: x");
        prop_assert!(nothing_is_lost(&text, &found), "{text}\n{found:?}");
        prop_assert!(found.reply.is_empty() == text.trim().is_empty());
        prop_assert_eq!(found, split_of(&text, "Re: x"));
    }

    #[test]
    fn html_and_text_of_any_kind(html in "(<div class=gmail_quote>|<blockquote>|<blockquote type=cite>|</div>|</blockquote>|<table><tr><td>|x|<br>|<p>|On 3 May 2026 Ann wrote:|<div id=Signature>){0,30}") {
        let rendered = html_text::render(&html);
        let found = split(&rendered.text, &Context { marks: Some(&rendered.marks), ..Context::default() });
        prop_assert!(nothing_is_lost(&rendered.text, &found), "{rendered:?}\n{found:?}");
    }
}

#[test]
fn hostile_texts_end_soon() {
    for piece in PIECES.iter().chain(&[
        "a:",
        "2026 @ >:",
        "(",
        "x> y> z>",
        ":",
        "|",
        "From: To: Sent: a@b",
        "\u{202a}",
        "---1---",
        "On 3 Mar",
    ]) {
        for between in ["\n", "\n\n", "\nx\n", " "] {
            let text = format!("{piece}{between}").repeat(100_000 / (piece.len() + between.len()));
            for answers_nothing in [false, true] {
                let found = split(&text, &Context { answers_nothing, ..Context::default() });
                assert!(found.reply.len() <= text.len());
            }
        }
    }
}
