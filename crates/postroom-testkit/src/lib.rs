//! For tests only: real servers on free ports, scripted servers, a proxy that cuts, crash points, and the running product.
//!
//! May touch: everything a test needs. Must not: be a dependency of anything but tests.

pub mod certificate;
pub mod chroot;
pub mod client;
pub mod courier;
pub mod cyrus;
pub mod dns;
pub mod dovecot;
pub mod imap;
pub mod messages;
pub mod owner;
pub mod pop3;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod scripted;
pub mod server;
