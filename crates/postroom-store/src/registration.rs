//! Registrations and invitations: accounts that are asked for, or offered, and the proof that an address is somebody's.
//!
//! Only digests of links and codes are stored. A stranger who asks learns nothing about an address: whether it may be registered
//! or has an account already, the answer is the same, and so is the work that it takes.

mod waiting;

use crate::audit::AuditAction;
use crate::contacts::standing_of;
use crate::signin::{hash_of, new_token, open_session};
use crate::tx::params;
use crate::visits::after;
use crate::workspaces::{global_policy, to_json};
use crate::{Noun, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::registration::Code;
use postroom_domain::{
    AddressRules, Admission, ContactStanding, GlobalPolicy, RegistrationMode, Role, User, WorkspaceKey,
};
use postroom_mail::address::canonical;
use postroom_mail::{Secret, Sha256};
use serde::Serialize;
use serde_json::json;
use waiting::{Outcome, PENDING, Registration, SELECT, SELECT_WAITING, join, proven};

pub(crate) use waiting::{awaited, proven_by_mail};

/// How long whoever asked has to show that the address is theirs.
const PROVE_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// How long an invitation can be accepted.
const ACCEPT_WITHIN: SignedDuration = SignedDuration::from_hours(72);
/// How long a proven registration waits for an admin.
const APPROVE_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Characters of a name.
const NAME_MAX: usize = 200;
/// How often strangers may ask for one address within [`PROVE_WITHIN`].
const ASKS_PER_ADDRESS: i64 = 3;
/// How often strangers may ask within an hour, for whatever addresses.
const ASKS_PER_HOUR: i64 = 100;

/// Who asks for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    /// Somebody who runs Postroom and may know what there is.
    Operator,
    /// Anybody: the answer must not tell what there is.
    Stranger,
}

/// An account that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its address, in any form that has a canonical one.
    pub address: String,
    /// Name for people; may be empty.
    pub name: String,
    /// Who asks.
    pub by: AskedBy,
    /// The password with which the person signs in once mail with the code came from the address, as a PHC string. Whoever
    /// opens the link chooses another: they may be somebody else.
    pub password: Option<Secret>,
}

/// The answer to whoever asked, and what is to be sent to the address.
#[derive(Debug)]
pub struct Asked {
    /// To be shown to whoever asked: in the subject of a message from the address it proves that the address is theirs.
    pub code: Secret,
    /// Until when link and code count.
    pub expires_at: Timestamp,
    /// What is to be sent to the address. Whoever asked must not learn what it is.
    pub letter: Letter,
}

/// What is to be sent to an address for which an account was asked.
#[derive(Debug)]
pub enum Letter {
    /// The token of the link that proves it.
    Link(Secret),
    /// That there is an account already.
    HasAccount,
    /// Nothing: the rules do not admit the address.
    Nothing,
}

/// An invitation that was made.
#[derive(Debug)]
pub struct Invitation {
    /// The canonical address.
    pub address: String,
    /// The token of its link.
    pub link: Secret,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// What became of a proof.
#[derive(Debug)]
pub enum Proven {
    /// The person has an account now, and a session under this token.
    Joined(User, Secret),
    /// An admin has to approve it.
    Waits,
}

/// A registration or invitation that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pending {
    /// The canonical address.
    pub address: String,
    /// Name as given.
    pub name: String,
    /// Whether it is an invitation, which waits to be accepted; else it was asked for.
    pub invited: bool,
    /// The roles that come with the account.
    pub memberships: Vec<(WorkspaceKey, Role)>,
    /// When.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether the address was shown to be the person's, so that it waits for an admin.
    pub proven: bool,
}

impl Store {
    /// Asks for an account.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`, `REGISTRATION_CLOSED`; for a stranger `TOO_MANY_REQUESTS`, and nothing else; for an operator
    /// `USER_EXISTS` and `ADDRESS_NOT_ALLOWED`.
    pub async fn register(&self, ask: Ask, now: Timestamp) -> Result<Asked, StoreError> {
        let address = canonical(&ask.address).ok_or_else(|| StoreError::AddressInvalid(ask.address.clone()))?;
        let (link, link_hash) = new_token()?;
        let code = new_code()?;
        let (code_hash, expires_at) = (hash_of(&code.to_string()), after(now, PROVE_WITHIN));
        let name = shown_name(&ask.name);
        let standing = self
            .change(now, move |tx, notes| {
                let policy = global_policy(tx)?;
                if policy.registration == RegistrationMode::Closed {
                    return Err(StoreError::RegistrationClosed);
                }
                prune(tx, now)?;
                if ask.by == AskedBy::Stranger {
                    throttle(tx, &address, now)?;
                }
                let standing = Standing::of(tx, &policy, &address)?;
                match (ask.by, standing) {
                    (AskedBy::Operator, Standing::HasAccount) => {
                        return Err(StoreError::Exists { noun: Noun::User, name: address.clone() });
                    }
                    (AskedBy::Operator, Standing::NotAllowed) => {
                        return Err(StoreError::AddressNotAllowed(address.clone()));
                    }
                    _ => {}
                }
                let new = NewRegistration {
                    address: &address,
                    name: &name,
                    memberships: &[],
                    link_hash: &link_hash,
                    code_hash: Some(&code_hash),
                    void: standing != Standing::Free,
                    by_stranger: ask.by == AskedBy::Stranger,
                    password: ask.password.as_ref(),
                    expires_at,
                };
                new.insert(tx, now)?;
                let detail = json!({ "leads_nowhere": standing != Standing::Free });
                match ask.by {
                    AskedBy::Stranger => notes.add_by("stranger", AuditAction::UserRegister, "user", &address, detail),
                    AskedBy::Operator => notes.add(AuditAction::UserRegister, "user", &address, detail),
                }
                Ok(standing)
            })
            .await?;
        let letter = match standing {
            Standing::Free => Letter::Link(link),
            Standing::HasAccount => Letter::HasAccount,
            Standing::NotAllowed => Letter::Nothing,
        };
        Ok(Asked { code: Secret::new(code.to_string()), expires_at, letter })
    }

