#![allow(clippy::unwrap_used)]
//! Forwards as mail programs write them, in many languages; the words are ours, the forms are theirs.

use crate::RawMessage;
use crate::read::read;

/// Subject, text, and each forwarded message as `name|address|date as written|instant|subject`.
#[rustfmt::skip]
const INLINE: &[(&str, &str, &[&str])] = &[
    // Gmail
    ("Fwd: Printer", "See below.\n\n---------- Forwarded message ---------\nFrom: Ann Baker <ann@example.org>\nDate: Tue, Mar 3, 2026 at 9:15 AM\nSubject: Printer\nTo: Desk <desk@example.com>\n\n\nIt is broken.\n", &["Ann Baker|ann@example.org|Tue, Mar 3, 2026 at 9:15 AM||Printer"]),
    ("Printer", "---------- Forwarded message ----------\nFrom: *Ann Baker* <ann@example.org<mailto:ann@example.org>>\nDate: 2026-03-03 9:15 GMT+01:00\nSubject: Printer\nTo: desk@example.com\nCc: bob@example.com\n\nIt is broken.\n", &["Ann Baker|ann@example.org|2026-03-03 9:15 GMT+01:00|2026-03-03T08:15:00Z|Printer"]),
    ("Drucker", "---------- Weitergeleitete Nachricht ---------\nVon: Ann Bäcker <ann@example.org>\nDatum: Di., 3. März 2026 um 09:15 Uhr\nSubject: Drucker\nTo: Desk <desk@example.com>\n\nKaputt.\n", &["Ann Bäcker|ann@example.org|Di., 3. März 2026 um 09:15 Uhr||Drucker"]),
    ("Imprimante", "---------- Forwarded message ---------\nDe : Ann Baker <ann@example.org>\nDate: mar. 3 mars 2026 à 09:15\nSubject: Imprimante\nTo: <desk@example.com>\n\nCassée.\n", &["Ann Baker|ann@example.org|mar. 3 mars 2026 à 09:15||Imprimante"]),
    // Apple Mail
    ("Fwd: Printer", "Begin forwarded message:\n\n> From: Ann Baker <ann@example.org>\n> Subject: Printer\n> Date: 3 March 2026 at 09:15:00 CET\n> To: desk@example.com\n> \n> It is broken.\n", &["Ann Baker|ann@example.org|3 March 2026 at 09:15:00 CET|2026-03-03T08:15:00Z|Printer"]),
    ("Printer", "Begin forwarded message:\n\nFrom: Ann Baker <ann@example.org>\n\nSubject: Printer\n\nDate: March 3, 2026 at 9:15:00 PM GMT+1\n\nTo: desk@example.com\n\nIt is broken.\n", &["Ann Baker|ann@example.org|March 3, 2026 at 9:15:00 PM GMT+1|2026-03-03T20:15:00Z|Printer"]),
    ("Drucker", "Anfang der weitergeleiteten Nachricht:\n\nVon: Ann <ann@example.org>\nBetreff: Drucker\nDatum: 3. März 2026 um 09:15:00 MEZ\nAn: desk@example.com\n\nKaputt.\n", &["Ann|ann@example.org|3. März 2026 um 09:15:00 MEZ||Drucker"]),
    ("Imprimante", "Début du message réexpédié :\n\n> De: Ann <ann@example.org>\n> Objet: Imprimante\n> Date: 3 mars 2026 à 09:15:00 UTC+1\n> À: desk@example.com\n>\n> Cassée.\n", &["Ann|ann@example.org|3 mars 2026 à 09:15:00 UTC+1||Imprimante"]),
    ("Impresora", "Inicio del mensaje reenviado:\n\nDe: Ann <ann@example.org>\nAsunto: Impresora\nFecha: 3 de marzo de 2026\nPara: desk@example.com\n\nRota.\n", &["Ann|ann@example.org|3 de marzo de 2026||Impresora"]),
    ("Stampante", "Inizio messaggio inoltrato:\n\nDa: Ann <ann@example.org>\nOggetto: Stampante\nData: 3 marzo 2026\nA: desk@example.com\n\nRotta.\n", &["Ann|ann@example.org|3 marzo 2026||Stampante"]),
    ("Printer", "Begin doorgestuurd bericht:\n\nVan: Ann <ann@example.org>\nOnderwerp: Printer\nDatum: 3 maart 2026\nAan: desk@example.com\n\nKapot.\n", &["Ann|ann@example.org|3 maart 2026||Printer"]),
    // Thunderbird
    ("Fwd: Printer", "-------- Forwarded Message --------\nSubject: \tPrinter\nDate: \tTue, 3 Mar 2026 09:15:00 +0100\nFrom: \tAnn Baker <ann@example.org>\nTo: \tdesk@example.com\n\nIt is broken.\n", &["Ann Baker|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Printer"]),
    ("Fwd: Drucker", "-------- Weitergeleitete Nachricht --------\nBetreff: \tDrucker\nDatum: \tTue, 3 Mar 2026 09:15:00 +0100\nVon: \tAnn <ann@example.org>\nAn: \tdesk@example.com\n\nKaputt.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Drucker"]),
    ("Fwd: Imprimante", "-------- Message transféré --------\nSujet : \tImprimante\nDate : \tTue, 3 Mar 2026 09:15:00 +0100\nDe : \tAnn <ann@example.org>\nPour : \tdesk@example.com\n\nCassée.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Imprimante"]),
    ("Fwd: Skrivare", "-------- Vidarebefordrat meddelande --------\nÄmne: Skrivare\nDatum: Tue, 3 Mar 2026 09:15:00 +0100\nFrån: Ann <ann@example.org>\nTill: desk@example.com\n\nTrasig.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Skrivare"]),
    ("Fwd: Drukarka", "-------- Przekazana wiadomość --------\nTemat: Drukarka\nData: Tue, 3 Mar 2026 09:15:00 +0100\nOd: Ann <ann@example.org>\nDo: desk@example.com\n\nZepsuta.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Drukarka"]),
    ("Fwd: Принтер", "-------- Пересылаемое сообщение --------\nТема: Принтер\nДата: Tue, 3 Mar 2026 09:15:00 +0300\nОт: Анна <ann@example.org>\nКому: desk@example.com\n\nСломан.\n", &["Анна|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0300|2026-03-03T06:15:00Z|Принтер"]),
    ("Fwd: Tiskárna", "-------- Přeposlaná zpráva --------\nPředmět: Tiskárna\nDatum: Tue, 3 Mar 2026 09:15:00 +0100\nOd: Ann <ann@example.org>\nKomu: desk@example.com\n\nRozbitá.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Tiskárna"]),
    ("Fwd: Printer", "-------- Videresendt melding --------\nEmne: Skriver\nDato: Tue, 3 Mar 2026 09:15:00 +0100\nFra: Ann <ann@example.org>\nTil: desk@example.com\n\nØdelagt.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Skriver"]),
    ("Fwd: Tulostin", "-------- Välitetty viesti --------\nAihe: Tulostin\nPäiväys: Tue, 3 Mar 2026 09:15:00 +0200\nLähettäjä: Ann <ann@example.org>\nVastaanottaja: desk@example.com\n\nRikki.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0200|2026-03-03T07:15:00Z|Tulostin"]),
    ("Fwd: Nyomtató", "-------- Továbbított üzenet --------\nTárgy: Nyomtató\nDátum: Tue, 3 Mar 2026 09:15:00 +0100\nFeladó: Ann <ann@example.org>\nCímzett: desk@example.com\n\nElromlott.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0100|2026-03-03T08:15:00Z|Nyomtató"]),
    ("Fwd: Yazıcı", "-------- İletilen Mesaj --------\nKonu: Yazıcı\nTarih: Tue, 3 Mar 2026 09:15:00 +0300\nKimden: Ann <ann@example.org>\nKime: desk@example.com\n\nBozuk.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0300|2026-03-03T06:15:00Z|Yazıcı"]),
    ("Fwd: 打印机", "-------- 转发的邮件 --------\n主题：打印机\n日期：Tue, 3 Mar 2026 09:15:00 +0800\n发件人：Ann <ann@example.org>\n收件人：desk@example.com\n\n坏了。\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0800|2026-03-03T01:15:00Z|打印机"]),
    ("Fwd: プリンタ", "-------- 転送メッセージ --------\n件名: プリンタ\n日時: Tue, 3 Mar 2026 09:15:00 +0900\n差出人: Ann <ann@example.org>\n宛先: desk@example.com\n\n壊れた。\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0900|2026-03-03T00:15:00Z|プリンタ"]),
    ("Fwd: 프린터", "-------- 전달된 메시지 --------\n제목: 프린터\n날짜: Tue, 3 Mar 2026 09:15:00 +0900\n보낸 사람: Ann <ann@example.org>\n받는 사람: desk@example.com\n\n고장.\n", &["Ann|ann@example.org|Tue, 3 Mar 2026 09:15:00 +0900|2026-03-03T00:15:00Z|프린터"]),
    ("Enc: Impressora", "---------- Mensagem encaminhada ---------\nDe: Ann <ann@example.org>\nData: 3 de março de 2026\nAssunto: Impressora\nPara: desk@example.com\n\nAvariada.\n", &["Ann|ann@example.org|3 de março de 2026||Impressora"]),
    // Several recipients, each in a field of its own, and fields that mean nothing here
    ("FW: Printer", "FYI\n\n-----Original Message-----\nFrom: Ann <ann@example.org>\nSent: Tuesday, March 3, 2026 9:15 AM\nTo: Bob <bob@example.org>\nCc: Carl <carl@example.org>\nImportance: High\nSubject: Printer\n\nIt is broken.\n", &["Ann|ann@example.org|Tuesday, March 3, 2026 9:15 AM||Printer"]),
    // Names of fields that other programs of the language use above a quotation
    ("Fwd: Принтер", "-------- Пересылаемое сообщение --------\nОт кого: Анна <ann@example.org>\nКому: desk@example.com\nКопия: bob@example.com\nОтправлен: 3 марта 2026\nТема: Принтер\n\nСломан.\n", &["Анна|ann@example.org|3 марта 2026||Принтер"]),
    // Yahoo
    ("Fw: Printer", "----- Forwarded Message -----\nFrom: \"Ann Baker\" <ann@example.org>\nTo: \"desk@example.com\" <desk@example.com>\nSent: Tuesday, March 3, 2026, 9:15:00 AM GMT+1\nSubject: Printer\n\nIt is broken.\n", &["Ann Baker|ann@example.org|Tuesday, March 3, 2026, 9:15:00 AM GMT+1|2026-03-03T08:15:00Z|Printer"]),
    // Lotus Notes
    ("Fw: Printer", "----- Forwarded by Bob/EXAMPLE on 03.03.2026 10:00 -----\n\nFrom: Ann Baker/EXAMPLE\nTo: Desk/EXAMPLE\nDate: 03.03.2026 09:15\nSubject: Printer\n\nIt is broken.\n", &["Ann Baker/EXAMPLE||03.03.2026 09:15||Printer"]),
    // Outlook, which leaves it to the subject
    ("FW: Printer", "See below.\n\n-----Original Message-----\nFrom: Ann Baker [mailto:ann@example.org]\nSent: Tuesday, March 3, 2026 9:15 AM\nTo: Desk\nSubject: Printer\n\nIt is broken.\n", &["Ann Baker|ann@example.org|Tuesday, March 3, 2026 9:15 AM||Printer"]),
    ("WG: Drucker", "Siehe unten.\n\n________________________________\nVon: Bäcker, Ann <ann@example.org>\nGesendet: Dienstag, 3. März 2026 09:15\nAn: Desk\nBetreff: Drucker\n\nKaputt.\n", &["Bäcker, Ann|ann@example.org|Dienstag, 3. März 2026 09:15||Drucker"]),
    ("TR: Imprimante", "De : Ann Baker <ann@example.org>\nEnvoyé : mardi 3 mars 2026 09:15\nÀ : Desk\nObjet : Imprimante\n\nCassée.\n", &["Ann Baker|ann@example.org|mardi 3 mars 2026 09:15||Imprimante"]),
    ("RV: Impresora", "De: Ann Baker\nEnviado el: martes, 3 de marzo de 2026 9:15\nPara: Desk\nAsunto: Impresora\n\nRota.\n", &["Ann Baker||martes, 3 de marzo de 2026 9:15||Impresora"]),
    ("VS: Printer", "Fra: Ann <ann@example.org>\nSendt: 3. mars 2026 09:15\nTil: Desk\nEmne: Printer\n\nØdelagt.\n", &["Ann|ann@example.org|3. mars 2026 09:15||Printer"]),
    ("[Desk] Fwd: Printer", "*From:* Ann Baker <ann@example.org>\n*Sent:* Tuesday, March 3, 2026 9:15 AM\n*To:* Desk <desk@example.com>\n*Subject:* Printer\n\nIt is broken.\n", &["Ann Baker|ann@example.org|Tuesday, March 3, 2026 9:15 AM||Printer"]),
    ("FW: Printer", "From: Bob Cook <bob@example.com> On Behalf Of Ann Baker\nSent: 2026-03-03T09:15:00+01:00\nTo: one@example.com; two@example.com;\n three@example.com\nSubject: Printer\n\nIt is broken.\n", &["Bob Cook|bob@example.com|2026-03-03T09:15:00+01:00|2026-03-03T08:15:00Z|Printer"]),
    ("[Fwd: Printer]", "Subject: Printer\nFrom: Ann <ann@example.org>\nTo: desk@example.com\n\nIt is broken.\n", &["Ann|ann@example.org|||Printer"]),
    ("Printer (fwd)", "---------- Forwarded message ----------\nFrom: Ann <ann@example.org>\nSubject: Printer\n in the hall\nTo: desk@example.com\n\nIt is broken.\n", &["Ann|ann@example.org|||Printer in the hall"]),
    // Two at once, and one within another
    ("Fwd: both", "---------- Forwarded message ---------\nFrom: a@example.org\nSubject: one\n\nfirst\n\n---------- Forwarded message ---------\nFrom: b@example.org\nSubject: two\n\nsecond\n", &["|a@example.org|||one", "|b@example.org|||two"]),
    // No forwards
    ("Re: Printer", "Yes.\n\n-----Original Message-----\nFrom: Ann Baker <ann@example.org>\nSent: Tuesday, March 3, 2026 9:15 AM\nTo: Desk\nSubject: Printer\n\nIt is broken.\n", &[]),
    ("Re: Fwd: Printer", "Yes.\n\nOn Tue, Mar 3, 2026 at 9:15 AM Bob <bob@example.com> wrote:\n\n> ---------- Forwarded message ---------\n> From: Ann <ann@example.org>\n> Subject: Printer\n>\n> It is broken.\n", &[]),
    ("VS: Tulostin", "Kyllä.\n\nLähettäjä: Ann <ann@example.org>\nLähetetty: 3.3.2026 9:15\nVastaanottaja: Desk\nAihe: Tulostin\n\nRikki.\n", &[]),
    ("Timetable", "---------- Forwarded message ---------\nSee you at nine.\n", &[]),
    ("Fwd: Timetable", "From: Berlin\nTo: Hamburg\n", &[]),
    ("Fwd: Printer", "Please look at it.\n", &[]),
];

