//! `postroom explain`: what would become of a message, and why; nothing is written.

use super::args::{ExplainArgs, Global};
use super::inspect::{octets_up_to, too_large, unread_file, unreadable};
use super::output::{Output, one_line};
use super::{open_store, rule, workspace_key};
use crate::authentication::{Authenticator, judge_one};
use crate::failure::Failure;
use crate::readers::{Readers, Unread};
use postroom_domain::as_if;
use postroom_domain::filing::Effect;
use postroom_domain::storm::LIMIT_NAMES;
use postroom_domain::{
    AuthenticationPolicy, GivenThen, Identity, MailboxPolicy, Reason, Receipt, ReceiptId, TraceStep, WorkspaceKey,
    WorkspacePolicy,
};
use postroom_mail::{Message, RawMessage};
use postroom_store::{Explanation, Instead, Question, Store};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

pub async fn run(global: &Global, args: ExplainArgs, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    match (args.receipt.map(ReceiptId), &args.file) {
        (Some(id), _) => explain_receipt(&store, id, &args.as_if, out).await,
        (None, Some(file)) => explain_file(&store, file, args.mailbox.as_deref(), &args.as_if, out).await,
        // The parser asks for one of them.
        (None, None) => Err(Failure::new("USAGE", "it does not say which message", "name a file or --receipt ID")),
    }
}

/// What becomes of a message, as scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    filing: &'static str,
    reason: Option<Reason>,
    item: Option<i64>,
    workspace: Option<WorkspaceKey>,
    assignee: Option<String>,
    status: Option<String>,
    tags: Vec<String>,
    trace: Vec<TraceStep>,
}

impl Decided {
    /// What would become of it.
    pub fn of(explanation: Explanation) -> Self {
        let Explanation { filing, item, workspace, assignee } = explanation;
        let (kind, given) = match filing.effect {
            Effect::OpenItem { opening, .. } => ("item", opening.given),
            Effect::AddComment { .. } => ("comment", Default::default()),
            Effect::Hold | Effect::Prove { .. } => ("held", Default::default()),
        };
        Self {
            filing: kind,
            reason: Some(filing.reason),
            item,
            workspace,
            assignee,
            status: (kind == "item").then(|| given.status.unwrap_or_else(|| "open".to_owned())),
            tags: given.tags,
            trace: filing.trace,
        }
    }

    /// What became of it, where it was decided. An item is where it is now, with what it was given when it was opened: what a
    /// person has changed on it since then does not count.
    async fn before(store: &Store, receipt: Receipt) -> Result<Option<Self>, Failure> {
        let filing = match (receipt.reason, receipt.item, receipt.comment) {
            (None, ..) => return Ok(None),
            (_, Some(_), Some(_)) => "comment",
            (_, Some(_), None) => "item",
            (_, None, _) => "held",
        };
        let item = match receipt.item {
            Some(number) => Some(store.item(number).await?),
            None => None,
        };
        let given = if filing == "item" { GivenThen::of(&receipt.trace) } else { GivenThen::default() };
        Ok(Some(Self {
            filing,
            reason: receipt.reason,
            item: receipt.item,
            workspace: item.map(|item| item.workspace),
            assignee: given.assignee,
            status: (filing == "item").then(|| given.status.unwrap_or_else(|| "open".to_owned())),
            tags: given.tags,
            trace: receipt.trace,
        }))
    }

    /// Whether it ends in the same way: the same kind for the same reason, on the same item, or in the same place and with
    /// the same in it.
    pub fn ends_like(&self, other: &Self) -> bool {
        let end = |one: &Self| (one.filing, one.reason, one.item.filter(|_| one.filing == "comment"));
        let is_item = self.filing == "item";
        let given = |one: &Self| (one.assignee.clone(), one.status.clone(), one.tags.clone());
        end(self) == end(other) && (!is_item || (self.workspace == other.workspace && given(self) == given(other)))
    }

    /// The object for scripts, where many stand together.
    pub fn without_trace(&self) -> Value {
        let mut object = json!(self);
        if let Some(object) = object.as_object_mut() {
            object.remove("trace");
        }
        object
    }

    /// The steps of routing rules.
    pub fn rules(&self) -> Vec<&TraceStep> {
        self.trace.iter().filter(|step| step.rule == "rule").collect()
    }

