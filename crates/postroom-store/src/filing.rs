//! The second durable point: everything that a message causes, in one commit.

use crate::audit::Notes;
use crate::blobs::insert_attachments;
use crate::changes::ChangeKind;
use crate::contacts::note_contact;
use crate::crash::crash_point;
use crate::facts::{Remote, Rules, facts, is_settled, settlement_of};
use crate::files::Files;
use crate::journal::hold;
use crate::opening::{Sender, add_comment, open_item, propose_recipients};
use crate::people::user_by_address;
use crate::registration::proven_by_mail;
use crate::search::Words;
use crate::storms::{Arrival, first_look};
use crate::tx::params;
use crate::work::set_status;
use crate::workspaces::to_json;
use crate::{Claimed, Holder, Instead, SYSTEM, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::filing::Effect;
use postroom_domain::{Clues, Filing, Identity, MailboxId, Reason, ReceiptId, TraceStep, User, WorkspaceId, decide};
use postroom_mail::{Content, Message};

/// What reading gave.
#[derive(Debug, Clone)]
pub enum Reading {
    /// The message.
    Message(Box<Message>),
    /// It failed; the receipt is held.
    Failed {
        /// Why.
        reason: Reason,
        /// For people.
        detail: String,
    },
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its receipt.
    pub receipt: ReceiptId,
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// What it is now.
    pub kind: OutcomeKind,
    /// Why; `None` where nothing was decided.
    pub reason: Option<Reason>,
    /// The steps that led to it.
    pub trace: Vec<TraceStep>,
    /// Its subject.
    pub subject: String,
    /// Its author, as shown in the journal.
    pub from: String,
}

/// What a message is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeKind {
    /// A new item with this number.
    Item(i64),
    /// A comment.
    Comment {
        /// The item.
        item: i64,
        /// The comment.
        comment: i64,
    },
    /// Held.
    Held,
    /// To be tried again later: the database would not take what it causes.
    Deferred,
    /// Somebody else has claimed it meanwhile; nothing was changed.
    Lost,
}

impl Store {
    /// Decides and files a batch in one commit, in this order. Each message stands alone: one that the database does not
    /// take is put off, and the others are filed. Filing twice changes nothing, since the claim is gone with the first.
    ///
    /// # Errors
    /// Those of the database; then nothing of the batch was changed.
    pub async fn file(
        &self,
        batch: Vec<(Claimed, Reading)>,
        worker: &Holder,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut contents = Vec::new();
        for (_, reading) in &batch {
            let Reading::Message(message) = reading else { continue };
            for attachment in &message.attachments {
                if let Content::Octets(octets) = &attachment.content {
                    contents.push((attachment.sha256, octets.clone()));
                }
            }
        }
        self.write_large_contents(contents).await?;
        let (worker, files, cache) = (worker.to_json(), self.files().clone(), self.inner.rules.clone());
        let opener = self.opener();
        let outcomes = self
            .write(move |tx| {
                tx.take_turn()?;
                let set = cache.get(tx)?;
                let rules = Rules::load(tx, set, &Instead::default(), opener.clone(), now)?;
                let (notes, words) = (Notes::default(), Words::default());
                let mut desk = Desk { rules, files: &files, worker: &worker, now, notes, words };
                let mut outcomes = Vec::with_capacity(batch.len());
                for (claimed, reading) in &batch {
                    outcomes.push(file_or_defer(tx, &mut desk, claimed, reading)?);
                }
                desk.words.add(tx)?;
                desk.notes.append(tx, SYSTEM, now)?;
                crash_point!("store.file.before_commit");
                Ok(outcomes)
            })
            .await?;
        crash_point!("store.file.after_commit");
        Ok(outcomes)
    }
}

/// What holds for a whole batch.
struct Desk<'a> {
    rules: Rules,
    files: &'a Files,
    worker: &'a str,
    now: Timestamp,
    /// What goes into the audit: accounts that mail made.
    notes: Notes,
    /// What becomes findable with the batch.
    words: Words,
}

