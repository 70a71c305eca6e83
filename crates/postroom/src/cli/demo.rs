//! `postroom demo`: everything at once, in a throw-away directory.

use super::actor::SETUP;
use super::args::Listen;
use super::output::{Output, one_line};
use super::serve::{base_of, bind, local_address, serve, signin, stop_signal};
use crate::collector::{self, Unwatched};
use crate::failure::Failure;
use crate::floor::Floor;
use jiff::Timestamp;
use postroom_domain::{AutomaticMail, Mailbox, MailboxPolicy, Receipt, Role, StartFrom, Switch, User};
use postroom_mail::Access;
use postroom_store::{Database, NewMailbox, NewUser, ReceiptFilter, Store, StoreConfig};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// The sample messages, in the order of arrival; made by the build script from `demo/`.
mod samples {
    include!(concat!(env!("OUT_DIR"), "/samples.rs"));
}

pub async fn run(listen: Listen, out: Output) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let listener = bind(listen.listen).await?;
    let base = base_of(local_address(&listener)?);
    let dir = ThrowAway::new()?;
    let maildir = dir.0.join("maildir");
    fill(&maildir).map_err(|error| unwritable(&maildir, &error))?;
    let config = StoreConfig::new(dir.0.join("data"), Database::Sqlite);
    let floor = Floor::open(Store::open(&config)?)?;
    let (admin, mailbox) = furnish(&floor, &maildir).await?;
    out.say(format!(
        "A mailbox with {} sample messages; each becomes an item, a comment or held mail:\n",
        samples::SAMPLES.len()
    ))?;
    if let Some(lease) = collector::lease(&floor, &mailbox, true).await? {
        let (_, result) = collector::visit_once(&floor, lease, &Unwatched).await;
        result.map_err(Failure::from)?;
    }
    tell(&floor, out).await?;
    let url = signin(&floor, &admin, &base).await?;
    out.object(&json!({"url": url, "maildir": maildir}), || {
        format!(
            "\nsign in: {url}\nmaildir: {}\n\nDrop a message into the new/ directory there and watch it appear in the open page.\n\
             Ctrl-C ends the demo and removes its directory.",
            maildir.display()
        )
    })?;
    serve(floor, listener, stop).await
}

/// The samples as a Maildir. Their names keep the order of arrival.
fn fill(maildir: &Path) -> std::io::Result<()> {
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(maildir.join(sub))?;
    }
    for (name, octets) in samples::SAMPLES {
        fs::write(maildir.join("new").join(name), octets)?;
    }
    Ok(())
}

async fn furnish(floor: &Floor, maildir: &Path) -> Result<(User, Mailbox), Failure> {
    let (store, now) = (&floor.store.by(SETUP), Timestamp::now());
    // Constants of ours, so that a failure here is a mistake in them and shows in every test run.
    let key = |text: &str| super::workspace_key(text);
    store.add_workspace(&key("SUP")?, "Support", true, now).await?;
    store.add_workspace(&key("OPS")?, "Operations", false, now).await?;
    let people = [("kim@demo.example", "Kim Agent", Role::Agent), ("lee@demo.example", "Lee Reporter", Role::Reporter)];
    for (address, name, role) in people {
        let memberships = vec![(key("SUP")?, role)];
        let new = NewUser { address: address.to_owned(), name: name.to_owned(), memberships, ..NewUser::default() };
        store.add_user(new, now).await?;
    }
    let (address, name) = ("pat@demo.example".to_owned(), "Pat Admin".to_owned());
    let admin = store.add_user(NewUser { address, name, admin: true, ..NewUser::default() }, now).await?;
    let policy =
        MailboxPolicy { unknown_senders: Switch::Yes, automatic: AutomaticMail::Hold, ..MailboxPolicy::default() };
    let new = NewMailbox {
        name: "desk".to_owned(),
        access: Access::Maildir { path: maildir.to_owned() },
        workspace: None,
        policy,
        start: StartFrom::All,
        every_s: 1,
    };
    Ok((admin, store.add_mailbox(new, None, now).await?))
}

/// What became of each message, and why.
async fn tell(floor: &Floor, out: Output) -> Result<(), Failure> {
    let mut receipts = floor.store.receipts(ReceiptFilter { limit: 1000, ..ReceiptFilter::default() }).await?;
    receipts.reverse();
    for receipt in &receipts {
        out.object(receipt, || {
            let subject = one_line(receipt.subject.as_deref().filter(|s| !s.is_empty()).unwrap_or("(no subject)"), 48);
            let reason = receipt.reason.map_or("waiting", |reason| reason.sentence());
            format!("  {subject:<50} {:<18} {reason}", became(receipt))
        })?;
    }
    Ok(())
}

fn became(receipt: &Receipt) -> String {
    match (receipt.item, receipt.comment) {
        (Some(item), Some(_)) => format!("comment on #{item}"),
        (Some(item), None) => format!("item #{item}"),
        (None, _) => receipt.state.as_str().to_owned(),
    }
}

/// A directory that is removed when the demo ends.
struct ThrowAway(PathBuf);

impl ThrowAway {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("postroom-demo-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // What cannot be removed is in the directory for temporary files, which the system clears.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let help = "set TMPDIR to a directory with some space";
    Failure::new("DATA_DIR_UNWRITABLE", format!("{}: {error}", path.display()), help)
}
