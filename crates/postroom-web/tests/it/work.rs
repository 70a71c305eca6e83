//! Working on items from the pages: who may do what, what is said, and how it is taken back.

use crate::app::{Answer, App, EVERYBODY, Who};
use axum::http::StatusCode;

/// A form of an item, and the status for nobody, outsider, participant, reader, manager, admin – asked in this order of one house.
const FORMS: &[(&str, [u16; 6])] = &[
    ("do=close", [303, 404, 404, 404, 303, 303]),
    ("do=reopen", [303, 404, 404, 404, 303, 303]),
    ("do=assign&to=manager%40demo.example", [303, 404, 404, 404, 303, 303]),
    ("do=tag&tag=vip", [303, 404, 404, 404, 303, 303]),
    ("do=untag&untag=vip", [303, 404, 404, 404, 303, 303]),
    ("do=admit&address=kim%40customer.example", [303, 404, 404, 404, 303, 303]),
    ("do=drop&drop=kim%40customer.example", [303, 404, 404, 404, 303, 303]),
    ("do=comment&text=Hello", [303, 404, 303, 404, 303, 303]),
    ("do=note&text=Among+us", [303, 404, 404, 404, 303, 303]),
    ("do=undo&change=999", [303, 404, 404, 404, 404, 404]),
    ("do=move&workspace=OPS", [303, 404, 404, 404, 404, 303]),
    ("do=nonsense", [303, 400, 400, 400, 400, 400]),
];

#[tokio::test]
async fn every_form_of_an_item_answers_everybody_as_it_should() {
    for (form, expected) in FORMS {
        let app = App::new().await;
        if form.starts_with("do=drop") {
            let now = jiff::Timestamp::now();
            for who in ["kim@customer.example", "lee@customer.example"] {
                app.house.store.add_participant(1, who, None, now).await.unwrap();
            }
        }
        for (who, expected) in EVERYBODY.iter().zip(expected) {
            let form = if *who == Who::Admin { form.replace("drop=kim", "drop=lee") } else { (*form).to_owned() };
            let answer = app.post(*who, "/items/1", &form).await;
            assert_eq!(answer.status.as_u16(), *expected, "{form} for {who:?}: {}", answer.text());
            if answer.status == StatusCode::SEE_OTHER {
                let to = if *who == Who::Nobody { "/signin" } else { "/items/1" };
                assert!(answer.header("location").starts_with(to), "{form} for {who:?}");
            }
        }
    }
}

async fn follow(app: &App, who: Who, answer: Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    app.get(who, answer.header("location")).await.text()
}

