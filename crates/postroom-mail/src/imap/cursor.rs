//! Reads tokens from a logical line.

use super::MAX_NESTING;
use super::reader::{BODY_MARK, parse_number};
use std::borrow::Cow;

/// A place in a line. Every method moves forward and never fails on what it does not know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

/// One value, without the inside of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// `NIL`.
    Nil,
    /// Anything without quotes.
    Atom(&'a [u8]),
    /// A quoted string or small literal.
    Text(Cow<'a, [u8]>),
    /// The message literal that was handed on in chunks.
    Body,
    /// A list, skipped.
    List,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// The rest of the line.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.line[self.at.min(self.line.len())..]
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Passes over blanks. Some servers send several where the standard has one.
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes over `octet` if it comes next.
    pub(super) fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Octets up to the next one in `stops`, or to the end.
    pub(super) fn until(&mut self, stops: &[u8]) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|b| stops.contains(b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A word of a response.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.skip_blanks();
        self.until(b" \t()")
    }

    /// The name of a FETCH item, with the section in brackets that may hold blanks and lists: `BODY[HEADER.FIELDS (TO)]<0>`.
    pub(super) fn item_name(&mut self) -> &'a [u8] {
        self.skip_blanks();
        let start = self.at;
        self.until(b" \t()[");
        if self.take(b'[') {
            self.until(b"]");
            self.take(b']');
            self.until(b" \t()");
        }
        &self.line[start..self.at]
    }

    /// The next value; `None` at the end of the line, at a closing parenthesis, or inside too deep a list.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        self.skip_blanks();
        match self.peek()? {
            b')' => None,
            b'(' => self.skip_list().then_some(Value::List),
            b'"' => Some(Value::Text(self.quoted())),
            BODY_MARK => {
                self.at += 1;
                Some(Value::Body)
            }
            b'{' | b'~' => Some(self.literal().map_or_else(|| self.atom(), |text| Value::Text(text.into()))),
            _ => Some(self.atom()),
        }
    }

    fn atom(&mut self) -> Value<'a> {
        let atom = self.until(b" \t()");
        if atom.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Atom(atom) }
    }

    // RFC 9051 §4.3. A backslash before anything but a quote or backslash stands for itself: servers forget to double it.
    fn quoted(&mut self) -> Cow<'a, [u8]> {
        self.at += 1;
        let start = self.at;
        let mut unescaped: Option<Vec<u8>> = None;
        while let Some(b) = self.peek() {
            let next = self.line.get(self.at + 1).copied();
            match (b, next) {
                (b'"', _) => break,
                (b'\\', Some(c @ (b'"' | b'\\'))) => {
                    unescaped.get_or_insert_with(|| self.line[start..self.at].to_vec()).push(c);
                    self.at += 2;
                }
                _ => {
                    if let Some(text) = &mut unescaped {
                        text.push(b);
                    }
                    self.at += 1;
                }
            }
        }
        let raw = &self.line[start..self.at];
        self.at = (self.at + 1).min(self.line.len());
        unescaped.map_or(Cow::Borrowed(raw), Cow::Owned)
    }

    /// A small literal: its octets stand in the line behind the line end.
    fn literal(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        ahead.take(b'~');
        if !ahead.take(b'{') {
            return None;
        }
        // Looks only as far as a number can reach, so that a line full of braces is still read in linear time.
        let reach = ahead.rest().len().min(21);
        let digits = &ahead.rest()[..ahead.rest()[..reach].iter().position(|b| !b.is_ascii_digit())?];
        ahead.at += digits.len();
        ahead.take(b'+');
        let length = usize::try_from(parse_number(digits)?).ok()?;
        if !ahead.take(b'}') {
            return None;
        }
        ahead.skip_blanks();
        ahead.take(b'\r');
        if !ahead.take(b'\n') {
            return None;
        }
        let octets = ahead.rest().get(..length)?;
        ahead.at += length;
        *self = ahead;
        Some(octets)
    }

    /// Passes over a list with all that is in it; `false` when it nests too deep.
    fn skip_list(&mut self) -> bool {
        let mut depth = 0_usize;
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return true,
                Some(b'(') => {
                    depth += 1;
                    self.at += 1;
                    if depth > MAX_NESTING {
                        self.at = self.line.len();
                        return false;
                    }
                }
                Some(b')') => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return true;
                    }
                }
                Some(_) => {
                    // Neither parenthesis is next, so this is a string or an atom and cannot go deeper.
                    let _passed_over = self.value();
                }
            }
        }
    }

    /// The atoms of a list: flags, say. Strings among them are taken as they are.
    pub(super) fn words_of_list(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        self.skip_blanks();
        if !self.take(b'(') {
            return words;
        }
        while let Some(value) = self.value() {
            match value {
                Value::Atom(text) => words.push(String::from_utf8_lossy(text).into_owned()),
                Value::Text(text) => words.push(String::from_utf8_lossy(&text).into_owned()),
                Value::Nil | Value::Body | Value::List => {}
            }
        }
        self.take(b')');
        words
    }
}
