//! Whom mailboxes trust, what is said of their protection, and how their servers are found.

use crate::desk::{Desk, lines, message};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::dns::NameServer;
use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use postroom_testkit::pop3::{FakePop3, Kept};
use serde_json::Value;

const ANN: &str = "Ann <ann@example.org>";

/// Adds a mailbox on localhost that trusts nothing of its own yet.
fn add(desk: &Desk, name: &str, port: u16, options: &[&str]) -> Value {
    let (port, password) = (port.to_string(), desk.file("password", PASSWORD.as_bytes()));
    let fixed =
        ["mailbox", "add", name, "--host", "localhost", "--allow-private-host", "--user", "ann", "--port", &port];
    let password = ["--password-file", password.to_str().unwrap()];
    desk.ok(&[&fixed[..], &password, options].concat()).remove(0)
}

const IMAPS: [&str; 4] = ["--protocol", "imap", "--security", "ssl"];

fn codes(warnings: &Value) -> Vec<&str> {
    warnings.as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn a_certificate_is_shown_and_trusted_in_one_step() {
    let Some(dovecot) = Dovecot::start_with(CertificateKind::SelfSigned) else { return };
    dovecot.fill("ann", &[message(ANN, "one", ""), message(ANN, "two", "")]).unwrap();
    let desk = Desk::furnished();
    add(&desk, "in box", dovecot.imaps_port, &IMAPS);
    // The test of the connection shows what the server shows, and the command that trusts it.
    let output = desk.run(&["--json", "mailbox", "test", "in box"]);
    assert_eq!(output.status.code(), Some(1));
    let steps = lines(&output.stdout);
    let tls = steps.last().unwrap();
    assert_eq!((&tls["step"], &tls["code"]), (&"tls".into(), &"CERT_UNTRUSTED".into()));
    let fingerprint = tls["chain"][0]["sha256"].as_str().unwrap().to_owned();
    let command = format!("postroom mailbox trust 'in box' --fingerprint {fingerprint}");
    assert!(tls["help"].as_str().unwrap().contains(&command), "{tls}");
    // So does a visit, also later on the page of mailboxes and in the list.
    let visit = lines(&desk.run(&["--json", "fetch"]).stdout).remove(0);
    assert!(visit["error"]["help"].as_str().unwrap().contains(&command), "{visit}");
    let listed = desk.ok(&["mailbox", "list"]).remove(0);
    assert!(listed["last_visit"]["error"]["help"].as_str().unwrap().contains(&command), "{listed}");
    // A look at the server, before there is a mailbox.
    for (server, starttls) in [
        (format!("localhost:{}", dovecot.imaps_port), None),
        (format!("127.0.0.1:{}", dovecot.pop3s_port), None),
        (format!("localhost:{}", dovecot.imap_port), Some("imap")),
        (format!("localhost:{}", dovecot.pop3_port), Some("pop3")),
    ] {
        let starttls: Vec<&str> = starttls.map_or_else(Vec::new, |protocol| vec!["--starttls", protocol]);
        let shown = Desk::new().ok(&[&["certificate", "fetch", &server], &starttls[..]].concat());
        assert_eq!(
            (shown.len(), &shown[0]["trusted"], &shown[0]["position"]),
            (1, &false.into(), &0.into()),
            "{server}"
        );
        assert_eq!((&shown[0]["sha256"], &shown[0]["code"]), (&fingerprint.as_str().into(), &"CERT_UNTRUSTED".into()));
        assert!(shown[0]["not_after"].is_string() && shown[0]["pem"].as_str().unwrap().starts_with("-----BEGIN"));
    }
    // Only who knows the fingerprint can say that it is right.
    assert_eq!(desk.error(&["mailbox", "trust", "in box"]), ("FINGERPRINT_NEEDED".into(), 1));
    assert_eq!(desk.error(&["mailbox", "trust", "in box", "--fingerprint", &"0".repeat(64)]).0, "FINGERPRINT_DIFFERS");
    assert!(desk.ok(&["certificate", "list"]).is_empty());
    let colons: Vec<&str> = (0..32).map(|at| &fingerprint[at * 2..at * 2 + 2]).collect();
    let trusted = &desk.ok(&["mailbox", "trust", "in box", "--fingerprint", &colons.join(":").to_uppercase()])[0];
    assert_eq!((&trusted["changed"], &trusted["sha256"]), (&true.into(), &fingerprint.as_str().into()));
    assert_eq!(desk.ok(&["mailbox", "trust", "in box"])[0]["changed"], false, "there is nothing left to do");
    let steps = desk.ok(&["mailbox", "test", "in box"]);
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["resolve", "connect", "tls", "login", "folder"]);
    assert_eq!(
        (&steps[4]["messages"], &steps[4]["takes"]["new"], &steps[4]["takes"]["all"]),
        (&2.into(), &0.into(), &2.into())
    );
    assert_eq!(steps[4]["takes"]["since"]["messages"], 2);
    assert_eq!(steps[2]["chain"][0]["sha256"], fingerprint.as_str());
}

