//! The elements that well-formed mail consists of, and how a parser treats them.

/// How the tree builder of the HTML Standard treats an element (§13.2.6.4.7 to §13.2.6.4.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Neither its start nor its end tag means anything within a fragment: `html`, `head`, `body`.
    Frame,
    /// Without content and never shown: `meta`, `link`, `base`, `area`.
    Silent,
    /// Its content is no markup and never shown: `style`, `title`, `script`.
    Raw,
    /// Ends a paragraph.
    Block,
    /// As a block, but one in another is an error.
    Heading,
    /// A paragraph.
    Paragraph,
    /// `li`, `dd`, `dt`: ends the one before.
    Item,
    /// As a block, and the first line end in it means nothing.
    Preformatted,
    /// Nothing in particular.
    Inline,
    /// Opened again where it is still open at the end of a block.
    Formatting,
    /// As formatting, and one in another of its name is an error.
    Link,
    /// Without content: `br`, `img`, `wbr`.
    Void,
    /// Without content, and ends a paragraph: `hr`.
    Rule,
    /// `table`.
    Table,
    /// `tbody`, `thead`, `tfoot`.
    Section,
    /// `tr`.
    Row,
    /// `td`, `th`.
    Cell,
}

impl Kind {
    /// Whether an end tag of something around it implies its end (HTML Standard §13.2.6.3).
    pub(super) fn is_implied(self) -> bool {
        matches!(self, Self::Paragraph | Self::Item)
    }

    /// Whether a parser opens no formatting again before it (HTML Standard §13.2.6.4.7).
    pub(super) fn is_block(self) -> bool {
        matches!(
            self,
            Self::Block | Self::Heading | Self::Paragraph | Self::Item | Self::Preformatted | Self::Rule | Self::Table
        )
    }

    /// Whether it is one of those in which only other parts of a table may stand.
    pub(super) fn is_frame_of_cells(self) -> bool {
        matches!(self, Self::Table | Self::Section | Self::Row)
    }

    /// Whether it bounds what the end of a list item looks for ("special", HTML Standard §13.2.4.2).
    pub(super) fn is_special(self) -> bool {
        !matches!(self, Self::Inline | Self::Formatting | Self::Link)
    }
}

/// How the element of this name, in lower case, is treated, and whether it is shown; `None` for one that well-formed
/// mail does not need.
pub(super) fn element(name: &str) -> Option<(Kind, bool)> {
    let kind = match name {
        "html" | "head" | "body" => return Some((Kind::Frame, false)),
        "meta" | "link" | "base" | "area" => return Some((Kind::Silent, false)),
        "map" => return Some((Kind::Inline, false)),
        "style" | "title" | "script" => return Some((Kind::Raw, false)),
        "section" | "main" | "address" => return Some((Kind::Block, false)),
        "article" | "aside" | "blockquote" | "center" | "details" | "div" | "dl" | "figcaption" | "figure"
        | "footer" | "header" | "hgroup" | "nav" | "ol" | "summary" | "ul" => Kind::Block,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Heading,
        "p" => Kind::Paragraph,
        "li" | "dd" | "dt" => Kind::Item,
        "pre" => Kind::Preformatted,
        "a" => Kind::Link,
        "nobr" => return Some((Kind::Link, false)),
        "b" | "big" | "code" | "em" | "font" | "i" | "s" | "small" | "strike" | "strong" | "tt" | "u" => {
            Kind::Formatting
        }
        "abbr" | "acronym" | "bdi" | "bdo" | "cite" | "data" | "del" | "dfn" | "ins" | "kbd" | "mark" | "q"
        | "samp" | "span" | "sub" | "sup" | "time" | "var" => Kind::Inline,
        "br" | "img" | "wbr" => Kind::Void,
        "hr" => Kind::Rule,
        "table" => Kind::Table,
        "tbody" | "thead" => Kind::Section,
        "tfoot" => return Some((Kind::Section, false)),
        "tr" => Kind::Row,
        "td" | "th" => Kind::Cell,
        // What word processors put in: no parser knows it, and its content is shown.
        _ if name.contains(':') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'-') => {
            return Some((Kind::Inline, false));
        }
        _ => return None,
    };
    Some((kind, true))
}

/// Whether an attribute may stand in an element that is shown, if its value may.
pub(super) fn may_have(element: &str, attribute: &str) -> bool {
    match attribute {
        "lang" | "title" | "dir" | "align" | "valign" | "bgcolor" | "style" | "width" | "height" => true,
        "href" | "hreflang" => element == "a",
        "src" | "alt" => element == "img",
        "color" | "face" => element == "font",
        "size" => matches!(element, "font" | "hr"),
        "border" | "cellpadding" | "cellspacing" | "summary" => element == "table",
        "char" | "charoff" => matches!(element, "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th"),
        "colspan" | "rowspan" | "headers" => matches!(element, "td" | "th"),
        "scope" => element == "th",
        "nowrap" => element == "td",
        "open" => element == "details",
        "start" | "type" => element == "ol",
        "datetime" => matches!(element, "del" | "ins"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