    /// Invites somebody: whoever has the link within 72 hours gets an account with these roles. An invitation does not ask
    /// the rules about addresses; whoever makes one knows whom they invite. It takes the place of an earlier one.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`, `USER_EXISTS`, `WORKSPACE_UNKNOWN`.
    pub async fn invite(
        &self,
        address: &str,
        name: &str,
        memberships: Vec<(WorkspaceKey, Role)>,
        now: Timestamp,
    ) -> Result<Invitation, StoreError> {
        let address = canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))?;
        let (link, link_hash) = new_token()?;
        let (name, expires_at) = (shown_name(name), after(now, ACCEPT_WITHIN));
        let invited = address.clone();
        self.change(now, move |tx, notes| {
            prune(tx, now)?;
            if has_account(tx, &address)? {
                return Err(StoreError::Exists { noun: Noun::User, name: address.clone() });
            }
            for (key, _) in &memberships {
                crate::workspaces::workspace_id(tx, key)?;
            }
            // Whoever invites somebody once more has lost the first address, or wants other roles.
            let sql =
                format!("UPDATE registration AS r SET ended_at = ?1 WHERE {PENDING} AND r.invited AND r.address = ?2");
            tx.execute(&sql, params![now, &address])?;
            let new = NewRegistration {
                address: &address,
                name: &name,
                memberships: &memberships,
                link_hash: &link_hash,
                code_hash: None,
                void: false,
                by_stranger: false,
                password: None,
                expires_at,
            };
            new.insert(tx, now)?;
            let roles: Vec<String> = memberships.iter().map(|(key, role)| format!("{key}={role}")).collect();
            notes.add(
                AuditAction::UserInvite,
                "user",
                &address,
                json!({ "memberships": roles, "expires_at": expires_at }),
            );
            Ok(())
        })
        .await?;
        Ok(Invitation { address: invited, link, expires_at })
    }

    /// Uses the link of a registration or an invitation, with the password that the person chooses, as a PHC string. `None` when
    /// it is unknown, was used before, has expired, or leads nowhere.
    pub async fn prove(
        &self,
        token: &str,
        password: Option<Secret>,
        now: Timestamp,
    ) -> Result<Option<Proven>, StoreError> {
        let hash = hash_of(token);
        let (session, session_hash) = new_token()?;
        let outcome = self
            .change(now, move |tx, notes| {
                let sql = format!("{SELECT_WAITING} AND r.link_hash = ?2{}", tx.for_update());
                let Some(row) = tx.query_opt(&sql, params![now, &hash])? else { return Ok(None) };
                let mut registration = Registration::of(row)?;
                registration.password = password.clone();
                registration.keep_password(tx)?;
                let actor = registration.address.clone();
                let outcome = proven(tx, notes, &registration, &actor, "link", now)?;
                if let Some(Outcome::Joined(user)) = &outcome {
                    open_session(tx, user, &session_hash, now)?;
                }
                Ok(outcome)
            })
            .await?;
        Ok(outcome.map(|outcome| match outcome {
            Outcome::Joined(user) => Proven::Joined(*user, session),
            Outcome::Waits => Proven::Waits,
        }))
    }

    /// Makes the account that was asked for, whether the address was shown to be the person's or not: whoever approves it
    /// vouches for that.
    ///
    /// # Errors
    /// `REGISTRATION_UNKNOWN`, `USER_EXISTS`.
    pub async fn approve_registration(&self, address: &str, now: Timestamp) -> Result<User, StoreError> {
        let given = address.to_owned();
        self.change(now, move |tx, notes| {
            let address = canonical(&given).unwrap_or_default();
            let sql =
                format!("{SELECT} WHERE {PENDING} AND NOT r.invited AND r.address = ?2 ORDER BY r.id DESC LIMIT 1");
            let row = tx.query_opt(&sql, params![now, &address])?;
            let row = row.ok_or_else(|| StoreError::unknown(Noun::Registration, &given))?;
            let mut registration = Registration::of(row)?;
            if !registration.proven {
                // The admin vouches for the address, but somebody else may have asked and chosen the password.
                registration.password = None;
            }
            notes.add(AuditAction::UserApprove, "user", &address, json!({ "proven": registration.proven }));
            let user = join(tx, &registration, now)?;
            notes.add(AuditAction::UserAdd, "user", &address, json!(user));
            Ok(user)
        })
        .await
    }

    /// Ends what waits for this address: registrations are refused, invitations withdrawn. Returns how many there were.
    ///
    /// # Errors
    /// `REGISTRATION_UNKNOWN`.
    pub async fn refuse_registration(&self, address: &str, now: Timestamp) -> Result<u64, StoreError> {
        let given = address.to_owned();
        self.change(now, move |tx, notes| {
            let address = canonical(&given).unwrap_or_default();
            let sql = format!("UPDATE registration AS r SET ended_at = ?1 WHERE {PENDING} AND r.address = ?2");
            let ended = tx.execute(&sql, params![now, &address])?;
            if ended == 0 {
                return Err(StoreError::unknown(Noun::Registration, &given));
            }
            notes.add(AuditAction::UserRefuse, "user", &address, json!({ "ended": ended }));
            Ok(ended)
        })
        .await
    }

    /// What waits for somebody, oldest first.
    pub async fn pending_registrations(&self, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        self.read(move |tx| {
            let rows = tx.query(&format!("{SELECT} WHERE {PENDING} ORDER BY r.id"), params![now])?;
            rows.into_iter().map(|row| Registration::of(row).map(Registration::pending)).collect()
        })
        .await
    }
}

