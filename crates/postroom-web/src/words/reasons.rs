//! The reasons for which messages end where they do, as the domain declares them, in German.

use super::Language;
use postroom_domain::Reason;

impl Language {
    /// Why a message ended where it did, as the second half of a sentence.
    pub(crate) fn reason(self, reason: Reason) -> &'static str {
        match self {
            Self::English => reason.sentence(),
            Self::German => german(reason),
        }
    }

    /// The reason in two or three words, for a list of them.
    pub(crate) fn reason_name(self, reason: Reason) -> &'static str {
        use Reason as R;
        let (english, german) = match reason {
            R::NewItem | R::ContinuesClosed => ("New item", "Neuer Vorgang"),
            R::ReplyKey | R::AnswersMessage | R::NumberInSubject => ("Comment", "Kommentar"),
            R::SubmissionsOff => ("Submissions are off", "Einsendungen abgeschaltet"),
            R::SenderUnclear => ("Sender unclear", "Absender unklar"),
            R::SenderBlocked => ("Sender blocked", "Absender gesperrt"),
            R::SenderDisowned => ("Forged sender", "Gefälschter Absender"),
            R::SenderUnverified => ("Sender not proven", "Absender nicht nachgewiesen"),
            R::DomainNotAllowed => ("Domain not allowed", "Domain nicht erlaubt"),
            R::PatternLimit => ("Pattern undecided", "Muster nicht entscheidbar"),
            R::SenderUnknown => ("Unknown sender", "Unbekannter Absender"),
            R::DuplicateCopy => ("Second copy", "Zweite Kopie"),
            R::AutomaticMail => ("Automatic mail", "Automatische Mail"),
            R::OwnAddress => ("Our own address", "Eigene Adresse"),
            R::Storm => ("Too much at once", "Zu viel auf einmal"),
            R::HeldByRule => ("Held by a rule", "Von einer Regel gehalten"),
            R::NoDefaultWorkspace => ("No workspace", "Kein Arbeitsbereich"),
            R::TooLarge => ("Too large", "Zu groß"),
            R::Unfetchable => ("Not handed over", "Nicht herausgegeben"),
            R::ReadPanicked | R::ReadCrashed | R::ReadExhausted => ("Could not be read", "Nicht lesbar"),
            R::FilingFailed => ("Could not be filed", "Nicht ablegbar"),
            R::OctetsDamaged => ("Octets damaged", "Oktette beschädigt"),
            R::RegistrationProven => ("Registration", "Registrierung"),
            R::Deleted => ("Deleted", "Gelöscht"),
        };
        if self == Self::English { english } else { german }
    }

    /// What a person can do on the page about a message that is held for this reason; empty for one that holds none.
    pub(crate) fn advice(self, reason: Reason) -> &'static str {
        use Reason as R;
        let (english, german) = match reason {
            R::NewItem | R::ContinuesClosed | R::ReplyKey | R::AnswersMessage | R::NumberInSubject => ("", ""),
            R::RegistrationProven | R::Deleted => ("", ""),
            R::SubmissionsOff => (
                "Switch submissions on, then have it decided again.",
                "Schalten Sie Einsendungen ein, dann lassen Sie neu entscheiden.",
            ),
            R::SenderUnclear => {
                ("Read it; releasing it files it all the same.", "Lesen Sie sie; freigeben legt sie trotzdem ab.")
            }
            R::SenderBlocked => (
                "Release it if it is wanted all the same, or take its sender off the block list and have it decided again.",
                "Geben Sie sie frei, wenn sie trotzdem gewünscht ist, oder nehmen Sie den Absender von der Sperrliste und lassen neu entscheiden.",
            ),
            R::SenderDisowned => (
                "Take it for a forgery unless you know better; deleting it is the usual thing.",
                "Halten Sie sie für eine Fälschung, wenn Sie es nicht besser wissen; meist löscht man sie.",
            ),
            R::SenderUnverified => (
                "Ask its sender by another way whether it is theirs; then release or delete it.",
                "Fragen Sie den Absender auf anderem Weg, ob sie von ihm ist; dann freigeben oder löschen.",
            ),
            R::DomainNotAllowed => (
                "Release it, or change the allowed domains and have it decided again.",
                "Geben Sie sie frei, oder ändern Sie die erlaubten Domains und lassen neu entscheiden.",
            ),
            R::PatternLimit => (
                "Write the pattern without nested repetition, then have it decided again.",
                "Schreiben Sie das Muster ohne verschachtelte Wiederholung, dann lassen Sie neu entscheiden.",
            ),
            R::SenderUnknown => (
                "Release it if it is wanted; an admin can admit its sender for all mail from now on.",
                "Geben Sie sie frei, wenn sie gewünscht ist; ein Administrator kann den Absender von nun an zulassen.",
            ),
            R::DuplicateCopy | R::OwnAddress => (
                "As a rule nothing is to be done; releasing it files it all the same.",
                "In der Regel ist nichts zu tun; freigeben legt sie trotzdem ab.",
            ),
            R::AutomaticMail => (
                "As a rule nothing is to be done; release what somebody needs to see.",
                "In der Regel ist nichts zu tun; geben Sie frei, was jemand sehen soll.",
            ),
            R::Storm => (
                "It files itself when its turn comes; what has no turn waits for you to release it.",
                "Sie wird von selbst abgelegt, wenn sie an der Reihe ist; was keine Reihe hat, wartet auf Ihre Freigabe.",
            ),
            R::HeldByRule => (
                "Release it, or change the rule that is named and have it decided again.",
                "Geben Sie sie frei, oder ändern Sie die genannte Regel und lassen neu entscheiden.",
            ),
            R::NoDefaultWorkspace => (
                "Make a workspace the default, then have it decided again.",
                "Machen Sie einen Arbeitsbereich zum Standard, dann lassen Sie neu entscheiden.",
            ),
            R::TooLarge | R::Unfetchable => (
                "It is on its server only: open it there with a mail program.",
                "Sie ist nur auf ihrem Server: öffnen Sie sie dort mit einem Mailprogramm.",
            ),
            R::ReadPanicked | R::ReadCrashed | R::ReadExhausted => (
                "Its original is whole; please report it, and after an update have it decided again.",
                "Das Original ist ganz; bitte melden Sie es, und lassen Sie nach einer Aktualisierung neu entscheiden.",
            ),
            R::FilingFailed => (
                "Its way names the error; once that is mended, have it decided again.",
                "Ihr Weg nennt den Fehler; ist er behoben, lassen Sie neu entscheiden.",
            ),
            R::OctetsDamaged => (
                "Bring its file back from a backup, then have it decided again.",
                "Holen Sie ihre Datei aus einer Sicherung, dann lassen Sie neu entscheiden.",
            ),
        };
        if self == Self::English { english } else { german }
    }
}

