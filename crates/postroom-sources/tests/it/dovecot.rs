//! Against a real Dovecot.

use crate::client::{code, fetch, imap, limits, log_in, octets, over_tls, password, pinned, server, try_log_in};
use jiff::Timestamp;
use postroom_mail::{Access, ImapAccess, RemoteId, Secret, Security, ServerAccess, Settlement};
use postroom_sources::certificate::parse_der;
use postroom_sources::{Budget, Fetched, Limits, Outcome, Purpose, Session, Trust, open, probe};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::dovecot::Dovecot;
use std::time::Duration;
use tokio::sync::mpsc;

/// Message `number` of a made-up set: each differs, some are large, some have lines that look like the protocol.
fn message(number: usize) -> Vec<u8> {
    let mut text = format!("From: a{number}@example.org\r\nSubject: message {number}\r\n\r\n");
    for line in 0..(number * 7) % 300 {
        text.push_str(&format!("line {line} of {number} ) OK {{5}}\r\n* 1 EXPUNGE\r\n"));
    }
    text.push_str("P5 OK done\r\n");
    text.into_bytes()
}

async fn uids(dovecot: &Dovecot, user: &str) -> Vec<RemoteId> {
    let mut session = log_in(dovecot, user).await;
    let listed = session.list().await.unwrap();
    session.close().await.unwrap();
    listed.into_iter().map(|l| l.id).collect()
}

#[tokio::test]
async fn every_protection_and_trust() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (ssl, clear) = (dovecot.imaps_port, dovecot.imap_port);
    let (pin, nothing) = (pinned(&dovecot), Trust::default());
    let cases: [(&str, u16, Security, &Trust, &str, bool); 9] = [
        ("localhost", ssl, Security::Ssl, &pin, "ok", true),
        ("127.0.0.1", ssl, Security::Ssl, &pin, "ok", true),
        ("localhost", ssl, Security::Ssl, &nothing, "CERT_UNTRUSTED", false),
        ("localhost", clear, Security::Starttls, &pin, "ok", true),
        ("localhost", clear, Security::Starttls, &nothing, "CERT_UNTRUSTED", false),
        ("localhost", clear, Security::StarttlsIfAvailable, &pin, "ok", true),
        ("localhost", clear, Security::None, &nothing, "ok", false),
        // TLS spoken to a port that greets in clear.
        ("localhost", clear, Security::Ssl, &pin, "TLS_FAILED", false),
        ("nonexistent.invalid", ssl, Security::Ssl, &pin, "HOST_UNKNOWN", false),
    ];
    for (host, port, security, trust, expected, tls) in cases {
        let session = try_log_in(&imap(server(host, port, security, "ann")), trust).await;
        let is_tls = session.as_ref().is_ok_and(|s| s.tls());
        assert_eq!((code(session), is_tls), (expected, tls), "{host} {port} {security:?}");
    }
}

#[tokio::test]
async fn certificates_of_every_kind() {
    // Without trust, pinned, with its authority, and with another certificate pinned.
    let kinds = [
        (CertificateKind::SelfSigned, "CERT_UNTRUSTED", "ok", "", "CERT_CHANGED"),
        (CertificateKind::SelfSignedCa, "CERT_UNTRUSTED", "ok", "", "CERT_CHANGED"),
        (CertificateKind::SignedByCa, "CERT_UNTRUSTED", "ok", "ok", "CERT_CHANGED"),
        // A pin is for this very certificate, whatever its name; an authority vouches only for names.
        (CertificateKind::OtherName, "CERT_UNTRUSTED", "ok", "CERT_NAME_MISMATCH", "CERT_CHANGED"),
        (CertificateKind::Expired, "CERT_EXPIRED", "CERT_EXPIRED", "", "CERT_EXPIRED"),
        (CertificateKind::NotYetValid, "CERT_NOT_YET_VALID", "CERT_NOT_YET_VALID", "", "CERT_NOT_YET_VALID"),
    ];
    let other = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for (kind, with_nothing, with_pin, with_ca, with_other_pin) in kinds {
        let Some(dovecot) = Dovecot::start_with(kind) else { return };
        let access = over_tls(&dovecot, "ann");
        assert_eq!(code(try_log_in(&access, &Trust::default()).await), with_nothing, "{kind:?} without trust");
        assert_eq!(code(try_log_in(&access, &pinned(&dovecot)).await), with_pin, "{kind:?} pinned");
        if let Some(ca) = &dovecot.certificate.ca_der {
            assert_eq!(code(try_log_in(&access, &Trust::new(vec![ca.clone()])).await), with_ca, "{kind:?} with its CA");
        }
        let changed = try_log_in(&access, &Trust::new(vec![other.der.clone()])).await;
        let error = changed.err().unwrap();
        assert_eq!(error.code(), with_other_pin, "{kind:?} with another pin");
        let shown = parse_der(&dovecot.certificate.der).unwrap().fingerprint;
        assert_eq!(error.chain()[0].fingerprint, shown);
        if with_other_pin == "CERT_CHANGED" {
            let pinned = parse_der(&other.der).unwrap().fingerprint;
            let text = error.to_string();
            assert!(text.contains(&shown.to_string()) && text.contains(&pinned.to_string()), "{text}");
        }
    }
}

