//! Registration, invitations, and changes of accounts.

use crate::support::*;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{DomainPolicy, GlobalPolicy, Identity, Level, Reason, ReceiptState, RegistrationMode, Role};
use postroom_mail::Message;
use postroom_store::{
    Ask, Asked, AskedBy, AuditFilter, Letter, NewUser, OutcomeKind, Proven, ReceiptFilter, Store, StoreError,
    UserChange,
};
use std::time::{Duration, Instant};

const NEW: &str = "new@example.org";

async fn open(store: &Store, registration: RegistrationMode, patterns: &[&str]) {
    let allowed_domains = patterns.iter().map(|text| (*text).to_owned()).collect();
    let allowed = DomainPolicy { allowed_domains, ..DomainPolicy::default() };
    let policy = GlobalPolicy { registration, allowed, ..GlobalPolicy::default() };
    store.set_global_policy(&policy, noon()).await.unwrap();
}

async fn ask(store: &Store, address: &str, by: AskedBy, now: Timestamp) -> Result<Asked, StoreError> {
    store.register(Ask { address: address.to_owned(), name: "New One".to_owned(), by, password: None }, now).await
}

async fn asked(store: &Store, address: &str) -> Asked {
    ask(store, address, AskedBy::Operator, noon()).await.unwrap()
}

fn token(asked: &Asked) -> &str {
    let Letter::Link(token) = &asked.letter else { panic!("{asked:?}") };
    token.expose()
}

/// A message whose subject has the code.
fn proof(from: &str, asked: &Asked) -> Message {
    message(from, &format!("Re my code {}", asked.code.expose().to_lowercase()), asked.code.expose())
}

#[tokio::test]
async fn whoever_shows_that_the_address_is_theirs_joins_where_registration_is_open() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        assert_eq!(ask(store, NEW, AskedBy::Operator, noon()).await.unwrap_err().code(), "REGISTRATION_CLOSED");
        open(store, RegistrationMode::Open, &[r"@example\.org"]).await;
        let code = |address: &'static str| async move {
            ask(store, address, AskedBy::Operator, noon()).await.unwrap_err().code()
        };
        assert_eq!(code("nobody").await, "ADDRESS_INVALID");
        assert_eq!(code("ann@example.org").await, "USER_EXISTS");
        assert_eq!(code("x@evil.test").await, "ADDRESS_NOT_ALLOWED");

        let (first, second) = (asked(store, "New@Example.org").await, asked(store, NEW).await);
        assert_eq!(first.expires_at, at("2026-03-02T12:00:00.000001Z"));
        let pending = store.pending_registrations(noon()).await.unwrap();
        assert_eq!((pending.len(), pending[0].address.as_str(), pending[0].proven), (2, NEW, false));
        assert!(store.prove("guess", None, noon()).await.unwrap().is_none());
        assert!(store.prove(token(&first), None, at("2026-03-02T12:00:01Z")).await.unwrap().is_none(), "in time");
        let Some(Proven::Joined(user, session)) = store.prove(token(&first), None, noon()).await.unwrap() else {
            panic!()
        };
        assert_eq!((user.address.as_str(), user.name.as_str(), user.admin, user.active), (NEW, "New One", false, true));
        assert!(user.memberships.is_empty());
        assert_eq!(store.session(session.expose(), noon()).await.unwrap().map(|session| session.user), Some(user));
        assert!(store.prove(token(&first), None, noon()).await.unwrap().is_none(), "once");
        assert!(store.prove(token(&second), None, noon()).await.unwrap().is_none(), "there is an account already");
        assert!(store.pending_registrations(noon()).await.unwrap().is_empty());
        // Only digests are stored.
        let backup = place.config.data_dir.with_file_name("backup");
        store.backup(&backup, noon()).await.unwrap();
        let rows = std::fs::read_to_string(backup.join("tables/registration.jsonl")).unwrap();
        assert!(rows.lines().count() == 3 && !rows.contains(first.code.expose()) && !rows.contains(token(&second)));
    })
    .await;
}