fn german(reason: Reason) -> &'static str {
    use Reason as R;
    match reason {
        R::NewItem => "sie hat einen neuen Vorgang eröffnet",
        R::ReplyKey => "sie trägt unseren Antwortschlüssel eines Vorgangs, den ihr Absender kommentieren darf",
        R::AnswersMessage => "sie antwortet auf eine Nachricht eines Vorgangs, den ihr Absender kommentieren darf",
        R::ContinuesClosed => "sie hat einen neuen Vorgang eröffnet, der einen geschlossenen fortsetzt",
        R::NumberInSubject => "ihr Betreff nennt einen Vorgang, den ihr Absender kommentieren darf",
        R::SubmissionsOff => "Einsendungen per Mail sind abgeschaltet",
        R::SenderUnclear => "ihr From-Feld nennt nicht genau eine brauchbare Adresse",
        R::SenderBlocked => "ihr Absender steht auf der Sperrliste",
        R::SenderDisowned => {
            "die Domain ihres Absenders bittet darum, solche Nachrichten abzuweisen: sie hat diese nicht gesendet"
        }
        R::SenderUnverified => {
            "nichts beweist, dass ihr Absender sie geschrieben hat, und der Arbeitsbereich hält solche Mail zurück"
        }
        R::DomainNotAllowed => "die Domain ihres Absenders ist nicht unter den erlaubten",
        R::PatternLimit => "ein Muster erlaubter Domains ließ sich nicht innerhalb seiner Grenze entscheiden",
        R::SenderUnknown => "ihr Absender ist nicht registriert, und dieses Postfach nimmt nur registrierte Absender",
        R::DuplicateCopy => "sie ist eine bytegleiche zweite Kopie einer Nachricht dieses Postfachs",
        R::AutomaticMail => "sie ist automatische Mail, die dieses Postfach zurückhält",
        R::OwnAddress => {
            "sie kommt von einer unserer eigenen Adressen, und keine registrierte Person hat sie geschrieben"
        }
        R::Storm => "in einer Stunde kam mehr Mail dieser Art an, als auf einmal abgelegt wird",
        R::HeldByRule => "eine Regel hält sie zurück",
        R::NoDefaultWorkspace => "ihr Postfach nennt keinen Arbeitsbereich, und es gibt keinen Standard-Arbeitsbereich",
        R::TooLarge => "sie ist größer als die Grenze; sie wurde auf dem Server gelassen",
        R::Unfetchable => "der Server führt sie auf, gibt sie aber nicht heraus; sie wurde dort gelassen",
        R::ReadPanicked => "beim Lesen gab es einen Fehler in Postroom; das Original ist aufbewahrt",
        R::ReadCrashed => "das Lesen hat den lesenden Prozess zweimal beendet; das Original ist aufbewahrt",
        R::ReadExhausted => {
            "das Lesen brauchte mehr Rechenzeit oder Speicher, als eine Nachricht darf; das Original ist aufbewahrt"
        }
        R::FilingFailed => "die Datenbank hat immer wieder abgelehnt, was daraus würde; das Original ist aufbewahrt",
        R::OctetsDamaged => "ihre gespeicherten Oktette fehlen oder sind beschädigt",
        R::RegistrationProven => "sie hat für eine Registrierung gezeigt, dass die Adresse ihrem Absender gehört",
        R::Deleted => "sie wurde hier gelöscht, nachdem sie zurückgehalten war; ihr Server erfuhr nichts davon",
    }
}
