//! Address lists of From, To and Cc (RFC 5322 §3.4 and §4.4): tolerant of what mail programs write, strict in never
//! seeing one author where another reader could see a second one.

use super::encoded_word;
use super::fields::one_line;
use super::header::ADDRESSES_MAX;
use crate::Address;
use std::borrow::Cow;

/// Characters kept of a display name.
pub(super) const NAME_MAX: usize = 200;
/// Octets kept of an addr-spec.
// RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain, and the `@`
pub(super) const ADDR_SPEC_MAX: usize = 320;

/// What a field names.
#[derive(Debug, Default)]
pub(super) struct AddressList {
    /// Every mailbox, those of groups included, in order. One without an addr-spec keeps its words as the name.
    pub(super) addresses: Vec<Address>,
    /// Names of groups; in a From field a group means that nobody can say who wrote.
    pub(super) groups: Vec<String>,
    /// Whether there were more addresses than asked for.
    pub(super) cut: bool,
    /// Whether a name was longer than [`NAME_MAX`].
    pub(super) long_names: bool,
    /// Whether an addr-spec was longer than [`ADDR_SPEC_MAX`].
    pub(super) long_addr_specs: bool,
}

/// Reads an unfolded field value, at most `limit` addresses of it. Linear in the length of `field`.
pub(super) fn parse(field: &str, limit: usize) -> AddressList {
    let mut list = AddressList::default();
    let mut entry = Entry::default();
    for token in Tokens::new(field) {
        match token {
            Token::Separator(':') if entry.may_be_group_label() => {
                let label = list.display_name([&std::mem::take(&mut entry).phrase, ""]);
                list.cut |= list.groups.len() >= ADDRESSES_MAX;
                if !list.cut {
                    list.groups.push(label);
                }
            }
            // Nobody quotes the comma of "Doe, John <j@example.org>" who should.
            Token::Separator(',') if entry.is_only_words() => entry.phrase += ", ",
            Token::Separator(',' | ';') => std::mem::take(&mut entry).finish(&mut list, limit),
            Token::Separator(other) => entry.words().to_mut().push(other),
            Token::Text(text) => {
                entry.has_at |= entry.angles.is_empty() && text.contains('@');
                *entry.words() += text;
            }
            // A name, whatever stands in it.
            Token::EncodedWord(text) => *entry.words() += text,
            Token::Comment(text) => {
                entry.comment.get_or_insert(text);
            }
            Token::Angle(content) => entry.angles.push(content),
        }
        if list.cut {
            return list;
        }
    }
    entry.finish(&mut list, limit);
    list
}

/// One mailbox as far as it was read.
#[derive(Debug, Default)]
struct Entry<'x> {
    phrase: Cow<'x, str>,
    /// Whether there is an `@` in the phrase. To look for it at each comma would cost the square of their number.
    has_at: bool,
    comment: Option<&'x str>,
    angles: Vec<&'x str>,
    /// Words behind an angle bracket, where nothing should stand.
    tail: Cow<'x, str>,
}

impl<'x> Entry<'x> {
    fn words(&mut self) -> &mut Cow<'x, str> {
        if self.angles.is_empty() { &mut self.phrase } else { &mut self.tail }
    }

    fn is_only_words(&self) -> bool {
        self.angles.is_empty() && !self.has_at && !self.phrase.trim().is_empty()
    }

    /// A colon after words that are no address begins a group; after an address it is only a stray character.
    fn may_be_group_label(&self) -> bool {
        self.angles.is_empty() && !self.has_at
    }

    fn finish(self, list: &mut AddressList, limit: usize) {
        let comment = self.comment.unwrap_or_default();
        if self.angles.is_empty() {
            return list.add_bare(&self.phrase, comment, limit);
        }
        let mut name = list.display_name([&self.phrase, comment]);
        let mut angles = self.angles;
        // `<a@b> <c@d>`: two readers may see two authors; the same one twice is one.
        angles.dedup();
        let last = angles.len() - 1;
        for (index, angle) in angles.into_iter().enumerate() {
            let name = if index == last { std::mem::take(&mut name) } else { name.clone() };
            list.add(name, addr_spec_in_angle(angle), limit);
        }
        // `<a@b>c@d`: two readers may see two authors here, so both are named.
        if self.tail.contains('@') {
            list.add_bare(&self.tail, "", limit);
        }
    }
}

impl AddressList {
    fn add(&mut self, name: String, mut addr_spec: String, limit: usize) {
        if self.addresses.len() >= limit {
            self.cut = true;
            return;
        }
        if addr_spec.len() > ADDR_SPEC_MAX {
            // What is left must not be somebody else's address.
            addr_spec.truncate(addr_spec.floor_char_boundary(ADDR_SPEC_MAX - char::REPLACEMENT_CHARACTER.len_utf8()));
            addr_spec.push(char::REPLACEMENT_CHARACTER);
            self.long_addr_specs = true;
        }
        self.addresses.push(Address::new(name, addr_spec));
    }

