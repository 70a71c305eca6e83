use super::{Reference, at, decode};

#[test]
fn references() {
    let to = |character, length| Reference::To(character, None, length);
    for (rest, in_attribute, expected) in [
        ("amp;x", false, to('&', 4)),
        ("nbsp;", true, to('\u{a0}', 5)),
        ("CounterClockwiseContourIntegral;", false, to('\u{2233}', 32)),
        ("fjlig;", false, Reference::To('f', Some('j'), 6)),
        ("#39;", true, to('\'', 4)),
        ("#x2014;", false, to('\u{2014}', 7)),
        ("#X41;", false, to('A', 5)),
        ("#00000000000000000065;", false, to('A', 22)),
        ("#x80;", true, to('€', 5)),
        ("#129;", false, to('\u{81}', 5)),
        ("#0;", true, to('\u{fffd}', 3)),
        ("#xD800;", true, to('\u{fffd}', 7)),
        ("#99999999999;", true, to('\u{fffd}', 13)),
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
        ("coun;", true, Reference::Unknown),
        ("#39 ", true, Reference::Unknown),
        ("#;", true, Reference::Unknown),
        ("#x;", true, Reference::Unknown),
        ("#-1;", true, Reference::Unknown),
    ] {
        assert_eq!(at(rest, in_attribute), expected, "{rest}");
    }
    assert_eq!(decode("a&amp;b&lt;&unheard;&#106;&fjlig; &nbsp&"), "a&b<&unheard;jfj &nbsp&");
}
