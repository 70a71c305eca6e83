#![allow(clippy::unwrap_used)]

use super::MaildirSession;
use crate::session::Fetched;
use crate::{Budget, Limits, Outcome};
use postroom_mail::{Listed, RemoteId, Settlement};
use std::fs;
use std::path::Path;
use tokio::sync::mpsc;

/// A Maildir with these files, each with its own path as its content.
fn maildir(files: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir(directory.path().join(sub)).unwrap();
    }
    for file in files {
        fs::write(directory.path().join(file), file).unwrap();
    }
    directory
}

fn files(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for sub in ["new", "cur", ".Done.2026/cur"] {
        if let Ok(entries) = fs::read_dir(path.join(sub)) {
            found.extend(entries.map(|e| format!("{sub}/{}", e.unwrap().file_name().to_string_lossy())));
        }
    }
    found.sort();
    found
}

fn id(name: &str) -> RemoteId {
    RemoteId::Maildir { name: name.into() }
}

async fn fetch(session: &mut MaildirSession, wanted: &[Listed]) -> Vec<Fetched> {
    let (sender, mut receiver) = mpsc::channel(wanted.len().max(1));
    session.fetch(wanted, &Budget::new(1 << 20), &sender).await.unwrap();
    drop(sender);
    let mut all = Vec::new();
    while let Some(fetched) = receiver.recv().await {
        all.push(fetched);
    }
    all
}

#[tokio::test]
async fn new_and_cur_are_listed_by_their_lasting_names() {
    let directory = maildir(&["new/2.b", "cur/1.a:2,S", "cur/3.c:2,", "cur/.hidden", "tmp/4.d"]);
    fs::create_dir(directory.path().join("cur/5.directory")).unwrap();
    let mut session = MaildirSession::open(directory.path(), &Limits::default()).await.unwrap();
    assert_eq!(session.select().await.unwrap().exists, Some(3));
    let listed = session.list().await.unwrap();
    assert_eq!(listed.iter().map(|l| l.id.clone()).collect::<Vec<_>>(), [id("1.a"), id("2.b"), id("3.c")]);
    assert!(listed.iter().all(|l| l.received_at.is_some() && l.size > 0));
}

#[tokio::test]
async fn a_file_is_found_wherever_it_has_gone() {
    let directory = maildir(&["new/1.a", "cur/2.b:2,", "new/3.c", "new/4.d"]);
    let limits = Limits { max_message: 20, ..Limits::default() };
    let mut session = MaildirSession::open(directory.path(), &limits).await.unwrap();
    let listed = session.list().await.unwrap();
    fs::rename(directory.path().join("new/1.a"), directory.path().join("cur/1.a:2,RS")).unwrap();
    fs::remove_file(directory.path().join("cur/2.b:2,")).unwrap();
    fs::write(directory.path().join("new/4.d"), [b'x'; 21]).unwrap();
    let outcomes: Vec<Outcome> = fetch(&mut session, &listed).await.into_iter().map(|f| f.outcome).collect();
    assert!(matches!(&outcomes[0], Outcome::Message(raw) if raw.octets() == "new/1.a"));
    assert_eq!(outcomes[1], Outcome::Vanished);
    assert!(matches!(&outcomes[2], Outcome::Message(raw) if raw.octets() == "new/3.c"));
    assert_eq!(outcomes[3], Outcome::TooLarge { announced: 21 });
}

#[tokio::test]
async fn settling_touches_what_was_named_and_twice_is_as_good_as_once() {
    let cases = [
        (Settlement::Keep, vec!["cur/2.b:2,R", "new/1.a", "new/3.c"]),
        (Settlement::MarkSeen, vec!["cur/1.a:2,S", "cur/2.b:2,RS", "new/3.c"]),
        (Settlement::Delete, vec!["new/3.c"]),
        (Settlement::MoveTo("Done/2026".into()), vec![".Done.2026/cur/1.a:2,", ".Done.2026/cur/2.b:2,R", "new/3.c"]),
    ];
    for (how, expected) in cases {
        let directory = maildir(&["new/1.a", "cur/2.b:2,R", "new/3.c"]);
        let mut session = MaildirSession::open(directory.path(), &Limits::default()).await.unwrap();
        let other = RemoteId::Imap { folder: "INBOX".into(), uid_validity: 1, uid: 1 };
        for _ in 0..2 {
            let settled = session.settle(&[id("1.a"), id("2.b"), id("9.gone"), other.clone()], &how).await.unwrap();
            assert_eq!(settled, [id("1.a"), id("2.b"), id("9.gone")]);
            assert_eq!(files(directory.path()), expected, "{how:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_name_never_leads_out_of_the_maildir() {
    let directory = maildir(&["new/1.a"]);
    let mut session = MaildirSession::open(directory.path(), &Limits::default()).await.unwrap();
    for folder in ["../x", "/etc", "a/../b", "", "a//b", ".x", "a\0b", "..", "a/"] {
        let refused = session.settle(&[id("1.a")], &Settlement::MoveTo(folder.into())).await.unwrap_err();
        assert_eq!(refused.code(), "ARGUMENT_INVALID", "{folder:?}");
    }
    assert_eq!(files(directory.path()), ["new/1.a"]);
}

#[tokio::test]
async fn what_is_no_maildir_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let missing = MaildirSession::open(directory.path(), &Limits::default()).await;
    assert_eq!(missing.err().unwrap().code(), "MAILDIR_MISSING");
    let directory = maildir(&[]);
    let mut session = MaildirSession::open(directory.path(), &Limits::default()).await.unwrap();
    fs::remove_dir(directory.path().join("cur")).unwrap();
    assert_eq!(session.list().await.unwrap_err().code(), "MAILDIR_UNREADABLE");
}
