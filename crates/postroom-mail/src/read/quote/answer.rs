//! Whether a message answers another, and what counts as a sign of a quotation where it does not.

use super::signs::{self, Field, Sign};
use crate::read::lines::Line;

/// Subject prefixes of answers in mail programs of many languages, in lower case.
const PREFIXES: &[&str] = &[
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "odp",
    "ynt",
    "rif",
    "r",
    "res",
    "ref",
    "rép",
    "bls",
    "atb",
    "vá",
    "ha",
    "ang",
    "απ",
    "σχετ",
    "отв",
    "ответ",
    "на",
    "відп",
    "回复",
    "回覆",
    "答复",
    "答覆",
    "返信",
    "회신",
    "답장",
    "رد",
    "תגובה",
    "trả lời",
    "ตอบ",
];

/// Names of what forms ask for, in lower case; no mail program writes such a field above a quotation.
const FORM_FIELDS: &[&str] = &[
    "name",
    "vorname",
    "nachname",
    "nom",
    "nombre",
    "nome",
    "naam",
    "message",
    "nachricht",
    "ihre nachricht",
    "mensaje",
    "mensagem",
    "messaggio",
    "bericht",
    "besked",
    "melding",
    "meddelande",
    "viesti",
    "wiadomość",
    "zpráva",
    "mesaj",
    "üzenet",
    "сообщение",
    "повідомлення",
    "メッセージ",
    "留言",
    "comment",
    "comments",
    "kommentar",
    "commentaire",
    "phone",
    "telefon",
    "téléphone",
    "teléfono",
    "telefono",
    "company",
    "firma",
    "anfrage",
    "inquiry",
    "enquiry",
];

/// Lines below the beginning of a header block that are asked for fields of forms.
const FORM_LINES: usize = 12;

/// Whether a subject says that the message is an answer. Names of lists may stand before the prefix.
pub(super) fn says_answer(subject: &str) -> bool {
    let mut rest = subject.trim_start();
    while let Some((_, behind)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        rest = behind.trim_start();
    }
    let Some((prefix, _)) = rest.split_once([':', '：']) else { return false };
    if prefix.len() > 40 {
        return false;
    }
    let is_count = |c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^' | '*' | ' ');
    let prefix = prefix.trim_end_matches(is_count).to_lowercase();
    PREFIXES.contains(&prefix.as_str())
}

/// Whether a sign above unmarked lines is one also in mail that answers nothing, where forms, logs and the author's own
/// words may look like it. `at` is its last line.
pub(super) fn is_sure(lines: &[Line<'_>], sign: Sign, at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    if signs::is_announced(lines, sign.start) {
        return false;
    }
    if sign.is_ticket_line {
        // In the midst of a text these words stand between marks.
        return !line.trimmed.starts_with(char::is_alphanumeric);
    }
    if signs::is_header_block(lines, at) {
        return is_sure_header(lines, at);
    }
    if signs::is_original_mark(line) {
        return !signs::is_one_word(line) || next_filled(lines, at).is_some_and(|next| signs::field(next).is_some());
    }
    // An address, or lines that a program drew around it.
    line.trimmed.starts_with("--") || lines[sign.start..=at].iter().any(Line::has_at) || signs::is_notes_line(line)
}

/// Whether the fields that begin at a line are those of a message and not of a form, a timetable or a device.
fn is_sure_header(lines: &[Line<'_>], at: usize) -> bool {
    let is_form = |line: &Line<'_>| {
        let name = line.text.trim_start_matches(['*', '|', ' ', '\t']).split([':', '：']).next().unwrap_or_default();
        name.len() < line.text.len()
            && name.len() <= 40
            && FORM_FIELDS.contains(&name.trim_end().to_lowercase().as_str())
    };
    if at > 0 && (signs::field(&lines[at - 1]).is_some() || is_form(&lines[at - 1])) {
        return false;
    }
    let (mut seen, mut has_address, mut has_hour) = ([false; 4], false, false);
    for line in lines[at..].iter().filter(|line| !line.is_blank()).take(FORM_LINES) {
        if is_form(line) {
            return false;
        }
        let field = signs::field(line);
        if let Some((kind, value)) = field {
            seen[kind as usize] = true;
            has_hour |= kind != Field::Subject && names_an_hour(value);
        }
        // Long fields are folded, so that the address may stand on a line of its own.
        has_address |= line.has_at() && field.is_none_or(|(kind, _)| kind != Field::Subject);
    }
    let kinds = seen.iter().filter(|seen| **seen).count();
    has_hour || has_address && kinds >= 3
}

/// Whether a value has figures on both sides of a colon; several fields may stand on one line.
fn names_an_hour(value: &str) -> bool {
    value
        .as_bytes()
        .windows(3)
        .any(|three| matches!(three, [before, b':', behind] if before.is_ascii_digit() && behind.is_ascii_digit()))
}

/// The next line that is not blank, within reach of a program's layout.
fn next_filled<'l, 'x>(lines: &'l [Line<'x>], at: usize) -> Option<&'l Line<'x>> {
    lines.get(at + 1..)?.iter().take(5).find(|line| !line.is_blank())
}
