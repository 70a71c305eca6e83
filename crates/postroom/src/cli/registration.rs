//! `postroom user register`, `invite` and `pending`: accounts that are asked for or offered.

use super::args::Global;
use super::open_store;
use super::output::{Output, one_line};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::{RegistrationMode, Role, WorkspaceKey};
use postroom_store::{Ask, AskedBy, Letter};
use postroom_web::WebConfig;
use serde_json::json;

pub async fn register(
    global: &Global,
    address: String,
    name: Option<String>,
    base: &str,
    out: Output,
) -> Result<(), Failure> {
    let store = open_store(global).await?;
    let ask = Ask { address: address.clone(), name: name.unwrap_or_default(), by: AskedBy::Operator, password: None };
    let asked = store.register(ask, Timestamp::now()).await?;
    let Letter::Link(token) = &asked.letter else {
        // An operator is told plainly what stands in the way, as an error.
        return Err(Failure::new("INTERNAL", "the registration leads nowhere", "please report this"));
    };
    let (url, code) = (join_url(base, token.expose()), asked.code.expose());
    let approval = store.global_policy().await?.registration == RegistrationMode::Approval;
    let object =
        json!({"address": address, "url": url, "code": code, "expires_at": asked.expires_at, "approval": approval});
    out.object(&object, || {
        let then = if approval { format!("\nThen approve it: postroom user approve {address}") } else { String::new() };
        format!(
            "Within 24 hours one of these shows that the address is theirs:\n\
             - they open {url}\n\
             - a message from {address} to an inbox, with {code} in its subject{then}"
        )
    })
}

pub async fn invite(
    global: &Global,
    address: &str,
    name: Option<String>,
    memberships: Vec<(WorkspaceKey, Role)>,
    base: &str,
    out: Output,
) -> Result<(), Failure> {
    let store = open_store(global).await?;
    let invitation = store.invite(address, &name.unwrap_or_default(), memberships, Timestamp::now()).await?;
    let url = join_url(base, invitation.link.expose());
    out.object(&json!({"address": invitation.address, "url": url, "expires_at": invitation.expires_at}), || {
        format!("{url}\n(for {}, once, within 72 hours; no earlier invitation counts any more)", invitation.address)
    })
}

pub async fn pending(global: &Global, out: Output) -> Result<(), Failure> {
    let pending = open_store(global).await?.pending_registrations(Timestamp::now()).await?;
    let none = "nobody waits for an account";
    out.table(&pending, ["ADDRESS", "NAME", "WAITS FOR", "ROLES", "UNTIL"], none, |one| {
        let waits_for = match (one.invited, one.proven) {
            (true, _) => "them to accept",
            (false, true) => "approval; the address is theirs",
            (false, false) => "proof of the address, or approval",
        };
        let until = one.expires_at.strftime("%Y-%m-%d %H:%MZ").to_string();
        let roles: Vec<String> = one.memberships.iter().map(|(key, role)| format!("{key}={role}")).collect();
        [one.address.clone(), one_line(&one.name, 40), waits_for.to_owned(), roles.join(" "), until]
    })
}

fn join_url(base: &str, token: &str) -> String {
    WebConfig { base_url: base.to_owned() }.join_url(token)
}
