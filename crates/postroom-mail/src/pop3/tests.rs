#![allow(clippy::unwrap_used)]

mod replies;
mod states;
mod unstuffing;
