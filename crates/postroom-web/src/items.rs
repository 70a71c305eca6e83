//! `/`: the items that a user may see, by workspace and status, and the search.

use crate::App;
use crate::failure::Failure;
use crate::page::{Choice, Empty, Frame, Pager, cut, href, render};
use crate::session::{CurrentUser, Preferences};
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, ItemSummary, Object, User, Workspace, WorkspaceKey, access, authorize};
use postroom_store::{Assigned, ItemCursor, ItemFilter};
use serde::Deserialize;
use std::fmt;

const LINES: u32 = 50;
const QUERY_MAX: usize = 500;

#[derive(Template)]
#[template(path = "items.html")]
struct Items {
    t: Language,
    frame: Frame,
    heading: String,
    now: Timestamp,
    statuses: Vec<Choice>,
    workspaces: Vec<Choice>,
    query: String,
    workspace: String,
    status: String,
    items: Vec<ItemSummary>,
    empty: Empty,
    pager: Option<Pager>,
    /// Address of the list as it is, for the form around it.
    assigned: String,
    assignments: Vec<Choice>,
    /// Whether the person may change anything here, and to whom and where items can go.
    edits: bool,
    to: Vec<(String, String)>,
    into: Vec<(String, String)>,
    /// What was just done to several: sentences, and what takes it back.
    done: Vec<String>,
    undo: String,
    /// Whether the person cannot come back without a link.
    no_password: bool,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    workspace: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    q: String,
    /// `me` or `nobody`.
    #[serde(default)]
    assigned: String,
    #[serde(default)]
    after: String,
    /// What was just done to several, and how many could not be changed.
    #[serde(default)]
    done: String,
    #[serde(default)]
    failed: String,
}

/// Items that can be changed at once.
pub(crate) const DONE_MAX: usize = LINES as usize;

/// What was just done to several items: the number of each with that of its change, and how many could not be changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) changes: Vec<(i64, i64)>,
    pub(crate) failed: u64,
}

impl Done {
    /// As it stands in an address; what cannot be understood is left out.
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |text: &str| {
            let (number, change) = text.split_once('.')?;
            Some((number.parse().ok()?, change.parse().ok()?))
        };
        Self { changes: text.split('-').filter_map(pair).take(DONE_MAX).collect(), failed: 0 }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.changes.iter().map(|(number, change)| format!("{number}.{change}")).collect();
        f.write_str(&pairs.join("-"))
    }
}

/// How items are assigned, as it stands in an address.
pub(crate) fn assigned_of(text: &str, user: &User) -> Option<Assigned> {
    match text {
        "me" => Some(Assigned::To(user.id)),
        "nobody" => Some(Assigned::Nobody),
        _ => None,
    }
}

/// `GET /`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Extension(preferences): Extension<Preferences>,
    t: Language,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Failure> {
    if asked.status.is_empty() {
        "open".clone_into(&mut asked.status);
    }
    if !is_status(&asked.status) {
        return Err(Failure::BadRequest(Language::status_nonsense));
    }
    if asked.q.len() > QUERY_MAX {
        return Err(Failure::BadRequest(Language::search_too_long));
    }
    let change = app.latest().await?;
    let joined = access::joined(&user);
    let mut workspaces = app.store.workspaces().await?;
    workspaces.retain(|workspace| joined.as_ref().is_none_or(|keys| keys.contains(&workspace.key)));
    let chosen = workspaces.iter().find(|workspace| workspace.key.as_str() == asked.workspace);
    // A workspace that is not theirs does not exist for them.
    if chosen.is_none() && !asked.workspace.is_empty() {
        return Err(Failure::NotFound);
    }
    let filter = filter(&asked, joined, &user)?;
    let mut items = app.store.items(filter).await?;
    let older = cut(&mut items, LINES).map(cursor).unwrap_or_default();
    let (to, into) = targets(&app, &user, t, &workspaces).await?;
    let done = Done::parse(&asked.done);
    let heading = chosen.map_or_else(|| t.items().to_owned(), |workspace| workspace.name.clone());
    Ok(render(&Items {
        t,
        frame: Frame::live(&heading, &user, "items", true, change),
        heading,
        now: Timestamp::now(),
        statuses: statuses(t, &asked),
        assignments: assignments(t, &asked),
        edits: !into.is_empty() && !items.is_empty(),
        to,
        into,
        undo: done.to_string(),
        done: told(t, &done, &asked.failed),
        empty: empty(t, &asked, &user, &workspaces),
        workspaces: choices(t, &asked, &workspaces),
        pager: pager(&asked, &older),
        assigned: asked.assigned,
        query: asked.q,
        workspace: asked.workspace,
        status: asked.status,
        items,
        no_password: !preferences.has_password,
    }))
}

