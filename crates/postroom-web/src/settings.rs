//! `/settings`: the rules that hold everywhere, with a tester that shows what they do to addresses before they are in force, and
//! the workspaces.

use crate::App;
use crate::failure::Failure;
use crate::form::{Field, Form};
use crate::page::{Frame, render};
use crate::session::CurrentUser;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use postroom_domain::domain_pattern::lint;
use postroom_domain::{
    Action, Actor, AddressRules, Admission, DomainPolicy, GlobalPolicy, Object, RegistrationMode, User, Workspace,
    WorkspaceKey, authorize,
};
use postroom_mail::address::canonical;
use postroom_store::{Store, StoreError};

const PAGE: &str = "/settings";
/// Addresses that are tried at once.
const SAMPLES_MAX: usize = 50;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    t: Language,
    frame: Frame,
    switches: Vec<Field>,
    lists: Vec<Field>,
    samples: Field,
    verdicts: Vec<Verdict>,
    warnings: Vec<String>,
    workspaces: Vec<Workspace>,
    default: Field,
    new_workspace: Vec<Field>,
}

/// What the rules do to one address.
struct Verdict {
    address: String,
    tone: &'static str,
    word: &'static str,
    why: String,
}

/// The store in the name of somebody who decides what holds everywhere.
pub(crate) fn store_of(app: &App, user: &User) -> Result<Store, Failure> {
    match authorize(Actor::User(user), Action::Configure, Object::Installation) {
        true => Ok(app.by(user)),
        false => Err(Failure::NotFound),
    }
}

/// `GET /settings`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
) -> Result<Response, Failure> {
    let policy = store_of(&app, &user)?.global_policy().await?;
    settings(&app, &user, t, &form_of(&policy)).await
}

/// The settings as the form has them.
fn form_of(policy: &GlobalPolicy) -> Form {
    let switch = |on| if on { "on" } else { "off" };
    Form::with(&[
        ("submissions", switch(policy.submissions)),
        ("unknown-senders", switch(policy.unknown_senders)),
        ("registration", policy.registration.as_str()),
        ("patterns", &policy.allowed.allowed_domains.join("\n")),
        ("domains", &policy.allowed.domains.join("\n")),
        ("blocked", &policy.blocked.join("\n")),
    ])
}

