//! `signet key times` beside dnssec-settime: the same files and the same output, for dates in every form and for the states of a key's
//! records.

use signet_tests::judges::settime;
use signet_tests::{Key, Program, Scratch, Signet, program};

use crate::key_commands::Twins;

#[test]
fn times_edits_as_dnssec_settime_does() {
    for words in [
        &["-A", "20270101000000", "-I", "20280101", "-D", "20290101"][..],
        &["-P", "none", "-R", "20270101"],
        &["-P", "sync", "20270101", "-D", "sync", "20280101120000"],
        &["-A", "20270101+1mo", "-I", "20270101-1w"],
        &["-P", "1893456000", "-A", "none"],
        &["-P", "ds", "20270303"],
        &["-p", "Pds", "-p", "Dsync", "-p", "CRI"],
        &["-L", "7200", "-I", "20280101"],
        &["-L", "0"],
        &["-P", "0"],
        &["-p", "P", "-p", "A"],
        &["-p", "all"],
        &["-u", "-p", "all", "-D", "20300101"],
    ] {
        let twins = Twins::new(&["-f", "KSK"]);
        let (theirs, ours) = (twins.theirs("dnssec-settime", words), twins.ours("key times", words));
        theirs.succeeds();
        ours.succeeds();
        assert_eq!(theirs.stdout, ours.stdout, "{words:?}");
        twins.are_equal(&[]);
    }
}

#[test]
fn times_refuses_as_dnssec_settime_does() {
    let twins = Twins::new(&[]);
    for words in [&["-A", "tomorrow"][..], &["-p", "X"], &["-I", "20270230"]] {
        assert_ne!(twins.theirs("dnssec-settime", words).code, Some(0), "{words:?}");
        twins.ours("key times", words).exits(2);
    }
    twins.are_equal(&[]);
    let scratch = Scratch::new();
    let made = Program::new(program("dnssec-keygen"))
        .args(["-q", "-C", "-a", "ED25519", "old.test"])
        .folder(scratch.folder())
        .run();
    let times = |words: &[&str]| {
        let run = Signet::new("key times").args(words).arg(made.stdout.trim());
        run.folder(scratch.folder()).run()
    };
    times(&["-I", "20300101"]).exits(1).says(&["1.2", "-f"]);
    times(&["-f", "-I", "20300101"]).succeeds();
    let key = Key::existing(scratch.folder(), &made.stdout);
    let shown = settime(&key, &["-u", "-p", "I", "-p", "A"]);
    assert_eq!(shown.stdout, "Activate: UNSET\nInactive: 1893456000\n");
}

/// What follows `-A`.
const FORMS: &[&str] = &[
    "20270101",
    "20270101123456",
    "1893456000",
    "Fri Jan  1 00:00:00 2027",
    "Fri Jan  1 00:00:00 2027+1h",
    "20270101+1y",
    "20270101+1mo",
    "20270101+2w",
    "20270101+3d",
    "20270101+4h",
    "20270101+5mi",
    "20270101+6s",
    "20270101+7",
    "20270101-1h",
    "1893456000-1d",
    "20270101+0x10",
    "20270101+010",
    "20270101+864000seconds",
    "20270101+1YEARS",
    "20270101000000+2Months",
    "0",
    "none",
    "never",
    "unset",
];

#[test]
fn dates_have_the_forms_that_dnssec_settime_takes() {
    for form in FORMS {
        let twins = Twins::new(&[]);
        twins.theirs("dnssec-settime", &["-A", form]).succeeds();
        twins.ours("key times", &["-A", form]).succeeds();
        twins.are_equal(&[]);
    }
    // What counts from now: both tools look at the clock.
    for form in ["now", "+30d", "now+1mo", "now-1h", "+1h", "-1w"] {
        let twins = Twins::new(&[]);
        let words = ["-u", "-A", form, "-p", "A"];
        let moment = |text: &str| -> i64 { text.lines().next().unwrap()["Activate: ".len()..].parse().unwrap() };
        for time in [
            twins.theirs("dnssec-settime", &["-A", form]),
            twins.ours("key times", &["-A", form]),
        ] {
            time.succeeds();
        }
        let shown = [
            twins.theirs("dnssec-settime", &["-u", "-p", "A"]),
            twins.ours("key times", &["-u", "-p", "A"]),
        ];
        let [theirs, ours] = shown.map(|run| moment(&run.stdout));
        assert!((0..20).contains(&(ours - theirs)), "{words:?}: {theirs} {ours}");
    }
}