fn filter(asked: &Asked, visible: Option<Vec<WorkspaceKey>>, user: &User) -> Result<ItemFilter, Failure> {
    let workspace = match asked.workspace.as_str() {
        "" => None,
        key => Some(key.parse().map_err(|_| Failure::NotFound)?),
    };
    let after = match asked.after.as_str() {
        "" => None,
        text => Some(cursor_of(text).ok_or(Failure::BadRequest(Language::after_nonsense))?),
    };
    let assigned = match asked.assigned.as_str() {
        "" => None,
        text => Some(assigned_of(text, user).ok_or(Failure::BadRequest(Language::not_understood))?),
    };
    Ok(ItemFilter {
        visible,
        workspace,
        status: (asked.status != "all").then(|| asked.status.clone()),
        tag: None,
        assigned,
        query: (!asked.q.trim().is_empty()).then(|| asked.q.clone()),
        after,
        limit: LINES + 1,
    })
}

/// Whether lists can be asked for by it.
pub(crate) fn is_status(text: &str) -> bool {
    matches!(text, "open" | "closed" | "all")
}

/// A place in the list as it stands in an address: microseconds and number.
pub(crate) fn cursor(item: &ItemSummary) -> String {
    format!("{}-{}", item.updated_at.as_microsecond(), item.number)
}

pub(crate) fn cursor_of(text: &str) -> Option<ItemCursor> {
    let (at, number) = text.rsplit_once('-')?;
    Some(ItemCursor { updated_at: Timestamp::from_microsecond(at.parse().ok()?).ok()?, number: number.parse().ok()? })
}

impl Asked {
    /// The address of this list with one thing changed; open is what the page shows by itself.
    fn with(&self, workspace: &str, status: &str, after: &str) -> String {
        let status = if status == "open" { "" } else { status };
        self.address(workspace, status, &self.assigned, after)
    }

    fn address(&self, workspace: &str, status: &str, assigned: &str, after: &str) -> String {
        let pairs =
            [("workspace", workspace), ("status", status), ("assigned", assigned), ("q", &self.q), ("after", after)];
        href("/", &pairs)
    }
}

/// Everybody's items, one's own, those that nobody has.
fn assignments(t: Language, asked: &Asked) -> Vec<Choice> {
    let status = if asked.status == "open" { "" } else { &asked.status };
    let choice = |(label, assigned): (&str, &str)| Choice {
        label: label.to_owned(),
        key: String::new(),
        href: asked.address(&asked.workspace, status, assigned, ""),
        current: asked.assigned == assigned,
    };
    [(t.everybodys(), ""), (t.mine(), "me"), (t.nobodys(), "nobody")].into_iter().map(choice).collect()
}

