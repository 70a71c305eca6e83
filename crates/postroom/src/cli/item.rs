//! `postroom item`: what mail became, and what people do with it.

pub mod show;

use super::actor::actor;
use super::args::{Global, ItemArgs, ItemCommand, ParticipantCommand, StatusArg};
use super::output::{Output, one_line};
use super::{open_store, workspace_key};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Item, Object, User, WorkspaceKey, access, authorize};
use postroom_store::{ChangeKind, ItemCursor, ItemFilter, Store};
use serde_json::json;

/// The store, and the user whose rights count; without one all is allowed to whoever owns the data.
struct Desk {
    store: Store,
    user: Option<User>,
    out: Output,
}

pub async fn run(global: &Global, args: ItemArgs, out: Output) -> Result<(), Failure> {
    let desk = Desk::open(global, args.user.as_deref(), out).await?;
    let now = Timestamp::now();
    match args.command {
        ItemCommand::List { workspace, query, status, tag } => {
            let workspace = workspace.as_deref().map(workspace_key).transpose()?;
            let status = status.map(|status| if status == StatusArg::Open { "open" } else { "closed" }.to_owned());
            let visible = desk.user.as_ref().and_then(access::joined);
            desk.list(ItemFilter { visible, workspace, status, tag, query, ..ItemFilter::default() }).await
        }
        ItemCommand::Show { number } => {
            let item = desk.item(number).await?;
            out.object(&item, || show::describe(&item))
        }
        ItemCommand::Move { number, key } => desk.move_to(number, &key, now).await,
        ItemCommand::Split { number, comment } => desk.split(number, comment, now).await,
        ItemCommand::MoveComment { number, comment, target } => desk.move_comment(number, comment, target, now).await,
        ItemCommand::Close { number } => {
            desk.require(number, Action::Edit).await?;
            desk.store.close_item(number, now).await?;
            desk.tell(number, format!("item {number} is closed")).await
        }
        ItemCommand::Reopen { number } => {
            desk.require(number, Action::Edit).await?;
            desk.store.reopen_item(number, now).await?;
            desk.tell(number, format!("item {number} is open")).await
        }
        ItemCommand::Assign { number, to } => desk.assign(number, &to, now).await,
        ItemCommand::Tag { number, tags } => desk.tag(number, &tags, now).await,
        ItemCommand::Participant(command) => desk.participant(command, now).await,
        ItemCommand::History { number } => desk.history(number).await,
        ItemCommand::Undo { number, change } => desk.undo(number, change, now).await,
        ItemCommand::ReplyKey { number, mailbox, addressee } => {
            desk.reply_key(number, mailbox.as_deref(), addressee.as_deref(), now).await
        }
    }
}

impl Desk {
    async fn open(global: &Global, address: Option<&str>, out: Output) -> Result<Self, Failure> {
        let store = open_store(global).await?;
        let Some(address) = address else {
            return Ok(Self { store, user: None, out });
        };
        let Some(user) = store.user_by_address(address).await? else {
            let message = format!("no user has the address {}", one_line(address, 100));
            return Err(Failure::new("USER_UNKNOWN", message, "`postroom user list` shows the users"));
        };
        // The rights are theirs; who did it is told, too.
        let store = store.by(&format!("{} as {}", actor(), user.address));
        Ok(Self { store, user: Some(user), out })
    }

    /// The item as whoever acts sees it.
    async fn item(&self, number: i64) -> Result<Item, Failure> {
        Ok(match &self.user {
            Some(user) => self.store.item_for(number, user).await?,
            None => self.store.item(number).await?,
        })
    }

    /// That whoever acts may do this with the item; what they may not see is not there.
    async fn require(&self, number: i64, action: Action) -> Result<(), Failure> {
        let item = self.item(number).await?;
        let allows = |user: &User| authorize(Actor::User(user), action, Object::item(&item, Actor::User(user)));
        self.allowed(self.user.as_ref().is_none_or(allows))
    }

    fn require_workspace(&self, key: &WorkspaceKey, action: Action) -> Result<(), Failure> {
        let allows = |user: &User| authorize(Actor::User(user), action, Object::Workspace(key));
        self.allowed(self.user.as_ref().is_none_or(allows))
    }

    fn allowed(&self, is_allowed: bool) -> Result<(), Failure> {
        if is_allowed {
            return Ok(());
        }
        let who = self.user.as_ref().map_or("", |user| user.address.as_str());
        let help = "nothing was changed; `postroom user list` shows who is what, and docs/access.md what each role may";
        Err(Failure::new("NOT_ALLOWED", format!("{who} may not do that"), help))
    }

    /// Lists everything that fits the filter, page by page, so that a long list needs no memory.
    async fn list(&self, mut filter: ItemFilter) -> Result<(), Failure> {
        if let Some(key) = &filter.workspace
            && !self.store.workspaces().await?.iter().any(|known| known.key == *key)
        {
            // A misspelt key is an error, not an empty list.
            let help = "`postroom workspace list` shows the workspaces";
            return Err(Failure::new("WORKSPACE_UNKNOWN", format!("there is no workspace {key}"), help));
        }
        filter.limit = 500;
        let mut first = true;
        loop {
            let page = self.store.items(filter.clone()).await?;
            if self.out.is_json() {
                // Scripts get whole items, the same objects as `item show` prints.
                for summary in &page {
                    self.out.object(&self.item(summary.number).await?, String::new)?;
                }
            } else if first || !page.is_empty() {
                show::table(&page, self.out)?;
            }
            first = false;
            let Some(last) = page.last().filter(|_| page.len() == filter.limit as usize) else { return Ok(()) };
            filter.after = Some(ItemCursor::after(last));
        }
    }

