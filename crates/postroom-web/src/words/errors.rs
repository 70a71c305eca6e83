//! The errors of the mail servers and of the data in German, by their code. In English they say themselves what happened, with
//! names and numbers; the German sentence says it without, and stands in front of the English one where details matter.

use super::Language;

/// An error for people: what happened, what is safe and what to do, and the particulars in English where the sentences do not
/// have them; each may be empty.
#[derive(Debug, Clone)]
pub(crate) struct ErrorWords {
    pub(crate) what: String,
    pub(crate) help: String,
    pub(crate) particulars: String,
}

impl Language {
    /// The error of this code, which says of itself `message` and `help` in English.
    pub(crate) fn error(self, code: &str, message: &str, help: &str) -> ErrorWords {
        let english = || ErrorWords { what: message.to_owned(), help: help.to_owned(), particulars: String::new() };
        match self {
            Self::English => english(),
            Self::German => german(code).map_or_else(english, |(_, what, help)| ErrorWords {
                what: (*what).to_owned(),
                help: (*help).to_owned(),
                particulars: message.to_owned(),
            }),
        }
    }
}

/// Code, what happened, what is safe and what to do.
type Row = (&'static str, &'static str, &'static str);

fn german(code: &str) -> Option<&'static Row> {
    SERVERS.iter().chain(DATA).find(|row| row.0 == code)
}

