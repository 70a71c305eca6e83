//! `inspect` reads many files at once, in processes of their own, and prints them in their order.

use crate::desk::{Desk, lines, message};
use std::ffi::OsStr;
use std::io::{BufRead as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

#[test]
fn many_files_are_printed_in_their_order_and_bad_ones_reported_among_them() {
    let desk = Desk::new();
    let mut files: Vec<String> = (0..150)
        .map(|n| {
            let text = "word ".repeat(if n % 40 == 0 { 200_000 } else { n });
            desk.file(&format!("{n}.eml"), &message("ann@example.org", &format!("number {n}"), &text))
        })
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let directory = desk.path().to_str().unwrap().to_owned();
    files.insert(10, "/nonexistent".to_owned());
    files.insert(70, directory.clone());
    let arguments: Vec<&str> = ["--json", "inspect"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = desk.run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let subjects: Vec<_> =
        lines(&output.stdout).iter().map(|read| read["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects, (0..150).map(|n| format!("number {n}")).collect::<Vec<_>>());
    let errors = lines(&output.stderr);
    let codes: Vec<_> = errors.iter().map(|error| error["error"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["FILE_UNREADABLE", "FILE_UNREADABLE"]);
    assert!(errors[1]["error"]["message"].as_str().unwrap().starts_with(&directory));
}

#[test]
fn a_pipe_is_read_like_a_file_and_text_is_for_people() {
    let desk = Desk::new();
    let output =
        desk.run_with(&["inspect", "/dev/stdin"], &message("Ann <ann@example.org>", "Through a pipe", "Hello"));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["/dev/stdin", "  from        Ann <ann@example.org>", "  subject     Through a pipe", "  | Hello"] {
        assert!(text.lines().any(|other| other == line), "{line:?} in\n{text}");
    }
}

#[test]
fn what_has_no_end_is_read_up_to_the_limit_for_a_message() {
    let desk = Desk::new();
    let file = desk.file("a.eml", &message("ann@example.org", "Here", ""));
    let mut command = desk.command(&["--json", "inspect", "/dev/zero"]);
    let output = command.arg(&file).env("POSTROOM_MAX_MESSAGE", "100000").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output.stderr)[0]["error"]["code"], "FILE_TOO_LARGE");
    assert_eq!(lines(&output.stdout)[0]["subject"], "Here");
}

#[test]
fn a_file_that_no_memory_holds_is_named_and_the_others_are_read() {
    let desk = Desk::new();
    let file = desk.file("a.eml", &message("ann@example.org", "Here", ""));
    let huge = desk.path().join("huge.eml");
    std::fs::File::create(&huge).unwrap().set_len((1 << 30) + 1).unwrap();
    let output = desk.run(&["--json", "inspect", huge.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output.stderr)[0]["error"]["code"], "FILE_TOO_LARGE");
    assert_eq!(lines(&output.stdout)[0]["subject"], "Here");
}

#[test]
fn the_reading_process_can_write_no_file() {
    let mut reader = Command::new(env!("CARGO_BIN_EXE_postroom"));
    // It waits for its first message once it has set its limits; then something comes that is none.
    let reader = reader.arg("reader").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    let limits = || std::fs::read_to_string(format!("/proc/{}/limits", reader.id())).unwrap();
    let is_set = || limits().lines().any(|line| line.starts_with("Max file size") && line.contains(" 0 "));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !is_set() {
        assert!(std::time::Instant::now() < end, "{}", limits());
        std::thread::yield_now();
    }
    drop(reader.stdin.take());
    assert!(reader.wait().unwrap().success());
}

#[test]
fn a_pipe_that_nobody_writes_to_does_not_hold_back_what_was_read() {
    let desk = Desk::new();
    let file = desk.file("a.eml", &message("ann@example.org", "Here", ""));
    let pipe = desk.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = desk.command(&["--json", "inspect"]);
    let mut child = command.arg(&file).arg(&pipe).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(lines(line.as_bytes())[0]["subject"], "Here");
    std::fs::write(&pipe, message("ann@example.org", "Later", "")).unwrap();
    assert!(child.wait().is_ok());
}

#[test]
fn relative_names_stay_as_they_were_given() {
    let desk = Desk::new();
    desk.file("ä b.eml", &message("ann@example.org", "Here", ""));
    let mut command = desk.command(&["--json", "inspect", "./ä b.eml"]);
    let output = command.current_dir(desk.path()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(lines(&output.stdout)[0]["file"], "./ä b.eml");
    // Any octets but two can stand in a name.
    let odd = desk.path().join(OsStr::from_bytes(b"\xff.eml"));
    std::fs::write(&odd, message("ann@example.org", "Odd", "")).unwrap();
    let output = desk.command(&["--json", "inspect"]).arg(&odd).stdin(Stdio::null()).output().unwrap();
    assert_eq!(lines(&output.stdout)[0]["subject"], "Odd");
}

#[test]
fn the_largest_message_is_read_within_its_memory() {
    let desk = Desk::new();
    // 100 MB: an attachment of 75 MB in base64, and as many octets as lines of a text that has no end.
    let part = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk=\r\n";
    let attached = format!(
        "From: ann@example.org\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\ntext\r\n--b\r\nContent-Type: application/octet-stream; name=large.bin\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        part.repeat(100_000_000 / part.len())
    );
    let endless =
        format!("From: ann@example.org\r\nSubject: large\r\n\r\n{}", "words words\r\n".repeat(100_000_000 / 13));
    for octets in [attached, endless] {
        let file = desk.file("large.eml", octets.as_bytes());
        let read = desk.ok(&["inspect", file.to_str().unwrap()]);
        assert_eq!(read[0]["subject"], "large");
    }
}

#[test]
fn a_machine_without_room_for_another_process_is_named() {
    let desk = Desk::new();
    let file = desk.file("one.eml", &message("ann@example.org", "one", "words"));
    // As many open files as the program itself needs; the pipes of a reading process are three pairs more.
    let script = format!("ulimit -n 12; exec '{}' --json inspect '{}'", env!("CARGO_BIN_EXE_postroom"), file.display());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines(&output.stderr)[0]["error"]["code"], "READER_UNAVAILABLE");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_reading_process_is_not_offered_to_people() {
    let desk = Desk::new();
    let help = String::from_utf8(desk.run(&["--help"]).stdout).unwrap();
    let bash = String::from_utf8(desk.run(&["completions", "bash"]).stdout).unwrap();
    assert!(help.contains("inspect") && bash.contains("inspect"));
    assert!(!help.contains("reader") && !bash.contains("reader"));
    // Among what people type there is no such command.
    assert_eq!(desk.error(&["reader"]).0, "USAGE");
    for (input, succeeds) in [(&b""[..], true), (b"what is no ask, and longer than its head", false)] {
        let mut reader = Command::new(env!("CARGO_BIN_EXE_postroom"));
        let reader = reader.arg("reader").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut reader = reader.spawn().unwrap();
        reader.stdin.take().unwrap().write_all(input).unwrap();
        assert_eq!(reader.wait().unwrap().success(), succeeds);
    }
}
