//! Attacks on POP3.

use super::Expect::{NotOffered, Protected, Refused, RefusedAtOnce};
use super::{Case, LURE};

const OFFERS: &str =
    "S: +OK ready <1.2@example.org>\nC: CAPA\nS: +OK\nS: STLS\nS: USER\nS: SASL PLAIN\nS: .\nC: STLS\n";
const MISSING: &[&str] = &["STARTTLS_MISSING"];
const BROKEN: &[&str] = &["PROTOCOL_ERROR"];
const INJECTED: &[&str] = &["TLS_INJECTION", "TLS_FAILED"];

/// From TLS to a list of one message.
const PROTECTED: &str = "!starttls\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: UIDL\nS: .\nC: AUTH PLAIN …\nS: +OK in\nC: CAPA\nS: +OK\n\
     S: SASL PLAIN\nS: UIDL\nS: .\nC: STAT\nS: +OK 1 5\nC: LIST\nS: +OK\nS: 1 5\nS: .\nC: UIDL\nS: +OK\nS: 1 u7\nS: .\n\
     C: QUIT\nS: +OK bye\n!drop\n";

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(stripped());
    cases.extend(refused());
    cases.extend(injected());
    cases.extend(early());
    cases.extend(state_and_words());
    cases
}

/// STLS is taken out of what the server offers.
fn stripped() -> impl Iterator<Item = Case> {
    let replies = [
        ("CAPA without it", "+OK\nS: USER\nS: SASL PLAIN\nS: ."),
        ("CAPA refused", "-ERR call 0900-123"),
        ("CAPA refused for good", "-ERR [SYS/PERM] call 0900-123"),
        ("CAPA refused for now", "-ERR [SYS/TEMP] call 0900-123"),
        ("CAPA empty", "+OK\nS: ."),
        (
            "CAPA with everything else",
            "+OK\nS: TOP\nS: USER\nS: SASL CRAM-MD5 PLAIN LOGIN\nS: UIDL\nS: PIPELINING\nS: .",
        ),
        ("a longer word", "+OK\nS: STLSX\nS: USER\nS: ."),
        ("a word before it", "+OK\nS: XSTLS\nS: USER\nS: ."),
        ("as a value", "+OK\nS: SASL STLS\nS: USER\nS: ."),
        ("STARTTLS, which is not POP3", "+OK\nS: STARTTLS\nS: USER\nS: ."),
        ("behind the end", "+OK\nS: USER\nS: ."),
    ];
    replies.into_iter().map(|(name, reply)| {
        Case::new(format!("stripped: {name}"), format!("S: +OK {LURE}\nC: CAPA\nS: {reply}\n"), NotOffered)
    })
}

/// STLS is offered and does not come about.
fn refused() -> impl Iterator<Item = Case> {
    let replies: [(&str, &str, &'static [&'static str]); 14] = [
        ("-ERR", "-ERR call 0900-123", MISSING),
        ("-ERR alone", "-ERR", MISSING),
        ("-ERR for good", "-ERR [SYS/PERM] call 0900-123", MISSING),
        ("-ERR for now", "-ERR [SYS/TEMP] call 0900-123", MISSING),
        ("-ERR of a login", "-ERR [AUTH] call 0900-123", MISSING),
        ("-ERR that says all is well", "-ERR TLS is up already, log in", MISSING),
        ("a challenge", "+ go on", BROKEN),
        ("an empty challenge", "+", BROKEN),
        ("a word of IMAP", "* OK begin", BROKEN),
        ("a reply of IMAP", "P1 OK begin", BROKEN),
        ("an answer of SMTP", "220 go ahead", BROKEN),
        ("an empty line", "", BROKEN),
        ("a longer word", "+OKAY begin", BROKEN),
        ("a dot", ".", BROKEN),
    ];
    let refused = replies.into_iter().map(|(name, reply, codes)| {
        Case::new(format!("refused: {name}"), format!("{OFFERS}S: {reply}\n!drop\n"), Refused(codes))
    });
    let hung_up = Case::new("refused: it hangs up", format!("{OFFERS}!drop\n"), Refused(&["CONNECTION_LOST"]));
    let no_handshake = Case::new(
        "no handshake: it hangs up",
        format!("{OFFERS}S: +OK\n!drop\n"),
        Refused(&["TLS_FAILED", "CONNECTION_LOST"]),
    );
    refused.chain([hung_up, no_handshake])
}

