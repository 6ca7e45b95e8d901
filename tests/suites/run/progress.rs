//! What a person sees of a run while it goes on: lines in a log, bars on a terminal.

use signet_tests::{Faulty, Scratch};

use crate::faults::stage::ECDSA;

/// Each signature takes a while, so that there is something to see.
const SLOW: &str = "C_Sign * take 5000";

#[test]
fn lines_tell_phase_rate_what_is_left_and_the_pace_of_each_token() {
    let (faulty, scratch) = (Faulty::new(SLOW), Scratch::new());
    let _alone = ECDSA.alone();
    let run = ECDSA
        .command(&faulty, &scratch)
        .args(["--sessions", "2", "--partition-records", "20"])
        .run();
    run.succeeds();
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("signing: "))
        .collect();
    // One a second, and at least one in the two seconds and more that this takes.
    let most = usize::try_from(run.elapsed.as_secs()).unwrap() + 1;
    assert!((1..=most).contains(&lines.len()), "{run:?}");
    for word in [
        " of ",
        " records (",
        " %), ",
        " a second",
        "; token '",
        " signatures a second",
    ] {
        assert!(lines[0].contains(word), "{word:?}: {run:?}");
    }
    assert!(lines.iter().any(|line| line.contains(" left")), "{run:?}");
    // Two sessions of 200 a second, counted by batches.
    let pace = lines[lines.len() - 1].rsplit_once(": ").unwrap().1;
    let pace: u64 = pace.split(' ').next().unwrap().replace(',', "").parse().unwrap();
    assert!((50..=600).contains(&pace), "{pace}: {run:?}");
}

#[test]
fn bars_on_a_terminal_tell_the_same() {
    let (faulty, scratch) = (Faulty::new(SLOW), Scratch::new());
    let _alone = ECDSA.alone();
    let on_a_terminal = "exec script -q -e -c \"$*\" /dev/null";
    let run = ECDSA
        .command(&faulty, &scratch)
        .args(["--sessions", "2", "--partition-records", "20"])
        .env("TERM", "xterm")
        .under("/bin/sh", &["-c", on_a_terminal, "sh"])
        .run();
    run.succeeds();
    for word in [
        "signing  ",
        " % of 705 records, ",
        " a second",
        " left",
        "token '",
        " signatures, ",
    ] {
        assert!(run.stdout.contains(word), "{word:?}: {run:?}");
    }
    // The pace of two sessions of 200 a second, from the first time that it is told on.
    let (store, mut told) = ("token 'suite'  ", 0);
    for line in run.stdout.split(store).skip(1) {
        let pace = line
            .split_once(" signatures, ")
            .and_then(|(_, pace)| pace.split_once(" a second"));
        let Some(Ok(pace)) = pace.map(|(pace, _)| pace.parse::<u64>()) else {
            continue;
        };
        assert!((50..=600).contains(&pace), "{pace}: {run:?}");
        told += 1;
    }
    assert!(told > 3, "{run:?}");
    assert!(!run.stdout.contains("0/0"), "a bar without words: {run:?}");
}
