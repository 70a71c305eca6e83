#![allow(clippy::unwrap_used)]

use super::{Channel, ChannelBinding, Client, Mechanism, SaslError, choose};
use crate::{AuthMethod, Secret};

fn client(mechanism: Mechanism, user: &str, password: &str, nonce: &str) -> Client {
    Client::new(mechanism, user, &Secret::new(password), nonce, Channel::None).unwrap()
}

fn text(octets: super::Octets) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// The examples of the RFCs, to the letter.
#[test]
fn the_vectors_of_the_standards() {
    // RFC 4616 §4
    let mut plain = client(Mechanism::Plain, "tim", "tanstaaftanstaaf", "n");
    assert_eq!(text(plain.initial().unwrap()), "\0tim\0tanstaaftanstaaf");
    assert_eq!(plain.succeed(None), Ok(()));
    // RFC 2195 §2
    let mut cram = client(Mechanism::CramMd5, "tim", "tanstaaftanstaaf", "n");
    assert!(cram.initial().is_none());
    let response = cram.respond(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
    assert_eq!(text(response), "tim b913a602c7eda7a495b4e6e7334d3890");
    assert_eq!(cram.succeed(None), Ok(()));
    // RFC 5802 §5, RFC 7677 §3
    let scram = [
        (
            Mechanism::ScramSha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            Mechanism::ScramSha256,
            "rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ];
    for (mechanism, nonce, server_first, expected, proof) in scram {
        let begin = || {
            let mut client = client(mechanism, "user", "pencil", nonce);
            // The first message is the response to an empty challenge where it did not come with the command.
            assert_eq!(text(client.respond(b"").unwrap()), format!("n,,n=user,r={nonce}"));
            assert_eq!(text(client.respond(server_first.as_bytes()).unwrap()), expected);
            client
        };
        let mut one = begin();
        assert_eq!(one.succeed(None), Err(SaslError::ServerNotProven), "no proof, no login");
        assert_eq!(text(one.respond(proof.as_bytes()).unwrap()), "");
        assert_eq!(one.succeed(None), Ok(()));
        assert_eq!(one.respond(b"").err(), Some(SaslError::Challenge));
        // The proof may come along with the success.
        assert_eq!(begin().succeed(Some(proof.as_bytes())), Ok(()));
        for forged in ["v=AAAA", "v=", "e=other-error", "", "v=rmF9pqV8S7suAoZWja4dJRkFsKR="] {
            assert!(begin().succeed(Some(forged.as_bytes())).is_err(), "{forged}");
        }
    }
}

#[test]
fn login_says_user_and_password_when_asked() {
    let mut login = client(Mechanism::Login, "ann", "secret", "n");
    assert!(login.initial().is_none());
    assert_eq!(login.succeed(None), Err(SaslError::Challenge));
    assert_eq!(text(login.respond(b"Username:").unwrap()), "ann");
    assert_eq!(login.succeed(None), Err(SaslError::Challenge));
    assert_eq!(text(login.respond(b"Password:").unwrap()), "secret");
    assert_eq!(login.succeed(None), Ok(()));
    assert_eq!(login.respond(b"again").err(), Some(SaslError::Challenge));
}

#[test]
fn what_a_server_must_not_say_first() {
    let table = [
        ("r=abc,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Challenge),
        ("r=abd123,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Challenge),
        ("r=abc1,s=,i=4096", SaslError::Challenge),
        ("r=abc1,s=?,i=4096", SaslError::Challenge),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=", SaslError::Challenge),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=-1", SaslError::Challenge),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=+5000", SaslError::Challenge),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=4095", SaslError::Iterations),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=600001", SaslError::Iterations),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=2147483648", SaslError::Iterations),
        ("r=abc1,s=QSXCR+Q6sek8bf92,i=99999999999999999999", SaslError::Iterations),
        ("m=new,r=abc1,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Challenge),
        ("e=unknown-user", SaslError::Challenge),
        ("", SaslError::Challenge),
    ];
    for (server_first, error) in table {
        let mut client = client(Mechanism::ScramSha256, "user", "pencil", "abc");
        client.initial().unwrap();
        assert_eq!(client.respond(server_first.as_bytes()).err(), Some(error), "{server_first}");
        assert!(client.succeed(None).is_err());
    }
    let mut client = client(Mechanism::ScramSha256, "user", "pencil", "abc");
    client.initial().unwrap();
    assert_eq!(client.respond(&[b'r'; 5000]).err(), Some(SaslError::Challenge));
}

#[test]
fn names_are_escaped_bindings_are_named_and_nul_is_refused() {
    let binding = ChannelBinding { name: "tls-exporter", data: vec![1, 2, 3] };
    let first = |user: &str, channel| {
        let mut client = Client::new(Mechanism::ScramSha256Plus, user, &Secret::new("p"), "abc", channel).unwrap();
        text(client.initial().unwrap())
    };
    assert_eq!(first("a=b,c", Channel::NotOffered), "y,,n=a=3Db=2Cc,r=abc");
    assert_eq!(first("I\u{ad}X", Channel::Bound(&binding)), "p=tls-exporter,,n=IX,r=abc");
    let mut bound =
        Client::new(Mechanism::ScramSha256Plus, "a", &Secret::new("p"), "abc", Channel::Bound(&binding)).unwrap();
    bound.initial().unwrap();
    let last = text(bound.respond(b"r=abc1,s=QSXCR+Q6sek8bf92,i=4096").unwrap());
    // "p=tls-exporter,," and the three octets, in base64.
    assert!(last.starts_with("c=cD10bHMtZXhwb3J0ZXIsLAECAw==,r=abc1,p="), "{last}");
    for (user, password) in [("a\0b", "p"), ("a", "p\0")] {
        let made = Client::new(Mechanism::Plain, user, &Secret::new(password), "abc", Channel::None);
        assert_eq!(made.err(), Some(SaslError::Argument));
    }
    assert_eq!(format!("{:?}", client(Mechanism::Plain, "ann", "secret", "abc")), "Client { mechanism: Plain, .. }");
}

#[test]
fn the_strongest_that_is_wanted_offered_and_possible() {
    let all = "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN GSSAPI";
    let table = [
        (AuthMethod::Auto, true, all, Some("SCRAM-SHA-256-PLUS")),
        (AuthMethod::Auto, false, all, Some("SCRAM-SHA-256")),
        (AuthMethod::Auto, true, "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1", Some("SCRAM-SHA-1")),
        (AuthMethod::Auto, true, "LOGIN PLAIN CRAM-MD5", Some("CRAM-MD5")),
        (AuthMethod::Auto, true, "LOGIN PLAIN", Some("PLAIN")),
        (AuthMethod::Auto, true, "LOGIN", Some("LOGIN")),
        (AuthMethod::Auto, true, "GSSAPI NTLM", None),
        (AuthMethod::Plain, true, all, Some("PLAIN")),
        (AuthMethod::Login, true, all, Some("LOGIN")),
        (AuthMethod::CramMd5, true, all, Some("CRAM-MD5")),
        (AuthMethod::ScramSha1, true, all, Some("SCRAM-SHA-1-PLUS")),
        (AuthMethod::ScramSha256, false, all, Some("SCRAM-SHA-256")),
        // What was asked for by name is not replaced by something weaker.
        (AuthMethod::ScramSha256, false, "PLAIN LOGIN SCRAM-SHA-1", None),
        (AuthMethod::Apop, true, all, None),
    ];
    for (wanted, has_binding, offered, expected) in table {
        let chosen = choose(wanted, has_binding, |name| offered.split(' ').any(|one| one == name));
        assert_eq!(chosen.map(Mechanism::name), expected, "{wanted:?} {has_binding} {offered}");
    }
}
