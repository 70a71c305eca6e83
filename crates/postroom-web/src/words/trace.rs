//! What became of a message, step by step, as sentences.

use super::{Language, capital};
use postroom_domain::filing::Effect;
use postroom_domain::item::{Proposed, ProposedBecause};
use postroom_domain::{Identity, Level, Reason, Receipt, ReceiptState, SettlementState, TraceStep};
use postroom_store::Explanation;

/// One step of a trace, ready to be shown.
pub(crate) struct Step {
    /// `good`, `warn`, `bad` or empty: the colour of its dot.
    pub(crate) tone: &'static str,
    /// What happened.
    pub(crate) sentence: String,
    /// The code, for those who search for it; may be empty.
    pub(crate) code: &'static str,
}

/// A word on who wrote a message, for beside the name.
pub(crate) struct Badge {
    /// The colour, as that of a step.
    pub(crate) tone: &'static str,
    pub(crate) word: &'static str,
    /// Why.
    pub(crate) title: String,
}

entries! {
    came_in(mailbox, when) = "It came in through the mailbox “{mailbox}” on {when}.", "Sie kam am {when} durch das Postfach „{mailbox}“.";
    verified() = "verified", "nachgewiesen";
    unverified() = "unverified", "nicht nachgewiesen";
    not_by_sender() = "not by its sender", "nicht vom Absender";
    kind_auto_reply() = "an automatic reply", "eine automatische Antwort";
    kind_bounce() = "a bounce", "eine Unzustellbarkeitsmeldung";
    kind_list() = "list mail", "Mail einer Liste";
    kind_report() = "a report", "ein Bericht";
    would_comment(item) = "It would become a comment on item #{item}.", "Daraus würde ein Kommentar zu Vorgang #{item}.";
    would_open(workspace) = "It would become a new item in {workspace}.", "Daraus würde ein neuer Vorgang in {workspace}.";
    would_be_held(because) = "It would be held: {because}.", "Sie würde zurückgehalten: {because}.";
    state_accepted() = "accepted", "angenommen";
    state_deferred() = "deferred", "aufgeschoben";
    state_item() = "item", "Vorgang";
    state_comment() = "comment", "Kommentar";
    state_deleted() = "deleted", "gelöscht";
    state_done() = "done", "erledigt";
    state_held() = "held", "zurückgehalten";
    stored_waits() = "It is safely stored and waits to be read.", "Sie ist sicher gespeichert und wartet darauf, gelesen zu werden.";
    stored_again() = "It is safely stored; something stood in the way of filing it, and it is tried again by itself.", "Sie ist sicher gespeichert; etwas stand ihrer Ablage im Weg, und es wird von selbst wieder versucht.";
    became_comment(number, because) = "It became a comment on item #{number}{because}.", "Daraus wurde ein Kommentar zu Vorgang #{number}{because}.";
    became_item(number) = "It became item #{number}.", "Daraus wurde Vorgang #{number}.";
    item_gone() = "It was filed; its item is gone.", "Sie wurde abgelegt; ihr Vorgang ist nicht mehr da.";
    nothing_left() = "So nothing is left of it but this page.", "So ist nichts von ihr übrig als diese Seite.";
    has_done_its_work() = "With that it has done what it was written for.", "Damit hat sie getan, wofür sie geschrieben wurde.";
    held_until() = "It is held, and is filed by itself when its turn comes.", "Sie ist zurückgehalten und wird von selbst abgelegt, wenn sie an der Reihe ist.";
    so_held() = "So it is held.", "Darum ist sie zurückgehalten.";
    held_because(because) = "It is held{because}.", "Sie ist zurückgehalten{because}.";
    line_accepted() = "Safely stored; waits to be read", "Sicher gespeichert; wartet darauf, gelesen zu werden";
    line_deferred() = "Safely stored; is tried again by itself", "Sicher gespeichert; wird von selbst wieder versucht";
    line_item() = "Became item", "Wurde Vorgang";
    line_comment() = "Became a comment on", "Wurde ein Kommentar zu";
    line_deleted() = "Was held, and deleted here", "War zurückgehalten und wurde hier gelöscht";
    line_held() = "Held", "Zurückgehalten";
    settle_owed() = "On its server it is dealt with on the next visit.", "Auf ihrem Server wird sie beim nächsten Besuch behandelt.";
    settle_done() = "On its server it was dealt with, and the server confirmed it.", "Auf ihrem Server wurde sie behandelt, und der Server hat es bestätigt.";
    settle_kept() = "On its server it stays as it is.", "Auf ihrem Server bleibt sie, wie sie ist.";
    owed() = "to be settled", "noch zu behandeln";
    settled() = "settled", "behandelt";
    kept() = "kept on server", "bleibt auf dem Server";
    proposed_recipient() = "a recipient of the requester’s mail", "hat die Mail der anfragenden Person auch bekommen";
    see_item(number) = ", see #{number}", ", siehe #{number}";
    proposed_key_of(whose, from) = "wrote with the reply key of {whose}{from}", "schrieb mit dem Antwortschlüssel von {whose}{from}";
    proposed_key(from) = "wrote with a reply key of this item{from}", "schrieb mit einem Antwortschlüssel dieses Vorgangs{from}";
    proposed_moved(from) = "wrote a comment that was moved here{from}", "schrieb einen Kommentar, der hierher verschoben wurde{from}";
}