const SERVERS: &[Row] = &[
    (
        "HOST_UNKNOWN",
        "Der Namensdienst kennt den Server nicht.",
        "Prüfen Sie die Schreibweise: `mailbox set NAME --host HOST`. Der nächste Besuch versucht es wieder.",
    ),
    (
        "HOST_PRIVATE",
        "Der Server steht auf diesem Rechner oder in einem privaten Netz, und das war nicht erlaubt.",
        "Wenn das so gemeint ist: `mailbox set NAME --allow-private-host`.",
    ),
    (
        "CONNECT_REFUSED",
        "An diesem Port antwortet nichts.",
        "Prüfen Sie Server und Port: IMAP 993 mit `ssl`, sonst 143; POP3 995 und 110.",
    ),
    (
        "CONNECT_TIMEOUT",
        "Der Server hat nicht geantwortet.",
        "Prüfen Sie das Netz und eine Firewall dazwischen. Der nächste Besuch versucht es wieder.",
    ),
    ("UNREACHABLE", "Es führt kein Weg zum Server.", "Prüfen Sie das Netz. Der nächste Besuch versucht es wieder."),
    (
        "TLS_FAILED",
        "Die verschlüsselte Verbindung kam nicht zustande.",
        "Prüfen Sie, ob `--security` zum Port passt. Das Passwort wurde nicht gesendet.",
    ),
    (
        "TLS_TOO_OLD",
        "Der Server spricht keine Version von TLS, die neuer als 1.1 ist.",
        "Wer den Server betreibt, muss ihn erneuern: ältere Versionen lassen sich brechen.",
    ),
    (
        "STARTTLS_MISSING",
        "STARTTLS wird verlangt und nicht angeboten.",
        "Nehmen Sie `--security ssl` mit Port 993 (POP3: 995). Ein Server, der es früher anbot, wird vielleicht angegriffen.",
    ),
    (
        "TLS_PREAUTH_REFUSED",
        "Der Server behauptet, wir seien angemeldet, bevor die Verbindung geschützt ist.",
        "Nehmen Sie `--security ssl`; fragen Sie, wer den Server betreibt.",
    ),
    (
        "TLS_INJECTION",
        "Hinter der Antwort auf STARTTLS kamen Daten im Klartext.",
        "So sieht ein Angriff aus. Nehmen Sie `--security ssl`; fragen Sie, wer den Server betreibt.",
    ),
    (
        "TLS_DOWNGRADE",
        "Dieser Server bot früher TLS an und tut es jetzt nicht.",
        "Vielleicht liest jemand mit. Nehmen Sie `--security ssl`, wo es angeboten wird; wenn der Server TLS wirklich aufgegeben hat: `--security none`.",
    ),
    (
        "CERT_UNTRUSTED",
        "Niemand, dem wir vertrauen, bürgt für das Zertifikat.",
        "Vergleichen Sie den Fingerabdruck mit dem Betreiber, dann: `postroom mailbox trust NAME --fingerprint SHA256`.",
    ),
    (
        "CERT_NAME_MISMATCH",
        "Das Zertifikat ist für andere Namen.",
        "Nehmen Sie einen Servernamen, der darin steht, oder vertrauen Sie genau diesem Zertifikat: `mailbox trust`.",
    ),
    (
        "CERT_EXPIRED",
        "Das Zertifikat, oder eines, das dafür bürgt, ist abgelaufen.",
        "Wer den Server betreibt, muss es erneuern.",
    ),
    ("CERT_NOT_YET_VALID", "Das Zertifikat gilt noch nicht.", "Prüfen Sie die Uhr dieses Rechners."),
    (
        "CERT_CHANGED",
        "Der Server zeigt ein anderes Zertifikat als das, dem für dieses Postfach vertraut wird.",
        "Fragen Sie den Betreiber; ist der neue Fingerabdruck richtig: `mailbox trust NAME --fingerprint SHA256`. Die Mail wartet auf dem Server.",
    ),
    (
        "CERT_INVALID",
        "In der Datei ist kein Zertifikat, oder keines, das sich lesen lässt.",
        "Geben Sie PEM, DER, PKCS #12 oder einen Java-Keystore. Nichts wurde geändert.",
    ),
    (
        "CERT_PASSWORD",
        "Der Keystore braucht ein Passwort, oder ein anderes.",
        "`certificate add FILE --mailbox NAME --password-file F`. Es darf leer sein.",
    ),
    (
        "AUTH_REJECTED",
        "Benutzer oder Passwort stimmen nicht.",
        "`mailbox set NAME --user U --password-stdin`. Damit das Konto nicht gesperrt wird, wird ein abgelehntes Passwort nur dreimal versucht und dann alle sechs Stunden.",
    ),
    (
        "AUTH_UNAVAILABLE",
        "Der Server kann Passwörter zurzeit nicht prüfen.",
        "Das Passwort kann richtig sein; der nächste Besuch versucht es wieder.",
    ),
    (
        "SERVER_NOT_PROVEN",
        "Der Server lässt uns ein, beweist aber nicht, dass er das Passwort kennt.",
        "Das Passwort wurde nicht gesendet. Wer da antwortet, ist vielleicht nicht der Server: prüfen Sie Namen und Zertifikat.",
    ),
    (
        "LOGIN_DOWNGRADE",
        "An die Verbindung gebundene Anmeldungen gingen hier früher und werden jetzt nicht angeboten.",
        "Das Passwort wurde nicht gesendet. Fragen Sie den Betreiber; wenn es wirklich aufgegeben wurde: `mailbox set NAME --auth METHOD`.",
    ),
    (
        "LOGIN_DISABLED",
        "Der Server bietet keine Anmeldung an, die wir auf dieser Verbindung benutzen dürfen.",
        "Nehmen Sie `--security ssl` oder `starttls`, oder ein anderes `--auth`.",
    ),
    ("PASSWORD_MISSING", "Das Postfach hat kein Passwort.", "`mailbox set NAME --password-stdin`."),
    (
        "ARGUMENT_INVALID",
        "Benutzer, Passwort oder Ordner haben ein Zeichen, das sich nicht senden lässt.",
        "Setzen Sie sie ohne NUL und Zeilenenden.",
    ),
    ("FOLDER_MISSING", "Diesen Ordner gibt es nicht.", "`mailbox set NAME --folder FOLDER`."),
    (
        "FOLDER_LOOPS",
        "Mail würde in einen Ordner verschoben, der gelesen wird.",
        "Nichts wurde verschoben und nichts zweimal abgelegt. `mailbox set NAME --done-folder F` oder `--held-folder F`.",
    ),
    (
        "CONNECTION_LOST",
        "Die Verbindung ist abgebrochen.",
        "Was angenommen wurde, ist sicher; nichts Unabgelegtes wurde gelöscht; der nächste Besuch macht weiter.",
    ),
    (
        "TIMEOUT",
        "Der Server hat zu lange nichts gesendet.",
        "Was angenommen wurde, ist sicher; nichts Unabgelegtes wurde gelöscht; der nächste Besuch macht weiter.",
    ),
    (
        "PROTOCOL_ERROR",
        "Der Server hat etwas gesagt, das in seinem Protokoll nichts bedeutet.",
        "Prüfen Sie, ob Server und Port zu diesem Protokoll gehören.",
    ),
    (
        "POP3_DESYNC",
        "Der POP3-Server hat etwas gesendet, wonach nichts gefragt hat.",
        "Die Verbindung wurde beendet, und nichts wurde gelöscht. Wenn es wieder geschieht, ist der Server gestört, oder jemand spricht an seiner Stelle.",
    ),
    (
        "POP3_NO_UIDL_LEAVE",
        "Der POP3-Server gibt zu vielen Nachrichten keine brauchbaren Namen (UIDL).",
        "Nichts wurde geändert. Nehmen Sie `--keep no`, oder erreichen Sie das Postfach über IMAP.",
    ),
    (
        "MAILBOX_IN_USE",
        "Ein anderes Programm hat das POP3-Postfach offen.",
        "Nichts wurde geholt oder geändert; der nächste Besuch versucht es wieder.",
    ),
    (
        "THROTTLED",
        "Der Server will eine Weile in Ruhe gelassen werden.",
        "Nichts wurde gelöscht, was nicht abgelegt ist. Der nächste Besuch kommt von selbst, wenn die Pause um ist.",
    ),
    (
        "SETTLEMENT_UNSUPPORTED",
        "POP3 kann eine Nachricht lassen oder löschen, aber weder kennzeichnen noch verschieben.",
        "Nehmen Sie `--keep yes` oder `--keep no` ohne Ordner, oder IMAP.",
    ),
    (
        "MAILBOX_CHANGED",
        "Der Server hat seinen Nachrichten andere Namen gegeben; vielleicht ist es ein anderes Postfach.",
        "Nichts wurde genommen oder geändert, und das Postfach ruht. Stimmen Benutzer und Ordner noch: `mailbox resume NAME --accept-new`.",
    ),
    (
        "SERVER_REFUSED",
        "Der Server hat abgelehnt; seine eigenen Worte stehen darunter.",
        "Was dem Server geschuldet war, ist es noch.",
    ),
    (
        "UIDPLUS_MISSING",
        "Der Server kann einzelne Nachrichten nicht entfernen.",
        "Sie wurden höchstens zum Löschen gekennzeichnet, und Mail anderer blieb unberührt. Nehmen Sie `--keep yes` oder `--done-folder`.",
    ),
    (
        "MAILDIR_MISSING",
        "An dieser Stelle ist kein Maildir.",
        "Nennen Sie ein Verzeichnis mit `new`, `cur` und `tmp`: `mailbox set NAME --path DIR`.",
    ),
    ("MAILDIR_UNREADABLE", "Das Maildir lässt sich nicht lesen oder ändern.", "Prüfen Sie Eigentümer und Rechte."),
    (
        "FILE_UNREADABLE",
        "Eine Datei mit einer Nachricht lässt sich nicht lesen.",
        "Prüfen Sie, ob sie da und lesbar ist; die anderen sind nicht betroffen.",
    ),
    (
        "FILE_TOO_LARGE",
        "Eine Datei ist größer, als eine Nachricht sein kann.",
        "Nennen Sie eine Nachricht; die anderen sind nicht betroffen.",
    ),
    ("NOTHING_TO_VISIT", "Diese Art von Postfach hat keinen Server.", "Es nimmt Mail von `deliver` und `import`."),
    ("STOPPED", "Der Besuch wurde beendet.", "Was angenommen wurde, ist sicher; der nächste Besuch holt den Rest."),
];

