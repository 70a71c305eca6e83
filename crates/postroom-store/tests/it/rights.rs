//! Who may comment by mail: the same as on the page, and nobody by what he forges.

use crate::support::*;
use postroom_domain::filing::Effect;
use postroom_domain::{Action, Actor, Filing, MailboxPolicy, Object, Reason, Role, StartFrom, Switch, User, authorize};
use postroom_mail::{Address, Message};
use postroom_store::{ItemFilter, NewUser, OutcomeKind, Question, Store, UserChange};

/// A house that takes mail from everybody.
async fn open_house(place: &Place) -> House {
    let policy = MailboxPolicy { unknown_senders: Switch::Yes, ..MailboxPolicy::default() };
    House::new(place, policy, StartFrom::All).await
}

/// Address, whether an admin, and the role in SUP; those with `gone` are deactivated.
const PEOPLE: &[(&str, bool, Option<Role>)] = &[
    ("registered@people.test", false, None),
    ("reader@people.test", false, Some(Role::Reader)),
    ("reporter@people.test", false, Some(Role::Reporter)),
    ("agent@people.test", false, Some(Role::Agent)),
    ("manager@people.test", false, Some(Role::Manager)),
    ("admin@people.test", true, None),
    ("gone.agent@people.test", false, Some(Role::Agent)),
    ("gone.admin@people.test", true, None),
];
const CONTACT: &str = "contact@people.test";

/// Six items: in SUP and OPS without any of the people, with all of them as participants, and with all of them proposed.
async fn people_and_items(house: &House) -> Vec<i64> {
    for (address, admin, role) in PEOPLE {
        let memberships = role.map(|role| (key("SUP"), role)).into_iter().collect();
        let aliases = vec![format!("also.{address}")];
        let new = NewUser { address: (*address).to_owned(), admin: *admin, memberships, aliases, ..NewUser::default() };
        house.store.add_user(new, noon()).await.unwrap();
    }
    for (gone, ..) in PEOPLE.iter().filter(|(address, ..)| address.starts_with("gone.")) {
        let change = UserChange { active: Some(false), ..UserChange::default() };
        house.store.set_user(gone, change, noon()).await.unwrap();
    }
    let mut items = Vec::new();
    for (n, (workspace, part)) in
        [("SUP", ""), ("OPS", ""), ("SUP", "added"), ("OPS", "added"), ("SUP", "proposed"), ("OPS", "proposed")]
            .into_iter()
            .enumerate()
    {
        let mut first = message("first@outside.test", "Nothing to see", &format!("first {n}"));
        let people = || PEOPLE.iter().map(|(address, ..)| *address).chain([CONTACT]);
        if part == "proposed" {
            first.cc = people().chain(["x@outside.test"]).map(|address| Address::new("", address)).collect();
        }
        let OutcomeKind::Item(item) = house.take(n as u32 + 1, first).await.kind else { panic!("no item") };
        if part == "added" {
            for address in people() {
                house.store.add_participant(item, address, None, noon()).await.unwrap();
            }
        }
        house.store.move_item(item, &key(workspace), noon()).await.unwrap();
        items.push(item);
    }
    items
}

/// A message in which something names the item, in each of the ways in which mail can.
async fn ways(store: &Store, item: i64, from: &str) -> Vec<(&'static str, Message)> {
    let plain = || message(from, "Hello", &format!("to {item} by {from}"));
    let keys = store.reply_key(item, Some("desk"), Some(from), noon()).await.unwrap();
    let key_of_other = store.reply_key(item, Some("desk"), Some("first@outside.test"), noon()).await.unwrap();
    let first = store.receipt(store.item(item).await.unwrap().receipt.unwrap()).await.unwrap().message_id.unwrap();
    vec![
        ("marked number", Message { subject: format!("Re: [#{item}] Hello"), ..plain() }),
        ("bare number", Message { subject: format!("about {item}"), ..plain() }),
        ("reference", Message { references: vec!["x@y".to_owned(), first], ..plain() }),
        ("reply key", Message { in_reply_to: vec![keys.message_id], ..plain() }),
        ("reply address", Message { to: vec![Address::new("", keys.address.unwrap())], ..plain() }),
        ("key of another", Message { in_reply_to: vec![key_of_other.message_id], ..plain() }),
    ]
}

/// What would become of a message in the desk's mailbox.
async fn explained(store: &Store, message: &Message) -> Filing {
    let question = Question { mailbox: Some("desk".to_owned()), ..Question::default() };
    store.explain(question, message, noon()).await.unwrap().filing
}

