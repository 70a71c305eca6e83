//! The desk of held mail: what is held, for how long and why, and what to do about it.

use super::super::output::{Output, one_line};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::{Reason, Receipt};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A page of the list.
pub fn table(page: &[Receipt], out: Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    if out.is_json() {
        return page.iter().try_for_each(|receipt| out.object(&object(receipt, now), String::new));
    }
    let headings = ["ID", "MAILBOX", "HELD FOR", "REASON", "FROM", "SUBJECT"];
    out.table(page, headings, "nothing is held", |receipt| {
        [
            receipt.id.to_string(),
            receipt.mailbox.clone(),
            age(held_for(receipt, now)),
            receipt.reason.map_or("", Reason::code).to_owned(),
            one_line(receipt.from.as_deref().unwrap_or_default(), 30),
            one_line(receipt.subject.as_deref().unwrap_or_default(), 60),
        ]
    })
}

/// What can be done about each of the reasons, once for all lines.
pub fn what_to_do(reasons: BTreeSet<&'static str>, out: Output) -> Result<(), Failure> {
    let reasons = reasons.into_iter().filter_map(Reason::from_code);
    let lines: Vec<String> =
        reasons.map(|reason| format!("  {reason}: {}\n    {}", reason.sentence(), reason.advice())).collect();
    if lines.is_empty() {
        Ok(())
    } else {
        out.say(format!("\nWhat to do (each with `postroom` in front):\n{}", lines.join("\n")))
    }
}

/// The receipt as everywhere, and for how long it is held and what to do about it.
fn object(receipt: &Receipt, now: Timestamp) -> Value {
    let mut object = json!(receipt);
    object["held_for_s"] = json!(held_for(receipt, now));
    object["help"] = json!(receipt.advice());
    object
}

/// Seconds since the decision to hold it.
fn held_for(receipt: &Receipt, now: Timestamp) -> i64 {
    let since = receipt.decided_at.unwrap_or(receipt.received_at);
    (now.as_second() - since.as_second()).max(0)
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_in_the_unit_that_one_would_say() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (172_799, "47 h"), (172_800, "2 days")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
