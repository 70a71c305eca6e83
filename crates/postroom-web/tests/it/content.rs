//! What stands on the pages: hostile mail shown safely, files handed out safely.

use crate::app::{App, Who};
use jiff::Timestamp;
use postroom_domain::connection::{CertificateDates, ConnectionSeen};
use postroom_mail::{Access, AuthMethod, Security, ServerAccess};
use postroom_store::MailboxChange;

#[tokio::test]
async fn hostile_words_are_only_words() {
    let app = App::new().await;
    for path in ["/", "/items/1", "/receipts", "/receipts/1", "/items/1/original/1"] {
        let page = app.get(Who::Admin, path).await.text();
        assert!(page.contains("&#60;script&#62;alert(&#39;subject&#39;)"), "{path}: the subject is there, escaped");
        assert!(!page.contains("<script>"), "{path}: nothing of the mail is markup");
        assert!(!page.contains("evil.example/track") || path.contains("original"), "{path}");
    }
    let page = app.get(Who::Admin, "/items/1").await.text();
    assert!(page.contains("sandbox=\"\""));
    assert!(!page.contains("<b>ü"), "the file name is escaped");
}

#[tokio::test]
async fn the_search_box_shows_what_was_searched_for_as_text() {
    let app = App::new().await;
    for query in ["%22%3E%3Cscript%3E", "%00", "AND%20OR%20NOT%20NEAR(", "%22", "*", "'%3B--", "%F0%9F%93%AE"] {
        let answer = app.get(Who::Admin, &format!("/?q={query}")).await;
        assert_eq!(answer.status.as_u16(), 200, "{query}");
        assert!(!answer.text().contains("\"><script>"), "{query}");
    }
}

#[tokio::test]
async fn the_frame_is_sealed_and_shows_only_its_own_pictures() {
    let app = App::new().await;
    let answer = app.get(Who::Reader, "/items/1/html/description").await;
    let policy = answer.header("content-security-policy");
    for directive in ["default-src 'none'", "img-src data:", "form-action 'none'", "frame-ancestors 'self'", "sandbox"]
    {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("allow-"));
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let page = answer.text();
    assert!(page.contains("<b>there</b>"));
    assert!(page.contains("src=\"data:image/png;base64,iVBORw0KGgo=\""), "{page}");
    for gone in ["cid:", "<script", "evil.example"] {
        assert!(!page.contains(gone), "{gone} in {page}");
    }
}