fn check(subject: &str, text: &str, expected: &[&str]) {
    let raw = format!("From: bob@example.com\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}");
    let message = read(&RawMessage::new(raw));
    let found: Vec<String> = message
        .forwarded
        .iter()
        .map(|f| {
            let (name, address) = f.from.as_ref().map_or(("", ""), |from| (&from.name, &from.addr_spec));
            let date = f.date.map(|date| date.to_string()).unwrap_or_default();
            format!("{name}|{address}|{}|{date}|{}", f.date_as_written, f.subject)
        })
        .collect();
    assert_eq!(found, expected, "{subject}: {text}");
    // Whoever wrote the forwarded message, it was not he who sent it to us.
    assert_eq!(message.from[0].addr_spec, "bob@example.com");
}

#[test]
fn inline_forwards() {
    for (subject, text, expected) in INLINE {
        check(subject, text, expected);
    }
}

#[test]
fn a_forward_in_html() {
    let html = "<div>See below.</div><div class=\"gmail_quote\"><div>---------- Forwarded message ---------<br>From: <strong>Ann Baker</strong> <span>&lt;<a href=\"mailto:ann@example.org\">ann@example.org</a>&gt;</span><br>Date: Tue, Mar 3, 2026<br>Subject: Printer<br>To: &lt;desk@example.com&gt;<br></div><br>It is broken.</div>";
    let raw = format!("From: bob@example.com\nSubject: Fwd: Printer\nContent-Type: text/html\n\n{html}");
    let message = read(&RawMessage::new(raw));
    let from = message.forwarded[0].from.clone().unwrap();
    assert_eq!((from.name.as_str(), from.addr_spec.as_str()), ("Ann Baker", "ann@example.org"));
    assert_eq!(message.forwarded[0].subject, "Printer");
}

