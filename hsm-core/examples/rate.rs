//! Signatures a second on a token, by sessions and session copies: the measure of the hot call.
//!
//! `cargo run --release -p hsm-core --example rate -- MODULE TOKEN PIN-SOURCE [SECONDS]` makes a
//! P-256 key called `hsm-core rate`, signs with it, and destroys it again. The CPU time a signature
//! is what to compare on a machine that is busy with other things.

#![allow(clippy::print_stdout, reason = "a program")]

use std::path::Path;
use std::time::{Duration, Instant};

use hsm_core::{
    GenerateSpec, InitMode, KeyKind, LoggedIn, Module, PinSource, Pool, SessionCopy, TokenKey, TokenSelector,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, token, pin, rest @ ..] = arguments.as_slice() else {
        return Err("usage: rate MODULE TOKEN PIN-SOURCE [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(2.0), |text| text.parse())?;
    let module = Module::load(Path::new(module), InitMode::Owned)?;
    let token = module.token(&TokenSelector::label(token))?;
    let login = token.login(pin.parse::<PinSource>()?.read(&token.info().to_string())?)?;
    let spec = GenerateSpec::new("hsm-core rate", KeyKind::P256);
    let key = login.generate(&spec)?;
    let measured = measure(&login, &key, Duration::from_secs_f64(seconds));
    login.destroy(&key)?;
    measured
}

fn measure(login: &LoggedIn, key: &TokenKey, time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..3 {
        for sessions in [1, 2] {
            for copy in [SessionCopy::Never, SessionCopy::Always] {
                let (rate, cpu) = rate(login, key, sessions, copy, time)?;
                println!("{sessions} sessions, copy {copy:?}: {rate:.0} signatures a second, {cpu:.1} µs of CPU each");
            }
        }
    }
    Ok(())
}

fn rate(
    login: &LoggedIn,
    key: &TokenKey,
    sessions: usize,
    copy: SessionCopy,
    time: Duration,
) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let mut pool = Pool::open(login, sessions, std::slice::from_ref(key), copy)?;
    let slot = pool.slot(0).ok_or("no key")?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let mut workers = Vec::new();
    while let Some(mut session) = pool.take() {
        let mechanism = key.kind().mechanism();
        workers.push(std::thread::spawn(move || {
            let (mut digest, mut out, mut made) = ([0_u8; 32], [0; 64], 0_u32);
            while made % 64 != 0 || start.elapsed() < time {
                digest[..4].copy_from_slice(&made.to_be_bytes());
                session.sign(slot, mechanism, &digest, &mut out)?;
                made += 1;
            }
            Ok::<u32, hsm_core::Error>(made)
        }));
    }
    let mut made = 0;
    for worker in workers {
        made += worker.join().map_err(|_| "a worker died")??;
    }
    let cpu = cpu_seconds()? - cpu;
    Ok((
        f64::from(made) / start.elapsed().as_secs_f64(),
        cpu * 1e6 / f64::from(made),
    ))
}

/// User and system time of this process; Linux counts it in hundredths of a second (proc(5)).
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks = times.map(str::parse::<u32>).sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) / 100.0)
}
