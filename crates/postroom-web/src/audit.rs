//! `/audit`: who changed what, newest first.

use crate::App;
use crate::failure::Failure;
use crate::page::{Frame, Pager, before, cut, href, render};
use crate::session::CurrentUser;
use crate::settings::store_of;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use postroom_store::{AuditEntry, AuditFilter};
use serde::Deserialize;

const LINES: u32 = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    t: Language,
    frame: Frame,
    now: Timestamp,
    entries: Vec<AuditEntry>,
    pager: Option<Pager>,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    before: String,
}

/// `GET /audit`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let store = store_of(&app, &user)?;
    let before = before(&asked.before)?;
    let mut entries = store.audit(AuditFilter { before, limit: LINES + 1, ..AuditFilter::default() }).await?;
    let older = cut(&mut entries, LINES).map(|last| href("/audit", &[("before", &last.id.to_string())]));
    let newest = if asked.before.is_empty() { String::new() } else { "/audit".to_owned() };
    let pager = Pager { newest, older: older.unwrap_or_default() };
    Ok(render(&Audit {
        t,
        frame: Frame::still(t.audit(), Some(&user)).section("settings"),
        now: Timestamp::now(),
        entries,
        pager: (!pager.newest.is_empty() || !pager.older.is_empty()).then_some(pager),
    }))
}
