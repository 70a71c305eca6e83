//! `/items/{number}`: one item as a conversation, the sealed-off HTML of its messages, and their originals.

use crate::failure::Failure;
use crate::form::{Field, Form};
use crate::frame::{self, Picture};
use crate::page::{Frame, render};
use crate::receipt::{headers_of, number};
use crate::session::CurrentUser;
use crate::text::{self, Piece};
use crate::words::{Badge, Language, Step};
use crate::{App, attachments};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use postroom_domain::{
    Action, Actor, Attachment, Identity, Item, Object, Party, Receipt, ReceiptId, User, Workspace, authorize,
};
use postroom_store::{HistoryEntry, StoreError};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    t: Language,
    frame: Frame,
    now: Timestamp,
    workspace_name: String,
    messages: Vec<Said>,
    item: Item,
    may: May,
    /// Whom it can be assigned to, and which workspaces it can be moved into.
    assign: Field,
    move_to: Field,
    tag: Field,
    admit: Field,
    /// What was written and not taken, and why.
    text: String,
    text_problem: String,
    history: Vec<Happened>,
    /// What was just done: it can be taken back.
    done: Option<Happened>,
}

/// What the person may do here.
struct May {
    edit: bool,
    comment: bool,
    /// Whether they are a member, so that they see notes and write them.
    note: bool,
}

/// A line of the history.
#[derive(Clone)]
struct Happened {
    id: i64,
    at: Timestamp,
    who: String,
    what: String,
    undoable: bool,
}

/// The description or a comment, ready to be shown.
struct Said {
    anchor: String,
    author: Party,
    /// How sure it is that the author wrote it.
    badge: Option<Badge>,
    at: Timestamp,
    /// What the author wrote.
    front: Vec<Piece>,
    /// What the author quoted.
    quoted: Vec<Piece>,
    /// Whether only members see it.
    internal: bool,
    has_html: bool,
    height: &'static str,
    /// Where the links in the HTML lead.
    links: Vec<String>,
    pictures: Vec<Attachment>,
    files: Vec<Attachment>,
    /// Only for those who may read originals: why a message ended where it did says which other items there are.
    origin: Option<Origin>,
}

/// The message that it was made of.
struct Origin {
    receipt: ReceiptId,
    steps: Vec<Step>,
}

/// One of the messages of an item, as the store has it.
struct Part<'a> {
    anchor: String,
    author: &'a Party,
    identity: Option<&'a Identity>,
    at: Timestamp,
    text: &'a str,
    quoted: &'a str,
    html: Option<&'a str>,
    attachments: &'a [Attachment],
    receipt: Option<ReceiptId>,
    internal: bool,
}

/// The name of the description in addresses; a comment is `c` and its number.
const DESCRIPTION: &str = "description";

fn parts(item: &Item) -> Vec<Part<'_>> {
    let first = Part {
        anchor: DESCRIPTION.to_owned(),
        author: &item.requester,
        identity: item.identity.as_ref(),
        at: item.created_at,
        text: &item.text,
        quoted: "",
        html: item.html.as_deref(),
        attachments: &item.attachments,
        receipt: item.receipt,
        internal: false,
    };
    let comments = item.comments.iter().map(|comment| Part {
        anchor: format!("c{}", comment.id),
        author: &comment.author,
        identity: comment.identity.as_ref(),
        at: comment.created_at,
        text: &comment.text,
        quoted: &comment.quoted_text,
        html: comment.html.as_deref(),
        attachments: &comment.attachments,
        receipt: comment.receipt,
        internal: comment.internal,
    });
    std::iter::once(first).chain(comments).collect()
}

/// The item of this number, if the user may do `action` with it.
pub(crate) async fn item_for(app: &App, user: &User, action: Action, number: i64) -> Result<Item, Failure> {
    let item = app.store.item_for(number, user).await?;
    let actor = Actor::User(user);
    if authorize(actor, action, Object::item(&item, actor)) { Ok(item) } else { Err(Failure::NotFound) }
}

/// `GET /items/{number}`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path(asked): Path<String>,
    Query(Justnow { done }): Query<Justnow>,
) -> Result<Response, Failure> {
    answer(&app, &user, t, number(&asked)?, done.parse().ok(), &Form::default()).await
}

/// What the address of an item may say beside its number.
#[derive(Deserialize)]
pub(crate) struct Justnow {
    /// The number of the change that was just made.
    #[serde(default)]
    done: String,
}