/// Tries to file a message, after which it is held. They take about four hours.
const TRIES_MAX: i64 = 10;

/// Files one message in a savepoint of its own; on a failure of this message alone it is put off, and in the end held.
fn file_or_defer(
    tx: &mut Tx<'_>,
    desk: &mut Desk<'_>,
    claimed: &Claimed,
    reading: &Reading,
) -> Result<Outcome, StoreError> {
    let (noted, gathered) = (desk.notes.len(), desk.words.len());
    let error = match tx.savepoint(|tx| file_one(tx, desk, claimed, reading)) {
        Err(error) if !error.is_of_the_database() => error,
        done => return done,
    };
    desk.notes.forget(noted);
    desk.words.forget(gathered);
    let minutes = 1i64 << claimed.attempts().min(6);
    let retry_at = crate::visits::after(desk.now, SignedDuration::from_mins(minutes));
    let why = format!("{}: {error}", error.code());
    let id = claimed.receipt();
    tracing::warn!(receipt = %id, code = error.code(), %error, "filing failed");
    let row = tx.query_opt(
        "UPDATE receipt SET state = 'deferred', due_at = ?3, attempts = attempts + 1, error = ?4, claimed_by = NULL, \
         claimed_until = NULL WHERE id = ?1 AND claim_token = ?2 AND due_at IS NOT NULL RETURNING attempts",
        params![id.0, claimed.token(), retry_at, &why],
    )?;
    let Some(mut row) = row else {
        return Ok(outcome(claimed, OutcomeKind::Lost, None, Vec::new(), &Written::default()));
    };
    let tries = row.int(0)?;
    let trace = vec![TraceStep::new("filing", "failed", format!("{tries} times, at last with {why}"))];
    let reason = Reason::FilingFailed;
    // In a savepoint too, so that a receipt which cannot even be held does not stop the others.
    if tries >= TRIES_MAX {
        match tx.savepoint(|tx| hold(tx, id, reason, &trace, desk.now)) {
            Ok(()) => return Ok(outcome(claimed, OutcomeKind::Held, Some(reason), trace, &Written::default())),
            Err(error) if error.is_of_the_database() => return Err(error),
            Err(error) => tracing::error!(receipt = %id, code = error.code(), %error, "holding failed"),
        }
    }
    Ok(outcome(claimed, OutcomeKind::Deferred, None, Vec::new(), &Written::default()))
}

/// What the journal shows of a message.
#[derive(Default)]
struct Written {
    identity: Option<String>,
    subject: String,
    from: Option<String>,
    message_id: Option<String>,
    /// A machine wrote it.
    automatic: bool,
    /// It is proven to be by its author.
    verified: bool,
    /// When it counts as having arrived.
    counts_at: Option<Timestamp>,
}

fn outcome(
    claimed: &Claimed,
    kind: OutcomeKind,
    reason: Option<Reason>,
    trace: Vec<TraceStep>,
    written: &Written,
) -> Outcome {
    Outcome {
        receipt: claimed.receipt(),
        mailbox: claimed.mailbox(),
        kind,
        reason,
        trace,
        subject: written.subject.clone(),
        from: written.from.clone().unwrap_or_default(),
    }
}