impl Language {
    /// The whole way of a message: how it came in, each rule that was asked, what became of it, and what its server is owed.
    pub(crate) fn steps(self, receipt: &Receipt) -> Vec<Step> {
        let came_in = self.came_in(&receipt.mailbox, self.when(&receipt.received_at));
        let mut steps = vec![Step { tone: "", sentence: came_in, code: "" }];
        steps.extend(receipt.trace.iter().map(|step| self.rule_step(step)));
        steps.push(Step {
            tone: tone(receipt),
            sentence: self.end_sentence(receipt),
            code: receipt.reason.map_or("", Reason::code),
        });
        if let Some(settlement) = receipt.settlement {
            let sentence = match settlement {
                SettlementState::Owed => self.settle_owed(),
                SettlementState::Settled => self.settle_done(),
                SettlementState::Kept => self.settle_kept(),
            };
            steps.push(Step { tone: "", sentence: sentence.to_owned(), code: "" });
        }
        steps
    }

    /// How sure it is who wrote a message, and why.
    pub(crate) fn badge(self, identity: Option<&Identity>) -> Option<Badge> {
        let identity = identity?;
        let (tone, word) = self.level(identity.level);
        // Where nothing is checked, it is so with every message.
        let tone = if identity.is_checked() { tone } else { "" };
        Some(Badge { tone, word, title: capital(&identity.detail) })
    }

