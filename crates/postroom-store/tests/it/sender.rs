//! Who wrote: what was found out stays with the receipt and with what became of it; strangers become contacts.

use crate::support::*;
use postroom_domain::{Evidence, GlobalPolicy, Identity, Level, Reason, Unverified, WorkspacePolicy};
use postroom_mail::message::Client;
use postroom_store::{Accepted, ClaimLimit, OutcomeKind, Pushed, UserChange};

fn active(active: bool) -> UserChange {
    UserChange { active: Some(active), ..UserChange::default() }
}

fn identity(level: Level) -> Identity {
    Identity { level, evidence: Evidence::Dkim, detail: "signed by example.org".to_owned() }
}

#[tokio::test]
async fn what_was_found_out_stays_with_what_became_of_it() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let file = async |n: u32, subject: &str, level: Level| {
            let message = message("ann@example.org", subject, &format!("text {n}"));
            let claimed = house.accept(&[(n, &message.text)]).await.remove(0);
            house.file(vec![(claimed.judged(identity(level)), message)]).await.remove(0)
        };
        let opened = file(1, "hello", Level::Verified).await;
        let said = file(2, "Re: [#1] hello", Level::Unverified).await;
        let OutcomeKind::Comment { item: 1, comment } = said.kind else { panic!("{said:?}") };
        let item = house.store.item(1).await.unwrap();
        assert_eq!(item.identity, Some(identity(Level::Verified)));
        assert_eq!(item.comments[0].identity, Some(identity(Level::Unverified)));
        for (outcome, level) in [(&opened, Level::Verified), (&said, Level::Unverified)] {
            let receipt = house.store.receipt(outcome.receipt).await.unwrap();
            assert_eq!(receipt.identity, Some(identity(level)));
        }
        let split = house.store.split_comment(1, comment, noon()).await.unwrap();
        assert_eq!(house.store.item(split).await.unwrap().identity, Some(identity(Level::Unverified)));

        let disowned = file(3, "Re: [#1] hello", Level::Failed).await;
        assert_eq!((disowned.kind, disowned.reason), (OutcomeKind::Held, Some(Reason::SenderDisowned)));
        house
            .store
            .set_workspace_policy(
                &key("SUP"),
                WorkspacePolicy { unverified: Unverified::Hold, ..WorkspacePolicy::default() },
                noon(),
            )
            .await
            .unwrap();
        let held = file(4, "Re: [#1] hello", Level::Unverified).await;
        assert_eq!((held.kind, held.reason), (OutcomeKind::Held, Some(Reason::SenderUnverified)));
        let proven = file(5, "Re: [#1] hello", Level::Verified).await;
        assert!(matches!(proven.kind, OutcomeKind::Comment { item: 1, .. }), "{proven:?}");
    })
    .await;
}

#[tokio::test]
async fn d10_the_mail_of_a_deactivated_user_is_mail_of_a_stranger() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        assert_eq!(house.take(1, message("ann@example.org", "hello", "1")).await.kind, OutcomeKind::Item(1));
        let user = house.store.set_user("Ann@Example.org", active(false), noon()).await.unwrap();
        assert!(!user.active);
        // She is still a participant of item 1, and no one to be let in.
        let held = house.take(2, message("ann@example.org", "Re: [#1] hello", "2")).await;
        assert_eq!((held.kind, held.reason), (OutcomeKind::Held, Some(Reason::SenderUnknown)));
        // Where strangers may write she may open items like them, but what she took part in is closed to her.
        let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
        house.store.set_global_policy(&open, noon()).await.unwrap();
        assert_eq!(house.take(4, message("ann@example.org", "Re: [#1] hello", "4")).await.kind, OutcomeKind::Item(2));
        assert_eq!(
            house.store.set_user("eve@example.org", active(false), noon()).await.unwrap_err().code(),
            "USER_UNKNOWN"
        );
        house.store.set_user("ann@example.org", active(true), noon()).await.unwrap();
        let back = house.take(3, message("ann@example.org", "Re: [#1] hello", "3")).await;
        assert!(matches!(back.kind, OutcomeKind::Comment { item: 1, .. }), "{back:?}");
    })
    .await;
}

#[tokio::test]
async fn strangers_become_contacts() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
        house.store.set_global_policy(&open, noon()).await.unwrap();
        house.take(1, message("ann@example.org", "hello", "of a user")).await;
        house.take(2, message("eve@outside.example", "hello", "of a stranger")).await;
        house.take(3, message("Eve@Outside.example", "again", "of the same")).await;
        let contacts = house.store.contacts().await.unwrap();
        assert_eq!(contacts.len(), 1, "{contacts:?}");
        let [eve] = &contacts[..] else { panic!("{contacts:?}") };
        assert_eq!((eve.address.as_str(), eve.name.as_str()), ("eve@outside.example", "Ann Other"));
        assert!(eve.first_seen_at <= eve.last_seen_at);
        assert_eq!(house.store.item(2).await.unwrap().requester.address, eve.address);
    })
    .await;
}

#[tokio::test]
async fn who_handed_a_message_over_is_remembered_until_it_is_filed() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let client = Client {
            address: "192.0.2.1".parse().unwrap(),
            helo: "mail.example.org".to_owned(),
            mail_from: Some("ann@example.org".to_owned()),
        };
        let pushed = Pushed { raw: raw("brought"), client: Some(client.clone()) };
        let accepted = house.store.accept_pushed(house.mailbox.id, pushed, &house.me, noon()).await.unwrap();
        let Accepted::New(claimed) = accepted else { panic!("{accepted:?}") };
        assert_eq!(claimed.client(), Some(&client));
        // The process ends here, and another one goes on.
        house.store.give_back(vec![claimed.ticket()]).await.unwrap();
        let limit = ClaimLimit { count: 10, octets: 1 << 20 };
        let again = house.store.claim(&house.me, limit, noon()).await.unwrap();
        assert_eq!(again[0].client(), Some(&client));
        let (policy, imported) = house.store.authentication(house.mailbox.id).await.unwrap();
        assert_eq!((policy, imported), (GlobalPolicy::default().authentication, false));
        let imports = house.store.push_mailbox(&key("SUP"), noon()).await.unwrap();
        assert!(house.store.authentication(imports.id).await.unwrap().1);
    })
    .await;
}