fn file_one(tx: &mut Tx<'_>, desk: &mut Desk<'_>, claimed: &Claimed, reading: &Reading) -> Result<Outcome, StoreError> {
    let sql = format!(
        "SELECT released, release_workspace_id, counted_at, remote_id, settlement, \
         (SELECT removed_at FROM mailbox WHERE mailbox.id = receipt.mailbox_id) FROM receipt \
         WHERE id = ?1 AND claim_token = ?2 AND claimed_by = ?3 AND due_at IS NOT NULL{}",
        tx.for_update()
    );
    let Some(mut row) = tx.query_opt(&sql, params![claimed.receipt().0, claimed.token(), desk.worker])? else {
        return Ok(outcome(claimed, OutcomeKind::Lost, None, Vec::new(), &Written::default()));
    };
    let released = row.bool(0)?;
    let chosen = row.opt_int(1)?.map(WorkspaceId);
    let counted_at = row.opt_time(2)?;
    let (mailbox, mut policy) = desk.rules.of_mailbox(tx, claimed.mailbox())?.clone();
    let remote = Remote {
        id: row.parse(3)?,
        mailbox: mailbox.id.0,
        settled: is_settled(row.opt_text(4)?),
        removed: row.opt_int(5)?.is_some(),
        filed: mailbox.policy.filed.clone(),
        held: mailbox.policy.held.clone(),
    };
    let (kind, filing, written) = match reading {
        Reading::Failed { reason, detail } => {
            let trace = vec![TraceStep::new("reading", "failed", detail.as_str())];
            let filing = Filing { effect: Effect::Hold, reason: *reason, trace, storm: None };
            (OutcomeKind::Held, filing, Written::default())
        }
        Reading::Message(message) => {
            policy.released = released;
            policy.routing.chosen = chosen.or(policy.routing.chosen);
            let clues = Clues::of(message, policy.bare_numbers);
            let received_at = claimed.received_at();
            let arrival = Arrival { receipt: claimed.receipt(), mailbox: &mailbox, received_at, counted_at };
            let counts_at = arrival.counts_at();
            let this = (arrival, Some(claimed.raw().sha256()));
            let facts =
                facts(tx, &mut desk.rules, Some(mailbox.id), Some(this), &clues, claimed.identity().clone(), message)?;
            let filing = decide(message, &clues, &facts, &policy);
            // What the sender of the message is; what it becomes may be proven by a reply key as well.
            let identity = facts.identity_on(filing.effect.item());
            let author = Author::of(message, facts.sender.as_ref());
            let kind = carry_out(tx, desk, &filing.effect, claimed, message, &author, &identity)?;
            let from = clues.author.or_else(|| named_in_from(message));
            let written = Written {
                subject: message.subject.clone(),
                from,
                message_id: message.message_id.clone(),
                identity: Some(to_json(claimed.identity())?),
                automatic: message.auto_submitted,
                verified: claimed.identity().is_verified(),
                counts_at,
            };
            (kind, filing, written)
        }
    };
    crash_point!("store.file.after_effect");
    conclude(tx, claimed.receipt(), kind, &remote, &filing, &written, desk.now)?;
    Ok(outcome(claimed, kind, Some(filing.reason), filing.trace, &written))
}

