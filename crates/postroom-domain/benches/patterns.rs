//! How long patterns that are traps take until they are decided, or end at their limit: every one of
//! `testdata/patterns/hostile.txt`, on the address that is said there. The slowest are printed.
#![allow(missing_docs, clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use postroom_domain::domain_pattern::PatternList;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Times that each is tried; the median counts.
const TIMES: usize = 21;

fn main() {
    let address = format!("{}!@example.org", "a".repeat(60));
    let text = include_str!("../../../testdata/patterns/hostile.txt");
    let mut medians: Vec<(Duration, &str)> = Vec::new();
    for (_, pattern) in text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')) {
        let Ok(list) = PatternList::compile(&[pattern.to_owned()], None) else { continue };
        let mut times: Vec<Duration> = (0..TIMES)
            .map(|_| {
                let begun = Instant::now();
                let _ = black_box(list.admitting(black_box(&address)));
                begun.elapsed()
            })
            .collect();
        times.sort();
        medians.push((times[TIMES / 2], pattern));
    }
    medians.sort();
    println!("{} patterns that compile; the slowest, by their median of {TIMES} tries:", medians.len());
    for (time, pattern) in medians.iter().rev().take(8) {
        println!("{:>8.3} ms  {pattern}", time.as_secs_f64() * 1000.0);
    }
}
