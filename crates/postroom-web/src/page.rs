//! What all pages share: the frame around them, choices, pagers, empty states.

use crate::failure::Failure;
use crate::form::Field;
use crate::session::CurrentUser;
use crate::words::Language;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use postroom_domain::{Action, Actor, Object, authorize};

/// What the layout around a page needs.
pub(crate) struct Frame {
    /// Title of the page, for the window.
    pub(crate) title: String,
    /// The newest change that the page shows.
    pub(crate) change: i64,
    /// Seconds after which the page looks for itself, whatever it is told; 0 is never.
    pub(crate) again: u32,
    live: bool,
    section: &'static str,
    whole: bool,
    /// Who is signed in.
    pub(crate) user: Option<Visitor>,
}

/// The signed-in user as the bar on top shows them.
pub(crate) struct Visitor {
    pub(crate) label: String,
    pub(crate) address: String,
    /// Whether the journal is in the bar.
    pub(crate) journal: bool,
    /// Whether the mailboxes are in the bar.
    pub(crate) mailboxes: bool,
    /// Whether people and settings are in the bar.
    pub(crate) installation: bool,
}

impl Frame {
    /// A page that keeps itself up to date from `change` on. `whole` says whether it is the section's own page.
    pub(crate) fn live(
        title: impl Into<String>,
        user: &CurrentUser,
        section: &'static str,
        whole: bool,
        change: i64,
    ) -> Self {
        Self { title: title.into(), change, again: 0, live: true, section, whole, user: Some(Visitor::of(user)) }
    }

    /// The same page, which shows something that changes without being announced.
    pub(crate) fn again_after(mut self, seconds: u32) -> Self {
        self.again = seconds;
        self
    }

    /// A page that stays as it is.
    pub(crate) fn still(title: &str, user: Option<&CurrentUser>) -> Self {
        Self {
            title: title.to_owned(),
            change: 0,
            again: 0,
            live: false,
            section: "",
            whole: false,
            user: user.map(Visitor::of),
        }
    }

    /// The same page as that of a section.
    pub(crate) fn section(mut self, section: &'static str) -> Self {
        (self.section, self.whole) = (section, true);
        self
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    pub(crate) fn at(&self, section: &str) -> bool {
        self.section == section
    }

    /// The value of `aria-current`: the page itself, or something below it.
    pub(crate) fn current(&self) -> &'static str {
        if self.whole { "page" } else { "true" }
    }
}

impl Visitor {
    fn of(CurrentUser(user): &CurrentUser) -> Self {
        Self {
            label: if user.name.is_empty() { user.address.clone() } else { user.name.clone() },
            address: user.address.clone(),
            journal: authorize(Actor::User(user), Action::See, Object::Journal),
            mailboxes: authorize(Actor::User(user), Action::See, Object::Mailboxes),
            installation: authorize(Actor::User(user), Action::Configure, Object::Installation),
        }
    }
}

/// One of several links of which one is current.
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) key: String,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// The way to older entries and back; an empty address is no link.
pub(crate) struct Pager {
    pub(crate) newest: String,
    pub(crate) older: String,
}

/// The entry that an address says to go on before; `None` for the newest.
pub(crate) fn before(text: &str) -> Result<Option<i64>, Failure> {
    match text {
        "" => Ok(None),
        number => number.parse().map(Some).map_err(|_| Failure::BadRequest(Language::before_nonsense)),
    }
}

/// Cuts what was asked for with one more than a page has down to the page; the last entry, if there are more behind it.
pub(crate) fn cut<T>(entries: &mut Vec<T>, page: u32) -> Option<&T> {
    let more = entries.len() > page as usize;
    entries.truncate(page as usize);
    entries.last().filter(|_| more)
}

/// What stands where there is nothing: why, and what to do.
#[derive(Default)]
pub(crate) struct Empty {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) shell: &'static str,
    pub(crate) href: String,
    pub(crate) link: &'static str,
}

/// A page with one card on it: signing in, errors.
#[derive(Template)]
#[template(path = "alone.html")]
pub(crate) struct Alone {
    pub(crate) t: Language,
    pub(crate) frame: Frame,
    pub(crate) heading: String,
    pub(crate) lines: Vec<String>,
    pub(crate) shell: &'static str,
    pub(crate) href: &'static str,
    pub(crate) link: &'static str,
    pub(crate) code: &'static str,
    /// A code that the person is to send; empty for none.
    pub(crate) code_to_send: String,
    /// The fields of a form that posts to the page itself.
    pub(crate) fields: Vec<Field>,
    /// What its button says; empty for no form.
    pub(crate) button: &'static str,
    /// What is said below it.
    pub(crate) below: &'static str,
}

impl Alone {
    /// A card with one paragraph.
    pub(crate) fn new(t: Language, frame: Frame, heading: &str, line: &str) -> Self {
        Self {
            t,
            frame,
            heading: heading.to_owned(),
            lines: [line].into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            shell: "",
            href: "",
            link: "",
            code: "",
            code_to_send: String::new(),
            fields: Vec::new(),
            button: "",
            below: "",
        }
    }
}

impl IntoResponse for Alone {
    fn into_response(self) -> Response {
        render(&self)
    }
}

/// The page as a response.
pub(crate) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        // Templates are checked when they are compiled; what is left is a formatter that refuses to write.
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Text as one segment of a path.
pub(crate) fn in_path(text: &str) -> String {
    let mut out = String::new();
    escape(text, &mut out);
    out
}

/// Appends text in a form that means nothing in an address.
// RFC 3986 §2.3
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// An address with a query; pairs whose value is empty are left out.
pub(crate) fn href(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    let mut separator = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(separator);
        out.push_str(name);
        out.push('=');
        escape(value, &mut out);
        separator = '&';
    }
    out
}
