//! `postroom setting` and `postroom pattern`.

use super::args::{
    ChecksArg, Global, MetricsArg, OnOff, PatternCommand, RegistrationArg, SettingCommand, SettingSet, SyntaxArg,
};
use super::output::Output;
use super::{open_or_create, open_store};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::domain_pattern::{self, PatternList, Syntax};
use postroom_domain::identity::host_names;
use postroom_domain::{AddressRules, Checks, GlobalPolicy, MetricsAccess, RegistrationMode};
use postroom_store::Store;
use serde_json::{Value, json};

pub async fn setting(global: &Global, command: SettingCommand, out: Output) -> Result<(), Failure> {
    let store = match &command {
        SettingCommand::Set(_) => open_or_create(global).await?,
        SettingCommand::Show => open_store(global).await?,
        SettingCommand::RotateReplyKey { revoke } => return rotate(global, *revoke, out).await,
    };
    let mut policy = store.global_policy().await?;
    if let SettingCommand::Set(SettingSet::Metrics { value }) = command {
        return metrics(&store, value, out).await;
    }
    let is_of_patterns = matches!(&command, SettingCommand::Set(SettingSet::AllowedDomains { .. }));
    if let SettingCommand::Set(set) = command {
        change(&mut policy, set)?;
        store.set_global_policy(&policy, Timestamp::now()).await?;
    }
    out.object(&shown(&policy), || described(&policy))?;
    let notes = if is_of_patterns { pattern_notes(&policy) } else { Vec::new() };
    notes.iter().try_for_each(|note| out.say(note))
}

fn change(policy: &mut GlobalPolicy, set: SettingSet) -> Result<(), Failure> {
    match set {
        SettingSet::Submissions { value } => policy.submissions = value == OnOff::On,
        SettingSet::UnknownSenders { value } => policy.unknown_senders = value == OnOff::On,
        SettingSet::AllowedDomains { patterns, syntax } => {
            policy.allowed.allowed_domains = patterns;
            policy.allowed.allowed_domains_syntax = syntax.map(Syntax::from);
        }
        // Has a verb of its own, since a token may come with it.
        SettingSet::Metrics { .. } => {}
        SettingSet::Registration { value } => {
            policy.registration = match value {
                RegistrationArg::Closed => RegistrationMode::Closed,
                RegistrationArg::Approval => RegistrationMode::Approval,
                RegistrationArg::Open => RegistrationMode::Open,
            };
        }
        SettingSet::Domains { domains } => policy.allowed.domains = domains,
        SettingSet::Blocked { entries } => policy.blocked = entries,
        SettingSet::Authentication { checks } => {
            policy.authentication.checks = match checks {
                ChecksArg::Off => Checks::Off,
                ChecksArg::Headers => Checks::Headers,
                ChecksArg::Full => Checks::Full,
            };
        }
        SettingSet::AuthservIds { ids } => policy.authentication.authserv_ids = names(&ids)?,
        SettingSet::TrustedHosts { hosts } => policy.authentication.trusted_hosts = names(&hosts)?,
        SettingSet::OwnAddresses { addresses } => policy.own_addresses = canonical_all(&addresses)?,
        SettingSet::AutomaticPerSender { number } => policy.limits.automatic_per_sender = number,
        SettingSet::AutomaticPerItem { number } => policy.limits.automatic_per_item = number,
        SettingSet::AutomaticPerMailbox { number } => policy.limits.automatic_per_mailbox = number,
        SettingSet::StormResume { number } => policy.limits.storm_resume = number,
        SettingSet::ArcSealers { domains } => policy.authentication.arc_sealers = names(&domains)?,
    }
    AddressRules::global(policy).map(drop).map_err(unusable)
}

/// Addresses in their canonical form.
pub fn canonical_all(addresses: &[String]) -> Result<Vec<String>, Failure> {
    let canonical = addresses.iter().map(|text| {
        postroom_mail::address::canonical(text).ok_or_else(|| {
            let help = "nothing was changed; write it as name@example.org";
            Failure::new("ADDRESS_INVALID", format!("`{text}` is no mail address"), help)
        })
    });
    canonical.collect()
}

