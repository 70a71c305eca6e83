//! Rules, addresses and our own mail in the store: what is kept, what is refused, and what becomes of mail by them.

use crate::support::*;
use postroom_domain::routing::{Place as At, Rule, RuleEdit, Then};
use postroom_domain::{MailboxAddress, MailboxPolicy, Reason, Role, StartFrom};
use postroom_mail::{Message, RawMessage};
use postroom_store::{Instead, MailboxChange, NewUser, Outcome, Question, StoreError};

const ANN: &str = "ann@example.org";

fn rule(json: &str) -> Rule {
    serde_json::from_str(json).unwrap()
}

fn add(json: &str) -> RuleEdit {
    RuleEdit::Add(Box::new(rule(json)), At::Last)
}

fn read(text: &str) -> Message {
    postroom_mail::read(&RawMessage::new(text.replace('\n', "\r\n")))
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    result.unwrap_err().code()
}

impl House {
    /// Accepts and files what is read out of these octets.
    async fn takes(&self, n: u32, text: &str) -> Outcome {
        let claimed = self.accept(&[(n, text)]).await.remove(0);
        self.file(vec![(claimed, read(text))]).await.remove(0)
    }

    async fn workspace_of(&self, outcome: &Outcome) -> String {
        let receipt = self.store.receipt(outcome.receipt).await.unwrap();
        self.store.item(receipt.item.unwrap()).await.unwrap().workspace.to_string()
    }
}