    async fn history(&self, number: i64) -> Result<(), Failure> {
        if self.user.is_some() {
            self.require(number, Action::ReadOriginal).await?;
        }
        let entries = match &self.user {
            Some(user) => self.store.history_for(number, user).await?,
            None => self.store.history(number).await?,
        };
        show::history(&entries, self.out)
    }

    async fn reply_key(
        &self,
        number: i64,
        mailbox: Option<&str>,
        addressee: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        // Whoever holds the key of somebody else is taken for somebody who got their mail.
        self.require(number, Action::Edit).await?;
        let forms = self.store.reply_key(number, mailbox, addressee, now).await?;
        self.out.object(&forms, || {
            let address =
                forms.address.as_deref().unwrap_or("(none: the mailbox's login name is no address, or too long)");
            format!("message-id  <{}>\naddress     {address}\nfor         {}", forms.message_id, forms.addressee)
        })
    }

    async fn participant(&self, command: ParticipantCommand, now: Timestamp) -> Result<(), Failure> {
        match command {
            ParticipantCommand::List { number } => show::participants(&self.item(number).await?, self.out),
            ParticipantCommand::Add { number, address, name } => {
                self.require(number, Action::Edit).await?;
                self.store.add_participant(number, &address, name.as_deref(), now).await?;
                self.tell(number, format!("{} takes part in item {number}", one_line(&address, 100))).await
            }
            ParticipantCommand::Remove { number, address } => {
                self.require(number, Action::Edit).await?;
                self.store.remove_participant(number, &address, now).await?;
                self.tell(number, format!("{} takes no part in item {number}", one_line(&address, 100))).await
            }
        }
    }

    /// Prints an item for scripts, a sentence for people.
    async fn tell(&self, number: i64, sentence: String) -> Result<(), Failure> {
        self.out.object(&self.item(number).await?, || sentence)
    }

    async fn move_to(&self, number: i64, key: &str, now: Timestamp) -> Result<(), Failure> {
        let key = workspace_key(key)?;
        self.require(number, Action::Move).await?;
        self.require_workspace(&key, Action::Move)?;
        let assignee = self.item(number).await?.assignee;
        self.store.move_item(number, &key, now).await?;
        // Whoever may not work on it there loses it.
        let item = self.item(number).await?;
        let unassigned = assignee.filter(|_| item.assignee.is_none());
        let mut object = json!(item);
        object["unassigned"] = json!(unassigned);
        self.out.object(&object, || match unassigned {
            Some(address) => format!(
                "item {number} is in {key} now; it is assigned to nobody, since {} does not work there",
                one_line(&address, 100)
            ),
            None => format!("item {number} is in {key} now"),
        })
    }

    async fn split(&self, number: i64, comment: i64, now: Timestamp) -> Result<(), Failure> {
        self.require(number, Action::Split).await?;
        let new = self.store.split_comment(number, comment, now).await?;
        self.tell(new, format!("comment {comment} of item {number} is item {new} now")).await
    }

    async fn move_comment(&self, number: i64, comment: i64, target: i64, now: Timestamp) -> Result<(), Failure> {
        self.require(number, Action::Split).await?;
        self.require(target, Action::Split).await?;
        self.store.move_comment(number, comment, target, now).await?;
        self.tell(target, format!("comment {comment} of item {number} is on item {target} now")).await
    }

    async fn assign(&self, number: i64, to: &str, now: Timestamp) -> Result<(), Failure> {
        self.require(number, Action::Edit).await?;
        self.store.assign_item(number, Some(to).filter(|to| *to != "nobody"), now).await?;
        self.tell(number, format!("item {number} is assigned to {}", one_line(to, 100))).await
    }

    async fn tag(&self, number: i64, tags: &[String], now: Timestamp) -> Result<(), Failure> {
        self.require(number, Action::Edit).await?;
        let (add, remove) = signed_tags(tags)?;
        self.store.tag_item(number, &add, &remove, now).await?;
        let tags = self.item(number).await?.tags.join(" ");
        let tags = if tags.is_empty() { "none" } else { &tags };
        self.tell(number, format!("tags of item {number}: {tags}")).await
    }

    async fn undo(&self, number: i64, change: Option<i64>, now: Timestamp) -> Result<(), Failure> {
        self.require(number, Action::Edit).await?;
        let entry = self.store.undoable(number, change).await?;
        // Taking back needs the rights that doing it needed.
        for item in [Some(entry.item), entry.other_item].into_iter().flatten() {
            self.require(item, Action::Split).await?;
        }
        if entry.kind == ChangeKind::Moved
            && let Some(Ok(key)) = entry.detail["from"].as_str().map(str::parse)
        {
            self.require(entry.item, Action::Move).await?;
            self.require_workspace(&key, Action::Move)?;
        }
        let entry = self.store.undo(number, Some(entry.id), now).await?;
        let object = json!({ "undone": entry, "item": self.item(entry.item).await? });
        self.out
            .object(&object, || format!("taken back: {} (change {}) of item {number}", entry.kind.as_str(), entry.id))
    }
}

/// `+urgent -later` as what is to be added and what is to be removed.
fn signed_tags(tags: &[String]) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for tag in tags {
        match (tag.strip_prefix('+'), tag.strip_prefix('-')) {
            (Some(tag), _) => add.push(tag.to_owned()),
            (_, Some(tag)) if !tag.starts_with('-') => remove.push(tag.to_owned()),
            _ => {
                let help = "write +urgent to add a tag, -later to remove one; other options stand before the tags";
                return Err(Failure::new("USAGE", format!("`{}` is no tag with its sign", one_line(tag, 60)), help));
            }
        }
    }
    Ok((add, remove))
}
