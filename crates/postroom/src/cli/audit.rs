//! `postroom audit`: who changed what.

use super::args::{AuditCommand, Global};
use super::open_store;
use super::output::{Output, one_line};
use crate::failure::Failure;
use postroom_store::AuditFilter;

/// Rows read at once.
const PAGE: u32 = 500;

pub async fn run(global: &Global, command: AuditCommand, out: Output) -> Result<(), Failure> {
    let AuditCommand::List { object, actor } = command;
    let store = open_store(global).await?;
    let mut filter = AuditFilter { object, actor, limit: PAGE, before: None };
    loop {
        let page = store.audit(filter.clone()).await?;
        if filter.before.is_none() || !page.is_empty() {
            out.table(
                &page,
                ["ROW", "AT", "ACTOR", "ACTION", "OBJECT", "DETAIL"],
                "nothing of that kind was done",
                |row| {
                    [
                        row.id.to_string(),
                        row.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
                        one_line(&row.actor, 40),
                        row.action.clone(),
                        one_line(&row.object, 60),
                        one_line(&detail(&row.detail), 200),
                    ]
                },
            )?;
        }
        let Some(last) = page.last().filter(|_| page.len() == PAGE as usize) else { return Ok(()) };
        filter.before = Some(last.id);
    }
}

/// `name: value` for each field; what has none is left empty.
fn detail(detail: &serde_json::Value) -> String {
    let Some(fields) = detail.as_object() else { return detail.to_string() };
    let shown = |value: &serde_json::Value| match (&value["old"], &value["new"]) {
        (serde_json::Value::Null, serde_json::Value::Null) => value.to_string(),
        (old, new) => format!("{old} → {new}"),
    };
    fields.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect::<Vec<_>>().join(", ")
}
