mod tables;

use super::{Context, Split};
use crate::read::forward::says_forwarded;
use crate::read::lines::{self, Lines};

fn split(text: &str, context: &Context<'_>) -> Split {
    super::split(Lines { text, all: &lines::of(text) }, context)
}

fn split_of(text: &str, subject: &str) -> Split {
    split(text, &Context { is_forwarded: says_forwarded(subject), ..Context::default() })
}

/// A text, and what stays of it. The rest must be the quotation, a signature, or blank.
fn check(text: &str, reply: &str, quoted: &str) {
    let found = split_of(text, "Re: x");
    assert_eq!((found.reply.as_str(), found.quoted.as_str()), (reply, quoted), "{text}");
}

#[test]
fn quotations_at_the_end() {
    let quoted = "> Is there paper?\n> And toner?";
    for introduction in [
        "On Tue, 3 Mar 2026 at 09:15, Ann Baker <ann@example.org> wrote:",
        "On Tue, 3 Mar 2026 at 09:15, Ann Baker\n<ann@example.org> wrote:",
        "On Tue, 3 Mar 2026 at 09:15,\nAnn Baker <ann@example.org>\nwrote:",
        "Am 03.03.2026 um 09:15 schrieb Ann Baker:",
        "Am Di., 3. März 2026 um 09:15 Uhr schrieb Ann Baker <ann@example.org>:",
        "Le mar. 3 mars 2026 à 09:15, Ann Baker <ann@example.org> a écrit :",
        "El mar, 3 mar 2026 a las 9:15, Ann Baker (<ann@example.org>) escribió:",
        "Op di 3 mrt. 2026 om 09:15 schreef Ann Baker <ann@example.org>:",
        "Il giorno mar 3 mar 2026 alle ore 09:15 Ann Baker <ann@example.org> ha scritto:",
        "2026-03-03 9:15 GMT+01:00 Ann Baker <ann@example.org>:",
        "On Nov 30, 2026, at 12:47 PM, Ann Baker <\n416ffd@example.org>\nwrote:",
        "tir. 18. apr. 2026 kl. 13:09 skrev Ann Baker <ann@example.org\n>:",
        "ann@example.org wrote:",
        "---- Ann Baker wrote ----",
    ] {
        for gap in ["\n", "\n\n"] {
            check(&format!("Yes.\n\n{introduction}{gap}{quoted}\n"), "Yes.", &format!("{introduction}{gap}{quoted}"));
        }
    }
    check("Yes.\n\n> Is there paper?\n", "Yes.", "> Is there paper?");
    check("Yes.\n> a\n\n> b\n-- \nBob\n", "Yes.", "> a\n\n> b");
}

#[test]
fn quotations_without_marks() {
    for sign in [
        "-----Original Message-----\nFrom: Ann",
        "----- Ursprüngliche Nachricht -----\nVon: Ann",
        "From: Ann Baker <ann@example.org>\nSent: Tuesday\nTo: Desk\nSubject: Paper",
        "Von: Ann Baker\nGesendet: Dienstag\nAn: Desk\nBetreff: Papier",
        "*From:* Ann\n*Date:* Tuesday\n*Subject:* Paper",
        "Date: Tue, 3 Mar 2026\nTo: desk@example.com\nFrom: ann@example.org",
        "Afzender: Ann Baker\nData invio: 3 marzo 2026\nPvm: 3.3.2026\nOnderwerp: Papier",
        "On 3 Mar 2026, at 09:15, Ann Baker <ann@example.org> wrote:",
    ] {
        check(&format!("Yes.\n\n{sign}\n\nIs there paper?\n"), "Yes.", &format!("{sign}\n\nIs there paper?"));
    }
    check(
        "Yes.\n________________________________\nFrom: Ann <ann@example.org>\nSent: Tuesday\nSubject: Paper\n\nIs there?",
        "Yes.",
        "________________________________\nFrom: Ann <ann@example.org>\nSent: Tuesday\nSubject: Paper\n\nIs there?",
    );
}

#[test]
fn answers_below_and_around() {
    check(
        "On 3 Mar 2026 Ann wrote:\n> Is there paper?\n\nYes.\n",
        "Yes.",
        "On 3 Mar 2026 Ann wrote:\n> Is there paper?",
    );
    check("Hi!\n\nOn 3 Mar 2026 Ann wrote:\n> Paper?\n\nYes.\n", "Hi!\n\nYes.", "On 3 Mar 2026 Ann wrote:\n> Paper?");
}

#[test]
fn what_stays_whole() {
    for text in [
        "Nothing quoted here.",
        "On 3 Mar 2026 Ann wrote:\n> Is there paper?\nYes.\n> And toner?\nNo.",
        "> Is there paper?\nYes.",
        "FYI\n\n---------- Forwarded message ----------\nFrom: Ann <ann@example.org>\nDate: Tuesday\nSubject: Paper\n\nIs there?",
        "> only\n> quoted",
        "The train:\nFrom: Berlin\nTo: Munich\nDate: 3 March\nThanks!",
        "This is what we need:\n- paper\n- toner",
        "I wrote: there is no paper.\nStill none.",
        "Sent from my desk, which is much easier than my telephone.",
        "-----\nA heading\n-----\nwith text",
    ] {
        check(text, text, "");
    }
    let forwarded = "See below.\n\nFrom: Ann <ann@example.org>\nSent: Tuesday\nSubject: Paper\n\nIs there?";
    for subject in ["Fwd: Paper", "FW: Paper", "WG: Papier"] {
        assert_eq!(split_of(forwarded, subject).reply, forwarded);
    }
}

#[test]
fn signatures() {
    check("Yes.\n-- \nBob\nFloor 2\n", "Yes.", "");
    check("Yes.\n\nSent from my iPhone\n", "Yes.", "");
    check(
        "Yes.\n\n_______________________________________________\nsome mailing list\nhttps://lists.example.org/some\n",
        "Yes.",
        "",
    );
    let long = format!("Yes.\n-- \n{}", "line\n".repeat(30));
    assert_eq!(split_of(&long, "").reply, long.trim_end());
}

#[test]
fn what_was_signed_or_encrypted_with_pgp_is_no_quotation() {
    for kind in ["SIGNED MESSAGE", "MESSAGE"] {
        let text = format!("Hello,\n-----BEGIN PGP {kind}-----\n\nIt is broken.\n-----END PGP MESSAGE-----\nBob");
        assert!(split_of(&text, "x").reply.contains("It is broken."), "{kind}");
    }
}
