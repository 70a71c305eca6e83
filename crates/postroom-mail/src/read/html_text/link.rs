//! Whether the words of a link say already where it leads.

/// Whether the words of a link are the number that it calls: `(030) 123-45` for `+493012345`.
pub(super) fn is_same_number(words: &str, target: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (shown, called) = (digits(words), digits(target));
    shown.len() > 3 && called.ends_with(shown.trim_start_matches('0'))
}

/// Whether the words of a link are its target already: `example.org` for `https://www.example.org/`.
pub(super) fn is_same_target(words: &str, target: &str) -> bool {
    fn bare(address: &str) -> &str {
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        address.strip_prefix("www.").unwrap_or(address).trim_end_matches('/')
    }
    let words = words.trim_matches(|c: char| matches!(c, '<' | '>' | '(' | ')' | '[' | ']'));
    bare(words).eq_ignore_ascii_case(bare(target)) || words.eq_ignore_ascii_case(target)
}
