//! A longer way to a server on this machine: `delay_proxy PORT MILLISECONDS` prints the port of a proxy through which a
//! question and its answer take so much longer. Ends when its standard input does. `benches/lab --delay` uses it.

use anyhow::{Result, bail};
use postroom_testkit::proxy::{Cut, CutProxy};
use std::io::Read as _;
use std::time::Duration;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, milliseconds] = arguments.as_slice() else { bail!("usage: delay_proxy PORT MILLISECONDS") };
    let round_trip = Duration::from_secs_f64(milliseconds.parse::<f64>()? / 1000.0);
    let proxy = CutProxy::start_delayed(port.parse()?, Cut::Never, round_trip / 2)?;
    println!("{}", proxy.port);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