#[test]
fn what_is_no_date_is_refused_as_dnssec_settime_does() {
    let twins = Twins::new(&[]);
    for form in [
        "20270101+1m",
        "20271301",
        "2027",
        "20270101+1x",
        "12345",
        "tomorrow",
        "20270101+x",
    ] {
        assert_ne!(twins.theirs("dnssec-settime", &["-A", form]).code, Some(0), "{form:?}");
        twins.ours("key times", &["-A", form]).exits(2).says(&["--activate"]);
    }
    twins.are_equal(&[]);
}

#[test]
fn states_are_noted_as_dnssec_settime_does() {
    for role in [&["-f", "KSK"][..], &[]] {
        let twins = Twins::new(role);
        for words in [
            &["-s"][..],
            &["-s", "-k", "rumoured", "20270101", "-g", "omnipresent"],
            &[
                "-s",
                "-d",
                "hidden",
                "none",
                "-z",
                "Unretentive",
                "20270303",
                "-r",
                "OMNIPRESENT",
                "20270404+1mo",
            ],
            &["-s", "-P", "ds", "20270101", "-D", "ds", "20280101"],
            &["-s", "-p", "all"],
            &["-p", "Dds", "-p", "Pds"],
            &["-s", "-g", "none"],
            &["-s", "-k", "none", "20270101"],
            &[
                "-s", "-I", "20300101", "-D", "20310101", "-P", "sync", "20270101", "-D", "sync", "20280101",
            ],
            // Without -s the file of the states stays as it is.
            &["-I", "20320101"],
        ] {
            let (theirs, ours) = (twins.theirs("dnssec-settime", words), twins.ours("key times", words));
            theirs.succeeds();
            ours.succeeds();
            assert_eq!(theirs.stdout, ours.stdout, "{words:?}");
            twins.are_equal(&[]);
        }
        for words in [
            &["-k", "rumoured", "now"][..],
            &["-g", "hidden"],
            &["-s", "-k", "omni", "now"],
            &["-s", "-k", "hidden", "tomorrow"],
            &["-s", "-g", "rumoured"],
            &["-s", "-k", "hidden", "now", "-k", "rumoured", "now"],
        ] {
            assert_ne!(twins.theirs("dnssec-settime", words).code, Some(0), "{words:?}");
            twins.ours("key times", words).exits(2);
        }
        twins.are_equal(&[]);
        let shown = twins.ours("key show", &[]);
        assert!(
            shown.stdout.contains("ZRRSIG is") && shown.stdout.contains("unretentive"),
            "{shown:?}"
        );
    }
}

#[test]
fn the_files_of_the_key_manager_are_read() {
    let scratch = Scratch::new();
    let policy = "dnssec-policy \"test\" { keys { csk lifetime P1Y algorithm ed25519; }; };\n";
    scratch.write("named.conf", policy);
    let made = Program::new(program("dnssec-keygen"))
        .args(["-q", "-k", "test", "-l", "named.conf", "policy.test"])
        .folder(scratch.folder())
        .run();
    made.succeeds();
    let name = made.stdout.trim();
    let state = format!("{name}.state");
    let before = scratch.read(&state);
    assert!(before.contains("Lifetime: 31536000\nKSK: yes\nZSK: yes\n"), "{before}");
    let times = Signet::new("key times -s -I 20400101").arg(name);
    times.folder(scratch.folder()).run().succeeds();
    let retired = "Retired: 20400101000000 (Sun Jan  1 00:00:00 2040)\n";
    assert_eq!(scratch.read(&state), before + retired);
    let broken = scratch.read(&state).replace("KSK: yes", "KSK: maybe");
    scratch.write(&state, broken);
    let show = Signet::new("key show").arg(name).folder(scratch.folder()).run();
    show.exits(1).says(&[".state:5", "`KSK`"]);
}
