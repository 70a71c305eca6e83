//! Passwords at rest: sealed with XChaCha20-Poly1305 under a key that is not in the database.

use crate::StoreError;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use postroom_mail::{Secret, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const KEY_ID_LEN: usize = 8;
/// First octet of what is sealed, so that another way of sealing can follow.
const VERSION: u8 = 1;

/// Seals and opens. Layout: version, key id (8), nonce (24), ciphertext with tag.
pub(crate) struct Sealer {
    key: Zeroizing<[u8; KEY_LEN]>,
    key_id: [u8; KEY_ID_LEN],
}

/// Where the key is: a systemd credential if there is one, else a file in the data directory.
pub(crate) fn key_path(data_dir: &Path) -> PathBuf {
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| PathBuf::from(dir).join("postroom-key"));
    credential.filter(|path| path.exists()).unwrap_or_else(|| data_dir.join("secret.key"))
}

impl Sealer {
    /// Reads the key; makes one if there is none and `may_create`.
    ///
    /// # Errors
    /// `SECRET_KEY_MISSING` when it is not there (or is no key) and must not be made.
    pub(crate) fn open(data_dir: &Path, may_create: bool) -> Result<Self, StoreError> {
        let path = key_path(data_dir);
        match read_key(&path) {
            Ok(key) => Ok(Self::new(key)),
            Err(error) if error.kind() == ErrorKind::NotFound && may_create => match create_key(&path) {
                // Another process was faster; its key is the one.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    read_key(&path).map(Self::new).map_err(|error| StoreError::file(&path, error))
                }
                Err(error) => Err(StoreError::file(&path, error)),
                Ok(key) => Ok(Self::new(key)),
            },
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => {
                Err(StoreError::SecretKeyMissing { path })
            }
            Err(error) => Err(StoreError::file(&path, error)),
        }
    }

    fn new(key: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let digest = Sha256::of(&[b"postroom key id".as_slice(), key.as_slice()].concat());
        let mut key_id = [0; KEY_ID_LEN];
        key_id.copy_from_slice(&digest.as_bytes()[..KEY_ID_LEN]);
        Self { key, key_id }
    }

    /// Seals `secret` for the row that `row` names; it opens only there.
    pub(crate) fn seal(&self, secret: &Secret, row: &str) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| StoreError::Database(error.to_string().into()))?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &self.associated(row) };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::SecretUnreadable)?;
        Ok([&[VERSION], self.key_id.as_slice(), nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same row.
    pub(crate) fn open_sealed(&self, sealed: &[u8], row: &str) -> Result<Secret, StoreError> {
        let unreadable = || StoreError::SecretUnreadable;
        let (head, rest) = sealed.split_at_checked(1 + KEY_ID_LEN).ok_or_else(unreadable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        if head[0] != VERSION || head[1..] != self.key_id {
            return Err(StoreError::SecretUnreadable);
        }
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| unreadable())?;
        let payload = Payload { msg: sealed, aad: &self.associated(row) };
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| unreadable())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| unreadable())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.as_slice().try_into().unwrap_or(&Default::default()))
    }

    fn associated(&self, row: &str) -> Vec<u8> {
        [self.key_id.as_slice(), row.as_bytes()].concat()
    }
}

fn read_key(path: &Path) -> std::io::Result<Zeroizing<[u8; KEY_LEN]>> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    File::open(path)?.read_exact(key.as_mut_slice())?;
    Ok(key)
}

/// Makes the key file, durable before anything is sealed with it.
fn create_key(path: &Path) -> std::io::Result<Zeroizing<[u8; KEY_LEN]>> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| std::io::Error::other(error.to_string()))?;
    // Written under another name first: a key file is whole or not there.
    let temporary = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let linked = file.write_all(key.as_slice()).and_then(|()| file.sync_all()).and_then(|()| {
        // Unlike a rename, a link never replaces the key of a process that was faster.
        std::fs::hard_link(&temporary, path)
    });
    std::fs::remove_file(&temporary)?;
    linked?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Sealer;
    use postroom_mail::Secret;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_in_its_row() {
        let dir = tempfile::tempdir().unwrap();
        let sealer = Sealer::open(dir.path(), true).unwrap();
        let sealed = sealer.seal(&Secret::new("tête-à-tête"), "mailbox/1").unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"tete"));
        let again = Sealer::open(dir.path(), false).unwrap();
        assert_eq!(again.open_sealed(&sealed, "mailbox/1").unwrap().expose(), "tête-à-tête");
        assert_eq!(again.open_sealed(&sealed, "mailbox/2").unwrap_err().code(), "SECRET_UNREADABLE");
        assert_eq!(again.open_sealed(&sealed[..20], "mailbox/1").unwrap_err().code(), "SECRET_UNREADABLE");

        let other = tempfile::tempdir().unwrap();
        let stranger = Sealer::open(other.path(), true).unwrap();
        assert_eq!(stranger.open_sealed(&sealed, "mailbox/1").unwrap_err().code(), "SECRET_UNREADABLE");
    }

    #[test]
    fn the_key_file_is_private_and_is_not_made_when_it_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Sealer::open(dir.path(), false).err().unwrap();
        assert_eq!(missing.code(), "SECRET_KEY_MISSING");
        Sealer::open(dir.path(), true).unwrap();
        let mode = std::fs::metadata(dir.path().join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