/// What the form that takes something back says of which change.
fn undo_in(page: &str) -> String {
    let flash = page.split("flash").nth(1).expect("what was done is said");
    flash.split("name=\"change\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_done_is_said_and_taken_back() {
    let app = App::new().await;
    for (form, said, shown) in [
        ("do=close", "closed it.", "<span class=\"tag\">closed</span>"),
        (
            "do=assign&to=manager%40demo.example",
            "assigned it to manager@demo.example.",
            "<dd>manager@demo.example</dd>",
        ),
        ("do=tag&tag=Urgent", "tagged it urgent.", "value=\"urgent\""),
    ] {
        let answer = app.post(Who::Manager, "/items/1", form).await;
        let page = follow(&app, Who::Manager, answer).await;
        assert!(page.contains(said) && page.contains(shown), "{form}: {page}");
        let undo = format!("do=undo&change={}", undo_in(&page));
        let answer = app.post(Who::Manager, "/items/1", &undo).await;
        let page = follow(&app, Who::Manager, answer).await;
        assert!(!page.contains(shown) && !page.contains("flash"), "{form}: {page}");
        let again = app.post(Who::Manager, "/items/1", &undo).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{form}");
    }
    // What a reader may see of it has no buttons.
    let page = app.get(Who::Reader, "/items/1?done=1").await.text();
    assert!(page.contains("closed it") && !page.contains("name=\"do\"") && !page.contains("flash"), "{page}");
    let page = app.get(Who::Participant, "/items/1").await.text();
    assert!(
        !page.contains("closed it") && page.contains("value=\"comment\"") && !page.contains("value=\"note\""),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_what_was_typed_stays() {
    let app = App::new().await;
    for (form, field, problem) in [
        ("do=tag&tag=two+words", "id=\"tag-problem\"", "two words"),
        ("do=comment&text=++", "id=\"text-problem\"", ""),
        ("do=admit&address=nonsense", "id=\"address-problem\"", "nonsense"),
        ("do=assign&to=reader%40demo.example", "id=\"to-problem\"", ""),
    ] {
        let answer = app.post(Who::Manager, "/items/1", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        let page = answer.text();
        assert!(page.contains(field) && page.contains(problem) && page.contains("autofocus"), "{form}: {page}");
        assert!(page.contains("id=\"text\""), "it is the page of the item: {page}");
    }
}

#[tokio::test]
async fn a_note_is_among_the_members() {
    let app = App::new().await;
    app.post(Who::Manager, "/items/1", "do=note&text=Careful+with+them").await;
    app.post(Who::Manager, "/items/1", "do=comment&text=We+look+into+it").await;
    for (who, note) in [(Who::Participant, false), (Who::Reader, true), (Who::Admin, true)] {
        let page = app.get(who, "/items/1").await.text();
        assert!(page.contains("We look into it"), "{who:?}");
        assert_eq!(page.contains("Careful with them"), note, "{who:?}");
        assert_eq!(page.contains("internal note</span>"), note, "{who:?}");
    }
}

#[tokio::test]
async fn several_items_are_changed_at_once_and_taken_back_at_once() {
    let app = App::new().await;
    for n in 2..4 {
        app.bring(&format!("more{n}"), format!("From: a@b.example\r\nSubject: more {n}\r\n\r\nx\r\n")).await;
    }
    let answer = app.post(Who::Manager, "/", "do=close&item=1&item=2&item=99&item=x&in=SUP&status=open").await;
    assert!(
        answer.header("location").starts_with("/?workspace=SUP&status=open&done="),
        "{}",
        answer.header("location")
    );
    let page = follow(&app, Who::Manager, answer).await;
    assert!(page.contains("2 items were changed.") && page.contains("1 item could not be changed"), "{page}");
    assert!(!page.contains("item-1\"") && page.contains("item-3\""), "{page}");
    let done = page.split("name=\"done\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let back = follow(&app, Who::Manager, app.post(Who::Manager, "/", &format!("do=undo&done={done}")).await).await;
    assert!(back.contains("item-1\"") && back.contains("item-2\""), "{back}");

    // A list of one's own, and of what nobody has.
    app.post(Who::Manager, "/", "do=assign&to=manager%40demo.example&item=2").await;
    for (filter, seen) in [("me", "item-2\""), ("nobody", "item-1\"")] {
        let page = app.get(Who::Manager, &format!("/?assigned={filter}")).await.text();
        assert_eq!(page.matches("data-key=\"item-").count(), if filter == "me" { 1 } else { 2 }, "{filter}");
        assert!(page.contains(seen), "{filter}");
    }
    assert_eq!(app.get(Who::Manager, "/?assigned=nonsense").await.status, StatusCode::BAD_REQUEST);

    // What one may not do is not done, here either.
    for who in [Who::Outsider, Who::Participant, Who::Reader] {
        let page = follow(&app, who, app.post(who, "/", "do=close&item=1").await).await;
        assert!(page.contains("1 item could not be changed"), "{who:?}");
        assert!(!page.contains("id=\"bulk\""), "{who:?}");
    }
    assert_eq!(app.house.store.item(1).await.unwrap().status, "open");
    assert_eq!(app.post(Who::Nobody, "/", "do=close&item=1").await.header("location"), "/signin");
}