#[tokio::test]
async fn d9_mail_may_what_the_page_may() {
    on_each_database(|place| async move {
        let house = open_house(&place).await;
        let store = &house.store;
        let items = people_and_items(&house).await;
        let aliases: Vec<String> = PEOPLE.iter().map(|(address, ..)| format!("also.{address}")).collect();
        let people = PEOPLE.iter().map(|(address, ..)| *address).chain(aliases.iter().map(String::as_str));
        let (mut may, mut may_not) = (0, 0);
        for from in people.chain([CONTACT, "stranger@people.test"]) {
            let account: Option<User> = store.user_by_address(from).await.unwrap();
            for number in &items {
                let item = store.item(*number).await.unwrap();
                let actor = Actor::of(account.as_ref(), Some(from));
                let expected = authorize(actor, Action::Comment, Object::item(&item, actor));
                for (way, message) in ways(store, *number, from).await {
                    let filing = explained(store, &message).await;
                    let comments = matches!(filing.effect, Effect::AddComment { item, .. } if item == *number);
                    assert_eq!(comments, expected, "{from} on {number} by {way}: {:?}", filing.trace);
                    if expected { may += 1 } else { may_not += 1 }
                }
            }
        }
        assert!(may > 200 && may_not > 200, "{may} and {may_not}: the matrix is lopsided");
        // Mail that names no author, or several, is nobody's, whoever is among them.
        for (way, mut message) in ways(store, items[2], "agent@people.test").await {
            message.from.push(Address::new("", "admin@people.test"));
            let filing = explained(store, &message).await;
            assert!(matches!(filing.effect, Effect::OpenItem { .. }), "{way}");
        }
    })
    .await;
}

#[tokio::test]
async fn d1_guess_the_number_in_the_subject() {
    let place = Place::sqlite();
    let house = open_house(&place).await;
    for n in 1..=20 {
        house.take(n, message("ann@example.org", "A secret", &format!("secret {n}"))).await;
    }
    for n in 1..=1_000u32 {
        let subject = if n % 2 == 0 { format!("[#{n}] Hi") } else { format!("Hi {n}") };
        // Somebody else each time: who has opened an item takes part in it.
        let stranger = format!("eve{n}@evil.test");
        let outcome = house.take(100 + n, message(&stranger, &subject, &format!("guess {n}"))).await;
        assert!(matches!(outcome.kind, OutcomeKind::Item(_)), "{n}: {outcome:?}");
    }
    for n in 1..=20 {
        assert!(house.store.item(n).await.unwrap().comments.is_empty(), "{n}");
    }
    // What was claimed stands on the new item, for those who may see it.
    assert_eq!(house.store.item(27).await.unwrap().mentions, [7]);
    assert_eq!(house.store.item(1_020).await.unwrap().mentions, [1_000]);
}

/// Ten thousand attempts of a stranger and of a registered user without a role to write on an item, or to learn of it.
#[tokio::test]
async fn d2_forged_ids_keys_and_numbers() {
    let (place, elsewhere) = (Place::sqlite(), Place::sqlite());
    let (house, other) = (open_house(&place).await, open_house(&elsewhere).await);
    let store = &house.store;
    for n in 1..=10 {
        house.take(n, message("ann@example.org", "A secret", &format!("secret {n}"))).await;
        other.take(n, message("ann@example.org", "Another", &format!("another {n}"))).await;
    }
    let receipt = store.receipt(store.item(3).await.unwrap().receipt.unwrap()).await.unwrap();
    let real_id = receipt.message_id.unwrap();
    let real = store.reply_key(3, Some("desk"), None, noon()).await.unwrap();
    let foreign = other.store.reply_key(3, Some("desk"), None, noon()).await.unwrap();
    let mut batch = Vec::new();
    for n in 0..10_000u32 {
        let from = if n % 2 == 0 { "eve@evil.test" } else { "bob@example.org" };
        let mut forged = message(from, "Hello", &format!("forged {n}"));
        match n % 8 {
            0 => forged.references = vec![real_id.clone()],
            1 => forged.in_reply_to = vec![altered(&real.message_id, n)],
            2 => forged.to = vec![Address::new("", altered(real.address.as_ref().unwrap(), n))],
            3 => forged.references = vec![foreign.message_id.clone(), format!("{n}@example.net")],
            4 => forged.subject = format!("Re: [#{}] x", n % 12),
            5 => forged.subject = format!("#{} and {}", n, n % 11),
            6 => forged.references = (0..30).map(|m| altered(&real.message_id, n + m)).collect(),
            _ => forged.in_reply_to = vec![real.message_id.clone()],
        }
        batch.push((n, forged));
    }
    for chunk in batch.chunks(500) {
        let texts: Vec<(u32, &str)> = chunk.iter().map(|(n, m)| (100 + n, m.text.as_str())).collect();
        let claimed = house.accept(&texts).await;
        let outcomes = house.file(claimed.into_iter().zip(chunk.iter().map(|(_, m)| m.clone())).collect()).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome.kind, OutcomeKind::Item(_))));
    }
    for n in 1..=10 {
        let item = store.item(n).await.unwrap();
        assert_eq!((item.comments.len(), item.participants.len()), (0, 1), "{n}");
    }
    // Those who had a real key are proposed, each once, and have no access.
    let proposed: Vec<String> =
        store.item(3).await.unwrap().proposed.into_iter().map(|one| one.party.address).collect();
    assert_eq!(proposed, ["bob@example.org"]);
    // What Bob sees of his own items is the same whether the number that he guessed is an item or not.
    let bob = store.user_by_address("bob@example.org").await.unwrap().unwrap();
    let mine = store.items(ItemFilter { limit: 20_000, ..ItemFilter::default() }).await.unwrap();
    let mut seen = 0;
    for summary in mine.iter().filter(|item| item.requester.address == bob.address).take(500) {
        let item = store.item_for(summary.number, &bob).await.unwrap();
        assert_eq!((item.mentions.len(), item.continues, item.proposed.len()), (0, None, 0), "{}", item.number);
        seen += 1;
    }
    assert_eq!(seen, 500);
    assert_eq!(store.item_for(3, &bob).await.unwrap_err().code(), "ITEM_UNKNOWN");
}

