//! `postroom workspace` and `postroom user`.

use super::args::{
    ClosedArg, Global, Retention, UnverifiedArg, UserCommand, WorkspaceCommand, WorkspaceOptions, YesNo,
};
use super::output::{Output, count};
use super::{open_or_create, open_store, registration, workspace_key};
use crate::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::user::NotARole;
use postroom_domain::{ClosedItems, Role, Unverified, User, Workspace, WorkspaceKey, WorkspacePolicy};
use postroom_store::{NewUser, Store, UserChange};
use postroom_web::WebConfig;
use serde_json::json;

/// How long a sign-in address works.
pub const SIGNIN_LINK_TTL: SignedDuration = SignedDuration::from_mins(15);

pub async fn workspace(global: &Global, command: WorkspaceCommand, out: Output) -> Result<(), Failure> {
    match command {
        WorkspaceCommand::Add { key, name, default } => {
            let store = open_or_create(global).await?;
            let workspace = store.add_workspace(&workspace_key(&key)?, &name, default, Timestamp::now()).await?;
            out.object(&workspace, || {
                let role = if workspace.default { ", the default workspace" } else { "" };
                format!("added workspace {} ({}){role}", workspace.key, workspace.name)
            })
        }
        WorkspaceCommand::Default { key, none: _ } => {
            let store = open_store(global).await?;
            let key = key.as_deref().map(workspace_key).transpose()?;
            store.set_default_workspace(key.as_ref(), Timestamp::now()).await?;
            out.object(&json!({"default": key}), || match &key {
                Some(key) => format!("{key} is the default workspace"),
                None => "there is no default workspace; mail of mailboxes that name none is held until there is one \
                         (`postroom mailbox list` shows which)"
                    .to_owned(),
            })
        }
        WorkspaceCommand::Set { key, options } => {
            let workspace = set_workspace(global, &key, &options).await?;
            out.object(&workspace, || rules(&workspace))
        }
        WorkspaceCommand::List => {
            let workspaces = open_store(global).await?.workspaces().await?;
            let none = "no workspaces yet; add one with: postroom workspace add SUP Support --default";
            out.table(&workspaces, ["KEY", "NAME", ""], none, |w| {
                [w.key.to_string(), w.name.clone(), if w.default { "default".to_owned() } else { String::new() }]
            })
        }
    }
}

async fn set_workspace(global: &Global, key: &str, options: &WorkspaceOptions) -> Result<Workspace, Failure> {
    let (store, key) = (open_store(global).await?, workspace_key(key)?);
    let mut workspace = named_workspace(&store, &key).await?;
    apply(options, &mut workspace.policy);
    store.set_workspace_policy(&key, workspace.policy, Timestamp::now()).await?;
    Ok(workspace)
}

/// Lays what was given over the rules in force.
fn apply(options: &WorkspaceOptions, policy: &mut WorkspacePolicy) {
    if let Some(unverified) = options.unverified {
        policy.unverified = match unverified {
            UnverifiedArg::Comment => Unverified::Comment,
            UnverifiedArg::Hold => Unverified::Hold,
            UnverifiedArg::OpenOnly => Unverified::OpenOnly,
        };
    }
    if let Some(closed) = options.closed {
        policy.closed = match closed {
            ClosedArg::Reopen => ClosedItems::Reopen,
            ClosedArg::Comment => ClosedItems::Comment,
            ClosedArg::NewItem => ClosedItems::NewItem,
        };
    }
    policy.reopen_limit = options.reopen_limit.unwrap_or(policy.reopen_limit);
    if let Some(credit) = options.forward_credit {
        policy.forward_credit = credit == YesNo::Yes;
    }
    if let Some(Retention(days)) = options.retain_held {
        policy.retain_held_days = days;
    }
}

/// The rules of a workspace, a line for each.
fn rules(workspace: &Workspace) -> String {
    let policy = &workspace.policy;
    let unverified = match policy.unverified {
        Unverified::Comment => "may comment and open items, and is marked",
        Unverified::Hold => "is held",
        Unverified::OpenOnly => "may open items, but not comment",
    };
    let closed = match policy.closed {
        ClosedItems::Reopen => format!("opens it again, at most {} times a day", policy.reopen_limit),
        ClosedItems::Comment => "is a comment only".to_owned(),
        ClosedItems::NewItem => "opens a new item that continues it".to_owned(),
    };
    let credit = if policy.forward_credit { "always" } else { "where he asks for it" };
    let kept = match policy.retain_held_days {
        Some(days) => format!("is deleted here after {}, unless a failure holds it", count(days.into(), "day")),
        None => "is kept for ever".to_owned(),
    };
    let lines = [
        format!("workspace {}", workspace.key),
        format!("  mail of a known sender without proof that he wrote it {unverified}"),
        format!("  mail on a closed item {closed}"),
        format!("  the author of what an agent forwards is credited {credit}"),
        format!("  held mail {kept}"),
    ];
    lines.join("\n")
}

