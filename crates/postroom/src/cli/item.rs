//! `postroom item`: list, show, move, split.

use super::args::{Global, ItemCommand};
use super::output::{Output, clean_text, one_line};
use super::{open_store, workspace_key};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::{Attachment, Identity, Item, Party};
use postroom_store::{ItemCursor, ItemFilter, Store};

pub async fn run(global: &Global, command: ItemCommand, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    match command {
        ItemCommand::List { workspace, query } => list(&store, workspace, query, out).await,
        ItemCommand::Show { number } => {
            let item = store.item(number).await?;
            out.object(&item, || describe(&item))
        }
        ItemCommand::Move { number, key } => {
            let key = workspace_key(&key)?;
            store.move_item(number, &key, Timestamp::now()).await?;
            let item = store.item(number).await?;
            out.object(&item, || format!("item {number} is in {key} now"))
        }
        ItemCommand::Split { number, comment } => {
            let new = store.split_comment(number, comment, Timestamp::now()).await?;
            let item = store.item(new).await?;
            out.object(&item, || format!("comment {comment} of item {number} is item {new} now"))
        }
    }
}

/// Lists everything that fits the filter, page by page, so that a long list needs no memory.
async fn list(store: &Store, workspace: Option<String>, query: Option<String>, out: Output) -> Result<(), Failure> {
    let workspace = workspace.as_deref().map(workspace_key).transpose()?;
    if let Some(key) = &workspace
        && !store.workspaces().await?.iter().any(|known| known.key == *key)
    {
        // A misspelt key is an error, not an empty list.
        let help = "`postroom workspace list` shows the workspaces";
        return Err(Failure::new("WORKSPACE_UNKNOWN", format!("there is no workspace {key}"), help));
    }
    let mut filter = ItemFilter { workspace, query, limit: 500, ..ItemFilter::default() };
    let mut first = true;
    loop {
        let page = store.items(filter.clone()).await?;
        if out.is_json() {
            // Scripts get whole items, the same objects as `item show` prints.
            for summary in &page {
                out.object(&store.item(summary.number).await?, String::new)?;
            }
        } else if first || !page.is_empty() {
            out.table(&page, ["NUMBER", "WORKSPACE", "FROM", "COMMENTS", "TITLE"], "no items", |i| {
                [
                    i.number.to_string(),
                    i.workspace.to_string(),
                    one_line(i.requester.label(), 30),
                    i.comments.to_string(),
                    one_line(&i.title, 80),
                ]
            })?;
        }
        first = false;
        let Some(last) = page.last().filter(|_| page.len() == filter.limit as usize) else { return Ok(()) };
        filter.after = Some(ItemCursor::after(last));
    }
}

fn describe(item: &Item) -> String {
    let mut lines = vec![
        format!("#{} {}", item.number, one_line(&item.title, 200)),
        format!(
            "{} · {} · from {} · {}",
            item.workspace,
            item.status,
            written_by(&item.requester, item.identity.as_ref()),
            item.created_at
        ),
        String::new(),
        clean_text(&item.text),
    ];
    lines.extend(item.attachments.iter().map(attachment));
    for comment in &item.comments {
        lines.push(format!(
            "\n— comment {} by {}, {}",
            comment.id,
            written_by(&comment.author, comment.identity.as_ref()),
            comment.created_at
        ));
        lines.push(clean_text(&comment.text));
        lines.extend(comment.attachments.iter().map(attachment));
    }
    lines.join("\n")
}

/// Who wrote something, and how sure that is where anything was checked.
fn written_by(author: &Party, identity: Option<&Identity>) -> String {
    let label = one_line(author.label(), 60);
    match identity.filter(|identity| identity.is_checked()) {
        Some(identity) => format!("{label} ({})", identity.level.as_str()),
        None => label,
    }
}

fn attachment(attachment: &Attachment) -> String {
    let name = one_line(&attachment.name, 100);
    format!("[{name}, {}, {} octets]", one_line(&attachment.content_type, 60), attachment.size)
}
