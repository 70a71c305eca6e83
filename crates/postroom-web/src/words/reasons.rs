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
