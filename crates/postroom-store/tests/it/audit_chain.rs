//! The chain of the audit: whatever is done to a row is found, and a restored one goes on.

use crate::audit::furnished;
use crate::support::*;
use postroom_store::{AuditFilter, Store};

#[tokio::test]
async fn k12_whatever_is_done_to_a_row_is_found() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        // Over one page of rows, and text that could be taken for another column's.
        for n in 0..600 {
            house.store.by("\"]\u{0}ü").push_mailbox(&key(["SUP", "OPS"][n % 2]), noon()).await.unwrap();
            house.store.pause_mailbox("desk", noon()).await.unwrap();
        }
        let report = house.store.check().await.unwrap();
        assert_eq!((report.problems.as_slice(), report.audit), ([].as_slice(), 607));
        let last = report.audit;
        let changed = |n: u64| format!("row {n} of the audit was changed, or a row before it");
        let missing = |n: u64| format!("row {n} of the audit is missing");
        let shortened = "the audit ends with row 606, which is not its last one".to_owned();
        for (harm, found) in [
            ("UPDATE audit SET actor = 'x' WHERE id = 3".to_owned(), changed(3)),
            ("UPDATE audit SET at = at + 1 WHERE id = 520".to_owned(), changed(520)),
            ("UPDATE audit SET detail = '{}' WHERE id = 1".to_owned(), changed(1)),
            ("DELETE FROM audit WHERE id = 4".to_owned(), missing(4)),
            ("DELETE FROM audit WHERE id = 1".to_owned(), missing(1)),
            ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 5) WHERE id = 6".to_owned(), changed(6)),
            (format!("DELETE FROM audit WHERE id = {last}"), shortened),
            (
                format!(
                    "INSERT INTO audit SELECT {}, at, actor, action, object, detail, hash FROM audit WHERE id = {last}",
                    last + 1
                ),
                changed(last + 1),
            ),
            (
                "DELETE FROM meta WHERE key = 'audit_head'".to_owned(),
                format!("the audit ends with row {last}, which is not its last one"),
            ),
        ] {
            place.sql(&format!(
                "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_meta AS SELECT * FROM meta; {harm}"
            ));
            let problems = house.store.check().await.unwrap().problems;
            assert_eq!(problems.len(), 1, "{harm}: {problems:?}");
            assert_eq!((problems[0].code, &problems[0].what), ("AUDIT_BROKEN", &found), "{harm}");
            place.sql(
                "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept; \
                 DELETE FROM meta; INSERT INTO meta SELECT * FROM kept_meta; DROP TABLE kept_meta",
            );
            assert_eq!(house.store.check().await.unwrap().problems, [], "{harm}");
        }
    })
    .await;
}

#[tokio::test]
async fn many_who_act_at_once_make_one_chain() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let other = place.open();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..60 {
            let store = if n % 2 == 0 { house.store.by("a") } else { other.by("b") };
            tasks.spawn(async move {
                let done = match n % 3 {
                    0 => store.pause_mailbox("desk", noon()).await,
                    1 => store.resume_mailbox("desk", false, noon()).await,
                    _ => store.set_default_workspace(Some(&key("OPS")), noon()).await,
                };
                done.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let report = house.store.check().await.unwrap();
        assert_eq!((report.problems.as_slice(), report.audit), ([].as_slice(), 65));
    })
    .await;
}

#[tokio::test]
async fn a_restored_audit_goes_on_where_it_was() {
    let place = Place::sqlite();
    let house = furnished(&place).await;
    let backup = place.config.data_dir.with_file_name("backup");
    house.store.backup(&backup, noon()).await.unwrap();
    let before = house.store.audit(AuditFilter::default()).await.unwrap();
    let target = Place::sqlite();
    let (store, _) = Store::restore(&backup, &target.config, "cli:ann", noon()).await.unwrap();
    let after = store.audit(AuditFilter::default()).await.unwrap();
    assert_eq!(after[1..], before);
    assert_eq!((after[0].actor.as_str(), after[0].action.as_str()), ("cli:ann", "data.restore"));
    assert_eq!(store.check().await.unwrap().problems, []);
}
