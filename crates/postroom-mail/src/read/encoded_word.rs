//! Encoded words in header fields (RFC 2047), as tolerant as mail needs it and linear.

use super::{charset, transfer};
use std::borrow::Cow;

/// `text` with its encoded words decoded.
///
/// White space between two encoded words vanishes (RFC 2047 §6.2). Neighbours in the same character set are decoded as
/// one where they must be, because many programs cut in the middle of a character. Words that touch other text are
/// decoded all the same.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !memchr::memchr_iter(b'=', text.as_bytes()).any(|at| text.as_bytes().get(at + 1) == Some(&b'?')) {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut run: Option<Run<'_>> = None;
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (before, candidate) = rest.split_at(start);
        let Some((word, after)) = Word::parse(candidate) else {
            end_run(&mut run, &mut decoded);
            decoded.push_str(before);
            decoded.push_str("=?");
            rest = &candidate[2..];
            continue;
        };
        let continues = run.as_ref().is_some_and(|run| run.takes(&word)) && before.trim().is_empty();
        if !continues {
            let touches = run.is_some() && before.trim().is_empty();
            end_run(&mut run, &mut decoded);
            // White space between two words vanishes even when their character sets differ.
            decoded.push_str(if touches { "" } else { before });
        }
        run.get_or_insert_with(|| Run::new(word.charset)).push(&word);
        rest = after;
    }
    end_run(&mut run, &mut decoded);
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// Neighbouring words in one character set.
struct Run<'x> {
    charset: &'x str,
    octets: Vec<u8>,
    /// Where each word ends in `octets`.
    ends: Vec<usize>,
}

impl<'x> Run<'x> {
    fn new(charset: &'x str) -> Self {
        Self { charset, octets: Vec::new(), ends: Vec::new() }
    }

    fn takes(&self, word: &Word<'_>) -> bool {
        self.charset.eq_ignore_ascii_case(word.charset)
    }

    fn push(&mut self, word: &Word<'_>) {
        word.append_to(&mut self.octets);
        self.ends.push(self.octets.len());
    }

    /// Each word on its own, as the RFC has it; where that fails, all of them as one.
    fn decode(&self) -> String {
        if self.charset.get(..8).is_some_and(|label| label.eq_ignore_ascii_case("iso-2022")) {
            // A shift may hold on from one word into the next.
            return charset::decode(&self.octets, Some(self.charset)).0.into_owned();
        }
        let mut decoded = String::new();
        let mut start = 0;
        for &end in &self.ends {
            let (text, intact) = charset::decode(&self.octets[start..end], Some(self.charset));
            if !intact {
                return charset::decode(&self.octets, Some(self.charset)).0.into_owned();
            }
            decoded.push_str(&text);
            start = end;
        }
        decoded
    }
}

fn end_run(run: &mut Option<Run<'_>>, decoded: &mut String) {
    if let Some(run) = run.take() {
        decoded.push_str(&run.decode());
    }
}

/// `=?charset?B?text?=` or `=?charset*language?Q?text?=`.
struct Word<'x> {
    charset: &'x str,
    base64: bool,
    text: &'x str,
}

impl<'x> Word<'x> {
    /// The word at the start of `text`, which begins with `=?`, and what follows it.
    fn parse(text: &'x str) -> Option<(Self, &'x str)> {
        let body = text.strip_prefix("=?")?;
        // Longer labels do not exist, and the bound keeps a row of `=?` linear.
        let label_end = body.bytes().take(76).position(|b| b == b'?')?;
        let label = &body[..label_end];
        let base64 = match body.as_bytes().get(label_end + 1)? {
            b'b' | b'B' => true,
            b'q' | b'Q' => false,
            _ => return None,
        };
        if body.as_bytes().get(label_end + 2) != Some(&b'?') || !label.is_ascii() {
            return None;
        }
        let content = &body[label_end + 3..];
        let end = end_of_word(content.as_bytes())?;
        // RFC 2231 §5: a language may follow the character set.
        let charset = label.split('*').next().unwrap_or(label);
        let text = &content[..end];
        // Raw octets in a word were understood before, as UTF-8 most of the time, whatever the word claims.
        let charset = if text.is_ascii() { charset } else { "utf-8" };
        Some((Self { charset, base64, text }, &content[end + 2..]))
    }

    fn append_to(&self, octets: &mut Vec<u8>) {
        if self.base64 {
            octets.extend_from_slice(&transfer::base64(self.text.as_bytes()).0);
            return;
        }
        let text = self.text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            match text[at..] {
                [b'_', ..] => octets.push(b' '),
                [b'=', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    octets.push(transfer::hex(high) << 4 | transfer::hex(low));
                    at += 2;
                }
                [octet, ..] => octets.push(octet),
                [] => {}
            }
            at += 1;
        }
    }
}

/// Where the `?=` stands that ends a word. A `=?` before it means that this word was never finished; stopping there
/// keeps a thousand unfinished words linear.
fn end_of_word(content: &[u8]) -> Option<usize> {
    for at in memchr::memchr_iter(b'?', content) {
        if content.get(at + 1) == Some(&b'=') {
            return Some(at);
        }
        if at > 0 && content[at - 1] == b'=' {
            return None;
        }
    }
    None
}