/// Subject, text, what stands above the first forwarded message, and what that says.
#[rustfmt::skip]
const WORDS: &[(&str, &str, &str, &str)] = &[
    ("Fwd: Printer", "See below.\n\n---------- Forwarded message ---------\nFrom: Ann <ann@example.org>\nDate: Tue, Mar 3, 2026 at 9:15 AM\nSubject: Printer\nTo: Desk <desk@example.com>\n\n\nIt is broken.\n\nAnn\n", "See below.", "It is broken.\n\nAnn"),
    ("Fwd: Printer", "Begin forwarded message:\n\n> From: Ann Baker <ann@example.org>\n> Subject: Printer\n> To: desk@example.com\n> \n> It is broken.\n>> really\n", "", "It is broken.\n> really"),
    ("WG: Drucker", "@fwd\nSiehe unten.\n\n________________________________\nVon: Ann <ann@example.org>\nGesendet: Dienstag, 3. März 2026 09:15\nAn: Desk\nBetreff: Drucker\n\nKaputt.\n", "@fwd\nSiehe unten.", "Kaputt."),
    ("Fwd: both", "---------- Forwarded message ---------\nFrom: a@example.org\nSubject: one\n\nfirst\n", "", "first"),
];

#[test]
fn what_stands_above_and_what_was_forwarded() {
    for (subject, text, note, forwarded) in WORDS {
        let raw =
            format!("From: bob@example.com\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}");
        let first = &read(&RawMessage::new(raw)).forwarded[0];
        assert_eq!((first.note.as_str(), first.text.as_str()), (*note, *forwarded), "{text}");
    }
    let part = |kind: &str, body: &str| format!("--b\nContent-Type: {kind}\n\n{body}\n");
    let html = inner("one", "Content-Type: text/html").replace("words", "<p>It is <b>broken</b>.</p>");
    let parts =
        [part("text/plain", "See it."), part("message/rfc822", &html), part("message/rfc822", &inner("two", ""))];
    let raw = format!("From: bob@example.com\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n", parts.concat());
    let found = read(&RawMessage::new(raw)).forwarded;
    assert_eq!((found[0].note.as_str(), found[0].text.as_str()), ("See it.", "It is broken."));
    assert_eq!((found[1].note.as_str(), found[1].text.as_str()), ("", ""), "only the first one is kept whole");
}

