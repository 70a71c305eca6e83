//! A tag: its name, the attributes that matter here, and whether it hides what it holds.

/// The name of an element in lower case; of names longer than any that matters, the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    octets: [u8; 16],
    length: usize,
}

impl Name {
    /// The name that `octets` begin with; it may be empty.
    pub(super) fn at(octets: &[u8]) -> Self {
        let mut name = Self { octets: [0; 16], length: 0 };
        for (to, from) in name.octets.iter_mut().zip(octets.iter().take_while(|b| b.is_ascii_alphanumeric())) {
            *to = from.to_ascii_lowercase();
            name.length += 1;
        }
        name
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    pub(super) fn as_str(&self) -> &str {
        // Only ASCII letters and digits are in it.
        std::str::from_utf8(self.octets()).unwrap_or_default()
    }
}

/// The attributes that matter here, as they stand in the source.
#[derive(Debug, Default)]
pub(super) struct Attributes<'h> {
    pub(super) id: &'h str,
    pub(super) class: &'h str,
    pub(super) name: &'h str,
    pub(super) style: &'h str,
    pub(super) kind: &'h str,
    pub(super) href: &'h str,
    pub(super) alt: &'h str,
    pub(super) start: &'h str,
    pub(super) value: &'h str,
    pub(super) border: &'h str,
    pub(super) width: &'h str,
    pub(super) height: &'h str,
    pub(super) color: &'h str,
    pub(super) bgcolor: &'h str,
    pub(super) hidden: bool,
}

/// How the text of an element looks, as far as its own tag says so.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// A reader sees nothing of it.
    pub(super) is_hidden: bool,
    /// Its letters are white.
    pub(super) is_white: bool,
    /// What is behind it may not be white.
    pub(super) has_ground: bool,
}

impl<'h> Attributes<'h> {
    /// Reads what stands between the name of a tag and its `>`; of an attribute given twice the first counts
    /// (HTML Standard §13.2.5.33).
    pub(super) fn of(mut source: &'h str) -> Self {
        let mut attributes = Self::default();
        loop {
            source = source.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if source.is_empty() || source.starts_with('>') {
                return attributes;
            }
            let octets = source.as_bytes();
            // A name has at least one character, so that every round takes something away.
            let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/');
            let end = octets.iter().skip(1).position(ends).map_or(octets.len(), |at| at + 1);
            let Some((name, rest)) = source.split_at_checked(end) else { return attributes };
            let (value, rest) = value(rest);
            attributes.set(name, value);
            source = rest;
        }
    }

    fn set(&mut self, name: &str, value: &'h str) {
        let lower = Name::at(name.as_bytes());
        let field = match lower.octets() {
            _ if lower.len() != name.len() => return,
            b"id" => &mut self.id,
            b"class" => &mut self.class,
            b"name" => &mut self.name,
            b"style" => &mut self.style,
            b"type" => &mut self.kind,
            b"href" => &mut self.href,
            b"alt" => &mut self.alt,
            b"start" => &mut self.start,
            b"value" => &mut self.value,
            b"border" => &mut self.border,
            b"width" => &mut self.width,
            b"height" => &mut self.height,
            b"color" => &mut self.color,
            b"bgcolor" => &mut self.bgcolor,
            b"background" => &mut self.bgcolor,
            b"hidden" => {
                self.hidden = true;
                return;
            }
            _ => return,
        };
        if field.is_empty() {
            *field = value;
        }
    }

    /// How the element `name` looks.
    pub(super) fn look(&self, name: &str) -> Look {
        let (mut ink, mut ground) = (self.color, self.bgcolor);
        let (mut hidden, mut clipped, mut no_height, mut no_size) = (self.hidden, false, false, false);
        for (property, value) in self.declarations() {
            match property {
                p if p.eq_ignore_ascii_case("display") => hidden |= begins(value, "none"),
                p if p.eq_ignore_ascii_case("visibility") => hidden |= begins(value, "hidden"),
                p if p.eq_ignore_ascii_case("mso-hide") => hidden |= begins(value, "all"),
                p if p.eq_ignore_ascii_case("opacity") => hidden |= is_zero(value),
                p if p.eq_ignore_ascii_case("max-height") => no_height |= is_zero(value),
                p if p.eq_ignore_ascii_case("height") => no_height |= is_zero(value),
                p if p.eq_ignore_ascii_case("overflow") => clipped |= begins(value, "hidden"),
                p if p.eq_ignore_ascii_case("font-size") => no_size |= is_zero(value),
                p if p.eq_ignore_ascii_case("color") => ink = value,
                p if begins(p, "background") => ground = value,
                _ => {}
            }
        }
        let (ink, ground) = (colour(ink), colour(ground));
        // Tables and blocks without a size of letters are a habit of layout: what is in them has a size again.
        let is_of_words = || matches!(name, "span" | "font" | "p" | "a" | "b" | "i" | "em" | "strong" | "u" | "small");
        Look {
            is_hidden: hidden
                || clipped && no_height
                || no_size && (no_height || is_of_words())
                || !ink.is_empty() && ink.eq_ignore_ascii_case(ground),
            is_white: ink == WHITE,
            has_ground: !matches!(ground, "" | WHITE),
        }
    }

    /// The declarations of the style: names and values, trimmed.
    pub(super) fn declarations(&self) -> impl Iterator<Item = (&'h str, &'h str)> {
        declarations(self.style)
    }
}

fn declarations(style: &str) -> impl Iterator<Item = (&str, &str)> {
    style.split(';').filter_map(|one| one.split_once(':')).map(|(property, value)| (property.trim(), value.trim()))
}

const WHITE: &str = "white";

/// A colour without what may stand behind it; the usual ways to write white as that word.
fn colour(value: &str) -> &str {
    let value = value.split('!').next().unwrap_or_default().trim();
    let is_white = ["white", "#fff", "#ffffff", "ffffff", "rgb(255,255,255)", "rgb(255, 255, 255)"]
        .iter()
        .any(|white| value.eq_ignore_ascii_case(white));
    // Nothing is seen through these.
    let is_none = || ["transparent", "none", "inherit", "initial"].iter().any(|none| value.eq_ignore_ascii_case(none));
    match is_white {
        true => WHITE,
        false if is_none() => "",
        false => value,
    }
}

fn begins(value: &str, with: &str) -> bool {
    value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// `0`, `0px`, `0.0em`, but not `0.5`.
fn is_zero(value: &str) -> bool {
    value.starts_with('0') && !value.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

/// The value behind the name of an attribute, and what follows it.
fn value(source: &str) -> (&str, &str) {
    let Some(value) = source.trim_start_matches(|c: char| c.is_ascii_whitespace()).strip_prefix('=') else {
        return ("", source);
    };
    let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    let end = value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len());
    value.split_at(end)
}
