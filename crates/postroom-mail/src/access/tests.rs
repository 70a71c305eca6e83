#![allow(clippy::unwrap_used)]

use super::{Access, AuthMethod, ImapAccess, NotARemoteId, RemoteId, Security, ServerAccess, Settlement};
use proptest::prelude::*;

#[test]
fn stored_forms_of_remote_ids() {
    let imap = |folder: &str| RemoteId::Imap { folder: folder.to_owned(), uid_validity: 7, uid: 42 };
    let table = [
        ("imap:7:42:INBOX", imap("INBOX")),
        // The folder comes last, so that it may have colons of its own.
        ("imap:7:42:a:b:c", imap("a:b:c")),
        ("imap:7:42:", imap("")),
        ("imap:7:42:Entwürfe", imap("Entwürfe")),
        ("maildir:1700000000.M1P2.host,S=3", RemoteId::Maildir { name: "1700000000.M1P2.host,S=3".to_owned() }),
        ("pop3:0000001a5f3b+2:x", RemoteId::Pop3 { uidl: "0000001a5f3b+2:x".to_owned() }),
        ("pop3-digest:00ff", RemoteId::Pop3Digest { digest: "00ff".to_owned(), copy: 1 }),
        ("pop3-digest:00ff+2", RemoteId::Pop3Digest { digest: "00ff".to_owned(), copy: 2 }),
        ("gone:7:pop3:a:b", RemoteId::Gone { receipt: 7, was: "pop3:a:b".to_owned() }),
        ("push:00ff", RemoteId::Push { digest: "00ff".to_owned() }),
    ];
    for (text, id) in table {
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
    }
    for wrong in [
        "",
        "imap",
        "imap:",
        "imap:7",
        "imap:7:42",
        "imap:x:42:INBOX",
        "imap:7:-1:INBOX",
        "imap:7:4294967296:A",
        "pop3-digest:00ff+x",
        "gone:7",
        "gone:x:pop3:1",
        "graph:1",
    ] {
        assert_eq!(wrong.parse::<RemoteId>(), Err(NotARemoteId), "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_remote_id_comes_back(folder: String, uid_validity: u32, uid: u32, name: String, digest: String) {
        for id in [RemoteId::Imap { folder, uid_validity, uid }, RemoteId::Maildir { name }, RemoteId::Push { digest }] {
            prop_assert_eq!(id.to_string().parse::<RemoteId>(), Ok(id));
        }
    }
}

/// What is stored today must be read tomorrow.
#[test]
fn stored_access_and_settlement() {
    let server = ServerAccess {
        host: "mail.example.org".to_owned(),
        port: 993,
        security: Security::StarttlsIfAvailable,
        user: "desk".to_owned(),
        auth: AuthMethod::Auto,
        allow_private_host: false,
    };
    let access = Access::Imap(ImapAccess::new(server.clone(), "INBOX"));
    let json = serde_json::to_string(&access).unwrap();
    expect_test::expect![[
        r#"{"protocol":"imap","host":"mail.example.org","port":993,"security":"starttls-if-available","user":"desk","auth":"auto","allow_private_host":false,"folder":"INBOX"}"#
    ]]
    .assert_eq(&json);
    assert_eq!(serde_json::from_str::<Access>(&json).unwrap(), access);
    // The order in which the fields once stood.
    let json = r#"{"protocol":"imap","host":"mail.example.org","port":993,"security":"starttls-if-available","user":"desk","auth":"auto","folder":"INBOX","allow_private_host":false}"#;
    assert_eq!(serde_json::from_str::<Access>(json).unwrap(), access);
    let more_folders = vec!["Support".to_owned(), "Entwürfe".to_owned()];
    let access = Access::Imap(ImapAccess { server, folder: "INBOX".to_owned(), more_folders });
    let json = serde_json::to_string(&access).unwrap();
    assert!(json.ends_with(r#""folder":"INBOX","more_folders":["Support","Entwürfe"]}"#), "{json}");
    assert_eq!(serde_json::from_str::<Access>(&json).unwrap(), access);
    let access = Access::Pop3(ServerAccess {
        host: "mail.example.org".to_owned(),
        port: 995,
        security: Security::Ssl,
        user: "desk".to_owned(),
        auth: AuthMethod::ScramSha256,
        allow_private_host: true,
    });
    let json = serde_json::to_string(&access).unwrap();
    expect_test::expect![[
        r#"{"protocol":"pop3","host":"mail.example.org","port":995,"security":"ssl","user":"desk","auth":"scram-sha-256","allow_private_host":true}"#
    ]]
    .assert_eq(&json);
    assert_eq!(serde_json::from_str::<Access>(&json).unwrap(), access);
    for (auth, json) in [
        (AuthMethod::CramMd5, r#""cram-md5""#),
        (AuthMethod::ScramSha1, r#""scram-sha-1""#),
        (AuthMethod::Apop, r#""apop""#),
    ] {
        assert_eq!(serde_json::to_string(&auth).unwrap(), json);
    }
    for (settlement, json) in [
        (Settlement::Keep, r#"{"do":"keep"}"#),
        (Settlement::MarkSeen, r#"{"do":"mark-seen"}"#),
        (Settlement::Delete, r#"{"do":"delete"}"#),
        (Settlement::MoveTo("Done".to_owned()), r#"{"do":"move-to","folder":"Done"}"#),
    ] {
        assert_eq!(serde_json::to_string(&settlement).unwrap(), json);
        assert_eq!(serde_json::from_str::<Settlement>(json).unwrap(), settlement);
    }
}

#[test]
fn inbox_is_the_same_folder_whatever_its_case() {
    let server = ServerAccess {
        host: "mail.example.org".to_owned(),
        port: 993,
        security: Security::Ssl,
        user: "desk".to_owned(),
        auth: AuthMethod::Auto,
        allow_private_host: false,
    };
    let access = ImapAccess { more_folders: vec!["Support".to_owned()], ..ImapAccess::new(server, "Inbox") };
    for (folder, reads) in [("INBOX", true), ("Support", true), ("support", false), ("Done", false)] {
        assert_eq!(access.reads(folder), reads, "{folder}");
    }
}

#[test]
fn default_ports() {
    assert_eq!(Security::Ssl.default_imap_port(), 993);
    assert_eq!(Security::Starttls.default_imap_port(), 143);
    assert_eq!(Security::None.default_imap_port(), 143);
    assert_eq!(Security::Ssl.default_pop3_port(), 995);
    assert_eq!(Security::Starttls.default_pop3_port(), 110);
}
