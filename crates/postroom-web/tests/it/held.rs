//! Held mail: by reason, read safely, and what is done with it.

use crate::app::{App, EVERYBODY, Who};
use axum::http::StatusCode;

#[tokio::test]
async fn held_mail_stands_by_reason_and_says_why() {
    let app = App::new().await;
    let page = app.get(Who::Manager, "/held").await.text();
    for expected in ["I am away", "It is automatic mail: an automatic reply", "Automatic mail <span class=\"code\">1"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let page = app.get(Who::Manager, "/held?reason=AUTOMATIC_MAIL").await.text();
    assert!(page.contains("release what somebody needs to see"), "{page}");
    assert!(app.get(Who::Manager, "/held?reason=STORM").await.text().contains("Nothing is held"));
    assert!(!app.get(Who::Outsider, "/held").await.text().contains("I am away"));
    assert!(
        !page.contains("value=\"delete\"") && app.get(Who::Admin, "/held").await.text().contains("value=\"delete\"")
    );
}

#[tokio::test]
async fn a_held_message_is_read_as_plain_text() {
    let app = App::new().await;
    let mail = "From: x@y.example\r\nSubject: Look\r\nAuto-Submitted: auto-replied\r\nContent-Type: text/html\r\n\r\n\
                <p>Click <a href=\"https://evil.example/x\">here</a></p><script>alert(1)</script>\
                <img src=\"https://evil.example/track.png\">\r\n";
    let held = app.bring("3", mail).await;
    let page = app.get(Who::Manager, &format!("/receipts/{}", held.receipt)).await.text();
    assert!(page.contains("What it says") && page.contains("Click"), "{page}");
    for never in ["href=\"https://evil.example", "src=\"https://evil.example", "alert(1)"] {
        assert!(!page.contains(never), "{never}: {page}");
    }
    // What became an item is read there.
    assert!(!app.get(Who::Manager, "/receipts/1").await.text().contains("What it says"));
}

/// A deed, and the status for nobody, outsider, participant, reader, manager, admin – asked in this order of one house.
const DEEDS: &[(&str, [u16; 6])] = &[
    ("do=retry", [303, 404, 404, 404, 303, 409]),
    ("do=release&workspace=SUP", [303, 404, 404, 404, 303, 409]),
    ("do=release", [303, 404, 404, 404, 303, 409]),
    ("do=always", [303, 404, 404, 404, 404, 303]),
    ("do=block", [303, 404, 404, 404, 404, 303]),
    ("do=delete", [303, 404, 404, 404, 404, 303]),
    ("do=nonsense", [303, 400, 400, 400, 400, 400]),
];

#[tokio::test]
async fn every_deed_answers_everybody_as_it_should() {
    for (deed, expected) in DEEDS {
        let app = App::new().await;
        for (who, expected) in EVERYBODY.iter().zip(expected) {
            let answer = app.post(*who, "/receipts/2", deed).await;
            assert_eq!(answer.status.as_u16(), *expected, "{deed} for {who:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn several_messages_are_handled_at_once() {
    let app = App::new().await;
    for n in 3..6 {
        let mail = format!("From: a{n}@b.example\r\nSubject: away {n}\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n");
        app.bring(&n.to_string(), mail).await;
    }
    let answer = app
        .post(Who::Manager, "/held", "do=release&receipt=3&receipt=4&receipt=1&receipt=x&reason=AUTOMATIC_MAIL")
        .await;
    assert_eq!(answer.header("location"), "/held?reason=AUTOMATIC_MAIL&done=2&failed=2");
    let page = app.get(Who::Manager, answer.header("location")).await.text();
    assert!(page.contains("Done with 2 messages.") && page.contains("With 2 messages it could not be done"), "{page}");
    assert_eq!(app.house.work_off().await.len(), 2);
    let page = app.get(Who::Manager, "/held").await.text();
    assert!(page.contains("away 5") && !page.contains("away 3"), "{page}");

    // Blocked: the next of this sender is held for that; deleted: nothing is left of it.
    app.post(Who::Admin, "/held", "do=block&receipt=5").await;
    let next = app.bring("6", "From: a5@b.example\r\nSubject: again\r\n\r\nx\r\n").await;
    assert_eq!(
        app.house.store.receipt(next.receipt).await.unwrap().reason,
        Some(postroom_domain::Reason::SenderBlocked)
    );
    app.post(Who::Admin, "/held", "do=delete&receipt=5").await;
    assert!(!app.get(Who::Admin, "/held").await.text().contains("away 5"));
    for who in [Who::Outsider, Who::Participant, Who::Reader] {
        let answer = app.post(who, "/held", "do=release&receipt=2").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/held?failed=1"), "{who:?}");
    }
    assert!(app.house.work_off().await.is_empty());
}

#[tokio::test]
async fn what_would_become_of_a_message_is_told_and_nothing_is_written() {
    let app = App::new().await;
    let page = app.get(Who::Manager, "/receipts/2/try").await.text();
    assert!(page.contains("It would be held: it is automatic mail"), "{page}");
    let page = app.get(Who::Manager, "/receipts/1/try").await.text();
    assert!(page.contains("It would become a new item in SUP."), "{page}");
    assert!(app.house.work_off().await.is_empty());
    assert!(app.get(Who::Admin, "/audit").await.text().contains("<code>user.add</code>"));
}
