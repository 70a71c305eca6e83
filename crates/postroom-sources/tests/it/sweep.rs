//! The connection to a real server is cut, in both directions: nothing incomplete is ever handed over, and nothing is
//! reported as settled that the server does not confirm.

use crate::client::{imap, log_in, pinned, server, try_delete, try_log_in, visit};
use postroom_mail::{Security, Settlement};
use postroom_sources::Purpose;
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::proxy::{Cut, CutProxy};

fn messages() -> Vec<Vec<u8>> {
    (1..=3).map(|n| format!("Subject: number {n}\r\n\r\n{}\r\n", "text ".repeat(n * 20)).into_bytes()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_cut_amid_hands_over_whole_messages_only() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.fill("ann", &messages()).unwrap();
    let proxy = CutProxy::start(dovecot.imap_port, Cut::Never).unwrap();
    let access = imap(server("localhost", proxy.port, Security::None, "ann"));
    // The first session gives out the UIDs, so that all later ones are alike.
    log_in(&dovecot, "ann").await.select(Purpose::Settle).await.unwrap();
    assert_eq!(visit(&access).await, messages());
    let (to_client, to_server) = proxy.forwarded();
    // Each octet in turn is what the dialogues do; here a step that meets every place of a line sooner or later.
    let cuts = (0..to_client).step_by(17).map(Cut::ToClient).chain((0..to_server).step_by(7).map(Cut::ToServer));
    for cut in cuts {
        proxy.set_cut(cut);
        let came = visit(&access).await;
        assert!(came.is_empty() || came == messages(), "{cut:?}: {} messages", came.len());
    }
    proxy.set_cut(Cut::Never);
    assert_eq!(visit(&access).await, messages());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_cut_amid_takes_only_what_was_named() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (named, kept) = (messages()[0].clone(), messages()[1].clone());
    dovecot.fill("ann", &[&kept]).unwrap();
    let proxy = CutProxy::start(dovecot.imaps_port, Cut::Never).unwrap();
    let through = imap(server("localhost", proxy.port, Security::Ssl, "ann"));
    let mut round = 0;
    loop {
        dovecot.fill("ann", &[&named]).unwrap();
        let mut look = log_in(&dovecot, "ann").await;
        let ids: Vec<_> = look.list().await.unwrap().into_iter().map(|l| l.id).collect();
        let last = ids.last().unwrap().clone();
        drop(look);
        let cut = 1500 + round * 29;
        proxy.set_cut(Cut::ToClient(cut));
        let confirmed = try_delete(&through, &pinned(&dovecot), &last).await;
        let left = dovecot.read_all("ann", "").unwrap();
        assert!(left.iter().any(|(_, octets)| *octets == kept), "cut after {cut}");
        let is_gone = !left.iter().any(|(_, octets)| *octets == named);
        if !confirmed.is_empty() {
            assert!(is_gone, "confirmed and still there, cut after {cut}");
            break;
        }
        // Again without the cut: it is settled whether the server had done it or not.
        proxy.set_cut(Cut::Never);
        let mut session = try_log_in(&through, &pinned(&dovecot)).await.unwrap();
        assert_eq!(session.settle(std::slice::from_ref(&last), &Settlement::Delete).await.unwrap(), [last]);
        session.close().await.unwrap();
        assert_eq!(dovecot.read_all("ann", "").unwrap().len(), 1);
        round += 1;
        assert!(round < 1000, "never confirmed");
    }
    assert!(round > 10, "the cuts began too late to show anything");
}
