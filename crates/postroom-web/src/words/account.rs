//! Signing in and joining, and what is said when something did not work.

use super::Language;
use postroom_store::Scope;

entries! {
    sign_in() = "Sign in", "Anmelden";
    sign_out() = "Sign out", "Abmelden";
    sign_in_by_link() = "No password, or forgotten? A link that works once and for 15 minutes lets you in. Somebody who works where Postroom runs prints one for you:", "Kein Passwort, oder vergessen? Ein Link, der einmal und 15 Minuten lang gilt, lässt Sie hinein. Wer dort arbeitet, wo Postroom läuft, druckt Ihnen einen:";
    your_account() = "Your account", "Ihr Konto";
    join_text() = "Somebody asked for an account with your mail address, or invited you to have one. If that was not you, or you do not want it, close this page and nothing happens.", "Jemand hat mit Ihrer Mailadresse ein Konto verlangt oder Sie dazu eingeladen. Wenn Sie das nicht waren oder es nicht wollen, schließen Sie diese Seite, und nichts geschieht.";
    join_button() = "Yes, this mail address is mine", "Ja, diese Mailadresse gehört mir";
    thank_you() = "Thank you", "Danke";
    join_waits() = "Your mail address is confirmed. An admin has to approve your account; then you can sign in.", "Ihre Mailadresse ist bestätigt. Ein Administrator muss Ihr Konto noch genehmigen; dann können Sie sich anmelden.";

    password() = "Password", "Passwort";
    mail_address() = "Mail address", "Mailadresse";
    name() = "Name", "Name";
    register() = "Ask for an account", "Konto beantragen";
    register_text() = "With an account you see your requests here and follow them up. Afterwards you show by mail that the address is yours.", "Mit einem Konto sehen Sie Ihre Anfragen hier und verfolgen sie. Danach zeigen Sie per Mail, dass die Adresse Ihnen gehört.";
    one_more_step() = "One more step", "Noch ein Schritt";
    send_the_code(address) = "Within 24 hours, send a message from {address} to the address at which we take requests, with this code in its subject:", "Senden Sie innerhalb von 24 Stunden von {address} eine Nachricht an die Adresse, unter der wir Anfragen nehmen, mit diesem Code im Betreff:";
    then_sign_in() = "If the address may have an account and it is verified that the message is yours, you can then sign in with the password that you chose. Otherwise an admin decides, and sends you a link.", "Wenn die Adresse ein Konto haben darf und nachweisbar ist, dass die Nachricht von Ihnen kommt, können Sie sich dann mit dem gewählten Passwort anmelden. Sonst entscheidet ein Administrator und schickt Ihnen einen Link.";
    too_often() = "This was asked for too often. Try again later.", "Das wurde zu oft verlangt. Versuchen Sie es später wieder.";
    too_many_attempts() = "Too many attempts. Try again in a quarter of an hour, or use a sign-in link.", "Zu viele Versuche. Versuchen Sie es in einer Viertelstunde wieder, oder nehmen Sie einen Anmeldelink.";
    password_wrong() = "This mail address and this password do not belong together.", "Diese Mailadresse und dieses Passwort gehören nicht zusammen.";
    password_short(min) = "A password has at least {min} characters.", "Ein Passwort hat mindestens {min} Zeichen.";
    password_long(max) = "A password has at most {max} characters.", "Ein Passwort hat höchstens {max} Zeichen.";
    password_hint() = "At least 10 characters; a sentence is easier to remember than signs.", "Mindestens 10 Zeichen; ein Satz merkt sich leichter als Zeichen.";
    choose_password() = "Choose a password", "Wählen Sie ein Passwort";
    choose_password_hint() = "At least 10 characters. Without one you get in by links.", "Mindestens 10 Zeichen. Ohne kommen Sie über Links hinein.";
    address_nonsense() = "This is no mail address. It looks like name@example.org.", "Das ist keine Mailadresse. Sie sieht aus wie name@example.org.";
    address_taken() = "Somebody has this address already.", "Diese Adresse gehört schon jemandem.";
    first_address() = "Your mail address", "Ihre Mailadresse";
    first_address_hint() = "This account was made at the first start. With your own address it is yours, and mail that you write is known as yours.", "Dieses Konto entstand beim ersten Start. Mit Ihrer eigenen Adresse ist es Ihres, und Mail, die Sie schreiben, wird als Ihre erkannt.";
    save() = "Save", "Speichern";
    password_text() = "A new one ends all other sessions.", "Ein neues beendet alle anderen Sitzungen.";
    no_password_text() = "You came in by a link. With a password you come back without one.", "Sie kamen über einen Link herein. Mit einem Passwort kommen Sie ohne ihn wieder.";
    current_password() = "Present password", "Jetziges Passwort";
    current_wrong() = "This is not your present password.", "Das ist nicht Ihr jetziges Passwort.";
    new_password() = "New password", "Neues Passwort";
    change_password() = "Change the password", "Passwort ändern";
    set_password() = "Set a password", "Passwort setzen";
    language() = "Language", "Sprache";
    as_the_browser_asks() = "As the browser asks for / wie der Browser verlangt", "Wie der Browser verlangt / as the browser asks for";
    sessions() = "Sessions", "Sitzungen";
    sessions_text() = "Ends all your sessions, in every browser, this one too; sign-in links that nobody used yet are useless then.", "Beendet alle Ihre Sitzungen, in jedem Browser, auch diese; Anmeldelinks, die noch niemand benutzt hat, gelten dann nicht mehr.";
    sign_out_everywhere() = "Sign out everywhere", "Überall abmelden";
    tokens() = "Tokens for programs", "Token für Programme";
    tokens_text() = "A program that has one acts in your name through the API, and may what you may; one for looking changes nothing.", "Ein Programm mit einem Token handelt über die API in Ihrem Namen und darf, was Sie dürfen; eines zum Lesen ändert nichts.";
    token_made() = "Here is the token. Keep it now: nobody sees it again.", "Hier ist das Token. Bewahren Sie es jetzt auf: niemand sieht es wieder.";
    token_name() = "What it is for", "Wofür es ist";
    token_name_hint() = "In one line, for example “nightly report”.", "In einer Zeile, zum Beispiel „nächtlicher Bericht“.";
    token_name_nonsense() = "Say in one line of at most 64 characters what the token is for.", "Sagen Sie in einer Zeile von höchstens 64 Zeichen, wofür das Token ist.";
    token_scope() = "What it may", "Was es darf";
    scope_read() = "look", "lesen";
    scope_write() = "look and change", "lesen und ändern";
    token_days() = "Days until it ends", "Tage bis zum Ende";
    token_days_hint() = "Empty for no end.", "Leer für kein Ende.";
    days_nonsense() = "This is a number of days from 1 to 3650, or empty.", "Das ist eine Zahl von Tagen von 1 bis 3650, oder leer.";
    make_token() = "Make a token", "Token machen";
    made_at(day) = "made {day}", "gemacht {day}";
    expires_at(day) = "ends {day}", "endet {day}";
    never_expires() = "no end", "kein Ende";
    used_at(age) = "used {age}", "benutzt {age}";
    never_used() = "never used", "nie benutzt";
    remove() = "Remove", "Entfernen";

    code_label() = "Code:", "Code:";
    to_items() = "To the items", "Zu den Vorgängen";
    to_sign_in() = "To the sign-in page", "Zur Anmeldung";
    did_not_work() = "That did not work", "Das ging nicht";
    not_found() = "Nothing here", "Hier ist nichts";
    not_found_text() = "There is no such page, or it is not one that you may see.", "Diese Seite gibt es nicht, oder Sie dürfen sie nicht sehen.";
    cross_site() = "Not from there", "Nicht von dort";
    cross_site_text() = "This request came from another site, so nothing was done. Go back to the page and press the button again.", "Diese Anfrage kam von einer anderen Seite, darum wurde nichts getan. Gehen Sie zurück und drücken Sie den Knopf noch einmal.";
    not_like_this() = "Not like this", "So nicht";
    not_like_this_text() = "This page does not answer that kind of request.", "Diese Seite beantwortet diese Art von Anfrage nicht.";
    too_large() = "Too large", "Zu groß";
    too_large_text() = "The request is larger than anything this page takes.", "Die Anfrage ist größer als alles, was diese Seite nimmt.";
    not_understood() = "The request cannot be understood. Nothing was changed.", "Die Anfrage ist nicht zu verstehen. Nichts wurde geändert.";
    moment() = "Just a moment", "Einen Moment";
    moment_text() = "It took too long to answer. Nothing is lost; try again in a moment.", "Die Antwort hat zu lange gedauert. Nichts ist verloren; versuchen Sie es gleich wieder.";
    bug() = "Something went wrong inside", "Innen ging etwas schief";
    bug_text() = "This is a fault of Postroom. No mail is lost by it; the log has the details.", "Das ist ein Fehler von Postroom. Mail geht dadurch nicht verloren; Näheres steht im Log.";
    please_sign_in() = "Please sign in", "Bitte melden Sie sich an";
    no_session() = "There is no session.", "Es gibt keine Sitzung.";
    link_spent() = "This link does not sign in any more", "Dieser Link meldet nicht mehr an";
    link_spent_text() = "A sign-in link works once and for 15 minutes. Ask for a new one, or print one where Postroom runs:", "Ein Anmeldelink gilt einmal und 15 Minuten lang. Bitten Sie um einen neuen, oder drucken Sie einen, wo Postroom läuft:";
    join_spent() = "This link does not work any more", "Dieser Link gilt nicht mehr";
    join_spent_text() = "It works once, and only for a while. Ask for a new one.", "Er gilt einmal und nur eine Weile. Bitten Sie um einen neuen.";
    token_needed() = "A token is needed", "Ein Token wird gebraucht";
    token_needed_text() = "The request has none, or one that does not count any more. `postroom token add` makes one.", "Die Anfrage hat keines, oder eines, das nicht mehr gilt. `postroom token add` macht eines.";
    only_looks() = "This token only looks", "Dieses Token sieht nur";
    only_looks_text() = "Its scope is `read`; `postroom token add --scope write` makes one that may change something.", "Es darf nur lesen; `postroom token add --scope write` macht eines, das ändern darf.";
    too_many() = "Too many requests", "Zu viele Anfragen";
    too_many_text() = "Nothing was done; Retry-After says when the next request is answered.", "Nichts wurde getan; Retry-After sagt, wann die nächste beantwortet wird.";
    no_json() = "The body is no JSON", "Der Inhalt ist kein JSON";
    unfit() = "The body does not fit", "Der Inhalt passt nicht";
}

impl Language {
    /// What a token may.
    pub(crate) fn scope(self, scope: &Scope) -> &'static str {
        match scope {
            Scope::Read => self.scope_read(),
            Scope::Write => self.scope_write(),
        }
    }
}
