//! `postroom token`: what programs use the API with.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token by which a program uses the API in somebody's name; it is printed once
    Add {
        /// What it is for
        name: String,
        /// In whose name it acts: one of the user's addresses
        #[arg(long, value_name = "ADDRESS")]
        user: String,
        /// What it is good for
        #[arg(long, default_value = "read")]
        scope: ScopeArg,
        /// Days after which it stops working by itself [at first: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: Option<u32>,
    },
    /// List the tokens
    List,
    /// Make a token useless at once
    Remove {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ScopeArg {
    /// Looking only
    Read,
    /// Whatever its user may do
    Write,
}