#[tokio::test]
async fn where_an_admin_approves_a_proof_alone_makes_no_account() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        open(store, RegistrationMode::Approval, &[]).await;
        let one = asked(store, NEW).await;
        assert!(matches!(store.prove(token(&one), None, noon()).await.unwrap(), Some(Proven::Waits)));
        assert!(store.prove(token(&one), None, noon()).await.unwrap().is_none(), "once");
        assert_eq!(store.user_by_address(NEW).await.unwrap(), None);
        // It does not run out after a day any more.
        let later = at("2026-03-20T00:00:00Z");
        assert!(store.pending_registrations(later).await.unwrap()[0].proven);
        assert_eq!(store.approve_registration(" NEW@example.org ", later).await.unwrap().address, NEW);
        for address in [NEW, "nobody@example.org", "nonsense"] {
            let code = store.approve_registration(address, later).await.unwrap_err().code();
            assert_eq!(code, "REGISTRATION_UNKNOWN", "{address}");
            let code = store.refuse_registration(address, later).await.unwrap_err().code();
            assert_eq!(code, "REGISTRATION_UNKNOWN", "{address}");
        }
        let other = asked(store, "other@example.org").await;
        assert_eq!(store.refuse_registration("other@example.org", noon()).await.unwrap(), 1);
        assert!(store.prove(token(&other), None, noon()).await.unwrap().is_none());
        // Rules that changed meanwhile count.
        let late = asked(store, "late@example.org").await;
        open(store, RegistrationMode::Open, &[r"@example\.com"]).await;
        assert!(store.prove(token(&late), None, noon()).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_message_with_the_code_proves_an_address_and_is_not_lost() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        open(store, RegistrationMode::Open, &[]).await;
        let one = asked(store, NEW).await;
        let explained = store.explain(in_mailbox("desk"), &proof(NEW, &one), noon()).await.unwrap();
        assert_eq!(explained.filing.reason, Reason::RegistrationProven);
        assert_eq!(store.user_by_address(NEW).await.unwrap(), None, "explaining does nothing");
        let by_another = house.take(1, proof("eve@evil.test", &one)).await;
        assert_eq!((by_another.kind, by_another.reason), (OutcomeKind::Held, Some(Reason::SenderUnknown)));
        assert_eq!(store.user_by_address(NEW).await.unwrap(), None);

        // In one batch: the proof, and a message of the same person, who is known by then.
        let mine = proof(NEW, &one);
        let claimed = house.accept(&[(2, "proof"), (3, "first")]).await;
        let batch = claimed.into_iter().zip([mine.clone(), message(NEW, "Hello", "first")]).collect();
        let outcomes = house.file(batch).await;
        assert_eq!((outcomes[0].kind, outcomes[0].reason), (OutcomeKind::Held, Some(Reason::RegistrationProven)));
        assert_eq!(outcomes[1].kind, OutcomeKind::Item(1));
        let receipt = store.receipt(outcomes[0].receipt).await.unwrap();
        assert_eq!((receipt.state, receipt.waits_for_a_person()), (ReceiptState::Held, false));
        assert_eq!(store.raw_of(receipt.id).await.unwrap().octets().as_ref(), b"proof");
        let user = store.user_by_address(NEW).await.unwrap().unwrap();
        assert_eq!(user.name, "New One");
        let held = ReceiptFilter { state: Some(ReceiptState::Held), ..ReceiptFilter::default() };
        assert_eq!(store.receipts(held).await.unwrap().len(), 1, "only what waits for a person");
        let counts = store.mailbox_status().await.unwrap().remove(0).counts;
        assert_eq!((counts.held, counts.done, counts.filed), (1, 1, 1));
        let rows =
            store.audit(AuditFilter { actor: Some("mailbox:1".into()), ..AuditFilter::default() }).await.unwrap();
        let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["user.add", "user.prove"]);

        // The code is spent: once more it is a message like any other.
        let again = Message { text: "again".into(), ..mine };
        assert_eq!(house.take(4, again).await.kind, OutcomeKind::Item(2));
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn k8_a_stranger_learns_nothing_about_an_address() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        open(store, RegistrationMode::Open, &[r"@example\.org"]).await;
        for (kind, address) in ["new@example.org", "ann@example.org", "x@evil.test"].into_iter().enumerate() {
            let mut shown = Vec::new();
            for n in 0..4 {
                let answer = &ask(store, address, AskedBy::Stranger, noon()).await;
                // What whoever asked is shown: never the letter.
                shown.push(
                    answer
                        .as_ref()
                        .map_err(|error| error.code())
                        .map(|asked| (asked.code.expose().len(), asked.expires_at))
                        .map_err(str::to_owned),
                );
                if n == 0 {
                    // Whoever asked was shown the code, so it proves nothing in a message that anybody may have written.
                    for level in [Level::Unverified, Level::Verified] {
                        let mail = proof(address, answer.as_ref().unwrap());
                        let identity = Identity { level, ..Identity::default() };
                        let uid = 2 * kind as u32 + u32::from(level == Level::Verified) + 1;
                        let claimed = house.accept(&[(uid, &format!("{uid}"))]).await.remove(0).judged(identity);
                        let outcome = house.file(vec![(claimed, mail)]).await.remove(0);
                        let proves = outcome.reason == Some(Reason::RegistrationProven);
                        let may = address == "new@example.org" && level == Level::Verified;
                        assert_eq!(proves, may, "only the one who may register does: {outcome:?}");
                    }
                }
            }
            let expected = Ok((17, at("2026-03-02T12:00:00.000001Z")));
            let throttled = Err("TOO_MANY_REQUESTS".to_owned());
            assert_eq!(shown, [expected.clone(), expected.clone(), expected, throttled], "{address}");
        }
        assert_eq!(store.users().await.unwrap().len(), 3, "ann, bob and the one who may");
        assert!(store.pending_registrations(noon()).await.unwrap().is_empty(), "what leads nowhere waits for nobody");
        let later = at("2026-03-02T12:00:01Z");
        assert!(
            ask(store, "ann@example.org", AskedBy::Stranger, later).await.is_ok(),
            "the next day it may be asked again"
        );
    })
    .await;
}

