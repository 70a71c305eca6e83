#![allow(clippy::unwrap_used)]

use super::*;
use crate::{AutomaticMail, GlobalPolicy, MailboxPolicy, Switch};

#[test]
fn a_setting_is_changed_by_its_name() {
    let now = GlobalPolicy::default();
    assert!(with(&now, "unknown-senders", "on").unwrap().unknown_senders);
    assert!(!with(&now, "submissions", "off").unwrap().submissions);
    assert_eq!(with(&now, "limits.automatic-per-sender", "3").unwrap().limits.automatic_per_sender, 3);
    for (text, patterns) in [
        (r"[^@\T]@bosch\.com", vec![r"[^@\T]@bosch\.com"]),
        (r#"["@a\\.example", "@b\\.example{1,2}"]"#, vec![r"@a\.example", r"@b\.example{1,2}"]),
        ("@a.example  @b.example", vec!["@a.example", "@b.example"]),
        ("", vec![]),
    ] {
        assert_eq!(with(&now, "allowed_domains", text).unwrap().allowed.allowed_domains, patterns, "{text}");
    }
    let mailbox = MailboxPolicy::default();
    assert_eq!(with(&mailbox, "unknown-senders", "yes").unwrap().unknown_senders, Switch::Yes);
    assert_eq!(with(&mailbox, "automatic", "hold").unwrap().automatic, AutomaticMail::Hold);
}

#[test]
fn what_is_no_setting_or_no_value_is_refused_with_what_there_is() {
    let now = GlobalPolicy::default();
    for (name, value, says) in [
        ("unknown", "on", "there is no setting `unknown`; there are "),
        ("", "on", "allowed-domains, "),
        ("x", "1", "arc-sealers, authentication, authserv-ids, automatic-per-item, "),
        ("limits.none", "1", "there is no setting `none`; "),
        ("limits.none", "1", "automatic-per-mailbox, automatic-per-sender, "),
        ("submissions.x", "1", "no setting"),
        ("submissions", "perhaps", "`perhaps` is no value of submissions: it must be on or off"),
        (
            "limits.automatic-per-sender",
            "many",
            "`many` is no value of automatic-per-sender: it must be a whole number",
        ),
        ("limits.automatic-per-sender", "-1", "whole number"),
        ("authentication.checks", "none", "`none` is no value of authentication: it must be off, headers, full"),
    ] {
        let error = with(&now, name, value).unwrap_err().to_string();
        assert!(error.contains(says), "{name}={value}: {error}");
    }
}