#[tokio::test]
async fn files_are_handed_out_as_downloads() {
    let app = App::new().await;
    let item = app.house.store.item(1).await.unwrap();
    let file = |inline: bool| item.attachments.iter().find(|file| file.inline == inline).unwrap();
    let (logo, page) = (file(true), file(false));
    for (path, content_type, disposition) in [
        (format!("/attachments/{}", logo.id), "image/png", "attachment; filename=\"logo.png\""),
        (format!("/attachments/{}?inline=1", logo.id), "image/png", "inline; filename=\"logo.png\""),
        (format!("/attachments/{}", page.id), "text/html", "attachment; "),
        // A page is no picture, whoever asks for it inline.
        (format!("/attachments/{}?inline=1", page.id), "text/html", "attachment; "),
    ] {
        let answer = app.get(Who::Reader, &path).await;
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert!(answer.header("content-disposition").starts_with(disposition), "{path}");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let name = app.get(Who::Reader, &format!("/attachments/{}", page.id)).await;
    assert!(name.header("content-disposition").contains("filename*=UTF-8''"));
    assert!(!name.header("content-disposition").contains('<'));
}

#[tokio::test]
async fn originals_are_handed_out_as_they_came() {
    let app = App::new().await;
    for path in ["/items/1/original/1/raw", "/receipts/1/raw"] {
        let answer = app.get(Who::Manager, path).await;
        assert_eq!(answer.octets, crate::app::FIRST.as_bytes(), "{path}");
        assert_eq!(answer.header("content-type"), "message/rfc822");
        assert!(answer.header("content-disposition").starts_with("attachment; "));
    }
}

#[tokio::test]
async fn a_comment_shows_what_its_author_wrote_and_folds_the_quotation() {
    let app = App::new().await;
    let reply = "From: Manager <manager@demo.example>\r\nSubject: Re: [#1] hello\r\n\r\n\
                 It is done, see https://demo.example/x.\r\n\r\nOn Monday, Participant wrote:\r\n> Hello there\r\n";
    app.bring("reply", reply).await;
    let page = app.get(Who::Reader, "/items/1").await.text();
    let before = page.split("Show the quotation").next().unwrap();
    assert!(before.contains("It is done, see"), "{page}");
    assert!(!before.contains("&#62; Hello there"), "the quotation is folded away");
    assert!(page.contains("&#62; Hello there"), "but it is there");
    assert!(
        page.contains("<a href=\"https://demo.example/x\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">")
    );
    assert!(page.contains("Why is this here?"));
    assert!(page.contains("is registered here."));
}

#[tokio::test]
async fn long_lists_are_paged_without_gaps() {
    let app = App::new().await;
    for n in 0..70 {
        let mail = format!("From: a@customer.example\r\nSubject: Case x{n:03}\r\n\r\nText {n}\r\n");
        app.bring(&format!("case-{n}"), mail).await;
    }
    for (path, marker) in [("/", "data-key=\"item-"), ("/receipts", "data-key=\"receipt-")] {
        let first = app.get(Who::Admin, path).await.text();
        assert_eq!(first.matches(marker).count(), 50, "{path}");
        let older =
            first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let second = app.get(Who::Admin, &older).await.text();
        let both = first + &second;
        for n in 0..70 {
            assert_eq!(both.matches(&format!(">Case x{n:03}<")).count(), 1, "{path}: case {n}");
        }
        assert!(second.contains(">Newest<") && !second.contains(">Older<"), "{path}");
    }
}

#[tokio::test]
async fn mailboxes_say_how_they_are_doing() {
    let app = App::new().await;
    let page = app.get(Who::Admin, "/mailboxes").await.text();
    assert!(page.contains(">well<") && page.contains("Maildir"), "{page}");
    app.house
        .fail_visit(app.desk.as_ref().unwrap(), "LOGIN_REFUSED", "the server says no", "nothing was deleted; see `x`")
        .await;
    let page = app.get(Who::Admin, "/mailboxes").await.text();
    for expected in [">failing<", "The server says no", "LOGIN_REFUSED", "<code>x</code>", "1 visit has failed"] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}

/// A mailbox that works and whose mail goes in clear, over a connection whose certificate runs out.
#[tokio::test]
async fn mailboxes_say_what_should_be_known_of_them() {
    let app = App::new().await;
    let server = ServerAccess {
        host: "mail.demo.example".to_owned(),
        port: 110,
        security: Security::None,
        user: "desk".to_owned(),
        auth: AuthMethod::Auto,
        allow_private_host: false,
    };
    let change = MailboxChange { access: Some(Access::Pop3(server)), ..MailboxChange::default() };
    let desk = app.desk.as_ref().unwrap();
    app.house.store.update_mailbox(&desk.name, change, Timestamp::now()).await.unwrap();
    let dates = CertificateDates { fingerprint: "ab".repeat(32), not_after: Timestamp::now() };
    let seen = ConnectionSeen { protected: true, certificate: Some(dates) };
    app.house.store.saw_connection(desk.id, seen, Timestamp::now()).await.unwrap();
    let page = app.get(Who::Admin, "/mailboxes").await.text();
    for expected in ["go over the network IN CLEAR, as configured", "(SHA-256 abababababababab…) expired on"] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}

#[tokio::test]
async fn empty_pages_teach() {
    let dir = tempfile::tempdir().unwrap();
    let house = crate::house::House::new(dir.path());
    let admin = house.user("admin@demo.example", "", true, &[]).await;
    let app = crate::app::App::of(house, &[(Who::Admin, admin)]).await;
    for (path, expected) in [
        ("/", "postroom workspace add"),
        ("/receipts", "No mail yet"),
        ("/receipts?state=held", "Nothing of that kind"),
        ("/mailboxes", "postroom mailbox add"),
    ] {
        assert!(app.get(Who::Admin, path).await.text().contains(expected), "{path}");
    }
    app.house.workspace("SUP", "Support", true).await;
    for (path, expected) in
        [("/", "No items yet"), ("/?q=nothing", "Nothing found"), ("/?status=closed", "Nothing here")]
    {
        assert!(app.get(Who::Admin, path).await.text().contains(expected), "{path}");
    }
}

/// The pages speak the language that the browser asks for, whole.
#[tokio::test]
async fn a_german_browser_gets_german_pages() {
    let app = App::new().await;
    for (path, expected) in [
        ("/", "Vorgänge"),
        ("/items/1", "Beteiligte"),
        ("/receipts", "Zurückgehalten"),
        ("/receipts/2", "Dieses Postfach hält solche Mail zurück."),
        ("/mailboxes", "in Ordnung"),
        ("/nowhere", "Diese Seite gibt es nicht"),
    ] {
        let request =
            app.request(Who::Admin, axum::http::Method::GET, path).header("accept-language", "de-AT,en;q=0.5");
        let page = app.send(request.body(axum::body::Body::empty()).unwrap()).await.text();
        assert!(page.contains("<html lang=\"de\">") && page.contains(expected), "{path}: {page}");
        assert!(page.contains("Zum Inhalt springen") && !page.contains("Skip to the content"), "{path}");
    }
}

#[tokio::test]
async fn a_mailbox_is_paused_and_goes_on_from_its_page() {
    let app = App::new().await;
    let page = app.get(Who::Admin, "/mailboxes/desk").await.text();
    assert!(page.contains("1 filed, 1 held, 0 waiting") && page.contains("value=\"visit\""), "{page}");
    for (deed, state, next) in [("pause", ">paused<", "value=\"resume\""), ("resume", ">well<", "value=\"pause\"")] {
        let answer = app.post(Who::Admin, "/mailboxes/desk", &format!("do={deed}")).await;
        assert_eq!(answer.header("location"), "/mailboxes/desk", "{deed}");
        let page = app.get(Who::Admin, "/mailboxes/desk").await.text();
        assert!(page.contains(state) && page.contains(next), "{deed}: {page}");
    }
    for (deed, status) in [("nonsense", 400), ("pause", 404)] {
        let who = if status == 400 { Who::Admin } else { Who::Manager };
        assert_eq!(app.post(who, "/mailboxes/desk", &format!("do={deed}")).await.status.as_u16(), status);
    }
}
