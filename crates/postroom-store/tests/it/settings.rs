//! Workspaces, people, mailboxes, trust, passwords, sign-in.

use crate::support::*;
use jiff::SignedDuration;
use postroom_domain::connection::{CertificateDates, ConnectionSeen};
use postroom_domain::{DomainPolicy, GlobalPolicy, MailboxPolicy, Role, StartFrom, Unverified, WorkspacePolicy};
use postroom_mail::{Access, AuthMethod, Secret, Settlement};
use postroom_store::{MailboxChange, NewCertificate, NewUser, StoreError};

fn global(pattern: &str) -> GlobalPolicy {
    let allowed = DomainPolicy { allowed_domains: vec![pattern.to_owned()], ..DomainPolicy::default() };
    GlobalPolicy { allowed, ..GlobalPolicy::default() }
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn workspaces_people_and_the_global_policy() {
    on_each_database(|place| async move {
        let store = place.open();
        assert_eq!(store.global_policy().await.unwrap(), GlobalPolicy::default());
        let policy = global(r"@example\.org");
        store.set_global_policy(&policy, noon()).await.unwrap();
        assert_eq!(store.global_policy().await.unwrap(), policy);
        let mistyped = DomainPolicy { domains: vec!["@example.org".to_owned()], ..DomainPolicy::default() };
        for bad in [
            global("("),
            GlobalPolicy { allowed: mistyped.clone(), ..GlobalPolicy::default() },
            GlobalPolicy { blocked: vec!["nobody@".to_owned()], ..GlobalPolicy::default() },
        ] {
            assert_eq!(code(store.set_global_policy(&bad, noon()).await), "PATTERN_INVALID", "{bad:?}");
        }
        assert_eq!(store.global_policy().await.unwrap(), policy);

        let new = imap("desk", MailboxPolicy::default(), StartFrom::All);
        let of_nobody = postroom_store::NewMailbox { workspace: None, ..new.clone() };
        assert_eq!(code(store.add_mailbox(of_nobody.clone(), None, noon()).await), "NO_DEFAULT_WORKSPACE");
        assert_eq!(code(store.add_mailbox(new.clone(), None, noon()).await), "WORKSPACE_UNKNOWN");
        store.add_workspace(&key("SUP"), "Support", true, noon()).await.unwrap();
        store.add_workspace(&key("OPS"), "Operations", true, noon()).await.unwrap();
        assert_eq!(code(store.add_workspace(&key("sup"), "Again", false, noon()).await), "WORKSPACE_EXISTS");
        let defaults: Vec<_> =
            store.workspaces().await.unwrap().into_iter().map(|one| (one.key, one.default)).collect();
        assert_eq!(defaults, [(key("OPS"), true), (key("SUP"), false)]);
        store.set_default_workspace(Some(&key("SUP")), noon()).await.unwrap();
        let strict = WorkspacePolicy { unverified: Unverified::Hold, ..WorkspacePolicy::default() };
        store.set_workspace_policy(&key("OPS"), strict, noon()).await.unwrap();
        assert_eq!(code(store.set_workspace_policy(&key("NOPE"), strict, noon()).await), "WORKSPACE_UNKNOWN");
        let policies: Vec<_> = store.workspaces().await.unwrap().into_iter().map(|one| one.policy).collect();
        assert_eq!(policies, [strict, WorkspacePolicy::default()]);
        let narrow = MailboxPolicy { allowed: mistyped, ..MailboxPolicy::default() };
        let narrow = postroom_store::NewMailbox { policy: narrow, name: "narrow".to_owned(), ..new.clone() };
        assert_eq!(code(store.add_mailbox(narrow, None, noon()).await), "PATTERN_INVALID");
        assert!(store.workspaces().await.unwrap()[1].default);
        assert_eq!(store.add_mailbox(of_nobody, None, noon()).await.unwrap().workspace, None);

        let ann = NewUser {
            address: "Ann@Bücher.example".into(),
            name: "Ann".into(),
            memberships: vec![(key("SUP"), Role::Agent)],
            aliases: vec!["a@example.org".into(), "A@example.org".into()],
            ..NewUser::default()
        };
        let user = store.add_user(ann.clone(), noon()).await.unwrap();
        assert_eq!(user.address, "ann@xn--bcher-kva.example");
        assert_eq!(user.aliases, ["a@example.org"]);
        assert_eq!(user.role_in(&key("SUP")), Some(Role::Agent));
        assert_eq!(code(store.add_user(ann, noon()).await), "USER_EXISTS");
        let named = |address: &str| NewUser { address: address.into(), ..NewUser::default() };
        assert_eq!(code(store.add_user(named("A@EXAMPLE.org"), noon()).await), "USER_EXISTS");
        assert_eq!(code(store.add_user(named("nobody"), noon()).await), "ADDRESS_INVALID");
        let astray = NewUser { memberships: vec![(key("NIX"), Role::Agent)], ..named("z@example.org") };
        assert_eq!(code(store.add_user(astray, noon()).await), "WORKSPACE_UNKNOWN");
        assert_eq!(store.users().await.unwrap(), std::slice::from_ref(&user));
        assert_eq!(store.user_by_address("a@Example.ORG").await.unwrap(), Some(user.clone()));
        assert_eq!(store.user(user.id).await.unwrap(), Some(user));
        assert_eq!(store.user_by_address("z@example.org").await.unwrap(), None, "nothing of a failed verb is left");
    })
    .await;
}

#[tokio::test]
async fn mailboxes_keep_their_passwords_sealed() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let canary = "canary-Pa55word";
        let new = imap("box", MailboxPolicy::default(), StartFrom::New);
        let mailbox = store.add_mailbox(new.clone(), Some(Secret::new(canary)), noon()).await.unwrap();
        assert_eq!(code(store.add_mailbox(new.clone(), None, noon()).await), "MAILBOX_EXISTS");
        assert_eq!(store.password(mailbox.id).await.unwrap().unwrap().expose(), canary);
        assert!(store.password(house.mailbox.id).await.unwrap().is_none());
        let change = MailboxChange {
            password: Some(Secret::new("canary-Pa55word-2")),
            every_s: Some(5),
            workspace: Some(None),
            policy: Some(MailboxPolicy { filed: Settlement::MarkSeen, ..MailboxPolicy::default() }),
            ..MailboxChange::default()
        };
        let changed = store.update_mailbox("box", change, noon()).await.unwrap();
        assert_eq!((changed.every_s, changed.workspace, changed.access), (5, None, mailbox.access.clone()));
        assert_eq!(changed.policy.filed, Settlement::MarkSeen);
        store.pause_mailbox("box", noon()).await.unwrap();
        assert!(store.mailbox("box").await.unwrap().paused);
        store.resume_mailbox("box", false, noon()).await.unwrap();
        assert!(!store.mailbox("box").await.unwrap().paused);

        // In no file of the data directory is there anything of it, and it opens only with the key.
        for path in files_of(&place.config.data_dir) {
            let octets = std::fs::read(&path).unwrap();
            assert!(!octets.windows(6).any(|window| window == b"canary"), "{}", path.display());
        }
        let key_path = place.config.key_path();
        let kept = std::fs::read(&key_path).unwrap();
        std::fs::remove_file(&key_path).unwrap();
        let without = place.open();
        assert_eq!(code(without.password(mailbox.id).await), "SECRET_KEY_MISSING");
        std::fs::write(&key_path, [1; 32]).unwrap();
        let with_other = place.open();
        assert_eq!(code(with_other.password(mailbox.id).await), "SECRET_UNREADABLE");
        std::fs::write(&key_path, kept).unwrap();
        let with_own = place.open();
        assert_eq!(with_own.password(mailbox.id).await.unwrap().unwrap().expose(), "canary-Pa55word-2");

        // Removed: its name is free, its password gone.
        store.remove_mailbox("box", noon()).await.unwrap();
        assert_eq!(code(store.mailbox("box").await), "MAILBOX_UNKNOWN");
        assert_eq!(code(store.remove_mailbox("box", noon()).await), "MAILBOX_UNKNOWN");
        assert!(store.password(mailbox.id).await.unwrap().is_none());
        assert_ne!(store.add_mailbox(new, None, noon()).await.unwrap().id, mailbox.id);
    })
    .await;
}

