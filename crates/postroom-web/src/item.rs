//! `/items/{number}`: one item as a conversation, the sealed-off HTML of its messages, and their originals.

use crate::failure::Failure;
use crate::frame::{self, Picture};
use crate::page::{Frame, render};
use crate::receipt::{headers_of, number};
use crate::session::CurrentUser;
use crate::text::{self, Piece};
use crate::words::{Badge, Language, Step};
use crate::{App, attachments};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Attachment, Identity, Item, Object, Party, Receipt, ReceiptId, User, authorize};
use postroom_store::StoreError;

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    t: Language,
    frame: Frame,
    now: Timestamp,
    workspace_name: String,
    messages: Vec<Said>,
    item: Item,
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
) -> Result<Response, Failure> {
    let change = app.latest().await?;
    let item = item_for(&app, &user, Action::See, number(&asked)?).await?;
    let actor = Actor::User(&user);
    let readable = authorize(actor, Action::ReadOriginal, Object::item(&item, actor));
    let mut messages = Vec::new();
    for part in parts(&item) {
        let origin = match part.receipt.filter(|_| readable) {
            Some(id) => receipt_of(&app, id).await?.map(|receipt| Origin { receipt: id, steps: t.steps(&receipt) }),
            None => None,
        };
        messages.push(said(t, &part, origin));
    }
    let workspaces = app.store.workspaces().await?;
    let workspace = workspaces.into_iter().find(|workspace| workspace.key == item.workspace);
    Ok(render(&ItemPage {
        t,
        frame: Frame::live(format!("#{} {}", item.number, item.title), &user, "items", false, change),
        now: Timestamp::now(),
        workspace_name: workspace.map_or_else(|| item.workspace.to_string(), |workspace| workspace.name),
        messages,
        item,
    }))
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
    Ok((item, app.store.receipt(id).await?))
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