#[tokio::test]
async fn k8_strangers_can_ask_only_so_often_altogether() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        open(store, RegistrationMode::Open, &[]).await;
        for n in 0..100 {
            ask(store, &format!("a{n}@example.org"), AskedBy::Stranger, noon()).await.unwrap();
        }
        let code = ask(store, "last@example.org", AskedBy::Stranger, noon()).await.unwrap_err().code();
        assert_eq!(code, "TOO_MANY_REQUESTS");
        asked(store, "last@example.org").await;
        let hour = noon() + SignedDuration::from_hours(1);
        ask(store, "next@example.org", AskedBy::Stranger, hour).await.unwrap();
    })
    .await;
}

/// The medians of asking for addresses of each kind, asked in turn.
async fn medians(store: &Store, rounds: u32) -> [Duration; 3] {
    let mut times: [Vec<Duration>; 3] = Default::default();
    for n in 0..rounds {
        // Far enough apart that nobody has asked too often.
        let now = noon() + SignedDuration::from_hours(24) * i32::try_from(n).unwrap();
        for (kind, address) in ["new@example.org", "ann@example.org", "x@evil.test"].into_iter().enumerate() {
            let started = Instant::now();
            ask(store, address, AskedBy::Stranger, now).await.unwrap();
            times[kind].push(started.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    })
}

#[tokio::test]
async fn k8_the_answer_takes_as_long_whatever_the_address() {
    let place = Place::sqlite();
    let house = House::usual(&place).await;
    open(&house.store, RegistrationMode::Open, &[r"@example\.org"]).await;
    let medians = medians(&house.store, 1000).await;
    let difference = medians.iter().max().unwrap().saturating_sub(*medians.iter().min().unwrap());
    assert!(difference < Duration::from_millis(5), "{medians:?}");
}

#[tokio::test]
async fn k8_invitations_work_once_and_for_72_hours() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let roles = vec![(key("SUP"), Role::Agent)];
        // Whoever invites need not ask the rules: registration is closed.
        let earlier = store.invite("New@Example.org", "Newt", vec![], noon()).await.unwrap();
        let invited = store.invite("New@Example.org", "Newt", roles.clone(), noon()).await.unwrap();
        assert!(store.prove(earlier.link.expose(), None, noon()).await.unwrap().is_none(), "the later takes its place");
        assert_eq!((invited.address.as_str(), invited.expires_at), (NEW, at("2026-03-04T12:00:00.000001Z")));
        let pending = store.pending_registrations(noon()).await.unwrap();
        assert!(pending.len() == 1 && pending[0].invited && pending[0].memberships == roles, "{pending:?}");
        let code = store.approve_registration(NEW, noon()).await.unwrap_err().code();
        assert_eq!(code, "REGISTRATION_UNKNOWN", "the invited have to accept by themselves");
        let late = at("2026-03-04T12:00:01Z");
        assert!(store.prove(invited.link.expose(), None, late).await.unwrap().is_none());
        let Some(Proven::Joined(user, _)) = store.prove(invited.link.expose(), None, noon()).await.unwrap() else {
            panic!()
        };
        assert_eq!((user.name.as_str(), user.role_in(&key("SUP"))), ("Newt", Some(Role::Agent)));
        assert!(store.prove(invited.link.expose(), None, noon()).await.unwrap().is_none());
        // Whoever was invited has the roles of the invitation, in whichever way the address was shown to be theirs.
        open(store, RegistrationMode::Open, &[]).await;
        store.invite("Three@example.org", "", roles.clone(), noon()).await.unwrap();
        let registered = asked(store, "three@example.org").await;
        let Some(Proven::Joined(user, _)) = store.prove(token(&registered), None, noon()).await.unwrap() else {
            panic!()
        };
        assert_eq!(user.role_in(&key("SUP")), Some(Role::Agent));
        let withdrawn = store.invite("two@example.org", "", vec![], noon()).await.unwrap();
        assert_eq!(store.refuse_registration("two@example.org", noon()).await.unwrap(), 1);
        assert!(store.prove(withdrawn.link.expose(), None, noon()).await.unwrap().is_none());
        for (address, roles, code) in [
            (NEW, roles, "USER_EXISTS"),
            ("nobody", vec![], "ADDRESS_INVALID"),
            ("x@example.org", vec![(key("NIX"), Role::Agent)], "WORKSPACE_UNKNOWN"),
        ] {
            assert_eq!(store.invite(address, "", roles, noon()).await.unwrap_err().code(), code, "{address}");
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_are_changed_and_signed_out() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let ann = store.user_by_address("ann@example.org").await.unwrap().unwrap();
        let session = |ann| async move {
            let link = store.make_signin_link(ann, SignedDuration::from_hours(1), noon()).await.unwrap();
            store.use_signin_link(link.expose(), noon()).await.unwrap().unwrap().1
        };
        let (one, two) = (session(ann.id).await, session(ann.id).await);
        let unused = store.make_signin_link(ann.id, SignedDuration::from_hours(1), noon()).await.unwrap();
        assert_eq!(store.sign_out_user("Ann@Example.org", noon()).await.unwrap(), 2);
        for token in [&one, &two] {
            assert!(store.session(token.expose(), noon()).await.unwrap().is_none());
        }
        assert!(
            store.use_signin_link(unused.expose(), noon()).await.unwrap().is_none(),
            "an old address signs nobody in"
        );
        assert_eq!(store.sign_out_user("nobody@example.org", noon()).await.unwrap_err().code(), "USER_UNKNOWN");

        let change = UserChange {
            name: Some("Ann B.".into()),
            admin: Some(true),
            memberships: vec![(key("OPS"), Some(Role::Manager)), (key("SUP"), None)],
            aliases: vec!["A@Example.org".into(), "b@example.org".into()],
            ..UserChange::default()
        };
        let after = store.set_user("ann@example.org", change, noon()).await.unwrap();
        assert_eq!((after.name.as_str(), after.admin, after.active), ("Ann B.", true, true));
        assert_eq!(after.aliases, ["a@example.org", "b@example.org"]);
        let roles: Vec<String> =
            after.memberships.iter().map(|one| format!("{}={}", one.workspace, one.role)).collect();
        assert_eq!(roles, ["OPS=manager"]);
        // By an alias; and whoever is deactivated is out, also after coming back.
        let session = session(ann.id).await;
        let off =
            UserChange { active: Some(false), without_aliases: vec!["b@example.org".into()], ..UserChange::default() };
        assert!(!store.set_user("a@example.org", off, noon()).await.unwrap().active);
        assert_eq!(house.take(1, message("ann@example.org", "s", "t")).await.reason, Some(Reason::SenderUnknown));
        let on = UserChange { active: Some(true), ..UserChange::default() };
        assert_eq!(store.set_user("ann@example.org", on, noon()).await.unwrap().aliases, ["a@example.org"]);
        assert!(store.session(session.expose(), noon()).await.unwrap().is_none());

        let aliases = |alias: &str| UserChange { aliases: vec![alias.to_owned()], ..UserChange::default() };
        let nix = UserChange { memberships: vec![(key("NIX"), None)], ..UserChange::default() };
        for (change, code) in
            [(aliases("bob@example.org"), "USER_EXISTS"), (aliases("x"), "ADDRESS_INVALID"), (nix, "WORKSPACE_UNKNOWN")]
        {
            assert_eq!(store.set_user("ann@example.org", change, noon()).await.unwrap_err().code(), code);
        }
        let again = NewUser { address: "b@example.org".into(), ..NewUser::default() };
        store.add_user(again, noon()).await.unwrap();
        let rows = store
            .audit(AuditFilter { object: Some("user:ann@example.org".into()), ..AuditFilter::default() })
            .await
            .unwrap();
        let set: Vec<_> = rows.iter().filter(|row| row.action == "user.set").map(|row| row.detail.clone()).collect();
        assert_eq!(set[0], serde_json::json!({"active": {"old": false, "new": true}}));
        assert_eq!(set.len(), 3);
    })
    .await;
}