/// An authority's certificate that a server shows as its own, as `openssl req -x509` makes it, is called what it is.
#[tokio::test]
async fn why_a_certificate_is_not_trusted_is_said_in_words() {
    let cases = [
        (CertificateKind::SelfSignedCa, "it is an authority's own, shown as a server's"),
        (CertificateKind::SelfSigned, "it is signed by itself"),
    ];
    for (kind, words) in cases {
        let Some(dovecot) = Dovecot::start_with(kind) else { return };
        let error = try_log_in(&over_tls(&dovecot, "ann"), &Trust::default()).await.err().unwrap();
        let text = error.to_string();
        assert_eq!(error.code(), "CERT_UNTRUSTED");
        assert!(text.contains(words) && !text.contains("Other"), "{kind:?}: {text}");
    }
}

/// Trust belongs to one mailbox: what one of them trusts never opens a connection of another, however they run together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mailbox_borrows_the_trust_of_another() {
    let Some(one) = Dovecot::start_with(CertificateKind::SignedByCa) else { return };
    let Some(two) = Dovecot::start_with(CertificateKind::SignedByCa) else { return };
    let authority = |dovecot: &Dovecot| Trust::new(vec![dovecot.certificate.ca_der.clone().unwrap()]);
    for _ in 0..25 {
        let (to_one, to_two) = (over_tls(&one, "ann"), over_tls(&two, "ann"));
        let (trust_one, trust_two) = (authority(&one), authority(&two));
        let greet = |access: Access, trust: Trust| async move {
            let port = access.server().unwrap().port;
            let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            code(Session::greet(Box::new(tcp), &access, &trust, &limits()).await)
        };
        let outcomes = tokio::join!(
            tokio::spawn(greet(to_one.clone(), trust_one.clone())),
            tokio::spawn(greet(to_one, trust_two.clone())),
            tokio::spawn(greet(to_two.clone(), trust_two)),
            tokio::spawn(greet(to_two, trust_one)),
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3].map(Result::unwrap);
        assert_eq!(outcomes, ["ok", "CERT_UNTRUSTED", "ok", "CERT_UNTRUSTED"]);
    }
}

