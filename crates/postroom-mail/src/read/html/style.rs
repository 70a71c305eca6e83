//! Declarations of `style` attributes: those that colour, size and align stay.

/// Octets of one `style` attribute that are looked at.
const STYLE_MAX: usize = 8 * 1024;
/// Octets of one value.
const VALUE_MAX: usize = 200;

/// What became of a `style` attribute.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sifted {
    /// The declarations that stay, without blanks between them.
    pub(super) kept: String,
    /// How many went because they could run, load, cover or hide, not counting those that are merely unknown.
    pub(super) removed: u64,
}

/// Sorts the declarations of `style`. A declaration with anything in it that a value of these properties does not need
/// falls away whole: escapes, comments, functions other than colours, negative lengths, sizes that leave the box.
pub(super) fn sift(style: &str) -> Sifted {
    let mut sifted = Sifted::default();
    let end = style.floor_char_boundary(STYLE_MAX);
    sifted.removed += u64::from(end < style.len());
    for declaration in style[..end].split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            sifted.removed += u64::from(is_active(declaration));
            continue;
        };
        let (property, value) = (property.trim(), value.trim());
        match PROPERTIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(property)) {
            Some((name, size)) if is_plain(value) && size.allows(value) => {
                if !sifted.kept.is_empty() {
                    sifted.kept.push(';');
                }
                sifted.kept.push_str(name);
                sifted.kept.push(':');
                sifted.kept.push_str(value);
            }
            Some((_, Size::Any)) => sifted.removed += u64::from(is_active(value)),
            Some((_, Size::Ink)) => sifted.removed += u64::from(is_active(value) || is_see_through(value)),
            Some(_) => sifted.removed += 1,
            None => {
                let is_active = is_covering(property, value) || is_hiding(property, value) || is_active(declaration);
                sifted.removed += u64::from(is_active);
            }
        }
    }
    sifted
}

/// Whether some style sheet could run, load or cover, as far as one can tell without understanding it.
pub(super) fn is_active(css: &str) -> bool {
    // An escape or a comment in the middle of a word is how one hides from a search for words.
    css.contains(['\\', '@']) || css.contains("/*") || {
        let lower = css.to_ascii_lowercase();
        ["url(", "image(", "image-set(", "expression", "binding", "behavior", "script:", "var(", "attr(", "element("]
            .iter()
            .any(|word| lower.contains(word))
    }
}

/// Properties that take an element out of its place or lay it over others.
fn is_covering(property: &str, value: &str) -> bool {
    let property = property.to_ascii_lowercase();
    match property.as_str() {
        "position" => !["static", "relative"].iter().any(|harmless| value.eq_ignore_ascii_case(harmless)),
        "z-index" | "transform" | "translate" | "scale" | "rotate" | "zoom" | "clip" | "clip-path" | "inset"
        | "content" | "filter" | "backdrop-filter" | "animation" | "mask" => true,
        "top" | "left" | "right" | "bottom" | "text-indent" => value.starts_with('-'),
        _ => property.starts_with("margin") && value.contains('-'),
    }
}

/// Declarations that hide text. They never stay.
fn is_hiding(property: &str, value: &str) -> bool {
    const HIDING: [(&str, &str); 4] =
        [("display", "none"), ("visibility", "hidden"), ("mso-hide", "all"), ("opacity", "0")];
    let begins = |with: &str| value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    HIDING.iter().any(|(name, hides)| name.eq_ignore_ascii_case(property) && begins(hides))
        && !value.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

/// Which lengths of a property stay within the message.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// No length, or one that moves nothing.
    Any,
    /// A colour of text, which must be seen.
    Ink,
    /// Up to these many CSS pixels.
    UpTo(f32),
    /// Between these many CSS pixels: text that can be read.
    Between(f32, f32),
}

/// Widths of a message, as no screen is wider.
const WIDE: Size = Size::UpTo(2_000.0);
/// Heights: long pictures.
const HIGH: Size = Size::UpTo(4_000.0);
/// Space around and between.
const SPACE: Size = Size::UpTo(200.0);
/// Lines around.
const LINE: Size = Size::UpTo(50.0);

/// Properties that colour, size and align, and nothing that takes an element out of its place.
const PROPERTIES: [(&str, Size); 46] = [
    ("background", Size::Any),
    ("background-color", Size::Any),
    ("border", LINE),
    ("border-bottom", LINE),
    ("border-bottom-color", Size::Any),
    ("border-bottom-style", Size::Any),
    ("border-bottom-width", LINE),
    ("border-collapse", Size::Any),
    ("border-color", Size::Any),
    ("border-left", LINE),
    ("border-left-color", Size::Any),
    ("border-left-style", Size::Any),
    ("border-left-width", LINE),
    ("border-radius", SPACE),
    ("border-right", LINE),
    ("border-spacing", LINE),
    ("border-style", Size::Any),
    ("border-top", LINE),
    ("border-width", LINE),
    ("color", Size::Ink),
    ("direction", Size::Any),
    ("font-family", Size::Any),
    ("font-size", Size::Between(6.0, 100.0)),
    ("font-style", Size::Any),
    ("font-variant", Size::Any),
    ("font-weight", Size::Any),
    ("height", HIGH),
    ("letter-spacing", Size::UpTo(20.0)),
    ("line-height", Size::Between(8.0, 200.0)),
    ("list-style-type", Size::Any),
    ("margin", SPACE),
    ("margin-bottom", SPACE),
    ("margin-left", SPACE),
    ("margin-right", SPACE),
    ("margin-top", SPACE),
    ("max-width", WIDE),
    ("padding", SPACE),
    ("padding-bottom", SPACE),
    ("padding-left", SPACE),
    ("padding-right", SPACE),
    ("padding-top", SPACE),
    ("text-align", Size::Any),
    ("text-decoration", Size::Any),
    ("vertical-align", Size::UpTo(50.0)),
    ("white-space", Size::Any),
    ("width", WIDE),
];

