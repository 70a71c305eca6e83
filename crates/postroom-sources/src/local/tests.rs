#![allow(clippy::unwrap_used)]

use super::messages;
use crate::{Limits, Outcome};
use std::fs;
use std::path::Path;

/// What a path gives: name and content of each message.
fn found(path: &Path) -> Vec<(String, String)> {
    messages(path, &Limits::default())
        .unwrap()
        .map(|message| {
            let message = message.unwrap();
            let Outcome::Message(raw) = message.outcome else { panic!("{:?}", message.outcome) };
            let origin = message.origin.rsplit('/').next().unwrap().to_owned();
            (origin, String::from_utf8(raw.octets().to_vec()).unwrap())
        })
        .collect()
}

#[test]
fn files_maildirs_and_directories() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("b.eml"), "From me, not an mbox").unwrap();
    fs::write(path.join("a.mbox"), "From a Thu Jan  1 00:00:00 1970\nS: 1\n\nFrom b Thu Jan  1 00:00:00 1970\nS: 2\n")
        .unwrap();
    fs::write(path.join("notes.txt"), "From me, no mbox either").unwrap();
    let owned =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let mbox = [("a.mbox#1", "S: 1\n"), ("a.mbox#2", "S: 2\n")];
    assert_eq!(found(&path.join("a.mbox")), owned(&mbox));
    assert_eq!(found(&path.join("b.eml")), owned(&[("b.eml", "From me, not an mbox")]));
    assert_eq!(found(path), owned(&[mbox[0], mbox[1], ("b.eml", "From me, not an mbox")]));
    // Any single file that is named is taken as mail.
    assert_eq!(found(&path.join("notes.txt")), owned(&[("notes.txt", "From me, no mbox either")]));

    let maildir = tempfile::tempdir().unwrap();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(sub)).unwrap();
    }
    fs::write(maildir.path().join("new/1"), "one").unwrap();
    fs::write(maildir.path().join("cur/2:2,S"), "two").unwrap();
    assert_eq!(found(maildir.path()), owned(&[("2:2,S", "two"), ("1", "one")]));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let code = |path: &Path| messages(path, &Limits::default()).err().unwrap().code();
    assert_eq!(code(directory.path()), "FILE_UNREADABLE");
    assert_eq!(code(&directory.path().join("missing")), "FILE_UNREADABLE");
}

#[test]
fn a_pipe_is_refused_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe.eml");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let error = messages(&pipe, &Limits::default()).err().unwrap();
    assert_eq!(error.code(), "FILE_UNREADABLE");
    assert!(error.to_string().ends_with("store what it gives in a file first"), "{error}");
    // Among others it is passed over, and makes nobody wait.
    fs::write(directory.path().join("z.eml"), "z").unwrap();
    assert_eq!(found(directory.path()), [("z.eml".to_owned(), "z".to_owned())]);
}

/// Whoever runs the tests may read everything, so what cannot be read is a link to nowhere.
#[test]
fn one_file_that_cannot_be_read_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for name in ["a.eml", "c.eml"] {
        fs::write(path.join(name), name).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", path.join("b.eml")).unwrap();
    let outcomes: Vec<Outcome> =
        messages(path, &Limits::default()).unwrap().map(|message| message.unwrap().outcome).collect();
    assert_eq!(outcomes.len(), 3);
    assert!(matches!(&outcomes[1], Outcome::Unfetchable(why) if !why.is_empty()));
    assert!(matches!((&outcomes[0], &outcomes[2]), (Outcome::Message(_), Outcome::Message(_))));
}

/// A file that goes between the look at the directory and its turn.
#[test]
fn the_one_file_that_was_named_must_be_readable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.eml");
    fs::write(&path, "a").unwrap();
    let mut named = messages(&path, &Limits::default()).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(named.next().unwrap().unwrap_err().code(), "FILE_UNREADABLE");
    assert!(named.next().is_none());
}
