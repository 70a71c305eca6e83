//! The journal, a receipt, and the mailboxes.

use super::Language;
use postroom_domain::connection::Warning;

entries! {
    held_mail() = "Held mail", "Zurückgehaltene Mail";
    held_mail_short() = "Held", "Zurückgehalten";
    held_lead() = "Mail that became neither an item nor a comment. It waits here until somebody decides; nothing of it is lost.", "Mail, die weder Vorgang noch Kommentar wurde. Sie wartet hier, bis jemand entscheidet; nichts davon ist verloren.";
    reasons() = "Reasons", "Gründe";
    every_reason() = "Every reason", "Jeder Grund";
    reason_nonsense() = "There is no such reason.", "Diesen Grund gibt es nicht.";
    nothing_held() = "Nothing is held", "Nichts ist zurückgehalten";
    nothing_held_text() = "Every message found its way. What is held for a reason stands here, with what can be done about it.", "Jede Nachricht hat ihren Weg gefunden. Was aus einem Grund zurückgehalten wird, steht hier, mit dem, was sich tun lässt.";
    with_ticked() = "With the selected messages", "Mit den ausgewählten Nachrichten";
    tick_message(subject) = "Select the message {subject}", "Die Nachricht {subject} auswählen";
    decide_anew() = "Decide again", "Neu entscheiden";
    always_allow() = "Release, and always admit its sender", "Freigeben und den Absender immer zulassen";
    block() = "Block its sender", "Absender sperren";
    delete_octets() = "Delete it here", "Hier löschen";
    delete_for_good() = "Yes, delete it for good", "Ja, endgültig löschen";
    deeds_explained() = "Blocking takes no more mail of this sender; the message stays held. Deleting removes its octets here for good; its server is not told.", "Sperren nimmt keine Mail dieses Absenders mehr an; die Nachricht bleibt zurückgehalten. Löschen entfernt ihre Oktette hier endgültig; ihr Server erfährt nichts davon.";
    messages_done[count] = ("Done with {count} message.", "Done with {count} messages."), ("Mit {count} Nachricht getan.", "Mit {count} Nachrichten getan.");
    messages_failed[count] = ("With {count} message it could not be done: it is not in a state for it, or its sender has an account.", "With {count} messages it could not be done: they are not in a state for it, or their senders have accounts."), ("Mit {count} Nachricht ging es nicht: ihr Zustand erlaubt es nicht, oder ihr Absender hat ein Konto.", "Mit {count} Nachrichten ging es nicht: ihr Zustand erlaubt es nicht, oder ihre Absender haben Konten.");
    what_it_says() = "What it says", "Was darin steht";
    there_is_more() = "There is more; the original has all of it.", "Es ist mehr; das Original hat alles.";
    read_safely() = "Shown as plain text: no link in it can be followed, no picture is loaded, and nothing in it runs.", "Als reiner Text gezeigt: kein Link darin lässt sich öffnen, kein Bild wird geladen, und nichts darin läuft.";
    journal_lead() = "Every message that Postroom has taken, what became of it, and why.", "Jede Nachricht, die Postroom angenommen hat, was daraus wurde, und warum.";
    state_label() = "State", "Zustand";
    filed() = "Filed", "Abgelegt";
    held() = "Held", "Zurückgehalten";
    waiting() = "Waiting", "Wartend";
    deferred() = "Deferred", "Aufgeschoben";
    all_mailboxes() = "All mailboxes", "Alle Postfächer";
    no_subject() = "(no subject)", "(kein Betreff)";
    no_sender() = "(no sender)", "(kein Absender)";
    nothing_of_kind() = "Nothing of that kind", "Nichts dieser Art";
    nothing_of_kind_text() = "No message fits what you chose.", "Keine Nachricht passt zu Ihrer Auswahl.";
    whole_journal() = "Show the whole journal", "Das ganze Journal zeigen";
    no_mail() = "No mail yet", "Noch keine Mail";
    no_mail_text() = "As soon as a mailbox is visited, every message it brings has a line here: what became of it, and why.", "Sobald ein Postfach besucht wird, hat jede Nachricht daraus hier eine Zeile: was daraus wurde, und warum.";
    state_nonsense() = "There is no such state of a receipt.", "Diesen Zustand eines Eingangs gibt es nicht.";
    before_nonsense() = "`before` is the number of an entry.", "`before` ist die Nummer eines Eintrags.";

    receipt_number(number) = "Receipt {number}", "Eingang {number}";
    what_became() = "What became of it, and why", "Was daraus wurde, und warum";
    open_item(number) = "Open item #{number}", "Vorgang #{number} öffnen";
    decide_again() = "Decide again under today’s rules", "Nach den heutigen Regeln neu entscheiden";
    let_in_as() = "Let it in, as an item of", "Einlassen, als Vorgang von";
    release() = "Release", "Freigeben";
    try_title() = "What would become of it", "Was daraus würde";
    try_lead() = "Decided again under the rules of now, step by step. Nothing is written by looking.", "Nach den jetzigen Regeln noch einmal entschieden, Schritt für Schritt. Das Ansehen schreibt nichts.";
    under_todays_rules() = "Under the rules of now", "Nach den jetzigen Regeln";
    cannot_be_read() = "It cannot be read, so nothing can be decided.", "Sie lässt sich nicht lesen, darum lässt sich nichts entscheiden.";
    the_message() = "The message", "Die Nachricht";
    from() = "From", "Von";
    subject() = "Subject", "Betreff";
    mailbox() = "Mailbox", "Postfach";
    received() = "Received", "Empfangen";
    size_label() = "Size", "Größe";
    name_on_server() = "Name on the server", "Name auf dem Server";
    attempts() = "Attempts", "Versuche";

    today() = "Today", "Heute";
    today_numbers(filed, held, waiting) = "{filed} filed, {held} held, {waiting} waiting", "{filed} abgelegt, {held} zurückgehalten, {waiting} wartend";
    oldest_waiting() = "Oldest waiting", "Älteste wartende";
    pause() = "Pause", "Ruhen lassen";
    resume() = "Resume", "Weiter besuchen";
    accept_new() = "It is the same mailbox: take what is unknown as new", "Es ist dasselbe Postfach: Unbekanntes als neu nehmen";
    visit_now() = "Visit now", "Jetzt besuchen";
    last_visit() = "Last visit", "Letzter Besuch";
    listed() = "listed", "aufgeführt";
    fetched() = "fetched", "geholt";
    made_items() = "became items", "wurden Vorgänge";
    made_comments() = "became comments", "wurden Kommentare";
    milliseconds() = "milliseconds", "Millisekunden";
    wire_log() = "What is said to the server", "Was mit dem Server gesprochen wird";
    wire_log_text() = "The latest conversations, without passwords and mail. Switching it off removes what was logged.", "Die letzten Gespräche, ohne Passwörter und Mail. Abschalten entfernt, was aufgezeichnet ist.";
    log_on() = "Log it", "Aufzeichnen";
    log_off() = "Log it no more", "Nicht mehr aufzeichnen";

    no_mailbox() = "No mailbox yet", "Noch kein Postfach";
    no_mailbox_text() = "Postroom works without one, too: mail can be brought by an MTA or imported. To have a mailbox visited, add it:", "Postroom arbeitet auch ohne: Mail kann von einem MTA gebracht oder importiert werden. Damit ein Postfach besucht wird, fügen Sie es hinzu:";
    default_workspace(key) = "{key} (the default workspace)", "{key} (der Standard-Arbeitsbereich)";
    feeds_nothing() = "no workspace: none is the default", "keinen Arbeitsbereich: keiner ist der Standard";
    paused() = "paused", "ruht";
    paused_asks() = "paused, and asks", "ruht und fragt";
    throttled_until(when) = "throttled until {when}", "gedrosselt bis {when}";
    throttled() = "throttled", "gedrosselt";
    failing() = "failing", "gestört";
    waiting_for_mail() = "waiting for mail", "wartet auf Mail";
    well() = "well", "in Ordnung";
    not_visited() = "not visited yet", "noch nicht besucht";
    folder() = "folder", "Ordner";
    folders() = "folders", "Ordner";
    brought() = "brought by other programs", "von anderen Programmen gebracht";
    starttls_if_available() = "STARTTLS if available", "STARTTLS, wenn angeboten";
    in_clear() = "in clear", "im Klartext";
    every_second() = "every second", "jede Sekunde";
    every_minute() = "every minute", "jede Minute";
    every_hours(count) = "every {count} h", "alle {count} Std.";
    every_minutes(count) = "every {count} min", "alle {count} Min.";
    every_seconds(count) = "every {count} s", "alle {count} Sek.";
    visits_failed[count] = ("{count} visit has failed", "{count} visits have failed"), ("{count} Besuch ist fehlgeschlagen", "{count} Besuche sind fehlgeschlagen");
    the_first() = ", the first", ", der erste";
    mail_stays() = "Mail stays on the server meanwhile.", "Mail bleibt solange auf dem Server.";
    folder_failed(folder, what) = "Folder {folder}: {what}", "Ordner {folder}: {what}";
    others_are_read() = "The others are read.", "Die anderen werden gelesen.";
    feeds() = "Feeds", "Versorgt";
    visited() = "Visited", "Besucht";
    not_yet() = "not yet", "noch nicht";
    next_visit() = "Next visit", "Nächster Besuch";
    to_be_settled() = "To be settled", "Noch zu behandeln";
    its_messages() = "Its messages", "Seine Nachrichten";
    in_mailbox(name) = "in {name}", "in {name}";
    ledger() = "Ledger", "Bilanz";
    on_the_server() = "on the server", "auf dem Server";
    sum_filed() = "filed", "abgelegt";
    sum_held() = "held", "zurückgehalten";
    sum_waiting() = "waiting", "wartend";
    sum_before() = "from before", "von früher";
    unaccounted[count] = ("{count} message on the server is not accounted for yet.", "{count} messages on the server are not accounted for yet."), ("{count} Nachricht auf dem Server ist noch nicht verbucht.", "{count} Nachrichten auf dem Server sind noch nicht verbucht.");
    missing[count] = ("{count} of ours was not on the server at the last visit; the next one finds out which.", "{count} of ours were not on the server at the last visit; the next one finds out which."), ("{count} der unseren war beim letzten Besuch nicht auf dem Server; der nächste findet heraus, welche.", "{count} der unseren waren beim letzten Besuch nicht auf dem Server; der nächste findet heraus, welche.");
    clear_chosen() = "Password and all mail go over the network IN CLEAR, as configured: anybody on the way can read and change them.", "Passwort und alle Mail gehen im Klartext übers Netz, wie eingestellt: wer dazwischen sitzt, kann sie lesen und ändern.";
    clear_offered() = "Password and all mail go over the network IN CLEAR, since the server offers no TLS: anybody on the way can read and change them.", "Passwort und alle Mail gehen im Klartext übers Netz, weil der Server kein TLS anbietet: wer dazwischen sitzt, kann sie lesen und ändern.";
    own_expires(print, day) = "The server’s certificate (SHA-256 {print}…) expires on {day}.", "Das Zertifikat des Servers (SHA-256 {print}…) läuft am {day} ab.";
    own_expired(print, day) = "The server’s certificate (SHA-256 {print}…) expired on {day}.", "Das Zertifikat des Servers (SHA-256 {print}…) ist am {day} abgelaufen.";
    trusted_expires(print, day) = "A certificate trusted for this mailbox (SHA-256 {print}…) expires on {day}.", "Ein Zertifikat, dem für dieses Postfach vertraut wird (SHA-256 {print}…), läuft am {day} ab.";
    trusted_expired(print, day) = "A certificate trusted for this mailbox (SHA-256 {print}…) expired on {day}.", "Ein Zertifikat, dem für dieses Postfach vertraut wird (SHA-256 {print}…), ist am {day} abgelaufen.";
}

impl Language {
    /// What should be known of a mailbox although it works.
    pub(crate) fn warning(self, warning: &Warning) -> String {
        match warning {
            Warning::InClear { chosen: true } => self.clear_chosen().to_owned(),
            Warning::InClear { chosen: false } => self.clear_offered().to_owned(),
            Warning::CertificateExpires { own, certificate, past } => {
                let print = certificate.fingerprint.get(..16).unwrap_or(&certificate.fingerprint);
                let day = self.day(&certificate.not_after);
                match (own, past) {
                    (true, false) => self.own_expires(print, day),
                    (true, true) => self.own_expired(print, day),
                    (false, false) => self.trusted_expires(print, day),
                    (false, true) => self.trusted_expired(print, day),
                }
            }
        }
    }
}
