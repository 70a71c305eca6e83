//! `postroom contact`: people without an account.

use super::args::{ContactCommand, Global};
use super::open_store;
use super::output::{Output, one_line};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::ContactStanding;
use postroom_store::{Contact, Store};
use serde_json::json;

pub async fn run(global: &Global, command: ContactCommand, out: Output) -> Result<(), Failure> {
    let (store, now) = (open_store(global).await?, Timestamp::now());
    match command {
        ContactCommand::List => list(&store, out).await,
        ContactCommand::Admit { address } => {
            let contact = store.admit_contact(&address, now).await?;
            out.object(&contact, || {
                format!(
                    "{} may write from now on. Mail from before is still held: postroom receipt retry --reason SENDER_UNKNOWN",
                    contact.address
                )
            })
        }
        ContactCommand::Block { address } => {
            let contact = store.block_contact(&address, now).await?;
            out.object(&contact, || format!("{} may not write any more: what they send is held", contact.address))
        }
        ContactCommand::Forget { address } => {
            store.forget_contact(&address, now).await?;
            out.object(&json!({"address": address, "forgotten": true}), || {
                format!("{address} is forgotten; the rules for unknown senders hold for them")
            })
        }
    }
}

async fn list(store: &Store, out: Output) -> Result<(), Failure> {
    let contacts = store.contacts().await?;
    let none = "no contacts yet: nobody without an account has written anything that was filed";
    let seen = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
    out.table(&contacts, ["ADDRESS", "NAME", "", "FIRST SEEN", "LAST SEEN"], none, |c: &Contact| {
        [
            one_line(&c.address, 100),
            one_line(&c.name, 40),
            c.standing.map_or("", ContactStanding::as_str).to_owned(),
            seen(c.first_seen_at),
            seen(c.last_seen_at),
        ]
    })
}