/// The text with one of its signed characters changed, another one for each `n`.
fn altered(text: &str, n: u32) -> String {
    let end = text.rfind('@').unwrap();
    let start = text[..end].rfind('.').unwrap() + 1;
    let at = start + n as usize % (end - start);
    let mut octets = text.as_bytes().to_vec();
    octets[at] = if octets[at] == b'a' { b'b' + (n % 20) as u8 } else { b'a' };
    String::from_utf8(octets).unwrap()
}

#[tokio::test]
async fn d14_a_number_of_another_workspace_needs_rights_there() {
    on_each_database(|place| async move {
        let house = open_house(&place).await;
        let store = &house.store;
        house.take(1, message("first@outside.test", "One", "one")).await;
        store.move_item(1, &key("OPS"), noon()).await.unwrap();
        let to_it = |from: &str| message(from, "[#1] Hello", &format!("by {from}"));
        let ann = house.take(2, to_it("ann@example.org")).await;
        assert_eq!((ann.kind, ann.reason), (OutcomeKind::Item(2), Some(Reason::NewItem)));
        let item = store.item(2).await.unwrap();
        assert_eq!((item.workspace, item.mentions), (key("SUP"), vec![1]), "ann has a role in SUP only");
        let first = house.take(3, to_it("first@outside.test")).await;
        assert!(matches!(first.kind, OutcomeKind::Comment { item: 1, .. }), "{first:?}");
    })
    .await;
}

#[tokio::test]
async fn d7_confirmation_mail_does_not_land_where_outsiders_read() {
    let place = Place::sqlite();
    let house = open_house(&place).await;
    let store = &house.store;
    house.take(1, message("eve@evil.test", "Hello", "my item")).await;
    let programs = "noreply@slack.test";
    let new =
        NewUser { address: programs.into(), memberships: vec![(key("SUP"), Role::Reporter)], ..NewUser::default() };
    store.add_user(new, noon()).await.unwrap();
    let code = house.take(2, message(programs, "[#1] Your code is 4711", "code 4711")).await;
    assert_eq!(code.kind, OutcomeKind::Item(2), "a member, but a program");
    // Eve's own reply address, given to a web site, brings its mail in and nothing to her eyes.
    let keys = store.reply_key(1, Some("desk"), Some("eve@evil.test"), noon()).await.unwrap();
    let mut confirm = message("confirm@site.test", "Confirm your address", "confirm 1");
    confirm.to = vec![Address::new("", keys.address.unwrap())];
    assert_eq!(house.take(3, confirm).await.kind, OutcomeKind::Item(3));
    let item = store.item(1).await.unwrap();
    assert_eq!((item.comments.len(), item.proposed.len()), (0, 0));
    // Among members it is a comment like any other.
    house.take(4, message("ann@example.org", "Alarm", "internal")).await;
    let alarm = house.take(5, message(programs, "[#4] still ringing", "ringing")).await;
    assert!(matches!(alarm.kind, OutcomeKind::Comment { item: 4, .. }), "{alarm:?}");
}

#[tokio::test]
async fn whoever_repeats_the_id_of_anothers_message_gets_nothing_by_it() {
    on_each_database(|place| async move {
        let house = open_house(&place).await;
        let mut first = message("ann@example.org", "One", "one");
        first.message_id = Some("known@example.org".to_owned());
        house.take(1, first).await;
        let mut copy = message("eve@evil.test", "Two", "two");
        copy.message_id = Some("known@example.org".to_owned());
        assert_eq!(house.take(2, copy).await.kind, OutcomeKind::Item(2));
        let mut answer = message("ann@example.org", "Re: One", "answer");
        answer.in_reply_to = vec!["known@example.org".to_owned()];
        let outcome = house.take(3, answer).await;
        assert!(matches!(outcome.kind, OutcomeKind::Comment { item: 1, .. }), "{outcome:?}");
        assert_eq!(outcome.reason, Some(Reason::AnswersMessage));
    })
    .await;
}
