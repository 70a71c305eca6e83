//! What hosts on the way wrote into the header of a message, as far as it tells who sent it.

use crate::authentication_results::AuthenticationResults;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What hosts on the way wrote, topmost and so latest first. Everybody can write anything there; whom to believe is a
/// matter of which hosts are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// At most [`Passage::STEPS_MAX`].
    pub steps: Vec<Step>,
    /// Whether a DKIM-Signature or an ARC-Seal is there to be verified.
    pub signed: bool,
}

impl Passage {
    /// Fields kept.
    pub const STEPS_MAX: usize = 60;
}

/// One field that a host on the way wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Received (RFC 5321 §4.4).
    Received(Hop),
    /// Return-Path: the envelope's sender, empty for none.
    ReturnPath(String),
    /// Authentication-Results, or why it cannot be read.
    Results(Result<AuthenticationResults, String>),
}

/// Who handed a message to the first host that is trusted: what SPF is about.
// RFC 7208 §2.4
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// The name by which it introduced itself; may be empty.
    pub helo: String,
    /// The envelope's sender, empty for none as in bounces; `None` if it is not known.
    pub mail_from: Option<String>,
}

/// From whom to whom a message was handed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The host that wrote this, by the name that it gives itself, in lower case.
    pub by: String,
    /// The name by which the client introduced itself.
    pub helo: String,
    /// The address of the client, if exactly one can be meant.
    pub client: Option<IpAddr>,
}