#[test]
fn a_replaced_certificate_waits_for_a_person_and_takes_the_place_of_the_old_one() {
    let desk = Desk::furnished();
    let Some(old) = Dovecot::start_with(CertificateKind::SelfSigned) else { return };
    let Some(new) = Dovecot::start_with(CertificateKind::SelfSigned) else { return };
    for dovecot in [&old, &new] {
        dovecot.fill("ann", &[message(ANN, "hello", "")]).unwrap();
    }
    let pem = desk.file("old.pem", old.certificate.chain_pem.as_bytes());
    add(&desk, "desk", old.imaps_port, &IMAPS);
    let was = desk.ok(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", "desk"]).remove(0);
    desk.ok(&["fetch"]);
    // Another server with another certificate, as after a renewal.
    desk.ok(&["mailbox", "set", "desk", "--port", &new.imaps_port.to_string()]);
    let visit = lines(&desk.run(&["--json", "fetch"]).stdout).remove(0);
    assert_eq!(visit["error"]["code"], "CERT_CHANGED");
    let text = visit["error"]["message"].as_str().unwrap();
    let help = visit["error"]["help"].as_str().unwrap();
    let now = help.split("--fingerprint ").nth(1).unwrap().split('`').next().unwrap();
    assert!(text.contains(was["sha256"].as_str().unwrap()) && text.contains(now) && text.contains("valid"), "{text}");
    let trusted = desk.ok(&["mailbox", "trust", "desk", "--fingerprint", now]).remove(0);
    assert_eq!(trusted["replaced"], serde_json::json!([was["sha256"]]));
    let listed = desk.ok(&["certificate", "list"]);
    assert_eq!((listed.len(), &listed[0]["sha256"]), (1, &now.into()));
    assert!(lines(&desk.run(&["--json", "fetch"]).stdout)[0]["error"].is_null());
}

/// C6: TLS that was seen on a host is required there from then on, whichever mailbox, port and protocol saw it.
#[test]
fn c6_tls_once_seen_on_a_host_is_required_by_all_its_mailboxes() {
    let Some(dovecot) = Dovecot::start_with(CertificateKind::SelfSigned) else { return };
    let (clear, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    dovecot.maildir("ann").unwrap();
    clear.maildrop().messages = vec![Kept { uidl: Some("u1".into()), octets: message(ANN, "one", "") }];
    let wished = ["--protocol", "pop3", "--security", "tls-if-available", "--start", "all"];
    add(&desk, "wished", clear.port, &wished);
    assert!(desk.ok(&["fetch"])[0]["error"].is_null());
    assert_eq!(clear.maildrop().take_count("PASS"), 1);
    // It works, and it is said loudly what that means.
    assert_eq!(codes(&desk.ok(&["mailbox", "list"])[0]["warnings"]), ["IN_CLEAR"]);
    let test = desk.ok(&["mailbox", "test", "wished"]);
    assert_eq!((&test[2]["protection"], codes(&test[2]["warnings"])), (&"clear".into(), vec!["IN_CLEAR"]));
    let text = String::from_utf8(desk.run(&["mailbox", "list"]).stdout).unwrap();
    assert!(text.contains("WARNING [IN_CLEAR] wished: "), "{text}");
    for command in ["USER", "PASS"] {
        clear.maildrop().take_count(command);
    }
    // Another mailbox of the same host meets TLS.
    desk.add_mailbox(&dovecot, "other", "ann", &[]);
    desk.ok(&["fetch", "other"]);
    let visit = lines(&desk.run(&["--json", "fetch", "wished"]).stdout).remove(0);
    assert_eq!(visit["error"]["code"], "TLS_DOWNGRADE");
    for command in ["USER", "PASS"] {
        assert_eq!(clear.maildrop().take_count(command), 0, "nothing was sent");
    }
    // Who wants clear text all the same has to say so.
    desk.ok(&["mailbox", "set", "wished", "--security", "none", "--port", &clear.port.to_string()]);
    assert!(desk.ok(&["fetch", "wished"])[0]["error"].is_null());
}

#[test]
fn clear_text_by_choice_is_said_when_a_mailbox_is_added() {
    let desk = Desk::furnished();
    let password = desk.file("p", b"x");
    let add = ["mailbox", "add", "clear", "--protocol", "imap", "--host", "imap.example.org", "--security", "none"];
    let rest = ["--user", "u", "--password-file", password.to_str().unwrap()];
    let text = String::from_utf8(desk.run(&[&add[..], &rest].concat()).stdout).unwrap();
    assert!(text.contains("WARNING [IN_CLEAR]: the password and all mail go over the network IN CLEAR"), "{text}");
    // The words of the original product.
    for (word, meant) in [("implicit-tls", "ssl"), ("tls", "starttls"), ("tls-if-available", "starttls-if-available")] {
        let set = &desk.ok(&["mailbox", "set", "clear", "--security", word])[0];
        assert_eq!(set["access"]["security"], meant);
    }
    assert_eq!(desk.error(&["mailbox", "trust", "clear", "--fingerprint", "x"]).0, "HOST_UNKNOWN");
    desk.ok(&["mailbox", "set", "clear", "--security", "none"]);
    assert_eq!(desk.error(&["mailbox", "trust", "clear", "--fingerprint", "x"]).0, "NO_CERTIFICATE");
}

#[test]
fn certificates_of_every_file_and_their_end() {
    let desk = Desk::furnished();
    let password = desk.file("p", b"x");
    let add = ["mailbox", "add", "desk", "--protocol", "imap", "--host", "imap.example.org", "--security", "ssl"];
    desk.ok(&[&add[..], &["--user", "u", "--password-file", password.to_str().unwrap()]].concat());
    let (good, past) =
        (Certificate::new(CertificateKind::SelfSigned).unwrap(), Certificate::new(CertificateKind::Expired).unwrap());
    // A keystore of Java with two certificates, and a check sum that fits no password.
    let entry = |der: &[u8]| {
        let length = u32::try_from(der.len()).unwrap().to_be_bytes();
        [&[0, 0, 0, 2, 0, 1, b'a'][..], &[0; 8], &[0, 5], b"X.509", &length, der].concat()
    };
    let head = [0xFEED_FEED_u32, 2, 2].map(u32::to_be_bytes).concat();
    let store = [head, entry(&good.der), entry(&past.der), vec![0; 20]].concat();
    let file = desk.file("imap.example.org.ks", &store);
    let file = file.to_str().unwrap();
    let wrong = desk.file("wrong", b"changeit\n");
    let wrong = ["certificate", "add", file, "--mailbox", "desk", "--password-file", wrong.to_str().unwrap()];
    assert_eq!(desk.error(&wrong), ("CERT_PASSWORD".into(), 1));
    assert!(desk.ok(&["certificate", "list"]).is_empty(), "all or nothing");
    let added = desk.ok(&["certificate", "add", file, "--mailbox", "desk"]);
    assert_eq!(added.len(), 2, "all are shown, all are imported");
    let listed = desk.ok(&["certificate", "list"]);
    let ends: Vec<&Value> = listed.iter().map(|one| &one["expires"]).collect();
    assert_eq!(ends, [&Value::Null, &Value::from("expired")]);
    assert_eq!(codes(&desk.ok(&["mailbox", "list"])[0]["warnings"]), ["CERT_EXPIRES"]);
    for (arguments, code) in [
        (["certificate", "fetch", "localhost"], "USAGE"),
        (["certificate", "fetch", "localhost:0"], "USAGE"),
        (["certificate", "fetch", ":993"], "USAGE"),
        (["certificate", "fetch", "nonexistent.invalid:993"], "HOST_UNKNOWN"),
    ] {
        assert_eq!(desk.error(&arguments).0, code, "{arguments:?}");
    }
}

#[test]
fn the_servers_of_an_address_are_proposed() {
    let desk = Desk::new();
    let found = desk.ok(&["mailbox", "discover", "Pat.O'Hara@GMX.de"]);
    let first = &found[0];
    assert_eq!(
        (&first["protocol"], &first["host"], &first["port"]),
        (&"imap".into(), &"imap.gmx.net".into(), &993.into())
    );
    assert_eq!((&first["security"], &first["from"][0]), (&"ssl".into(), &"provider".into()));
    let command = first["command"].as_str().unwrap();
    assert!(
        command.starts_with(r"postroom mailbox add 'Pat.O'\''Hara' --protocol imap --host imap.gmx.net --security ssl"),
        "{command}"
    );
    assert!(command.ends_with("--password-stdin"), "no password in an argument");
    let microsoft = &desk.ok(&["mailbox", "discover", "pat@outlook.com"])[0];
    assert_eq!((&microsoft["needs"], &microsoft["command"]), (&"oauth".into(), &Value::Null));
    for (address, code) in [
        ("nobody", "ADDRESS_INVALID"),
        ("a b@c", "ADDRESS_INVALID"),
        ("x@[127.0.0.1]", "ADDRESS_INVALID"),
        ("x@tuta.com", "SETTINGS_UNKNOWN"),
    ] {
        assert_eq!(desk.error(&["mailbox", "discover", address]).0, code, "{address}");
    }
    assert!(!desk.path().join("data").exists(), "nothing was saved");
}

/// What the name service says of a domain that is in no table: SRV records, and whose servers take its mail.
#[test]
fn the_name_service_is_asked_about_other_domains() {
    let zone = "_imaps._tcp.corp.example SRV 10 5 993 mail.corp.example\n\
                _imaps._tcp.corp.example SRV 5 0 1993 first.corp.example\n\
                _pop3s._tcp.corp.example SRV 0 0 0 .\n\
                corp.example MX 10 other.example\n\
                hosted.example MX 20 b.example\n\
                hosted.example MX 10 ASPMX.l.google.com\n";
    let names = NameServer::start(zone).unwrap();
    let desk = Desk::new();
    let discover = |address: &str| {
        let mut command = desk.command(&["--json", "mailbox", "discover", address]);
        let output = command.env("POSTROOM_DNS", names.address.to_string()).output().unwrap();
        lines(&output.stdout)
    };
    let found = discover("pat@corp.example");
    let hosts: Vec<_> =
        found.iter().map(|one| (one["host"].as_str().unwrap(), one["port"].as_u64().unwrap())).collect();
    assert_eq!(hosts, [("first.corp.example", 1993), ("mail.corp.example", 993)]);
    assert!(found[0]["command"].as_str().unwrap().contains("--port 1993"));
    assert_eq!(found[0]["from"], serde_json::json!(["srv"]));
    let hosted = discover("pat@hosted.example");
    assert_eq!((&hosted[0]["host"], &hosted[0]["from"][0]), (&"imap.gmail.com".into(), &"mx".into()));
    assert!(names.asked() >= 10, "all of it was asked here");
}