    /// The word for how sure it is who wrote a message, where that is not proven.
    pub(crate) fn doubt(self, level: Option<&Level>) -> Option<&'static str> {
        level.filter(|level| **level != Level::Verified).map(|level| self.level(*level).1)
    }

    fn level(self, level: Level) -> (&'static str, &'static str) {
        match level {
            Level::Verified => ("good", self.verified()),
            Level::Unverified => ("warn", self.unverified()),
            Level::Failed => ("bad", self.not_by_sender()),
        }
    }

    /// The kind of automatic mail with its article, and what showed it, as the domain names them: `kind: evidence`.
    pub(super) fn automatic(self, detail: &str) -> String {
        let (kind, evidence) = detail.split_once(": ").unwrap_or((detail, ""));
        let kind = match kind {
            "auto-reply" => self.kind_auto_reply(),
            "bounce" => self.kind_bounce(),
            "list" => self.kind_list(),
            "report" => self.kind_report(),
            other => other,
        };
        if evidence.is_empty() { kind.to_owned() } else { format!("{kind} ({evidence})") }
    }

    /// What the journal calls what became of a message.
    pub(crate) fn state(self, receipt: &Receipt) -> &'static str {
        match (receipt.state, receipt.comment) {
            (ReceiptState::Accepted, _) => self.state_accepted(),
            (ReceiptState::Deferred, _) => self.state_deferred(),
            (ReceiptState::Filed, None) => self.state_item(),
            (ReceiptState::Filed, Some(_)) => self.state_comment(),
            (ReceiptState::Held, _) if receipt.is_deleted() => self.state_deleted(),
            (ReceiptState::Held, _) if !receipt.waits_for_a_person() => self.state_done(),
            (ReceiptState::Held, _) => self.state_held(),
        }
    }

    /// What became of it, as the last step of the trace.
    fn end_sentence(self, receipt: &Receipt) -> String {
        // Where the last rule has just said why, the reason would say it again.
        let says_why = ["number", "reference", "reply-key", "closed"];
        let said = receipt.trace.last();
        let said =
            said.is_some_and(|last| self.rule_step(last).tone == "bad" || says_why.contains(&last.rule.as_str()));
        let reason = receipt.reason.filter(|_| !said);
        let because = reason.map_or(String::new(), |reason| format!(": {}", self.reason(reason)));
        match (receipt.state, receipt.item) {
            (ReceiptState::Accepted, _) => self.stored_waits().to_owned(),
            (ReceiptState::Deferred, _) => self.stored_again().to_owned(),
            (ReceiptState::Filed, Some(number)) if receipt.comment.is_some() => self.became_comment(number, because),
            (ReceiptState::Filed, Some(number)) => self.became_item(number),
            (ReceiptState::Filed, None) => self.item_gone().to_owned(),
            (ReceiptState::Held, _) if receipt.is_deleted() => self.nothing_left().to_owned(),
            (ReceiptState::Held, _) if !receipt.waits_for_a_person() => self.has_done_its_work().to_owned(),
            (ReceiptState::Held, _) if receipt.resumes_at.is_some() => self.held_until().to_owned(),
            (ReceiptState::Held, _) if said => self.so_held().to_owned(),
            (ReceiptState::Held, _) => self.held_because(because),
        }
    }

    /// One line for the journal.
    pub(crate) fn outcome(self, receipt: &Receipt) -> String {
        match (receipt.state, receipt.reason) {
            (ReceiptState::Accepted, _) => self.line_accepted().to_owned(),
            (ReceiptState::Deferred, _) => self.line_deferred().to_owned(),
            (ReceiptState::Filed, Some(Reason::NewItem | Reason::ContinuesClosed)) => self.line_item().to_owned(),
            (ReceiptState::Filed, _) => self.line_comment().to_owned(),
            (ReceiptState::Held, Some(Reason::Deleted)) => self.line_deleted().to_owned(),
            (ReceiptState::Held, Some(reason)) => capital(self.reason(reason)),
            (ReceiptState::Held, None) => self.line_held().to_owned(),
        }
    }

    /// What would become of a message, rule by rule.
    pub(crate) fn would_become(self, explanation: &Explanation) -> Vec<Step> {
        let filing = &explanation.filing;
        let mut steps: Vec<Step> = filing.trace.iter().map(|step| self.rule_step(step)).collect();
        let workspace = explanation.workspace.as_ref().map(ToString::to_string).unwrap_or_default();
        let (tone, sentence) = match (&filing.effect, explanation.item) {
            (Effect::AddComment { .. }, Some(item)) => ("good", self.would_comment(item)),
            (Effect::OpenItem { .. } | Effect::AddComment { .. }, _) => ("good", self.would_open(workspace)),
            (Effect::Hold | Effect::Prove { .. }, _) => ("bad", self.would_be_held(self.reason(filing.reason))),
        };
        steps.push(Step { tone, sentence, code: filing.reason.code() });
        steps
    }

    /// Why a message is held: the rule that said so, else the reason.
    pub(crate) fn why_held(self, receipt: &Receipt) -> String {
        let steps = receipt.trace.iter().rev().map(|step| self.rule_step(step));
        let said = steps.into_iter().find(|step| step.tone == "bad").map(|step| step.sentence);
        said.unwrap_or_else(|| self.outcome(receipt))
    }

    /// Why somebody is proposed as a participant.
    pub(crate) fn proposed(self, proposed: &Proposed) -> String {
        let from = proposed.item.map_or(String::new(), |item| self.see_item(item));
        match (proposed.because, &proposed.key_of) {
            (ProposedBecause::Recipient, _) => self.proposed_recipient().to_owned(),
            (ProposedBecause::ReplyKey, Some(whose)) => self.proposed_key_of(whose, from),
            (ProposedBecause::ReplyKey, None) => self.proposed_key(from),
            (ProposedBecause::Moved, _) => self.proposed_moved(from),
        }
    }

    /// What the server is owed, in a word or two.
    pub(crate) fn settlement(self, settlement: Option<SettlementState>) -> &'static str {
        match settlement {
            None => "",
            Some(SettlementState::Owed) => self.owed(),
            Some(SettlementState::Settled) => self.settled(),
            Some(SettlementState::Kept) => self.kept(),
        }
    }

    /// The sentence for a rule that was asked.
    pub(super) fn rule_step(self, step: &TraceStep) -> Step {
        let (tone, sentence) = match step.rule.as_str() {
            "own-address" | "storm" | "rule" | "address" => self.placing(step),
            "reply-key" | "reference" | "number" | "participant" | "closed" | "forward" | "workspace" | "item" => {
                self.matching(step)
            }
            "automatic" | "bounce" | "forwarded" | "invitation" | "protection" => self.finding(step),
            _ => self.judging(step),
        };
        Step { tone, sentence, code: "" }
    }
}

/// The colour that a receipt has in the journal.
pub(crate) fn tone(receipt: &Receipt) -> &'static str {
    match receipt.state {
        ReceiptState::Accepted => "info",
        ReceiptState::Deferred => "warn",
        ReceiptState::Filed => "good",
        ReceiptState::Held if !receipt.waits_for_a_person() => "",
        ReceiptState::Held => "bad",
    }
}