    /// Where it goes, in words.
    pub fn in_words(&self) -> String {
        let place = match (self.filing, self.item, &self.workspace) {
            ("comment", Some(item), _) => format!("a comment on item {item}"),
            ("item", _, Some(key)) => format!("a new item in {key}"),
            _ => format!("held mail ({})", self.reason.map_or("", Reason::code)),
        };
        let assignee = self.assignee.iter().map(|address| format!("assigned to {address}"));
        let status = self.status.iter().filter(|status| *status != "open").cloned();
        let tags = (!self.tags.is_empty()).then(|| format!("tagged {}", self.tags.join(", ")));
        [place].into_iter().chain(assignee).chain(status).chain(tags).collect::<Vec<_>>().join(", ")
    }

    fn sentence(&self) -> String {
        let because = self.reason.map_or(String::new(), |reason| format!(": {}", reason.sentence()));
        format!("{}{because}.", self.in_words())
    }

    fn steps(&self) -> String {
        self.trace.iter().map(step).collect::<Vec<_>>().join("\n")
    }
}

/// One step of a trace as a line.
pub fn step(step: &TraceStep) -> String {
    format!("  {:16} {:18} {}", step.rule, step.outcome, one_line(&step.detail, 120)).trim_end().to_owned()
}

async fn explain_file(
    store: &Store,
    file: &Path,
    mailbox: Option<&str>,
    as_if: &[String],
    out: Output,
) -> Result<(), Failure> {
    let name = file.display().to_string();
    let limit = crate::floor::limits()?.max_message;
    // Only a file says how long it is.
    let is_file = std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file());
    let most = if is_file { u64::MAX } else { limit.saturating_add(1) };
    let octets = octets_up_to(file, most).map_err(|error| unreadable(&name, &error.to_string()))?;
    if !is_file && octets.len() as u64 > limit {
        return Err(too_large(&name, limit));
    }
    let raw = RawMessage::undigested(octets);
    if raw.size() > limit {
        let (size, reason) = (raw.size(), Reason::TooLarge);
        let trace = [TraceStep::new("size", "too large", format!("{size} octets; the limit is {limit}"))];
        let object = json!({"filing": "held", "reason": reason, "item": null, "workspace": null, "trace": trace});
        return out
            .object(&object, || format!("It would become held mail: {}.\n{}", reason.sentence(), step(&trace[0])));
    }
    let policy = match mailbox {
        Some(mailbox) => store.mailbox(mailbox).await?.policy,
        None => MailboxPolicy::default(),
    };
    let readers = crate::floor::readers()?;
    let message = read(&readers, &name, &raw).await?;
    let what_if = WhatIf::of(store, policy, as_if).await?;
    let identity = what_if.identity(&readers, &message, &raw).await?;
    let question = Question {
        mailbox: mailbox.map(str::to_owned),
        receipt: None,
        identity: Some(identity.clone()),
        instead: what_if.instead,
    };
    let decided = Decided::of(store.explain(question, &message, jiff::Timestamp::now()).await?);
    let mut object = json!(decided);
    object["identity"] = json!(identity);
    out.object(&object, || format!("It would become {}\n{}", decided.sentence(), decided.steps()))
}

async fn explain_receipt(store: &Store, id: ReceiptId, as_if: &[String], out: Output) -> Result<(), Failure> {
    let receipt = store.receipt(id).await?;
    let (readers, raw) = (crate::floor::readers()?, store.raw_of(id).await?);
    let message = read(&readers, &format!("receipt {id}"), &raw).await?;
    let what_if = WhatIf::of(store, store.mailbox_of(id).await?.policy, as_if).await?;
    // What was found out about the sender then is not found out again, unless another way of finding out is to be tried.
    let identity = match what_if.is_of_identity {
        true => Some(what_if.identity(&readers, &message, &raw).await?),
        false => None,
    };
    let shown = identity.clone().or_else(|| receipt.identity.clone());
    let question = Question { receipt: Some(id), identity, instead: what_if.instead, ..Question::default() };
    let decided = Decided::of(store.explain(question, &message, jiff::Timestamp::now()).await?);
    let was = Decided::before(store, receipt).await?;
    let differs = was.as_ref().is_some_and(|was| !decided.ends_like(was));
    let mut object = json!(decided);
    object["receipt"] = json!(id);
    object["identity"] = json!(shown);
    object["was"] = json!(was.as_ref());
    object["differs"] = json!(differs);
    out.object(&object, || {
        let would = format!("It would become {}\n{}", decided.sentence(), decided.steps());
        match &was {
            None => format!("It is not decided yet.\n{would}"),
            Some(was) if differs => format!("It became {}\n{}\n{would}", was.sentence(), was.steps()),
            Some(_) => format!("It would become again what it became.\n{would}"),
        }
    })
}

