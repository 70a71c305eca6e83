//! Held mail: what a person can do about each reason, and which of it may be deleted once its time is over.

use crate::Reason;

/// What holds mail: somebody's will, or something that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A rule said so of its sender or its content. Such mail may be deleted once a workspace's time for it is over.
    Rule,
    /// Something went wrong, or is set up wrongly. Such mail waits until it is mended, however long that takes.
    Failure,
    /// It is done with: nobody waits for anything.
    Done,
}

/// The reasons for which a message is filed, as a pattern.
macro_rules! filed {
    () => {
        Reason::NewItem | Reason::ContinuesClosed | Reason::NumberInSubject | Reason::AnswersMessage | Reason::ReplyKey
    };
}

impl Reason {
    /// The reasons for which a message is held that nobody waits for any more.
    pub fn held_and_done() -> impl Iterator<Item = Self> {
        [Self::RegistrationProven, Self::Deleted].into_iter()
    }

    /// What holds mail for this reason; for a reason that holds none, [`Cause::Done`].
    pub fn cause(self) -> Cause {
        match self {
            Self::SenderUnclear
            | Self::SenderBlocked
            | Self::SenderDisowned
            | Self::SenderUnverified
            | Self::DomainNotAllowed
            | Self::SenderUnknown
            | Self::DuplicateCopy
            | Self::OwnAddress
            | Self::HeldByRule
            | Self::Storm
            | Self::AutomaticMail => Cause::Rule,
            Self::SubmissionsOff
            | Self::PatternLimit
            | Self::NoDefaultWorkspace
            | Self::TooLarge
            | Self::Unfetchable
            | Self::ReadPanicked
            | Self::ReadCrashed
            | Self::ReadExhausted
            | Self::FilingFailed
            | Self::OctetsDamaged => Cause::Failure,
            Self::RegistrationProven | Self::Deleted => Cause::Done,
            filed!() => Cause::Done,
        }
    }

    /// What a person can do about a message that is held for this reason: commands, with `ID` for the receipt. Empty for a
    /// reason that holds none.
    pub fn advice(self) -> &'static str {
        match self {
            filed!() => "",
            Self::SubmissionsOff => {
                "switch submissions on (`setting set submissions on`, `mailbox set NAME --submissions yes`), then `receipt retry ID`"
            }
            Self::SenderBlocked => {
                "`receipt release ID` files it; or take its sender off the block list (`setting set blocked`, `contact forget ADDRESS`), then `receipt retry ID`"
            }
            Self::SenderDisowned => {
                "take it for a forgery unless you know better; then `receipt release ID` files it, `receipt delete ID` removes it"
            }
            Self::SenderUnverified => {
                "ask its sender by another way whether it is theirs; then `receipt release ID` files it, `receipt delete ID` removes it"
            }
            Self::SenderUnclear => "read it (`receipt raw ID`); `receipt release ID` files it",
            Self::SenderUnknown => {
                "`receipt release ID` files it, with `--always` also what its sender writes from now on; or register them (`user add ADDRESS`), then `receipt retry ID`"
            }
            Self::DomainNotAllowed => {
                "`receipt release ID` files it; or change the allowed domains, then `receipt retry --reason DOMAIN_NOT_ALLOWED`"
            }
            Self::PatternLimit => {
                "write the pattern without nested repetition, then `receipt retry --reason PATTERN_LIMIT`"
            }
            Self::DuplicateCopy => {
                "nothing, as a rule; `receipt release ID` files it all the same, `receipt delete ID` removes it"
            }
            Self::AutomaticMail => {
                "`receipt release ID` files it; or let the mailbox take such mail (`mailbox set NAME --automatic file`), then `receipt retry ID`"
            }
            Self::OwnAddress => {
                "nothing, as a rule: it is our own mail; `receipt release ID` files it all the same, `receipt delete ID` removes it"
            }
            Self::HeldByRule => {
                "`receipt release ID` files it; or change the rule that the trace names (`rule list`), then `receipt retry --reason HELD_BY_RULE`"
            }
            Self::Storm => {
                "wait: it is filed when its turn comes, if it has one; else `receipt release ID` files it, `receipt retry --reason STORM` all that match"
            }
            Self::NoDefaultWorkspace => {
                "make a workspace the default (`workspace add KEY NAME --default`), then `receipt retry --reason NO_DEFAULT_WORKSPACE`"
            }
            Self::TooLarge => {
                "it is on its server only: take it from there, or raise POSTROOM_MAX_MESSAGE and the next visit fetches it"
            }
            Self::Unfetchable => {
                "it is on its server only, and every visit asks for it again; open it there with a mail program"
            }
            Self::ReadPanicked | Self::ReadCrashed | Self::ReadExhausted => {
                "its original is whole (`receipt raw ID`); please report it, and after an update `receipt retry ID`"
            }
            Self::FilingFailed => {
                "the trace names the error (`receipt show ID`); once it is mended, `receipt retry ID`"
            }
            Self::OctetsDamaged => "run `check`, bring the file back from a backup, then `receipt retry ID`",
            Self::RegistrationProven => {
                "nothing: it did what it was written for; `user pending` shows what waits for approval"
            }
            Self::Deleted => "nothing: its octets are gone here; what its server has is as it was",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;
    use crate::Reason;

    #[test]
    fn whatever_holds_mail_says_what_to_do_about_it() {
        for reason in Reason::ALL {
            let holds = !matches!(reason, filed!());
            assert_eq!(!reason.advice().is_empty(), holds, "{reason}");
            let done = Reason::held_and_done().any(|done| done == *reason);
            assert_eq!(reason.cause() == Cause::Done, done || !holds, "{reason}");
        }
    }
}
