//! The pages as a browser asks for them, over a real store.
#![allow(clippy::unwrap_used)]

mod admin;
mod api;
mod app;
mod audit;
mod content;
mod held;
mod house;
mod joining;
mod live;
mod metrics;
mod passwords;
mod rights;
mod signing_in;
mod work;
