//! POP3 against a real Dovecot.

use crate::client::{code, fetch, limits, octets, password, pinned, server, try_delete, try_log_in, visit};
use postroom_mail::{Access, AuthMethod, Listed, RemoteId, Security, ServerAccess, Settlement};
use postroom_sources::{Limits, Outcome, Session, Trust, open, probe};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::proxy::{Cut, CutProxy};

/// Message `number` of a made-up set: with lines of dots, and lines that look like replies.
fn message(number: usize) -> Vec<u8> {
    let mut text = format!("From: a{number}@example.org\r\nSubject: message {number}\r\n\r\n");
    for line in 0..(number * 7) % 300 {
        text.push_str(&format!(".{}line {line} of {number}\r\n.\r\n+OK {number}\r\n-ERR\r\n", ".".repeat(line % 3)));
    }
    text.push_str("..\r\n");
    text.into_bytes()
}

fn over_tls(dovecot: &Dovecot) -> Access {
    over_tls_with(dovecot, AuthMethod::Auto)
}

fn over_tls_with(dovecot: &Dovecot, auth: AuthMethod) -> Access {
    Access::Pop3(ServerAccess { auth, ..server("localhost", dovecot.pop3s_port, Security::Ssl, "ann") })
}

/// Through a proxy, with the password in clear.
fn through(port: u16) -> Access {
    Access::Pop3(ServerAccess { auth: AuthMethod::Plain, ..server("localhost", port, Security::None, "ann") })
}

async fn log_in(dovecot: &Dovecot) -> Session {
    try_log_in(&over_tls(dovecot), &pinned(dovecot)).await.unwrap()
}

fn ids(listed: &[Listed]) -> Vec<RemoteId> {
    listed.iter().map(|l| l.id.clone()).collect()
}

#[tokio::test]
async fn every_protection_and_every_login() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (ssl, clear) = (dovecot.pop3s_port, dovecot.pop3_port);
    let (pin, nothing) = (pinned(&dovecot), Trust::default());
    let cases: [(u16, Security, &Trust, &str, bool); 7] = [
        (ssl, Security::Ssl, &pin, "ok", true),
        (ssl, Security::Ssl, &nothing, "CERT_UNTRUSTED", false),
        (clear, Security::Starttls, &pin, "ok", true),
        (clear, Security::Starttls, &nothing, "CERT_UNTRUSTED", false),
        (clear, Security::StarttlsIfAvailable, &pin, "ok", true),
        (clear, Security::None, &nothing, "ok", false),
        (clear, Security::Ssl, &pin, "TLS_FAILED", false),
    ];
    for (port, security, trust, expected, tls) in cases {
        let session = try_log_in(&Access::Pop3(server("localhost", port, security, "ann")), trust).await;
        let is_tls = session.as_ref().is_ok_and(|s| s.tls());
        assert_eq!((code(session), is_tls), (expected, tls), "{port} {security:?}");
    }
    let methods = [
        AuthMethod::Auto,
        AuthMethod::Plain,
        AuthMethod::Login,
        AuthMethod::CramMd5,
        AuthMethod::ScramSha1,
        AuthMethod::ScramSha256,
        AuthMethod::Apop,
    ];
    for auth in methods {
        let access = over_tls_with(&dovecot, auth);
        assert_eq!(code(try_log_in(&access, &pin).await), "ok", "{auth:?}");
        let wrong = postroom_mail::Secret::new("wrong");
        let session = open(&access, Some(&wrong), &pin, &limits()).await;
        assert_eq!(code(session), "AUTH_REJECTED", "{auth:?}");
    }
}

#[tokio::test]
async fn messages_come_whole_and_nothing_changes() {
    let Some(dovecot) = Dovecot::start() else { return };
    let sent: Vec<Vec<u8>> = (1..=200).map(message).collect();
    dovecot.fill("ann", &sent).unwrap();
    let mut session = log_in(&dovecot).await;
    let listed = session.list().await.unwrap();
    assert_eq!(listed.len(), sent.len());
    let (fetched, result) = fetch(&mut session, &listed).await;
    result.unwrap();
    assert!(octets(&fetched) == sent, "octets differ");
    session.close().await.unwrap();
    let mut again = log_in(&dovecot).await;
    assert_eq!(ids(&again.list().await.unwrap()), ids(&listed), "the names stay");
    assert_eq!(dovecot.read_all("ann", "").unwrap().len(), sent.len());
}

#[tokio::test]
async fn deletions_count_at_quit_and_take_only_what_was_named() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1), message(2), message(3)]).unwrap();
    let mut session = log_in(&dovecot).await;
    let listed = ids(&session.list().await.unwrap());
    let gone = RemoteId::Pop3 { uidl: "never-there".into() };
    let owed = [listed[0].clone(), gone.clone(), listed[2].clone()];
    let settled = session.settle(&owed, &Settlement::Delete).await.unwrap();
    assert_eq!(settled, [gone, listed[0].clone(), listed[2].clone()]);
    assert_eq!(session.settle(&listed[1..2], &Settlement::Delete).await.unwrap(), [], "nothing more behind QUIT");
    assert_eq!(session.settle(&listed[1..2], &Settlement::Keep).await.unwrap(), listed[1..2]);
    session.close().await.unwrap();
    let left: Vec<_> = dovecot.read_all("ann", "").unwrap().into_iter().map(|(_, octets)| octets).collect();
    assert_eq!(left, [message(2)]);
    // Another conversation: what is gone counts as settled, whatever has its number now.
    let mut session = log_in(&dovecot).await;
    assert_eq!(session.settle(&listed[..1], &Settlement::Delete).await.unwrap(), listed[..1]);
    session.close().await.unwrap();
    assert_eq!(dovecot.read_all("ann", "").unwrap().len(), 1);
    let mut session = log_in(&dovecot).await;
    assert_eq!(code(session.settle(&listed, &Settlement::MarkSeen).await), "SETTLEMENT_UNSUPPORTED");
}

