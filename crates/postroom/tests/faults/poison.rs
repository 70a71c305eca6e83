//! One message that cannot be read must hold itself, and nothing else.

use crate::world::{World, databases};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::postgres::Postgres;

const POISON: &[u8] = b"From: ann@example.org\r\nSubject: token-poison .\r\n\r\nthis-is-the-poison token-poison .\r\n";

#[test]
fn a_message_that_ends_the_process_is_held_and_nothing_else() {
    let Some(dovecot) = Dovecot::start() else { return };
    let postgres = Postgres::start();
    for (kind, database) in databases(postgres.as_ref()) {
        let mut world = World::new(&dovecot, &format!("poison-{kind}"), database);
        world.send(&dovecot, 20);
        dovecot.fill(&world.user, &[POISON]).unwrap();
        world.send(&dovecot, 20);
        let fetch = || world.command(&["fetch"]).env("POSTROOM_FAULT_ABORT", "this-is-the-poison").output().unwrap();
        let runs = (1..=10).find(|_| fetch().status.success());
        // Once among others, three times alone; the run after that gets through.
        assert_eq!(runs, Some(5), "{kind}");
        let receipts = world.receipts();
        let poison = &receipts["token-poison"][0];
        assert_eq!((&poison["state"], &poison["reason"]), (&"held".into(), &"READ_CRASHED".into()), "{kind}");
        assert!(world.on_server(&dovecot).contains(&"token-poison".to_owned()), "held mail stays on the server");
        for sent in &world.sent {
            let receipt = &receipts[&sent.token][0];
            assert_ne!(receipt["reason"], "READ_CRASHED", "{kind}: {} is innocent", sent.token);
            assert!(receipt["state"] == "filed" || receipt["reason"] == "SENDER_UNKNOWN", "{kind}: {receipt}");
        }
        // A later version can read it: a person tries again.
        let again = world.ok(&["receipt", "retry", &poison["id"].to_string()]);
        assert_eq!(again[0]["state"], "filed", "{kind}");
    }
}

#[test]
fn a_panic_in_reading_holds_one_receipt() {
    let Some(dovecot) = Dovecot::start() else { return };
    let postgres = Postgres::start();
    for (kind, database) in databases(postgres.as_ref()) {
        let mut world = World::new(&dovecot, &format!("panic-{kind}"), database);
        world.send(&dovecot, 5);
        dovecot.fill(&world.user, &[POISON]).unwrap();
        world.send(&dovecot, 5);
        let fetched = world.command(&["fetch"]).env("POSTROOM_FAULT_PANIC", "this-is-the-poison").output().unwrap();
        assert!(fetched.status.success(), "{kind}: {fetched:?}");
        // Its octets tell which it is; it was never read.
        let receipts = world.ok(&["receipt", "list", "--state", "held"]);
        let held: Vec<_> = receipts.iter().filter(|r| r["reason"] == "READ_PANICKED").collect();
        assert_eq!(held.len(), 1, "{kind}");
        let again = world.ok(&["receipt", "retry", &held[0]["id"].to_string()]);
        assert_eq!(again[0]["state"], "filed", "{kind}");
    }
}