#[tokio::test]
async fn wrong_password_refused_port_missing_folder_private_host() {
    let Some(dovecot) = Dovecot::start() else { return };
    let access = over_tls(&dovecot, "ann");
    let wrong = Secret::new("wrong");
    let rejected = open(&access, Some(&wrong), &pinned(&dovecot), &limits()).await;
    assert_eq!(code(rejected), "AUTH_REJECTED");
    let none = open(&access, None, &pinned(&dovecot), &limits()).await;
    assert_eq!(code(none), "PASSWORD_MISSING");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = imap(server("127.0.0.1", free, Security::Ssl, "ann"));
    assert_eq!(code(try_log_in(&nobody, &Trust::default()).await), "CONNECT_REFUSED");

    let to_dovecot = access.server().unwrap();
    let private = imap(ServerAccess { allow_private_host: false, ..to_dovecot.clone() });
    assert_eq!(code(try_log_in(&private, &pinned(&dovecot)).await), "HOST_PRIVATE");

    for folder in ["Nirgends", "Entwürfe\r\nA1 LOGOUT", "\"quoted\\\"", "&", "日本"] {
        let elsewhere = Access::Imap(ImapAccess::new(to_dovecot.clone(), folder));
        let mut session = try_log_in(&elsewhere, &pinned(&dovecot)).await.unwrap();
        let selected = session.select(Purpose::Look).await;
        let expected = if folder.contains('\r') { "SERVER_REFUSED" } else { "FOLDER_MISSING" };
        let found = code(selected);
        assert!(found == expected || found == "FOLDER_MISSING", "{folder:?}: {found}");
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn five_hundred_messages_come_octet_for_octet() {
    let Some(dovecot) = Dovecot::start() else { return };
    let sent: Vec<Vec<u8>> = (0..500).map(message).collect();
    dovecot.fill("ann", &sent).unwrap();
    let mut session = log_in(&dovecot, "ann").await;
    let folder = session.select(Purpose::Look).await.unwrap();
    assert_eq!((folder.exists, folder.uid_next), (Some(500), Some(501)));
    let listed = session.list().await.unwrap();
    assert_eq!(listed.len(), 500);
    assert!(listed.iter().all(|l| l.received_at.is_some()));
    assert!(listed.iter().zip(&sent).all(|(l, octets)| l.size == octets.len() as u64));
    let (fetched, result) = fetch(&mut session, &listed).await;
    result.unwrap();
    assert!(fetched.iter().zip(&listed).all(|(f, l)| f.listed == *l), "in the order asked for");
    assert!(octets(&fetched) == sent, "octets differ");
    session.close().await.unwrap();
    // Nothing but BODY.PEEK was used: no message is seen, flagged or gone.
    assert!(dovecot.read_all("ann", "").unwrap().iter().all(|(name, _)| name.ends_with(":2,") || !name.contains(':')));
}

#[tokio::test]
async fn an_empty_folder_and_a_vanished_message() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut session = log_in(&dovecot, "ann").await;
    assert_eq!(session.list().await.unwrap(), []);
    dovecot.fill("ann", &[message(1), message(2)]).unwrap();
    let mut second = log_in(&dovecot, "ann").await;
    let listed = second.list().await.unwrap();
    assert_eq!(listed.len(), 2);
    let mut third = log_in(&dovecot, "ann").await;
    let gone = third.settle(&[listed[0].id.clone()], &Settlement::Delete).await.unwrap();
    assert_eq!(gone, [listed[0].id.clone()]);
    // A new session, since Dovecot may go on serving what a session has already seen.
    let mut fourth = log_in(&dovecot, "ann").await;
    let (fetched, result) = fetch(&mut fourth, &listed).await;
    result.unwrap();
    assert_eq!(fetched[0].outcome, Outcome::Vanished);
    assert_eq!(octets(&fetched), [message(2)]);
}

#[tokio::test]
async fn a_message_over_the_limit_stays_and_the_others_come() {
    let Some(dovecot) = Dovecot::start() else { return };
    let large = vec![b'x'; 300_000];
    dovecot.fill("ann", &[message(1), large, message(2)]).unwrap();
    let small = Limits { max_message: 200_000, ..limits() };
    let access = over_tls(&dovecot, "ann");
    let mut session = open(&access, Some(&password()), &pinned(&dovecot), &small).await.unwrap();
    let listed = session.list().await.unwrap();
    let (fetched, result) = fetch(&mut session, &listed).await;
    result.unwrap();
    let large = fetched.iter().find(|f| f.listed == listed[1]).unwrap();
    assert_eq!(large.outcome, Outcome::TooLarge { announced: listed[1].size });
    assert_eq!(octets(&fetched), [message(1), message(2)]);
    assert_eq!(dovecot.read_all("ann", "").unwrap().len(), 3);
}

/// Two visits share a budget smaller than either's messages, and the consumer is slower than both: all messages come,
/// no visit waits for the other in a circle, and what is in memory stays near the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_within_the_budget_and_nobody_waits_for_ever() {
    let Some(dovecot) = Dovecot::start() else { return };
    let budget = Budget::new(1 << 20);
    let mut sent: Vec<Vec<u8>> = (0..30).map(|n| [message(n), vec![b'x'; 200_000]].concat()).collect();
    // Larger than the whole budget: it comes alone.
    sent.push([message(30), vec![b'y'; 5_000_000]].concat());
    let (sender, mut receiver) = mpsc::channel::<Fetched>(2);
    let mut visits = Vec::new();
    for user in ["ann", "bob"] {
        dovecot.fill(user, &sent).unwrap();
        let (mut session, budget, sender) = (log_in(&dovecot, user).await, budget.clone(), sender.clone());
        visits.push(tokio::spawn(async move {
            let listed = session.list().await?;
            session.fetch(&listed, &budget, &sender).await
        }));
    }
    drop(sender);
    let mut came = 0;
    let consume = async {
        while let Some(fetched) = receiver.recv().await {
            // A slow disk: meanwhile the visits run into the limit.
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert!(matches!(&fetched.outcome, Outcome::Message(raw) if sent.iter().any(|s| s == raw.octets())));
            came += 1;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), consume).await.expect("nobody waits for ever");
    for visit in visits {
        visit.await.unwrap().unwrap();
    }
    assert_eq!((came, budget.free()), (2 * sent.len(), 1 << 20));
}

