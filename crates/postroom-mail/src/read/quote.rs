//! What the author wrote now, and what is only quoted.
//!
//! Cautious: a quotation is cut only where it is the end of the message, so that answers between quoted lines stay, and
//! where nothing would be left everything stays.

/// The text without trailing quotation and signature, and the quotation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) reply: String,
    pub(super) quoted: String,
}

/// Splits a text with LF line ends.
pub(super) fn split(text: &str) -> Split {
    let lines: Vec<&str> = text.lines().collect();
    let quote_start = quotation_start(&lines);
    let own = &lines[..quote_start];
    let signature = signature_start(own);
    let reply = own[..signature].join("\n").trim_end().to_owned();
    let quoted = lines[quote_start..].join("\n").trim().to_owned();
    if reply.trim().is_empty() && !quoted.is_empty() {
        // Nothing but quotation: a forwarded message, or a rule that was wrong. Show all of it.
        return Split { reply: text.trim_end().to_owned(), quoted: String::new() };
    }
    Split { reply, quoted }
}

/// The first line of the quotation that ends the message; the number of lines if there is none.
fn quotation_start(lines: &[&str]) -> usize {
    let header = (0..lines.len()).find(|&at| is_separator(lines, at)).unwrap_or(lines.len());
    let before = &lines[..header];
    let Some(trailing) = trailing_quote(before) else { return header };
    if header < lines.len() || trailing < before.len() { trailing } else { header }
}

/// Where the `>` lines at the end of `lines` begin, with the line that introduces them.
fn trailing_quote(lines: &[&str]) -> Option<usize> {
    let is_quoted = |line: &str| line.trim_start().starts_with('>');
    let own_end = lines.iter().rposition(|line| !line.trim().is_empty() && !is_quoted(line)).map_or(0, |at| at + 1);
    // Whether what stands below the last quoted line is only a signature.
    let last_quoted = lines.iter().rposition(|line| is_quoted(line))?;
    if own_end > last_quoted {
        let below = &lines[last_quoted + 1..];
        if signature_start(below) > first_words(below) {
            return None;
        }
        return trailing_quote(&lines[..=last_quoted]);
    }
    let mut start = own_end;
    // "On … wrote:" takes one to three lines.
    for length in 1..=3.min(own_end) {
        let introduction = lines[own_end - length..own_end].join(" ");
        if is_introduction(introduction.trim()) {
            start = own_end - length;
            break;
        }
    }
    (start < lines.len()).then_some(start)
}

fn first_words(lines: &[&str]) -> usize {
    lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len())
}

/// Words that end an introduction, in the languages of most mail programs.
const WROTE: [&str; 16] = [
    "wrote",
    "writes",
    "schrieb",
    "schrieb ",
    "a écrit",
    "a ecrit",
    "escribió",
    "escreveu",
    "ha scritto",
    "scrisse",
    "schreef",
    "skrev",
    "napisał",
    "napisał(a)",
    "kirjoitti",
    "пишет",
];
/// Words that begin one.
const ON: [&str; 14] =
    ["on ", "am ", "le ", "el ", "em ", "il ", "op ", "den ", "dnia ", "w dniu ", "vào ", "på ", "pe ", "в "];

/// Whether this is "On … wrote:" in some language.
fn is_introduction(line: &str) -> bool {
    let lower = line.trim_start_matches('>').trim().to_lowercase();
    let Some(head) = lower.strip_suffix(':').or_else(|| lower.strip_suffix('：')) else { return false };
    let head = head.trim_end();
    if head.len() > 400 {
        return false;
    }
    let says_wrote = WROTE.iter().any(|word| head.ends_with(word));
    let has_wrote = says_wrote || WROTE.iter().any(|word| head.contains(word));
    let begins = ON.iter().any(|word| head.starts_with(word));
    let has_address = head.contains('@');
    let has_digit = head.bytes().any(|b| b.is_ascii_digit());
    (begins && has_wrote && (has_digit || has_address)) || (says_wrote && (has_address || has_digit))
}