/// A message with these parts, each with its header, and what is found attached to it.
fn attached(kind: &str, parts: &[String]) -> Vec<String> {
    let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    let raw = format!("From: bob@example.com\nSubject: Hi\nContent-Type: {kind}; boundary=b\n\n{parts}--b--\n");
    let message = read(&RawMessage::new(raw));
    assert!(message.forwarded.iter().all(|forwarded| forwarded.attached));
    message.forwarded.into_iter().map(|forwarded| forwarded.subject).collect()
}

fn inner(subject: &str, rest: &str) -> String {
    format!(
        "From: ann@example.org\nDate: Tue, 3 Mar 2026 09:15:00 +0100\nSubject: {subject}\nMessage-ID: <{subject}@x>\n{rest}\n\nwords\n"
    )
}

#[test]
fn attached_forwards() {
    let plain = |subject: &str| format!("Content-Type: message/rfc822\n\n{}", inner(subject, ""));
    let text = "Content-Type: text/plain\n\nwords".to_owned();
    assert_eq!(attached("multipart/mixed", &[text.clone(), plain("one"), plain("two")]), ["one", "two"]);
    let file = "Content-Type: application/octet-stream; name=\"a.eml\"\n\n";
    assert_eq!(attached("multipart/mixed", &[format!("{file}{}", inner("one", ""))]), ["one"]);
    assert_eq!(attached("multipart/mixed", &[format!("{file}\u{1}\u{2}no message\n")]), [""; 0]);
    assert_eq!(attached("multipart/digest", &[format!("\n{}", inner("one", ""))]), [""; 0]);
    let report = "multipart/report; report-type=feedback-report";
    assert_eq!(attached(report, &[text.clone(), plain("one")]), [""; 0]);
    assert_eq!(attached("multipart/mixed", &vec![plain("many"); 30]).len(), 20);
}

