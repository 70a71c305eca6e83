//! What can go wrong in the store, and what to do about it.

mod noun;

use postroom_domain::{ReceiptId, ReceiptState};
use postroom_mail::Sha256;
use std::path::{Path, PathBuf};

pub use noun::Noun;

/// The library's own error, kept as the source.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What the caller should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try the same again later; every verb may be repeated.
    RetryLater,
    /// A person has to change something first.
    AskAdmin,
    /// Hold this one message and go on with the others.
    HoldThis,
}

/// An operating error of the store. Nothing of the verb that returned it is in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process held the database for longer than the busy time-out (30 s).
    #[error("the database is locked by another process")]
    Locked(#[source] Cause),
    /// No room for the database or for a file beside it.
    #[error("there is no room left for the data")]
    Full(#[source] Cause),
    /// The PostgreSQL server cannot be reached, or the connection broke.
    #[error("the database server cannot be reached")]
    Unreachable(#[source] Cause),
    /// The database refuses us.
    #[error("the database server refuses the connection")]
    Refused(#[source] Cause),
    /// The database was written by a newer version.
    #[error("the database is at schema {found}, this program knows schemas up to {known}")]
    Newer {
        /// Its schema number.
        found: i64,
        /// The highest number that this program knows.
        known: i64,
    },
    /// A migration in the database is not the one this program has under that number.
    #[error("schema {number} of the database is not the one this program knows")]
    SchemaDiffers {
        /// The number of the migration.
        number: i64,
    },
    /// The database would not keep what it confirmed.
    #[error("the database server runs with {setting}")]
    NotDurable {
        /// The setting and its value.
        setting: String,
    },
    /// The file is no database, or its structure is broken.
    #[error("the database is damaged")]
    Damaged(#[source] Cause),
    /// The machine could not read or sync a file of the database.
    #[error("the files of the database cannot be read or written")]
    Io(#[source] Cause),
    /// Any other failure inside the database.
    #[error("the database could not do it")]
    Database(#[source] Cause),
    /// The data directory, or something in it, cannot be written or read.
    #[error("cannot use {path}")]
    Unwritable {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stored value does not mean anything to this program.
    #[error("a stored value cannot be understood: {what}")]
    BadValue {
        /// Which.
        what: String,
    },
    /// Octets that a receipt or an attachment names are not there.
    #[error("the octets {sha256} are missing")]
    RawMissing {
        /// Their digest.
        sha256: Sha256,
    },
    /// Octets do not have the digest under which they are stored.
    #[error("the octets {sha256} are damaged")]
    RawDamaged {
        /// The digest that they should have.
        sha256: Sha256,
    },
    /// Somebody else has the lease of the mailbox now.
    #[error("the lease of this mailbox was taken over")]
    LeaseLost,
    /// No such thing.
    #[error("there is no {} `{name}`", noun.as_str())]
    Unknown {
        /// What kind.
        noun: Noun,
        /// How it was named.
        name: String,
    },
    /// It is there already.
    #[error("there is already a {} `{name}`", noun.as_str())]
    Exists {
        /// What kind.
        noun: Noun,
        /// How it was named.
        name: String,
    },
    /// Nobody may register.
    #[error("nobody can register here")]
    RegistrationClosed,
    /// The rules do not admit the address.
    #[error("the rules do not admit `{0}`")]
    AddressNotAllowed(String),
    /// Admitting the address would change nothing.
    #[error("`{address}` cannot be admitted: {why}")]
    CannotAdmit {
        /// Which address.
        address: String,
        /// Why not.
        why: String,
    },
    /// It was asked for too often.
    #[error("this was asked for too often")]
    TooMany,
    /// The text is no mail address.
    #[error("`{0}` is no mail address")]
    AddressInvalid(String),
    /// An allowed-domain pattern cannot be used.
    #[error("the pattern cannot be used: {0}")]
    PatternInvalid(String),
    /// A routing rule, or the list of them, cannot be used.
    #[error("{0}")]
    RuleInvalid(String),
    /// The name of an API token is empty, too long, or more than a line.
    #[error("that is no name for a token")]
    TokenName,
    /// What somebody wrote is empty or too long.
    #[error("the text is empty, or longer than 1 MiB")]
    TextInvalid,
    /// The text names more than one thing.
    #[error("`{0}` fits more than one certificate")]
    Ambiguous(String),
    /// A mailbox without a workspace needs a default workspace.
    #[error("the mailbox names no workspace and no default workspace is set")]
    NoDefaultWorkspace,
    /// The receipt is not in a state that allows it.
    #[error("receipt {id} is {}", state.as_str())]
    ReceiptState {
        /// Which receipt.
        id: ReceiptId,
        /// Its state.
        state: ReceiptState,
    },
    /// The receipt has no octets here.
    #[error("the octets of receipt {0} were never fetched")]
    NoOctets(ReceiptId),
    /// The receipt was deleted.
    #[error("receipt {0} was deleted: its octets are gone")]
    Deleted(ReceiptId),
    /// Whom an item is to be assigned to may not work on it.
    #[error("{address} may not work on items of {workspace}")]
    AssigneeUnfit {
        /// Main address of the user.
        address: String,
        /// Key of the workspace.
        workspace: String,
    },
    /// The text is no tag.
    #[error("{0}")]
    TagInvalid(String),
    /// The requester of an item always takes part.
    #[error("{0} is the requester and stays a participant")]
    ParticipantIsRequester(String),
    /// Nothing that happened to the item can be taken back.
    #[error("nothing of item {0} can be taken back")]
    NothingToUndo(i64),
    /// The change cannot be taken back any more.
    #[error("change {change} cannot be taken back: {why}")]
    UndoRefused {
        /// Its number.
        change: i64,
        /// What stands in the way.
        why: String,
    },
    /// There is no key to open the sealed passwords with.
    #[error("the key file {path} is missing, but the database has sealed passwords")]
    SecretKeyMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The key does not open what is sealed.
    #[error("a sealed password cannot be opened with the present key")]
    SecretUnreadable,
    /// The directory of a new backup has something in it.
    #[error("{path} is not empty")]
    NotEmpty {
        /// Which directory.
        path: PathBuf,
    },
    /// The directory is no whole backup.
    #[error("the backup in {path} is not whole: {what}")]
    BackupDamaged {
        /// Which directory.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The stable code that scripts may rely on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked(_) => "DATABASE_LOCKED",
            Self::Full(_) => "DATABASE_FULL",
            Self::Unreachable(_) => "DATABASE_UNREACHABLE",
            Self::Refused(_) => "DATABASE_REFUSED",
            Self::Newer { .. } => "DATABASE_NEWER",
            Self::SchemaDiffers { .. } => "DATABASE_SCHEMA_DIFFERS",
            Self::NotDurable { .. } => "DATABASE_NOT_DURABLE",
            Self::Damaged(_) => "DATABASE_DAMAGED",
            Self::Io(_) => "DATABASE_IO",
            Self::Database(_) => "DATABASE_ERROR",
            Self::Unwritable { .. } => "DATA_DIR_UNWRITABLE",
            Self::BadValue { .. } => "DATABASE_VALUE",
            Self::RawMissing { .. } => "RAW_MISSING",
            Self::RawDamaged { .. } => "RAW_DAMAGED",
            Self::LeaseLost => "LEASE_LOST",
            Self::Unknown { noun, .. } => noun.unknown_code(),
            Self::Exists { noun, .. } => noun.exists_code(),
            Self::RegistrationClosed => "REGISTRATION_CLOSED",
            Self::AddressNotAllowed(_) => "ADDRESS_NOT_ALLOWED",
            Self::CannotAdmit { .. } => "CANNOT_ADMIT",
            Self::TooMany => "TOO_MANY_REQUESTS",
            Self::AddressInvalid(_) => "ADDRESS_INVALID",
            Self::PatternInvalid(_) => "PATTERN_INVALID",
            Self::RuleInvalid(_) => "RULE_INVALID",
            Self::TokenName => "TOKEN_NAME",
            Self::TextInvalid => "TEXT_INVALID",
            Self::Ambiguous(_) => "FINGERPRINT_AMBIGUOUS",
            Self::NoDefaultWorkspace => "NO_DEFAULT_WORKSPACE",
            Self::ReceiptState { .. } => "RECEIPT_STATE",
            Self::NoOctets(_) => "NO_OCTETS",
            Self::Deleted(_) => "RECEIPT_DELETED",
            Self::AssigneeUnfit { .. } => "ASSIGNEE_UNFIT",
            Self::TagInvalid(_) => "TAG_INVALID",
            Self::ParticipantIsRequester(_) => "PARTICIPANT_IS_REQUESTER",
            Self::NothingToUndo(_) => "NOTHING_TO_UNDO",
            Self::UndoRefused { .. } => "UNDO_REFUSED",
            Self::SecretKeyMissing { .. } => "SECRET_KEY_MISSING",
            Self::SecretUnreadable => "SECRET_UNREADABLE",
            Self::NotEmpty { .. } => "NOT_EMPTY",
            Self::BackupDamaged { .. } => "BACKUP_DAMAGED",
            Self::Closed => "STORE_CLOSED",
        }
    }

    /// What is safe, and what to do.
    pub fn help(&self) -> String {
        match self {
            Self::Locked(_) => "nothing was changed; end the program that holds the database, or try again".into(),
            Self::Full(_) => "nothing was lost: mail stays on its server until it is stored; make room and it goes on".into(),
            Self::Unreachable(_) => "nothing was lost: mail stays on its server; start the database server, or correct --database".into(),
            Self::Refused(_) => "correct user, password and database name in --database".into(),
            Self::Newer { .. } => "nothing was changed; use the newer Postroom that wrote it, or restore a backup of the older one".into(),
            Self::SchemaDiffers { .. } => "nothing was changed; this is another program's database, or a changed build of Postroom".into(),
            Self::NotDurable { .. } => {
                "Postroom deletes mail on its server once the database has it, so the database must keep what it confirms: \
                 set fsync = on and synchronous_commit = on in postgresql.conf"
                    .into()
            }
            Self::Damaged(_) => "stop Postroom, keep a copy of the data directory as it is, and restore the last backup beside it".into(),
            Self::Io(_) => "nothing was lost: mail stays on its server; look after the disk, then run `postroom check`".into(),
            Self::Database(_) | Self::BadValue { .. } => "nothing was changed by this step; `postroom check` tells whether the data is sound".into(),
            Self::Unwritable { .. } => "nothing was changed; give this user the right to write there, or name another directory with --data".into(),
            Self::RawMissing { .. } | Self::RawDamaged { .. } => {
                "nothing was deleted on the mail server because of this; run `postroom check`, and bring the file back from a backup".into()
            }
            Self::LeaseLost => "nothing was changed; another worker visits this mailbox now".into(),
            Self::Unknown { noun: Noun::Change, .. } | Self::NothingToUndo(_) => {
                "nothing was changed; `postroom item history N` shows what happened to an item".into()
            }
            Self::Unknown { noun: Noun::Comment | Noun::Attachment | Noun::Participant, .. } => {
                "`postroom item show N` shows what is on an item".into()
            }
            Self::Unknown { noun: Noun::Registration, .. } => "`postroom user pending` shows what waits".into(),
            Self::Unknown { noun, .. } => format!("`postroom {} list` shows what there is", noun.as_str()),
            Self::Exists { noun: Noun::User, .. } => {
                "nothing was changed; `postroom user set ADDRESS` changes an account, with `--active no` nobody may write by it".into()
            }
            Self::Exists { noun: Noun::Workspace, .. } => "nothing was changed; choose another key".into(),
            Self::Exists { .. } => "nothing was changed; choose another name".into(),
            Self::RegistrationClosed => "nothing was changed; `postroom setting set registration approval` or `open` lets people register, `postroom user invite ADDRESS` invites one".into(),
            Self::AddressNotAllowed(_) => "nothing was changed; `postroom setting show` shows which domains may write and register".into(),
            Self::CannotAdmit { .. } => "nothing was changed; an admission overrules neither the block list nor the allowed domains, and who has an account needs none".into(),
            Self::TooMany => "nothing was changed; try again later".into(),
            Self::AddressInvalid(_) => "write it as name@example.org".into(),
            Self::PatternInvalid(_) => "nothing was changed; try it with `postroom pattern test PATTERN ADDRESS`".into(),
            Self::TextInvalid => "nothing was changed; write something, and attach what is long to a mail".into(),
            Self::TokenName => "nothing was changed; say in one line of at most 64 characters what the token is for".into(),
            Self::RuleInvalid(_) => "nothing was changed; `postroom rule add --help` shows how rules are written".into(),
            Self::Ambiguous(_) => "nothing was changed; give more digits of the fingerprint".into(),
            Self::NoDefaultWorkspace => "name one with --workspace, or make one the default: `postroom workspace add KEY NAME --default`".into(),
            Self::ReceiptState { .. } => "nothing was changed; only held and deferred mail can be retried, only held mail released or deleted".into(),
            Self::AssigneeUnfit { .. } => {
                "nothing was changed; make them an agent there: `postroom user list` shows who is a member of what".into()
            }
            Self::TagInvalid(_) => "nothing was changed".into(),
            Self::ParticipantIsRequester(_) => "nothing was changed; close the item, or move it where it belongs".into(),
            Self::UndoRefused { .. } => {
                "nothing was changed; take back what came later first: `postroom item history N` shows it".into()
            }
            Self::NoOctets(_) => {
 "the message is still on its server; UNFETCHABLE is asked for again at the next visit, TOO_LARGE once the size limit is \
                 raised"
                    .into()
            }
            Self::Deleted(_) => "nothing was changed; the message may still be on its server, and a backup from before has it".into(),
            Self::SecretKeyMissing { .. } => "bring the key file back from where you keep it, or enter the passwords again with `postroom mailbox set NAME --password-stdin`".into(),
            Self::SecretUnreadable => "bring back the key that sealed it, or enter the password again with `postroom mailbox set NAME --password-stdin`".into(),
            Self::NotEmpty { .. } => "nothing was written; name a new or empty directory".into(),
            Self::BackupDamaged { .. } => "nothing was restored; use another backup".into(),
            Self::Closed => "nothing was changed by this step; start Postroom again".into(),
        }
    }

    /// What the caller should do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Locked(_) | Self::Full(_) | Self::Unreachable(_) | Self::LeaseLost | Self::TooMany | Self::Closed => {
                Remedy::RetryLater
            }
            Self::RawMissing { .. } | Self::RawDamaged { .. } | Self::NoOctets(_) => Remedy::HoldThis,
            _ => Remedy::AskAdmin,
        }
    }

    /// Something of that kind is missing.
    pub(crate) fn unknown(noun: Noun, name: impl ToString) -> Self {
        Self::Unknown { noun, name: name.to_string() }
    }

    /// A stored value that cannot be read back.
    pub(crate) fn bad_value(what: impl Into<String>) -> Self {
        Self::BadValue { what: what.into() }
    }

    /// A failed file operation on `path`.
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                Self::Full(source.into())
            }
            _ => Self::Unwritable { path: path.to_owned(), source },
        }
    }

    /// The same error for another caller who waited for the same thing.
    pub(crate) fn repeat(&self) -> Self {
        let cause = || Cause::from(std::error::Error::source(self).map_or_else(String::new, ToString::to_string));
        match self {
            Self::Locked(_) => Self::Locked(cause()),
            Self::Full(_) => Self::Full(cause()),
            Self::Unreachable(_) => Self::Unreachable(cause()),
            Self::Damaged(_) => Self::Damaged(cause()),
            Self::Io(_) => Self::Io(cause()),
            _ => Self::Database(cause()),
        }
    }

    /// Whether the whole database is in trouble rather than one statement, so that going on with others is no use.
    pub(crate) fn is_of_the_database(&self) -> bool {
        matches!(
            self,
            Self::Locked(_)
                | Self::Full(_)
                | Self::Unreachable(_)
                | Self::Refused(_)
                | Self::Damaged(_)
                | Self::Io(_)
                | Self::Closed
        )
    }
}