#[tokio::test]
async fn a_message_over_the_limit_stays_and_the_others_come() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1), vec![b'x'; 300_000], message(2)]).unwrap();
    let small = Limits { max_message: 200_000, ..limits() };
    let access = over_tls(&dovecot);
    let mut session = open(&access, Some(&password()), &pinned(&dovecot), &small).await.unwrap();
    let listed = session.list().await.unwrap();
    let (fetched, result) = fetch(&mut session, &listed).await;
    result.unwrap();
    let large = fetched.iter().find(|f| f.listed.id == listed[1].id).unwrap();
    assert_eq!(large.outcome, Outcome::TooLarge { announced: listed[1].size });
    assert_eq!(octets(&fetched), [message(1), message(2)]);
}

#[tokio::test]
async fn a_test_of_the_mailbox_names_each_step() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1)]).unwrap();
    let access = over_tls(&dovecot);
    let steps = probe(&access, Some(&password()), &pinned(&dovecot), &limits(), jiff::Timestamp::UNIX_EPOCH).await;
    let names: Vec<_> = steps.iter().map(|s| (s.step, s.ok)).collect();
    assert_eq!(names, [("resolve", true), ("connect", true), ("tls", true), ("login", true), ("folder", true)]);
    assert_eq!(steps[4].detail, "1 messages");
    // The list of a POP3 server has no dates.
    let takes = steps[4].count.unwrap().takes;
    assert_eq!((takes.new, takes.all, takes.since), (0, 1, None));
    let steps = probe(&access, Some(&password()), &Trust::default(), &limits(), jiff::Timestamp::UNIX_EPOCH).await;
    assert_eq!(steps.last().unwrap().code, Some("CERT_UNTRUSTED"));
    assert_eq!(dovecot.read_all("ann", "").unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_cut_amid_hands_over_whole_messages_only() {
    let Some(dovecot) = Dovecot::start() else { return };
    let sent: Vec<Vec<u8>> = (1..=3).map(|n| message(n * 3)).collect();
    dovecot.fill("ann", &sent).unwrap();
    let proxy = CutProxy::start(dovecot.pop3_port, Cut::Never).unwrap();
    let access = through(proxy.port);
    assert_eq!(visit(&access).await, sent);
    let (to_client, to_server) = proxy.forwarded();
    // Each octet in turn is what the dialogues do; here a step that meets every place of a line sooner or later.
    let cuts = (0..to_client).step_by(17).map(Cut::ToClient).chain((0..to_server).step_by(7).map(Cut::ToServer));
    for cut in cuts {
        proxy.set_cut(cut);
        let came = visit(&access).await;
        assert!(sent.starts_with(&came), "{cut:?}: {} messages", came.len());
    }
    proxy.set_cut(Cut::Never);
    assert_eq!(visit(&access).await, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_cut_amid_is_confirmed_only_when_it_is_done() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (named, kept) = (message(1), message(2));
    let proxy = CutProxy::start(dovecot.pop3_port, Cut::Never).unwrap();
    let access = through(proxy.port);
    dovecot.fill("ann", &[&kept]).unwrap();
    let (mut confirmed, mut round) = (0, 0);
    while confirmed < 3 {
        dovecot.fill("ann", &[&named]).unwrap();
        let last = ids(&log_in(&dovecot).await.list().await.unwrap()).pop().unwrap();
        proxy.set_cut(Cut::ToClient(100 + round * 7));
        let settled = try_delete(&access, &Trust::default(), &last).await;
        let left: Vec<_> = dovecot.read_all("ann", "").unwrap().into_iter().map(|(_, octets)| octets).collect();
        assert!(left.contains(&kept), "round {round}");
        if !settled.is_empty() {
            assert!(!left.contains(&named), "confirmed and still there, round {round}");
            confirmed += 1;
        }
        proxy.set_cut(Cut::Never);
        let mut session = log_in(&dovecot).await;
        assert_eq!(session.settle(std::slice::from_ref(&last), &Settlement::Delete).await.unwrap(), [last]);
        session.close().await.unwrap();
        assert_eq!(dovecot.read_all("ann", "").unwrap().len(), 1);
        round += 1;
        assert!(round < 1000, "never confirmed");
    }
    assert!(round > 20, "the cuts began too late to show anything");
}

/// Dovecot offers no bound mechanism, so that it may be told that we could.
#[tokio::test]
async fn scram_over_tls_1_3_says_that_it_could_be_bound() {
    let Some(dovecot) = Dovecot::start() else { return };
    let access = over_tls_with(&dovecot, AuthMethod::ScramSha256);
    let session = try_log_in(&access, &pinned(&dovecot)).await.unwrap();
    assert!(session.tls());
}
