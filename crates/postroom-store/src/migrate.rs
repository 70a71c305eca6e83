//! Brings a database to the schema of this program, one numbered step after the other, under a lock.

use crate::tx::params;
use crate::{StoreError, Tx};
use jiff::Timestamp;
use postroom_mail::Sha256;
use std::collections::HashSet;

/// One step: its number and its text for each database.
struct Migration {
    number: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

/// In the order of their numbers; there may be gaps.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        sqlite: include_str!("../migrations/sqlite/0001_first.sql"),
        postgres: include_str!("../migrations/postgres/0001_first.sql"),
    },
    Migration {
        number: 2,
        sqlite: include_str!("../migrations/sqlite/0002_no_suspects.sql"),
        postgres: include_str!("../migrations/postgres/0002_no_suspects.sql"),
    },
    Migration {
        number: 10,
        sqlite: include_str!("../migrations/sqlite/0010_sender.sql"),
        postgres: include_str!("../migrations/postgres/0010_sender.sql"),
    },
    Migration {
        number: 20,
        sqlite: include_str!("../migrations/sqlite/0020_matching.sql"),
        postgres: include_str!("../migrations/postgres/0020_matching.sql"),
    },
    Migration {
        number: 30,
        sqlite: include_str!("../migrations/sqlite/0030_storms.sql"),
        postgres: include_str!("../migrations/postgres/0030_storms.sql"),
    },
    Migration {
        number: 40,
        sqlite: include_str!("../migrations/sqlite/0040_audit.sql"),
        postgres: include_str!("../migrations/postgres/0040_audit.sql"),
    },
    Migration {
        number: 41,
        sqlite: include_str!("../migrations/sqlite/0041_deleted.sql"),
        postgres: include_str!("../migrations/postgres/0041_deleted.sql"),
    },
    Migration {
        number: 42,
        sqlite: include_str!("../migrations/sqlite/0042_registration.sql"),
        postgres: include_str!("../migrations/postgres/0042_registration.sql"),
    },
    Migration {
        number: 43,
        sqlite: include_str!("../migrations/sqlite/0043_visits.sql"),
        postgres: include_str!("../migrations/postgres/0043_visits.sql"),
    },
    Migration {
        number: 44,
        sqlite: include_str!("../migrations/sqlite/0044_contacts.sql"),
        postgres: include_str!("../migrations/postgres/0044_contacts.sql"),
    },
    Migration {
        number: 45,
        sqlite: include_str!("../migrations/sqlite/0045_connections.sql"),
        postgres: include_str!("../migrations/postgres/0045_connections.sql"),
    },
    Migration {
        number: 60,
        sqlite: include_str!("../migrations/sqlite/0060_tokens.sql"),
        postgres: include_str!("../migrations/postgres/0060_tokens.sql"),
    },
    Migration {
        number: 61,
        sqlite: include_str!("../migrations/sqlite/0061_waiting.sql"),
        postgres: include_str!("../migrations/postgres/0061_waiting.sql"),
    },
    Migration {
        number: 62,
        sqlite: include_str!("../migrations/sqlite/0062_bound_logins.sql"),
        postgres: include_str!("../migrations/postgres/0062_bound_logins.sql"),
    },
    Migration {
        number: 63,
        sqlite: include_str!("../migrations/sqlite/0063_apart.sql"),
        postgres: include_str!("../migrations/postgres/0063_apart.sql"),
    },
    Migration {
        number: 70,
        sqlite: include_str!("../migrations/sqlite/0070_desk.sql"),
        postgres: include_str!("../migrations/postgres/0070_desk.sql"),
    },
];

/// The schema that this program works with.
pub(crate) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].number;

/// Applies what is missing. Runs inside a transaction that the caller commits.
///
/// # Errors
/// `DATABASE_NEWER` when the database has a step that this program does not know, `DATABASE_SCHEMA_DIFFERS` when it has
/// another text under a number that it does know.
pub(crate) fn migrate(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        // Two programs may start at the same time; SQLite's BEGIN IMMEDIATE already takes turns.
        connection.batch("SELECT pg_advisory_xact_lock(7096109)")?;
    }
    tx.batch(
        "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
    )?;
    let mut done = HashSet::new();
    for mut row in tx.query("SELECT number, checksum FROM migration ORDER BY number", &[])? {
        let (number, checksum) = (row.int(0)?, row.text(1)?);
        let Some(known) = MIGRATIONS.iter().find(|known| known.number == number) else {
            return Err(StoreError::Newer { found: number, known: NEWEST });
        };
        if checksum != checksum_of(known.text(tx)) {
            return Err(StoreError::SchemaDiffers { number });
        }
        done.insert(number);
    }
    for migration in MIGRATIONS.iter().filter(|migration| !done.contains(&migration.number)) {
        let text = migration.text(tx);
        tx.batch(text)?;
        tx.execute(
            "INSERT INTO migration (number, checksum, applied_at) VALUES (?1, ?2, ?3)",
            params![migration.number, &checksum_of(text), now],
        )?;
    }
    Ok(())
}

impl Migration {
    fn text(&self, tx: &Tx<'_>) -> &'static str {
        match tx {
            Tx::Sqlite(_) => self.sqlite,
            Tx::Postgres(_) => self.postgres,
        }
    }
}

/// The texts of all steps for PostgreSQL.
#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.postgres)
}