impl Size {
    fn allows(self, value: &str) -> bool {
        let (least, most) = match self {
            Self::Any => return true,
            Self::Ink => return !is_see_through(value),
            Self::UpTo(most) => (0.0, most),
            Self::Between(least, most) => (least, most),
        };
        !value.contains(['\'', '"'])
            && lengths(value).all(|length| match length {
                Some(Length::Pixels(pixels)) => (least..=most).contains(&pixels),
                // Of what surrounds it. Text may grow a little, a box not.
                Some(Length::Percent(percent)) if least > 0.0 => (50.0..=300.0).contains(&percent),
                Some(Length::Percent(percent)) => percent <= 100.0,
                None => false,
            })
    }
}

/// Whether letters of this colour are hardly seen on anything: less than a third of them is there.
// CSS Color §4.2, §5.2, §6.1
fn is_see_through(colour: &str) -> bool {
    let colour = colour.split('!').next().unwrap_or_default().trim().to_ascii_lowercase();
    let opaque = |part: Option<f32>| part.is_none_or(|part| part >= 0.33);
    if let Some(digits) = colour.strip_prefix('#') {
        let part = |digits: &str, most: f32| u8::from_str_radix(digits, 16).ok().map(|part| f32::from(part) / most);
        return match digits.len() {
            4 => !opaque(digits.get(3..).and_then(|digits| part(digits, 15.0))),
            8 => !opaque(digits.get(6..).and_then(|digits| part(digits, 255.0))),
            _ => false,
        };
    }
    if colour == "transparent" {
        return true;
    }
    let Some(arguments) = colour.split_once('(').map(|(_, rest)| rest.trim_end_matches(')')) else { return false };
    let alpha = arguments.split(',').nth(3).map(str::trim);
    let number = alpha.and_then(|alpha| match alpha.strip_suffix('%') {
        Some(percent) => percent.parse().ok().map(|percent: f32| percent / 100.0),
        None => alpha.parse().ok(),
    });
    !opaque(number)
}

enum Length {
    Pixels(f32),
    Percent(f32),
}

/// Every length of a value, and `None` for one that nobody needs in mail. Colours have none.
fn lengths(value: &str) -> impl Iterator<Item = Option<Length>> {
    let words = value.split(|c: char| c.is_ascii_whitespace() || c == ',' || c == '!');
    let mut in_function = false;
    words.filter_map(move |word| {
        let is_inside = in_function || word.contains('(');
        in_function = is_inside && !word.ends_with(')');
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
        if is_inside || !word.starts_with(is_number) {
            return None;
        }
        let unit = word.trim_start_matches(is_number);
        let number = word[..word.len() - unit.len()].parse().ok().filter(|number| *number >= 0.0);
        Some(number.and_then(|number| length(number, unit)))
    })
}

fn length(number: f32, unit: &str) -> Option<Length> {
    // CSS Values and Units §6.2
    const PIXELS: [(&str, f32); 9] = [
        ("px", 1.0),
        ("pt", 4.0 / 3.0),
        ("em", 16.0),
        ("rem", 16.0),
        ("ex", 8.0),
        ("ch", 8.0),
        ("in", 96.0),
        ("cm", 37.8),
        ("mm", 3.78),
    ];
    match unit {
        "%" => Some(Length::Percent(number)),
        // A line height or nothing; some write pixels like this.
        "" if number <= 5.0 => Some(Length::Pixels(number * 16.0)),
        "" => Some(Length::Pixels(number)),
        _ => {
            let pixels = PIXELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
            pixels.map(|(_, pixels)| Length::Pixels(number * pixels))
        }
    }
}

fn is_plain(value: &str) -> bool {
    if value.is_empty() || value.len() > VALUE_MAX {
        return false;
    }
    let plain = value.chars().all(|c| c.is_alphanumeric() || " #.,%()-'\"!+".contains(c));
    let is_quoted = value.contains(['\'', '"']);
    let is_negative =
        value.as_bytes().windows(2).any(|pair| pair[0] == b'-' && (pair[1].is_ascii_digit() || pair[1] == b'.'));
    let functions = value.split('(').rev().skip(1).all(|before| {
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        ["rgb", "rgba", "hsl", "hsla"].iter().any(|colour| name.eq_ignore_ascii_case(colour))
    });
    plain && (is_quoted || !is_negative) && functions
}

#[cfg(test)]
mod tests;
