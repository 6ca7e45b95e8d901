//! The examples of `zone-io` as a newcomer runs them: what one builds, another lists, and the program reads as the same.

use std::path::Path;

use signet_tests::{Program, Run, Scratch, Signet};

/// A built example with these arguments.
fn example(name: &str, arguments: &[&Path]) -> Run {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.is_file(),
        "{} is built with all tests: cargo test --workspace",
        path.display()
    );
    let run = Program::new(path).args(arguments).run();
    run.succeeds();
    run
}

#[test]
fn a_zone_that_is_built_is_listed_and_formatted_alike() {
    let scratch = Scratch::new();
    let file = scratch.path("zone");
    example("build", &[&file]);
    let origin = "2.0.192.in-addr.arpa.";
    let listed = example("records", &[&file, Path::new(origin)]);
    assert_eq!((listed.stdout.lines().count(), &listed.stderr[..]), (256, ""));
    let formatted = Signet::new("zone format").arg(&file).args(["-o", origin]).run();
    formatted.succeeds();
    assert_eq!(listed.stdout, formatted.stdout);
}
