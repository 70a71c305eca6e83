//! What may be said when, and what ends a conversation.

use super::super::{Command, Conversation, Event, Pop3Error, State};
use crate::Secret;
use crate::conversation::{Breach, Protection};
use crate::sasl::{Channel, Client, Mechanism};
use bytes::Bytes;

fn conversation(protection: Protection, lines: &str) -> Conversation {
    let mut conversation = Conversation::new(protection);
    conversation.feed(Bytes::from(lines.to_owned()));
    conversation.next_event().unwrap();
    conversation
}

fn send(conversation: &mut Conversation, command: Command<'_>) -> Result<String, Pop3Error> {
    conversation.send(&command).map(|octets| String::from_utf8(octets.to_vec()).unwrap())
}

/// All events of these octets, in words.
fn hear(conversation: &mut Conversation, octets: &str) -> Result<String, Pop3Error> {
    conversation.feed(Bytes::from(octets.to_owned()));
    let mut words = Vec::new();
    while let Some(event) = conversation.next_event()? {
        words.push(match event {
            Event::Greeting(_) => "greeting".to_owned(),
            Event::Transmit(octets) => format!("send {:?}", std::str::from_utf8(&octets).unwrap()),
            Event::Entry(line) => format!("entry {}", String::from_utf8(line).unwrap()),
            Event::MessageChunk(chunk) => format!("chunk {:?}", std::str::from_utf8(&chunk).unwrap()),
            Event::Done(reply) => format!("{} {}", if reply.ok { "ok" } else { "err" }, reply.text),
        });
    }
    Ok(words.join(", "))
}

fn logged_in() -> (Conversation, Secret) {
    let password = Secret::new("pass word");
    let mut conversation = conversation(Protection::Clear, "+OK hi\r\n");
    assert_eq!(send(&mut conversation, Command::User { user: "ann", password: &password }).unwrap(), "USER ann\r\n");
    assert_eq!(hear(&mut conversation, "+OK go on\r\n").unwrap(), "send \"PASS pass word\\r\\n\"");
    assert_eq!(hear(&mut conversation, "+OK in\r\n").unwrap(), "ok in");
    assert_eq!(conversation.state(), State::Transaction);
    (conversation, password)
}

#[test]
fn answers_belong_to_commands_in_their_order() {
    let (mut c, _) = logged_in();
    for command in
        [Command::Stat, Command::Retr(1), Command::Retr(2), Command::Uidl, Command::Dele(1), Command::Top(1, 0)]
    {
        send(&mut c, command).unwrap();
    }
    let heard =
        hear(&mut c, "+OK 2 9\r\n+OK 5\r\n..a\r\n.\r\n-ERR none\r\n+OK\r\n1 x\r\n..y\r\n.\r\n+OK gone\r\n+OK\r\n.\r\n");
    assert_eq!(heard.unwrap(), "ok 2 9, chunk \".a\\r\\n\", ok 5, err none, entry 1 x, entry .y, ok , ok gone, ok ");
    assert_eq!(send(&mut c, Command::Quit).unwrap(), "QUIT\r\n");
    assert_eq!(send(&mut c, Command::Stat), Err(Breach::WrongState.into()), "nothing behind QUIT");
    assert_eq!(hear(&mut c, "+OK bye\r\n").unwrap(), "ok bye");
    assert_eq!(c.state(), State::Ended);
    assert_eq!(send(&mut c, Command::Stat), Err(Breach::WrongState.into()));
}