fn checksum_of(text: &str) -> String {
    Sha256::of(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, checksum_of};

    /// Databases in use have these steps. When one of these fails, the file was changed: put it back and write a new one.
    const FROZEN: &[(i64, &str, &str)] = &[
        (
            1,
            "7f3ef373119585651cada07cbf1453923cab615b4b6f5d993a172370544e72a3",
            "fcc17791286025697feb1bf89a3acfcf8166cb5d1cc9e0e353de0969cdbe8a76",
        ),
        (
            2,
            "54d5bf32f05882014efe2c552d185b628dc24941b37507ae43a2e3739d24d769",
            "33c8cf0df635b7a6831c391975e9e4ccf4aa87ee088129d131a73f7fd7a051f6",
        ),
        (
            10,
            "6c7a31ce606435121ab9a3f329730e6d52414e6ff6297e20eee7a7dce9aa8322",
            "6c7a31ce606435121ab9a3f329730e6d52414e6ff6297e20eee7a7dce9aa8322",
        ),
        (
            20,
            "143297e143f9ff61ceaa23dd03e5b57d07ec933d891fdcef953e7a8705256f47",
            "94eb8c4edf1e2f73abbe208db6d38970c9240715d26bc8fcab1ac05957a7873a",
        ),
        (
            30,
            "c51b0552903d2bdd39c9dde6a0fef56b23e59dd14d7459c8afe7bcb78ed2f923",
            "c51b0552903d2bdd39c9dde6a0fef56b23e59dd14d7459c8afe7bcb78ed2f923",
        ),
        (
            40,
            "9221dfacce80afd749fa6ce82d45f992affaee449c26744aed2ec8cccc5b4189",
            "5df4f9395f8d299c0fdcbbbdb17cd00fa379384d7f3cbc20014714364c5a670e",
        ),
        (
            41,
            "22da0a5d88c9c9d7708eb80a5e7fa57cdf6d503571602654f6334087ee4dd876",
            "22da0a5d88c9c9d7708eb80a5e7fa57cdf6d503571602654f6334087ee4dd876",
        ),
        (
            42,
            "5f9a0625b89b39a86a1dab938ca83c1cbf76c955e98501ff4cfba82e49ea893e",
            "8acf1b9108aecbac4475ffe6d55c7a58e7f4bada62632fa5047990d5d4cd3df5",
        ),
        (
            43,
            "06d7ee13beb288819fa33e2fea2ccd5eb83d531fc5fa46e50cda99221ab1f2e1",
            "06d7ee13beb288819fa33e2fea2ccd5eb83d531fc5fa46e50cda99221ab1f2e1",
        ),
        (
            44,
            "18a01867a366a4afaec3f98e498434eccb1863b2d75a79ae959854fd24df10d4",
            "18a01867a366a4afaec3f98e498434eccb1863b2d75a79ae959854fd24df10d4",
        ),
        (
            45,
            "4ec668c1d67887c52d619a932dff7e539db4d7375e647e876f6884ad613061e9",
            "5d6f86f676701a8339844fdec57394b94fb94aa6d7cef36882e7b03ee168e08d",
        ),
        (
            60,
            "2d6b7ae173e639b54d7f2b029c5803138ed018a24b95d5cdac17c9da9e0103e9",
            "b3c724ed070200ab5fc3b08bab30f908eff4b498149ca1db41072cd44152b2b0",
        ),
        (
            61,
            "5e2ea7836f6a19969de387125d5e60125e547830c4fdc36bed30308e9f0ee119",
            "b69ae0a39a8427d7dda42b2d2be5667a0dcfc1b517dadc2ff8696a2f38b3716d",
        ),
        (
            62,
            "5a591fc801c3f62ba5f02fe63cac1951f9ef81285d5c4fcee48b0c9479f2d40c",
            "5a591fc801c3f62ba5f02fe63cac1951f9ef81285d5c4fcee48b0c9479f2d40c",
        ),
        (
            63,
            "389a20c0cd10ebfe915ea8a75c082496b86e2b878c727dc5296f60e5852cf8fd",
            "389a20c0cd10ebfe915ea8a75c082496b86e2b878c727dc5296f60e5852cf8fd",
        ),
        (
            70,
            "8926b9b3d8829048ef67ade790f15072f8d3c36cb2ee54e16c45d6d833769f31",
            "347f8d2e31afe6caae9fbb650347de32f63e39af5a3a8747b62c6d0d016fd7e6",
        ),
    ];

    #[test]
    fn released_migrations_never_change() {
        for (number, sqlite, postgres) in FROZEN {
            let Some(migration) = MIGRATIONS.iter().find(|migration| migration.number == *number) else {
                panic!("migration {number} is gone");
            };
            assert_eq!(checksum_of(migration.sqlite), *sqlite, "migrations/sqlite, number {number}");
            assert_eq!(checksum_of(migration.postgres), *postgres, "migrations/postgres, number {number}");
        }
        assert_eq!(FROZEN.len(), MIGRATIONS.len(), "a new migration is frozen by adding its checksums here");
    }
}