/// Whether SQLite could not make a file longer. Beyond a quota or a limit on file sizes it reports this as an I/O error
/// of the write, only ENOSPC as a full disk.
fn is_failed_write(error: &rusqlite::Error) -> bool {
    const LENGTHENING: [i32; 2] = [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];
    matches!(error, rusqlite::Error::SqliteFailure(inner, _) if LENGTHENING.contains(&inner.extended_code))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(error.into()),
            Some(ErrorCode::DiskFull) => Self::Full(error.into()),
            Some(ErrorCode::SystemIoFailure) if is_failed_write(&error) => Self::Full(error.into()),
            Some(ErrorCode::SystemIoFailure) => Self::Io(error.into()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.into()),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Unwritable { path: PathBuf::from("the database file"), source: std::io::Error::other(error) }
            }
            _ => Self::Database(error.into()),
        }
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
        match code.get(..2) {
            // PostgreSQL appendix A: 08 connection, 57 operator intervention, 53 resources, 28 authorisation, 3D catalogue.
            None => Self::Unreachable(error.into()),
            Some("08" | "57") => Self::Unreachable(error.into()),
            Some("53") if code == "53100" => Self::Full(error.into()),
            Some("53") => Self::Unreachable(error.into()),
            Some("28" | "3D") => Self::Refused(error.into()),
            Some("55" | "40") => Self::Locked(error.into()),
            Some("58" | "XX") => Self::Damaged(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}
