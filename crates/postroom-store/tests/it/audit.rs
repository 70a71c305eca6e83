//! The audit: every verb by which a person changes something leaves its row, and the chain of rows shows what was done to it.

use crate::support::*;
use jiff::SignedDuration;
use postroom_domain::connection::CertificateDates;
use postroom_domain::routing::{Place as At, Rule, RuleEdit};
use postroom_domain::{
    DomainPolicy, GlobalPolicy, MailboxPolicy, MetricsAccess, ReceiptId, RegistrationMode, Role, StartFrom, Unverified,
    WorkspacePolicy,
};
use postroom_mail::Secret;
use postroom_store::{
    Ask, AskedBy, AuditAction, AuditEntry, AuditFilter, Database, MailboxChange, NewCertificate, NewToken, NewUser,
    Proven, RetryFilter, SYSTEM, Scope, Store, StoreConfig, UserChange,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use AuditAction::*;

/// Every public verb by which somebody changes something, with what it leaves in the audit.
const VERBS: &[(&str, &[AuditAction])] = &[
    ("add_workspace", &[WorkspaceAdd]),
    ("set_default_workspace", &[WorkspaceDefault]),
    ("set_workspace_policy", &[WorkspaceSet]),
    ("set_global_policy", &[SettingSet]),
    ("set_metrics_access", &[SettingSet]),
    ("add_user", &[UserAdd]),
    ("set_user", &[UserSet]),
    ("sign_out_user", &[UserSignOut]),
    ("register", &[UserRegister]),
    ("refuse_registration", &[UserRefuse]),
    ("invite", &[UserInvite]),
    ("prove", &[UserProve, UserAdd]),
    ("approve_registration", &[UserApprove, UserAdd]),
    ("add_mailbox", &[MailboxAdd]),
    ("push_mailbox", &[MailboxAdd]),
    ("update_mailbox", &[MailboxSet, MailboxPassword]),
    ("pause_mailbox", &[MailboxPause]),
    ("resume_mailbox", &[MailboxResume]),
    ("visit_mailbox", &[MailboxVisit]),
    ("add_certificate", &[CertificateAdd]),
    ("remove_certificate", &[CertificateRemove]),
    ("edit_rules", &[RuleAdd, RuleAdd, RuleSet, RuleMove, RuleRemove, RuleImport]),
    ("retry", &[ReceiptRetry]),
    ("release", &[ReceiptRelease]),
    ("retry_held", &[ReceiptRetry]),
    ("delete_receipt", &[ReceiptDelete]),
    ("expire_held", &[ReceiptDelete]),
    ("admit_contact", &[ContactAdmit]),
    ("block_contact", &[ContactBlock]),
    ("forget_contact", &[ContactForget]),
    ("download", &[ReceiptDownload]),
    ("move_item", &[ItemMove]),
    ("move_comment", &[ItemMoveComment]),
    ("split_comment", &[ItemSplit]),
    ("undo", &[ItemUndo]),
    ("comment_item", &[ItemComment]),
    ("close_item", &[ItemClose]),
    ("reopen_item", &[ItemReopen]),
    ("assign_item", &[ItemAssign]),
    ("tag_item", &[ItemTag]),
    ("add_participant", &[ParticipantAdd]),
    ("remove_participant", &[ParticipantRemove]),
    ("reply_key", &[ReplyKeyGive]),
    ("rotate_reply_key", &[ReplyKeyRotate]),
    ("add_token", &[TokenAdd]),
    ("remove_token", &[TokenRemove]),
    ("make_signin_link", &[SigninLink]),
    ("use_signin_link", &[SigninUse]),
    ("end_session", &[SigninUse, SigninOut]),
    ("set_password", &[UserPassword]),
    ("sign_in", &[SigninUse]),
    ("set_language", &[UserSet]),
    ("set_main_address", &[UserSet]),
    ("remove_mailbox", &[MailboxRemove]),
    ("restore", &[DataRestore]),
];

/// The verbs on the path of mail, which the journal accounts for, and what the program notes for itself.
const NOT_BY_A_PERSON: &[&str] = &[
    "accept",
    "accept_pushed",
    "accept_unfetched",
    "begin_folder",
    "bind_by_clues",
    "bind_by_digest",
    "cancel_settlement",
    "claim",
    "end_visit",
    "file",
    "folder_failed",
    "give_back",
    "is_first_start",
    "leave",
    "log_conversation",
    "mark_settled",
    "names_gone",
    "password_failed",
    "plan_visit",
    "release_lease",
    "remember",
    "renew_lease",
    "saw_bound_login",
    "saw_connection",
    "sweep_deleted",
    "take_lease",
    "token",
    "vanished",
];

/// A function of the store's sources: whether anybody can call it, and its text.
struct Function {
    public: bool,
    text: String,
}

/// All functions of `impl Store`, by name; one that calls another of them changes what that one changes.
fn functions_of_the_store() -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for part in text.split("\nimpl Store {").skip(1) {
            let body = part.split("\n}\n").next().unwrap();
            for (at, _) in body.match_indices("async fn ") {
                let name: String = body[at + 9..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let end = body[at..].find("\n    }\n").map_or(body.len(), |end| at + end);
                let public = body[..at].ends_with("    pub ");
                functions.insert(name, Function { public, text: body[at..end].to_owned() });
            }
        }
    }
    functions
}