async fn named_workspace(store: &Store, key: &WorkspaceKey) -> Result<Workspace, Failure> {
    let found = store.workspaces().await?.into_iter().find(|workspace| workspace.key == *key);
    found.ok_or_else(|| {
        let help = "`postroom workspace list` shows the workspaces";
        Failure::new("WORKSPACE_UNKNOWN", format!("there is no workspace {key}"), help)
    })
}

pub async fn user(global: &Global, command: UserCommand, out: Output) -> Result<(), Failure> {
    match command {
        UserCommand::Add { address, name, admin, member, alias } => {
            let store = open_or_create(global).await?;
            let memberships = member.iter().map(|text| membership(text)).collect::<Result<_, _>>()?;
            let new = NewUser { address, name: name.unwrap_or_default(), admin, memberships, aliases: alias };
            let user = store.add_user(new, Timestamp::now()).await?;
            out.object(&user, || format!("added {}", describe(&user)))
        }
        UserCommand::Set { address, name, active, admin, member, alias, no_alias } => {
            let yes = |value: YesNo| value == YesNo::Yes;
            let memberships = member.iter().map(|text| membership_or_none(text)).collect::<Result<_, _>>()?;
            let (active, admin) = (active.map(yes), admin.map(yes));
            let change = UserChange { name, active, admin, memberships, aliases: alias, without_aliases: no_alias };
            let user = open_store(global).await?.set_user(&address, change, Timestamp::now()).await?;
            out.object(&user, || format!("changed {}", describe(&user)))
        }
        UserCommand::SignOut { address } => {
            let ended = open_store(global).await?.sign_out_user(&address, Timestamp::now()).await?;
            out.object(&json!({"address": address, "sessions": ended}), || {
                format!("signed {address} out everywhere: {}", count(ended, "session"))
            })
        }
        UserCommand::Invite { address, name, member, base } => {
            let memberships = member.iter().map(|text| membership(text)).collect::<Result<_, _>>()?;
            registration::invite(global, &address, name, memberships, &base, out).await
        }
        UserCommand::Register { address, name, base } => {
            registration::register(global, address, name, &base, out).await
        }
        UserCommand::Pending => registration::pending(global, out).await,
        UserCommand::Approve { address } => {
            let user = open_store(global).await?.approve_registration(&address, Timestamp::now()).await?;
            out.object(&user, || format!("{} has an account now", describe(&user)))
        }
        UserCommand::Refuse { address } => {
            let ended = open_store(global).await?.refuse_registration(&address, Timestamp::now()).await?;
            out.object(&json!({"address": address, "ended": ended}), || format!("nothing waits for {address} any more"))
        }
        UserCommand::List => {
            let users = open_store(global).await?.users().await?;
            let none = "no users yet; add one with: postroom user add you@example.org --admin";
            out.table(&users, ["ADDRESS", "NAME", "ROLES", "ALIASES"], none, |u| {
                [u.address.clone(), u.name.clone(), roles(u), u.aliases.join(" ")]
            })
        }
        UserCommand::SigninLink { address, base } => {
            let store = open_store(global).await?;
            let Some(user) = store.user_by_address(&address).await? else {
                return Err(Failure::new(
                    "USER_UNKNOWN",
                    format!("no user has the address {address}"),
                    "`postroom user list` shows the users, `postroom user add` adds one",
                ));
            };
            let token = store.make_signin_link(user.id, SIGNIN_LINK_TTL, Timestamp::now()).await?;
            let url = signin_url(&base, &token);
            out.object(&json!({"address": user.address, "url": url, "expires_in_s": SIGNIN_LINK_TTL.as_secs()}), || {
                url.clone()
            })
        }
    }
}

/// The address that signs in once.
pub fn signin_url(base: &str, token: &postroom_mail::Secret) -> String {
    WebConfig { base_url: base.to_owned() }.signin_url(token.expose())
}

fn membership(text: &str) -> Result<(WorkspaceKey, Role), Failure> {
    let help = "write --member KEY=ROLE, for example --member SUP=agent";
    let Some((key, role)) = text.split_once('=') else {
        return Err(Failure::new("USAGE", format!("`{text}` is no membership"), help));
    };
    let role = role.parse().map_err(|error: NotARole| Failure::new("USAGE", error.to_string(), help))?;
    Ok((workspace_key(key)?, role))
}

/// The same, or `KEY=none` for the end of a membership.
fn membership_or_none(text: &str) -> Result<(WorkspaceKey, Option<Role>), Failure> {
    match text.strip_suffix("=none") {
        Some(key) => Ok((workspace_key(key)?, None)),
        None => membership(text).map(|(key, role)| (key, Some(role))),
    }
}

fn roles(user: &User) -> String {
    let mut roles: Vec<String> = user.memberships.iter().map(|m| format!("{}={}", m.workspace, m.role)).collect();
    if user.admin {
        roles.insert(0, "admin".to_owned());
    }
    if !user.active {
        roles.insert(0, "inactive".to_owned());
    }
    roles.join(" ")
}

fn describe(user: &User) -> String {
    let roles = roles(user);
    if roles.is_empty() { user.address.clone() } else { format!("{} ({roles})", user.address) }
}
