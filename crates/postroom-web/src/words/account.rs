//! Signing in and joining, and what is said when something did not work.

entries! {
    sign_in() = "Sign in", "Anmelden";
    sign_out() = "Sign out", "Abmelden";
    sign_in_by_link() = "You get in with a link that works once and for 15 minutes. Somebody who works where Postroom runs prints one for you:", "Sie kommen mit einem Link hinein, der einmal und 15 Minuten lang gilt. Wer dort arbeitet, wo Postroom läuft, druckt Ihnen einen:";
    your_account() = "Your account", "Ihr Konto";
    join_text() = "Somebody asked for an account with your mail address, or invited you to have one. If that was not you, or you do not want it, close this page and nothing happens.", "Jemand hat mit Ihrer Mailadresse ein Konto verlangt oder Sie dazu eingeladen. Wenn Sie das nicht waren oder es nicht wollen, schließen Sie diese Seite, und nichts geschieht.";
    join_button() = "Yes, this mail address is mine", "Ja, diese Mailadresse gehört mir";
    thank_you() = "Thank you", "Danke";
    join_waits() = "Your mail address is confirmed. An admin has to approve your account; then you can sign in.", "Ihre Mailadresse ist bestätigt. Ein Administrator muss Ihr Konto noch genehmigen; dann können Sie sich anmelden.";

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
