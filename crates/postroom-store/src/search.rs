//! Full-text search over titles, descriptions and comments: FTS5 on SQLite, tsvector on PostgreSQL.

use crate::tx::{Param, params};
use crate::{StoreError, Tx};

/// Words of a query that count; more only narrow what is narrow already.
const WORDS_MAX: usize = 8;

/// Words that are to be made findable together, at the end of a transaction: FTS5 writes what it has gathered at every
/// savepoint, so that words which are added between two of them cost as much each as those of a whole batch.
#[derive(Debug, Default)]
pub(crate) struct Words(Vec<(i64, String)>);

impl Words {
    /// The words of an item.
    pub(crate) fn of_item(&mut self, item: i64, title: &str, text: &str) {
        self.0.push((item * 2, format!("{title}\n{text}")));
    }

    /// The words of a comment.
    pub(crate) fn of_comment(&mut self, comment: i64, text: &str) {
        self.0.push((comment * 2 + 1, text.to_owned()));
    }

    /// How many items and comments there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first ones, since what caused the others was undone.
    pub(crate) fn forget(&mut self, from: usize) {
        self.0.truncate(from);
    }

    /// Makes them findable. On PostgreSQL the database keeps the words by itself.
    pub(crate) fn add(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.0.iter().try_for_each(|(row, words)| add(tx, *row, words))
    }
}

/// Makes an item findable.
pub(crate) fn add_item(tx: &mut Tx<'_>, item: i64, title: &str, text: &str) -> Result<(), StoreError> {
    let mut words = Words::default();
    words.of_item(item, title, text);
    words.add(tx)
}

/// Makes a comment findable.
pub(crate) fn add_comment(tx: &mut Tx<'_>, comment: i64, text: &str) -> Result<(), StoreError> {
    add(tx, comment * 2 + 1, text)
}

/// Takes a comment out of the index, as when it becomes an item.
pub(crate) fn remove_comment(tx: &mut Tx<'_>, comment: i64) -> Result<(), StoreError> {
    remove(tx, comment * 2 + 1)
}

/// Takes an item out of the index, as when it becomes a comment again.
pub(crate) fn remove_item(tx: &mut Tx<'_>, item: i64) -> Result<(), StoreError> {
    remove(tx, item * 2)
}

fn remove(tx: &mut Tx<'_>, row: i64) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(_) => tx.execute("DELETE FROM search WHERE rowid = ?1", params![row]).map(drop),
        Tx::Postgres(_) => Ok(()),
    }
}

fn add(tx: &mut Tx<'_>, row: i64, words: &str) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(_) => tx.execute("INSERT INTO search (rowid, words) VALUES (?1, ?2)", params![row, words]).map(drop),
        Tx::Postgres(_) => Ok(()),
    }
}

/// The words of a query: runs of letters and digits, so that nothing in it can be taken for an operator.
pub(crate) fn words_of(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(WORDS_MAX).map(str::to_lowercase).collect()
}

/// The number that a query names, as `12` or `#12`.
pub(crate) fn number_of(query: &str) -> Option<i64> {
    let text = query.trim();
    text.strip_prefix('#').unwrap_or(text).parse().ok()
}

/// The text by which a database finds one word, also as the beginning of a longer one.
pub(crate) fn pattern_of(tx: &Tx<'_>, word: &str) -> String {
    match tx {
        Tx::Sqlite(_) => format!("\"{word}\"*"),
        Tx::Postgres(_) => format!("{word}:*"),
    }
}

/// A condition on `i.number` that holds for items in which, or in whose comments, the word of parameter `n` stands.
pub(crate) fn condition(tx: &Tx<'_>, n: usize) -> String {
    match tx {
        Tx::Sqlite(_) => format!(
            "i.number IN (SELECT CASE WHEN s.rowid % 2 = 0 THEN s.rowid / 2 \
             ELSE (SELECT c.item_number FROM comment c WHERE c.id = s.rowid / 2) END FROM search s WHERE s.words MATCH ?{n})"
        ),
        Tx::Postgres(_) => format!(
            "(i.search @@ to_tsquery('simple', ?{n}) OR i.number IN \
             (SELECT c.item_number FROM comment c WHERE c.search @@ to_tsquery('simple', ?{n})))"
        ),
    }
}

/// Appends the conditions of a query to a list, and their parameters. An empty query has none; one without a single word
/// finds nothing.
pub(crate) fn conditions<'a>(
    tx: &Tx<'_>,
    query: &str,
    patterns: &'a [String],
    params: &mut Vec<Param<'a>>,
) -> Option<String> {
    if query.trim().is_empty() {
        return None;
    }
    let mut all = Vec::new();
    for pattern in patterns {
        params.push(pattern.into());
        all.push(condition(tx, params.len()));
    }
    let words = if all.is_empty() { "FALSE".to_owned() } else { all.join(" AND ") };
    match number_of(query) {
        Some(number) => {
            params.push(number.into());
            Some(format!("(i.number = ?{} OR ({words}))", params.len()))
        }
        None => Some(format!("({words})")),
    }
}

/// Fills the index of SQLite from the tables, as after a restore.
pub(crate) fn rebuild(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    if !matches!(tx, Tx::Sqlite(_)) {
        return Ok(());
    }
    tx.execute("INSERT INTO search (rowid, words) SELECT number * 2, title || char(10) || text FROM item", &[])?;
    tx.execute("INSERT INTO search (rowid, words) SELECT id * 2 + 1, text FROM comment", &[]).map(drop)
}
