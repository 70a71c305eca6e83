//! Passwords of people: what is taken for one, and their Argon2id hashes (RFC 9106).

use crate::failure::Failure;
use crate::form::Form;
use crate::words::Language;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use postroom_mail::Secret;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Characters of a password, at least.
pub(crate) const PASSWORD_MIN: usize = 10;
/// Characters of a password, at most: whatever people think of, but nothing that is made to keep us busy.
const PASSWORD_MAX: usize = 200;
/// Hashes that are computed at the same time. Each takes 19 MiB for the while, and the processors have other work.
const AT_ONCE: usize = 2;

/// What the password of an address is compared with that has none, so that the answer takes as long.
static NOBODYS: LazyLock<Option<Secret>> = LazyLock::new(|| hash_of(&Secret::new("nobody has this password")));

/// Computes hashes, a few at the same time.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// The hash of a password, as a PHC string.
    pub(crate) async fn hash(&self, password: Secret) -> Result<Secret, Failure> {
        self.compute(move || hash_of(&password)).await?.ok_or(Failure::Bug)
    }

    /// Whether it is the password of this hash. Without a hash it is not, and that takes as long.
    pub(crate) async fn fits(&self, password: Secret, phc: Option<Secret>) -> Result<bool, Failure> {
        self.compute(move || {
            let exists = phc.is_some();
            let fits = phc.or_else(|| NOBODYS.clone()).is_some_and(|phc| fits(&password, &phc));
            exists && fits
        })
        .await
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        // It is never closed, and only a bug makes the work panic.
        let _permit = self.0.acquire().await.map_err(|_| Failure::Bug)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Bug)
    }
}

fn hash_of(password: &Secret) -> Option<Secret> {
    // Argon2id with 19 MiB, two passes and one lane, as OWASP asks for; a new salt each time.
    let hash = Argon2::default().hash_password(password.expose().as_bytes()).ok()?;
    Some(Secret::new(hash.to_string()))
}

fn fits(password: &Secret, phc: &Secret) -> bool {
    PasswordHash::new(phc.expose())
        .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

/// The password that was chosen in this field, if it is one; else the form says what is wrong with it.
pub(crate) fn chosen(t: Language, form: &mut Form, name: &'static str) -> Option<Secret> {
    let password = form.raw(name).to_owned();
    match password.chars().count() {
        ..PASSWORD_MIN => form.problem(name, t.password_short(PASSWORD_MIN)),
        PASSWORD_MIN..=PASSWORD_MAX => return Some(Secret::new(password)),
        _ => form.problem(name, t.password_long(PASSWORD_MAX)),
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let passwords = Passwords::default();
        let phc = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(phc.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", phc.expose());
        let again = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert_ne!(phc.expose(), again.expose(), "each has a salt of its own");
        let fits = async |password: &str, phc| passwords.fits(Secret::new(password), phc).await.unwrap();
        assert!(fits("correct horse", Some(phc.clone())).await);
        assert!(!fits("correct horse ", Some(phc)).await);
        assert!(!fits("nobody has this password", None).await);
        assert!(!fits("x", Some(Secret::new("no PHC string"))).await);
    }

    #[test]
    fn a_password_has_a_length() {
        for (password, fine) in [
            ("", false),
            ("ninechars", false),
            ("ten chars!", true),
            (&*"é".repeat(200), true),
            (&*"é".repeat(201), false),
        ] {
            let mut form = Form::with(&[("password", password)]);
            assert_eq!(chosen(Language::English, &mut form, "password").is_some(), fine, "{password}");
            assert_eq!(form.is_fine(), fine, "{password}");
        }
    }
}
