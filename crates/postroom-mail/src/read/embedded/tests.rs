//! Files within texts.

use super::extract;

/// A text, what is left of it, and the files: name, octets, whether they are intact.
#[allow(clippy::type_complexity)] // a row of a table
const TABLE: &[(&str, &str, &[(&str, &str, bool)])] = &[
    ("begin", "begin", &[]),
    ("begin 644 a.txt", "begin 644 a.txt", &[]),
    ("Hi\n\nbegin 644 cat.txt\n#0V%T\n`\nend\nBye\n", "Hi\n\nBye\n", &[("cat.txt", "Cat", true)]),
    ("begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n", "", &[("cat.txt", "Cat", true)]),
    ("begin 644 a b.txt\n#0V%T\nend", "", &[("a b.txt", "Cat", true)]),
    // Blanks at the end of a line are lost on the way.
    ("begin 644 z\n#0V%T\n(0V%T0V%T\n`\nend\n", "", &[("z", "CatCatCat\0\0", true)]),
    ("begin 644 z\n*0V%T0V%T0V%T\n`\nend\n", "", &[("z", "CatCatCat\0", true)]),
    // Words have not the length that their first letters say; neither have the lines of a bomb.
    (
        "begin 644 poem\n\nEND? NO\n\nA WORD MY LORD\n\nend\n",
        "begin 644 poem\n\nEND? NO\n\nA WORD MY LORD\n\nend\n",
        &[],
    ),
    ("begin 644\n&HELP ME\n'A WORD\nend\n", "begin 644\n&HELP ME\n'A WORD\nend\n", &[]),
    ("begin 644 z\nM\nM\nM\nend\n", "begin 644 z\nM\nM\nM\nend\n", &[]),
    // No end, no mode, no name, a line that is none: text about files.
    ("begin 644 cat.txt\n#0V%T\n`\n", "begin 644 cat.txt\n#0V%T\n`\n", &[]),
    ("begin the day\n#0V%T\nend\n", "begin the day\n#0V%T\nend\n", &[]),
    ("begin 644 \n#0V%T\nend\n", "", &[("", "Cat", true)]),
    ("begin 644 a\nend\n", "begin 644 a\nend\n", &[]),
    ("begin 644 x\nsome words of text here\nend\n", "begin 644 x\nsome words of text here\nend\n", &[]),
    (" begin 644 x\n#0V%T\nend\n", " begin 644 x\n#0V%T\nend\n", &[]),
    // Several, one of them broken off by the next.
    (
        "begin 644 a\n#0V%T\nbegin 644 b\n#0V%T\nend\nand\nbegin 600 c\n#0V%T\nend\n",
        "begin 644 a\n#0V%T\nand\n",
        &[("b", "Cat", true), ("c", "Cat", true)],
    ),
    ("begin-base64 644 cat.txt\nQ2F0\n====\nx", "x", &[("cat.txt", "Cat", true)]),
    ("begin-base64 644 cat.txt\nQ2F0 .\n====\n", "begin-base64 644 cat.txt\nQ2F0 .\n====\n", &[]),
    // yEnc: `Cat` is `m\u{8b}\u{9e}`, which the test writes as octets; `*` is NUL here.
    (
        "a\n=ybegin line=128 size=3 name=nul .bin\n***\n=yend size=3 crc32=ff41d912\nb",
        "a\nb",
        &[("nul .bin", "\0\0\0", true)],
    ),
    (
        "=ybegin line=128 size=3 name=a\nsome words of text\n=yend size=3\n",
        "=ybegin line=128 size=3 name=a\nsome words of text\n=yend size=3\n",
        &[],
    ),
    ("=ybegin line=128 size=4 name=n\n***\n=yend size=4\n", "", &[("n", "\0\0\0", false)]),
    ("=ybegin line=128 size=3 name=n\n***\n=yend size=3 crc32=1\n", "", &[("n", "\0\0\0", false)]),
    ("=ybegin line=128 size=1 name=n\n=j\n=yend size=1\n", "", &[("n", "\0", true)]),
    ("=ybegin line=128 size=3 name=n\n***\n", "=ybegin line=128 size=3 name=n\n***\n", &[]),
    ("=ybegin x\n***\n=yend\n", "=ybegin x\n***\n=yend\n", &[]),
    (
        "=ybegin part=1 total=2 line=128 size=4 name=n\n=ypart begin=1 end=2\n**\n=yend size=2 part=1\n\
         =ybegin part=2 total=2 line=128 size=4 name=n\n=ypart begin=3 end=4\n++\n=yend size=2 part=2\n",
        "",
        &[("n", "\0\0\u{1}\u{1}", true)],
    ),
    (
        "=ybegin part=2 total=2 line=128 size=4 name=n\n=ypart begin=3 end=4\n++\n=yend size=2 part=2\n",
        "",
        &[("n", "\u{1}\u{1}", false)],
    ),
];

#[test]
fn files_are_taken_out() {
    for (text, left, files) in TABLE {
        let extracted = extract(text.as_bytes(), 100);
        assert_eq!(String::from_utf8_lossy(&extracted.text), *left, "{text}");
        let found: Vec<_> = extracted.files.iter().map(|f| (&*f.name, &*f.octets, f.intact)).collect();
        let expected: Vec<_> = files.iter().map(|(name, octets, intact)| (*name, octets.as_bytes(), *intact)).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn no_more_than_asked_for() {
    let text = "begin 644 a\n#0V%T\nend\n".repeat(5);
    let extracted = extract(text.as_bytes(), 3);
    assert!(extracted.too_many && extracted.files.len() == 3);
    assert_eq!(extracted.text.len() * 5, text.len() * 2, "the others stay in the text");
}

#[test]
fn what_begins_and_never_ends_is_linear() {
    for line in
        ["begin 644 a\n", "begin 644 a\n#0V%T\n", "=ybegin line=1 size=1 name=a\n", "=ybegin line=1 size=1 name=a\nx\n"]
    {
        let text = line.repeat(50_000);
        assert_eq!(extract(text.as_bytes(), 100).text.len(), text.len());
    }
}

#[test]
fn a_file_is_never_longer_than_what_it_is_encoded_in() {
    let part = ["begin 644 a\n", &"M\n".repeat(1000), "end\n"].concat();
    let file = super::super::uuencode::file_of_part(part.as_bytes()).unwrap_or_default();
    assert!(file.octets.len() <= part.len() && !file.intact, "{}", file.octets.len());
    // Of a file with zeros at the ends of few lines nothing is lost.
    let full = format!("M{}\n", "0V%T".repeat(15));
    let part = ["begin 644 a\n", &full.repeat(40), "M\n", &full.repeat(40), "`\nend\n"].concat();
    let extracted = extract(part.as_bytes(), 1);
    let lengths: Vec<_> = extracted.files.iter().map(|file| (file.octets.len(), file.intact)).collect();
    assert_eq!(lengths, [(81 * 45, true)]);
}
