//! `postroom mailbox discover`: where the mailbox of an address may be. Nothing is saved, and nobody logs in anywhere.

use super::args::DiscoverArgs;
use super::output::Output;
use crate::authentication::Authenticator;
use crate::failure::{Failure, shell_word};
use postroom_mail::{Address, Security};
use postroom_sources::Trust;
use postroom_sources::discover::{Asked, Needs, Proposal, Protocol, Who, discover, rules};
use postroom_sources::https::Https;
use serde_json::json;

pub async fn run(args: DiscoverArgs, out: Output) -> Result<(), Failure> {
    let unclear = || {
        let message = format!("`{}` is no mail address", super::output::one_line(&args.address, 100));
        Failure::new("ADDRESS_INVALID", message, "write it as name@example.org; nothing was asked")
    };
    let canonical = Address::new("", args.address.trim()).canonical().ok_or_else(unclear)?;
    let domain = postroom_mail::address::domain_of(&canonical);
    // The local part as it was written: a few servers tell its case.
    let local = args.address.trim().rsplit_once('@').map_or("", |(local, _)| local);
    if domain.starts_with('[') || local.starts_with('"') {
        return Err(unclear());
    }
    let dns = Authenticator::from_environment()?.dns().clone();
    let who = Who { local, domain, may_be_told: args.send_address };
    let found = discover(who, &Https::new(dns, Trust::default(), rules())).await;
    for proposal in &found.proposals {
        let mut object = json!(proposal);
        object["command"] = json!(command(proposal, local));
        out.object(&object, || in_words(proposal, local))?;
    }
    if found.proposals.is_empty() {
        let asked = found.asked.iter().map(in_short).collect::<Vec<_>>().join("; ");
        let help = "ask the operator of the mailbox for host, port and protection, then `postroom mailbox add --help`; nothing was saved";
        let message = format!("no server is known for {domain}: {asked}");
        return Err(Failure::new("SETTINGS_UNKNOWN", message, help));
    }
    if !found.asked.is_empty() {
        out.say("\nAsked, and told nothing but the domain unless --send-address was given:")?;
        found.asked.iter().try_for_each(|asked| out.say(format!("  {}", in_short(asked))))?;
    }
    out.say("\nNothing was saved, and nobody has logged in anywhere. Check whose server it is before you give it a password.")
}

fn in_short(asked: &Asked) -> String {
    format!("{}: {}", asked.whom, asked.outcome)
}

fn in_words(proposal: &Proposal, local: &str) -> String {
    let protocol = if proposal.protocol == Protocol::Imap { "IMAP" } else { "POP3" };
    let security = if proposal.security == Security::Ssl { "TLS" } else { "STARTTLS" };
    let provider = proposal.provider.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let from = proposal.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let needs = match proposal.needs {
        Needs::Password => "the password of the mailbox",
        Needs::AppPassword => "an app password, made in the settings of the account",
        Needs::Oauth => "OAuth, which this version cannot do",
    };
    let note = proposal.note.as_ref().map(|note| format!("\n  note: {note}")).unwrap_or_default();
    let command = command(proposal, local).map(|command| format!("\n  {command}")).unwrap_or_default();
    format!(
        "{protocol} {}:{}, {security}, user {}{provider}\n  from: {from}\n  needs: {needs}{note}{command}",
        proposal.host, proposal.port, proposal.user
    )
}

/// The command that adds the mailbox; `None` where no password is taken.
fn command(proposal: &Proposal, local: &str) -> Option<String> {
    if proposal.needs == Needs::Oauth {
        return None;
    }
    let protocol = if proposal.protocol == Protocol::Imap { "imap" } else { "pop3" };
    let security = if proposal.security == Security::Ssl { "ssl" } else { "starttls" };
    let is_default = proposal.port == proposal.protocol.default_port(proposal.security);
    let port = if is_default { String::new() } else { format!(" --port {}", proposal.port) };
    Some(format!(
        "postroom mailbox add {} --protocol {protocol} --host {}{port} --security {security} --user {} --password-stdin",
        shell_word(local),
        shell_word(&proposal.host),
        shell_word(&proposal.user),
    ))
}
