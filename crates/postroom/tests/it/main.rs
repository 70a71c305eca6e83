//! The program as people and scripts call it, against a real Dovecot.
#![allow(clippy::unwrap_used)]

mod authentication;
mod canary;
mod commands;
mod desk;
mod fetch;
mod held;
mod identity;
mod inspect;
mod pop3;
mod push;
mod registration;
mod routing;
mod second_client;
mod sender;
mod serve;
mod servers;
mod trust;
mod upheaval;
mod work;
