//! Items as people use them: lists, search, moving, splitting.

use crate::support::*;
use postroom_domain::ItemSummary;
use postroom_store::{ItemCursor, ItemFilter, OutcomeKind, ReceiptFilter};

const ANN: &str = "ann@example.org";

fn numbers(items: &[ItemSummary]) -> Vec<i64> {
    let mut numbers: Vec<i64> = items.iter().map(|item| item.number).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn search_finds_words_and_survives_odd_queries() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        house.take(1, message(ANN, "Printer on fire", "It burns in Zürich, see http://printer.example/status")).await;
        house.take(2, message(ANN, "Ordering paper", "A4, please")).await;
        house.take(3, message(ANN, "Re: #2", "burning question: who pays? 50%_off")).await;
        house.take(4, message(ANN, "Ünïcode ẞ", "日本語 テキスト")).await;
        house.take(5, message(ANN, "", &"long ".repeat(60_000))).await;
        let cases: &[(&str, &[i64])] = &[
            ("", &[1, 2, 3, 4]),
            ("   ", &[1, 2, 3, 4]),
            ("printer", &[1]),
            ("PRINT", &[1]),
            ("burn", &[1, 2]),
            ("burns fire", &[1]),
            ("paper question", &[2]),
            ("status", &[1]),
            ("zürich", &[1]),
            ("日本語", &[3]),
            ("#2", &[2]),
            ("2", &[2]),
            ("who pays?", &[2]),
            ("50%_off", &[2]),
            ("nothing-of-the-kind", &[]),
            ("\"", &[]),
            ("'; DROP TABLE item; --", &[]),
            ("AND OR NOT", &[]),
            ("NEAR(a b)", &[]),
            ("printer*", &[1]),
            ("(", &[]),
            (":*", &[]),
            ("a & ! b", &[2]),
            ("\\", &[]),
            ("\u{0}", &[]),
            ("fire \u{0} printer", &[1]),
            ("-1", &[]),
            ("99999999999999999999", &[]),
        ];
        for (query, expected) in cases {
            let filter = ItemFilter { query: Some((*query).to_owned()), ..ItemFilter::default() };
            let found = house.store.items(filter).await;
            let found =
                found.unwrap_or_else(|error| panic!("{query:?}: {error}: {:?}", std::error::Error::source(&error)));
            assert_eq!(numbers(&found), *expected, "{query:?}");
        }
        let many = "word ".repeat(5_000);
        let found = house.store.items(ItemFilter { query: Some(many), ..ItemFilter::default() }).await.unwrap();
        assert!(found.is_empty());
    })
    .await;
}

#[tokio::test]
async fn lists_show_what_is_visible_page_by_page() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        for n in 1..=5 {
            house.take(n, message(ANN, &format!("Title {}", "x".repeat(n as usize)), &format!("  text\n{n} "))).await;
        }
        house.take(6, message("eve@evil.test", "held", "held")).await;
        let store = &house.store;
        store.move_item(2, &key("OPS"), noon()).await.unwrap();
        assert_eq!(store.move_item(9, &key("OPS"), noon()).await.unwrap_err().code(), "ITEM_UNKNOWN");
        assert_eq!(store.move_item(2, &key("NIX"), noon()).await.unwrap_err().code(), "WORKSPACE_UNKNOWN");

        let visible = |keys: &[&str]| ItemFilter {
            visible: Some(keys.iter().map(|k| key(k)).collect()),
            ..ItemFilter::default()
        };
        assert_eq!(numbers(&store.items(visible(&["OPS"])).await.unwrap()), [2]);
        assert_eq!(numbers(&store.items(visible(&["OPS", "SUP"])).await.unwrap()), [1, 2, 3, 4, 5]);
        assert!(store.items(visible(&[])).await.unwrap().is_empty());
        let in_sup = ItemFilter { workspace: Some(key("SUP")), status: Some("open".into()), ..ItemFilter::default() };
        assert_eq!(numbers(&store.items(in_sup).await.unwrap()), [1, 3, 4, 5]);
        let closed = ItemFilter { status: Some("closed".into()), ..ItemFilter::default() };
        assert!(store.items(closed).await.unwrap().is_empty());

        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = store.items(ItemFilter { after, limit: 2, ..ItemFilter::default() }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(ItemCursor::after(last));
            seen.extend(page.iter().map(|item| item.number));
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
        let first = &store.items(ItemFilter { limit: 1, ..ItemFilter::default() }).await.unwrap()[0];
        assert_eq!((first.preview.as_str(), first.comments, first.requester.user), ("text 5", 0, true));

        // Receipts follow their item into its workspace; held ones stay with their mailbox.
        let of = |k: &str| ReceiptFilter { workspaces: Some(vec![key(k)]), ..ReceiptFilter::default() };
        assert_eq!(store.receipts(of("OPS")).await.unwrap().len(), 1);
        assert_eq!(store.receipts(of("SUP")).await.unwrap().len(), 5);
        let none = ReceiptFilter { workspaces: Some(vec![]), ..ReceiptFilter::default() };
        assert!(store.receipts(none).await.unwrap().is_empty());
        let page = ReceiptFilter { limit: 2, mailbox: Some("desk".into()), ..ReceiptFilter::default() };
        let newest = store.receipts(page.clone()).await.unwrap();
        let next = store.receipts(ReceiptFilter { before: Some(newest[1].id), ..page }).await.unwrap();
        assert_eq!(next[0].id.0, newest[1].id.0 - 1);
    })
    .await;
}

#[tokio::test]
async fn a_comment_that_landed_wrongly_becomes_an_item() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        house.take(1, message(ANN, "One", "first")).await;
        let claimed = house.accept(&[(2, "about invoice 1")]).await.remove(0);
        let mut reply = message(ANN, "invoice 1", "about invoice 1");
        reply.attachments.push(slice(claimed.raw(), "invoice.txt", 6..13));
        let outcome = house.file(vec![(claimed, reply)]).await.remove(0);
        let OutcomeKind::Comment { item: 1, comment } = outcome.kind else { panic!("{outcome:?}") };
        let before = store.latest_change().await.unwrap();
        assert_eq!(store.split_comment(1, 99, noon()).await.unwrap_err().code(), "COMMENT_UNKNOWN");
        assert_eq!(store.split_comment(1, comment, noon()).await.unwrap(), 2);
        assert!(store.latest_change().await.unwrap() > before);
        assert!(store.item(1).await.unwrap().comments.is_empty());
        let item = store.item(2).await.unwrap();
        assert_eq!((item.title.as_str(), item.requester.address.as_str()), ("invoice 1", ANN));
        assert_eq!(store.attachment(item.attachments[0].id).await.unwrap().octets.as_ref(), b"invoice");
        let receipt = store.receipt(outcome.receipt).await.unwrap();
        assert_eq!((receipt.item, receipt.comment, item.receipt), (Some(2), None, Some(receipt.id)));
        let found = store.items(ItemFilter { query: Some("invoice".into()), ..ItemFilter::default() }).await.unwrap();
        assert_eq!(numbers(&found), [2]);
        assert!(store.check().await.unwrap().problems.is_empty());
    })
    .await;
}
