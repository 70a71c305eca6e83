#![allow(clippy::unwrap_used)]

use super::MaildirSession;
use crate::session::Fetched;
use crate::{Budget, Limits, Outcome};
use postroom_mail::{Listed, RemoteId, Settlement};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// When the files of a test were last changed, in microseconds.
const MODIFIED: u64 = 1_700_000_000_123_456;

fn set_modified(path: &Path, microseconds: u64) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_micros(microseconds)).unwrap();
}

/// A Maildir with these files, each with its own path as its content, last changed at [`MODIFIED`].
fn maildir(files: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir(directory.path().join(sub)).unwrap();
    }
    for file in files {
        write(directory.path(), file, file);
    }
    directory
}

fn write(maildir: &Path, file: &str, content: &str) {
    let path = maildir.join(file);
    fs::write(&path, content).unwrap();
    set_modified(&path, MODIFIED);
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

/// The id of a file of this unique part that was last changed at [`MODIFIED`].
fn id(unique: &str) -> RemoteId {
    RemoteId::Maildir { name: format!("{unique}@{MODIFIED}") }
}

async fn open(directory: &Path) -> MaildirSession {
    MaildirSession::open(directory, &Limits::default()).await.unwrap()
}

async fn ids(session: &mut MaildirSession) -> Vec<RemoteId> {
    session.list().await.unwrap().into_iter().map(|listed| listed.id).collect()
}

/// What a fetch of all that is listed gives, as text.
async fn contents(session: &mut MaildirSession) -> Vec<String> {
    let listed = session.list().await.unwrap();
    let fetched = fetch(session, &listed).await.into_iter();
    fetched
        .map(|one| match one.outcome {
            Outcome::Message(raw) => String::from_utf8(raw.octets().to_vec()).unwrap(),
            other => format!("{other:?}"),
        })
        .collect()
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
    let mut session = open(directory.path()).await;
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
    write(directory.path(), "new/4.d", &"x".repeat(21));
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
        let mut session = open(directory.path()).await;
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
    let mut session = open(directory.path()).await;
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
    let mut session = open(directory.path()).await;
    fs::remove_dir(directory.path().join("cur")).unwrap();
    assert_eq!(session.list().await.unwrap_err().code(), "MAILDIR_UNREADABLE");
}

#[tokio::test]
async fn a_file_name_used_again_is_another_message() {
    let directory = maildir(&["new/1.a"]);
    let mut session = open(directory.path()).await;
    let before = session.list().await.unwrap();
    fs::remove_file(directory.path().join("new/1.a")).unwrap();
    write(directory.path(), "new/1.a", "another");
    set_modified(&directory.path().join("new/1.a"), MODIFIED + 1);
    assert_eq!(ids(&mut session).await, [RemoteId::Maildir { name: format!("1.a@{}", MODIFIED + 1) }]);
    assert_eq!(fetch(&mut session, &before).await[0].outcome, Outcome::Vanished);
    // What is owed to the first is not done to the second.
    assert_eq!(session.settle(&[id("1.a")], &Settlement::Delete).await.unwrap(), [id("1.a")]);
    assert_eq!(files(directory.path()), ["new/1.a"]);
}

#[tokio::test]
async fn a_name_stays_the_same_wherever_the_file_goes() {
    let directory = maildir(&["new/1.a"]);
    let mut session = open(directory.path()).await;
    for (from, to) in [("new/1.a", "cur/1.a:2,"), ("cur/1.a:2,", "cur/1.a:2,RS"), ("cur/1.a:2,RS", "cur/1.a")] {
        assert_eq!(ids(&mut session).await, [id("1.a")]);
        fs::rename(directory.path().join(from), directory.path().join(to)).unwrap();
    }
    assert_eq!(ids(&mut session).await, [id("1.a")]);
}

#[tokio::test]
async fn names_of_any_octets_stay_apart() {
    let cases: [(&[u8], &str); 5] = [
        (b"1.\xff:2,S", "1.%FF"),
        (b"1.\xfe:2,S", "1.%FE"),
        (b"1.%FF", "1.%25FF"),
        (b"a b@7", "a%20b@7"),
        ("\u{e4}".as_bytes(), "%C3%A4"),
    ];
    let directory = maildir(&[]);
    for (file_name, _) in cases {
        let path = directory.path().join("cur").join(OsStr::from_bytes(file_name));
        fs::write(&path, file_name).unwrap();
        set_modified(&path, MODIFIED);
    }
    let mut session = open(directory.path()).await;
    let found = ids(&mut session).await;
    assert_eq!(found.len(), cases.len());
    assert!(cases.iter().all(|(_, name)| found.contains(&id(name))), "{found:?}");
    let listed = session.list().await.unwrap();
    let came = fetch(&mut session, &listed).await;
    assert!(came.iter().all(|fetched| matches!(fetched.outcome, Outcome::Message(_))));
    session.settle(&found, &Settlement::Delete).await.unwrap();
    assert!(files(directory.path()).is_empty());
}

#[tokio::test]
async fn two_files_of_one_name_and_time_are_two_messages() {
    let directory = maildir(&["new/1.a", "cur/1.a:2,S"]);
    let mut session = open(directory.path()).await;
    let found = ids(&mut session).await;
    assert_eq!((found.len(), session.select().await.unwrap().exists), (2, Some(2)));
    let mut both = contents(&mut session).await;
    both.sort();
    assert_eq!(both, ["cur/1.a:2,S", "new/1.a"]);
    // A name that fits both touches neither.
    session.settle(&[id("1.a")], &Settlement::Delete).await.unwrap();
    assert_eq!(files(directory.path()), ["cur/1.a:2,S", "new/1.a"]);
    // Settling one, and once more, leaves the other, although that is alone then.
    for _ in 0..2 {
        session.settle(&found[..1], &Settlement::Delete).await.unwrap();
        assert_eq!(files(directory.path()).len(), 1);
    }
    session.settle(&found[1..], &Settlement::Delete).await.unwrap();
    assert!(files(directory.path()).is_empty());
}

#[tokio::test]
async fn one_file_under_two_names_is_one_message() {
    let directory = maildir(&["new/1.a"]);
    let from = directory.path().join("new/1.a");
    fs::hard_link(&from, directory.path().join("cur/1.a:2,")).unwrap();
    let mut session = open(directory.path()).await;
    assert_eq!(ids(&mut session).await, [id("1.a")]);
    let to = directory.path().join("cur/1.a:2,S");
    super::settle::link_and_remove(&from, &to).unwrap();
    assert!(super::settle::link_and_remove(&directory.path().join("cur/1.a:2,"), &to).is_err(), "never written over");
    assert_eq!(ids(&mut session).await, [id("1.a")]);
}

#[tokio::test]
async fn settling_never_writes_over_another_message() {
    let cases = [
        (Settlement::MarkSeen, "cur/1.a:2,S", ["cur/1.a,postroom=1:2,S", "cur/1.a:2,S"]),
        (
            Settlement::MoveTo("Done.2026".into()),
            ".Done.2026/cur/1.a:2,",
            [".Done.2026/cur/1.a,postroom=1:2,", ".Done.2026/cur/1.a:2,"],
        ),
    ];
    for (how, taken, expected) in cases {
        let directory = maildir(&["new/1.a"]);
        fs::create_dir_all(directory.path().join(".Done.2026/cur")).unwrap();
        fs::write(directory.path().join(taken), "another").unwrap();
        let mut session = open(directory.path()).await;
        for _ in 0..2 {
            session.settle(&[id("1.a")], &how).await.unwrap();
            assert_eq!(files(directory.path()), expected);
        }
        assert_eq!(fs::read_to_string(directory.path().join(taken)).unwrap(), "another");
        assert_eq!(fs::read_to_string(directory.path().join(expected[0])).unwrap(), "new/1.a");
        if how == Settlement::MarkSeen {
            // Under its new name too it is the message that was collected.
            assert!(ids(&mut session).await.contains(&id("1.a")));
        }
    }
}

#[tokio::test]
async fn links_to_files_are_messages_and_nothing_else_that_is_no_file() {
    let directory = maildir(&["new/1.a", "tmp/target"]);
    let path = directory.path();
    for (target, link) in [("../tmp/target", "2.b"), ("../tmp", "3.directory"), ("nowhere", "4.broken")] {
        std::os::unix::fs::symlink(target, path.join("new").join(link)).unwrap();
    }
    for name in ["new/5.fifo", "cur/6.fifo:2,"] {
        rustix::fs::mkfifoat(rustix::fs::CWD, path.join(name), rustix::fs::Mode::RWXU).unwrap();
    }
    let mut session = open(path).await;
    assert_eq!(ids(&mut session).await, [id("1.a"), id("2.b")]);
    assert_eq!(contents(&mut session).await, ["new/1.a", "tmp/target"]);
    // A pipe that comes to stand at the name of a file makes nobody wait.
    assert!(matches!(super::read_file(&path.join("new/5.fifo"), 9), Outcome::Unfetchable(_)));
    session.settle(&[id("2.b")], &Settlement::MoveTo("Done.2026".into())).await.unwrap();
    assert_eq!(fs::read_to_string(path.join(".Done.2026/cur/2.b:2,")).unwrap(), "tmp/target");
    assert!(path.join("tmp/target").exists() && fs::symlink_metadata(path.join("new/2.b")).is_err());
}
