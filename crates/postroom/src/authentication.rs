//! Finding out whether messages are by whom they say they are, between reading and filing: the rules say what is to be
//! looked at, reading processes verify, the DNS is asked here. Bounded in time; whatever fails leaves a message
//! unverified and never stands in its way.

use crate::failure::Failure;
use crate::floor::Floor;
use crate::readers::frame::Verify;
use crate::readers::{Readers, Unavailable};
use jiff::Timestamp;
use postroom_domain::identity::{FirstLook, Verification, by_verification, first_look, is_recent};
use postroom_domain::{AuthenticationPolicy, Identity, MailboxId};
use postroom_mail::{Message, RawMessage};
use postroom_sources::Dns;
use postroom_sources::dns::{Answer, Question};
use postroom_store::{Claimed, Reading, StoreError};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How long the DNS is asked for one batch, all its rounds together.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rounds of verifying: a record of SPF may refer to ten others, one after the other.
const ROUNDS_MAX: usize = 14;
/// Answers kept for one message: more than its signatures, its policy and SPF can need.
const ANSWERS_MAX: usize = 200;

/// Who asks the DNS, once it is needed.
#[derive(Clone, Default)]
pub struct Authenticator {
    server: Option<SocketAddr>,
    dns: Arc<OnceLock<Dns>>,
}

impl Authenticator {
    /// Asks the name server that POSTROOM_DNS names, else those of the system.
    ///
    /// # Errors
    /// When it names none.
    pub fn from_environment() -> Result<Self, Failure> {
        let Ok(text) = std::env::var("POSTROOM_DNS") else { return Ok(Self::default()) };
        let alone = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
        let server = text.parse().ok().or_else(alone).ok_or_else(|| {
            let message = format!("POSTROOM_DNS is `{text}`, which is no address of a name server");
            Failure::new("USAGE", message, "write for example POSTROOM_DNS=192.0.2.53 or POSTROOM_DNS=127.0.0.1:5353")
        })?;
        Ok(Self { server: Some(server), ..Self::default() })
    }

    /// Who is asked.
    pub fn dns(&self) -> &Dns {
        self.dns.get_or_init(|| self.server.map_or_else(Dns::of_system, Dns::at))
    }
}

/// One message to be judged.
pub struct Subject<'a> {
    message: &'a Message,
    raw: &'a RawMessage,
    policy: &'a AuthenticationPolicy,
    client: Option<&'a postroom_mail::message::Client>,
    recent: bool,
}

/// Judges what was claimed and read; what could not be read stays unjudged.
pub async fn judge(floor: &Floor, claimed: Vec<Claimed>, readings: &[Reading]) -> Result<Vec<Claimed>, Trouble> {
    let mut policies: HashMap<MailboxId, (AuthenticationPolicy, bool)> = HashMap::new();
    for one in &claimed {
        if let Entry::Vacant(place) = policies.entry(one.mailbox()) {
            place.insert(floor.store.authentication(one.mailbox()).await?);
        }
    }
    let now = Timestamp::now();
    let subjects = claimed.iter().zip(readings).map(|(one, reading)| {
        let (Reading::Message(message), Some((policy, imported))) = (reading, policies.get(&one.mailbox())) else {
            return None;
        };
        let recent = !imported && is_recent(one.received_at(), now);
        Some(Subject { message, raw: one.raw(), policy, client: one.client(), recent })
    });
    let identities = identities(&floor.readers, &floor.authenticator, subjects.collect()).await?;
    Ok(claimed.into_iter().zip(identities).map(|(one, identity)| one.judged(identity)).collect())
}

/// Judges one message as if it came in now.
pub async fn judge_one(
    readers: &Readers,
    authenticator: &Authenticator,
    (message, raw): (&Message, &RawMessage),
    policy: &AuthenticationPolicy,
) -> Result<Identity, Unavailable> {
    let subject = Subject { message, raw, policy, client: None, recent: true };
    Ok(identities(readers, authenticator, vec![Some(subject)]).await?.pop().unwrap_or_default())
}

/// Why nothing was judged. The messages are as they were.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to verify with.
    #[error(transparent)]
    Readers(#[from] Unavailable),
}