/// The page of an item, with what was just done to it, or with what is wrong with a form that was sent.
pub(crate) async fn answer(
    app: &App,
    user: &CurrentUser,
    t: Language,
    number: i64,
    done: Option<i64>,
    form: &Form,
) -> Result<Response, Failure> {
    let change = app.latest().await?;
    let item = item_for(app, user, Action::See, number).await?;
    let actor = Actor::User(user);
    let may = |action| authorize(actor, action, Object::item(&item, actor));
    let (readable, edit, comment) = (may(Action::ReadOriginal), may(Action::Edit), may(Action::Comment));
    let mut messages = Vec::new();
    for part in parts(&item) {
        let origin = match part.receipt.filter(|_| readable) {
            Some(id) => {
                let receipt = receipt_of(app, id).await?.map(|receipt| receipt.for_user(user));
                receipt.map(|receipt| Origin { receipt: id, steps: t.steps(&receipt) })
            }
            None => None,
        };
        messages.push(said(t, &part, origin));
    }
    let workspaces = app.store.workspaces().await?;
    let history = if readable { history(app, user, t, number, edit).await? } else { Vec::new() };
    let workspace = workspaces.iter().find(|workspace| workspace.key == item.workspace);
    let (to, into) = if edit { targets(app, user, t, &item, &workspaces).await? } else { (Vec::new(), Vec::new()) };
    let assigned =
        Form::with(&[("to", item.assignee.as_deref().unwrap_or_default()), ("workspace", item.workspace.as_str())]);
    let of = if form.problem_of("to").is_empty() { &assigned } else { form };
    Ok(form.answer(render(&ItemPage {
        t,
        frame: Frame::live(format!("#{} {}", item.number, item.title), user, "items", false, change),
        now: Timestamp::now(),
        workspace_name: workspace.map_or_else(|| item.workspace.to_string(), |workspace| workspace.name.clone()),
        messages,
        may: May { edit, comment, note: comment && readable },
        assign: of.field("to", t.assigned_to(), "select").choices(to),
        move_to: assigned.field("workspace", t.workspace(), "select").choices(into),
        tag: form.field("tag", t.new_tag(), "text"),
        admit: form.field("address", t.let_take_part(), "email"),
        text: form.raw("text").to_owned(),
        text_problem: form.problem_of("text").to_owned(),
        done: history.iter().find(|one| Some(one.id) == done && one.undoable).cloned(),
        history,
        item,
    })))
}

/// Whom it can be assigned to, and where it can be moved, as values and labels.
async fn targets(
    app: &App,
    user: &User,
    t: Language,
    item: &Item,
    workspaces: &[Workspace],
) -> Result<(Choices, Choices), Failure> {
    let object = Object::Item { workspace: &item.workspace, takes_part: false };
    let agents = app.store.users().await?;
    let agents = agents.into_iter().filter(|agent| authorize(Actor::User(agent), Action::Edit, object));
    let label = |agent: &User| if agent.name.is_empty() { agent.address.clone() } else { agent.name.clone() };
    let agents = agents.map(|agent| (agent.address.clone(), label(&agent)));
    let into = workspaces.iter().filter(|one| {
        one.key == item.workspace || authorize(Actor::User(user), Action::Move, Object::Workspace(&one.key))
    });
    let into = into.map(|one| (one.key.to_string(), one.name.clone()));
    Ok((std::iter::once((String::new(), t.nobody().to_owned())).chain(agents).collect(), into.collect()))
}

/// Values and labels of a select.
type Choices = Vec<(String, String)>;

/// The history, newest first.
async fn history(app: &App, user: &User, t: Language, number: i64, edit: bool) -> Result<Vec<Happened>, Failure> {
    let entries = app.store.history_for(number, user).await?;
    let line = |entry: &HistoryEntry| Happened {
        id: entry.id,
        at: entry.at,
        who: t.who_did(entry),
        what: t.did(entry),
        undoable: edit && entry.kind.is_undoable() && entry.undone_by.is_none() && entry.item == number,
    };
    Ok(entries.iter().rev().map(line).collect())
}

