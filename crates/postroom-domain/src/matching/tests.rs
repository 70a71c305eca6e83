use super::numbers_in;
use expect_test::{Expect, expect};

fn check(subject: &str, bare: bool, expected: Expect) {
    let numbers: Vec<String> = numbers_in(subject, bare)
        .iter()
        .map(|clue| format!("{}{}", if clue.marked { "#" } else { "" }, clue.number))
        .collect();
    expected.assert_eq(&numbers.join(" "));
}

#[test]
fn marked_numbers_come_before_bare_ones() {
    check("Re: invoice 77 for [#12]", true, expect!["#12 77"]);
    check("Re: [#12] and #7, also 9 and 8", true, expect!["#12 #7 9 8"]);
    check("#12 12 #12", true, expect!["#12"]);
}

#[test]
fn bare_numbers_can_be_switched_off() {
    check("Re: invoice 77 for [#12]", false, expect!["#12"]);
    check("77", false, expect![""]);
}

#[test]
fn a_number_stands_apart_from_words() {
    check("SUP-123 (45) 'x' 6", true, expect!["123 45 6"]);
    check("A4 paper, 3rd floor, v2 and 1.5 or 1,000", true, expect![""]);
    check("version 1.5.6 on 10.0.0.1", true, expect![""]);
    check("item 5. Thanks", true, expect!["5"]);
    check("номер7 №8", true, expect!["8"]);
}

#[test]
fn impossible_numbers_are_ignored() {
    check("#0 #99999999999999999999 #18446744073709551616", true, expect![""]);
    check("#9223372036854775807", true, expect!["#9223372036854775807"]);
    check(&"1 2 3 4 5 6 7 8 9 10 ".repeat(9), true, expect!["1 2 3 4 5 6 7 8 9 10"]);
}