/// Whether everything from this line on is what a mail program put below an answer.
fn is_separator(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line.is_empty() || at == 0 {
        return false;
    }
    let dashes = line.trim_matches(['-', '_', ' ']).to_lowercase();
    let is_dashed = line.starts_with("--") || line.starts_with("__");
    let says_original = [
        "original message",
        "ursprüngliche nachricht",
        "originalnachricht",
        "message d'origine",
        "message original",
        "mensaje original",
        "mensagem original",
        "messaggio originale",
        "oorspronkelijk bericht",
        "reply message",
        "original-nachricht",
        "ursprungligt meddelande",
        "originální zpráva",
        "oprindelig meddelelse",
    ];
    if is_dashed && says_original.contains(&dashes.as_str()) {
        return true;
    }
    is_header_block(lines, at) || (is_introduction_block(lines, at))
}

/// Outlook's From:/Sent:/To:/Subject: block, with or without a rule above it.
fn is_header_block(lines: &[&str], at: usize) -> bool {
    const FROM: [&str; 9] = ["from:", "von:", "de :", "de:", "da:", "van:", "från:", "fra:", "od:"];
    const OTHER: [&str; 26] = [
        "sent:",
        "date:",
        "to:",
        "subject:",
        "cc:",
        "gesendet:",
        "datum:",
        "an:",
        "betreff:",
        "envoyé :",
        "envoyé:",
        "date :",
        "à :",
        "à:",
        "objet :",
        "objet:",
        "enviado:",
        "para:",
        "asunto:",
        "assunto:",
        "inviato:",
        "oggetto:",
        "verzonden:",
        "onderwerp:",
        "skickat:",
        "til:",
    ];
    let field =
        |line: &str| line.trim().trim_matches('*').trim_start_matches(['>', '*', ' ']).to_lowercase().replace('*', "");
    if !FROM.iter().any(|name| field(lines[at]).starts_with(name)) {
        return false;
    }
    let following = lines[at + 1..].iter().filter(|line| !line.trim().is_empty()).take(4);
    following.filter(|line| OTHER.iter().any(|name| field(line).starts_with(name))).count() >= 2
}

/// "On … wrote:" over one to three lines with a quotation below that is not marked with `>`.
fn is_introduction_block(lines: &[&str], at: usize) -> bool {
    let lower = lines[at].trim().to_lowercase();
    if !ON.iter().any(|word| lower.starts_with(word)) {
        return false;
    }
    (1..=3).filter_map(|length| lines.get(at..at + length)).any(|block| {
        let ends_here = block.last().is_some_and(|line| line.trim_end().ends_with(':'));
        ends_here && is_introduction(&block.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "))
    }) && {
        // Marked quotations may have answers between them; those are judged by `trailing_quote`.
        !lines[at..].iter().any(|line| line.trim_start().starts_with('>'))
    }
}

/// Where a signature begins: after `-- ` (RFC 3676 §4.3), or a line of dashes or underscores, or what telephones add.
fn signature_start(lines: &[&str]) -> usize {
    let dashes = lines.iter().rposition(|line| matches!(line.trim_end_matches(['\r', ' ']), "--" | "—"));
    let near_end = |at: usize| lines.len() - at <= 12;
    if let Some(at) = dashes.filter(|&at| near_end(at)) {
        return at;
    }
    let sent_from = lines.iter().rposition(|line| {
        let line = line.trim().to_lowercase();
        [
            "sent from my ",
            "von meinem ",
            "envoyé de mon ",
            "get outlook for ",
            "sent via ",
            "enviado desde mi ",
            "inviato da ",
        ]
        .iter()
        .any(|start| line.starts_with(start))
            && line.len() < 80
    });
    sent_from.filter(|&at| lines.len() - at <= 4).unwrap_or(lines.len())
}