/// The receipt, if it is still there.
async fn receipt_of(app: &App, id: ReceiptId) -> Result<Option<Receipt>, StoreError> {
    match app.store.receipt(id).await {
        Ok(receipt) => Ok(Some(receipt)),
        Err(StoreError::Unknown { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn said(t: Language, part: &Part<'_>, origin: Option<Origin>) -> Said {
    let (front, quoted) = text::without_quotation(part.text, part.quoted);
    // What claims to be a picture is shown beside the text; whether it is one is decided by its octets when it is asked
    // for. Pictures that people attached are files, and pictures inside the HTML are shown there and here.
    let is_picture = |file: &&Attachment| file.inline && file.content_type.starts_with("image/");
    let (pictures, files) = part.attachments.iter().cloned().partition(|file| is_picture(&file));
    Said {
        anchor: part.anchor.clone(),
        author: part.author.clone(),
        badge: t.badge(part.identity),
        at: part.at,
        front: text::pieces(&front),
        quoted: text::pieces(quoted),
        internal: part.internal,
        has_html: part.html.is_some(),
        height: frame::height(part.text),
        links: part.html.map(frame::links_of).unwrap_or_default(),
        pictures,
        files,
        origin,
    }
}

/// `GET /items/{number}/html/{part}`: the document of the sealed-off frame.
pub(crate) async fn html(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path((asked, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let item = item_for(&app, &user, Action::See, number(&asked)?).await?;
    let part = parts(&item).into_iter().find(|part| part.anchor == name).ok_or(Failure::NotFound)?;
    let html = part.html.ok_or(Failure::NotFound)?;
    let pictures = pictures(&app, html, part.attachments).await?;
    let headers = [(header::CONTENT_SECURITY_POLICY, frame::POLICY), (header::REFERRER_POLICY, "no-referrer")];
    Ok((headers, Html(frame::document(html, &pictures))).into_response())
}

/// The pictures that this HTML names, out of the files of the same message and no other.
async fn pictures(app: &App, html: &str, files: &[Attachment]) -> Result<Vec<Picture>, Failure> {
    let wanted = frame::cids_of(html);
    let mut pictures: Vec<Picture> = Vec::new();
    let mut room = frame::PICTURES_MAX;
    for file in files {
        let Some(content_id) = file.content_id.clone().filter(|id| wanted.contains(id)) else { continue };
        if file.size > room || pictures.iter().any(|picture| picture.content_id == content_id) {
            continue;
        }
        room -= file.size;
        match app.store.attachment(file.id).await {
            Ok(stored) => pictures.push(Picture { content_id, octets: stored.octets }),
            // A damaged picture is no reason to show nothing of the message.
            Err(StoreError::RawMissing { .. } | StoreError::RawDamaged { .. } | StoreError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(pictures)
}

#[derive(Template)]
#[template(path = "original.html")]
struct Original {
    t: Language,
    frame: Frame,
    heading: String,
    number: i64,
    receipt: Receipt,
    steps: Vec<Step>,
    headers: Vec<(String, String)>,
    no_headers: String,
}

/// The receipt of one of the messages of this item, if the user may read originals here.
async fn original_for(app: &App, user: &User, asked: &str, receipt: &str) -> Result<(Item, Receipt), Failure> {
    let item = item_for(app, user, Action::ReadOriginal, number(asked)?).await?;
    let id = ReceiptId(number(receipt)?);
    let belongs = parts(&item).iter().any(|part| part.receipt == Some(id));
    if !belongs {
        return Err(Failure::NotFound);
    }
    Ok((item, app.store.receipt(id).await?.for_user(user)))
}

/// `GET /items/{number}/original/{receipt}`
pub(crate) async fn original(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path((asked, receipt)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let change = app.latest().await?;
    let (item, receipt) = original_for(&app, &user, &asked, &receipt).await?;
    let (headers, no_headers) = headers_of(t, &app, &receipt).await?;
    let subject = receipt.subject.clone().filter(|subject| !subject.is_empty());
    Ok(render(&Original {
        t,
        frame: Frame::live(t.original(), &user, "items", false, change),
        heading: subject.unwrap_or_else(|| t.no_subject().to_owned()),
        number: item.number,
        steps: t.steps(&receipt),
        headers,
        no_headers,
        receipt,
    }))
}

/// `GET /items/{number}/original/{receipt}/raw`
pub(crate) async fn original_raw(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path((asked, receipt)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (item, receipt) = original_for(&app, &user, &asked, &receipt).await?;
    let raw = app.by(&user).download(receipt.id, Timestamp::now()).await?;
    let name = format!("item-{}-message-{}.eml", item.number, receipt.id);
    Ok(attachments::download("message/rfc822", &name, raw.octets().clone()))
}
