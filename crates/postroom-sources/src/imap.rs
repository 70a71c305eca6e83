//! The conversation with an IMAP server: drives the machine of `postroom_mail::imap` over a stream.

use crate::session::{Fetched, Folder, Purpose};
use crate::stream::{self, Stream};
use crate::{Budget, Limits, SourceError, Trust};
use postroom_mail::{ImapAccess, Listed, RemoteId, Secret, Settlement};
use tokio::sync::mpsc;

/// One conversation with an IMAP server.
pub struct ImapSession {
    stream: Box<dyn Stream>,
    tls: bool,
}

impl ImapSession {
    pub(crate) async fn open(
        access: &ImapAccess,
        password: Option<&Secret>,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        let addresses = stream::resolve(&access.host, access.port, access.allow_private_host, limits).await?;
        let tcp = stream::connect(&access.host, &addresses, limits).await?;
        let mut session = Self::greet(Box::new(tcp), access, trust, limits).await?;
        session.log_in(access, password).await?;
        Ok(session)
    }

    /// Greets.
    pub async fn greet(
        stream: Box<dyn Stream>,
        access: &ImapAccess,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        let stream = stream::start_tls(stream, &access.host, trust, limits).await?;
        Ok(Self { stream, tls: true })
    }
    /// Logs in.
    pub async fn log_in(&mut self, _access: &ImapAccess, _password: Option<&Secret>) -> Result<(), SourceError> {
        Err(SourceError::PasswordMissing)
    }
    pub(crate) fn tls(&self) -> bool {
        self.tls
    }
    pub(crate) async fn select(&mut self, _purpose: Purpose) -> Result<Folder, SourceError> {
        Err(SourceError::Stopped)
    }
    pub(crate) async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        Err(SourceError::Stopped)
    }
    pub(crate) async fn fetch(
        &mut self,
        _wanted: &[Listed],
        budget: &Budget,
        _deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        let _ = budget.try_take(0);
        Err(SourceError::Stopped)
    }
    pub(crate) async fn settle(&mut self, _ids: &[RemoteId], _how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        Err(SourceError::Stopped)
    }
    pub(crate) async fn close(self) -> Result<(), SourceError> {
        drop(self.stream);
        Ok(())
    }
}