/// What the form says in place of the present settings; its problems are noted in it.
fn policy_of(t: Language, form: &mut Form, present: &GlobalPolicy) -> GlobalPolicy {
    let list = |name: &str| lines(form.raw(name));
    let (patterns, domains, blocked) = (list("patterns"), list("domains"), list("blocked"));
    let written = DomainPolicy { allowed_domains: patterns, domains, ..present.allowed.clone() };
    // How patterns are read was found out for those that stand there; others may be of another kind.
    let same = written.allowed_domains == present.allowed.allowed_domains;
    let allowed = DomainPolicy { allowed_domains_syntax: written.allowed_domains_syntax.filter(|_| same), ..written };
    let policy = GlobalPolicy {
        submissions: form.text("submissions") != "off",
        unknown_senders: form.text("unknown-senders") == "on",
        registration: match form.text("registration") {
            "open" => RegistrationMode::Open,
            "approval" => RegistrationMode::Approval,
            _ => RegistrationMode::Closed,
        },
        allowed: allowed.clone(),
        blocked: blocked.clone(),
        ..present.clone()
    };
    let only = |allowed, blocked| GlobalPolicy { allowed, blocked, ..GlobalPolicy::default() };
    let patterns = DomainPolicy { domains: Vec::new(), ..allowed.clone() };
    let domains = DomainPolicy { domains: allowed.domains, ..DomainPolicy::default() };
    for (name, part) in [
        ("patterns", only(patterns, Vec::new())),
        ("domains", only(domains, Vec::new())),
        ("blocked", only(DomainPolicy::default(), blocked)),
    ] {
        if let Err(error) = AddressRules::global(&part) {
            let said = t.sentences(&StoreError::PatternInvalid(error.to_string()));
            // In German the particulars stand last.
            form.problem(
                name,
                if t == Language::English { said.first() } else { said.last() }.cloned().unwrap_or_default(),
            );
        }
    }
    policy
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

async fn settings(app: &App, user: &CurrentUser, t: Language, form: &Form) -> Result<Response, Failure> {
    let workspaces = app.store.workspaces().await?;
    let mut tried = Form::with(&["patterns", "domains", "blocked"].map(|name| (name, form.raw(name))));
    let policy = policy_of(t, &mut tried, &app.store.global_policy().await?);
    let verdicts = AddressRules::global(&policy).map_or_else(|_| Vec::new(), |rules| verdicts(t, &rules, form));
    let on_off = |yes: &str, no: &str| vec![("on".to_owned(), yes.to_owned()), ("off".to_owned(), no.to_owned())];
    let modes = [("closed", t.nobody_registers()), ("approval", t.approval_registers()), ("open", t.open_registers())];
    let none = (String::new(), t.no_default().to_owned());
    let keys = workspaces.iter().map(|one| (one.key.to_string(), format!("{} ({})", one.name, one.key)));
    let default = workspaces.iter().find(|one| one.default).map_or("", |one| one.key.as_str());
    let present = Form::with(&[("default", default)]);
    Ok(form.answer(render(&Settings {
        t,
        frame: Frame::still(t.settings(), Some(user)).section("settings"),
        switches: vec![
            form.field("submissions", t.submissions(), "select")
                .choices(on_off(t.mail_is_taken(), t.mail_is_not_taken()))
                .hint(t.submissions_hint()),
            form.field("unknown-senders", t.unknown_senders(), "select")
                .choices(on_off(t.unknown_may(), t.unknown_may_not()))
                .hint(t.unknown_hint()),
            form.field("registration", t.registration(), "select")
                .choices(modes.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec()),
        ],
        lists: vec![
            form.field("patterns", t.patterns(), "textarea").optional().hint(t.patterns_hint()),
            form.field("domains", t.domains(), "textarea").optional().hint(t.domains_hint()),
            form.field("blocked", t.blocked(), "textarea").optional().hint(t.blocked_hint()),
        ],
        samples: form.field("samples", t.samples(), "textarea").optional().hint(t.samples_hint()),
        verdicts,
        warnings: warnings(&policy.allowed),
        default: present
            .field("default", t.default_label(), "select")
            .choices(std::iter::once(none).chain(keys).collect()),
        new_workspace: vec![
            form.field("key", t.workspace_key(), "text").hint(t.workspace_key_hint()),
            form.field("name", t.name(), "text"),
        ],
        workspaces,
    })))
}

/// What was probably not meant by the patterns.
fn warnings(allowed: &DomainPolicy) -> Vec<String> {
    if allowed.allowed_domains.is_empty() {
        return Vec::new();
    }
    // What cannot be used at all is said at its field.
    lint(&allowed.allowed_domains, allowed.allowed_domains_syntax).map_or_else(|_| Vec::new(), |found| found.warnings)
}

/// What the rules do to the addresses that were named.
fn verdicts(t: Language, rules: &AddressRules, form: &Form) -> Vec<Verdict> {
    let judge = |text: String| {
        let (tone, word, why) = match canonical(&text).map(|address| rules.judge(&address)) {
            None => ("warn", t.no_address(), String::new()),
            Some(Admission::Admitted(by)) => ("good", t.may_write(), by),
            Some(Admission::Blocked(by)) => ("bad", t.is_blocked(), by),
            Some(Admission::NotAllowed(_)) => ("bad", t.may_not_write(), String::new()),
            Some(Admission::Undecided(_)) => ("warn", t.is_undecided(), String::new()),
        };
        Verdict { address: text, tone, word, why }
    };
    lines(form.raw("samples")).into_iter().take(SAMPLES_MAX).map(judge).collect()
}

/// `POST /settings`: saves the rules, tries them without saving, adds a workspace, or makes one the default.
pub(crate) async fn on_settings(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    mut form: Form,
) -> Result<Response, Failure> {
    let (store, now) = (store_of(&app, &user)?, Timestamp::now());
    match form.text("do") {
        "default" => {
            let key = form.text("default");
            let key = if key.is_empty() { None } else { Some(key.parse().map_err(|_| Failure::NotFound)?) };
            store.set_default_workspace(key.as_ref(), now).await?;
        }
        "add-workspace" => {
            let name = form.text("name").to_owned();
            match form.text("key").parse::<WorkspaceKey>() {
                Err(_) => form.problem("key", t.workspace_key_hint()),
                Ok(_) if name.is_empty() => form.problem("name", t.name_missing()),
                Ok(key) => match store.add_workspace(&key, &name, false, now).await {
                    Err(StoreError::Exists { .. }) => form.problem("key", t.workspace_exists()),
                    added => drop(added?),
                },
            }
            if !form.is_fine() {
                let present = form_of(&app.store.global_policy().await?);
                return settings(&app, &user, t, &present.with_problems_of(form)).await;
            }
        }
        "save" | "test" => {
            let only_tried = form.text("do") == "test";
            let policy = policy_of(t, &mut form, &store.global_policy().await?);
            if only_tried || !form.is_fine() {
                return settings(&app, &user, t, &form).await;
            }
            store.set_global_policy(&policy, now).await?;
        }
        _ => return Err(Failure::BadRequest(Language::not_understood)),
    }
    Ok(Redirect::to(PAGE).into_response())
}
