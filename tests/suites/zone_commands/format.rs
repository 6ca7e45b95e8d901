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

#[test]
fn letter_case_is_kept_and_counts_in_no_order() {
    let scratch = Scratch::new();
    let lines = "b MX 1 Mail\nA.Sub NS nS\nC TXT Up\nB TXT x\na DNAME Target.Other.\nx HTTPS 1 Svc\n";
    let file = scratch.write("zone", format!("{ZONE}{lines}"));
    let run = zone("format", &file, &[]);
    run.succeeds();
    let lines: Vec<&str> = run.stdout.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "a.example.test.\t3600\tIN\tDNAME\tTarget.Other.",
            "b.example.test.\t3600\tIN\tMX\t1 Mail.example.test.",
            "b.example.test.\t3600\tIN\tTXT\t\"x\"",
            "C.example.test.\t3600\tIN\tTXT\t\"Up\"",
            "ns1.example.test.\t3600\tIN\tA\t192.0.2.1",
            "A.Sub.example.test.\t3600\tIN\tNS\tnS.example.test.",
            "x.example.test.\t3600\tIN\tHTTPS\t1 Svc.example.test.",
        ]
    );
}

#[test]
fn a_set_has_its_smallest_ttl_and_each_record_once() {
    let scratch = Scratch::new();
    let lines = "x 60 A 192.0.2.2\nx 59 A 192.0.2.1\nx 61 A 192.0.2.2\nx 70 MX 1 A\nx 80 MX 1 a\n";
    let file = scratch.write("zone", format!("{ZONE}{lines}"));
    let run = zone("format", &file, &[]);
    run.succeeds();
    let lines: Vec<&str> = run.stdout.lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "x.example.test.\t59\tIN\tA\t192.0.2.1",
            "x.example.test.\t59\tIN\tA\t192.0.2.2",
            "x.example.test.\t70\tIN\tMX\t1 A.example.test.",
        ]
    );
    run.says(&[
        "the A records have TTLs from 59 to 61: the smallest is taken",
        "the MX records have TTLs from 70 to 80",
    ]);
    run.says(&["two MX records differ in letter case only"]);
    let kept = Signet::new("zone format --records")
        .arg(&file)
        .args(["-o", "example.test"])
        .run();
    kept.succeeds();
    assert!(
        kept.stdout.contains("x.example.test.\t60\tIN\tA\t192.0.2.2\n"),
        "{kept:?}"
    );
}