#[tokio::test]
async fn rules_are_kept_in_order_and_what_they_name_must_be_there() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        assert!(store.rules().await.unwrap().is_empty());
        for json in
            [r#"{"name":"a","then":{"workspace":"OPS"}}"#, r#"{"name":"b","mailbox":"desk","then":{"tags":["t"]}}"#]
        {
            store.edit_rules(add(json), noon()).await.unwrap();
        }
        let rules = store.edit_rules(RuleEdit::Move("b".into(), At::First), noon()).await.unwrap();
        assert_eq!(rules, store.rules().await.unwrap());
        assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        for (change, expected) in [
            (add(r#"{"name":"A"}"#), "RULE_EXISTS"),
            (RuleEdit::Remove("x".into()), "RULE_UNKNOWN"),
            (add(r#"{"name":"c","then":{"workspace":"NIX"}}"#), "WORKSPACE_UNKNOWN"),
            (add(r#"{"name":"c","then":{"assignee":"nobody@example.org"}}"#), "USER_UNKNOWN"),
            (add(r#"{"name":"c","mailbox":"nix"}"#), "MAILBOX_UNKNOWN"),
            (add(r#"{"name":"c","if":{"all":[{"field":"subject","matches":"("}]}}"#), "RULE_INVALID"),
        ] {
            assert_eq!(code(store.edit_rules(change.clone(), noon()).await), expected, "{change:?}");
        }
        assert_eq!(store.rules().await.unwrap(), rules, "what is refused changes nothing");
        // A rule that was fine stays, also when what it names is gone; it can still be moved about.
        store.remove_mailbox("desk", noon()).await.unwrap();
        store.edit_rules(RuleEdit::Move("b".into(), At::Last), noon()).await.unwrap();
        store.edit_rules(RuleEdit::Replace(Vec::new()), noon()).await.unwrap();
        assert!(store.rules().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn rules_and_addresses_place_new_items() {
    on_each_database(|place| async move {
        let address = |address: &str, key: Option<&str>| MailboxAddress {
            address: address.to_owned(),
            workspace: key.map(|key| key.parse().unwrap()),
        };
        let policy = MailboxPolicy {
            addresses: vec![address("desk@house.example", None), address("ops@house.example", Some("OPS"))],
            ..MailboxPolicy::default()
        };
        let house = House::new(&place, policy.clone(), StartFrom::All).await;
        let bob = NewUser {
            address: "carl@example.org".into(),
            memberships: vec![(key("OPS"), Role::Agent)],
            ..NewUser::default()
        };
        house.store.add_user(bob, noon()).await.unwrap();
        let rules = [
            r#"{"name":"held","if":{"all":[{"field":"subject","like":"*casino*"}]},"then":{"hold":true}}"#,
            r#"{"name":"ops","if":{"all":[{"field":"header:X-Team","is":"ops"}]},
                "then":{"workspace":"OPS","assignee":"carl@example.org","status":"closed","tags":["x","y"]}}"#,
            r#"{"name":"elsewhere","mailbox":"other","then":{"hold":true}}"#,
        ];
        let other = imap("other", MailboxPolicy::default(), StartFrom::All);
        house.store.add_mailbox(other, None, noon()).await.unwrap();
        for json in rules {
            house.store.edit_rules(add(json), noon()).await.unwrap();
        }
        let from = format!("From: {ANN}\n");
        let taken = house.takes(1, &format!("{from}To: desk@house.example\nSubject: one\n\n1")).await;
        assert_eq!(house.workspace_of(&taken).await, "SUP");
        let taken = house.takes(2, &format!("{from}To: desk+ops@house.example\nSubject: two\n\n2")).await;
        assert_eq!(house.workspace_of(&taken).await, "OPS");
        let taken = house.takes(3, &format!("{from}Cc: ops@house.example\nSubject: three\n\n3")).await;
        assert_eq!(house.workspace_of(&taken).await, "OPS");
        let taken = house.takes(4, &format!("{from}X-Team: OPS\nSubject: four\n\n4")).await;
        let receipt = house.store.receipt(taken.receipt).await.unwrap();
        let item = house.store.item(receipt.item.unwrap()).await.unwrap();
        assert_eq!((item.workspace, item.status.as_str()), (key("OPS"), "closed"));
        assert_eq!((item.assignee.as_deref(), item.tags), (Some("carl@example.org"), vec!["x".to_owned(), "y".into()]));
        let taken = house.takes(5, &format!("{from}Subject: Casino\n\n5")).await;
        assert_eq!(taken.reason, Some(Reason::HeldByRule));
        assert!(taken.trace.iter().any(|step| step.rule == "rule" && step.detail == "held"));
        // A comment is not moved, whatever the rules say.
        let taken = house.takes(6, &format!("{from}X-Team: ops\nSubject: [#1] again\n\n6")).await;
        assert_eq!((taken.reason, house.workspace_of(&taken).await.as_str()), (Some(Reason::NumberInSubject), "SUP"));
        // Switched off, a plus sign means nothing; an address with a workspace of its own still does.
        let change = MailboxChange {
            policy: Some(MailboxPolicy { plus_addresses: false, ..policy }),
            ..MailboxChange::default()
        };
        house.store.update_mailbox("desk", change, noon()).await.unwrap();
        let taken = house.takes(7, &format!("{from}To: desk+ops@house.example\nSubject: seven\n\n7")).await;
        assert_eq!(house.workspace_of(&taken).await, "SUP");
        let taken = house.takes(8, &format!("{from}To: ops@house.example\nSubject: eight\n\n8")).await;
        assert_eq!(house.workspace_of(&taken).await, "OPS");
        assert_eq!(house.store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn s20_every_workspace_can_have_its_own_inbox_and_none_is_global() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let ops = postroom_store::NewMailbox {
            workspace: Some(key("OPS")),
            ..imap("ops", MailboxPolicy::default(), StartFrom::All)
        };
        house.store.add_mailbox(ops, None, noon()).await.unwrap();
        // Nothing needs a default workspace any more.
        house.store.set_default_workspace(None, noon()).await.unwrap();
        let taken = house.takes(1, &format!("From: {ANN}\nSubject: one\n\n1")).await;
        assert_eq!(house.workspace_of(&taken).await, "SUP");
        for mailbox in house.store.mailboxes().await.unwrap() {
            assert!(mailbox.workspace.is_some());
        }
        let explained = house.store.explain(in_mailbox("ops"), &message(ANN, "x", "x"), noon()).await.unwrap();
        assert_eq!(explained.workspace, Some(key("OPS")));
    })
    .await;
}

#[tokio::test]
async fn s15_mail_of_a_global_inbox_waits_where_there_is_no_default_workspace() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let change = MailboxChange { workspace: Some(None), ..MailboxChange::default() };
        house.store.update_mailbox("desk", change.clone(), noon()).await.unwrap();
        let taken = house.takes(1, &format!("From: {ANN}\nSubject: one\n\n1")).await;
        assert_eq!(house.workspace_of(&taken).await, "SUP");
        house.store.set_default_workspace(None, noon()).await.unwrap();
        let taken = house.takes(2, &format!("From: {ANN}\nSubject: two\n\n2")).await;
        assert_eq!(taken.reason, Some(Reason::NoDefaultWorkspace));
        let global =
            postroom_store::NewMailbox { workspace: None, ..imap("new", MailboxPolicy::default(), StartFrom::All) };
        assert_eq!(code(house.store.add_mailbox(global, None, noon()).await), "NO_DEFAULT_WORKSPACE");
        assert_eq!(code(house.store.update_mailbox("desk", change, noon()).await), "NO_DEFAULT_WORKSPACE");
    })
    .await;
}

#[tokio::test]
async fn e6_mail_from_an_address_of_any_mailbox_is_held() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy {
            addresses: vec![MailboxAddress { address: "desk@house.example".into(), workspace: None }],
            ..MailboxPolicy::default()
        };
        let house = House::new(&place, policy, StartFrom::All).await;
        let mut login = imap("login@house.example", MailboxPolicy::default(), StartFrom::All);
        login.name = "second".to_owned();
        house.store.add_mailbox(login, None, noon()).await.unwrap();
        let mut global = house.store.global_policy().await.unwrap();
        global.unknown_senders = true;
        global.own_addresses = vec!["noc@house.example".into()];
        house.store.set_global_policy(&global, noon()).await.unwrap();
        for (n, (from, held)) in [
            ("desk@house.example", true),
            ("Desk <DESK@house.example>", true),
            ("desk+7@house.example", true),
            ("login@house.example", true),
            ("noc@house.example", true),
            ("other@house.example", false),
        ]
        .into_iter()
        .enumerate()
        {
            let taken = house.takes(n as u32 + 1, &format!("From: {from}\nSubject: s\n\n{n}")).await;
            let expected = if held { Reason::OwnAddress } else { Reason::NewItem };
            assert_eq!(taken.reason, Some(expected), "{from}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_receipt_is_explained_as_if_settings_were_others() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let text = format!("From: {ANN}\nSubject: invoice 1\n\n1");
        // The item that it opens gets the very number that its subject names.
        let filed = house.takes(1, &text).await;
        let eve = "From: eve@y.example\nSubject: hello\n\n2";
        let held = house.takes(2, eve).await;
        assert_eq!((filed.reason, held.reason), (Some(Reason::NewItem), Some(Reason::SenderUnknown)));
        let ask = |receipt, instead| Question { receipt: Some(receipt), instead, ..Question::default() };
        let store = &house.store;
        let again = store.explain(ask(filed.receipt, Instead::default()), &read(&text), noon()).await.unwrap();
        assert_eq!((again.filing.reason, again.workspace), (Reason::NewItem, Some(key("SUP"))));
        let global = postroom_domain::GlobalPolicy { unknown_senders: true, ..Default::default() };
        let instead = Instead { global: Some(global), ..Instead::default() };
        let explained = store.explain(ask(held.receipt, instead), &read(eve), noon()).await.unwrap();
        assert_eq!(explained.filing.reason, Reason::NewItem);
        let all = Rule {
            name: "all".into(),
            then: Then { workspace: Some(key("OPS")), ..Then::default() },
            ..Rule::default()
        };
        let instead = Instead { rules: Some(vec![all]), ..Instead::default() };
        let explained = store.explain(ask(filed.receipt, instead), &read(&text), noon()).await.unwrap();
        assert_eq!(explained.workspace, Some(key("OPS")));
        let mailbox = MailboxPolicy { submissions: postroom_domain::Switch::No, ..MailboxPolicy::default() };
        let instead = Instead { mailbox: Some(mailbox), ..Instead::default() };
        let explained = store.explain(ask(filed.receipt, instead), &read(&text), noon()).await.unwrap();
        assert_eq!(explained.filing.reason, Reason::SubmissionsOff);
        let bad = Instead { rules: Some(vec![rule(r#"{"name":""}"#)]), ..Instead::default() };
        assert_eq!(code(store.explain(ask(filed.receipt, bad), &read(&text), noon()).await), "RULE_INVALID");
        assert!(store.rules().await.unwrap().is_empty(), "nothing is written");
        assert_eq!(store.mailbox_of(held.receipt).await.unwrap().name, "desk");
    })
    .await;
}

#[tokio::test]
async fn d8_header_fields_in_our_name_stay_in_the_original_and_nowhere_else() {
    let place = Place::sqlite();
    let house = House::usual(&place).await;
    let fields = "X-Postroom-Workspace: OPS\nX-Postroom-Status: closed\nX-Postroom-Released: yes";
    let text = format!("From: {ANN}\n{fields}\nSubject: one\n\n1");
    let taken = house.takes(1, &text).await;
    assert_eq!(house.workspace_of(&taken).await, "SUP");
    let item = house.store.item(1).await.unwrap();
    assert_eq!((item.status.as_str(), item.assignee), ("open", None));
    assert_eq!(house.store.raw_of(taken.receipt).await.unwrap().octets().as_ref(), text.as_bytes());
}

#[tokio::test]
async fn d16_words_in_a_strangers_mail_change_nothing() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        house.takes(1, &format!("From: {ANN}\nSubject: one\n\n1")).await;
        let before = house.store.item(1).await.unwrap();
        let mut global = house.store.global_policy().await.unwrap();
        global.unknown_senders = true;
        house.store.set_global_policy(&global, noon()).await.unwrap();
        let words = "Status: Closed\nAssignee: bob@example.org\nWorkspace: OPS\n#close\n";
        for (n, from) in [(2, "eve@y.example"), (3, ANN)] {
            house.takes(n, &format!("From: {from}\nSubject: [#1] Status: Closed\n\n{words}{n}")).await;
        }
        let after = house.store.item(1).await.unwrap();
        assert_eq!(
            (&after.status, &after.assignee, &after.workspace),
            (&before.status, &before.assignee, &before.workspace)
        );
        assert_eq!(after.comments.len(), 1, "ann's comment, and nothing of eve's");
        let opened = house.store.item(2).await.unwrap();
        assert_eq!((opened.status.as_str(), opened.assignee, opened.workspace), ("open", None, key("SUP")));
    })
    .await;
}
