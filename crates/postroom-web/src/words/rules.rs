//! The sentence for each rule that a message met, in the order of the rules: who wrote it, what it is, where it belongs, where
//! it goes. What stands behind a colon is the evidence, as the rule wrote it down.

use super::Language;
use postroom_domain::TraceStep;

/// The last word of the evidence: a number, where it ends with one.
fn last_word(detail: &str) -> &str {
    detail.rsplit(' ').next().unwrap_or(detail)
}

/// The colour of a step, and what it says.
type Said = (&'static str, String);

impl Language {
    /// Who wrote it, and whether they may.
    pub(super) fn judging(self, step: &TraceStep) -> Said {
        let d = &step.detail;
        match (step.rule.as_str(), step.outcome.as_str()) {
            ("registration", "proven") => (
                "good",
                say!(
                    self,
                    "It shows for a registration that {d} is its sender's address.",
                    "Sie zeigt für eine Registrierung, dass {d} die Adresse ihres Absenders ist."
                ),
            ),
            ("registration", _) => {
                ("warn", say!(self, "It proves no registration: {d}.", "Sie beweist keine Registrierung: {d}."))
            }
            ("deletion", by) => {
                ("", say!(self, "Its octets were deleted {by}; {d}.", "Ihre Oktette wurden gelöscht ({by}); {d}."))
            }
            ("release", "admitted") => (
                "good",
                say!(
                    self,
                    "A person released it, so its sender was not judged again.",
                    "Eine Person hat sie freigegeben, darum wurde ihr Absender nicht noch einmal beurteilt."
                ),
            ),
            ("submissions", "off") => {
                ("bad", say!(self, "Submissions by mail are switched off.", "Einsendungen per Mail sind abgeschaltet."))
            }
            ("author", "unclear") => (
                "warn",
                say!(
                    self,
                    "Its From field does not name exactly one usable address: {d}.",
                    "Ihr From-Feld nennt nicht genau eine brauchbare Adresse: {d}."
                ),
            ),
            ("author", "mixed scripts") => (
                "warn",
                say!(self, "Look closely at the letters: {d}.", "Sehen Sie sich die Buchstaben genau an: {d}."),
            ),
            ("sender", "registered") => {
                ("good", say!(self, "Its sender, {d}, is registered here.", "Ihr Absender, {d}, ist hier registriert."))
            }
            ("sender", "unknown, allowed") => (
                "good",
                say!(
                    self,
                    "Its sender, {d}, is not registered, and this mailbox takes mail from everybody.",
                    "Ihr Absender, {d}, ist nicht registriert, und dieses Postfach nimmt Mail von allen."
                ),
            ),
            ("sender", "admitted contact") => (
                "good",
                say!(
                    self,
                    "Its sender, {d}, is a contact that was admitted.",
                    "Ihr Absender, {d}, ist ein zugelassener Kontakt."
                ),
            ),
            ("sender", "blocked contact") => (
                "bad",
                say!(
                    self,
                    "Its sender, {d}, is a contact that was blocked.",
                    "Ihr Absender, {d}, ist ein gesperrter Kontakt."
                ),
            ),
            ("sender", "unknown") => (
                "bad",
                say!(
                    self,
                    "Its sender, {d}, is not registered, and this mailbox takes mail only from people who are.",
                    "Ihr Absender, {d}, ist nicht registriert, und dieses Postfach nimmt nur Mail von registrierten Personen."
                ),
            ),
            ("blocked", _) => (
                "bad",
                say!(self, "Its sender is on the block list: {d}.", "Ihr Absender steht auf der Sperrliste: {d}."),
            ),
            ("identity", "verified") => (
                "good",
                say!(self, "It is proven who wrote it: {d}.", "Es ist nachgewiesen, wer sie geschrieben hat: {d}."),
            ),
            ("identity", "failed") => {
                ("bad", say!(self, "It is not by whom it says: {d}.", "Sie ist nicht von dem, den sie nennt: {d}."))
            }
            ("identity", _) => (
                "warn",
                say!(
                    self,
                    "Nothing proves that its sender wrote it: {d}.",
                    "Nichts beweist, dass ihr Absender sie geschrieben hat: {d}."
                ),
            ),
            ("allowed-domains", "admitted") => (
                "good",
                say!(
                    self,
                    "It is from a domain that may write: {d}.",
                    "Sie kommt von einer Domain, die schreiben darf: {d}."
                ),
            ),
            ("allowed-domains", "refused") => (
                "bad",
                say!(
                    self,
                    "It is from a domain that may not write: {d}.",
                    "Sie kommt von einer Domain, die nicht schreiben darf: {d}."
                ),
            ),
            ("allowed-domains", "undecided") => (
                "bad",
                say!(
                    self,
                    "Whether its sender may write could not be decided: {d}.",
                    "Ob ihr Absender schreiben darf, ließ sich nicht entscheiden: {d}."
                ),
            ),
            ("copy", "duplicate") if self == Self::German => {
                ("bad", format!("Sie ist eine zweite Kopie von Eingang {}.", last_word(d)))
            }
            ("copy", "duplicate") => {
                ("bad", say!(self, "It is a second copy: the {d}.", "Sie ist eine zweite Kopie: {d}."))
            }
            (rule, outcome) if d.is_empty() => ("", format!("{rule}: {outcome}.")),
            (rule, outcome) => ("", format!("{rule}: {outcome} ({d}).")),
        }
    }

    /// What it is.
    pub(super) fn finding(self, step: &TraceStep) -> Said {
        let d = &step.detail;
        match (step.rule.as_str(), step.outcome.as_str()) {
            ("automatic", outcome) => {
                let what = self.automatic(d);
                if outcome == "held" {
                    (
                        "bad",
                        say!(
                            self,
                            "It is automatic mail: {what}. This mailbox holds such mail.",
                            "Sie ist automatische Mail: {what}. Dieses Postfach hält solche Mail zurück."
                        ),
                    )
                } else {
                    (
                        "",
                        say!(
                            self,
                            "It is automatic mail: {what}. Nothing answers it.",
                            "Sie ist automatische Mail: {what}. Nichts antwortet darauf."
                        ),
                    )
                }
            }
            ("bounce", "original") => ("", say!(self, "It is about the message {d}.", "Es geht um die Nachricht {d}.")),
            (_, "more") => ("", say!(self, "There are {d} of them.", "Es sind {d}.")),
            ("bounce", action) => (
                "",
                say!(
                    self,
                    "A mail system reports mail as {action} for {d}.",
                    "Ein Mailsystem meldet für {d}: {action}."
                ),
            ),
            ("forwarded", "attached") => {
                ("", say!(self, "A message {d} is attached to it.", "Eine Nachricht hängt daran: {d}."))
            }
            ("forwarded", _) => {
                ("", say!(self, "It passes on a message {d}.", "Sie reicht eine Nachricht weiter: {d}."))
            }
            ("invitation", "request") => ("", say!(self, "It invites to {d}.", "Sie lädt ein: {d}.")),
            ("invitation", "reply") => {
                ("", say!(self, "It answers an invitation: {d}.", "Sie antwortet auf eine Einladung: {d}."))
            }
            ("invitation", "cancel") => ("", say!(self, "It cancels {d}.", "Sie sagt ab: {d}.")),
            ("invitation", _) => {
                ("", say!(self, "It carries a calendar entry: {d}.", "Sie enthält einen Kalendereintrag: {d}."))
            }
            (_, outcome) => {
                ("", say!(self, "Its content is {outcome} with {d}.", "Ihr Inhalt ist mit {d} geschützt ({outcome})."))
            }
        }
    }

    /// Which item it belongs to.
    pub(super) fn matching(self, step: &TraceStep) -> Said {
        let d = &step.detail;
        match (step.rule.as_str(), step.outcome.as_str()) {
            (_, "mention") => ("warn", say!(self, "It only {d}.", "Sie nennt nur: {d}.")),
            ("reply-key", "comment") => (
                "good",
                say!(
                    self,
                    "It carries our reply key of {d}, on which its sender may comment.",
                    "Sie trägt unseren Antwortschlüssel von {d}; ihr Absender darf dort kommentieren."
                ),
            ),
            ("reply-key", "not ours" | "not verified") => (
                "warn",
                say!(
                    self,
                    "It carries reply keys that count for nothing: {d}.",
                    "Sie trägt Antwortschlüssel, die nichts gelten: {d}."
                ),
            ),
            ("reference", "comment") => (
                "good",
                say!(
                    self,
                    "It answers a message of {d}, on which its sender may comment.",
                    "Sie antwortet auf eine Nachricht von {d}; ihr Absender darf dort kommentieren."
                ),
            ),
            ("reply-key" | "reference", "conflict") => ("warn", say!(self, "It names {d}.", "Sie nennt {d}.")),
            ("participant", _) => (
                "warn",
                say!(
                    self,
                    "Its sender is proposed as a participant {d}.",
                    "Ihr Absender ist als beteiligt vorgeschlagen: {d}."
                ),
            ),
            ("closed", "reopened") => (
                "good",
                say!(
                    self,
                    "That item was closed; it is open again.",
                    "Jener Vorgang war geschlossen; er ist wieder offen."
                ),
            ),
            ("closed", "comment") => {
                ("warn", say!(self, "That item stays closed: {d}.", "Jener Vorgang bleibt geschlossen: {d}."))
            }
            ("closed", "continued") => (
                "",
                say!(
                    self,
                    "That item is closed and goes on: {d}.",
                    "Jener Vorgang ist geschlossen und geht weiter: {d}."
                ),
            ),
            ("closed", _) => (
                "",
                say!(self, "That item is closed; a new one {d}.", "Jener Vorgang ist geschlossen; ein neuer: {d}."),
            ),
            ("forward", "credited") => (
                "good",
                say!(
                    self,
                    "It forwards mail of {d}; the item is theirs.",
                    "Sie leitet Mail von {d} weiter; der Vorgang gehört dieser Person."
                ),
            ),
            ("forward", "not credited") => (
                "warn",
                say!(self, "Nobody else is credited with it: {d}.", "Sie wird niemand anderem zugeschrieben: {d}."),
            ),
            ("forward", _) => {
                ("", say!(self, "Above what was forwarded stands: {d}", "Über dem Weitergeleiteten steht: {d}"))
            }
            (_, "no-reply") => (
                "warn",
                say!(
                    self,
                    "It names {d}, but comes from a program, and outsiders see that item.",
                    "Sie nennt {d}, kommt aber von einem Programm, und Außenstehende sehen diesen Vorgang."
                ),
            ),
            ("number", "passed over") => (
                "",
                say!(
                    self,
                    "A number in its subject was not looked up: {d}.",
                    "Eine Nummer in ihrem Betreff wurde nicht nachgeschlagen: {d}."
                ),
            ),
            ("number", "comment") => (
                "good",
                say!(
                    self,
                    "Its subject names {d}, on which its sender may comment.",
                    "Ihr Betreff nennt {d}; ihr Absender darf dort kommentieren."
                ),
            ),
            ("number", "no such item") => (
                "",
                say!(
                    self,
                    "Its subject names {d}, but there is no such item.",
                    "Ihr Betreff nennt {d}, aber einen solchen Vorgang gibt es nicht."
                ),
            ),
            ("workspace", "none") => (
                "bad",
                say!(
                    self,
                    "Its mailbox names no workspace, and there is no default workspace.",
                    "Ihr Postfach nennt keinen Arbeitsbereich, und es gibt keinen Standard-Arbeitsbereich."
                ),
            ),
            ("item", "opened") => (
                "",
                say!(
                    self,
                    "No item claims it, so it opens a new one.",
                    "Kein Vorgang beansprucht sie, darum eröffnet sie einen neuen."
                ),
            ),
            _ => self.judging(step),
        }
    }

    /// What places new items, or keeps mail from being filed at once.
    pub(super) fn placing(self, step: &TraceStep) -> Said {
        let d = &step.detail;
        match (step.rule.as_str(), step.outcome.as_str()) {
            ("own-address", "registered") => (
                "",
                say!(
                    self,
                    "It comes from {d}, one of our own addresses; a registered person writes from it.",
                    "Sie kommt von {d}, einer unserer eigenen Adressen; eine registrierte Person schreibt von dort."
                ),
            ),
            ("own-address", _) => (
                "bad",
                say!(
                    self,
                    "It comes from {d}, one of our own addresses, and no registered person wrote it.",
                    "Sie kommt von {d}, einer unserer eigenen Adressen, und keine registrierte Person hat sie geschrieben."
                ),
            ),
            ("storm", "held") => (
                "bad",
                say!(self, "Too much of its kind arrived at once: {d}.", "Zu viel dieser Art kam auf einmal an: {d}."),
            ),
            ("storm", _) => (
                "",
                say!(
                    self,
                    "It was held in a storm, and its turn has come.",
                    "Sie war in einer Flut zurückgehalten, und nun ist sie an der Reihe."
                ),
            ),
            ("rule", "held") => ("bad", say!(self, "The rule “{d}” holds it.", "Die Regel „{d}“ hält sie zurück.")),
            ("rule", "released") => (
                "",
                say!(
                    self,
                    "The rule “{d}” would hold it, but a person released it.",
                    "Die Regel „{d}“ hielte sie zurück, aber eine Person hat sie freigegeben."
                ),
            ),
            ("rule", "undecided") => (
                "warn",
                say!(
                    self,
                    "One rule could not be decided and was passed over: {d}.",
                    "Eine Regel ließ sich nicht entscheiden und wurde übergangen: {d}."
                ),
            ),
            ("rule", "workspace") => {
                ("good", say!(self, "A rule says where it goes: {d}.", "Eine Regel sagt, wohin sie geht: {d}."))
            }
            ("rule", "no such workspace") => (
                "warn",
                say!(
                    self,
                    "A rule names a workspace that does not exist: {d}.",
                    "Eine Regel nennt einen Arbeitsbereich, den es nicht gibt: {d}."
                ),
            ),
            ("rule", "assignee") => {
                ("good", say!(self, "A rule says who gets it: {d}.", "Eine Regel sagt, wer sie bekommt: {d}."))
            }
            ("rule", "no such agent") => (
                "warn",
                say!(
                    self,
                    "A rule gives it to somebody who cannot work there: {d}.",
                    "Eine Regel gibt sie jemandem, der dort nicht arbeiten kann: {d}."
                ),
            ),
            ("rule", "status") => {
                ("", say!(self, "A rule gives it the status {d}.", "Eine Regel gibt ihr den Status {d}."))
            }
            ("rule", "tags") => ("", say!(self, "Rules tag it: {d}.", "Regeln geben ihr Schlagworte: {d}.")),
            ("rule", _) => (
                "",
                say!(
                    self,
                    "The rule “{d}” applies, but rules change nothing on a comment.",
                    "Die Regel „{d}“ trifft zu, aber an einem Kommentar ändern Regeln nichts."
                ),
            ),
            (_, "workspace") => {
                ("good", say!(self, "Its address says where it goes: {d}.", "Ihre Adresse sagt, wohin sie geht: {d}."))
            }
            (_, _) => (
                "warn",
                say!(self, "Its address names no workspace: {d}.", "Ihre Adresse nennt keinen Arbeitsbereich: {d}."),
            ),
        }
    }
}
