//! The form of a backup: which tables, how a row is written, and the manifest that makes it whole.
//!
//! A backup is independent of the database it came from, so a restore can also move from SQLite to PostgreSQL and back.
//!
//! ```text
//! manifest.json          written last: without it a backup is not whole
//! tables/NAME.jsonl      first line the column names, then one row a line; octets as {"b64": "…"}
//! raw/ab/abcdef…         large contents, named by their digest
//! ```

use crate::tx::{Param, Value};
use crate::{StoreError, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Digest as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The format that this program writes and reads.
pub(crate) const FORMAT: u32 = 1;
/// The name of the manifest.
pub(crate) const MANIFEST: &str = "manifest.json";

/// A table and the columns by which its rows are found one after the other.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key }
}

/// Every table that is worth keeping, each after those that it refers to.
pub(crate) const TABLES: &[Table] = &[
    table("meta", &["key"]),
    table("workspace", &["id"]),
    table("person", &["id"]),
    table("address", &["address"]),
    table("member", &["person_id", "workspace_id"]),
    table("mailbox", &["id"]),
    table("trusted_certificate", &["id"]),
    table("tls_host", &["host"]),
    table("bound_login", &["host", "port"]),
    table("connection", &["mailbox_id"]),
    table("epoch", &["id"]),
    table("before_start", &["mailbox_id", "remote_id"]),
    table("raw", &["sha256"]),
    table("receipt", &["id"]),
    table("item", &["number"]),
    table("comment", &["id"]),
    table("blob", &["sha256"]),
    table("attachment", &["id"]),
    table("contact", &["address"]),
    table("contact_standing", &["address"]),
    table("participant", &["item_number", "address"]),
    table("tag", &["item_number", "name"]),
    table("item_link", &["item_number", "kind", "target"]),
    table("proposal", &["item_number", "address"]),
    table("reply_key", &["id"]),
    table("change", &["id"]),
    table("registration", &["id"]),
    table("api_token", &["id"]),
    table("audit", &["id"]),
];

/// Columns that older backups have and nothing needs any more.
pub(crate) const RETIRED: &[(&str, &str)] =
    &[("receipt", "crashes"), ("receipt", "suspect"), ("receipt", "crash_run"), ("mailbox", "tls_seen")];

/// Tables that are left out: what they hold means nothing in another place, or is found out again by the next visit.
#[cfg(test)]
pub(crate) const LEFT_OUT: &[&str] =
    &["lease", "migration", "session", "signin_failure", "signin_link", "folder", "folder_failure", "wire_log"];

/// What a backup has in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`FORMAT`] of the program that wrote it.
    pub(crate) format: u32,
    /// Schema of the database.
    pub(crate) schema: i64,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// Rows of all tables.
    pub(crate) rows: u64,
    /// All other files.
    pub(crate) files: Vec<ManifestFile>,
}

/// One file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ManifestFile {
    /// Its path inside the backup.
    pub(crate) path: String,
    /// Octets.
    pub(crate) size: u64,
    /// SHA-256.
    pub(crate) sha256: postroom_mail::Sha256,
}

/// The columns of a table that can be written, in their order.
pub(crate) fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = match tx {
        Tx::Sqlite(_) => "SELECT name FROM pragma_table_info(?1) ORDER BY cid",
        Tx::Postgres(_) => {
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = ?1::text \
             AND table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position"
        }
    };
    tx.query(sql, &[table.into()])?.into_iter().map(|mut row| row.text(0)).collect()
}

/// A value as JSON.
pub(crate) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Int(value) => json!(value),
        Value::Bool(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Blob(value) => json!({ "b64": STANDARD.encode(value) }),
    }
}

/// The value that [`to_json`] wrote; `None` if it is none.
pub(crate) fn from_json(json: &serde_json::Value) -> Option<Value> {
    match json {
        serde_json::Value::Null => Some(Value::Null),
        serde_json::Value::Bool(value) => Some(Value::Bool(*value)),
        serde_json::Value::Number(value) => value.as_i64().map(Value::Int),
        serde_json::Value::String(value) => Some(Value::Text(value.clone())),
        serde_json::Value::Object(object) => STANDARD.decode(object.get("b64")?.as_str()?).ok().map(Value::Blob),
        serde_json::Value::Array(_) => None,
    }
}

/// A stored value as a parameter.
pub(crate) fn param_of(value: &Value) -> Param<'_> {
    match value {
        Value::Null => Param::Null,
        Value::Int(value) => Param::Int(*value),
        Value::Bool(value) => Param::Bool(*value),
        Value::Text(value) => Param::Text(value),
        Value::Blob(value) => Param::Blob(value),
    }
}

/// A new file that counts and digests what is written to it, and is durable when it is finished.
pub(crate) struct DigestedFile {
    file: BufWriter<File>,
    digest: sha2::Sha256,
    size: u64,
}

impl DigestedFile {
    /// Makes the file, for this user alone; it must not be there yet.
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), digest: sha2::Sha256::new(), size: 0 })
    }

    /// Appends `octets`.
    pub(crate) fn write(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.digest.update(octets);
        self.size += octets.len() as u64;
        self.file.write_all(octets)
    }

    /// Makes it durable; `path` is its path inside the backup.
    pub(crate) fn finish(self, path: String) -> std::io::Result<ManifestFile> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let sha256 = postroom_mail::Sha256::from_bytes(self.digest.finalize().into());
        Ok(ManifestFile { path, size: self.size, sha256 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LEFT_OUT, TABLES};
    use std::collections::BTreeSet;

    #[test]
    fn every_table_is_kept_or_left_out_on_purpose() {
        let steps: Vec<&str> = crate::migrate::texts().collect();
        let lines = steps.iter().flat_map(|step| step.lines());
        let mut made: BTreeSet<&str> =
            lines.filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" (")).collect();
        made.insert("migration");
        let named: BTreeSet<&str> = TABLES.iter().map(|table| table.name).chain(LEFT_OUT.iter().copied()).collect();
        assert_eq!(made, named);
    }
}