/// All that From names where it is not clear who the author is, but not endlessly.
fn named_in_from(message: &Message) -> Option<String> {
    const FROM_MAX: usize = 5;
    let named: Vec<&str> = message.from.iter().take(FROM_MAX).map(|from| from.addr_spec.as_str()).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// Writes the decision into the receipt, and frees it.
fn conclude(
    tx: &mut Tx<'_>,
    id: ReceiptId,
    kind: OutcomeKind,
    remote: &Remote,
    filing: &Filing,
    written: &Written,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (item, comment) = match kind {
        OutcomeKind::Item(item) => (Some(item), None),
        OutcomeKind::Comment { item, comment } => (Some(item), Some(comment)),
        OutcomeKind::Held | OutcomeKind::Deferred | OutcomeKind::Lost => (None, None),
    };
    let due = settlement_of(tx, remote, item.is_some(), filing.reason)?;
    let storm = filing.storm.as_ref().map(ToString::to_string);
    // What is held for another reason is no load on anybody: a thousand messages in somebody's name that are held as forged
    // must not hold the next one, which that person wrote.
    let counts_at = written.counts_at.filter(|_| item.is_some() || storm.is_some());
    let resume_at = counts_at.filter(|_| storm.is_some()).map(first_look);
    tx.execute(
        "UPDATE receipt SET state = ?2, settlement = ?3, how = ?4, reason = ?5, item_number = ?6, comment_id = ?7, \
         message_id = ?8, from_address = ?9, subject = ?10, trace = ?11, decided_at = ?12, automatic = ?13, \
         counted_at = ?14, storm = coalesce(?15, storm), resume_at = ?16, identity = ?17, verified = ?18, due_at = NULL, \
         claimed_by = NULL, claimed_until = NULL, error = NULL WHERE id = ?1",
        params![
            id.0,
            if item.is_some() { "filed" } else { "held" },
            due.state.as_str(),
            due.how.as_ref(),
            filing.reason.code(),
            item,
            comment,
            written.message_id.as_ref(),
            written.from.as_ref(),
            &written.subject,
            &to_json(&filing.trace)?,
            now,
            written.automatic,
            counts_at,
            storm.as_ref(),
            resume_at,
            written.identity.as_ref(),
            written.verified
        ],
    )
    .map(drop)
}

/// Whom an item or comment is attributed to.
struct Author {
    address: String,
    name: String,
    registered: bool,
}

impl Author {
    /// The author that the message names; a registered user who sends no name gets the registered one. Where there are
    /// several authors, none gets the rights that come with having written it: the address stays empty.
    fn of(message: &Message, user: Option<&User>) -> Self {
        let named = message.author().or_else(|| message.from.first());
        let address = message.author().and_then(postroom_mail::Address::canonical).unwrap_or_default();
        let name = named.map(|from| from.name.clone()).filter(|name| !name.is_empty());
        let name = name.or_else(|| user.map(|user| user.name.clone())).unwrap_or_default();
        Self { address, name, registered: user.is_some() }
    }
}

fn carry_out(
    tx: &mut Tx<'_>,
    desk: &mut Desk<'_>,
    effect: &Effect,
    claimed: &Claimed,
    message: &Message,
    author: &Author,
    identity: &Identity,
) -> Result<OutcomeKind, StoreError> {
    let (files, now, receipt) = (desk.files, desk.now, claimed.receipt());
    if !matches!(effect, Effect::Hold) && !author.registered && !author.address.is_empty() {
        note_contact(tx, &author.address, &author.name, claimed.received_at())?;
    }
    let sender = Sender { address: &author.address, name: &author.name, identity, receipt, now };
    match effect {
        Effect::OpenItem { workspace, title, opening } => {
            if let Some(credit) = &opening.credit
                && user_by_address(tx, &credit.author.addr_spec)?.is_none()
            {
                note_contact(tx, &credit.author.addr_spec, &credit.author.name, claimed.received_at())?;
            }
            let item = open_item(tx, *workspace, title, opening, message, &sender, &mut desk.words)?;
            crash_point!("store.file.after_item");
            insert_attachments(tx, files, item, None, claimed.raw(), &message.attachments)?;
            Ok(OutcomeKind::Item(item))
        }
        Effect::AddComment { item, reopen, proposed } => {
            let comment = add_comment(tx, *item, message, &sender, &mut desk.words)?;
            insert_attachments(tx, files, *item, Some(comment), claimed.raw(), &message.attachments)?;
            propose_recipients(tx, *item, proposed, &sender)?;
            if *reopen {
                set_status(tx, *item, ChangeKind::Reopened, Some(receipt), &author.address, now)?;
            }
            Ok(OutcomeKind::Comment { item: *item, comment })
        }
        Effect::Prove { registration } => {
            proven_by_mail(tx, &mut desk.notes, *registration, claimed.mailbox(), now)?;
            // Whoever has an account now is known to the rest of the batch.
            desk.rules.forget_account(&author.address);
            Ok(OutcomeKind::Held)
        }
        Effect::Hold => Ok(OutcomeKind::Held),
    }
}
