//! The settings and the people.

use super::Language;
use postroom_domain::Role;

entries! {
    settings() = "Settings", "Einstellungen";
    who_may_write() = "Who may write", "Wer schreiben darf";
    submissions() = "Submissions by mail", "Einsendungen per Mail";
    mail_is_taken() = "Mail is taken", "Mail wird angenommen";
    mail_is_not_taken() = "Mail is not taken", "Mail wird nicht angenommen";
    submissions_hint() = "While mail is not taken, no mailbox is visited; mail waits on its server.", "Solange keine Mail angenommen wird, wird kein Postfach besucht; Mail wartet auf ihrem Server.";
    unknown_senders() = "Senders without an account", "Absender ohne Konto";
    unknown_may() = "May write", "Dürfen schreiben";
    unknown_may_not() = "Are held", "Werden zurückgehalten";
    unknown_hint() = "A mailbox can say otherwise for itself.", "Ein Postfach kann für sich etwas anderes sagen.";
    registration() = "Registration", "Registrierung";
    nobody_registers() = "Nobody registers; people are invited", "Niemand registriert sich; man wird eingeladen";
    approval_registers() = "An admin approves each one", "Ein Administrator genehmigt jede";
    open_registers() = "Whoever shows that the address is theirs", "Wer zeigt, dass die Adresse ihm gehört";
    patterns() = "Allowed domain patterns", "Muster erlaubter Domains";
    patterns_hint() = "Perl 5 regular expressions over addresses, one a line; for example [^@\\t]@bosch\\.com. Without a pattern or a domain, every domain may write and register.", "Reguläre Ausdrücke von Perl 5 über Adressen, einer je Zeile; zum Beispiel [^@\\t]@bosch\\.com. Ohne Muster und Domain darf jede Domain schreiben und sich registrieren.";
    domains() = "Allowed domains by name", "Erlaubte Domains mit Namen";
    domains_hint() = "One a line: bosch.com, or *.bosch.com for those below it.", "Eine je Zeile: bosch.com, oder *.bosch.com für die darunter.";
    blocked() = "Blocked addresses and domains", "Gesperrte Adressen und Domains";
    blocked_hint() = "One a line. They may not write, whoever they are.", "Eine je Zeile. Sie dürfen nicht schreiben, wer immer sie sind.";
    samples() = "Try addresses", "Adressen ausprobieren";
    samples_hint() = "One a line: you see at once what the rules above do to them. Nothing is saved by that.", "Eine je Zeile: Sie sehen gleich, was die Regeln darüber mit ihnen tun. Gespeichert wird dadurch nichts.";
    try_it() = "Try", "Ausprobieren";
    may_write() = "admitted", "zugelassen";
    may_not_write() = "refused", "abgewiesen";
    is_blocked() = "blocked", "gesperrt";
    is_undecided() = "undecided", "unentschieden";
    no_address() = "no address", "keine Adresse";
    default_label() = "Workspace of mailboxes that name none", "Arbeitsbereich der Postfächer, die keinen nennen";
    no_default() = "none: their mail is held", "keiner: ihre Mail wird zurückgehalten";
    is_default() = "default", "Standard";
    add_workspace() = "Add a workspace", "Arbeitsbereich anlegen";
    workspace_key() = "Key", "Schlüssel";
    workspace_key_hint() = "A short name in capital letters, such as SUP.", "Ein kurzer Name in Großbuchstaben, etwa SUP.";
    workspace_exists() = "There is a workspace with this key.", "Einen Arbeitsbereich mit diesem Schlüssel gibt es schon.";
    name_missing() = "It needs a name.", "Er braucht einen Namen.";

    audit() = "Audit", "Protokoll";
    audit_lead() = "Who changed what, newest first. Each row holds the one before it; `postroom check` verifies them.", "Wer was geändert hat, Neuestes zuerst. Jede Zeile sichert die vor ihr; `postroom check` prüft sie.";
    audit_when() = "When", "Wann";
    audit_who() = "Who", "Wer";
    audit_what() = "What", "Was";
    audit_with() = "With", "Womit";
    audit_values() = "Values", "Werte";

    accounts() = "People", "Personen";
    waiting_people() = "Waiting for an account", "Warten auf ein Konto";
    waits_invited() = "invited, has not accepted yet", "eingeladen, hat noch nicht angenommen";
    waits_approval() = "the address is theirs; waits for your approval", "die Adresse gehört ihnen; wartet auf Ihre Genehmigung";
    waits_proof() = "has not shown yet that the address is theirs", "hat noch nicht gezeigt, dass die Adresse ihnen gehört";
    until(when) = "until {when}", "bis {when}";
    approve() = "Approve", "Genehmigen";
    refuse() = "Refuse", "Ablehnen";
    withdraw() = "Withdraw", "Zurückziehen";
    people_with_accounts() = "Accounts", "Konten";
    is_admin() = "admin", "Administrator";
    not_in_use() = "not in use", "nicht in Gebrauch";
    change_person() = "Change", "Ändern";
    no_member() = "no member", "kein Mitglied";
    make_admin() = "Make admin", "Zum Administrator machen";
    unmake_admin() = "Admin no more", "Nicht mehr Administrator";
    activate() = "Take into use", "In Gebrauch nehmen";
    deactivate() = "Take out of use", "Außer Gebrauch nehmen";
    invite_somebody() = "Invite somebody", "Jemanden einladen";
    invite_text() = "You get a link that makes the account, once, within 72 hours. Send it to the person yourself.", "Sie bekommen einen Link, der das Konto anlegt, einmal, innerhalb von 72 Stunden. Senden Sie ihn der Person selbst.";
    invite() = "Invite", "Einladen";
    invitation_made(address) = "This link is for {address}, once, within 72 hours. Nobody sees it again.", "Dieser Link ist für {address}, einmal, innerhalb von 72 Stunden. Niemand sieht ihn wieder.";
    no_workspace_yet() = "no workspace yet", "noch kein Arbeitsbereich";
    role_label() = "Role", "Rolle";
    roles_hint() = "Readers see; reporters also write; agents also work; managers also handle held mail.", "Leser sehen; Melder schreiben auch; Bearbeiter arbeiten auch; Verwalter entscheiden auch zurückgehaltene Mail.";
    role_reader() = "reader", "Leser";
    role_reporter() = "reporter", "Melder";
    role_agent() = "agent", "Bearbeiter";
    role_manager() = "manager", "Verwalter";
}

impl Language {
    /// What somebody may do in a workspace, in a word.
    pub(crate) fn role(self, role: Role) -> &'static str {
        match role {
            Role::Reader => self.role_reader(),
            Role::Reporter => self.role_reporter(),
            Role::Agent => self.role_agent(),
            Role::Manager => self.role_manager(),
        }
    }
}