/// A name as it is kept: one line, not endless. It is whatever somebody typed into a form.
fn shown_name(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect()
}

fn new_code() -> Result<Code, StoreError> {
    let mut octets = [0; 12];
    getrandom::fill(&mut octets).map_err(|error| StoreError::Database(error.to_string().into()))?;
    Ok(Code::from_random(octets))
}

/// How an address stands with the rules and the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Free,
    HasAccount,
    NotAllowed,
}

impl Standing {
    /// Both questions are asked whatever the answer to the first one is.
    fn of(tx: &mut Tx<'_>, policy: &GlobalPolicy, address: &str) -> Result<Self, StoreError> {
        let (admitted, has_account) = (is_admitted(tx, policy, address)?, has_account(tx, address)?);
        Ok(match (admitted, has_account) {
            (_, true) => Self::HasAccount,
            (true, false) => Self::Free,
            (false, false) => Self::NotAllowed,
        })
    }
}

fn has_account(tx: &mut Tx<'_>, address: &str) -> Result<bool, StoreError> {
    Ok(tx.query_opt("SELECT 1 FROM address WHERE address = ?1", params![address])?.is_some())
}

/// Whether the rules admit an address, and nobody blocked it. What cannot be decided within its limit is not admitted.
fn is_admitted(tx: &mut Tx<'_>, policy: &GlobalPolicy, address: &str) -> Result<bool, StoreError> {
    let blocked = standing_of(tx, address)? == Some(ContactStanding::Blocked);
    let rules = AddressRules::global(policy).map_err(|error| StoreError::PatternInvalid(error.to_string()))?;
    Ok(matches!(rules.judge(address), Admission::Admitted(_)) && !blocked)
}

/// Fails when strangers have asked too often.
fn throttle(tx: &mut Tx<'_>, address: &str, now: Timestamp) -> Result<(), StoreError> {
    let since = |span: SignedDuration| after(now, -span);
    let sql = "SELECT count(*) FROM registration WHERE by_stranger AND address = ?1 AND created_at > ?2";
    let of_address = tx.query_one(sql, params![address, since(PROVE_WITHIN)])?.int(0)?;
    let sql = "SELECT count(*) FROM registration WHERE by_stranger AND created_at > ?1";
    let of_all = tx.query_one(sql, params![since(SignedDuration::from_hours(1))])?.int(0)?;
    if of_address >= ASKS_PER_ADDRESS || of_all >= ASKS_PER_HOUR { Err(StoreError::TooMany) } else { Ok(()) }
}

/// Forgets what is over.
fn prune(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM registration WHERE expires_at <= ?1", params![now]).map(drop)
}

struct NewRegistration<'a> {
    address: &'a str,
    name: &'a str,
    memberships: &'a [(WorkspaceKey, Role)],
    link_hash: &'a Sha256,
    /// `None` for an invitation.
    code_hash: Option<&'a Sha256>,
    void: bool,
    by_stranger: bool,
    password: Option<&'a Secret>,
    expires_at: Timestamp,
}

impl NewRegistration<'_> {
    fn insert(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO registration (address, name, invited, memberships, link_hash, code_hash, void, by_stranger, \
             created_at, expires_at, password) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                self.address,
                self.name,
                self.code_hash.is_none(),
                &to_json(&self.memberships)?,
                self.link_hash,
                self.code_hash,
                self.void,
                self.by_stranger,
                now,
                self.expires_at,
                self.password.map(Secret::expose)
            ],
        )
        .map(drop)
    }
}
