//! Settling: what a POP3 server can do is delete, and it does so at QUIT or not at all.

use super::{Numbers, Pop3Session, is_transient, refused};
use crate::SourceError;
use crate::wire::GOODBYE;
use postroom_mail::pop3::{self, Command, Event, Reply, State};
use postroom_mail::{RemoteId, Settlement};
use std::collections::VecDeque;

/// Deletions under way at once where the server allows it.
const WINDOW: usize = 256;

impl Pop3Session {
    /// Deletes these messages and returns those that are confirmed; one that the listing of this conversation does not have
    /// is gone and counts as confirmed. Deletions end the conversation, because only its end confirms them; after that
    /// nothing more is settled.
    ///
    /// # Errors
    /// `SETTLEMENT_UNSUPPORTED`, `SERVER_REFUSED`, `POP3_DESYNC`, those of the connection. Then nothing was deleted, or it is
    /// not known; doing it again is harmless.
    pub async fn settle(&mut self, ids: &[RemoteId], how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        match how {
            Settlement::Keep => return Ok(ids.to_vec()),
            Settlement::MarkSeen | Settlement::MoveTo(_) => return Err(SourceError::SettlementUnsupported),
            Settlement::Delete => {}
        }
        if ids.is_empty() || self.conversation.state() != State::Transaction {
            return Ok(Vec::new());
        }
        // A number is looked up in the listing of this very conversation: in another one it is another message.
        let knows = |numbers: &Numbers| numbers.are_all || ids.iter().all(|id| numbers.entries.contains_key(id));
        if !self.numbers.as_ref().is_some_and(knows) {
            self.list().await?;
        }
        let find = |id: &RemoteId| Some(self.numbers.as_ref()?.entries.get(id)?.number);
        let (there, gone): (Vec<_>, Vec<_>) =
            ids.iter().map(|id| (find(id), id)).partition(|(number, _)| number.is_some());
        let mut confirmed: Vec<RemoteId> = gone.into_iter().map(|(_, id)| id.clone()).collect();
        let there: Vec<(u32, RemoteId)> =
            there.into_iter().filter_map(|(number, id)| Some((number?, id.clone()))).collect();
        if there.is_empty() {
            return Ok(confirmed);
        }
        let there = self.look_again(there).await?;
        let marked = self.mark(there).await?;
        self.commit().await?;
        confirmed.extend(marked);
        Ok(confirmed)
    }

    /// Asks what is behind each number, and leaves out what is not there any more. An answer that names another message, or
    /// is none to this question, shows that replies have come out of step: then nothing may be deleted.
    async fn look_again(&mut self, messages: Vec<(u32, RemoteId)>) -> Result<Vec<(u32, RemoteId)>, SourceError> {
        let ask = |(number, id): &(u32, RemoteId)| match id {
            RemoteId::Pop3 { .. } => Command::UidlOne(*number),
            _ => Command::ListOne(*number),
        };
        let mut there = Vec::with_capacity(messages.len());
        for (message, reply) in self.each(messages, ask).await? {
            if !reply.ok {
                continue;
            }
            let is_same = match (pop3::listing_entry(reply.text.as_bytes()), &message.1) {
                (Ok((number, name)), RemoteId::Pop3 { uidl }) => number == message.0 && name == uidl.as_bytes(),
                (Ok((number, _)), _) => number == message.0,
                (Err(_), _) => false,
            };
            if !is_same {
                return Err(SourceError::Pop3Desync { host: self.wire.host.clone() });
            }
            there.push(message);
        }
        Ok(there)
    }

    /// Marks messages as deleted; returns those that the server has marked.
    async fn mark(&mut self, messages: Vec<(u32, RemoteId)>) -> Result<Vec<RemoteId>, SourceError> {
        let replies = self.each(messages, |(number, _)| Command::Dele(*number)).await?;
        // Another client may have been faster with those that are refused; the next listing will tell.
        Ok(replies.into_iter().filter(|(_, reply)| reply.ok).map(|((_, id), _)| id).collect())
    }

    /// Sends a command for each message, as many at once as the server allows, and returns the replies.
    pub(super) async fn each(
        &mut self,
        messages: Vec<(u32, RemoteId)>,
        command: impl Fn(&(u32, RemoteId)) -> Command<'static>,
    ) -> Result<Vec<((u32, RemoteId), Reply)>, SourceError> {
        let window = if self.may_pipeline() { WINDOW } else { 1 };
        let (mut replies, mut in_flight) = (Vec::with_capacity(messages.len()), VecDeque::new());
        let mut queue = messages.into_iter();
        loop {
            if in_flight.len() <= window / 2 {
                let next: Vec<(u32, RemoteId)> = queue.by_ref().take(window - in_flight.len()).collect();
                let commands: Vec<Command<'_>> = next.iter().map(&command).collect();
                if !commands.is_empty() {
                    self.send_all(&commands).await?;
                }
                in_flight.extend(next);
            }
            if in_flight.is_empty() {
                return Ok(replies);
            }
            if let Event::Done(reply) = self.next("settling").await? {
                if !reply.ok && is_transient(&reply) {
                    return Err(refused("delete messages", reply));
                }
                replies.extend(in_flight.pop_front().map(|message| (message, reply)));
            }
        }
    }

    // RFC 1939 §6: the server deletes at QUIT, and says -ERR when it could not delete all.
    async fn commit(&mut self) -> Result<(), SourceError> {
        let reply = self.run("settling", &Command::Quit).await?;
        if !reply.ok {
            return Err(refused("delete messages", reply));
        }
        // If anything follows, an earlier reply was not the one that we took it for, and neither was this one.
        if !self.conversation.is_quiet() {
            return Err(SourceError::Pop3Desync { host: self.wire.host.clone() });
        }
        match self.wire.read(GOODBYE, "the goodbye").await {
            Ok(_surplus) => Err(SourceError::Pop3Desync { host: self.wire.host.clone() }),
            _ => Ok(()),
        }
    }
}
