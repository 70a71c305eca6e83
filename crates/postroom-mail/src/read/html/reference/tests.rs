use super::{NAMED, Reference, at, decode};

#[test]
fn the_names_are_in_order() {
    assert!(NAMED.is_sorted_by_key(|(name, ..)| *name));
}

#[test]
fn references() {
    for (rest, in_attribute, expected) in [
        ("amp;x", false, Reference::To('&', 4)),
        ("nbsp;", true, Reference::To('\u{a0}', 5)),
        ("#39;", true, Reference::To('\'', 4)),
        ("#x2014;", false, Reference::To('\u{2014}', 7)),
        (" b", false, Reference::Ampersand),
        ("", false, Reference::Ampersand),
        ("b=1", true, Reference::Ampersand),
        ("b=1", false, Reference::Unknown),
        ("copy=1", true, Reference::Ampersand),
        ("copyx", true, Reference::Ampersand),
        ("copy_x", true, Reference::Unknown),
        ("copy ", false, Reference::Unknown),
        ("utm_x=1", true, Reference::Ampersand),
        ("unheard;", true, Reference::Unknown),
        ("#0;", true, Reference::Unknown),
        ("#x80;", true, Reference::Unknown),
        ("#39 ", true, Reference::Unknown),
        ("#;", true, Reference::Unknown),
        ("#99999999;", true, Reference::Unknown),
    ] {
        assert_eq!(at(rest, in_attribute), expected, "{rest}");
    }
    assert_eq!(decode("a&amp;b&lt;&unheard;&#106;"), "a&b<&unheard;j");
}
