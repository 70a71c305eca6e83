#![allow(clippy::unwrap_used)]

use super::*;

fn storms() -> Vec<Storm> {
    let of = [
        StormOf::Sender("ann@example.org".to_owned()),
        StormOf::Sender("\"verified a\"@example.org".to_owned()),
        StormOf::Item(7),
        StormOf::Mailbox(MailboxId(3)),
    ];
    of.into_iter().flat_map(|of| [false, true].map(|verified| Storm { of: of.clone(), verified })).collect()
}

#[test]
fn a_storm_is_kept_as_text() {
    for storm in storms() {
        assert_eq!(storm.to_string().parse(), Ok(storm));
    }
    for text in ["", "automatic-per-item", "automatic-per-item x", "other 7", "mail-per-sender a@b.example"] {
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
fn a_persons_mail_and_list_mail_are_part_of_no_storm() {
    let storms = |automatic, author, verified| {
        let message = Message { auto_submitted: automatic, ..Message::default() };
        let storms = storms_of(&message, author, verified, MailboxId(1), [7].into_iter());
        storms.iter().map(Storm::to_string).collect::<Vec<_>>()
    };
    let ann = Some("a@example.org");
    assert_eq!(storms(false, ann, true), [""; 0]);
    let of_ann = ["automatic-per-sender a@example.org", "automatic-per-mailbox 1", "automatic-per-item 7"];
    assert_eq!(storms(true, ann, false), of_ann);
    assert_eq!(storms(true, None, true), ["automatic-per-mailbox verified 1", "automatic-per-item verified 7"]);
}
