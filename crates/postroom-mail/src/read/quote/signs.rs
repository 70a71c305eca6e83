//! The signs by which mail programs introduce what they quote, in the languages of most mail.

/// Introductions take up to this many lines, because programs fold them.
const INTRODUCTION_LINES: usize = 3;
/// Longer lines are prose.
const LINE_MAX: usize = 300;

/// Whether `at` is the last line of what introduces a quotation; returns its first line.
pub(super) fn quotation_sign(lines: &[&str], at: usize) -> Option<usize> {
    let line = lines[at].trim();
    if line.is_empty() || line.len() > LINE_MAX || is_marked(line) {
        return None;
    }
    if is_original_mark(line) || is_header_block(lines, at) {
        return Some(at);
    }
    let next_is_marked = lines.get(at + 1).is_some_and(|next| next.starts_with('>'));
    let may_end = line.ends_with([':', '：', '-']) || ends_with_wrote(line) || (next_is_marked && line.ends_with('>'));
    if !may_end {
        return None;
    }
    let starts = (1..=INTRODUCTION_LINES.min(at + 1)).map(|length| at + 1 - length);
    let found: Vec<usize> = starts
        .take_while(|start| !lines[*start].trim().is_empty())
        .filter(|start| {
            let whole = lines[*start..=at].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            whole.len() <= LINE_MAX && is_introduction(&whole)
        })
        .collect();
    // `<ann@example.org> wrote:` is one already, but a line above it may begin it.
    let lower = |start: &usize| lines[*start].trim().to_lowercase();
    let begins = found.iter().find(|start| ON.iter().any(|word| lower(start).starts_with(word)));
    let dated = || found.iter().find(|start| lower(start).starts_with(|c: char| c.is_ascii_digit()));
    begins.or_else(dated).or(found.first()).copied()
}

/// "wrote", as the last word of an introduction or within it.
const WROTE: [&str; 24] = [
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "a ecrit",
    "écrit",
    "escribió",
    "escribio",
    "escreveu",
    "ha scritto",
    "scrisse",
    "schreef",
    "geschreven",
    "skrev",
    "napisał",
    "napisała",
    "kirjoitti",
    "пишет",
    "писал",
    "написал",
    "đã viết",
    "yazdı",
    "写道",
    "のメール",
];
/// Words that begin an introduction.
const ON: [&str; 18] = [
    "on ", "am ", "le ", "el ", "em ", "il ", "op ", "den ", "dne ", "dnia ", "w dniu ", "vào ", "på ", "pe ", "в ",
    "in data ", "em ", "a ",
];

fn ends_with_wrote(line: &str) -> bool {
    ["wrote", "writes", "schrieb", "écrit"].iter().any(|word| line.ends_with(word))
}

/// "On Tue, 3 Mar 2026 at 09:15, Ann <ann@example.org> wrote:" in its many forms: a day or hour, and an address or a word
/// for writing.
fn is_introduction(whole: &str) -> bool {
    let lower = whole.to_lowercase();
    let dashed = lower.starts_with("--");
    let head = lower.trim_matches(|c: char| c == ':' || c == '：' || c == '-' || c.is_whitespace());
    let says_wrote = WROTE.iter().any(|word| contains_word(head, word));
    let ends_wrote = WROTE.iter().any(|word| head.ends_with(word)) || head.ends_with(" sent");
    let begins = ON.iter().any(|word| head.starts_with(word));
    let has_address = head.contains('@');
    if dashed && ends_wrote {
        return true;
    }
    let dated = is_dated(head);
    (dated && (says_wrote || ends_wrote) && (begins || ends_wrote || has_address))
        || (dated && has_address && head.ends_with('>'))
        || (ends_wrote && has_address)
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        // Chinese and Japanese have no blanks between words.
        !word.is_ascii() || (!is_letter(before) && !is_letter(after))
    })
}

/// Whether a year, an hour or a day in figures is named.
fn is_dated(text: &str) -> bool {
    let octets = text.as_bytes();
    let digit = |at: usize| octets.get(at).is_some_and(u8::is_ascii_digit);
    (0..octets.len()).any(|at| {
        let hour_or_day = digit(at) && matches!(octets.get(at + 1), Some(b':' | b'.' | b'/' | b'-')) && digit(at + 2);
        let year = matches!(octets[at..], [b'1', b'9', ..] | [b'2', b'0', ..]) && digit(at + 2) && digit(at + 3);
        hour_or_day || year
    })
}

/// Words for a message, between dashes, in "-----Original Message-----" and its translations.
const MESSAGE: [&str; 20] = [
    "message",
    "nachricht",
    "mensaje",
    "mensagem",
    "messaggio",
    "bericht",
    "besked",
    "meddelelse",
    "meddelande",
    "melding",
    "wiadomość",
    "zpráva",
    "správa",
    "viesti",
    "сообщение",
    "üzenet",
    "mesaj",
    "письмо",
    "邮件",
    "メッセージ",
];
const FORWARDED: [&str; 12] = [
    "forward",
    "weitergeleitet",
    "transféré",
    "transmis",
    "reenviado",
    "reencaminhad",
    "encaminhad",
    "inoltrat",
    "doorgestuurd",
    "vidarebefordrat",
    "videresend",
    "переслан",
];

