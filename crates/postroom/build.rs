//! Makes a table of the demo's sample messages, so that a new sample is a new file and nothing else.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=demo");
    let demo = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("demo");
    let mut names: Vec<String> = fs::read_dir(&demo)
        .expect("the demo directory is part of the sources")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".eml"))
        .collect();
    names.sort();
    let mut table =
        String::from("/// File name and octets of each sample.\npub const SAMPLES: &[(&str, &[u8])] = &[\n");
    for name in names {
        writeln!(table, "    ({name:?}, include_bytes!({:?})),", demo.join(&name)).expect("a string takes everything");
    }
    table += "];\n";
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("samples.rs");
    fs::write(out, table).expect("cargo's output directory is writable");
}
