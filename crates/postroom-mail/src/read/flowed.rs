//! Text whose lines are to be joined to paragraphs: `text/plain; format=flowed` (RFC 3676).

#[cfg(test)]
mod tests;

/// The paragraphs of `text`, which has LF line ends. Quoted ones begin with their `>` and a blank. `delsp`: the blank at
/// the end of a line only says that the line goes on, and is no part of the text (RFC 3676 §4.1). Linear.
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quote depth of the paragraph that the last line left open.
    let mut open: Option<usize> = None;
    for (number, line) in text.split('\n').enumerate() {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        // RFC 3676 §4.4: a blank was put before lines that begin with a blank, `>` or `From `.
        let content = content.strip_prefix(' ').unwrap_or(content);
        // RFC 3676 §4.3: the separator of a signature ends in a blank and is whole all the same.
        let is_separator = content == "-- ";
        // RFC 3676 §4.5: a paragraph does not go on at another depth, whatever its last line says. An empty line was
        // meant to be seen.
        let continues = open == Some(depth) && !is_separator && !content.is_empty();
        if !continues {
            if number > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 && !content.is_empty() {
                out.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !is_separator;
        open = flows.then_some(depth);
        out.push_str(if flows && delsp { &content[..content.len() - 1] } else { content });
    }
    out
}