/// Octets in clear around the answer to STLS.
fn injected() -> impl Iterator<Item = Case> {
    let suffixes = [
        ("capabilities", "+OK\\r\\nUSER\\r\\nSASL PLAIN\\r\\n.\\r\\n"),
        ("the reply to what comes next", "+OK\\r\\n"),
        ("a refusal of what comes next", "-ERR call 0900-123\\r\\n"),
        ("all replies to come", "+OK\\r\\n.\\r\\n+OK in\\r\\n+OK 1 5\\r\\n"),
        ("a second greeting", "+OK ready <9.9@evil.example>\\r\\n"),
        ("a challenge", "+ \\r\\n"),
        ("mail", "+OK\\r\\nSubject: evil\\r\\n\\r\\n.\\r\\n"),
        ("half a line", "+O"),
        ("one letter", "x"),
        ("a dot", "."),
        ("a line end", "\\r\\n"),
        ("a line feed", "\\n"),
        ("a blank", " "),
        ("what looks like TLS", "\u{15}\u{3}\u{3}\\n\\n"),
    ];
    suffixes.into_iter().map(|(name, suffix)| {
        let script = format!("{OFFERS}S- +OK begin\\r\\n{suffix}\n!drop\n");
        Case::new(format!("injected: {name}"), script, Refused(INJECTED))
    })
}

/// Answers that are there before their question.
fn early() -> impl Iterator<Item = Case> {
    let at_greeting = [
        ("capabilities", "+OK\nS: STLS\nS: ."),
        ("an alert", "-ERR [SYS/PERM] call 0900-123"),
        ("a message", "+OK\nS: Subject: evil\nS: ."),
        ("half a line", "+O"),
        ("a challenge", "+ go on"),
    ];
    // They are noticed before anything is sent.
    let at_greeting = at_greeting.into_iter().map(|(name, early)| {
        Case::new(
            format!("early: {name}, with the greeting"),
            format!("S: +OK ready\nS: {early}\n!drop\n"),
            RefusedAtOnce(BROKEN),
        )
    });
    let offered = "S: +OK ready\nC: CAPA\nS: +OK\nS: STLS\nS: .\n";
    let at_capa =
        [("the reply to STLS", "+OK begin"), ("a login that succeeded", "+OK begin\nS: +OK in"), ("a dot", ".")];
    let at_capa = at_capa.into_iter().map(move |(name, early)| {
        Case::new(format!("early: {name}, with CAPA"), format!("{offered}S: {early}\n!drop\n"), RefusedAtOnce(BROKEN))
    });
    let no_greeting = ["* OK ready", "220 ready", "ready", ".", "+ ready", "P1 OK ready"];
    let no_greeting = no_greeting.into_iter().map(|line| {
        Case::new(format!("early: “{line}” for a greeting"), format!("S: {line}\n!drop\n"), Refused(BROKEN))
    });
    at_greeting.chain(at_capa).chain(no_greeting)
}

/// What is said in clear is gone once TLS is up, and nobody reads its words.
fn state_and_words() -> impl Iterator<Item = Case> {
    let greetings = [
        ("a timestamp", "+OK ready <1896.697170952@evil.example>"),
        ("words", "+OK call 0900-123"),
        ("a code", "+OK [SYS/PERM] call 0900-123"),
        ("control characters", "+OK \u{1b}[2J call 0900-123"),
    ];
    let greetings = greetings.into_iter().map(|(name, greeting)| {
        let offers = OFFERS.split_once('\n').map_or("", |(_, rest)| rest);
        let script = format!("S: {greeting}\n{offers}S: +OK call 0900-123\n{PROTECTED}");
        Case::new(format!("state: {name} in the greeting"), script, Protected("u7"))
    });
    let offers = [
        ("other logins", "USER\nS: SASL SCRAM-SHA-256 CRAM-MD5 LOGIN"),
        ("an endless pause between logins", "LOGIN-DELAY 4000000000"),
        ("pipelining", "PIPELINING"),
        ("no names", "EXPIRE 0\nS: IMPLEMENTATION evil"),
    ];
    let offers = offers.into_iter().map(|(name, lines)| {
        let capa = format!("S: +OK ready\nC: CAPA\nS: +OK\nS: STLS\nS: {lines}\nS: .\nC: STLS\nS: +OK begin\n");
        Case::new(format!("state: {name} in CAPA"), format!("{capa}{PROTECTED}"), Protected("u7"))
    });
    let refusals = ["-ERR call 0900-123", "-ERR [SYS/TEMP] call 0900-123", "-ERR [IN-USE] call 0900-123"];
    let refusals = refusals.into_iter().map(|line| {
        Case::new(
            format!("words: “{line}” for a greeting"),
            format!("S: {line}\n!drop\n"),
            Refused(&["SERVER_REFUSED"]),
        )
    });
    greetings.chain(offers).chain(refusals)
}