/// Names of hosts in one form.
pub fn names(written: &[String]) -> Result<Vec<String>, Failure> {
    host_names(written).map_err(|error| {
        Failure::new(
            "USAGE",
            error.to_string(),
            "nothing was changed; write names of hosts, for example mx.example.org",
        )
    })
}

/// Makes a new key that signs reply keys.
async fn rotate(global: &Global, revoke: bool, out: Output) -> Result<(), Failure> {
    let keys = open_store(global).await?.rotate_reply_key(revoke, jiff::Timestamp::now()).await?;
    out.object(&json!({ "keys": keys }), || match keys {
        1 => "a new key signs from now on; no earlier reply key is recognised any more".to_owned(),
        keys => format!("a new key signs from now on; reply keys signed with {} earlier ones stay good", keys - 1),
    })
}

impl From<SyntaxArg> for Syntax {
    fn from(argument: SyntaxArg) -> Self {
        match argument {
            SyntaxArg::Perl5 => Self::Perl5,
            SyntaxArg::Documented => Self::Documented,
        }
    }
}

fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// How the patterns are read; `None` without any.
fn syntax_in_force(policy: &GlobalPolicy) -> Option<Syntax> {
    let allowed = &policy.allowed;
    let list = PatternList::compile(&allowed.allowed_domains, allowed.allowed_domains_syntax).ok()?;
    (!list.is_empty()).then(|| list.syntax())
}

fn shown(policy: &GlobalPolicy) -> Value {
    let authentication = &policy.authentication;
    json!({
        "submissions": on(policy.submissions),
        "unknown_senders": on(policy.unknown_senders),
        "allowed_domains": policy.allowed.allowed_domains,
        "allowed_domains_syntax": syntax_in_force(policy),
        "domains": policy.allowed.domains,
        "blocked": policy.blocked,
        "authentication": authentication.checks,
        "authserv_ids": authentication.authserv_ids,
        "trusted_hosts": authentication.trusted_hosts,
        "arc_sealers": authentication.arc_sealers,
        "registration": policy.registration,
        "metrics": policy.metrics,
        "own_addresses": policy.own_addresses,
        "limits": policy.limits,
    })
}

fn described(policy: &GlobalPolicy) -> String {
    let authentication = &policy.authentication;
    let list = |entries: &[String]| if entries.is_empty() { "–".to_owned() } else { entries.join("  ") };
    let patterns = match syntax_in_force(policy) {
        Some(syntax) => format!("{}  (read as {syntax})", policy.allowed.allowed_domains.join("  ")),
        None if policy.allowed.domains.is_empty() => "every domain".to_owned(),
        None => "–".to_owned(),
    };
    let checks = match authentication.checks {
        Checks::Off => "off",
        Checks::Headers if authentication.authserv_ids.is_empty() => {
            "headers, but no host is trusted yet (setting set authserv-ids): nobody is verified"
        }
        Checks::Headers => "headers",
        Checks::Full => "full",
    };
    let own = std::iter::once("those of the mailboxes").chain(policy.own_addresses.iter().map(String::as_str));
    let limits = &policy.limits;
    let an_hour = |number: u32| format!("{number} within an hour");
    let rows = [
        ("submissions", on(policy.submissions).to_owned()),
        ("unknown-senders", on(policy.unknown_senders).to_owned()),
        ("allowed-domains", patterns),
        ("domains", list(&policy.allowed.domains)),
        ("blocked", list(&policy.blocked)),
        ("authentication", checks.to_owned()),
        ("authserv-ids", list(&authentication.authserv_ids)),
        ("trusted-hosts", list(&authentication.trusted_hosts)),
        ("arc-sealers", list(&authentication.arc_sealers)),
        ("registration", policy.registration.as_str().to_owned()),
        ("metrics", policy.metrics.as_str().to_owned()),
        ("own-addresses", own.collect::<Vec<_>>().join("  ")),
        ("automatic-per-sender", an_hour(limits.automatic_per_sender)),
        ("automatic-per-item", an_hour(limits.automatic_per_item)),
        ("automatic-per-mailbox", an_hour(limits.automatic_per_mailbox)),
        ("storm-resume", limits.storm_resume.to_string()),
    ];
    rows.map(|(name, value)| format!("{name:<21} {value}")).join("\n")
}

