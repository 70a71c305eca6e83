//! Verifying the data: every receipt's octets, every link, the ledger.

use crate::tx::{Value, params};
use crate::{Store, StoreError, Tx, audit};
use postroom_mail::Sha256;
use serde::Serialize;
use std::collections::HashSet;

/// What `check` found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckReport {
    /// Receipts looked at.
    pub receipts: u64,
    /// Raw messages whose octets were read and compared with their digest.
    pub raw: u64,
    /// Octets of these.
    pub octets: u64,
    /// Contents of attachments decoded and compared with their digest.
    pub blobs: u64,
    /// Items looked at.
    pub items: u64,
    /// Comments looked at.
    pub comments: u64,
    /// Files of large contents that nothing names: left by a crash, only space.
    pub unreferenced: u64,
    /// Rows of the audit that hold.
    pub audit: u64,
    /// The digest of the last of them. Kept elsewhere, it shows later that no row before it was changed or taken away.
    pub audit_head: String,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code.
    pub code: &'static str,
    /// What, by number or digest; never an address or a subject.
    pub what: String,
}

/// Questions whose every answer is a problem.
const LINKS: &[(&str, &str, &str)] = &[
    (
        "FILED_WITHOUT_EFFECT",
        "filed receipt",
        "SELECT r.id FROM receipt r WHERE r.state = 'filed' AND NOT EXISTS \
         (SELECT 1 FROM item i WHERE i.receipt_id = r.id) AND NOT EXISTS (SELECT 1 FROM comment c WHERE c.receipt_id = r.id)",
    ),
    ("EFFECT_TWICE", "receipt", "SELECT i.receipt_id FROM item i JOIN comment c ON c.receipt_id = i.receipt_id"),
    (
        "EFFECT_UNFILED",
        "receipt",
        "SELECT r.id FROM receipt r WHERE r.state <> 'filed' AND (EXISTS (SELECT 1 FROM item i WHERE i.receipt_id = r.id) \
         OR EXISTS (SELECT 1 FROM comment c WHERE c.receipt_id = r.id))",
    ),
    (
        "RECEIPT_NAMES_OTHER",
        "receipt",
        "SELECT r.id FROM receipt r LEFT JOIN item i ON i.receipt_id = r.id LEFT JOIN comment c ON c.receipt_id = r.id \
         WHERE r.state = 'filed' AND (r.item_number <> coalesce(i.number, c.item_number) \
         OR coalesce(r.comment_id, 0) <> coalesce(c.id, 0)) AND (i.number IS NOT NULL OR c.id IS NOT NULL)",
    ),
    (
        "OWED_UNDECIDED",
        "receipt",
        "SELECT id FROM receipt WHERE settlement = 'owed' AND (state NOT IN ('filed', 'held') OR how IS NULL)",
    ),
    ("DECIDED_UNSETTLED", "receipt", "SELECT id FROM receipt WHERE state IN ('filed', 'held') AND settlement IS NULL"),
    (
        "HELD_TO_BE_DELETED",
        "receipt",
        "SELECT id FROM receipt WHERE state = 'held' AND settlement = 'owed' AND how LIKE '%delete%' AND how NOT LIKE '%move-to%'",
    ),
    (
        "WANTED_BUT_DELETED",
        "receipt",
        "SELECT r.id FROM receipt r JOIN raw w ON w.sha256 = r.sha256 WHERE w.deleted AND coalesce(r.reason, '') <> 'DELETED'",
    ),
    (
        "RAW_MISSING",
        "receipt",
        "SELECT r.id FROM receipt r WHERE r.sha256 IS NOT NULL AND coalesce(r.reason, '') <> 'DELETED' \
         AND NOT EXISTS (SELECT 1 FROM raw w WHERE w.sha256 = r.sha256)",
    ),
    (
        "RAW_MISSING",
        "attachment",
        "SELECT a.id FROM attachment a WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = a.blob_sha256)",
    ),
    ("SIZE_DIFFERS", "receipt", "SELECT r.id FROM receipt r JOIN raw w ON w.sha256 = r.sha256 WHERE w.size <> r.size"),
    (
        "SIZE_DIFFERS",
        "attachment",
        "SELECT a.id FROM attachment a JOIN blob b ON b.sha256 = a.blob_sha256 WHERE b.size <> a.size",
    ),
    (
        "ATTACHMENT_ASTRAY",
        "attachment",
        "SELECT a.id FROM attachment a JOIN comment c ON c.id = a.comment_id WHERE c.item_number <> a.item_number",
    ),
    (
        "REQUESTER_NO_PARTICIPANT",
        "item",
        "SELECT i.number FROM item i WHERE i.requester_address <> '' AND NOT EXISTS \
         (SELECT 1 FROM participant p WHERE p.item_number = i.number AND p.address = i.requester_address)",
    ),
];