/// Whom items can be assigned to and where they can be moved, by somebody who works in any of the workspaces; values and labels.
async fn targets(app: &App, user: &User, t: Language, workspaces: &[Workspace]) -> Result<(Choices, Choices), Failure> {
    let works_in = |who: &User, one: &Workspace| authorize(Actor::User(who), Action::Move, Object::Workspace(&one.key));
    let into: Vec<&Workspace> = workspaces.iter().filter(|one| works_in(user, one)).collect();
    if into.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let agents = app.store.users().await?.into_iter().filter(|agent| into.iter().any(|one| works_in(agent, one)));
    let label = |agent: &User| if agent.name.is_empty() { agent.address.clone() } else { agent.name.clone() };
    let agents = agents.map(|agent| (agent.address.clone(), label(&agent)));
    let to = std::iter::once((String::new(), t.nobody().to_owned())).chain(agents).collect();
    Ok((to, into.iter().map(|one| (one.key.to_string(), one.name.clone())).collect()))
}

/// Values and labels of a select.
type Choices = Vec<(String, String)>;

/// What was just done to several items.
fn told(t: Language, done: &Done, failed: &str) -> Vec<String> {
    let changed = (!done.changes.is_empty()).then(|| t.items_changed(&(done.changes.len() as u64)));
    let failed = failed.parse().ok().filter(|failed| *failed > 0).map(|failed| t.items_not_changed(&failed));
    changed.into_iter().chain(failed).collect()
}

fn statuses(t: Language, asked: &Asked) -> Vec<Choice> {
    let choice = |(label, status): (&str, &str)| Choice {
        label: label.to_owned(),
        key: String::new(),
        href: asked.with(&asked.workspace, status, ""),
        current: asked.status == status,
    };
    [(t.open(), "open"), (t.closed(), "closed"), (t.all(), "all")].into_iter().map(choice).collect()
}

fn choices(t: Language, asked: &Asked, workspaces: &[Workspace]) -> Vec<Choice> {
    let choice = |label: &str, key: &str| Choice {
        label: label.to_owned(),
        key: key.to_owned(),
        href: asked.with(key, &asked.status, ""),
        current: asked.workspace == key,
    };
    let all = (workspaces.len() > 1).then(|| choice(t.all_workspaces(), ""));
    all.into_iter().chain(workspaces.iter().map(|one| choice(&one.name, one.key.as_str()))).collect()
}

/// What stands in an empty list: it says why it is empty and what to do about it.
fn empty(t: Language, asked: &Asked, user: &User, workspaces: &[Workspace]) -> Empty {
    if workspaces.is_empty() && user.admin {
        return Empty {
            title: t.no_workspace(),
            text: t.no_workspace_text(),
            shell: "postroom workspace add SUP Support --default\npostroom mailbox add NAME --help",
            ..Empty::default()
        };
    }
    if workspaces.is_empty() {
        return Empty { title: t.no_membership(), text: t.no_membership_text(), ..Empty::default() };
    }
    if !asked.q.trim().is_empty() {
        return Empty {
            title: t.nothing_found(),
            text: t.nothing_found_text(),
            href: href("/", &[("status", "all"), ("q", &asked.q)]),
            link: t.search_all(),
            ..Empty::default()
        };
    }
    if asked.status == "closed" || !asked.assigned.is_empty() || !asked.after.is_empty() {
        return Empty {
            title: t.nothing_of_kind_here(),
            text: t.nothing_of_kind_here_text(),
            href: "/".to_owned(),
            link: t.show_open(),
            ..Empty::default()
        };
    }
    Empty {
        title: t.no_items(),
        text: t.no_items_text(),
        shell: if user.admin { "postroom mailbox add NAME --help\npostroom import PATH --workspace KEY" } else { "" },
        ..Empty::default()
    }
}

fn pager(asked: &Asked, older: &str) -> Option<Pager> {
    let address = |after: &str| asked.with(&asked.workspace, &asked.status, after);
    let pager = Pager {
        newest: if asked.after.is_empty() { String::new() } else { address("") },
        older: if older.is_empty() { String::new() } else { address(older) },
    };
    (!pager.newest.is_empty() || !pager.older.is_empty()).then_some(pager)
}