#[test]
fn logins() {
    let password = Secret::new("tanstaaf");
    // RFC 1939 §7
    let mut apop = conversation(Protection::Clear, "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n");
    assert!(apop.offers_apop());
    let sent = send(&mut apop, Command::Apop { user: "mrose", password: &password }).unwrap();
    assert_eq!(sent, "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
    let mut none = conversation(Protection::Clear, "+OK ready\r\n");
    assert_eq!(send(&mut none, Command::Apop { user: "mrose", password: &password }), Err(Breach::WrongState.into()));
    // RFC 5034 §6: in the command, unless it gets too long.
    let client = |user: &str| Client::new(Mechanism::Plain, user, &password, "n", Channel::None).unwrap();
    let mut auth = conversation(Protection::Clear, "+OK ready\r\n");
    assert_eq!(
        send(&mut auth, Command::Auth { client: &client("tim") }).unwrap(),
        "AUTH PLAIN AHRpbQB0YW5zdGFhZg==\r\n"
    );
    assert_eq!(hear(&mut auth, "+OK in\r\n").unwrap(), "ok in");
    let mut long = conversation(Protection::Clear, "+OK ready\r\n");
    assert_eq!(send(&mut long, Command::Auth { client: &client(&"t".repeat(200)) }).unwrap(), "AUTH PLAIN\r\n");
    assert!(hear(&mut long, "+ \r\n").unwrap().starts_with("send \"AHR0"));
    // An OK before the password was sent is nobody's.
    let mut early = conversation(Protection::Clear, "+OK ready\r\n");
    send(&mut early, Command::Auth { client: &client(&"t".repeat(200)) }).unwrap();
    assert_eq!(hear(&mut early, "+OK in\r\n"), Err(Breach::UnexpectedReply.into()));
    // A line end or NUL never becomes a command of its own.
    for (user, text) in [("a\r\nDELE 1", "x"), ("a\n", "x"), ("", "x"), ("a", "x\r\ny"), ("a", "x\0"), ("a", "")] {
        let (mut c, text) = (conversation(Protection::Clear, "+OK ready\r\n"), Secret::new(text));
        assert_eq!(send(&mut c, Command::User { user, password: &text }), Err(Pop3Error::Argument), "{user:?}");
    }
}

#[test]
fn no_login_in_clear_and_nothing_from_before_tls() {
    let password = Secret::new("x");
    let login = Command::User { user: "ann", password: &password };
    let mut c = conversation(Protection::Starttls { required: true }, "+OK <1.2@example.org>\r\n");
    assert_eq!(send(&mut c, login), Err(Breach::LoginInClear.into()));
    send(&mut c, Command::Capa).unwrap();
    assert_eq!(send(&mut c, Command::Stls), Err(Breach::WrongState.into()), "not while something is under way");
    assert_eq!(hear(&mut c, "+OK list\r\nSTLS\r\nSASL PLAIN\r\n.\r\n").unwrap(), "ok ", "words in clear are dropped");
    assert!(c.capabilities().unwrap().has("STLS") && c.offers_apop());
    send(&mut c, Command::Stls).unwrap();
    assert_eq!(hear(&mut c, "+OK begin\r\n").unwrap(), "ok ");
    c.tls_started().unwrap();
    assert!(c.is_protected() && c.capabilities().is_none() && !c.offers_apop());
    assert_eq!(send(&mut c, login).unwrap(), "USER ann\r\n");
    assert_eq!(send(&mut c, Command::Stls), Err(Breach::WrongState.into()));
    // Only who merely wished for TLS may go on without, and then the words count.
    for (required, may) in [(true, false), (false, true)] {
        let mut c = conversation(Protection::Starttls { required }, "+OK ready\r\n");
        assert_eq!(c.stay_in_clear().is_ok(), may);
        send(&mut c, Command::Capa).unwrap();
        assert_eq!(hear(&mut c, "-ERR my words\r\n").unwrap(), if may { "err my words" } else { "err " });
    }
    for injected in ["+OK begin\r\n+OK\r\n", "+OK begin\r\n\n", "+OK begin\r\n."] {
        let mut c = conversation(Protection::Starttls { required: true }, "+OK\r\n");
        send(&mut c, Command::Stls).unwrap();
        assert_eq!(hear(&mut c, injected), Err(Breach::TlsInjection.into()), "{injected:?}");
    }
    // The answer is there before the question.
    let mut c = conversation(Protection::Starttls { required: true }, "+OK\r\n+OK begin\r\n");
    assert_eq!(send(&mut c, Command::Stls), Err(Breach::UnexpectedReply.into()));
}

#[test]
fn what_ends_a_conversation() {
    for (sent, heard, error) in [
        (Command::Stat, "Subject: x\r\n", Pop3Error::NoReply),
        (Command::Stat, "+ \r\n", Pop3Error::NoReply),
        (Command::Stat, "+OK\n", Pop3Error::BareLineFeed),
        (Command::Stat, "+OK\r\n+OK\r\n", Breach::UnexpectedReply.into()),
        (Command::Retr(1), "+OK\r\na\r\n.\r\n+OK 2 octets\r\n", Breach::UnexpectedReply.into()),
        (Command::Retr(1), "+OK\r\na\r\n.\r\nmore", Breach::UnexpectedReply.into()),
    ] {
        let (mut c, _) = logged_in();
        send(&mut c, sent).unwrap();
        let ended = hear(&mut c, heard).and_then(|_| send(&mut c, Command::Stat));
        assert_eq!(ended, Err(error), "{heard:?}");
        assert_eq!(c.next_event().err(), Some(error), "and stays so");
    }
    let mut c = Conversation::new(Protection::Clear);
    assert_eq!(hear(&mut c, "HTTP/1.1 400 Bad Request\r\n"), Err(Pop3Error::NoGreeting));
    let (mut c, _) = logged_in();
    send(&mut c, Command::Capa).unwrap();
    let endless = (0..300).map(|n| format!("X{n}\r\n")).collect::<String>();
    assert_eq!(hear(&mut c, &format!("+OK\r\n{endless}")), Err(Pop3Error::TooManyCapabilities));
}

/// Without CAPA a server has no capabilities, and that is no error.
#[test]
fn a_server_without_capa() {
    let mut c = conversation(Protection::Clear, "+OK\r\n");
    send(&mut c, Command::Capa).unwrap();
    assert_eq!(hear(&mut c, "-ERR unknown\r\n").unwrap(), "err unknown");
    assert!(!c.capabilities().unwrap().has("USER"));
    send(&mut c, Command::Capa).unwrap();
    hear(&mut c, "+OK\r\nUSER\r\nSASL plain LOGIN\r\nLOGIN-DELAY 900 USER\r\nPIPELINING\r\n.\r\n").unwrap();
    let capabilities = c.capabilities().unwrap();
    assert!(capabilities.has("USER") && capabilities.has("PIPELINING") && capabilities.offers("PLAIN"));
    assert_eq!(capabilities.login_delay, Some(900));
}