    /// No angle brackets: words with an `@` are addresses, the others are the name.
    fn add_bare(&mut self, phrase: &str, comment: &str, limit: usize) {
        let phrase = close_up(phrase);
        let (mut addr_specs, mut words) = (Vec::new(), Vec::new());
        let (mut dot_before, mut after_address, mut torn) = (false, false, false);
        for word in words_outside_quotes(&phrase) {
            let is_encoded = encoded_word_end(word.as_bytes(), 0) == Some(word.len());
            let is_address = !is_encoded && at_outside_quotes(word);
            // `ann . lee@example . org` in the obsolete syntax is Ann Lee's; half of an address is somebody else's.
            torn |= is_address && (dot_before || word.starts_with('.')) || after_address && word.starts_with('.');
            if is_address {
                addr_specs.push(word)
            } else {
                words.push(word)
            }
            (dot_before, after_address) = (word.ends_with('.'), is_address);
        }
        if let [only] = addr_specs.as_mut_slice() {
            *only = in_mailto_brackets(only).unwrap_or(only);
        }
        let name = self.display_name([words.join(" ").trim_end_matches(','), comment]);
        if addr_specs.is_empty() && !name.is_empty() {
            return self.add(name, String::new(), limit);
        }
        for addr_spec in addr_specs {
            let mut addr_spec = clean(addr_spec);
            if torn {
                addr_spec.push(char::REPLACEMENT_CHARACTER);
            }
            self.add(name.clone(), addr_spec, limit);
        }
    }

    /// The first of these that says anything, as a display name that is not too long.
    fn display_name(&mut self, phrases: [&str; 2]) -> String {
        let mut name = phrases.into_iter().map(display_name).find(|name| !name.is_empty()).unwrap_or_default();
        if let Some((end, _)) = name.char_indices().nth(NAME_MAX) {
            name.truncate(end);
            self.long_names = true;
        }
        name
    }
}

/// The display name: quotes taken off, encoded words decoded, one line without control characters.
fn display_name(phrase: &str) -> String {
    let phrase = without_quotes(phrase.trim());
    let name = one_line(&encoded_word::decode(&phrase));
    // Some programs quote a name that has quotes of its own.
    match name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(unquoted) => unquoted.trim().to_owned(),
        None => name,
    }
}

/// `phrase` without the quotes of its quoted strings, and what they escape without its backslash.
fn without_quotes(phrase: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'"', b'\\', phrase.as_bytes()).is_none() {
        return Cow::Borrowed(phrase);
    }
    let mut plain = String::with_capacity(phrase.len());
    let mut characters = phrase.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => {}
            '\\' => plain.extend(characters.next()),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// The addr-spec between angle brackets: without comments, blanks around its parts, `mailto:` and source route.
// RFC 5322 §4.4: a route is to be ignored
fn addr_spec_in_angle(content: &str) -> String {
    let plain = super::parameter::without_comments(content);
    let mut spec = plain.trim();
    if spec.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("mailto:")) {
        spec = spec[7..].trim_start();
    }
    if spec.starts_with('@')
        && let Some(colon) = spec.find(':')
    {
        spec = &spec[colon + 1..];
    }
    clean(&close_up(spec))
}

/// What `[mailto:a@b]` names, as it stands behind a name that was copied out of a mail program. Only a plain addr-spec.
fn in_mailto_brackets(word: &str) -> Option<&str> {
    let content = word.strip_prefix('[')?.strip_suffix(']')?;
    let (scheme, addr_spec) = content.split_at_checked(7)?;
    let is_plain = |c: char| c.is_alphanumeric() || "@.-_+'".contains(c);
    let is_one = addr_spec.chars().all(is_plain) && addr_spec.matches('@').take(2).count() == 1;
    (scheme.eq_ignore_ascii_case("mailto:") && is_one).then_some(addr_spec)
}

/// Control characters become U+FFFD, so that a damaged address is not taken for the whole one it resembles.
fn clean(addr_spec: &str) -> String {
    if addr_spec.bytes().all(|b| b.is_ascii_graphic()) {
        return addr_spec.to_owned();
    }
    addr_spec.trim().chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// `a . b @ c` as `a.b@c`: obsolete syntax allows white space around dots and the `@` (RFC 5322 §4.4). In a name a dot
/// ends an initial, so white space goes only where an `@` follows in the same run.
fn close_up(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let mut closed = String::with_capacity(text.len());
    let mut quoted = false;
    let mut blank = false;
    for c in text.trim().chars() {
        if c == '"' && !closed.ends_with('\\') {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) && c != '@' && !closed.ends_with('@') {
            closed.push(' ');
        }
        closed.push(c);
    }
    Cow::Owned(closed)
}

fn words_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    })
    .filter(|word| !word.is_empty())
}

fn at_outside_quotes(word: &str) -> bool {
    let mut quoted = false;
    word.chars().any(|c| {
        quoted ^= c == '"';
        c == '@' && !quoted
    })
}

