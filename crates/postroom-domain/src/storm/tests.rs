#![allow(clippy::unwrap_used)]

use super::*;

fn storms() -> Vec<Storm> {
    vec![
        Storm::AutomaticSender("ann@example.org".to_owned()),
        Storm::AutomaticItem(7),
        Storm::AutomaticMailbox(MailboxId(3)),
        Storm::Sender("\"a b\"@example.org".to_owned()),
    ]
}

#[test]
fn a_storm_is_kept_as_text() {
    for storm in storms() {
        assert_eq!(storm.to_string().parse(), Ok(storm));
    }
    for text in ["", "automatic-per-item", "automatic-per-item x", "other 7"] {
        assert_eq!(text.parse::<Storm>(), Err(NotAStorm), "{text}");
    }
}

#[test]
fn each_limit_is_reached_by_its_own_count() {
    let limits = Limits::default();
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for storm in storms() {
        let most = storm.limit(&limits);
        let arrivals = |count| Arrivals { at: Some(at), counts: vec![(storm.clone(), count)], waited: false };
        let held = |arrivals: &Arrivals| arrivals.storm(&limits, |_| true).is_some();
        assert!(!held(&arrivals(most - 1)), "{storm}");
        assert!(held(&arrivals(most)), "{storm}");
        assert!(!held(&Arrivals { at: None, ..arrivals(most) }), "{storm}: old mail is no storm");
        let reached = arrivals(most);
        assert!(reached.storm(&limits, |_| false).is_none());
        let (_, words) = reached.storm(&limits, |_| true).unwrap();
        assert!(words.contains(storm.name()) && words.contains("2026-03-01 13:00 UTC"), "{words}");
    }
}

#[test]
fn a_persons_mail_and_list_mail_have_only_the_limit_that_no_person_reaches() {
    let kinds = |automatic| {
        let message = Message { auto_submitted: automatic, ..Message::default() };
        let storms = storms_of(&message, Some("a@example.org"), MailboxId(1));
        storms.iter().map(Storm::name).collect::<Vec<_>>()
    };
    assert_eq!(kinds(false), ["mail-per-sender"]);
    assert_eq!(kinds(true), ["automatic-per-sender", "automatic-per-mailbox", "mail-per-sender"]);
    let nobody = Message { auto_submitted: true, ..Message::default() };
    assert_eq!(storms_of(&nobody, None, MailboxId(1)), [Storm::AutomaticMailbox(MailboxId(1))]);
}