fn files_of(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn removing_a_mailbox_keeps_its_mail_and_cancels_what_it_owed() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        house.take(1, message("ann@example.org", "s", "t")).await;
        house.store.remove_mailbox("desk", noon()).await.unwrap();
        assert!(house.store.owed(house.mailbox.id, None, 9).await.unwrap().is_empty());
        assert_eq!(house.store.receipts(Default::default()).await.unwrap()[0].mailbox, "desk");
        assert_eq!(house.store.item(1).await.unwrap().title, "s");
        let batch = vec![fetched(uid(7, 2), "x")];
        assert_eq!(code(house.store.accept(&house.lease, batch, &house.me, noon()).await), "LEASE_LOST");
    })
    .await;
}

#[tokio::test]
async fn certificates_are_trusted_for_one_mailbox() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        store.add_mailbox(imap("two", MailboxPolicy::default(), StartFrom::New), None, noon()).await.unwrap();
        let (one, two) = (certificate(1, "abcdef0123456789"), certificate(2, "abcdef0123456788"));
        store.add_certificate("desk", one.clone(), noon()).await.unwrap();
        store.add_certificate("desk", one.clone(), noon()).await.unwrap();
        store.add_certificate("desk", two.clone(), noon()).await.unwrap();
        store.add_certificate("two", one.clone(), noon()).await.unwrap();
        assert_eq!(code(store.add_certificate("nix", one.clone(), noon()).await), "MAILBOX_UNKNOWN");
        assert_eq!(store.certificates().await.unwrap().len(), 3);
        assert_eq!(store.trusted(house.mailbox.id).await.unwrap(), [vec![1], vec![2]]);
        assert_eq!(code(store.remove_certificate("abcdef", noon()).await), "CERTIFICATE_UNKNOWN");
        assert_eq!(code(store.remove_certificate("abcdef0%", noon()).await), "CERTIFICATE_UNKNOWN");
        assert_eq!(code(store.remove_certificate("abcdef012", noon()).await), "FINGERPRINT_AMBIGUOUS");
        assert_eq!(store.remove_certificate("AB:CD:EF:01:23:45:67:89", noon()).await.unwrap(), 2);
        assert_eq!(store.trusted(house.mailbox.id).await.unwrap(), [vec![2]]);
        // A new one takes the place of an old one, in this mailbox alone.
        store.add_certificate("two", two.clone(), noon()).await.unwrap();
        let three = NewCertificate { replaces: vec![two.dates.fingerprint], ..certificate(3, "3333333333333333") };
        store.add_certificate("desk", three, noon()).await.unwrap();
        assert_eq!(store.trusted(house.mailbox.id).await.unwrap(), [vec![3]]);
        assert_eq!(store.certificates().await.unwrap().len(), 2);
    })
    .await;
}