/// The digests of all contents that are in files.
pub(crate) const IN_FILES: &str =
    "SELECT sha256 FROM raw WHERE in_file AND NOT deleted UNION SELECT sha256 FROM blob WHERE in_file";

/// Digests looked up at once.
const PAGE: i64 = 500;

impl Store {
    /// Verifies everything: reads all octets, follows all links, and counts. Changes nothing.
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        let mut report = self.read(check_links).await?;
        self.check_raw(&mut report).await?;
        self.check_blobs(&mut report).await?;
        report.unreferenced = self.count_unreferenced().await?;
        Ok(report)
    }

    /// Counts the files that no row names. Those of batches that are being accepted just now are among them.
    async fn count_unreferenced(&self) -> Result<u64, StoreError> {
        let named = self
            .read(|tx| {
                let rows = tx.query(IN_FILES, &[])?;
                rows.into_iter().map(|mut row| row.sha256(0)).collect::<Result<HashSet<Sha256>, _>>()
            })
            .await?;
        let files = self.files().clone();
        tokio::task::spawn_blocking(move || files.count_others(&named))
            .await
            .unwrap_or_else(|error| Err(StoreError::Database(error.into())))
    }

    async fn check_raw(&self, report: &mut CheckReport) -> Result<(), StoreError> {
        let mut last: Option<Sha256> = None;
        loop {
            let page = self
                .read(move |tx| contents_after(tx, "(SELECT sha256, size FROM raw WHERE NOT deleted) kept", last))
                .await?;
            let Some(&(newest, _)) = page.last() else { return Ok(()) };
            last = Some(newest);
            for (sha256, size) in page {
                report.raw += 1;
                let found = self.octets_of_raw(sha256).await.map(|raw| raw.size());
                report.octets += compare(report, sha256, size, found)?;
            }
        }
    }

    async fn check_blobs(&self, report: &mut CheckReport) -> Result<(), StoreError> {
        let mut last: Option<Sha256> = None;
        loop {
            let page = self.read(move |tx| contents_after(tx, "blob", last)).await?;
            let Some(&(newest, _)) = page.last() else { return Ok(()) };
            last = Some(newest);
            for (sha256, size) in page {
                report.blobs += 1;
                let found = self.blob_octets(sha256).await.map(|octets| octets.len() as u64);
                compare(report, sha256, size, found)?;
            }
        }
    }
}

/// Compares the octets `found` with the `size` that their row says, and returns how many there are. Damage goes to the
/// report; any other error ends the check.
fn compare(
    report: &mut CheckReport,
    sha256: Sha256,
    size: i64,
    found: Result<u64, StoreError>,
) -> Result<u64, StoreError> {
    let (code, octets) = match found {
        Ok(octets) if i64::try_from(octets) == Ok(size) => return Ok(octets),
        Ok(octets) => ("SIZE_DIFFERS", octets),
        Err(error @ (StoreError::RawMissing { .. } | StoreError::RawDamaged { .. })) => (error.code(), 0),
        Err(other) => return Err(other),
    };
    report.problems.push(Problem { code, what: format!("octets {sha256}") });
    Ok(octets)
}

/// The next contents of `table`: their digests, and the sizes that their rows say.
fn contents_after(tx: &mut Tx<'_>, table: &str, last: Option<Sha256>) -> Result<Vec<(Sha256, i64)>, StoreError> {
    let rows = match &last {
        None => tx.query(&format!("SELECT sha256, size FROM {table} ORDER BY sha256 LIMIT {PAGE}"), &[])?,
        Some(last) => {
            let sql = format!("SELECT sha256, size FROM {table} WHERE sha256 > ?1 ORDER BY sha256 LIMIT {PAGE}");
            tx.query(&sql, params![last])?
        }
    };
    rows.into_iter().map(|mut row| Ok((row.sha256(0)?, row.int(1)?))).collect()
}

