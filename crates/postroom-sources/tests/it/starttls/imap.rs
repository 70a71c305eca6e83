//! Attacks on IMAP.

use super::Expect::{NotOffered, Protected, Refused, RefusedAtOnce};
use super::{Case, LURE};

const OFFERS: &str = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] ready\nC: P1 STARTTLS\n";
const MISSING: &[&str] = &["STARTTLS_MISSING"];
const PREAUTH: &[&str] = &["TLS_PREAUTH_REFUSED"];
const BROKEN: &[&str] = &["PROTOCOL_ERROR"];
const INJECTED: &[&str] = &["TLS_INJECTION", "TLS_FAILED"];
const NO_GREETING: &[&str] = &["PROTOCOL_ERROR"];

/// From TLS to a list of one message; the first command behind TLS has this number.
fn protected(first: u32) -> String {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|n| first + n);
    format!(
        "!starttls\nC: P{a} CAPABILITY\nS: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\nS: P{a} OK done\n\
         C: P{b} AUTHENTICATE PLAIN …\nS: P{b} OK in\nC: P{c} EXAMINE \"INBOX\"\nS: * 1 EXISTS\n\
         S: * OK [UIDVALIDITY 9] valid\nS: P{c} OK done\nC: P{d} UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE)\n\
         S: * 1 FETCH (UID 7 RFC822.SIZE 5)\nS: P{d} OK done\nC: P{e} LOGOUT\nS: * BYE so long\nS: P{e} OK done\n"
    )
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(stripped());
    cases.extend(refused());
    cases.extend(preauth());
    cases.extend(injected());
    cases.extend(early());
    cases.extend(state_from_before());
    cases.extend(words());
    cases.extend(referrals());
    cases.extend(no_handshake());
    cases
}

/// STARTTLS is taken out of what the server offers.
fn stripped() -> impl Iterator<Item = Case> {
    let greetings = [
        ("greeting without it", "IMAP4rev1 AUTH=PLAIN"),
        ("greeting with a lure", "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN LITERAL+"),
        ("greeting that forbids LOGIN too", "IMAP4rev1 LOGINDISABLED"),
        ("a longer word", "IMAP4rev1 STARTTLSX AUTH=PLAIN"),
        ("a word before it", "IMAP4rev1 XSTARTTLS AUTH=PLAIN"),
        ("as a value", "IMAP4rev1 AUTH=STARTTLS AUTH=PLAIN"),
        ("with a value", "IMAP4rev1 STARTTLS=NO AUTH=PLAIN"),
        ("cut in two", "IMAP4rev1 START TLS AUTH=PLAIN"),
        ("nothing at all", "IMAP4rev1"),
    ];
    let greetings = greetings.into_iter().map(|(name, capabilities)| {
        Case::new(format!("stripped: {name}"), format!("S: * OK [CAPABILITY {capabilities}] {LURE}\n"), NotOffered)
    });
    let asked = [
        ("CAPABILITY without it", "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: P1 OK done\n"),
        ("CAPABILITY answered with nothing", "S: P1 OK done\n"),
        ("CAPABILITY refused with NO", "S: P1 NO call 0900-123\n"),
        ("CAPABILITY refused with BAD", "S: P1 BAD call 0900-123\n"),
        (
            "offered, then taken back",
            "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: P1 OK done\n",
        ),
        (
            "taken back with the reply",
            "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: P1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] done\n",
        ),
    ];
    let asked = asked.into_iter().map(|(name, reply)| {
        Case::new(format!("stripped: {name}"), format!("S: * OK ready\nC: P1 CAPABILITY\n{reply}"), NotOffered)
    });
    greetings.chain(asked)
}

/// STARTTLS is offered and does not come about.
fn refused() -> impl Iterator<Item = Case> {
    let replies: [(&str, &str, &'static [&'static str]); 16] = [
        ("NO", "P1 NO call 0900-123", MISSING),
        ("BAD", "P1 BAD call 0900-123", MISSING),
        ("NO without words", "P1 NO", MISSING),
        ("NO that says all is well", "P1 NO [CAPABILITY IMAP4rev1 AUTH=PLAIN] TLS is up, log in", MISSING),
        ("BAD with an alert", "P1 BAD [ALERT] call 0900-123", MISSING),
        ("NO, try again later", "P1 NO [UNAVAILABLE] call 0900-123", MISSING),
        ("a status that is none", "P1 MAYBE call 0900-123", &["STARTTLS_MISSING", "PROTOCOL_ERROR", "CONNECTION_LOST"]),
        ("PREAUTH as a reply", "P1 PREAUTH welcome", &["CONNECTION_LOST"]),
        ("BYE as a reply", "P1 BYE call 0900-123", &["CONNECTION_LOST"]),
        ("a challenge", "+ go on", BROKEN),
        ("another tag", "P2 OK begin", BROKEN),
        ("the tag of nobody", "A1 OK begin", BROKEN),
        ("a tag in lower case", "p1 OK begin", BROKEN),
        ("no tag, then nothing", "* OK begin", &["CONNECTION_LOST"]),
        ("BYE", "* BYE call 0900-123", &["CONNECTION_LOST", "SERVER_REFUSED"]),
        ("an answer of SMTP", "220 go ahead", &["PROTOCOL_ERROR", "CONNECTION_LOST"]),
    ];
    replies.into_iter().map(|(name, reply, codes)| {
        Case::new(format!("refused: {name}"), format!("{OFFERS}S: {reply}\n!drop\n"), Refused(codes))
    })
}