async fn identities(
    readers: &Readers,
    authenticator: &Authenticator,
    subjects: Vec<Option<Subject<'_>>>,
) -> Result<Vec<Identity>, Unavailable> {
    let mut identities = Vec::with_capacity(subjects.len());
    let mut cases = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        let look = subject.as_ref().map(|subject| first_look(subject.message, subject.client, subject.policy));
        identities.push(Identity::default());
        match (look, subject) {
            (Some(FirstLook::Done(identity)), _) => identities[at] = identity,
            (Some(FirstLook::Verify { author, client, seals }), Some(subject)) => {
                let verify = Verify { author, client, seals, answers: Vec::new() };
                cases.push(Case { at, subject, verify, found: Verification::default() });
            }
            _ => {}
        }
    }
    if !cases.is_empty() {
        for case in verify(readers, authenticator.dns(), cases).await? {
            let Subject { policy, recent, .. } = case.subject;
            identities[case.at] = by_verification(&case.verify.author, &case.found, &policy.arc_sealers, *recent);
        }
    }
    Ok(identities)
}

/// A message that is being verified.
struct Case<'a> {
    /// Its place in the batch.
    at: usize,
    subject: &'a Subject<'a>,
    verify: Verify,
    found: Verification,
}

/// Verifies messages in rounds: each says what it needs to know from the DNS, all of that is asked for at once, and those
/// that were answered something are verified again.
async fn verify<'a>(readers: &Readers, dns: &Dns, cases: Vec<Case<'a>>) -> Result<Vec<Case<'a>>, Unavailable> {
    let deadline = Instant::now() + PATIENCE;
    let (mut open, mut done) = (cases, Vec::new());
    for _ in 0..ROUNDS_MAX {
        let mut waiting = verify_once(readers, open, &mut done).await?;
        if waiting.is_empty() {
            return Ok(done);
        }
        let mut questions: Vec<Question> = waiting.iter().flat_map(|(_, missing)| missing).cloned().collect();
        questions.sort_by_cached_key(|question| format!("{question:?}"));
        questions.dedup();
        let answers = dns.ask(questions, deadline).await;
        for (case, missing) in &mut waiting {
            case.found.trouble = silence(missing, &answers);
            let unknown = || Answer::Unknown("it was not answered".to_owned());
            let answered = |question: Question| {
                let answer = answers.get(&question).cloned().unwrap_or_else(unknown);
                (question, answer)
            };
            case.verify.answers.extend(missing.drain(..).map(answered));
        }
        // Where nothing new is known, verifying again would find nothing new.
        let (silent, answered): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|(case, _)| case).partition(|case| case.found.trouble.is_some());
        done.extend(silent);
        open = answered;
    }
    done.extend(open);
    Ok(done)
}

/// One round: what is found out goes to `done`, the others come back with what they have to know.
async fn verify_once<'a>(
    readers: &Readers,
    cases: Vec<Case<'a>>,
    done: &mut Vec<Case<'a>>,
) -> Result<Vec<(Case<'a>, Vec<Question>)>, Unavailable> {
    let batch = cases.iter().map(|case| (case.subject.raw.clone(), case.verify.clone())).collect();
    let verified = readers.verify(batch).await?;
    let mut waiting = Vec::new();
    for (mut case, verified) in cases.into_iter().zip(verified) {
        match verified {
            Ok(verified) => {
                case.found = verified.found;
                if verified.missing.is_empty() || case.verify.answers.len() > ANSWERS_MAX {
                    done.push(case);
                } else {
                    waiting.push((case, verified.missing));
                }
            }
            // Its words can have mail in them, so they are not logged.
            Err(_) => {
                tracing::warn!("a message could not be verified; it counts as unverified");
                case.found.trouble = Some("verifying it failed inside Postroom".to_owned());
                done.push(case);
            }
        }
    }
    Ok(waiting)
}

/// Why none of these questions has an answer; `None` if one has.
fn silence(questions: &[Question], answers: &HashMap<Question, Answer>) -> Option<String> {
    let mut why = None;
    for question in questions {
        match answers.get(question) {
            Some(Answer::Unknown(words)) => why = Some(words.clone()),
            Some(_) => return None,
            None => {}
        }
    }
    why
}