async fn read(readers: &Readers, name: &str, raw: &RawMessage) -> Result<Message, Failure> {
    let read = readers.read(vec![raw.clone()]).await.map_err(|error| Failure::of_readers(&error))?.pop();
    let read = read.unwrap_or_else(|| Err(Unread::Crashed("no answer".to_owned())));
    read.map_err(|unread| unread_file(name, unread))
}

/// The settings that `--as-if` puts in the place of those that are stored.
struct WhatIf {
    instead: Instead,
    /// How it is found out who wrote a message, under these settings.
    authentication: AuthenticationPolicy,
    /// Whether one of the settings is about that.
    is_of_identity: bool,
}

impl WhatIf {
    /// For a message that comes in a mailbox with this policy.
    async fn of(store: &Store, mailbox: MailboxPolicy, as_if: &[String]) -> Result<Self, Failure> {
        let mut global = store.global_policy().await?;
        let (mut mailbox, mut is_of_identity) = (mailbox, false);
        let mut instead = Instead::default();
        for written in as_if {
            let Some((name, value)) = written.split_once('=') else {
                let help = "write --as-if NAME=VALUE, for example --as-if unknown-senders=on";
                return Err(Failure::new("USAGE", format!("`{written}` sets nothing"), help));
            };
            match name.split_once('.') {
                None if name == "rules" => instead.rules = Some(rule::from_file(Path::new(value))?),
                Some(("mailbox", name)) => {
                    mailbox = as_if::with(&mailbox, name, value).map_err(no_setting)?;
                    instead.mailbox = Some(mailbox.clone());
                    is_of_identity |= name.starts_with("authserv");
                }
                Some(("workspace", rest)) => {
                    let Some((key, name)) = rest.split_once('.') else {
                        let help = "write --as-if workspace.KEY.NAME=VALUE";
                        return Err(Failure::new("USAGE", format!("`{written}` names no setting"), help));
                    };
                    let key = workspace_key(key)?;
                    let policy = workspace(store, &instead, &key).await?;
                    instead.workspaces.insert(key, as_if::with(&policy, name, value).map_err(no_setting)?);
                }
                _ => {
                    let path = path_of(name);
                    global = as_if::with(&global, &path, value).map_err(no_setting)?;
                    instead.global = Some(global.clone());
                    is_of_identity |= path.starts_with("authentication");
                }
            }
        }
        let authentication = global.authentication.for_mailbox(&mailbox.authserv_ids);
        Ok(Self { instead, authentication, is_of_identity })
    }

    /// Who wrote a message, as far as can be found out under these settings.
    async fn identity(&self, readers: &Readers, message: &Message, raw: &RawMessage) -> Result<Identity, Failure> {
        let authenticator = Authenticator::from_environment()?;
        let identity = judge_one(readers, &authenticator, (message, raw), &self.authentication).await;
        identity.map_err(|error| Failure::of_readers(&error))
    }
}

/// The policy of a workspace: the one that is tried, else the one in force.
async fn workspace(store: &Store, instead: &Instead, key: &WorkspaceKey) -> Result<WorkspacePolicy, Failure> {
    if let Some(policy) = instead.workspaces.get(key) {
        return Ok(*policy);
    }
    let found = store.workspaces().await?.into_iter().find(|workspace| workspace.key == *key);
    found.map(|workspace| workspace.policy).ok_or_else(|| {
        Failure::new(
            "WORKSPACE_UNKNOWN",
            format!("there is no workspace `{key}`"),
            "`postroom workspace list` shows what there is",
        )
    })
}

/// Where a global setting stands that has this name on the command line.
fn path_of(name: &str) -> String {
    let name = name.replace('_', "-");
    match name.as_str() {
        "authentication" => "authentication.checks".to_owned(),
        "authserv-ids" | "trusted-hosts" | "arc-sealers" => format!("authentication.{name}"),
        limit if LIMIT_NAMES.contains(&limit) => format!("limits.{limit}"),
        _ => name,
    }
}

fn no_setting(error: as_if::NotASetting) -> Failure {
    let help = "global settings are those of `postroom setting show`; those of the mailbox have `mailbox.` before them, those of a \
                workspace `workspace.KEY.`";
    Failure::new("USAGE", error.to_string(), help)
}
