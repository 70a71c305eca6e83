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
    pub(super) hidden: bool,
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

    /// Whether a reader sees nothing of the element.
    pub(super) fn hides(&self, name: &str) -> bool {
        if self.hidden {
            return true;
        }
        if self.style.is_empty() {
            return false;
        }
        let (mut clipped, mut no_height, mut no_size) = (false, false, false);
        for (property, value) in declarations(self.style) {
            match property {
                p if p.eq_ignore_ascii_case("display") && begins(value, "none") => return true,
                p if p.eq_ignore_ascii_case("visibility") && begins(value, "hidden") => return true,
                p if p.eq_ignore_ascii_case("mso-hide") && begins(value, "all") => return true,
                p if p.eq_ignore_ascii_case("opacity") && is_zero(value) => return true,
                p if p.eq_ignore_ascii_case("max-height") && is_zero(value) => no_height = true,
                p if p.eq_ignore_ascii_case("height") && is_zero(value) => no_height = true,
                p if p.eq_ignore_ascii_case("overflow") && begins(value, "hidden") => clipped = true,
                p if p.eq_ignore_ascii_case("font-size") && is_zero(value) => no_size = true,
                _ => {}
            }
        }
        // Tables and blocks without a size of letters are a habit of layout: what is in them has a size again.
        clipped && no_height || no_size && (no_height || matches!(name, "span" | "font"))
    }

    /// The declarations of the style: names and values, trimmed.
    pub(super) fn declarations(&self) -> impl Iterator<Item = (&'h str, &'h str)> {
        declarations(self.style)
    }
}

fn declarations(style: &str) -> impl Iterator<Item = (&str, &str)> {
    style.split(';').filter_map(|one| one.split_once(':')).map(|(property, value)| (property.trim(), value.trim()))
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