#[tokio::test]
async fn deleting_takes_only_what_was_named() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1), message(2)]).unwrap();
    // Another client has marked this one and not expunged it yet.
    dovecot.fill_flagged("ann", &message(3), "T").unwrap();
    let ids = uids(&dovecot, "ann").await;
    assert_eq!(ids.len(), 3);
    let mut session = log_in(&dovecot, "ann").await;
    let other_epoch = match &ids[1] {
        RemoteId::Imap { folder, uid_validity, uid } => {
            RemoteId::Imap { folder: folder.clone(), uid_validity: uid_validity - 1, uid: *uid }
        }
        _ => unreachable!("an IMAP id"),
    };
    let owed = [ids[0].clone(), other_epoch];
    assert_eq!(session.settle(&owed, &Settlement::Delete).await.unwrap(), [ids[0].clone()]);
    // Once more: gone counts as settled.
    assert_eq!(session.settle(&owed[..1], &Settlement::Delete).await.unwrap(), [ids[0].clone()]);
    session.close().await.unwrap();
    let left: Vec<_> = dovecot.read_all("ann", "").unwrap().into_iter().map(|(_, octets)| octets).collect();
    assert_eq!(left, [message(2), message(3)]);
}

#[tokio::test]
async fn marking_moving_and_keeping() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1), message(2), message(3)]).unwrap();
    let ids = uids(&dovecot, "ann").await;
    let mut session = log_in(&dovecot, "ann").await;
    session.select(Purpose::Look).await.unwrap();
    assert_eq!(session.settle(&ids[..1], &Settlement::Keep).await.unwrap(), ids[..1]);
    assert_eq!(session.settle(&ids[1..2], &Settlement::MarkSeen).await.unwrap(), ids[1..2]);
    let done = Settlement::MoveTo("Erledigt & fertig".into());
    assert_eq!(session.settle(&ids[2..], &done).await.unwrap(), ids[2..]);
    session.close().await.unwrap();
    let inbox = dovecot.read_all("ann", "").unwrap();
    assert_eq!(inbox.len(), 2);
    let flags =
        |octets: &[u8]| inbox.iter().find(|(_, o)| o == octets).unwrap().0.split(":2,").nth(1).unwrap_or("").to_owned();
    assert_eq!((flags(&message(1)).as_str(), flags(&message(2)).as_str()), ("", "S"));
    let moved = dovecot.read_all("ann", ".Erledigt &- fertig").unwrap();
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].1, message(3));
}

#[tokio::test]
async fn a_test_of_the_mailbox_names_each_step() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &[message(1)]).unwrap();
    let access = over_tls(&dovecot, "ann");
    let steps = probe(&access, Some(&password()), &pinned(&dovecot), &limits(), Timestamp::UNIX_EPOCH).await;
    let names: Vec<_> = steps.iter().map(|s| (s.step, s.ok)).collect();
    assert_eq!(names, [("resolve", true), ("connect", true), ("tls", true), ("login", true), ("folder", true)]);
    assert!(steps[4].detail.contains("1 messages"), "{}", steps[4].detail);
    let takes = steps[4].count.unwrap().takes;
    assert_eq!((takes.new, takes.all, takes.since.unwrap().messages), (0, 1, 1));
    let shown = parse_der(&dovecot.certificate.der).unwrap();
    assert_eq!((steps[2].protection, steps[2].chain.as_slice()), (Some("tls"), std::slice::from_ref(&shown)));
    let later = Timestamp::now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    let steps = probe(&access, Some(&password()), &pinned(&dovecot), &limits(), later).await;
    assert_eq!(steps[4].count.unwrap().takes.since.unwrap().messages, 0);
    let steps = probe(&access, Some(&password()), &Trust::default(), &limits(), later).await;
    let last = steps.last().unwrap();
    assert_eq!((last.step, last.ok, last.code), ("tls", false, Some("CERT_UNTRUSTED")));
    assert_eq!(last.chain, std::slice::from_ref(&shown), "what is not trusted is shown");
    assert!(last.detail.contains("Postroom test server"), "{}", last.detail);
    let help = last.help.as_deref().unwrap();
    let command = format!("mailbox trust NAME --fingerprint {}", shown.fingerprint);
    assert!(help.contains(&command), "{help}");
    // The message is still in new/: no session of ours has opened the folder for writing.
    let names: Vec<_> = dovecot.read_all("ann", "").unwrap();
    assert!(names.iter().all(|(name, _)| !name.contains('S')), "{names:?}");
}
