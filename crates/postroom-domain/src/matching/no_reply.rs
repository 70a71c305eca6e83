//! Senders that nobody can answer: mail of programs that confirm addresses, notify, and report.
//!
//! Whoever can read an item can give one of our addresses to a stranger's web site and have its confirmation mail sent here.
//! If such mail became a comment by its subject alone, he would read the code in it on his own item.

/// Local parts, and beginnings of them up to a sign, that such programs use.
const WORDS: [&str; 34] = [
    "noreply",
    "donotreply",
    "dontreply",
    "neverreply",
    "nichtantworten",
    "keineantwort",
    "nepasrepondre",
    "noresponder",
    "naoresponda",
    "nonrispondere",
    "nietbeantwoorden",
    "mailerdaemon",
    "postmaster",
    "bounce",
    "bounces",
    "notification",
    "notifications",
    "notify",
    "verify",
    "verification",
    "confirm",
    "confirmation",
    "activate",
    "activation",
    "register",
    "registration",
    "signup",
    "invite",
    "invitation",
    "invitations",
    "passwordreset",
    "accountsecurity",
    "security",
    "authentication",
];

/// Whether a canonical address looks like one that sends confirmations and notices and reads no answers. The signs in its
/// local part do not count, and neither does what follows a `+`.
pub(crate) fn is_no_reply(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local = local.split('+').next().unwrap_or_default();
    let pieces = || local.split(['-', '_', '.', '=']).filter(|piece| !piece.is_empty());
    let whole: String = pieces().collect();
    // `noreply-accounts`, `slack.notifications`, `no-reply`, `do_not_reply_billing`
    WORDS.contains(&whole.as_str())
        || pieces().any(|piece| WORDS.contains(&piece))
        || ["noreply", "donotreply"].iter().any(|word| whole.starts_with(word) || whole.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::is_no_reply;

    #[test]
    fn addresses_that_nobody_answers() {
        for address in [
            "noreply@slack.example",
            "no-reply@slack.example",
            "no_reply+tag@slack.example",
            "do-not-reply@example.org",
            "noreply-accounts@example.org",
            "billing.noreply@example.org",
            "notifications@github.example",
            "mailer-daemon@example.org",
            "account-security-noreply@example.org",
            "verify@example.org",
            "email.verification@example.org",
        ] {
            assert!(is_no_reply(address), "{address}");
        }
        for address in ["ann@example.org", "reply@example.org", "rnotify@example.org", "noreen@example.org", "@", ""] {
            assert!(!is_no_reply(address), "{address}");
        }
    }
}