#[test]
fn every_verb_that_changes_something_is_listed() {
    let functions = functions_of_the_store();
    let writes_itself = |text: &str| text.contains(".write(") || text.contains(".change(");
    let changes: BTreeSet<&str> = functions
        .iter()
        .filter(|(_, function)| function.public)
        .filter(|(name, function)| {
            let called = |(other, that): (&String, &Function)| {
                other != *name && function.text.contains(&format!("self.{other}(")) && writes_itself(&that.text)
            };
            writes_itself(&function.text) || functions.iter().any(called)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(changes.len() > 35, "only {} verbs found: the search is broken", changes.len());
    let listed: BTreeSet<&str> = VERBS.iter().map(|(name, _)| *name).chain(NOT_BY_A_PERSON.iter().copied()).collect();
    let unlisted: Vec<_> = changes.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "a verb that changes something leaves a row in the audit, and is listed in VERBS: {unlisted:?}"
    );
    assert_eq!(listed.difference(&changes).collect::<Vec<_>>(), Vec::<&&str>::new(), "listed, but changes nothing");
    for name in NOT_BY_A_PERSON {
        assert!(!functions[*name].text.contains(".change("), "{name} leaves a row and belongs into VERBS");
    }
    let expected: BTreeSet<AuditAction> = VERBS.iter().flat_map(|(_, actions)| actions.iter().copied()).collect();
    assert_eq!(expected, AuditAction::ALL.iter().copied().collect(), "every action is what some verb leaves");
}

/// A house in which every verb has something to do: item 1 with comment 1, item 2, held mail as receipt 3.
pub async fn furnished(place: &Place) -> House {
    let house = House::usual(place).await;
    house.take(1, message("ann@example.org", "first", "first")).await;
    house.take(2, message("ann@example.org", "Re: #1", "a comment")).await;
    house.take(3, message("eve@evil.test", "held", "held")).await;
    house.take(4, message("ann@example.org", "another", "another")).await;
    house
}

const CANARY: &str = "canary-Pa55word";

/// Does what the verb of this name does, in the name of ann. What comes back is the store to look into.
async fn act(name: &str, house: &House, place: &Place, store: &Store) -> Store {
    let now = noon();
    let ann = store.user_by_address("ann@example.org").await.unwrap().unwrap();
    let held = match name {
        // Each has a message of its own, so that none depends on what was done before.
        "retry" | "retry_held" | "release" | "delete_receipt" | "expire_held" => {
            let nth = VERBS.iter().position(|(verb, _)| *verb == name).unwrap() as u32;
            house.take(100 + nth, message("eve@evil.test", name, name)).await.receipt
        }
        _ => ReceiptId(3),
    };
    let secret = || Some(Secret::new(CANARY));
    match name {
        "add_workspace" => drop(store.add_workspace(&key("NEW"), "New", false, now).await.unwrap()),
        "set_default_workspace" => store.set_default_workspace(Some(&key("OPS")), now).await.unwrap(),
        "set_global_policy" => {
            let registration = RegistrationMode::Approval;
            let policy = GlobalPolicy { submissions: false, registration, ..GlobalPolicy::default() };
            store.set_global_policy(&policy, now).await.unwrap();
        }
        "set_workspace_policy" => {
            let strict = WorkspacePolicy { unverified: Unverified::Hold, ..WorkspacePolicy::default() };
            store.set_workspace_policy(&key("OPS"), strict, now).await.unwrap();
        }
        "set_metrics_access" => drop(store.set_metrics_access(MetricsAccess::Token, now).await.unwrap()),
        "add_user" => {
            let new = NewUser { address: "Zoë@Example.org".into(), admin: true, ..NewUser::default() };
            store.add_user(new, now).await.unwrap();
        }
        "set_user" => {
            let change = UserChange { name: Some("Bob".into()), admin: Some(true), ..UserChange::default() };
            store.set_user("bob@example.org", change, now).await.unwrap();
        }
        "sign_out_user" => drop(store.sign_out_user("bob@example.org", now).await.unwrap()),
        "register" => drop(store.register(ask("one@example.org"), now).await.unwrap()),
        "refuse_registration" => drop(store.refuse_registration("one@example.org", now).await.unwrap()),
        "invite" => drop(store.invite("two@example.org", "", vec![(key("SUP"), Role::Agent)], now).await.unwrap()),
        "prove" => {
            let link = house.store.invite("two@example.org", "", vec![], now).await.unwrap().link;
            let proven = store.prove(link.expose(), None, now).await.unwrap();
            assert!(matches!(proven, Some(Proven::Joined(..))));
        }
        "approve_registration" => {
            house.store.register(ask("three@example.org"), now).await.unwrap();
            store.approve_registration("three@example.org", now).await.unwrap();
        }
        "add_mailbox" => {
            let new = imap("box", MailboxPolicy::default(), StartFrom::New);
            store.add_mailbox(new, secret(), now).await.unwrap();
        }
        "push_mailbox" => drop(store.push_mailbox(&key("OPS"), now).await.unwrap()),
        "update_mailbox" => {
            let change = MailboxChange { every_s: Some(5), password: secret(), ..MailboxChange::default() };
            store.update_mailbox("desk", change, now).await.unwrap();
        }
        "pause_mailbox" => store.pause_mailbox("desk", now).await.unwrap(),
        "resume_mailbox" => store.resume_mailbox("desk", false, now).await.unwrap(),
        "visit_mailbox" => store.visit_mailbox("desk", now).await.unwrap(),
        "remove_mailbox" => store.remove_mailbox("desk", now).await.unwrap(),
        "add_certificate" => {
            let dates = CertificateDates { fingerprint: "ab".repeat(32), not_after: now };
            let new = NewCertificate { der: vec![1], dates, replaces: Vec::new() };
            store.add_certificate("desk", new, now).await.unwrap();
        }
        "remove_certificate" => drop(store.remove_certificate("abababab", now).await.unwrap()),
        "edit_rules" => {
            let rule = |name: &str| Rule { name: name.into(), ..Rule::default() };
            for change in [
                RuleEdit::Add(Box::new(rule("a")), At::Last),
                RuleEdit::Add(Box::new(rule("b")), At::Last),
                RuleEdit::Pause("a".into(), true),
                RuleEdit::Move("b".into(), At::First),
                RuleEdit::Remove("a".into()),
                RuleEdit::Replace(Vec::new()),
            ] {
                store.edit_rules(change, now).await.unwrap();
            }
        }
        "retry" => store.retry(held, now).await.unwrap(),
        "retry_held" => {
            let (after, mailbox) = (ReceiptId(held.0 - 1), Some("desk".to_owned()));
            let which = RetryFilter { mailbox, reason: None, after, up_to: held, limit: 10 };
            assert_eq!(store.retry_held(which, now).await.unwrap(), [held]);
        }
        "release" => store.release(held, Some(&key("OPS")), false, now).await.unwrap(),
        "expire_held" => {
            // It is the only one that is old enough.
            place.sql(&format!("UPDATE receipt SET decided_at = 0, reason = 'SENDER_UNKNOWN' WHERE id = {held}"));
            let policy = WorkspacePolicy { retain_held_days: Some(90), ..WorkspacePolicy::default() };
            house.store.set_workspace_policy(&key("SUP"), policy, now).await.unwrap();
            assert_eq!(store.expire_held(now).await.unwrap(), 1);
        }
        "admit_contact" => drop(store.admit_contact("Zed@example.org", now).await.unwrap()),
        "block_contact" => drop(store.block_contact("zed@example.org", now).await.unwrap()),
        "forget_contact" => store.forget_contact("zed@example.org", now).await.unwrap(),
        "delete_receipt" => store.delete_receipt(held, Some("spam"), now).await.unwrap(),
        "download" => assert_eq!(store.download(held, now).await.unwrap().octets().as_ref(), b"held"),
        "move_item" => store.move_item(1, &key("OPS"), now).await.unwrap(),
        "move_comment" => {
            store.move_comment(1, 1, 2, now).await.unwrap();
            house.store.undo(1, None, now).await.unwrap();
        }
        "comment_item" => drop(store.comment_item(1, &ann, "I am on it.", false, now).await.unwrap()),
        "split_comment" => drop(store.split_comment(1, 1, now).await.unwrap()),
        "undo" => drop(store.undo(1, None, now).await.unwrap()),
        "close_item" => store.close_item(1, now).await.unwrap(),
        "reopen_item" => store.reopen_item(1, now).await.unwrap(),
        "assign_item" => {
            let admin = NewUser { address: "gil@example.org".into(), admin: true, ..NewUser::default() };
            house.store.add_user(admin, now).await.unwrap();
            store.assign_item(1, Some("gil@example.org"), now).await.unwrap();
        }
        "tag_item" => store.tag_item(1, &["urgent".into()], &[], now).await.unwrap(),
        "add_participant" => store.add_participant(1, "kim@example.org", None, now).await.unwrap(),
        "remove_participant" => store.remove_participant(1, "kim@example.org", now).await.unwrap(),
        "reply_key" => drop(store.reply_key(1, None, None, now).await.unwrap()),
        "rotate_reply_key" => drop(store.rotate_reply_key(false, now).await.unwrap()),
        "add_token" => drop(store.add_token(token("ann@example.org"), now).await.unwrap()),
        "remove_token" => {
            let (token, _) = house.store.add_token(token("ann@example.org"), now).await.unwrap();
            store.remove_token(token.id, None, now).await.unwrap();
        }
        "make_signin_link" => drop(store.make_signin_link(ann.id, HOUR, now).await.unwrap()),
        "use_signin_link" => {
            let link = house.store.make_signin_link(ann.id, HOUR, now).await.unwrap();
            store.use_signin_link(link.expose(), now).await.unwrap().unwrap();
        }
        "end_session" => {
            let link = house.store.make_signin_link(ann.id, HOUR, now).await.unwrap();
            let (_, session) = house.store.use_signin_link(link.expose(), now).await.unwrap().unwrap();
            store.end_session(session.expose(), now).await.unwrap();
        }
        "set_password" => drop(store.set_password(ann.id, Secret::new(CANARY), now).await.unwrap()),
        "sign_in" => {
            house.store.set_password(ann.id, Secret::new(CANARY), now).await.unwrap();
            let stored = store.stored_password("ann@example.org", now).await.unwrap().unwrap();
            store.sign_in(&stored, now).await.unwrap().unwrap();
        }
        "set_language" => store.set_language(ann.id, Some("de"), now).await.unwrap(),
        "set_main_address" => {
            let bob = store.user_by_address("bob@example.org").await.unwrap().unwrap();
            store.set_main_address(bob.id, "rob@example.org", now).await.unwrap();
        }
        "restore" => {
            let dir = place.config.data_dir.with_file_name("backup");
            store.backup(&dir, now).await.unwrap();
            let target = StoreConfig::new(dir.with_file_name("restored"), Database::Sqlite);
            return Store::restore(&dir, &target, "ann@example.org", now).await.unwrap().0;
        }
        other => panic!("{other} has no case here"),
    }
    store.clone()
}

fn token(user: &str) -> NewToken {
    NewToken { user: user.to_owned(), name: "report".to_owned(), scope: Scope::Read, expires_at: None }
}

fn ask(address: &str) -> Ask {
    Ask { address: address.to_owned(), name: String::new(), by: AskedBy::Operator, password: None }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// All rows, oldest first.
async fn rows_of(store: &Store) -> Vec<AuditEntry> {
    let mut rows = store.audit(AuditFilter { limit: 1000, ..AuditFilter::default() }).await.unwrap();
    rows.reverse();
    rows
}

#[tokio::test]
async fn k12_every_verb_leaves_its_row_and_no_secret() {
    on_each_database(|place| async move {
        let house = furnished(&place).await;
        let store = house.store.by("ann@example.org");
        for (name, actions) in VERBS {
            let before = rows_of(&store).await.len();
            let seen = act(name, &house, &place, &store).await;
            let rows = rows_of(&seen).await.split_off(before);
            // What was only needed for it was done by the program itself.
            let rows: Vec<&AuditEntry> = rows.iter().filter(|row| row.actor != SYSTEM).collect();
            let names: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
            let expected: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
            assert_eq!(names, expected, "{name}");
            // Whoever shows who they are acts in their own name.
            let actor = if *name == "prove" { "two@example.org" } else { "ann@example.org" };
            for row in rows {
                assert_eq!((row.at, row.actor.as_str()), (noon(), actor), "{name}");
                let text = format!("{row:?}");
                assert!(!text.contains("canary"), "{name}: {text}");
            }
            assert_eq!(seen.check().await.unwrap().problems, [], "{name}");
        }
        // What came by mail left none.
        let all = store.audit(AuditFilter { limit: 1000, ..AuditFilter::default() }).await.unwrap();
        assert!(all.iter().all(|row| !row.object.contains("eve")), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_row_says_who_did_what_with_old_and_new_value() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = house.store.by("cli:root");
        let patterns = vec![r"@example\.org".to_owned()];
        let allowed = DomainPolicy { allowed_domains: patterns.clone(), ..DomainPolicy::default() };
        let policy = GlobalPolicy { allowed, ..GlobalPolicy::default() };
        store.set_global_policy(&policy, noon()).await.unwrap();
        let row = store.audit(AuditFilter::default()).await.unwrap().remove(0);
        assert_eq!(
            (row.actor.as_str(), row.action.as_str(), row.object.as_str()),
            ("cli:root", "setting.set", "setting:policy")
        );
        assert_eq!(row.detail, json!({"allowed_domains": {"old": [], "new": patterns}}));
        assert_eq!(row.hash.to_string(), store.check().await.unwrap().audit_head);

        let change = MailboxChange { every_s: Some(5), ..MailboxChange::default() };
        store.update_mailbox("desk", change.clone(), noon()).await.unwrap();
        let row = store.audit(AuditFilter::default()).await.unwrap().remove(0);
        assert_eq!((row.object.as_str(), row.detail), ("mailbox:desk", json!({"every_s": {"old": 60, "new": 5}})));
        // What changes nothing is no change, and what failed was not done.
        let rows = store.check().await.unwrap().audit;
        store.update_mailbox("desk", change, noon()).await.unwrap();
        store.set_global_policy(&policy, noon()).await.unwrap();
        store.add_workspace(&key("SUP"), "again", false, noon()).await.unwrap_err();
        store.retry(ReceiptId(99), noon()).await.unwrap_err();
        store.download(ReceiptId(99), noon()).await.unwrap_err();
        store.end_session("nobody's", noon()).await.unwrap();
        assert_eq!(store.check().await.unwrap().audit, rows);

        let count = |object: &str| {
            let filter = AuditFilter { object: Some(object.to_owned()), ..AuditFilter::default() };
            let store = store.clone();
            async move { store.audit(filter).await.unwrap().len() }
        };
        assert_eq!((count("mailbox").await, count("mailbox:desk").await, count("mail").await), (2, 2, 0));
        assert_eq!((count("workspace").await, count("workspace:OPS").await, count("workspace:ops").await), (2, 1, 0));
        let page = AuditFilter { before: Some(3), limit: 1, ..AuditFilter::default() };
        assert_eq!(store.audit(page).await.unwrap()[0].id, 2);
    })
    .await;
}