/// The server claims that we are logged in, so that STARTTLS is no longer allowed.
fn preauth() -> impl Iterator<Item = Case> {
    let greetings = [
        ("plain", "* PREAUTH welcome back"),
        ("with capabilities", "* PREAUTH [CAPABILITY IMAP4rev1] welcome back"),
        ("that offers STARTTLS", "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome back"),
        ("with an alert", "* PREAUTH [ALERT] call 0900-123"),
        ("in lower case", "* preauth welcome back"),
        ("without words", "* PREAUTH"),
        ("with a referral", "* PREAUTH [REFERRAL imap://evil.example/] welcome back"),
        ("with mail behind it", "* PREAUTH welcome back\nS: * 3 EXISTS\nS: * 1 FETCH (UID 1 BODY[] {1}\nS: x)"),
        ("with answers behind it", "* PREAUTH welcome back\nS: P1 OK [READ-ONLY] done\nS: P2 OK done"),
    ];
    greetings
        .into_iter()
        .map(|(name, greeting)| Case::new(format!("preauth: {name}"), format!("S: {greeting}\n"), Refused(PREAUTH)))
}

/// Octets in clear around the answer to STARTTLS.
fn injected() -> impl Iterator<Item = Case> {
    let suffixes = [
        ("capabilities", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\\r\\n"),
        ("an alert", "* OK [ALERT] call 0900-123\\r\\n"),
        ("a second greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\\r\\n"),
        ("PREAUTH", "* PREAUTH welcome\\r\\n"),
        ("a goodbye", "* BYE call 0900-123\\r\\n"),
        ("the reply to what comes next", "P2 OK done\\r\\n"),
        ("all replies to come", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\\r\\nP2 OK done\\r\\nP3 OK in\\r\\n"),
        ("a challenge", "+ \\r\\n"),
        ("mail", "* 1 FETCH (UID 1 BODY[] {5}\\r\\nhello)\\r\\n"),
        ("a count", "* 5 EXISTS\\r\\n"),
        ("half a line", "* OK [CAPAB"),
        ("one letter", "x"),
        ("a line end", "\\r\\n"),
        ("a line feed", "\\n"),
        ("a blank", " "),
        ("what looks like TLS", "\u{15}\u{3}\u{3}\\n\\n"),
        ("the beginning of a literal", "* OK {1000000}\\r\\n"),
    ];
    suffixes.into_iter().map(|(name, suffix)| {
        Case::new(
            format!("injected: {name}"),
            format!("{OFFERS}S- P1 OK begin\\r\\n{suffix}\n!drop\n"),
            Refused(INJECTED),
        )
    })
}

/// Answers that are there before their question.
fn early() -> impl Iterator<Item = Case> {
    let at_greeting = [
        ("the reply to STARTTLS", "P1 OK begin"),
        ("a refusal of STARTTLS", "P1 NO call 0900-123"),
        ("replies to everything", "P1 OK done\nS: P2 OK done\nS: P3 OK in\nS: P4 OK done"),
        ("a challenge", "+ go on"),
        ("the reply and an alert", "P1 OK [ALERT] call 0900-123"),
    ];
    let greeting = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n";
    let at_greeting = at_greeting.into_iter().map(move |(name, early)| {
        let script = format!("{greeting}S: {early}\nC: P1 STARTTLS\n");
        Case::new(format!("early: {name}, with the greeting"), script, RefusedAtOnce(BROKEN))
    });
    let at_capability = [
        ("the reply to STARTTLS", "P2 OK begin"),
        ("the reply to a login", "P2 OK begin\nS: P3 OK in"),
        ("a challenge", "+ go on"),
    ];
    let at_capability = at_capability.into_iter().map(|(name, early)| {
        let asked = "S: * OK ready\nC: P1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: P1 OK done\n";
        let script = format!("{asked}S: {early}\nC: P2 STARTTLS\n");
        Case::new(format!("early: {name}, with CAPABILITY"), script, RefusedAtOnce(BROKEN))
    });
    let no_greeting =
        ["P1 OK ready", "+ ready", "* NO ready", "* BAD ready", "220 ready", "+OK ready", "* 3 EXISTS", "ready"];
    let no_greeting = no_greeting.into_iter().map(|line| {
        Case::new(format!("early: “{line}” for a greeting"), format!("S: {line}\n!drop\n"), Refused(NO_GREETING))
    });
    at_greeting.chain(at_capability).chain(no_greeting)
}

/// Data that is sent in clear and must be gone once TLS is up.
fn state_from_before() -> impl Iterator<Item = Case> {
    let data = [
        ("LIST", "* LIST () \"/\" \"evil\""),
        ("LSUB", "* LSUB () \"/\" \"evil\""),
        ("STATUS", "* STATUS INBOX (MESSAGES 17 UIDNEXT 1)"),
        ("SEARCH", "* SEARCH 1 2 3"),
        ("ESEARCH", "* ESEARCH (TAG \"P5\") UID ALL 1:3"),
        ("FLAGS", "* FLAGS (\\Seen evil)"),
        ("EXISTS", "* 17 EXISTS"),
        ("RECENT", "* 17 RECENT"),
        ("EXPUNGE", "* 1 EXPUNGE"),
        ("VANISHED", "* VANISHED 1:17"),
        ("FETCH", "* 1 FETCH (UID 666 RFC822.SIZE 1)"),
        ("FETCH with octets", "* 1 FETCH (UID 666 BODY[] {5}\nS: evil)"),
        ("UIDVALIDITY", "* OK [UIDVALIDITY 666] valid"),
        ("NAMESPACE", "* NAMESPACE ((\"evil\" \"/\")) NIL NIL"),
        ("ENABLED", "* ENABLED UTF8=ACCEPT IMAP4rev2"),
        ("ID", "* ID (\"name\" \"evil\")"),
        ("capabilities", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=SCRAM-SHA-256 LITERAL+"),
        ("what nobody knows", "* XEVIL 1 2 3"),
    ];
    data.into_iter().flat_map(|(name, line)| {
        let greeting = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n";
        let tls = protected(2);
        let places = [
            ("behind the greeting", format!("{greeting}S: {line}\nC: P1 STARTTLS\nS: P1 OK begin\n{tls}")),
            ("before the reply", format!("{greeting}C: P1 STARTTLS\nS: {line}\nS: P1 OK begin\n{tls}")),
        ];
        places.map(|(place, script)| Case::new(format!("state: {name} {place}"), script, Protected("7")))
    })
}

/// Words that a stranger puts in, for a person to read.
fn words() -> impl Iterator<Item = Case> {
    let codes = ["ALERT", "BADCHARSET (UTF-8)", "PARSE", "AUTHENTICATIONFAILED", "CONTACTADMIN", "TRYCREATE", "XEVIL"];
    codes.into_iter().flat_map(|code| {
        let line = format!("[{code}] {LURE}");
        let tls = protected(2);
        let later = protected(3);
        let asked = "S: * CAPABILITY IMAP4rev1 STARTTLS\nS: P1 OK";
        [
            Case::new(
                format!("words: OK [{code}] for a greeting"),
                format!("S: * OK {line}\nC: P1 CAPABILITY\n{asked} done\nC: P2 STARTTLS\nS: P2 OK go\n{later}"),
                Protected("7"),
            ),
            Case::new(
                format!("words: NO [{code}] for a greeting"),
                format!("S: * NO {line}\n!drop\n"),
                Refused(NO_GREETING),
            ),
            Case::new(
                format!("words: BYE [{code}] for a greeting"),
                format!("S: * BYE {line}\n!drop\n"),
                Refused(&["SERVER_REFUSED"]),
            ),
            Case::new(
                format!("words: BAD [{code}] amid"),
                format!("{OFFERS}S: * BAD {line}\nS: P1 OK {line}\n{tls}"),
                Protected("7"),
            ),
            Case::new(
                format!("words: [{code}] with CAPABILITY"),
                format!("S: * OK hi\nC: P1 CAPABILITY\n{asked} {line}\nC: P2 STARTTLS\nS: P2 NO {line}\n"),
                Refused(MISSING),
            ),
        ]
    })
}

/// A server that sends us elsewhere. There is no other place: see also `a21_no_referral_is_followed`.
fn referrals() -> impl Iterator<Item = Case> {
    let to = "[REFERRAL imap://canary-user@evil.example:143/] call 0900-123";
    [
        Case::new("referral: at the greeting", format!("S: * BYE {to}\n!drop\n"), Refused(&["SERVER_REFUSED"])),
        Case::new("referral: for STARTTLS", format!("{OFFERS}S: P1 NO {to}\n"), Refused(MISSING)),
        Case::new(
            "referral: for CAPABILITY",
            format!("S: * OK [CAPABILITY IMAP4rev1 LOGIN-REFERRALS] ready\nS: * OK {to}\n"),
            NotOffered,
        ),
        Case::new(
            "referral: before the reply",
            format!("{OFFERS}S: * OK {to}\nS: P1 OK begin\n{}", protected(2)),
            Protected("7"),
        ),
    ]
    .into_iter()
}

/// The server agrees to TLS and then does something else.
fn no_handshake() -> impl Iterator<Item = Case> {
    const FAILED: &[&str] = &["TLS_FAILED", "CONNECTION_LOST"];
    let begun = format!("{OFFERS}S: P1 OK begin\n");
    std::iter::once(Case::new("no handshake: it hangs up", format!("{begun}!drop\n"), Refused(FAILED)))
}