/// The inside of a line between dashes or underscores.
fn between_dashes(line: &str) -> Option<String> {
    let line = line.trim();
    if !line.starts_with("--") && !line.starts_with("__") && !line.starts_with("==") {
        return None;
    }
    let inside = line.trim_matches(|c: char| matches!(c, '-' | '_' | '=') || c.is_whitespace());
    (!inside.is_empty() && inside.len() <= 60).then(|| inside.to_lowercase())
}

fn is_original_mark(line: &str) -> bool {
    between_dashes(line).is_some_and(|inside| MESSAGE.iter().any(|word| inside.contains(word)))
}

/// "---------- Forwarded message ----------": what follows is what the author wants to show.
pub(super) fn is_forward_mark(line: &str) -> bool {
    let is_apple = || line.trim() == "Begin forwarded message:";
    let marks = |inside: String| FORWARDED.iter().any(|word| inside.contains(word));
    between_dashes(line).is_some_and(marks) || is_apple()
}

/// Whether a subject says that the message was passed on.
pub(super) fn says_forwarded(subject: &str) -> bool {
    let prefix = subject.split(':').next().unwrap_or_default().trim().to_lowercase();
    subject.contains(':')
        && matches!(prefix.as_str(), "fw" | "fwd" | "wg" | "tr" | "rv" | "enc" | "i" | "doorst" | "vs" | "pd")
}

/// Field names of the block that Outlook and others put above a quotation: author, date, recipient, subject.
const FIELDS: [&[&str]; 4] = [
    &[
        "from",
        "von",
        "de",
        "da",
        "van",
        "från",
        "fra",
        "od",
        "от",
        "lähettäjä",
        "发件人",
        "差出人",
        "gönderen",
        "feladó",
    ],
    &[
        "sent",
        "date",
        "gesendet",
        "datum",
        "envoyé",
        "enviado",
        "enviada em",
        "fecha",
        "data",
        "inviato",
        "verzonden",
        "skickat",
        "sendt",
        "dato",
        "wysłano",
        "отправлено",
        "дата",
        "lähetetty",
        "发送时间",
        "送信日時",
        "message du",
    ],
    &[
        "to",
        "an",
        "à",
        "a",
        "para",
        "aan",
        "till",
        "til",
        "do",
        "кому",
        "vastaanottaja",
        "收件人",
        "宛先",
        "cc",
        "kopie",
    ],
    &[
        "subject",
        "betreff",
        "objet",
        "asunto",
        "assunto",
        "oggetto",
        "onderwerp",
        "ämne",
        "emne",
        "temat",
        "тема",
        "aihe",
        "主题",
        "件名",
        "sujet",
    ],
];

/// Which of [`FIELDS`] a line is, and its value.
fn field(line: &str) -> Option<(usize, &str)> {
    let line = line.trim().trim_start_matches(['*', '>', ' ', '|']);
    let (name, value) = line.split_once([':', '：'])?;
    if name.len() > 40 {
        return None;
    }
    let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace() || c == '\u{a0}').to_lowercase();
    FIELDS.iter().position(|names| names.contains(&name.as_str())).map(|kind| (kind, value))
}

/// Whether a block of such fields begins here. A timetable has "From:" and "To:" too, so that there must be an address or
/// a subject with them.
fn is_header_block(lines: &[&str], at: usize) -> bool {
    if !matches!(field(lines[at]), Some((0 | 1, _))) {
        return false;
    }
    let (mut seen, mut has_address) = ([false; 4], false);
    for line in lines[at..].iter().filter(|line| !line.trim().is_empty()).take(6) {
        // Long fields are folded onto a second line.
        if let Some((kind, value)) = field(line) {
            seen[kind] = true;
            has_address |= kind != 3 && value.contains('@');
        }
    }
    let kinds = seen.iter().filter(|seen| **seen).count();
    kinds >= 3 && (seen[3] || has_address) || kinds == 2 && has_address && (seen[0] || seen[1])
}

/// Whether a line carries a quotation mark; `>:` is the end of a folded introduction.
pub(super) fn is_marked(line: &str) -> bool {
    line.trim_start().starts_with('>') && line.trim() != ">:"
}

/// A line of dashes, underscores or equals signs.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '—'))
}

/// "-- ", which RFC 3676 §4.3 has above a signature, and what becomes of it on the way.
pub(super) fn begins_signature(line: &str) -> bool {
    matches!(line.trim_end(), "--" | "—" | "---")
}

/// What telephones and mailing lists put below every message.
pub(super) fn is_footer(line: &str) -> bool {
    const STARTS: [&str; 12] = [
        "sent from my ",
        "sent from outlook",
        "sent from mail for",
        "get outlook for ",
        "sent via ",
        "von meinem ",
        "gesendet von ",
        "envoyé de mon ",
        "envoyé à partir ",
        "enviado desde mi ",
        "inviato da ",
        "verzonden vanaf ",
    ];
    let line = line.trim();
    if line.starts_with("______________________") {
        return true;
    }
    if line.len() > 70 || line.contains(", ") || line.ends_with('.') {
        return false;
    }
    let lower = line.to_lowercase();
    STARTS.iter().any(|start| lower.starts_with(start))
}