fn certificate(number: u8, quarter: &str) -> NewCertificate {
    let dates = CertificateDates { fingerprint: quarter.repeat(4), not_after: noon() };
    NewCertificate { der: vec![number], dates, replaces: Vec::new() }
}

/// TLS is remembered of a host, whichever mailbox saw it and however its name is written; the rest is of each mailbox.
#[tokio::test]
async fn what_a_connection_showed() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let host = |name: &str, host: &str| {
            let mut new = imap(name, MailboxPolicy::default(), StartFrom::New);
            if let Access::Imap(imap) = &mut new.access {
                imap.server.host = host.to_owned();
            }
            new
        };
        let one = store.add_mailbox(host("one", "Mail.Example.ORG"), None, noon()).await.unwrap();
        let other = store.add_mailbox(host("other", "other.example.org"), None, noon()).await.unwrap();
        let clear = ConnectionSeen { protected: false, certificate: None };
        let dates = certificate(1, "abcdef0123456789").dates;
        let tls = ConnectionSeen { protected: true, certificate: Some(dates.clone()) };
        store.saw_connection(one.id, clear.clone(), noon()).await.unwrap();
        assert!(!store.is_tls_seen("mail.example.org").await.unwrap());
        store.saw_connection(one.id, tls.clone(), noon()).await.unwrap();
        store.saw_connection(one.id, tls.clone(), noon()).await.unwrap();
        store.saw_connection(one.id, clear.clone(), noon()).await.unwrap();
        store.saw_connection(other.id, clear.clone(), noon()).await.unwrap();
        for (host, seen) in [("mail.example.org", true), ("MAIL.example.org.", true), ("other.example.org", false)] {
            assert_eq!(store.is_tls_seen(host).await.unwrap(), seen, "{host}");
        }
        store.saw_connection(other.id, tls.clone(), noon()).await.unwrap();
        store.add_certificate("other", certificate(2, "2222222222222222"), noon()).await.unwrap();
        let status = store.mailbox_status().await.unwrap();
        let of = |name: &str| status.iter().find(|s| s.mailbox.name == name).unwrap();
        assert_eq!((&of("one").connection, &of("other").connection), (&Some(clear), &Some(tls)));
        assert_eq!((of("desk").connection.as_ref(), of("one").trusted.len(), of("other").trusted.len()), (None, 0, 1));
        assert_eq!(of("other").warnings(noon()).len(), 2, "both run out now");
        // A mailbox that is gone takes nothing of it away.
        store.remove_mailbox("one", noon()).await.unwrap();
        assert!(store.is_tls_seen("mail.example.org").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_known_of_bound_logins_lasts_until_another_login_is_chosen() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let (host, port) = ("Mail.Example.ORG", 993);
        let mut access = house.mailbox.access.clone();
        let Access::Imap(imap) = &mut access else { panic!("the mailbox of this house is on a server") };
        (imap.server.host, imap.server.port) = (host.to_owned(), port);
        let change = |access: Access| MailboxChange { access: Some(access), ..MailboxChange::default() };
        store.update_mailbox("desk", change(access.clone()), noon()).await.unwrap();
        assert_eq!(store.takes_bound_logins(host, port).await.unwrap(), None);
        store.saw_bound_login(host, port, false, noon()).await.unwrap();
        assert_eq!(store.takes_bound_logins("mail.example.org.", port).await.unwrap(), Some(false));
        store.saw_bound_login(host, port, true, noon()).await.unwrap();
        store.saw_bound_login(host, port, false, noon()).await.unwrap();
        assert_eq!(store.takes_bound_logins(host, port).await.unwrap(), Some(true), "what works is not given up");
        assert_eq!(store.takes_bound_logins(host, 143).await.unwrap(), None, "another server");
        store.update_mailbox("desk", change(access.clone()), noon()).await.unwrap();
        assert_eq!(store.takes_bound_logins(host, port).await.unwrap(), Some(true));
        let Access::Imap(imap) = &mut access else { unreachable!() };
        imap.server.auth = AuthMethod::Plain;
        store.update_mailbox("desk", change(access), noon()).await.unwrap();
        assert_eq!(store.takes_bound_logins(host, port).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_signin_link_works_once_and_in_time() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let ann = store.user_by_address("ann@example.org").await.unwrap().unwrap();
        let ttl = SignedDuration::from_mins(15);
        let link = store.make_signin_link(ann.id, ttl, noon()).await.unwrap();
        assert_eq!(link.expose().len(), 43);
        let (user, session) = store.use_signin_link(link.expose(), noon()).await.unwrap().unwrap();
        assert_eq!(user, ann);
        assert!(store.use_signin_link(link.expose(), noon()).await.unwrap().is_none(), "once");
        assert!(store.use_signin_link("guess", noon()).await.unwrap().is_none());
        let late = store.make_signin_link(ann.id, ttl, noon()).await.unwrap();
        assert!(store.use_signin_link(late.expose(), at("2026-03-01T12:16:00Z")).await.unwrap().is_none(), "in time");
        assert_eq!(code(store.make_signin_link(postroom_domain::UserId(99), ttl, noon()).await), "USER_UNKNOWN");

        assert_eq!(store.session(session.expose(), noon()).await.unwrap().map(|session| session.user), Some(ann));
        assert!(store.session(link.expose(), noon()).await.unwrap().is_none(), "the link is no session");
        assert!(store.session(session.expose(), at("2026-04-01T00:00:00Z")).await.unwrap().is_none());
        store.end_session(session.expose(), noon()).await.unwrap();
        assert!(store.session(session.expose(), noon()).await.unwrap().is_none());
    })
    .await;
}