/// The foreign keys of the schema: table, column, and the table and column that it refers to. Each has one column.
const FOREIGN_KEYS_SQLITE: &str = "SELECT t.name, k.\"from\", k.\"table\", k.\"to\" FROM sqlite_schema t, \
     pragma_foreign_key_list(t.name) k WHERE t.type = 'table' ORDER BY 1, 2";
const FOREIGN_KEYS_POSTGRES: &str = "SELECT t.relname::text, c.attname::text, r.relname::text, d.attname::text \
     FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid \
     JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] \
     JOIN pg_attribute d ON d.attrelid = k.confrelid AND d.attnum = k.confkey[1] \
     WHERE k.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY 1, 2";

/// What rows of these tables name that is not there, one for each that is missing. The databases see to it that there is none, unless
/// somebody tells them not to: a tool that changes SQLite's file does not look at foreign keys of its own accord.
pub(crate) fn broken_references(tx: &mut Tx<'_>, is_asked: impl Fn(&str) -> bool) -> Result<Vec<Problem>, StoreError> {
    let keys = match tx {
        Tx::Sqlite(_) => FOREIGN_KEYS_SQLITE,
        Tx::Postgres(_) => FOREIGN_KEYS_POSTGRES,
    };
    let mut problems = Vec::new();
    for mut key in tx.query(keys, &[])? {
        let (table, column, other, at) = (key.text(0)?, key.text(1)?, key.text(2)?, key.text(3)?);
        if !is_asked(&table) {
            continue;
        }
        let sql = format!(
            "SELECT t.{column}, count(*) FROM {table} t WHERE t.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{at} = t.{column}) GROUP BY t.{column} ORDER BY t.{column}"
        );
        for mut row in tx.query(&sql, &[])? {
            let missing = name_of(row.0.first());
            let what = format!("{other} {missing} is not there, named by {table}.{column} in rows: {}", row.int(1)?);
            problems.push(Problem { code: "REFERENCE_BROKEN", what });
        }
    }
    Ok(problems)
}

/// A key by which a row is named. A damaged one may be anything, and is not repeated.
fn name_of(key: Option<&Value>) -> String {
    match key {
        Some(Value::Int(number)) => Some(number.to_string()),
        Some(Value::Blob(octets)) => Sha256::try_from(octets.as_slice()).ok().map(|digest| digest.to_string()),
        _ => None,
    }
    .unwrap_or_else(|| "of a damaged key".to_owned())
}

/// The ledger: the collector counts what a visit saw on the server and can give no account of, neither a receipt nor mail
/// from before the first visit nor a message that vanished. A paused mailbox waits for a person anyway.
fn check_ledger(tx: &mut Tx<'_>, report: &mut CheckReport) -> Result<(), StoreError> {
    let sql = "SELECT id, last_visit FROM mailbox WHERE removed_at IS NULL AND last_visit IS NOT NULL AND NOT paused";
    for mut row in tx.query(sql, &[])? {
        let visit: serde_json::Value = row.json(1)?;
        let unaccounted = visit.get("unaccounted").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if unaccounted > 0 {
            let what = format!("mailbox {}: {unaccounted} messages on the server without an account", row.int(0)?);
            report.problems.push(Problem { code: "LEDGER_GAP", what });
        }
    }
    Ok(())
}

fn check_links(tx: &mut Tx<'_>) -> Result<CheckReport, StoreError> {
    if let Tx::Postgres(connection) = tx {
        // Work goes on meanwhile, and what is compared here has to be of one instant. SQLite's readers see one anyway.
        connection.batch("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
    }
    let mut count = |table: &str| tx.query_one(&format!("SELECT count(*) FROM {table}"), &[])?.unsigned(0);
    let mut report = CheckReport {
        receipts: count("receipt")?,
        items: count("item")?,
        comments: count("comment")?,
        ..CheckReport::default()
    };
    for &(code, what, sql) in LINKS {
        for mut row in tx.query(sql, &[])? {
            report.problems.push(Problem { code, what: format!("{what} {}", row.int(0)?) });
        }
    }
    report.problems.extend(broken_references(tx, |_| true)?);
    check_ledger(tx, &mut report)?;
    audit::check(tx, &mut report)?;
    if let Tx::Sqlite(_) = tx {
        for mut row in tx.query("PRAGMA quick_check", &[])? {
            let text = row.text(0)?;
            if text != "ok" {
                report.problems.push(Problem { code: "DATABASE_DAMAGED", what: text });
            }
        }
    }
    Ok(report)
}
