use super::{LooksLike, NUMBERS_MAX, in_subject};
use expect_test::{Expect, expect};

fn check(subject: &str, bare: bool, expected: Expect) {
    let found = in_subject(subject, bare, Some(2026));
    let clues = found.clues.iter().map(|clue| format!("{}{}", if clue.marked { "#" } else { "" }, clue.number));
    let passed_over = found.passed_over.iter().map(|one| format!("({}: {})", one.text, one.looks_like));
    expected.assert_eq(&clues.chain(passed_over).collect::<Vec<_>>().join(" "));
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
    check(
        "A4 paper, 3rd floor, v2 and 1.5 or 1,000",
        true,
        expect![
            "(A4: a part of a word, a date or a decimal number) (3rd: a part of a word, a date or a decimal number) (v2: a part of a word, a date or a decimal number) (1.5: a part of a word, a date or a decimal number) (1,000: a part of a word, a date or a decimal number)"
        ],
    );
    check(
        "version 1.5.6 on 10.0.0.1",
        true,
        expect![
            "(1.5.6: a part of a word, a date or a decimal number) (10.0.0.1: a part of a word, a date or a decimal number)"
        ],
    );
    check("item 5. Thanks", true, expect!["5"]);
    check("номер7 №8", true, expect!["8 (номер7: a part of a word, a date or a decimal number)"]);
}

#[test]
fn a_word_before_a_number_says_what_it_is() {
    for (subject, number) in [
        ("Ticket 0012", "12"),
        ("Re: Item1 again", "1"),
        ("Case 12 EUR billing", "12"),
        ("item 5 mai", "5"),
        ("Case 3 am", "3"),
        ("ticket 12% done", "12"),
        ("Anfrage 2026", "2026"),
    ] {
        let found = in_subject(subject, true, Some(2026));
        assert_eq!(found.clues.iter().map(|clue| clue.number.to_string()).collect::<Vec<_>>(), [number], "{subject}");
        assert_eq!(found.passed_over, [], "{subject}");
    }
    check("item 12/13", true, expect!["12 (12/13: a ratio or a range)"]);
    check("ticket 12:30", true, expect!["(12:30: a time)"]);
    check("No 50 % discount", true, expect!["(50: an amount)"]);
    check(
        "#1.5 and PO12",
        true,
        expect![
            "(#1.5: a part of a word, a date or a decimal number) (PO12: a part of a word, a date or a decimal number)"
        ],
    );
}

#[test]
fn more_numbers_than_are_looked_up_are_told() {
    let subject = (501..=512).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let found = in_subject(&subject, true, None);
    assert_eq!(found.clues.len(), NUMBERS_MAX);
    let surplus: Vec<&str> = found.passed_over.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(surplus, ["511", "512"]);
    assert!(found.passed_over.iter().all(|one| one.looks_like == LooksLike::Surplus));
}

#[test]
fn impossible_numbers_are_ignored() {
    check("#0 #99999999999999999999 #18446744073709551616", true, expect![""]);
    check("#9223372036854775807", true, expect!["#9223372036854775807"]);
    check(&"1 2 3 4 5 6 7 8 9 10 ".repeat(9), true, expect!["1 2 3 4 5 6 7 8 9 10"]);
}

#[test]
fn any_number_that_may_be_an_item_counts() {
    for subject in ["about 5", "5", "Re: 5", "number 5 again", "5: printer", "printer (5)", "order 5", "5 invoices"] {
        check(subject, true, expect!["5"]);
    }
    check("Invoice 4711, room 12", true, expect!["4711 12"]);
}

#[test]
fn dates_and_times_are_passed_over() {
    check("Meeting 2026-11-22 about 5", true, expect!["5 (2026-11-22: a date)"]);
    check("Meeting 11/22/2026", true, expect!["(11/22/2026: a date)"]);
    check("Due 11/2026", true, expect!["(11/2026: a date)"]);
    check(
        "Am 22.11.2026 um 12:30",
        true,
        expect!["(22.11.2026: a part of a word, a date or a decimal number) (12:30: a time)"],
    );
    check("22 November, 3. Mai, Nov 4, 5 août", true, expect!["(22: a date) (3: a date) (4: a date) (5: a date)"]);
    check("at 5 pm, um 6 Uhr, 7 p.m.", true, expect!["(5: a time) (6: a time) (7: a time)"]);
    check("Market 5, mayor 6, decade 7, and 8 may be wrong", true, expect!["5 6 7 8"]);
}

#[test]
fn the_year_of_the_message_is_passed_over_unless_it_is_said_to_be_an_item() {
    check("Budget 2026", true, expect!["(2026: a year)"]);
    check("Plan for 2027 and 2025", true, expect!["(2027: a year) (2025: a year)"]);
    check("Invoice 2024 and 4026", true, expect!["2024 4026"]);
    check("#2026", true, expect!["#2026"]);
    check("Re: 2026", true, expect!["2026"]);
    check("AW: [2026]", true, expect!["2026"]);
    check("Is item 2026 done? And ticket no. 2025?", true, expect!["2026 2025"]);
    let undated = in_subject("Budget 2026", true, None);
    assert_eq!(undated.clues.len(), 1, "without a date nobody knows which year it is");
}

#[test]
fn telephone_numbers_are_passed_over() {
    check("Call +49 89 1234567", true, expect!["(49 89 1234567: a phone number)"]);
    check("Call (089) 123 45 67, item 8", true, expect!["8 (089) 123 45 67: a phone number)"]);
    check("Call 555-1234", true, expect!["(555-1234: a phone number)"]);
    check("Call 1-800-555-1234", true, expect!["(1-800-555-1234: a phone number)"]);
}

#[test]
fn ratios_and_amounts_are_passed_over() {
    check("24/7 support", true, expect!["(24/7: a ratio or a range)"]);
    check("pages 10-12 or 3–4", true, expect!["(10-12: a ratio or a range) (3–4: a ratio or a range)"]);
    check(
        "3.5 of 3,5",
        true,
        expect![
            "(3.5: a part of a word, a date or a decimal number) (3,5: a part of a word, a date or a decimal number)"
        ],
    );
    check(
        "$5, 6 €, EUR 7, 8 USD, 50%, 9 %",
        true,
        expect!["(5: an amount) (6: an amount) (7: an amount) (8: an amount) (50: an amount) (9: an amount)"],
    );
}