#[test]
fn attached_forwards_within_each_other() {
    let mut whole = inner("5", "");
    for depth in (1..5).rev() {
        let boundary = format!("d{depth}");
        let body = format!("--{boundary}\nContent-Type: message/rfc822\n\n{whole}\n--{boundary}--\n");
        whole = inner(&depth.to_string(), &format!("Content-Type: multipart/mixed; boundary={boundary}"))
            .replace("words\n", &body);
    }
    assert_eq!(attached("multipart/mixed", &[format!("Content-Type: message/rfc822\n\n{whole}")]), ["1", "2", "3"]);
}

#[test]
fn hostile_forwards_end() {
    let marks = "---------- Forwarded message ---------\n".repeat(50_000);
    let header = "From: a@example.org\nSubject: x\n\n";
    for text in [
        marks.clone(),
        format!("{}{header}", "Begin forwarded message:\n".repeat(30_000)),
        header.repeat(30_000),
        "From: ".repeat(200_000),
        format!("Begin forwarded message:\nFrom: {}\nSubject: x\n", "mailto:<".repeat(100_000)),
    ] {
        let start = std::time::Instant::now();
        let message = read(&RawMessage::new(format!("From: a@example.org\nSubject: Fwd: x\n\n{text}")));
        assert!(message.forwarded.len() <= 20);
        assert!(start.elapsed().as_secs() < 5, "{:?}", &text[..40]);
    }
}