/// The pieces of an address list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'x> {
    /// `,`, `;` or `:` outside of quotes, comments, brackets.
    Separator(char),
    /// Words, quoted strings with their quotes, domain literals with their brackets.
    Text(&'x str),
    /// An encoded word (RFC 2047 §2), in which brackets and commas mean themselves.
    EncodedWord(&'x str),
    /// Inside of a comment.
    Comment(&'x str),
    /// Inside of angle brackets.
    Angle(&'x str),
}

struct Tokens<'x> {
    text: &'x str,
    at: usize,
    /// Position of the last `>`: an angle bracket opened behind it never closes.
    last_angle: Option<usize>,
    /// A quote never closed. From there on quotes are ordinary characters, which also keeps the work linear.
    quotes_are_broken: bool,
}

impl<'x> Tokens<'x> {
    fn new(text: &'x str) -> Self {
        Self { text, at: 0, last_angle: text.rfind('>'), quotes_are_broken: false }
    }

    /// The end of a quoted string that opens at `from`, its closing quote included. One that never closes ends where
    /// it began, so that a stray quote does not swallow the addresses after it.
    fn quoted_end(&mut self, from: usize) -> usize {
        if self.quotes_are_broken {
            return from + 1;
        }
        let mut escaped = false;
        for (offset, b) in self.text.as_bytes()[from + 1..].iter().enumerate() {
            match b {
                b'"' if !escaped => return from + offset + 2,
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.quotes_are_broken = true;
        from + 1
    }

    fn comment_end(&self, from: usize) -> usize {
        let (mut depth, mut escaped) = (0usize, false);
        for (offset, b) in self.text.as_bytes()[from..].iter().enumerate() {
            let here = std::mem::take(&mut escaped);
            match b {
                b'\\' => escaped = !here,
                b'(' if !here => depth += 1,
                b')' if !here => {
                    depth -= 1;
                    if depth == 0 {
                        return from + offset + 1;
                    }
                }
                _ => {}
            }
        }
        self.text.len()
    }

    /// The end of the angle bracket that opens at `from`, its `>` included; without one the next separator.
    fn angle_end(&mut self, from: usize) -> usize {
        let text = self.text;
        let bytes = text.as_bytes();
        let closes = self.last_angle.is_some_and(|last| last > from);
        let mut at = from + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'"' => at = self.quoted_end(at) - 1,
                b'>' => return at + 1,
                b',' | b';' if !closes => return at,
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }
}

impl<'x> Iterator for Tokens<'x> {
    type Item = Token<'x>;

    fn next(&mut self) -> Option<Token<'x>> {
        let from = self.at;
        let text = self.text;
        let first = *text.as_bytes().get(from)?;
        let token;
        (self.at, token) = match first {
            b',' | b';' | b':' => (from + 1, Token::Separator(char::from(first))),
            b'"' => {
                let end = self.quoted_end(from);
                (end, Token::Text(&text[from..end]))
            }
            b'(' => {
                let end = self.comment_end(from);
                (end, Token::Comment(text[from + 1..end].trim_end_matches(')')))
            }
            b'<' => {
                let end = self.angle_end(from);
                let content = text[from + 1..end].trim_end_matches('>');
                // `<<a@b>>` is written by programs that bracket what is bracketed already.
                (end, Token::Angle(content.trim_start_matches([' ', '<'])))
            }
            b'>' => (from + 1, Token::Text("")),
            b'[' => {
                let end = text[from..].find([']', ',']).map_or(text.len(), |at| from + at + 1);
                (end, Token::Text(&text[from..end]))
            }
            _ => match encoded_word_end(text.as_bytes(), from) {
                Some(end) => (end, Token::EncodedWord(&text[from..end])),
                None => {
                    let rest = &text.as_bytes()[from + 1..];
                    let ends = |at: usize| match ENDS[usize::from(rest[at])] {
                        true => rest[at] != b'=' || rest.get(at + 1) == Some(&b'?'),
                        false => false,
                    };
                    let end = (0..rest.len()).find(|&at| ends(at)).map_or(text.len(), |at| from + 1 + at);
                    (end, Token::Text(&text[from..end]))
                }
            },
        };
        Some(token)
    }
}

/// Octets at which a row of words may end.
const ENDS: [bool; 256] = {
    let (mut ends, specials, mut at) = ([false; 256], *b",;:\"(<>[=", 0);
    while at < specials.len() {
        ends[specials[at] as usize] = true;
        at += 1;
    }
    ends
};

/// Octets of an encoded word that are looked at; RFC 2047 §2 allows 75.
const ENCODED_WORD_MAX: usize = 255;

/// The end of an encoded word that begins at `from`. None that has blanks in it: it is no word to every reader.
fn encoded_word_end(text: &[u8], from: usize) -> Option<usize> {
    let word = text.get(from..)?.strip_prefix(b"=?")?;
    let word = &word[..word.len().min(ENCODED_WORD_MAX)];
    let charset = word.iter().position(|&b| b == b'?')?;
    let is_label = charset > 0 && word[..charset].iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:*+".contains(b));
    let content = word.get(charset + 3..)?;
    let is_begun = matches!(word[charset + 1], b'B' | b'b' | b'Q' | b'q') && word[charset + 2] == b'?';
    let end = memchr::memmem::find(content, b"?=")?;
    let is_word = is_label && is_begun && content[..end].iter().all(|b| !b.is_ascii_whitespace());
    is_word.then_some(from + 2 + charset + 3 + end + 2)
}
