//! `zone format` beyond its text, which the suite `formats` judges: where it goes, and lists with faults in them.

use signet_tests::{Scratch, Signet};

use super::{ZONE, zone};

#[test]
fn the_output_file_has_the_bytes_of_standard_output_and_is_replaced_at_the_end() {
    let scratch = Scratch::new();
    let file = scratch.write("zone", ZONE);
    let out = scratch.path("out");
    let to_file = zone("format", &file, &["-f", out.to_str().unwrap()]);
    to_file.succeeds();
    assert_eq!(to_file.output(), "");
    let to_stdout = zone("format", &file, &["-f", "-"]);
    assert_eq!(scratch.read("out"), to_stdout.stdout);
    let broken = scratch.write("broken", "x 60 A nothing\n");
    assert_eq!(zone("format", &broken, &["-f", out.to_str().unwrap()]).code, Some(1));
    assert_eq!(scratch.read("out"), to_stdout.stdout, "the old file stays");
    assert_eq!(scratch.listing(".").len(), 3);
}

#[test]
fn records_at_fault_are_reported_and_left_out_of_lists() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "list",
        "b. 60 A 192.0.2.2\nb. 60 A x\na. 70 MX 1 m.\na. 60 MX 2 m.\na. 60 NOTHING\n",
    );
    let format = |flags: &[&str]| Signet::new("zone format --records").arg(&file).args(flags).run();
    let run = format(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    run.says(&["list:2:", "list:5:", "2 records at fault were left out"]);
    assert_eq!(
        run.stdout,
        "a.\t70\tIN\tMX\t1 m.\na.\t60\tIN\tMX\t2 m.\nb.\t60\tIN\tA\t192.0.2.2\n"
    );
    let run = format(&["--max-errors", "1"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(1), ""),
        "more faults than that: {run:?}"
    );
}

#[test]
fn the_text_does_not_depend_on_threads() {
    let scratch = Scratch::new();
    let mut text = ZONE.to_owned();
    for number in 0..50_000u32 {
        text.push_str(&format!(
            "h{} A 192.0.2.{}\n",
            number.wrapping_mul(2_654_435_761) % 40_000,
            number % 256
        ));
    }
    let file = scratch.write("zone", text);
    let one = zone("format", &file, &["--threads", "1"]);
    let four = zone("format", &file, &["--threads", "4"]);
    one.succeeds();
    assert!(one.stdout == four.stdout);
}