const DATA: &[Row] = &[
    (
        "DATABASE_LOCKED",
        "Ein anderer Prozess hielt die Datenbank zu lange fest.",
        "Beenden Sie ihn, oder versuchen Sie es wieder.",
    ),
    (
        "DATABASE_FULL",
        "Für die Datenbank ist kein Platz.",
        "Nichts ist verloren: Mail bleibt auf ihrem Server, bis sie gespeichert ist. Schaffen Sie Platz.",
    ),
    (
        "DATABASE_UNREACHABLE",
        "Der PostgreSQL-Server ist nicht erreichbar.",
        "Starten Sie ihn. Mail bleibt auf ihrem Server.",
    ),
    (
        "DATABASE_REFUSED",
        "Der PostgreSQL-Server lehnt die Verbindung ab.",
        "Prüfen Sie Benutzer, Passwort und Namen der Datenbank.",
    ),
    (
        "DATABASE_NEWER",
        "Die Datenbank wurde von einem neueren Postroom geschrieben.",
        "Nehmen Sie jenes, oder eine ältere Sicherung.",
    ),
    (
        "DATABASE_SCHEMA_DIFFERS",
        "Die Datenbank ist anders aufgebaut, als dieses Programm es kennt.",
        "Sie gehört einem anderen Programm oder einer geänderten Fassung.",
    ),
    (
        "DATABASE_NOT_DURABLE",
        "Die Datenbank würde nicht behalten, was sie bestätigt.",
        "Schalten Sie `fsync` und `synchronous_commit` in postgresql.conf ein.",
    ),
    (
        "DATABASE_DAMAGED",
        "Die Datei ist keine Datenbank, oder ihr Aufbau ist zerstört.",
        "Halten Sie Postroom an, heben Sie das Verzeichnis auf, wie es ist, und stellen Sie die letzte Sicherung daneben her.",
    ),
    (
        "DATABASE_IO",
        "Der Rechner konnte eine Datei der Datenbank nicht lesen oder schreiben.",
        "Nichts ist verloren: Mail bleibt auf ihrem Server. Sehen Sie nach der Platte, dann `postroom check`.",
    ),
    (
        "DATABASE_ERROR",
        "In der Datenbank ist etwas fehlgeschlagen.",
        "`postroom check` sagt, ob die Daten in Ordnung sind.",
    ),
    (
        "DATABASE_VALUE",
        "Ein gespeicherter Wert bedeutet diesem Programm nichts.",
        "`postroom check` sagt, ob die Daten in Ordnung sind.",
    ),
    (
        "DATA_DIR_UNWRITABLE",
        "Das Datenverzeichnis lässt sich nicht beschreiben.",
        "Geben Sie diesem Benutzer das Recht dazu.",
    ),
    (
        "RAW_MISSING",
        "Die Oktette einer Nachricht oder eines Anhangs sind nicht da.",
        "Auf dem Server wird deswegen nichts gelöscht. `postroom check`; holen Sie die Datei aus einer Sicherung.",
    ),
    (
        "RAW_DAMAGED",
        "Gespeicherte Oktette haben nicht ihre Prüfsumme.",
        "`postroom check`; holen Sie die Datei aus einer Sicherung.",
    ),
    ("LEASE_LOST", "Jemand anders besucht dieses Postfach jetzt.", "Es ist nichts zu tun."),
    ("WORKSPACE_UNKNOWN", "Diesen Arbeitsbereich gibt es nicht.", "Wählen Sie einen anderen."),
    ("USER_UNKNOWN", "Diese Person gibt es nicht.", "Prüfen Sie die Adresse."),
    ("MAILBOX_UNKNOWN", "Dieses Postfach gibt es nicht.", "Die Seite der Postfächer zeigt, welche es gibt."),
    ("ITEM_UNKNOWN", "Diesen Vorgang gibt es nicht.", "Prüfen Sie die Nummer."),
    ("COMMENT_UNKNOWN", "Diesen Kommentar gibt es an diesem Vorgang nicht.", "Laden Sie die Seite neu."),
    ("PARTICIPANT_UNKNOWN", "Niemand mit dieser Adresse ist beteiligt oder vorgeschlagen.", "Laden Sie die Seite neu."),
    ("PARTICIPANT_IS_REQUESTER", "Wer angefragt hat, ist immer beteiligt.", "Nichts wurde geändert."),
    (
        "ASSIGNEE_UNFIT",
        "Diese Person darf an dem Vorgang nicht arbeiten: sie ist in seinem Arbeitsbereich nicht mindestens Bearbeiter.",
        "Nichts wurde geändert.",
    ),
    (
        "TAG_INVALID",
        "Das ist kein Schlagwort: ein Wort aus Buchstaben, Ziffern und `-_.:/`, höchstens 40 Zeichen; höchstens 50 an einem Vorgang.",
        "Nichts wurde geändert.",
    ),
    ("CHANGE_UNKNOWN", "Eine Änderung mit dieser Nummer gibt es nicht.", "Laden Sie die Seite neu."),
    (
        "NOTHING_TO_UNDO",
        "Es ist nichts mehr da, was sich zurücknehmen lässt.",
        "Die Geschichte des Vorgangs zeigt, was war.",
    ),
    (
        "UNDO_REFUSED",
        "Die Änderung lässt sich nicht zurücknehmen: sie wurde es schon, oder Späteres baut darauf auf.",
        "Nichts wurde geändert. Nehmen Sie zuerst das Spätere zurück.",
    ),
    ("RECEIPT_UNKNOWN", "Diesen Eingang gibt es nicht.", "Das Journal zeigt, welche es gibt."),
    ("ATTACHMENT_UNKNOWN", "Diesen Anhang gibt es nicht.", "Laden Sie die Seite neu."),
    ("TOKEN_UNKNOWN", "Dieses API-Token gibt es nicht.", "Laden Sie die Seite neu."),
    ("RULE_UNKNOWN", "Diese Regel gibt es nicht.", "Laden Sie die Seite neu."),
    ("CERTIFICATE_UNKNOWN", "Kein vertrautes Zertifikat hat diesen Fingerabdruck.", "`postroom certificate list`."),
    ("CONTACT_UNKNOWN", "Über diese Adresse ist nichts bekannt.", "Prüfen Sie die Adresse."),
    (
        "CANNOT_ADMIT",
        "Diesen Absender zuzulassen würde nichts ändern: die Adresse hat ein Konto, oder Sperrliste oder erlaubte Domains weisen sie ab, oder die Nachricht nennt nicht genau einen Absender.",
        "Nichts wurde geändert. Freigeben legt diese eine Nachricht trotzdem ab.",
    ),
    (
        "REGISTRATION_UNKNOWN",
        "Für diese Adresse wartet nichts: keine Registrierung, keine Einladung.",
        "Laden Sie die Seite neu.",
    ),
    ("REGISTRATION_CLOSED", "Niemand kann sich registrieren.", "Lassen Sie sich einladen."),
    (
        "ADDRESS_NOT_ALLOWED",
        "Die Regeln über Adressen lassen diese nicht zu.",
        "Wen Sie selbst einladen, für den werden die Regeln nicht gefragt.",
    ),
    ("TOO_MANY_REQUESTS", "Das wurde zu oft verlangt.", "Versuchen Sie es später wieder."),
    ("WORKSPACE_EXISTS", "Ein Arbeitsbereich mit diesem Schlüssel besteht schon.", "Wählen Sie einen anderen."),
    ("USER_EXISTS", "Mit dieser Adresse gibt es schon jemanden.", "Prüfen Sie die Adresse."),
    ("MAILBOX_EXISTS", "Ein Postfach mit diesem Namen besteht schon.", "Wählen Sie einen anderen Namen."),
    ("RULE_EXISTS", "Eine Regel mit diesem Namen besteht schon.", "Wählen Sie einen anderen Namen."),
    ("CERTIFICATE_EXISTS", "Das Postfach vertraut diesem Zertifikat schon.", "Es ist nichts zu tun."),
    ("EXISTS", "Das gibt es schon.", "Wählen Sie einen anderen Namen."),
    ("ADDRESS_INVALID", "Das ist keine Mailadresse.", "Schreiben Sie sie wie `name@example.org`."),
    (
        "PATTERN_INVALID",
        "Ein Muster ist kein regulärer Ausdruck von Perl 5, zu lang, oder es kann nie passen; oder ein Eintrag ist weder Domain noch Adresse.",
        "Domains schreibt man `bosch.com` oder `*.bosch.com`.",
    ),
    (
        "TEXT_INVALID",
        "Der Text ist leer oder länger als 1 MiB. Nichts wurde geändert.",
        "Schreiben Sie etwas; senden Sie Langes per Mail.",
    ),
    (
        "TOKEN_NAME",
        "Der Name eines API-Tokens ist leer, länger als 64 Zeichen oder mehr als eine Zeile.",
        "Sagen Sie in einer Zeile, wofür es ist.",
    ),
    ("RULE_INVALID", "Eine Regel lässt sich so nicht benutzen.", "Darunter steht, welche und warum."),
    ("FINGERPRINT_AMBIGUOUS", "Die Ziffern passen auf mehr als ein Zertifikat.", "Geben Sie mehr davon."),
    (
        "RECEIPT_STATE",
        "Der Eingang ist nicht in einem Zustand, der das erlaubt.",
        "Zurückgehaltenes und Aufgeschobenes lässt sich neu entscheiden, Zurückgehaltenes freigeben oder löschen.",
    ),
    (
        "RECEIPT_DELETED",
        "Der Eingang wurde gelöscht, seine Oktette sind weg.",
        "Nichts wurde geändert. Vielleicht ist die Nachricht noch auf ihrem Server, und eine frühere Sicherung hat sie.",
    ),
    (
        "NO_OCTETS",
        "Die Oktette dieses Eingangs wurden nie geholt.",
        "Die Nachricht ist noch auf dem Server. Beim nächsten Besuch, oder wenn die Grenze erhöht ist, wird wieder nach ihr gefragt.",
    ),
    (
        "SECRET_KEY_MISSING",
        "Die Schlüsseldatei fehlt, aber die Datenbank hat versiegelte Passwörter.",
        "Bringen Sie den Schlüssel zurück, oder geben Sie die Passwörter neu ein.",
    ),
    (
        "SECRET_UNREADABLE",
        "Ein versiegeltes Passwort lässt sich mit dem jetzigen Schlüssel nicht öffnen.",
        "Bringen Sie den Schlüssel zurück, oder geben Sie das Passwort neu ein.",
    ),
    ("NOT_EMPTY", "Das Verzeichnis ist nicht leer.", "Nennen Sie ein neues oder leeres. Nichts wurde geschrieben."),
    (
        "BACKUP_DAMAGED",
        "Das Verzeichnis ist keine ganze Sicherung.",
        "Nichts wurde hergestellt. Nehmen Sie eine andere.",
    ),
    ("STORE_CLOSED", "Postroom wird gerade beendet.", "Starten Sie es wieder."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The codes in the table below the heading, as the documentation has them.
    fn documented(heading: &str) -> BTreeSet<&'static str> {
        let all = include_str!("../../../../docs/errors.md");
        let part = all.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
        let codes: BTreeSet<_> =
            part.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| row.split('`').next()).collect();
        assert!(codes.len() > 20, "{heading}");
        codes
    }

    #[test]
    fn every_error_has_its_german_and_nothing_else_has() {
        for (heading, rows) in [("Reaching a mail server", SERVERS), ("The data", DATA)] {
            let german: BTreeSet<_> = rows.iter().map(|row| row.0).collect();
            assert_eq!(documented(heading), german, "{heading}");
        }
        let said = Language::German.error("TIMEOUT", "no answer", "wait");
        assert!(said.what.starts_with("Der Server") && said.particulars == "no answer", "{said:?}");
        assert_eq!(Language::English.error("TIMEOUT", "no answer", "wait").what, "no answer");
    }
}