async fn metrics(store: &Store, value: MetricsArg, out: Output) -> Result<(), Failure> {
    let access = match value {
        MetricsArg::Off => MetricsAccess::Off,
        MetricsArg::Loopback => MetricsAccess::Loopback,
        MetricsArg::Token => MetricsAccess::Token,
    };
    let token = store.set_metrics_access(access, Timestamp::now()).await?;
    let token = token.as_ref().map(|token| token.expose());
    out.object(&json!({"metrics": access, "token": token}), || match token {
        Some(token) => format!("metrics          token\nThis is the token; it is shown only now: {token}"),
        None => format!("metrics          {}", access.as_str()),
    })
}

pub fn pattern(command: PatternCommand, out: Output) -> Result<(), Failure> {
    match command {
        PatternCommand::Test { pattern, addresses, syntax } => test(&pattern, addresses, syntax.map(Syntax::from), out),
        PatternCommand::Lint { patterns, syntax } => lint(&patterns, syntax.map(Syntax::from), out),
    }
}

fn test(pattern: &str, addresses: Vec<String>, syntax: Option<Syntax>, out: Output) -> Result<(), Failure> {
    let list = PatternList::compile(&[pattern.to_owned()], syntax).map_err(unusable)?;
    for address in addresses {
        let canonical = postroom_mail::address::canonical(&address);
        let admitted = match &canonical {
            // What is no address is admitted by nothing.
            None => false,
            Some(canonical) => list.admitting(canonical).map(|by| by.is_some()).map_err(|undecided| {
                Failure::new(
                    "PATTERN_LIMIT",
                    format!("{undecided} on {address}"),
                    "mail from this address would be held; write the pattern with fewer nested repetitions",
                )
            })?,
        };
        let syntax = list.syntax().to_string();
        let result = json!({"pattern": pattern, "syntax": syntax, "address": address, "admitted": admitted});
        out.object(&result, || {
            format!("{}  {address}  (read as {syntax})", if admitted { "admitted" } else { "refused " })
        })?;
    }
    Ok(())
}

/// What in the patterns in force was probably not meant.
fn pattern_notes(policy: &GlobalPolicy) -> Vec<String> {
    let allowed = &policy.allowed;
    let lint = domain_pattern::lint(&allowed.allowed_domains, allowed.allowed_domains_syntax);
    let notes = lint.map(|lint| lint.warnings.iter().map(|warning| format!("note: {warning}")).collect());
    notes.unwrap_or_default()
}

fn lint(patterns: &[String], syntax: Option<Syntax>, out: Output) -> Result<(), Failure> {
    let lint = domain_pattern::lint(patterns, syntax).map_err(unusable)?;
    out.object(&lint, || {
        let samples = lint.samples.iter().map(|sample| {
            let what = match sample.admitted {
                Some(true) => "admitted ",
                Some(false) => "refused  ",
                None => "undecided",
            };
            format!("{what} {}", sample.address)
        });
        let warnings = lint.warnings.iter().map(|warning| format!("note: {warning}"));
        let head = format!("read as {}", lint.syntax);
        std::iter::once(head).chain(samples).chain(warnings).collect::<Vec<_>>().join("\n")
    })
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        "PATTERN_INVALID",
        error.to_string(),
        "nothing was changed; try patterns with `postroom pattern lint PATTERN…`, and write domains as bosch.com or *.bosch.com",
    )
}
